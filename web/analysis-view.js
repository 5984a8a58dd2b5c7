// One analysis: its upload and its stages while it is under way, then the player, the curves and the numbers.

import * as api from "./api.js";
import { Climb } from "./climb.js";
import { element } from "./elements.js";
import { known, number, percent, say, t } from "./language.js";
import { Player } from "./player.js";
import { problemNotice } from "./problem-notice.js";
import { VIDEOS } from "./upload.js";

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
  let over = false; // nothing will change any more
  let gone = false; // another view is shown
  let progress = null;
  let player = null;
  let named = false;

  async function ask() {
    clearTimeout(timer);
    if (gone || over) return;
    try {
      const analysis = await api.get(`analysis/${job}`);
      if (gone) return;
      notice.clear();
      retry.hidden = true;
      take(analysis);
      name(analysis.video_id);
    } catch (problem) {
      if (gone || !api.signedIn()) return;
      if (problem.status === 404) over = true;
      notice.show(problem);
      retry.hidden = over;
    }
    if (!over) timer = setTimeout(ask, shared.events.open ? ASK_ANYWAY_MS : ASK_MS);
  }

  function take(analysis) {
    if (analysis.status === "completed" && analysis.result) finished(analysis);
    else if (analysis.status === "failed") failed(analysis.error);
    else under(analysis.progress, analysis.status);
  }

  function under({ stage, fraction }, status) {
    if (over) return;
    if (!progress) {
      progress = progressPanel(shared, job);
      body.replaceChildren(progress.node);
    }
    progress.tell(stage, fraction, status);
  }

  function failed(error) {
    over = true;
    progress?.destroy();
    const reason = problemNotice();
    reason.show(error ?? {});
    body.replaceChildren(
      element("section.card.failed", {}, element("h2", { say: "failedTitle" }), reason.node, element("a.button", { href: "#/", say: "another" })),
    );
    shared.announce(t("failedTitle"));
  }

  function finished(analysis) {
    if (over) return;
    over = true;
    progress?.destroy();
    const climb = new Climb(analysis.result);
    const chooser = element("input", { type: "file", accept: VIDEOS, hidden: true });
    player = new Player(climb, () => chooser.click());
    chooser.addEventListener("change", () => {
      const file = chooser.files[0];
      if (!file) return;
      shared.files.set(job, file);
      player.useFile(file);
    });
    body.replaceChildren(
      element(
        "div.result",
        {},
        element("div.result-left", {}, chooser, player.node),
        element(
          "div.result-right",
          {},
          element("section", { id: "curves" }, element("h2", { say: "curves" }), player.charts.map((chart) => chart.node)),
          element("section", { id: "numbers" }, element("h2", { say: "numbers" }), numbers(analysis.result)),
          about(analysis),
        ),
      ),
    );
    const file = shared.files.get(job);
    if (file) player.useFile(file);
    else fetchVideo(analysis.video_id);
    if (progress) shared.announce(t("status.completed"));
  }

  // The stored video, as long as it is there: an unsaved one goes after a day.
  async function fetchVideo(videoId) {
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
    if (about !== job || over) return;
    if (event === "analysis:completed" || event === "analysis:failed") ask();
    else if (event === "analysis:started" || event === "analysis:progress") under(data, "processing");
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
      player?.destroy();
    },
  };
}

