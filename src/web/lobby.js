/**
 * The room before the room: name, room, microphone and camera, a look at oneself.
 *
 * The preview stays on this machine. Nothing is asked for before the person says so, unless it was
 * allowed earlier.
 */

import { describe } from "./devices.js";
import { recall, remember } from "./memory.js";
import { byId, notice, portray } from "./say.js";

const ROOM = /^[A-Za-z0-9._-]{1,64}$/;
const LEVEL_INTERVAL_MS = 80;
/** Speech at an arm's length is some -30 dB below full scale: this many times amplified it fills the bar. */
const LEVEL_GAIN = 5;

/** Emits nothing; calls back with a valid room and name. */
export class Lobby {
  #devices;
  #wishes;
  /** @type {AudioContext|null} */ #audio = null;
  /** @type {AnalyserNode|null} */ #analyser = null;
  /** @type {MediaStreamAudioSourceNode|null} */ #source = null;
  /** @type {ReturnType<typeof setInterval>|undefined} */ #metering;

  /**
   * @param {import("./devices.js").Devices} devices
   * @param {{muted: boolean, camera: boolean}} wishes shared with the call: what the buttons say
   * @param {(room: string, name: string) => void} onJoin
   */
  constructor(devices, wishes, onJoin) {
    this.#devices = devices;
    this.#wishes = wishes;
    byId("join-form").addEventListener("submit", (/** @type {Event} */ event) => {
      event.preventDefault();
      const name = byId("name").value.trim();
      if (!name || !ROOM.test(byId("room").value)) return;
      remember("name", name);
      onJoin(byId("room").value, name);
    });
    byId("room").addEventListener("input", () => {
      // What people type for a space or an umlaut is worth a try; the rest the browser explains.
      byId("room").value = byId("room").value.replace(/\s+/g, "-");
      this.#title();
    });
    byId("name").addEventListener("input", () => this.show());
    byId("allow").addEventListener("click", () => this.open());
    devices.addEventListener("change", () => this.show());
  }

  /**
   * Fills the form in and, where the browser will not ask, begins to open the devices.
   *
   * @param {URLSearchParams} query
   */
  async start(query) {
    byId("name").value = query.get("name") ?? recall("name") ?? "";
    byId("room").value = query.get("room") ?? suggestRoom();
    this.#title(query.has("room"));
    this.show();
    (byId("name").value ? byId("join") : byId("name")).focus({ preventScroll: true });
    // Without `mediaDevices` nothing can be opened: the attempt says why, before anyone wonders.
    if (!navigator.mediaDevices || await this.#devices.isAllowed()) this.open();
  }

  /** Asks for what the buttons say is wanted. */
  async open() {
    byId("allow").disabled = true;
    // The microphone even where muted: unmuting must not wait for a prompt.
    if (this.#wishes.camera) await this.#devices.open("audio", "video");
    else await this.#devices.open("audio");
    byId("allow").disabled = false;
    this.show();
  }

  /** Brings the page in line with devices and wishes. */
  show() {
    if (byId("lobby").hidden) {
      this.#stopMeter();
      return;
    }
    const video = this.#devices.track("video");
    const preview = byId("preview");
    const shown = video && this.#wishes.camera;
    if (preview.srcObject?.getVideoTracks()[0] !== (shown ? video : undefined)) {
      preview.srcObject = shown ? new MediaStream([video]) : null;
    }
    preview.classList.toggle("mirrored", video?.getSettings().facingMode !== "environment");
    const name = byId("name").value.trim();
    byId("preview-off").hidden = Boolean(shown);
    byId("preview-initials").hidden = !name;
    portray(byId("preview-initials"), name);
    const asked = this.#devices.stream.getTracks().length > 0;
    const { audio, video: trouble } = this.#devices.problems;
    byId("allow").hidden = asked || audio === "insecure";
    byId("allow").textContent = audio || trouble ? "Try again" : "Turn on microphone and camera";
    notice("preview-text", trouble && this.#wishes.camera ? "No camera" : "Your camera is off");
    notice("media-problem", describe(this.#devices.problems));
    this.#meter();
  }

  /** Why we are here again, or nothing. @param {string|null} text @param {"mild"|"bad"} [tone] */
  tell(text, tone = "bad") {
    byId("lobby-notice").classList.toggle("mild", tone === "mild");
    notice("lobby-notice", text);
  }

  /**
   * In place of the form: that one has to be let in, and where one stands. Null: the form again.
   *
   * @param {{room: string, text: string}|null} waiting
   */
  showWaiting(waiting) {
    const wasHidden = byId("waiting").hidden;
    byId("join-form").hidden = waiting !== null;
    byId("waiting").hidden = waiting === null;
    if (waiting === null) return;
    byId("waiting-room").textContent = waiting.room;
    notice("waiting-text", waiting.text);
    if (wasHidden) byId("waiting-title").focus({ preventScroll: true });
  }

  /** @param {boolean} [invited] */
  #title(invited = false) {
    if (invited) byId("lobby-title").textContent = `Join “${byId("room").value}”`;
    else byId("lobby-title").textContent = "Join a call";
  }

  /** Shows that the microphone hears something, while the lobby is open. */
  #meter() {
    const track = this.#devices.track("audio");
    if (!track || this.#wishes.muted) {
      this.#stopMeter();
      return;
    }
    if (this.#source?.mediaStream.getAudioTracks()[0] === track) return;
    this.#stopMeter();
    const Context = globalThis.AudioContext ?? /** @type {any} */ (globalThis).webkitAudioContext;
    if (!Context) return;
    this.#audio ??= new Context();
    const audio = /** @type {AudioContext} */ (this.#audio);
    audio.resume().catch(() => {});
    this.#analyser = audio.createAnalyser();
    this.#analyser.fftSize = 512;
    this.#source = audio.createMediaStreamSource(new MediaStream([track]));
    this.#source.connect(this.#analyser);
    const samples = new Uint8Array(this.#analyser.fftSize);
    this.#metering = setInterval(() => {
      this.#analyser?.getByteTimeDomainData(samples);
      const power = samples.reduce((total, sample) => total + (sample / 128 - 1) ** 2, 0) / samples.length;
      byId("level").style.transform = `scaleX(${Math.min(1, Math.sqrt(power) * LEVEL_GAIN)})`;
    }, LEVEL_INTERVAL_MS);
  }

  #stopMeter() {
    clearInterval(this.#metering);
    this.#source?.disconnect();
    this.#source = null;
    this.#analyser = null;
    byId("level").style.transform = "scaleX(0)";
  }
}

/**
 * A room nobody else is likely to be in, that can be read out over the phone. A room has no other
 * lock than its name: six syllables of 80 are 38 bits.
 */
function suggestRoom() {
  const random = crypto.getRandomValues(new Uint8Array(12));
  const pick = (/** @type {string} */ letters, /** @type {number} */ at) => letters[random[at] % letters.length];
  const syllables = Array.from({ length: 6 }, (_, index) => pick("bdfghjklmnprstvz", 2 * index)
    + pick("aeiou", 2 * index + 1));
  return `${syllables[0]}${syllables[1]}-${syllables[2]}${syllables[3]}-${syllables[4]}${syllables[5]}`;
}
