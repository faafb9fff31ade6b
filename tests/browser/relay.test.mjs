/**
 * A call over a network that dies and moves: everything goes through a relay, and the client mends
 * what breaks without anybody leaving.
 */
import assert from "node:assert/strict";
import { isDeepStrictEqual } from "node:util";
import { after, afterEach, before, describe, test } from "node:test";

import { launch } from "./browser.mjs";
import { SMALL, boundAddress, startDaemon } from "./daemon.mjs";
import { LOOKS, near, participate } from "./participant.mjs";
import { startUdpRelay } from "./udp-relay.mjs";
import { until } from "./until.mjs";

const [RED, GREEN] = LOOKS;

/** Long enough for the client to notice, short enough for the server to wait. */
const OUTAGE_MS = 3_000;

/** Sound comes at 50 packets a second, and pictures on top. */
const SECOND_OF_PACKETS = 50;

describe("a call through a relay", () => {
  let relay;
  let daemon;
  let browser;
  let red;
  let green;

  before(async () => {
    relay = await startUdpRelay();
    daemon = await startDaemon([...SMALL, "--announce", relay.address]);
    await relay.tell(`target ${boundAddress(daemon.log)}`);
    browser = await launch();
    red = await participate(browser, daemon.url, { room: "relay", withhold: true, ...RED });
    green = await participate(browser, daemon.url, { room: "relay", withhold: true, ...GREEN });
  });

  after(async () => {
    await browser?.close();
    const code = await daemon?.stop();
    await relay?.close();
    assert.equal(code, 0, "the daemon ends cleanly");
  });

  // However the path was mended, it is the relay's.
  afterEach(async () => {
    for (const { ask } of [red, green]) assert.equal(await ask("pair"), relay.address);
  });

  const bothTiles = (tiles) => near(tiles[red.id], RED.color) && near(tiles[green.id], GREEN.color);

  /** Waits until more of everything has come to both. */
  async function untilFlowing() {
    for (const { ask } of [red, green]) {
      const first = await decoded(ask);
      await until("ten more frames and a second more sound", () => decoded(ask), ({ frames, samples }) =>
        frames >= first.frames + 10 && samples >= first.samples + 48_000);
      await until("the call to be connected", () => ask("state"), (state) => state === "connected");
      await until("both tiles", () => ask("look"), bothTiles);
    }
  }

  const seats = async () => (await red.ask("participants")).map(({ id, absent }) => [id, absent]);
  const tiles = async () => (await red.ask("layout")).tiles;

  test("works, and nothing goes another way", async () => {
    await untilFlowing();

    const first = await relay.tell("stats");
    await until("a second more of packets each way", () => relay.tell("stats"), ({ up, down }) =>
      up.delivered >= first.up.delivered + SECOND_OF_PACKETS
      && down.delivered >= first.down.delivered + SECOND_OF_PACKETS);
    for (const { ask } of [red, green]) assert.equal(await ask("pair"), relay.address);
  });

  /** Breaks the path, and sees the same people at the same places over the same connections again. */
  async function outlives(t, breakPath) {
    const before = { seats: await seats(), tiles: await tiles() };
    const users = await Promise.all([red, green].map(({ ask }) => ask("iceUser")));
    const brokenAt = performance.now();
    const elapsed = () => Math.round(performance.now() - brokenAt);

    await breakPath();

    for (const [n, { ask }] of [red, green].entries()) {
      await until("ICE to be restarted", () => ask("iceUser"), (user) => user !== users[n]);
    }
    t.diagnostic(`ICE was restarted within ${elapsed()} ms`);
    await untilFlowing();
    t.diagnostic(`everything was seen to flow again within ${elapsed()} ms`);
    // On the way back the picture may be a smaller one of whoever speaks, for a while.
    await until("everybody to be where they were", async () => ({ seats: await seats(), tiles: await tiles() }),
      (now) => isDeepStrictEqual(now, before));
    for (const { ask } of [red, green]) {
      assert.equal((await ask("transports")).length, 1, "over the same connection");
      assert.ok((await ask("states")).includes("reconnecting"), "the page was told");
    }
  }

  test("outlives a path that dies for three seconds", async (t) => {
    await outlives(t, () => relay.tell(`outage ${OUTAGE_MS}`));

    const { up, down } = await relay.tell("stats");
    assert.ok(up.in_outage > 0 && down.in_outage > 0, "the path was dead");
  });

  test("outlives a move to another address and port", async (t) => {
    const { faces: before } = await relay.tell("stats");

    await outlives(t, () => relay.tell("move"));

    const { faces } = await relay.tell("stats");
    assert.ok(faces.every((face) => face.startsWith("127.0.0.2:") && !before.includes(face)), "it moved");
  });

  test("the server has found out what both downlinks carry", async () => {
    const found = () => {
      const log = daemon.log.join("\n").replaceAll(/\u001b\[[0-9;]*m/g, "");
      return [...log.matchAll(/downlink kbps=(\d+)/g)].map(([, kbps]) => Number(kbps));
    };

    // It begins with 120, and finds more only by padding: the pictures hardly move.
    await until("a wide downlink", found, (estimates) => estimates.some((kbps) => kbps > 400));
  });

  test("nothing went wrong on any page", () => {
    for (const { errors } of [red, green]) assert.deepEqual(errors, []);
  });
});

async function decoded(ask) {
  const streams = await ask("inbound");
  const of = (wanted) => streams.find(({ kind }) => kind === wanted) ?? {};
  return { frames: of("video").framesDecoded ?? 0, samples: of("audio").totalSamplesReceived ?? 0 };
}
