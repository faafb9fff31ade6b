/**
 * The person's own microphone and camera: asking for them, switching them, losing them.
 *
 * Whatever goes wrong is a {@link Problem} with a sentence for people, never an exception: a call
 * goes on with what there is, down to listening only. Requests run one after the other, so that a
 * quick finger on a button cannot leave two cameras open.
 */

import { recall, remember } from "./memory.js";

/**
 * @typedef {"audio"|"video"} Kind
 * @typedef {"refused"|"missing"|"busy"|"insecure"|"unplugged"|"other"} Problem
 */

/** @type {Kind[]} */
const KINDS = ["audio", "video"];

/** @type {Record<Kind, MediaTrackConstraints>} */
const CONSTRAINTS = {
  // Asked for by name: without echo cancellation a mixer would feed every room back to itself.
  audio: {
    echoCancellation: true,
    noiseSuppression: true,
    autoGainControl: true,
    channelCount: { ideal: 1 },
  },
  video: {
    width: { ideal: 1280 },
    height: { ideal: 720 },
    frameRate: { ideal: 30, max: 30 },
    facingMode: "user",
  },
};

/** @type {Record<string, Problem>} */
const PROBLEM_OF = {
  NotAllowedError: "refused",
  SecurityError: "refused",
  NotFoundError: "missing",
  OverconstrainedError: "missing",
  NotReadableError: "busy",
  AbortError: "busy",
};

/** Emits `change` whenever the tracks or the problems are others than before. */
export class Devices extends EventTarget {
  /** What is live now. A new object after every change. */
  stream = new MediaStream();
  /** @type {Record<Kind, Problem|null>} */
  problems = { audio: null, video: null };
  /** @type {Promise<void>} */
  #work = Promise.resolve();

  constructor() {
    super();
    navigator.mediaDevices?.addEventListener?.("devicechange", () => this.#changed());
  }

  /** @param {Kind} kind @returns {MediaStreamTrack|null} */
  track(kind) {
    return this.stream.getTracks().find((track) => track.kind === kind) ?? null;
  }

  /** Asks for those of `kinds` that are not live yet. Never rejects. @param {Kind[]} kinds */
  open(...kinds) {
    return this.#queue(async () => {
      const missing = kinds.filter((kind) => this.track(kind) === null);
      if (missing.length > 0) await this.#acquire(missing);
    });
  }

  /** Stops the track, so that the camera's light goes out. @param {Kind} kind */
  close(kind) {
    return this.#queue(async () => this.#replace(kind, null));
  }

  /** Switches to another device, and remembers it. @param {Kind} kind @param {string} deviceId */
  choose(kind, deviceId) {
    remember(`device.${kind}`, deviceId || null);
    return this.#queue(async () => {
      // Many phones open one camera at a time: the old one goes before the new one comes.
      this.#replace(kind, null);
      await this.#acquire([kind]);
    });
  }

  /** The devices of a kind, as far as the browser tells. @param {Kind} kind */
  async list(kind) {
    const all = await navigator.mediaDevices?.enumerateDevices?.().catch(() => []) ?? [];
    return all.filter((device) => device.kind === `${kind}input` && device.deviceId !== "");
  }

  /** Whether asking now would open no prompt. */
  async isAllowed() {
    try {
      // Browsers that do not know these names throw: then it is not known, and the person is asked.
      const states = await Promise.all(["microphone", "camera"].map((name) => navigator.permissions
        .query({ name: /** @type {PermissionName} */ (name) })));
      return states.every(({ state }) => state === "granted");
    } catch {
      return false;
    }
  }

  /** @param {() => Promise<void>} step */
  #queue(step) {
    this.#work = this.#work.then(step).catch((error) => console.error(error));
    return this.#work;
  }

  /** @param {Kind[]} kinds */
  async #acquire(kinds) {
    if (!navigator.mediaDevices?.getUserMedia) {
      for (const kind of kinds) this.problems[kind] = "insecure";
      this.#changed();
      return;
    }
    const together = await this.#request(kinds);
    // Together first, for one prompt instead of two; one by one tells which of them is the trouble.
    if (together !== null && kinds.length > 1 && together.name !== "dismissed") {
      for (const kind of kinds) await this.#request([kind]);
    }
    this.#changed();
  }

  /** @param {Kind[]} kinds @returns {Promise<{name: string}|null>} what failed, if something did */
  async #request(kinds) {
    try {
      const stream = await ask(kinds);
      for (const track of stream.getTracks()) {
        this.problems[/** @type {Kind} */ (track.kind)] = null;
        this.#replace(/** @type {Kind} */ (track.kind), track);
      }
      return null;
    } catch (error) {
      const { name, message } = /** @type {DOMException} */ (error);
      for (const kind of kinds) this.problems[kind] = PROBLEM_OF[name] ?? "other";
      // Closing the prompt is an answer; asking twice more would be rude.
      return { name: /dismissed/i.test(message) ? "dismissed" : name };
    }
  }

  /** @param {Kind} kind @param {MediaStreamTrack|null} track */
  #replace(kind, track) {
    const kept = this.stream.getTracks().filter((old) => old.kind !== kind);
    this.track(kind)?.stop();
    this.stream = new MediaStream(track ? [...kept, track] : kept);
    track?.addEventListener("ended", () => {
      if (this.track(kind) !== track) return;
      this.problems[kind] = "unplugged";
      this.#replace(kind, null);
    });
    this.#changed();
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}

