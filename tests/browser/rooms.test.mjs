/**
 * What a moderator does, as seen and heard by everybody else in real browsers.
 */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { launch } from "./browser.mjs";
import { SMALL, startDaemon } from "./daemon.mjs";
import { LOOKS, near, participate } from "./participant.mjs";
import { until } from "./until.mjs";

const ROOM = { room: "demo" };

/** Nothing is heard below this, everything above that, in dB. */
const SILENT_DB = -80;
const HEARD_DB = -60;

describe("a room with a moderator", () => {
  let daemon;
  let browser;
  let host;
  let green;
  let blue;
  let everybody;

  before(async () => {
    daemon = await startDaemon([...SMALL, "--seat-seconds", "2"]);
    browser = await launch();
    everybody = [];
    for (const look of LOOKS) {
      everybody.push({ look, ...(await participate(browser, daemon.url, { ...ROOM, ...look })) });
    }
    [host, green, blue] = everybody;
  });

  after(async () => {
    await browser?.close();
    assert.equal(await daemon?.stop(), 0, "the daemon ends cleanly");
  });

  const moderate = (act, fields = {}) => host.ask("moderate", [act, fields]);
  const seenBy = async ({ ask }, { id }) => (await ask("participants")).find((one) => one.id === id);
  const level = ({ ask }, { look }) => ask("hear", [look.tone_hz]);
  const sentBy = async ({ ask }, kind) => (await ask("rtp")).outbound[kind].packetsSent;

  test("the first moderates, and nobody else may", async () => {
    await until("their roles", () => host.ask("participants"), (all) =>
      all.map(({ role }) => role).join() === "moderator,participant,participant");
    await assert.rejects(green.ask("moderate", ["lock", {}]), /moderators/);
  });

  test("who is muted by force is silent whatever they send, and is told", async () => {
    await until("green to be heard", () => level(blue, green), ([db]) => db > HEARD_DB);

    await moderate("mute", { participant: green.id, how: "hold" });

    await until("green's client to know", () => green.ask("muted"));
    await until("blue to know by whom", () => seenBy(blue, green), ({ muted_by }) => muted_by === host.id);
    await green.ask("disobey");
    const before = await sentBy(green, "audio");
    await until("green's packets to flow", () => sentBy(green, "audio"), (sent) => sent > before + 100);
    await until("silence of green", () => level(blue, green), ([db]) => db < SILENT_DB);

    await green.ask("setMuted", false);
    assert.equal(await green.ask("muted"), true, "it is held");
    await moderate("unmute", { participant: green.id });
    await until("green to be asked", () => green.ask("told"),
      (told) => told.some(([type, { to, by }]) => type === "asked" && to === "unmute" && by === host.id));
    await green.ask("setMuted", false);
    await until("green to be heard again", () => level(blue, green), ([db]) => db > HEARD_DB);
  });

  test("who is switched off by force is a placeholder whatever they send, and may come back", async () => {
    const { color } = green.look;
    const green_as_blue_sees = async () => (await blue.ask("look"))[green.id];
    await until("green's color", green_as_blue_sees, (seen) => near(seen, color));

    await moderate("camera_off", { participant: green.id });

    await until("green's client to know", () => green.ask("camera"), (on) => on === false);
    await green.ask("disobey");
    const before = await sentBy(green, "video");
    await until("green's packets to flow", () => sentBy(green, "video"), (sent) => sent > before + 20);
    await until("green's color to be gone", green_as_blue_sees, (seen) => seen && !near(seen, color));

    await green.ask("setCamera", true);
    await until("green's color to be back", green_as_blue_sees, (seen) => near(seen, color));
    await until("blue to know", () => seenBy(blue, green), ({ camera_off_by }) => camera_off_by === undefined);
  });

  test("who is pinned for the room is large to everybody, and sees somebody else large", async () => {
    await moderate("pin", { participant: blue.id });

    for (const one of [host, green]) {
      const [large] = await until("blue to be large", async () => (await one.ask("layout")).tiles,
        ([large, small]) => large.participant === blue.id && small && large.width > small.width);
      assert.equal(large.participant, blue.id);
      await until("blue's color there", () => one.ask("look"), (tiles) => near(tiles[blue.id], blue.look.color));
    }
    await until("somebody else to be large to blue", async () => (await blue.ask("layout")).tiles,
      ([large, small]) => large.participant !== blue.id && small && large.width > small.width);
    assert.equal((await green.ask("roomState")).pinned, blue.id);

    await moderate("pin");
    for (const { ask } of everybody) {
      await until("everybody alike again", async () => (await ask("layout")).tiles,
        ([one, other]) => one.width === other.width);
    }
  });

  test("whom one pins for oneself is large to oneself and to nobody else", async () => {
    await green.ask("prefer", { pin: host.id });

    await until("red to be large to green", async () => (await green.ask("layout")).tiles,
      ([large, small]) => large.participant === host.id && small && large.width > small.width);
    await until("red's color there", () => green.ask("look"), (tiles) => near(tiles[host.id], host.look.color));
    await until("blue to see all alike", async () => (await blue.ask("layout")).tiles,
      ([one, other]) => one.width === other?.width);

    await green.ask("prefer", {});
    await until("everybody alike again", async () => (await green.ask("layout")).tiles,
      ([one, other]) => one.width === other.width);
  });

  test("the layout of the room is for those who ask for none", async () => {
    await green.ask("prefer", { layout: "grid" });
    await moderate("layout", { layout: "speaker" });

    await until("somebody large to blue", async () => (await blue.ask("layout")).tiles,
      ([large, small]) => large.width > small.width);
    await until("green to see the grid it asked for", async () => (await green.ask("layout")).tiles,
      ([one, other]) => one.width === other?.width);

    await moderate("layout");
    await green.ask("prefer", {});
    await until("everybody alike again", async () => (await blue.ask("layout")).tiles,
      ([one, other]) => one.width === other.width);
  });

  test("hands and words reach the others, and words those who come later", async () => {
    await blue.ask("setHand", true);
    await until("blue's hand", async () => (await seenBy(host, blue)).hand_raised_ms);
    await moderate("lower_hand", { participant: blue.id });
    await until("blue's hand to be down", () => blue.ask("participants"),
      (all) => all.find(({ id }) => id === blue.id).hand_raised_ms === undefined);

    await blue.ask("chat", "hello");
    await until("the word at green's", () => green.ask("chatLog"), ([first]) => first?.text === "hello");

    const late = await participate(browser, daemon.url, { ...ROOM, name: "Late", hurry: true });
    assert.deepEqual((await late.ask("chatLog")).map(({ name, text }) => [name, text]), [["Blue", "hello"]]);
    await late.ask("leave");
    await late.close();
  });

  test("who comes to a lobby waits to be let in, and then hears and sees", async () => {
    await moderate("lobby", { on: true });
    const arriving = participate(browser, daemon.url, { ...ROOM, name: "Guest" });

    const [guest] = await until("a knock", () => host.ask("knocking"), ({ length }) => length === 1);
    assert.equal(guest.name, "Guest");
    assert.deepEqual(await green.ask("knocking"), [], "that is not for green");
    await moderate("admit", { waiting: guest.id });

    const late = await arriving;
    assert.deepEqual((await late.ask("states")).slice(0, 2), ["waiting", "joining"]);
    await until("the room's picture", () => late.ask("look"), (tiles) =>
      everybody.every(({ id, look }) => near(tiles[id], look.color)));
    await until("green's tone", () => level(late, green), ([db]) => db > HEARD_DB);
    await late.ask("leave");
    await late.close();
    await moderate("lobby", { on: false });
  });

  test("who is removed is out, with their tile, and is told why", async () => {
    await moderate("remove", { participant: blue.id });

    await until("blue to be out", () => blue.ask("state"), (state) => state === "failed");
    assert.equal(await blue.ask("error"), "removed");
    await until("two tiles", () => green.ask("layout"), ({ tiles }) => tiles.length === 2);
  });

  test("the end is the end for everybody", async () => {
    await moderate("end");

    for (const { ask } of [host, green]) {
      await until("the end", () => ask("state"), (state) => state === "failed");
      assert.equal(await ask("error"), "ended");
    }
    for (const { errors } of everybody) assert.deepEqual(errors, []);
  });
});
