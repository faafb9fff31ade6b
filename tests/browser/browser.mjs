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

const FAKE_DEVICES = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"];

/** @param {{autoplay?: "free"|"gesture", devices?: "fake"|"none"}} how */
export function launch({ autoplay = "free", devices = "fake" } = {}) {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ? which(process.env.CHROMIUM) : which("chromium"),
    args: [
      ...QUIET,
      ...AWAKE,
      ...(devices === "fake" ? FAKE_DEVICES : []),
      ...(autoplay === "free" ? ["--autoplay-policy=no-user-gesture-required"] : []),
    ],
  });
}

function which(program) {
  return execFileSync("sh", ["-c", `command -v "$1"`, "sh", program], { encoding: "utf8" }).trim();
}
