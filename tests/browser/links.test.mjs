/**
 * A participant behind a link of 100 kb/s with a deep queue: gets the active speaker, moving, and
 * keeps hearing. That this happens is asked here; how well, and at which other links, `make
 * bench-links` says.
 */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { launch } from "./browser.mjs";
import { boundAddress, startDaemon } from "./daemon.mjs";
import { LOOKS, participate } from "./participant.mjs";
import { startUdpRelay } from "./udp-relay.mjs";
import { until } from "./until.mjs";

const [RED, GREEN] = LOOKS;

/** Of either, each with a path of its own. */
const KBPS = 100;

/** A round trip of 80 ms. */
const DELAY_MS = 40;

/** Of what is heard, in percent: far above what a link that is not overrun makes necessary. */
const TOO_MUCH_CONCEALED = 20;

describe("a participant behind 100 kb/s", () => {
  let relay;
  let daemon;
  let browser;
  let speaker;
  let thin;

  before(async () => {
    relay = await startUdpRelay([`delay=${DELAY_MS}`, `down.kbps=${KBPS}`, "queue=300ms"]);
    daemon = await startDaemon(["--announce", relay.address, "--size", "640x360", "--fps", "15"]);
    await relay.tell(`target ${boundAddress(daemon.log)}`);
    browser = await launch();
    // Each has a path of its own, so nobody is in the other's queue.
    const room = { room: "links", withhold: true, hurry: true };
    speaker = await participate(browser, daemon.url, { ...room, throbs: true, ...RED });
    thin = await participate(browser, daemon.url, { ...room, name: GREEN.name });
  });

  after(async () => {
    await browser?.close();
    const code = await daemon?.stop();
    await relay?.close();
    assert.equal(code, 0, "the daemon ends cleanly");
  });

  test("is shown the active speaker, moving, and told so", async () => {
    await until("the rung for such a link", () => thin.ask("quality"), (quality) =>
      quality?.rung?.name === "speaker" && quality.video === "moving");

    const { rung, reason, next } = await thin.ask("quality");
    assert.deepEqual([rung.width, rung.height, rung.fps], [320, 180, 10]);
    assert.equal(reason, "bandwidth");
    assert.ok(next.kbps > KBPS, "more would take a wider link");
    await until("a picture of that size", () => thin.ask("rtp"), ({ inbound: { video } }) =>
      video?.frameWidth === 320 && video.frameHeight === 180);
  });

  test("sees the picture move and hears all the time", async () => {
    const { inbound: first } = await thin.ask("rtp");

    const { inbound: later } = await until("ten seconds of sound and thirty pictures", () => thin.ask("rtp"),
      ({ inbound: { audio, video } }) =>
        audio.totalSamplesReceived >= first.audio.totalSamplesReceived + 480_000
        && video.framesDecoded >= first.video.framesDecoded + 30);

    const grown = (name) => later.audio[name] - first.audio[name];
    const concealed = grown("concealedSamples") - grown("silentConcealedSamples");
    const share = (100 * concealed) / grown("totalSamplesReceived");
    assert.ok(share < TOO_MUCH_CONCEALED, `${share} % concealed`);
    await until("the speaker's tone", () => thin.ask("hear", [RED.tone_hz]), ([level]) => level > -60);
  });

  test("got all of it over the narrow link", async () => {
    for (const { ask } of [speaker, thin]) assert.equal(await ask("pair"), relay.address);
  });

  test("nothing went wrong on any page", () => {
    for (const { errors } of [speaker, thin]) assert.deepEqual(errors, []);
  });
});
