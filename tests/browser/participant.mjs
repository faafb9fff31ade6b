/**
 * A participant made of known media: a canvas of one color with a moving mark, and an oscillator.
 * What it receives is looked at and listened to inside its page.
 */

import { until } from "./until.mjs";

/** Colors that stay apart after coding, and tones that are no harmonics of each other. */
export const LOOKS = [
  { name: "Red", color: [210, 30, 30], tone_hz: 440 },
  { name: "Green", color: [30, 170, 30], tone_hz: 620 },
  { name: "Blue", color: [40, 40, 220], tone_hz: 860 },
];

/** A decoded color may be this far off in each channel: VP8 at a few hundred kb/s. */
const COLOR_TOLERANCE = 40;

/** Whether a decoded color is the expected one; there may be none yet. */
export const near = (color, expected) =>
  color !== undefined && color.every((channel, n) => Math.abs(channel - expected[n]) <= COLOR_TOLERANCE);

/** Asks for the frames of the mixed picture that somebody has decoded so far. */
const framesDecoded = ({ ask }) => async () =>
  (await ask("inbound")).find(({ kind }) => kind === "video")?.framesDecoded ?? 0;

/** Waits for ten more frames than now. */
export async function untilDecoding(participant) {
  const frames = framesDecoded(participant);
  const first = await frames();
  await until("ten more frames", frames, (now) => now >= first + 10);
}

/** Asks what one is told of the other. */
export const seatOf = (watcher, { id }) => async () =>
  (await watcher.ask("participants")).find((participant) => participant.id === id);

/**
 * Joins a room from a page of its own.
 *
 * @param {import("playwright-core").Browser} browser
 * @param {string} url of the daemon
 * @param {{room: string, name: string, color?: number[], tone_hz?: number, recording?: string,
 *   muted?: boolean, token?: string, withhold?: boolean, relayed?: boolean, throbs?: boolean, hurry?: boolean,
 *   fits?: boolean, carrier?: "ws"|"sse"|"poll"}} look
 *   without `color` there is no video, without `tone_hz` no audio; a `recording`, WebM in base64, is played instead;
 *   with `withhold` the daemon is told none of the browser's candidates, `relayed` has media go through TURN only; a tone that `throbs` like syllables is
 *   speech to a codec. Whoever is not in a `hurry` waits for the best picture there is: at first it is a small one of
 *   the active speaker. What `fits` is sent as `uplink` messages say, else all there is
 * @param {{page?: string}} [where] another address to be at than the daemon's own
 */
export async function participate(browser, url, look, { page: address = `${url}/healthz` } = {}) {
  const context = await browser.newContext();
  const page = await context.newPage();
  const errors = [];
  page.on("pageerror", (error) => errors.push(String(error)));
  await page.goto(address);
  await page.evaluate(installSenses);
  const id = await page.evaluate(async ({ url, look }) => window.senses.join(url, look), { url, look });
  const ask = (question, argument) =>
    page.evaluate(([question, argument]) => window.senses[question](argument), [question, argument]);
  if (!look.hurry) {
    // What is to come is told first, what is where on it when it is there.
    await until("the best picture", async () => ({ quality: await ask("quality"), layout: await ask("layout") }),
      ({ quality, layout }) => quality?.reason === "best" && layout.canvas.height === quality.rung.height);
  }
  return { id, page, errors, ask, close: () => context.close() };
}

