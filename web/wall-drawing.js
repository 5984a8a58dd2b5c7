// Drawing what is on the wall: holds with their types and colours, and the limbs that are on them.

import { LIMB_COLORS, MIDDLE, OUTLINE, tip } from "./figure.js";
import { t as words } from "./language.js";

const HOLD_COLORS = {
  black: "#6b7280", white: "#ffffff", grey: "#cbd5e1", gray: "#cbd5e1", red: "#f87171", orange: "#fdba74", yellow: "#fde047",
  green: "#4ade80", turquoise: "#2dd4bf", cyan: "#67e8f9", blue: "#60a5fa", purple: "#c084fc", violet: "#c084fc",
  pink: "#f9a8d4", magenta: "#f0abfc", brown: "#d6a779", beige: "#eadbc8", wood: "#d6a779",
};

/** A hold's corners (its outline, or its box) as frame `frame` sees them, in pixels of the canvas. */
export function corners(climb, hold, frame, place) {
  const [x0, y0, x1, y1] = hold.box;
  const outline = hold.outline?.length > 2 ? hold.outline : [[x0, y0], [x1, y0], [x1, y1], [x0, y1]];
  return outline.map((corner) => place(climb.camera.seen(corner, frame)));
}

/** The holds of a climb on one canvas, dashed where only a resting limb tells of one. Shapes are kept as long as the
 *  camera sees the wall from the same place. */
export class HoldDrawing {
  #kept = { key: null, shapes: [] };

  draw(context, climb, frame, place, thick) {
    for (const { path, used, color, presumed } of this.#shapes(climb, frame, place, context.canvas)) {
      context.globalAlpha = used ? 1 : 0.55;
      context.fillStyle = color;
      context.strokeStyle = OUTLINE;
      context.setLineDash(presumed ? [thick * 1.6, thick * 1.6] : []);
      context.lineWidth = (used ? thick * 0.9 : thick * 0.45) + 2;
      context.stroke(path);
      context.strokeStyle = color;
      context.lineWidth = used ? thick * 0.9 : thick * 0.45;
      context.stroke(path);
      if (used) {
        context.globalAlpha = 0.25;
        context.fill(path);
      }
    }
    context.setLineDash([]);
    context.globalAlpha = 1;
  }

  /** The types, above the holds and the rings of `contacts`; `all`: of the holds that were not used, too. */
  label(context, climb, frame, contacts, place, thick, { all = false } = {}) {
    const held = new Set(contacts.map(({ hold_id: id }) => id));
    context.textAlign = "center";
    context.textBaseline = "alphabetic";
    context.font = `600 ${Math.round(Math.max(10 * (devicePixelRatio || 1), 4.2 * thick))}px system-ui, sans-serif`;
    context.lineWidth = thick;
    for (const { id, type, used, top, radius } of this.#shapes(climb, frame, place, context.canvas)) {
      if (!type || type === "unknown" || !(used || all)) continue;
      context.strokeStyle = OUTLINE;
      context.fillStyle = MIDDLE;
      const name = words(`hold.${type}`);
      const y = top[1] - (held.has(id) ? radius * 0.6 + 3 * thick : 1.5 * thick);
      context.strokeText(name, top[0], y);
      context.fillText(name, top[0], y);
    }
  }

  #shapes(climb, frame, place, { width, height }) {
    const matrix = climb.camera.frames[frame];
    const key = `${matrix ? matrix.flat().join() : ""} ${width} ${height}`;
    if (key === this.#kept.key) return this.#kept.shapes;
    const shapes = climb.holds.map((hold) => {
      const points = corners(climb, hold, frame, place);
      const path = new Path2D();
      points.forEach((point) => path.lineTo(...point));
      path.closePath();
      const { center, radius } = circle(points);
      const top = [center[0], Math.min(...points.map(([, y]) => y))];
      const color = HOLD_COLORS[hold.color] ?? MIDDLE;
      return { id: hold.id, path, top, radius, type: hold.type, used: climb.used.has(hold.id), color, presumed: hold.by === "limb" };
    });
    // Those in use on top.
    shapes.sort((a, b) => a.used - b.used);
    this.#kept = { key, shapes };
    return shapes;
  }
}

/** A ring in the limb's colour round each hold that is held, and one at the limb; dashed where it is on no hold. */
export function contactRings(context, climb, frame, contacts, points, place, thick) {
  for (const { limb, hold_id: id, confidence = 1 } of contacts) {
    context.globalAlpha = 0.45 + 0.55 * confidence;
    const hold = climb.hold.get(id);
    if (hold) {
      const { center, radius } = circle(corners(climb, hold, frame, place));
      ring(context, center, radius + thick * 1.5, LIMB_COLORS[limb], thick);
    }
    if (points) {
      if (!hold) context.setLineDash([thick * 1.6, thick * 1.6]);
      ring(context, place(tip(points, limb)), thick * 3, LIMB_COLORS[limb], thick * 0.8);
      context.setLineDash([]);
    }
  }
  context.globalAlpha = 1;
}

/** What a cue is about: a hold, a limb or, where it names neither, the hips. */
export function highlight(context, climb, frame, { hold_id: id, limb }, points, place, thick) {
  const hold = climb.hold.get(id);
  let center = null;
  if (hold) center = place(climb.camera.seen(hold.center ?? [(hold.box[0] + hold.box[2]) / 2, (hold.box[1] + hold.box[3]) / 2], frame));
  else if (points && limb in LIMB_COLORS) center = place(tip(points, limb));
  else if (points) center = place([0, 1].map((axis) => (points[23][axis] + points[24][axis]) / 2));
  if (!center) return;
  ring(context, center, thick * 7, MIDDLE, thick * 1.4);
  ring(context, center, thick * 9, "rgb(250 204 21)", thick * 1.4);
}

// The circle round the middle of some points that holds them all.
function circle(points) {
  const center = [0, 1].map((axis) => {
    const values = points.map((point) => point[axis]);
    return (Math.min(...values) + Math.max(...values)) / 2;
  });
  return { center, radius: Math.max(...points.map(([x, y]) => Math.hypot(x - center[0], y - center[1]))) };
}

function ring(context, [x, y], radius, color, width) {
  for (const [tone, extra] of [[OUTLINE, 2], [color, 0]]) {
    context.strokeStyle = tone;
    context.lineWidth = width + extra;
    context.beginPath();
    context.arc(x, y, radius, 0, 2 * Math.PI);
    context.stroke();
  }
}
