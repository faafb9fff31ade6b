/**
 * Types of mosaic.js, and below `Wire` those of the messages that it speaks, as PROTOCOL.md has them.
 *
 * The first part is written by hand, and tests hold the client against it. `Wire` is generated from
 * the server's own types by `make schema`.
 */

/** The version of PROTOCOL.md spoken here. */
export const PROTOCOL_VERSION: 1;

export type CallState = "joining" | "waiting" | "connected" | "reconnecting" | "left" | "failed";
export type Role = Wire.Role;
export type Participant = Wire.Participant;
export type RoomState = Wire.RoomState;
export type ChatMessage = Wire.ChatMessage;
export type Knock = Wire.Knock;
export type Quality = Wire.Quality;
export type Uplink = Wire.Uplink;
export type Tile = Wire.Tile;
/** Pixels. */
export type Size = { width: number; height: number };
/** The picture that one gets, and the largest that anybody sees oneself. */
export type Layout = { canvas: Size & { fps?: number }; tiles: Tile[]; seenAs: Size | null };
/** What one would rather get than what the link allows; what is absent is not asked for. */
export type Wishes = Omit<Wire.Prefer, "id">;
/** What a moderator does. */
export type Act = Wire.Moderate["act"];
/** The fields that go with an act. */
export type FieldsOf<A extends Act> = Omit<Extract<Wire.Moderate, { act: A }>, "act" | "id">;

export interface CallOptions {
  /** 1 to 64 of `A-Z a-z 0-9 . _ -`. */
  room: string;
  /** At most 64 characters. */
  name: string;
  /** What to send: its first audio and first video track. */
  stream?: MediaStream | null;
  /** The WebSocket; default: `ws` beside mosaic.js. `sessions` is beside it. */
  url?: string | URL;
  /** The only way to talk to the server; default: the best that works. */
  carrier?: "ws" | "sse" | "poll";
  /** The JSON Web Token that lets in, where the server asks for one; a function is asked anew for each attempt. */
  auth?: string | (() => string | Promise<string>) | null;
  /** Of an earlier call, to take its seat back. */
  token?: string | null;
  /** Start with the microphone muted. */
  muted?: boolean;
  /** Start with the camera on (default). */
  camera?: boolean;
  /** Ceiling for what is sent, default 1500. */
  maxVideoKbps?: number;
  /** Send no more than anybody sees and the uplink carries (default). */
  fitToTile?: boolean;
  /** Leave when the page goes away (default). */
  leaveOnPageHide?: boolean;
}

/** A picture: pixels, and frames per second. */
export type Picture = Size & { fps: number };

export interface CallStats {
  /** Received, RTP with headers. */
  down_kbps: number | null;
  /** Sent, RTP with headers. */
  up_kbps: number | null;
  /** Share of packets lost on the way here, 0 to 1. */
  loss_down: number | null;
  /** Share of packets lost on the way to the server, 0 to 1. */
  loss_up: number | null;
  /** Round trip to the server. */
  rtt_ms: number | null;
  /** How unevenly packets arrive. */
  jitter_ms: number | null;
  /** "udp" or "tcp". */
  protocol: string | null;
  /** The mixed picture. */
  received: Picture | null;
  /** One's own picture. */
  sent: Picture | null;
}

/** What each event holds in its `detail`. */
export interface CallEvents {
  state: { state: CallState; previous: CallState; error: MosaicError | null };
  /** `participant` is null where `change` is `all`; `reason` only where it is `left`. */
  participants: {
    change: "all" | "joined" | "changed" | "left";
    participant: Participant | null;
    reason: Wire.LeaveReason | null;
  };
  speaker: { participant: string | null };
  layout: Layout;
  quality: Quality;
  uplink: { video: Uplink["video"]; audio: Uplink["audio"] | null; paused: "unseen" | "thin" | null };
  stream: { stream: MediaStream };
  notice: { code: string; message: string };
  trouble: { error: MosaicError };
  room: RoomState;
  chat: ChatMessage;
  asked: { to: Wire.Asked; by: string };
  waiting: { place: number };
  knocking: { waiting: Knock[] };
}

