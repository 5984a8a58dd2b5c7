// The HTTP API: tokens, refreshing them, and problems in their own words.

const BASE = new URL("../api/v1/", location.href).href;
const STORED = "ascension.session";

/** A refusal (RFC 9457). `type` is a stable token; `offline` when no answer came at all. */
export class Problem extends Error {
  constructor({ type = "internal", title = "", detail = "", status = 0, errors = [] }) {
    super(detail || title || type);
    Object.assign(this, { type, title, detail, status, errors });
  }
}

const OFFLINE = "no-connection";
export const isOffline = (error) => error instanceof Problem && error.type === OFFLINE;

/** Tells that the session is over: by signing out, or because it could not be refreshed any more. */
export const session = new EventTarget();

// All tabs share one session: the tokens lie where each of them finds them, and what one does the others hear.
let tokens = stored();
let refreshing = null;

addEventListener("storage", (event) => {
  if (event.key !== STORED && event.key !== null) return;
  const before = tokens;
  tokens = stored();
  if (!before && tokens) session.dispatchEvent(new Event("opened"));
  if (before && !tokens) session.dispatchEvent(new Event("closed"));
});

export const signedIn = () => tokens !== null;

export async function register(email, password) {
  await request("POST", "auth/register", { email, password }, { anonymous: true });
}

export async function signIn(email, password) {
  keep(await request("POST", "auth/login", { email, password }, { anonymous: true }), email);
}

export async function signOut() {
  const leaving = tokens;
  forget();
  // The server forgets it too, if it can be reached; here it is forgotten in any case.
  if (leaving) {
    await request("POST", "auth/logout", { refresh_token: leaving.refresh_token }, { anonymous: true }).catch(() => {});
  }
}

export const email = () => tokens?.email ?? "";
export const get = (path) => request("GET", path);
export const post = (path, body, options) => request("POST", path, body, options);
export const patch = (path, body) => request("PATCH", path, body);
/** What needs no account. */
export const getOpen = (path) => request("GET", path, undefined, { anonymous: true });
export const remove = (path) => request("DELETE", path);

async function request(method, path, body, { anonymous = false, key } = {}) {
  const send = () => attempt(method, path, body, anonymous ? null : tokens?.access_token, key);
  const used = tokens?.access_token;
  let response;
  try {
    response = await send();
  } catch (problem) {
    // With a key the server does it once, however often it is asked: the answer may just have got lost.
    if (!key) throw problem;
    await new Promise((resolve) => setTimeout(resolve, 1000));
    response = await send();
  }
  if (response.status === 401 && !anonymous) {
    // Another request may have refreshed the tokens while this one was under way.
    if (tokens?.access_token === used) await refresh();
    response = await send();
    if (response.status === 401) forget();
  }
  if (!response.ok) throw await problemOf(response);
  return response.status === 204 ? null : response.json();
}

async function attempt(method, path, body, token, key) {
  const headers = { Accept: "application/json" };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (token) headers.Authorization = `Bearer ${token}`;
  if (key) headers["Idempotency-Key"] = key;
  const text = body === undefined ? undefined : JSON.stringify(body);
  try {
    return await fetch(BASE + path, { method, headers, body: text, cache: "no-cache", credentials: "omit" });
  } catch {
    throw new Problem({ type: OFFLINE });
  }
}

// One refresh at a time, in all tabs: the token rotates, and a second use of the old one would look like theft.
function refresh() {
  const used = tokens?.access_token;
  const once = async () => {
    const latest = stored();
    if (latest && latest.access_token !== used) {
      tokens = latest; // another tab was faster
      return;
    }
    const response = await attempt("POST", "auth/refresh", { refresh_token: tokens?.refresh_token ?? "" });
    if (!tokens) return; // signed out in the meantime
    if (response.ok) keep(await response.json(), tokens.email);
    else if (response.status < 500 && response.status !== 429) forget();
    else throw await problemOf(response);
  };
  refreshing ??= (navigator.locks ? navigator.locks.request("ascension.refresh", once) : once()).finally(() => (refreshing = null));
  return refreshing;
}

async function problemOf(response) {
  try {
    return new Problem({ ...(await response.json()), status: response.status });
  } catch {
    return new Problem({ status: response.status, title: response.statusText });
  }
}

function keep(pair, address) {
  const opened = tokens === null;
  tokens = { access_token: pair.access_token, refresh_token: pair.refresh_token, email: address };
  try {
    localStorage.setItem(STORED, JSON.stringify(tokens));
  } catch {
    // Without storage the session lasts as long as this page.
  }
  if (opened) session.dispatchEvent(new Event("opened"));
}

function forget() {
  if (tokens === null) return;
  tokens = null;
  try {
    localStorage.removeItem(STORED);
  } catch {
    // Nothing was kept.
  }
  session.dispatchEvent(new Event("closed"));
}

function stored() {
  try {
    return JSON.parse(localStorage.getItem(STORED));
  } catch {
    return null;
  }
}
