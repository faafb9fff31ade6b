/**
 * A participant that speaks and moves without a pause, and notes what it sees and hears of the
 * other: for measuring, where `participant.mjs` is for knowing.
 *
 * Marks say how old sound is: at each whole second of the machine's clock, which all pages share, a
 * speaker sounds a high tone for a moment.
 */
import { participate } from "../participant.mjs";

/**
 * Joins a room; sends from the beginning, watches from `begin` on.
 *
 * @param {import("playwright-core").Browser} browser
 * @param {string} url of the daemon
 * @param {{room: string, name: string, pitch_hz: number, fits?: boolean}} who
 */
export async function witness(browser, url, { room, name, pitch_hz, fits }) {
  const participant = await participate(browser, url, { room, name, fits, withhold: true, hurry: true });
  await participant.page.evaluate(installWitness);
  await participant.page.evaluate((pitch_hz) => window.witness.speak(pitch_hz), pitch_hz);
  const ask = (question) => participant.page.evaluate((question) => window.witness[question](), question);
  return {
    ...participant,
    name,
    /** Forgets what was seen and heard so far. */
    begin: () => ask("begin"),
    /**
     * What was seen and heard since, times in ms of the machine's clock:
     * {frames: when one was shown, moves: when the other's picture in it was another than before,
     * sound: [time, RMS level in dBFS], marks: when one began to be heard}.
     */
    notes: () => ask("notes"),
  };
}

/** Runs in the page. */
function installWitness() {
  const audio = new AudioContext({ sampleRate: 48_000 });
  const wall = () => performance.timeOrigin + performance.now();

  /** Above what the voice has of its own. */
  const MARK_HZ = 3_400;
  const MARK_S = 0.1;

  /** How often sound is looked at; the window is as long. */
  const LOOK_MS = 10;
  const LOOK_SAMPLES = 512;

  const FRAME_MS = 33;

  /**
   * Vowels without a pause: a buzz through two formants, that swells and ebbs as syllables do. Without
   * ebbs a codec takes any voice for noise after a while, and protects it less.
   */
  function voice(pitch_hz) {
    const output = audio.createMediaStreamDestination();
    const syllables = new GainNode(audio, { gain: 0.52 });
    const buzz = new OscillatorNode(audio, { type: "sawtooth", frequency: pitch_hz });
    const melody = new OscillatorNode(audio, { frequency: 0.7 });
    const rhythm = new OscillatorNode(audio, { frequency: 4 });
    melody.connect(new GainNode(audio, { gain: pitch_hz / 8 })).connect(buzz.frequency);
    rhythm.connect(new GainNode(audio, { gain: 0.48 })).connect(syllables.gain);
    for (const [frequency, gain] of [[550, 0.8], [1_400, 0.5]]) {
      buzz
        .connect(new BiquadFilterNode(audio, { type: "bandpass", frequency, Q: 2 }))
        .connect(new GainNode(audio, { gain }))
        .connect(syllables);
    }
    const low = () => new BiquadFilterNode(audio, { type: "lowpass", frequency: 2_000 });
    syllables.connect(low()).connect(low()).connect(output);

    const tone = new OscillatorNode(audio, { frequency: MARK_HZ });
    const marks = new GainNode(audio, { gain: 0 });
    tone.connect(marks).connect(output);
    setInterval(() => markNextSecond(marks.gain), 1_000);
    for (const source of [buzz, melody, rhythm, tone]) source.start();
    return output.stream.getAudioTracks()[0];
  }

  function markNextSecond(gain) {
    const now = wall();
    const next = Math.ceil(now / 1_000 + 0.05) * 1_000;
    const at = audio.currentTime + (next - now) / 1_000;
    gain.setValueAtTime(0.2, at);
    gain.setValueAtTime(0, at + MARK_S);
  }

  /** Something with edges that pans, and a field in the middle whose gray is another each frame. */
  function picture() {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [640, 360];
    const context = canvas.getContext("2d");
    const scenery = new OffscreenCanvas(1_280, 360);
    const brush = scenery.getContext("2d");
    for (let n = 0; n < 400; n += 1) {
      brush.fillStyle = `hsl(${(n * 47) % 360} 50% ${20 + ((n * 13) % 60)}%)`;
      const [x, y, size] = [(n * 193) % 640, (n * 71) % 360, 16 + ((n * 29) % 48)];
      for (const left of [x, x + 640]) brush.fillRect(left, y, size, size);
    }
    let frame = 0;
    setInterval(() => {
      frame += 1;
      context.drawImage(scenery, -((frame * 2) % 640), 0);
      // Steps of three or five eighths of the range: no two neighbors look alike.
      const gray = ((frame * 5) % 8) * 32;
      context.fillStyle = `rgb(${gray} ${gray} ${gray})`;
      context.fillRect(240, 120, 160, 120);
    }, FRAME_MS);
    return canvas.captureStream(30).getVideoTracks()[0];
  }

  let noted;
  const begin = () => {
    noted = { frames: [], moves: [], sound: [], marks: [] };
  };
  begin();

  function watch(video) {
    const pixel = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
    let gray = 0;
    const look = () => {
      const now = wall();
      noted.frames.push(now);
      const call = window.senses.call();
      const { canvas, tiles } = call.layout ?? { tiles: [] };
      const tile = tiles.find(({ participant }) => participant !== call.self);
      if (tile && video.videoWidth) {
        const [x, y] = [video.videoWidth / canvas.width, video.videoHeight / canvas.height];
        const { left, top, width, height } = tile;
        pixel.drawImage(video, (left + width / 2) * x, (top + height / 2) * y, 4, 4, 0, 0, 1, 1);
        const [seen] = pixel.getImageData(0, 0, 1, 1).data;
        if (Math.abs(seen - gray) > 48) noted.moves.push(now);
        gray = seen;
      }
      video.requestVideoFrameCallback(look);
    };
    video.requestVideoFrameCallback(look);
  }

  function listen(track) {
    const analyser = new AnalyserNode(audio, { fftSize: LOOK_SAMPLES });
    new MediaStreamAudioSourceNode(audio, { mediaStream: new MediaStream([track]) }).connect(analyser);
    const samples = new Float32Array(LOOK_SAMPLES);
    let marked = false;
    setInterval(() => {
      analyser.getFloatTimeDomainData(samples);
      const now = wall();
      const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / LOOK_SAMPLES;
      noted.sound.push([now, 10 * Math.log10(power + 1e-12)]);
      // Half of the full level: a mark that was concealed has an echo that is softer.
      const isMarked = amplitude(samples, MARK_HZ) > 0.1;
      if (isMarked && !marked) noted.marks.push(now);
      marked = isMarked;
    }, LOOK_MS);
  }

  /** Of one frequency (Goertzel 1958). */
  function amplitude(samples, hz) {
    const turn = 2 * Math.cos((2 * Math.PI * hz) / audio.sampleRate);
    let [last, before] = [0, 0];
    for (const sample of samples) [last, before] = [sample + turn * last - before, last];
    const power = last * last + before * before - turn * last * before;
    return (2 * Math.sqrt(Math.max(0, power))) / samples.length;
  }

  window.witness = {
    begin,
    notes: () => noted,
    async speak(pitch_hz) {
      const call = window.senses.call();
      await call.setStream(new MediaStream([voice(pitch_hz), picture()]));
      watch(document.querySelector("video"));
      listen(call.stream.getAudioTracks()[0]);
    },
  };
}
