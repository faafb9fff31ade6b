/**
 * A browser over WHIP and WHEP, with nothing of ours on its page: a certificate of RSA, candidates
 * that are trickled, ICE that is restarted, and a page that is from elsewhere.
 */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { launch } from "./browser.mjs";
import { SMALL, startDaemon } from "./daemon.mjs";
import { near } from "./participant.mjs";
import { until } from "./until.mjs";

const GREEN = [20, 180, 20];

describe("a browser over WHIP and WHEP", () => {
  let daemon;
  let browser;
  let publisher;
  let viewer;

  before(async () => {
    daemon = await startDaemon([...SMALL, "--seat-seconds", "2", "--origin", "null"]);
    browser = await launch();
    // Not a page of the daemon's: what it may ask and read there is by CORS.
    [publisher, viewer] = [await browser.newPage(), await browser.newPage()];
    for (const page of [publisher, viewer]) await page.evaluate(`(${installed})()`);
  });

  after(async () => {
    await browser?.close();
    assert.equal(await daemon?.stop(), 0, "the daemon ends cleanly");
  });

  test("what one publishes the other sees, trickled both times", async () => {
    const published = await publisher.evaluate(
      ([address, color]) => globalThis.publish(address, color),
      [`${daemon.url}/whip/demo?name=Cam`, GREEN],
    );
    const watched = await viewer.evaluate((address) => globalThis.watch(address), `${daemon.url}/whep/demo`);

    for (const { candidatesInOffer, trickled } of [published, watched]) {
      assert.equal(candidatesInOffer, 0);
      assert.ok(trickled.every((status) => status === 204), trickled);
    }
    await until("the color", () => viewer.evaluate(() => globalThis.color()), (seen) => near(seen, GREEN));
  });

  test("media goes on over the ICE session that follows a restart", async () => {
    const before = await publisher.evaluate(() => globalThis.iceSession());

    const status = await publisher.evaluate(() => globalThis.restart());

    assert.equal(status, 200);
    const after = await until(
      "the new ICE session",
      () => publisher.evaluate(() => globalThis.iceSession()),
      ({ ours, theirs, bytesSent }) => ours !== before.ours && theirs !== before.theirs && bytesSent > 0,
    );
    assert.notEqual(after.tag, before.tag);
    const shown = await viewer.evaluate(() => globalThis.framesDecoded());
    await until("further frames", () => viewer.evaluate(() => globalThis.framesDecoded()), (now) => now > shown + 15);
  });

  test("who stops has left", async () => {
    const status = await publisher.evaluate(() => globalThis.stop());

    assert.equal(status, 200);
    const health = async () => (await fetch(`${daemon.url}/healthz`)).json();
    await until("one seat to be left", health, ({ participants }) => participants === 1);
  });
});

