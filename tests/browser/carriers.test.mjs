/**
 * Signaling over whatever gets through: the client finds it by itself, and the call goes on where it
 * was when one carrier takes the place of another.
 */
import assert from "node:assert/strict";
import { isDeepStrictEqual } from "node:util";
import { after, before, describe, test } from "node:test";

import { SMALL, startDaemon } from "./daemon.mjs";
import { browser, daemon } from "./ground.mjs";
import { LOOKS, near, participate, seatOf, untilDecoding } from "./participant.mjs";
import { startProxy } from "./proxy.mjs";
import { until } from "./until.mjs";

const [RED, GREEN] = LOOKS;

/** That both see and are told of each other. */
async function untilTogether(one, other) {
  await until("the other's picture", () => one.ask("look"), (tiles) => near(tiles[other.id], GREEN.color));
  await one.ask("setMuted", true);
  await until("the other to know", seatOf(other, one), ({ muted }) => muted);
  await other.ask("setMuted", true);
  await until("to be told", seatOf(one, other), ({ muted }) => muted);
  for (const { ask } of [one, other]) await ask("setMuted", false);
}

describe("a call behind a proxy", () => {
  const cases = [
    { what: "that lets WebSockets through uses one", rules: {}, carrier: "ws" },
    { what: "that blocks WebSockets uses server-sent events", rules: { blocksUpgrades: true }, carrier: "sse" },
    {
      what: "that also holds back streams polls",
      rules: { blocksUpgrades: true, holdsBack: true },
      carrier: "poll",
    },
    { what: "whose WebSockets carry nothing uses server-sent events", rules: { swallowsUpgrades: true }, carrier: "sse" },
  ];
  for (const [n, { what, rules, carrier }] of cases.entries()) {
    test(what, async (t) => {
      const proxy = await startProxy(daemon.url);
      t.after(() => proxy.close());
      Object.assign(proxy.rules, rules);
      const room = `behind-${n}`;
      const green = await participate(browser, daemon.url, { room, ...GREEN });

      const red = await participate(browser, proxy.url, { room, ...RED });

      await untilTogether(red, green);
      assert.equal(await red.ask("carrier"), carrier);
      await red.ask("leave");
      await until("the seat to go", seatOf(green, red), (seat) => seat === undefined);
      assert.deepEqual([...red.errors, ...green.errors], []);
      await red.close();
      await green.close();
    });
  }
});

test("a proxy whose WebSockets carry nothing costs a moment, not a reply's whole patience", async (t) => {
  const proxy = await startProxy(daemon.url);
  t.after(() => proxy.close());
  proxy.rules.swallowsUpgrades = true;
  const asked = (start) => async () => proxy.requests.some((request) => request.startsWith(start));
  const joining = participate(browser, proxy.url, { room: "swallowed", ...RED });
  await until("a WebSocket to be tried", asked("UPGRADE"), Boolean);
  const triedAt = performance.now();

  await until("events to be tried", asked("POST /sessions"), Boolean);

  const ms = performance.now() - triedAt;
  t.diagnostic(`the next carrier was tried after ${Math.round(ms)} ms`);
  assert.ok(ms < 8_000, "a reply may take 10 s");
  const red = await joining;
  assert.equal(await red.ask("carrier"), "sse");
  assert.equal((await red.ask("participants")).length, 1, "one join came through");
  assert.deepEqual(red.errors, []);
  await red.close();
});

describe("a call that is told what to use", () => {
  // A poll that breaks may well be asked again by the browser itself.
  for (const [carrier, sign] of [["sse", /^POST \/sessions$/], ["poll", /^GET .*\/poll/]]) {
    test(`uses ${carrier}, and goes on over it when all connections break`, async (t) => {
      const proxy = await startProxy(daemon.url);
      t.after(() => proxy.close());
      const room = `told-${carrier}`;
      const green = await participate(browser, daemon.url, { room, ...GREEN });
      const red = await participate(browser, proxy.url, { room, ...RED, carrier });
      await untilTogether(red, green);
      const { offers, iceUser } = { offers: await red.ask("offers"), iceUser: await red.ask("iceUser") };
      const before = proxy.requests.length;

      proxy.cut();

      await until("the session to go on", async () => proxy.requests.slice(before), (requests) =>
        requests.some((request) => sign.test(request)));
      await until("red to be connected", () => red.ask("state"), (state) => state === "connected");
      await untilTogether(red, green);
      await untilDecoding(red);
      assert.equal(await red.ask("offers"), offers);
      assert.equal(await red.ask("iceUser"), iceUser);
      await until("one connected transport", () => red.ask("transports"), (states) => states.join() === "connected");
      assert.ok(!proxy.requests.some((request) => request.startsWith("UPGRADE")));
      await red.close();
      await green.close();
    });
  }
});

