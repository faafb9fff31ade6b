/**
 * What a participant gets at each downlink: a room of nine, one real browser behind a narrow link,
 * a release build.
 *
 * Budgets stand beside the figures; a figure over its budget ends the bench with 1. The tables are
 * Markdown, as in NETWORK.md.
 */
import os from "node:os";

import { launch } from "../browser.mjs";
import { contract, sfu } from "./contract.mjs";
import { flags } from "./flags.mjs";
import { changedAfter, received, rungIn } from "./links-figures.mjs";
import { psnr } from "./psnr.mjs";
import { inRoomOfNine } from "./room.mjs";

const LOSS_PERCENT = 2;
const DELAY_MS = 40;
const QUEUE = "300ms";

/** The queue is judged from so long after the join on. */
const QUEUE_SETTLE_S = 5;

/** How long a link that changes stays as it is, and how often it does. */
const STEP_S = 20;
const CYCLES = 2;

/** What passes with it is no freeze. */
const FREEZE_MS = 1_000;

/** Congestion is followed down within it. */
const DOWN_MS = 1_000;

const pause = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1_000));

const STEPS = {
  "steps-1200": { kbps: [1_200, 600], above: ["top", "medium"], freeze: true },
  "steps-200": { kbps: [200, 100], above: ["low", "speaker"], freeze: false },
};

const rows = contract.map((row) => [String(row.kbps), () => atRow(row)]);
const steps = Object.keys(STEPS).map((name) => [name, () => stepped(name)]);
const PARTS = Object.fromEntries([...rows, ...steps]);
const how = flags(Object.keys(PARTS), { seconds: "30", settle: "10" });

let isOver = false;
const table = [];
const bytes = [];

/** Prints a figure beside its budget, and remembers if it is over. */
function judge(name, figure, budget, unit) {
  const over = !(figure < budget);
  isOver ||= over;
  const figureText = figure.toFixed(unit === "%" ? 2 : 0).padStart(7);
  console.log(`  ${name.padEnd(34)} ${figureText} ${unit.padEnd(2)}  budget < ${budget} ${unit}${over ? "  OVER" : ""}`);
}

/** Prints what is to be so, and remembers if it is not. */
function expect(name, said, good) {
  isOver ||= !good;
  console.log(`  ${name.padEnd(34)} ${said}${good ? "" : "  OVER"}`);
}

const settingsOf = (kbps) =>
  [`loss=${LOSS_PERCENT}`, `delay=${DELAY_MS}`, `down.kbps=${kbps}`, `queue=${QUEUE}`];

/** Runs `body` with a browser of its own: what one row leaves behind in it is no other's load. */
async function inBrowser(body) {
  const browser = await launch();
  try {
    return await body(browser);
  } finally {
    await browser.close();
  }
}

const inItsRoom = (settings, body) => inBrowser((browser) => inRoomOfNine(browser, settings, body));

/** One downlink that stays as it is. */
async function atRow(row) {
  const { kbps } = row;
  console.log(`\n${kbps} kb/s, ${how.seconds} s after ${how.settle} s`);
  const found = await inItsRoom(settingsOf(kbps), async (room) => {
    await pause(Math.min(QUEUE_SETTLE_S, how.settle));
    const early = await room.look();
    await pause(Math.max(0, how.settle - QUEUE_SETTLE_S));
    const before = await room.look();
    await pause(how.seconds);
    const after = await room.look();
    const notes = await room.notes();
    const figures = received({ kbps, early, before, after, notes, types: await room.types() });
    const measured = notes.tiles.filter(({ at }) => at >= before.at_ms && at < after.at_ms);
    if (how.verbose) {
      for (const [at, { rung, audio_kbps, packet_ms, reason }] of notes.qualities) {
        console.log(`    ${((at - room.joined) / 1_000).toFixed(1)} s: ${rung?.name ?? "paused"}, audio ${audio_kbps}@${packet_ms}, ${reason}`);
      }
      const said = room.daemon.log.filter((line) => / downlink /.test(line) && line > new Date(room.joined).toISOString());
      for (const line of said) console.log(`    ${line.slice(11, 23)} ${line.replace(/^.*downlink /, "")}`);
      console.log(figures);
    }
    return { ...figures, tiles: measured };
  });
  found.psnr_db = await inBrowser((browser) => psnr(browser, found.tiles));
  judge("audio concealed", found.concealed, 3, "%");
  judge("queue, p95", found.queue_p95_ms, row.queue_ms, "ms");
  judge("of the link used", found.used, 95, "%");
  console.log(`  ${"speaker's tile, PSNR".padEnd(34)} ${found.psnr_db.toFixed(1).padStart(7)} dB  of ${found.tiles.length} samples`);
  expect("rung", `${found.rungs} (promised: ${row.promise})`, row.keeps(found));
  table.push(`| ${kbps} kb/s | ${found.concealed.toFixed(2)} % | ${found.audio} | ${found.rungs} | ${found.fps.toFixed(1)} / ${found.shown.toFixed(1)} `
    + `| ${found.freezes} | ${found.longest_gap_ms.toFixed(0)} ms | ${found.psnr_db.toFixed(1)} dB | ${found.queue_p50_ms} / ${found.queue_p95_ms} / ${found.queue_max_ms} ms `
    + `| ${found.used.toFixed(0)} % | ${sfu(kbps)} |`);
  const { audio, video, resends, rtcp, stun } = found.kbps_by_kind;
  bytes.push(`| ${kbps} kb/s | ${[audio, video, resends, rtcp, stun, found.signaling_kbps].map((value) => value.toFixed(1)).join(" | ")} |`);
}

