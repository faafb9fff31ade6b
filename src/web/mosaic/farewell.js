/**
 * Leaving a seat, also where the line to the server is lost at that moment.
 *
 * @module mosaic/farewell
 */
import { backoffMs, isPassing } from "./attempts.js";
import { asMosaicError } from "./errors.js";
import { PROTOCOL_VERSION, Session } from "./session.js";

const LEAVE_TIMEOUT_MS = 1_000;
/** How long a leave that could not be said is tried again: as long as servers usually keep a seat. */
const FAREWELL_MS = 30_000;

/**
 * Says so over a session, which is closed with that, and else by taking the seat back. Resolves when
 * the server knows, or does not answer within a second; what takes longer goes on behind that.
 *
 * @param {Session|null} session
 * @param {import("./carriers.js").CarrierKind} kind to take the seat back over
 * @param {string} url of the WebSocket
 * @param {{room: string, name: string, token: string|null}} seat no token: there is none to take back
 */
export async function sayFarewell(session, kind, url, seat) {
  const isKnown = session !== null && await leave(session);
  if (isKnown || seat.token === null) return;
  await Promise.race([giveSeatUp(kind, url, seat), pause(LEAVE_TIMEOUT_MS)]);
}

/** @param {Session} session @returns {Promise<boolean>} whether the server knows that we left */
async function leave(session) {
  try {
    await session.request("leave", {}, LEAVE_TIMEOUT_MS);
    return true;
  } catch {
    return false;
  } finally {
    session.close();
  }
}

/**
 * Takes a seat back in order to leave it, since that is what a lost session could not say any more.
 *
 * @param {import("./carriers.js").CarrierKind} kind
 * @param {string} url
 * @param {object} seat
 */
async function giveSeatUp(kind, url, seat) {
  const deadline = performance.now() + FAREWELL_MS;
  for (let attempt = 0; performance.now() < deadline; attempt += 1) {
    try {
      const session = await Session.open(kind, url, () => {});
      try {
        // A place among those who wait to be let in has no answer to a join before somebody says so.
        const joining = session.request("join", { version: PROTOCOL_VERSION, ...seat });
        const leaving = session.request("leave", {});
        leaving.catch(() => {});
        await Promise.race([joining, leaving]);
        await leaving;
      } finally {
        session.close();
      }
      return;
    } catch (error) {
      // The seat is gone, or will never be ours: nothing is left to give up.
      if (!isPassing(asMosaicError(error))) return;
    }
    await pause(backoffMs(attempt));
  }
}

/** @param {number} ms */
function pause(ms) {
  return new Promise((resolve) => { setTimeout(resolve, ms); });
}
