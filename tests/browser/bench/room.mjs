/**
 * A room of nine over one thin link: eight who send and are watched by nobody, and one real browser
 * that only receives, behind the relay. The eight go past it.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import readline from "node:readline";

import { boundAddress, startDaemon } from "../daemon.mjs";
import { participate } from "../participant.mjs";
import { startUdpRelay } from "../udp-relay.mjs";

const root = fileURLToPath(new URL("../../..", import.meta.url));

/** What cargo built; `LOAD` names another. */
const load = process.env.LOAD ?? `${root}target/release/examples/load`;

const ROOM = "links";
const OTHERS = 8;

/**
 * Runs `body` with a receiver whose link is as `settings` say from its first packet on.
 *
 * @template T
 * @param {import("playwright-core").Browser} browser
 * @param {string[]} settings of the relay
 * @param {(receiver: Awaited<ReturnType<typeof begin>>) => Promise<T>} body
 */
export async function inRoomOfNine(browser, settings, body) {
  const ends = [];
  try {
    return await body(await begin(browser, settings, ends));
  } finally {
    for (const end of ends.reverse()) await end();
  }
}

async function begin(browser, settings, ends) {
  const relay = await startUdpRelay(settings);
  ends.push(() => relay.close());
  const daemon = await startDaemon(["--announce", relay.address]);
  ends.push(() => daemon.stop());
  const media = boundAddress(daemon.log);
  await relay.tell(`target ${media}`);
  ends.push(await fill(daemon.url, media));
  const joined = Date.now();
  const receiver = await participate(browser, daemon.url, { room: ROOM, name: "Thin", withhold: true, hurry: true });
  ends.push(() => receiver.close());
  await receiver.page.evaluate(installNotes);
  const note = (question) => receiver.page.evaluate((question) => window.notes[question](), question);
  return {
    ...receiver,
    relay,
    daemon,
    joined,
    /** All that is counted at this moment. */
    async look() {
      const { inbound } = await receiver.ask("rtp");
      const { down } = await relay.tell("stats");
      if (await receiver.ask("pair") !== relay.address) throw new Error("the relay was passed by");
      return { at_ms: Date.now(), inbound, down };
    },
    /** {frames: when each was shown, qualities: [time, quality]}, times in ms of the machine's clock. */
    notes: () => note("all"),
    /** Payload types: {audio, video, resends}. */
    types: () => note("types"),
  };
}

/** Starts the eight; resolves with what ends them, once they play. */
async function fill(url, media) {
  const args = ["fill", "--address", new URL(url).host, "--media", media, "--room", ROOM,
    "--participants", String(OTHERS)];
  const others = spawn(load, args, { stdio: ["pipe", "pipe", "inherit"] });
  const kill = () => others.kill("SIGKILL");
  process.on("exit", kill);
  const exited = once(others, "exit").finally(() => process.off("exit", kill));
  const [said] = await Promise.race([once(readline.createInterface({ input: others.stdout }), "line"), exited]);
  if (said !== "playing") throw new Error(`the others do not play: ${said}`);
  return async () => {
    others.stdin.end();
    await exited;
  };
}

/** Runs in the page. */
function installNotes() {
  const call = window.senses.call();
  const video = document.querySelector("video");
  const wall = () => performance.timeOrigin + performance.now();
  const frames = [];
  const qualities = call.quality ? [[wall(), call.quality]] : [];
  call.addEventListener("quality", ({ detail }) => qualities.push([wall(), detail]));
  const look = () => {
    frames.push(wall());
    video.requestVideoFrameCallback(look);
  };
  video.requestVideoFrameCallback(look);
  window.notes = {
    all: () => ({ frames, qualities }),
    async types() {
      const report = await window.senses.statistics();
      const codecs = report.filter(({ type }) => type === "codec");
      const of = (mime) => [...new Set(codecs.filter(({ mimeType }) => mimeType === mime)
        .map(({ payloadType }) => payloadType))];
      return { audio: of("audio/opus"), video: of("video/VP8"), resends: of("video/rtx") };
    },
  };
}