/** What went wrong. */
export class MosaicError extends Error {
  constructor(code: string, message: string, retryAfterMs?: number | null);
  /** One of PROTOCOL.md's, the reason of a `bye`, or the client's own: `unreachable`, `timeout`, and so on. */
  readonly code: string;
  /** The server's advice, in milliseconds. */
  readonly retryAfterMs: number | null;
}

/** Joins a room. Resolves once the server has answered the offer; rejects with a `MosaicError`. */
export function join(options: CallOptions): Promise<Call>;

/** One participation in one room. Made by `join`, or by hand to watch it from the start. */
export class Call extends EventTarget {
  constructor(options: CallOptions);

  readonly state: CallState;
  /** Why the state is `reconnecting` or `failed`; null otherwise. */
  readonly error: MosaicError | null;
  /** What is received: one audio and one video track. The object stays, its tracks may change. */
  readonly stream: MediaStream;
  /** Everybody in the room by id, oneself included. */
  readonly participants: ReadonlyMap<string, Participant>;
  /** One's own participant id; null until joined. */
  readonly self: string | null;
  /** Id of who is speaking, or null. */
  readonly speaker: string | null;
  /** Who is where on the picture; null until told. */
  readonly layout: Layout | null;
  /** What is worth sending; null until told. */
  readonly uplink: Uplink | null;
  /** Why one's picture is not sent although the camera is on; null if it is sent. */
  readonly paused: "unseen" | "thin" | null;
  /** What is received and why it is no better; null until told. */
  readonly quality: Quality | null;
  readonly room: string;
  /** What holds for everybody; null until joined. */
  readonly roomState: RoomState | null;
  /** What may be done here; null until joined. */
  readonly role: Role | null;
  /** What was written, the oldest first. */
  readonly chatLog: readonly ChatMessage[];
  /** Who waits to be let in, as moderators are told. */
  readonly knocking: readonly Knock[];
  /** One's own place among those who wait, 1 is next; null while one does not wait. */
  readonly place: number | null;
  readonly handRaised: boolean;
  readonly maxParticipants: number;
  /** Takes this seat back in a later call, within the server's `seat_ms`. */
  readonly token: string | null;
  /** How the server is talked to. */
  readonly carrier: "ws" | "sse" | "poll";
  readonly muted: boolean;
  readonly camera: boolean;

  /** Goes in. Resolves when the server has answered the offer, rejects when the call is over before. */
  join(): Promise<void>;
  /** Goes out; resolves when the server knows, or does not answer within a second. */
  leave(): Promise<void>;
  /** Silences one's microphone, or opens it. Nothing happens where a moderator holds it off. */
  setMuted(muted: boolean): void;
  /** Stops or resumes sending one's picture. Nothing happens where a moderator holds it off. */
  setCamera(camera: boolean): Promise<void>;
  /** Sends other tracks from now on, without a new negotiation. */
  setStream(stream: MediaStream | null): Promise<void>;
  /** Asks for another picture than the link allows, in place of what was asked before. */
  prefer(wishes: Wishes): void;
  /** Raises one's hand, or takes it down. */
  setHand(raised: boolean): void;
  /** Writes to everybody, 1 to 2,000 bytes. Rejects with `bad_text`, or `rate_limited` and how long to wait. */
  chat(text: string): Promise<void>;
  /**
   * Does what moderators may. Rejects with `not_allowed` or `no_such_participant`. `keptOut` is of a removal with a
   * ban alone: false where nothing tells whoever was removed from anybody else, so that only a lock keeps them out.
   */
  moderate<A extends Act>(act: A, fields?: FieldsOf<A>): Promise<{ keptOut: boolean | null }>;
  /** What the link does, since the last time this was asked. */
  stats(): Promise<CallStats>;

  addEventListener<K extends keyof CallEvents>(
    type: K,
    listener: ((event: CustomEvent<CallEvents[K]>) => void) | EventListenerObject | null,
    options?: boolean | AddEventListenerOptions,
  ): void;
  removeEventListener<K extends keyof CallEvents>(
    type: K,
    listener: ((event: CustomEvent<CallEvents[K]>) => void) | EventListenerObject | null,
    options?: boolean | EventListenerOptions,
  ): void;
}

