// Spells a compact result (ascension.analysis.compact/3) out, as docs/result-format.md describes it: what follows from the
// numbers that planes.js reads. No dependencies but that: copy both.
//
// A visitor's browser runs this once, as code that it has not compiled yet. There, what is done for each frame costs less
// as plain loops and indices than with maps, closures and lists that are taken apart.

import { BODY, CORNERS, FOUR, LANDMARKS, ONE, Plane, places, present } from "./planes.js";

export const COMPACT_SCHEMA = "ascension.analysis.compact/3";
export const VERBOSE_SCHEMA = "ascension.analysis/1";

// [name, a neighbour, the joint, the other neighbour]
const ANGLES = [
  ["left_elbow", 11, 13, 15], ["right_elbow", 12, 14, 16], ["left_shoulder", 13, 11, 23], ["right_shoulder", 14, 12, 24],
  ["left_hip", 11, 23, 25], ["right_hip", 12, 24, 26], ["left_knee", 23, 25, 27], ["right_knee", 24, 26, 28],
  ["left_ankle", 25, 27, 31], ["right_ankle", 26, 28, 32],
];
// [mass, where its centre lies between the middle of two landmarks and that of two others, these four]
const SEGMENTS = [[0.0681, 0.5, 11, 12, 7, 8], [0.43015, 0.5035, 11, 12, 23, 24]];
for (const [mass, centre, from, to, other] of [
  [0.0263, 0.576, 11, 13, 13], [0.015, 0.4565, 13, 15, 15], [0.00585, 0.766, 15, 17, 19], [0.1447, 0.3895, 23, 25, 25],
  [0.0457, 0.4385, 25, 27, 27], [0.0133, 0.4215, 29, 31, 31],
]) {
  for (const side of [0, 1]) SEGMENTS.push([mass, centre, from + side, from + side, to + side, other + side]);
}
const BODY_MASS = SEGMENTS.reduce((sum, [mass]) => sum + mass, 0);

/**
 * The result spelled out: equal, value by value, to what the API answers with ?format=verbose. All of the code is read, or
 * refused, here; frames spell themselves out when they are read.
 */
export function verbose(compact) {
  if (compact.schema !== COMPACT_SCHEMA) throw new Error(`not a compact result: schema ${compact.schema}`);
  const count = compact.video.frame_count;
  const times = moments(compact.poses.t, count);
  const camera = cameraOf(compact.camera, count);
  return {
    ...compact,
    schema: VERBOSE_SCHEMA,
    poses: { frames: poseFrames(compact.poses, times) },
    camera: spelled(camera, { still: compact.camera?.still ?? false }),
    holds: compact.holds && compact.holds.map(holdOf),
    loads: compact.loads && spelled(numbers(compact.loads, count, FOUR)),
    ghost: compact.ghost && ghostOf(compact, times, camera),
  };
}

// One entry a frame, spelled out when it is first read: `spell(row)`, or null where the runs have no row.
class Series {
  #row;
  #spell;
  #told = [];
  constructor(runs, count, spell) {
    this.#row = places(runs, count);
    this.#spell = spell;
  }

  at(i) {
    const row = this.#row[i];
    return row < 0 ? null : (this.#told[i] ??= this.#spell(row));
  }

  all() {
    return this.#row.map((_, i) => this.at(i));
  }
}

// An object whose `frames` are spelled out when they are first read.
function spelled(series, members = {}) {
  let frames = null;
  return {
    get frames() {
      return (frames ??= series.all());
    },
    ...members,
  };
}

// [row] seconds.
function moments(coded, count) {
  const plane = new Plane(coded, count, ONE);
  const times = [];
  for (let row = 0; row < count; row++) times.push(plane.row(row)[0] / plane.unit);
  return times;
}

function poseFrames(coded, times) {
  const [before, climb, after] = coded.phases;
  if (before + climb + after !== times.length) throw new Error(`${before + climb + after} frames in the phases`);
  const poses = new Poses(coded);
  const row = places(coded.seen, times.length);
  const frames = [];
  for (let i = 0; i < times.length; i++) {
    const phase = i < before ? "before" : i < before + climb ? "climb" : "after";
    frames.push(new PoseFrame(times[i], phase, poses, row[i]));
  }
  return frames;
}

class PoseFrame {
  #poses;
  #row;
  constructor(t, phase, poses, row) {
    this.t = t;
    this.phase = phase;
    this.#poses = poses;
    this.#row = row;
  }

