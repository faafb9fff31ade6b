/**
 * Which carrier to try next. The order is that of what is best; what turns out not to work here is
 * not tried again, what only failed together with the network is.
 *
 * @module mosaic/choice
 */

/** @typedef {import("./carriers.js").CarrierKind} CarrierKind */

/** A carrier that lived less than this lived a short life; after so many in a row another kind is tried. */
const SHORT_LIFE_MS = 10_000;
const MAX_SHORT_LIVES = 5;
/** What has worked before is tried so often before something else is. */
const PATIENCE = 2;

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
