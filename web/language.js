// The words of the page in three languages, and which of them is spoken.

import { WORDS } from "./words.js";

const STORED = "ascension.language";
export const LANGUAGES = { en: "English", fr: "Français", de: "Deutsch" };

const PATTERNS = {};

let language = chosen();
document.documentElement.lang = language;

export const current = () => language;

/** Words for a key, with {names} filled in. A key without words is its own words. */
export function t(key, values = {}) {
  const words = WORDS[language][key] ?? WORDS.en[key] ?? key;
  return words.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}

export const known = (key) => key in WORDS[language];

/** The words for a key with their {names} unfilled, or undefined. */
export const template = (key) => WORDS[language][key];

/** Give a node words, now and whenever the language changes. `speak` is a key or a function of `t`. */
export function say(node, speak, attribute = "") {
  const told = (node.spoken ??= new Map());
  told.set(attribute, () => {
    const words = typeof speak === "function" ? speak(t) : t(speak);
    if (!attribute) {
      if (node.textContent !== words) node.textContent = words;
    } else node.setAttribute(attribute, words);
  });
  node.setAttribute("data-spoken", "");
  told.get(attribute)();
}

/**
 * What the analysis says in English, in the page's language. The dictionaries have such sentences as keys, with {names} for
 * what differs: numbers, checks of the Ghost, other sentences. Undefined where there are no words.
 */
export function translated(english) {
  const words = WORDS[language];
  if (Object.hasOwn(words, english)) return words[english];
  for (const [pattern, key] of patterns()) {
    const found = pattern.exec(english);
    if (!found) continue;
    return t(key, Object.fromEntries(Object.entries(found.groups).map(([name, part]) => [name, partTranslated(part)])));
  }
}

/** Give a node what the analysis says, in the page's words where it has some: for `key`, or else for the sentence. */
export function sayTold(node, english, key = "") {
  say(node, () => {
    const words = template(key) ?? translated(english);
    node.lang = words ? language : "en";
    return words ?? english;
  });
  return node;
}

function partTranslated(part) {
  if (Number.isFinite(Number(part))) return number(Number(part), part.split(".")[1]?.length ?? 0);
  const check = (name) => template(`gate.${name.replaceAll(" ", "_")}`) ?? name;
  return translated(part) ?? part.split(", ").map(check).join("; ");
}

// [RegExp, key] of the sentences of this language with {names}.
function patterns() {
  return (PATTERNS[language] ??= Object.keys(WORDS[language])
    .filter((key) => key.includes("{"))
    .map((key) => [new RegExp(`^${key.replace(/[.*+?^$()|[\]\\]/g, "\\$&").replace(/\{(\w+)\}/g, "(?<$1>.+)")}$`), key]));
}

export function speak(wanted) {
  if (!(wanted in LANGUAGES)) return;
  language = wanted;
  document.documentElement.lang = wanted;
  try {
    localStorage.setItem(STORED, wanted);
  } catch {
    // Without storage the choice holds for this visit.
  }
  for (const node of document.querySelectorAll("[data-spoken]")) node.spoken.forEach((tell) => tell());
  document.dispatchEvent(new Event("language"));
}

export function number(value, decimals) {
  const digits = { minimumFractionDigits: decimals, maximumFractionDigits: decimals };
  return new Intl.NumberFormat(language, digits).format(value);
}

export const percent = (share) => new Intl.NumberFormat(language, { style: "percent" }).format(share);

/** A relative change with its sign: −18 %. */
export const change = (share) =>
  new Intl.NumberFormat(language, { style: "percent", signDisplay: "exceptZero", maximumFractionDigits: 0 })
    .format(share)
    .replace("-", "−");

export const days = (count) =>
  new Intl.NumberFormat(language, { style: "unit", unit: "day", unitDisplay: "long" }).format(count);

/** A unit as people write it in the page's language. */
export const unit = (name) => WORDS[language][`unit.${name}`] ?? name;

/** A number with its unit, to three digits at most; shares as percent. */
export function measure(value, name) {
  const style = { maximumSignificantDigits: Math.abs(value) >= 1000 ? undefined : 3 };
  if (["ratio", "body weight"].includes(name)) style.style = "percent";
  const amount = new Intl.NumberFormat(language, style).format(value);
  if (!name || ["1", "ratio"].includes(name)) return amount;
  return unit(name) === "°" ? `${amount}°` : `${amount} ${unit(name)}`;
}

export const moment = (iso) =>
  new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" }).format(new Date(iso));

function chosen() {
  let kept = null;
  try {
    kept = localStorage.getItem(STORED);
  } catch {
    // Storage may be forbidden.
  }
  if (kept in LANGUAGES) return kept;
  const wished = navigator.languages ?? [navigator.language];
  return wished.map((tag) => tag.slice(0, 2).toLowerCase()).find((tag) => tag in LANGUAGES) ?? "en";
}
