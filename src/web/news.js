/**
 * Says what others do in a call, in passing notes: who comes and goes, raises a hand, mutes whom.
 */

import { thinness } from "./link.js";
import { toast } from "./say.js";
import { called, noticeText } from "./words.js";

/** @type {Record<string, string>} */
const DEPARTURES = { gone: "lost the connection", removed: "was removed" };

/** What a thin link leaves of the others' pictures. @type {Record<"stills"|"paused", string>} */
const THIN = {
  stills: "Your connection is thin: sound comes first, and a still picture every other second.",
  paused: "Your connection is too thin for pictures now: you hear the others.",
};

/** Notes for one call. @param {import("./mosaic.js").Call} call */
export function report(call) {
  const name = (/** @type {string} */ id) => called(call.participants.get(id)?.name ?? "");
  /** As they were when last told. @type {Map<string, import("./mosaic.js").Participant>} */
  let before = new Map(call.participants);
  let room = call.roomState;

  call.addEventListener("participants", (event) => {
    const { change, participant, reason } = /** @type {CustomEvent} */ (event).detail;
    if (change === "joined") toast(`${called(participant.name)} joined`);
    if (change === "left") toast(`${called(participant.name)} ${DEPARTURES[reason] ?? "left"}`);
    const earlier = participant && before.get(participant.id);
    if (change === "changed" && earlier) {
      for (const text of changes(earlier, participant, participant.id === call.self, name)) toast(text);
    }
    before = new Map(call.participants);
  });
  call.addEventListener("room", () => {
    const { locked = false, lobby = false, pinned = null } = room ?? {};
    room = call.roomState;
    if (!room) return;
    if (room.locked !== locked) toast(room.locked ? "The room is locked now" : "The room is open again");
    if (room.lobby !== lobby) toast(room.lobby ? "Who comes is now let in by a moderator" : "Who comes gets in at once");
    if (room.pinned !== pinned && room.pinned) {
      toast(`Everybody sees ${room.pinned === call.self ? "you" : name(room.pinned)} large now`);
    }
  });
  call.addEventListener("notice", (event) => toast(noticeText(/** @type {CustomEvent} */ (event).detail)));
  // Every call begins with little, until its link is known.
  let hasMoved = call.quality?.video === "moving";
  let left = thinness(call.quality);
  call.addEventListener("quality", () => {
    const leaves = thinness(call.quality);
    if (hasMoved && leaves && leaves !== left) toast(THIN[leaves]);
    hasMoved ||= call.quality?.video === "moving";
    left = leaves;
  });
  let wasThin = false;
  call.addEventListener("uplink", () => {
    const isThin = call.camera && call.paused === "thin";
    if (isThin && !wasThin) toast("Your connection is too thin for your picture now: the others hear you.");
    wasThin = isThin;
  });
}

/**
 * @param {import("./mosaic.js").Participant} before
 * @param {import("./mosaic.js").Participant} now
 * @param {boolean} isSelf
 * @param {(id: string) => string} nameOf
 * @returns {string[]} what is worth a note
 */
export function changes(before, now, isSelf, nameOf) {
  const by = (/** @type {string} */ id) => (id === "operator" ? "The operator" : nameOf(id));
  const notes = [];
  if (before.hand_raised_ms === undefined && now.hand_raised_ms !== undefined && !isSelf) {
    notes.push(`${called(now.name)} raised a hand`);
  }
  if (before.role !== now.role) {
    const [own, theirs] = now.role === "moderator" ? ["You moderate now", "moderates now"]
      : ["You no longer moderate", "no longer moderates"];
    notes.push(isSelf ? own : `${called(now.name)} ${theirs}`);
  }
  if (!isSelf) return notes;
  if (before.hand_raised_ms !== undefined && now.hand_raised_ms === undefined) notes.push("Your hand is down");
  if (now.muted_by && before.muted_by !== now.muted_by) notes.push(`${by(now.muted_by)} muted you`);
  if (now.camera_off_by && before.camera_off_by !== now.camera_off_by) {
    notes.push(`${by(now.camera_off_by)} turned your camera off`);
  }
  return notes;
}
