// Reads a compact result (ascension.analysis.compact/2), as docs/result-format.md describes it. No dependencies: copy it.

export const COMPACT_SCHEMA = "ascension.analysis.compact/2";
export const VERBOSE_SCHEMA = "ascension.analysis/1";

const ANCHORS = 16; // rows between two values that are not interpolated
// Kinds of numbers, each with its own statistics: anchors, corrections of the four levels between them, runs of zeros;
// in each kind, one chance for every bit that a number's size may have.
const [KINDS, SIZES] = [6, 32];
// [landmark, its parent]: each is coded relative to another; in this order, parents first.
const TREE = [
  [23, -1], [24, 23], [11, 23], [12, 11], [0, 11], ...Array.from({ length: 10 }, (_, i) => [i + 1, 0]), [13, 11],
  [14, 12], [15, 13], [16, 14], [17, 15], [18, 16], [19, 15], [20, 16], [21, 15], [22, 16], [25, 23], [26, 24],
  [27, 25], [28, 26], [29, 27], [30, 28], [31, 27], [32, 28],
];
const CORNERS = [[0, -1], [1, 0], [2, 0], [3, 0]];
const ANGLES = Object.entries({
  left_elbow: [11, 13, 15], right_elbow: [12, 14, 16], left_shoulder: [13, 11, 23], right_shoulder: [14, 12, 24],
  left_hip: [11, 23, 25], right_hip: [12, 24, 26], left_knee: [23, 25, 27], right_knee: [24, 26, 28],
  left_ankle: [25, 27, 31], right_ankle: [26, 28, 32],
});
// [mass, where between the means of two groups of landmarks its centre lies, the groups]
const SEGMENTS = [[0.0681, 0.5, [11, 12], [7, 8]], [0.43015, 0.5035, [11, 12], [23, 24]]];
for (const [mass, centre, from, ...to] of [
  [0.0263, 0.576, 11, 13], [0.015, 0.4565, 13, 15], [0.00585, 0.766, 15, 17, 19], [0.1447, 0.3895, 23, 25],
  [0.0457, 0.4385, 25, 27], [0.0133, 0.4215, 29, 31],
]) {
  for (const side of [0, 1]) SEGMENTS.push([mass, centre, [from + side], to.map((i) => i + side)]);
}

/**
 * The result spelled out: equal, value by value, to what the API answers with ?format=verbose. Frames of poses and Ghost
 * spell themselves out when they are read, so that this takes no longer than undoing the code.
 */
export function verbose(compact) {
  if (compact.schema !== COMPACT_SCHEMA) throw new Error(`not a compact result: schema ${compact.schema}`);
  const { outlines, ...result } = compact;
  const count = compact.video.frame_count;
  const times = steps(compact.poses.t, count).map((value) => value / 1000);
  const camera = cameraOf(compact.camera, count);
  return {
    ...result,
    schema: VERBOSE_SCHEMA,
    poses: { frames: posesOf(compact.poses, times) },
    camera,
    holds: compact.holds && holdsOf(compact.holds, outlines),
    loads: compact.loads && { frames: series(compact.loads, count, 4) },
    ghost: compact.ghost && ghostOf(compact, times, camera.frames),
  };
}

/** Whole numbers from base64: an adaptive binary arithmetic code with 24-bit bounds. */
export class Stream {
  constructor(text) {
    this.bytes = atob(text);
    this.at = 0;
    [this.low, this.high, this.code] = [0, 0xffffff, 0];
    this.chances = new Uint16Array(KINDS * SIZES).fill(32768); // of a 1, in 65536ths
    this.asked = new Uint8Array(KINDS * SIZES);
    for (let i = 0; i < 3; i++) this.code = (this.code << 8) | this.#byte();
  }

  /** The next number: a count and, unless it is 0, the sign. */
  number(kind) {
    const magnitude = this.count(kind);
    return magnitude !== 0 && this.#half() ? -magnitude : magnitude;
  }

