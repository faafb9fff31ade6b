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
import { keep, kept, recall } from "./memory.js";
import { bindMenu, closeMenu } from "./menu.js";
import { roomMenu } from "./menus.js";
import { Call } from "./mosaic.js";
import { report } from "./news.js";
import { Own } from "./own.js";
import { Panels } from "./panels.js";
import { People } from "./people.js";
import { byId, copy, notice, toast } from "./say.js";
import { Stage } from "./stage.js";
import { View } from "./view.js";
import { called, farewell, placeText, sentence, troubleText } from "./words.js";

const IDLE_MS = 3_000;
/** How long joining waits for the person to allow microphone and camera. */
const PROMPT_MS = 4_000;
/** What is so for a while, beside the picture. @type {Record<string, string>} */
const BANNERS = { joining: "Connecting…", waiting: "Waiting for a moderator to let you in again…" };
/** What goes wrong without a reply to say so, and that the person can do something about. */
const TOLD_TROUBLES = new Set(["too_many_pins", "rate_limited"]);
/** A token with which one gets nowhere is forgotten. */
const AUTH_CODES = new Set(["bad_auth", "auth_expired", "not_this_room"]);

const query = new URLSearchParams(location.search);
let auth = takeAuth();
const devices = new Devices();
const own = new Own(devices, showControls);
const lobby = new Lobby(devices, own.wishes, enter);
const view = new View();
const stage = new Stage((id) => (id !== call?.self) && view.pinOrNot(id));
const chat = new Chat();
const panels = new Panels((name) => {
  if (name === "chat") chat.read();
  if (name === "people") host.showList();
});
const host = new Host((to) => own.agree(to));
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

/**
 * The token behind the `#`, which is taken out of the address: it is not for whoever looks on, or is invited.
 * This window keeps it, so that a reload does not shut anybody out.
 */
function takeAuth() {
  const found = new URLSearchParams(location.hash.slice(1)).get("auth");
  if (found === null) return kept("auth");
  history.replaceState(null, "", location.pathname + location.search);
  keep("auth", found);
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
  call = new Call({ room, name, auth, stream: devices.stream, ...own.wishes });
  shared.mosaic.call = call;
  own.call = call;
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
    if (current === call) own.obey();
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
  own.call = null;
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
  notice("banner", BANNERS[state] ?? null);
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
  if (AUTH_CODES.has(error?.code ?? "")) {
    auth = null;
    keep("auth", null);
  }
  if (state === "failed") exit(farewell(error, !isOutside), error?.code === "ended" ? "mild" : "bad");
}

/** @param {Call} current */
function showPeople(current) {
  people.show(current);
  stage.show(current, view.pin);
  byId("alone").hidden = current.participants.size !== 1;
  byId("hand").setAttribute("aria-pressed", String(current.handRaised));
  if (current === call) host.showKnocking();
}

/** @param {Call} current */
function showRoom(current) {
  host.showRoom(current);
  showPeople(current);
}

// -- microphone, camera, invitation ------------------------------------------------------------------

function toggleHand() {
  if (!call) return;
  call.setHand(!call.handRaised);
  showPeople(call);
}

function showControls() {
  for (const id of ["mute", "lobby-mute"]) byId(id).setAttribute("aria-pressed", String(own.isMuted));
  for (const id of ["camera", "lobby-camera"]) byId(id).setAttribute("aria-pressed", String(own.isCameraOff));
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
  for (const id of ["mute", "lobby-mute"]) byId(id).addEventListener("click", () => own.toggleMuted());
  for (const id of ["camera", "lobby-camera"]) byId(id).addEventListener("click", () => own.toggleCamera());
  byId("hand").addEventListener("click", toggleHand);
  byId("leave").addEventListener("click", () => call?.leave());
  byId("stop-waiting").addEventListener("click", () => call?.leave());
  bindMenu(byId("show-more"), () => (call ? roomMenu(call, means) : []));
  view.addEventListener("change", () => {
    if (!call) return;
    const pinned = call.participants.get(view.pin ?? "");
    if (pinned) toast(`You see ${called(pinned.name)} large now`);
    showPeople(call);
  });
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
  // An invitation opened in a window that has the page already.
  globalThis.addEventListener("hashchange", () => { auth = takeAuth(); });
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
  if (key === "m") own.toggleMuted();
  else if (key === "v") own.toggleCamera();
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
