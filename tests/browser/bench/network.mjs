/**
 * How a call of two fares over a bad network: real browsers, a release build, the UDP relay.
 *
 * Budgets stand beside the figures; a figure over its budget ends the bench with 1. The table is
 * Markdown, as in NETWORK.md.
 */
import os from "node:os";

import { launch } from "../browser.mjs";
import { inCall } from "./call.mjs";
import { backAfter, figures, median } from "./figures.mjs";
import { flags } from "./flags.mjs";

const OUTAGE_MS = 3_000;

/** Sound and picture that stop for less than this were not gone. */
const GONE_MS = 500;

/** How long the path is watched after it broke. */
const MENDING_S = 9;

/** Of paths that are thin the other way. */
const THIN_LOSS = 2;
const THIN_QUEUE = "300ms";
const THIN_CONCEALED = 8;

/** Until a browser has found out how thin it is, and the page has acted on it. */
const THIN_SETTLE_S = 20;

const LOSSES = [0, 1, 5, 10, 20];
const JITTERS = [0, 20, 50, 100];
const DELAY_MS = 50;

const PARTS = {
  "loss-5": () => lossy(5, 3),
  "loss-10": () => lossy(10, 6),
  outage: () => broken("outage", `outage ${OUTAGE_MS}`, OUTAGE_MS, 2_000),
  move: () => broken("move", "move", 0, 5_000),
  "up-64": () => thinUplink(64, (found) => found.moves >= 1),
  "up-32": () => thinUplink(32, () => true),
  table: () => table(),
};

const how = flags(Object.keys(PARTS), { seconds: "30", settle: "5" });
let isOver = false;
let browser;

/** Prints a figure beside its budget, and remembers if it is over. */
function judge(name, figure, budget, unit) {
  const over = !(figure < budget);
  isOver ||= over;
  console.log(`  ${name.padEnd(34)} ${figure.toFixed(unit === "%" ? 2 : 0).padStart(7)} ${unit.padEnd(2)}  `
    + `budget < ${budget} ${unit}${over ? "  OVER" : ""}`);
}

function say(measured) {
  if (!how.verbose) return;
  for (const one of measured) {
    console.log(`  ${one.name}:`, figures(one));
    for (const path of one.paths) console.log("   ", JSON.stringify(path));
  }
}

/** So much loss both ways, and the jitter of a busy radio. */
async function lossy(percent, budget) {
  console.log(`\n${percent} % loss both ways, ${DELAY_MS} ms ± 20 ms each way, ${how.seconds} s after ${how.settle} s`);
  const measured = await inCall(browser, [`loss=${percent}`, `delay=${DELAY_MS}`, "jitter=20"],
    (call) => call.measure(how.settle, how.seconds));
  say(measured);
  for (const one of measured) {
    const found = figures(one);
    judge(`${one.name}: concealed by the browser`, found.down_concealed, budget, "%");
    judge(`${one.name}: concealed by the mixer`, found.up_concealed, budget, "%");
    judge(`${one.name}: longest gap between frames`, found.longest_gap_ms, 1_000, "ms");
    judge(`${one.name}: longest freeze, on average`, found.frozen_ms / Math.max(1, found.freezes), 1_000, "ms");
  }
}

/** A path that breaks, and how long after its end everything is back. */
async function broken(name, command, lasts_ms, budget) {
  console.log(`\n${name}${lasts_ms ? ` of ${lasts_ms} ms` : ""}, ${DELAY_MS} ms each way`);
  await inCall(browser, [`delay=${DELAY_MS}`], async (call) => {
    await call.measure(how.settle, 1);
    const brokenAt = Date.now();
    await call.relay.tell(command);
    const measured = await call.measure(0, lasts_ms / 1_000 + MENDING_S);
    for (const { name, notes } of measured) {
      const { sound_ms, picture_ms, away_ms } = backAfter(notes, brokenAt + lasts_ms);
      if (away_ms < GONE_MS) throw new Error(`${name} noticed nothing`);
      judge(`${name}: sound back after`, sound_ms, budget, "ms");
      judge(`${name}: picture back after`, picture_ms, budget, "ms");
    }
  });
}

/** So much up, for each of the two; what is promised is `keeps`: of {moves: pictures per second}. */
async function thinUplink(kbps, keeps) {
  console.log(`\n${kbps} kb/s up, ${THIN_LOSS} % loss, ${DELAY_MS} ms each way, a queue of ${THIN_QUEUE}, `
    + `${how.seconds} s after ${THIN_SETTLE_S} s`);
  const settings = [`loss=${THIN_LOSS}`, `delay=${DELAY_MS}`, `queue=${THIN_QUEUE}`];
  await inCall(browser, settings, async (call) => {
    await call.relay.tell(`set up.kbps=${kbps}`);
    const measured = await call.measure(THIN_SETTLE_S, how.seconds);
    say(measured);
    for (const one of measured) {
      judge(`${one.name}: concealed by the mixer`, figures(one).up_concealed, THIN_CONCEALED, "%");
      const moves = one.notes.moves.length / how.seconds;
      const kept = keeps({ moves });
      isOver ||= !kept;
      console.log(`  ${`${one.name}: pictures of the other`.padEnd(34)} ${moves.toFixed(1).padStart(7)} /s${kept ? "" : "  OVER"}`);
    }
  }, { fits: true });
}

/** Loss without jitter, and jitter without loss. */
async function table() {
  const rows = [
    ...LOSSES.map((loss) => ({ loss, jitter: 0 })),
    ...JITTERS.filter((jitter) => jitter > 0).map((jitter) => ({ loss: 0, jitter })),
  ];
  console.log(`\n${DELAY_MS} ms each way; loss and jitter both ways; ${how.seconds} s after ${how.settle} s each\n`);
  console.log("| loss | jitter | concealed by the browser | by the mixer | waits in the browser | in the mixer "
    + "| mouth to ear | added | freezes | longest | frames |");
  console.log("|---|---|---|---|---|---|---|---|---|---|---|");
  let undisturbed;
  for (const { loss, jitter } of rows) {
    const settings = [`loss=${loss}`, `delay=${DELAY_MS}`, `jitter=${jitter}`];
    const measured = await inCall(browser, settings, (call) => call.measure(how.settle, how.seconds));
    say(measured);
    const both = measured.map(figures);
    const of = (name) => median(both.map((found) => found[name]).sort((a, b) => b - a));
    const worst = (name) => Math.max(...both.map((found) => found[name]));
    const mouthToEar = of("mouth_to_ear_ms");
    undisturbed ??= mouthToEar;
    const freezes = both.reduce((sum, { freezes }) => sum + freezes, 0);
    console.log(`| ${loss} % | ±${jitter} ms | ${worst("down_concealed").toFixed(2)} % `
      + `| ${worst("up_concealed").toFixed(2)} % | ${of("down_buffer_ms").toFixed(0)} ms `
      + `| ${of("up_buffer_ms").toFixed(0)} ms | ${mouthToEar.toFixed(0)} ms `
      + `| ${(mouthToEar - undisturbed).toFixed(0)} ms | ${freezes} | ${worst("longest_gap_ms").toFixed(0)} ms `
      + `| ${of("fps").toFixed(1)}/s |`);
  }
}

const busy = os.loadavg()[0];
console.log(`${os.cpus().length} cores, ${busy.toFixed(1)} of them busy before we began`);
browser = await launch();
try {
  for (const name of how.only) await PARTS[name]();
} finally {
  await browser.close();
}
process.exitCode = isOver ? 1 : 0;
