/**
 * The conference page when something is missing, refused or broken.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { launch } from "./browser.mjs";
import { SMALL, startDaemon } from "./daemon.mjs";
import { browser, daemon } from "./ground.mjs";
import { LOOKS, participate } from "./participant.mjs";
import { startRelay } from "./relay.mjs";
import { until } from "./until.mjs";
import { FRAMES_SHOWN, joining, untilMoving, visit } from "./visitor.mjs";

describe("things that go wrong", () => {
  test("a server that falls silent is said in time, and its return brings the call back", async () => {
    const frozen = await startDaemon(SMALL);
    const first = await participate(browser, frozen.url, { room: "frozen", ...LOOKS[0] });
    const guest = await visit(browser, frozen.url, { path: joining("frozen", "Guest") });
    await guest.inCall();
    const { self } = await guest.call();

    frozen.freeze();
    const said = await until("a word on it", () => guest.text("#alert"));
    assert.match(said, /stopped coming|connection to the server was lost/, "no talk of firewalls in a call that worked");

    frozen.thaw();
    await guest.inCall();
    await guest.untilMoving();
    assert.equal((await guest.call()).self, self, "the seat is the same");
    await until("the other one to be back", async () => (await guest.call()).participants,
      (participants) => participants.map(({ id }) => id).join() === [first.id, self].join());
    await guest.page.locator("#alert").waitFor({ state: "hidden" });
    await guest.close();
    await first.close();
    assert.equal(await frozen.stop(), 0);
  });

  test("a server that goes away is said, and its return brings the call back by itself", async () => {
    const first = await startDaemon(SMALL);
    const guest = await visit(browser, first.url, { path: joining("back", "Guest") });
    await guest.inCall();

    assert.equal(await first.stop(), 0);
    const said = await until("a word on it", () => guest.text("#alert"));
    assert.match(said, /connection to the server was lost.*Reconnecting/);
    assert.ok(await guest.page.locator("#call").isVisible(), "the call stays where it was");

    const second = await startDaemon(SMALL, { port: Number(new URL(first.url).port) });
    await guest.inCall();
    await guest.untilMoving();
    await guest.page.locator("#alert").waitFor({ state: "hidden" });
    await guest.untilNamed("Guest (you)");
    assert.deepEqual(guest.errors, []);
    await guest.close();
    assert.equal(await second.stop(), 0);
  });

  test("a broken line to the server is said, while sound and picture flow on", async () => {
    const relay = await startRelay(daemon.url);
    const guest = await visit(browser, relay.url, { path: joining("relay", "Guest") });
    await guest.inCall();

    relay.cut();
    await until("a word on it", () => guest.text("#alert"), (text) => text.includes("Reconnecting"));
    await guest.untilMoving();
    assert.ok(await guest.page.locator("#alert").isVisible(), "the line is still broken");

    relay.mend();
    await until("a word that it is over", () => guest.text("#toasts"), (text) => text.includes("Connected again"));
    await guest.page.locator("#alert").waitFor({ state: "hidden" });
    assert.equal((await guest.tiles()).length, 1);
    await guest.close();
    await relay.close();
  });

  test("no camera is said, and the call goes on with the microphone", async () => {
    const bare = await launch({ devices: "microphone" });
    const guest = await visit(bare, daemon.url, { path: joining("nocamera", "Guest") });
    await guest.inCall();

    await until("a word on it", () => guest.text("#toasts"), (text) => text.includes("No camera was found."));
    assert.equal(await guest.attribute("#mute", "aria-pressed"), "false");
    assert.equal(await guest.attribute("#camera", "aria-pressed"), "true");
    await until("a placeholder that can be heard", guest.tiles, ([tile]) => tile.hasPlaceholder && !tile.isMuted);
    await bare.close();
  });

  test("refused devices are said in the lobby and in the call, where one listens and watches", async () => {
    const strict = await launch({ devices: "refused" });
    const guest = await visit(strict, daemon.url, { path: "/?room=refused&name=Guest" });
    const allow = guest.page.locator("#allow");

    await allow.click();
    await until("what to do", () => guest.text("#media-problem"), (text) =>
      /may not use your microphone and camera\. Allow it.*You can still listen and watch\./.test(text));
    assert.equal(await allow.textContent(), "Try again");
    await guest.page.click("#join");
    await guest.inCall();

    await until("the same in the call", () => guest.text("#toasts"), (text) => text.includes("may not use"));
    for (const button of ["#mute", "#camera"]) assert.equal(await guest.attribute(button, "aria-pressed"), "true");
    await until("nothing to be promised to the others", guest.call,
      ({ participants: [self] }) => self.muted && !self.camera);
    const talker = await participate(browser, daemon.url, { room: "refused", ...LOOKS[1] });
    await until("the other's tile", guest.tiles, (tiles) => tiles.some(({ name }) => name === "Green"));
    await talker.close();
    await strict.close();
  });
});

describe("where the browser wants a gesture before sound", () => {
  test("one click on the button brings it", async () => {
    const quiet = await launch({ autoplay: "gesture", devices: "refused" });
    const talker = await participate(browser, daemon.url, { room: "gesture", ...LOOKS[2] });
    const context = await quiet.newContext();
    const page = await context.newPage();
    // Playwright's own questions count as gestures. These do not.
    const devtools = await context.newCDPSession(page);
    const ask = async (expression) => {
      const { result } = await devtools.send("Runtime.evaluate", { expression, returnByValue: true });
      return result.value;
    };
    await page.goto(daemon.url + joining("gesture", "Guest"));

    const place = await until("the button", () => ask(`(() => {
      const button = document.querySelector("#hear");
      if (button.hidden) return null;
      const { x, y, width, height } = button.getBoundingClientRect();
      return { x: x + width / 2, y: y + height / 2 };
    })()`));
    assert.equal(await ask("navigator.userActivation.hasBeenActive"), false);
    const state = () => ask(`(({ muted, paused }) => ({ muted, paused }))(document.querySelector("#picture"))`);
    await until("the picture without sound", state, ({ muted, paused }) => muted && !paused);
    await untilMoving(() => ask(FRAMES_SHOWN));

    await page.mouse.click(place.x, place.y);

    await until("sound", state, ({ muted, paused }) => !muted && !paused);
    await untilMoving(() => ask(FRAMES_SHOWN));
    await until("the button to go", () => ask(`document.querySelector("#hear").hidden`));
    await talker.close();
    await quiet.close();
  });
});
