/**
 * Telling the person what happened: passing notes, notices that stay while something is so, and cards
 * that ask for something.
 *
 * At most {@link MAX_TOASTS} notes are on the screen; the oldest goes first. There is one card for each
 * matter, and it stays until it is answered or the matter is over.
 */

const MAX_TOASTS = 3;
const TOAST_MS = 5_000;

/** The element with this id, which the page is known to have. @param {string} id @returns {any} */
export function byId(id) {
  const element = document.getElementById(id);
  if (!element) throw new Error(`the page has no #${id}`);
  return element;
}

/** A note that goes by itself; screen readers say it politely. @param {string} text */
export function toast(text) {
  const toasts = byId("toasts");
  const note = document.createElement("p");
  note.textContent = text;
  toasts.append(note);
  while (toasts.childElementCount > MAX_TOASTS) toasts.firstElementChild.remove();
  setTimeout(() => note.remove(), TOAST_MS);
}

/**
 * Asks for something, in the place of an earlier card about the same.
 *
 * @param {string} key what it is about
 * @param {string} text
 * @param {[string, () => void][]} answers label and deed of each; any puts the card away
 */
export function card(key, text, answers) {
  const before = cardOf(key);
  const element = document.createElement("div");
  element.dataset.key = key;
  element.className = "ask";
  const words = document.createElement("p");
  words.textContent = text;
  element.append(words, ...answers.map(([label, act], at) => smallButton(label, at === 0 ? "primary" : "plain", () => {
    element.remove();
    act();
  })));
  const hadFocus = before?.contains(document.activeElement);
  if (before) before.replaceWith(element);
  else byId("asks").append(element);
  if (hadFocus) element.querySelector("button")?.focus();
}

/** The matter is over. @param {string} key */
export function uncard(key) {
  cardOf(key)?.remove();
}

/** @param {string} key */
export function hasCard(key) {
  return cardOf(key) !== undefined;
}

/** @param {string} key @returns {HTMLElement|undefined} */
function cardOf(key) {
  return [...byId("asks").children].find((element) => element.dataset.key === key);
}

/** @param {string} label @param {"primary"|"plain"} kind @param {() => void} act */
export function smallButton(label, kind, act) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = kind === "primary" ? "button small primary" : "button small";
  button.textContent = label;
  button.addEventListener("click", act);
  return button;
}

/** Shows a text in a place of its own, or hides the place. @param {string} id @param {string|null} text */
export function notice(id, text) {
  const place = byId(id);
  // Set only when it differs: a screen reader says it again with every change.
  if (place.textContent !== (text ?? "")) place.textContent = text ?? "";
  place.hidden = !text;
}

/** Copies a text; false where the browser refuses. @param {string} text @returns {Promise<boolean>} */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

/** Makes a place stand for somebody whose picture is not there. @param {HTMLElement} place @param {string} name */
export function portray(place, name) {
  place.textContent = initials(name);
  place.style.setProperty("--hue", String(hueOf(name)));
}

/** One or two letters. @param {string} name */
function initials(name) {
  const words = name.trim().split(/\s+/u).filter(Boolean);
  const letters = [words[0], words.length > 1 ? words[words.length - 1] : ""];
  return letters.map((word) => Array.from(word ?? "")[0] ?? "").join("").toLocaleUpperCase() || "?";
}

/** A hue that stays with a name. @param {string} name @returns {number} degrees, 0 to 359 */
function hueOf(name) {
  let hash = 0;
  for (const letter of name) hash = (hash * 31 + (letter.codePointAt(0) ?? 0)) % 36_000;
  return hash % 360;
}