/** The messages of PROTOCOL.md. Generated: do not edit. */
export namespace Wire {

  /** What a moderator asks a participant to do. */
  type Asked = "mute" | "unmute" | "camera_off" | "camera_on";

  /** Why the server ends a session. */
  type ByeReason = "taken" | "gone" | "slow" | "not_joined" | "draining" | "replaced" | "removed" | "ended" | "failed";

  /** An ICE candidate as the browser's `RTCIceCandidateInit` has it. */
  type Candidate = {
    /** The `candidate:` line (RFC 8839 §5.1), empty at the end of candidates. */
    candidate: string;
    /** Index of that section. */
    sdpMLineIndex?: number | null;
    /** Media identification tag of the section it belongs to. */
    sdpMid?: string | null;
  };

  /** The mixed picture. */
  type Canvas = {
    /** Pictures per second. */
    fps: number;
    /** Height in pixels. */
    height: number;
    /** Width in pixels. */
    width: number;
  };

  /** What somebody wrote to everybody. */
  type ChatMessage = {
    /** When, in milliseconds since 1970 (UTC). */
    at_ms: number;
    /** Whose id. */
    from: string;
    /** What they called themselves. */
    name: string;
    /** Counts the messages of a room, from 1. */
    number: number;
    /** 1 to 2,000 bytes. */
    text: string;
  };

  /** What a client says. */
  type ClientMessage = Join & {
    type: "join";
  } | Resume & {
    type: "resume";
  } | {
    /** Echoed in the answer. */
    id?: RequestId | null;
    /** The session description (RFC 8866). */
    sdp: string;
    type: "offer";
  } | {
    /** The candidate. */
    candidate: Candidate;
    /** Echoed in an error, should there be one. */
    id?: RequestId | null;
    type: "candidate";
  } | {
    /** Whether the camera is on; absent: as before. */
    camera?: boolean | null;
    /** Whether the hand is raised; absent: as before. */
    hand?: boolean | null;
    /** Echoed in an error, should there be one. */
    id?: RequestId | null;
    /** Whether the microphone is muted; absent: as before. */
    muted?: boolean | null;
    type: "status";
  } | Prefer & {
    type: "prefer";
  } | Moderate & {
    type: "moderate";
  } | {
    /** Echoed in the reply. */
    id?: RequestId | null;
    /** 1 to 2,000 bytes, no control characters but line breaks and tabs. */
    text: string;
    type: "chat";
  } | {
    /** Echoed in the reply. */
    id?: RequestId | null;
    type: "leave";
  } | {
    /** The last event that was seen: the server need not keep it any longer. */
    after?: number | null;
    /** Echoed in the reply. */
    id?: RequestId | null;
    type: "ping";
  };

  /** What went wrong, as a word that never changes. */
  type ErrorCode = "bad_json" | "bad_message" | "unknown_type" | "bad_version" | "bad_room" | "bad_name" | "not_joined" | "already_joined" | "no_such_room" | "room_locked" | "lobby_full" | "must_wait" | "denied" | "waited_too_long" | "banned" | "identity_taken" | "not_allowed" | "no_such_participant" | "too_many_pins" | "bad_text" | "room_full" | "too_many_rooms" | "bad_token" | "bad_resume" | "no_session" | "too_many_sessions" | "bad_sdp" | "no_opus" | "no_vp8" | "bad_candidate" | "too_large" | "auth_required" | "bad_auth" | "auth_expired" | "not_this_room" | "wrong_origin" | "rate_limited" | "too_many_from_address" | "too_many_candidates" | "draining" | "internal";

  /** Why a request failed. */
  type ErrorMessage = {
    /** For programs. */
    code: ErrorCode;
    /** The request's, where it had one and it could be read. */
    id?: RequestId | null;
    /** For people. */
    message: string;
    /** After how many milliseconds another try makes sense. */
    retry_after_ms?: number | null;
  };

  /** What a session says, numbered. */
  type Event = ServerMessage & {
    /** Counts from 1 in each session. */
    seq: number;
  };

