/**
 * A call of two over a bad network: daemon, relay and two witnesses, made anew for each measurement,
 * so that no buffer remembers the one before.
 */
import { boundAddress, startDaemon } from "../daemon.mjs";
import { pathsOf } from "../paths.mjs";
import { startUdpRelay } from "../udp-relay.mjs";
import { until } from "../until.mjs";
import { witness } from "./witness.mjs";

/** What two cores mix beside a browser that encodes and decodes for two. */
const FLAGS = ["--size", "640x360", "--fps", "30", "--video-kbps", "800"];

/** Both speak all the time, at pitches that are no multiples of each other. */
const SPEAKERS = [
  { name: "Low", pitch_hz: 110 },
  { name: "High", pitch_hz: 187 },
];

const pause = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1_000));

/**
 * Runs `body` in a call whose network is as `settings` say, and ends the call.
 *
 * @template T
 * @param {import("playwright-core").Browser} browser
 * @param {string[]} settings of the relay
 * @param {(call: Awaited<ReturnType<typeof begin>>) => Promise<T>} body
 * @param {{fits?: boolean}} [how] they take part, as `participate` has it
 */
export async function inCall(browser, settings, body, how = {}) {
  const call = await begin(browser, settings, how);
  try {
    return await body(call);
  } finally {
    await call.end();
  }
}

async function begin(browser, settings, how) {
  const relay = await startUdpRelay(settings);
  const daemon = await startDaemon([...FLAGS, "--announce", relay.address]);
  await relay.tell(`target ${boundAddress(daemon.log)}`);
  const witnesses = [];
  for (const speaker of SPEAKERS) {
    witnesses.push(await witness(browser, daemon.url, { room: "bench", ...speaker, ...how }));
  }
  for (const { name, notes } of witnesses) {
    await until(`${name} to see the other`, notes, ({ moves, marks }) => moves.length > 10 && marks.length > 0);
  }
  return {
    relay,
    witnesses,
    /** Measures for so long, after so long; one result for each witness. */
    async measure(settle, seconds) {
      await pause(settle);
      const from = Date.now();
      await Promise.all(witnesses.map(({ begin }) => begin()));
      const before = await Promise.all(witnesses.map(({ ask }) => ask("rtp")));
      await pause(seconds);
      const after = await Promise.all(witnesses.map(({ ask }) => ask("rtp")));
      const notes = await Promise.all(witnesses.map(({ notes }) => notes()));
      for (const { ask, name } of witnesses) {
        if (await ask("pair") !== relay.address) throw new Error(`${name} passed the relay by`);
      }
      return witnesses.map(({ id, name }, n) => ({
        name,
        before: before[n],
        after: after[n],
        notes: notes[n],
        paths: pathsOf(daemon.log, id).filter(({ at_ms }) => at_ms >= from),
      }));
    },
    async end() {
      for (const { close } of witnesses) await close();
      await daemon.stop();
      await relay.close();
    },
  };
}
