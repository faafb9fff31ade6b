/**
 * What the page remembers between visits: a name, the devices, whether they were on.
 *
 * Storage may be refused (private windows, strict settings); then nothing is remembered and nothing
 * else changes.
 */

const PREFIX = "mosaicd.";

/** @param {string} key @returns {string|null} */
export function recall(key) {
  try {
    return localStorage.getItem(PREFIX + key);
  } catch {
    return null;
  }
}

/** @param {string} key @param {string|null} value null forgets */
export function remember(key, value) {
  try {
    if (value === null) localStorage.removeItem(PREFIX + key);
    else localStorage.setItem(PREFIX + key, value);
  } catch {
    // Not remembered, as said above.
  }
}
