// Which other analysis to compare this one with.

import * as api from "./api.js";
import { element } from "./elements.js";
import { moment } from "./language.js";
import { problemNotice } from "./problem-notice.js";

export function comparePicker(job) {
  const notice = problemNotice();
  const choice = element("select", { label: "compareWith", id: "compare-with" });
  const go = element("button", { type: "button", say: "compare", onclick: () => (location.hash = `#/compare/${job}/${choice.value}`) });
  const none = element("p.hint", { hidden: true, say: "compareNone" });
  const tools = element("div.tools", {}, choice, go);
  const node = element(
    "details.about",
    { id: "compare" },
    element("summary", { say: "compareTitle" }),
    element("p", { say: "compareIntro" }),
    tools,
    none,
    notice.node,
  );
  let asked = false;
  node.addEventListener("toggle", async () => {
    if (!node.open || asked) return;
    asked = true;
    try {
      const { items } = await api.get("analysis?limit=50");
      const others = items.filter((item) => item.id !== job && item.status === "completed");
      choice.append(...others.map((item) => element("option", { value: item.id, say: () => moment(item.created_at) })));
      none.hidden = others.length > 0;
      tools.hidden = !others.length;
      // The names belong to the videos.
      for (const [i, item] of others.entries()) {
        const { filename } = await api.get(`videos/${item.video_id}`);
        choice.options[i].textContent = `${filename} · ${moment(item.created_at)}`;
      }
    } catch (problem) {
      if (!choice.options.length) {
        asked = false;
        notice.show(problem);
      }
    }
  });
  return node;
}
