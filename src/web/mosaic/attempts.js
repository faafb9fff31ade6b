/**
 * What is worth another attempt, and how long to wait for it.
 *
 * @module mosaic/attempts
 */

/** @typedef {import("./errors.js").MosaicError} MosaicError */

/** About two minutes of trying, after which the caller should ask the person. */
export const MAX_ATTEMPTS = 15;

const BACKOFF_FIRST_MS = 500;
const BACKOFF_MAX_MS = 10_000;
/** Whatever a server advises, nobody waits longer than this. */
const MAX_RETRY_AFTER_MS = 60_000;

/** Once in, these are worth another attempt; any other would only come again. */
const PASSING_CODES = new Set([
  "unreachable", "timeout", "draining", "gone", "slow", "failed", "room_full", "too_many_rooms",
  "too_many_sessions", "not_joined", "bad_answer", "internal", "rate_limited", "too_many_from_address",
]);

/** Another carrier may have more luck. */
const CARRIER_CODES = new Set(["unreachable", "timeout"]);

/** Whether another attempt may come to something else. @param {MosaicError} error */
export function isPassing({ code }) {
  return PASSING_CODES.has(code);
}

/** Whether the carrier may be at fault, and not what was asked for. @param {MosaicError} error */
export function isOfCarrier({ code }) {
  return CARRIER_CODES.has(code);
}

/** Between half and all of a wait that doubles: many clients must not come back at once. @param {number} attempt */
export function backoffMs(attempt) {
  const wait = Math.min(BACKOFF_MAX_MS, BACKOFF_FIRST_MS * 2 ** attempt);
  return wait * (0.5 + Math.random() / 2);
}

/** As long as that, or as the server advises. @param {number} attempt @param {MosaicError} cause */
export function waitMs(attempt, cause) {
  return Math.max(backoffMs(attempt), Math.min(cause.retryAfterMs ?? 0, MAX_RETRY_AFTER_MS));
}
