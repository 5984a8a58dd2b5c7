// Reads a compact result (ascension.analysis.compact/3), as docs/result-format.md describes it. No dependencies: copy it.

export const COMPACT_SCHEMA = "ascension.analysis.compact/3";
export const VERBOSE_SCHEMA = "ascension.analysis/1";

// [channel, its parent or -1]: each landmark is coded relative to another; in this order, parents first.
const TREE = [
  [23, -1], [24, 23], [11, 23], [12, 11], [0, 11], ...Array.from({ length: 10 }, (_, i) => [i + 1, 0]), [13, 11],
  [14, 12], [15, 13], [16, 14], [17, 15], [18, 16], [19, 15], [20, 16], [21, 15], [22, 16], [25, 23], [26, 24],
  [27, 25], [28, 26], [29, 27], [30, 28], [31, 27], [32, 28],
];
const CORNERS = [[0, -1], [1, 0], [2, 0], [3, 0]];
const [ALONE, FOUR, ONE] = [33, 4, 1].map((count) => Array.from({ length: count }, (_, i) => [i, -1]));
const ANGLES = Object.entries({
  left_elbow: [11, 13, 15], right_elbow: [12, 14, 16], left_shoulder: [13, 11, 23], right_shoulder: [14, 12, 24],
  left_hip: [11, 23, 25], right_hip: [12, 24, 26], left_knee: [23, 25, 27], right_knee: [24, 26, 28],
  left_ankle: [25, 27, 31], right_ankle: [26, 28, 32],
});
// [mass, where between the means of two pairs of landmarks its centre lies, the pairs]
const SEGMENTS = [[0.0681, 0.5, [11, 12], [7, 8]], [0.43015, 0.5035, [11, 12], [23, 24]]];
for (const [mass, centre, from, to, other] of [
  [0.0263, 0.576, 11, 13, 13], [0.015, 0.4565, 13, 15, 15], [0.00585, 0.766, 15, 17, 19], [0.1447, 0.3895, 23, 25, 25],
  [0.0457, 0.4385, 25, 27, 27], [0.0133, 0.4215, 29, 31, 31],
]) {
  for (const side of [0, 1]) SEGMENTS.push([mass, centre, [from + side, from + side], [to + side, other + side]]);
}

/**
 * The result spelled out: equal, value by value, to what the API answers with ?format=verbose. Frames of poses and Ghost
 * spell themselves out when they are read, so that this takes no longer than undoing the code.
 */
export function verbose(compact) {
  if (compact.schema !== COMPACT_SCHEMA) throw new Error(`not a compact result: schema ${compact.schema}`);
  const count = compact.video.frame_count;
  const times = moments(compact.poses.t, count);
  const camera = cameraOf(compact.camera, count);
  return {
    ...compact,
    schema: VERBOSE_SCHEMA,
    poses: { frames: posesOf(compact.poses, times) },
    camera,
    holds: compact.holds && compact.holds.map(holdOf),
    loads: compact.loads && { frames: loadsOf(compact.loads, count) },
    ghost: compact.ghost && ghostOf(compact, times, camera.frames),
  };
}

// Numbers from the bits of base64: plain ones, and Golomb-Rice codes.
class Bits {
  constructor(text) {
    const bytes = atob(text);
    this.at = 0;
    this.length = 8 * bytes.length;
    this.words = new Int32Array((bytes.length >> 2) + 2); // the window reaches beyond the last
    for (let i = 0; i < bytes.length; i++) this.words[i >> 2] |= bytes.charCodeAt(i) << (24 - 8 * (i & 3));
  }

  take(length) {
    const value = (this.window() >>> 1) >>> (31 - length);
    this.at += length;
    return value;
  }

  /** So many times 2 ** order as there are ones before the next zero, and `order` plain bits. */
  count(order) {
    let high = 0;
    let window = this.window();
    while (window === -1) {
      high += 32;
      this.at += 32;
      window = this.window();
    }
    const ones = Math.clz32(~window);
    this.at += ones + 1;
    return ((high + ones) << order) | this.take(order);
  }

  // The next 32 bits.
  window() {
    const i = this.at >> 5;
    const shift = this.at & 31;
    return (this.words[i] << shift) | ((this.words[i + 1] >>> 1) >>> (31 - shift));
  }
}