/**
 * Exactly the chosen devices: a browser may overrule a mere wish. One that is not plugged in today
 * is no error, though, and any other will do.
 *
 * @param {Kind[]} kinds
 */
async function ask(kinds) {
  const get = (/** @type {(kind: Kind) => MediaTrackConstraints} */ constraints) =>
    navigator.mediaDevices.getUserMedia(Object.fromEntries(kinds.map((kind) => [kind, constraints(kind)])));
  try {
    return await get(constraintsOf);
  } catch (error) {
    const isGone = /** @type {DOMException} */ (error).name === "OverconstrainedError";
    // Of two, one by one will tell which of them is gone.
    if (!isGone || kinds.length > 1) throw error;
    return get((kind) => CONSTRAINTS[kind]);
  }
}

/** @param {Kind} kind @returns {MediaTrackConstraints} */
function constraintsOf(kind) {
  const deviceId = recall(`device.${kind}`);
  if (!deviceId) return CONSTRAINTS[kind];
  const { facingMode, ...rest } = CONSTRAINTS[kind];
  return { ...rest, deviceId: { exact: deviceId } };
}

/**
 * What to tell the person, or null if both are fine.
 *
 * @param {Record<Kind, Problem|null>} problems
 * @returns {string|null}
 */
export function describe(problems) {
  const { audio, video } = problems;
  if (audio === "insecure" || video === "insecure") {
    return "Browsers open the microphone and camera only on https:// addresses or on localhost. "
      + "You can still listen and watch.";
  }
  const sentences = KINDS.flatMap((kind) => {
    const problem = problems[kind];
    return problem ? [sentence(problem, kind === "audio" ? "microphone" : "camera")] : [];
  });
  if (audio && audio === video) {
    return `${sentence(audio, "microphone and camera")} You can still listen and watch.`;
  }
  return sentences.length > 0 ? sentences.join(" ") : null;
}

/** @param {Problem} problem @param {string} what */
function sentence(problem, what) {
  switch (problem) {
    case "refused":
      return `This page may not use your ${what}. Allow it in the browser's address bar, then try again.`;
    case "missing":
      return `No ${what} was found.`;
    case "busy":
      return `Your ${what} could not be opened; perhaps another program is using it.`;
    case "unplugged":
      return `Your ${what} went away.`;
    default:
      return `Your ${what} could not be opened.`;
  }
}
