/**
 * Menus that open from a button, for mouse, finger and keyboard alike (WAI-ARIA, menu button): arrows
 * move, Enter chooses, Escape and Tab close and give the focus back.
 *
 * One menu is open at a time. It lies above everything, full screen and panels included.
 */

import { byId } from "./say.js";

/**
 * @typedef {object} Choice
 * @property {string} label
 * @property {() => void} act
 * @property {"check"|"radio"} [kind] with `on`: something that is so or not, or one of several
 * @property {boolean} [on]
 * @property {boolean} [danger]
 *
 * @typedef {{title: string, choices: Choice[]}} Section
 */

const MARGIN_PX = 8;

/** @type {HTMLElement|null} */
let opener = null;

/**
 * Has a button open a menu, made anew each time.
 *
 * @param {HTMLElement} button
 * @param {() => Section[]} sections sections without choices are left out
 */
export function bindMenu(button, sections) {
  button.setAttribute("aria-haspopup", "menu");
  button.setAttribute("aria-expanded", "false");
  button.addEventListener("click", () => (opener === button ? closeMenu() : open(button, sections())));
  button.addEventListener("keydown", (event) => {
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    event.preventDefault();
    open(button, sections());
  });
}

/** @returns {boolean} whether one was open */
export function closeMenu() {
  if (!opener) return false;
  const button = opener;
  opener = null;
  const menu = byId("menu");
  const hadFocus = menu.contains(document.activeElement);
  menu.hidden = true;
  menu.hidePopover?.();
  menu.replaceChildren();
  button.setAttribute("aria-expanded", "false");
  if (hadFocus && button.isConnected) button.focus({ preventScroll: true });
  return true;
}

/** @param {HTMLElement} button @param {Section[]} sections */
function open(button, sections) {
  closeMenu();
  const menu = byId("menu");
  menu.setAttribute("aria-label", button.getAttribute("aria-label") ?? "");
  menu.replaceChildren(...sections.filter(({ choices }) => choices.length > 0).map(group));
  menu.hidden = false;
  menu.showPopover?.();
  opener = button;
  button.setAttribute("aria-expanded", "true");
  place(menu, button.getBoundingClientRect());
  items()[0]?.focus({ preventScroll: true });
}

/** @param {Section} section */
function group({ title, choices }) {
  const element = document.createElement("div");
  element.setAttribute("role", "group");
  element.setAttribute("aria-label", title);
  const heading = document.createElement("p");
  heading.setAttribute("aria-hidden", "true");
  heading.textContent = title;
  element.append(heading, ...choices.map(item));
  return element;
}

/** @param {Choice} choice */
function item({ label, act, kind, on, danger }) {
  const element = document.createElement("button");
  element.type = "button";
  element.tabIndex = -1;
  element.setAttribute("role", kind ? `menuitem${kind === "check" ? "checkbox" : "radio"}` : "menuitem");
  if (kind) element.setAttribute("aria-checked", String(on ?? false));
  element.classList.toggle("danger", danger ?? false);
  element.textContent = label;
  element.addEventListener("click", () => {
    closeMenu();
    act();
  });
  return element;
}

/** At the button, where there is room; the whole of it in the window. */
function place(/** @type {HTMLElement} */ menu, /** @type {DOMRect} */ at) {
  const { offsetWidth: width, offsetHeight: height } = menu;
  const left = Math.min(at.right - width, innerWidth - width - MARGIN_PX);
  const above = at.top - height - MARGIN_PX / 2;
  const below = at.bottom + MARGIN_PX / 2;
  const top = below + height <= innerHeight - MARGIN_PX ? below : above;
  menu.style.left = `${Math.max(MARGIN_PX, left)}px`;
  menu.style.top = `${Math.max(MARGIN_PX, Math.min(top, innerHeight - height - MARGIN_PX))}px`;
}

/** @returns {HTMLElement[]} */
function items() {
  return [...byId("menu").querySelectorAll("button")];
}

/** @param {number} step 1 or -1 */
function move(step) {
  const all = items();
  const at = all.indexOf(/** @type {HTMLElement} */ (document.activeElement));
  all[(at + step + all.length) % all.length]?.focus();
}

/** To the next choice that begins with this. @param {string} letter */
function seek(letter) {
  const all = items();
  const at = all.indexOf(/** @type {HTMLElement} */ (document.activeElement));
  const order = [...all.slice(at + 1), ...all.slice(0, at + 1)];
  order.find(({ textContent }) => textContent?.toLocaleLowerCase().startsWith(letter))?.focus();
}

byId("menu").addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
  const { key } = event;
  if (key === "Tab" || key === "Escape") closeMenu();
  else if (key === "ArrowDown") move(1);
  else if (key === "ArrowUp") move(-1);
  else if (key === "Home") items()[0]?.focus();
  else if (key === "End") items().at(-1)?.focus();
  else if (key.length === 1 && key !== " ") seek(key.toLocaleLowerCase());
  else return;
  // Neither for the page behind, nor does Tab lead on from a menu that is gone.
  event.stopPropagation();
  event.preventDefault();
});

document.addEventListener("pointerdown", (event) => {
  const target = /** @type {Node} */ (event.target);
  if (opener && !byId("menu").contains(target) && !opener.contains(target)) closeMenu();
});
for (const happening of ["resize", "blur"]) globalThis.addEventListener(happening, () => closeMenu());
