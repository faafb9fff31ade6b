/**
 * What a browser sends follows what anybody sees of it and what its uplink carries: large or small,
 * a pause while nobody looks, and sound before picture where there is no room for both.
 */
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, test } from "node:test";

import { launch } from "./browser.mjs";
import { SMALL, boundAddress, startDaemon } from "./daemon.mjs";
import { LOOKS, near, participate } from "./participant.mjs";
import { pathsOf } from "./paths.mjs";
import { startUdpRelay } from "./udp-relay.mjs";
import { until } from "./until.mjs";

const [RED, GREEN, BLUE] = LOOKS;

/** Of 48 kHz, between two lines of the daemon's about a path. */
const SAMPLES_OF_FIVE_SECONDS = 240_000;

/** By how much the page has its browser scale the picture down. Browsers may make it smaller still. */
const scale = ({ page }) => page.evaluate(() => {
  const video = window.senses.pc().getSenders().find(({ track }) => track?.kind === "video");
  return video?.getParameters().encodings[0].scaleResolutionDownBy;
});

const sentVideo = async ({ ask }) => (await ask("rtp")).outbound.video ?? {};

/** What the browser believes it may send, in b/s; 0 while it does not say. */
const available = ({ page }) => page.evaluate(async () => {
  let bps = 0;
  (await window.senses.pc().getStats()).forEach((entry) => {
    if (entry.type === "candidate-pair") bps = entry.availableOutgoingBitrate ?? bps;
  });
  return bps;
});

describe("a sender on a good link", () => {
  let daemon;
  let browser;
  let red;
  let green;

  before(async () => {
    daemon = await startDaemon(SMALL);
    browser = await launch();
    red = await participate(browser, daemon.url, { room: "sizes", fits: true, ...RED });
    green = await participate(browser, daemon.url, { room: "sizes", ...GREEN });
  });

  after(async () => {
    await browser?.close();
    assert.equal(await daemon?.stop(), 0, "the daemon ends cleanly");
  });

  test("sends as large and as fast as the largest tile that shows it", async () => {
    await until("to be told of a tile", () => red.ask("uplink"), ({ video, audio }) =>
      video?.width === 320 && video.height === 180 && video.fps === 15 && audio.kbps > 0);

    await until("the picture to be of that size", () => sentVideo(red), ({ frameWidth, frameHeight, targetBitrate }) =>
      frameWidth <= 320 && frameHeight <= 180 && targetBitrate <= 117_000);
    // Not only because the browser itself found it hard to send more.
    await until("the page to ask for it", () => scale(red), (by) => by === 2);
  });

  test("which does not follow what it is told is capped by what it is worth", async () => {
    await until("to be told of a tile", () => green.ask("uplink"), ({ video, audio }) =>
      video?.kbps === 117 && audio.kbps === 32);

    // One and a half times 117 kb/s and 15 % of it, 32 of sound and 24 of its headers.
    await until("the browser to take the cap over", () => available(green), (bps) => bps > 0 && bps <= 285_000);
  });

  test("sends more as soon as more is seen", async () => {
    await green.ask("leave");

    await until("a larger picture", () => sentVideo(red), ({ frameWidth, targetBitrate }) =>
      frameWidth > 320 && targetBitrate > 117_000);
    await until("the page to ask for all of it", () => scale(red), (by) => by === 1);
    assert.deepEqual(red.errors, []);
  });

  test("keeps to that over another connection and another track", async () => {
    await red.ask("setStream", RED);

    const blue = await participate(browser, daemon.url, { room: "sizes", fits: true, ...BLUE });

    for (const sender of [red, blue]) {
      await until("the page to ask for a small picture", () => scale(sender), (by) => by === 2);
      await until("the picture to be small", () => sentVideo(sender), ({ frameWidth }) => frameWidth <= 320);
    }
    await blue.close();
  });
});

