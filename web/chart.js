// A small chart over the time of the video: its lines, and a playhead that can be dragged.

import { element } from "./elements.js";
import { number, say } from "./language.js";

const PADDING = { left: 34, right: 8, top: 8, bottom: 18 };

/**
 * `title`: a key of the dictionary. `series`: [{name: key, color: CSS variable, values: one a frame}]. `range`: [low, high].
 * `seek(t)` is called while the playhead is dragged.
 */
export class Chart {
  constructor({ title, unit, series, times, duration, range, decimals, mark, seek }) {
    Object.assign(this, { series, times, duration, range, decimals, mark });
    this.canvas = element("canvas", { role: "img" });
    this.head = element("div.playhead");
    const area = element("div.chart-area", {}, this.canvas, this.head);
    this.readings = series.map(() => element("output"));
    const legend = series.map(({ name }, i) => {
      const entry = element("span.reading", {}, element("i"), element("span", name ? { say: name } : {}), this.readings[i]);
      entry.style.setProperty("--line", `var(${series[i].color})`);
      return entry;
    });
    const heading = element("h3", {}, element("span", { say: title }), element("small", { say: unit }));
    this.node = element("section.chart", {}, element("header", {}, heading, element("div.readings", {}, legend)), area);
    say(this.canvas, (t) => `${t(title)}, ${t(unit)}: ${this.#summary(t)}`, "aria-label");
    this.#drag(area, seek);
    this.observer = new ResizeObserver(() => this.draw());
    this.observer.observe(area);
    this.scheme = matchMedia("(prefers-color-scheme: dark)");
    this.scheme.addEventListener("change", this.draw);
    this.t = 0;
    this.frame = -1;
  }

  destroy() {
    this.observer.disconnect();
    this.scheme.removeEventListener("change", this.draw);
  }

  /** Move the playhead to `t` seconds; `frame` is the analysed frame there, or -1. */
  show(t, frame) {
    this.t = t;
    this.frame = frame;
    const width = this.canvas.clientWidth - PADDING.left - PADDING.right;
    this.head.style.transform = `translateX(${PADDING.left + (width * Math.min(t, this.duration)) / this.duration}px)`;
    this.series.forEach(({ values }, i) => {
      const value = frame < 0 ? NaN : values[frame];
      this.readings[i].textContent = Number.isFinite(value) ? number(value, this.decimals) : "–";
    });
  }

  draw = () => {
    const { canvas } = this;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    if (!width) return;
    const ratio = devicePixelRatio || 1;
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    const context = canvas.getContext("2d");
    context.scale(ratio, ratio);
    const style = getComputedStyle(canvas);
    const color = (name) => style.getPropertyValue(name).trim();
    const x = (t) => PADDING.left + ((width - PADDING.left - PADDING.right) * t) / this.duration;
    const [low, high] = this.range;
    const y = (value) => height - PADDING.bottom - ((height - PADDING.top - PADDING.bottom) * (value - low)) / (high - low);
    context.font = `11px ${style.fontFamily}`;
    this.#grid(context, x, y, width, height, color);
    for (const { values, color: name } of this.series) {
      context.strokeStyle = color(name);
      context.lineWidth = 1.75;
      context.lineJoin = "round";
      context.beginPath();
      let drawing = false;
      values.forEach((value, i) => {
        if (!Number.isFinite(value)) {
          drawing = false;
          return;
        }
        const point = [x(this.times[i]), y(Math.min(Math.max(value, low), high))];
        if (drawing) context.lineTo(...point);
        else context.moveTo(...point);
        drawing = true;
      });
      context.stroke();
    }
    this.show(this.t, this.frame);
  };

  #grid(context, x, y, width, height, color) {
    const [low, high] = this.range;
    context.fillStyle = color("--muted");
    context.strokeStyle = color("--line-soft");
    context.textAlign = "right";
    context.textBaseline = "middle";
    for (const value of [low, (low + high) / 2, high]) {
      const level = Math.round(y(value)) + 0.5;
      context.beginPath();
      context.moveTo(PADDING.left, level);
      context.lineTo(width - PADDING.right, level);
      context.stroke();
      context.fillText(number(value, Number.isInteger(value) ? 0 : 1), PADDING.left - 6, level);
    }
    context.textBaseline = "alphabetic";
    const step = [1, 2, 5, 10, 20, 30, 60].find((seconds) => this.duration / seconds <= 7) ?? 120;
    for (let t = 0; t <= this.duration; t += step) {
      context.textAlign = t === 0 ? "left" : t + step / 4 > this.duration ? "right" : "center";
      context.fillText(`${t} s`, x(t), height - 4);
    }
    if (this.mark !== undefined) {
      context.setLineDash([3, 4]);
      context.strokeStyle = color("--muted");
      context.beginPath();
      context.moveTo(PADDING.left, y(this.mark));
      context.lineTo(width - PADDING.right, y(this.mark));
      context.stroke();
      context.setLineDash([]);
    }
  }

  #summary(t) {
    return this.series
      .map(({ name, values }) => {
        const known = values.filter(Number.isFinite);
        const words = known.length
          ? t("fromTo", { low: number(Math.min(...known), this.decimals), high: number(Math.max(...known), this.decimals) })
          : t("notKnown");
        return name ? `${t(name)} ${words}` : words;
      })
      .join("; ");
  }

  #drag(area, seek) {
    const move = (event) => {
      const box = this.canvas.getBoundingClientRect();
      const share = (event.clientX - box.left - PADDING.left) / (box.width - PADDING.left - PADDING.right);
      seek(Math.min(Math.max(share, 0), 1) * this.duration);
    };
    area.addEventListener("pointerdown", (event) => {
      area.setPointerCapture(event.pointerId);
      move(event);
    });
    area.addEventListener("pointermove", (event) => {
      if (area.hasPointerCapture(event.pointerId)) move(event);
    });
  }
}
