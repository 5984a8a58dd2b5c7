// A finished analysis: the player, its timelines and curves, the Ghost, the cues and the numbers.

import { element } from "./elements.js";
import { cueList } from "./cue-list.js";
import { ghostPanel, noGhost } from "./ghost-panel.js";
import { known, number, sayTold } from "./language.js";
import { numbers } from "./numbers.js";
import { Player } from "./player.js";
import { VIDEOS } from "./upload.js";

/**
 * `climb`: the result (climb.js). `tier`: the reader's, null for a guest. `askGhost()`: starts an analysis with a Ghost,
 * or null. `chosen(file)`: told of the video that the user picks. `tools`: more panels, for the analysis's owner.
 */
export function resultView(climb, { analysis, tier = null, askGhost = null, chosen = () => {}, tools = () => [] }) {
  const chooser = element("input", { type: "file", accept: VIDEOS, hidden: true });
  const player = new Player(climb, () => chooser.click());
  chooser.addEventListener("change", () => {
    const file = chooser.files[0];
    if (!file) return;
    chosen(file);
    player.useFile(file);
  });
  const { result } = climb;
  const seek = (t) => player.seek(t);
  const { below = null, aside = [] } = tools(player);
  const node = element(
    "div.result",
    {},
    element("div.result-left", {}, chooser, player.node, below),
    element(
      "div.result-right",
      {},
      climb.ghost?.cues.length ? cueList(climb.ghost.cues, (cue) => player.point(cue)) : null,
      player.lanes?.node,
      climb.ghost ? ghostPanel(climb.ghost, seek) : noGhost({ reason: result.absent?.ghost, tier, ask: askGhost }),
      player.curves.node,
      numbers(result),
      aside,
      about(analysis, result),
    ),
  );
  return { node, player, destroy: () => player.destroy() };
}

function about(analysis, { video, wall, quality, absent = {}, revision = 0 }) {
  const lines = [
    element("li", { say: (t) => t("seenIn", { seen: number(quality.frames_with_climber), frames: number(video.frame_count) }) }),
    ...(analysis?.processing_time_ms
      ? [element("li", { say: (t) => t("doneIn", { seconds: number(analysis.processing_time_ms / 1000, 1) }) })]
      : []),
    ...(wall ? wallLines(wall) : []),
    ...(revision ? [element("li", { say: (t) => t("corrected", { count: revision }) })] : []),
    ...(quality.warnings ?? []).map((warning) => sayTold(element("li.warning"), warning)),
    ...Object.entries(absent).map(([part, reason]) => {
      const key = `absent.${part}`;
      const named = element("span", { say: (t) => (known(key) ? t(key) : part) });
      return element("li", {}, named, ": ", sayTold(element("span"), reason));
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

function wallLines({ angle_deg: angle, angle_source: angleFrom, scale_source: scaleFrom, scale_error: error }) {
  const words = (t, key) => (known(key) ? t(key) : key.split(".").at(-1).replaceAll("_", " "));
  return [
    Number.isFinite(angle)
      ? element("li", {
          say: (t) => t(angle < 0 ? "wallSlab" : "wallAngle", { angle: number(Math.abs(angle), 0), source: words(t, `angle.${angleFrom}`) }),
        })
      : null,
    scaleFrom
      ? element("li", { say: (t) => t("wallScale", { source: words(t, `scale.${scaleFrom}`), percent: number(100 * (error ?? 0), 0) }) })
      : null,
  ].filter(Boolean);
}
