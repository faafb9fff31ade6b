/**
 * What a call is at: one state for all its parts, and why it is no better.
 *
 * @module mosaic/life
 */
import { leftError } from "./errors.js";

/**
 * @typedef {import("../mosaic.js").CallState} CallState
 * @typedef {import("./errors.js").MosaicError} MosaicError
 */

export class Life {
  #onChange;
  /** @type {CallState} */ state = "joining";
  /** Why the state is `reconnecting` or `failed`; null otherwise. @type {MosaicError|null} */ error = null;

  /** @param {(previous: CallState) => void} onChange */
  constructor(onChange) {
    this.#onChange = onChange;
  }

  /** Whether nothing more will come of it. */
  get isOver() {
    return this.state === "left" || this.state === "failed";
  }

  /** Why it is over. */
  get cause() {
    return this.error ?? leftError();
  }

  throwIfOver() {
    if (this.isOver) throw this.cause;
  }

  /** @param {CallState} state @param {MosaicError|null} error */
  become(state, error) {
    if (state === this.state && error?.code === this.error?.code) return;
    const previous = this.state;
    this.state = state;
    this.error = error;
    this.#onChange(previous);
  }
}
