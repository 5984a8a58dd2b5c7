// The start: choose a video, and the list of what was analysed before.

import * as api from "./api.js";
import { element } from "./elements.js";
import { moment, percent, say, t } from "./language.js";
import { problemNotice } from "./problem-notice.js";
import { Upload, VIDEOS } from "./upload.js";
import { ghostGate, uploadOptions } from "./upload-options.js";

const PAGE = 12;

export function homeView(shared) {
  const notice = problemNotice();
  const usage = element("p.hint", { id: "usage" });
  const listNotice = problemNotice();
  const list = element("ul.climbs", { id: "climbs" });
  const empty = element("p.hint", { hidden: true, say: "empty" });
  const more = element("button.quiet", { type: "button", hidden: true, onclick: () => load(), say: "more" });
  const options = uploadOptions();
  const gate = element("div");
  const node = element(
    "div.home",
    {},
    element("h1", { say: "newClimb" }),
    dropZone(choose),
    options.node,
    notice.node,
    gate,
    usage,
    element("h2", { say: "listTitle" }),
    listNotice.node,
    list,
    empty,
    more,
  );
  const rows = new Map();
  let cursor = null;
  let gone = false;

  async function choose(file) {
    notice.clear();
    gate.replaceChildren();
    const wanted = options.read();
    if (!wanted) return;
    node.classList.add("busy");
    try {
      const upload = new Upload(file, wanted);
      const job = await upload.begin(await durationOf(file));
      shared.uploads.set(job, upload);
      shared.files.set(job, file);
      location.hash = `#/analysis/${job}`;
    } catch (problem) {
      if (problem.type === "ghost-needs-pro") askAgain(file);
      else notice.show(problem);
    } finally {
      node.classList.remove("busy");
    }
  }

  function askAgain(file) {
    const goOn = () => {
      options.withoutGhost();
      choose(file);
    };
    gate.replaceChildren(ghostGate(goOn));
    shared.announce(t("gateTitle"));
    gate.querySelector("button").focus();
  }

  async function load() {
    listNotice.clear();
    try {
      const page = await api.get(`analysis?limit=${PAGE}${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ""}`);
      if (gone) return;
      cursor = page.next_cursor;
      for (const item of page.items) list.append(row(item));
      more.hidden = !cursor;
      empty.hidden = list.childElementCount > 0;
      // Names and pictures belong to the videos; one after the other, for nobody waits for them.
      for (const item of page.items) if (!gone) await nameAndPicture(item);
    } catch (problem) {
      if (!gone && api.signedIn()) listNotice.show(problem);
    }
  }

  function row(item) {
    const name = element("strong", { say: "untitled" });
    const picture = element("span.picture", { "aria-hidden": "true" });
    const status = element("span.status");
    const link = element(
      "a",
      { href: `#/analysis/${item.id}` },
      picture,
      element("span.words", {}, name, element("span.when", { say: () => moment(item.created_at) }), status),
    );
    const erase = element("button.quiet", { type: "button", say: "delete", onclick: () => remove(item, name.textContent) });
    say(erase, (t) => t("deleteNamed", { name: name.textContent }), "aria-label");
    const entry = element("li", {}, link, erase);
    rows.set(item.id, { entry, item, name, picture, status, erase });
    tell(item.id, item.status, item.progress.fraction);
    return entry;
  }

  function tell(job, state, fraction) {
    const entry = rows.get(job);
    if (!entry) return;
    entry.status.dataset.status = state;
    say(entry.status, (t) => t(`status.${state}`) + (state === "processing" ? ` · ${percent(fraction)}` : ""));
  }

  async function nameAndPicture(item) {
    const { name, picture, erase } = rows.get(item.id);
    try {
      const video = await api.get(`videos/${item.video_id}`);
      say(name, () => video.filename);
      say(erase, (t) => t("deleteNamed", { name: video.filename }), "aria-label");
      if (video.thumbnail_url) {
        const image = element("img", { alt: "", loading: "lazy", src: video.thumbnail_url });
        image.onerror = () => image.remove();
        picture.append(image);
      }
    } catch {
      // The list is of use without.
    }
  }

  async function remove(item, name) {
    if (!confirm(t("deleteAsk", { name }))) return;
    try {
      await api.remove(`videos/${item.video_id}`);
      shared.uploads.get(item.id)?.cancel();
      for (const [job, each] of rows) {
        if (each.item.video_id !== item.video_id) continue;
        each.entry.remove();
        rows.delete(job);
      }
      empty.hidden = list.childElementCount > 0;
      shared.announce(t("deleted", { name }));
      node.querySelector("h2").focus();
    } catch (problem) {
      listNotice.show(problem);
    }
  }

  async function countUsage() {
    try {
      const { usage: used } = await api.get("me");
      if (used.limit !== null) say(usage, (t) => t("usage", { used: used.analyses_this_month, limit: used.limit }));
    } catch {
      // The start of an analysis says so too.
    }
  }

  function news({ detail: { event, job_id: job, data } }) {
    const state = { "analysis:completed": "completed", "analysis:failed": "failed" }[event] ?? "processing";
    tell(job, state, data.fraction ?? 0);
    if (state === "completed" && rows.has(job)) nameAndPicture(rows.get(job).item);
  }

  node.querySelector("h2").tabIndex = -1;
  shared.events.addEventListener("news", news);
  load();
  countUsage();
  shared.tier().then(options.setTier);
  return {
    node,
    destroy() {
      gone = true;
      shared.events.removeEventListener("news", news);
    },
  };
}

function dropZone(choose) {
  const input = element("input.unseen", { type: "file", id: "video", accept: VIDEOS });
  input.addEventListener("change", () => {
    if (input.files[0]) choose(input.files[0]);
    input.value = "";
  });
  const zone = element(
    "div.drop",
    { id: "drop" },
    input,
    element("label", { htmlFor: "video" }, element("strong.mouse", { say: "drop" }), element("span.mouse", { say: "orChoose" }), element("strong.touch", { say: "chooseVideo" })),
    element("p.hint", { say: "limits" }),
  );
  zone.addEventListener("dragover", () => zone.classList.add("over"));
  zone.addEventListener("dragleave", () => zone.classList.remove("over"));
  zone.addEventListener("drop", (event) => {
    zone.classList.remove("over");
    if (event.dataTransfer.files[0]) choose(event.dataTransfer.files[0]);
  });
  return zone;
}

// How long a video is, where the browser can tell; a video that is too long is then refused before it is sent.
function durationOf(file) {
  return new Promise((resolve) => {
    const video = document.createElement("video");
    const url = URL.createObjectURL(file);
    const tell = (seconds) => {
      clearTimeout(timer);
      video.removeAttribute("src");
      URL.revokeObjectURL(url);
      resolve(seconds);
    };
    const timer = setTimeout(() => tell(undefined), 3000);
    video.preload = "metadata";
    video.onloadedmetadata = () => tell(video.duration);
    video.onerror = () => tell(undefined);
    video.src = url;
  });
}
