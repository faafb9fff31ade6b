/**
 * One's own microphone and camera in the call: what the buttons say, what is so, and what a moderator
 * has said about it.
 *
 * What is wished outlives a call; what a moderator does is followed and not remembered.
 */

import { recall, remember } from "./memory.js";
import { toast } from "./say.js";
import { HELD } from "./words.js";

export class Own {
  #devices;
  #onChange;
  /** @type {import("./mosaic.js").Call|null} */ #call = null;
  /** What the buttons say. The devices may not be able to follow. */
  wishes = { muted: recall("muted") === "true", camera: recall("camera") !== "false" };

  /** @param {import("./devices.js").Devices} devices @param {() => void} onChange */
  constructor(devices, onChange) {
    this.#devices = devices;
    this.#onChange = onChange;
  }

  /** @param {import("./mosaic.js").Call|null} call that is to follow the wishes from now on */
  set call(call) {
    this.#call = call;
  }

  /** What is so, not what is wished: a microphone that is not there is muted. */
  get isMuted() {
    return this.wishes.muted || (this.wereAsked && this.#devices.track("audio") === null);
  }

  get isCameraOff() {
    return !this.wishes.camera || (this.wereAsked && this.#devices.track("video") === null);
  }

  /** Before anything was opened, what is wished is what is so. */
  get wereAsked() {
    return this.#call !== null || this.#devices.stream.getTracks().length > 0
      || Object.values(this.#devices.problems).some((problem) => problem !== null);
  }

  toggleMuted() {
    const self = this.#self();
    if (this.isMuted && self?.may_unmute === false) {
      toast(self.muted_by ? HELD.muted : HELD.muted_by_rule);
      return;
    }
    this.wishes.muted = !this.isMuted;
    remember("muted", String(this.wishes.muted));
    this.#call?.setMuted(this.wishes.muted);
    if (!this.wishes.muted && this.wereAsked) this.#devices.open("audio");
    this.#onChange();
  }

  toggleCamera() {
    const self = this.#self();
    if (this.isCameraOff && self?.may_use_camera === false) {
      toast(self.camera_off_by ? HELD.camera : HELD.camera_by_rule);
      return;
    }
    this.wishes.camera = this.isCameraOff;
    remember("camera", String(this.wishes.camera));
    this.#call?.setCamera(this.wishes.camera);
    if (!this.wishes.camera) this.#devices.close("video");
    else if (this.wereAsked) this.#devices.open("video");
    this.#onChange();
  }

  /** A moderator has muted us, or switched our camera off: then it is so here as well, with the camera's light. */
  obey() {
    const call = this.#call;
    const self = this.#self();
    if (!call || !self) return;
    // Who may not speak at all is muted by nobody.
    if (self.may_unmute === false && !call.muted) call.setMuted(true);
    if (self.may_use_camera === false && call.camera) call.setCamera(false);
    const isSilenced = call.muted && !this.wishes.muted;
    const isHidden = !call.camera && this.wishes.camera;
    if (isSilenced) this.wishes.muted = true;
    if (isHidden) {
      this.wishes.camera = false;
      this.#devices.close("video");
    }
    if (isSilenced || isHidden) this.#onChange();
  }

  /** What a moderator asked for, and the person agreed to. @param {string} to */
  agree(to) {
    if (to === "mute" || to === "unmute") {
      if (this.isMuted !== (to === "mute")) this.toggleMuted();
    } else if (this.isCameraOff !== (to === "camera_off")) {
      this.toggleCamera();
    }
  }

  /** Oneself, as the others see it. */
  #self() {
    return this.#call?.participants.get(this.#call.self ?? "");
  }
}
