/**
 * What the person would rather see: somebody large, or another arrangement than the room's.
 *
 * It is for this person alone and ends with the call; a pin ends with the seat of whom it is on.
 */

export class View extends EventTarget {
  /** @type {import("./mosaic.js").Call|null} */ #call = null;
  /** Who is to be large. @type {string|null} */ pin = null;
  /** Null: as the room has it. @type {"grid"|"speaker"|null} */ layout = null;

  /** @param {import("./mosaic.js").Call} call */
  start(call) {
    this.#call = call;
    this.pin = null;
    this.layout = null;
    call.addEventListener("participants", () => {
      if (call === this.#call && this.pin !== null && !call.participants.has(this.pin)) this.unpin();
    });
    call.addEventListener("trouble", (event) => {
      const { code } = /** @type {CustomEvent} */ (event).detail.error;
      if (call !== this.#call || this.pin === null) return;
      if (code === "too_many_pins" || code === "no_such_participant") this.unpin();
    });
  }

  stop() {
    this.#call = null;
    this.pin = null;
    this.layout = null;
  }

  /** Shows somebody large, or no longer. @param {string} id */
  pinOrNot(id) {
    if (this.pin === id) {
      this.unpin();
      return;
    }
    this.pin = id;
    this.#tell();
  }

  unpin() {
    this.pin = null;
    this.#tell();
  }

  /** @param {"grid"|"speaker"|null} layout */
  arrange(layout) {
    this.layout = layout;
    this.pin = null;
    this.#tell();
  }

  #tell() {
    // In a grid nobody is large.
    if (this.pin !== null) this.#call?.prefer({ layout: "speaker", pin: this.pin });
    else this.#call?.prefer(this.layout === null ? {} : { layout: this.layout });
    this.dispatchEvent(new Event("change"));
  }
}
