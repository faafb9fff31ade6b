/**
 * What opens beside the picture: who is here, what is written, what the link does. One panel at a time.
 */

import { byId } from "./say.js";

const PANELS = ["chat", "people", "link"];

export class Panels {
  #onOpen;

  /** @param {(name: string) => void} onOpen told which panel is open now */
  constructor(onOpen) {
    this.#onOpen = onOpen;
    for (const name of PANELS) {
      byId(`show-${name}`).addEventListener("click", () => this.toggle(name));
      byId(`panel-${name}`).querySelector("[data-close-panel]").addEventListener("click", () => this.close());
    }
  }

  /** @param {string} name */
  toggle(name) {
    const opens = byId(`panel-${name}`).hidden;
    this.close();
    if (!opens) return;
    byId(`panel-${name}`).hidden = false;
    byId(`show-${name}`).setAttribute("aria-expanded", "true");
    this.#onOpen(name);
  }

  /** The focus goes back to the button of a panel that had it. */
  close() {
    for (const name of PANELS) {
      const hadFocus = byId(`panel-${name}`).contains(document.activeElement);
      byId(`panel-${name}`).hidden = true;
      byId(`show-${name}`).setAttribute("aria-expanded", "false");
      if (hadFocus) byId(`show-${name}`).focus({ preventScroll: true });
    }
  }
}