/** Runs in the page: a client of WHIP and WHEP. */
function installed() {
  let connection;
  let resource;
  let tag;
  let answer;
  const trickled = [];

  const patch = (lines, condition) =>
    fetch(resource, {
      method: "PATCH",
      headers: { "content-type": "application/trickle-ice-sdpfrag", "if-match": condition },
      body: `${lines.join("\r\n")}\r\n`,
    });

  async function connect(address, prepare) {
    const certificate = await RTCPeerConnection.generateCertificate({
      name: "RSASSA-PKCS1-v1_5",
      modulusLength: 2048,
      publicExponent: new Uint8Array([1, 0, 1]),
      hash: "SHA-256",
    });
    connection = new RTCPeerConnection({ certificates: [certificate] });
    await prepare(connection);
    const early = [];
    const trickle = ({ candidate }) => {
      if (!candidate?.candidate) return;
      const lines = [`a=mid:${candidate.sdpMid}`, `a=${candidate.candidate}`];
      if (!resource) early.push(lines);
      else void patch(lines, tag).then(({ status }) => trickled.push(status));
    };
    connection.addEventListener("icecandidate", trickle);
    const offer = await connection.createOffer();
    await connection.setLocalDescription(offer);
    const response = await fetch(address, {
      method: "POST",
      headers: { "content-type": "application/sdp" },
      body: offer.sdp,
    });
    answer = await response.text();
    if (response.status !== 201) throw new Error(answer);
    resource = new URL(response.headers.get("location"), address).href;
    tag = response.headers.get("etag");
    await connection.setRemoteDescription({ type: "answer", sdp: answer });
    for (const lines of early) trickled.push((await patch(lines, tag)).status);
    return { candidatesInOffer: offer.sdp.split("a=candidate:").length - 1, trickled };
  }

  globalThis.publish = (address, color) => connect(address, (pc) => {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [320, 180];
    const context = canvas.getContext("2d");
    const draw = () => {
      context.fillStyle = `rgb(${color.join(",")})`;
      context.fillRect(0, 0, canvas.width, canvas.height);
    };
    draw();
    setInterval(draw, 50);
    pc.addTransceiver(canvas.captureStream(15).getVideoTracks()[0], { direction: "sendonly" });
    pc.addTransceiver("audio", { direction: "sendonly" });
    // H.264 alone is refused, and VP8 behind it is taken: the order is not ours to say.
    const { codecs } = RTCRtpReceiver.getCapabilities("video");
    pc.getTransceivers()[0].setCodecPreferences(codecs.toSorted((a, b) => a.mimeType.localeCompare(b.mimeType)));
  });

  globalThis.watch = (address) => connect(address, (pc) => {
    const video = document.createElement("video");
    [video.muted, video.autoplay] = [true, true];
    document.body.append(video);
    pc.addEventListener("track", ({ track, streams }) => {
      if (track.kind === "video") video.srcObject = streams[0];
    });
    pc.addTransceiver("audio", { direction: "recvonly" });
    pc.addTransceiver("video", { direction: "recvonly" });
  });

  globalThis.color = () => {
    const canvas = new OffscreenCanvas(1, 1);
    const context = canvas.getContext("2d");
    const video = document.querySelector("video");
    if (!video?.videoWidth) return [0, 0, 0];
    context.drawImage(video, video.videoWidth / 2, video.videoHeight / 2, 1, 1, 0, 0, 1, 1);
    return [...context.getImageData(0, 0, 1, 1).data.slice(0, 3)];
  };

  globalThis.restart = async () => {
    const offer = await connection.createOffer({ iceRestart: true });
    await connection.setLocalDescription(offer);
    const first = (prefix) => offer.sdp.split("\r\n").find((line) => line.startsWith(prefix));
    const response = await patch([first("a=ice-ufrag:"), first("a=ice-pwd:"), first("a=mid:")], "*");
    const fragment = (await response.text()).split("\r\n");
    tag = response.headers.get("etag");
    const replaced = ["a=ice-ufrag:", "a=ice-pwd:"];
    const sdp = answer.split("\r\n").map((line) => {
      const prefix = replaced.find((it) => line.startsWith(it));
      return prefix ? fragment.find((it) => it.startsWith(prefix)) : line;
    });
    answer = sdp.join("\r\n");
    await connection.setRemoteDescription({ type: "answer", sdp: answer });
    return response.status;
  };

  globalThis.iceSession = async () => {
    const reports = [...(await connection.getStats()).values()];
    const transport = reports.find(({ type }) => type === "transport");
    const pair = reports.find(({ id }) => id === transport?.selectedCandidatePairId);
    const candidate = (id) => reports.find((it) => it.id === id);
    return {
      tag,
      ours: candidate(pair?.localCandidateId)?.usernameFragment,
      theirs: answer.match(/a=ice-ufrag:(\S+)/)[1],
      bytesSent: pair?.bytesSent ?? 0,
    };
  };

  globalThis.framesDecoded = async () => {
    const reports = [...(await connection.getStats()).values()];
    return reports.find(({ type, kind }) => type === "inbound-rtp" && kind === "video").framesDecoded;
  };

  globalThis.stop = async () => {
    const { status } = await fetch(resource, { method: "DELETE" });
    connection.close();
    return status;
  };
}
