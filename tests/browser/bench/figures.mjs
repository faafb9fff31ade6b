/**
 * What a measurement says: figures from counters before and after, and from a witness's notes.
 */

/** What a person hears in place of what did not come; silence that was concealed is not heard. */
export const AUDIBLE = ({ concealedSamples, silentConcealedSamples }) => concealedSamples - silentConcealedSamples;

/** Sound softer than this, in dBFS, for longer than the ebb between two syllables, has stopped. */
const SILENT_DBFS = -60;
const EBB_MS = 150;

/** Sound and picture must keep up for this long to count as back. */
const LASTING_MS = 500;

/** A picture that moves less often than this does not flow. */
const FLOWING_MS = 250;

/** The mixer plays 48,000 samples a second. */
const SAMPLES_PER_MS = 48;

/**
 * @param {object} measured one witness's part of a measurement
 * @returns {object} `down_*` is what the browser made of what came, `up_*` what the mixer did of what
 *   the browser sent; shares in percent, times in ms
 */
export function figures({ before, after, notes, paths }) {
  const audio = difference(before.inbound.audio, after.inbound.audio);
  const video = difference(before.inbound.video, after.inbound.video);
  const seconds = (after.inbound.audio.timestamp - before.inbound.audio.timestamp) / 1_000;
  return {
    down_concealed: share(AUDIBLE(audio), audio.totalSamplesReceived),
    down_buffer_ms: (1_000 * audio.jitterBufferDelay) / audio.jitterBufferEmittedCount,
    ...mixerFigures(paths),
    mouth_to_ear_ms: median(notes.marks.map((time) => time % 1_000)),
    freezes: video.freezeCount,
    frozen_ms: 1_000 * video.totalFreezesDuration,
    longest_gap_ms: longestGap(notes.frames),
    longest_still_ms: longestGap(notes.moves),
    fps: video.framesDecoded / seconds,
    down_lost: share(audio.packetsLost + video.packetsLost,
      audio.packetsReceived + video.packetsReceived + audio.packetsLost + video.packetsLost),
  };
}

function mixerFigures(paths) {
  const [first, last] = [paths[0], paths.at(-1)];
  if (paths.length < 2) return { up_concealed: NaN, up_recovered: NaN, up_buffer_ms: NaN, expected_loss: NaN };
  const samples = (last.at_ms - first.at_ms) * SAMPLES_PER_MS;
  return {
    up_concealed: share(last.audio_concealed - first.audio_concealed, samples),
    up_recovered: share(last.audio_recovered - first.audio_recovered, samples),
    up_buffer_ms: mean(paths.map(({ audio_delay_ms }) => audio_delay_ms)),
    expected_loss: last.expected_audio_loss_percent,
  };
}

/**
 * How long after `time` sound and picture were back for good, and for how long neither was there.
 *
 * @param {{sound: number[][], moves: number[]}} notes
 * @param {number} time ms of the machine's clock
 */
export function backAfter({ sound, moves }, time) {
  const audible = sound.filter(([, level]) => level > SILENT_DBFS).map(([at]) => at);
  const heard = audible.filter((at) => at >= time);
  const seen = moves.filter((at) => at >= time);
  return {
    away_ms: Math.min(longestGap(audible), longestGap(moves)),
    sound_ms: firstOf(heard, EBB_MS) - time,
    picture_ms: firstOf(seen, FLOWING_MS) - time,
  };
}

/** The first time from which on there is one at least every so often, for long enough. */
function firstOf(times, interval_ms) {
  let begun = times[0];
  for (const [n, at] of times.entries()) {
    if (n > 0 && at - times[n - 1] > interval_ms) begun = at;
    if (at - begun >= LASTING_MS) return begun;
  }
  return Infinity;
}

/** What each counter has grown by. */
export const difference = (before, after) =>
  Object.fromEntries(Object.entries(after)
    .filter(([, value]) => typeof value === "number")
    .map(([name, value]) => [name, value - (before[name] ?? 0)]));

/** In percent. */
export const share = (part, whole) => (100 * part) / whole;
const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** The middle one; NaN of none. */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
}

/** The longest time between two. */
export const longestGap = (times) => Math.max(0, ...times.slice(1).map((time, n) => time - times[n]));
