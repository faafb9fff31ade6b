/**
 * Sound and picture over one transport at a time, kept up: offered, answered, watched, and repaired
 * by an ICE restart first and by a new connection then.
 *
 * @module mosaic/media
 */
import { MosaicError, asMosaicError, noMedia, unreachable } from "./errors.js";
import { Pulse } from "./pulse.js";
import { RateWindow } from "./statistics.js";
import { Transport } from "./transport.js";

/** How long media may take to connect, and how long a short interruption may last. */
const MEDIA_TIMEOUT_MS = 12_000;
const MEDIA_GRACE_MS = 3_000;

/**
 * @typedef {object} MediaHandlers
 * @property {(transport: Transport) => void} onBegin there is a new transport
 * @property {() => void} onEnd it is gone
 * @property {() => void} onAnswer it has what it needs, and `stream` what it brings
 */

export class Media {
  #life;
  #seat;
  #maxVideoKbps;
  #handlers;
  /** @type {Pulse|null} */ #pulse = null;
  #rates = new RateWindow();
  /** Whether the session that has the seat has answered what was offered last. */
  #isSettled = false;
  #repairs = 0;
  /** @type {ReturnType<typeof setTimeout>|undefined} */ #timer;
  /** @type {Promise<unknown>} */ #negotiation = Promise.resolve();
  /** @type {Transport|null} */ transport = null;
  /** @type {RTCIceServer[]} */ iceServers = [];
  /** What is received: one audio and one video track. The object stays, its tracks may change. */
  stream = new MediaStream();

  /**
   * @param {import("./life.js").Life} life
   * @param {import("./seat.js").Seat} seat
   * @param {number} maxVideoKbps ceiling for one's own picture
   * @param {MediaHandlers} handlers
   */
  constructor(life, seat, maxVideoKbps, handlers) {
    this.#life = life;
    this.#seat = seat;
    this.#maxVideoKbps = maxVideoKbps;
    this.#handlers = handlers;
  }

  /** Negotiates, unless media needs nothing as far as one can tell. */
  async connect() {
    const isFlowing = this.#isSettled && this.transport?.state() === "connected" && !this.#pulse?.silent;
    if (isFlowing) this.#life.become("connected", null);
    else await this.#negotiate();
  }

  /** The server may know our media no more: it is offered anew. */
  unsettle() {
    this.#isSettled = false;
  }

  /** Puts so much sound into a packet, when no exchange is under way. @param {number} packetMs */
  pack(packetMs) {
    const { transport } = this;
    this.#negotiation = this.#negotiation.then(() => transport?.pack(packetMs));
  }

  /** @param {RTCIceCandidateInit} candidate */
  addCandidate(candidate) {
    this.transport?.addCandidate(candidate);
  }

  /** What the link does, since the last time this was asked. */
  measure() {
    return this.#rates.measure(this.transport?.pc ?? null);
  }

  /** Without a transport until the next exchange. */
  drop() {
    this.#unwatch();
    this.#handlers.onEnd();
    this.#pulse?.stop();
    this.#pulse = null;
    this.transport?.close();
    this.transport = null;
  }

  /** The call is over. */
  close() {
    this.drop();
    for (const track of this.stream.getTracks()) this.stream.removeTrack(track);
  }

  /** Offers and takes the answer, one exchange at a time. @returns {Promise<void>} */
  #negotiate() {
    const exchange = this.#negotiation.then(() => this.#exchange());
    this.#negotiation = exchange.catch(() => {});
    return exchange;
  }

  async #exchange() {
    // Twice at most: a server that has lost our transport answers with a new one, which an existing
    // RTCPeerConnection cannot follow; a new RTCPeerConnection can.
    for (let round = 0; round < 2; round += 1) {
      const { session } = this.#seat;
      if (!session) throw unreachable("the server is gone");
      this.#isSettled = false;
      this.transport ??= this.#begin();
      const { transport } = this;
      const sdp = await transport.offer();
      const answer = await session.request("offer", { sdp });
      if (transport !== this.transport) continue;
      if (await transport.accept(answer.sdp)) {
        this.#isSettled = true;
        this.#attach(transport);
        return;
      }
      this.drop();
    }
    throw new MosaicError("bad_answer", "the server's answer could not be used");
  }

  #begin() {
    const transport = new Transport(this.iceServers, this.#maxVideoKbps, {
      onCandidate: (candidate) => this.#seat.send({ type: "candidate", candidate }),
      onState: (state) => {
        if (transport === this.transport) this.#onState(state);
      },
    });
    this.#rates = new RateWindow();
    this.#pulse = new Pulse(transport, {
      onSilence: () => this.#restart(),
      onPackets: () => {
        if (transport.state() === "connected") this.#onState("connected");
      },
    });
    this.#handlers.onBegin(transport);
    return transport;
  }

  /** @param {Transport} transport just answered */
  #attach(transport) {
    const tracks = transport.remoteTracks();
    const old = this.stream.getTracks().filter((track) => !tracks.includes(track));
    for (const track of old) this.stream.removeTrack(track);
    for (const track of tracks) this.stream.addTrack(track);
    this.#handlers.onAnswer();
    // Silence is watched from its beginning, however often ICE is restarted meanwhile.
    if (!this.#pulse?.silent || this.#timer === undefined) this.#watch(MEDIA_TIMEOUT_MS);
    // Only this: right after a restart, `failed` is still what was before it.
    if (transport.state() === "connected") this.#onState("connected");
  }

  /** @param {RTCPeerConnectionState} state */
  #onState(state) {
    if (this.#life.isOver) return;
    // Until packets come again, neither says anything new: ICE may well believe in the path.
    if (this.#pulse?.silent && state !== "failed") return;
    if (state === "connected") {
      this.#unwatch();
      this.#repairs = 0;
      if (this.#seat.session) this.#life.become("connected", null);
    } else if (state === "disconnected") {
      // Often a moment without packets; a restart now would only prolong it.
      this.#watch(MEDIA_GRACE_MS);
    } else if (state === "failed") {
      this.#repair();
    }
  }

  #unwatch() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** @param {number} ms */
  #watch(ms) {
    this.#unwatch();
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (this.#pulse?.silent || this.transport?.state() !== "connected") this.#repair();
    }, ms);
  }

  /** ICE again over the same connection: the path may be dead, or one's address another by now. */
  #restart() {
    const { session } = this.#seat;
    // Without a session, or while an earlier exchange still goes on, media will be offered anyway.
    if (this.#life.isOver || !session || !this.transport?.isStable) return;
    this.#life.become("reconnecting", noMedia());
    if (this.#timer === undefined) this.#watch(MEDIA_TIMEOUT_MS);
    this.#repairs = Math.max(1, this.#repairs);
    this.#offerAgain(session);
  }

  /** First by an ICE restart, then with a new connection, for as long as the session lives. */
  #repair() {
    this.#unwatch();
    const { session } = this.#seat;
    // Without a session its loss is being dealt with, and media will be offered anew.
    if (this.#life.isOver || !session) return;
    this.#life.become("reconnecting", noMedia());
    if (this.#repairs > 0) this.drop();
    this.#repairs += 1;
    this.#offerAgain(session);
  }

  /** @param {import("./session.js").Session} session which is no use where it does not answer */
  #offerAgain(session) {
    this.#negotiate().catch((error) => session.close(asMosaicError(error)));
  }
}
