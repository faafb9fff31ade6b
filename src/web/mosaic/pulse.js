/**
 * Feels whether packets come over a transport. The mixer sends all the time, so silence means that
 * they do not get through; `connectionState` says so only after many seconds.
 *
 * @module mosaic/pulse
 */

/** @typedef {import("./transport.js").Transport} Transport */

/** How often to look whether packets still come, and for how long none may before somebody is told. */
const PULSE_INTERVAL_MS = 250;
const SILENCE_MS = 1_000;
/** Each silence doubles the patience, up to this; packets for this long restore it. */
const MAX_SILENCE_MS = 8_000;

export class Pulse {
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
