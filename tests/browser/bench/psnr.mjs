/**
 * How much a tile looks like what its participant sent: PSNR of luma, beside the recording that the
 * load client plays.
 *
 * Which frame of the recording a sample shows is not known, so it is compared with all of them and
 * the best counts: no other frame of a moving picture can be nearer than its own. The reference is
 * the recording as the browser decodes and scales it; what other scaling than the mixer's costs is
 * in the figure, which is therefore on the low side.
 */
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

import { median } from "./figures.mjs";

const fixtures = fileURLToPath(new URL("../../../fixtures/", import.meta.url));

/** What the load client's participants play, by their place (tests/support/clip.rs). */
const CLIPS = ["red.webm", "green.webm", "blue.webm"];

/**
 * @param {import("playwright-core").Browser} browser
 * @param {{name: string, width: number, height: number, luma: string}[]} samples as `notes` has them
 * @returns {Promise<number>} the median in dB; NaN without samples
 */
export async function psnr(browser, samples) {
  const page = await browser.newPage();
  try {
    await page.evaluate(installScore);
    const scores = [];
    for (const clip of CLIPS) {
      const group = samples.filter((sample) => clipOf(sample) === clip);
      const file = (await readFile(fixtures + clip)).toString("base64");
      scores.push(...await page.evaluate(([file, group]) => window.score(file, group), [file, group]));
    }
    return median(scores);
  } finally {
    await page.close();
  }
}

const clipOf = ({ name }) => CLIPS[Number(name.match(/\d+$/)[0]) % CLIPS.length];

/** Runs in the page. */
function installScore() {
  const FRAMES = 300;
  const FPS = 30;

  const decode = (text) => Uint8Array.from(atob(text), (char) => char.charCodeAt(0));

  /** Luma of the middle of a picture, at a size: edges are the mixer's own. */
  function lumaOf(source, { width, height }) {
    const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
    context.imageSmoothingQuality = "high";
    context.drawImage(source, 0, 0, width, height);
    const { data } = context.getImageData(0, 0, width, height);
    const luma = new Uint8Array(width * height);
    for (let n = 0; n < luma.length; n += 1) {
      luma[n] = 0.299 * data[4 * n] + 0.587 * data[4 * n + 1] + 0.114 * data[4 * n + 2];
    }
    return luma;
  }

  function errorOf(one, other, { width, height }) {
    const [across, down] = [Math.ceil(width / 20), Math.ceil(height / 20)];
    let sum = 0;
    for (let y = down; y < height - down; y += 1) {
      for (let x = across; x < width - across; x += 1) sum += (one[y * width + x] - other[y * width + x]) ** 2;
    }
    return sum / ((width - 2 * across) * (height - 2 * down));
  }

  window.score = async (file, samples) => {
    const video = document.createElement("video");
    video.muted = true;
    video.src = URL.createObjectURL(new Blob([decode(file)], { type: "video/webm" }));
    await new Promise((resolve) => video.addEventListener("loadeddata", resolve, { once: true }));
    const kept = samples.map((sample) => ({ ...sample, luma: decode(sample.luma), error: Infinity }));
    const sizes = new Map(kept.map((sample) => [`${sample.width}x${sample.height}`, sample]));
    for (let frame = 0; frame < FRAMES; frame += 1) {
      const seeked = new Promise((resolve) => video.addEventListener("seeked", resolve, { once: true }));
      video.currentTime = (frame + 0.5) / FPS;
      await seeked;
      for (const [name, size] of sizes) {
        const reference = lumaOf(video, size);
        for (const sample of kept.filter(({ width, height }) => `${width}x${height}` === name)) {
          sample.error = Math.min(sample.error, errorOf(sample.luma, reference, size));
        }
      }
    }
    return kept.map(({ error }) => 10 * Math.log10(255 ** 2 / error));
  };
}