// Two bars: the upload, where it is made from here, and the analysis.
function progressPanel(shared, job) {
  const upload = shared.uploads.get(job);
  const bar = (label) => element("progress", { max: 1, value: 0, label });
  const uploadBar = bar("upload");
  const uploadWords = element("p");
  const uploadNotice = problemNotice();
  const cancel = element("button.quiet", { type: "button", say: "cancel", onclick: giveUp });
  const keepOpen = element("p.hint", { say: "keepOpen" });
  const analysisBar = bar("analysis");
  const analysisWords = element("p", { id: "stage" });
  const live = element("span.live", { id: "live" });
  const node = element("section.card.progress", { id: "progress" });
  let furthest = 0;
  let told = "";

  // Nothing has been analysed yet, so nothing of it is kept.
  async function giveUp() {
    cancel.disabled = true;
    upload.cancel();
    await api.remove(`videos/${upload.videoId}`).catch(() => {});
    location.hash = "#/";
  }

  function uploading() {
    uploadBar.value = upload.fraction;
    const words = (t) => (upload.waiting ? t("uploadWaiting") : t("uploading", { percent: percent(upload.fraction) }));
    say(uploadWords, words);
    announce(words(t), `${upload.waiting} ${Math.floor(upload.fraction * 4)}`);
  }

  function uploaded() {
    uploadBar.value = 1;
    say(uploadWords, "uploaded");
    announce(t("uploaded"), "uploaded");
    cancel.remove();
    keepOpen.remove();
  }

  // At each stage and each quarter, not at each percent.
  function announce(words, mark) {
    if (mark === told) return;
    told = mark;
    shared.announce(words);
  }

  if (upload) {
    node.append(element("div.step", {}, uploadWords, uploadBar, uploadNotice.node, keepOpen, cancel));
    uploading();
    upload.addEventListener("progress", uploading);
    upload.done.then(uploaded, (problem) => {
      uploadNotice.show(problem);
      keepOpen.remove();
      cancel.replaceWith(element("a.button", { href: "#/", say: "another" }));
    });
  }
  node.append(element("div.step", {}, analysisWords, analysisBar, live));

  const panel = {
    node,
    tell(stage, fraction, status) {
      // Events may overtake one another; time only goes forward.
      if (status === "processing" && fraction < furthest) return;
      furthest = fraction;
      analysisBar.value = fraction;
      const shownStage = status === "pending" && upload && !upload.over ? "uploading" : stage;
      const words = (t) => {
        const key = `stage.${shownStage}`;
        return t("analysing", { stage: known(key) ? t(key) : shownStage, percent: percent(fraction) });
      };
      say(analysisWords, words);
      if (status !== "pending") announce(words(t), `${shownStage} ${Math.floor(fraction * 4)}`);
    },
    live(open) {
      live.dataset.open = open;
      say(live, open ? "live" : "asking");
    },
    destroy() {
      upload?.removeEventListener("progress", uploading);
    },
  };
  panel.live(shared.events.open);
  return panel;
}

function numbers(result) {
  const rows = Object.entries(result.metrics).map(([name, value]) => {
    const info = result.metrics_info?.[name] ?? {};
    const key = `metric.${name}`;
    const heading = element("dt", { say: (t) => (known(key) ? t(key) : name.replaceAll("_", " ")) });
    const note = (words) => element("p.hint", { lang: "en" }, words);
    if (value === null) {
      return element("div.unknown", {}, heading, element("dd", {}, element("em", { say: "notMeasured" }), info.reason ? note(info.reason) : null));
    }
    const decimals = Number.isInteger(value) ? 0 : 2;
    const amount = element("data", { value: String(value), say: () => number(value, decimals) });
    const spread = info.uncertainty ? element("span.spread", { say: () => ` ± ${number(info.uncertainty, decimals)}` }) : null;
    const assumed = info.assumes ? element("p.hint", { say: (t) => t("assumes", { what: info.assumes }) }) : null;
    // Bare numbers have the unit 1 and shares are ratios: what they mean says more than that.
    const plain = ["1", "ratio"].includes(info.unit);
    const unit = info.unit && !plain ? element("p.unit", { lang: "en" }, info.unit) : null;
    const meaning = info.meaning ? note(info.meaning) : null;
    return element("div", {}, heading, element("dd", {}, amount, spread, unit, meaning, assumed));
  });
  // What is measured first.
  rows.sort((a, b) => a.classList.contains("unknown") - b.classList.contains("unknown"));
  return element("dl.numbers", {}, rows);
}

function about(analysis) {
  const { quality, absent = {} } = analysis.result;
  const frames = analysis.result.video.frame_count;
  const lines = [
    element("li", { say: (t) => t("seenIn", { seen: number(quality.frames_with_climber), frames: number(frames) }) }),
    ...(analysis.processing_time_ms
      ? [element("li", { say: (t) => t("doneIn", { seconds: number(analysis.processing_time_ms / 1000, 1) }) })]
      : []),
    ...quality.warnings.map((warning) => element("li.warning", { lang: "en" }, warning)),
    ...Object.entries(absent).map(([part, reason]) => {
      const key = `absent.${part}`;
      const named = element("span", { say: (t) => (known(key) ? t(key) : part) });
      return element("li", {}, named, ": ", element("span", { lang: "en" }, reason));
    }),
  ];
  return element(
    "details.about",
    {},
    element("summary", { say: "about" }),
    element("ul", {}, lines),
    element("p.hint", { say: "keys" }),
    element("p.hint", { lang: "en" }, Object.values(quality.model_versions ?? {}).join(" · ")),
  );
}
