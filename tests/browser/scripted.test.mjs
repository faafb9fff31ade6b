/**
 * The client against a server that follows a script: what a real one says only when much comes together.
 */
import assert from "node:assert/strict";
import { test } from "node:test";

import { browser, daemon } from "./ground.mjs";
import { until } from "./until.mjs";

/**
 * A page with the client in which every WebSocket is answered by `reply`.
 *
 * @param {(message: any, socket: {say: (message: object) => void, close: () => void}) => void} reply
 */
async function play(reply) {
  const page = await browser.newPage();
  await page.routeWebSocket(/\/ws$/, (socket) => {
    const say = (message) => socket.send(JSON.stringify(message));
    socket.onMessage((text) => reply(JSON.parse(text), { say, close: () => socket.close() }));
  });
  await page.goto(`${daemon.url}/healthz`);
  await page.evaluate(async () => {
    const { Call } = await import("/mosaic.js");
    window.call = new Call({ room: "scripted", name: "Ann", stream: null, carrier: "ws" });
    window.call.join().catch(() => {});
  });
  return page;
}

test("a session taken up in vain while waiting takes nothing with it when the next one breaks", async () => {
  const heard = [];
  const page = await play((message, { say, close }) => {
    const { type, id, session, token } = message;
    if (!["join", "resume", "offer"].includes(type)) return;
    heard.push([type, session ?? token ?? null].join(" "));
    if (type === "offer") {
      say({ type: "answer", id, sdp: "no answer that a browser would take" });
    } else if (type === "resume") {
      say({ type: "error", id, code: "no_session", message: "there is no such session" });
    } else if (token === undefined) {
      say({ type: "waiting", seq: 1, session: "lobby", token: "place", place: 1 });
      close();
    } else {
      const canvas = { width: 640, height: 360 };
      say({ type: "joined", id, seq: 1, session: "inside", token: "seat", participant: "p1", participants: [], canvas });
    }
  });

  await until("it to come back", () => heard, ({ length }) => length >= 6);

  assert.deepEqual(heard.slice(0, 6), ["join ", "resume lobby", "join place", "offer ", "offer ", "resume inside"]);
  await page.close();
});
