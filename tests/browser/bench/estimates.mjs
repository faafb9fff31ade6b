/**
 * Records what the server takes a receiver's downlink for while the link changes: the rows that the
 * tests of the ladder replay (`fixtures/estimates`).
 *
 * A room of nine and one real browser behind a narrow link, as in `links.mjs`. An operator's question,
 * ten times a second, gives a row: milliseconds since the browser came, what the link carries, what it
 * is taken for now and when a queue has emptied (kb/s, `-` while unknown), the loss in percent, and the rung that is shown
 * (`-` for none).
 */
import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";

import { launch } from "../browser.mjs";
import { inRoomOfNine } from "./room.mjs";

const KEY = "the-key-of-whoever-records";
const EVERY_MS = 100;
const PATH = ["loss=2", "delay=40", "queue=300ms"];

/** [from second, kb/s], and how many seconds in all. */
const halving = (wide, narrow) => ({
  turns: [[0, wide], [20, narrow], [40, wide], [60, narrow], [80, wide]],
  seconds: 100,
});

const climbing = (lowest, step, steps, teeth) => {
  const turns = Array.from({ length: teeth * steps }, (_, n) => [2 * n, lowest + step * (n % steps)]);
  return { turns, seconds: 2 * turns.length };
};

/** Two takes of the same link are two receivers with luck of their own. */
const LINKS = {
  "steps-1200-1": halving(1_200, 600),
  "steps-1200-2": halving(1_200, 600),
  "steps-200-1": halving(200, 100),
  "steps-200-2": halving(200, 100),
  "sawtooth-1": climbing(300, 100, 7, 6),
};

const { values, positionals: [folder] } = parseArgs({
  allowPositionals: true,
  options: {
    /** Some of the names, with commas between them. */
    only: { type: "string", default: Object.keys(LINKS).join(",") },
  },
});
if (!folder) throw new Error("expected the folder to write to");

async function record({ turns, seconds }, flags) {
  const browser = await launch();
  try {
    const settings = [...PATH, `down.kbps=${turns[0][1]}`];
    return await inRoomOfNine(browser, settings, async (room) => {
      const rows = [];
      let pending = turns.slice(1);
      let kbps = turns[0][1];
      for (let at = 0; at < 1_000 * seconds; at += EVERY_MS) {
        const late = Date.now() - room.joined - at;
        if (late < 0) await new Promise((resolve) => setTimeout(resolve, -late));
        if (pending.length && at >= 1_000 * pending[0][0]) {
          [[, kbps], ...pending] = pending;
          await room.relay.tell(`set down.kbps=${kbps}`);
        }
        rows.push([Date.now() - room.joined, kbps, ...await seen(room)]);
      }
      return rows.map((row) => `${row.join(" ")}\n`).join("");
    }, flags);
  } finally {
    await browser.close();
  }
}

async function seen({ daemon: { url }, id }) {
  const answer = await fetch(`${url}/api/v1/rooms/links`, { headers: { authorization: `Bearer ${KEY}` } });
  if (!answer.ok) throw new Error(`${answer.status}: ${await answer.text()}`);
  const { participants } = await answer.json();
  const { downlink_kbps, lasting_kbps, loss_percent, rung } = participants.find((participant) => participant.id === id);
  return [downlink_kbps ?? "-", lasting_kbps ?? "-", loss_percent ?? 0, rung ?? "-"];
}

const secrets = await mkdtemp(path.join(os.tmpdir(), "estimates-"));
try {
  const keys = path.join(secrets, "keys");
  await writeFile(keys, `${KEY}\n`);
  for (const name of values.only.split(",")) {
    if (!LINKS[name]) throw new Error(`no such link: ${name}; there are ${Object.keys(LINKS)}`);
    const rows = await record(LINKS[name], ["--api-key-file", keys]);
    await writeFile(path.join(folder, `${name}.txt`), rows);
    const digest = createHash("sha256").update(rows).digest("hex");
    console.log(`| \`estimates/${name}.txt\` | ${rows.length} | \`${digest}\` |`);
  }
} finally {
  await rm(secrets, { recursive: true });
}
