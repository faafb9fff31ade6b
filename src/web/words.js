/**
 * What the page says: a sentence for each code of PROTOCOL.md and of {@link MosaicError}.
 *
 * A code without a sentence here speaks for itself, by the message that came with it.
 */

/** @type {Record<string, string>} */
const SENTENCES = {
  unreachable: "The server cannot be reached.",
  timeout: "The server does not answer.",
  unsupported: "This browser cannot make calls: it has no WebRTC.",
  room_full: "This room is full.",
  room_locked: "This room is locked: nobody else gets in now. Ask somebody inside to unlock it.",
  no_such_room: "There is no such room on this server. Look at its name again.",
  too_many_rooms: "The server cannot open another room right now. Try again in a moment.",
  too_many_sessions: "The server has too many guests right now.",
  too_many_from_address: "There are too many people at your address already.",
  lobby_full: "Too many people wait for this room already. Try again in a few minutes.",
  denied: "A moderator did not let you in.",
  waited_too_long: "Nobody has let you in for a long time. You may knock again.",
  banned: "A moderator removed you, and this room stays closed to you.",
  identity_taken: "You are in this room already, from somewhere else.",
  bad_room: "That room name will not do: up to 64 letters, digits, dots, dashes and underscores.",
  bad_name: "That name will not do: up to 64 characters.",
  bad_version: "This page is out of date. Reload it.",
  auth_required: "This server lets in only who has an invitation. Open the link you were given.",
  bad_auth: "Your invitation is not valid here. Ask for another.",
  auth_expired: "Your invitation has expired. Ask for another.",
  not_this_room: "Your invitation is for another room.",
  rate_limited: "That was too much at once.",
  no_such_participant: "They are not here any more.",
  too_many_pins: "Others see three people large already, and that is all the server draws.",
  bad_text: "That text cannot be sent: it is too long, or has signs in it that are no letters.",
  no_opus: "This browser cannot send the kind of sound the server needs (Opus).",
  no_vp8: "This browser cannot send the kind of picture the server needs (VP8).",
  no_media: "Sound and picture do not get through.",
  gone: "You were out of reach for too long.",
  not_joined: "You were not in a room in time.",
  slow: "Your connection was too slow for what was to be told.",
  taken: "You joined from somewhere else, so this window left the call.",
  replaced: "You came in from somewhere else, so this window left the call.",
  removed: "A moderator removed you from the call.",
  ended: "The call was ended for everybody.",
  draining: "The server is restarting.",
  failed: "The server could not keep this room running.",
};

/** Ends that say all there is to say. */
const FINAL = new Set(["removed", "ended", "replaced", "taken"]);

/** What to say for each code of a notice; others bring words of their own. @type {Record<string, string>} */
const NOTICES = {
  source_thinned: "You send more than the server takes: the others see or hear you with gaps.",
};

/** What moderators ask for, and what the person can do then. @type {Record<string, [string, string]>} */
export const REQUESTS = {
  mute: ["asks you to mute your microphone", "Mute"],
  unmute: ["asks you to speak", "Unmute"],
  camera_off: ["asks you to turn your camera off", "Turn off"],
  camera_on: ["asks you to turn your camera on", "Turn on"],
};

/** Why the microphone or camera cannot be switched on. */
export const HELD = {
  muted: "A moderator keeps your microphone off. Raise your hand to ask.",
  muted_by_rule: "Your invitation does not let you speak in this room.",
  camera: "A moderator keeps your camera off. Raise your hand to ask.",
  camera_by_rule: "Your invitation does not let you show yourself in this room.",
};

/** Why something did not work, and for how long. @param {import("./mosaic/errors.js").MosaicError} error */
export function sentence({ code, message, retryAfterMs }) {
  const isEarly = code === "bad_auth" && retryAfterMs;
  const text = isEarly ? "Your invitation is not valid yet." : SENTENCES[code] ?? capital(message || "That did not work.");
  return retryAfterMs ? `${text} Try again ${inSeconds(retryAfterMs)}.` : text;
}

/** Why one is out of a call. @param {import("./mosaic/errors.js").MosaicError|null} error @param {boolean} wasIn */
export function farewell(error, wasIn) {
  if (!error) return "The call could not go on.";
  return wasIn && !FINAL.has(error.code) ? `The call ended. ${sentence(error)}` : sentence(error);
}

/** @param {{code: string, message: string}} notice */
export function noticeText({ code, message }) {
  return NOTICES[code] ?? capital(message);
}

/** What is wrong while the call tries to go on. @param {string|undefined} code @param {boolean} wasConnected */
export function troubleText(code, wasConnected) {
  if (!navigator.onLine) return "You are offline. The call goes on when the network is back.";
  if (code === "no_media") {
    return wasConnected ? "Sound and picture stopped coming. Reconnecting…"
      : "Sound and picture do not get through; perhaps a firewall blocks UDP. Still trying…";
  }
  return "The connection to the server was lost. Reconnecting…";
}

/** Where one stands among those who wait. @param {number|null} place 1 is next */
export function placeText(place) {
  if (place === null) return "";
  if (place === 1) return "You are next.";
  return place === 2 ? "One person is before you." : `${place - 1} people are before you.`;
}

/** @param {string} name of somebody, who may have none */
export function called(name) {
  return name || "Somebody";
}

/** @param {number} ms */
function inSeconds(ms) {
  const seconds = Math.ceil(ms / 1_000);
  if (seconds >= 120) return `in ${Math.ceil(seconds / 60)} minutes`;
  return seconds === 1 ? "in a second" : `in ${seconds} seconds`;
}

/** @param {string} text */
function capital(text) {
  return `${text.slice(0, 1).toLocaleUpperCase()}${text.slice(1)}${/[.!?…]$/.test(text) ? "" : "."}`;
}
