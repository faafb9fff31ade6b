/**
 * The mosaicd client: joins a room, sends one MediaStream, receives one audio and one video track
 * with everybody in them, and keeps that up over lost sockets and changing networks.
 *
 *     import { join } from "https://mosaic.example/mosaic.js";
 *     const call = await join({ room: "demo", name: "Ann", stream });
 *     video.srcObject = call.stream;
 *
 * No dependency, no build step, nothing of the page: any MediaStream will do, or none. It imports what
 * is in the folder `mosaic` beside it and nothing else, so that it can be imported, or copied with that.
 * The messages are those of PROTOCOL.md. Tracks belong to the caller: they are never stopped here.
 *
 * `mosaic.d.ts` has the options, what a {@link Call} is and does, and what is in its events, each a
 * CustomEvent: `state` {state, previous, error}, `participants` {change, participant, reason}, `speaker`
 * {participant}, `layout` {canvas, tiles, seenAs}, `quality`, `uplink` {video, audio, paused}, `stream`
 * {stream}, `notice` {code, message}, `trouble` {error}, `room`, `chat`, `asked` {to, by}, `waiting`
 * {place}, `knocking` {waiting}.
 *
 * @module mosaic
 */
import { Call } from "./mosaic/call.js";

export { Call };
export { MosaicError } from "./mosaic/errors.js";
export { PROTOCOL_VERSION } from "./mosaic/session.js";

/**
 * Joins a room. Resolves once the server has answered the offer; media follows within moments, and
 * `state` tells when.
 *
 * @param {import("./mosaic.js").CallOptions} options
 * @returns {Promise<Call>}
 * @throws {MosaicError}
 */
export async function join(options) {
  const call = new Call(options);
  await call.join();
  return call;
}
