/**
 * What opens beside the picture: who is here, and what the link does. One panel at a time.
 */

import { byId, hueOf, initials, notice } from "./say.js";
import { stateWords } from "./stage.js";

const STATS_INTERVAL_MS = 1_000;
/** Above these, people begin to notice. */
const FAIR = { loss: 0.02, rttMs: 250 };
const POOR = { loss: 0.08, rttMs: 600 };
/** @type {Record<string, string>} */
const VERDICTS = {
  good: "The connection is good.",
  fair: "The connection is fair: short drop-outs are possible.",
  poor: "The connection is poor. Switching your camera off helps.",
  unknown: "Measuring…",
};

const PANELS = ["people", "link"];

export class Panels {
  /** @type {import("./mosaic.js").Call|null} */ #call = null;
  /** @type {ReturnType<typeof setInterval>|undefined} */ #measuring;
  /** @type {Map<string, HTMLElement>} */ #rows = new Map();

  constructor() {
    for (const name of PANELS) {
      byId(`show-${name}`).addEventListener("click", () => this.toggle(name));
      byId(`panel-${name}`).querySelector("[data-close-panel]").addEventListener("click", () => {
        this.close();
        byId(`show-${name}`).focus();
      });
    }
  }

  /** @param {import("./mosaic.js").Call} call */
  start(call) {
    this.#call = call;
    clearInterval(this.#measuring);
    this.#measuring = setInterval(() => this.#measure(), STATS_INTERVAL_MS);
  }

  stop() {
    clearInterval(this.#measuring);
    this.#call = null;
    this.#rows.clear();
    byId("people").replaceChildren();
    byId("show-link").dataset.quality = "unknown";
    this.close();
  }

  /** @param {string} name */
  toggle(name) {
    const opens = byId(`panel-${name}`).hidden;
    this.close();
    if (!opens) return;
    byId(`panel-${name}`).hidden = false;
    byId(`show-${name}`).setAttribute("aria-expanded", "true");
  }

  /** @returns {boolean} whether one was open */
  close() {
    const wasOpen = PANELS.some((name) => !byId(`panel-${name}`).hidden);
    for (const name of PANELS) {
      byId(`panel-${name}`).hidden = true;
      byId(`show-${name}`).setAttribute("aria-expanded", "false");
    }
    return wasOpen;
  }

  /** Redraws who is here. @param {import("./mosaic.js").Call} call */
  showPeople({ participants, self, speaker }) {
    byId("count").textContent = String(participants.size);
    byId("show-people").setAttribute("aria-label", `People, ${participants.size} here`);
    byId("people-title").textContent = `People (${participants.size})`;
    for (const [id, row] of this.#rows) {
      if (participants.has(id)) continue;
      row.remove();
      this.#rows.delete(id);
    }
    for (const participant of participants.values()) {
      const { id, name, muted, camera, absent } = participant;
      const row = this.#row(id);
      row.classList.toggle("speaking", id === speaker);
      row.classList.toggle("absent", absent);
      row.classList.toggle("is-muted", muted);
      row.classList.toggle("no-camera", !camera);
      const [avatar, text, words] = /** @type {any} */ (row.children);
      avatar.textContent = initials(name);
      avatar.style.setProperty("--hue", String(hueOf(name)));
      text.textContent = `${name}${id === self ? " (you)" : ""}${absent ? " – connection lost" : ""}`;
      words.textContent = stateWords(participant, id === speaker);
    }
  }

  /** @param {string} id */
  #row(id) {
    let row = this.#rows.get(id);
    if (!row) {
      row = document.createElement("li");
      row.innerHTML = '<span class="avatar" aria-hidden="true"></span><span class="who"></span>'
        + '<span class="for-readers"></span>'
        + '<svg class="muted-mark" aria-hidden="true"><use href="icons.svg#mic-off"/></svg>'
        + '<svg class="camera-mark" aria-hidden="true"><use href="icons.svg#camera-off"/></svg>';
      this.#rows.set(id, row);
      byId("people").append(row);
    }
    return row;
  }

  async #measure() {
    const call = this.#call;
    if (!call) return;
    const stats = await call.stats();
    if (call !== this.#call) return;
    const quality = call.state === "connected" ? judge(stats) : "unknown";
    byId("show-link").dataset.quality = quality;
    byId("show-link").setAttribute("aria-label", quality === "unknown" ? "Connection" : `Connection, ${quality}`);
    if (byId("panel-link").hidden) return;
    notice("link-verdict", VERDICTS[quality]);
    const figures = {
      down: rate(stats.down_kbps),
      up: rate(stats.up_kbps),
      "loss-down": percent(stats.loss_down),
      "loss-up": percent(stats.loss_up),
      rtt: stats.rtt_ms === null ? "–" : `${stats.rtt_ms} ms`,
      jitter: stats.jitter_ms === null ? "–" : `${stats.jitter_ms} ms`,
      received: size(stats.received),
      sent: call.camera ? size(stats.sent) : "off",
      protocol: stats.protocol?.toUpperCase() ?? "–",
    };
    for (const [id, text] of Object.entries(figures)) byId(id).textContent = text;
  }
}

/** @param {import("./mosaic.js").CallStats} stats @returns {"good"|"fair"|"poor"|"unknown"} */
function judge({ loss_down, loss_up, rtt_ms }) {
  if (loss_down === null || rtt_ms === null) return "unknown";
  const loss = Math.max(loss_down, loss_up ?? 0);
  if (loss > POOR.loss || rtt_ms > POOR.rttMs) return "poor";
  return loss > FAIR.loss || rtt_ms > FAIR.rttMs ? "fair" : "good";
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
