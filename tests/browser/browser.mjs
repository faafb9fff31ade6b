/**
 * Starts Chromium: headless, with a fake camera and microphone, and nothing that reaches out.
 */
import { execFileSync } from "node:child_process";
import { chromium } from "playwright-core";

const QUIET = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Several pages share one browser: none of them may be slowed down for being in the background. */
const AWAKE = [
  "--disable-background-timer-throttling",
  "--disable-backgrounding-occluded-windows",
  "--disable-renderer-backgrounding",
];

/** What a page finds when it asks for a microphone and a camera. */
const DEVICES = {
  fake: ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"],
  // The question goes to nobody, and counts as refused.
  refused: ["--use-fake-device-for-media-stream"],
  microphone: ["--use-fake-device-for-media-stream=device-count=0", "--use-fake-ui-for-media-stream"],
};

/** @param {{autoplay?: "free"|"gesture", devices?: "fake"|"refused"|"microphone"}} how */
export function launch({ autoplay = "free", devices = "fake" } = {}) {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ? which(process.env.CHROMIUM) : which("chromium"),
    args: [
      ...QUIET,
      ...AWAKE,
      ...DEVICES[devices],
      ...(autoplay === "free" ? ["--autoplay-policy=no-user-gesture-required"] : []),
    ],
  });
}

function which(program) {
  return execFileSync("sh", ["-c", `command -v "$1"`, "sh", program], { encoding: "utf8" }).trim();
}
