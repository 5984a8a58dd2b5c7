// How a video is to be analysed: what only the climber knows, and whether a Ghost is wanted.

import { gains } from "./ghost-panel.js";
import { element } from "./elements.js";

const STORED = "ascension.height";

/** `read()` gives the options of the API; null where a field holds something impossible, which is then pointed at. */
export function uploadOptions() {
  const height = element("input", { type: "number", id: "height", min: 50, max: 250, step: "any", inputMode: "decimal", value: kept() });
  const angle = element("input", { type: "number", id: "angle", min: -90, max: 90, step: "any", inputMode: "decimal" });
  const ghost = element("input", { type: "checkbox", id: "with-ghost" });
  const needsPro = element("small.pro", { hidden: true, say: "needsPro" });
  const field = (input, label, hint) =>
    element("div.field", {}, element("label", { htmlFor: input.id, say: label }), input, element("p.hint", { say: hint }));
  const node = element(
    "details.about.options",
    { id: "options" },
    element("summary", { say: "options" }),
    field(height, "height", "heightHint"),
    field(angle, "angle", "angleHint"),
    element("label.toggle", {}, ghost, element("span", { say: "withGhost" }), needsPro),
  );
  let tier = null;
  return {
    node,
    setTier(name) {
      tier = name;
      needsPro.hidden = name !== "free";
      ghost.checked = name !== null && name !== "free";
    },
    withoutGhost() {
      ghost.checked = false;
    },
    read() {
      const wrong = [height, angle].find((input) => !input.checkValidity());
      if (wrong) {
        node.open = true;
        wrong.reportValidity();
        return null;
      }
      keep(height.value);
      const options = {};
      if (height.value) options.climber_height_cm = Number(height.value);
      if (angle.value) options.wall_angle_deg = Number(angle.value);
      // Left out, it is what the tier has.
      if (tier === "free" ? ghost.checked : tier !== null && !ghost.checked) options.generate_ghost = ghost.checked;
      return options;
    },
  };
}

/** What is shown to whom asks for a Ghost without Pro. `goOn()` analyses without. */
export function ghostGate(goOn) {
  return element(
    "section.card.gate",
    { id: "gate" },
    element("h2", { say: "gateTitle" }),
    gains(),
    element("button", { type: "button", say: "withoutGhost", onclick: goOn }),
  );
}

function kept() {
  try {
    return localStorage.getItem(STORED) ?? "";
  } catch {
    return "";
  }
}

function keep(height) {
  try {
    localStorage.setItem(STORED, height);
  } catch {
    // Without storage it is asked for again.
  }
}
