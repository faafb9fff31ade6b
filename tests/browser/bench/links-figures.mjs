/**
 * What a narrow link came to: figures from two looks at a receiver (`room.mjs`).
 */
import { difference, longestGap, share } from "./figures.mjs";

/**
 * @param {object} measured `early` is where the queue is looked at from, `before` and `after` bound
 *   all else
 * @returns {object} shares in percent, times in ms; `rungs` from the one shown for the shortest time
 *   to the longest
 */
export function received({ kbps, early, before, after, notes, types }) {
  const audio = difference(before.inbound.audio, after.inbound.audio);
  const seconds = (after.at_ms - before.at_ms) / 1_000;
  const frames = notes.frames.filter((at) => at >= before.at_ms && at < after.at_ms);
  const queue = histogram(early.down.queue, after.down.queue);
  const grown = difference(before.down.bytes, after.down.bytes);
  const kbps_by_kind = byKind(grown, types, (bytes) => (8 * bytes) / 1_000 / seconds);
  const total = Object.values(kbps_by_kind).reduce((sum, value) => sum + value, 0);
  const { rungs, audio: audioShape } = shown(notes.qualities, before.at_ms, after.at_ms);
  return {
    // Silence that was made up counts as well: somebody speaks all the time.
    concealed: share(audio.concealedSamples, audio.totalSamplesReceived),
    rungs,
    audio: audioShape,
    fps: ((after.inbound.video?.framesDecoded ?? 0) - (before.inbound.video?.framesDecoded ?? 0)) / seconds,
    shown: frames.length / seconds,
    freezes: (after.inbound.video?.freezeCount ?? 0) - (before.inbound.video?.freezeCount ?? 0),
    longest_gap_ms: longestGap([before.at_ms, ...frames, after.at_ms]),
    queue_p50_ms: percentile(queue, 0.5),
    queue_p95_ms: percentile(queue, 0.95),
    queue_max_ms: percentile(queue, 1),
    used: share(total, kbps),
    overflowed: after.down.overflowed - before.down.overflowed,
    kbps_by_kind,
    signaling_kbps: (8 * (after.said_bytes - before.said_bytes)) / 1_000 / seconds,
  };
}

/** How long after `time` what is shown was first another than then, in ms; Infinity if never. */
export function changedAfter(qualities, time) {
  const before = rungIn(qualities, time);
  const changed = qualities.find(([at]) => at > time && rungIn(qualities, at) !== before);
  return changed ? changed[0] - time : Infinity;
}

/** The rung in a list of [time, quality] that held at a time. */
export function rungIn(qualities, time) {
  const quality = qualities.findLast(([at]) => at <= time)?.[1];
  return quality?.rung?.name ?? quality?.video ?? "none";
}

/** What was shown and heard, by how long. */
function shown(qualities, from, until) {
  const lasted = { rungs: new Map(), audio: new Map() };
  const add = (map, name, ms) => map.set(name, (map.get(name) ?? 0) + ms);
  qualities.forEach(([at, { rung, video, audio_kbps, packet_ms }], n) => {
    const ms = Math.min(qualities[n + 1]?.[0] ?? until, until) - Math.max(at, from);
    if (ms <= 0) return;
    add(lasted.rungs, rung?.name ?? video, ms);
    add(lasted.audio, `${audio_kbps} kb/s, ${packet_ms} ms`, ms);
  });
  const inOrder = (map) => [...map].sort(([, one], [, other]) => one - other).map(([name]) => name);
  return { rungs: inOrder(lasted.rungs), audio: inOrder(lasted.audio).at(-1) };
}

function byKind(grown, types, rate) {
  const of = (names) => rate(names.reduce((sum, name) => sum + (grown[name] ?? 0), 0));
  const known = { audio: types.audio, video: types.video, rtcp: ["rtcp"], stun: ["stun", "dtls"] };
  const named = new Set(Object.values(known).flat().map(String));
  const rest = Object.keys(grown).filter((name) => !named.has(name));
  return { ...Object.fromEntries(Object.entries(known).map(([kind, names]) => [kind, of(names)])), resends: of(rest) };
}

/** The packets of the second histogram that are not in the first: [ms, packets], in order. */
function histogram(before, after) {
  const first = new Map(before);
  return after.map(([ms, packets]) => [ms, packets - (first.get(ms) ?? 0)]).filter(([, packets]) => packets > 0);
}

function percentile(queue, part) {
  const all = queue.reduce((sum, [, packets]) => sum + packets, 0);
  let seen = 0;
  for (const [ms, packets] of queue) {
    seen += packets;
    if (seen >= part * all) return ms;
  }
  return NaN;
}
