// Sending a video: announce it, then PUT the bytes to the address that was given, again and again if the network is cut.

import { Problem, post } from "./api.js";

// Phones and file managers leave the type out now and then; the API wants one.
const TYPES = {
  mp4: "video/mp4",
  m4v: "video/x-m4v",
  mov: "video/quicktime",
  "3gp": "video/3gpp",
  mkv: "video/x-matroska",
  webm: "video/webm",
};
/** What a file input should offer. */
export const VIDEOS = "video/*,.mp4,.mov,.m4v,.mkv,.3gp,.webm";

// The browser sets these itself and lets no page do it.
const FORBIDDEN = new Set(["content-length", "host", "connection"]);

/** One upload. Tells "progress" (see `fraction`, `waiting`) and has `done`, a promise that rejects with a Problem. */
export class Upload extends EventTarget {
  /** `options`: how to analyse it, as the API takes them. */
  constructor(file, options = {}) {
    super();
    this.file = file;
    this.options = options;
    this.fraction = 0;
    this.over = false; // sent, refused or cancelled: leaving the page costs nothing any more
    this.waiting = false; // for the network to come back
    this.key = crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`;
  }

  /** Announce the video and begin. Resolves to the job's id as soon as it is known; then see `done`. */
  async begin(durationSeconds) {
    const request = {
      filename: this.file.name.slice(-255) || "video.mp4",
      content_type: typeOf(this.file),
      file_size_bytes: this.file.size,
      start: { options: this.options },
    };
    if (Number.isFinite(durationSeconds)) request.duration_seconds = durationSeconds;
    const announced = await post("analysis/request-upload", request, { key: this.key });
    this.videoId = announced.video_id;
    this.jobId = announced.job_id;
    this.done = this.#send(announced.upload, Date.now() + 1000 * announced.upload.expires_in);
    const over = () => (this.over = true);
    this.done.then(over, over); // whoever shows the upload asks for the outcome
    return this.jobId;
  }

  cancel() {
    this.cancelled = true;
    this.request?.abort();
    this.wake?.();
  }

  async #send(target, expiresAt) {
    for (let attempt = 1; ; attempt++) {
      const outcome = await this.#put(target);
      if (outcome.ok) return;
      if (this.cancelled) throw new Problem({ type: "upload-cancelled" });
      // What the store refuses it refuses again; 5xx and a cut line may pass.
      if (outcome.status >= 400 && outcome.status < 500) {
        throw new Problem({ type: "upload-refused", status: outcome.status });
      }
      if (Date.now() > expiresAt) throw new Problem({ type: "no-connection" });
      this.#tell(0, true);
      await this.#pause(Math.min(1000 * 2 ** (attempt - 1), 15000));
    }
  }

  #put(target) {
    return new Promise((resolve) => {
      const request = new XMLHttpRequest();
      this.request = request;
      request.open(target.method, target.url);
      for (const [name, value] of Object.entries(target.headers)) {
        if (!FORBIDDEN.has(name.toLowerCase())) request.setRequestHeader(name, value);
      }
      request.upload.onprogress = (event) => {
        if (event.lengthComputable && event.total) this.#tell(event.loaded / event.total, false);
      };
      request.onload = () => resolve({ ok: request.status >= 200 && request.status < 300, status: request.status });
      request.onerror = request.onabort = request.ontimeout = () => resolve({ ok: false, status: 0 });
      request.send(this.file);
    });
  }

  // A pause that ends early when the network is back.
  #pause(milliseconds) {
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        removeEventListener("online", wake);
        resolve();
      };
      const timer = setTimeout(wake, milliseconds);
      addEventListener("online", wake);
      this.wake = wake;
    });
  }

  #tell(fraction, waiting) {
    this.fraction = fraction;
    this.waiting = waiting;
    this.dispatchEvent(new Event("progress"));
  }
}

function typeOf(file) {
  const type = TYPES[file.name.split(".").pop().toLowerCase()];
  return file.type || type || "application/octet-stream";
}
