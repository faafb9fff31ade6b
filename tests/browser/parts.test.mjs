/**
 * Parts of the client by themselves, in a page whose clock the test has in its hand.
 */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { browser, daemon } from "./ground.mjs";

let page;

before(async () => {
  page = await browser.newPage();
  await page.clock.install();
  await page.goto(`${daemon.url}/healthz`);
});

after(() => page?.close());

describe("what an uplink has room for", () => {
  /** 400 kb/s of picture and 32 of sound are worth sending: from 150 on that is wide enough. */
  const WORTH = { video: { width: 640, height: 360, fps: 15, kbps: 400 }, audio: { kbps: 32, packet_ms: 20 } };
  const rows = [
    ["everything, where the browser does not say", Array(9).fill(null), "wide"],
    ["everything, as long as it is little only once", [20_000, 500_000, 140_000, 500_000], "wide"],
    ["a small picture, after two looks at less than that takes", [140_000, 140_000], "narrow"],
    ["a small picture, while a keyframe makes it look bare",
      [140_000, 140_000, 35_000, 35_000, 35_000, 140_000], "narrow"],
    ["a small picture still, three looks later", Array(5).fill(35_000), "narrow"],
    ["sound only, after four looks at less than both take", Array(6).fill(35_000), "bare"],
    ["sound only at once, where there is no doubt", [20_000, 20_000], "bare"],
    ["everything again, only after five looks at a quarter more",
      [140_000, 140_000, ...Array(4).fill(190_000)], "narrow"],
    ["everything again, after that", [140_000, 140_000, ...Array(5).fill(190_000)], "wide"],
    ["no picture for twice as long, once one had to be given up", [20_000, 20_000, ...Array(9).fill(45_000)], "bare"],
    ["a picture for a try, after that", [20_000, 20_000, ...Array(10).fill(45_000)], "narrow"],
  ];
  for (const [what, estimates, expected] of rows) {
    test(what, async () => {
      await page.evaluate(async ([estimates, worth]) => {
        const { UplinkWatch } = await import("/mosaic/uplink.js");
        const transport = { availableBps: async () => estimates.shift() };
        window.watch = new UplinkWatch(transport, () => {});
        window.watch.expect(worth);
      }, [[...estimates], WORTH]);

      // A look at a time: what it saw is judged before the next.
      for (const _ of estimates) await page.clock.runFor(1_000);

      const breadth = await page.evaluate(() => {
        window.watch.stop();
        return window.watch.breadth;
      });
      assert.equal(breadth, expected);
    });
  }
});

describe("how a picture is encoded", () => {
  const CAMERA = { width: 1280, height: 720 };
  const worth = (width, height) => ({ width, height, fps: 30, kbps: 500 });
  const rows = [
    ["not at all, where nobody sees it", [null, CAMERA, "wide"], null],
    ["not at all, where there is room for sound only", [worth(640, 360), CAMERA, "bare"], null],
    ["scaled to the largest tile", [worth(640, 360), CAMERA, "wide"], [2, 500_000, 30]],
    ["scaled to what is cheap, with some more to spend on what is larger than the tile",
      [worth(512, 288), CAMERA, "wide"], [2, 781_250, 30]],
    ["as it is, where it is hardly larger than the tile", [worth(1200, 676), CAMERA, "wide"], [1, 568_047, 30]],
    ["never enlarged", [worth(1280, 720), { width: 320, height: 180 }, "wide"], [1, 500_000, 30]],
    ["small and slow, where the uplink is narrow", [worth(640, 360), CAMERA, "narrow"], [4, 500_000, 8]],
    ["as worth says, where the camera does not say how large it is",
      [worth(640, 360), undefined, "wide"], [1, 500_000, 30]],
  ];
  for (const [what, asked, expected] of rows) {
    test(what, async () => {
      const encoding = await page.evaluate(async (asked) => {
        const { videoEncoding } = await import("/mosaic/encoding.js");
        return videoEncoding(...asked);
      }, asked);

      const [scaleResolutionDownBy, maxBitrate, maxFramerate] = expected ?? [];
      assert.deepEqual(encoding, expected && { scaleResolutionDownBy, maxBitrate, maxFramerate });
    });
  }

  test("and sound in few long packets, where the uplink is not wide", async () => {
    const encodings = await page.evaluate(async () => {
      const { audioEncoding } = await import("/mosaic/encoding.js");
      return ["wide", "narrow", "bare"].map((breadth) => audioEncoding({ kbps: 32, packet_ms: 20 }, breadth));
    });

    const little = { kbps: 16, packetMs: 60 };
    assert.deepEqual(encodings, [{ kbps: 32, packetMs: 20 }, little, little]);
  });
});