  get landmarks() {
    return this.#row < 0 ? null : this.#poses.landmarks(this.#row);
  }

  get world() {
    return this.#row < 0 ? null : this.#poses.world(this.#row);
  }

  get angles() {
    return this.#row < 0 ? null : this.#poses.angles(this.#row);
  }

  get center_of_gravity() {
    return this.#row < 0 ? null : this.#poses.gravity(this.#row);
  }

  toJSON() {
    const { landmarks, world, angles, center_of_gravity } = this;
    return { ...this, landmarks, world, angles, center_of_gravity };
  }
}

// The body, row by row; what was told is kept.
class Poses {
  #told = { landmarks: [], world: [], angles: [], gravity: [] };
  constructor(coded) {
    const rows = present(coded.seen);
    const plane = (name, channels = BODY) => new Plane(coded[name], rows, channels);
    [this.x, this.y, this.z] = [plane("x"), plane("y"), plane("z")];
    [this.worldX, this.worldY, this.worldZ] = [plane("world_x"), plane("world_y"), plane("world_z")];
    this.visibility = plane("visibility", LANDMARKS);
    this.metres = new Float64Array(3 * this.x.width);
  }

  landmarks(row) {
    return (this.#told.landmarks[row] ??= this.#landmarks(row));
  }

  world(row) {
    return (this.#told.world[row] ??= this.#world(row));
  }

  angles(row) {
    return (this.#told.angles[row] ??= angles(this.#metres(row)));
  }

  gravity(row) {
    return (this.#told.gravity[row] ??= gravity(this.landmarks(row)));
  }

  #landmarks(row) {
    const x = this.x.row(row);
    const y = this.y.row(row);
    const z = this.z.linked(row, this.worldZ.row(row), 0);
    const seen = this.visibility.row(row);
    const points = [];
    for (let i = 0; i < x.length; i++) {
      const visibility = Math.min(Math.max(seen[i] / this.visibility.unit, 0), 1);
      points.push([x[i] / this.x.unit, y[i] / this.y.unit, z[i] / this.z.unit, visibility]);
    }
    return points;
  }

  #world(row) {
    const metres = this.#metres(row);
    const points = [];
    for (let i = 0; i < metres.length; i += 3) points.push([metres[i], metres[i + 1], metres[i + 2]]);
    return points;
  }

  // x, y, z of one landmark after the other, until another row is asked for.
  #metres(row) {
    const { metres, worldX, worldY, worldZ } = this;
    const [seenX, seenY] = [this.x.row(row), this.y.row(row)];
    const x = worldX.linked(row, seenX, seenX[23] + seenX[24]); // from the hips
    const y = worldY.linked(row, seenY, seenY[23] + seenY[24]);
    const z = worldZ.row(row);
    for (let i = 0; i < x.length; i++) {
      metres[3 * i] = x[i] / worldX.unit;
      metres[3 * i + 1] = y[i] / worldY.unit;
      metres[3 * i + 2] = z[i] / worldZ.unit;
    }
    return metres;
  }
}

function angles(metres) {
  const told = {};
  for (let i = 0; i < ANGLES.length; i++) {
    const [name, before, joint, after] = ANGLES[i];
    told[name] = angle(metres, 3 * before, 3 * joint, 3 * after);
  }
  return told;
}

// Degrees between the ways from a joint to its neighbours.
function angle(metres, a, joint, b) {
  const ux = metres[a] - metres[joint];
  const uy = metres[a + 1] - metres[joint + 1];
  const uz = metres[a + 2] - metres[joint + 2];
  const vx = metres[b] - metres[joint];
  const vy = metres[b + 1] - metres[joint + 1];
  const vz = metres[b + 2] - metres[joint + 2];
  const cx = uy * vz - uz * vy;
  const cy = uz * vx - ux * vz;
  const cz = ux * vy - uy * vx;
  const radians = Math.atan2(Math.sqrt(cx * cx + cy * cy + cz * cz), ux * vx + uy * vy + uz * vz);
  return rounded((radians * 180) / Math.PI, 10);
}

// Where the centre of gravity is seen.
function gravity(landmarks) {
  let x = 0;
  let y = 0;
  for (let i = 0; i < SEGMENTS.length; i++) {
    const [mass, centre, a, b, c, d] = SEGMENTS[i];
    const startX = (landmarks[a][0] + landmarks[b][0]) / 2;
    const startY = (landmarks[a][1] + landmarks[b][1]) / 2;
    x += mass * (startX + centre * ((landmarks[c][0] + landmarks[d][0]) / 2 - startX));
    y += mass * (startY + centre * ((landmarks[c][1] + landmarks[d][1]) / 2 - startY));
  }
  return [rounded(x / BODY_MASS, 1e5), rounded(y / BODY_MASS, 1e5)];
}

// The homographies.
function cameraOf(coded, count) {
  if (!coded) return new Series([count], count);
  if (coded.still) return new Series(coded.known, count, () => [[1, 0, 0], [0, 1, 0], [0, 0, 1]]);
  const rows = present(coded.known);
  const [x, y] = [new Plane(coded.x, rows, CORNERS), new Plane(coded.y, rows, CORNERS)];
  return new Series(coded.known, count, (row) => homography(x.row(row), y.row(row), x.unit, y.unit));
}

// From the frame's corners (0, 0), (1, 0), (1, 1), (0, 1) as the reference has them (P. Heckbert 1989, section 2.2.3).
function homography(x, y, unitX, unitY) {
  const x0 = x[0] / unitX;
  const x1 = x[1] / unitX;
  const x2 = x[2] / unitX;
  const x3 = x[3] / unitX;
  const y0 = y[0] / unitY;
  const y1 = y[1] / unitY;
  const y2 = y[2] / unitY;
  const y3 = y[3] / unitY;
  const ax = x1 - x2;
  const bx = x3 - x2;
  const sx = x0 - x1 + x2 - x3;
  const ay = y1 - y2;
  const by = y3 - y2;
  const sy = y0 - y1 + y2 - y3;
  const area = ax * by - bx * ay;
  const g = (sx * by - bx * sy) / area;
  const h = (ax * sy - sx * ay) / area;
  return [
    [rounded(x1 - x0 + g * x1, 1e7), rounded(x3 - x0 + h * x3, 1e7), rounded(x0, 1e7)],
    [rounded(y1 - y0 + g * y1, 1e7), rounded(y3 - y0 + h * y3, 1e7), rounded(y0, 1e7)],
    [rounded(g, 1e7), rounded(h, 1e7), 1],
  ];
}

function holdOf(hold) {
  let [x, y] = [0, 0];
  const outline = [];
  for (let i = 0; i < hold.outline.length; i += 2) {
    x += hold.outline[i];
    y += hold.outline[i + 1];
    outline.push([x / 10000, y / 10000]);
  }
  const [x0, y0, x1, y1] = hold.box;
  return { ...hold, center: [rounded((x0 + x1) / 2, 1e5), rounded((y0 + y1) / 2, 1e5)], outline };
}

// Numbers that are not below 0: a list of them for each frame, or where there is but one channel one.
function numbers(coded, count, channels) {
  const plane = new Plane(coded, present(coded.known), channels);
  const told = (value) => Math.max(value, 0) / plane.unit;
  const spell = channels === ONE ? (row) => told(plane.row(row)[0]) : (row) => Array.from(plane.row(row), told);
  return new Series(coded.known, count, spell);
}

function ghostOf({ ghost, wall }, times, camera) {
  const { count } = ghost;
  const climber = moments(ghost.climber_t, count);
  const body = new GhostBody(ghost, wall, camera);
  const frames = [];
  let near = 0;
  for (let i = 0; i < count; i++) {
    const t = climber[i];
    while (near + 1 < times.length && Math.abs(times[near + 1] - t) < Math.abs(times[near] - t)) near++;
    frames.push(new GhostFrame(rounded(i / ghost.rate, 1e4), t, body, i, near));
  }
  const { frames: coded, ...certificate } = ghost.certificate;
  const measures = Object.entries(coded).map(([name, measure]) => [name, numbers(measure, count, ONE)]);
  const all = () => Object.fromEntries(measures.map(([name, measure]) => [name, measure.all()]));
  return { frames, contacts: ghost.contacts, certificate: spelled({ all }, certificate), cues: ghost.cues };
}

class GhostFrame {
  #body;
  #row;
  #near;
  constructor(t, climberT, body, row, near) {
    this.t = t;
    this.climber_t = climberT;
    this.#body = body;
    this.#row = row;
    this.#near = near;
  }

