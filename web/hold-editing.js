// Setting the holds right, on the picture: draw, move, resize, name and remove them, with pointer or keyboard.

import { element } from "./elements.js";
import { HoldChanges } from "./hold-changes.js";
import { say, t } from "./language.js";
import { problemNotice } from "./problem-notice.js";

const TYPES = ["jug", "crimp", "sloper", "pinch", "pocket", "edge", "foothold", "volume", "unknown"];
const HANDLES = { nw: [0, 1], ne: [2, 1], sw: [0, 3], se: [2, 3] }; // which sides of the box a corner moves
const STEP = 0.004; // of the picture, for one press of an arrow key
const SMALLEST = 0.008; // a drag shorter than this was a click
const NEW_SIZE = 0.06;

/** `save(changes)` sends them; it rejects with a Problem. */
export function holdEditing(climb, player, save) {
  const open = element("button", { type: "button", say: "editHolds", onclick: start });
  const node = element("section.hold-editing", { id: "hold-editing" }, open);
  let close = null;

  function start() {
    player.hold(true);
    const { layer, panel, destroy } = editor(climb, player, save, stop);
    player.stage.picture.append(layer);
    player.stage.picture.classList.add("editing");
    player.node.classList.add("correcting");
    player.screen.after(panel);
    open.hidden = true;
    panel.querySelector("button").focus({ preventScroll: true });
    player.stage.node.scrollIntoView({ block: "nearest" });
    close = () => {
      destroy();
      layer.remove();
      panel.remove();
      player.stage.picture.classList.remove("editing");
      player.node.classList.remove("correcting");
    };
  }

  function stop() {
    close?.();
    close = null;
    player.hold(false);
    open.hidden = false;
    open.focus({ preventScroll: true });
  }

  return node;
}

