/**
 * What is promised at each downlink, and what others need.
 */

/** The longest queue, p95: on the thinnest links a packet takes long by itself. */
const THIN_QUEUE_MS = 200;
const QUEUE_MS = 100;

/** Of a rung's frames, so many are decoded in spite of the loss; a frame is several packets. */
const MOST_FRAMES = 0.95;
const LONGEST_STILL_MS = 4_000;

const flows = (fps) => (found) => found.fps >= MOST_FRAMES * fps;
const shows = (...names) => ({ rungs }) => names.includes(rungs.at(-1));

/**
 * Each row: `keeps` is asked of what was found, {rungs: their names in order, the last the one
 * that was there for longest, fps: frames decoded per second, ...}.
 */
export const contract = [
  {
    kbps: 32,
    promise: "audio",
    queue_ms: THIN_QUEUE_MS,
    keeps: () => true,
  },
  {
    kbps: 64,
    promise: "stills every couple of seconds",
    queue_ms: THIN_QUEUE_MS,
    keeps: (found) => shows("stills", "speaker")(found) && found.longest_gap_ms < LONGEST_STILL_MS,
  },
  {
    kbps: 100,
    promise: "speaker, 7.5 fps or more",
    queue_ms: THIN_QUEUE_MS,
    keeps: (found) => shows("speaker", "low")(found) && found.fps >= 7.5,
  },
  {
    kbps: 200,
    promise: "low, 15 fps",
    queue_ms: QUEUE_MS,
    keeps: (found) => shows("low", "medium")(found) && flows(15)(found),
  },
  {
    kbps: 400,
    promise: "medium, 30 fps",
    queue_ms: QUEUE_MS,
    keeps: (found) => shows("medium")(found) && flows(30)(found),
  },
  {
    kbps: 1_200,
    promise: "top, 30 fps",
    queue_ms: QUEUE_MS,
    keeps: (found) => shows("top")(found) && flows(30)(found),
  },
];

/** What Jitsi plans for a picture of 180 lines, in kb/s, and what we take for a voice on the wire. */
const SFU_PICTURE_KBPS = 200;
const SFU_VOICE_KBPS = 56;

/** Others in the room. */
const OTHERS = 8;

/** What a forwarding server needs for the same room: a stream for each of the others. */
export const sfuNeeds = {
  everybody_kbps: OTHERS * SFU_PICTURE_KBPS + SFU_VOICE_KBPS,
  one_kbps: SFU_PICTURE_KBPS + SFU_VOICE_KBPS,
};

/** That, beside what there is. */
export function sfu(kbps) {
  const shown = Math.floor(Math.max(0, kbps - SFU_VOICE_KBPS) / SFU_PICTURE_KBPS);
  return `${sfuNeeds.everybody_kbps} kb/s; has room for ${Math.min(shown, OTHERS)} of ${OTHERS} pictures`;
}
