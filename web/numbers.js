// The metrics: each with its unit, how sure it is, what it was computed from, or why it is not known.

import { element } from "./elements.js";
import { known, number, sayTold, translated, unit as unitWords } from "./language.js";

export function numbers({ metrics, metrics_info: infos = {} }) {
  const rows = Object.entries(metrics).map(([name, value]) => metric(name, value, infos[name] ?? {}));
  // What is measured first.
  rows.sort((a, b) => a.classList.contains("unknown") - b.classList.contains("unknown"));
  return element("section", { id: "numbers" }, element("h2", { say: "numbers" }), element("dl.numbers", {}, rows));
}

/** A metric's name in the page's language. */
export function metricName(name) {
  return (t) => (known(`metric.${name}`) ? t(`metric.${name}`) : name.replaceAll("_", " "));
}

/** To how many decimals a value is shown, given how sure it is: no more than the uncertainty bears. */
export function decimalsOf(value, uncertainty) {
  if (Number.isInteger(value) && !(uncertainty && !Number.isInteger(uncertainty))) return 0;
  if (!uncertainty) return 2;
  return Math.min(3, Math.max(0, 1 - Math.floor(Math.log10(Math.abs(uncertainty)))));
}

function metric(name, value, info) {
  const heading = element("dt", { say: metricName(name) });
  if (value === null) {
    const reason = info.reason ? sayTold(element("p.hint"), info.reason) : null;
    return element("div.unknown", {}, heading, element("dd", {}, element("em", { say: "notMeasured" }), reason));
  }
  const decimals = decimalsOf(value, info.uncertainty);
  const amount = element("data", { value: String(value), say: () => number(value, decimals) });
  const spread = info.uncertainty
    ? element("span.spread", { tip: "spreadMeans", say: () => ` ± ${number(info.uncertainty, decimals)}` })
    : null;
  // Bare numbers have the unit 1 and shares are ratios: what they mean says more than that.
  const plain = !info.unit || ["1", "ratio"].includes(info.unit);
  const unit = plain ? null : element("span.unit", { say: () => ` ${unitWords(info.unit)}` });
  const meaning = info.meaning ? sayTold(element("p.hint"), info.meaning, `meaning.${name}`) : null;
  const from = info.from?.length
    ? element("p.hint", { say: (t) => t("computedFrom", { what: info.from.map((part) => (known(`from.${part}`) ? t(`from.${part}`) : part.replaceAll("_", " "))).join(", ") }) })
    : null;
  const after = (key, told) => (told ? element("p.hint", { say: (t) => t(key, { what: translated(told) ?? told }) }) : null);
  const [assumed, source] = [after("assumes", info.assumes), after("source", info.source)];
  return element("div", {}, heading, element("dd", {}, amount, spread, unit, meaning, from, assumed, source));
}
