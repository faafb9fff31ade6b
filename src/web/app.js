/**
 * The conference page: puts lobby, devices, stage and panels around one call.
 *
 * `/?room=demo&name=Guest` fills the form in; `&join=1` joins by itself; `#auth=` is the token that lets in, which
 * stays out of the address bar and of invitations, and does not reach the server in an address. While in a call,
 * `window.mosaic.call` is the {@link Call}: for tests and for the curious, and nothing else is global.
 */

import { Devices, describe } from "./devices.js";
import { Lobby } from "./lobby.js";
import { recall, remember } from "./memory.js";
import { Call } from "./mosaic.js";
import { Panels } from "./panels.js";
import { byId, copy, notice, toast } from "./say.js";
import { Stage } from "./stage.js";

const IDLE_MS = 3_000;
/** How long joining waits for the person to allow microphone and camera. */
const PROMPT_MS = 4_000;

/** What to say for each code of {@link MosaicError}; others speak for themselves. @type {Record<string, string>} */
const SENTENCES = {
  unreachable: "The server cannot be reached.",
  timeout: "The server does not answer.",
  unsupported: "This browser cannot make calls: it has no WebRTC.",
  room_full: "This room is full.",
  too_many_rooms: "The server cannot open another room right now. Try again in a moment.",
  bad_room: "That room name will not do: up to 64 letters, digits, dots, dashes and underscores.",
  bad_name: "That name will not do: up to 64 characters.",
  bad_version: "This page is out of date. Reload it.",
  auth_required: "This server lets in only who has an invitation. Open the link you were given.",
  bad_auth: "Your invitation is not valid here. Ask for another.",
  auth_expired: "Your invitation has expired. Ask for another.",
  not_this_room: "Your invitation is for another room.",
  too_many_from_address: "There are too many people at your address already. Try again in a moment.",
  rate_limited: "That was too much at once. Try again in a moment.",
  no_opus: "This browser cannot send the kind of sound the server needs (Opus).",
  no_vp8: "This browser cannot send the kind of picture the server needs (VP8).",
  taken: "You joined from somewhere else, so this window left the call.",
  draining: "The server is restarting.",
  failed: "The server could not keep this room running.",
};

/** What to say for each code of a notice; others bring words of their own. @type {Record<string, string>} */
const NOTICES = {
  source_thinned: "You send more than the server takes: the others see or hear you with gaps.",
};

const query = new URLSearchParams(location.search);
const auth = takeAuth();
const devices = new Devices();
/** What the buttons say. The devices may not be able to follow. */
const wishes = { muted: recall("muted") === "true", camera: recall("camera") !== "false" };
const lobby = new Lobby(devices, wishes, enter);
const stage = new Stage();
const panels = new Panels();
/** @type {Call|null} */
let call = null;
/** @type {{mosaic: {call: Call|null}}} */
const shared = Object.assign(window, { mosaic: { call } });
/** @type {WakeLockSentinel|null} */
let wakeLock = null;
/** Whether media has got through in this call. */
let wasConnected = false;
/** The last trouble with devices that a note was shown about. @type {string|null} */
let toldTrouble = null;

bindControls();
showControls();
lobby.start(query).then(() => {
  if (query.get("join") !== "1") return;
  if (!byId("name").value) byId("name").value = "Guest";
  byId("join-form").requestSubmit();
});

// -- in and out ------------------------------------------------------------------------------------

/** The token behind the `#`, which is taken out of the address: it is not for whoever looks on, or is invited. */
function takeAuth() {
  const found = new URLSearchParams(location.hash.slice(1)).get("auth");
  if (found !== null) history.replaceState(null, "", location.pathname + location.search);
  return found;
}

/** @param {string} room @param {string} name */
async function enter(room, name) {
  if (call) return;
  lobby.tell(null);
  byId("join").disabled = true;
  byId("join").textContent = "Joining…";
  if (devices.stream.getTracks().length === 0) {
    // A question nobody answers must not keep anyone out: what is allowed later is sent from then on.
    await Promise.race([lobby.open(), new Promise((resolve) => setTimeout(resolve, PROMPT_MS))]);
  }
  call = new Call({ room, name, auth, stream: devices.stream, muted: wishes.muted, camera: wishes.camera });
  shared.mosaic.call = call;
  follow(call);
  try {
    await call.join();
  } catch {
    return; // The event `failed` has shown why.
  }
  // The address is now an invitation: without the name, and without joining by itself.
  history.replaceState(null, "", invitation(room));
  show("call", room);
  call.setStream(devices.stream);
  stage.play(call.stream);
  stage.show(call);
  panels.start(call);
  showPeople(call);
  showState(call);
  tellDevices();
  keepAwake();
}

