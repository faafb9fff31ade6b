/**
 * Telling the person what happened: passing notes, and notices that stay while something is so.
 *
 * At most {@link MAX_TOASTS} notes are on the screen; the oldest goes first.
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

/** One or two letters for a picture that is not there. @param {string} name */
export function initials(name) {
  const words = name.trim().split(/\s+/u).filter(Boolean);
  const letters = [words[0], words.length > 1 ? words[words.length - 1] : ""];
  return letters.map((word) => Array.from(word ?? "")[0] ?? "").join("").toLocaleUpperCase() || "?";
}

/** A hue that stays with a name. @param {string} name @returns {number} degrees, 0 to 359 */
export function hueOf(name) {
  let hash = 0;
  for (const letter of name) hash = (hash * 31 + (letter.codePointAt(0) ?? 0)) % 36_000;
  return hash % 360;
}
