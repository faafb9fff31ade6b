/**
 * A call over a path that is long, uneven and loses packets both ways: nobody misses anything, since
 * what is lost is asked for and sent again, and audio carries copies of itself. That this happens is
 * asked here; how well, `make bench-network` says.
 */
import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";

import { launch } from "./browser.mjs";
import { SMALL, boundAddress, startDaemon } from "./daemon.mjs";
import { LOOKS, near, participate } from "./participant.mjs";
import { pathsOf } from "./paths.mjs";
import { startUdpRelay } from "./udp-relay.mjs";
import { until } from "./until.mjs";

const [RED, GREEN] = LOOKS;

/** Each way. */
const DELAY_MS = 50;

/** Softer than this, in dB, a tone is not heard. */
const AUDIBLE_DB = -60;

describe("a call over a path that loses packets", () => {
  let relay;
  let daemon;
  let browser;
  let both;

  before(async () => {
    relay = await startUdpRelay(["loss=5", `delay=${DELAY_MS}`, "jitter=20"]);
    daemon = await startDaemon([...SMALL, "--announce", relay.address]);
    await relay.tell(`target ${boundAddress(daemon.log)}`);
    browser = await launch();
    both = [];
    for (const look of [RED, GREEN]) {
      const settings = { room: "loss", withhold: true, throbs: true, hurry: true, ...look };
      both.push({ look, ...(await participate(browser, daemon.url, settings)) });
    }
  });

  after(async () => {
    await browser?.close();
    const code = await daemon?.stop();
    await relay?.close();
    assert.equal(code, 0, "the daemon ends cleanly");
  });

  afterEach(async () => {
    for (const { ask } of both) assert.equal(await ask("pair"), relay.address, "nothing passed the relay by");
  });

  /** Waits until each has decoded a second more of everything, seen both tiles, heard the other. */
  async function untilFlowing() {
    const [red, green] = both;
    for (const [self, other] of [[red, green], [green, red]]) {
      const { inbound: first } = await self.ask("rtp");
      await until("a second more of sound and picture", () => self.ask("rtp"), ({ inbound: { audio, video } }) =>
        audio?.totalSamplesReceived >= (first.audio?.totalSamplesReceived ?? 0) + 48_000
        && video?.framesDecoded >= (first.video?.framesDecoded ?? 0) + 15);
      await until("both tiles", () => self.ask("look"), (tiles) =>
        both.every(({ id, look }) => near(tiles[id], look.color)));
      await until("the other's tone", () => self.ask("hear", [other.look.tone_hz]), ([level]) => level > AUDIBLE_DB);
    }
  }

  test("is a call like any other", async () => {
    await untilFlowing();

    const { up, down } = await relay.tell("stats");
    assert.ok(up.lost > 0 && down.lost > 0, "packets were lost both ways");
  });

  test("what the mixer sends and the path loses is sent again", async () => {
    for (const { ask } of both) {
      await until("video by RTX", () => ask("rtp"), ({ inbound: { video } }) =>
        video?.nackCount > 0 && video.retransmittedPacketsReceived > 0);
      await until("requests for audio", () => ask("rtp"), ({ inbound: { audio } }) => audio?.nackCount > 0);
    }
    for (const { id, look } of both) {
      await until(`resends to ${look.name}`, () => pathsOf(daemon.log, id).at(-1), ({ resent }) => resent > 0);
    }
  });

  test("both ends measure the way there and back", async () => {
    const least_ms = 2 * (DELAY_MS - 20);
    for (const { id, ask } of both) {
      await until("the mixer's round trip", () => pathsOf(daemon.log, id).at(-1), ({ round_trip_ms }) =>
        round_trip_ms >= least_ms);
      await until("the browser's", () => ask("rtp"), ({ reported: { audio } }) =>
        1_000 * audio?.roundTripTime >= least_ms);
    }
  });

  test("audio carries copies of itself once its loss is reported", async () => {
    await relay.tell("set loss=10");

    for (const { id, ask } of both) {
      await until("the loss to be expected", () => pathsOf(daemon.log, id).at(-1),
        ({ expected_audio_loss_percent }) => expected_audio_loss_percent >= 10);
      const copies = async () => (await ask("rtp")).inbound.audio.fecPacketsReceived ?? 0;
      const first = await copies();
      await until("more packets with copies", copies, (now) => now > first);
    }
    await untilFlowing();
  });

  test("what a browser sends and the path loses is sent again", async () => {
    // Audio is asked for where the answer comes soon for what is lost.
    await relay.tell("set loss=10 delay=10 jitter=5");

    for (const { ask } of both) {
      await until("resends of both kinds", () => ask("rtp"), ({ outbound: { audio, video } }) =>
        [audio, video].every(({ nackCount, retransmittedPacketsSent }) =>
          nackCount > 0 && retransmittedPacketsSent > 0));
    }
    for (const { id, look } of both) {
      await until(`requests to ${look.name}`, () => pathsOf(daemon.log, id).at(-1), ({ requested }) => requested > 0);
    }
  });

  test("bursts of loss, packets that come twice and packets out of order stop nothing", async () => {
    await relay.tell("set bursts=5:4 duplication=5 reorder=1");

    await untilFlowing();

    const { up, down } = await relay.tell("stats");
    assert.ok(up.duplicated > 0 && down.duplicated > 0, "packets came twice both ways");
  });

  test("nothing went wrong on any page", () => {
    for (const { errors } of both) assert.deepEqual(errors, []);
  });
});
