/**
 * A seat in a room, kept over lost carriers: coming in, waiting to be let in, going on where one was,
 * taking the seat back, giving it up.
 *
 * Bounds: one carrier at a time, {@link MAX_ATTEMPTS} attempts in a row.
 *
 * @module mosaic/seat
 */
import { MAX_ATTEMPTS, isOfCarrier, isPassing, waitMs } from "./attempts.js";
import { CarrierChoice } from "./choice.js";
import { Claim } from "./claim.js";
import { asMosaicError, dismissed, unreachable } from "./errors.js";
import { sayFarewell } from "./farewell.js";
import { Session } from "./session.js";

/** How long a carrier may take to show that it works where another could take its place. */
const TRIAL_MS = 3_000;
/** A session that lived this long was a good one: the next loss starts with a short wait again. */
const GOOD_SESSION_MS = 10_000;
/** Until the server says how often. */
const PING_INTERVAL_MS = 5_000;

/**
 * @typedef {import("./errors.js").MosaicError} MosaicError
 *
 * @typedef {object} SeatHandlers
 * @property {(message: any) => void} onMessage gets what answers no request, `joined` and `resumed`; these it
 *   gives back to {@link Seat#take} and {@link Seat#settle}
 * @property {() => Promise<void>} onSeated connects media where that is not connected
 * @property {() => void} onLost the seat is gone, and one comes in as somebody new
 */

export class Seat {
  #life;
  #handlers;
  #url;
  #claim;
  #carriers;
  /** That over the carrier in use, whether or not it has the seat. @type {Session|null} */ #current = null;
  /** Whose carrier was found to work. @type {Session|null} */ #trusted = null;
  #pingIntervalMs = PING_INTERVAL_MS;
  /** Whether there has ever been a seat: then the caller is in, and stays so over lost sessions. */
  #wasSeated = false;
  /** @type {() => void} */ #wake = () => {};
  /** The session that has the seat; none between the loss of its carrier and the next.
   *  @type {Session|null} */ session = null;
  /** Among those who wait to be let in; null while one does not. @type {number|null} */ place = null;

  /**
   * @param {import("./life.js").Life} life
   * @param {import("../mosaic.js").CallOptions} options
   * @param {SeatHandlers} handlers
   */
  constructor(life, options, handlers) {
    this.#life = life;
    this.#handlers = handlers;
    this.#url = socketUrl(options.url);
    this.#claim = new Claim(life, options, handlers.onLost);
    this.#carriers = new CarrierChoice(options.carrier ?? null);
  }

