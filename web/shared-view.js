// An analysis that somebody shared by a link: to look at, without an account. The video stays with whoever has it.

import * as api from "./api.js";
import { Climb } from "./climb.js";
import { element } from "./elements.js";
import { problemNotice } from "./problem-notice.js";
import { resultView } from "./result-view.js";

export function sharedView(token) {
  const title = element("h1", { say: "sharedTitle" });
  const intro = element("p.hint", { say: "sharedIntro" });
  const notice = problemNotice();
  const body = element("div.analysis-body");
  const node = element("div.analysis.shared", {}, title, intro, notice.node, body);
  let result = null;
  let gone = false;

  async function load() {
    try {
      const analysis = await api.getOpen(`shared/${encodeURIComponent(token)}`);
      if (gone) return;
      result = resultView(new Climb(analysis.result), { analysis });
      body.replaceChildren(result.node);
      result.player.useNothing();
      if (analysis.thumbnail_url) result.player.stage.poster(analysis.thumbnail_url);
    } catch (problem) {
      if (gone) return;
      intro.hidden = true;
      if (problem.status === 404) problem.type = "share-not-found";
      if (!(problem instanceof api.Problem)) reportError(problem); // a mistake of the page's own
      notice.show(problem);
    }
  }

  load();
  return {
    node,
    destroy() {
      gone = true;
      result?.destroy();
    },
  };
}