describe("whether packets come", () => {
  const rows = [
    ["is not judged before the first has come", [0, 0, 0, 0, 0, 0, 0, 0], []],
    ["is believed while they do", [1, 2, 3, 4, 5, 6, 7, 8], []],
    ["is doubted after a second without any", [1, 1, 1, 1, 1], ["silence"]],
    ["is not doubted before", [1, 1, 1, 1, 2, 2, 2, 2, 3], []],
    ["is told when they come again", [1, 1, 1, 1, 1, 2], ["silence", "packets"]],
    ["is doubted again after twice as long", [1, ...Array(4).fill(1), ...Array(7).fill(1)], ["silence"]],
    ["and told so", [1, ...Array(4).fill(1), ...Array(8).fill(1)], ["silence", "silence"]],
  ];
  for (const [what, counts, expected] of rows) {
    test(what, async () => {
      await page.evaluate(async (counts) => {
        const { Pulse } = await import("/mosaic/pulse.js");
        window.felt = [];
        window.pulse = new Pulse({ packetsReceived: async () => counts.shift() }, {
          onSilence: () => window.felt.push("silence"),
          onPackets: () => window.felt.push("packets"),
        });
      }, [...counts]);

      for (const _ of counts) await page.clock.runFor(250);

      const felt = await page.evaluate(() => {
        window.pulse.stop();
        return window.felt;
      });
      assert.deepEqual(felt, expected);
    });
  }
});

describe("what is known of a room", () => {
  /** Has it told these, and gives what it knows then, and what it emitted. */
  const after = (...messages) => page.evaluate(async (messages) => {
    const { Room } = await import("/mosaic/room.js");
    const events = [];
    const room = new Room((type, { number }) => events.push(number ? `${type} ${number}` : type), () => {});
    const participants = ["p1", "p2"].map((id) => ({ id, name: id }));
    room.enter({ participant: "p1", participants, canvas: { width: 640, height: 360 } });
    room.wishes = { layout: "speaker", pin: "p2" };
    for (const message of messages) room.take(message);
    const { chat, wishes } = room;
    return { events, first: chat[0]?.number, count: chat.length, wishes, ids: [...room.participants.keys()] };
  }, messages);
  const written = (number) => ({ type: "chat", number, from: "p2", name: "p2", text: "hello", at_ms: 0 });

  test("is each message once, whatever is told again", async () => {
    const { events } = await after(written(1), written(2), written(1), written(2), written(3));

    assert.deepEqual(events, ["chat 1", "chat 2", "chat 3"]);
  });

  test("are the last thousand messages", async () => {
    const { first, count } = await after(...Array.from({ length: 1_010 }, (_, n) => written(n + 1)));

    assert.deepEqual([first, count], [11, 1_000]);
  });

  test("ends a wish to see somebody large who leaves, and no other", async () => {
    const { ids, wishes, events } = await after({ type: "participant_left", participant: "p2", reason: "left" });

    assert.deepEqual([ids, wishes, events], [["p1"], { layout: "speaker" }, ["participants"]]);
  });

  test("is no more than that, whatever a newer server may say", async () => {
    const stranger = { type: "participant_left", participant: "p9" };
    const { events, ids } = await after({ type: "weather", degrees: 21 }, stranger);

    assert.deepEqual([events, ids], [[], ["p1", "p2"]]);
  });
});

describe("how long to wait for another attempt", () => {
  const rows = [
    ["half a second at first", 0, null, 250, 500],
    ["twice as long each time", 3, null, 2_000, 4_000],
    ["ten seconds at most", 14, null, 5_000, 10_000],
    ["as long as the server advises", 0, 3_000, 3_000, 3_000],
    ["but never an hour", 0, 3_600_000, 60_000, 60_000],
  ];
  for (const [what, attempt, retryAfterMs, least, most] of rows) {
    test(what, async () => {
      const waits = await page.evaluate(async ([attempt, retryAfterMs]) => {
        const { waitMs } = await import("/mosaic/attempts.js");
        return Array.from({ length: 100 }, () => waitMs(attempt, { retryAfterMs }));
      }, [attempt, retryAfterMs]);

      assert.ok(waits.every((ms) => ms >= least && ms <= most), `${Math.min(...waits)} to ${Math.max(...waits)} ms`);
    });
  }
});
