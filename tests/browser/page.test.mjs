/**
 * The conference page as people use it: real page, real daemon, fake microphone and camera.
 */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { launch } from "./browser.mjs";
import { startDaemon } from "./daemon.mjs";
import { LOOKS, participate } from "./participant.mjs";
import { startRelay } from "./relay.mjs";
import { until } from "./until.mjs";
import { joining, visit } from "./visitor.mjs";

const SMALL = ["--size", "640x360", "--fps", "15", "--video-kbps", "400"];

/** Overlays may be off by rounding to device pixels, as parts of the picture. */
const ROUNDING = 0.005;

const CLIPBOARD = ["camera", "microphone", "clipboard-read", "clipboard-write"];

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

describe("a call of two at the page", () => {
  let ann;
  let bob;

  before(async () => {
    ann = await visit(browser, daemon.url, { path: joining("pair", "Ann"), settings: { permissions: CLIPBOARD } });
    bob = await visit(browser, daemon.url, { path: joining("pair", "Bob") });
    await Promise.all([ann.inCall(), bob.inCall()]);
  });

  after(async () => {
    assert.deepEqual([...ann.errors, ...bob.errors], [], "nothing went wrong on the pages");
    await ann.close();
    await bob.close();
  });

  const tileOf = (visitor, name) => async () =>
    (await visitor.tiles()).find((tile) => tile.name.startsWith(name));

  test("each sees both names, at the places of the layout", async () => {
    for (const [visitor, names] of [[ann, ["Ann (you)", "Bob"]], [bob, ["Ann", "Bob (you)"]]]) {
      const tiles = await until("two names", visitor.tiles, ({ length }) => length === 2);
      assert.deepEqual(tiles.map(({ name }) => name), names);
      const { layout: { canvas, tiles: places } } = await visitor.call();
      for (const [n, tile] of tiles.entries()) {
        for (const [side, whole] of [["left", "width"], ["top", "height"], ["width", "width"], ["height", "height"]]) {
          const expected = places[n][side] / canvas[whole];
          assert.ok(Math.abs(tile[side] - expected) < ROUNDING, `${tile.name} ${side}: ${tile[side]}, not ${expected}`);
        }
      }
    }
  });

  test("names stay on the picture when the window gets another shape", async () => {
    const wide = ann.page.viewportSize();
    const before = await ann.tiles();
    for (const viewport of [{ width: 500, height: 900 }, { width: 1100, height: 420 }]) {
      await ann.page.setViewportSize(viewport);
      const after = await ann.tiles();
      for (const [n, tile] of after.entries()) assert.ok(Math.abs(tile.left - before[n].left) < ROUNDING);
      const picture = await ann.page.locator("#picture").boundingBox();
      assert.ok(Math.abs(picture.width / picture.height - 640 / 360) < 0.02, "the picture keeps its shape");
    }
    await ann.page.setViewportSize(wide);
  });

  test("the people panel lists everybody and marks oneself", async () => {
    await ann.page.keyboard.press("p");

    assert.equal(await ann.attribute("#show-people", "aria-expanded"), "true");
    const people = await ann.people();
    assert.equal(people.length, 2);
    assert.match(people[0], /Ann \(you\)/);
    assert.match(people[1], /Bob/);

    await ann.page.keyboard.press("Escape");
    assert.ok(await ann.page.locator("#panel-people").isHidden());
  });

  test("the mute button silences, says so to both, and follows M", async () => {
    const pressed = () => ann.attribute("#mute", "aria-pressed");

    await ann.page.click("#mute");
    assert.equal(await pressed(), "true");
    await until("Bob to see the mark", tileOf(bob, "Ann"), (tile) => tile.isMuted);
    await until("Ann to see the mark", tileOf(ann, "Ann"), (tile) => tile.isMuted);

    await ann.page.keyboard.press("m");
    assert.equal(await pressed(), "false");
    await until("the mark to go", tileOf(bob, "Ann"), (tile) => !tile.isMuted);
  });

  test("the camera button puts a placeholder in the tile, and follows V", async () => {
    await ann.page.keyboard.press("v");
    assert.equal(await ann.attribute("#camera", "aria-pressed"), "true");
    await until("a placeholder at Bob's", tileOf(bob, "Ann"), (tile) => tile.hasPlaceholder);

    await ann.page.click("#camera");
    await until("the camera to be open", () => ann.attribute("#camera", "aria-pressed"), (pressed) => pressed === "false");
    await until("the placeholder to go", tileOf(bob, "Ann"), (tile) => !tile.hasPlaceholder);
  });

  test("letters choose a device where one chooses devices, and mute nobody", async () => {
    await ann.page.keyboard.press("d");
    await ann.page.locator("#dialog-devices #device-audio").focus();
    await ann.page.keyboard.press("m");
    await ann.page.keyboard.press("v");

    assert.equal(await ann.attribute("#mute", "aria-pressed"), "false");
    assert.equal(await ann.attribute("#camera", "aria-pressed"), "false");
    await ann.page.keyboard.press("Escape");
    await until("the dialog to close", () => ann.page.locator("#dialog-devices").isHidden());
  });

  test("the invitation is copied, and shown where copying is refused", async () => {
    const invitation = `${daemon.url}/?room=pair`;

    await ann.page.keyboard.press("i");
    await until("the link on the clipboard", () => ann.page.evaluate(() => navigator.clipboard.readText()),
      (text) => text === invitation);
    await until("a word on it", () => ann.text("#toasts"), (text) => text.includes("Invitation link copied"));

    await ann.page.evaluate(() => {
      navigator.clipboard.writeText = () => Promise.reject(new DOMException("no", "NotAllowedError"));
    });
    await ann.page.keyboard.press("i");
    const field = ann.page.locator("#invitation-link");
    await field.waitFor();
    assert.equal(await field.inputValue(), invitation);
    assert.equal(await ann.page.evaluate(() => String(getSelection())), invitation, "it is selected, ready to be copied");
    await ann.page.keyboard.press("m");
    assert.equal(await ann.attribute("#mute", "aria-pressed"), "false", "the field has the keyboard now");
    await ann.page.click("#panel-people [data-close-panel]");
  });

  test("the connection panel shows what the link does", async () => {
    await ann.page.click("#show-link");

    const figure = async (id) => Number.parseFloat((await ann.text(`#${id}`)).replaceAll(",", ""));
    for (const id of ["down", "up"]) {
      assert.match(await until(`a rate ${id}`, () => ann.text(`#${id}`), (text) => /\d+ kb\/s/.test(text)), /kb\/s/);
      await until(`${id} to be plausible`, () => figure(id), (kbps) => kbps > 20 && kbps < 3_000);
    }
    await until("no loss on the way here", () => ann.text("#loss-down"), (text) => /^\d+(\.\d)? %$/.test(text));
    await until("a share lost on the way out", () => ann.text("#loss-up"), (text) => /^\d+(\.\d)? %$/.test(text));
    await until("a round trip", () => ann.text("#rtt"), (text) => /^\d+ ms$/.test(text));
    await until("the size of the picture", () => ann.text("#received"), (text) => text.startsWith("640 × 360"));
    assert.equal(await ann.text("#protocol"), "UDP");
    await until("a verdict", () => ann.attribute("#show-link", "data-quality"), (quality) => quality !== "unknown");
    await ann.page.keyboard.press("c");
    assert.ok(await ann.page.locator("#panel-link").isHidden());
  });

  test("the verdict on a connection follows its figures", async () => {
    const good = { loss_down: 0.01, loss_up: null, rtt_ms: 80, jitter_ms: 20 };

    const verdicts = await ann.page.evaluate(async (good) => {
      const { judge } = await import("./panels.js");
      return [
        judge(good, false),
        judge({ ...good, loss_up: 0.05 }, false),
        judge({ ...good, jitter_ms: 150 }, false),
        judge({ ...good, rtt_ms: 700 }, false),
        judge({ ...good, rtt_ms: null }, false),
        judge(good, true),
      ];
    }, good);

    assert.deepEqual(verdicts, ["good", "fair", "fair", "poor", "unknown", "poor"]);
  });

  test("who speaks wears a ring, on the picture and in the list", async () => {
    const [red] = LOOKS;
    const loud = await participate(browser, daemon.url, { room: "pair", ...red });
    await ann.page.click("#mute");
    await bob.page.click("#mute");

    await until("Red's ring", ann.tiles, (tiles) =>
      tiles.filter(({ isSpeaking }) => isSpeaking).map(({ name }) => name).join() === "Red");
    await bob.page.keyboard.press("p");
    assert.ok(await bob.page.locator("#people li.speaking", { hasText: "Red" }).isVisible());
    await bob.page.keyboard.press("p");

    await loud.ask("leave");
    await until("no ring", ann.tiles, (tiles) => tiles.length === 2 && tiles.every(({ isSpeaking }) => !isSpeaking));
    await until("a word on it", () => ann.text("#toasts"), (text) => text.includes("Red left"));
    await loud.close();
  });

  test("another microphone is taken up when it is chosen", async () => {
    await bob.page.keyboard.press("d");
    const choice = bob.page.locator("#dialog-devices #device-audio");
    const labels = await choice.locator("option").allTextContents();
    assert.ok(labels.length > 1, "the fake devices are several");
    await choice.selectOption({ index: labels.length - 1 });

    // The choice shows what is in use, not what was wished for.
    await until("it to be in use", async () => [
      await bob.page.evaluate(() => localStorage.getItem("mosaicd.device.audio")), await choice.inputValue(),
    ], ([wished, used]) => wished !== null && wished === used);
    assert.equal(await choice.evaluate(({ selectedIndex }) => selectedIndex), labels.length - 1);
    await bob.page.keyboard.press("Escape");
    assert.equal((await bob.call()).state, "connected");
  });

  test("a name is text, whatever it looks like", async () => {
    const name = `<img src=x onerror="alert(1)"> & "Co"`;
    const odd = await participate(browser, daemon.url, { room: "pair", name });

    await until("the name as it is", ann.tiles, (tiles) => tiles.some((tile) => tile.name === name));
    assert.equal(await ann.page.locator("#call img").count(), 0);
    await odd.ask("leave");
    await until("the tile to go", ann.tiles, ({ length }) => length === 2);
    await odd.close();
  });

  test("two tabs of one person are two participants", async () => {
    const twin = await visit(browser, daemon.url, { path: joining("pair", "Ann"), context: ann.context });
    await twin.inCall();

    const [one, other] = [await ann.call(), await twin.call()];
    assert.notEqual(one.self, other.self);
    await until("three tiles", ann.tiles, ({ length }) => length === 3);

    await twin.page.close();
    await until("the second tab's seat to go at once", ann.tiles, ({ length }) => length === 2);
    assert.equal((await ann.call()).state, "connected");
  });

  test("leaving goes back to the lobby, with the camera off, and one may join again", async () => {
    await bob.page.keyboard.press("l");
    assert.equal((await bob.call()).state, "connected", "one slip of a finger ends no call");

    await bob.page.keyboard.press("Shift+L");
    await bob.page.locator("#lobby").waitFor();
    assert.equal(await bob.text("#lobby-notice"), "You left the call.");
    assert.equal(await bob.page.evaluate(() => document.activeElement.id), "join");
    assert.equal(await bob.page.evaluate(() => document.querySelector("#preview").srcObject), null);
    assert.equal(await bob.page.inputValue("#room"), "pair");
    await until("Ann to be alone", ann.tiles, ({ length }) => length === 1);

    await bob.page.keyboard.press("Enter");
    await bob.inCall();
    await until("Ann to see Bob again", ann.tiles, ({ length }) => length === 2);
  });
});

