// A result, looked up by the time of a video frame, and the curves that are drawn from it.

import { Camera } from "./camera.js";
import { motion } from "./decode.js";

const HIPS = [23, 24];
const SHOULDERS = [11, 12];
const SPEED_WINDOW_S = 0.2; // wide enough that a landmark's trembling is no speed

export class Climb {
  constructor(result) {
    this.result = result;
    this.video = result.video;
    this.motion = motion(result);
    this.times = this.motion.times;
    this.camera = new Camera(result.camera?.frames, result.video);
    this.holds = result.holds ?? [];
    this.contacts = result.contacts ?? [];
    this.ghost = result.ghost?.frames ?? [];
    const gaps = Array.from(this.times.slice(1), (t, i) => t - this.times[i]);
    this.spacing = median(gaps) || 1 / 30;
    this.duration = Math.max(result.video.duration_s ?? 0, (this.times.at(-1) ?? 0) + this.spacing);
  }

  /** The index of the last analysed frame that is not after `t`, or -1. */
  before(t) {
    let low = 0;
    let high = this.times.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.times[middle] <= t) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  /** The index of the analysed frame nearest to `t`, or -1 where nothing was analysed. */
  nearest(t) {
    const first = this.before(t);
    if (first < 0) return this.times.length ? 0 : -1;
    const second = Math.min(first + 1, this.times.length - 1);
    return t - this.times[first] <= this.times[second] - t ? first : second;
  }

  /**
   * The pose at `t` seconds, x and y from 0 to 1: {points: [[x, y, visibility] × 33], gravity: [x, y]}. An analysed
   * frame's, or between two where the video has more frames than were analysed. Null where no climber was seen.
   */
  at(t) {
    const near = this.nearest(t);
    if (near < 0) return null;
    const off = t - this.times[near];
    if (Math.abs(off) <= 0.2 * this.spacing) return this.#pose(near);
    const first = off > 0 ? near : near - 1;
    const second = first + 1;
    if (first < 0 || second >= this.times.length) return Math.abs(off) <= this.spacing ? this.#pose(near) : null;
    const span = this.times[second] - this.times[first];
    if (span > 2.5 * this.spacing) return null;
    const [from, to] = [this.#pose(first), this.#pose(second)];
    if (!from || !to) return null;
    const share = (t - this.times[first]) / span;
    const between = (a, b) => a.map((value, i) => value + share * (b[i] - value));
    return { points: from.points.map((p, i) => between(p, to.points[i])), gravity: between(from.gravity, to.gravity) };
  }

  /**
   * Where on the wall the centre of gravity was in the `seconds` before `t`, as the frame at `t` sees it; oldest first,
   * null where no climber was seen.
   */
  trail(t, seconds) {
    const { rows, gravity } = this.motion;
    const now = this.nearest(t);
    const path = [];
    for (let i = this.before(t - seconds) + 1; i <= this.before(t); i++) {
      const center = rows[i] < 0 ? null : gravity.map((axis) => axis[rows[i]]);
      path.push(center && this.camera.carried(center, i, now));
    }
    return path;
  }

  /** The contacts that hold at `t`. */
  contactsAt(t) {
    return this.contacts.filter(({ start, end }) => start <= t && t <= end);
  }

  /** The Ghost's landmarks nearest to `t`, [[x, y, visibility] × 33], or null where it has none. */
  ghostAt(t) {
    const off = (frame) => Math.abs(frame.t - t);
    const nearest = this.ghost.reduce((best, frame) => (!best || off(frame) < off(best) ? frame : best), null);
    if (!nearest?.landmarks || off(nearest) > this.spacing) return null;
    return nearest.landmarks.map(([x, y, , visibility = 1]) => [x, y, visibility]);
  }

  /** One joint's angle in degrees, one value a frame, NaN where no climber was seen; null for an unknown name. */
  angle(name) {
    const values = this.motion.angles[name];
    return values ? Float64Array.from(this.motion.rows, (row) => (row < 0 ? NaN : values[row])) : null;
  }

  /** How fast the hips move over the picture, in torso lengths a second, one value a frame, NaN where not known. */
  hipSpeed() {
    const hips = this.#middles(HIPS);
    const shoulders = this.#middles(SHOULDERS);
    const torso = median(hips.map((hip, i) => hip && distance(hip, shoulders[i])).filter(Boolean));
    const reach = Math.max(1, Math.round(SPEED_WINDOW_S / this.spacing / 2));
    return Float64Array.from(hips, (_, i) => {
      const [from, to] = [Math.max(0, i - reach), Math.min(hips.length - 1, i + reach)];
      if (!torso || from === to || hips.slice(from, to + 1).some((hip) => !hip)) return NaN;
      return distance(hips[from], hips[to]) / torso / (this.times[to] - this.times[from]);
    });
  }

  #pose(frame) {
    const { rows, x, y, visibility, gravity } = this.motion;
    const row = rows[frame];
    if (row < 0) return null;
    return {
      points: x.map((_, i) => [x[i][row], y[i][row], visibility[i][row]]),
      gravity: gravity.map((axis) => axis[row]),
    };
  }

  // The middle of two landmarks in pixels, for a frame is rarely square; null where no climber was seen.
  #middles([a, b]) {
    const { rows, x, y } = this.motion;
    const { width, height } = this.video;
    const middle = (row) => [((x[a][row] + x[b][row]) / 2) * width, ((y[a][row] + y[b][row]) / 2) * height];
    return Array.from(rows, (row) => (row < 0 ? null : middle(row)));
  }
}

function distance(a, b) {
  return Math.hypot(a[0] - b[0], a[1] - b[1]);
}

function median(values) {
  const ordered = [...values].sort((a, b) => a - b);
  return ordered[ordered.length >> 1];
}
