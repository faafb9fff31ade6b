/**
 * The client in other people's pages, with less than a camera and a microphone, and over lines that
 * break.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import { isDeepStrictEqual } from "node:util";
import { after, before, describe, test } from "node:test";

import { SMALL, startDaemon } from "./daemon.mjs";
import { browser, daemon } from "./ground.mjs";
import { LOOKS, near, participate, seatOf, untilDecoding } from "./participant.mjs";
import { startRelay } from "./relay.mjs";
import { until } from "./until.mjs";

const [RED, GREEN, BLUE] = LOOKS;

/** Below this there is no tone, in dB; a tone of ours is some -20. */
const SILENCE_DB = -80;
const HEARD_DB = -60;

describe("a call whose WebSocket breaks", () => {
  let relay;
  let red;
  let green;

  before(async () => {
    relay = await startRelay(daemon.url);
    red = await participate(browser, relay.url, { room: "resume", ...RED });
    green = await participate(browser, daemon.url, { room: "resume", ...GREEN });
    await until("both tiles", () => green.ask("look"), (tiles) =>
      near(tiles[red.id], RED.color) && near(tiles[green.id], GREEN.color));
    await until("red to be connected", () => red.ask("state"), (state) => state === "connected");
  });

  after(async () => {
    assert.deepEqual([...red.errors, ...green.errors], [], "nothing went wrong on the pages");
    await red.close();
    await green.close();
    await relay.close();
  });

  test("sound and picture flow on, both ways, and the seat is kept", async () => {
    relay.cut();

    await until("red to notice", () => red.ask("state"), (state) => state === "reconnecting");
    assert.equal(await red.ask("error"), "unreachable");
    for (const one of [red, green]) await untilDecoding(one);
    await until("green's tone", () => red.ask("hear", [GREEN.tone_hz]), ([level]) => level > HEARD_DB);
    await until("red's tone", () => green.ask("hear", [RED.tone_hz]), ([level]) => level > HEARD_DB);
    await until("red's picture", () => green.ask("look"), (tiles) => near(tiles[red.id], RED.color));
    assert.equal((await seatOf(green, red)()).absent, false, "who is seen and heard is not gone");
    assert.equal(await red.ask("state"), "reconnecting");
    await until("one connected transport", () => red.ask("transports"), (states) => states.join() === "connected");
  });

  test("once it is back, the session goes on: seat, tile and transport are the same, and nothing was offered", async () => {
    const iceUser = await red.ask("iceUser");
    const offers = await red.ask("offers");
    const { tiles } = await green.ask("layout");

    relay.mend();

    await until("red to be connected again", () => red.ask("state"), (state) => state === "connected");
    assert.deepEqual((await red.ask("participants")).map(({ id }) => id), [red.id, green.id]);
    await until("everybody to be where they were", async () => (await green.ask("layout")).tiles, (now) =>
      isDeepStrictEqual(now, tiles));
    await until("red's picture at its place", () => green.ask("look"), (now) => near(now[red.id], RED.color));
    await until("red's tone", () => green.ask("hear", [RED.tone_hz]), ([level]) => level > HEARD_DB);
    await untilDecoding(red);
    await until("one connected transport", () => red.ask("transports"), (states) => states.join() === "connected");
    assert.equal(await red.ask("iceUser"), iceUser, "ICE was not restarted");
    assert.equal(await red.ask("offers"), offers);
    assert.equal(await red.ask("carrier"), "ws");
    assert.deepEqual(await red.ask("states"), ["connected", "reconnecting", "connected"]);
  });

  test("what was said while it was broken is said when it is back", async () => {
    relay.cut();
    await until("red to notice", () => red.ask("state"), (state) => state === "reconnecting");
    await red.ask("setMuted", true);
    relay.mend();

    await until("green to know", seatOf(green, red), ({ muted }) => muted);
    await until("silence", () => green.ask("hear", [RED.tone_hz]), ([level]) => level < SILENCE_DB);
    await red.ask("setMuted", false);
    await until("red's tone", () => green.ask("hear", [RED.tone_hz]), ([level]) => level > HEARD_DB);
  });

  test("nothing is said on a new connection before the session goes on", async () => {
    relay.cut();
    await until("red to notice", () => red.ask("state"), (state) => state === "reconnecting");
    await red.page.evaluate(() => {
      const { send } = WebSocket.prototype;
      WebSocket.prototype.send = function (text) {
        send.call(this, text);
        if (JSON.parse(text).type === "resume") window.senses.setMuted(true);
      };
    });
    relay.mend();

    await until("green to know", seatOf(green, red), ({ muted }) => muted);
    await until("red to be connected", () => red.ask("state"), (state) => state === "connected");
    assert.deepEqual(daemon.log.filter((line) => line.includes("NotJoined")), []);
    await red.ask("setMuted", false);
  });

  test("a second page with the token takes the seat, and the first one stops", async () => {
    const token = await red.ask("token");

    const again = await participate(browser, daemon.url, { room: "resume", ...RED, color: BLUE.color, token });

    assert.equal(again.id, red.id);
    await until("the first page to stop", () => red.ask("state"), (state) => state === "failed");
    assert.equal(await red.ask("error"), "taken");
    await until("the new picture in the old tile", () => green.ask("look"), (tiles) => near(tiles[red.id], BLUE.color));
    await until("two tiles", () => green.ask("layout"), ({ tiles }) => tiles.length === 2);
    await again.ask("leave");
    await again.close();
  });
});

