/**
 * Three ways to carry a session, all alike to whoever uses them: a WebSocket, server-sent events
 * with requests beside them, and polls. The last two are for proxies that break the first.
 *
 * A carrier takes text that is one message, and gives text that is one message. It ends once, with
 * why; what happens then is the session's business.
 *
 * @module mosaic/carriers
 */
import { RequestCarrier } from "./requests.js";
import { SocketCarrier } from "./socket.js";

/** @typedef {import("./errors.js").MosaicError} MosaicError */

/**
 * @typedef {"ws"|"sse"|"poll"} CarrierKind
 *
 * @typedef {object} CarrierHandlers
 * @property {() => void} onOpen something may be sent
 * @property {(text: string) => void} onMessage
 * @property {(cause: MosaicError) => void} onEnd at most once, and not after `close`
 *
 * @typedef {object} Carrier
 * @property {boolean} hasSpoken whether anything came over it unasked
 * @property {(text: string) => void} send dropped where the carrier has ended
 * @property {(text: string) => void} sendLast also where the page goes away in the same moment
 * @property {() => void} close
 */

/**
 * @param {CarrierKind} kind
 * @param {string} url of the WebSocket; the others are beside it
 * @param {CarrierHandlers} handlers
 * @returns {Carrier}
 */
export function openCarrier(kind, url, handlers) {
  if (kind === "ws") return new SocketCarrier(url, handlers);
  return new RequestCarrier(url, handlers, kind);
}
