// The player: the video with what was found drawn over it, and the curves that follow.

import { Chart } from "./chart.js";
import { element, icon } from "./elements.js";
import { number, say, t as words } from "./language.js";
import { draw } from "./overlay.js";

const PLAY = "M7 4v16l13-8z";
const PAUSE = "M6 4h4v16H6zM14 4h4v16h-4z";
const BACK = "M5 5h3v14H5zM20 5v14l-11-7z";
const ON = "M19 5h-3v14h3zM4 5v14l11-7z";
const FULL = "M4 4h7v3H7v4H4zM20 20h-7v-3h4v-4h3z";
const SPEEDS = [0.1, 0.25, 0.5, 1, 2];
const UNTOLD_MS = 250; // long after a browser tells which frame it shows
const STILL = 0.15; // torso lengths a second: below it, the metric `immobility` counts the hips as still

export class Player {
  /** `climb`: the result (climb.js). `askForFile()`: called when the user wants to choose the video. */
  constructor(climb, askForFile) {
    this.climb = climb;
    this.t = 0; // what is drawn, in the result's seconds
    this.origin = 0; // the first frame's time in the video, which the result calls 0
    this.seeking = false;
    this.wanted = null; // where to seek next, while another seek is under way
    this.sliding = false;
    this.told = true; // by the browser, which frame it shows
    this.layers = { skeleton: true, trail: true, holds: true, contacts: true, ghost: true };
    this.stepping = null;
    this.#build(askForFile);
    this.listeners = new AbortController();
    const { signal } = this.listeners;
    document.addEventListener("keydown", (event) => this.#key(event), { signal });
    document.addEventListener("language", () => this.#show(), { signal });
    this.observer = new ResizeObserver(() => this.#resize());
    this.observer.observe(this.stage);
  }

  destroy() {
    this.listeners.abort();
    this.observer.disconnect();
    this.charts.forEach((chart) => chart.destroy());
    cancelAnimationFrame(this.frameRequest);
    clearTimeout(this.untold);
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
    return !this.stage.classList.contains("blank");
  }

  #build(askForFile) {
    const { climb } = this;
    const { width, height } = climb.video;
    this.video = element("video", { playsInline: true, preload: "auto", muted: true, tabIndex: -1 });
    say(this.video, "player", "aria-label");
    this.canvas = element("canvas.overlay", { "aria-hidden": "true" });
    this.note = element("p.note", { hidden: true, say: "noClimber" });
    this.notice = element("p", {});
    const choose = element("button", { type: "button", onclick: askForFile, say: "chooseVideo" });
    this.placeholder = element("div.placeholder", {}, this.notice, choose);
    this.stage = element("div.stage.blank", {}, this.video, this.canvas, this.note, this.placeholder);
    this.stage.style.setProperty("--ratio", `${width} / ${height}`);
    this.stage.style.setProperty("--shape", width / height);
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
    this.sound = element("input", { type: "checkbox", onchange: () => (this.video.muted = !this.sound.checked) });
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
    const layer = (name, ...legend) => {
      const box = element("input", { type: "checkbox", checked: this.layers[name], name });
      box.addEventListener("change", () => {
        this.layers[name] = box.checked;
        this.#show();
      });
      return element("label.toggle", {}, box, element("span", { say: name }), legend);
    };
    const side = (name) => element(`small.side.${name}`, { say: name });
    this.warning = element("p.warning", { hidden: true, role: "alert", say: "otherVideo" });
    this.screen = element("div.screen", {}, this.stage, this.slider, buttons);
    const toggles = element(
      "div.toggles",
      {},
      layer("skeleton", side("left"), side("right")),
      layer("trail"),
      ["holds", "contacts", "ghost"].filter((name) => climb[name].length).map((name) => layer(name)),
      element("label.toggle", {}, this.sound, element("span", { say: "sound" })),
    );
    this.node = element("div.player", {}, this.screen, toggles, this.warning);
    this.charts = this.#charts();
    this.#listen();
  }

  #charts() {
    const { climb } = this;
    const shared = { times: climb.times, duration: climb.duration, seek: (t) => this.seek(t) };
    const speed = climb.hipSpeed();
    const fastest = Math.max(1, ...speed.filter(Number.isFinite));
    const charts = [
      new Chart({
        ...shared,
        title: "hipSpeed",
        unit: "torsos",
        series: [{ color: "--gravity", values: speed }],
        range: [0, Math.ceil(fastest)],
        decimals: 2,
        mark: STILL,
      }),
    ];
    for (const [title, joint] of [["elbows", "elbow"], ["knees", "knee"]]) {
      const series = ["left", "right"]
        .map((side) => ({ name: side, color: `--${side}`, values: climb.angle(`${side}_${joint}`) }))
        .filter(({ values }) => values);
      if (series.length) charts.push(new Chart({ ...shared, title, unit: "degrees", series, range: [0, 180], decimals: 0 }));
    }
    return charts;
  }

  #button(name, path, action) {
    return element("button.icon", { type: "button", onclick: action, label: name, tip: name }, icon(path));
  }

