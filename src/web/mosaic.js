/**
 * The mosaicd client: joins a room, sends one MediaStream, receives one audio and one video track
 * with everybody in them, and keeps that up over lost sockets and changing networks.
 *
 *     import { join } from "https://mosaic.example/mosaic.js";
 *     const call = await join({ room: "demo", name: "Ann", stream });
 *     video.srcObject = call.stream;
 *
 * No dependency, no build step, nothing of the page: any MediaStream will do, or none. It imports what
 * is beside it (`session.js`, `carriers.js`, `errors.js`), so that it can be imported or copied with
 * these. The messages are those of PROTOCOL.md. Tracks belong to the caller: they are never stopped here.
 *
 * Events, each a CustomEvent: `state` {state, previous, error}, `participants` {change, participant,
 * reason}, `speaker` {participant}, `layout` {canvas, tiles, seenAs}, `quality` {@link Quality}, `uplink`
 * {video, audio, paused}, `stream` {stream}, `notice` {code, message}, `trouble` {error}, `room`
 * {@link RoomState}, `chat` {@link ChatMessage}, `asked` {to, by}, `waiting` {place}, `knocking` {waiting}.
 *
 * Bounds: one carrier and one RTCPeerConnection at a time, one request timer each, at most
 * {@link MAX_EARLY_CANDIDATES} candidates waiting for an answer.
 *
 * @module mosaic
 */

import { CarrierChoice } from "./carriers.js";
import { MosaicError, asMosaicError, errorFrom, unreachable } from "./errors.js";
import { Session } from "./session.js";

export { MosaicError };

/** The version of PROTOCOL.md spoken here. */
export const PROTOCOL_VERSION = 1;

const LEAVE_TIMEOUT_MS = 1_000;
/** How long a carrier may take to show that it works where another could take its place. */
const TRIAL_MS = 3_000;
/** How long a leave that could not be said is tried again: as long as servers usually keep a seat. */
const FAREWELL_MS = 30_000;
const BACKOFF_FIRST_MS = 500;
const BACKOFF_MAX_MS = 10_000;
/** Whatever a server advises, nobody waits longer than this. */
const MAX_RETRY_AFTER_MS = 60_000;
/** About two minutes of trying, after which the caller should ask the person. */
const MAX_ATTEMPTS = 15;
/** A session that lived this long was a good one: the next loss starts with a short wait again. */
const GOOD_SESSION_MS = 10_000;
/** How long media may take to connect, and how long a short interruption may last. */
const MEDIA_TIMEOUT_MS = 12_000;
const MEDIA_GRACE_MS = 3_000;
/** How often to look whether packets still come, and for how long none may before ICE is restarted. */
const PULSE_INTERVAL_MS = 250;
const SILENCE_MS = 1_000;
/** Each restart that brings nothing doubles the patience, up to this; packets for this long restore it. */
const MAX_SILENCE_MS = 8_000;
const MAX_EARLY_CANDIDATES = 64;
/** Chat messages that are remembered; older ones are forgotten. */
const MAX_CHAT = 1_000;
/** Rates closer together than this say nothing: the earlier result is given again. */
const STATS_MIN_WINDOW_MS = 250;
/** Ratios at which browsers and the mixer scale cheaply. */
const SCALE_STEPS = [4, 3, 2, 1.5, 1];
/** A picture may be this much smaller than its tile before it counts as too small. */
const SCALE_TOLERANCE = 0.95;
/** A picture that is larger than what anybody sees needs more, but no more than this many times. */
const MAX_EXTRA_PIXELS = 2;
/** How often to look what the uplink carries. */
const UPLINK_INTERVAL_MS = 1_000;
/** Where the browser's estimate is below, and below what is worth sending, too: narrow, a small and slow
 *  picture is all there is room for. */
const NARROW_BPS = 150_000;
/** And below this, bare: only sound. Browsers make no picture of less than 30 kb/s, and long packets of
 *  sound take 24. */
const BARE_BPS = 40_000;
/** There is no doubt about it: less than the two together. */
const SURELY_BARE_BPS = 32_000;
/** Estimates grow to one and a half times of what is sent, and sound alone is no more than that: from here on
 *  a picture is worth a try. */
const ROOM_BPS = 40_000;
/** What is to be wide again has to be so by this much. */
const WIDER = 1.25;
/** Looks in a row that it takes to become narrow; bare, since a keyframe makes any thin uplink look bare for
 *  a while; and wider. Each picture that had to be given up doubles how long the next is waited for. */
const LOOKS_NARROW = 2;
const LOOKS_BARE = 4;
const LOOKS_WIDER = 5;
const MAX_LOOKS_WIDER = 160;
/** What a narrow uplink is good for. */
const NARROW_HEIGHT_PX = 180;
const NARROW_FPS = 8;
const NARROW_AUDIO_KBPS = 16;
/** Sound per packet there: headers take 24 kb/s of packets of 20 ms, 8 of these. */
const LONG_PACKET_MS = 60;
/** What sound takes there, headers and all, and what of the rest the picture may use: browsers forget headers. */
const USUAL_PACKET_MS = 20;
const NARROW_SOUND_BPS = 24_000;
const NARROW_SHARE = 0.75;
const LEAST_VIDEO_BPS = 30_000;

/** What the reasons of a `bye` mean for people. */
const FAREWELLS = {
  taken: "this seat was taken by another session",
  gone: "the seat was given up after a long absence",
  not_joined: "no room was joined in time",
  slow: "this connection takes messages too slowly",
  draining: "the server is going away",
  failed: "the server could not keep the room running",
  replaced: "you came in from elsewhere",
  removed: "a moderator removed you from the room",
  ended: "the call was ended for everybody",
};

/** Once in, these are worth another attempt; any other would only come again. */
const PASSING_CODES = new Set([
  "unreachable", "timeout", "draining", "gone", "slow", "failed", "room_full", "too_many_rooms",
  "too_many_sessions", "not_joined", "bad_answer", "internal", "rate_limited", "too_many_from_address",
]);

/** Another carrier may have more luck. */
const CARRIER_CODES = new Set(["unreachable", "timeout"]);