describe("a call that is left", () => {
  for (const [when, mendsFirst] of [["while its WebSocket is broken", false], ["when it is just back", true]]) {
    test(`${when} leaves no seat behind`, async () => {
      const room = mendsFirst ? "left-after" : "left-before";
      const relay = await startRelay(daemon.url);
      const green = await participate(browser, daemon.url, { room, ...GREEN });
      const red = await participate(browser, relay.url, { room, ...RED });
      await until("red's seat", seatOf(green, red), Boolean);
      relay.cut();
      await until("red to notice", () => red.ask("state"), (state) => state === "reconnecting");
      if (mendsFirst) relay.mend();

      const left = red.ask("leave");
      relay.mend();
      await left;

      await until("the seat to go", seatOf(green, red), (seat) => seat === undefined);
      // What the daemon logs comes another way than what it tells green.
      const farewells = await until("a farewell in the log", () =>
        daemon.log.filter((line) => line.includes(room) && line.includes("reason=")), ({ length }) => length > 0);
      assert.equal(farewells.length, 1);
      assert.match(farewells[0], /reason=Left/);
      assert.deepEqual([...red.errors, ...green.errors], []);
      await red.close();
      await green.close();
      await relay.close();
    });
  }
});

describe("the client in a page of somebody else's", () => {
  let elsewhere;
  let page;
  let welcoming;

  before(async () => {
    elsewhere = http.createServer((_, response) => {
      response.setHeader("content-type", "text/html");
      response.end("<!doctype html><title>elsewhere</title>");
    });
    elsewhere.listen(0, "127.0.0.1");
    await once(elsewhere, "listening");
    page = `http://127.0.0.1:${elsewhere.address().port}/`;
    welcoming = await startDaemon([...SMALL, "--origin", page.slice(0, -1)]);
  });

  after(async () => {
    elsewhere?.close();
    assert.equal(await welcoming?.stop(), 0, "the daemon ends cleanly");
  });

  test("is refused where that page is not expected", async () => {
    await assert.rejects(
      participate(browser, daemon.url, { room: "foreign", name: "Guest" }, { page }),
      /the server (is gone|cannot be reached)/,
    );
  });

  test("listens and watches with nothing to send", async () => {
    const red = await participate(browser, welcoming.url, { room: "foreign", ...RED });

    const guest = await participate(browser, welcoming.url, { room: "foreign", name: "Guest" }, { page });

    await until("red's picture", () => guest.ask("look"), (tiles) => near(tiles[red.id], RED.color));
    await until("red's tone", () => guest.ask("hear", [RED.tone_hz]), ([level]) => level > HEARD_DB);
    const kinds = (await guest.ask("inbound")).map(({ kind }) => kind).sort();
    assert.deepEqual(kinds, ["audio", "video"]);
    const { muted, camera } = await seatOf(red, guest)();
    assert.deepEqual([muted, camera], [true, false]);
    assert.deepEqual(guest.errors, []);
    await guest.close();
    await red.close();
  });
});

describe("participants with only one kind of media", () => {
  test("audio alone is heard, video alone is seen, and each gets both", async () => {
    const voice = await participate(browser, daemon.url, { room: "halves", name: "Voice", tone_hz: GREEN.tone_hz });
    const face = await participate(browser, daemon.url, { room: "halves", name: "Face", color: BLUE.color });

    await until("the voice", () => face.ask("hear", [GREEN.tone_hz]), ([level]) => level > HEARD_DB);
    await until("the face", () => voice.ask("look"), (tiles) => near(tiles[face.id], BLUE.color));
    for (const one of [voice, face]) {
      const kinds = await until("both streams", async () => (await one.ask("inbound")).map(({ kind }) => kind).sort(),
        ({ length }) => length === 2);
      assert.deepEqual(kinds, ["audio", "video"]);
    }
    const { camera, muted } = await seatOf(face, voice)();
    assert.deepEqual([camera, muted], [false, false]);
    assert.equal((await seatOf(voice, face)()).muted, true);
    await voice.close();
    await face.close();
  });

  test("a camera can be added and taken away without another offer", async () => {
    const late = await participate(browser, daemon.url, { room: "later", name: "Late", tone_hz: RED.tone_hz });
    const green = await participate(browser, daemon.url, { room: "later", ...GREEN });
    await until("the voice", () => green.ask("hear", [RED.tone_hz]), ([level]) => level > HEARD_DB);
    assert.equal((await seatOf(green, late)()).camera, false);

    await late.ask("setStream", RED);
    await until("the picture", () => green.ask("look"), (tiles) => near(tiles[late.id], RED.color));
    await until("the camera to be told", seatOf(green, late), ({ camera }) => camera);

    await late.ask("setStream", { color: BLUE.color, tone_hz: BLUE.tone_hz });
    await until("the other picture", () => green.ask("look"), (tiles) => near(tiles[late.id], BLUE.color));
    await until("the other tone", () => green.ask("hear", [BLUE.tone_hz, RED.tone_hz]),
      ([now, before]) => now > HEARD_DB && before < SILENCE_DB);

    await late.ask("setStream", {});
    await until("a placeholder", () => green.ask("look"), (tiles) => !near(tiles[late.id], BLUE.color));
    await until("both to be told", seatOf(green, late), ({ camera, muted }) => !camera && muted);
    assert.equal(await late.ask("offers"), 1);
    await late.close();
    await green.close();
  });
});
