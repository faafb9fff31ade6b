/**
 * The screen in a call: it stays awake where the browser lets us say so, it may be filled, and what lies
 * over the picture goes while nobody moves.
 */

import { byId } from "./say.js";

const IDLE_MS = 3_000;

let isCalling = false;
/** @type {WakeLockSentinel|null} */
let wakeLock = null;

/** From now on the screen does not go dark. */
export async function keepAwake() {
  isCalling = true;
  try {
    wakeLock = await navigator.wakeLock?.request("screen") ?? null;
    // The call may be over already.
    if (!isCalling) letGo();
  } catch {
    // Low battery, mostly.
  }
}

/** As before the call. */
export function letGo() {
  isCalling = false;
  wakeLock?.release().catch(() => {});
  wakeLock = null;
  if (document.fullscreenElement) document.exitFullscreen();
}

export async function toggleFullscreen() {
  if (document.fullscreenElement) await document.exitFullscreen();
  else await byId("call").requestFullscreen?.().catch(() => {});
}

/** Follows what becomes of the screen. */
export function watchScreen() {
  byId("fullscreen").hidden = !document.fullscreenEnabled;
  document.addEventListener("fullscreenchange", () => {
    byId("fullscreen").setAttribute("aria-pressed", String(document.fullscreenElement !== null));
  });
  document.addEventListener("visibilitychange", () => {
    // Browsers let go of it when the page is hidden.
    if (document.visibilityState === "visible" && isCalling) keepAwake();
  });
  /** @type {ReturnType<typeof setTimeout>|undefined} */
  let idle;
  document.addEventListener("pointermove", () => {
    document.body.classList.remove("idle");
    clearTimeout(idle);
    idle = setTimeout(() => document.body.classList.add("idle"), IDLE_MS);
  });
}
