// What there is to know about the Ghost: its certificate, what it changes, and, where there is none, why and how to get one.

import { element } from "./elements.js";
import { change, known, measure, number, sayTold, t } from "./language.js";
import { problemNotice } from "./problem-notice.js";

/** `seek(t)` jumps to a moment of the video. */
export function ghostPanel(ghost, seek) {
  const { certificate } = ghost;
  const parts = [element("h2", { say: "ghost" })];
  if (certificate) {
    parts.push(
      element("p.verdict", { say: certificate.passed ? "certificatePassed" : "certificateFailed" }),
      gates(certificate.gates ?? {}, seek),
      changes(certificate.change ?? {}),
      footOrder(certificate.foot_order ?? [], seek),
    );
    parts[1].dataset.passed = certificate.passed;
  }
  return element("section", { id: "ghost" }, parts);
}

function gates(table, seek) {
  const rows = Object.entries(table).map(([name, { value, limit, unit: told, passed, worst_t: worst }]) => {
    const key = `gate.${name}`;
    const unit = told === "1" ? "ratio" : told; // a bone's drift is relative
    const jump = Number.isFinite(worst)
      ? element("button.link", { type: "button", onclick: () => seek(worst), say: (t) => t("atSecond", { t: number(worst, 1) }) })
      : null;
    return element(
      "tr",
      {},
      element("th", { scope: "row", say: (t) => (known(key) ? t(key) : name.replaceAll("_", " ")) }),
      element("td", { say: () => (Number.isFinite(value) ? measure(value, unit) : t("notKnown")) }),
      element("td", { say: (t) => (Number.isFinite(limit) ? t("atMost", { limit: measure(limit, unit) }) : "–") }),
      element(`td.${passed ? "passed" : "not-passed"}`, {}, element("span", { say: passed ? "passed" : "notPassed" }), jump),
    );
  });
  const heads = ["gate", "gateWorst", "gateLimit", "gateResult"].map((name) => element("th", { scope: "col", say: name }));
  return element(
    "div.scroll",
    { tabIndex: 0, role: "region", label: "certificate" },
    element("table.gates", {}, element("caption", { say: "certificate" }), element("thead", {}, element("tr", {}, heads)), element("tbody", {}, rows)),
  );
}

function changes(values) {
  const entries = Object.entries(values).filter(([, value]) => Number.isFinite(value));
  if (!entries.length) return null;
  return element(
    "div",
    {},
    element("h3", { say: "ghostChanges" }),
    element(
      "dl.changes",
      {},
      entries.map(([name, value]) =>
        element(
          "div",
          {},
          element("dt", { say: (t) => (known(`change.${name}`) ? t(`change.${name}`) : name.replaceAll("_", " ")) }),
          element("dd", { say: () => change(value) }),
        ),
      ),
    ),
  );
}

// Feet that the Ghost moves before the hands that the climber moved before them.
function footOrder(feet, seek) {
  if (!feet.length) return null;
  return element(
    "div.foot-order",
    {},
    element("h3", { say: (t) => t("footOrder", { change: change(-feet[0].saved) }) }),
    element(
      "ul",
      {},
      feet.map(({ limb, before, at }) =>
        element(
          "li",
          {},
          element("span", { say: (t) => t("footFirst", { foot: t(`value.${limb}`), hand: t(`value.${before}`) }) }),
          " ",
          element("button.link", { type: "button", onclick: () => seek(at), say: (t) => t("atSecond", { t: number(at, 1) }) }),
        ),
      ),
    ),
  );
}

/**
 * In place of a Ghost. `reason`: the analysis's own; `tier`: the reader's, null for a guest; `ask()`: starts an analysis
 * with a Ghost, null where that makes no sense; it rejects with a Problem, which may be the gate itself.
 */
export function noGhost({ reason, tier, ask }) {
  const notice = problemNotice();
  const gate = element("div.gate", { hidden: tier !== "free" }, element("h3", { say: "gateTitle" }), gains());
  const button = ask && element("button", { type: "button", say: "askGhost", onclick: send });
  async function send() {
    button.disabled = true;
    notice.clear();
    try {
      await ask();
    } catch (problem) {
      notice.show(problem);
      if (problem.type === "ghost-needs-pro") gate.hidden = false;
    } finally {
      button.disabled = false;
    }
  }
  return element(
    "section",
    { id: "ghost" },
    element("h2", { say: "ghost" }),
    element("p", {}, element("span", { say: "noGhost" }), " ", reason ? sayTold(element("span.reason"), reason) : null),
    gate,
    button,
    notice.node,
  );
}

/** What Pro gives: the list that the gate shows. */
export function gains() {
  return element(
    "div",
    {},
    element("p", { say: "gateIntro" }),
    element("ul", {}, ["gateBody", "gateCertificate", "gateCues", "gateShare"].map((say) => element("li", { say }))),
  );
}