  /** How firmly a microphone or camera is switched off. */
  type How = "ask" | "force" | "hold";

  /** A STUN or TURN server, as `RTCIceServer` has it. */
  type IceServer = {
    /** For TURN. */
    credential?: string | null;
    /** `stun:` and `turn:` addresses. */
    urls: string[];
    /** For TURN. */
    username?: string | null;
  };

  /** Takes a seat in a room. */
  type Join = {
    /** What shows that one may come in: a JSON Web Token. Goes before that of the carrier. */
    auth?: string | null;
    /** Echoed in the reply. */
    id?: RequestId | null;
    /** What the others see: at most 64 characters, none of them a control character. */
    name?: string;
    /** The room's name: 1 to 64 of `A-Z a-z 0-9 . _ -`. */
    room: string;
    /** Takes a seat back that this token was given for. */
    token?: string | null;
    /** The protocol version: 1. */
    version: number;
  };

  /** Everything about the room one has just joined. */
  type Joined = {
    /** The best picture there is. */
    canvas: Canvas;
    /** What was written lately, the oldest first. */
    chat: ChatMessage[];
    /** What to put into `RTCConfiguration.iceServers`. */
    ice_servers: IceServer[];
    /** The request's. */
    id?: RequestId | null;
    /** The most participants the room takes. */
    max_participants: number;
    /** One's own id. */
    participant: string;
    /** Everybody in the room, oneself included, in the order of joining. */
    participants: Participant[];
    /** How often the client should ping, in milliseconds. */
    ping_interval_ms: number;
    /** The room's name. */
    room: string;
    /** How long the seat of somebody absent is held, in milliseconds. */
    seat_ms: number;
    /** Continues this session over another carrier. The room does not know it. */
    session?: string | null;
    /** After how long without a word either side takes the carrier for dead, in milliseconds. */
    silence_ms: number;
    /** What holds for everybody. */
    state: RoomState;
    /** Takes this seat back in a later session, as long as it is held. */
    token: string;
    /** The protocol version spoken. */
    version: number;
  };

  /** Somebody who waits, as moderators see it. */
  type Knock = {
    /** Given once in the room's life; not the later participant's. */
    id: string;
    /** What they call themselves; may be empty. */
    name: string;
    /** Since when, in milliseconds since 1970 (UTC). */
    since_ms: number;
  };

  /** Where everybody is on the canvas. */
  type Layout = {
    /** The canvas the tiles are on. */
    canvas: LayoutCanvas;
    /** The largest that anybody sees this participant, which may be on another canvas: what is worth sending. Null while nobody does. */
    seen_as: LayoutCanvas | null;
    /** In the order of joining, but for one shown large, who is first. */
    tiles: Tile[];
  };

  /** The size of a canvas in pixels. */
  type LayoutCanvas = {
    /** Height in pixels. */
    height: number;
    /** Width in pixels. */
    width: number;
  };

  /** Why somebody's seat is gone. */
  type LeaveReason = "left" | "gone" | "removed";

  /** A moderator's request. */
  type Moderate = ({
    act: "lock";
  } | {
    act: "unlock";
  } | {
    act: "lobby";
    /** Whether they are to wait. */
    on: boolean;
  } | {
    act: "admit";
    /** Who; absent: all. */
    waiting?: string | null;
  } | {
    act: "deny";
    /** Who; absent: all. */
    waiting?: string | null;
  } | {
    act: "mute";
    /** How firmly. */
    how?: How;
    /** Whom; absent: everybody who is no moderator. */
    participant?: string | null;
  } | {
    act: "unmute";
    /** Whom. */
    participant: string;
  } | {
    act: "camera_off";
    /** How firmly. */
    how?: How;
    /** Whose; absent: of everybody who is no moderator. */
    participant?: string | null;
  } | {
    act: "camera_on";
    /** Whom. */
    participant: string;
  } | {
    act: "remove";
    /** Whether they are kept out for the life of the room; absent: yes. */
    ban?: boolean;
    /** Whose. */
    participant: string;
  } | {
    act: "role";
    /** Whom. */
    participant: string;
    /** Which. */
    role: Role;
  } | {
    act: "lower_hand";
    /** Whose; absent: all. */
    participant?: string | null;
  } | {
    act: "pin";
    /** Whom; absent: nobody any more. */
    participant?: string | null;
  } | {
    act: "layout";
    /** How; absent: as each rung has it. */
    layout?: PreferredLayout | null;
  } | {
    act: "end";
  }) & {
    /** Echoed in the reply. */
    id?: RequestId | null;
  };

