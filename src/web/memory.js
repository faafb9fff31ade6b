/**
 * What the page remembers between visits: a name, the devices, whether they were on. And what only
 * this window keeps, for as long as it is open: the token that lets in.
 *
 * Storage may be refused (private windows, strict settings); then nothing is remembered and nothing
 * else changes.
 */

const PREFIX = "mosaicd.";

/** @param {string} key @returns {string|null} */
export function recall(key) {
  return read("localStorage", key);
}

/** @param {string} key @param {string|null} value null forgets */
export function remember(key, value) {
  write("localStorage", key, value);
}

/** What this window keeps. @param {string} key @returns {string|null} */
export function kept(key) {
  return read("sessionStorage", key);
}

/** @param {string} key @param {string|null} value null forgets */
export function keep(key, value) {
  write("sessionStorage", key, value);
}

/** @param {"localStorage"|"sessionStorage"} where @param {string} key */
function read(where, key) {
  try {
    return globalThis[where].getItem(PREFIX + key);
  } catch {
    return null;
  }
}

/** @param {"localStorage"|"sessionStorage"} where @param {string} key @param {string|null} value */
function write(where, key, value) {
  try {
    if (value === null) globalThis[where].removeItem(PREFIX + key);
    else globalThis[where].setItem(PREFIX + key, value);
  } catch {
    // Not remembered, as said above.
  }
}
