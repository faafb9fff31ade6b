/**
 * Media by way of a relay: a real coturn, which lets in who has the credentials that the daemon gave.
 */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { launch } from "./browser.mjs";
import { startCoturn } from "./coturn.mjs";
import { SMALL, startDaemon } from "./daemon.mjs";
import { LOOKS, near, participate } from "./participant.mjs";
import { until } from "./until.mjs";

const [RED, GREEN] = LOOKS;
const HEARD_DB = -60;

let coturn;
let daemon;
let browser;

before(async () => {
  coturn = await startCoturn();
  daemon = await startDaemon([...SMALL, ...coturn.flags]);
  browser = await launch();
});

after(async () => {
  await browser?.close();
  const code = await daemon?.stop();
  await coturn?.stop();
  assert.equal(code, 0, "the daemon ends cleanly");
});

/** The kind of address that media leaves from. */
async function leavesFrom({ ask }) {
  const entries = await ask("statistics");
  const chosen = entries.find(({ type }) => type === "transport")?.selectedCandidatePairId;
  const pair = entries.find(({ id }) => id === chosen);
  return entries.find(({ id }) => id === pair?.localCandidateId)?.candidateType;
}

test("who can reach nothing but the relay hears and sees, and is heard and seen", async () => {
  const red = await participate(browser, daemon.url, { room: "turn", relayed: true, ...RED });
  const green = await participate(browser, daemon.url, { room: "turn", ...GREEN });

  for (const { ask } of [red, green]) {
    await until("both tiles", () => ask("look"), (tiles) =>
      near(tiles[red.id], RED.color) && near(tiles[green.id], GREEN.color));
  }
  await until("green's tone", () => red.ask("hear", [GREEN.tone_hz]), ([level]) => level > HEARD_DB);
  await until("red's tone", () => green.ask("hear", [RED.tone_hz]), ([level]) => level > HEARD_DB);
  assert.equal(await leavesFrom(red), "relay");
  assert.notEqual(await leavesFrom(green), "relay", "who can do without the relay does");
  assert.deepEqual([...red.errors, ...green.errors], []);
  await red.close();
  await green.close();
});