  /** Takes this seat back. */
  get token() { return this.#claim.token; }

  /** How the server is talked to, at last. */
  get carrier() { return this.#carriers.kind; }

  /**
   * Has a seat over one carrier after the other, until the call is over or there is no use in it.
   *
   * @returns {Promise<MosaicError|null>} why there is no use in it; null where the call is over
   */
  async keep() {
    for (let attempt = 0; !this.#life.isOver; attempt += 1) {
      let cause;
      try {
        const session = await this.#open();
        const openedAt = performance.now();
        cause = await session.closed;
        if (performance.now() - openedAt >= GOOD_SESSION_MS) attempt = 0;
      } catch (error) {
        cause = asMosaicError(error);
        if ((waitedMs(this.#current) ?? 0) >= GOOD_SESSION_MS) attempt = 0;
      }
      if (this.#life.isOver) break;
      this.#current = null;
      this.session = null;
      const isIn = this.#wasSeated || this.place !== null;
      if (!isIn || !isPassing(cause) || attempt >= MAX_ATTEMPTS) return cause;
      this.#life.become("reconnecting", cause);
      // Nobody is to blame while there is no network: that does not count as trying.
      if (globalThis.navigator?.onLine === false) attempt = 0;
      await this.#pause(waitMs(attempt, cause));
    }
    return null;
  }

  /** @param {object} message dropped where nobody has the seat now */
  send(message) {
    this.session?.send(message);
  }

  /** @param {string} type @param {object} fields @returns {Promise<any>} the reply */
  ask(type, fields) {
    if (!this.session) throw unreachable("the server is gone");
    return this.session.request(type, fields);
  }

  /** The server has given it. @param {any} joined */
  take(joined) {
    this.#wasSeated = true;
    this.#claim.note(joined, null);
    this.#pingIntervalMs = joined.ping_interval_ms ?? this.#pingIntervalMs;
    this.place = null;
    if (this.#current) this.#current.waitsSince = null;
  }

  /** The session in use has the seat from now on. */
  settle() {
    this.session = this.#current;
    this.session?.keepAlive(this.#pingIntervalMs);
  }

  /** The server says that one has to be let in first. @param {any} message */
  wait(message) {
    this.#claim.note(message, this.#current?.joinId ?? null);
    this.place = message.place;
    this.#pingIntervalMs = message.ping_interval_ms ?? this.#pingIntervalMs;
    this.waitOn();
  }

  /** Waits to be let in, over this carrier from now on. */
  waitOn() {
    if (this.#current === null) return;
    this.#trust(this.#current);
    this.#current.waitOn();
    this.#current.keepAlive(this.#pingIntervalMs);
    this.#life.become("waiting", null);
  }

  /** The server has ended the session. @param {string} reason */
  dismiss(reason) {
    this.#claim.dropSession();
    this.#current?.close(dismissed(reason));
  }

  /**
   * Gives the seat up; what is left of it is for {@link Seat#close}. Resolves when the server knows, or
   * does not answer within a second.
   */
  leave() {
    const session = this.#current;
    this.#current = null;
    return sayFarewell(session, this.#carriers.kind, this.#url, { ...this.#claim.seat, token: this.token });
  }

  /** For a page on its way out, which waits for no reply. */
  leaveAtOnce() {
    this.#current?.sendLast({ type: "leave" });
  }

  /** The call is over. */
  close() {
    this.#current?.close();
    this.#current = null;
    this.session = null;
    this.#wake();
  }

  /** Goes on with the session, or takes a seat, over a carrier that works. @returns {Promise<Session>} */
  async #open() {
    /** @type {MosaicError|null} */ let failure = null;
    for (const kind of this.#carriers.candidates()) {
      const session = await this.#enter(kind).catch((/** @type {MosaicError} */ error) => {
        this.#life.throwIfOver();
        // Nothing is the matter with a carrier over which somebody has waited.
        if (!isOfCarrier(error) || waitedMs(this.#current) !== null) throw error;
        failure ??= error;
        return null;
      });
      if (session !== null) return this.#connect(session);
    }
    this.#carriers.failed();
    throw failure ?? unreachable();
  }

  /** @param {import("./carriers.js").CarrierKind} kind @returns {Promise<Session>} that has the seat */
  async #enter(kind) {
    const session = await Session.open(kind, this.#url, this.#handlers.onMessage, this.#claim.seen);
    try {
      this.#life.throwIfOver();
      this.#current = session;
      const limitMs = this.#carriers.isOnTrial(kind) ? TRIAL_MS : undefined;
      const goesOn = await this.#claim.resume(session, limitMs);
      this.#life.throwIfOver();
      if (!goesOn) {
        // What is asked for by a `join` must not come true behind our back: so first whether it would get through.
        if (limitMs !== undefined) await session.request("ping", {}, limitMs);
        this.#life.throwIfOver();
        await this.#claim.join(session);
      }
      this.#life.throwIfOver();
      return session;
    } catch (error) {
      session.close();
      throw asMosaicError(error);
    }
  }

  /** The carrier brings what it should: notes down how it ends. @param {Session} session */
  #trust(session) {
    if (this.#trusted === session) return;
    this.#trusted = session;
    this.#carriers.works(session.kind);
    session.closed.then(() => {
      this.#carriers.lost(session.hasSpoken);
      this.#claim.noteSeen(session.seen);
    });
  }

  /** @param {Session} session */
  async #connect(session) {
    this.#trust(session);
    try {
      await this.#handlers.onSeated();
      return session;
    } catch (error) {
      session.close();
      throw error;
    }
  }

  /** Waits, but no longer than until the network is back or the call is over. @param {number} ms */
  #pause(ms) {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        globalThis.removeEventListener("online", done);
        resolve(undefined);
      };
      const timer = setTimeout(done, ms);
      globalThis.addEventListener("online", done);
      this.#wake = done;
    });
  }
}

/** For how long somebody has to be let in over this carrier; null where nobody has to. @param {Session|null} session */
function waitedMs(session) {
  const since = session?.waitsSince ?? null;
  return since === null ? null : performance.now() - since;
}

/** @param {string|URL|undefined} url */
function socketUrl(url) {
  const absolute = new URL(url ?? "../ws", url ? globalThis.location?.href : import.meta.url);
  absolute.protocol = absolute.protocol.replace(/^http/, "ws");
  return absolute.href;
}
