/**
 * Recorded people in a real call: what becomes of their pictures in the tiles.
 */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { isDeepStrictEqual } from "node:util";
import { after, before, describe, test } from "node:test";

import { launch } from "./browser.mjs";
import { SMALL, startDaemon } from "./daemon.mjs";
import { counterPoints, fitted, readCounter } from "./marks.mjs";
import { participate } from "./participant.mjs";
import { until } from "./until.mjs";
import { joining, visit } from "./visitor.mjs";

const ROOM = "people";
const LANDSCAPE = 16 / 9;
const PORTRAIT = 9 / 16;

/** So many frames, with none unreadable between, are no accident: each has six bits that must be right. */
const FRAMES = 5;

/** Outside of a fitted picture there is the dark ground, this dark at most. */
const DARK = 60;

const recording = (name) => readFile(new URL(`../../fixtures/${name}.webm`, import.meta.url), "base64");

describe("a call of recorded people", () => {
  let daemon;
  let browser;
  let red;
  let orange;
  let violet;
  let guest;

  before(async () => {
    daemon = await startDaemon(SMALL);
    browser = await launch();
    const play = async (name, fixture) =>
      participate(browser, daemon.url, { room: ROOM, name, recording: await recording(fixture) });
    red = await play("Ruby", "red");
    orange = await play("Clementine", "orange");
    violet = await play("Violet", "violet");
    guest = await visit(browser, daemon.url, { path: joining(ROOM, "Guest") });
    await guest.inCall();
  });

  after(async () => {
    await browser?.close();
    assert.equal(await daemon?.stop(), 0, "the daemon ends cleanly");
  });

  /** Reads the counter off somebody's tile, as Ruby sees it. */
  async function untilRead(participant, aspect) {
    const read = new Set();
    await until(`frames in the tile of ${participant.id}`, async () => {
      const { tiles } = await red.ask("layout");
      const own = tiles.find((tile) => tile.participant === participant.id);
      if (!own) return 0;
      const points = counterPoints(fitted(own, aspect));
      const number = readCounter(await red.ask("probe", { participant: participant.id, points }));
      if (number === null) read.clear();
      else read.add(number);
      return read.size;
    }, (size) => size >= FRAMES);
  }

  test("a landscape picture fills its tile and moves on", async () => {
    const { tiles } = await until("the grid of four", () => red.ask("layout"),
      ({ canvas, tiles }) => canvas.height === 360 && tiles.length === 4);
    assert.deepEqual(tiles.map(({ width, height }) => [width, height]), Array(4).fill([320, 180]));

    await untilRead(red, LANDSCAPE);
  });

  test("a portrait picture is whole and not stretched, on a dark ground", async () => {
    await untilRead(orange, PORTRAIT);

    const picture = fitted({ width: 320, height: 180 }, PORTRAIT);
    const middle = picture.top + (3 * picture.height) / 8;
    const inside = [0.06, 0.94].map((part) => [picture.left + part * picture.width, middle]);
    // Not at the very edge: whoever speaks has a border there.
    const outside = [[20, 90], [picture.left - 8, 90], [picture.left + picture.width + 8, 90], [300, 90]];
    await until("orange, and a dark ground", () => red.ask("probe", { participant: orange.id, points: [...inside, ...outside] }),
      (colors) => colors?.slice(0, 2).every(([r, g, b]) => r > g && g > b && r > 120)
        && colors.slice(2).every((color) => Math.max(...color) < DARK));
  });

  test("somebody without a camera is a placeholder with a name", async () => {
    // On a small picture, whoever speaks comes first.
    await guest.atBest();
    const expected = [["Ruby", false], ["Clementine", false], ["Violet", true], ["Guest (you)", false]];
    const tiles = await until("everybody's tile, and one placeholder", guest.tiles, (all) =>
      isDeepStrictEqual(all.map(({ name, hasPlaceholder }) => [name, hasPlaceholder]), expected));

    assert.equal(await guest.page.locator(".tile.no-picture .avatar").textContent(), "V");
    assert.equal(tiles[2].isMuted, false, "she can be heard");
  });

  test("whoever talks gets the ring in turn", async () => {
    const rings = new Set();
    await until("two who talk", async () => {
      for (const { name, isSpeaking } of await guest.tiles()) if (isSpeaking) rings.add(name);
      return rings.size;
    }, (size) => size >= 2);
    assert.deepEqual(guest.errors, []);
  });
});
