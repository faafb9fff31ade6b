/**
 * Where microphone and camera are chosen: in the lobby, and in a dialog in the call. What is wrong with
 * them stands there for as long as it lasts.
 */

import { describe } from "./devices.js";
import { recall } from "./memory.js";
import { byId, notice, toast } from "./say.js";

export class Chooser {
  #devices;
  /** The last trouble with devices that a note was shown about. @type {string|null} */ #told = null;

  /** @param {import("./devices.js").Devices} devices */
  constructor(devices) {
    this.#devices = devices;
    for (const kind of /** @type {const} */ (["audio", "video"])) {
      byId(`device-${kind}`).addEventListener("change", (/** @type {any} */ event) => {
        devices.choose(kind, event.target.value);
      });
    }
    byId("dialog-devices").addEventListener("close", () => byId("devices-home").append(byId("devices")));
  }

  /** In the call. */
  open() {
    byId("devices-dialog-slot").append(byId("devices"));
    byId("dialog-devices").showModal();
  }

  /** What is wrong with microphone or camera, in the call also once as a note. */
  tell() {
    const trouble = describe(this.#devices.problems);
    notice("devices-problem", trouble);
    const isInCall = !byId("call").hidden;
    if (isInCall && trouble && trouble !== this.#told) toast(trouble);
    if (isInCall || !trouble) this.#told = trouble;
  }

  /** Shows what there is, and what is in use. */
  async list() {
    for (const kind of /** @type {const} */ (["audio", "video"])) {
      const select = byId(`device-${kind}`);
      const current = this.#devices.track(kind)?.getSettings().deviceId ?? recall(`device.${kind}`) ?? "";
      const options = (await this.#devices.list(kind)).map(({ deviceId, label }, index) => new Option(
        label || `${kind === "audio" ? "Microphone" : "Camera"} ${index + 1}`, deviceId, false, deviceId === current,
      ));
      select.replaceChildren(...(options.length > 0 ? options : [new Option("Default", "")]));
      select.disabled = options.length < 2;
    }
  }
}