/** Runs in the page. */
function installSenses() {
  let call;
  let audio;
  let analyser;
  let video;
  let relayed = false;
  const transports = [];
  const states = [];
  const errors = [];
  let offers = 0;
  let sent = null;
  const told = [];
  window.RTCPeerConnection = class extends RTCPeerConnection {
    constructor(...configuration) {
      super({ ...configuration[0], ...(relayed && { iceTransportPolicy: "relay" }) });
      transports.push(this);
    }

    createOffer(...options) {
      offers += 1;
      return super.createOffer(...options);
    }
  };

  function picture(color) {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [640, 360];
    const context = canvas.getContext("2d");
    let frame = 0;
    setInterval(() => {
      frame += 1;
      context.fillStyle = `rgb(${color})`;
      context.fillRect(0, 0, 640, 360);
      context.fillStyle = "white";
      context.fillRect((frame * 8) % 640, 330, 40, 20);
    }, 66);
    return canvas.captureStream(15).getVideoTracks()[0];
  }

  function tone(hz, throbs) {
    const oscillator = new OscillatorNode(audio, { frequency: hz });
    const gain = new GainNode(audio, { gain: 0.2 });
    if (throbs) {
      const rhythm = new OscillatorNode(audio, { frequency: 4 });
      rhythm.connect(new GainNode(audio, { gain: 0.15 })).connect(gain.gain);
      rhythm.start();
    }
    const output = audio.createMediaStreamDestination();
    oscillator.connect(gain).connect(output);
    oscillator.start();
    return output.stream.getAudioTracks()[0];
  }

  /** A recording as it is, or what is made of a color and a tone. Null where there is none of it. */
  async function media({ recording, color, tone_hz, throbs }) {
    if (recording) {
      const player = document.createElement("video");
      Object.assign(player, { src: `data:video/webm;base64,${recording}`, loop: true, muted: true });
      await player.play();
      return player.captureStream();
    }
    const tracks = [];
    if (color) tracks.push(picture(color));
    if (tone_hz) tracks.push(tone(tone_hz, throbs));
    return tracks.length ? new MediaStream(tracks) : null;
  }

  /** Has the socket say nothing of where this browser is. */
  function withholdCandidates() {
    const send = WebSocket.prototype.send;
    WebSocket.prototype.send = function (text) {
      const message = JSON.parse(text);
      if (message.type === "candidate") return;
      if (message.type === "offer") message.sdp = message.sdp.replace(/^a=candidate:.*\r\n/gm, "");
      send.call(this, JSON.stringify(message));
    };
  }

  async function join(url, look) {
    if (look.withhold) withholdCandidates();
    relayed = look.relayed ?? false;
    const { Call } = await import(`${url}/mosaic.js`);
    audio = new AudioContext({ sampleRate: 48_000 });
    const stream = await media(look);
    sent = stream;
    const { room, name, muted, token, carrier, fits = false } = look;
    call = new Call({ room, name, stream, muted, token, carrier, fitToTile: fits });
    video = document.createElement("video");
    Object.assign(video, { muted: true, autoplay: true, playsInline: true });
    document.body.replaceChildren(video);
    call.addEventListener("stream", listen);
    call.addEventListener("state", ({ detail }) => {
      states.push(detail.state);
      if (detail.error) errors.push(detail.error.code);
    });
    for (const type of ["asked", "chat"]) call.addEventListener(type, ({ detail }) => told.push([type, detail]));
    await call.join();
    listen();
    return call.self;
  }

  function listen() {
    video.srcObject = call.stream;
    const [track] = call.stream.getAudioTracks();
    if (!track || analyser?.track === track) return;
    analyser = new AnalyserNode(audio, { fftSize: 16_384, smoothingTimeConstant: 0 });
    analyser.track = track;
    new MediaStreamAudioSourceNode(audio, { mediaStream: new MediaStream([track]) }).connect(analyser);
  }

  /** The picture of this moment, as a function from canvas pixels to [r, g, b]; null without one. */
  function picturePixels() {
    if (!video.videoWidth || !call.layout) return null;
    const { width, height } = call.layout.canvas;
    const context = new OffscreenCanvas(width, height).getContext("2d");
    context.drawImage(video, 0, 0, width, height);
    const { data } = context.getImageData(0, 0, width, height);
    return (x, y) => {
      const at = 4 * (Math.floor(y) * width + Math.floor(x));
      return [...data.slice(at, at + 3)];
    };
  }

  window.senses = {
    join,
    /** The call itself, for those who are in the page, too. */
    call: () => call,
    state: () => call.state,
    /** All states so far, in order. */
    states: () => states,
    error: () => call.error?.code,
    /** The codes of all errors so far, in order. */
    errors: () => errors,
    /** What the call was told is worth sending, and why it sends no picture, if so. */
    uplink: () => ({ ...call.uplink, paused: call.paused }),
    /** The latest connection, for those who are in the page, too. */
    pc: () => transports.at(-1),
    token: () => call.token,
    /** How the server is talked to. */
    carrier: () => call.carrier,
    participants: () => [...call.participants.values()],
    speaker: () => call.speaker,
    quality: () => call.quality,
    layout: () => call.layout,
    leave: () => call.leave(),
    transports: () => transports.map(({ connectionState }) => connectionState),
    offers: () => offers,
    /** The ICE user name of the latest transport, on this side: a restart changes it. */
    iceUser: () => /^a=ice-ufrag:(.*)$/m.exec(transports.at(-1).localDescription.sdp)[1].trim(),
    setStream: async (look) => call.setStream(await media(look)),
    setMuted: (muted) => call.setMuted(muted),
    setCamera: (on) => call.setCamera(on),
    prefer: (wishes) => call.prefer(wishes),
    setHand: (raised) => call.setHand(raised),
    moderate: ([act, fields]) => call.moderate(act, fields),
    chat: (text) => call.chat(text),
    chatLog: () => call.chatLog,
    knocking: () => call.knocking,
    roomState: () => call.roomState,
    /** What moderators asked for and people wrote, in order: [type, detail]. */
    told: () => told,
    muted: () => call.muted,
    camera: () => call.camera,

    /** Sends what a moderator has switched off, as a client would that does not care. */
    async disobey() {
      for (const track of sent.getTracks()) {
        track.enabled = true;
        const ofKind = ({ receiver }) => receiver.track.kind === track.kind;
        await transports.at(-1).getTransceivers().find(ofKind).sender.replaceTrack(track);
      }
    },

    /** The address that ICE has chosen to send to. */
    async pair() {
      const report = await transports.at(-1).getStats();
      const all = [...report.values()];
      const chosen = all.find(({ type }) => type === "transport")?.selectedCandidatePairId;
      const remote = report.get(report.get(chosen)?.remoteCandidateId);
      return remote && `${remote.address}:${remote.port}`;
    },

    /** Levels in dB of what is heard at each frequency: the strongest bin within 12 Hz. */
    hear(frequencies) {
      const spectrum = new Float32Array(analyser.frequencyBinCount);
      analyser.getFloatFrequencyData(spectrum);
      const bin_hz = audio.sampleRate / analyser.fftSize;
      return frequencies.map((hz) => {
        const [low, high] = [hz - 12, hz + 12].map((edge) => Math.round(edge / bin_hz));
        return Math.max(...spectrum.slice(low, high + 1));
      });
    },

    /** The color in the middle of everybody's tile: {participant: [r, g, b]}. */
    look() {
      const pixels = picturePixels();
      if (!pixels) return {};
      return Object.fromEntries(call.layout.tiles.map(({ participant, left, top, width, height }) =>
        [participant, pixels(left + width / 2, top + height / 2)]));
    },

    /** Colors of one tile, all of one picture, at points in pixels from the tile's top left corner. */
    probe({ participant, points }) {
      const pixels = picturePixels();
      const tile = call.layout.tiles.find((tile) => tile.participant === participant);
      return pixels && tile && points.map(([x, y]) => pixels(tile.left + x, tile.top + y));
    },

    /** The inbound RTP streams that have carried packets. */
    async inbound() {
      const report = await transports.at(-1).getStats();
      return [...report.values()]
        .filter(({ type, packetsReceived }) => type === "inbound-rtp" && packetsReceived > 0)
        .map(({ kind, packetsReceived, framesDecoded, packetsLost, totalSamplesReceived, concealedSamples,
                frameWidth, frameHeight }) =>
          ({ kind, packetsReceived, framesDecoded, packetsLost, totalSamplesReceived, concealedSamples,
             frameWidth, frameHeight }));
    },

    /** All that the browser counts. */
    statistics: async () => [...(await transports.at(-1).getStats()).values()],

    /**
     * All that the browser counts of RTP, by what it is about: `inbound`, `outbound`, and `reported`,
     * what we report to it of what it sends; of each the `audio` and the `video`, with its numbers.
     */
    async rtp() {
      const sides = { "inbound-rtp": "inbound", "outbound-rtp": "outbound", "remote-inbound-rtp": "reported" };
      const all = { inbound: {}, outbound: {}, reported: {} };
      (await transports.at(-1).getStats()).forEach((entry) => {
        if (sides[entry.type]) all[sides[entry.type]][entry.kind] = entry;
      });
      return all;
    },
  };
}
