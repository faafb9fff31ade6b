/**
 * What a seat is claimed with: the session to go on with, where there is one; else the token of the
 * seat; else a name, and what shows that one may come in.
 *
 * @module mosaic/claim
 */
import { isOfCarrier } from "./attempts.js";
import { asMosaicError } from "./errors.js";
import { PROTOCOL_VERSION } from "./session.js";

/** @typedef {import("./session.js").Session} Session */

export class Claim {
  #life;
  #onLost;
  #room;
  #name;
  #auth;
  /** What was shown last. @type {string|null} */ #credential = null;
  /** What may be continued: the session that has the seat or waits for one, the last event that came, and
   *  the `join` that is not answered while it waits.
   *  @type {{session: string, seen: number, joinId: number|null}|null} */ #resumable = null;
  /** Takes the seat back. @type {string|null} */ token;

  /**
   * @param {import("./life.js").Life} life
   * @param {import("../mosaic.js").CallOptions} options
   * @param {() => void} onLost the seat is gone, and one comes in as somebody new
   */
  constructor(life, { room, name, auth, token }, onLost) {
    this.#life = life;
    this.#onLost = onLost;
    this.#room = room;
    this.#name = name;
    this.#auth = auth ?? null;
    if (typeof this.#auth === "string") this.#credential = this.#auth;
    this.token = token ?? null;
  }

  /** The last event that has come of the session to go on with. */
  get seen() {
    return this.#resumable?.seen ?? 0;
  }

  /** Who asks for which room, and what shows that they may. */
  get seat() {
    const seat = { room: this.#room, name: this.#name };
    return this.#credential === null ? seat : { ...seat, auth: this.#credential };
  }

  /**
   * The server has given a seat, or a place to wait for one.
   *
   * @param {{token?: string, session?: string}} given
   * @param {number|null} joinId of the `join` that this does not answer yet
   */
  note({ token, session }, joinId) {
    this.token = token ?? null;
    this.#resumable = session ? { session, seen: 0, joinId } : null;
  }

  /** The carrier is gone. @param {number} seen the last event that came over it */
  noteSeen(seen) {
    if (this.#resumable) this.#resumable.seen = seen;
  }

  /** There is no session to go on with any more. */
  dropSession() {
    this.#resumable = null;
  }

  /**
   * Goes on where one was.
   *
   * @param {Session} session
   * @param {number} [limitMs] for the reply
   * @returns {Promise<boolean>} false where that is not to be: a seat has to be taken then
   */
  async resume(session, limitMs) {
    if (this.#resumable === null) return false;
    const { session: id, seen, joinId } = this.#resumable;
    // What answers it may come at once behind `resumed`.
    const joined = joinId === null ? null : this.#admitted(session.awaitJoin(joinId));
    joined?.catch(() => {});
    try {
      await session.request("resume", { version: PROTOCOL_VERSION, session: id, after: seen }, limitMs);
    } catch (error) {
      // What the server has against it, it has against this session, and not against the seat.
      if (isOfCarrier(asMosaicError(error))) throw error;
      session.forgetJoin();
      this.dropSession();
      return false;
    }
    await joined;
    return true;
  }

  /** Takes the seat back, or another. @param {Session} session */
  async join(session) {
    if (typeof this.#auth === "function") this.#credential = await this.#auth();
    const request = { version: PROTOCOL_VERSION, ...this.seat };
    if (this.token !== null) {
      try {
        await this.#admitted(session.request("join", { ...request, token: this.token }));
        return;
      } catch (error) {
        if (asMosaicError(error).code !== "bad_token") throw error;
        this.token = null;
        this.#onLost();
        this.#life.throwIfOver();
      }
    }
    await this.#admitted(session.request("join", request));
  }

  /** Who is not let in has nothing to go on with. @param {Promise<any>} reply to a `join` */
  async #admitted(reply) {
    try {
      await reply;
    } catch (error) {
      if (!isOfCarrier(asMosaicError(error))) this.dropSession();
      throw error;
    }
  }
}