// Whole numbers, channel i's row j at [i · rows + j]: corrections of interpolations, plus the parent's channel, plus the
// plane's gain times 2 · link − less.
function plane({ data, step, gain }, rows, tree, link, less) {
  const bits = new Bits(data);
  const values = new Int32Array(tree.length * rows);
  let first = 0;
  for (let half = rows && 2 ** (32 - Math.clz32(rows - 1)); half >= 1; half /= 2) {
    const skips = bits.take(4);
    const sizes = bits.take(4);
    const places = Math.max(0, Math.ceil((rows - first) / (2 * half)));
    if (first) for (let start = 0; start < values.length; start += rows) interpolate(values, start, start + rows, half);
    let channel = 0;
    let place = bits.count(skips);
    while (places && channel < tree.length) {
      if (place >= places) {
        place -= places;
        channel++;
        continue;
      }
      const size = bits.count(sizes);
      values[tree[channel][0] * rows + first + 2 * half * place] += step * (size & 1 ? ~(size >> 1) : (size >> 1) + 1);
      place += 1 + bits.count(skips);
    }
    first = half / 2;
  }
  if (bits.at > bits.length) throw new Error("a plane is damaged: its bits end too early");
  for (const [i, parent] of tree) {
    if (parent >= 0) for (let row = 0; row < rows; row++) values[i * rows + row] += values[parent * rows + row];
  }
  for (let i = 0, row = 0; link && i < values.length; i++, row = row + 1 < rows ? row + 1 : 0) {
    values[i] += Math.floor((gain * (2 * link[i] - less[row])) / 131072);
  }
  return values;
}

// Rows half, 3 · half, 5 · half, … of a channel, from those half and three times as far away.
function interpolate(values, start, end, half) {
  let i = start + half;
  if (i + half < end) {
    values[i] = (values[start] + values[i + half]) >> 1;
    for (i += 2 * half; i + 3 * half < end; i += 2 * half) {
      const near = values[i - half] + values[i + half];
      values[i] = (9 * near - values[i - 3 * half] - values[i + 3 * half] + 8) >> 4;
    }
    if (i + half < end) {
      values[i] = (values[i - half] + values[i + half]) >> 1;
      i += 2 * half;
    }
  }
  if (i < end) values[i] = values[i - half];
}

// [row] seconds.
function moments(coded, count) {
  const unit = 10 ** coded.decimals;
  const times = [];
  for (const value of plane(coded, count, ONE)) times.push(value / unit);
  return times;
}

function posesOf(coded, times) {
  const rows = present(coded.seen);
  const x = plane(coded.x, rows, TREE);
  const y = plane(coded.y, rows, TREE);
  const worldX = plane(coded.world_x, rows, TREE, x, hips(x, rows));
  const worldY = plane(coded.world_y, rows, TREE, y, hips(y, rows));
  const worldZ = plane(coded.world_z, rows, TREE);
  const z = plane(coded.z, rows, TREE, worldZ, new Int32Array(rows));
  const visibility = plane(coded.visibility, rows, ALONE);
  const names = ["x", "y", "z", "visibility", "world_x", "world_y", "world_z"];
  const [unitX, unitY, unitZ, sure, metreX, metreY, metreZ] = names.map((name) => 10 ** coded[name].decimals);
  const spell = (row) => {
    const [landmarks, world, angles] = [[], [], {}];
    for (let i = row; i < x.length; i += rows) {
      const seen = Math.min(Math.max(visibility[i] / sure, 0), 1);
      landmarks.push([x[i] / unitX, y[i] / unitY, z[i] / unitZ, seen]);
      world.push([worldX[i] / metreX, worldY[i] / metreY, worldZ[i] / metreZ]);
    }
    for (const [name, [a, joint, b]] of ANGLES) angles[name] = angle(world[a], world[joint], world[b]);
    return { landmarks, world, angles, center_of_gravity: gravity(landmarks) };
  };
  const [before, climb, after] = coded.phases;
  if (before + climb + after !== times.length) throw new Error(`${before + climb + after} frames in the phases`);
  const phase = (i) => (i < before ? "before" : i < before + climb ? "climb" : "after");
  const row = places(coded.seen, times.length);
  return times.map((t, i) => new PoseFrame(t, phase(i), row[i], spell));
}

// [row] twice the middle of the hips.
function hips(axis, rows) {
  return axis.slice(23 * rows, 24 * rows).map((value, row) => value + axis[24 * rows + row]);
}

