/**
 * How to encode what is sent, from what it is worth to the others and what the uplink has room for.
 *
 * @module mosaic/encoding
 */

/**
 * @typedef {import("../mosaic.js").Uplink} Uplink
 * @typedef {import("./uplink.js").Breadth} Breadth
 */

/** Ratios at which browsers and the mixer scale cheaply. */
const SCALE_STEPS = [4, 3, 2, 1.5, 1];
/** A picture may be this much smaller than its tile before it counts as too small. */
const SCALE_TOLERANCE = 0.95;
/** A picture that is larger than what anybody sees needs more, but no more than this many times. */
const MAX_EXTRA_PIXELS = 2;
/** What a narrow uplink is good for. */
const NARROW_HEIGHT_PX = 180;
const NARROW_FPS = 8;
const NARROW_AUDIO_KBPS = 16;
/** Sound per packet there: headers take 24 kb/s of packets of 20 ms, 8 of these. */
const LONG_PACKET_MS = 60;

/**
 * Null: no picture.
 *
 * @param {Uplink["video"]} worth
 * @param {MediaTrackSettings|undefined} captured
 * @param {Breadth} breadth
 * @returns {{scaleResolutionDownBy: number, maxBitrate: number, maxFramerate: number}|null}
 */
export function videoEncoding(worth, captured, breadth) {
  if (!worth || breadth === "bare") return null;
  const narrows = breadth === "narrow" && worth.height > NARROW_HEIGHT_PX;
  const height = narrows ? NARROW_HEIGHT_PX : worth.height;
  const width = (worth.width * height) / worth.height;
  const maxFramerate = breadth === "narrow" ? Math.min(worth.fps, NARROW_FPS) : worth.fps;
  const size = { width: captured?.width || width, height: captured?.height || height };
  const ratio = Math.min(size.width / width, size.height / height);
  const scale = SCALE_STEPS.find((step) => step * SCALE_TOLERANCE <= ratio) ?? 1;
  const pixels = (size.width * size.height) / (scale * scale);
  const extra = Math.min(MAX_EXTRA_PIXELS, Math.max(1, pixels / (worth.width * worth.height)));
  return { scaleResolutionDownBy: scale, maxBitrate: Math.round(1_000 * worth.kbps * extra), maxFramerate };
}

/**
 * @param {Uplink["audio"]} worth
 * @param {Breadth} breadth
 * @returns {{kbps: number, packetMs: number}}
 */
export function audioEncoding(worth, breadth) {
  if (breadth === "wide") return { kbps: worth.kbps, packetMs: worth.packet_ms };
  return { kbps: Math.min(worth.kbps, NARROW_AUDIO_KBPS), packetMs: LONG_PACKET_MS };
}
