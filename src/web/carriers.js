/**
 * Three ways to carry a session, all alike to whoever uses them: a WebSocket, server-sent events
 * with requests beside them, and polls. The last two are for proxies that break the first.
 *
 * A carrier takes text that is one message, and gives text that is one message. It ends once, with
 * why; what happens then is the session's business.
 *
 * @module carriers
 */
import { MosaicError, unreachable } from "./errors.js";

const SUBPROTOCOL = "mosaicd.v1";

/** How long a request may take that is answered at once, and one that waits for news. */
const REQUEST_TIMEOUT_MS = 10_000;
const POLL_TIMEOUT_MS = 40_000;
/** The server begins a stream with a word: where that does not come, something on the way holds it back. */
const FIRST_WORD_MS = 4_000;
/** A stream that ends after less than this says that streams do not last here. */
const SHORT_STREAM_MS = 1_000;
/** Messages in one request: half of what the server takes. */
const MAX_BATCH = 32;

/** A carrier that lived less than this lived a short life; after so many in a row another kind is tried. */
const SHORT_LIFE_MS = 10_000;
const MAX_SHORT_LIVES = 5;
/** What has worked before is tried so often before something else is. */
const PATIENCE = 2;

/**
 * @typedef {"ws"|"sse"|"poll"} CarrierKind
 *
 * @typedef {object} CarrierHandlers
 * @property {() => void} onOpen something may be sent
 * @property {(text: string) => void} onMessage
 * @property {(cause: MosaicError) => void} onEnd at most once, and not after `close`
 *
 * @typedef {object} Carrier
 * @property {boolean} hasSpoken whether anything came over it unasked
 * @property {(text: string) => void} send dropped where the carrier has ended
 * @property {(text: string) => void} sendLast also where the page goes away in the same moment
 * @property {() => void} close
 */

/**
 * @param {CarrierKind} kind
 * @param {string} url of the WebSocket; the others are beside it
 * @param {CarrierHandlers} handlers
 * @returns {Carrier}
 */
export function openCarrier(kind, url, handlers) {
  if (kind === "ws") return new SocketCarrier(url, handlers);
  return new RequestCarrier(url, handlers, kind === "sse" ? stream : poll);
}

/** @implements {Carrier} */
class SocketCarrier {
  #socket;
  hasSpoken = false;

  /** @param {string} url @param {CarrierHandlers} handlers */
  constructor(url, { onOpen, onMessage, onEnd }) {
    this.#socket = new WebSocket(url, SUBPROTOCOL);
    this.#socket.onopen = onOpen;
    this.#socket.onmessage = ({ data }) => {
      this.hasSpoken = true;
      onMessage(String(data));
    };
    this.#socket.onclose = () => {
      this.close();
      onEnd(unreachable("the server is gone"));
    };
    // Usually `close` follows; where a content security policy is in the way, it does not.
    this.#socket.onerror = () => {
      this.close();
      onEnd(unreachable());
    };
  }

  /** @param {string} text */
  send(text) {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(text);
  }

  /** @param {string} text */
  sendLast(text) {
    this.send(text);
  }

  close() {
    this.#socket.onopen = null;
    this.#socket.onmessage = null;
    this.#socket.onclose = null;
    this.#socket.onerror = null;
    this.#socket.close();
  }
}

/**
 * Requests up, one at a time, and one of two ways down.
 *
 * @implements {Carrier}
 */
class RequestCarrier {
  #sessions;
  #handlers;
  #listen;
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
   * @param {(carrier: RequestCarrier, address: URL) => Promise<void>} listen ends by throwing
   */
  constructor(url, handlers, listen) {
    this.#sessions = new URL("sessions", url.replace(/^ws/, "http"));
    this.#handlers = handlers;
    this.#listen = listen;
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

/**
 * Which carrier to try next. The order is that of what is best; what turns out not to work here is
 * not tried again, what only failed together with the network is.
 */
export class CarrierChoice {
  /** @type {CarrierKind[]} */ #order;
  /** @type {Set<CarrierKind>} */ #worked = new Set();
  #failures = 0;
  #shortLives = 0;
  #since = 0;
  /** The one in use, or used last. @type {CarrierKind} */ kind;

  /** @param {CarrierKind|null} forced the only one to use */
  constructor(forced) {
    this.#order = forced ? [forced] : ["ws", "sse", "poll"];
    this.kind = this.#order[0];
  }

  /** What to try now, one after the other. @returns {CarrierKind[]} */
  candidates() {
    const [first, second] = this.#order;
    const trusts = this.#worked.has(first) && this.#failures < PATIENCE;
    return second === undefined || trusts ? [first] : [first, second];
  }

  /**
   * Whether it is not known to work here while there is something to take its place: some proxies accept
   * WebSockets and pass nothing on. The others have limits of their own.
   *
   * @param {CarrierKind} kind
   */
  isOnTrial(kind) {
    return kind === "ws" && !this.#worked.has(kind) && this.#order.length > 1;
  }

  /** None of the candidates got through. */
  failed() {
    this.#failures += 1;
  }

  /** @param {CarrierKind} kind brought a reply */
  works(kind) {
    // Another one that never did is in the way of nothing but time.
    if (!this.#worked.has(this.#order[0])) this.#order = this.#order.slice(this.#order.indexOf(kind));
    this.#worked.add(kind);
    this.#failures = 0;
    this.#since = performance.now();
    this.kind = kind;
  }

  /** The one that worked has ended. @param {boolean} hasSpoken whether anything had come over it unasked */
  lost(hasSpoken) {
    const isShort = performance.now() - this.#since < SHORT_LIFE_MS;
    this.#shortLives = isShort ? this.#shortLives + 1 : 0;
    if (hasSpoken && this.#shortLives < MAX_SHORT_LIVES) return;
    this.#shortLives = 0;
    if (this.#order.length > 1) this.#order = this.#order.filter((kind) => kind !== this.kind);
  }
}
