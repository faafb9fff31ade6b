/**
 * Three real browsers meet: each gets exactly one audio and one video stream with everybody in it.
 */
import assert from "node:assert/strict";
import { isDeepStrictEqual } from "node:util";
import { after, before, describe, test } from "node:test";

import { launch } from "./browser.mjs";
import { SMALL, startDaemon } from "./daemon.mjs";
import { LOOKS, near, participate } from "./participant.mjs";
import { until } from "./until.mjs";

const ROOM = { room: "demo" };

/** One's own tone must be this much weaker than the weakest of the others, in dB. */
const LEAK_DB = 30;

/** The others' tones may differ by this much: Opus' coding noise among a few tones. */
const TONE_SPREAD_DB = 6;

describe("a conference of three", () => {
  let daemon;
  let browser;
  let everybody;

  before(async () => {
    daemon = await startDaemon([...SMALL, "--seat-seconds", "2"]);
    browser = await launch();
    everybody = [];
    for (const look of LOOKS) {
      everybody.push({ look, ...(await participate(browser, daemon.url, { ...ROOM, ...look })) });
    }
  });

  after(async () => {
    await browser?.close();
    assert.equal(await daemon?.stop(), 0, "the daemon ends cleanly");
  });

  test("everybody sees everybody's tile at its place, oneself included", async () => {
    for (const { ask } of everybody) {
      const expected = everybody.map(({ id, look }) => [id, look.color]);
      await until("all tiles", () => ask("look"), (tiles) =>
        Object.keys(tiles).length === 3 && expected.every(([id, color]) => near(tiles[id], color)));
      await until("their order", async () => (await ask("layout")).tiles.map(({ participant }) => participant), (ids) =>
        isDeepStrictEqual(ids, everybody.map(({ id }) => id)));
    }
  });

  test("everybody hears the others and not oneself", async () => {
    const tones = LOOKS.map(({ tone_hz }) => tone_hz);
    for (const [self, { ask }] of everybody.entries()) {
      await until("the others' tones only", () => ask("hear", tones), (levels) => {
        const others = levels.filter((_, n) => n !== self);
        const [weakest, strongest] = [Math.min(...others), Math.max(...others)];
        return weakest > -60 && strongest - weakest < TONE_SPREAD_DB && levels[self] < weakest - LEAK_DB;
      });
    }
  });

  test("each has exactly one inbound audio and one inbound video stream that keep decoding", async () => {
    for (const { ask } of everybody) {
      const first = await until("the whole canvas", () => ask("inbound"), (streams) =>
        streams.some(({ frameWidth }) => frameWidth === 640));
      assert.deepEqual(first.map(({ kind }) => kind).sort(), ["audio", "video"]);
      const before = Object.fromEntries(first.map((stream) => [stream.kind, stream]));

      await until("ten more frames and half a second more sound", () => ask("inbound"), (now) =>
        now.length === 2 && now.every((stream) =>
          stream.kind === "video"
            ? stream.framesDecoded >= before.video.framesDecoded + 10
            : stream.totalSamplesReceived >= before.audio.totalSamplesReceived + 24_000));
    }
  });

  test("muting silences one and says so, unmuting brings it back", async () => {
    const [red, green] = everybody;
    const [tone] = [red.look.tone_hz];

    await red.ask("setMuted", true);
    await until("red to be silent", () => green.ask("hear", [tone]), ([level]) => level < -80);
    await until("red to be shown as muted", () => green.ask("participants"),
      (participants) => participants.find(({ id }) => id === red.id).muted);

    await red.ask("setMuted", false);
    await until("red to be heard again", () => green.ask("hear", [tone]), ([level]) => level > -60);
  });

  test("a camera that is switched off is a placeholder, not a frozen picture", async () => {
    const [red, green] = everybody;

    await red.ask("setCamera", false);
    await until("red's color to go", () => green.ask("look"), (tiles) => !near(tiles[red.id], red.look.color));

    await red.ask("setCamera", true);
    await until("red's color to come back", () => green.ask("look"), (tiles) => near(tiles[red.id], red.look.color));
  });

  test("who asks for the speaker sees somebody else large, the speaker whoever spoke before", async () => {
    for (const { ask } of everybody) await ask("prefer", { layout: "speaker" });

    for (const { ask, id } of everybody) {
      const [large, ...others] = await until("somebody large", async () => (await ask("layout")).tiles,
        ([large, small]) => small && large.width > small.width && large.participant !== id);
      assert.equal(others.length, everybody.length - 1, "the others are there as well");
      const { look } = everybody.find((one) => one.id === large.participant);
      await until("the picture of it", () => ask("look"), (tiles) => near(tiles[large.participant], look.color));
    }

    for (const { ask } of everybody) await ask("prefer", {});
    for (const { ask } of everybody) {
      await until("everybody alike again", async () => (await ask("layout")).tiles,
        ([one, other]) => one.width === other.width);
    }
  });

  test("a late joiner sees the picture, and a leave removes the tile", async (t) => {
    const late = await participate(browser, daemon.url, { ...ROOM, name: "Late", hurry: true });
    const answered = Date.now();
    await until("the room's picture", () => late.ask("look"), (tiles) =>
      everybody.every(({ id, look }) => near(tiles[id], look.color)));
    t.diagnostic(`the picture was there ${Date.now() - answered} ms after the answer`);
    const [red] = everybody;
    await until("four tiles", () => red.ask("layout"), ({ tiles }) => tiles.length === 4);

    await late.ask("leave");

    await until("three tiles", () => red.ask("layout"), ({ tiles }) => tiles.length === 3);
    await until("red's tile where it was", () => red.ask("look"), (tiles) => near(tiles[red.id], red.look.color));
    await late.close();
  });

  test("somebody who vanishes is marked absent and loses the seat", async (t) => {
    const [red] = everybody;
    const lost = await participate(browser, daemon.url, { ...ROOM, name: "Lost", color: [200, 200, 40], tone_hz: 1100 });
    await until("the fourth tile", () => red.ask("look"), (tiles) => near(tiles[lost.id], [200, 200, 40]));

    // A page that goes without running its handlers: no leave, no close, just silence.
    const devtools = await lost.page.context().newCDPSession(lost.page);
    devtools.send("Page.crash").catch(() => {});
    const vanished = Date.now();

    await until("the lost one to be absent", () => red.ask("participants"),
      (participants) => participants.find(({ id }) => id === lost.id)?.absent);
    t.diagnostic(`marked absent ${Date.now() - vanished} ms after the last sign of life`);
    await until("the last picture to look like one", () => red.ask("look"), (tiles) => !near(tiles[lost.id], [200, 200, 40]));
    await until("the seat to go", () => red.ask("participants"),
      (participants) => !participants.some(({ id }) => id === lost.id));
    await until("three tiles", () => red.ask("layout"), ({ tiles }) => tiles.length === 3);
    await lost.close();
  });

  test("nothing went wrong on any page", () => {
    for (const { errors } of everybody) assert.deepEqual(errors, []);
  });
});
