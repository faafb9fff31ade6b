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
 * @param {(message: any, socket: {page: import("playwright-core").Page, say: (message: object) => void,
 *   close: () => void}) => void|Promise<void>} reply
 */
async function play(reply) {
  const page = await browser.newPage();
  await page.routeWebSocket(/\/ws$/, (socket) => {
    const say = (message) => socket.send(JSON.stringify(message));
    socket.onMessage((text) => reply(JSON.parse(text), { page, say, close: () => socket.close() }));
  });
  await page.goto(`${daemon.url}/healthz`);
  await page.evaluate(async () => {
    const { Call } = await import("/mosaic.js");
    window.RTCPeerConnection = class extends RTCPeerConnection {
      constructor(...how) {
        super(...how);
        window.pc = this;
      }
    };
    window.call = new Call({ room: "scripted", name: "Ann", stream: null, carrier: "ws" });
    window.call.join().catch(() => {});
  });
  return page;
}

/** Runs in the page: an answer to an offer, by a connection that goes nowhere. */
async function answer(sdp) {
  const Plain = Object.getPrototypeOf(RTCPeerConnection);
  const peer = new Plain();
  await peer.setRemoteDescription({ type: "offer", sdp });
  await peer.setLocalDescription();
  return peer.localDescription.sdp;
}

/** Runs in the page: has the client believe that its connection has failed. */
function fail() {
  Object.defineProperty(window.pc, "connectionState", { value: "failed" });
  window.pc.onconnectionstatechange();
}

test("a session taken up in vain while waiting takes nothing with it when the next one breaks", async () => {
  const heard = [];
  const page = await play(async (message, { page, say, close }) => {
    const { type, id, session, token, sdp } = message;
    if (!["join", "resume", "offer"].includes(type)) return;
    heard.push([type, session ?? token ?? null].join(" "));
    const offers = heard.filter((word) => word.startsWith("offer")).length;
    if (type === "resume") {
      say({ type: "error", id, code: "no_session", message: "there is no such session" });
    } else if (type === "offer" && offers === 1) {
      say({ type: "answer", id, sdp: await page.evaluate(answer, sdp) });
    } else if (type === "offer") {
      say({ type: "error", id, code: "internal", message: "the offer could not be answered" });
    } else if (token === undefined) {
      say({ type: "waiting", seq: 1, session: "lobby", token: "place", place: 1 });
      close();
    } else {
      const seat = { session: "inside", token: "seat", participant: "p1", participants: [] };
      say({ type: "joined", id, seq: 1, ...seat, canvas: { width: 640, height: 360 } });
    }
  });
  await until("an answer", () => page.evaluate(() => window.call.stream.getTracks().length), (count) => count === 2);

  await page.evaluate(fail);

  await until("it to come back", () => heard, ({ length }) => length >= 6);
  assert.deepEqual(heard.slice(0, 6), ["join ", "resume lobby", "join place", "offer ", "offer ", "resume inside"]);
  await page.close();
});
