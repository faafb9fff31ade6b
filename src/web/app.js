/**
 * The conference page: puts lobby, devices, stage and panels around one call.
 *
 * `/?room=demo&name=Guest` fills the form in; `&join=1` joins by itself; `#auth=` is the token that lets in, which
 * stays out of the address bar and of invitations, and does not reach the server in an address. While in a call,
 * `window.mosaic.call` is the {@link Call}: for tests and for the curious, and nothing else is global.
 */

import { Chat } from "./chat.js";
import { Devices, describe } from "./devices.js";
import { Host } from "./host.js";
import { Lobby } from "./lobby.js";
import { recall, remember } from "./memory.js";
import { bindMenu, closeMenu } from "./menu.js";
import { roomMenu } from "./menus.js";
import { Call } from "./mosaic.js";
import { report } from "./news.js";
import { Panels } from "./panels.js";
import { People } from "./people.js";
import { byId, copy, notice, toast } from "./say.js";
import { Stage } from "./stage.js";
import { View } from "./view.js";
import { HELD, farewell, placeText, sentence, troubleText } from "./words.js";

const IDLE_MS = 3_000;
/** How long joining waits for the person to allow microphone and camera. */
const PROMPT_MS = 4_000;
/** What goes wrong without a reply to say so, and that the person can do something about. */
const TOLD_TROUBLES = new Set(["too_many_pins", "rate_limited"]);

const query = new URLSearchParams(location.search);
const auth = takeAuth();
const devices = new Devices();
/** What the buttons say. The devices may not be able to follow. */
const wishes = { muted: recall("muted") === "true", camera: recall("camera") !== "false" };
const lobby = new Lobby(devices, wishes, enter);
const view = new View();
const stage = new Stage((id) => (id !== call?.self) && view.pinOrNot(id));
const chat = new Chat();
const panels = new Panels((name) => (name === "chat") && chat.read());
const host = new Host(agree);
/** How what is in the menus is carried out. @type {import("./menus.js").Means} */
const means = {
  view,
  moderate: (act, fields) => host.moderate(act, fields),
  confirm: (question, yes, act) => host.confirm(question, yes, act),
};
const people = new People(means);
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
  view.start(call);
  chat.start(call);
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
  panels.start(call);
  host.start(call);
  report(call);
  showPeople(call);
  showRoom(call);
  showState(call);
  tellDevices();
  keepAwake();
}