test("a session goes on over events when WebSockets are blocked in the middle of a call", async (t) => {
  const proxy = await startProxy(daemon.url);
  t.after(() => proxy.close());
  const green = await participate(browser, daemon.url, { room: "midway", ...GREEN });
  const red = await participate(browser, proxy.url, { room: "midway", ...RED });
  await untilTogether(red, green);
  const offers = await red.ask("offers");
  const { tiles } = await green.ask("layout");

  proxy.rules.blocksUpgrades = true;
  proxy.cut();
  await until("red to notice", () => red.ask("state"), (state) => state === "reconnecting");
  await green.ask("setMuted", true);
  await untilDecoding(red);

  await until("red to be connected again", () => red.ask("state"), (state) => state === "connected");
  assert.equal(await red.ask("carrier"), "sse");
  await until("what was said meanwhile", seatOf(red, green), ({ muted }) => muted);
  assert.equal(await red.ask("offers"), offers, "media needed nothing");
  await until("one connected transport", () => red.ask("transports"), (states) => states.join() === "connected");
  await until("everybody to be where they were", async () => (await green.ask("layout")).tiles, (now) =>
    isDeepStrictEqual(now, tiles));
  assert.deepEqual((await green.ask("participants")).map(({ id }) => id), [green.id, red.id]);
  assert.deepEqual([...red.errors, ...green.errors], []);
  await red.close();
  await green.close();
});

test("a server that stops says so over any carrier, and stops at once", async () => {
  const stopping = await startDaemon(SMALL);
  const calls = [];
  for (const carrier of ["ws", "sse", "poll"]) {
    calls.push(await participate(browser, stopping.url, { room: "stopping", ...RED, carrier, hurry: true }));
  }

  const code = await stopping.stop();

  assert.equal(code, 0);
  for (const { ask, close } of calls) {
    await until("to be told", () => ask("errors"), (codes) => codes.includes("draining"));
    await close();
  }
});

describe("which carrier to try", () => {
  let page;

  before(async () => {
    page = await browser.newPage();
    await page.goto(`${daemon.url}/healthz`);
  });

  after(() => page?.close());

  const rows = [
    ["the best first, and the next one with it", [], ["ws", "sse"]],
    ["only what was forced", [], ["poll"], "poll"],
    ["only what has worked, at first", ["works ws", "lost after words"], ["ws"]],
    ["the next one, too, when that failed twice", ["works ws", "lost after words", "failed", "failed"], ["ws", "sse"]],
    ["the best again after help by the next one", ["works ws", "failed", "failed", "works sse", "lost after words"], ["ws"]],
    ["nothing that never worked where the next one did", ["works sse"], ["sse"]],
    ["nothing over which nothing came", ["works sse", "lost without a word"], ["poll"]],
    ["nothing that breaks again and again", Array(5).fill(["works ws", "lost after words"]).flat(), ["sse", "poll"]],
    ["what there is, where there is nothing else", ["works poll", "lost without a word"], ["poll"]],
  ];
  for (const [what, history, expected, forced = null] of rows) {
    test(what, async () => {
      const candidates = await page.evaluate(async ([url, history, forced]) => {
        const { CarrierChoice } = await import(`${url}/mosaic/choice.js`);
        const choice = new CarrierChoice(forced);
        for (const event of history) {
          if (event === "failed") choice.failed();
          else if (event.startsWith("works")) choice.works(event.split(" ")[1]);
          else choice.lost(event === "lost after words");
        }
        return choice.candidates();
      }, [daemon.url, history, forced]);

      assert.deepEqual(candidates, expected);
    });
  }
});
