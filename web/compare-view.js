// Two analyses, number by number, and which differences are more than their uncertainties.

import * as api from "./api.js";
import { element } from "./elements.js";
import { moment, number, say, unit as unitWords } from "./language.js";
import { decimalsOf, metricName } from "./numbers.js";
import { problemNotice } from "./problem-notice.js";

export function compareView(first, second) {
  const notice = problemNotice();
  const body = element("div");
  const node = element(
    "div.analysis.compare",
    {},
    element("a.back", { href: "#/", say: "back" }),
    element("h1", { say: "compareTitle" }),
    notice.node,
    body,
  );
  let gone = false;

  async function load() {
    try {
      const comparison = await api.get(`analysis/${first}/compare/${second}`);
      if (!gone) body.replaceChildren(wall(comparison.same_wall), table(comparison));
    } catch (problem) {
      if (!gone && api.signedIn()) notice.show(problem);
    }
  }

  function table({ analyses, metrics }) {
    const heads = analyses.map((job, i) => {
      const link = element("a", { href: `#/analysis/${job}`, say: i ? "attemptB" : "attemptA" });
      named(job, link);
      return element("th", { scope: "col", role: "columnheader" }, link);
    });
    const rows = Object.entries(metrics).map(([name, { unit, values, change: difference, uncertainty, meaningful }]) => {
      const decimals = decimalsOf(values.find((value) => value !== null) ?? 0, uncertainty);
      const label = element("th", { scope: "row", role: "rowheader" }, element("span", { say: metricName(name) }));
      if (unit && !["1", "ratio"].includes(unit)) label.append(element("small", { say: () => ` ${unitWords(unit)}` }));
      const cells = values.map((value) => element("td", { role: "cell", say: (t) => (value === null ? t("notMeasured") : number(value, decimals)) }));
      const both = Number.isFinite(difference);
      const how = both ? number(difference, decimals) : "–";
      const sign = both && difference > 0 ? "+" : "";
      const spread = both && uncertainty ? ` ± ${number(uncertainty, decimals)}` : "";
      return element(
        meaningful ? "tr.meaningful" : "tr",
        { role: "row" },
        label,
        cells,
        element("td", { role: "cell", say: () => `${sign}${how}${spread}` }),
        element("td", { role: "cell", say: meaningful === null || !both ? "cannotTell" : meaningful ? "meaningful" : "notMeaningful" }),
      );
    });
    const columns = ["difference", "verdict"].map((name) => element("th", { scope: "col", role: "columnheader", say: name }));
    const first = element("th", { scope: "col", role: "columnheader", say: "metricHead" });
    return element(
      "div.scroll",
      { tabIndex: 0, role: "region", label: "compareTitle" },
      element(
        "table.comparison",
        { role: "table" }, // on a small screen rows are laid out as a grid, and would be no table any more
        element("thead", { role: "rowgroup" }, element("tr", { role: "row" }, first, heads, columns)),
        element("tbody", { role: "rowgroup" }, rows),
      ),
    );
  }

  async function named(job, link) {
    try {
      const { items } = await names();
      const item = items.find(({ id }) => id === job);
      const { filename } = await api.get(`videos/${item.video_id}`);
      say(link, () => `${filename}, ${moment(item.created_at)}`);
    } catch {
      // First and second will do.
    }
  }

  let listing = null;
  const names = () => (listing ??= api.get("analysis?limit=50"));

  load();
  return { node, destroy: () => (gone = true) };
}

function wall(same) {
  return element("p", { say: same === null ? "sameWallUnknown" : same ? "sameWall" : "otherWall" });
}