  /** The next rung up. */
  type NextRung = {
    /** What the link would have to carry for it, about, everything counted. */
    kbps: number;
  };

  /** Something that one participant is told about what they send or receive. */
  type Notice = {
    /** For programs. */
    code: NoticeCode;
    /** For people. */
    message: string;
  };

  /** What a notice is about, as a word that never changes. */
  type NoticeCode = "source_thinned";

  /** Somebody in the room. */
  type Participant = {
    /** Whether they are out of reach at the moment. */
    absent: boolean;
    /** Whether their camera is on, by their own word, unless a moderator switched it off. */
    camera: boolean;
    /** The moderator who switched it off: a participant's id, or `operator`. */
    camera_off_by?: string | null;
    /** When they raised their hand, in milliseconds since 1970 (UTC); absent: it is not raised. */
    hand_raised_ms?: number | null;
    /** Given once in the room's life. */
    id: string;
    /** Whether they may open their microphone; absent: yes. */
    may_unmute?: boolean;
    /** Whether they may switch it on; absent: yes. */
    may_use_camera?: boolean;
    /** Whether they are silent, by their own word or a moderator's. */
    muted: boolean;
    /** The moderator who muted them: a participant's id, or `operator`. */
    muted_by?: string | null;
    /** What they call themselves; may be empty. */
    name: string;
    /** What they may do. */
    role: Role;
    /** Whether they only watch: they send nothing, and have no tile. */
    watching?: boolean;
  };

  /** What a participant would rather get than what its link allows. What is absent is not asked for. */
  type Prefer = {
    /** Echoed in an error, should there be one. */
    id?: RequestId | null;
    /** Whom to see large. */
    layout?: PreferredLayout | null;
    /** The highest picture, in pixels. */
    max_height?: number | null;
    /** The most that is to come over the link, everything counted. Audio comes in any case. */
    max_kbps?: number | null;
    /** Whom to see large, whoever speaks. */
    pin?: string | null;
    /** Whether to get video; absent: yes. */
    video?: boolean | null;
  };

  /** Whom to see large. */
  type PreferredLayout = "grid" | "speaker";

  /** What a participant gets. */
  type Quality = {
    /** Bitrate of the audio. */
    audio_kbps: number;
    /** What would change it; null where the link is not the reason. */
    next: NextRung | null;
    /** Sound per packet, in milliseconds. */
    packet_ms: number;
    /** Why the video is no better. */
    reason: QualityReason;
    /** Which; null while it is paused. */
    rung: VideoRung | null;
    /** What video there is. */
    video: VideoState;
  };

  /** Why video is no better. */
  type QualityReason = "best" | "bandwidth" | "asked" | "starting";

  /** A client's own mark on a request; its reply carries the same. */
  type RequestId = number | string;

  /** The first message of a carrier that continues a session. */
  type Resume = {
    /** The last event that was seen. */
    after: number;
    /** Echoed in the reply. */
    id?: RequestId | null;
    /** The one of `joined`. */
    session: string;
    /** The protocol version: 1. */
    version: number;
  };

  /** A session goes on. The one message beside `error` that has no number: it is the carrier's. */
  type Resumed = {
    /** The last event that counts as seen, as the client said. */
    after: number;
    /** The request's. */
    id?: RequestId | null;
    /** The last event there is so far: those between the two follow at once. */
    last: number;
  };

  /** What somebody may do in a room. */
  type Role = "participant" | "moderator";

