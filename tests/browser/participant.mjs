/**
 * A participant made of known media: a canvas of one color with a moving mark, and an oscillator.
 * What it receives is looked at and listened to inside its page.
 */

/** Colors that stay apart after coding, and tones that are no harmonics of each other. */
export const LOOKS = [
  { name: "Red", color: [210, 30, 30], tone_hz: 440 },
  { name: "Green", color: [30, 170, 30], tone_hz: 620 },
  { name: "Blue", color: [40, 40, 220], tone_hz: 860 },
];

/**
 * Joins a room from a page of its own.
 *
 * @param {import("playwright-core").Browser} browser
 * @param {string} url of the daemon
 * @param {{room: string, name: string, color?: number[], tone_hz?: number, muted?: boolean}} look
 *   without `color` there is no video, without `tone_hz` no audio
 */
export async function participate(browser, url, look) {
  const context = await browser.newContext();
  const page = await context.newPage();
  const errors = [];
  page.on("pageerror", (error) => errors.push(String(error)));
  await page.goto(`${url}/healthz`);
  await page.evaluate(installSenses);
  const id = await page.evaluate(async ({ url, look }) => window.senses.join(url, look), { url, look });
  return {
    id,
    page,
    errors,
    close: () => context.close(),
    ask: (question, argument) =>
      page.evaluate(([question, argument]) => window.senses[question](argument), [question, argument]),
  };
}

/** Runs in the page. */
function installSenses() {
  let call;
  let audio;
  let analyser;
  let video;
  const transports = [];
  window.RTCPeerConnection = class extends RTCPeerConnection {
    constructor(...configuration) {
      super(...configuration);
      transports.push(this);
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

  function tone(hz) {
    const oscillator = new OscillatorNode(audio, { frequency: hz });
    const gain = new GainNode(audio, { gain: 0.2 });
    const output = audio.createMediaStreamDestination();
    oscillator.connect(gain).connect(output);
    oscillator.start();
    return output.stream.getAudioTracks()[0];
  }

  async function join(url, look) {
    const { Call } = await import(`${url}/mosaic.js`);
    audio = new AudioContext({ sampleRate: 48_000 });
    const tracks = [];
    if (look.color) tracks.push(picture(look.color));
    if (look.tone_hz) tracks.push(tone(look.tone_hz));
    const stream = tracks.length ? new MediaStream(tracks) : null;
    call = new Call({ room: look.room, name: look.name, stream, muted: look.muted, fitToTile: false });
    video = document.createElement("video");
    Object.assign(video, { muted: true, autoplay: true, playsInline: true });
    document.body.replaceChildren(video);
    call.addEventListener("stream", listen);
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

  window.senses = {
    join,
    state: () => call.state,
    participants: () => [...call.participants.values()],
    speaker: () => call.speaker,
    layout: () => call.layout,
    leave: () => call.leave(),
    transports: () => transports.map(({ connectionState }) => connectionState),
    setMuted: (muted) => call.setMuted(muted),
    setCamera: (on) => call.setCamera(on),

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
      const { canvas, tiles } = call.layout ?? { tiles: [] };
      if (!video.videoWidth || !canvas) return {};
      const copy = new OffscreenCanvas(canvas.width, canvas.height);
      const context = copy.getContext("2d");
      context.drawImage(video, 0, 0, canvas.width, canvas.height);
      const middle = ({ left, top, width, height }) =>
        [...context.getImageData(left + width / 2, top + height / 2, 1, 1).data].slice(0, 3);
      return Object.fromEntries(tiles.map((tile) => [tile.participant, middle(tile)]));
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
  };
}
