/**
 * One participation in one room, as the caller sees it. Its parts know of each other what they are
 * given here: the seat (signaling), the room (what the server tells), media, and what one sends.
 *
 * @module mosaic/call
 */
import { MosaicError, errorFrom } from "./errors.js";
import { Life } from "./life.js";
import { Media } from "./media.js";
import { Room } from "./room.js";
import { Seat } from "./seat.js";
import { Sending } from "./sending.js";

/**
 * @typedef {import("../mosaic.js").Participant} Participant
 * @typedef {import("../mosaic.js").Wishes} Wishes
 */

/** Ceiling for one's own picture, unless the caller has another. */
const MAX_VIDEO_KBPS = 1_500;

/** Made by `join`, or by hand to watch it from the start. */
export class Call extends EventTarget {
  #name;
  #life = new Life((previous) => {
    this.#emit("state", { state: this.#life.state, previous, error: this.#life.error });
  });
  /** @type {Seat} */ #seat;
  #room;
  /** @type {Media} */ #media;
  #sending;
  /** @type {Promise<void>|null} */ #joining = null;
  /** @type {{resolve: () => void, reject: (error: MosaicError) => void}|null} */ #ready = null;
  #onPageHide = () => this.#leaveAtOnce();

  /** @param {import("../mosaic.js").CallOptions} options */
  constructor(options) {
    super();
    this.#name = options.room;
    const maxVideoKbps = options.maxVideoKbps ?? MAX_VIDEO_KBPS;
    const emit = (/** @type {string} */ type, /** @type {object} */ detail) => this.#emit(type, detail);
    this.#room = new Room(emit, (now, before) => this.#sending.obey(now, before));
    this.#seat = new Seat(this.#life, options, {
      onMessage: (message) => this.#receive(message),
      onSeated: () => this.#media.connect(),
      onLost: () => this.#startAnew(),
    });
    this.#media = new Media(this.#life, this.#seat, maxVideoKbps, {
      onBegin: (transport) => this.#sending.begin(transport),
      onEnd: () => this.#sending.end(),
      onAnswer: () => this.#onAnswer(),
    });
    const around = { seat: this.#seat, media: this.#media, self: () => this.#room.me, emit };
    this.#sending = new Sending({ ...options, maxVideoKbps }, around);
    if (options.leaveOnPageHide ?? true) globalThis.addEventListener("pagehide", this.#onPageHide);
  }

  get state() { return this.#life.state; }
  /** Why the state is `reconnecting` or `failed`; null otherwise. */
  get error() { return this.#life.error; }
  /** What is received: one audio and one video track. The object stays, its tracks may change. */
  get stream() { return this.#media.stream; }
  /** Everybody in the room by id, oneself included. @returns {ReadonlyMap<string, Participant>} */
  get participants() { return this.#room.participants; }
  /** One's own participant id; null until joined. */
  get self() { return this.#room.self; }
  /** Id of who is speaking, or null. */
  get speaker() { return this.#room.speaker; }
  /** Who is where on the picture; null until told. */
  get layout() { return this.#room.layout; }
  /** What is worth sending; null until told. */
  get uplink() { return this.#sending.uplink; }
  /** Why one's picture is not sent although the camera is on; null if it is sent. */
  get paused() { return this.#sending.paused; }
  /** What is received and why it is no better; null until told. */
  get quality() { return this.#room.quality; }
  get room() { return this.#name; }
  /** What holds for everybody: locked, lobby, layout, pinned; null until joined. */
  get roomState() { return this.#room.state; }
  /** What may be done here: `moderator` or `participant`; null until joined. */
  get role() { return this.#room.me?.role ?? null; }
  /** What was written, the oldest first. @returns {readonly import("../mosaic.js").ChatMessage[]} */
  get chatLog() { return this.#room.chat; }
  /** Who waits to be let in, as moderators are told. @returns {readonly import("../mosaic.js").Knock[]} */
  get knocking() { return this.#room.knocking; }
  /** One's own place among those who wait to be let in, 1 is next; null while one does not wait. */
  get place() { return this.#seat.place; }
  get handRaised() { return this.#sending.handRaised; }
  get maxParticipants() { return this.#room.maxParticipants; }
  /** Takes this seat back in a later call, within the server's `seat_ms`. */
  get token() { return this.#seat.token; }
  /** How the server is talked to, at last. @returns {"ws"|"sse"|"poll"} */
  get carrier() { return this.#seat.carrier; }
  get muted() { return this.#sending.muted; }
  get camera() { return this.#sending.camera; }

  /**
   * Goes in. Resolves when the server has answered the offer, rejects when the call is over before.
   *
   * @returns {Promise<void>}
   * @throws {MosaicError}
   */
  join() {
    this.#joining ??= new Promise((resolve, reject) => {
      this.#ready = { resolve, reject };
      if (typeof RTCPeerConnection === "undefined") {
        this.#end("failed", new MosaicError("unsupported", "this browser has no WebRTC"));
      } else {
        this.#seat.keep().then((cause) => cause && this.#end("failed", cause));
      }
    });
    return this.#joining;
  }

  /**
   * Goes out; resolves when the server knows, or does not answer within a second. Where the
   * connection to it is lost at that moment, it is told once it can be reached again, as long as the
   * page lives and half a minute at most; else the seat is given up after the server's `seat_ms`.
   */
  async leave() {
    if (this.#life.isOver) return;
    const farewell = this.#seat.leave();
    this.#end("left", null);
    await farewell;
  }

  /**
   * Silences one's microphone, or opens it, and tells the others. Nothing happens where a moderator
   * holds it off.
   *
   * @param {boolean} muted
   */
  setMuted(muted) {
    this.#sending.setMuted(muted);
  }

  /**
   * Stops or resumes sending one's picture, and tells the others. The camera's light is the
   * caller's: stop the track, and give a new one to {@link setStream}, to switch it off as well.
   * Nothing happens where a moderator holds it off.
   *
   * @param {boolean} camera
   */
  async setCamera(camera) {
    await this.#sending.setCamera(camera);
  }

  /**
   * Sends other tracks from now on, without a new negotiation.
   *
   * @param {MediaStream|null} stream its first audio and first video track; either may be missing
   */
  async setStream(stream) {
    await this.#sending.setStream(stream);
  }

  /**
   * Asks for another picture than the link allows, in place of what was asked before.
   *
   * @param {Wishes} wishes
   */
  prefer(wishes) {
    this.#room.wishes = wishes;
    this.#seat.send({ type: "prefer", ...wishes });
  }

  /** Raises one's hand, or takes it down, and tells the others. @param {boolean} raised */
  setHand(raised) {
    this.#sending.setHand(raised);
  }

  /**
   * Writes to everybody. Resolves when they have it; rejects with `bad_text`, or with `rate_limited` and
   * how long to wait.
   *
   * @param {string} text 1 to 2,000 bytes
   * @throws {MosaicError}
   */
  async chat(text) {
    await this.#seat.ask("chat", { text });
  }

  /**
   * Does what moderators may: `moderate("mute", { participant, how: "force" })`, `moderate("lobby", { on: true })`,
   * `moderate("admit", { waiting })`, `moderate("end")`. PROTOCOL.md has them all. Resolves when it is done.
   *
   * @param {import("../mosaic.js").Act} act
   * @param {object} [fields] of the act
   * @returns {Promise<{keptOut: boolean|null}>} of a removal with a ban, whether that keeps them out: false where
   *   nothing tells them from anybody else; null of all other acts
   * @throws {MosaicError} `not_allowed`, `no_such_participant`
   */
  async moderate(act, fields = {}) {
    const done = await this.#seat.ask("moderate", { act, ...fields });
    return { keptOut: done.kept_out ?? null };
  }

  /**
   * What the link does, since the last time this was asked.
   *
   * @returns {Promise<import("../mosaic.js").CallStats>}
   */
  async stats() {
    return this.#media.measure();
  }

  /** @param {any} message one that answers no request, or begins or continues a session */
  #receive(message) {
    switch (message.type) {
      case "joined":
        if (!this.#life.isOver) this.#welcome(message);
        break;
      case "resumed":
        if (this.#life.isOver) break;
        if (this.#seat.place === null) this.#settle();
        else this.#seat.waitOn();
        break;
      case "waiting":
        this.#seat.wait(message);
        this.#emit("waiting", { place: this.#seat.place });
        break;
      case "bye":
        this.#seat.dismiss(message.reason);
        break;
      case "candidate":
        this.#media.addCandidate(message.candidate);
        break;
      case "uplink":
        this.#sending.follow({ video: message.video, audio: message.audio });
        break;
      case "asked":
        this.#emit("asked", { to: message.to, by: message.by });
        break;
      case "notice":
        this.#emit("notice", { code: message.code, message: message.message });
        break;
      case "error":
        this.#emit("trouble", { error: errorFrom(message) });
        break;
      default:
        this.#room.take(message);
    }
  }

  /** @param {any} joined */
  #welcome(joined) {
    this.#seat.take(joined);
    this.#media.iceServers = joined.ice_servers ?? [];
    this.#room.enter(joined);
    if (this.#life.state === "waiting") this.#life.become("joining", null);
    this.#sending.enter(this.#room.me);
    // Media of a seat taken back is offered anew: the server may know it no more.
    this.#media.unsettle();
    this.#settle();
    this.#room.announce(joined);
  }

  /** The session may be used: says what may have been lost on the way here, or was not said. */
  #settle() {
    this.#seat.settle();
    this.#sending.sayAgain();
    this.#room.dropVainWish();
    if (this.#room.wishes) this.prefer(this.#room.wishes);
  }

  /** The seat is gone, and what it had of media with it. */
  #startAnew() {
    this.#sending.uplink = null;
    this.#room.forget();
    this.#media.drop();
  }

  #onAnswer() {
    this.#emit("stream", { stream: this.#media.stream });
    this.#ready?.resolve();
    this.#sending.tune();
  }

  /** For a page on its way out. */
  #leaveAtOnce() {
    this.#seat.leaveAtOnce();
    this.#end("left", null);
  }

  /** @param {"left"|"failed"} state @param {MosaicError|null} error */
  #end(state, error) {
    if (this.#life.isOver) return;
    globalThis.removeEventListener("pagehide", this.#onPageHide);
    this.#seat.close();
    this.#sending.close();
    this.#media.close();
    this.#life.become(state, error);
    this.#ready?.reject(this.#life.cause);
  }

  /** @param {string} type @param {object} detail */
  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
