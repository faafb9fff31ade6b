/**
 * What the page says of a thin link: the words for each reason why a picture is no better, that they
 * come and that they go again. The call is a real one; what the server says of the link, and what the
 * browser measures, is the test's.
 */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { browser, daemon } from "./ground.mjs";
import { until } from "./until.mjs";
import { joining, visit } from "./visitor.mjs";

/** What the server says by itself, and shall not say here. */
const ABOUT_LINKS = new Set(["quality", "uplink"]);

const PICTURE = { width: 640, height: 360, fps: 15 };
const RUNG = { name: "room", ...PICTURE };
const MOVING = { video: "moving", rung: RUNG, audio_kbps: 32, packet_ms: 20 };
const STILLS = { ...MOVING, video: "stills", audio_kbps: 16, packet_ms: 60 };
const PAUSED = { ...STILLS, video: "paused", rung: null };

/** In the order of a call whose link gets worse and better again. */
const ROWS = [
  { what: "all there is", quality: { ...MOVING, reason: "best", next: null },
    badge: "good", verdict: /is good/, why: "the best there is" },
  { what: "less than there is", quality: { ...MOVING, reason: "bandwidth", next: { kbps: 132 } },
    badge: "good", verdict: /is good/, why: "more from about 132 kb/s on" },
  { what: "less than is asked for, of which there is no more", quality: { ...MOVING, reason: "bandwidth", next: null },
    badge: "good", verdict: /is good/, why: "all the link carries" },
  { what: "stills", quality: { ...STILLS, reason: "bandwidth", next: { kbps: 100 } },
    badge: "fair", verdict: /link is thin/, why: "more from about 100 kb/s on", note: /is thin: .* a still picture/ },
  { what: "sound only", quality: { ...PAUSED, reason: "bandwidth", next: { kbps: 64 } },
    badge: "fair", verdict: /too thin for pictures/, why: "more from about 64 kb/s on", note: /too thin for pictures/ },
  { what: "no picture, as was asked", quality: { ...PAUSED, reason: "asked", next: null },
    badge: "good", verdict: /is good/, why: "no more was asked for" },
  { what: "little at first", quality: { ...MOVING, reason: "starting", next: null },
    badge: "good", verdict: /is good/, why: "finding out what the link carries" },
  { what: "all there is again", quality: { ...MOVING, reason: "best", next: null },
    badge: "good", verdict: /is good/, why: "the best there is" },
];

describe("the page of somebody whose link is thin", () => {
  let ann;
  /** Says something in the server's place. @type {(message: object) => void} */
  let tell;

  before(async () => {
    const context = await browser.newContext({ viewport: { width: 1280, height: 760 } });
    await context.routeWebSocket(/\/ws$/, (socket) => {
      socket.connectToServer().onMessage((text) => {
        if (!ABOUT_LINKS.has(JSON.parse(text).type)) socket.send(text);
      });
      tell = (message) => socket.send(JSON.stringify(message));
    });
    ann = await visit(browser, daemon.url, { path: joining("thin-page", "Ann"), context });
    await ann.inCall();
    await ann.page.evaluate((picture) => {
      window.mosaic.call.stats = async () => ({
        down_kbps: 300, up_kbps: 300, loss_down: 0, loss_up: 0, rtt_ms: 80, jitter_ms: 20, protocol: "udp",
        received: picture, sent: picture,
      });
      const { getStats } = RTCPeerConnection.prototype;
      RTCPeerConnection.prototype.getStats = async function () {
        const entries = [...await getStats.call(this)];
        const isPair = ({ type }) => window.uplinkBps && type === "candidate-pair";
        return new Map(entries.map(([id, entry]) =>
          [id, isPair(entry) ? { ...entry, availableOutgoingBitrate: window.uplinkBps } : entry]));
      };
    }, PICTURE);
    await ann.page.click("#show-link");
  });

  after(async () => {
    assert.deepEqual(ann?.errors, [], "nothing went wrong on the page");
    await ann?.close();
  });

  const notes = () => ann.text("#toasts");

  for (const { what, quality, badge, verdict, why, note } of ROWS) {
    test(`says what is received: ${what}`, async () => {
      await until("the notes of before to go", notes, (text) => text === "");

      tell({ type: "quality", ...quality });

      if (note) await until("a note", notes, (text) => note.test(text));
      await until("the reason", () => ann.text("#why"), (text) => text === why);
      await until("the verdict", () => ann.text("#link-verdict"), (text) => verdict.test(text));
      assert.equal(await ann.attribute("#show-link", "data-quality"), badge);
      assert.equal(await ann.attribute("#show-link", "aria-label"), `Connection, ${badge}`);
      if (!note) assert.equal(await notes(), "");
    });
  }

  test("says that nobody sees one's picture, for as long as it is so", async () => {
    const audio = { kbps: 32, packet_ms: 20 };
    tell({ type: "uplink", video: null, audio });
    await until("the word", () => ann.text("#sent"), (text) => text === "paused, nobody sees it");

    tell({ type: "uplink", video: { ...PICTURE, kbps: 400 }, audio });

    await until("the picture's size", () => ann.text("#sent"), (text) => text === "640 × 360, 15 fps");
    assert.equal(await notes(), "", "which is no news to anybody");
  });

  test("says that the uplink has no room for one's picture, for as long as it is so", async () => {
    await ann.page.evaluate(() => { window.uplinkBps = 20_000; });
    await until("a note", notes, (text) => /too thin for your picture/.test(text));
    await until("the word", () => ann.text("#sent"), (text) => text === "paused, to leave the link to your voice");

    await ann.page.evaluate(() => { window.uplinkBps = 2_000_000; });

    await until("the picture's size", () => ann.text("#sent"), (text) => text === "640 × 360, 15 fps");
    await until("the note to go", notes, (text) => text === "");
  });
});
