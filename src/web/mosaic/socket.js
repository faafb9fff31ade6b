/**
 * The carrier that is a WebSocket.
 *
 * @module mosaic/socket
 */
import { unreachable } from "./errors.js";

/**
 * @typedef {import("./carriers.js").Carrier} Carrier
 * @typedef {import("./carriers.js").CarrierHandlers} CarrierHandlers
 */

const SUBPROTOCOL = "mosaicd.v1";

/** @implements {Carrier} */
export class SocketCarrier {
  #socket;
  hasSpoken = false;

  /** @param {string} url @param {CarrierHandlers} handlers */
  constructor(url, { onOpen, onMessage, onEnd }) {
    this.#socket = new WebSocket(url, SUBPROTOCOL);
    this.#socket.onopen = onOpen;
    this.#socket.onmessage = ({ data }) => {
      this.hasSpoken = true;
      onMessage(String(data));
    };
    this.#socket.onclose = () => {
      this.close();
      onEnd(unreachable("the server is gone"));
    };
    // Usually `close` follows; where a content security policy is in the way, it does not.
    this.#socket.onerror = () => {
      this.close();
      onEnd(unreachable());
    };
  }

  /** @param {string} text */
  send(text) {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(text);
  }

  /** @param {string} text */
  sendLast(text) {
    this.send(text);
  }

  close() {
    this.#socket.onopen = null;
    this.#socket.onmessage = null;
    this.#socket.onclose = null;
    this.#socket.onerror = null;
    this.#socket.close();
  }
}
