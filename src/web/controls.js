/**
 * Buttons and keys: what each of them does.
 */

import { byId } from "./say.js";
import { toggleFullscreen } from "./screen.js";

/**
 * @typedef {object} Deeds
 * @property {() => boolean} isInCall whether the call is what one sees
 * @property {() => void} toggleMuted
 * @property {() => void} toggleCamera
 * @property {() => void} toggleHand
 * @property {() => void} leave also while one waits to be let in
 * @property {() => void} invite
 * @property {() => void} chooseDevices
 * @property {(panel: string) => void} togglePanel
 * @property {() => void} closePanels
 */

/** @param {Deeds} deeds */
export function bindControls(deeds) {
  /** @type {Record<string, () => void>} */
  const buttons = {
    mute: deeds.toggleMuted,
    "lobby-mute": deeds.toggleMuted,
    camera: deeds.toggleCamera,
    "lobby-camera": deeds.toggleCamera,
    hand: deeds.toggleHand,
    leave: deeds.leave,
    "stop-waiting": deeds.leave,
    "show-devices": deeds.chooseDevices,
    "show-help": showHelp,
    fullscreen: toggleFullscreen,
  };
  for (const [id, act] of Object.entries(buttons)) byId(id).addEventListener("click", () => act());
  for (const button of document.querySelectorAll("[data-invite]")) button.addEventListener("click", deeds.invite);
  document.addEventListener("keydown", (event) => onKey(event, deeds));
}

/** @param {KeyboardEvent} event @param {Deeds} deeds */
function onKey(event, deeds) {
  const target = /** @type {HTMLElement} */ (event.target);
  // Also from within a panel's field, in which the other keys are letters.
  if (event.key === "Escape" && !event.isComposing && !target.closest?.("dialog")) deeds.closePanels();
  const isTyping = target.closest?.("input, select, textarea, dialog, [role=menu]");
  if (isTyping || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  const key = event.key.toLowerCase();
  if (key === "m") deeds.toggleMuted();
  else if (key === "v") deeds.toggleCamera();
  else if (!deeds.isInCall()) return;
  else if (key === "h") deeds.toggleHand();
  else if (key === "t") openChat(event, deeds);
  else if (key === "p") deeds.togglePanel("people");
  else if (key === "r") byId("show-more").click();
  else if (key === "c") deeds.togglePanel("link");
  else if (key === "d") deeds.chooseDevices();
  else if (key === "i") deeds.invite();
  else if (key === "f") toggleFullscreen();
  else if (key === "?") showHelp();
  // With Shift: one slip of a finger should not end a call.
  else if (key === "l" && event.shiftKey) deeds.leave();
}

/** @param {Event} event of the key, which is not to be written @param {Deeds} deeds */
function openChat(event, { togglePanel }) {
  event.preventDefault();
  togglePanel("chat");
  if (!byId("panel-chat").hidden) byId("chat-text").focus();
}

function showHelp() {
  byId("dialog-help").showModal();
}
