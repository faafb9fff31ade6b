/**
 * What the link does: a verdict on it at its button, and behind that the figures, and why the picture
 * is no better.
 */

import { byId, notice } from "./say.js";

const STATS_INTERVAL_MS = 1_000;
/** Above these, people begin to notice. */
const FAIR = { loss: 0.02, rttMs: 250, jitterMs: 80 };
const POOR = { loss: 0.08, rttMs: 600, jitterMs: 250 };
/** The first picture of a call counts no frames per second yet: one measurement says nothing. */
const STILL_AFTER = 3;
/** @type {Record<string, string>} */
const VERDICTS = {
  good: "The connection is good.",
  fair: "The connection is fair: short drop-outs are possible.",
  poor: "The connection is poor. Switching your camera off helps.",
  still: "The picture stands still. Wait a moment; switching your camera off may help.",
  stills: "The link is thin: you get a new picture every second or two. Sound comes first.",
  paused: "The link is too thin for pictures. Sound comes first.",
  unknown: "Measuring…",
};

/** Why one's picture is not sent. @type {Record<string, string>} */
const PAUSES = {
  unseen: "paused, nobody sees it",
  thin: "paused, to leave the link to your voice",
};

export class Link {
  /** @type {import("./mosaic.js").Call|null} */ #call = null;
  /** @type {ReturnType<typeof setInterval>|undefined} */ #measuring;
  /** Measurements in a row without a new picture. */
  #stillFor = 0;

  /** @param {import("./mosaic.js").Call} call */
  start(call) {
    this.#call = call;
    this.#stillFor = 0;
    clearInterval(this.#measuring);
    this.#measuring = setInterval(() => this.#measure(), STATS_INTERVAL_MS);
  }

  stop() {
    clearInterval(this.#measuring);
    this.#call = null;
    byId("show-link").dataset.quality = "unknown";
  }

  async #measure() {
    const call = this.#call;
    if (!call) return;
    const stats = await call.stats();
    if (call !== this.#call) return;
    const moves = (call.quality?.video ?? "moving") === "moving";
    this.#stillFor = moves && stats.received?.fps === 0 ? this.#stillFor + 1 : 0;
    const isStill = this.#stillFor >= STILL_AFTER;
    const thin = thinness(call.quality);
    const judged = call.state === "connected" ? judge(stats, isStill) : "unknown";
    const quality = judged === "good" && thin ? "fair" : judged;
    const button = byId("show-link");
    button.dataset.quality = quality;
    button.dataset.label = quality === "unknown" ? "Connection" : `Connection, ${quality}`;
    button.setAttribute("aria-label", button.dataset.label);
    if (byId("panel-link").hidden) return;
    notice("link-verdict", VERDICTS[quality === "poor" && isStill ? "still" : thin ?? quality]);
    showFigures(call, stats);
  }
}

/** @param {import("./mosaic.js").Call} call @param {import("./mosaic.js").CallStats} stats */
function showFigures(call, stats) {
  const figures = {
    why: why(call.quality),
    down: rate(stats.down_kbps),
    up: rate(stats.up_kbps),
    "loss-down": percent(stats.loss_down),
    "loss-up": percent(stats.loss_up),
    rtt: stats.rtt_ms === null ? "–" : `${stats.rtt_ms} ms`,
    jitter: stats.jitter_ms === null ? "–" : `${stats.jitter_ms} ms`,
    received: size(stats.received),
    sent: call.camera ? PAUSES[call.paused ?? ""] ?? size(stats.sent) : "off",
    protocol: stats.protocol?.toUpperCase() ?? "–",
  };
  for (const [id, text] of Object.entries(figures)) byId(id).textContent = text;
}

/**
 * @param {import("./mosaic.js").CallStats} stats
 * @param {boolean} isStill the server always sends pictures: where none comes, the link is at fault
 * @returns {"good"|"fair"|"poor"|"unknown"}
 */
export function judge({ loss_down, loss_up, rtt_ms, jitter_ms }, isStill) {
  if (isStill) return "poor";
  if (loss_down === null || rtt_ms === null) return "unknown";
  const loss = Math.max(loss_down, loss_up ?? 0);
  const exceeds = (/** @type {typeof FAIR} */ limit) =>
    loss > limit.loss || rtt_ms > limit.rttMs || (jitter_ms ?? 0) > limit.jitterMs;
  if (exceeds(POOR)) return "poor";
  return exceeds(FAIR) ? "fair" : "good";
}

/**
 * @param {import("./mosaic.js").Quality|null} quality
 * @returns {"stills"|"paused"|null} what there is of pictures where the link has no room for more
 */
export function thinness(quality) {
  return quality?.reason === "bandwidth" && quality.video !== "moving" ? quality.video : null;
}

/**
 * Why the picture is no better, in words.
 *
 * @param {import("./mosaic.js").Quality|null} quality
 */
export function why(quality) {
  switch (quality?.reason) {
    case "best": return "the best there is";
    case "asked": return "no more was asked for";
    case "starting": return "finding out what the link carries";
    case "bandwidth": return quality.next ? `more from about ${rate(quality.next.kbps)} on` : "all the link carries";
    default: return "–";
  }
}

/** @param {number|null} kbps */
function rate(kbps) {
  return kbps === null ? "–" : `${kbps.toLocaleString()} kb/s`;
}

/** @param {number|null} part */
function percent(part) {
  return part === null ? "–" : `${(100 * part).toLocaleString(undefined, { maximumFractionDigits: 1 })} %`;
}

/** @param {{width: number, height: number, fps: number}|null} picture */
function size(picture) {
  return picture ? `${picture.width} × ${picture.height}, ${picture.fps} fps` : "–";
}
