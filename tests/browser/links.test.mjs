/**
 * A participant behind a link of 100 kb/s that is long, loses packets and has a deep queue: gets the
 * active speaker, moving, and keeps hearing. That this happens is asked here; how well, and at which
 * other links, `make bench-links` says.
 */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { difference, share } from "./bench/figures.mjs";
import { launch } from "./browser.mjs";
import { SMALL, boundAddress, startDaemon } from "./daemon.mjs";
import { LOOKS, participate } from "./participant.mjs";
import { startUdpRelay } from "./udp-relay.mjs";
import { until } from "./until.mjs";

const [RED, GREEN] = LOOKS;

/** The link, as in the bench. Of either participant, each with a path of its own. */
const KBPS = 100;
const LOSS_PERCENT = 2;
const DELAY_MS = 40;

/** What is promised behind it: the rung, and what that is. */
const RUNG = "speaker";
const PICTURE = { width: 320, height: 180, fps: 10 };

/** What the mixer plays in a second. */
const SECOND_OF_SAMPLES = 48_000;

/** For all of it to be heard, however late the sound begins. */
const PATIENCE_MS = 120_000;

/** How long the link is left to itself before it is judged, and how long it is judged, in sound heard. */
const SETTLE = 10 * SECOND_OF_SAMPLES;
const JUDGED = 20 * SECOND_OF_SAMPLES;

/**
 * What is published, of all that was played, silence that was made up included. A debug build keeps it:
 * of twelve runs on two cores, with up to eleven programs that wanted them, the worst concealed 0.9 %.
 */
const MOST_CONCEALED_PERCENT = 3;

/** Of the frames that the rung has meanwhile. In those runs, all came but for one. */
const LEAST_FRAMES = 0.8 * PICTURE.fps * (JUDGED / SECOND_OF_SAMPLES);

describe("a participant behind 100 kb/s", () => {
  let relay;
  let daemon;
  let browser;
  let speaker;
  let thin;

  before(async () => {
    const link = [`loss=${LOSS_PERCENT}`, `delay=${DELAY_MS}`, `down.kbps=${KBPS}`, "queue=300ms"];
    relay = await startUdpRelay(link);
    daemon = await startDaemon([...SMALL, "--announce", relay.address]);
    await relay.tell(`target ${boundAddress(daemon.log)}`);
    browser = await launch();
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

  const promised = () =>
    until(`the rung ${RUNG}, by what the link carries`, () => thin.ask("quality"), (quality) =>
      quality?.rung?.name === RUNG && quality.video === "moving" && quality.reason === "bandwidth");

  /** What has come by the time that so much more was heard than at `first`. */
  const heard = (first, samples) =>
    until("the sound", () => thin.ask("rtp"), ({ inbound: { audio } }) =>
      audio?.totalSamplesReceived >= (first?.audio.totalSamplesReceived ?? 0) + samples, PATIENCE_MS);

  test("is shown the active speaker, moving, and told so", async () => {
    const { rung, next } = await promised();

    const { width, height, fps } = PICTURE;
    assert.deepEqual([rung.width, rung.height, rung.fps], [width, height, fps]);
    assert.ok(next.kbps > KBPS, "more would take a wider link");
    await until("a picture of that size", () => thin.ask("rtp"), ({ inbound: { video } }) =>
      video?.frameWidth === width && video.frameHeight === height);
  });

  test("goes on seeing that picture move, and hears all the time", async (t) => {
    const { inbound: first } = await heard(null, 1);
    await heard(first, SETTLE);
    await promised();
    const { inbound: settled } = await thin.ask("rtp");

    const { inbound: later } = await heard(settled, JUDGED);

    const [sound, picture] = ["audio", "video"].map((kind) => difference(settled[kind], later[kind]));
    const concealed = share(sound.concealedSamples, sound.totalSamplesReceived);
    t.diagnostic(`${concealed.toFixed(2)} % concealed, ${picture.framesDecoded} frames`);
    assert.ok(concealed < MOST_CONCEALED_PERCENT, `${concealed} % concealed`);
    assert.ok(picture.framesDecoded >= LEAST_FRAMES, `${picture.framesDecoded} frames`);
    await promised();
    await until("the speaker's tone", () => thin.ask("hear", [RED.tone_hz]), ([level]) => level > -60);
  });

  test("got all of it over that link, which lost packets", async () => {
    for (const { ask } of [speaker, thin]) assert.equal(await ask("pair"), relay.address);
    const { up, down } = await relay.tell("stats");
    assert.ok(up.lost > 0 && down.lost > 0, "both ways");
  });

  test("nothing went wrong on any page", () => {
    for (const { errors } of [speaker, thin]) assert.deepEqual(errors, []);
  });
});
