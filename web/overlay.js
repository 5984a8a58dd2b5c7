// What is drawn over the video, and on the picture beside it.

import { ghostFigure, skeleton, trail } from "./figure.js";
import { contactRings, highlight, HoldDrawing } from "./wall-drawing.js";

const TRAIL_SECONDS = 3;

/** One canvas that covers a picture of the climb exactly. */
export class Overlay {
  constructor(canvas, climb) {
    this.canvas = canvas;
    this.climb = climb;
    this.holds = new HoldDrawing();
  }

  /**
   * Draw what is known at `t`. `layers` {skeleton, trail, holds, types, contacts} says what of it; `ghost` is the Ghost
   * to show (climb.js, ghostAt), `alone` without the climber; `cue` {hold_id?, limb?} what to point at. `ground`: a
   * picture to draw first, pale. Returns whether a climber is seen.
   */
  draw(t, layers, { ghost = null, alone = false, cue = null, ground = null } = {}) {
    const { canvas, climb } = this;
    const context = canvas.getContext("2d");
    const { width, height } = canvas;
    context.clearRect(0, 0, width, height);
    if (ground) {
      context.globalAlpha = 0.3;
      context.drawImage(ground, 0, 0, width, height);
      context.globalAlpha = 1;
    }
    const pose = climb.at(t);
    const frame = climb.nearest(t);
    const thick = Math.max(2, Math.max(width, height) / 240);
    const place = ([x, y]) => [x * width, y * height];
    context.lineCap = context.lineJoin = "round";
    const [contacts, points] = alone ? [ghost?.contacts ?? [], ghost?.points] : [climb.contactsAt(t), pose?.points];
    if (layers.holds) this.holds.draw(context, climb, frame, place, thick);
    if (layers.contacts) contactRings(context, climb, frame, contacts, points, place, thick);
    if (ghost) ghostFigure(context, ghost.points, ghost.loads, place, thick);
    if (layers.skeleton && pose && !alone) skeleton(context, pose.points, place, thick);
    if (layers.trail && !alone) {
      const path = climb.trail(t, TRAIL_SECONDS);
      if (pose) path.push(pose.gravity);
      trail(context, path, pose?.gravity, place, thick);
    }
    if (layers.holds) {
      const ringed = layers.contacts ? contacts : [];
      this.holds.label(context, climb, frame, ringed, place, thick, { all: layers.types });
    }
    if (cue) highlight(context, climb, frame, cue, points, place, thick);
    return pose !== null;
  }
}
