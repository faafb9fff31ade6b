/**
 * The carriers that are requests: messages go up one request at a time, and come down as server-sent
 * events or as the answers to polls.
 *
 * @module mosaic/requests
 */
import { unreachable } from "./errors.js";

/**
 * @typedef {import("./carriers.js").Carrier} Carrier
 * @typedef {import("./carriers.js").CarrierHandlers} CarrierHandlers
 */

/** How long a request may take that is answered at once, and one that waits for news. */
const REQUEST_TIMEOUT_MS = 10_000;
const POLL_TIMEOUT_MS = 40_000;
/** The server begins a stream with a word: where that does not come, something on the way holds it back. */
const FIRST_WORD_MS = 4_000;
/** A stream that ends after less than this says that streams do not last here. */
const SHORT_STREAM_MS = 1_000;
/** Messages in one request: half of what the server takes. */
const MAX_BATCH = 32;

/**
 * A session by requests.
 *
 * @implements {Carrier}
 */
export class RequestCarrier {
  #sessions;
  #handlers;
  /** Ends by throwing. @type {(carrier: RequestCarrier, address: URL) => Promise<void>} */ #listen;
  /** Of the session, once there is one. @type {URL|null} */ #address = null;
  /** @type {string[]} */ #waiting = [];
  #isSending = false;
  #ended = new AbortController();
  /** The last event that has come. */
  seen = 0;
  hasSpoken = false;

  /**
   * @param {string} url
   * @param {CarrierHandlers} handlers
   * @param {"sse"|"poll"} kind
   */
  constructor(url, handlers, kind) {
    this.#sessions = new URL("sessions", url.replace(/^ws/, "http"));
    this.#handlers = handlers;
    this.#listen = kind === "sse" ? stream : poll;
    // There is nothing to open before the first message.
    queueMicrotask(() => this.isOver || handlers.onOpen());
  }

  get isOver() {
    return this.#ended.signal.aborted;
  }

  /** @param {string} text */
  send(text) {
    if (this.isOver) return;
    this.#waiting.push(text);
    if (!this.#isSending) this.#sendWaiting();
  }

  /** @param {string} text */
  sendLast(text) {
    if (this.#address === null || this.isOver) return;
    fetch(this.#address, { method: "POST", body: text, keepalive: true }).catch(() => {});
  }

  close() {
    this.#ended.abort();
  }

  /** @param {string} text a message that came unasked @param {number} seq */
  take(text, seq) {
    if (this.isOver) return;
    this.seen = Math.max(this.seen, seq);
    this.#handlers.onMessage(text);
  }

  /**
   * @param {string|URL} address
   * @param {RequestInit} init
   * @param {number} timeoutMs until `stopClock` or `finish`, which ends it whatever it came to
   * @returns {Promise<{response: Response, stopClock: () => void, finish: () => void}>}
   */
  async request(address, init, timeoutMs) {
    const limit = new AbortController();
    const abort = () => limit.abort();
    const timer = setTimeout(abort, timeoutMs);
    const stopClock = () => clearTimeout(timer);
    const finish = () => {
      stopClock();
      this.#ended.signal.removeEventListener("abort", abort);
    };
    this.#ended.signal.addEventListener("abort", abort);
    try {
      const response = await fetch(address, { cache: "no-store", ...init, signal: limit.signal });
      return { response, stopClock, finish };
    } catch (error) {
      finish();
      throw error;
    }
  }

  async #sendWaiting() {
    this.#isSending = true;
    try {
      while (this.#waiting.length > 0 && !this.isOver) {
        if (this.#address === null) await this.#begin(this.#waiting.shift() ?? "");
        else await this.#post(this.#address, this.#waiting.splice(0, MAX_BATCH));
      }
    } catch {
      this.#end();
    }
    this.#isSending = false;
  }

  /** @param {string} text */
  async #begin(text) {
    const { response, finish } = await this.request(
      this.#sessions,
      { method: "POST", body: text },
      REQUEST_TIMEOUT_MS,
    );
    const body = await response.text().finally(finish);
    // What does not speak the protocol is not the server: a proxy, maybe.
    const message = JSON.parse(body);
    if (typeof message?.type !== "string") throw unreachable();
    const location = response.headers.get("location");
    if (response.ok && location !== null) {
      this.#address = new URL(location, this.#sessions);
      this.seen = message.seq ?? message.after ?? 0;
    }
    if (this.isOver) return;
    this.#handlers.onMessage(body);
    if (this.#address !== null) this.#listen(this, this.#address).catch(() => {}).then(() => this.#end());
  }

  /** @param {URL} address @param {string[]} texts */
  async #post(address, texts) {
    const body = texts.length === 1 ? texts[0] : `[${texts}]`;
    const { response, finish } = await this.request(address, { method: "POST", body }, REQUEST_TIMEOUT_MS);
    finish();
    if (!response.ok) throw unreachable();
  }

  #end() {
    if (this.isOver) return;
    this.close();
    this.#handlers.onEnd(unreachable("the server is gone"));
  }
}

/** Takes server-sent events. @param {RequestCarrier} carrier @param {URL} session */
async function stream(carrier, session) {
  while (!carrier.isOver) {
    const beganAt = performance.now();
    // By hand and not by an `EventSource`, which does not tell a stream held back from a quiet one.
    const address = `${session}/events?after=${carrier.seen}`;
    const { response, stopClock, finish } = await carrier.request(address, {}, FIRST_WORD_MS);
    try {
      if (!response.ok || response.body === null) throw unreachable();
      await takeEvents(carrier, response.body, stopClock);
    } finally {
      finish();
    }
    // Proxies that end streams after a time are none to be upset about.
    if (performance.now() - beganAt < SHORT_STREAM_MS) throw unreachable();
  }
}

/**
 * @param {RequestCarrier} carrier
 * @param {ReadableStream<Uint8Array>} body
 * @param {() => void} onWord
 */
async function takeEvents(carrier, body, onWord) {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    onWord();
    carrier.hasSpoken = true;
    const lines = (rest + decoder.decode(value, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      // Each event is one line of data; its number is in there, too.
      if (!line.startsWith("data:")) continue;
      const text = line.slice("data:".length).trim();
      carrier.take(text, JSON.parse(text).seq);
    }
  }
}

/** Asks again and again. @param {RequestCarrier} carrier @param {URL} session */
async function poll(carrier, session) {
  while (!carrier.isOver) {
    const address = `${session}/poll?after=${carrier.seen}`;
    const { response, finish } = await carrier.request(address, {}, POLL_TIMEOUT_MS);
    try {
      if (!response.ok) throw unreachable();
      const events = await response.json();
      carrier.hasSpoken = true;
      for (const event of events) carrier.take(JSON.stringify(event), event.seq);
    } finally {
      finish();
    }
  }
}