  #load(url) {
    this.stage.classList.remove("blank");
    this.placeholder.hidden = true;
    this.warning.hidden = true;
    this.origin = 0;
    this.seeking = false;
    this.wanted = null;
    this.video.src = url;
    this.video.playbackRate = Number(this.speed.value);
  }

  #blank(reason) {
    this.stage.classList.add("blank");
    this.placeholder.hidden = false;
    say(this.notice, reason);
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
    video.addEventListener("seeking", () => (this.told = false));
    for (const event of ["play", "pause", "ended"]) video.addEventListener(event, () => this.#playing());
    if ("requestVideoFrameCallback" in video) {
      // Called when a frame is put on screen, while playing as well as after a seek, with that frame's own time.
      const presented = (_, frame) => {
        if (frame.mediaTime < 0.5 && video.currentTime === 0) this.origin = frame.mediaTime;
        this.#presented(frame.mediaTime);
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
      clearTimeout(this.untold);
      this.untold = setTimeout(() => this.#untold(), UNTOLD_MS);
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
    const surface = this.canvas;
    surface.addEventListener("pointerdown", (event) => {
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
    if (!this.#playable) return;
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

  /** One frame of the video on or back. */
  step(direction) {
    this.video.pause();
    const frame = 1 / (this.climb.video.source_fps ?? this.climb.video.fps);
    // Into the middle of the neighbour's time, so that no rounding shows the wrong one.
    this.seek(this.t + (direction > 0 ? 1.5 : -0.5) * frame);
  }

  // A frame that the browser shows after a seek without telling must not be left with another one's skeleton.
  #untold() {
    const { video, climb } = this;
    if (this.told || video.seeking || !video.paused || video.readyState < 2) return;
    const frame = climb.before(video.currentTime - this.origin + 0.001);
    this.#presented(frame < 0 ? video.currentTime : climb.times[frame] + this.origin);
  }

  #presented(mediaTime) {
    this.told = true;
    if (!this.#playable) return;
    this.t = Math.max(0, mediaTime - this.origin);
    this.#show();
  }

  #show() {
    const { climb, t } = this;
    const seen = draw(this.canvas, climb, t, this.layers);
    this.canvas.dataset.t = t.toFixed(4);
    this.note.hidden = seen;
    const near = climb.nearest(t);
    this.charts.forEach((chart) => chart.show(t, near));
    if (!this.sliding) this.slider.value = t;
    this.clock.textContent = `${number(t, 2)} / ${number(climb.duration, 1)} s`;
    const said = words("positionOf", { t: number(t, 1), duration: number(climb.duration, 1) });
    this.slider.setAttribute("aria-valuetext", said);
  }

  #playing() {
    const paused = this.video.paused || this.video.ended;
    const name = paused ? "play" : "pause";
    say(this.playButton, name, "aria-label");
    say(this.playButton, name, "title");
    this.playButton.querySelector("path").setAttribute("d", paused ? PLAY : PAUSE);
  }

  #resize() {
    const ratio = devicePixelRatio || 1;
    const { clientWidth, clientHeight } = this.stage;
    this.canvas.width = Math.round(clientWidth * ratio);
    this.canvas.height = Math.round(clientHeight * ratio);
    this.#show();
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
