/** The client as it is, held against what is declared of it. Compiled, never run. */
import type * as declared from "../../../src/web/mosaic.js";
import { Call } from "../../../src/web/mosaic/call.js";
import { MosaicError } from "../../../src/web/mosaic/errors.js";
import { PROTOCOL_VERSION } from "../../../src/web/mosaic/session.js";

export const call: typeof declared.Call = Call;
export const error: typeof declared.MosaicError = MosaicError;
export const version: typeof declared.PROTOCOL_VERSION = PROTOCOL_VERSION;
