/**
 * A server that asks for tokens, as people at the page and pages of others meet it.
 */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, describe, test } from "node:test";

import { launch } from "./browser.mjs";
import { SMALL, startDaemon } from "./daemon.mjs";
import { inSeconds, makeKeys } from "./tokens.mjs";
import { until } from "./until.mjs";
import { joining, visit } from "./visitor.mjs";

let keys;
let daemon;
let browser;

before(async () => {
  keys = makeKeys();
  daemon = await startDaemon([...SMALL, "--keys", keys.file]);
  browser = await launch();
});

after(async () => {
  await browser?.close();
  keys?.remove();
  assert.equal(await daemon?.stop(), 0, "the daemon ends cleanly");
});

describe("the page", () => {
  const claims = { room: "asked", exp: inSeconds(600) };
  const rows = {
    "without an invitation": [() => null, "This server lets in only who has an invitation. Open the link you were given."],
    "with a forged one": [() => keys.sign(claims, randomBytes(32)), "Your invitation is not valid here. Ask for another."],
    "with nonsense": [() => "nonsense", "Your invitation is not valid here. Ask for another."],
    "with an expired one": [() => keys.sign({ ...claims, exp: inSeconds(-600) }), "Your invitation has expired. Ask for another."],
    "with one for another room": [() => keys.sign({ ...claims, room: "other" }), "Your invitation is for another room."],
  };

  for (const [how, [token, words]] of Object.entries(rows)) {
    test(`${how} says so in words`, async () => {
      const made = token();
      const guest = await visit(browser, daemon.url, { path: joining("asked", "Guest") + (made ? `#auth=${made}` : "") });

      await until("the reason", () => guest.text("#lobby-notice"), (text) => text === words);
      assert.ok(await guest.page.locator("#join").isEnabled(), "one may try again");
      assert.deepEqual(guest.errors, []);
      await guest.close();
    });
  }

  test("with a good one lets in under its name, and the address does not keep it", async () => {
    const token = keys.sign({ ...claims, name: "Dr. Ann" });

    const ann = await visit(browser, daemon.url, { path: `${joining("asked", "Guest")}#auth=${token}` });
    await ann.inCall();

    await ann.untilNamed("Dr. Ann (you)");
    assert.equal(ann.page.url(), `${daemon.url}/?room=asked`);
    assert.deepEqual(ann.errors, []);
    await ann.close();
  });
});

describe("the client", () => {
  test("asks the page that uses it for a token anew at each attempt to join", async () => {
    const guest = await visit(browser, daemon.url);
    const tokens = [keys.sign({ room: "fresh", exp: inSeconds(600) }), keys.sign({ room: "fresh", exp: inSeconds(900) })];

    const asked = await guest.page.evaluate(async ({ url, tokens }) => {
      const { Call } = await import(`${url}/mosaic.js`);
      let asked = 0;
      const call = new Call({ room: "fresh", name: "Guest", auth: async () => tokens[asked++] });
      const reconnected = new Promise((resolve) => {
        let lost = false;
        call.addEventListener("state", ({ detail: { state } }) => {
          if (state === "reconnecting") lost = true;
          if (state === "connected" && lost) resolve();
        });
      });
      const sockets = [];
      const { send } = WebSocket.prototype;
      WebSocket.prototype.send = function (text) {
        if (!sockets.includes(this)) sockets.push(this);
        // A session that is no more cannot be resumed: what is left is to join again.
        send.call(this, text.includes('"resume"') ? text.replace(/"session":"[^"]*"/, '"session":"none"') : text);
      };
      await call.join();
      sockets.at(-1).close();
      await reconnected;
      call.leave();
      return asked;
    }, { url: daemon.url, tokens });

    assert.equal(asked, 2);
    await guest.close();
  });
});
