// The picture: the video with what was found drawn over it, and beside it, if wished, the Ghost.

import { element } from "./elements.js";
import { say } from "./language.js";
import { Overlay } from "./overlay.js";

export const GHOST_MODES = ["off", "over", "side", "only"];

export class Stage {
  /** `askForFile()`: called when the user wants to choose the video. */
  constructor(climb, askForFile) {
    this.climb = climb;
    this.layers = { skeleton: true, trail: true, holds: true, types: false, contacts: true };
    this.ghostMode = climb.ghost ? "over" : "off";
    this.ownTempo = false;
    this.cue = null; // {hold_id?, limb?, from, to}: what to point at, and when
    this.t = 0;
    this.video = element("video", { playsInline: true, preload: "auto", muted: true, tabIndex: -1 });
    say(this.video, "player", "aria-label");
    this.canvas = element("canvas.overlay", { "aria-hidden": "true" });
    this.note = element("p.note", { hidden: true, say: "noClimber" });
    this.notice = element("p", {});
    const choose = element("button", { type: "button", onclick: askForFile, say: "chooseVideo" });
    this.placeholder = element("div.placeholder", {}, this.notice, choose);
    this.picture = element("div.stage.blank", {}, this.video, this.canvas, this.note, this.placeholder);
    this.sideCanvas = element("canvas", { role: "img", label: "ghostPicture" });
    this.side = element("div.stage.beside", { hidden: true }, this.sideCanvas, element("p.note", { say: "ghost" }));
    this.node = element("div.stages", {}, this.picture, this.side);
    this.node.style.setProperty("--ratio", `${climb.video.width} / ${climb.video.height}`);
    this.node.style.setProperty("--shape", climb.video.width / climb.video.height);
    this.overlay = new Overlay(this.canvas, climb);
    this.sideOverlay = new Overlay(this.sideCanvas, climb);
    this.observer = new ResizeObserver(() => this.#resize());
    this.observer.observe(this.picture);
    this.observer.observe(this.side);
    this.#arrange();
  }

  destroy() {
    this.observer.disconnect();
  }

  get playable() {
    return !this.picture.classList.contains("blank");
  }

  /** No video at hand: draw on a dark ground and say why. */
  blank(reason) {
    this.picture.classList.add("blank");
    this.placeholder.hidden = false;
    say(this.notice, reason);
  }

  /** A still picture as the ground, as long as there is no video. */
  poster(url) {
    const image = element("img.poster", { alt: "", src: url });
    image.onerror = () => image.remove();
    this.picture.prepend(image);
  }

  filled() {
    this.picture.querySelector(".poster")?.remove();
    this.picture.classList.remove("blank");
    this.placeholder.hidden = true;
  }

  setGhost(mode, ownTempo) {
    this.ghostMode = mode;
    this.ownTempo = ownTempo;
    this.#arrange();
    this.show(this.t);
  }

  setLayer(name, shown) {
    this.layers[name] = shown;
    this.show(this.t);
  }

  /** Draw what belongs to `t` seconds of the result. */
  show(t) {
    this.t = t;
    const { climb, ghostMode: mode, layers } = this;
    const ghost = mode === "off" ? null : climb.ghostAt(t, this.ownTempo);
    const cue = this.cue && this.cue.from <= t && t <= this.cue.to ? this.cue : null;
    const alone = mode === "only";
    const seen = this.overlay.draw(t, layers, { ghost: mode === "side" ? null : ghost, alone, cue });
    this.note.hidden = seen || alone;
    if (mode === "side") {
      const ground = this.playable && this.video.readyState >= 2 ? this.video : null;
      this.sideOverlay.draw(t, layers, { ghost, alone: true, cue, ground });
    }
    this.canvas.dataset.t = t.toFixed(4);
  }

  #arrange() {
    this.node.dataset.ghost = this.ghostMode;
    this.side.hidden = this.ghostMode !== "side";
  }

  #resize() {
    const ratio = devicePixelRatio || 1;
    for (const canvas of [this.canvas, this.sideCanvas]) {
      const { clientWidth, clientHeight } = canvas.parentElement;
      canvas.width = Math.round(clientWidth * ratio);
      canvas.height = Math.round(clientHeight * ratio);
    }
    this.show(this.t);
  }
}
