// What is drawn over the video: the skeleton and the trail of the centre of gravity.

const LEFT = "rgb(56 189 248)";
const RIGHT = "rgb(251 146 60)";
const MIDDLE = "rgb(241 245 249)";
const GRAVITY = "rgb(250 204 21)";
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
