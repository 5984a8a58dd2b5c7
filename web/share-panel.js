// Read-only links to an analysis: made, copied and revoked by its owner, on Pro.

import * as api from "./api.js";
import { gains } from "./ghost-panel.js";
import { element } from "./elements.js";
import { days, moment, t } from "./language.js";
import { problemNotice } from "./problem-notice.js";

const DAYS = [1, 7, 30, 90];

export function sharePanel(job, tier) {
  const notice = problemNotice();
  const list = element("ul.shares");
  const validity = element(
    "select",
    { label: "shareDays", id: "share-days" },
    DAYS.map((count) => element("option", { value: count, selected: count === 30, say: () => days(count) })),
  );
  const make = element("button", { type: "button", say: "makeLink", id: "make-link", onclick: create });
  const free = tier === "free";
  const node = element(
    "details.about",
    { id: "share" },
    element("summary", { say: "share" }),
    element("p", { say: free ? "shareNeedsPro" : "shareIntro" }),
    free ? gains() : element("div.tools", {}, validity, make),
    notice.node,
    list,
  );
  let asked = false;
  node.addEventListener("toggle", () => {
    if (node.open && !asked && !free) load();
  });

  async function load() {
    asked = true;
    try {
      const answer = await api.get(`analysis/${job}/shares`);
      list.replaceChildren(...(answer.items ?? answer.shares ?? answer).map((share) => row(share)));
    } catch (problem) {
      asked = false;
      notice.show(problem);
    }
  }

  async function create() {
    make.disabled = true;
    notice.clear();
    try {
      const share = await api.post(`analysis/${job}/shares`, { expires_in_days: Number(validity.value) });
      const entry = row(share, share.url);
      list.prepend(entry);
      entry.querySelector("input")?.select();
    } catch (problem) {
      notice.show(problem);
    } finally {
      make.disabled = false;
    }
  }

  // The address is known only once, when it is made.
  function row(share, url = null) {
    const entry = element("li");
    const address = url && element("input", { type: "text", readOnly: true, value: url, label: "shareLink", onfocus: () => address.select() });
    const copy = url && element("button", { type: "button", say: "copy", onclick: () => copied(url, copy) });
    const revoke = element("button", { type: "button", say: "revoke", onclick: remove });
    async function remove() {
      notice.clear();
      try {
        await api.remove(`analysis/${job}/shares/${share.id}`);
        entry.remove();
      } catch (problem) {
        notice.show(problem);
      }
    }
    const until = element("span.when", { say: (t) => t("shareUntil", { created: moment(share.created_at), expires: moment(share.expires_at) }) });
    entry.append(...[address && element("div.tools", {}, address, copy), element("div.tools", {}, until, revoke)].filter(Boolean));
    return entry;
  }

  async function copied(url, button) {
    try {
      await navigator.clipboard.writeText(url);
      button.textContent = t("copied");
    } catch {
      button.closest("li").querySelector("input").select();
    }
  }

  return node;
}
