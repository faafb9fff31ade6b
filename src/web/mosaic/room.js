/**
 * The room, as the server has told of it: who is in it, who speaks, what is where on the picture, what
 * was written; and what one would rather see of it.
 *
 * Bounds: as many participants as the server lets in, {@link MAX_CHAT} messages.
 *
 * @module mosaic/room
 */

/** Chat messages that are remembered; older ones are forgotten. */
const MAX_CHAT = 1_000;

/**
 * @typedef {import("../mosaic.js").Participant} Participant
 * @typedef {import("../mosaic.js").Wishes} Wishes
 */

export class Room {
  #emit;
  #onSelf;
  /** Everybody by id, oneself included. @type {Map<string, Participant>} */ participants = new Map();
  /** One's own id; null until joined. @type {string|null} */ self = null;
  /** Who is speaking. @type {string|null} */ speaker = null;
  /** Null until told, as what follows. @type {import("../mosaic.js").Layout|null} */ layout = null;
  /** @type {import("../mosaic.js").Quality|null} */ quality = null;
  /** @type {import("../mosaic.js").RoomState|null} */ state = null;
  /** The oldest first. @type {import("../mosaic.js").ChatMessage[]} */ chat = [];
  /** Who waits to be let in, as moderators are told. @type {import("../mosaic.js").Knock[]} */ knocking = [];
  maxParticipants = 0;
  /** Null: none. @type {Wishes|null} */ wishes = null;

  /**
   * @param {(type: string, detail: object) => void} emit
   * @param {(now: Participant, before: Participant|undefined) => void} onSelf told what has become of oneself
   */
  constructor(emit, onSelf) {
    this.#emit = emit;
    this.#onSelf = onSelf;
  }

  /** Oneself, as the others see it. */
  get me() {
    return this.participants.get(this.self ?? "");
  }

  /** One is in. Nobody is told before {@link Room#announce}. @param {any} joined */
  enter(joined) {
    this.self = joined.participant;
    this.maxParticipants = joined.max_participants ?? 0;
    this.state = joined.state ?? null;
    this.knocking = [];
    this.layout ??= { canvas: joined.canvas, tiles: [], seenAs: null };
    this.participants.clear();
    for (const participant of joined.participants ?? []) this.participants.set(participant.id, participant);
  }

  /** @param {any} joined the same */
  announce(joined) {
    this.#emit("participants", { change: "all", participant: null, reason: null });
    if (this.state) this.#emit("room", this.state);
    for (const message of joined.chat ?? []) this.#read(message);
  }

  /** One comes in as somebody new. It may be another room of that name, which counts anew. */
  forget() {
    this.chat = [];
  }

  /** Takes away a wish to see somebody large who is gone. */
  dropVainWish() {
    const { pin, ...rest } = this.wishes ?? {};
    if (pin !== undefined && !this.participants.has(pin ?? "")) this.wishes = rest;
  }

  /** @param {any} message of those that are about the room; others are passed over */
  take(message) {
    switch (message.type) {
      case "participant":
        this.#meet(message.participant);
        break;
      case "participant_left":
        this.#part(message);
        break;
      case "room": {
        const { type, ...state } = message;
        this.state = state;
        this.#emit("room", state);
        break;
      }
      case "chat":
        this.#read(message);
        break;
      case "knocking":
        this.knocking = message.waiting;
        this.#emit("knocking", { waiting: this.knocking });
        break;
      case "speaker":
        this.speaker = message.participant;
        this.#emit("speaker", { participant: this.speaker });
        break;
      case "layout":
        this.layout = { canvas: message.canvas, tiles: message.tiles, seenAs: message.seen_as ?? null };
        this.#emit("layout", this.layout);
        break;
      case "quality": {
        const { type, ...quality } = message;
        this.quality = quality;
        this.#emit("quality", quality);
        break;
      }
      default: // A newer server may say more than we know.
    }
  }

  /** @param {Participant} participant */
  #meet(participant) {
    const before = this.participants.get(participant.id);
    this.participants.set(participant.id, participant);
    if (participant.id === this.self) this.#onSelf(participant, before);
    this.#emit("participants", { change: before ? "changed" : "joined", participant, reason: null });
  }

  /** @param {{participant: string, reason: string}} message */
  #part({ participant: id, reason }) {
    const participant = this.participants.get(id);
    if (!participant) return;
    this.participants.delete(id);
    this.dropVainWish();
    this.#emit("participants", { change: "left", participant, reason });
  }

  /** @param {import("../mosaic.js").ChatMessage} message */
  #read(message) {
    if (message.number <= (this.chat.at(-1)?.number ?? 0)) return;
    const { number, from, name, text, at_ms } = message;
    const read = { number, from, name, text, at_ms };
    this.chat.push(read);
    if (this.chat.length > MAX_CHAT) this.chat.shift();
    this.#emit("chat", read);
  }
}