/** @param {Call} current */
function follow(current) {
  current.addEventListener("state", () => (current === call) && showState(current));
  current.addEventListener("stream", () => (current === call) && byId("call").hidden === false
    && stage.play(current.stream));
  current.addEventListener("layout", () => stage.show(current));
  current.addEventListener("speaker", () => showPeople(current));
  current.addEventListener("participants", (event) => {
    const { change, participant, reason } = /** @type {CustomEvent} */ (event).detail;
    if (change === "joined") toast(`${participant.name} joined`);
    if (change === "left") toast(`${participant.name} ${reason === "gone" ? "lost the connection" : "left"}`);
    showPeople(current);
  });
  current.addEventListener("notice", (event) => {
    const { code, message } = /** @type {CustomEvent} */ (event).detail;
    toast(NOTICES[code] ?? message);
  });
  let wasThin = false;
  current.addEventListener("uplink", () => {
    const isThin = current.camera && current.paused === "thin";
    if (isThin && !wasThin) toast("Your connection is too thin for your picture now: the others hear you.");
    wasThin = isThin;
  });
  current.addEventListener("trouble", (event) => {
    console.warn("mosaic:", /** @type {CustomEvent} */ (event).detail.error);
  });
}

/** Back to the lobby, with a word on why. @param {string} text @param {"mild"|"bad"} tone */
function exit(text, tone) {
  const room = call?.room ?? "";
  call = null;
  wasConnected = false;
  shared.mosaic.call = null;
  stage.stop();
  panels.stop();
  wakeLock?.release().catch(() => {});
  wakeLock = null;
  if (document.fullscreenElement) document.exitFullscreen();
  for (const dialog of document.querySelectorAll("dialog[open]")) {
    /** @type {HTMLDialogElement} */ (dialog).close();
  }
  byId("join").disabled = false;
  // A camera whose light stays on after the call frightens people, and rightly.
  if (!byId("call").hidden) {
    devices.close("audio");
    devices.close("video");
  }
  show("lobby", room);
  lobby.tell(text, tone);
  byId("join").focus({ preventScroll: true });
}

/** @param {"lobby"|"call"} view @param {string} room */
function show(view, room) {
  document.body.dataset.view = view;
  byId("lobby").hidden = view !== "lobby";
  byId("call").hidden = view !== "call";
  document.title = view === "call" ? `${room} · mosaicd` : "mosaicd";
  for (const place of document.querySelectorAll("[data-room]")) place.textContent = room;
  byId("join").textContent = "Join";
  lobby.show();
  showControls();
}

/** @param {Call} current */
function showState(current) {
  const { state, error } = current;
  const wasInterrupted = document.body.dataset.state === "reconnecting";
  document.body.dataset.state = state;
  notice("banner", state === "joining" ? "Connecting…" : null);
  notice("alert", state === "reconnecting" ? troubleText(error?.code) : null);
  if (state === "connected") {
    wasConnected = true;
    if (wasInterrupted) toast("Connected again");
  }
  if (state === "left") exit("You left the call.", "mild");
  if (state === "failed") {
    const wasIn = document.body.dataset.view === "call";
    const sentence = SENTENCES[error?.code ?? ""] ?? error?.message ?? "The call could not go on.";
    exit(wasIn ? `The call ended. ${sentence}` : sentence, "bad");
  }
}

/** @param {string|undefined} code */
function troubleText(code) {
  if (!navigator.onLine) return "You are offline. The call goes on when the network is back.";
  if (code === "no_media") {
    return wasConnected ? "Sound and picture stopped coming. Reconnecting…"
      : "Sound and picture do not get through; perhaps a firewall blocks UDP. Still trying…";
  }
  return "The connection to the server was lost. Reconnecting…";
}

/** @param {Call} current */
function showPeople(current) {
  panels.showPeople(current);
  stage.show(current);
  byId("alone").hidden = current.participants.size !== 1;
}

// -- microphone, camera, invitation ------------------------------------------------------------------

/** Before anything was opened, what is wished is what is so. */
function wereAsked() {
  return call !== null || devices.stream.getTracks().length > 0
    || Object.values(devices.problems).some((problem) => problem !== null);
}

/** What is so, not what is wished: a microphone that is not there is muted. */
function isMuted() {
  return wishes.muted || (wereAsked() && devices.track("audio") === null);
}

function isCameraOff() {
  return !wishes.camera || (wereAsked() && devices.track("video") === null);
}

function toggleMuted() {
  wishes.muted = !isMuted();
  remember("muted", String(wishes.muted));
  call?.setMuted(wishes.muted);
  if (!wishes.muted && wereAsked()) devices.open("audio");
  showControls();
}

function toggleCamera() {
  wishes.camera = isCameraOff();
  remember("camera", String(wishes.camera));
  call?.setCamera(wishes.camera);
  if (!wishes.camera) devices.close("video");
  else if (wereAsked()) devices.open("video");
  showControls();
}

