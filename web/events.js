// The WebSocket: news of the user's analyses, for as long as somebody is signed in. It reconnects by itself.

import { isOffline, post, signedIn } from "./api.js";

const PING_MS = 4 * 60 * 1000; // the gateway closes connections that are idle for ten minutes
const LONGEST_PAUSE_MS = 30000;

/** Tells "news" with `detail` {event, job_id, at, data}, and "state" when `open` changes. */
export class Events extends EventTarget {
  open = false;
  #socket = null;
  #wanted = false;
  #failures = 0;
  #timer = 0;

  start() {
    if (this.#wanted) return;
    this.#wanted = true;
    this.#connect();
    addEventListener("online", this.#retryNow);
  }

  stop() {
    this.#wanted = false;
    clearTimeout(this.#timer);
    removeEventListener("online", this.#retryNow);
    this.#socket?.close();
  }

  #retryNow = () => {
    if (this.#socket) return;
    clearTimeout(this.#timer);
    this.#connect();
  };

  async #connect() {
    if (!this.#wanted || !signedIn()) return;
    let socket;
    try {
      // A ticket opens one connection, within 30 seconds.
      const ticket = await post("ws/ticket");
      if (!this.#wanted) return;
      socket = new WebSocket(ticket.url);
    } catch (error) {
      if (!isOffline(error) && !signedIn()) return;
      this.#again();
      return;
    }
    this.#socket = socket;
    let ping = 0;
    socket.onopen = () => {
      this.#failures = 0;
      ping = setInterval(() => socket.send('{"action": "ping"}'), PING_MS);
      this.#state(true);
    };
    socket.onmessage = (message) => {
      const news = JSON.parse(message.data);
      if (news.job_id) this.dispatchEvent(new CustomEvent("news", { detail: news }));
    };
    socket.onclose = () => {
      clearInterval(ping);
      this.#socket = null;
      this.#state(false);
      this.#again();
    };
  }

  // Twice as long after each failure, and never all clients at once.
  #again() {
    if (!this.#wanted) return;
    const pause = Math.min(LONGEST_PAUSE_MS, 500 * 2 ** this.#failures++);
    this.#timer = setTimeout(() => this.#connect(), pause * (0.5 + Math.random() / 2));
  }

  #state(open) {
    if (open === this.open) return;
    this.open = open;
    this.dispatchEvent(new Event("state"));
  }
}
