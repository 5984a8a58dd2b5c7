// The timeline of contacts: a lane for each limb, a bar for each contact, and the playhead.

import { LIMBS } from "./climb.js";
import { element } from "./elements.js";
import { number, percent, say } from "./language.js";

/**
 * `seek(t)` is called when a contact or a place in a lane is chosen. With the keyboard: arrows go from contact to
 * contact and from lane to lane, Enter jumps to the one that is focused.
 */
export class ContactLanes {
  constructor(climb, seek) {
    this.climb = climb;
    this.seek = seek;
    this.bars = [];
    const lanes = LIMBS.map((limb) => this.#lane(limb));
    this.head = element("div.playhead");
    const ticks = climb.ghost?.cues.map(({ at }) => this.#placed(element("i.cue-mark", { "aria-hidden": "true" }), at)) ?? [];
    this.area = element("div.lanes", {}, lanes, element("div.lane-time", {}, ticks, this.head));
    this.area.addEventListener("keydown", (event) => this.#key(event));
    this.node = element(
      "section",
      { id: "contacts" },
      element("h2", { say: "contactTimeline" }),
      element("div.chart.contacts", {}, this.area, element("p.hint", { say: "contactHint" })),
    );
    if (this.bars[0]) this.bars[0].node.tabIndex = 0;
  }

  show(t) {
    this.head.style.insetInlineStart = `${(100 * Math.min(t, this.climb.duration)) / this.climb.duration}%`;
    for (const { node, contact } of this.bars) {
      const now = contact.start <= t && t <= contact.end;
      if (now !== node.classList.contains("now")) node.classList.toggle("now", now);
    }
  }

  #lane(limb) {
    const track = element("div.track", {
      onclick: (event) => {
        if (event.target !== track) return;
        const { left, width } = track.getBoundingClientRect();
        this.seek(((event.clientX - left) / width) * this.climb.duration);
      },
    });
    const { duration, contacts, moves } = this.climb;
    for (const move of moves.filter((each) => each.limb === limb)) {
      const way = this.#placed(element("i.move", { "aria-hidden": "true" }), move.start);
      way.style.width = `${(100 * (move.end - move.start)) / duration}%`;
      track.append(way);
    }
    const bars = contacts.filter((each) => each.limb === limb).sort((a, b) => a.start - b.start);
    for (const contact of bars) {
      const node = this.#placed(element("button.contact", { type: "button", tabIndex: -1 }), contact.start);
      node.style.width = `${(100 * (contact.end - contact.start)) / duration}%`;
      node.style.setProperty("--sure", 0.3 + 0.7 * (contact.confidence ?? 1));
      node.classList.toggle("free", contact.hold_id === null);
      for (const attribute of ["aria-label", "title"]) say(node, (t) => this.#words(contact, t), attribute);
      node.addEventListener("click", () => {
        this.#focus(this.bars.findIndex((bar) => bar.node === node));
        this.seek(contact.start);
      });
      this.bars.push({ node, contact, lane: LIMBS.indexOf(limb) });
      track.append(node);
    }
    const name = element("abbr.limb", { say: `short.${limb}`, tip: `limb.${limb}` });
    const lane = element("div.lane", { role: "group", label: `limb.${limb}` }, name, track);
    lane.dataset.limb = limb;
    return lane;
  }

  #words({ limb, hold_id: id, start, end, confidence }, t) {
    const hold = this.climb.hold.get(id);
    const type = hold && hold.type !== "unknown" ? ` (${t(`hold.${hold.type}`)})` : "";
    const where = id === null ? t("onNoHold") : t("onHold", { id }) + type;
    const sure = Number.isFinite(confidence) ? `, ${t("confidence", { percent: percent(confidence) })}` : "";
    return `${t(`limb.${limb}`)}: ${where}, ${t("fromToSeconds", { start: number(start, 1), end: number(end, 1) })}${sure}`;
  }

  #placed(node, t) {
    node.style.insetInlineStart = `${(100 * t) / this.climb.duration}%`;
    return node;
  }

  #focus(index) {
    if (index < 0) return;
    for (const { node } of this.bars) node.tabIndex = -1;
    this.bars[index].node.tabIndex = 0;
    this.bars[index].node.focus({ preventScroll: false });
  }

  #key(event) {
    const at = this.bars.findIndex(({ node }) => node === event.target);
    if (at < 0 || event.ctrlKey || event.metaKey || event.altKey) return;
    const { contact, lane } = this.bars[at];
    const inLane = (which) => this.bars.map((bar, i) => ({ ...bar, i })).filter((bar) => bar.lane === which);
    const row = inLane(lane);
    const place = row.findIndex(({ i }) => i === at);
    // The neighbour lane that has contacts, and its contact nearest in time.
    const across = (step) => {
      for (let other = lane + step; other >= 0 && other < LIMBS.length; other += step) {
        const there = inLane(other);
        if (there.length) {
          const gap = (bar) => Math.abs(bar.contact.start - contact.start);
          return there.reduce((best, bar) => (gap(bar) < gap(best) ? bar : best)).i;
        }
      }
      return at;
    };
    const next = {
      ArrowLeft: () => row[Math.max(0, place - 1)].i,
      ArrowRight: () => row[Math.min(row.length - 1, place + 1)].i,
      ArrowUp: () => across(-1),
      ArrowDown: () => across(1),
      Home: () => row[0].i,
      End: () => row.at(-1).i,
    }[event.key];
    if (!next) return;
    event.preventDefault(); // else the player would move by a second
    this.#focus(next());
  }
}