function showControls() {
  for (const id of ["mute", "lobby-mute"]) byId(id).setAttribute("aria-pressed", String(isMuted()));
  for (const id of ["camera", "lobby-camera"]) byId(id).setAttribute("aria-pressed", String(isCameraOff()));
  lobby.show();
}

function onDevicesChange() {
  call?.setStream(devices.stream);
  tellDevices();
  showControls();
  listDevices();
}

/** What is wrong with microphone or camera: once as a note, and for as long as it lasts where they are chosen. */
function tellDevices() {
  const trouble = describe(devices.problems);
  notice("devices-problem", trouble);
  const isInCall = !byId("call").hidden;
  if (isInCall && trouble && trouble !== toldTrouble) toast(trouble);
  if (isInCall || !trouble) toldTrouble = trouble;
}

async function listDevices() {
  for (const kind of /** @type {const} */ (["audio", "video"])) {
    const select = byId(`device-${kind}`);
    const current = devices.track(kind)?.getSettings().deviceId ?? recall(`device.${kind}`) ?? "";
    const options = (await devices.list(kind)).map(({ deviceId, label }, index) => new Option(
      label || `${kind === "audio" ? "Microphone" : "Camera"} ${index + 1}`, deviceId, false, deviceId === current,
    ));
    select.replaceChildren(...(options.length > 0 ? options : [new Option("Default", "")]));
    select.disabled = options.length < 2;
  }
}

/** @param {string} room */
function invitation(room) {
  const link = new URL(".", location.href);
  link.searchParams.set("room", room);
  return link.href;
}

async function invite() {
  if (!call) return;
  const link = invitation(call.room);
  if (await copy(link)) {
    toast("Invitation link copied");
    return;
  }
  byId("invitation").hidden = false;
  byId("invitation-link").value = link;
  if (byId("panel-people").hidden) panels.toggle("people");
  byId("invitation-link").select();
}

// -- controls ----------------------------------------------------------------------------------------

function openDevices() {
  byId("devices-dialog-slot").append(byId("devices"));
  byId("dialog-devices").showModal();
}

async function toggleFullscreen() {
  if (document.fullscreenElement) await document.exitFullscreen();
  else await byId("call").requestFullscreen?.().catch(() => {});
}

function bindControls() {
  for (const id of ["mute", "lobby-mute"]) byId(id).addEventListener("click", toggleMuted);
  for (const id of ["camera", "lobby-camera"]) byId(id).addEventListener("click", toggleCamera);
  byId("leave").addEventListener("click", () => call?.leave());
  byId("show-devices").addEventListener("click", openDevices);
  byId("show-help").addEventListener("click", () => byId("dialog-help").showModal());
  byId("dialog-devices").addEventListener("close", () => byId("devices-home").append(byId("devices")));
  byId("fullscreen").hidden = !document.fullscreenEnabled;
  byId("fullscreen").addEventListener("click", toggleFullscreen);
  for (const button of document.querySelectorAll("[data-invite]")) button.addEventListener("click", invite);
  for (const kind of /** @type {const} */ (["audio", "video"])) {
    byId(`device-${kind}`).addEventListener("change", (/** @type {any} */ event) => {
      devices.choose(kind, event.target.value);
    });
  }
  devices.addEventListener("change", onDevicesChange);
  document.addEventListener("keydown", onKey);
  document.addEventListener("fullscreenchange", () => {
    byId("fullscreen").setAttribute("aria-pressed", String(document.fullscreenElement !== null));
  });
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible" && call) keepAwake();
  });
  /** @type {ReturnType<typeof setTimeout>|undefined} */
  let idle;
  document.addEventListener("pointermove", () => {
    document.body.classList.remove("idle");
    clearTimeout(idle);
    idle = setTimeout(() => document.body.classList.add("idle"), IDLE_MS);
  });
}

/** @param {KeyboardEvent} event */
function onKey(event) {
  const target = /** @type {HTMLElement} */ (event.target);
  const isTyping = target.closest?.("input, select, textarea, dialog");
  if (isTyping || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  if (event.key === "Escape" && call) panels.close();
  const key = event.key.toLowerCase();
  if (key === "m") toggleMuted();
  else if (key === "v") toggleCamera();
  else if (!call || byId("call").hidden) return;
  else if (key === "p") panels.toggle("people");
  else if (key === "c") panels.toggle("link");
  else if (key === "d") openDevices();
  else if (key === "i") invite();
  else if (key === "f") toggleFullscreen();
  else if (key === "?") byId("dialog-help").showModal();
  // With Shift: one slip of a finger should not end a call.
  else if (key === "l" && event.shiftKey) call.leave();
}

/** Screens do not go dark in a call, where the browser lets us say so. */
async function keepAwake() {
  try {
    wakeLock = await navigator.wakeLock?.request("screen") ?? null;
  } catch {
    // Low battery, mostly.
  }
}
