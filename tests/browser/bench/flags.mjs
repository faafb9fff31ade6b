/**
 * What a bench is told on its command line.
 */
import { parseArgs } from "node:util";

/**
 * @param {string[]} names of all there is to run, in order
 * @param {{seconds: string, settle: string}} defaults in seconds
 * @returns {{only: Set<string>, seconds: number, settle: number, verbose: boolean}}
 */
export function flags(names, defaults) {
  const { values } = parseArgs({
    options: {
      /** Some of the names, with commas between them. */
      only: { type: "string", default: names.join(",") },
      /** How long each is measured. */
      seconds: { type: "string", default: defaults.seconds },
      /** How long each runs before that. */
      settle: { type: "string", default: defaults.settle },
      /** Print all that was counted. */
      verbose: { type: "boolean", default: false },
    },
  });
  const only = values.only.split(",").map((name) => name.trim());
  const unknown = only.filter((name) => !names.includes(name));
  if (unknown.length) throw new Error(`no such part: ${unknown}; there are ${names}`);
  const seconds = (text) => {
    const value = Number(text);
    if (!(value > 0)) throw new Error(`${text}: expected seconds`);
    return value;
  };
  return {
    only: new Set(only),
    seconds: seconds(values.seconds),
    settle: seconds(values.settle),
    verbose: values.verbose,
  };
}