/**
 * @typedef {"joining"|"waiting"|"connected"|"reconnecting"|"left"|"failed"} CallState
 * @typedef {"moderator"|"participant"} Role
 *
 * @typedef {object} Participant
 * @property {string} id
 * @property {string} name
 * @property {Role} role
 * @property {boolean} muted by their own word or a moderator's
 * @property {string} [muted_by] the moderator who did it: an id, or `operator`
 * @property {boolean} [may_unmute] false where only a moderator may allow it; absent: true
 * @property {boolean} camera
 * @property {string} [camera_off_by]
 * @property {boolean} [may_use_camera]
 * @property {boolean} [watching] only receives: no tile, and not heard
 * @property {number} [hand_raised_ms] since when the hand is raised, in milliseconds since 1970
 * @property {boolean} absent
 *
 * @typedef {{locked: boolean, lobby: boolean, layout: "grid"|"speaker"|null, pinned: string|null}} RoomState
 * @typedef {{number: number, from: string, name: string, text: string, at_ms: number}} ChatMessage
 * @typedef {{id: string, name: string, since_ms: number}} Knock who waits to be let in
 * @typedef {"lock"|"unlock"|"lobby"|"admit"|"deny"|"mute"|"unmute"|"camera_off"|"camera_on"|"remove"|"role"
 *   |"lower_hand"|"pin"|"layout"|"end"} Act of a moderator
 *
 * @typedef {{width: number, height: number, fps?: number}} Canvas pixels, frames per second
 * @typedef {{participant: string, left: number, top: number, width: number, height: number}} Tile
 *   in pixels of the canvas
 * @typedef {{canvas: Canvas, tiles: Tile[], seenAs: {width: number, height: number}|null}} Layout
 *   of the picture that one gets, and the largest that anybody sees oneself
 *
 * @typedef {{video: {width: number, height: number, fps: number, kbps: number}|null,
 *   audio: {kbps: number, packet_ms: number}}} Uplink what is worth sending; no video: nobody sees it
 * @typedef {"wide"|"narrow"|"bare"} Room what one's own uplink has room for
 *
 * @typedef {object} Quality what one gets from the server, and why it is no better
 * @property {"moving"|"stills"|"paused"} video
 * @property {{name: string, width: number, height: number, fps: number}|null} rung null while paused
 * @property {number} audio_kbps
 * @property {number} packet_ms sound per packet
 * @property {"best"|"bandwidth"|"asked"|"starting"} reason
 * @property {{kbps: number}|null} next what the link would have to carry for more
 *
 * @typedef {object} Wishes what one would rather get than what the link allows; what is absent is not asked for
 * @property {"grid"|"speaker"} [layout] whom to see large
 * @property {string} [pin] the participant to see large, whoever speaks
 * @property {number} [max_kbps] the most that may come over the link
 * @property {number} [max_height] the highest picture, in pixels
 * @property {boolean} [video] false: audio only
 *
 * @typedef {object} CallOptions
 * @property {string} room 1 to 64 of `A-Z a-z 0-9 . _ -`
 * @property {string} name at most 64 characters
 * @property {MediaStream|null} [stream] what to send: its first audio and first video track
 * @property {string|URL} [url] the WebSocket; default: `ws` beside this file. `sessions` is beside it
 * @property {"ws"|"sse"|"poll"} [carrier] the only way to talk to the server; default: the best that works
 * @property {string|(() => string|Promise<string>)|null} [auth] the JSON Web Token that lets in, where the server
 *   asks for one; a function is asked anew for each attempt to join, and may fetch a fresh one
 * @property {string|null} [token] of an earlier call, to take its seat back
 * @property {boolean} [muted] start with the microphone muted
 * @property {boolean} [camera] start with the camera on (default)
 * @property {number} [maxVideoKbps] ceiling for what is sent, default 1500
 * @property {boolean} [fitToTile] send no more than anybody sees and the uplink carries (default)
 * @property {boolean} [leaveOnPageHide] leave when the page goes away (default)
 *
 * @typedef {object} CallStats
 * @property {number|null} down_kbps received, RTP with headers
 * @property {number|null} up_kbps sent, RTP with headers
 * @property {number|null} loss_down share of packets lost on the way here, 0 to 1
 * @property {number|null} loss_up share of packets lost on the way to the server, 0 to 1
 * @property {number|null} rtt_ms round trip to the server
 * @property {number|null} jitter_ms how unevenly packets arrive
 * @property {string|null} protocol "udp" or "tcp"
 * @property {{width: number, height: number, fps: number}|null} received the mixed picture
 * @property {{width: number, height: number, fps: number}|null} sent one's own picture
 */

/**
 * Joins a room. Resolves once the server has answered the offer; media follows within moments, and
 * `state` tells when.
 *
 * @param {CallOptions} options
 * @returns {Promise<Call>}
 * @throws {MosaicError}
 */
export async function join(options) {
  const call = new Call(options);
  await call.join();
  return call;
}

/** One participation in one room. Made by {@link join}, or by hand to watch it from the start. */
export class Call extends EventTarget {
  #url;
  #room;
  #name;
  #auth;
  /** What was shown last. @type {string|null} */ #credential = null;
  #token;
  /** @type {CarrierChoice} */ #carriers;
  #maxVideoKbps;
  #fitToTile;
  /** @type {CallState} */ #state = "joining";
  /** @type {MosaicError|null} */ #error = null;
  /** @type {Session|null} */ #session = null;
  /** @type {Transport|null} */ #transport = null;
  /** @type {MediaStreamTrack|null} */ #audioTrack = null;
  /** @type {MediaStreamTrack|null} */ #videoTrack = null;
  #muted;
  #camera;
  #stream = new MediaStream();
  /** @type {Map<string, Participant>} */ #participants = new Map();
  /** @type {string|null} */ #self = null;
  /** @type {string|null} */ #speaker = null;
  /** @type {Layout|null} */ #layout = null;
  /** @type {Uplink|null} */ #uplink = null;
  /** @type {UplinkWatch|null} */ #uplinkWatch = null;
  /** @type {Quality|null} */ #quality = null;
  /** @type {Wishes|null} */ #wishes = null;
  /** @type {RoomState|null} */ #roomState = null;
  /** @type {ChatMessage[]} */ #chat = [];
  /** @type {Knock[]} */ #knocking = [];
  /** Of those who wait to be let in; null while one does not. @type {number|null} */ #place = null;
  #handRaised = false;
  #maxParticipants = 0;
  /** @type {RTCIceServer[]} */ #iceServers = [];
  /** What may be continued: the session that has the seat or waits for one, the last event that came, and
   *  the `join` that is not answered while it waits.
   *  @type {{session: string, seen: number, joinId: number|null}|null} */ #resumable = null;
  /** Whose carrier was found to work. @type {Session|null} */ #trusted = null;
  #pingIntervalMs = 5_000;
  /** Whether there has ever been a seat: then the caller is in, and stays so over lost sessions. */
  #wasSeated = false;
  /** The session that has the seat; none between the loss of its carrier and the next.
   *  @type {Session|null} */ #seatedSession = null;
  /** Whether the session that has the seat has answered what was offered last. */
  #isSettled = false;
  #repairs = 0;
  /** @type {ReturnType<typeof setTimeout>|undefined} */ #mediaTimer;
  /** @type {Pulse|null} */ #pulse = null;
  /** @type {Promise<unknown>} */ #negotiation = Promise.resolve();
  /** @type {Promise<unknown>} */ #senderWork = Promise.resolve();
  #sentStatus = "";
  /** @type {() => void} */ #wake = () => {};
  /** @type {Promise<void>|null} */ #joining = null;
  /** @type {{resolve: () => void, reject: (error: MosaicError) => void}|null} */ #ready = null;
  /** @type {RateWindow} */ #rates = new RateWindow();
  #onPageHide = () => this.#leaveAtOnce();
  #onTrackEnded = () => this.#sendStatus();