/** A downlink that halves and doubles. */
async function stepped(name) {
  const { kbps: [wide, narrow], above: [higher], freeze } = STEPS[name];
  console.log(`\n${wide} and ${narrow} kb/s in turn, ${STEP_S} s each, ${CYCLES} times`);
  await inItsRoom(settingsOf(wide), async (room) => {
    await pause(how.settle + STEP_S / 2);
    const before = await room.look();
    const turns = [];
    for (let cycle = 0; cycle < CYCLES; cycle += 1) {
      for (const kbps of [narrow, wide]) {
        const at = Date.now();
        await room.relay.tell(`set down.kbps=${kbps}`);
        await pause(STEP_S);
        turns.push({ kbps, at, until: Date.now() });
      }
    }
    const after = await room.look();
    const notes = await room.notes();
    const figures = received({ kbps: wide, early: before, before, after, notes, types: await room.types() });
    for (const { kbps, at, until } of turns) {
      const changes = notes.qualities.filter(([time]) => time >= at && time < until);
      const said = changes.map(([time, { rung, video }]) =>
        `${((time - at) / 1_000).toFixed(1)} s ${rung?.name ?? video}`).join(", ");
      console.log(`  to ${String(kbps).padStart(4)} kb/s: was ${rungIn(notes.qualities, at)}, ${said || "stays"}`);
      if (kbps === narrow) judge("down after", changedAfter(notes.qualities, at), DOWN_MS, "ms");
      else expect("back where it was", rungIn(notes.qualities, until), rungIn(notes.qualities, until) === higher);
    }
    judge("audio concealed", figures.concealed, 3, "%");
    if (freeze) judge("longest gap between frames", figures.longest_gap_ms, FREEZE_MS, "ms");
    console.log(`  queue p50/p95/max ${figures.queue_p50_ms} / ${figures.queue_p95_ms} / ${figures.queue_max_ms} ms, ${figures.fps.toFixed(1)} frames/s`);
  });
}

console.log(`${os.cpus().length} cores, ${os.loadavg()[0].toFixed(1)} of them busy before we began`);
for (const name of how.only) await PARTS[name]();
if (table.length) {
  console.log(`\nNine in the room, ${LOSS_PERCENT} % loss, ${2 * DELAY_MS} ms round trip, a queue of ${QUEUE}, ${how.seconds} s after ${how.settle} s.\n`);
  console.log("| downlink | audio concealed | audio | rung | frames decoded / shown per second | freezes | longest gap | speaker's tile | queue p50 / p95 / max | used | an SFU would need, computed |");
  console.log("|---|---|---|---|---|---|---|---|---|---|---|");
  for (const row of table) console.log(row);
  console.log("\nkb/s on the link, by kind, headers down to IP included; beside the link, what the WebSocket says.\n");
  console.log("| downlink | audio | video | resends and probes | RTCP | STUN | WebSocket |");
  console.log("|---|---|---|---|---|---|---|");
  for (const row of bytes) console.log(row);
}
process.exitCode = isOver ? 1 : 0;
