/**
 * What most tests stand on: a daemon for small rooms and a browser, from before a file's own tests and
 * hooks until after the last of them. To import them is to have them started.
 */
import assert from "node:assert/strict";
import { after } from "node:test";

import { launch } from "./browser.mjs";
import { SMALL, startDaemon } from "./daemon.mjs";

// Not in a `before`: those of a file and of what it imports begin together.
export const daemon = await startDaemon(SMALL);
export const browser = await launch();

after(async () => {
  await browser.close();
  assert.equal(await daemon.stop(), 0, "the daemon ends cleanly");
});
