/**
 * What goes wrong in the mosaicd client.
 *
 * @module mosaic/errors
 */

/** What the reasons of a `bye` mean for people. @type {Record<string, string>} */
const FAREWELLS = {
  taken: "this seat was taken by another session",
  gone: "the seat was given up after a long absence",
  not_joined: "no room was joined in time",
  slow: "this connection takes messages too slowly",
  draining: "the server is going away",
  failed: "the server could not keep the room running",
  replaced: "you came in from elsewhere",
  removed: "a moderator removed you from the room",
  ended: "the call was ended for everybody",
};

/** What went wrong: `code` is one of PROTOCOL.md's, or of this client's own. */
export class MosaicError extends Error {
  /**
   * Own codes: `unreachable` (no server, or it went away), `timeout` (no reply), `unsupported` (no
   * WebRTC here), `no_media` (packets do not get through), `bad_answer`, `left`, `unexpected`; and the reasons of a
   * `bye`: `taken`, `gone`, `slow`, `not_joined`, `replaced`, `removed`, `ended`, `draining`, `failed`.
   *
   * @param {string} code
   * @param {string} message for people
   * @param {number|null} [retryAfterMs] the server's advice, in milliseconds
   */
  constructor(code, message, retryAfterMs = null) {
    super(message);
    this.name = "MosaicError";
    this.code = code;
    this.retryAfterMs = retryAfterMs;
  }
}

/** @param {any} message the server's `error` */
export function errorFrom(message) {
  return new MosaicError(message.code, message.message, message.retry_after_ms ?? null);
}

/** @param {unknown} error */
export function asMosaicError(error) {
  if (error instanceof MosaicError) return error;
  return new MosaicError("unexpected", error instanceof Error ? error.message : String(error));
}

export function unreachable(message = "the server cannot be reached") {
  return new MosaicError("unreachable", message);
}

/** @param {string} reason of a `bye` */
export function dismissed(reason) {
  return new MosaicError(reason, FAREWELLS[reason] ?? "the server ended the session");
}

export function leftError() {
  return new MosaicError("left", "left while joining");
}

export function noMedia() {
  return new MosaicError("no_media", "sound and picture do not get through");
}