describe("things that go wrong", () => {
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
    const seconds = await guest.pictureSeconds();
    await until("a moving picture", guest.pictureSeconds, (now) => now > seconds);
    assert.ok(await guest.page.locator("#alert").isHidden());
    assert.deepEqual((await guest.tiles()).map(({ name }) => name), ["Guest (you)"]);
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
    const seconds = await guest.pictureSeconds();
    await until("the picture to go on", guest.pictureSeconds, (now) => now > seconds + 0.3);

    relay.mend();
    await until("a word that it is over", () => guest.text("#toasts"), (text) => text.includes("Connected again"));
    assert.ok(await guest.page.locator("#alert").isHidden());
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
    const state = () => ask(`(({ muted, paused, currentTime }) =>
      ({ muted, paused, currentTime }))(document.querySelector("#picture"))`);
    const silent = await state();
    assert.equal(silent.muted, true);
    await until("the picture to move without sound", state, ({ currentTime }) => currentTime > silent.currentTime);

    await page.mouse.click(place.x, place.y);

    await until("sound", state, ({ muted, paused }) => !muted && !paused);
    const heard = await state();
    await until("the picture to go on", state, ({ currentTime }) => currentTime > heard.currentTime);
    assert.equal(await ask(`document.querySelector("#hear").hidden`), true);
    await talker.close();
    await quiet.close();
  });
});