function editor(climb, player, save, stop) {
  const edits = new HoldChanges(climb.holds);
  const layer = element("div.hold-layer", { role: "group", label: "holdLayer" });
  const boxes = new Map(); // key → element
  const notice = problemNotice();
  const count = element("span");
  const hold = element("select", { label: "chooseHold", id: "chosen-hold", onchange: () => select(hold.value, true) });
  const type = element(
    "select",
    { label: "holdType", id: "chosen-type", onchange: () => change(() => edits.retype(selected, type.value)) },
    TYPES.map((name) => element("option", { value: name, say: `hold.${name}` })),
  );
  const button = (name, action) => element("button", { type: "button", say: name, onclick: action, id: `edit-${name}` });
  const undo = button("undo", () => change(() => edits.undo()));
  const erase = button("deleteHold", () => selected && change(() => edits.remove(selected)));
  const send = element("button.primary", { type: "button", id: "edit-save", onclick: submit }, count);
  const panel = element(
    "div.card.hold-tools",
    {},
    element("p.hint", { say: "editHint" }),
    element("div.tools", {}, button("addHold", addInMiddle), hold, type, erase, undo),
    notice.node,
    element("div.tools", {}, send, button("cancel", stop)),
  );
  let selected = null;
  let dragging = null;

  // Between the picture that is shown and the reference frame, both from 0 to 1.
  const frame = () => climb.nearest(player.t);
  function shown([x0, y0, x1, y1]) {
    const corners = [[x0, y0], [x1, y0], [x1, y1], [x0, y1]].map((corner) => climb.camera.seen(corner, frame()));
    return around(corners);
  }
  const onWall = ([x0, y0, x1, y1]) => {
    const corners = [[x0, y0], [x1, y0], [x1, y1], [x0, y1]].map((corner) => climb.onWall(corner, frame()));
    return around(corners).map((side) => Math.round(side * 1e5) / 1e5);
  };

  function change(act) {
    act();
    if (selected && !edits.find(selected)) selected = null;
    render();
  }

  function select(key, focus = false) {
    selected = edits.find(key) ? key : null;
    render();
    if (focus && selected) boxes.get(selected).focus({ preventScroll: true });
  }

  const nameOf = ({ id, key, type: kind }) => {
    const number = id === null ? `${t("newHold")} ${key.slice(4)}` : id;
    return kind === "unknown" ? t("holdNumber", { id: number }) : `${t("holdNumber", { id: number })}, ${t(`hold.${kind}`)}`;
  };

  function render() {
    for (const [key, box] of boxes) {
      if (edits.find(key)) continue;
      box.remove();
      boxes.delete(key);
    }
    for (const each of edits.holds) {
      if (!boxes.has(each.key)) {
        const box = element("button.hold-box", { type: "button" });
        box.dataset.key = each.key;
        boxes.set(each.key, box);
        layer.append(box);
      }
      const box = boxes.get(each.key);
      place(box, shown(each.box));
      const chosen = each.key === selected;
      box.setAttribute("aria-label", nameOf(each));
      box.setAttribute("aria-pressed", String(chosen));
      box.tabIndex = chosen || (!selected && each === edits.holds[0]) ? 0 : -1;
      box.replaceChildren(...(chosen ? Object.keys(HANDLES).map((name) => handle(name)) : []));
      // Small ones above large ones, so that each can be reached.
      const [x0, y0, x1, y1] = each.box;
      box.style.zIndex = chosen ? 1001 : Math.max(1, Math.round(1000 - 2000 * (x1 - x0) * (y1 - y0)));
    }
    hold.replaceChildren(
      element("option", { value: "" }, "–"),
      ...edits.holds.map((each) => element("option", { value: each.key, selected: each.key === selected }, nameOf(each))),
    );
    const chosen = selected && edits.find(selected);
    type.disabled = erase.disabled = !chosen;
    type.value = chosen ? chosen.type : "unknown";
    undo.disabled = !edits.undoable;
    const changes = edits.changes().length;
    send.disabled = !changes || changes > 100;
    say(count, (t) => t("saveChanges", { count: changes }));
  }

  // The camera may move: the boxes stay on the wall.
  const follow = () => edits.holds.forEach((each) => place(boxes.get(each.key), shown(each.box)));

  function addInMiddle() {
    const half = NEW_SIZE / 2;
    const shape = climb.video.width / climb.video.height;
    const box = onWall([0.5 - half, 0.5 - half * shape, 0.5 + half, 0.5 + half * shape]);
    change(() => (selected = edits.add(box)));
    boxes.get(selected).focus({ preventScroll: true });
  }

  async function submit() {
    notice.clear();
    send.disabled = true;
    try {
      await save(edits.changes());
      stop();
    } catch (problem) {
      notice.show(problem);
      send.disabled = false;
    }
  }

  function at(event) {
    const { left, top, width, height } = layer.getBoundingClientRect();
    return [(event.clientX - left) / width, (event.clientY - top) / height];
  }

  layer.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    event.preventDefault();
    const corner = event.target.dataset.corner;
    const box = event.target.closest(".hold-box");
    if (box) select(box.dataset.key, true);
    const from = at(event);
    const before = box ? shown(edits.find(selected).box) : [...from, ...from];
    dragging = { from, before, now: before, corner: box ? corner : "se", moves: box && !corner, isNew: !box, pointer: event.pointerId };
    layer.setPointerCapture(event.pointerId);
    if (!box) {
      dragging.ghost = element("div.hold-box.drawn");
      layer.append(dragging.ghost);
    }
  });
  layer.addEventListener("pointermove", (event) => {
    if (!dragging || event.pointerId !== dragging.pointer) return;
    const [x, y] = at(event);
    const [dx, dy] = [x - dragging.from[0], y - dragging.from[1]];
    const sides = dragging.moves ? [0, 1, 2, 3] : HANDLES[dragging.corner];
    dragging.now = dragging.before.map((side, i) => (sides.includes(i) ? side + (i % 2 ? dy : dx) : side));
    place(dragging.ghost ?? boxes.get(selected), dragging.now);
  });
  layer.addEventListener("pointerup", () => end(true));
  layer.addEventListener("pointercancel", () => end(false));
  function end(kept) {
    if (!dragging) return;
    const { before, now, isNew, ghost } = dragging;
    dragging = null;
    ghost?.remove();
    const moved = now.some((side, i) => Math.abs(side - before[i]) > 0.001);
    const [x0, y0, x1, y1] = around([[now[0], now[1]], [now[2], now[3]]]);
    const large = x1 - x0 > SMALLEST && y1 - y0 > SMALLEST / 2;
    if (kept && isNew && large) {
      change(() => (selected = edits.add(onWall(now))));
      boxes.get(selected).focus({ preventScroll: true });
    } else if (kept && !isNew && moved && large) change(() => edits.move(selected, onWall(now)));
    else if (isNew) select(null);
    else render();
  }

  layer.addEventListener("keydown", (event) => {
    const box = event.target.closest(".hold-box");
    if (!box || event.ctrlKey || event.metaKey || event.altKey) return;
    const way = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] }[event.key];
    if (!way && !["Delete", "Backspace", "Enter", " "].includes(event.key)) return;
    event.preventDefault();
    if (selected !== box.dataset.key) select(box.dataset.key);
    if (way) {
      // With Shift the lower right corner moves, else all of it.
      const sides = event.shiftKey ? HANDLES.se : [0, 1, 2, 3];
      const now = shown(edits.find(selected).box).map((side, i) => (sides.includes(i) ? side + way[i % 2] : side));
      if (now[2] - now[0] > SMALLEST / 2 && now[3] - now[1] > SMALLEST / 2) change(() => edits.move(selected, onWall(now)));
    } else if (event.key === "Delete" || event.key === "Backspace") {
      change(() => edits.remove(selected));
      hold.focus();
    }
  });
  const undoKey = (event) => {
    if (event.key === "Escape" && !dragging) stop();
    if (event.key.toLowerCase() !== "z" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    change(() => edits.undo());
  };
  document.addEventListener("keydown", undoKey);
  document.addEventListener("language", render);
  player.followers.add(follow);
  render();
  return {
    layer,
    panel,
    destroy() {
      document.removeEventListener("keydown", undoKey);
      document.removeEventListener("language", render);
      player.followers.delete(follow);
    },
  };
}

function handle(name) {
  const corner = element(`i.handle.${name}`, { "aria-hidden": "true" });
  corner.dataset.corner = name;
  return corner;
}

function place(box, [x0, y0, x1, y1]) {
  Object.assign(box.style, {
    left: `${100 * Math.min(x0, x1)}%`,
    top: `${100 * Math.min(y0, y1)}%`,
    width: `${100 * Math.abs(x1 - x0)}%`,
    height: `${100 * Math.abs(y1 - y0)}%`,
  });
}

function around(points) {
  const [columns, rows] = [points.map(([x]) => x), points.map(([, y]) => y)];
  return [Math.min(...columns), Math.min(...rows), Math.max(...columns), Math.max(...rows)];
}
