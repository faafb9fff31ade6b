/**
 * Picture and sound of a participant arrive together: one sends white flashes along with beeps,
 * another says how far apart they are when they are seen and heard. How far is printed; the test
 * only asks for what nobody would call out of sync.
 */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { launch } from "./browser.mjs";
import { startDaemon } from "./daemon.mjs";
import { until } from "./until.mjs";

/** Flashes that do not count: until the watcher has both clocks and has brought them together. */
const SETTLING = 6;

/** Flashes that do. */
const ENOUGH = 8;

/** A flash a second; a machine that is loaded does not show each. */
const PATIENCE_MS = 90_000;

/**
 * Nobody would call this in sync, however loaded the machine is that plays it. Between two connections of
 * one page, without a mixer, a browser on a busy machine is 50 to 130 ms apart already.
 */
const TOO_FAR_MS = 300;

/** Runs in the sender's page: 100 ms of white and of 1 kHz every second. */
async function flash({ url, room }) {
  const { join } = await import(`${url}/mosaic.js`);
  const audio = new AudioContext({ sampleRate: 48_000 });
  const oscillator = new OscillatorNode(audio, { frequency: 1_000 });
  const gain = new GainNode(audio, { gain: 0 });
  const sound = audio.createMediaStreamDestination();
  oscillator.connect(gain).connect(sound);
  oscillator.start();
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [640, 360];
  const context = canvas.getContext("2d");
  const start = performance.now();
  setInterval(() => {
    const on = (performance.now() - start) % 1_000 < 100;
    context.fillStyle = on ? "white" : "black";
    context.fillRect(0, 0, 640, 360);
    gain.gain.value = on ? 0.3 : 0;
  }, 15);
  const stream = new MediaStream([...canvas.captureStream(30).getTracks(), ...sound.stream.getTracks()]);
  const call = await join({ room, name: "Flash", stream, fitToTile: false });
  return call.self;
}

/** Runs in the watcher's page: notes when flashes begin to be shown and beeps to be heard. */
async function watch({ url, room, flasher }) {
  const { Call } = await import(`${url}/mosaic.js`);
  const audio = new AudioContext({ sampleRate: 48_000 });
  const begun = { flashes: [], beeps: [] };
  const edge = (times) => {
    let was = false;
    return (is, time) => {
      if (is && !was) times.push(time);
      was = is;
    };
  };
  window.begun = begun;

  const video = document.createElement("video");
  Object.assign(video, { muted: true, autoplay: true, playsInline: true });
  document.body.replaceChildren(video);
  const call = new Call({ room, name: "Watcher", stream: null });
  const pixel = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const seen = edge(begun.flashes);
  const look = (_, { expectedDisplayTime }) => {
    const { canvas, tiles } = call.layout ?? { tiles: [] };
    const tile = tiles.find(({ participant }) => participant === flasher);
    if (tile) {
      const [x, y] = [video.videoWidth / canvas.width, video.videoHeight / canvas.height];
      const { left, top, width, height } = tile;
      pixel.drawImage(video, (left + width / 2) * x, (top + height / 2) * y, 4, 4, 0, 0, 1, 1);
      seen(pixel.getImageData(0, 0, 1, 1).data[1] > 128, expectedDisplayTime);
    }
    video.requestVideoFrameCallback(look);
  };
  video.requestVideoFrameCallback(look);

  let track;
  call.addEventListener("stream", () => {
    video.srcObject = call.stream;
    const [sound] = call.stream.getAudioTracks();
    if (!sound || sound === track) return;
    track = sound;
    const analyser = new AnalyserNode(audio, { fftSize: 256, smoothingTimeConstant: 0 });
    new MediaStreamAudioSourceNode(audio, { mediaStream: new MediaStream([sound]) }).connect(analyser);
    const heard = edge(begun.beeps);
    const samples = new Float32Array(analyser.fftSize);
    setInterval(() => {
      analyser.getFloatTimeDomainData(samples);
      // What the analyser has is about to be played, or just was: the window is 5 ms long.
      heard(samples.some((sample) => Math.abs(sample) > 0.05), performance.now());
    }, 4);
  });
  await call.join();
}

/** Each beep less the flash that is nearest to it, in the order of the beeps. */
const skews = ({ flashes, beeps }) =>
  beeps
    .map((beep) => flashes.map((flash) => beep - flash).sort((a, b) => Math.abs(a) - Math.abs(b))[0])
    .filter((skew) => Math.abs(skew) < 450);

describe("picture and sound", () => {
  let daemon;
  let browser;

  before(async () => {
    daemon = await startDaemon(["--size", "640x360", "--fps", "30", "--video-kbps", "800"]);
    browser = await launch();
  });

  after(async () => {
    await browser?.close();
    await daemon?.stop();
  });

  test("flashes are seen about when their beeps are heard", async (context) => {
    const where = { url: daemon.url, room: "sync" };
    const sender = await browser.newPage();
    await sender.goto(`${daemon.url}/healthz`);
    const flasher = await sender.evaluate(flash, where);
    const watcher = await browser.newPage();
    await watcher.goto(`${daemon.url}/healthz`);
    await watcher.evaluate(watch, { ...where, flasher });

    const all = await until("enough flashes with their beeps",
      () => watcher.evaluate(() => window.begun).then(skews), ({ length }) => length >= SETTLING + ENOUGH, PATIENCE_MS);

    const settled = all.slice(SETTLING).sort((a, b) => a - b);
    const median = settled[Math.floor(settled.length / 2)];
    context.diagnostic(`sound after picture: median ${median.toFixed(0)} ms, ` +
      `${settled[0].toFixed(0)} to ${settled.at(-1).toFixed(0)} ms`);
    assert.ok(Math.abs(median) < TOO_FAR_MS, `${median} ms apart`);
  });
});
