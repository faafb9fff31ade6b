/**
 * Judges what the uplink has room for, by the browser's own estimate of it; where that is not told,
 * everything. A browser spreads thin what little there is over sound and picture, to the harm of
 * both: so a picture gets smaller and slower first, and then makes room.
 *
 * @module mosaic/uplink
 */

/**
 * @typedef {import("../mosaic.js").Uplink} Uplink
 * @typedef {import("./transport.js").Transport} Transport
 * @typedef {"wide"|"narrow"|"bare"} Breadth what one's own uplink has room for
 */

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
/** What sound takes of a narrow uplink, headers and all, and what of the rest the picture may use: browsers
 *  forget headers. */
const NARROW_SOUND_BPS = 24_000;
const NARROW_SHARE = 0.75;
const LEAST_VIDEO_BPS = 30_000;

export class UplinkWatch {
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
  /** @type {Breadth} */ breadth = "wide";
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
    const breadth = this.#judge(bps);
    if (breadth === "bare" && breadth !== this.breadth) {
      // A picture for which there was no room after all was to the harm of the sound.
      this.#patience = Math.min(2 * this.#patience, MAX_LOOKS_WIDER);
    } else if (breadth === "wide") {
      this.#patience = LOOKS_WIDER;
    }
    if (breadth !== this.breadth) this.#narrow = this.#bare = this.#above = 0;
    const before = `${this.breadth} ${this.videoBps}`;
    this.breadth = breadth;
    const rest = NARROW_SHARE * (bps - NARROW_SOUND_BPS);
    // To a few kb/s: each change is a word with the encoder.
    this.videoBps = breadth === "wide" ? Infinity : Math.max(LEAST_VIDEO_BPS, 5_000 * Math.round(rest / 5_000));
    if (`${this.breadth} ${this.videoBps}` !== before) this.#onChange();
  }

  /** @param {number} bps what the browser believes may be sent @returns {Breadth} */
  #judge(bps) {
    const count = (/** @type {boolean} */ is, /** @type {number} */ before) => (is ? before + 1 : 0);
    this.#narrow = count(bps < this.#wideBps, this.#narrow);
    this.#bare = count(bps < Math.min(BARE_BPS, this.#wideBps), this.#bare);
    if (bps < SURELY_BARE_BPS) this.#bare += 1;
    this.#above = count(bps >= (this.breadth === "bare" ? ROOM_BPS : WIDER * this.#wideBps), this.#above);
    if (this.breadth === "bare") return this.#above >= this.#patience ? "narrow" : "bare";
    if (this.#bare >= LOOKS_BARE) return "bare";
    if (this.breadth === "wide") return this.#narrow >= LOOKS_NARROW ? "narrow" : "wide";
    return this.#above >= LOOKS_WIDER ? "wide" : "narrow";
  }
}
