/**
 * Takes a screenshot of a real conference: the fixtures' people meet, one more person watches.
 *
 *     node screenshot.mjs OUT.png [WIDTHxHEIGHT] [light|dark]
 */
import { readFile } from "node:fs/promises";

import { launch } from "./browser.mjs";
import { startDaemon } from "./daemon.mjs";
import { until } from "./until.mjs";

const PEOPLE = { Ruby: "red", Olive: "green", Azur: "blue", Amber: "yellow", Clementine: "orange" };

const [out, size = "1280x800", colorScheme = "dark"] = process.argv.slice(2);
const [width, height] = size.split("x").map(Number);

/** Runs in a page: everybody plays their recording into the room. */
async function perform({ url, recordings }) {
  const { join } = await import(`${url}/mosaic.js`);
  for (const [name, bytes] of Object.entries(recordings)) {
    const video = document.createElement("video");
    Object.assign(video, { src: `data:video/webm;base64,${bytes}`, loop: true, muted: true });
    await video.play();
    await join({ room: "demo", name, stream: video.captureStream() });
  }
}

const daemon = await startDaemon();
const browser = await launch();
try {
  const recordings = {};
  for (const [name, fixture] of Object.entries(PEOPLE)) {
    const file = new URL(`../../fixtures/${fixture}.webm`, import.meta.url);
    recordings[name] = await readFile(file, "base64");
  }
  const stage = await browser.newPage();
  await stage.goto(`${daemon.url}/healthz`);
  await stage.evaluate(perform, { url: daemon.url, recordings });

  const page = await browser.newPage({ viewport: { width, height }, colorScheme, permissions: ["camera", "microphone"] });
  await page.goto(`${daemon.url}/?room=demo&name=Guest&join=1`);
  await until("the picture", () => page.evaluate(() => document.querySelector("video")?.videoWidth ?? 0));
  await until("five others and oneself", () => page.evaluate(() => window.mosaic?.call?.layout?.tiles.length), (n) => n === 6);
  // A moment for the encoder to sharpen what it began with.
  await page.waitForTimeout(4_000);
  await page.screenshot({ path: out });
} finally {
  await browser.close();
  await daemon.stop();
}