  /** The next number that is not negative: how many bits it has, as so many ones and a zero, then those bits. */
  count(kind) {
    let size = 0;
    while (this.#bit(kind * SIZES + size)) if (++size === SIZES) throw new Error("a stream is damaged");
    if (size === 0) return 0;
    let magnitude = 1;
    while (--size > 0) magnitude = 2 * magnitude + this.#half();
    return magnitude;
  }

  // A bit that is as likely 1 as 0.
  #half() {
    const middle = (this.low + this.high) >> 1;
    const one = this.code <= middle;
    if (one) this.high = middle;
    else this.low = middle + 1;
    if ((this.low ^ this.high) < 0x10000) this.#shift();
    return one ? 1 : 0;
  }

  // A bit with a chance that learns.
  #bit(which) {
    const p = this.chances[which];
    const asked = this.asked[which];
    const middle = this.low + Math.floor(((this.high - this.low) * p) / 65536);
    const one = this.code <= middle;
    if (one) {
      this.high = middle;
      this.chances[which] = p + (((65536 - p) / (asked + 2)) | 0);
    } else {
      this.low = middle + 1;
      this.chances[which] = p - ((p / (asked + 2)) | 0);
    }
    if (asked < 30) this.asked[which] = asked + 1;
    if ((this.low ^ this.high) < 0x10000) this.#shift();
    return one;
  }

  #shift() {
    do {
      this.low = (this.low << 8) & 0xffffff;
      this.high = ((this.high << 8) & 0xffffff) | 255;
      this.code = ((this.code << 8) & 0xffffff) | this.#byte();
    } while ((this.low ^ this.high) < 0x10000);
  }

  #byte() {
    return this.at < this.bytes.length ? this.bytes.charCodeAt(this.at++) : 0;
  }
}

/** Whole numbers that change evenly, such as times: coded as second differences. */
export function steps(text, count) {
  const stream = new Stream(text);
  let [speed, value] = [0, 0];
  return Array.from({ length: count }, () => (value += speed += stream.number(0)));
}

/** A smooth channel: anchors, then ever finer values between them, each a correction of its interpolation. */
export function curve(stream, rows, step) {
  const values = new Int32Array(rows);
  for (let i = 0; i < rows; i += ANCHORS) values[i] = (i ? values[i - ANCHORS] : 0) + step * stream.number(0);
  for (let level = 1, half = 8; level <= 4; level++, half /= 2) {
    let zeros = level === 4 && rows > 1 ? stream.count(5) : 0;
    for (let i = half; i < rows; i += 2 * half) {
      let value = values[i - half];
      if (i + half < rows) {
        const near = value + values[i + half];
        if (i < 3 * half || i + 3 * half >= rows) value = near >> 1;
        else value = (9 * near - values[i - 3 * half] - values[i + 3 * half] + 8) >> 4;
      }
      if (zeros > 0) {
        zeros--;
      } else {
        value += step * stream.number(level);
        if (level === 4) zeros = stream.count(5);
      }
      values[i] = value;
    }
  }
  return values;
}

// [channel][row] whole numbers: each its curve, plus its parent's, plus the plane's gain times 2 · link − less.
function plane({ data, step, gain }, rows, tree, link, less) {
  const stream = new Stream(data);
  const channels = [];
  for (const [i, parent] of tree) {
    const values = (channels[i] = curve(stream, rows, step));
    if (parent >= 0) add(values, channels[parent]);
  }
  link?.forEach((other, i) => {
    const values = channels[i];
    for (let row = 0; row < rows; row++) values[row] += Math.floor((gain * (2 * other[row] - less[row])) / 131072);
  });
  return channels;
}

