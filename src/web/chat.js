/**
 * What people write to each other: a panel with everything since one came, and a little before.
 *
 * Whatever is written is text and stays text; an address in it is no link. The panel holds as many
 * messages as the call remembers, at most {@link MAX_SHOWN}.
 */

import { asMosaicError } from "./mosaic/errors.js";
import { byId, notice, portray, toast } from "./say.js";
import { called, sentence } from "./words.js";

const MAX_SHOWN = 1_000;
/** As much of a message as a passing note shows, in letters. */
const MAX_PREVIEW = 80;
/** Bytes of UTF-8 that the server takes. */
const MAX_TEXT_BYTES = 2_000;
/** So near to the end, one follows what comes. */
const AT_END_PX = 40;

export class Chat {
  /** @type {import("./mosaic.js").Call|null} */ #call = null;
  #unread = 0;

  constructor() {
    byId("chat-form").addEventListener("submit", (/** @type {Event} */ event) => {
      event.preventDefault();
      this.#send();
    });
    byId("chat-text").addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
      // Enter also chooses among the suggestions of an input method: that sends nothing.
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.#send();
    });
    byId("chat-text").addEventListener("input", () => notice("chat-problem", null));
  }

  /** Shows what is written in this call from now on. @param {import("./mosaic.js").Call} call */
  start(call) {
    this.#call = call;
    byId("chat-log").replaceChildren();
    this.read();
    call.addEventListener("chat", (event) => {
      if (call === this.#call) this.#show(/** @type {CustomEvent} */ (event).detail);
    });
  }

  stop() {
    this.#call = null;
    byId("chat-log").replaceChildren();
    byId("chat-text").value = "";
    notice("chat-problem", null);
    this.read();
  }

  /** All has been seen. */
  read() {
    this.#unread = 0;
    this.#count();
    byId("chat-log").scrollTop = byId("chat-log").scrollHeight;
  }

  /** @param {import("./mosaic.js").ChatMessage} message */
  #show(message) {
    const log = byId("chat-log");
    const isAtEnd = log.scrollHeight - log.scrollTop - log.clientHeight < AT_END_PX;
    const isOwn = message.from === this.#call?.self;
    log.append(entry(message, isOwn));
    while (log.childElementCount > MAX_SHOWN) log.firstElementChild.remove();
    if (isAtEnd || isOwn) log.scrollTop = log.scrollHeight;
    if (isOwn || !byId("panel-chat").hidden) return;
    this.#unread += 1;
    this.#count();
    // What was written before one came needs no note each.
    if (byId("call").hidden) return;
    const text = message.text.replace(/\s+/g, " ");
    toast(`${called(message.name)}: ${text.length > MAX_PREVIEW ? `${text.slice(0, MAX_PREVIEW)}…` : text}`);
  }

  #count() {
    byId("unread").textContent = this.#unread === 0 ? "" : this.#unread > 99 ? "99+" : String(this.#unread);
    const label = this.#unread === 0 ? "Messages" : `Messages, ${this.#unread} not read`;
    byId("show-chat").setAttribute("aria-label", label);
  }

  async #send() {
    const field = byId("chat-text");
    const text = field.value.trim();
    if (!text || !this.#call) return;
    const bytes = new TextEncoder().encode(text).length;
    if (bytes > MAX_TEXT_BYTES) {
      notice("chat-problem", `That is too long by ${(bytes - MAX_TEXT_BYTES).toLocaleString()} letters or so.`);
      return;
    }
    try {
      field.value = "";
      await this.#call.chat(text);
      notice("chat-problem", null);
    } catch (error) {
      // What was written is not lost, unless something else was begun meanwhile.
      if (!field.value) field.value = text;
      notice("chat-problem", `Not sent. ${sentence(asMosaicError(error))}`);
    }
  }
}

/** @param {import("./mosaic.js").ChatMessage} message @param {boolean} isOwn */
function entry({ name, text, at_ms: atMs }, isOwn) {
  const element = document.createElement("li");
  element.classList.toggle("own", isOwn);
  element.innerHTML = '<span class="avatar" aria-hidden="true"></span>'
    + '<p class="chat-head"><span class="chat-name"></span> <time></time></p><p class="chat-words"></p>';
  const [avatar, head, words] = /** @type {any} */ (element.children);
  portray(avatar, name);
  head.firstElementChild.textContent = isOwn ? "You" : called(name);
  const at = new Date(atMs);
  head.lastElementChild.dateTime = at.toISOString();
  head.lastElementChild.textContent = at.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  words.textContent = text;
  return element;
}
