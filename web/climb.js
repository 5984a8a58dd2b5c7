// A result, looked up by the time of a video frame, and the curves that are drawn from it.

import { Camera } from "./camera.js";
import { VERBOSE_SCHEMA, verbose } from "./decode.js";
import { Ghost } from "./ghost.js";
import { between, lastNotAfter, median } from "./series.js";

export const LIMBS = ["left_hand", "right_hand", "left_foot", "right_foot"];

const HIPS = [23, 24];
const SHOULDERS = [11, 12];
const SPEED_WINDOW_S = 0.2; // wide enough that a landmark's trembling is no speed

export class Climb {
  /** `result`: compact as the API answers, or verbose. */
  constructor(result) {
    this.result = result.schema === VERBOSE_SCHEMA ? result : verbose(result);
    this.video = this.result.video;
    this.frames = this.result.poses.frames;
    this.times = Float64Array.from(this.frames, ({ t }) => t);
    this.camera = new Camera(this.result.camera?.frames, this.video);
    this.holds = this.result.holds ?? [];
    this.hold = new Map(this.holds.map((hold) => [hold.id, hold]));
    this.contacts = this.result.contacts ?? [];
    this.moves = this.result.moves ?? [];
    this.used = new Set(this.contacts.map(({ hold_id: id }) => id));
    const gaps = Array.from(this.times.slice(1), (t, i) => t - this.times[i]);
    this.spacing = median(gaps) || 1 / 30;
    this.duration = Math.max(this.video.duration_s ?? 0, (this.times.at(-1) ?? 0) + this.spacing);
    this.ghost = this.result.ghost?.frames?.length ? new Ghost(this.result.ghost) : null;
  }

  /** The index of the last analysed frame that is not after `t`, or -1. */
  before(t) {
    return lastNotAfter(this.times, t);
  }

  /** The index of the analysed frame nearest to `t`, or -1 where nothing was analysed. */
  nearest(t) {
    const first = this.before(t);
    if (first < 0) return this.times.length ? 0 : -1;
    const second = Math.min(first + 1, this.times.length - 1);
    return t - this.times[first] <= this.times[second] - t ? first : second;
  }

  /**
   * The pose at `t` seconds, x and y from 0 to 1: {points: [[x, y, z, visibility] × 33], gravity: [x, y]}. An analysed
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
    return {
      points: from.points.map((point, i) => between(point, to.points[i], share)),
      gravity: between(from.gravity, to.gravity, share),
    };
  }

  /**
   * Where on the wall the centre of gravity was in the `seconds` before `t`, as the frame at `t` sees it; oldest first,
   * null where no climber was seen.
   */
  trail(t, seconds) {
    const now = this.nearest(t);
    const path = [];
    for (let i = this.before(t - seconds) + 1; i <= this.before(t); i++) {
      const center = this.frames[i].center_of_gravity;
      path.push(center && this.camera.carried(center, i, now));
    }
    return path;
  }

  /** Where on the reference frame a point of frame `frame` is, x and y from 0 to 1; unmoved where that is not known. */
  onWall([x, y], frame) {
    const matrix = this.camera.frames[frame];
    if (!matrix) return [x, y];
    const [column, row, depth] = matrix.map(([a, b, c]) => a * x + b * y + c);
    return [column / depth, row / depth];
  }

  /** The contacts that hold at `t`. */
  contactsAt(t) {
    return this.contacts.filter(({ start, end }) => start <= t && t <= end);
  }

  /**
   * The Ghost while the video is at `t`, as that frame's camera sees it: {points: [[x, y, z, visibility] × 33], loads,
   * contacts}. At the climber's point of the move, or in its own tempo. Null where there is none, or nobody knows where.
   */
  ghostAt(t, ownTempo = false) {
    if (!this.ghost) return null;
    const own = ownTempo ? t - this.ghost.begins : this.ghost.ownTime(t);
    const pose = this.ghost.at(own);
    if (!pose.points) return null;
    const [from, now] = [this.nearest(pose.climberT), this.nearest(t)];
    const points = pose.points.map((point) => {
      const [x, y] = this.camera.carried(point, from, now);
      return [x, y, point[2], point[3] ?? 1];
    });
    return { points, loads: pose.loads, contacts: this.ghost.contactsAt(own) };
  }

  /** One joint's angle in degrees, one value a frame, NaN where no climber was seen; null for an unknown name. */
  angle(name) {
    if (!this.frames.some(({ angles }) => angles && name in angles)) return null;
    return Float64Array.from(this.frames, ({ angles }) => angles?.[name] ?? NaN);
  }

  /** How much of the body's weight a limb carries, one value a frame, NaN where that is not known; null without loads. */
  load(limb) {
    const i = LIMBS.indexOf(limb);
    const { loads } = this.result;
    return loads ? Float64Array.from(loads.frames, (each) => each?.[i] ?? NaN) : null;
  }

  /** What both hands of the Ghost carry when the climber is at each frame, NaN outside its climb; null without Ghost. */
  ghostHandLoad() {
    if (!this.ghost?.has("loads")) return null;
    const { begins, ends } = this.ghost;
    return Float64Array.from(this.times, (t) => {
      if (t < begins || t > ends) return NaN;
      const { loads } = this.ghost.at(this.ghost.ownTime(t));
      return loads ? loads[0] + loads[1] : NaN;
    });
  }

  /** How fast the hips move over the picture, in torso lengths a second, one value a frame, NaN where not known. */
  hipSpeed() {
    const hips = this.#middles(HIPS);
    const shoulders = this.#middles(SHOULDERS);
    const torso = median(hips.map((hip, i) => hip && distance(hip, shoulders[i])).filter(Boolean));
    const reach = Math.max(1, Math.round(SPEED_WINDOW_S / this.spacing / 2));
    const { width, height } = this.video;
    return Float64Array.from(hips, (_, i) => {
      const [from, to] = [Math.max(0, i - reach), Math.min(hips.length - 1, i + reach)];
      if (!torso || from === to || hips.slice(from, to + 1).some((hip) => !hip)) return NaN;
      // On the wall, not in the picture: a camera that follows the climber must not hold him still.
      const [x, y] = this.camera.carried([hips[from][0] / width, hips[from][1] / height], from, to);
      return distance([x * width, y * height], hips[to]) / torso / (this.times[to] - this.times[from]);
    });
  }

  #pose(frame) {
    const { landmarks, center_of_gravity: gravity } = this.frames[frame];
    return landmarks && { points: landmarks, gravity };
  }

  // The middle of two landmarks in pixels, for a frame is rarely square; null where no climber was seen.
  #middles([a, b]) {
    const { width, height } = this.video;
    return this.frames.map(({ landmarks }) => {
      if (!landmarks) return null;
      return [((landmarks[a][0] + landmarks[b][0]) / 2) * width, ((landmarks[a][1] + landmarks[b][1]) / 2) * height];
    });
  }
}

function distance(a, b) {
  return Math.hypot(a[0] - b[0], a[1] - b[1]);
}
