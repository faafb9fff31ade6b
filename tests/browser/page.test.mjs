/**
 * The conference page as people use it: real page, real daemon, fake microphone and camera.
 */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { browser, daemon } from "./ground.mjs";
import { LOOKS, participate } from "./participant.mjs";
import { until } from "./until.mjs";
import { joining, visit } from "./visitor.mjs";

/** Overlays may be off by rounding to device pixels, as parts of the picture. */
const ROUNDING = 0.005;

const CLIPBOARD = ["camera", "microphone", "clipboard-read", "clipboard-write"];

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
      await visitor.atBest();
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

  test("who only watches is listed as that, and not as muted", async () => {
    await bob.page.evaluate(async () => {
      const pc = new RTCPeerConnection();
      window.watching = pc;
      for (const kind of ["audio", "video"]) pc.addTransceiver(kind, { direction: "recvonly" });
      await pc.setLocalDescription();
      const init = { method: "POST", headers: { "content-type": "application/sdp" }, body: pc.localDescription.sdp };
      const response = await fetch("/whep/pair?name=Screen", init);
      window.watched = new URL(response.headers.get("location"), response.url).href;
    });

    const row = ann.page.locator("#people li", { hasText: "Screen" });
    await until("the watcher", () => row.count(), (count) => count === 1);

    assert.equal(await row.locator(".who-note").textContent(), "Only watching");
    assert.doesNotMatch(await row.getAttribute("class") ?? "", /is-muted|no-camera/);
    assert.equal(await row.locator(".for-readers").textContent(), "");
    await bob.page.evaluate(() => fetch(window.watched, { method: "DELETE" }));
    await until("the watcher to go", () => row.count(), (count) => count === 0);
    await bob.page.evaluate(() => window.watching.close());
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
    await until("the reason for that", () => ann.text("#why"), (text) => text === "the best there is");
    assert.equal(await ann.text("#protocol"), "UDP");
    await until("a verdict", () => ann.attribute("#show-link", "data-quality"), (quality) => quality !== "unknown");
    await ann.page.keyboard.press("c");
    assert.ok(await ann.page.locator("#panel-link").isHidden());
  });

  test("the verdict on a connection follows its figures", async () => {
    const good = { loss_down: 0.01, loss_up: null, rtt_ms: 80, jitter_ms: 20 };

    const verdicts = await ann.page.evaluate(async (good) => {
      const { judge } = await import("./link.js");
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

  test("why a picture is no better is said in words", async () => {
    const words = await ann.page.evaluate(async () => {
      const { why } = await import("./link.js");
      return [
        why(null),
        why({ reason: "bandwidth", next: { kbps: 132 } }),
        why({ reason: "starting", next: null }),
      ];
    });

    assert.deepEqual(words, ["–", "more from about 132 kb/s on", "finding out what the link carries"]);
  });

  test("a link that has no room for moving pictures any more is said, once", async () => {
    const said = await ann.page.evaluate(async () => {
      const { report } = await import("./news.js");
      const call = Object.assign(new EventTarget(), { participants: new Map(), roomState: null, quality: null });
      report(call);
      const toasts = document.querySelector("#toasts");
      return ["stills", "moving", "stills", "stills", "paused"].map((video) => {
        toasts.replaceChildren();
        call.quality = { video, reason: "bandwidth" };
        call.dispatchEvent(new CustomEvent("quality"));
        return toasts.textContent;
      });
    });

    const words = [/^$/, /^$/, /a still picture every other second/, /^$/, /too thin for pictures/];
    words.forEach((expected, n) => assert.match(said[n], expected));
  });

  test("a picture is no larger than asked for, and gone when none is wanted", async () => {
    await ann.page.evaluate(() => window.mosaic.call.prefer({ max_height: 240, layout: "grid" }));
    await until("a lower picture", () => ann.page.evaluate(() => document.querySelector("#picture").videoHeight),
      (height) => height === 240);
    await until("everybody alike on it", ann.call, ({ layout: { canvas, tiles: [one, other] } }) =>
      canvas.height === 240 && one.width === other?.width);

    await ann.page.evaluate(() => window.mosaic.call.prefer({ video: false }));
    const quality = () => ann.page.evaluate(() => window.mosaic.call.quality);
    await until("no picture", quality, ({ video, reason }) => video === "paused" && reason === "asked");

    await ann.page.evaluate(() => window.mosaic.call.prefer({}));
    await ann.atBest();
    await until("the picture again", () => ann.page.evaluate(() => document.querySelector("#picture").videoHeight),
      (height) => height === 360);
    await ann.untilMoving();
  });

  test("who speaks wears a ring, on the picture and in the list", async () => {
    const [red] = LOOKS;
    const loud = await participate(browser, daemon.url, { room: "pair", ...red });
    await ann.page.click("#mute");
    await bob.page.click("#mute");

    await until("Red's ring", ann.tiles, (tiles) =>
      tiles.filter(({ isSpeaking }) => isSpeaking).map(({ name }) => name).join() === "Red");
    await bob.page.keyboard.press("p");
    await bob.page.locator("#people li.speaking", { hasText: "Red" }).waitFor();
    await bob.page.keyboard.press("p");

    await loud.ask("setMuted", true);
    await until("no ring while nobody can be heard", ann.tiles, (tiles) => tiles.every(({ isSpeaking }) => !isSpeaking));

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