// A frame that is spelled out when it is first read.
class PoseFrame {
  #row;
  #spell;
  #told = null;
  constructor(t, phase, row, spell) {
    this.t = t;
    this.phase = phase;
    this.#row = row;
    this.#spell = spell;
  }

  get landmarks() {
    return this.#all().landmarks;
  }

  get world() {
    return this.#all().world;
  }

  get angles() {
    return this.#all().angles;
  }

  get center_of_gravity() {
    return this.#all().center_of_gravity;
  }

  toJSON() {
    return { ...this, ...this.#all() };
  }

  #all() {
    return (this.#told ??= this.#row < 0 ? NOBODY : this.#spell(this.#row));
  }
}

const NOBODY = { landmarks: null, world: null, angles: null, center_of_gravity: null };

// Degrees between the ways from a joint to its neighbours.
function angle(a, joint, b) {
  const [ux, uy, uz] = [a[0] - joint[0], a[1] - joint[1], a[2] - joint[2]];
  const [vx, vy, vz] = [b[0] - joint[0], b[1] - joint[1], b[2] - joint[2]];
  const [cx, cy, cz] = [uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx];
  const radians = Math.atan2(Math.sqrt(cx * cx + cy * cy + cz * cz), ux * vx + uy * vy + uz * vz);
  return rounded((radians * 180) / Math.PI, 1);
}

// Where the centre of gravity is seen.
function gravity(points) {
  const mean = ([i, j], k) => (points[i][k] + points[j][k]) / 2;
  let [x, y, masses] = [0, 0, 0];
  for (const [mass, centre, from, to] of SEGMENTS) {
    const [startX, startY] = [mean(from, 0), mean(from, 1)];
    x += mass * (startX + centre * (mean(to, 0) - startX));
    y += mass * (startY + centre * (mean(to, 1) - startY));
    masses += mass;
  }
  return [rounded(x / masses, 5), rounded(y / masses, 5)];
}

// From the frame's corners (0, 0), (1, 0), (1, 1), (0, 1) as the reference has them (P. Heckbert 1989, section 2.2.3).
function cameraOf(coded, count) {
  if (!coded) return { frames: Array(count).fill(null), still: false };
  const rows = present(coded.known);
  if (coded.still) return { frames: spread(coded.known, count, () => [[1, 0, 0], [0, 1, 0], [0, 0, 1]]), still: true };
  const [x, y] = [coded.x, coded.y].map((axis) => Float64Array.from(plane(axis, rows, CORNERS)));
  x.forEach((value, i) => (x[i] = value / 10 ** coded.x.decimals));
  y.forEach((value, i) => (y[i] = value / 10 ** coded.y.decimals));
  const homography = (row) => {
    const [x0, x1, x2, x3] = [x[row], x[rows + row], x[2 * rows + row], x[3 * rows + row]];
    const [y0, y1, y2, y3] = [y[row], y[rows + row], y[2 * rows + row], y[3 * rows + row]];
    const [ax, bx, sx] = [x1 - x2, x3 - x2, x0 - x1 + x2 - x3];
    const [ay, by, sy] = [y1 - y2, y3 - y2, y0 - y1 + y2 - y3];
    const area = ax * by - bx * ay;
    const [g, h] = [(sx * by - bx * sy) / area, (ax * sy - sx * ay) / area];
    const across = [rounded(x1 - x0 + g * x1, 7), rounded(x3 - x0 + h * x3, 7), rounded(x0, 7)];
    const down = [rounded(y1 - y0 + g * y1, 7), rounded(y3 - y0 + h * y3, 7), rounded(y0, 7)];
    return [across, down, [rounded(g, 7), rounded(h, 7), 1]];
  };
  return { frames: spread(coded.known, count, homography), still: false };
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
  return { ...hold, center: [rounded((x0 + x1) / 2, 5), rounded((y0 + y1) / 2, 5)], outline };
}

// Four numbers a frame, or null.
function loadsOf(coded, count) {
  const rows = present(coded.known);
  const values = plane(coded, rows, FOUR);
  const unit = 10 ** coded.decimals;
  const told = (place) => Math.max(values[place], 0) / unit;
  return spread(coded.known, count, (row) => [told(row), told(rows + row), told(2 * rows + row), told(3 * rows + row)]);
}

// A number a frame, or null.
function measureOf(coded, count) {
  const values = plane(coded, present(coded.known), ONE);
  const unit = 10 ** coded.decimals;
  return spread(coded.known, count, (row) => Math.max(values[row], 0) / unit);
}

function ghostOf({ ghost, wall }, times, homographies) {
  const { count } = ghost;
  const climber = moments(ghost.climber_t, count);
  const axes = [ghost.x, ghost.y, ghost.z];
  const [x, y, z] = axes.map((axis) => plane(axis, count, TREE));
  const [unitX, unitY, unitZ] = axes.map((axis) => 10 ** axis.decimals);
  const spell = (row) => {
    const world = [];
    for (let i = row; i < x.length; i += count) world.push([x[i] / unitX, y[i] / unitY, z[i] / unitZ]);
    return world;
  };
  const loads = loadsOf(ghost.loads, count);
  let near = 0;
  const frames = climber.map((t, i) => {
    while (near + 1 < times.length && Math.abs(times[near + 1] - t) < Math.abs(times[near] - t)) near++;
    const toReference = homographies[near];
    const seen = (world) => seenFrom(wall.projection, toReference, world);
    return new GhostFrame(rounded(i / ghost.rate, 4), t, loads[i], i, spell, seen);
  });
  const certificate = { ...ghost.certificate, frames: {} };
  for (const [name, coded] of Object.entries(ghost.certificate.frames)) {
    certificate.frames[name] = measureOf(coded, count);
  }
  return { frames, contacts: ghost.contacts, certificate, cues: ghost.cues };
}

// A frame that is spelled out when it is first read.
class GhostFrame {
  #row;
  #spell;
  #seen;
  #world = null;
  #landmarks = undefined;
  constructor(t, climberT, loads, row, spell, seen) {
    this.t = t;
    this.climber_t = climberT;
    this.loads = loads;
    this.#row = row;
    this.#spell = spell;
    this.#seen = seen;
  }