function posesOf(coded, times) {
  const seen = presence(coded.seen, times.length);
  const rows = seen.filter(Boolean).length;
  const [x, y] = [coded.x, coded.y].map((axis) => plane(axis, rows, TREE));
  const hips = (axis) => axis[23].map((value, row) => value + axis[24][row]);
  const worldX = plane(coded.world_x, rows, TREE, x, hips(x));
  const worldY = plane(coded.world_y, rows, TREE, y, hips(y));
  const worldZ = plane(coded.world_z, rows, TREE);
  const z = plane(coded.z, rows, TREE, worldZ, new Int32Array(rows));
  const visibility = plane(coded.visibility, rows, alone(33));
  const names = ["x", "y", "z", "visibility", "world_x"];
  const [unitX, unitY, unitZ, sure, metre] = names.map((name) => 10 ** coded[name].decimals);
  const spell = (row) => {
    const landmarks = x.map((values, i) => [
      values[row] / unitX, y[i][row] / unitY, z[i][row] / unitZ, Math.min(Math.max(visibility[i][row], 0), sure) / sure,
    ]);
    const world = worldX.map((values, i) => [values[row] / metre, worldY[i][row] / metre, worldZ[i][row] / metre]);
    const angles = {};
    for (const [name, [a, joint, b]] of ANGLES) angles[name] = angle(world[a], world[joint], world[b]);
    return { landmarks, world, angles, center_of_gravity: gravity(landmarks) };
  };
  const [before, climb, after] = coded.phases;
  if (before + climb + after !== times.length) throw new Error(`${before + climb + after} frames in the phases`);
  const phase = (i) => (i < before ? "before" : i < before + climb ? "climb" : "after");
  let row = 0;
  return times.map((t, i) => new PoseFrame(t, phase(i), seen[i] ? row++ : -1, spell));
}

// A frame that is spelled out when it is first read.
class PoseFrame {
  #row;
  #spell;
  #told = null;
  constructor(t, phase, row, spell) {
    Object.assign(this, { t, phase });
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
  const mean = (group, k) => (group.length === 1 ? points[group[0]][k] : (points[group[0]][k] + points[group[1]][k]) / 2);
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
  const known = presence(coded.known, count);
  const rows = known.filter(Boolean).length;
  if (coded.still) {
    return { frames: spread(Array.from({ length: rows }, () => [[1, 0, 0], [0, 1, 0], [0, 0, 1]]), known), still: true };
  }
  const [x, y] = [coded.x, coded.y].map((axis) => plane(axis, rows, CORNERS));
  const unit = 10 ** coded.x.decimals;
  const matrices = [];
  for (let row = 0; row < rows; row++) {
    const [x0, x1, x2, x3] = [x[0][row] / unit, x[1][row] / unit, x[2][row] / unit, x[3][row] / unit];
    const [y0, y1, y2, y3] = [y[0][row] / unit, y[1][row] / unit, y[2][row] / unit, y[3][row] / unit];
    const [ax, bx, sx] = [x1 - x2, x3 - x2, x0 - x1 + x2 - x3];
    const [ay, by, sy] = [y1 - y2, y3 - y2, y0 - y1 + y2 - y3];
    const area = ax * by - bx * ay;
    const [g, h] = [(sx * by - bx * sy) / area, (ax * sy - sx * ay) / area];
    const across = [rounded(x1 - x0 + g * x1, 7), rounded(x3 - x0 + h * x3, 7), rounded(x0, 7)];
    const down = [rounded(y1 - y0 + g * y1, 7), rounded(y3 - y0 + h * y3, 7), rounded(y0, 7)];
    matrices.push([across, down, [rounded(g, 7), rounded(h, 7), 1]]);
  }
  return { frames: spread(matrices, known), still: false };
}

function holdsOf(coded, outlines) {
  const stream = new Stream(outlines);
  return coded.map((hold) => {
    let [x, y] = [0, 0];
    const outline = Array.from({ length: stream.count(0) }, (_, i) => {
      x += stream.number(i ? 2 : 1);
      y += stream.number(i ? 2 : 1);
      return [x / 10000, y / 10000];
    });
    const [x0, y0, x1, y1] = hold.box;
    return { ...hold, center: [rounded((x0 + x1) / 2, 5), rounded((y0 + y1) / 2, 5)], outline };
  });
}

// Some numbers a frame, or null.
function series(coded, count, channels) {
  if (!coded) return Array(count).fill(null);
  const known = presence(coded.known, count);
  const rows = known.filter(Boolean).length;
  const columns = plane(coded, rows, alone(channels));
  const unit = 10 ** coded.decimals;
  return spread(Array.from({ length: rows }, (_, row) => columns.map((column) => Math.max(column[row], 0) / unit)), known);
}

function ghostOf({ ghost, wall }, times, homographies) {
  const climber = steps(ghost.climber_t, ghost.count).map((value) => value / 1000);
  const body = bones(ghost);
  const unit = 10 ** ghost.x.decimals;
  const loads = series(ghost.loads, ghost.count, 4);
  let near = 0;
  const frames = climber.map((t, i) => {
    while (near + 1 < times.length && Math.abs(times[near + 1] - t) < Math.abs(times[near] - t)) near++;
    const toReference = homographies[near];
    return new GhostFrame({ t: rounded(i / ghost.rate, 4), climber_t: t, loads: loads[i] }, () => {
      const world = body.map(([x, y, z]) => [x[i] / unit, y[i] / unit, z[i] / unit]);
      return { world, landmarks: seenFrom(wall.projection, toReference, world) };
    });
  });
  const measures = Object.entries(ghost.certificate.frames).map(([name, coded]) => [
    name,
    series(coded, ghost.count, 1).map((values) => values && values[0]),
  ]);
  const certificate = { ...ghost.certificate, frames: Object.fromEntries(measures) };
  return { frames, contacts: ghost.contacts, certificate, cues: ghost.cues };
}

// A frame that is spelled out when it is first read.
class GhostFrame {
  #spell;
  #told = null;
  constructor(known, spell) {
    Object.assign(this, known);
    this.#spell = spell;
  }

