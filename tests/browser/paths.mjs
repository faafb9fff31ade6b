/**
 * What the daemon knows of its participants' paths, read from its log: it says so every five
 * seconds, at debug.
 */

/** Durations as Rust prints them, in ms. */
const UNITS_MS = { ns: 1e-6, "µs": 1e-3, ms: 1, s: 1_000 };

/**
 * @param {string} line of the daemon's log
 * @returns {{participant: string, at_ms: number, round_trip_ms: number|null, audio_delay_ms: number,
 *   expected_audio_loss_percent: number, audio_concealed: number, audio_recovered: number,
 *   resent: number, refused_recent: number, refused_share: number, unknown: number,
 *   requested: number}|null} null if it is about something else
 */
export function readPath(line) {
  const { at, participant, path } =
    /^(?<at>\S+) .*participant=(?<participant>\w+).* path=PathSnapshot \{(?<path>.*)\}/.exec(line)?.groups ?? {};
  if (!path) return null;
  const count = (name) => Number(new RegExp(`\\b${name}: (\\d+)`).exec(path)[1]);
  const span = (name) => {
    const [, value, unit] = new RegExp(`\\b${name}: (?:Some\\()?([\\d.]+)(ns|µs|ms|s)`).exec(path) ?? [];
    return value === undefined ? null : Number(value) * UNITS_MS[unit];
  };
  const counts = ["expected_audio_loss_percent", "audio_concealed", "audio_recovered", "resent",
    "refused_recent", "refused_share", "unknown", "requested"];
  return {
    participant,
    at_ms: Date.parse(at),
    round_trip_ms: span("round_trip"),
    audio_delay_ms: span("audio_delay"),
    ...Object.fromEntries(counts.map((name) => [name, count(name)])),
  };
}

/**
 * @param {string[]} log of the daemon
 * @param {string} participant
 * @returns {ReturnType<typeof readPath>[]} all that was said of one participant, in order
 */
export const pathsOf = (log, participant) =>
  log.map(readPath).filter((path) => path?.participant === participant);
