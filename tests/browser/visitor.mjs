/**
 * A person at the conference page: what they see there, as a test can ask for it.
 */
import { isDeepStrictEqual } from "node:util";

import { until } from "./until.mjs";

/**
 * Opens the page in a browser profile of its own.
 *
 * @param {import("playwright-core").Browser} browser
 * @param {string} url of the daemon
 * @param {{path?: string, context?: import("playwright-core").BrowserContext,
 *   settings?: import("playwright-core").BrowserContextOptions}} how `path` with its query;
 *   `context` is a profile to share with another visitor, else `settings` make a new one
 */
export async function visit(browser, url, { path = "/", context: shared, settings } = {}) {
  const context = shared ?? await browser.newContext({ viewport: { width: 1280, height: 760 }, ...settings });
  const page = await context.newPage();
  const errors = [];
  page.on("pageerror", (error) => errors.push(String(error)));
  await page.goto(url + path);
  return {
    page,
    context,
    errors,
    close: () => context.close(),
    text: (selector) => page.locator(selector).textContent(),
    attribute: (selector, name) => page.locator(selector).getAttribute(name),
    /** Resolves once the page shows a call whose sound and picture arrive. */
    inCall: () => until("the picture of the call", () => page.evaluate(() =>
      window.mosaic?.call?.state === "connected" && document.querySelector("#picture").videoWidth > 0)),
    /** Resolves once the link turned out to carry all there is. */
    atBest: () => until("the best picture", () => page.evaluate(() => {
      const { quality, layout } = window.mosaic?.call ?? {};
      return quality?.reason === "best" && layout.tiles.length > 0 && layout.canvas.height === quality.rung.height;
    })),
    /** The call's own knowledge: {self, state, speaker, layout, participants}. */
    call: () => page.evaluate(() => {
      const { call } = window.mosaic;
      if (!call) return null;
      const { self, state, speaker, layout, participants } = call;
      return { self, state, speaker, layout, participants: [...participants.values()] };
    }),
    tiles: () => page.evaluate(readTiles),
    /** Resolves once these are the names on the picture, in this order. */
    untilNamed: (...names) => until(`the names ${names}`, () => page.evaluate(readTiles), (tiles) =>
      isDeepStrictEqual(tiles.map(({ name }) => name), names)),
    people: () => page.locator("#people li").allInnerTexts(),
    /** Resolves once some more of the call's picture has been shown. */
    untilMoving: () => untilMoving(() => page.evaluate(FRAMES_SHOWN)),
  };
}

/** Asks a page for the frames it has shown; `currentTime` runs on by itself while a call stands still. */
export const FRAMES_SHOWN = `document.querySelector("#picture").getVideoPlaybackQuality().totalVideoFrames`;

/** @param {() => Promise<number>} framesShown */
export async function untilMoving(framesShown) {
  const first = await framesShown();
  await until("five more frames", framesShown, (now) => now >= first + 5);
}

/** The address that joins by itself. */
export const joining = (room, name) => `/?room=${room}&name=${encodeURIComponent(name)}&join=1`;

/** Runs in the page: the names laid over the picture, and where they are, in parts of it. */
function readTiles() {
  const whole = document.querySelector("#canvas").getBoundingClientRect();
  return [...document.querySelectorAll("#tiles .tile")].map((tile) => {
    const place = tile.getBoundingClientRect();
    return {
      name: tile.querySelector(".label-name").textContent,
      left: (place.left - whole.left) / whole.width,
      top: (place.top - whole.top) / whole.height,
      width: place.width / whole.width,
      height: place.height / whole.height,
      isSpeaking: tile.classList.contains("speaking"),
      isMuted: getComputedStyle(tile.querySelector(".muted-mark")).display !== "none",
      hasPlaceholder: getComputedStyle(tile.querySelector(".avatar")).display !== "none",
    };
  });
}
