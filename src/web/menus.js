/**
 * What is in the menus of a call: of the room, and of each person. What is not for oneself to do is
 * not in them; the server refuses it in any case.
 */

import { byId } from "./say.js";
import { called } from "./words.js";

/**
 * @typedef {import("./menu.js").Choice} Choice
 * @typedef {import("./menu.js").Section} Section
 * @typedef {import("./mosaic.js").Call} Call
 * @typedef {import("./mosaic.js").Participant} Participant
 *
 * @typedef {object} Means how the choices are carried out
 * @property {import("./view.js").View} view
 * @property {(act: import("./mosaic.js").Act, fields?: object) => void} moderate
 * @property {(question: string, yes: string, act: () => void) => void} confirm
 */

/** @type {["grid"|"speaker"|null, string][]} */
const LAYOUTS = [[null, "As it fits"], ["grid", "All alike"], ["speaker", "Who speaks large"]];

/** Buttons that small windows leave out of the bar, and what they are called in the menu then. */
const FOLDED = [
  ["show-link", "Connection"],
  ["show-devices", "Microphone and camera"],
  ["fullscreen", "Full screen"],
  ["show-help", "Keyboard shortcuts"],
  ["bar-invite", "Copy the invitation link"],
];

/** Nobody has a menu in which there is nothing to choose. @param {Call} call @param {Participant} participant */
export function hasPersonMenu(call, { id }) {
  return call.role === "moderator" || id !== call.self;
}

/**
 * @param {Call} call
 * @param {Means} means
 * @returns {Section[]}
 */
export function roomMenu(call, { view, moderate, confirm }) {
  const { locked = false, lobby = false, layout = null, pinned = null } = call.roomState ?? {};
  const all = [...call.participants.values()];
  const own = LAYOUTS.map(([value, label]) => {
    const isOn = view.layout === value && view.pin === null;
    return radio(value === null ? "As in the room" : label, isOn, () => view.arrange(value));
  });
  const sections = [{ title: "What you see", choices: own }];
  if (call.role === "moderator") {
    /** @type {Choice[]} */
    const choices = LAYOUTS.map(([value, label]) => (
      radio(label, layout === value, () => moderate("layout", value === null ? {} : { layout: value }))
    ));
    if (pinned !== null) choices.push({ label: "Show nobody large", act: () => moderate("pin") });
    sections.push({ title: "What everybody sees", choices }, { title: "The room", choices: [
      check("Lock the room", locked, () => moderate(locked ? "unlock" : "lock")),
      check("Ask before letting anybody in", lobby, () => moderate("lobby", { on: !lobby })),
      ...all.some((one) => one.role !== "moderator" && !one.muted)
        ? [{ label: "Mute all guests", act: () => moderate("mute", { how: "force" }) }] : [],
      ...all.some((one) => one.hand_raised_ms !== undefined)
        ? [{ label: "Lower all hands", act: () => moderate("lower_hand") }] : [],
      {
        label: "End the call for everybody…",
        danger: true,
        act: () => confirm("End the call for everybody? All are sent out, and what was written is forgotten.",
          "End the call", () => moderate("end")),
      },
    ] });
  }
  const isTouched = matchMedia("(hover: none) and (pointer: coarse)").matches;
  const folded = FOLDED
    .filter(([id]) => !byId(id).checkVisibility() && !byId(id).hidden && !(isTouched && id === "show-help"))
    .map(([id, label]) => ({ label: byId(id).dataset.label ?? label, act: () => byId(id).click() }));
  return [...sections, { title: "More", choices: folded }];
}

/**
 * @param {Call} call
 * @param {Participant} participant
 * @param {Means} means
 * @returns {Section[]}
 */
export function personMenu(call, participant, means) {
  const { id, name } = participant;
  const { view } = means;
  const title = called(name);
  const isSelf = id === call.self;
  const own = isSelf ? [] : [check("Large for you", view.pin === id, () => view.pinOrNot(id))];
  if (call.role !== "moderator") return [{ title, choices: own }];
  const isPinned = call.roomState?.pinned === id;
  const pin = check("Large for everybody", isPinned, () => means.moderate("pin", isPinned ? {} : { participant: id }));
  return [
    { title, choices: [...own, pin] },
    { title: "Microphone and camera", choices: isSelf ? [] : mediaChoices(participant, means) },
    { title: "Part in the call", choices: isSelf ? ownPart(call, means) : partChoices(participant, means) },
  ];
}

/** @param {Participant} participant @param {Means} means @returns {Choice[]} */
function mediaChoices(participant, { moderate }) {
  const { id, muted, camera, may_unmute: mayUnmute, may_use_camera: mayShow } = participant;
  /** @param {string} label @param {import("./mosaic.js").Act} act @param {string} [how] */
  const choice = (label, act, how) => ({ label, act: () => moderate(act, { participant: id, ...how && { how } }) });
  const voice = muted ? [] : [choice("Ask to mute", "mute", "ask"), choice("Mute", "mute", "force")];
  if (mayUnmute !== false) voice.push(choice("Mute, and keep muted", "mute", "hold"));
  if (muted) voice.push(choice(mayUnmute === false ? "Let them speak" : "Ask to speak", "unmute"));
  const picture = camera ? [choice("Turn camera off", "camera_off", "force")] : [];
  if (mayShow !== false) picture.push(choice("Turn camera off, and keep off", "camera_off", "hold"));
  const cameraOn = mayShow === false ? "Let them turn the camera on" : "Ask for the camera";
  if (!camera) picture.push(choice(cameraOn, "camera_on"));
  // Moderators cannot change what somebody's invitation does not allow.
  return [
    ...mayUnmute === false && !participant.muted_by ? [] : voice,
    ...mayShow === false && !participant.camera_off_by ? [] : picture,
  ];
}

/** The last moderator remains one. @param {Call} call @param {Means} means @returns {Choice[]} */
function ownPart({ self, participants }, { moderate }) {
  const isLast = [...participants.values()].filter(({ role }) => role === "moderator").length < 2;
  const act = () => moderate("role", { participant: self, role: "participant" });
  return isLast ? [] : [{ label: "Stop moderating", act }];
}

/** @param {Participant} participant @param {Means} means @returns {Choice[]} */
function partChoices({ id, name, role, hand_raised_ms: hand }, { moderate, confirm }) {
  const who = name || "them";
  /** @type {Choice[]} */ const choices = [];
  if (hand !== undefined) {
    choices.push({ label: "Lower hand", act: () => moderate("lower_hand", { participant: id }) });
  }
  const next = role === "moderator" ? "participant" : "moderator";
  choices.push({
    label: next === "moderator" ? "Make moderator" : "Take moderating away",
    act: () => moderate("role", { participant: id, role: next }),
  }, {
    label: "Remove…",
    danger: true,
    act: () => confirm(`Remove ${who} from the call? They may come back.`, "Remove",
      () => moderate("remove", { participant: id, ban: false })),
  }, {
    label: "Remove and ban…",
    danger: true,
    act: () => confirm(`Remove ${who}, and keep them out of this room?`, "Remove and ban",
      () => moderate("remove", { participant: id, ban: true })),
  });
  return choices;
}

/** @param {string} label @param {boolean} on @param {() => void} act @returns {Choice} */
function check(label, on, act) {
  return { label, act, kind: "check", on };
}

/** @param {string} label @param {boolean} on @param {() => void} act @returns {Choice} */
function radio(label, on, act) {
  return { label, act, kind: "radio", on };
}
