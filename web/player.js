// The player: the video with what was found drawn over it, its controls, and the timelines that follow.

import { ContactLanes } from "./contact-lanes.js";
import { curves } from "./curves.js";
import { element, icon } from "./elements.js";
import { number, say, t as words } from "./language.js";
import { GHOST_MODES, Stage } from "./stage.js";

const PLAY = "M7 4v16l13-8z";
const PAUSE = "M6 4h4v16H6zM14 4h4v16h-4z";
const BACK = "M5 5h3v14H5zM20 5v14l-11-7z";
const ON = "M19 5h-3v14h3zM4 5v14l11-7z";
const FULL = "M4 4h7v3H7v4H4zM20 20h-7v-3h4v-4h3z";
const SPEEDS = [0.1, 0.25, 0.5, 1, 2];
const UNTOLD_MS = 250; // long after a browser tells which frame it shows
const ROUNDING_S = 0.002; // of times, in the file and in the result
const CUE_SECONDS = 2; // how long a cue is pointed at, before and after its moment

export class Player {
  /** `climb`: the result (climb.js). `askForFile()`: called when the user wants to choose the video. */
  constructor(climb, askForFile) {
    this.climb = climb;
    this.t = 0; // what is drawn, in the result's seconds
    this.origin = 0; // the first frame's time in the video, which the result calls 0
    this.seeking = false;
    this.wanted = null; // where to seek next, while another seek is under way
    this.sliding = false;
    this.held = false; // while holds are edited the picture is not for scrubbing
    this.followers = new Set(); // called after each frame that is shown
    this.stage = new Stage(climb, askForFile);
    this.video = this.stage.video;
    this.#build();
    this.listeners = new AbortController();
    const { signal } = this.listeners;
    document.addEventListener("keydown", (event) => this.#key(event), { signal });
    document.addEventListener("language", () => this.#show(), { signal });
  }

  destroy() {
    this.listeners.abort();
    this.stage.destroy();
    this.curves.destroy();
    cancelAnimationFrame(this.frameRequest);
    clearTimeout(this.check);
    this.video.pause();
    this.video.removeAttribute("src");
    this.video.load();
    if (this.objectUrl) URL.revokeObjectURL(this.objectUrl);
  }

  /** Play a File of this device. */
  useFile(file) {
    if (this.objectUrl) URL.revokeObjectURL(this.objectUrl);
    this.objectUrl = URL.createObjectURL(file);
    this.#load(this.objectUrl);
  }

  /** Play the video from an address; should it fail, the file is asked for. */
  useUrl(url) {
    this.#load(url);
  }

  /** No video at hand: draw on a dark ground and ask for it. */
  useNothing() {
    this.#blank("needVideo");
  }

  get #playable() {
    return this.stage.playable;
  }

  #build() {
    const { climb } = this;
    this.slider = element("input.position", { type: "range", min: 0, max: climb.duration, step: "any", value: 0 });
    say(this.slider, "position", "aria-label");
    this.slider.addEventListener("input", () => this.seek(Number(this.slider.value)));
    this.slider.addEventListener("pointerdown", () => (this.sliding = true));
    for (const end of ["pointerup", "pointercancel", "blur"]) this.slider.addEventListener(end, () => (this.sliding = false));
    this.playButton = this.#button("play", PLAY, () => this.toggle());
    this.clock = element("output.clock");
    this.speed = element(
      "select",
      { label: "speed", tip: "speed", onchange: () => (this.video.playbackRate = Number(this.speed.value)) },
      SPEEDS.map((speed) => element("option", { value: speed, selected: speed === 1, say: () => `${number(speed)}×` })),
    );
    const buttons = element(
      "div.controls",
      {},
      this.#button("frameBack", BACK, () => this.step(-1)),
      this.playButton,
      this.#button("frameOn", ON, () => this.step(1)),
      this.clock,
      this.speed,
      document.fullscreenEnabled ? this.#button("fullscreen", FULL, () => this.#fullscreen()) : null,
    );
    this.warning = element("p.warning", { hidden: true, role: "alert", say: "otherVideo" });
    this.screen = element("div.screen", {}, this.stage.node, this.slider, buttons);
    this.node = element("div.player", {}, this.screen, this.#toggles(), climb.ghost ? this.#ghostModes() : null, this.warning);
    this.curves = curves(climb, (t) => this.seek(t), () => this.#showCurves());
    this.lanes = climb.contacts.length ? new ContactLanes(climb, (t) => this.seek(t)) : null;
    this.#listen();
  }

  #toggles() {
    const { climb, stage } = this;
    const sound = element("input", { type: "checkbox", onchange: () => (this.video.muted = !sound.checked) });
    const toggle = (box, name, legend = []) => element("label.toggle", {}, box, element("span", { say: name }), legend);
    const layer = (name, ...legend) => {
      const box = element("input", { type: "checkbox", checked: stage.layers[name], name });
      box.addEventListener("change", () => stage.setLayer(name, box.checked));
      return toggle(box, name, legend);
    };
    const side = (name) => element(`small.side.${name}`, { say: name });
    return element(
      "div.toggles",
      {},
      layer("skeleton", side("left"), side("right")),
      layer("trail"),
      climb.holds.length ? [layer("holds"), layer("types")] : [],
      climb.contacts.length ? layer("contacts") : null,
      toggle(sound, "sound"),
    );
  }

  // Off, over the climber, beside, alone; at the climber's point of the move, or in its own tempo.
  #ghostModes() {
    const tempo = element("input", { type: "checkbox", name: "own-tempo" });
    const chosen = () => modes.find((box) => box.checked).value;
    const change = () => this.stage.setGhost(chosen(), tempo.checked);
    const modes = GHOST_MODES.map((mode) =>
      element("input", { type: "radio", name: "ghost-mode", value: mode, checked: mode === this.stage.ghostMode, onchange: change }),
    );
    tempo.addEventListener("change", change);
    return element(
      "fieldset.ghost-modes",
      {},
      element("legend", { say: "ghost" }),
      element(
        "div.choice",
        {},
        modes.map((box) => element("label", {}, box, element("span", { say: `ghostMode.${box.value}` }))),
      ),
      element("label.toggle", {}, tempo, element("span", { say: "ownTempo" })),
    );
  }

