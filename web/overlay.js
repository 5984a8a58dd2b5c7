// What is drawn over the video: the skeleton and the trail of the centre of gravity; holds, contacts, Ghost where known.

import { t as words } from "./language.js";

const LEFT = "rgb(56 189 248)";
const RIGHT = "rgb(251 146 60)";
const MIDDLE = "rgb(241 245 249)";
const GRAVITY = "rgb(250 204 21)";
const GHOST = "rgb(134 239 172)";
const OUTLINE = "rgb(15 23 42)";
const UNSURE = 0.4; // below this visibility the network guesses
const TRAIL_SECONDS = 3;

const LEFT_BONES = [[11, 23], [11, 13], [13, 15], [15, 19], [23, 25], [25, 27], [27, 29], [29, 31], [27, 31]];
const RIGHT_BONES = LEFT_BONES.map(([a, b]) => [a + 1, b + 1]);
const BONES = [
  ...[[11, 12], [23, 24]].map((bone) => [...bone, MIDDLE]),
  ...LEFT_BONES.map((bone) => [...bone, LEFT]),
  ...RIGHT_BONES.map((bone) => [...bone, RIGHT]),
];
const LIMB_TIPS = { left_hand: [17, 19], right_hand: [18, 20], left_foot: [31], right_foot: [32] };
const JOINTS = [11, 12, 13, 14, 15, 16, 23, 24, 25, 26, 27, 28];

/** Draw what is known at `t` onto a canvas that covers the video's picture exactly. Returns whether a climber is seen. */
export function draw(canvas, climb, t, layers) {
  const context = canvas.getContext("2d");
  const { width, height } = canvas;
  context.clearRect(0, 0, width, height);
  const pose = climb.at(t);
  const thick = Math.max(2, Math.max(width, height) / 240);
  const place = ([x, y]) => [x * width, y * height];
  context.lineCap = context.lineJoin = "round";
  const contacts = climb.contactsAt(t);
  if (layers.holds) holds(context, climb, climb.nearest(t), contacts, place, thick);
  if (layers.contacts && pose) rings(context, pose.points, contacts, place, thick);
  const ghost = layers.ghost ? climb.ghostAt(t) : null;
  if (ghost) for (const [a, b] of BONES) line(context, place(ghost[a]), place(ghost[b]), GHOST, thick);
  if (layers.skeleton && pose) skeleton(context, pose.points, place, thick);
  if (layers.trail) {
    const path = climb.trail(t, TRAIL_SECONDS);
    if (pose) path.push(pose.gravity);
    trail(context, path, place, thick);
    if (pose) dot(context, place(pose.gravity), thick * 1.7, GRAVITY);
  }
  return pose !== null;
}

function skeleton(context, points, place, thick) {
  const sure = points.map((point) => point[2] >= UNSURE);
  const middle = (a, b) => [(points[a][0] + points[b][0]) / 2, (points[a][1] + points[b][1]) / 2];
  const lines = BONES.map(([a, b, color]) => ({
    from: place(points[a]),
    to: place(points[b]),
    color,
    width: sure[a] && sure[b] ? thick : thick / 2,
  }));
  lines.push({ from: place(middle(11, 12)), to: place(middle(7, 8)), color: MIDDLE, width: thick });
  for (const { from, to, width } of lines) line(context, from, to, OUTLINE, width + 2);
  for (const { from, to, width, color } of lines) line(context, from, to, color, width);
  for (const joint of JOINTS) {
    const color = joint % 2 ? LEFT : RIGHT;
    dot(context, place(points[joint]), thick * 1.1, sure[joint] ? color : OUTLINE);
  }
}

// Boxes in the reference frame, so their corners move with the camera; those in use are bolder.
function holds(context, climb, frame, contacts, place, thick) {
  const used = new Set(contacts.map((contact) => contact.hold_id));
  context.font = `600 ${Math.round(5 * thick)}px system-ui, sans-serif`;
  for (const { id, box, type } of climb.holds) {
    const [x0, y0, x1, y1] = box;
    const corners = [[x0, y0], [x1, y0], [x1, y1], [x0, y1]].map((corner) => place(climb.camera.seen(corner, frame)));
    for (const [color, width] of [[OUTLINE, 2], [MIDDLE, 0]]) {
      context.strokeStyle = color;
      context.lineWidth = (used.has(id) ? thick : thick / 2) + width;
      context.beginPath();
      corners.forEach((corner) => context.lineTo(...corner));
      context.closePath();
      context.stroke();
    }
    if (!type || type === "unknown") continue;
    context.lineWidth = thick;
    context.strokeStyle = OUTLINE;
    context.fillStyle = MIDDLE;
    const [x, y] = [corners[0][0], corners[0][1] - 1.5 * thick];
    context.strokeText(words(`hold.${type}`), x, y);
    context.fillText(words(`hold.${type}`), x, y);
  }
}

function rings(context, points, contacts, place, thick) {
  for (const { limb } of contacts) {
    const tips = (LIMB_TIPS[limb] ?? []).map((tip) => points[tip]);
    if (!tips.length) continue;
    const [x, y] = place([0, 1].map((axis) => tips.reduce((sum, tip) => sum + tip[axis], 0) / tips.length));
    for (const [color, width] of [[OUTLINE, 2], [limb.startsWith("left") ? LEFT : RIGHT, 0]]) {
      context.strokeStyle = color;
      context.lineWidth = thick * 0.8 + width;
      context.beginPath();
      context.arc(x, y, thick * 3, 0, 2 * Math.PI);
      context.stroke();
    }
  }
}

function trail(context, path, place, thick) {
  path.forEach((point, i) => {
    const last = path[i - 1];
    if (!point || !last) return;
    const age = i / path.length;
    context.globalAlpha = 0.25 + 0.75 * age;
    line(context, place(last), place(point), GRAVITY, thick * (0.35 + 0.6 * age));
  });
  context.globalAlpha = 1;
}

function line(context, from, to, color, width) {
  context.strokeStyle = color;
  context.lineWidth = width;
  context.beginPath();
  context.moveTo(...from);
  context.lineTo(...to);
  context.stroke();
}

function dot(context, [x, y], radius, color) {
  for (const [size, tone] of [[radius + 1.5, OUTLINE], [radius, color]]) {
    context.fillStyle = tone;
    context.beginPath();
    context.arc(x, y, size, 0, 2 * Math.PI);
    context.fill();
  }
}
