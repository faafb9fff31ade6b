/**
 * Waits for something to become true, asking again and again: how fast it happens is not a test's
 * business, that it happens is.
 */

const PATIENCE_MS = 30_000;
const INTERVAL_MS = 100;

/**
 * @template T
 * @param {string} what is waited for
 * @param {() => Promise<T>|T} ask
 * @param {(answer: T) => boolean} [good] default: any answer that is true
 * @param {number} [patienceMs] for what takes its time on purpose
 * @returns {Promise<T>} the first good answer
 */
export async function until(what, ask, good = Boolean, patienceMs = PATIENCE_MS) {
  const deadline = Date.now() + patienceMs;
  let answer;
  while (Date.now() < deadline) {
    answer = await ask();
    if (good(answer)) return answer;
    await new Promise((resolve) => setTimeout(resolve, INTERVAL_MS));
  }
  throw new Error(`waited in vain for ${what}; last seen: ${JSON.stringify(answer)}`);
}
