// One analysis: its upload and its stages while it is under way, then the result; and again while it is computed anew.

import * as api from "./api.js";
import { Climb } from "./climb.js";
import { comparePicker } from "./compare-picker.js";
import { element } from "./elements.js";
import { holdEditing } from "./hold-editing.js";
import { say, t } from "./language.js";
import { problemNotice } from "./problem-notice.js";
import { progressPanel } from "./progress-panel.js";
import { resultView } from "./result-view.js";
import { sharePanel } from "./share-panel.js";

// The socket tells the news at once; asking is for what got lost, and for when there is no socket.
const ASK_MS = 3000;
const ASK_ANYWAY_MS = 15000;

export function analysisView(shared, job) {
  const title = element("h1", { say: "untitled" });
  const body = element("div.analysis-body");
  const notice = problemNotice();
  const retry = element("button.quiet", { type: "button", hidden: true, say: "retry", onclick: () => ask() });
  const node = element(
    "div.analysis",
    {},
    element("a.back", { href: "#/", say: "back" }),
    title,
    notice.node,
    retry,
    body,
  );
  let timer = 0;
  let over = false; // nothing will change any more by itself
  let gone = false; // another view is shown
  let progress = null;
  let result = null; // resultView
  let revision = -1; // which one is shown
  let expected = 0; // which one is worth showing
  let named = false;

  async function ask() {
    clearTimeout(timer);
    if (gone || over) return;
    try {
      const analysis = await api.get(`analysis/${job}`);
      if (gone || over) return;
      notice.clear();
      retry.hidden = true;
      await take(analysis);
      name(analysis.video_id);
    } catch (problem) {
      if (gone || !api.signedIn()) return;
      if (problem.status === 404) over = true;
      if (!(problem instanceof api.Problem)) reportError(problem); // a mistake of the page's own
      // Changed between two looks: the next one will see it.
      if (problem.type !== "analysis-changing") notice.show(problem);
      retry.hidden = over;
    }
    clearTimeout(timer);
    if (!over) timer = setTimeout(ask, shared.events.open ? ASK_ANYWAY_MS : ASK_MS);
  }

  async function take(analysis) {
    if (analysis.status === "completed" && analysis.result) await finished(analysis);
    else if (analysis.status === "failed") failed(analysis.error);
    else under(analysis.progress, analysis.status);
  }

  function under({ stage, fraction }, status) {
    if (over) return;
    if (!progress) {
      progress = progressPanel(shared, job);
      if (result) body.prepend(progress.node);
      else body.replaceChildren(progress.node);
    }
    progress.tell(stage, fraction, status);
  }

  function settled() {
    over = true;
    progress?.destroy();
    progress?.node.remove();
    progress = null;
  }

  function failed(error) {
    settled();
    const reason = problemNotice();
    reason.show(error ?? {});
    const card = element("section.card.failed", {}, element("h2", { say: "failedTitle" }), reason.node);
    // A correction that fails takes nothing away from what was there before.
    if (result) body.prepend(card);
    else {
      card.append(element("a.button", { href: "#/", say: "another" }));
      body.replaceChildren(card);
    }
    shared.announce(t("failedTitle"));
  }

  async function finished(analysis) {
    const found = analysis.result.revision ?? 0;
    if (found < expected) return;
    const watched = progress !== null;
    const tier = await shared.tier();
    if (gone || over) return;
    settled();
    if (found === revision) return;
    revision = found;
    const before = result;
    const [src, at] = before ? [before.player.source, before.player.t] : [null, 0];
    before?.destroy();
    const climb = new Climb(analysis.result);
    result = resultView(climb, {
      analysis,
      tier,
      askGhost: analysis.options?.generate_ghost ? null : () => withGhost(analysis),
      chosen: (file) => shared.files.set(job, file),
      tools: (player) => ({
        below: climb.result.holds ? holdEditing(climb, player, correct) : null,
        aside: [sharePanel(job, tier), comparePicker(job)],
      }),
    });
    body.replaceChildren(result.node);
    const file = shared.files.get(job);
    if (file) result.player.useFile(file);
    else if (src) result.player.useUrl(src);
    else fetchVideo(analysis.video_id);
    if (at) result.player.seek(at);
    if (watched) shared.announce(t("status.completed"));
  }

  async function withGhost({ video_id: videoId, options }) {
    const started = await api.post("analysis/start", { video_id: videoId, options: { ...options, generate_ghost: true } });
    if (shared.files.has(job)) shared.files.set(started.job_id, shared.files.get(job));
    location.hash = `#/analysis/${started.job_id}`;
  }

  // What the user sets right about the holds: everything that depends on them is computed anew.
  async function correct(changes) {
    const started = await api.patch(`analysis/${job}/holds`, { changes });
    expected = started.revision ?? revision + 1;
    over = false;
    body.querySelectorAll(":scope > .failed").forEach((card) => card.remove());
    under({ stage: "waiting", fraction: 0 }, started.status ?? "processing");
    progress.node.scrollIntoView({ block: "nearest" });
    ask();
  }

  // The stored video, as long as it is there: an unsaved one goes after a day.
  async function fetchVideo(videoId) {
    const { player } = result;
    try {
      const video = await api.get(`videos/${videoId}`);
      if (gone) return;
      if (video.download_url) player.useUrl(video.download_url);
      else player.useNothing();
    } catch {
      if (!gone) player.useNothing();
    }
  }

  async function name(videoId) {
    if (named) return;
    named = true;
    const file = shared.files.get(job);
    try {
      const filename = file ? file.name : (await api.get(`videos/${videoId}`)).filename;
      say(title, () => filename);
      document.title = `${filename} · Ascension`;
    } catch {
      named = false;
    }
  }

  function news({ detail: { event, job_id: about, data } }) {
    if (about !== job) return;
    if (event === "analysis:completed" || event === "analysis:failed") {
      // Another tab may have corrected the holds.
      if (event === "analysis:completed" && result) over = false;
      ask();
    } else if (!over && (event === "analysis:started" || event === "analysis:progress")) under(data, "processing");
  }

  function heard() {
    progress?.live(shared.events.open);
    // Whatever happened while there was no connection.
    ask();
  }

  shared.events.addEventListener("news", news);
  shared.events.addEventListener("state", heard);
  ask();
  return {
    node,
    destroy() {
      gone = true;
      clearTimeout(timer);
      shared.events.removeEventListener("news", news);
      shared.events.removeEventListener("state", heard);
      progress?.destroy();
      result?.destroy();
    },
  };
}
