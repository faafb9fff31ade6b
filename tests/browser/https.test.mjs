/**
 * The page over HTTPS with a certificate of the daemon's own, which a person has accepted.
 */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { launch } from "./browser.mjs";
import { SMALL, startDaemon } from "./daemon.mjs";
import { joining, visit } from "./visitor.mjs";

let daemon;
let browser;

before(async () => {
  daemon = await startDaemon([...SMALL, "--tls", "self-signed"]);
  browser = await launch();
});

after(async () => {
  await browser?.close();
  assert.equal(await daemon?.stop(), 0, "the daemon ends cleanly");
});

test("a call begins as over HTTP, with the page's own origin and a WebSocket in TLS", async () => {
  assert.match(daemon.url, /^https:/);
  assert.match(daemon.log.join("\n"), /fingerprint=([0-9A-F]{2}:){31}[0-9A-F]{2}/);

  const settings = { ignoreHTTPSErrors: true };
  const guest = await visit(browser, daemon.url, { path: joining("tls", "Guest"), settings });
  await guest.inCall();

  await guest.untilNamed("Guest (you)");
  assert.deepEqual(guest.errors, []);
  await guest.close();
});