  get world() {
    return (this.#world ??= this.#spell(this.#row));
  }

  get landmarks() {
    if (this.#landmarks === undefined) this.#landmarks = this.#seen(this.world);
    return this.#landmarks;
  }

  toJSON() {
    return { ...this, landmarks: this.landmarks, world: this.world };
  }
}

// Points on the wall as a frame sees them, with depth from the middle of the hips; null where that is unknown.
function seenFrom(projection, toReference, points) {
  if (!toReference) return null;
  const [[a, b, c], [d, e, f], [g, h, k]] = toReference;
  const back = [
    [e * k - f * h, c * h - b * k, b * f - c * e],
    [f * g - d * k, a * k - c * g, c * d - a * f],
    [d * h - e * g, b * g - a * h, a * e - b * d],
  ];
  const [p, q, r] = projection;
  const eye = back.map(([i, j, l]) => p.map((_, n) => i * p[n] + j * q[n] + l * r[n]));
  const seen = points.map(([x, y, z]) => eye.map((row) => row[0] * x + row[1] * y + row[2] * z + row[3]));
  const u = (seen[23][0] + seen[24][0]) / 2; // the middle of the hips
  const w = (seen[23][2] + seen[24][2]) / 2;
  const [ax, ay, az] = [0, 1, 2].map((n) => eye[0][n] - (u / w) * eye[2][n]);
  const [lx, ly, lz] = eye[2];
  const far = Math.sqrt(lx * lx + ly * ly + lz * lz);
  const depth = far ? Math.sqrt(ax * ax + ay * ay + az * az) / far : 0;
  return seen.map(([x, y, z]) => [rounded(x / z, 5), rounded(y / z, 5), rounded((z / w - 1) * depth, 4), 1]);
}

// How many frames the runs, alternately without and with something, say are with it.
function present(runs) {
  return runs.reduce((sum, length, i) => sum + (i % 2 ? length : 0), 0);
}

// The row of each frame, -1 where there is nothing.
function places(runs, count) {
  const rows = [];
  let row = 0;
  runs.forEach((length, i) => {
    for (let j = 0; j < length; j++) rows.push(i % 2 ? row++ : -1);
  });
  if (rows.length !== count) throw new Error(`${rows.length} frames in the runs, ${count} expected`);
  return rows;
}

// One entry a frame: what is told of its row, or null.
function spread(runs, count, tell) {
  return places(runs, count).map((row) => (row < 0 ? null : tell(row)));
}

const POWERS = [1, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7];

// To the nearest, halves upwards.
function rounded(value, decimals) {
  const power = POWERS[decimals];
  return Math.floor(value * power + 0.5) / power;
}
