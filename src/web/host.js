/**
 * What a moderator does at the page, and what is asked of everybody else: who knocks, what is wanted
 * of one's microphone and camera, and questions before what cannot be undone.
 */

import { asMosaicError } from "./mosaic/errors.js";
import { byId, card, hasCard, notice, smallButton, toast, uncard } from "./say.js";
import { REQUESTS, called, sentence } from "./words.js";

const KNOCKING = "knocking";
const OPEN = "open";

export class Host {
  /** @type {import("./mosaic.js").Call|null} */ #call = null;
  #doFor;
  #told = "[]";
  /** Who was waiting when last told. @type {Set<string>} */ #known = new Set();
  /** @type {() => void} */ #confirmed = () => {};

  /** @param {(to: string) => void} doFor does what a moderator asks of oneself, once one agrees */
  constructor(doFor) {
    this.#doFor = doFor;
    byId("admit-all").addEventListener("click", () => this.moderate("admit"));
    byId("dialog-confirm").addEventListener("close", () => {
      if (byId("dialog-confirm").returnValue === "yes") this.#confirmed();
    });
  }

  /** @param {import("./mosaic.js").Call} call */
  start(call) {
    this.#call = call;
    call.addEventListener("knocking", () => (call === this.#call) && this.showKnocking());
    call.addEventListener("asked", (event) => {
      if (call === this.#call) this.#showRequest(/** @type {CustomEvent} */ (event).detail);
    });
    this.showKnocking();
  }

  stop() {
    this.#call = null;
    this.showKnocking();
    for (const key of [OPEN, ...Object.keys(REQUESTS)]) uncard(key);
  }

  /**
   * Does it, or says why not.
   *
   * @param {import("./mosaic.js").Act} act
   * @param {object} [fields]
   */
  async moderate(act, fields = {}) {
    try {
      const call = this.#call;
      const done = await call?.moderate(act, fields);
      if (done?.keptOut === false && call === this.#call) this.#offerLock();
    } catch (error) {
      const cause = asMosaicError(error);
      // Where the call is over for all, there is nobody left to say that it is done.
      if (this.#call && cause.code !== "ended") toast(sentence(cause));
    }
  }

  /** Who was removed and is known by nothing may come back, unless nobody may. */
  #offerLock() {
    const { locked, lobby } = this.#call?.roomState ?? {};
    if (locked || lobby) return;
    card(OPEN, "Anybody may come into this room, so whoever you removed can come back by any name.", [
      ["Lock the room", () => this.moderate("lock")],
      ["Ask before letting anybody in", () => this.moderate("lobby", { on: true })],
      ["Leave it open", () => {}],
    ]);
  }

  /** @param {string} question @param {string} yes @param {() => void} act */
  confirm(question, yes, act) {
    const dialog = byId("dialog-confirm");
    byId("confirm-question").textContent = question;
    byId("confirm-yes").textContent = yes;
    this.#confirmed = act;
    dialog.returnValue = "";
    dialog.showModal();
  }

  /** Redraws who knocks. */
  showKnocking() {
    const call = this.#call;
    const waiting = call?.role === "moderator" ? call.knocking : [];
    const told = JSON.stringify(waiting);
    // What has the focus is not made anew for nothing, nor said again.
    if (told === this.#told) return;
    this.#told = told;
    byId("knocking").hidden = waiting.length === 0;
    byId("admit-all").hidden = waiting.length < 2;
    byId("knocking-title").textContent = `Waiting to be let in (${waiting.length})`;
    byId("knocking-list").replaceChildren(...waiting.map((one) => this.#knock(one)));
    const newcomers = waiting.filter(({ id }) => !this.#known.has(id));
    this.#known = new Set(waiting.map(({ id }) => id));
    if (waiting.length === 0) uncard(KNOCKING);
    else if (!byId("panel-people").hidden) this.showList(newcomers);
    // Who has put the card away is told again only of somebody new.
    else if (newcomers.length > 0 || hasCard(KNOCKING)) this.#announce(waiting);
  }

  /** The list is in sight, and needs no card beside it. @param {readonly import("./mosaic.js").Knock[]} [newcomers] */
  showList(newcomers = []) {
    uncard(KNOCKING);
    for (const { name } of newcomers) toast(`${called(name)} wants to come in`);
  }

  /** @param {readonly import("./mosaic.js").Knock[]} waiting */
  #announce(waiting) {
    const [first] = waiting;
    if (waiting.length === 1) {
      card(KNOCKING, `${called(first.name)} wants to come in.`, [
        ["Let in", () => this.moderate("admit", { waiting: first.id })],
        ["Turn away", () => this.moderate("deny", { waiting: first.id })],
      ]);
    } else {
      card(KNOCKING, `${waiting.length} people want to come in.`, [
        ["Let all in", () => this.moderate("admit")],
        ["Show them", () => byId("panel-people").hidden && byId("show-people").click()],
      ]);
    }
  }

  /** @param {import("./mosaic.js").Knock} knock */
  #knock({ id, name }) {
    const element = document.createElement("li");
    const who = document.createElement("span");
    who.className = "who";
    who.textContent = called(name);
    const letIn = smallButton("Let in", "primary", () => this.moderate("admit", { waiting: id }));
    const turnAway = smallButton("Turn away", "plain", () => this.moderate("deny", { waiting: id }));
    for (const button of [letIn, turnAway]) {
      button.setAttribute("aria-label", `${button.textContent}: ${called(name)}`);
    }
    element.append(who, letIn, turnAway);
    return element;
  }

  /** @param {{to: string, by: string}} asked */
  #showRequest({ to, by }) {
    const request = REQUESTS[to];
    if (!request) return;
    const who = this.#call?.participants.get(by)?.name || "A moderator";
    const [wish, yes] = request;
    // The other question about the same thing is out of date.
    uncard({ mute: "unmute", unmute: "mute", camera_off: "camera_on", camera_on: "camera_off" }[to] ?? "");
    card(to, `${who} ${wish}.`, [[yes, () => this.#doFor(to)], ["Not now", () => {}]]);
  }

  /** What holds for the room, where people are listed. @param {import("./mosaic.js").Call} call */
  showRoom({ roomState }) {
    const { locked, lobby } = roomState ?? { locked: false, lobby: false };
    const words = [locked && "The room is locked: nobody else gets in.",
      lobby && !locked && "Who comes is let in by a moderator."];
    notice("room-note", words.filter(Boolean).join(" ") || null);
    byId("bar-locked").hidden = !locked;
  }
}
