/**
 * The conference page: puts lobby, devices, stage and panels around one call.
 *
 * `/?room=demo&name=Guest` fills the form in; `&join=1` joins by itself; `#auth=` is the token that lets in, which
 * stays out of the address bar and of invitations, and does not reach the server in an address. While in a call,
 * `window.mosaic.call` is the {@link Call}: for tests and for the curious, and nothing else is global.
 */

import { invitation, invite, takeAuth } from "./address.js";
import { Chat } from "./chat.js";
import { Chooser } from "./chooser.js";
import { bindControls } from "./controls.js";
import { Devices } from "./devices.js";
import { Host } from "./host.js";
import { Link } from "./link.js";
import { Lobby } from "./lobby.js";
import { keep } from "./memory.js";
import { bindMenu, closeMenu } from "./menu.js";
import { roomMenu } from "./menus.js";
import { Call } from "./mosaic.js";
import { report } from "./news.js";
import { Own } from "./own.js";
import { Panels } from "./panels.js";
import { People } from "./people.js";
import { byId, notice, toast } from "./say.js";
import { keepAwake, letGo, watchScreen } from "./screen.js";
import { Stage } from "./stage.js";
import { View } from "./view.js";
import { called, farewell, placeText, sentence, troubleText } from "./words.js";

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
const chooser = new Chooser(devices);
const own = new Own(devices, showControls);
const lobby = new Lobby(devices, own.wishes, enter);
const view = new View();
const stage = new Stage((id) => (id !== call?.self) && view.pinOrNot(id));
const chat = new Chat();
const link = new Link();
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
/** Whether media has got through in this call. */
let wasConnected = false;

bindControls({
  isInCall: () => call !== null && !byId("call").hidden,
  toggleMuted: () => own.toggleMuted(),
  toggleCamera: () => own.toggleCamera(),
  toggleHand,
  leave: () => call?.leave(),
  invite: inviteOthers,
  chooseDevices: () => chooser.open(),
  togglePanel: (name) => panels.toggle(name),
  closePanels: () => call && panels.close(),
});
bindMenu(byId("show-more"), () => (call ? roomMenu(call, means) : []));
watchScreen();
view.addEventListener("change", onViewChange);
devices.addEventListener("change", onDevicesChange);
// An invitation opened in a window that has the page already.
globalThis.addEventListener("hashchange", () => { auth = takeAuth(); });
showControls();
lobby.start(query).then(() => {
  if (query.get("join") !== "1") return;
  if (!byId("name").value) byId("name").value = "Guest";
  byId("join-form").requestSubmit();
});

// -- in and out ------------------------------------------------------------------------------------

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
  link.start(call);
  host.start(call);
  report(call);
  showPeople(call);
  showRoom(call);
  showState(call);
  chooser.tell();
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
  link.stop();
  panels.close();
  people.stop();
  host.stop();
  chat.stop();
  view.stop();
  closeMenu();
  letGo();
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

// -- what the person does ----------------------------------------------------------------------------

function toggleHand() {
  if (!call) return;
  call.setHand(!call.handRaised);
  showPeople(call);
}

function onViewChange() {
  if (!call) return;
  const pinned = call.participants.get(view.pin ?? "");
  if (pinned) toast(`You see ${called(pinned.name)} large now`);
  showPeople(call);
}

function showControls() {
  for (const id of ["mute", "lobby-mute"]) byId(id).setAttribute("aria-pressed", String(own.isMuted));
  for (const id of ["camera", "lobby-camera"]) byId(id).setAttribute("aria-pressed", String(own.isCameraOff));
  lobby.show();
}

function onDevicesChange() {
  call?.setStream(devices.stream);
  chooser.tell();
  showControls();
  chooser.list();
}

function inviteOthers() {
  if (call) invite(call.room, () => byId("panel-people").hidden && panels.toggle("people"));
}
