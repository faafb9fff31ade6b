/**
 * What the browser counts, as rates and shares that say what a link does.
 *
 * @module mosaic/statistics
 */

/** @typedef {import("../mosaic.js").CallStats} CallStats */

/** Rates closer together than this say nothing: the earlier result is given again. */
const STATS_MIN_WINDOW_MS = 250;

/** Turns counters that only grow into rates between two looks at them. */
export class RateWindow {
  /** @type {{at: number, bytesIn: number, bytesOut: number, received: number, lostDown: number,
   *   sent: number, lostUp: number}|null} */
  #before = null;
  /** @type {CallStats|null} */ #last = null;

  /** @param {RTCPeerConnection|null} pc @returns {Promise<CallStats>} */
  async measure(pc) {
    const before = this.#before;
    if (this.#last && before && performance.now() - before.at < STATS_MIN_WINDOW_MS) return this.#last;
    /** @type {any[]} */ const entries = [];
    (await pc?.getStats())?.forEach((/** @type {any} */ entry) => entries.push(entry));
    const of = (/** @type {string} */ type) => entries.filter((entry) => entry.type === type);
    const inbound = of("inbound-rtp");
    const outbound = of("outbound-rtp");
    const reports = of("remote-inbound-rtp");
    const now = {
      at: performance.now(),
      bytesIn: sum(inbound, "bytesReceived") + sum(inbound, "headerBytesReceived"),
      bytesOut: sum(outbound, "bytesSent") + sum(outbound, "headerBytesSent"),
      received: sum(inbound, "packetsReceived"),
      lostDown: sum(inbound, "packetsLost"),
      sent: sum(outbound, "packetsSent"),
      lostUp: sum(reports, "packetsLost"),
    };
    const pair = selectedPair(entries);
    const rtt = pair?.currentRoundTripTime ?? reports.find((report) => report.roundTripTime)?.roundTripTime;
    const local = entries.find((entry) => entry.id === pair?.localCandidateId);
    const seconds = before ? (now.at - before.at) / 1_000 : 0;
    const kbps = (/** @type {number} */ bytes) => Math.round(Math.max(0, bytes) / 125 / seconds);
    const lostDown = Math.max(0, before ? now.lostDown - before.lostDown : 0);
    const lostUp = Math.max(0, before ? now.lostUp - before.lostUp : 0);
    this.#last = {
      down_kbps: before && kbps(now.bytesIn - before.bytesIn),
      up_kbps: before && kbps(now.bytesOut - before.bytesOut),
      loss_down: before && share(lostDown, now.received - before.received + lostDown),
      loss_up: before && reports.length > 0 ? share(lostUp, now.sent - before.sent) : null,
      rtt_ms: rtt === undefined ? null : Math.round(rtt * 1_000),
      jitter_ms: inbound.length > 0
        ? Math.round(Math.max(...inbound.map((entry) => entry.jitter ?? 0)) * 1_000)
        : null,
      protocol: local?.protocol ?? null,
      received: picture(inbound),
      sent: picture(outbound),
    };
    this.#before = now;
    return this.#last;
  }
}

/** @param {any[]} entries of one stats report */
export function selectedPair(entries) {
  const id = entries.find((entry) => entry.type === "transport")?.selectedCandidatePairId;
  return entries.find((entry) => entry.type === "candidate-pair"
    // Firefox has no transport entry, and marks the pair instead.
    && (id ? entry.id === id : entry.selected || (entry.nominated && entry.state === "succeeded")));
}

/** @param {any[]} streams @returns {{width: number, height: number, fps: number}|null} */
function picture(streams) {
  const video = streams.find((entry) => entry.kind === "video" && entry.frameWidth > 0);
  if (!video) return null;
  return {
    width: video.frameWidth,
    height: video.frameHeight,
    fps: Math.round(video.framesPerSecond ?? 0),
  };
}

/** @param {any[]} entries @param {string} field */
function sum(entries, field) {
  return entries.reduce((total, entry) => total + (entry[field] ?? 0), 0);
}

/** @param {number} part @param {number} whole */
function share(part, whole) {
  return whole > 0 ? Math.min(1, part / whole) : 0;
}
