/**
 * One carrier's share of a session: requests and their replies, pings, and one end. What was seen
 * over it tells the next one where to go on.
 *
 * @module mosaic/session
 */
import { openCarrier } from "./carriers.js";
import { MosaicError, errorFrom, unreachable } from "./errors.js";

/** The version of PROTOCOL.md spoken here. */
export const PROTOCOL_VERSION = 1;

const OPEN_TIMEOUT_MS = 5_000;
const REPLY_TIMEOUT_MS = 10_000;
/** Unanswered pings after which the server counts as gone. */
const MAX_MISSED_PINGS = 2;
const MIN_PING_INTERVAL_MS = 250;

/** Over all carriers: a reply may come over another one than its request went. */
let nextId = 1;

export class Session {
  #carrier;
  #onMessage;
  #isOver = false;
  /** @type {Map<number, {resolve: (reply: any) => void, reject: (error: MosaicError) => void, wait: () => void}>} */
  #waiting = new Map();
  /** @type {ReturnType<typeof setInterval>|undefined} */ #pinging;
  #missedPings = 0;
  /** @type {() => void} */ #settleOpen = () => {};
  /** @type {(cause: MosaicError) => void} */ #settleClosed = () => {};
  /** Resolves, never rejects, with why the carrier is gone. @type {Promise<MosaicError>} */
  closed;
  /** The last event that has come. */
  seen;
  /** @type {import("./carriers.js").CarrierKind} */
  kind;
  /** Of the `join` that went over this carrier last. @type {number|null} */
  joinId = null;
  /** Since when somebody has to let us in first; null where nobody has to. @type {number|null} */
  waitsSince = null;

  /**
   * @param {import("./carriers.js").CarrierKind} kind
   * @param {string} url of the WebSocket
   * @param {(message: any) => void} onMessage gets what answers no request, and what begins or
   *   continues a session before its request is settled
   * @param {number} [seen] the last event that has come over earlier carriers
   * @returns {Promise<Session>}
   */
  static open(kind, url, onMessage, seen = 0) {
    return new Promise((resolve, reject) => {
      const session = new Session(kind, url, onMessage, seen);
      const timer = setTimeout(() => session.close(unreachable()), OPEN_TIMEOUT_MS);
      session.#settleOpen = () => {
        clearTimeout(timer);
        resolve(session);
      };
      session.closed.then((cause) => {
        clearTimeout(timer);
        reject(cause);
      });
    });
  }

  /**
   * @param {import("./carriers.js").CarrierKind} kind
   * @param {string} url
   * @param {(message: any) => void} onMessage
   * @param {number} seen
   */
  constructor(kind, url, onMessage, seen) {
    this.#onMessage = onMessage;
    this.kind = kind;
    this.seen = seen;
    this.closed = new Promise((resolve) => { this.#settleClosed = resolve; });
    this.#carrier = openCarrier(kind, url, {
      onOpen: () => this.#settleOpen(),
      onMessage: (text) => this.#receive(text),
      onEnd: (cause) => this.close(cause),
    });
  }

  /** Whether anything came unasked. */
  get hasSpoken() { return this.#carrier.hasSpoken; }

  /** @param {object} message dropped where the carrier is gone: its end will be dealt with */
  send(message) {
    this.#carrier.send(JSON.stringify(message));
  }

  /** @param {object} message for a page on its way out */
  sendLast(message) {
    this.#carrier.sendLast(JSON.stringify(message));
  }

  /**
   * @param {string} type
   * @param {object} fields
   * @param {number} [timeoutMs]
   * @returns {Promise<any>} the reply
   */
  request(type, fields, timeoutMs = REPLY_TIMEOUT_MS) {
    const id = nextId;
    nextId += 1;
    if (type === "join") {
      // Each session counts anew.
      this.seen = 0;
      this.joinId = id;
    }
    const reply = this.#replyTo(id, type, timeoutMs);
    this.send({ type, id, ...fields });
    return reply;
  }

  /**
   * Takes up the `join` of a carrier before this one, which is not answered yet.
   *
   * @param {number} id
   * @returns {Promise<any>} the reply, whenever that comes
   */
  awaitJoin(id) {
    this.joinId = id;
    return this.#replyTo(id, "join", null);
  }

  /** There is no such `join` after all: whoever was to get its reply is told nothing, now or later. */
  forgetJoin() {
    if (this.joinId !== null) this.#waiting.delete(this.joinId);
    this.joinId = null;
  }

  /** @param {number} id @param {string} type @param {number|null} timeoutMs null: as long as it takes */
  #replyTo(id, type, timeoutMs) {
    return new Promise((resolve, reject) => {
      if (this.#isOver) {
        reject(unreachable("the server is gone"));
        return;
      }
      const giveUp = () => this.#settle(id, "reject", new MosaicError("timeout", `no reply to ${type}`));
      const timer = timeoutMs === null ? undefined : setTimeout(giveUp, timeoutMs);
      const settled = (/** @type {(value: any) => void} */ settle) => (/** @type {any} */ value) => {
        clearTimeout(timer);
        settle(value);
      };
      const wait = () => clearTimeout(timer);
      this.#waiting.set(id, { resolve: settled(resolve), reject: settled(reject), wait });
    });
  }

  /** The reply to a `join` takes as long as people take. */
  waitOn() {
    this.waitsSince ??= performance.now();
    for (const { wait } of this.#waiting.values()) wait();
  }

  /**
   * Pings, and gives the carrier up when pings stay unanswered. Counts ticks, not time: a browser
   * that slows the timers of a hidden page must not take that for a dead server.
   *
   * @param {number} intervalMs
   */
  keepAlive(intervalMs) {
    clearInterval(this.#pinging);
    this.#missedPings = 0;
    this.#pinging = setInterval(() => {
      if (this.#missedPings >= MAX_MISSED_PINGS) {
        this.close(unreachable("the server does not answer"));
        return;
      }
      this.#missedPings += 1;
      this.send({ type: "ping", after: this.seen });
    }, Math.max(intervalMs, MIN_PING_INTERVAL_MS));
  }

  /** @param {MosaicError} [cause] */
  close(cause = unreachable("the server is gone")) {
    this.#isOver = true;
    clearInterval(this.#pinging);
    this.#carrier.close();
    for (const id of [...this.#waiting.keys()]) this.#settle(id, "reject", cause);
    this.#settleClosed(cause);
  }

  /** @param {string} text */
  #receive(text) {
    this.#missedPings = 0;
    let message;
    try {
      message = JSON.parse(text);
    } catch {
      return;
    }
    if (typeof message?.type !== "string") return;
    if (message.seq !== undefined) {
      if (message.seq <= this.seen) return;
      this.seen = message.seq;
    }
    // At once: what comes behind it may be here already.
    if (message.type === "joined" || message.type === "resumed") this.#onMessage(message);
    const isReply = message.type === "error"
      ? this.#settle(message.id, "reject", errorFrom(message))
      : this.#settle(message.id, "resolve", message);
    // One with an id answers a request of which nobody knows any more.
    if (!isReply && message.id === undefined) this.#onMessage(message);
  }

  /** @param {number} id @param {"resolve"|"reject"} how @param {any} value */
  #settle(id, how, value) {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    waiting?.[how](value);
    return waiting !== undefined;
  }
}
