/**
 * The mixed picture, with names and the speaking ring laid over it.
 *
 * Names are elements, not pixels: sharp at every size, and readable by machines. Their places come
 * from the server's layout and are kept in percent of the canvas, so that resizing costs nothing.
 */

import { byId, portray } from "./say.js";

export class Stage {
  #picture = byId("picture");
  #tiles = byId("tiles");
  /** @type {Map<string, HTMLElement>} */ #elements = new Map();

  /** @param {(id: string) => void} onPick told whose tile was clicked */
  constructor(onPick) {
    this.#tiles.addEventListener("click", (/** @type {Event} */ event) => {
      const tile = /** @type {Element} */ (event.target).closest(".tile");
      for (const [id, element] of this.#elements) {
        if (element === tile) onPick(id);
      }
    });
    byId("hear").addEventListener("click", () => {
      this.#picture.muted = false;
      this.#play();
    });
  }

  /** Plays what the call receives. @param {MediaStream} stream */
  play(stream) {
    // Set again even if it is the same object: Safari does not follow tracks that were exchanged.
    this.#picture.srcObject = stream;
    this.#picture.muted = false;
    this.#play();
  }

  stop() {
    this.#picture.srcObject = null;
    byId("hear").hidden = true;
    this.#tiles.replaceChildren();
    this.#elements.clear();
  }

  /**
   * Redraws names and ring.
   *
   * @param {import("./mosaic.js").Call} call
   * @param {string|null} pinned whom this person wants large
   */
  show(call, pinned) {
    const { layout, participants, speaker, self } = call;
    if (!layout) return;
    const { width, height } = layout.canvas;
    byId("canvas").style.setProperty("--aspect", String(width / height));
    const shown = new Set();
    for (const tile of layout.tiles) {
      const participant = participants.get(tile.participant);
      if (!participant) continue;
      shown.add(participant.id);
      const element = this.#element(participant.id);
      // In the layout's order, which is that of reading them out.
      const place = this.#tiles.children[shown.size - 1];
      if (place !== element) this.#tiles.insertBefore(element, place ?? null);
      element.style.left = `${(100 * tile.left) / width}%`;
      element.style.top = `${(100 * tile.top) / height}%`;
      element.style.width = `${(100 * tile.width) / width}%`;
      element.style.height = `${(100 * tile.height) / height}%`;
      describeTile(element, participant, participant.id === self, isSpeaking(participant, speaker));
      element.classList.toggle("is-pinned", participant.id === (pinned ?? call.roomState?.pinned));
    }
    for (const [id, element] of this.#elements) {
      if (shown.has(id)) continue;
      element.remove();
      this.#elements.delete(id);
    }
  }

  /** With sound if the browser lets us; else without, and a button that asks for a tap. */
  async #play() {
    const picture = this.#picture;
    try {
      await picture.play();
      byId("hear").hidden = true;
    } catch (error) {
      if (/** @type {Error} */ (error).name !== "NotAllowedError") return;
      picture.muted = true;
      byId("hear").hidden = false;
      picture.play().catch(() => {});
    }
  }

  /** @param {string} id */
  #element(id) {
    let element = this.#elements.get(id);
    if (!element) {
      element = document.createElement("li");
      element.className = "tile";
      element.innerHTML = '<span class="avatar" aria-hidden="true"></span><span class="label">'
        + '<svg class="pin-mark" aria-hidden="true"><use href="icons.svg#pin"/></svg>'
        + '<svg class="hand-mark" aria-hidden="true"><use href="icons.svg#hand"/></svg>'
        + '<svg class="muted-mark" aria-hidden="true"><use href="icons.svg#mic-off"/></svg>'
        + '<span class="label-name"></span><span class="for-readers"></span></span>';
      this.#elements.set(id, element);
    }
    return element;
  }
}

/**
 * The server names the last who spoke until somebody else does; who cannot be heard does not speak.
 *
 * @param {import("./mosaic.js").Participant} participant
 * @param {string|null} speaker
 */
export function isSpeaking({ id, muted, absent }, speaker) {
  return id === speaker && !muted && !absent;
}

/**
 * @param {HTMLElement} element
 * @param {import("./mosaic.js").Participant} participant
 * @param {boolean} isSelf
 * @param {boolean} speaks
 */
function describeTile(element, participant, isSelf, speaks) {
  const { name, muted, camera, absent, hand_raised_ms: hand } = participant;
  element.classList.toggle("is-self", isSelf);
  element.classList.toggle("has-hand", hand !== undefined);
  element.classList.toggle("speaking", speaks);
  element.classList.toggle("is-muted", muted);
  element.classList.toggle("no-picture", !camera || absent);
  element.classList.toggle("absent", absent);
  portray(/** @type {HTMLElement} */ (element.querySelector(".avatar")), name);
  setText(element, ".label-name", absent ? `${name} – connection lost` : isSelf ? `${name} (you)` : name);
  setText(element, ".label .for-readers", stateWords(participant, speaks));
}

/** What the icons say, in words. @param {import("./mosaic.js").Participant} participant @param {boolean} speaks */
export function stateWords({ muted, camera, absent, watching, hand_raised_ms: hand }, speaks) {
  // Who only watches has neither microphone nor camera to be off.
  if (absent || watching) return "";
  const words = [speaks && "speaking", muted && "muted", !camera && "camera off", hand !== undefined && "hand raised"];
  return words.filter(Boolean).map((word) => `, ${word}`).join("");
}

/** @param {HTMLElement} element @param {string} selector @param {string} text */
function setText(element, selector, text) {
  const target = /** @type {HTMLElement} */ (element.querySelector(selector));
  if (target.textContent !== text) target.textContent = text;
}
