/**
 * Where a fixture's marks are when its whole picture is fitted into a tile, and what they say
 * (fixtures/README.md, "Who is it, and which frame").
 */

const BLOCKS = 16;
/** Decoded black and white stay on their side of this. */
const GRAY = 128;

/**
 * The largest rectangle of the picture's shape inside a tile, in the middle.
 *
 * @param {{width: number, height: number}} tile in pixels
 * @param {number} aspect of the picture, width to height
 */
export function fitted(tile, aspect) {
  const width = Math.min(tile.width, tile.height * aspect);
  const height = width / aspect;
  return { left: (tile.width - width) / 2, top: (tile.height - height) / 2, width, height };
}

/**
 * The middles of the counter's blocks, in the order of {@link readCounter}.
 *
 * @param {{left: number, top: number, width: number, height: number}} picture
 * @returns {[number, number][]}
 */
export function counterPoints({ left, top, width, height }) {
  const shorter = Math.min(width, height);
  return Array.from({ length: BLOCKS }, (_, n) =>
    [left + (width * (2.5 + n)) / 20, top + (3.5 * shorter) / 72]);
}

/**
 * The number of the frame, or null where these colors are no counter: a wrong geometry passes the
 * two fixed blocks and the check of four bits only by chance.
 *
 * @param {number[][]|null} colors
 * @returns {number|null}
 */
export function readCounter(colors) {
  const bits = colors?.map(([red, green, blue]) => ((red + green + blue) / 3 > GRAY ? 1 : 0));
  if (!bits || bits[0] !== 1 || bits[BLOCKS - 1] !== 0) return null;
  const value = (from, to) => bits.slice(from, to).reduce((number, bit) => 2 * number + bit, 0);
  const number = value(1, 11);
  return (value(11, 15) ^ 0b1111) === remainder(number) ? number : null;
}

/** Of number·x⁴ by x⁴+x+1. */
function remainder(number) {
  let rest = number << 4;
  for (let bit = 13; bit >= 4; bit -= 1) {
    if (rest & (1 << bit)) rest ^= 0b10011 << (bit - 4);
  }
  return rest;
}
