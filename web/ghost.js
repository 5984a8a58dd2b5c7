// The Ghost Climber's motion: looked up by its own time, or by the climber's.

import { between, lastNotAfter } from "./series.js";

export class Ghost {
  /** `ghost`: as in a verbose result, with at least one frame. */
  constructor(ghost) {
    this.frames = ghost.frames;
    this.contacts = ghost.contacts ?? [];
    this.certificate = ghost.certificate ?? null;
    this.cues = ghost.cues ?? [];
    this.own = Float64Array.from(this.frames, ({ t }) => t);
    this.climber = Float64Array.from(this.frames, ({ t, climber_t: climberT }) => climberT ?? t);
  }

  /** How long the Ghost takes, seconds. */
  get duration() {
    return this.own.at(-1) - this.own[0];
  }

  /** The climber's first and last moment that the Ghost has an answer to, seconds of the video. */
  get begins() {
    return this.climber[0];
  }

  get ends() {
    return this.climber.at(-1);
  }

  has(member) {
    return this.frames.some((frame) => frame[member]);
  }

  /** The Ghost's own time when the climber is at `t`: at the same point of the same move. */
  ownTime(t) {
    const first = lastNotAfter(this.climber, t);
    if (first < 0) return this.own[0];
    if (first === this.own.length - 1) return this.own[first];
    const share = (t - this.climber[first]) / (this.climber[first + 1] - this.climber[first]);
    return this.own[first] + share * (this.own[first + 1] - this.own[first]);
  }

  /** {points, loads, climberT} at its own time `own`; it stays where it begins and where it ends. `points` is null where
   *  the camera's movement is unknown: then nobody knows where in the picture the Ghost is. */
  at(own) {
    const first = Math.max(0, lastNotAfter(this.own, own));
    const second = Math.min(first + 1, this.own.length - 1);
    const [from, to] = [this.frames[first], this.frames[second]];
    const span = this.own[second] - this.own[first];
    const share = span > 0 ? Math.min(1, Math.max(0, (own - this.own[first]) / span)) : 0;
    const climberT = this.climber[first] + share * (this.climber[second] - this.climber[first]);
    const [before, after] = [from.landmarks, to.landmarks];
    if (share === 0 || !before || !after) return { points: share < 0.5 ? before : after, loads: from.loads, climberT };
    return {
      points: before.map((point, i) => between(point, after[i], share)),
      loads: from.loads && to.loads ? between(from.loads, to.loads, share) : null,
      climberT,
    };
  }

  /** Its contacts at its own time `own`. */
  contactsAt(own) {
    return this.contacts.filter(({ start, end }) => start <= own && own <= end);
  }
}
