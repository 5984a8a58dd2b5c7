// An analysis under way: its upload, its stages, and whether the news come live.

import * as api from "./api.js";
import { element } from "./elements.js";
import { known, percent, say, t } from "./language.js";
import { problemNotice } from "./problem-notice.js";

/** Two bars: the upload, where it is made from here, and the analysis. */
export function progressPanel(shared, job) {
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