/** @param {Call} current */
function follow(current) {
  current.addEventListener("state", () => (current === call) && showState(current));
  current.addEventListener("stream", () => (current === call) && byId("call").hidden === false
    && stage.play(current.stream));
  current.addEventListener("layout", () => stage.show(current, view.pin));
  current.addEventListener("speaker", () => showPeople(current));
  current.addEventListener("participants", () => {
    if (current === call) obey(current);
    showPeople(current);
  });
  current.addEventListener("room", () => (current === call) && showRoom(current));
  current.addEventListener("knocking", () => (current === call) && people.show(current));
  current.addEventListener("waiting", () => (current === call) && showState(current));
  current.addEventListener("trouble", (event) => {
    const { error } = /** @type {CustomEvent} */ (event).detail;
    console.warn("mosaic:", error);
    if (current === call && TOLD_TROUBLES.has(error.code)) toast(sentence(error));
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
  people.stop();
  host.stop();
  chat.stop();
  view.stop();
  closeMenu();
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
  lobby.showWaiting(null);
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
  notice("alert", state === "reconnecting" ? troubleText(error?.code, wasConnected) : null);
  const isOutside = document.body.dataset.view === "lobby";
  const wasWaiting = !byId("waiting").hidden;
  if (isOutside && state === "waiting") {
    lobby.showWaiting({ room: current.room, text: placeText(current.place) });
  } else if (isOutside && state === "reconnecting") {
    lobby.showWaiting({ room: current.room, text: `${troubleText(error?.code, false)} Your place is kept.` });
  }
  if (state === "connected") {
    wasConnected = true;
    if (wasInterrupted) toast("Connected again");
  }
  if (state === "left") exit(wasWaiting ? "You no longer wait." : "You left the call.", "mild");
  if (state === "failed") exit(farewell(error, !isOutside), error?.code === "ended" ? "mild" : "bad");
}

/** @param {Call} current */
function showPeople(current) {
  people.show(current);
  stage.show(current, view.pin);
  byId("alone").hidden = current.participants.size !== 1;
  byId("hand").setAttribute("aria-pressed", String(current.handRaised));
  for (const [name, value] of [["aria-label", ""], ["title", " (H)"]]) {
    byId("hand").setAttribute(name, `${current.handRaised ? "Lower" : "Raise"} hand${value}`);
  }
  if (current === call) host.showKnocking();
}

/** @param {Call} current */
function showRoom(current) {
  host.showRoom(current);
  showPeople(current);
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

/** Oneself, as the others see it. */
function me() {
  return call?.participants.get(call.self ?? "");
}

/** A moderator has muted us, or switched our camera off: then it is so here as well, with the camera's light. */
function obey(/** @type {Call} */ current) {
  const self = me();
  // Who may not speak at all is muted by nobody.
  if (self?.may_unmute === false && !current.muted) current.setMuted(true);
  if (self?.may_use_camera === false && current.camera) current.setCamera(false);
  const isSilenced = current.muted && !wishes.muted;
  const isHidden = !current.camera && wishes.camera;
  if (isSilenced) wishes.muted = true;
  if (isHidden) {
    wishes.camera = false;
    devices.close("video");
  }
  if (isSilenced || isHidden) showControls();
}

/** What a moderator asked for, and the person agreed to. @param {string} to */
function agree(to) {
  if (to === "mute" || to === "unmute") {
    if (isMuted() !== (to === "mute")) toggleMuted();
  } else if (isCameraOff() !== (to === "camera_off")) {
    toggleCamera();
  }
}

function toggleHand() {
  if (!call) return;
  call.setHand(!call.handRaised);
  showPeople(call);
}

function toggleMuted() {
  const self = me();
  if (isMuted() && self?.may_unmute === false) {
    toast(self.muted_by ? HELD.muted : HELD.muted_by_rule);
    return;
  }
  wishes.muted = !isMuted();
  remember("muted", String(wishes.muted));
  call?.setMuted(wishes.muted);
  if (!wishes.muted && wereAsked()) devices.open("audio");
  showControls();
}

function toggleCamera() {
  const self = me();
  if (isCameraOff() && self?.may_use_camera === false) {
    toast(self.camera_off_by ? HELD.camera : HELD.camera_by_rule);
    return;
  }
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

/** @param {Event} event of the key, which is not to be written */
function openChat(event) {
  event.preventDefault();
  panels.toggle("chat");
  if (!byId("panel-chat").hidden) byId("chat-text").focus();
}

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
  byId("hand").addEventListener("click", toggleHand);
  byId("leave").addEventListener("click", () => call?.leave());
  byId("stop-waiting").addEventListener("click", () => call?.leave());
  bindMenu(byId("show-more"), () => (call ? roomMenu(call, means) : []));
  view.addEventListener("change", () => call && showPeople(call));
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
  // Also from within a panel's field, in which the other keys are letters.
  if (event.key === "Escape" && call && !event.isComposing && !target.closest?.("dialog")) panels.close();
  const isTyping = target.closest?.("input, select, textarea, dialog, [role=menu]");
  if (isTyping || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  const key = event.key.toLowerCase();
  if (key === "m") toggleMuted();
  else if (key === "v") toggleCamera();
  else if (!call || byId("call").hidden) return;
  else if (key === "h") toggleHand();
  else if (key === "t") openChat(event);
  else if (key === "p") panels.toggle("people");
  else if (key === "r") byId("show-more").click();
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
