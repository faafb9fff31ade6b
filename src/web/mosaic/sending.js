/**
 * What one sends: which tracks, whether they are on, how large and how much of them, and what the
 * others are told of that.
 *
 * Tracks belong to the caller: they are switched, and never stopped.
 *
 * @module mosaic/sending
 */
import { audioEncoding, videoEncoding } from "./encoding.js";
import { UplinkWatch } from "./uplink.js";

/**
 * @typedef {import("../mosaic.js").Participant} Participant
 * @typedef {import("../mosaic.js").Uplink} Uplink
 * @typedef {import("./transport.js").Transport} Transport
 *
 * @typedef {object} Surroundings
 * @property {import("./seat.js").Seat} seat
 * @property {import("./media.js").Media} media
 * @property {() => Participant|undefined} self oneself, as the server has it
 * @property {(type: string, detail: object) => void} emit
 */

export class Sending {
  #around;
  #fitToTile;
  #maxVideoKbps;
  /** @type {MediaStreamTrack|null} */ #audioTrack = null;
  /** @type {MediaStreamTrack|null} */ #videoTrack = null;
  #onTrackEnded = () => this.#say();
  /** @type {UplinkWatch|null} */ #watch = null;
  /** @type {Promise<unknown>} */ #work = Promise.resolve();
  /** What the others were told last. */
  #said = "";
  muted;
  camera;
  handRaised = false;
  /** What is worth sending; null until told. @type {Uplink|null} */ uplink = null;

  /** @param {import("../mosaic.js").CallOptions & {maxVideoKbps: number}} options @param {Surroundings} around */
  constructor({ stream, muted, camera, maxVideoKbps, fitToTile }, around) {
    this.#around = around;
    this.#fitToTile = fitToTile ?? true;
    this.#maxVideoKbps = maxVideoKbps;
    this.muted = muted ?? false;
    this.camera = camera ?? true;
    this.#takeTracks(stream ?? null);
  }

  /**
   * Why one's picture is not sent although the camera is on: nobody sees it, or the uplink is too
   * thin for more than sound. Null if it is sent.
   *
   * @returns {"unseen"|"thin"|null}
   */
  get paused() {
    if (!this.#fitToTile) return null;
    if (this.uplink?.video === null) return "unseen";
    return this.#watch?.breadth === "bare" ? "thin" : null;
  }

  /** @param {boolean} muted */
  setMuted(muted) {
    if (!muted && this.#around.self()?.may_unmute === false) return;
    this.muted = muted;
    if (this.#audioTrack) this.#audioTrack.enabled = !muted;
    this.#say();
  }

  /** @param {boolean} camera */
  async setCamera(camera) {
    if (camera && this.#around.self()?.may_use_camera === false) return;
    this.camera = camera;
    this.#say();
    await this.#apply();
  }

  /** @param {MediaStream|null} stream */
  async setStream(stream) {
    this.#takeTracks(stream);
    this.#say();
    await this.#apply();
  }

  /** @param {boolean} raised */
  setHand(raised) {
    this.handRaised = raised;
    this.#say();
  }

  /** One is in. @param {Participant|undefined} self */
  enter(self) {
    this.handRaised = self?.hand_raised_ms !== undefined;
    if (self) this.obey(self, undefined);
  }

  /**
   * Does what a moderator has done already: nobody hears or sees what is sent, and it stays so until
   * one says otherwise.
   *
   * @param {Participant} self as it is now
   * @param {Participant|undefined} before
   */
  obey(self, before) {
    // Only what is new: this may have been said before the server heard our latest word.
    if (before?.hand_raised_ms !== undefined && self.hand_raised_ms === undefined) this.handRaised = false;
    if (self.muted_by !== undefined && before?.muted_by === undefined) {
      this.muted = true;
      if (this.#audioTrack) this.#audioTrack.enabled = false;
    }
    if (self.camera_off_by !== undefined && before?.camera_off_by === undefined) {
      this.camera = false;
      this.#apply();
    }
    if (this.#said !== "") this.#said = JSON.stringify(this.#status());
  }

  /** What was said may have been lost on the way. */
  sayAgain() {
    this.#said = "";
    this.#say();
  }

  /** Sends over this transport from now on. @param {Transport} transport */
  begin(transport) {
    if (this.#fitToTile) this.#watch = new UplinkWatch(transport, () => this.#follow());
    this.#apply(transport);
  }

  /** The transport is gone. */
  end() {
    this.#watch?.stop();
    this.#watch = null;
  }

  /** The call is over: the tracks are no business of ours any more. */
  close() {
    this.#takeTracks(null);
  }

  /** What is worth sending from now on. @param {Uplink} uplink */
  follow(uplink) {
    this.uplink = uplink;
    this.#follow();
  }

  /** Sends what somebody sees and the uplink carries: it saves the link, the browser and the mixer. */
  tune() {
    if (!this.#fitToTile || !this.uplink) return;
    this.#watch?.expect(this.uplink);
    const breadth = this.#watch?.breadth ?? "wide";
    const video = videoEncoding(this.uplink.video, this.#videoTrack?.getSettings(), breadth);
    const mostBps = Math.min(this.#maxVideoKbps * 1_000, this.#watch?.videoBps ?? Infinity);
    if (video) video.maxBitrate = Math.min(video.maxBitrate, mostBps);
    const { kbps, packetMs } = audioEncoding(this.uplink.audio, breadth);
    const { transport } = this.#around.media;
    this.#work = this.#work.then(() => transport?.tune(video, 1_000 * kbps));
    this.#around.media.pack(packetMs);
  }

  #follow() {
    this.tune();
    this.#around.emit("uplink", { video: null, audio: null, ...this.uplink, paused: this.paused });
  }

  /** @param {MediaStream|null} stream */
  #takeTracks(stream) {
    this.#audioTrack?.removeEventListener("ended", this.#onTrackEnded);
    this.#videoTrack?.removeEventListener("ended", this.#onTrackEnded);
    this.#audioTrack = stream?.getAudioTracks()[0] ?? null;
    this.#videoTrack = stream?.getVideoTracks()[0] ?? null;
    this.#audioTrack?.addEventListener("ended", this.#onTrackEnded);
    this.#videoTrack?.addEventListener("ended", this.#onTrackEnded);
    if (this.#audioTrack) this.#audioTrack.enabled = !this.muted;
  }

  /** Puts what is to be sent on the wire, in the order in which it was asked for. */
  #apply(transport = this.#around.media.transport) {
    this.#work = this.#work.then(async () => {
      await transport?.send(this.#audioTrack, this.camera ? this.#videoTrack : null);
    });
    this.tune();
    return this.#work;
  }

  #status() {
    return {
      type: "status",
      muted: this.muted || this.#audioTrack?.readyState !== "live",
      camera: this.camera && this.#videoTrack?.readyState === "live",
      hand: this.handRaised,
    };
  }

  #say() {
    const { seat } = this.#around;
    const status = this.#status();
    const text = JSON.stringify(status);
    if (!seat.session || text === this.#said) return;
    this.#said = text;
    seat.send(status);
  }
}