  get loads() {
    return this.#body.loads.at(this.#row);
  }

  get world() {
    return this.#body.world(this.#row);
  }

  get landmarks() {
    return this.#body.landmarks(this.#row, this.#near);
  }

  toJSON() {
    const { loads, landmarks, world } = this;
    return { ...this, loads, landmarks, world };
  }
}

// The Ghost, row by row; what was told is kept.
class GhostBody {
  #told = { world: [], landmarks: [] };
  constructor({ count, x, y, z, loads }, wall, camera) {
    [this.x, this.y, this.z] = [x, y, z].map((coded) => new Plane(coded, count, BODY));
    this.loads = numbers(loads, count, FOUR);
    this.projection = wall.projection;
    this.camera = camera;
  }

  world(row) {
    return (this.#told.world[row] ??= this.#world(row));
  }

  /** As the camera of frame `near` sees it; null where that is unknown. */
  landmarks(row, near) {
    const toReference = this.camera.at(near);
    return toReference && (this.#told.landmarks[row] ??= seenFrom(this.projection, toReference, this.world(row)));
  }

  #world(row) {
    const [x, y, z] = [this.x.row(row), this.y.row(row), this.z.row(row)];
    const points = [];
    for (let i = 0; i < x.length; i++) points.push([x[i] / this.x.unit, y[i] / this.y.unit, z[i] / this.z.unit]);
    return points;
  }
}

// Points on the wall as a frame sees them, with depth from the middle of the hips.
function seenFrom(projection, toReference, world) {
  const [first, second, third] = product(adjugate(toReference), projection);
  const told = [];
  for (let i = 0; i < world.length; i++) told.push([along(first, world[i]), along(second, world[i]), along(third, world[i]), 1]);
  const u = (told[23][0] + told[24][0]) / 2; // the middle of the hips
  const w = (told[23][2] + told[24][2]) / 2;
  const ax = first[0] - (u / w) * third[0];
  const ay = first[1] - (u / w) * third[1];
  const az = first[2] - (u / w) * third[2];
  const far = Math.sqrt(third[0] * third[0] + third[1] * third[1] + third[2] * third[2]);
  const depth = far ? Math.sqrt(ax * ax + ay * ay + az * az) / far : 0;
  for (let i = 0; i < told.length; i++) {
    const point = told[i];
    point[0] = rounded(point[0] / point[2], 1e5);
    point[1] = rounded(point[1] / point[2], 1e5);
    point[2] = rounded((point[2] / w - 1) * depth, 1e4);
  }
  return told;
}

function adjugate([[a, b, c], [d, e, f], [g, h, k]]) {
  return [
    [e * k - f * h, c * h - b * k, b * f - c * e],
    [f * g - d * k, a * k - c * g, c * d - a * f],
    [d * h - e * g, b * g - a * h, a * e - b * d],
  ];
}

const product = (matrix, [p, q, r]) => matrix.map(([i, j, l]) => p.map((_, n) => i * p[n] + j * q[n] + l * r[n]));
const along = (row, point) => row[0] * point[0] + row[1] * point[1] + row[2] * point[2] + row[3];

// To the nearest, halves upwards.
function rounded(value, power) {
  return Math.floor(value * power + 0.5) / power;
}
