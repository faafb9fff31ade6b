/**
 * The way into a call from the conference page: by address, by hand, with what was chosen.
 */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { SMALL, startDaemon } from "./daemon.mjs";
import { browser, daemon } from "./ground.mjs";
import { startRelay } from "./relay.mjs";
import { until } from "./until.mjs";
import { joining, visit } from "./visitor.mjs";

describe("coming in", () => {
  test("an address with join=1 joins by itself and becomes an invitation", async () => {
    const guest = await visit(browser, daemon.url, { path: joining("itself", "Guest") });
    await guest.inCall();

    await guest.untilNamed("Guest (you)");
    assert.equal(guest.page.url(), `${daemon.url}/?room=itself`);
    assert.equal(await guest.page.title(), "itself · mosaicd");
    assert.ok(await guest.page.locator("#alone").isVisible(), "somebody alone is told how to invite");
    assert.deepEqual(guest.errors, []);
    await guest.close();
  });

  test("the lobby needs no mouse", async () => {
    const ann = await visit(browser, daemon.url);
    const { keyboard } = ann.page;
    const focused = () => ann.page.evaluate(() => document.activeElement.id);
    await until("the name to be asked for", focused, (id) => id === "name");

    await keyboard.type("Mimi Vamm");
    assert.equal(await ann.attribute("#lobby-mute", "aria-pressed"), "false", "an M in a name mutes nobody");
    assert.equal(await ann.attribute("#lobby-camera", "aria-pressed"), "false");
    await keyboard.press("Tab");
    assert.equal(await focused(), "room");
    assert.match(await ann.page.inputValue("#room"), /^[a-z]{4}(-[a-z]{4}){2}$/, "a room is suggested");
    await keyboard.press("ControlOrMeta+A");
    await keyboard.type("by keys");
    assert.equal(await ann.page.inputValue("#room"), "by-keys");
    await keyboard.press("Enter");

    await ann.inCall();
    await ann.untilNamed("Mimi Vamm (you)");
    await ann.close();
  });

  test("muted and without camera in the lobby is so in the call, and at the next visit", async () => {
    const ann = await visit(browser, daemon.url, { path: "/?room=wishes&name=Ann" });
    await ann.page.click("#lobby-mute");
    await ann.page.click("#lobby-camera");
    await ann.page.click("#join");
    await ann.inCall();

    for (const button of ["#mute", "#camera"]) assert.equal(await ann.attribute(button, "aria-pressed"), "true");
    await until("it to be told", ann.call, ({ participants: [self] }) => self.muted && !self.camera);

    await ann.page.reload();
    assert.ok(await ann.page.locator("#lobby").isVisible(), "nobody is drawn into a call by a reload");
    assert.equal(await ann.page.inputValue("#name"), "Ann");
    assert.equal(await ann.page.inputValue("#room"), "wishes");
    for (const button of ["#lobby-mute", "#lobby-camera"]) {
      assert.equal(await ann.attribute(button, "aria-pressed"), "true");
    }
    await ann.close();
  });

  test("a question for devices that nobody answers keeps nobody out", async () => {
    const ann = await visit(browser, daemon.url);
    await ann.page.addInitScript(() => {
      const devices = navigator.mediaDevices;
      const getUserMedia = devices.getUserMedia.bind(devices);
      devices.getUserMedia = (constraints) => new Promise((resolve) => {
        window.allow = () => resolve(getUserMedia(constraints));
      });
    });
    await ann.page.goto(daemon.url + joining("prompt", "Ann"));
    await ann.inCall();
    for (const button of ["#mute", "#camera"]) assert.equal(await ann.attribute(button, "aria-pressed"), "true");

    await ann.page.evaluate(() => window.allow());

    await until("both to be on", async () => [
      await ann.attribute("#mute", "aria-pressed"), await ann.attribute("#camera", "aria-pressed"),
    ], (pressed) => pressed.join() === "false,false");
    await until("it to be told", ann.call, ({ participants: [self] }) => !self.muted && self.camera);
    await ann.close();
  });

  test("a remembered device that is not plugged in today is no trouble", async () => {
    const ann = await visit(browser, daemon.url);
    await ann.page.evaluate(() => {
      for (const kind of ["audio", "video"]) localStorage.setItem(`mosaicd.device.${kind}`, "0".repeat(64));
    });
    await ann.page.goto(daemon.url + joining("unplugged", "Ann"));
    await ann.inCall();

    await until("microphone and camera", ann.call, ({ participants: [self] }) => !self.muted && self.camera);
    assert.equal(await ann.text("#devices-problem"), "");
    await ann.close();
  });

  test("a name or a room that will not do is said before anything is sent", async () => {
    const ann = await visit(browser, daemon.url, { path: "/?room=a/b&name=Ann" });

    await ann.page.click("#join");

    assert.ok(await ann.page.evaluate(() => document.querySelector("#room").matches(":invalid:focus")));
    assert.equal(await ann.call(), null);
    await ann.close();
  });

  test("a full room says so and lets one try again", async () => {
    const small = await startDaemon([...SMALL, "--max-participants", "1"]);
    const first = await visit(browser, small.url, { path: joining("tiny", "First") });
    await first.inCall();

    const second = await visit(browser, small.url, { path: joining("tiny", "Second") });
    await until("the reason", () => second.text("#lobby-notice"), (text) => text === "This room is full.");
    assert.ok(await second.page.locator("#join").isEnabled());

    await first.page.click("#leave");
    await first.page.locator("#lobby").waitFor();
    // The page does not wait for the server to have heard it.
    const health = async () => (await fetch(`${small.url}/healthz`)).json();
    await until("the seat to be free", health, ({ participants }) => participants === 0);
    await second.page.click("#join");
    await second.inCall();
    await first.close();
    await second.close();
    assert.equal(await small.stop(), 0);
  });
});

