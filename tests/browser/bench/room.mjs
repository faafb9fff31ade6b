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
 * @param {string[]} [flags] of the daemon
 */
export async function inRoomOfNine(browser, settings, body, flags = []) {
  const ends = [];
  try {
    return await body(await begin(browser, settings, flags, ends));
  } finally {
    for (const end of ends.reverse()) await end();
  }
}

async function begin(browser, settings, flags, ends) {
  const relay = await startUdpRelay(settings);
  ends.push(() => relay.close());
  const daemon = await startDaemon(["--announce", relay.address, ...flags]);
  ends.push(() => daemon.stop());
  const media = boundAddress(daemon.log);
  await relay.tell(`target ${media}`);
  ends.push(await fill(daemon.url, media));
  const joined = Date.now();
  const said = { bytes: 0 };
  const receiver = await participate(overhearing(browser, said), daemon.url, { room: ROOM, name: "Thin", withhold: true, hurry: true });
  ends.push(() => receiver.close());
  await receiver.page.evaluate(installNotes);
  const note = (question) => receiver.page.evaluate((question) => window.notes[question](), question);
  return {
    ...receiver,
    relay,
    daemon,
    joined,
    /** All that is counted at this moment: the page may take its time, so the clock is read last. */
    async look() {
      if (await receiver.ask("pair") !== relay.address) throw new Error("the relay was passed by");
      const { inbound } = await receiver.ask("rtp");
      const { down, faces } = await relay.tell("stats");
      if (faces.length !== 1) throw new Error(`${faces.length} instead of one behind the relay`);
      return { at_ms: Date.now(), inbound, down, said_bytes: said.bytes };
    },
    /**
     * {frames: when each was shown, qualities: [time, quality], tiles: what the speaker's looked like
     * now and then}, times in ms of the machine's clock; luma in base64.
     */
    notes: () => note("all"),
    /** Payload types: {audio, video, resends}. */
    types: () => note("types"),
  };
}

/** The browser; what its pages are told over WebSockets is added up in `said`, headers left out. */
function overhearing(browser, said) {
  const listen = (socket) => socket.on("framereceived", ({ payload }) => {
    said.bytes += Buffer.byteLength(payload);
  });
  return {
    async newContext() {
      const context = await browser.newContext();
      context.on("page", (page) => page.on("websocket", listen));
      return context;
    },
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
  const SAMPLE_EVERY_MS = 1_700;
  const MAX_SAMPLES = 40;
  const frames = [];
  const tiles = [];
  const qualities = call.quality ? [[wall(), call.quality]] : [];
  call.addEventListener("quality", ({ detail }) => qualities.push([wall(), detail]));
  const look = () => {
    frames.push(wall());
    if (frames.at(-1) - (tiles.at(-1)?.at ?? -Infinity) >= SAMPLE_EVERY_MS) sample();
    video.requestVideoFrameCallback(look);
  };

  /** The speaker's tile as it is shown at this moment. */
  function sample() {
    const { layout, speaker, participants } = call;
    const tile = layout?.tiles.find(({ participant }) => participant === speaker);
    if (!tile || tiles.length >= MAX_SAMPLES) return;
    const [across, down] = [video.videoWidth / layout.canvas.width, video.videoHeight / layout.canvas.height];
    const [width, height] = [Math.round(tile.width * across), Math.round(tile.height * down)];
    const context = new OffscreenCanvas(width, height).getContext("2d");
    context.drawImage(video, tile.left * across, tile.top * down, width, height, 0, 0, width, height);
    const { data } = context.getImageData(0, 0, width, height);
    let luma = "";
    for (let n = 0; n < data.length; n += 4) {
      luma += String.fromCharCode(0.299 * data[n] + 0.587 * data[n + 1] + 0.114 * data[n + 2]);
    }
    tiles.push({ at: frames.at(-1), name: participants.get(speaker).name, width, height, luma: btoa(luma) });
  }
  video.requestVideoFrameCallback(look);
  window.notes = {
    all: () => ({ frames, qualities, tiles }),
    async types() {
      const report = await window.senses.statistics();
      const codecs = report.filter(({ type }) => type === "codec");
      const of = (mime) => [...new Set(codecs.filter(({ mimeType }) => mimeType === mime)
        .map(({ payloadType }) => payloadType))];
      return { audio: of("audio/opus"), video: of("video/VP8"), resends: of("video/rtx") };
    },
  };
}