describe("a sender whom nobody sees", () => {
  let daemon;
  let browser;
  let folder;
  let red;
  let green;
  let blue;

  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "uplink-"));
    const ladder = path.join(folder, "ladder.json");
    const alone = { name: "alone", size: "320x180", fps: 15, min_kbps: 30, max_kbps: 300,
      arrangement: "speaker_alone", payload_bytes: 480 };
    await writeFile(ladder, JSON.stringify([alone]));
    daemon = await startDaemon(["--ladder", ladder]);
    browser = await launch();
    const room = { room: "seen", fits: true, throbs: true };
    red = await participate(browser, daemon.url, { ...room, ...RED });
    green = await participate(browser, daemon.url, { ...room, ...GREEN, tone_hz: undefined });
    blue = await participate(browser, daemon.url, { ...room, ...BLUE, muted: true });
  });

  after(async () => {
    await browser?.close();
    const code = await daemon?.stop();
    await rm(folder, { recursive: true, force: true });
    assert.equal(code, 0, "the daemon ends cleanly");
  });

  test("pauses its picture, and only the picture", async () => {
    await until("the others to be shown", () => green.ask("speaker"), (speaker) => speaker === red.id);

    await until("to be told", () => blue.ask("uplink"), ({ video, paused }) => video === null && paused === "unseen");
    await until("the encoder to be off", () => sentVideo(blue), ({ active }) => active === false);

    const { outbound: first } = await blue.ask("rtp");
    await until("two seconds of sound", () => blue.ask("rtp"), ({ outbound: { audio } }) =>
      audio.packetsSent >= first.audio.packetsSent + 100);
    const { outbound: now } = await blue.ask("rtp");
    assert.ok(now.video.framesEncoded <= first.video.framesEncoded + 1, "no frame was made meanwhile");
    for (const { ask } of [red, green]) assert.equal((await ask("uplink")).paused, null);
  });

  test("is back with a keyframe as soon as it speaks", async (t) => {
    const first = await sentVideo(blue);
    await red.ask("setMuted", true);
    await blue.ask("setMuted", false);
    await until("blue to be the speaker", () => green.ask("speaker"), (speaker) => speaker === blue.id);
    const spokeAt = performance.now();

    await until("a keyframe", () => sentVideo(blue), ({ active, keyFramesEncoded, framesEncoded }) =>
      active && keyFramesEncoded > first.keyFramesEncoded && framesEncoded > first.framesEncoded);
    await until("its picture", () => green.ask("look"), (tiles) => near(tiles[blue.id], BLUE.color));

    t.diagnostic(`the picture was seen ${Math.round(performance.now() - spokeAt)} ms after the change of speaker`);
    assert.equal((await blue.ask("uplink")).paused, null);
  });

  test("nothing went wrong on any page", () => {
    for (const { errors } of [red, green, blue]) assert.deepEqual(errors, []);
  });
});

describe("a sender on a thin uplink", () => {
  let relay;
  let daemon;
  let browser;
  let red;
  let green;

  before(async () => {
    relay = await startUdpRelay(["up.kbps=64", "up.queue=300ms", "delay=20"]);
    daemon = await startDaemon([...SMALL, "--announce", relay.address]);
    await relay.tell(`target ${boundAddress(daemon.log)}`);
    browser = await launch();
    const recording = (await readFile(new URL("../../fixtures/red.webm", import.meta.url))).toString("base64");
    const sender = { room: "thin", name: "Red", recording, fits: true, withhold: true, hurry: true };
    red = await participate(browser, daemon.url, sender);
    green = await participate(browser, daemon.url, { room: "thin", withhold: true, hurry: true, name: "Green" });
  });

  after(async () => {
    await browser?.close();
    const code = await daemon?.stop();
    await relay?.close();
    assert.equal(code, 0, "the daemon ends cleanly");
  });

  /** Waits for five seconds of which a tenth at most had to be concealed. */
  async function untilIntelligible() {
    const from = pathsOf(daemon.log, red.id).length;
    const lastTwo = () => pathsOf(daemon.log, red.id).slice(from).slice(-2).map((it) => it.audio_concealed);
    await until("five good seconds", lastTwo, ([one, other]) =>
      other !== undefined && other - one <= SAMPLES_OF_FIVE_SECONDS / 10);
  }

  const sentAudio = async () => (await red.ask("rtp")).outbound.audio;

  test("of 64 kb/s sends sound in long packets, and a small picture", async () => {
    const looks = [];
    const packetsPerSecond = async () => {
      const now = await sentAudio();
      looks.push(now);
      const before = looks.findLast(({ timestamp }) => now.timestamp - timestamp >= 1_000);
      return before && (now.packetsSent - before.packetsSent) / ((now.timestamp - before.timestamp) / 1_000);
    };

    await until("fewer than 25 packets a second", packetsPerSecond, (rate) => rate > 0 && rate < 25);
    await untilIntelligible();

    const first = (await sentVideo(red)).framesEncoded;
    await until("pictures at that", () => sentVideo(red), ({ framesEncoded, frameHeight }) =>
      framesEncoded > first + 20 && frameHeight <= 180);
    assert.equal(await red.ask("pair"), relay.address, "nothing passed the relay by");
  });

  test("of 32 kb/s makes room for its sound", async () => {
    await relay.tell("set up.kbps=32");

    await until("the picture to be paused", () => red.ask("uplink"), ({ paused }) => paused === "thin");
    await untilIntelligible();

    const { packetsSent } = await sentAudio();
    await until("sound to go on", sentAudio, (audio) => audio.packetsSent > packetsSent + 30);
  });

  test("that widens sends a picture again, and sound in short packets", async () => {
    await relay.tell("set up.kbps=0");

    await until("a picture", () => sentVideo(red), ({ active }) => active, 120_000);
    await until("a wide uplink", () => red.page.evaluate(() => window.senses.pc().remoteDescription.sdp),
      (sdp) => !/^a=ptime:60/m.test(sdp), 60_000);
    assert.deepEqual(red.errors, []);
  });
});