  #button(name, path, action) {
    return element("button.icon", { type: "button", onclick: action, label: name, tip: name }, icon(path));
  }

  #load(url) {
    this.source = url.startsWith("blob:") ? null : url;
    this.stage.filled();
    this.warning.hidden = true;
    this.origin = 0;
    this.seeking = false;
    this.wanted = null;
    this.video.src = url;
    this.video.playbackRate = Number(this.speed.value);
  }

  #blank(reason) {
    this.stage.blank(reason);
    this.#show();
  }

  #listen() {
    const { video } = this;
    video.addEventListener("loadedmetadata", () => {
      const { width, height } = this.climb.video;
      const shape = (video.videoWidth / video.videoHeight) * (height / width);
      const longer = Math.abs(video.duration - this.climb.duration) > Math.max(0.5, 0.05 * this.climb.duration);
      this.warning.hidden = !(longer || Math.abs(shape - 1) > 0.03);
      // The rate is set anew with each source.
      video.playbackRate = Number(this.speed.value);
      if (this.t > 0) this.seek(this.t);
    });
    video.addEventListener("error", () => {
      if (video.getAttribute("src")) this.#blank(this.objectUrl ? "cannotPlay" : "needVideo");
    });
    for (const event of ["play", "pause", "ended"]) video.addEventListener(event, () => this.#playing());
    if ("requestVideoFrameCallback" in video) {
      // Called when a frame is put on screen, while playing as well as after a seek, with that frame's own time.
      const presented = (_, frame) => {
        if (frame.mediaTime < 0.5 && video.currentTime === 0) this.origin = frame.mediaTime;
        this.#presented(frame.mediaTime);
        if (video.paused) this.#checkSoon();
        video.requestVideoFrameCallback(presented);
      };
      video.requestVideoFrameCallback(presented);
    } else {
      const tick = () => {
        if (this.#playable && video.readyState >= 2 && !video.seeking) this.#presented(video.currentTime);
        this.frameRequest = requestAnimationFrame(tick);
      };
      this.frameRequest = requestAnimationFrame(tick);
    }
    video.addEventListener("seeked", () => {
      this.seeking = false;
      this.#checkSoon();
      if (this.wanted !== null) {
        const t = this.wanted;
        this.wanted = null;
        this.#seekVideo(t);
      }
    });
    this.#gestures();
  }

  // A tap plays and pauses; a drag sideways scrubs.
  #gestures() {
    let start = null;
    const surface = this.stage.canvas;
    surface.addEventListener("pointerdown", (event) => {
      if (this.held) return;
      start = { x: event.clientX, t: this.t, moved: false };
      surface.setPointerCapture(event.pointerId);
    });
    surface.addEventListener("pointermove", (event) => {
      if (!start || !surface.hasPointerCapture(event.pointerId)) return;
      const moved = event.clientX - start.x;
      if (Math.abs(moved) > 8) start.moved = true;
      if (start.moved) this.seek(start.t + (moved / surface.clientWidth) * Math.min(this.climb.duration, 10));
    });
    surface.addEventListener("pointerup", () => {
      if (start && !start.moved) this.toggle();
      start = null;
    });
    surface.addEventListener("pointercancel", () => (start = null));
  }

  toggle() {
    if (!this.#playable || this.held) return;
    if (this.video.paused) this.video.play().catch(() => {});
    else this.video.pause();
  }

  /** Go to `t` seconds of the result. */
  seek(t) {
    const wanted = Math.min(Math.max(t, 0), this.climb.duration);
    // Before its metadata are there a video seeks nowhere; it will go to `t` then.
    if (!this.#playable || this.video.readyState === 0) {
      this.t = wanted;
      this.#show();
    } else if (this.seeking) this.wanted = wanted;
    else this.#seekVideo(wanted);
  }

  // One seek at a time: browsers drop frames of seeks that are overtaken, and scrubbing would freeze.
  #seekVideo(t) {
    this.seeking = true;
    const last = this.video.duration || this.climb.duration;
    this.video.currentTime = Math.min(t + this.origin, Math.max(0, last - 0.001));
  }

  /** Go to a cue's moment and point at what it is about. */
  point(cue) {
    this.video.pause();
    const { hold_id: hold, limb, foot } = cue.values ?? {};
    this.stage.cue = { hold_id: hold, limb: limb ?? foot, from: cue.at - CUE_SECONDS, to: cue.at + CUE_SECONDS };
    this.seek(cue.at);
    this.#show();
  }

  /** While `held`, nothing plays and the picture is not for scrubbing. */
  hold(held) {
    this.held = held;
    if (held) this.video.pause();
  }

  /** One frame of the video on or back. */
  step(direction) {
    this.video.pause();
    const frame = 1 / (this.climb.video.source_fps ?? this.climb.video.fps);
    // Into the middle of the neighbour's time, so that no rounding shows the wrong one.
    this.seek(this.t + (direction > 0 ? 1.5 : -0.5) * frame);
  }

  // Browsers show a frame after a seek without telling, or tell of the one before it only then. The skeleton of another
  // frame must not stay on a picture that stands still.
  #checkSoon() {
    clearTimeout(this.check);
    this.check = setTimeout(() => this.#checkFrame(), UNTOLD_MS);
  }

  #checkFrame() {
    const { video, climb } = this;
    if (video.seeking || !video.paused || video.readyState < 2) return;
    const now = video.currentTime - this.origin;
    // On the border between two frames the browser may show either.
    const [first, last] = [now - ROUNDING_S, now + ROUNDING_S].map((t) => climb.times[climb.before(t)] ?? 0);
    if (this.t < first - ROUNDING_S || this.t > now + ROUNDING_S) this.#presented(last + this.origin);
  }

  #presented(mediaTime) {
    if (!this.#playable) return;
    this.t = Math.max(0, mediaTime - this.origin);
    this.#show();
  }

  #show() {
    const { climb, t } = this;
    this.stage.show(t);
    this.#showCurves();
    this.lanes?.show(t);
    this.followers.forEach((follow) => follow());
    if (!this.sliding) this.slider.value = t;
    this.clock.textContent = `${number(t, 2)} / ${number(climb.duration, 1)} s`;
    const said = words("positionOf", { t: number(t, 1), duration: number(climb.duration, 1) });
    this.slider.setAttribute("aria-valuetext", said);
  }

  #showCurves() {
    const near = this.climb.nearest(this.t);
    this.curves.charts.forEach((chart) => chart.show(this.t, near));
  }

  #playing() {
    const paused = this.video.paused || this.video.ended;
    const name = paused ? "play" : "pause";
    say(this.playButton, name, "aria-label");
    say(this.playButton, name, "title");
    this.playButton.querySelector("path").setAttribute("d", paused ? PLAY : PAUSE);
  }

  #fullscreen() {
    if (document.fullscreenElement) document.exitFullscreen();
    else this.screen.requestFullscreen().catch(() => {});
  }

  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    const { target } = event;
    const slider = target === this.slider;
    if (!slider && target.closest?.("input:not([type=checkbox]), select, textarea, [contenteditable], dialog")) return;
    if (this.held && target.closest?.(".stages")) return;
    if (event.key === " " && target.closest?.("button, a, summary, input:not([type=range])")) return;
    const action = {
      " ": () => this.toggle(),
      k: () => this.toggle(),
      ArrowLeft: () => this.seek(this.t - 1),
      ArrowRight: () => this.seek(this.t + 1),
      ",": () => this.step(-1),
      ".": () => this.step(1),
      Home: () => this.seek(0),
      End: () => this.seek(this.climb.duration),
    }[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  }
}
