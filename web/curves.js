// The curves of a climb: how fast the hips move, what the hands carry, how far the joints are bent.

import { Chart } from "./chart.js";
import { element } from "./elements.js";

const STILL = 0.15; // torso lengths a second: below it, the metric `immobility` counts the hips as still
const JOINTS = [["elbows", "elbow"], ["knees", "knee"], ["shoulders", "shoulder"], ["hipJoints", "hip"], ["ankles", "ankle"]];
const OPEN = 2; // joints that are shown without asking

/**
 * {node, charts, destroy}; `seek(t)` is called while a playhead is dragged. The charts are there soon after the first
 * picture, which need not wait until every frame is read for them; then `ready()` is called.
 */
export function curves(climb, seek, ready) {
  const node = element("section", { id: "curves" }, element("h2", { say: "curves" }));
  const charts = [];
  let later = 0;
  const drawn = requestAnimationFrame(() => {
    later = setTimeout(() => {
      node.append(...chartsOf(climb, seek, charts));
      ready();
    });
  });
  return {
    node,
    charts,
    destroy: () => {
      cancelAnimationFrame(drawn);
      clearTimeout(later);
      charts.forEach((chart) => chart.destroy());
    },
  };
}

// The nodes of all charts, which are added to `charts`.
function chartsOf(climb, seek, charts) {
  const shared = { times: climb.times, duration: climb.duration, seek };
  const add = (options) => {
    charts.push(new Chart({ ...shared, ...options }));
    return charts.at(-1).node;
  };
  const speed = climb.hipSpeed();
  const fastest = Math.max(1, ...speed.filter(Number.isFinite));
  const nodes = [
    add({
      title: "hipSpeed",
      unit: "torsos",
      series: [{ color: "--gravity", values: speed }],
      range: [0, Math.ceil(fastest)],
      decimals: 2,
      mark: STILL,
    }),
    ...loads(climb).map(add),
  ];
  const joints = JOINTS.map(([title, joint]) => ({ title, series: sides((side) => climb.angle(`${side}_${joint}`)) }));
  const shown = joints
    .filter(({ series }) => series.length)
    .map(({ title, series }) => add({ title, unit: "degrees", series, range: [0, 180], decimals: 0 }));
  nodes.push(...shown.slice(0, OPEN));
  if (shown.length > OPEN) {
    nodes.push(element("details.more", {}, element("summary", { say: "moreJoints" }), ...shown.slice(OPEN)));
  }
  return nodes;
}

// What each hand carries, and, against the Ghost, what both do: percent of the body's weight, an estimate.
function loads(climb) {
  const hands = sides((side) => climb.load(`${side}_hand`));
  if (!hands.length) return [];
  const percent = (values) => values.map((value) => 100 * value);
  const charts = [
    { title: "handLoad", unit: "percentOfWeight", series: hands.map((each) => ({ ...each, values: percent(each.values) })) },
  ];
  const ghost = climb.ghostHandLoad();
  if (ghost && hands.length === 2) {
    const both = hands[0].values.map((value, i) => value + hands[1].values[i]);
    charts.push({
      title: "bothHands",
      unit: "percentOfWeight",
      series: [
        { name: "climber", color: "--gravity", values: percent(both) },
        { name: "ghost", color: "--ghost", values: percent(ghost) },
      ],
    });
  }
  return charts.map((chart) => {
    const highest = Math.max(100, ...chart.series.flatMap(({ values }) => [...values].filter(Number.isFinite)));
    return { ...chart, range: [0, 50 * Math.ceil(Math.min(highest, 400) / 50)], decimals: 0 };
  });
}

function sides(valuesOf) {
  return ["left", "right"]
    .map((side) => ({ name: side, color: `--${side}`, values: valuesOf(side) }))
    .filter(({ values }) => values);
}
