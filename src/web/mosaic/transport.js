/**
 * One RTCPeerConnection with one audio and one video transceiver, both ways from the start.
 *
 * Holds at most {@link MAX_EARLY_CANDIDATES} candidates that came before the answer.
 *
 * @module mosaic/transport
 */
import { USUAL_PACKET_MS, withAudioNack, withPacketTime } from "./sdp.js";
import { selectedPair } from "./statistics.js";

const MAX_EARLY_CANDIDATES = 64;

export class Transport {
  #audio;
  #video;
  /** Of the server's certificate; null before the first answer. @type {string|null} */
  #fingerprint = null;
  /** @type {RTCIceCandidateInit[]} */ #early = [];
  /** @type {Map<RTCRtpSender, string>} */ #tuned = new Map();
  #packetMs = USUAL_PACKET_MS;

  /**
   * @param {RTCIceServer[]} iceServers
   * @param {number} maxVideoKbps
   * @param {{onCandidate: (candidate: object) => void,
   *   onState: (state: RTCPeerConnectionState) => void}} handlers
   */
  constructor(iceServers, maxVideoKbps, { onCandidate, onState }) {
    this.pc = new RTCPeerConnection({ iceServers, bundlePolicy: "max-bundle" });
    // Both sections whether or not there is a track: a camera can be added without negotiating.
    const streams = [new MediaStream()];
    this.#audio = this.pc.addTransceiver("audio", { direction: "sendrecv", streams });
    this.#video = this.pc.addTransceiver("video", {
      direction: "sendrecv",
      streams,
      sendEncodings: [{ maxBitrate: maxVideoKbps * 1_000 }],
    });
    preferCodec(this.#audio, "audio/opus");
    preferCodec(this.#video, "video/vp8");
    this.pc.onicecandidate = ({ candidate }) => {
      // Some browsers end with an empty candidate and then null, some with null only.
      if (candidate?.candidate === "") return;
      onCandidate(candidate?.toJSON() ?? { candidate: "", sdpMid: this.#audio.mid, sdpMLineIndex: 0 });
    };
    this.pc.onconnectionstatechange = () => onState(this.state());
    this.pc.oniceconnectionstatechange = () => onState(this.state());
  }

  /** @returns {RTCPeerConnectionState} */
  state() {
    const { connectionState, iceConnectionState } = this.pc;
    if (connectionState) return connectionState;
    // Firefox before 113.
    if (iceConnectionState === "completed") return "connected";
    return iceConnectionState === "checking" ? "connecting" : iceConnectionState;
  }

  /** Whether no exchange is under way. */
  get isStable() {
    return this.pc.signalingState === "stable";
  }

  /** How many RTP packets have come. */
  async packetsReceived() {
    let packets = 0;
    (await this.pc.getStats()).forEach((/** @type {any} */ entry) => {
      if (entry.type === "inbound-rtp") packets += entry.packetsReceived ?? 0;
    });
    return packets;
  }

  remoteTracks() {
    return [this.#audio.receiver.track, this.#video.receiver.track];
  }

  /** An offer; after the first answer, one that restarts ICE. */
  async offer() {
    const offer = await this.pc.createOffer({ iceRestart: this.#fingerprint !== null });
    await this.#describe(offer);
    return this.pc.localDescription?.sdp ?? offer.sdp;
  }

  /** @param {RTCSessionDescriptionInit} offer */
  async #describe(offer) {
    try {
      await this.pc.setLocalDescription({ type: "offer", sdp: withAudioNack(offer.sdp ?? "") });
    } catch {
      await this.pc.setLocalDescription(offer);
    }
  }

  /** @param {string} sdp @returns {Promise<boolean>} whether this connection could follow */
  async accept(sdp) {
    const fingerprint = /^a=fingerprint:(.*)$/m.exec(sdp)?.[1].trim().toLowerCase() ?? "";
    if (this.#fingerprint !== null && this.#fingerprint !== fingerprint) return false;
    try {
      await this.pc.setRemoteDescription({ type: "answer", sdp: withPacketTime(sdp, this.#packetMs) });
    } catch {
      return false;
    }
    this.#fingerprint = fingerprint;
    for (const candidate of this.#early.splice(0)) this.addCandidate(candidate);
    return true;
  }

  /** @param {RTCIceCandidateInit} candidate */
  addCandidate(candidate) {
    if (!this.isStable) {
      if (this.#early.length < MAX_EARLY_CANDIDATES) this.#early.push(candidate);
      return;
    }
    // One that cannot be used is no reason to stop: others may be.
    this.pc.addIceCandidate(candidate).catch(() => {});
  }

  /** @param {MediaStreamTrack|null} audio @param {MediaStreamTrack|null} video */
  async send(audio, video) {
    await replaceTrack(this.#audio.sender, audio);
    await replaceTrack(this.#video.sender, video);
  }

  /**
   * @param {object|null} video how to encode the picture; null: not at all
   * @param {number} audioBps the most for sound
   */
  async tune(video, audioBps) {
    // "balanced" held a 640x360 camera at 10 fps and half its size for the first 15 s of a call in
    // Chromium, although the link was free; people mind a slow picture more than a soft one.
    const smooth = { degradationPreference: "maintain-framerate" };
    await this.#encode(this.#video.sender, video ? { active: true, ...video } : { active: false }, smooth);
    const audio = { maxBitrate: audioBps, priority: "high", networkPriority: "high" };
    await this.#encode(this.#audio.sender, audio, {});
  }

  /**
   * Puts more or less sound into a packet. Browsers do as the answer says (RFC 8866 §6.4), so the same
   * answer is taken again with another time in it; the server need not know. `adaptivePtime` would be
   * the way, but Chromium's packets stayed at 20 ms with it.
   *
   * @param {number} packetMs
   */
  async pack(packetMs) {
    if (packetMs === this.#packetMs) return;
    this.#packetMs = packetMs;
    // An answer that comes later, or is to be taken yet, is changed then.
    if (this.#fingerprint === null || !this.isStable) return;
    const answer = this.pc.remoteDescription?.sdp ?? "";
    try {
      await this.#describe(await this.pc.createOffer());
      await this.pc.setRemoteDescription({ type: "answer", sdp: withPacketTime(answer, packetMs) });
    } catch {
      if (!this.isStable) await this.pc.setLocalDescription({ type: "rollback" }).catch(() => {});
    }
  }

  /** @param {RTCRtpSender} sender @param {object} encoding @param {object} preferences */
  async #encode(sender, encoding, preferences) {
    const wanted = JSON.stringify(encoding);
    if (wanted === this.#tuned.get(sender)) return;
    const parameters = sender.getParameters();
    if (!parameters.encodings?.length) return;
    Object.assign(parameters.encodings[0], encoding);
    Object.assign(parameters, preferences);
    try {
      await sender.setParameters(parameters);
      this.#tuned.set(sender, wanted);
    } catch {
      // What the browser chose before goes on; nothing depends on it.
    }
  }

  /** What the browser believes may be sent, in bits per second; null where it does not say. */
  async availableBps() {
    /** @type {any[]} */ const entries = [];
    (await this.pc.getStats()).forEach((/** @type {any} */ entry) => entries.push(entry));
    return selectedPair(entries)?.availableOutgoingBitrate ?? null;
  }

  close() {
    this.pc.onicecandidate = null;
    this.pc.onconnectionstatechange = null;
    this.pc.oniceconnectionstatechange = null;
    this.pc.close();
  }
}

/** @param {RTCRtpTransceiver} transceiver @param {string} mimeType */
function preferCodec(transceiver, mimeType) {
  const codecs = RTCRtpReceiver.getCapabilities?.(transceiver.receiver.track.kind)?.codecs;
  if (!codecs || !transceiver.setCodecPreferences) return;
  const isPreferred = (/** @type {{mimeType: string}} */ codec) => codec.mimeType.toLowerCase() === mimeType;
  try {
    transceiver.setCodecPreferences([
      ...codecs.filter(isPreferred),
      ...codecs.filter((codec) => !isPreferred(codec)),
    ]);
  } catch {
    // The browser's own order offers them too.
  }
}

/** @param {RTCRtpSender} sender @param {MediaStreamTrack|null} track */
async function replaceTrack(sender, track) {
  if (sender.track === track) return;
  try {
    await sender.replaceTrack(track);
  } catch {
    // The connection was closed meanwhile; its successor is given the tracks that are current then.
  }
}
