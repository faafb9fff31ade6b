/**
 * The address bar: what it brings of a token, and what it is to others, an invitation.
 */

import { keep, kept } from "./memory.js";
import { byId, copy, toast } from "./say.js";

/**
 * The token behind the `#`, which is taken out of the address: it is not for whoever looks on, or is invited.
 * This window keeps it, so that a reload does not shut anybody out.
 */
export function takeAuth() {
  const found = new URLSearchParams(location.hash.slice(1)).get("auth");
  if (found === null) return kept("auth");
  history.replaceState(null, "", location.pathname + location.search);
  keep("auth", found);
  return found;
}

/** Without a name, and without joining by itself. @param {string} room */
export function invitation(room) {
  const link = new URL(".", location.href);
  link.searchParams.set("room", room);
  return link.href;
}

/**
 * Copies the invitation, or shows it where that is refused.
 *
 * @param {string} room
 * @param {() => void} open the place where it is shown
 */
export async function invite(room, open) {
  const link = invitation(room);
  if (await copy(link)) {
    toast("Invitation link copied");
    return;
  }
  byId("invitation").hidden = false;
  byId("invitation-link").value = link;
  open();
  byId("invitation-link").select();
}
