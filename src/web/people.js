/**
 * The list of who is here: what they do, what they may, and a menu for each.
 *
 * In the order in which they came, but those with a raised hand first, as long as they have waited.
 */

import { bindMenu } from "./menu.js";
import { hasPersonMenu, personMenu } from "./menus.js";
import { byId, portray } from "./say.js";
import { isSpeaking, stateWords } from "./stage.js";
import { called } from "./words.js";

const ROW = '<span class="avatar" aria-hidden="true"></span>'
  + '<span class="who"><span class="who-name"></span><span class="for-readers"></span>'
  + '<small class="who-note"></small></span>'
  + '<svg class="hand-mark" aria-hidden="true"><use href="icons.svg#hand"/></svg>'
  + '<svg class="muted-mark" aria-hidden="true"><use href="icons.svg#mic-off"/></svg>'
  + '<svg class="camera-mark" aria-hidden="true"><use href="icons.svg#camera-off"/></svg>'
  + '<button type="button" class="plain" hidden><svg aria-hidden="true"><use href="icons.svg#more"/></svg></button>';

export class People {
  #means;
  /** @type {import("./mosaic.js").Call|null} */ #call = null;
  /** @type {Map<string, HTMLElement>} */ #rows = new Map();

  /** @param {import("./menus.js").Means} means */
  constructor(means) {
    this.#means = means;
  }

  stop() {
    this.#call = null;
    this.#rows.clear();
    byId("people").replaceChildren();
  }

  /** Redraws who is here. @param {import("./mosaic.js").Call} call */
  show(call) {
    this.#call = call;
    const { participants, knocking } = call;
    // Who waits goes before who is here.
    const waiting = call.role === "moderator" ? knocking.length : 0;
    byId("count").textContent = String(waiting || participants.size);
    byId("show-people").classList.toggle("wanted", waiting > 0);
    const label = `People, ${participants.size} here${waiting > 0 ? `, ${waiting} waiting` : ""}`;
    byId("show-people").setAttribute("aria-label", label);
    byId("people-title").textContent = `People (${participants.size})`;
    for (const [id, row] of this.#rows) {
      if (participants.has(id)) continue;
      row.remove();
      this.#rows.delete(id);
    }
    const order = [...participants.values()].sort((one, other) =>
      (one.hand_raised_ms ?? Infinity) - (other.hand_raised_ms ?? Infinity) || 0);
    for (const [at, participant] of order.entries()) this.#describe(this.#row(participant.id, at), participant, call);
  }

  /** @param {HTMLElement} row @param {import("./mosaic.js").Participant} participant @param {import("./mosaic.js").Call} call */
  #describe(row, participant, call) {
    const { id, name, muted, camera, absent, watching, hand_raised_ms: hand } = participant;
    const speaks = isSpeaking(participant, call.speaker);
    row.classList.toggle("speaking", speaks);
    row.classList.toggle("absent", absent);
    row.classList.toggle("is-muted", muted && !watching);
    row.classList.toggle("no-camera", !camera && !watching);
    row.classList.toggle("has-hand", hand !== undefined);
    const part = (/** @type {string} */ selector) => /** @type {HTMLElement} */ (row.querySelector(selector));
    portray(part(".avatar"), name);
    part(".who-name").textContent = `${called(name)}${id === call.self ? " (you)" : ""}${absent ? " – connection lost" : ""}`;
    part(".for-readers").textContent = stateWords(participant, speaks);
    part(".who-note").textContent = note(participant, call, this.#means.view.pin === id);
    const button = part("button");
    button.hidden = !hasPersonMenu(call, participant);
    button.setAttribute("aria-label", `What to do about ${id === call.self ? "yourself" : called(name)}`);
  }

  /** Makes it, and puts it in its place. @param {string} id @param {number} at */
  #row(id, at) {
    const list = byId("people");
    let row = this.#rows.get(id);
    if (!row) {
      row = document.createElement("li");
      row.innerHTML = ROW;
      this.#rows.set(id, row);
      bindMenu(/** @type {HTMLElement} */ (row.querySelector("button")), () => {
        const participant = this.#call?.participants.get(id);
        return this.#call && participant ? personMenu(this.#call, participant, this.#means) : [];
      });
    }
    if (list.children[at] === row) return row;
    // What is moved loses the focus.
    const focused = row.contains(document.activeElement) ? /** @type {HTMLElement} */ (document.activeElement) : null;
    list.insertBefore(row, list.children[at] ?? null);
    focused?.focus({ preventScroll: true });
    return row;
  }
}

/**
 * @param {import("./mosaic.js").Participant} participant
 * @param {import("./mosaic.js").Call} call
 * @param {boolean} isPinnedHere
 */
function note(participant, call, isPinnedHere) {
  const { id, role, muted_by: mutedBy, camera_off_by: cameraOffBy } = participant;
  const by = (/** @type {string} */ who) => (who === call.self ? "you"
    : call.participants.get(who)?.name || (who === "operator" ? "the operator" : "a moderator"));
  const words = [
    role === "moderator" && "Moderator",
    call.roomState?.pinned === id ? "large for everybody" : isPinnedHere && "large for you",
    participant.watching && "only watching",
    mutedBy ? `${participant.may_unmute === false ? "kept muted" : "muted"} by ${by(mutedBy)}`
      : participant.may_unmute === false && !participant.watching && "may not speak",
    cameraOffBy && `camera ${participant.may_use_camera === false ? "kept off" : "off"} by ${by(cameraOffBy)}`,
  ].filter(Boolean).join(", ");
  return words && `${words[0].toLocaleUpperCase()}${words.slice(1)}`;
}