/** Who waits, as the host is told. */
const knocking = ({ page }) => () => page.evaluate(() => window.mosaic.call.knocking);

/** What a guest's call is at. */
const waits = ({ page }) => () => page.evaluate(() => {
  const { call } = window.mosaic;
  return { state: call?.state ?? null, place: call?.place ?? null };
});

/** How the guest has come in so far: what there is to that in what was sent, in order. */
const entries = async ({ page }) => {
  const said = await page.evaluate(() => window.said);
  return said.flatMap((text) => text.match(/(?<="type":")(join|resume)(?=")/g) ?? []);
};

/** That the guest came in once and then went on; over a dead line one may ask several times. */
const wentOn = (entries) => {
  assert.equal(entries[0], "join");
  assert.ok(entries.length > 1, "the session was taken up");
  assert.deepEqual([...new Set(entries.slice(1))], ["resume"], "and nothing was begun anew");
};

describe("waiting over a line that breaks", () => {
  for (const carrier of ["ws", "sse", "poll"]) {
    describe(`by ${carrier}`, () => {
      const room = `breaks-${carrier}`;
      let relay;
      let host;
      let guest;

      const breakLine = async () => {
        relay.cut();
        await until("it to be noticed", waits(guest), ({ state }) => state === "reconnecting");
      };

      before(async () => {
        relay = await startRelay(daemon.url);
        host = await visit(browser, daemon.url, { path: joining(room, "Host") });
        await host.inCall();
        await host.page.evaluate(() => window.mosaic.call.moderate("lobby", { on: true }));
        guest = await visit(browser, relay.url, { path: "/healthz" });
        await guest.page.evaluate(async ({ room, carrier }) => {
          const { send } = WebSocket.prototype;
          WebSocket.prototype.send = function (text) {
            window.said.push(text);
            send.call(this, text);
          };
          const { fetch } = window;
          window.fetch = (address, init) => {
            if (init.body) window.said.push(init.body);
            return fetch(address, init);
          };
          const { Call } = await import("/mosaic.js");
          window.knock = () => {
            window.said = [];
            const call = new Call({ room, name: "Guest", stream: null, carrier });
            window.mosaic = { call };
            window.ended = call.join().then(() => null, ({ code }) => code);
          };
          window.knock();
        }, { room, carrier });
        await until("to wait", waits(guest), ({ state, place }) => state === "waiting" && place === 1);
      });

      after(async () => {
        assert.deepEqual([...host.errors, ...guest.errors], []);
        await guest.close();
        await host.close();
        await relay.close();
      });

      test("whoever waits waits on, as the same", async () => {
        const [before] = await until("a knock", knocking(host), ({ length }) => length === 1);

        await breakLine();
        relay.mend();

        await until("to wait again", waits(guest), ({ state }) => state === "waiting");
        assert.deepEqual(await knocking(host)(), [before]);
        wentOn(await entries(guest));
      });

      test("who was turned away meanwhile is told so", async () => {
        await breakLine();
        await host.page.evaluate(() => window.mosaic.call.moderate("deny"));
        relay.mend();

        assert.equal(await guest.page.evaluate(() => window.ended), "denied");
        assert.equal((await waits(guest)()).state, "failed");
      });

      test("who was let in meanwhile is in, as the same", async () => {
        await guest.page.evaluate(() => window.knock());
        await until("to wait", waits(guest), ({ state }) => state === "waiting");
        await breakLine();
        await host.page.evaluate(() => window.mosaic.call.moderate("admit"));
        relay.mend();

        assert.equal(await guest.page.evaluate(() => window.ended), null);
        await until("media", waits(guest), ({ state, place }) => state === "connected" && place === null);
        await until("both to be in", () => host.call(), ({ participants }) =>
          participants.map(({ name }) => name).join() === "Host,Guest");
        wentOn(await entries(guest));
      });
    });
  }
});
