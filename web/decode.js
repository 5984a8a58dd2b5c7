// Reads a compact result (ascension.analysis.compact/1), as docs/result-format.md describes it. No dependencies: copy it.
//
//   motion(compact)   its channels as arrays of numbers, which is what drawing wants
//   verbose(compact)  the whole result spelled out (ascension.analysis/1), frame by frame

export const COMPACT_SCHEMA = "ascension.analysis.compact/1";
export const VERBOSE_SCHEMA = "ascension.analysis/1";

const DIGITS = new Int8Array(128).fill(-1);
[..."ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"].forEach((character, digit) => {
  DIGITS[character.charCodeAt(0)] = digit;
});

/**
 * Every channel of a compact result.
 * `times`: seconds, one a frame. `rows[frame]`: where that frame's values are in all other channels, -1 where no climber
 * is seen. `phases[frame]`: "before", "climb" or "after". `x, y, z, visibility, worldX, worldY, worldZ`: one channel a landmark. `angles`: one channel a name.
 * `gravity`: [x, y]. Throws an Error for another schema or a malformed channel.
 */
export function motion(compact) {
  if (compact.schema !== COMPACT_SCHEMA) throw new Error(`not a compact result: schema ${compact.schema}`);
  const poses = compact.poses;
  const times = channel(poses.t.data, poses.t.scale, 3);
  const angles = group(poses.angles, 1);
  return {
    times,
    phases: phasesOf(poses.phases, times.length),
    rows: rowsOf(poses.seen, times.length),
    x: group(poses.x, 5),
    y: group(poses.y, 5),
    z: group(poses.z, 5),
    visibility: group(poses.visibility, 3),
    worldX: group(poses.world_x, 4),
    worldY: group(poses.world_y, 4),
    worldZ: group(poses.world_z, 4),
    angles: Object.fromEntries(poses.angles.names.map((name, i) => [name, angles[i]])),
    gravity: group(poses.center_of_gravity, 5),
  };
}

/** The result spelled out: equal, value by value, to what the API answers with ?format=verbose. */
export function verbose(compact) {
  const { times, phases, rows, x, y, z, visibility, worldX, worldY, worldZ, angles, gravity } = motion(compact);
  const names = Object.keys(angles);
  const frames = Array.from(times, (t, frame) => {
    const row = rows[frame];
    const phase = phases[frame];
    if (row < 0) return { t, phase, landmarks: null, world: null, angles: null, center_of_gravity: null };
    return {
      t,
      phase,
      landmarks: x.map((_, i) => [x[i][row], y[i][row], z[i][row], visibility[i][row]]),
      world: worldX.map((_, i) => [worldX[i][row], worldY[i][row], worldZ[i][row]]),
      angles: Object.fromEntries(names.map((name) => [name, angles[name][row]])),
      center_of_gravity: gravity.map((axis) => axis[row]),
    };
  });
  const camera = compact.camera ?? { frames: frames.map(() => null) };
  return { ...compact, schema: VERBOSE_SCHEMA, poses: { frames }, camera };
}

/** One channel: its first character says how often it was differenced, the rest are base64 VLQ integers. */
export function channel(text, scale, decimals) {
  if (text[0] !== "1" && text[0] !== "2") throw new Error(`a channel begins with 1 or 2, not "${text[0] ?? ""}"`);
  const values = integers(text);
  for (let order = Number(text[0]); order > 0; order--) {
    for (let i = 1; i < values.length; i++) values[i] += values[i - 1];
  }
  const power = 10 ** decimals;
  for (let i = 0; i < values.length; i++) values[i] = rounded(values[i], scale, power);
  return values;
}

function group({ scale, data }, decimals) {
  return data.map((text) => channel(text, scale, decimals));
}

// value / scale to the nearest 1 / power, ties to the even digit: in integers, for toFixed() takes ties upwards.
function rounded(value, scale, power) {
  let whole = Math.floor((value * power) / scale);
  const twice = 2 * (value * power - whole * scale);
  if (twice > scale || (twice === scale && whole % 2 !== 0)) whole += 1;
  return whole / power;
}

// Base64 VLQ as in source maps: five bits a character, the lowest first, 32 for "more follows"; the sign in bit 0.
function integers(text) {
  const values = new Float64Array(text.length - 1); // a character each, at most
  let count = 0;
  let value = 0;
  let unit = 1;
  for (let i = 1; i < text.length; i++) {
    const digit = DIGITS[text.charCodeAt(i)] ?? -1;
    if (digit < 0) throw new Error(`"${text[i]}" is no digit of a channel`);
    value += (digit & 31) * unit;
    if (digit & 32) {
      unit *= 32;
      continue;
    }
    values[count++] = value % 2 ? (1 - value) / 2 : value / 2;
    value = 0;
    unit = 1;
  }
  if (unit !== 1) throw new Error("a channel ends within a number");
  return values.subarray(0, count);
}

// How many frames come before the climb, belong to it and come after it; older results do not say.
function phasesOf(lengths, count) {
  const [before, climb, after] = lengths ?? [0, count, 0];
  if (before + climb + after !== count) throw new Error(`${before + climb + after} frames in "phases", ${count} times`);
  return Array.from({ length: count }, (_, i) => (i < before ? "before" : i < before + climb ? "climb" : "after"));
}

// Run lengths, alternately of frames without and with the climber, beginning without.
function rowsOf(runs, count) {
  const rows = new Int32Array(count).fill(-1);
  let frame = 0;
  let row = 0;
  runs.forEach((length, i) => {
    for (let j = 0; j < length; j++, frame++) if (i % 2) rows[frame] = row++;
  });
  if (frame !== count) throw new Error(`${frame} frames in the runs of "seen", ${count} times`);
  return rows;
}
