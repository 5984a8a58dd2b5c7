// Drawing a body: the climber's skeleton, the Ghost, the trail of the centre of gravity.

export const OUTLINE = "rgb(15 23 42)";
export const MIDDLE = "rgb(241 245 249)";
export const LIMB_COLORS = {
  left_hand: "rgb(56 189 248)",
  right_hand: "rgb(251 146 60)",
  left_foot: "rgb(129 140 248)",
  right_foot: "rgb(244 114 182)",
};
const LEFT = LIMB_COLORS.left_hand;
const RIGHT = LIMB_COLORS.right_hand;
const GRAVITY = "rgb(250 204 21)";
const GHOST = "rgb(134 239 172)";
const UNSURE = 0.4; // below this visibility the network guesses

const LEFT_BONES = [[11, 23], [11, 13], [13, 15], [15, 19], [23, 25], [25, 27], [27, 29], [29, 31], [27, 31]];
const RIGHT_BONES = LEFT_BONES.map(([a, b]) => [a + 1, b + 1]);
const BONES = [
  ...[[11, 12], [23, 24]].map((bone) => [...bone, MIDDLE]),
  ...LEFT_BONES.map((bone) => [...bone, LEFT]),
  ...RIGHT_BONES.map((bone) => [...bone, RIGHT]),
];
const JOINTS = [11, 12, 13, 14, 15, 16, 23, 24, 25, 26, 27, 28];
const TIPS = { left_hand: [17, 19], right_hand: [18, 20], left_foot: [31], right_foot: [32] };

/** Where a limb touches: [x, y] of its fingers or toes. */
export function tip(points, limb) {
  const tips = TIPS[limb].map((index) => points[index]);
  return [0, 1].map((axis) => tips.reduce((sum, point) => sum + point[axis], 0) / tips.length);
}

/** The climber: left and right in their colours, thin where the network guesses. */
export function skeleton(context, points, place, thick) {
  const sure = points.map((point) => point[3] >= UNSURE);
  const lines = BONES.map(([a, b, color]) => ({
    from: place(points[a]),
    to: place(points[b]),
    color,
    width: sure[a] && sure[b] ? thick : thick / 2,
  }));
  lines.push({ from: place(middle(points, 11, 12)), to: place(middle(points, 7, 8)), color: MIDDLE, width: thick });
  for (const { from, to, width } of lines) line(context, from, to, OUTLINE, width + 2);
  for (const { from, to, width, color } of lines) line(context, from, to, color, width);
  for (const joint of JOINTS) {
    const color = joint % 2 ? LEFT : RIGHT;
    dot(context, place(points[joint]), thick * 1.1, sure[joint] ? color : OUTLINE);
  }
}

/** The Ghost: one pale body, and on each hand and foot a disc as large as the load that it carries. */
export function ghostFigure(context, points, loads, place, thick) {
  const neck = middle(points, 11, 12);
  const head = middle(points, 7, 8);
  const lines = [...BONES.map(([a, b]) => [place(points[a]), place(points[b])]), [place(neck), place(head)]];
  const torso = [11, 12, 24, 23].map((joint) => place(points[joint]));
  context.save();
  for (const [color, width] of [[OUTLINE, thick * 1.6 + 2], [GHOST, thick * 1.6]]) {
    context.strokeStyle = color;
    context.lineWidth = width;
    context.beginPath();
    for (const [from, to] of lines) {
      context.moveTo(...from);
      context.lineTo(...to);
    }
    context.stroke();
  }
  context.fillStyle = GHOST;
  context.globalAlpha = 0.3;
  context.beginPath();
  torso.forEach((corner) => context.lineTo(...corner));
  context.fill();
  context.globalAlpha = 1;
  const size = Math.hypot(...[0, 1].map((axis) => place(head)[axis] - place(neck)[axis]));
  dot(context, place(head), Math.max(thick * 1.5, size * 0.4), GHOST);
  Object.keys(TIPS).forEach((limb, i) => {
    if (loads?.[i] > 0.01) dot(context, place(tip(points, limb)), thick * (1 + 4 * Math.sqrt(loads[i])), LIMB_COLORS[limb]);
  });
  context.restore();
}

/** Where the centre of gravity was, fading into the past, and where it is. */
export function trail(context, path, center, place, thick) {
  path.forEach((point, i) => {
    const last = path[i - 1];
    if (!point || !last) return;
    const age = i / path.length;
    context.globalAlpha = 0.25 + 0.75 * age;
    line(context, place(last), place(point), GRAVITY, thick * (0.35 + 0.6 * age));
  });
  context.globalAlpha = 1;
  if (center) dot(context, place(center), thick * 1.7, GRAVITY);
}

export function line(context, from, to, color, width) {
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

function middle(points, a, b) {
  return [(points[a][0] + points[b][0]) / 2, (points[a][1] + points[b][1]) / 2];
}
