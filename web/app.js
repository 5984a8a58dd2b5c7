// The page: which view is shown, and what they share.

import * as api from "./api.js";
import { accountView } from "./account-view.js";
import { analysisView } from "./analysis-view.js";
import { compareView } from "./compare-view.js";
import { element } from "./elements.js";
import { Events } from "./events.js";
import { homeView } from "./home-view.js";
import { current, LANGUAGES, say, speak } from "./language.js";
import { sharedView } from "./shared-view.js";

const ID = "[0-9a-f-]{36}";
const ROUTES = {
  shared: /^#\/shared\/([\w.~-]+)$/,
  analysis: new RegExp(`^#/analysis/(${ID})$`, "i"),
  compare: new RegExp(`^#/compare/(${ID})/(${ID})$`, "i"),
};

const main = document.getElementById("main");
const announcer = document.getElementById("announcer");
const events = new Events();

/** What the views share: the news, the uploads under way and the files at hand, by job, and a voice for screen readers. */
const shared = {
  events,
  uploads: new Map(),
  files: new Map(),
  announce(words) {
    announcer.textContent = words;
  },
  /** The account's tier, or null where it cannot be asked for. */
  tier() {
    tier ??= api.get("me").then((me) => me.subscription_tier);
    return tier.catch(() => {
      tier = null;
      return null;
    });
  },
};
let tier = null;

let view = null;
let shown = null;

function show({ moveFocus = true } = {}) {
  const [route, found] = Object.entries(ROUTES)
    .map(([name, pattern]) => [name, location.hash.match(pattern)])
    .find(([, match]) => match) ?? ["home"];
  // A shared analysis needs no account.
  const name = route === "shared" || api.signedIn() ? route : "account";
  const place = [name, ...(name === "account" ? [] : (found?.slice(1) ?? []))].join(" ");
  if (place === shown) {
    header();
    return;
  }
  shown = place;
  document.title = "Ascension";
  view?.destroy?.();
  const [first, second] = found?.slice(1) ?? [];
  view = {
    account: () => accountView(shared),
    home: () => homeView(shared),
    analysis: () => analysisView(shared, first.toLowerCase()),
    compare: () => compareView(first.toLowerCase(), second.toLowerCase()),
    shared: () => sharedView(first),
  }[name]();
  main.replaceChildren(view.node);
  document.body.dataset.view = name;
  header();
  if (moveFocus) {
    scrollTo(0, 0);
    main.focus({ preventScroll: true });
  }
}

function header() {
  const languages = element(
    "select",
    { label: "language", id: "language", onchange: (event) => speak(event.target.value) },
    Object.entries(LANGUAGES).map(([tag, name]) =>
      element("option", { value: tag, selected: tag === current(), lang: tag }, name),
    ),
  );
  const signedIn = api.signedIn();
  document.getElementById("top").replaceChildren(
    element("a.brand", { href: "#/" }, element("img", { src: "icon.svg", alt: "", width: 28, height: 28 }), element("span", {}, "Ascension")),
    element(
      "div.top-right",
      {},
      signedIn ? element("span.who", { title: api.email() }, api.email()) : null,
      languages,
      signedIn ? element("button.quiet", { type: "button", id: "sign-out", onclick: () => api.signOut(), say: "signOut" }) : null,
    ),
  );
}

addEventListener("hashchange", () => {
  if (location.hash === "#main") return;
  show();
});
api.session.addEventListener("opened", () => {
  events.start();
  show();
});
api.session.addEventListener("closed", () => {
  events.stop();
  tier = null;
  shared.uploads.forEach((upload) => upload.cancel());
  shared.uploads.clear();
  shared.files.clear();
  show();
});
addEventListener("beforeunload", (event) => {
  if ([...shared.uploads.values()].some((upload) => !upload.over)) event.preventDefault();
});
// A file that misses the drop zone must not replace the page.
for (const name of ["dragover", "drop"]) addEventListener(name, (event) => event.preventDefault());

const skip = document.getElementById("skip");
say(skip, "skip");
skip.addEventListener("click", (event) => {
  event.preventDefault();
  main.focus();
});
if (api.signedIn()) events.start();
show({ moveFocus: false });
