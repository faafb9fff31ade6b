/**
 * The way into a call from the conference page: by address, by hand, with what was chosen.
 */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { launch } from "./browser.mjs";
import { SMALL, startDaemon } from "./daemon.mjs";
import { until } from "./until.mjs";
import { joining, visit } from "./visitor.mjs";

let daemon;
let browser;

before(async () => {
  daemon = await startDaemon(SMALL);
  browser = await launch();
});

after(async () => {
  await browser?.close();
  assert.equal(await daemon?.stop(), 0, "the daemon ends cleanly");
});

describe("coming in", () => {
  test("an address with join=1 joins by itself and becomes an invitation", async () => {
    const guest = await visit(browser, daemon.url, { path: joining("itself", "Guest") });
    await guest.inCall();

    assert.deepEqual((await guest.tiles()).map(({ name }) => name), ["Guest (you)"]);
    assert.equal(guest.page.url(), `${daemon.url}/?room=itself`);
    assert.equal(await guest.page.title(), "itself · mosaicd");
    assert.ok(await guest.page.locator("#alone").isVisible(), "somebody alone is told how to invite");
    assert.deepEqual(guest.errors, []);
    await guest.close();
  });

  test("the lobby needs no mouse", async () => {
    const ann = await visit(browser, daemon.url);
    const { keyboard } = ann.page;
    const focused = () => ann.page.evaluate(() => document.activeElement.id);
    await until("the name to be asked for", focused, (id) => id === "name");

    await keyboard.type("Mimi Vamm");
    assert.equal(await ann.attribute("#lobby-mute", "aria-pressed"), "false", "an M in a name mutes nobody");
    assert.equal(await ann.attribute("#lobby-camera", "aria-pressed"), "false");
    await keyboard.press("Tab");
    assert.equal(await focused(), "room");
    assert.match(await ann.page.inputValue("#room"), /^[a-z]{4}(-[a-z]{4}){2}$/, "a room is suggested");
    await keyboard.press("ControlOrMeta+A");
    await keyboard.type("by keys");
    assert.equal(await ann.page.inputValue("#room"), "by-keys");
    await keyboard.press("Enter");

    await ann.inCall();
    assert.deepEqual((await ann.tiles()).map(({ name }) => name), ["Mimi Vamm (you)"]);
    await ann.close();
  });

  test("muted and without camera in the lobby is so in the call, and at the next visit", async () => {
    const ann = await visit(browser, daemon.url, { path: "/?room=wishes&name=Ann" });
    await ann.page.click("#lobby-mute");
    await ann.page.click("#lobby-camera");
    await ann.page.click("#join");
    await ann.inCall();

    for (const button of ["#mute", "#camera"]) assert.equal(await ann.attribute(button, "aria-pressed"), "true");
    await until("it to be told", ann.call, ({ participants: [self] }) => self.muted && !self.camera);

    await ann.page.reload();
    assert.ok(await ann.page.locator("#lobby").isVisible(), "nobody is drawn into a call by a reload");
    assert.equal(await ann.page.inputValue("#name"), "Ann");
    assert.equal(await ann.page.inputValue("#room"), "wishes");
    for (const button of ["#lobby-mute", "#lobby-camera"]) {
      assert.equal(await ann.attribute(button, "aria-pressed"), "true");
    }
    await ann.close();
  });

  test("a question for devices that nobody answers keeps nobody out", async () => {
    const ann = await visit(browser, daemon.url);
    await ann.page.addInitScript(() => {
      const devices = navigator.mediaDevices;
      const getUserMedia = devices.getUserMedia.bind(devices);
      devices.getUserMedia = (constraints) => new Promise((resolve) => {
        window.allow = () => resolve(getUserMedia(constraints));
      });
    });
    await ann.page.goto(daemon.url + joining("prompt", "Ann"));
    await ann.inCall();
    for (const button of ["#mute", "#camera"]) assert.equal(await ann.attribute(button, "aria-pressed"), "true");

    await ann.page.evaluate(() => window.allow());

    await until("both to be on", async () => [
      await ann.attribute("#mute", "aria-pressed"), await ann.attribute("#camera", "aria-pressed"),
    ], (pressed) => pressed.join() === "false,false");
    await until("it to be told", ann.call, ({ participants: [self] }) => !self.muted && self.camera);
    await ann.close();
  });

  test("a remembered device that is not plugged in today is no trouble", async () => {
    const ann = await visit(browser, daemon.url);
    await ann.page.evaluate(() => {
      for (const kind of ["audio", "video"]) localStorage.setItem(`mosaicd.device.${kind}`, "0".repeat(64));
    });
    await ann.page.goto(daemon.url + joining("unplugged", "Ann"));
    await ann.inCall();

    await until("microphone and camera", ann.call, ({ participants: [self] }) => !self.muted && self.camera);
    assert.equal(await ann.text("#devices-problem"), "");
    await ann.close();
  });

  test("a name or a room that will not do is said before anything is sent", async () => {
    const ann = await visit(browser, daemon.url, { path: "/?room=a/b&name=Ann" });

    await ann.page.click("#join");

    assert.ok(await ann.page.evaluate(() => document.querySelector("#room").matches(":invalid:focus")));
    assert.equal(await ann.call(), null);
    await ann.close();
  });

  test("a full room says so and lets one try again", async () => {
    const small = await startDaemon([...SMALL, "--max-participants", "1"]);
    const first = await visit(browser, small.url, { path: joining("tiny", "First") });
    await first.inCall();

    const second = await visit(browser, small.url, { path: joining("tiny", "Second") });
    await until("the reason", () => second.text("#lobby-notice"), (text) => text === "This room is full.");
    assert.ok(await second.page.locator("#join").isEnabled());

    await first.page.click("#leave");
    await first.page.locator("#lobby").waitFor();
    await second.page.click("#join");
    await second.inCall();
    await first.close();
    await second.close();
    assert.equal(await small.stop(), 0);
  });
});
