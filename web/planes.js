// Undoes the code of a compact result, as docs/result-format.md describes it: what a program needs first that reads one.
// No dependencies: copy it.

// Channels in the order in which a plane tells them, each with the parent that it is relative to, or -1.
const alone = (count) => Array.from({ length: count }, (_, i) => [i, -1]);
export const [LANDMARKS, FOUR, ONE] = [alone(33), alone(4), alone(1)];
export const CORNERS = [[0, -1], [1, 0], [2, 0], [3, 0]];
export const BODY = [
  [23, -1], [24, 23], [11, 23], [12, 11], [0, 11], ...Array.from({ length: 10 }, (_, i) => [i + 1, 0]), [13, 11],
  [14, 12], [15, 13], [16, 14], [17, 15], [18, 16], [19, 15], [20, 16], [21, 15], [22, 16], [25, 23], [26, 24],
  [27, 25], [28, 26], [29, 27], [30, 28], [31, 27], [32, 28],
];

/**
 * Channels of whole numbers over rows. All corrections are read at once; a row is interpolated when it is asked for, with
 * the few that it hangs on, so that the first picture need not wait for all of them.
 */
export class Plane {
  constructor({ data, step, decimals, gain }, rows, channels) {
    this.rows = rows;
    this.width = channels.length;
    this.unit = 10 ** decimals;
    this.gain = gain;
    this.channels = Uint8Array.from(channels, ([channel]) => channel);
    this.parents = Int8Array.from(channels, ([, parent]) => parent);
    this.curves = new Int32Array(rows * this.width); // channel i of row j at [j · width + i]; at first its correction alone
    this.whole = new Uint8Array(rows); // which rows are more than that
    this.values = new Int32Array(this.width);
    const bits = new Bits(data);
    let first = 0;
    for (let half = rows && 2 ** (32 - Math.clz32(rows - 1)); half >= 1; half /= 2) {
      this.#correct(bits, first, 2 * half, Math.max(0, Math.ceil((rows - first) / (2 * half))), step);
      first = half / 2;
    }
    if (bits.at > bits.length) throw new Error("a plane is damaged: its bits end too early");
  }

  /** The values of a row's channels, until another row is asked for; divided by `unit` they are what the result says. */
  row(row) {
    this.#interpolate(row);
    const { channels, parents, curves, values, width } = this;
    for (let i = 0; i < width; i++) {
      const [channel, parent] = [channels[i], parents[i]];
      values[channel] = curves[row * width + channel] + (parent < 0 ? 0 : values[parent]);
    }
    return values;
  }

  /** The same for a plane that is linked to a row of another one, or to its ways from its `middle`. */
  linked(row, other, middle) {
    const values = this.row(row);
    for (let i = 0; i < values.length; i++) values[i] += Math.floor((this.gain * (2 * other[i] - middle)) / 131072);
    return values;
  }

  // A level: the rows first, first + apart, …, `places` in all.
  #correct(bits, first, apart, places, step) {
    const { channels, curves, width } = this;
    const skips = bits.take(4);
    const sizes = bits.take(4);
    let channel = 0;
    for (let place = bits.count(skips); ; place += 1 + bits.count(skips)) {
      for (; place >= places; place -= places) if (++channel === width) return;
      const size = bits.count(sizes);
      const row = first + apart * place;
      curves[row * width + channels[channel]] = step * (size & 1 ? ~(size >> 1) : (size >> 1) + 1);
    }
  }

  // From the rows as far before and behind it as it is in its level, and from those three times as far.
  #interpolate(row) {
    if (this.whole[row]) return;
    this.whole[row] = 1;
    const half = row & -row;
    if (!half) return;
    const { curves, rows, width } = this;
    const [start, end, far] = [row * width, (row + 1) * width, half * width];
    this.#interpolate(row - half);
    if (row + half >= rows) {
      for (let i = start; i < end; i++) curves[i] += curves[i - far];
      return;
    }
    this.#interpolate(row + half);
    if (row < 3 * half || row + 3 * half >= rows) {
      for (let i = start; i < end; i++) curves[i] += (curves[i - far] + curves[i + far]) >> 1;
      return;
    }
    this.#interpolate(row - 3 * half);
    this.#interpolate(row + 3 * half);
    for (let i = start; i < end; i++) {
      curves[i] += (9 * (curves[i - far] + curves[i + far]) - curves[i - 3 * far] - curves[i + 3 * far] + 8) >> 4;
    }
  }
}

// Numbers from the bits of base64, of which the three bytes at hand are looked at.
class Bits {
  constructor(text) {
    const bytes = Uint8Array.fromBase64?.(text) ?? Uint8Array.from(atob(text), (byte) => byte.charCodeAt(0));
    this.at = 0;
    this.length = 8 * bytes.length;
    this.bytes = new Uint8Array(bytes.length + 3);
    this.bytes.set(bytes);
  }

  /** A plain number of `length` bits, 17 at most. */
  take(length) {
    const { bytes, at } = this;
    const i = at >> 3;
    this.at = at + length;
    const window = (bytes[i] << 16) | (bytes[i + 1] << 8) | bytes[i + 2];
    return (window >> (24 - (at & 7) - length)) & ((1 << length) - 1);
  }

  /** A Golomb-Rice code: 2 ** order times the ones before the next zero, and `order` plain bits. */
  count(order) {
    const { bytes, at } = this;
    const i = at >> 3;
    const ahead = 24 - (at & 7);
    const all = (1 << ahead) - 1;
    const window = ((bytes[i] << 16) | (bytes[i + 1] << 8) | bytes[i + 2]) & all;
    const ones = Math.clz32(window ^ all) + ahead - 32;
    const left = ahead - ones - 1 - order;
    this.at = at + Math.min(ones + 1, ahead);
    if (ones === ahead) return (ones << order) + this.count(order);
    if (left < 0) return (ones << order) | this.take(order);
    this.at += order;
    return (ones << order) | ((window >> left) & ((1 << order) - 1));
  }
}

/** How many rows the runs of frames without, with, without, … tell of. */
export function present(runs) {
  let rows = 0;
  for (let i = 1; i < runs.length; i += 2) rows += runs[i];
  return rows;
}

/** The row of each of `count` frames, -1 where there is nothing. */
export function places(runs, count) {
  const rows = [];
  let row = 0;
  for (let i = 0; i < runs.length; i++) for (let j = 0; j < runs[i]; j++) rows.push(i % 2 ? row++ : -1);
  if (rows.length !== count) throw new Error(`${rows.length} frames in the runs, ${count} expected`);
  return rows;
}