  /** @param {CallOptions} options */
  constructor(options) {
    super();
    this.#url = socketUrl(options.url);
    this.#room = options.room;
    this.#name = options.name;
    this.#auth = options.auth ?? null;
    if (typeof this.#auth === "string") this.#credential = this.#auth;
    this.#token = options.token ?? null;
    this.#carriers = new CarrierChoice(options.carrier ?? null);
    this.#muted = options.muted ?? false;
    this.#camera = options.camera ?? true;
    this.#maxVideoKbps = options.maxVideoKbps ?? 1_500;
    this.#fitToTile = options.fitToTile ?? true;
    this.#takeTracks(options.stream ?? null);
    if (options.leaveOnPageHide ?? true) globalThis.addEventListener("pagehide", this.#onPageHide);
  }

  /** @returns {CallState} */
  get state() { return this.#state; }
  /** Why the state is `reconnecting` or `failed`; null otherwise. */
  get error() { return this.#error; }
  /** What is received: one audio and one video track. The object stays, its tracks may change. */
  get stream() { return this.#stream; }
  /** Everybody in the room by id, oneself included. @returns {ReadonlyMap<string, Participant>} */
  get participants() { return this.#participants; }
  /** One's own participant id; null until joined. */
  get self() { return this.#self; }
  /** Id of who is speaking, or null. */
  get speaker() { return this.#speaker; }
  /** Who is where on the picture; null until told. */
  get layout() { return this.#layout; }
  /** What is worth sending; null until told. */
  get uplink() { return this.#uplink; }
  /**
   * Why one's picture is not sent although the camera is on: nobody sees it, or the uplink is too
   * thin for more than sound. Null if it is sent.
   *
   * @returns {"unseen"|"thin"|null}
   */
  get paused() {
    if (!this.#fitToTile) return null;
    if (this.#uplink?.video === null) return "unseen";
    return this.#uplinkWatch?.room === "bare" ? "thin" : null;
  }
  /** What is received and why it is no better; null until told. */
  get quality() { return this.#quality; }
  get room() { return this.#room; }
  /** What holds for everybody: locked, lobby, layout, pinned; null until joined. */
  get roomState() { return this.#roomState; }
  /** What may be done here: `moderator` or `participant`; null until joined. @returns {Role|null} */
  get role() { return this.#participants.get(this.#self ?? "")?.role ?? null; }
  /** What was written, the oldest first. @returns {readonly ChatMessage[]} */
  get chatLog() { return this.#chat; }
  /** Who waits to be let in, as moderators are told. @returns {readonly Knock[]} */
  get knocking() { return this.#knocking; }
  /** One's own place among those who wait to be let in, 1 is next; null while one does not wait. */
  get place() { return this.#place; }
  get handRaised() { return this.#handRaised; }
  get maxParticipants() { return this.#maxParticipants; }
  /** Takes this seat back in a later call, within the server's `seat_ms`. */
  get token() { return this.#token; }
  /** How the server is talked to, at last. @returns {"ws"|"sse"|"poll"} */
  get carrier() { return this.#carriers.kind; }
  get muted() { return this.#muted; }
  get camera() { return this.#camera; }

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
        this.#run();
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
    if (this.#isOver()) return;
    const session = this.#session;
    this.#session = null;
    this.#end("left", null);
    const isKnown = session !== null && await sayFarewell(session);
    if (isKnown || this.#token === null) return;
    const seat = { ...this.#claim(), token: this.#token };
    await Promise.race([giveSeatUp(this.#carriers.kind, this.#url, seat), pause(LEAVE_TIMEOUT_MS)]);
  }

  /**
   * Silences one's microphone, or opens it, and tells the others. Nothing happens where a moderator
   * holds it off.
   *
   * @param {boolean} muted
   */
  setMuted(muted) {
    if (!muted && this.#participants.get(this.#self ?? "")?.may_unmute === false) return;
    this.#muted = muted;
    if (this.#audioTrack) this.#audioTrack.enabled = !muted;
    this.#sendStatus();
  }

  /**
   * Stops or resumes sending one's picture, and tells the others. The camera's light is the
   * caller's: stop the track, and give a new one to {@link setStream}, to switch it off as well.
   * Nothing happens where a moderator holds it off.
   *
   * @param {boolean} camera
   */
  async setCamera(camera) {
    if (camera && this.#participants.get(this.#self ?? "")?.may_use_camera === false) return;
    this.#camera = camera;
    this.#sendStatus();
    await this.#applyTracks();
  }

  /**
   * Sends other tracks from now on, without a new negotiation.
   *
   * @param {MediaStream|null} stream its first audio and first video track; either may be missing
   */
  async setStream(stream) {
    this.#takeTracks(stream);
    this.#sendStatus();
    await this.#applyTracks();
  }

  /**
   * Asks for another picture than the link allows, in place of what was asked before.
   *
   * @param {Wishes} wishes
   */
  prefer(wishes) {
    this.#wishes = wishes;
    this.#seatedSession?.send({ type: "prefer", ...wishes });
  }

  /** Raises one's hand, or takes it down, and tells the others. @param {boolean} raised */
  setHand(raised) {
    this.#handRaised = raised;
    this.#sendStatus();
  }

  /**
   * Writes to everybody. Resolves when they have it; rejects with `bad_text`, or with `rate_limited` and
   * how long to wait.
   *
   * @param {string} text 1 to 2,000 bytes
   * @throws {MosaicError}
   */
  async chat(text) {
    await this.#ask("chat", { text });
  }

  /**
   * Does what moderators may: `moderate("mute", { participant, how: "force" })`, `moderate("lobby", { on: true })`,
   * `moderate("admit", { waiting })`, `moderate("end")`. PROTOCOL.md has them all. Resolves when it is done.
   *
   * @param {Act} act
   * @param {object} [fields] of the act
   * @returns {Promise<{keptOut: boolean|null}>} of a removal with a ban, whether that keeps them out: false where
   *   nothing tells them from anybody else; null of all other acts
   * @throws {MosaicError} `not_allowed`, `no_such_participant`
   */
  async moderate(act, fields = {}) {
    const done = await this.#ask("moderate", { act, ...fields });
    return { keptOut: done.kept_out ?? null };
  }

  /** @param {string} type @param {object} fields */
  #ask(type, fields) {
    const session = this.#seatedSession;
    if (!session) throw new MosaicError("unreachable", "the server is gone");
    return session.request(type, fields);
  }

  /**
   * What the link does, since the last time this was asked.
   *
   * @returns {Promise<CallStats>}
   */
  async stats() {
    return this.#rates.measure(this.#transport?.pc ?? null);
  }

  // -- the life of a call ------------------------------------------------------------------------

  /** Carriers one after the other, until the call ends for good. */
  async #run() {
    for (let attempt = 0; !this.#isOver(); attempt += 1) {
      let cause;
      try {
        const session = await this.#openSession();
        const openedAt = performance.now();
        cause = await session.closed;
        if (performance.now() - openedAt >= GOOD_SESSION_MS) attempt = 0;
      } catch (error) {
        cause = asMosaicError(error);
        if ((waitedMs(this.#session) ?? 0) >= GOOD_SESSION_MS) attempt = 0;
      }
      if (this.#isOver()) return;
      this.#session = null;
      this.#seatedSession = null;
      const isIn = this.#wasSeated || this.#place !== null;
      if (!isIn || !PASSING_CODES.has(cause.code) || attempt >= MAX_ATTEMPTS) {
        this.#end("failed", cause);
        return;
      }
      this.#setState("reconnecting", cause);
      // Nobody is to blame while there is no network: that does not count as trying.
      if (globalThis.navigator?.onLine === false) attempt = 0;
      const advised = Math.min(cause.retryAfterMs ?? 0, MAX_RETRY_AFTER_MS);
      await this.#pause(Math.max(backoffMs(attempt), advised));
    }
  }

  /** Goes on with the session, or takes a seat, over a carrier that works. @returns {Promise<Session>} */
  async #openSession() {
    /** @type {MosaicError|null} */ let failure = null;
    for (const kind of this.#carriers.candidates()) {
      const session = await this.#enter(kind).catch((/** @type {MosaicError} */ error) => {
        this.#throwIfOver();
        // Nothing is the matter with a carrier over which somebody has waited.
        if (!CARRIER_CODES.has(error.code) || waitedMs(this.#session) !== null) throw error;
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
    const seen = this.#resumable?.seen ?? 0;
    const session = await Session.open(kind, this.#url, (message) => this.#receive(message), seen);
    try {
      this.#throwIfOver();
      this.#session = session;
      const limitMs = this.#carriers.isOnTrial(kind) ? TRIAL_MS : undefined;
      const goesOn = await this.#resume(session, limitMs);
      if (!goesOn) {
        // What is asked for by a `join` must not come true behind our back: so first whether it would get through.
        if (limitMs !== undefined) await session.request("ping", {}, limitMs);
        this.#throwIfOver();
        await this.#takeSeat(session);
      }
      this.#throwIfOver();
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
      if (this.#resumable) this.#resumable.seen = session.seen;
    });
  }

  /** Connects media where that is not connected. @param {Session} session */
  async #connect(session) {
    this.#trust(session);
    try {
      if (this.#isFlowing()) this.#setState("connected", null);
      else await this.#negotiate();
      return session;
    } catch (error) {
      session.close();
      throw error;
    }
  }

  /**
   * @param {Session} session
   * @param {number} [limitMs] for the reply
   * @returns {Promise<boolean>} whether it goes on where it was, and has a seat
   */
  async #resume(session, limitMs) {
    if (this.#resumable === null) return false;
    const { session: id, seen, joinId } = this.#resumable;
    // What answers it may come at once behind `resumed`.
    const joined = joinId === null ? null : this.#joined(session.awaitJoin(joinId));
    joined?.catch(() => {});
    try {
      await session.request("resume", { version: PROTOCOL_VERSION, session: id, after: seen }, limitMs);
    } catch (error) {
      // What the server has against it, it has against this session, and not against the seat.
      if (CARRIER_CODES.has(asMosaicError(error).code)) throw error;
      this.#resumable = null;
      this.#throwIfOver();
      return false;
    }
    await joined;
    return true;
  }

  /** Who is not let in has nothing to go on with. @param {Promise<any>} reply to a `join` */
  async #joined(reply) {
    try {
      await reply;
    } catch (error) {
      if (!CARRIER_CODES.has(asMosaicError(error).code)) this.#resumable = null;
      throw error;
    }
  }

  /** @param {Session} session */
  async #takeSeat(session) {
    if (typeof this.#auth === "function") this.#credential = await this.#auth();
    const request = { version: PROTOCOL_VERSION, ...this.#claim() };
    if (this.#token !== null) {
      try {
        await this.#joined(session.request("join", { ...request, token: this.#token }));
        return;
      } catch (error) {
        if (asMosaicError(error).code !== "bad_token") throw error;
        // The seat is gone, and what it had of media with it: come in as somebody new.
        this.#token = null;
        this.#uplink = null;
        // It may be another room of that name, which counts anew.
        this.#chat = [];
        this.#dropTransport();
        this.#throwIfOver();
      }
    }
    await this.#joined(session.request("join", request));
  }

  /** Who asks for which room, and what shows that they may. */
  #claim() {
    const claim = { room: this.#room, name: this.#name };
    return this.#credential === null ? claim : { ...claim, auth: this.#credential };
  }

  /** @param {any} joined */
  #welcome(joined) {
    this.#wasSeated = true;
    this.#self = joined.participant;
    this.#token = joined.token ?? null;
    this.#resumable = joined.session ? { session: joined.session, seen: 0, joinId: null } : null;
    this.#iceServers = joined.ice_servers ?? [];
    this.#maxParticipants = joined.max_participants ?? 0;
    this.#pingIntervalMs = joined.ping_interval_ms ?? this.#pingIntervalMs;
    this.#place = null;
    if (this.#session) this.#session.waitsSince = null;
    if (this.#state === "waiting") this.#setState("joining", null);
    this.#roomState = joined.state ?? null;
    this.#knocking = [];
    this.#layout ??= { canvas: joined.canvas, tiles: [], seenAs: null };
    this.#participants.clear();
    for (const participant of joined.participants ?? []) {
      this.#participants.set(participant.id, participant);
    }
    const self = this.#participants.get(joined.participant);
    this.#handRaised = self?.hand_raised_ms !== undefined;
    if (self) this.#obey(self, undefined);
    // Media of a seat taken back is offered anew: the server may know it no more.
    this.#isSettled = false;
    this.#settle();
    this.#emit("participants", { change: "all", participant: null, reason: null });
    if (this.#roomState) this.#emit("room", this.#roomState);
    for (const message of joined.chat ?? []) this.#read(message);
  }

  /** The session may be used: says what may have been lost on the way here, or was not said. */
  #settle() {
    this.#seatedSession = this.#session;
    this.#session?.keepAlive(this.#pingIntervalMs);
    this.#sentStatus = "";
    this.#sendStatus();
    if (this.#wishes) this.prefer(this.#wishesOf(this.#wishes));
  }

  /** The server says that one has to be let in first. @param {any} message */
  #wait(message) {
    this.#token = message.token;
    this.#place = message.place;
    this.#pingIntervalMs = message.ping_interval_ms ?? this.#pingIntervalMs;
    const joinId = this.#session?.joinId ?? null;
    this.#resumable = message.session ? { session: message.session, seen: 0, joinId } : null;
    this.#waitOn();
    this.#emit("waiting", { place: this.#place });
  }

  /** Waits to be let in, over this carrier from now on. */
  #waitOn() {
    if (this.#session === null) return;
    this.#trust(this.#session);
    this.#session.waitOn();
    this.#session.keepAlive(this.#pingIntervalMs);
    this.#setState("waiting", null);
  }

  /**
   * Does what a moderator has done already: nobody hears or sees what is sent, and it stays so until
   * one says otherwise.
   *
   * @param {Participant} self as it is now
   * @param {Participant|undefined} before
   */
  #obey(self, before) {
    // Only what is new: this may have been said before the server heard our latest word.
    if (before?.hand_raised_ms !== undefined && self.hand_raised_ms === undefined) this.#handRaised = false;
    if (self.muted_by !== undefined && before?.muted_by === undefined) {
      this.#muted = true;
      if (this.#audioTrack) this.#audioTrack.enabled = false;
    }
    if (self.camera_off_by !== undefined && before?.camera_off_by === undefined) {
      this.#camera = false;
      this.#applyTracks();
    }
    if (this.#sentStatus !== "") this.#sentStatus = JSON.stringify(this.#status());
  }

  /** Without a pin on somebody who is gone. @param {Wishes} wishes */
  #wishesOf({ pin, ...wishes }) {
    return pin !== undefined && this.#participants.has(pin) ? { ...wishes, pin } : wishes;
  }

  /** @param {ChatMessage} message */
  #read(message) {
    if (message.number <= (this.#chat.at(-1)?.number ?? 0)) return;
    const { number, from, name, text, at_ms } = message;
    this.#chat.push({ number, from, name, text, at_ms });
    if (this.#chat.length > MAX_CHAT) this.#chat.shift();
    this.#emit("chat", this.#chat.at(-1) ?? {});
  }

  /** @param {any} message one that answers no request */
  #receive(message) {
    switch (message.type) {
      case "joined":
        if (!this.#isOver()) this.#welcome(message);
        break;
      case "resumed":
        if (this.#isOver()) break;
        if (this.#place === null) this.#settle();
        else this.#waitOn();
        break;
      case "candidate":
        this.#transport?.addCandidate(message.candidate);
        break;
      case "participant": {
        const { participant } = message;
        const change = this.#participants.has(participant.id) ? "changed" : "joined";
        const before = this.#participants.get(participant.id);
        this.#participants.set(participant.id, participant);
        if (participant.id === this.#self) this.#obey(participant, before);
        this.#emit("participants", { change, participant, reason: null });
        break;
      }
      case "room": {
        const { type, ...state } = message;
        this.#roomState = state;
        this.#emit("room", state);
        break;
      }
      case "chat":
        this.#read(message);
        break;
      case "asked":
        this.#emit("asked", { to: message.to, by: message.by });
        break;
      case "waiting":
        this.#wait(message);
        break;
      case "knocking":
        this.#knocking = message.waiting;
        this.#emit("knocking", { waiting: this.#knocking });
        break;
      case "participant_left": {
        const participant = this.#participants.get(message.participant);
        if (!participant) break;
        this.#participants.delete(participant.id);
        if (this.#wishes) this.#wishes = this.#wishesOf(this.#wishes);
        this.#emit("participants", { change: "left", participant, reason: message.reason });
        break;
      }
      case "speaker":
        this.#speaker = message.participant;
        this.#emit("speaker", { participant: this.#speaker });
        break;
      case "layout":
        this.#layout = { canvas: message.canvas, tiles: message.tiles, seenAs: message.seen_as ?? null };
        this.#emit("layout", this.#layout);
        break;
      case "uplink":
        this.#uplink = { video: message.video, audio: message.audio };
        this.#followUplink();
        break;
      case "notice":
        this.#emit("notice", { code: message.code, message: message.message });
        break;
      case "quality": {
        const { type, ...quality } = message;
        this.#quality = quality;
        this.#emit("quality", this.#quality);
        break;
      }
      case "bye":
        this.#resumable = null;
        this.#session?.close(new MosaicError(message.reason, FAREWELLS[message.reason] ?? "the server ended the session"));
        break;
      case "error":
        this.#emit("trouble", { error: errorFrom(message) });
        break;
      default: // A newer server may say more than we know.
    }
  }

  /** @param {CallState} state @param {MosaicError|null} error */
  #setState(state, error) {
    if (state === this.#state && error?.code === this.#error?.code) return;
    const previous = this.#state;
    this.#state = state;
    this.#error = error;
    this.#emit("state", { state, previous, error });
  }

  /** @param {"left"|"failed"} state @param {MosaicError|null} error */
  #end(state, error) {
    if (this.#isOver()) return;
    globalThis.removeEventListener("pagehide", this.#onPageHide);
    this.#session?.close();
    this.#session = null;
    this.#seatedSession = null;
    this.#takeTracks(null);
    this.#dropTransport();
    for (const track of this.#stream.getTracks()) this.#stream.removeTrack(track);
    this.#setState(state, error);
    this.#ready?.reject(error ?? leftError());
    this.#wake();
  }

  /** For a page on its way out, which waits for no reply. */
  #leaveAtOnce() {
    this.#session?.sendLast({ type: "leave" });
    this.#end("left", null);
  }

  #isOver() {
    return this.#state === "left" || this.#state === "failed";
  }

  #throwIfOver() {
    if (this.#isOver()) throw this.#error ?? leftError();
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

  // -- media -------------------------------------------------------------------------------------

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
      const session = this.#seatedSession;
      if (!session) throw unreachable("the server is gone");
      this.#isSettled = false;
      this.#transport ??= this.#createTransport();
      const transport = this.#transport;
      const sdp = await transport.offer();
      const answer = await session.request("offer", { sdp });
      if (transport !== this.#transport) continue;
      if (await transport.accept(answer.sdp)) {
        this.#isSettled = true;
        this.#attach(transport);
        return;
      }
      this.#dropTransport();
    }
    throw new MosaicError("bad_answer", "the server's answer could not be used");
  }

  /** Whether media needs nothing, as far as one can tell. */
  #isFlowing() {
    return this.#isSettled && this.#transport?.state() === "connected" && !this.#pulse?.silent;
  }

  #createTransport() {
    const transport = new Transport(this.#iceServers, this.#maxVideoKbps, {
      onCandidate: (candidate) => this.#seatedSession?.send({ type: "candidate", candidate }),
      onState: (state) => {
        if (transport === this.#transport) this.#onMediaState(state);
      },
    });
    this.#rates = new RateWindow();
    this.#pulse = new Pulse(transport, {
      onSilence: () => this.#restart(),
      onPackets: () => {
        if (transport.state() === "connected") this.#onMediaState("connected");
      },
    });
    if (this.#fitToTile) this.#uplinkWatch = new UplinkWatch(transport, () => this.#followUplink());
    this.#applyTracks(transport);
    return transport;
  }

  #dropTransport() {
    this.#unwatchMedia();
    this.#uplinkWatch?.stop();
    this.#uplinkWatch = null;
    this.#pulse?.stop();
    this.#pulse = null;
    this.#transport?.close();
    this.#transport = null;
  }

  /** @param {Transport} transport just answered */
  #attach(transport) {
    const tracks = transport.remoteTracks();
    const old = this.#stream.getTracks().filter((track) => !tracks.includes(track));
    for (const track of old) this.#stream.removeTrack(track);
    for (const track of tracks) this.#stream.addTrack(track);
    this.#emit("stream", { stream: this.#stream });
    this.#ready?.resolve();
    // Silence is watched from its beginning, however often ICE is restarted meanwhile.
    if (!this.#pulse?.silent || this.#mediaTimer === undefined) this.#watchMedia(MEDIA_TIMEOUT_MS);
    // Only this: right after a restart, `failed` is still what was before it.
    if (transport.state() === "connected") this.#onMediaState("connected");
    this.#tune();
  }

  /** @param {RTCPeerConnectionState} state */
  #onMediaState(state) {
    if (this.#isOver()) return;
    // Until packets come again, neither says anything new: ICE may well believe in the path.
    if (this.#pulse?.silent && state !== "failed") return;
    if (state === "connected") {
      this.#unwatchMedia();
      this.#repairs = 0;
      if (this.#seatedSession) this.#setState("connected", null);
    } else if (state === "disconnected") {
      // Often a moment without packets; a restart now would only prolong it.
      this.#watchMedia(MEDIA_GRACE_MS);
    } else if (state === "failed") {
      this.#repair();
    }
  }

  #unwatchMedia() {
    clearTimeout(this.#mediaTimer);
    this.#mediaTimer = undefined;
  }

  /** @param {number} ms */
  #watchMedia(ms) {
    this.#unwatchMedia();
    this.#mediaTimer = setTimeout(() => {
      this.#mediaTimer = undefined;
      if (this.#pulse?.silent || this.#transport?.state() !== "connected") this.#repair();
    }, ms);
  }

  /** ICE again over the same connection: the path may be dead, or one's address another by now. */
  #restart() {
    // Without a session, or while an earlier exchange still goes on, media will be offered anyway.
    if (this.#isOver() || !this.#seatedSession || this.#transport?.pc.signalingState !== "stable") return;
    this.#setState("reconnecting", noMedia());
    if (this.#mediaTimer === undefined) this.#watchMedia(MEDIA_TIMEOUT_MS);
    this.#repairs = Math.max(1, this.#repairs);
    const session = this.#seatedSession;
    this.#negotiate().catch((error) => session.close(asMosaicError(error)));
  }

  /** First by an ICE restart, then with a new connection, for as long as the session lives. */
  #repair() {
    this.#unwatchMedia();
    const session = this.#seatedSession;
    // Without a session its loss is being dealt with, and media will be offered anew.
    if (this.#isOver() || !session) return;
    this.#setState("reconnecting", noMedia());
    if (this.#repairs > 0) this.#dropTransport();
    this.#repairs += 1;
    this.#negotiate().catch((error) => session.close(asMosaicError(error)));
  }

  /** @param {MediaStream|null} stream */
  #takeTracks(stream) {
    this.#audioTrack?.removeEventListener("ended", this.#onTrackEnded);
    this.#videoTrack?.removeEventListener("ended", this.#onTrackEnded);
    this.#audioTrack = stream?.getAudioTracks()[0] ?? null;
    this.#videoTrack = stream?.getVideoTracks()[0] ?? null;
    this.#audioTrack?.addEventListener("ended", this.#onTrackEnded);
    this.#videoTrack?.addEventListener("ended", this.#onTrackEnded);
    if (this.#audioTrack) this.#audioTrack.enabled = !this.#muted;
  }

  /** Puts what is to be sent on the wire, in the order in which it was asked for. */
  #applyTracks(transport = this.#transport) {
    this.#senderWork = this.#senderWork.then(async () => {
      await transport?.send(this.#audioTrack, this.#camera ? this.#videoTrack : null);
    });
    this.#tune();
    return this.#senderWork;
  }

  #status() {
    return {
      type: "status",
      muted: this.#muted || this.#audioTrack?.readyState !== "live",
      camera: this.#camera && this.#videoTrack?.readyState === "live",
      hand: this.#handRaised,
    };
  }

  #sendStatus() {
    const status = this.#status();
    const text = JSON.stringify(status);
    if (!this.#seatedSession || text === this.#sentStatus) return;
    this.#sentStatus = text;
    this.#seatedSession.send(status);
  }

  #followUplink() {
    this.#tune();
    this.#emit("uplink", { video: null, audio: null, ...this.#uplink, paused: this.paused });
  }

  /** Sends what somebody sees and the uplink carries: it saves the link, the browser and the mixer. */
  #tune() {
    if (!this.#fitToTile || !this.#uplink) return;
    this.#uplinkWatch?.expect(this.#uplink);
    const room = this.#uplinkWatch?.room ?? "wide";
    const most = Math.min(this.#maxVideoKbps * 1_000, this.#uplinkWatch?.videoBps ?? Infinity);
    const video = videoEncoding(this.#uplink.video, this.#videoTrack?.getSettings(), room);
    if (video) video.maxBitrate = Math.min(video.maxBitrate, most);
    const { audio } = this.#uplink;
    const kbps = room === "wide" ? audio.kbps : Math.min(audio.kbps, NARROW_AUDIO_KBPS);
    const packetMs = room === "wide" ? audio.packet_ms : LONG_PACKET_MS;
    const transport = this.#transport;
    this.#senderWork = this.#senderWork.then(() => transport?.tune(video, 1_000 * kbps));
    this.#negotiation = this.#negotiation.then(() => transport?.pack(packetMs));
  }

  /** @param {string} type @param {object} detail */
  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

/** @param {Session} session @returns {Promise<boolean>} whether the server knows that we left */
async function sayFarewell(session) {
  try {
    await session.request("leave", {}, LEAVE_TIMEOUT_MS);
    return true;
  } catch {
    return false;
  } finally {
    session.close();
  }
}

/**
 * Takes a seat back in order to leave it, since that is what a lost session could not say any more.
 *
 * @param {import("./carriers.js").CarrierKind} kind
 * @param {string} url
 * @param {{room: string, name: string, token: string}} seat
 */
async function giveSeatUp(kind, url, seat) {
  const deadline = performance.now() + FAREWELL_MS;
  for (let attempt = 0; performance.now() < deadline; attempt += 1) {
    try {
      const session = await Session.open(kind, url, () => {});
      try {
        // A place among those who wait to be let in has no answer to a join before somebody says so.
        const joining = session.request("join", { version: PROTOCOL_VERSION, ...seat });
        const leaving = session.request("leave", {});
        leaving.catch(() => {});
        await Promise.race([joining, leaving]);
        await leaving;
      } finally {
        session.close();
      }
      return;
    } catch (error) {
      // The seat is gone, or will never be ours: nothing is left to give up.
      if (!PASSING_CODES.has(asMosaicError(error).code)) return;
    }
    await pause(backoffMs(attempt));
  }
}

/** @param {number} ms */
function pause(ms) {
  return new Promise((resolve) => { setTimeout(resolve, ms); });
}

/** One RTCPeerConnection with one audio and one video transceiver, both ways from the start. */
class Transport {
  #audio;
  #video;
  /** Of the server's certificate; null before the first answer. @type {string|null} */
  #fingerprint = null;
  /** @type {RTCIceCandidateInit[]} */ #early = [];
  /** @type {Map<RTCRtpSender, string>} */ #tuned = new Map();
  #packetMs = USUAL_PACKET_MS;

  /**
   * @param {RTCIceServer[]} iceServers
   * @param {number} maxVideoKbps
   * @param {{onCandidate: (candidate: object) => void,
   *   onState: (state: RTCPeerConnectionState) => void}} handlers
   */
  constructor(iceServers, maxVideoKbps, { onCandidate, onState }) {
    this.pc = new RTCPeerConnection({ iceServers, bundlePolicy: "max-bundle" });
    // Both sections whether or not there is a track: a camera can be added without negotiating.
    const streams = [new MediaStream()];
    this.#audio = this.pc.addTransceiver("audio", { direction: "sendrecv", streams });
    this.#video = this.pc.addTransceiver("video", {
      direction: "sendrecv",
      streams,
      sendEncodings: [{ maxBitrate: maxVideoKbps * 1_000 }],
    });
    preferCodec(this.#audio, "audio/opus");
    preferCodec(this.#video, "video/vp8");
    this.pc.onicecandidate = ({ candidate }) => {
      // Some browsers end with an empty candidate and then null, some with null only.
      if (candidate?.candidate === "") return;
      onCandidate(candidate?.toJSON() ?? { candidate: "", sdpMid: this.#audio.mid, sdpMLineIndex: 0 });
    };
    this.pc.onconnectionstatechange = () => onState(this.state());
    this.pc.oniceconnectionstatechange = () => onState(this.state());
  }

  /** @returns {RTCPeerConnectionState} */
  state() {
    const { connectionState, iceConnectionState } = this.pc;
    if (connectionState) return connectionState;
    // Firefox before 113.
    if (iceConnectionState === "completed") return "connected";
    return iceConnectionState === "checking" ? "connecting" : iceConnectionState;
  }

  /** How many RTP packets have come. */
  async packetsReceived() {
    let packets = 0;
    (await this.pc.getStats()).forEach((/** @type {any} */ entry) => {
      if (entry.type === "inbound-rtp") packets += entry.packetsReceived ?? 0;
    });
    return packets;
  }

  remoteTracks() {
    return [this.#audio.receiver.track, this.#video.receiver.track];
  }

  /** An offer; after the first answer, one that restarts ICE. */
  async offer() {
    const offer = await this.pc.createOffer({ iceRestart: this.#fingerprint !== null });
    await this.#describe(offer);
    return this.pc.localDescription?.sdp ?? offer.sdp;
  }

  /** @param {RTCSessionDescriptionInit} offer */
  async #describe(offer) {
    try {
      await this.pc.setLocalDescription({ type: "offer", sdp: withAudioNack(offer.sdp ?? "") });
    } catch {
      await this.pc.setLocalDescription(offer);
    }
  }

  /** @param {string} sdp @returns {Promise<boolean>} whether this connection could follow */
  async accept(sdp) {
    const fingerprint = /^a=fingerprint:(.*)$/m.exec(sdp)?.[1].trim().toLowerCase() ?? "";
    if (this.#fingerprint !== null && this.#fingerprint !== fingerprint) return false;
    try {
      await this.pc.setRemoteDescription({ type: "answer", sdp: withPacketTime(sdp, this.#packetMs) });
    } catch {
      return false;
    }
    this.#fingerprint = fingerprint;
    for (const candidate of this.#early.splice(0)) this.addCandidate(candidate);
    return true;
  }

  /** @param {RTCIceCandidateInit} candidate */
  addCandidate(candidate) {
    if (this.pc.signalingState !== "stable") {
      if (this.#early.length < MAX_EARLY_CANDIDATES) this.#early.push(candidate);
      return;
    }
    // One that cannot be used is no reason to stop: others may be.
    this.pc.addIceCandidate(candidate).catch(() => {});
  }

  /** @param {MediaStreamTrack|null} audio @param {MediaStreamTrack|null} video */
  async send(audio, video) {
    await replaceTrack(this.#audio.sender, audio);
    await replaceTrack(this.#video.sender, video);
  }

  /**
   * @param {object|null} video how to encode the picture; null: not at all
   * @param {number} audioBps the most for sound
   */
  async tune(video, audioBps) {
    // "balanced" held a 640x360 camera at 10 fps and half its size for the first 15 s of a call in
    // Chromium, although the link was free; people mind a slow picture more than a soft one.
    const smooth = { degradationPreference: "maintain-framerate" };
    await this.#encode(this.#video.sender, video ? { active: true, ...video } : { active: false }, smooth);
    const audio = { maxBitrate: audioBps, priority: "high", networkPriority: "high" };
    await this.#encode(this.#audio.sender, audio, {});
  }

  /**
   * Puts more or less sound into a packet. Browsers do as the answer says (RFC 8866 §6.4), so the same
   * answer is taken again with another time in it; the server need not know. `adaptivePtime` would be
   * the way, but Chromium's packets stayed at 20 ms with it.
   *
   * @param {number} packetMs
   */
  async pack(packetMs) {
    if (packetMs === this.#packetMs) return;
    this.#packetMs = packetMs;
    // An answer that comes later, or is to be taken yet, is changed then.
    if (this.#fingerprint === null || this.pc.signalingState !== "stable") return;
    const answer = this.pc.remoteDescription?.sdp ?? "";
    try {
      await this.#describe(await this.pc.createOffer());
      await this.pc.setRemoteDescription({ type: "answer", sdp: withPacketTime(answer, packetMs) });
    } catch {
      if (this.pc.signalingState === "have-local-offer") {
        await this.pc.setLocalDescription({ type: "rollback" }).catch(() => {});
      }
    }
  }

  /** @param {RTCRtpSender} sender @param {object} encoding @param {object} preferences */
  async #encode(sender, encoding, preferences) {
    const wanted = JSON.stringify(encoding);
    if (wanted === this.#tuned.get(sender)) return;
    const parameters = sender.getParameters();
    if (!parameters.encodings?.length) return;
    Object.assign(parameters.encodings[0], encoding);
    Object.assign(parameters, preferences);
    try {
      await sender.setParameters(parameters);
      this.#tuned.set(sender, wanted);
    } catch {
      // What the browser chose before goes on; nothing depends on it.
    }
  }

  /** What the browser believes may be sent, in bits per second; null where it does not say. */
  async availableBps() {
    /** @type {any[]} */ const entries = [];
    (await this.pc.getStats()).forEach((/** @type {any} */ entry) => entries.push(entry));
    return selectedPair(entries)?.availableOutgoingBitrate ?? null;
  }

  close() {
    this.pc.onicecandidate = null;
    this.pc.onconnectionstatechange = null;
    this.pc.oniceconnectionstatechange = null;
    this.pc.close();
  }
}

/**
 * Feels whether packets come over a transport. The mixer sends all the time, so silence means that
 * they do not get through; `connectionState` says so only after many seconds.
 */
class Pulse {
  #transport;
  #handlers;
  #timer;
  #received = 0;
  #lastAt = 0;
  /** Looks in a row that found nothing: a page that was asleep must look twice. */
  #missed = 0;
  #patience = SILENCE_MS;
  #flowingSince = 0;
  #looking = false;
  /** Whether packets came once and come no more. */
  silent = false;

  /** @param {Transport} transport @param {{onSilence: () => void, onPackets: () => void}} handlers */
  constructor(transport, handlers) {
    this.#transport = transport;
    this.#handlers = handlers;
    this.#timer = setInterval(() => this.#look(), PULSE_INTERVAL_MS);
  }

  stop() {
    clearInterval(this.#timer);
  }

  async #look() {
    if (this.#looking) return;
    this.#looking = true;
    const received = await this.#transport.packetsReceived().catch(() => this.#received);
    this.#looking = false;
    const now = performance.now();
    // Not only more: an entry for a stream that ended may be gone.
    if (received !== this.#received) this.#feel(received, now);
    else if (this.#received > 0) this.#miss(now);
  }

  /** @param {number} received @param {number} now */
  #feel(received, now) {
    if (this.silent || this.#received === 0) this.#flowingSince = now;
    if (now - this.#flowingSince >= MAX_SILENCE_MS) this.#patience = SILENCE_MS;
    this.#received = received;
    this.#lastAt = now;
    this.#missed = 0;
    if (!this.silent) return;
    this.silent = false;
    this.#handlers.onPackets();
  }

  /** @param {number} now */
  #miss(now) {
    this.#missed += 1;
    if (this.#missed < 2 || now - this.#lastAt < this.#patience) return;
    this.silent = true;
    this.#lastAt = now;
    this.#patience = Math.min(2 * this.#patience, MAX_SILENCE_MS);
    this.#handlers.onSilence();
  }
}

/**
 * Judges what the uplink has room for, by the browser's own estimate of it; where that is not told,
 * everything. A browser spreads thin what little there is over sound and picture, to the harm of
 * both: so a picture gets smaller and slower first, and then makes room.
 */
class UplinkWatch {
  #transport;
  #onChange;
  #timer;
  /** Looks in a row that would have it narrow, bare, and wider. */
  #narrow = 0;
  #bare = 0;
  #above = 0;
  /** How many of the latter it takes if there is no picture now. */
  #patience = LOOKS_WIDER;
  /** What is wide enough. An estimate grows no further than what is sent, so less may be. */
  #wideBps = NARROW_BPS;
  /** @type {Room} */ room = "wide";
  /** The most that the picture may take. */
  videoBps = Infinity;

  /** @param {Transport} transport @param {() => void} onChange */
  constructor(transport, onChange) {
    this.#transport = transport;
    this.#onChange = onChange;
    this.#timer = setInterval(() => this.#look(), UPLINK_INTERVAL_MS);
  }

  stop() {
    clearInterval(this.#timer);
  }

  /** @param {Uplink} worth what is to be sent if there is room */
  expect({ video, audio }) {
    this.#wideBps = Math.min(NARROW_BPS, 1_000 * ((video?.kbps ?? 0) + audio.kbps));
  }

  async #look() {
    const bps = await this.#transport.availableBps().catch(() => null);
    if (bps === null) return;
    const room = this.#judge(bps);
    if (room === "bare" && room !== this.room) {
      // A picture for which there was no room after all was to the harm of the sound.
      this.#patience = Math.min(2 * this.#patience, MAX_LOOKS_WIDER);
    } else if (room === "wide") {
      this.#patience = LOOKS_WIDER;
    }
    if (room !== this.room) this.#narrow = this.#bare = this.#above = 0;
    const before = `${this.room} ${this.videoBps}`;
    this.room = room;
    const rest = NARROW_SHARE * (bps - NARROW_SOUND_BPS);
    // To a few kb/s: each change is a word with the encoder.
    this.videoBps = room === "wide" ? Infinity : Math.max(LEAST_VIDEO_BPS, 5_000 * Math.round(rest / 5_000));
    if (`${this.room} ${this.videoBps}` !== before) this.#onChange();
  }

  /** @param {number} bps what the browser believes may be sent @returns {Room} */
  #judge(bps) {
    const count = (/** @type {boolean} */ is, /** @type {number} */ before) => (is ? before + 1 : 0);
    this.#narrow = count(bps < this.#wideBps, this.#narrow);
    this.#bare = count(bps < Math.min(BARE_BPS, this.#wideBps), this.#bare);
    if (bps < SURELY_BARE_BPS) this.#bare += 1;
    this.#above = count(bps >= (this.room === "bare" ? ROOM_BPS : WIDER * this.#wideBps), this.#above);
    if (this.room === "bare") return this.#above >= this.#patience ? "narrow" : "bare";
    if (this.#bare >= LOOKS_BARE) return "bare";
    if (this.room === "wide") return this.#narrow >= LOOKS_NARROW ? "narrow" : "wide";
    return this.#above >= LOOKS_WIDER ? "wide" : "narrow";
  }
}

/**
 * @param {Uplink["video"]} worth
 * @param {MediaTrackSettings|undefined} captured
 * @param {Room} room
 * @returns {{scaleResolutionDownBy: number, maxBitrate: number, maxFramerate: number}|null}
 */
function videoEncoding(worth, captured, room) {
  if (!worth || room === "bare") return null;
  const narrows = room === "narrow" && worth.height > NARROW_HEIGHT_PX;
  const height = narrows ? NARROW_HEIGHT_PX : worth.height;
  const width = (worth.width * height) / worth.height;
  const maxFramerate = room === "narrow" ? Math.min(worth.fps, NARROW_FPS) : worth.fps;
  const size = { width: captured?.width || width, height: captured?.height || height };
  const ratio = Math.min(size.width / width, size.height / height);
  const scale = SCALE_STEPS.find((step) => step * SCALE_TOLERANCE <= ratio) ?? 1;
  const pixels = (size.width * size.height) / (scale * scale);
  const extra = Math.min(MAX_EXTRA_PIXELS, Math.max(1, pixels / (worth.width * worth.height)));
  return { scaleResolutionDownBy: scale, maxBitrate: Math.round(1_000 * worth.kbps * extra), maxFramerate };
}

/** Turns counters that only grow into rates between two looks at them. */
class RateWindow {
  /** @type {{at: number, bytesIn: number, bytesOut: number, received: number, lostDown: number,
   *   sent: number, lostUp: number}|null} */
  #before = null;
  /** @type {CallStats|null} */ #last = null;

  /** @param {RTCPeerConnection|null} pc @returns {Promise<CallStats>} */
  async measure(pc) {
    const before = this.#before;
    if (this.#last && before && performance.now() - before.at < STATS_MIN_WINDOW_MS) return this.#last;
    /** @type {any[]} */ const entries = [];
    (await pc?.getStats())?.forEach((/** @type {any} */ entry) => entries.push(entry));
    const of = (/** @type {string} */ type) => entries.filter((entry) => entry.type === type);
    const inbound = of("inbound-rtp");
    const outbound = of("outbound-rtp");
    const reports = of("remote-inbound-rtp");
    const now = {
      at: performance.now(),
      bytesIn: sum(inbound, "bytesReceived") + sum(inbound, "headerBytesReceived"),
      bytesOut: sum(outbound, "bytesSent") + sum(outbound, "headerBytesSent"),
      received: sum(inbound, "packetsReceived"),
      lostDown: sum(inbound, "packetsLost"),
      sent: sum(outbound, "packetsSent"),
      lostUp: sum(reports, "packetsLost"),
    };
    const pair = selectedPair(entries);
    const rtt = pair?.currentRoundTripTime ?? reports.find((report) => report.roundTripTime)?.roundTripTime;
    const local = entries.find((entry) => entry.id === pair?.localCandidateId);
    const seconds = before ? (now.at - before.at) / 1_000 : 0;
    const kbps = (/** @type {number} */ bytes) => Math.round(Math.max(0, bytes) / 125 / seconds);
    const lostDown = Math.max(0, before ? now.lostDown - before.lostDown : 0);
    const lostUp = Math.max(0, before ? now.lostUp - before.lostUp : 0);
    this.#last = {
      down_kbps: before && kbps(now.bytesIn - before.bytesIn),
      up_kbps: before && kbps(now.bytesOut - before.bytesOut),
      loss_down: before && share(lostDown, now.received - before.received + lostDown),
      loss_up: before && reports.length > 0 ? share(lostUp, now.sent - before.sent) : null,
      rtt_ms: rtt === undefined ? null : Math.round(rtt * 1_000),
      jitter_ms: inbound.length > 0
        ? Math.round(Math.max(...inbound.map((entry) => entry.jitter ?? 0)) * 1_000)
        : null,
      protocol: local?.protocol ?? null,
      received: picture(inbound),
      sent: picture(outbound),
    };
    this.#before = now;
    return this.#last;
  }
}

/** @param {any[]} entries of one stats report */
function selectedPair(entries) {
  const id = entries.find((entry) => entry.type === "transport")?.selectedCandidatePairId;
  return entries.find((entry) => entry.type === "candidate-pair"
    // Firefox has no transport entry, and marks the pair instead.
    && (id ? entry.id === id : entry.selected || (entry.nominated && entry.state === "succeeded")));
}

/** @param {any[]} streams @returns {{width: number, height: number, fps: number}|null} */
function picture(streams) {
  const video = streams.find((entry) => entry.kind === "video" && entry.frameWidth > 0);
  if (!video) return null;
  return {
    width: video.frameWidth,
    height: video.frameHeight,
    fps: Math.round(video.framesPerSecond ?? 0),
  };
}

/** @param {any[]} entries @param {string} field */
function sum(entries, field) {
  return entries.reduce((total, entry) => total + (entry[field] ?? 0), 0);
}

/** @param {number} part @param {number} whole */
function share(part, whole) {
  return whole > 0 ? Math.min(1, part / whole) : 0;
}

/** @param {RTCRtpTransceiver} transceiver @param {string} mimeType */
function preferCodec(transceiver, mimeType) {
  const codecs = RTCRtpReceiver.getCapabilities?.(transceiver.receiver.track.kind)?.codecs;
  if (!codecs || !transceiver.setCodecPreferences) return;
  const isPreferred = (/** @type {{mimeType: string}} */ codec) => codec.mimeType.toLowerCase() === mimeType;
  try {
    transceiver.setCodecPreferences([
      ...codecs.filter(isPreferred),
      ...codecs.filter((codec) => !isPreferred(codec)),
    ]);
  } catch {
    // The browser's own order offers them too.
  }
}

/** @param {RTCRtpSender} sender @param {MediaStreamTrack|null} track */
async function replaceTrack(sender, track) {
  if (sender.track === track) return;
  try {
    await sender.replaceTrack(track);
  } catch {
    // The connection was closed meanwhile; its successor is given the tracks that are current then.
  }
}

/** For how long somebody has to be let in over this carrier; null where nobody has to. @param {Session|null} session */
function waitedMs(session) {
  const since = session?.waitsSince ?? null;
  return since === null ? null : performance.now() - since;
}

/** Between half and all of a wait that doubles: many clients must not come back at once. */
function backoffMs(/** @type {number} */ attempt) {
  const wait = Math.min(BACKOFF_MAX_MS, BACKOFF_FIRST_MS * 2 ** attempt);
  return wait * (0.5 + Math.random() / 2);
}

/** @param {string|URL|undefined} url */
function socketUrl(url) {
  const absolute = new URL(url ?? "ws", url ? globalThis.location?.href : import.meta.url);
  absolute.protocol = absolute.protocol.replace(/^http/, "ws");
  return absolute.href;
}

function noMedia() {
  return new MosaicError("no_media", "sound and picture do not get through");
}

function leftError() {
  return new MosaicError("left", "left while joining");
}

/**
 * An answer in which the server would rather have so much sound in a packet.
 *
 * @param {string} sdp
 * @param {number} packetMs
 */
function withPacketTime(sdp, packetMs) {
  const sections = sdp.split(/^(?=m=)/m).map((section) => {
    if (!section.startsWith("m=audio")) return section;
    const rest = section.replace(/^a=ptime:.*\r\n/gm, "");
    return packetMs === USUAL_PACKET_MS ? rest : `${rest}a=ptime:${packetMs}\r\n`;
  });
  return sections.join("");
}

/**
 * Offers to resend lost audio (RFC 4585 §6.2.1): Chromium can, but does not say so by itself. Where
 * the line is not as expected, the offer stays as it is.
 *
 * @param {string} sdp
 */
function withAudioNack(sdp) {
  return sdp.replace(
    /(a=rtcp-fb:(\d+) transport-cc\r\n)(?=a=fmtp:\2 [^\r]*useinbandfec)/,
    "$1a=rtcp-fb:$2 nack\r\n",
  );
}
