// The cues: what to change, in words with a number. A click jumps to the moment and shows the place.

import { element } from "./elements.js";
import { change, known, number, say, template } from "./language.js";

/** `point(cue)` jumps and highlights. */
export function cueList(cues, point) {
  const buttons = cues.map((cue) => {
    const button = element(
      "button.cue",
      { type: "button", "aria-pressed": "false" },
      element("time", { say: () => clock(cue.at) }),
      text(cue),
      effect(cue),
    );
    button.addEventListener("click", () => {
      for (const other of buttons) other.setAttribute("aria-pressed", String(other === button));
      point(cue);
    });
    return button;
  });
  return element(
    "section",
    { id: "cues" },
    element("h2", { say: "cues" }),
    element("ol.cues", {}, buttons.map((button) => element("li", {}, button))),
  );
}

// In the page's language where it has words for the key and every value that they need, else in the result's English.
function text(cue) {
  const node = element("span.cue-text");
  say(node, () => {
    const words = template(`cue.${cue.text_key}`);
    const names = words ? [...words.matchAll(/\{(\w+)\}/g)].map(([, name]) => name) : [];
    const complete = words && names.every((name) => cue.values?.[name] !== undefined && cue.values[name] !== null);
    node.lang = complete ? document.documentElement.lang : "en";
    return complete ? words.replace(/\{(\w+)\}/g, (_, name) => value(cue.values[name])) : cue.text;
  });
  return node;
}

function value(told) {
  if (typeof told === "number") return number(told, Number.isInteger(told) ? 0 : 1).replace("-", "−");
  return template(`value.${told}`) ?? String(told);
}

function effect({ metric, change: amount, gate_checked: checked }) {
  if (!metric || !Number.isFinite(amount)) return null;
  const keys = [`change.${metric}`, `metric.${metric}`];
  return element("small.effect", {
    say: (t) => {
      const key = keys.find(known);
      const words = `${key ? t(key) : metric.replaceAll("_", " ")} ${change(amount)}`;
      return checked === false ? `${words}, ${t("cueUnchecked")}` : words;
    },
  });
}

function clock(seconds) {
  const whole = Math.floor(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}