  /** What holds for everybody in the room. */
  type RoomState = {
    /** The arrangement for those who ask for none; null: as each rung has it. */
    layout: PreferredLayout | null;
    /** Whether those who come wait until they are admitted. */
    lobby: boolean;
    /** Whether nobody else gets in. */
    locked: boolean;
    /** Who is shown large to everybody; null: nobody. */
    pinned: string | null;
  };

  /** What the server says. */
  type ServerMessage = Joined & {
    type: "joined";
  } | Resumed & {
    type: "resumed";
  } | Waiting & {
    type: "waiting";
  } | {
    /** The offer's. */
    id?: RequestId | null;
    /** The session description. */
    sdp: string;
    type: "answer";
  } | {
    /** The candidate. */
    candidate: Candidate;
    type: "candidate";
  } | {
    /** How it is now. */
    participant: Participant;
    type: "participant";
  } | {
    /** Whose. */
    participant: string;
    /** Why. */
    reason: LeaveReason;
    type: "participant_left";
  } | RoomState & {
    type: "room";
  } | {
    type: "knocking";
    /** Who. */
    waiting: Knock[];
  } | {
    /** Who asks: a participant's id, or `operator`. */
    by: string;
    /** What. */
    to: Asked;
    type: "asked";
  } | ChatMessage & {
    type: "chat";
  } | {
    /** The request's. */
    id?: RequestId | null;
    /** Of a `remove` with a ban alone: whether whoever was removed would be known again. False where they came without an identity: then nothing keeps them from coming back as somebody new. */
    kept_out?: boolean | null;
    type: "done";
  } | {
    /** Who; null if nobody has spoken yet, or the speaker left. */
    participant: string | null;
    type: "speaker";
  } | Layout & {
    type: "layout";
  } | Quality & {
    type: "quality";
  } | Uplink & {
    type: "uplink";
  } | Notice & {
    type: "notice";
  } | {
    /** The request's. */
    id?: RequestId | null;
    type: "left";
  } | {
    /** The request's. */
    id?: RequestId | null;
    type: "pong";
  } | {
    /** Why. */
    reason: ByeReason;
    type: "bye";
  } | ErrorMessage & {
    type: "error";
  };

  /** One participant's region, in pixels of the canvas. */
  type Tile = {
    /** Height. */
    height: number;
    /** Distance from the left edge. */
    left: number;
    /** Whose. */
    participant: string;
    /** Distance from the upper edge. */
    top: number;
    /** Width. */
    width: number;
  };

  /** What is worth sending. */
  type Uplink = {
    /** The sound. */
    audio: UplinkAudio;
    /** The picture; null while nobody sees it: then it is best paused. */
    video: UplinkVideo | null;
  };

  /** Sound worth sending. */
  type UplinkAudio = {
    /** The best that anybody hears. */
    kbps: number;
    /** Sound per packet, in milliseconds: longer where links are thin. */
    packet_ms: number;
  };

  /** A picture worth sending. */
  type UplinkVideo = {
    /** The fastest that anybody sees it, in whole frames per second. */
    fps: number;
    /** Height in pixels. */
    height: number;
    /** What that takes. */
    kbps: number;
    /** The largest that anybody sees it: width in pixels. */
    width: number;
  };

  /** One of the room's encodings. */
  type VideoRung = {
    /** Pictures per second, to a tenth. */
    fps: number;
    /** Height in pixels. */
    height: number;
    /** As the room calls it. */
    name: string;
    /** Width in pixels. */
    width: number;
  };

  /** What video there is. */
  type VideoState = "moving" | "stills" | "paused";

  /** To one who waits: the reply to the `join` comes later. */
  type Waiting = {
    /** How often the client should ping, in milliseconds. */
    ping_interval_ms: number;
    /** How many are served before: 1 is next. */
    place: number;
    /** How long the place is kept without a session, and the session without a carrier, in milliseconds. */
    seat_ms: number;
    /** Continues this session over another carrier; a secret. */
    session?: string | null;
    /** After how long without a word from the client a carrier counts as lost, in milliseconds. */
    silence_ms: number;
    /** Takes this place back in a later session, or the seat that it has become. */
    token: string;
    /** How long one may wait, from the beginning, in milliseconds. */
    wait_ms: number;
  };
}