  get landmarks() {
    return (this.#told ??= this.#spell()).landmarks;
  }

  get world() {
    return (this.#told ??= this.#spell()).world;
  }

  toJSON() {
    return { ...this, landmarks: this.landmarks, world: this.world };
  }
}

// [landmark][axis][row]: each landmark's way from its parent, made as long as the bone is.
function bones(ghost) {
  const axes = [ghost.x, ghost.y, ghost.z];
  const streams = axes.map(({ data }) => new Stream(data));
  const body = [];
  for (const [i, parent] of TREE) {
    const [x, y, z] = (body[i] = axes.map(({ step }, k) => curve(streams[k], ghost.count, step)));
    const length = ghost.lengths[i];
    for (let row = 0; length && row < ghost.count; row++) {
      const share = length / Math.sqrt(x[row] * x[row] + y[row] * y[row] + z[row] * z[row]);
      x[row] = Math.floor(x[row] * share + 0.5);
      y[row] = Math.floor(y[row] * share + 0.5);
      z[row] = Math.floor(z[row] * share + 0.5);
    }
    if (parent >= 0) [x, y, z].forEach((axis, k) => add(axis, body[parent][k]));
  }
  return body;
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

// Run lengths, alternately of frames without and with something, beginning without.
function presence(runs, count) {
  const known = [];
  runs.forEach((length, i) => {
    for (let j = 0; j < length; j++) known.push(i % 2 === 1);
  });
  if (known.length !== count) throw new Error(`${known.length} frames in the runs, ${count} expected`);
  return known;
}

// One entry a frame: the rows in turn where something is known, null elsewhere.
function spread(rows, known) {
  let row = 0;
  return known.map((there) => (there ? rows[row++] : null));
}

function alone(channels) {
  return Array.from({ length: channels }, (_, i) => [i, -1]);
}

function add(values, more) {
  for (let i = 0; i < values.length; i++) values[i] += more[i];
}

const POWERS = [1, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7];

// To the nearest, halves upwards.
function rounded(value, decimals) {
  const power = POWERS[decimals];
  return Math.floor(value * power + 0.5) / power;
}
