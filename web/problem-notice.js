// A problem, in the words of whoever found it.

import { element } from "./elements.js";
import { current, known, say } from "./language.js";

/** What to tell about a problem: the page's language where it has words for its type, else the server's own. */
export function problemWords(problem, t) {
  const key = `problem.${problem.type}`;
  const own = problem.detail || problem.title;
  const fields = (problem.errors ?? []).map(({ loc, msg }) => `${loc?.at(-1) ?? ""}: ${msg}`);
  if (fields.length) return fields.join("; ");
  if (known(key) && !(problem.type === "internal" && own)) return t(key);
  return own || t("problem.internal");
}

/** A place for problems: `show(problem)` and `clear()`. Screen readers say what appears in it. */
export function problemNotice() {
  const node = element("p.problem", { role: "alert", hidden: true });
  return {
    node,
    show(problem) {
      node.hidden = false;
      node.dataset.type = problem.type ?? "internal";
      say(node, (t) => {
        const words = problemWords(problem, t);
        node.lang = [`problem.${problem.type}`, "problem.internal"].some((key) => words === t(key)) ? current() : "en";
        return words;
      });
    },
    clear() {
      node.hidden = true;
      say(node, () => "");
    },
  };
}
