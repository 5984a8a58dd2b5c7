// The holds while a user sets them right: steps that can be undone, and the changes that come to the server in the end.

const UNKNOWN = "unknown";

export class HoldChanges {
  /** `holds`: as in a verbose result. A hold here is {key, id | null, box, type}; boxes from 0 to 1 of the reference frame. */
  constructor(holds) {
    this.original = holds.map(({ id, box, type }) => ({ key: `hold ${id}`, id, box, type: type ?? UNKNOWN }));
    this.steps = [this.original];
    this.added = 0;
  }

  get holds() {
    return this.steps.at(-1);
  }

  get undoable() {
    return this.steps.length > 1;
  }

  find(key) {
    return this.holds.find((hold) => hold.key === key);
  }

  /** A new hold; returns its key. */
  add(box) {
    const key = `new ${++this.added}`;
    this.steps.push([...this.holds, { key, id: null, box: sorted(box), type: UNKNOWN }]);
    return key;
  }

  move(key, box) {
    this.#replace(key, { box: sorted(box) });
  }

  retype(key, type) {
    this.#replace(key, { type });
  }

  remove(key) {
    this.steps.push(this.holds.filter((hold) => hold.key !== key));
  }

  undo() {
    if (this.undoable) this.steps.pop();
  }

  /** What to send: PATCH /analysis/{id}/holds. */
  changes() {
    const now = new Map(this.holds.map((hold) => [hold.key, hold]));
    const changes = [];
    for (const { key, id, box, type } of this.original) {
      const hold = now.get(key);
      if (!hold) {
        changes.push({ action: "delete", hold_id: id });
        continue;
      }
      if (hold.box.some((side, i) => side !== box[i])) changes.push({ action: "move", hold_id: id, box: hold.box });
      if (hold.type !== type) changes.push({ action: "retype", hold_id: id, type: hold.type });
    }
    for (const { id, box, type } of this.holds) if (id === null) changes.push({ action: "add", box, type });
    return changes;
  }

  #replace(key, members) {
    this.steps.push(this.holds.map((hold) => (hold.key === key ? { ...hold, ...members } : hold)));
  }
}

function sorted([x0, y0, x1, y1]) {
  return [Math.min(x0, x1), Math.min(y0, y1), Math.max(x0, x1), Math.max(y0, y1)];
}
