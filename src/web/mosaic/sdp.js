/**
 * What is changed in offers and answers because browsers have no other way to be told.
 *
 * @module mosaic/sdp
 */

/** Sound per packet where nothing else is said, in ms. */
export const USUAL_PACKET_MS = 20;

/**
 * An answer in which the server would rather have so much sound in a packet.
 *
 * @param {string} sdp
 * @param {number} packetMs
 */
export function withPacketTime(sdp, packetMs) {
  const sections = sdp.split(/^(?=m=)/m).map((section) => {
    if (!section.startsWith("m=audio")) return section;
    const rest = section.replace(/^a=ptime:.*\r\n/gm, "");
    return packetMs === USUAL_PACKET_MS ? rest : `${rest}a=ptime:${packetMs}\r\n`;
  });
  return sections.join("");
}

/**
 * Offers to resend lost audio (RFC 4585 §6.2.1): Chromium can, but does not say so by itself. Where
 * the line is not as expected, the offer stays as it is.
 *
 * @param {string} sdp
 */
export function withAudioNack(sdp) {
  return sdp.replace(
    /(a=rtcp-fb:(\d+) transport-cc\r\n)(?=a=fmtp:\2 [^\r]*useinbandfec)/,
    "$1a=rtcp-fb:$2 nack\r\n",
  );
}
