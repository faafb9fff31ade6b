/**
 * Starts the UDP relay, a bad network between browsers and the daemon, and talks to it
 * (tests/relay/command.rs).
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import readline from "node:readline";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** What cargo built; `RELAY` names another. */
const binary = process.env.RELAY ?? `${root}target/debug/examples/relay`;

/**
 * @param {string[]} settings such as `up.loss=5`
 * @returns {Promise<{address: string, tell: (command: string) => Promise<any>,
 *   close: () => Promise<void>}>} where it listens; `tell` gives its counters as they are then
 */
export async function startUdpRelay(settings = []) {
  const relay = spawn(binary, settings, { stdio: ["pipe", "pipe", "inherit"] });
  const kill = () => relay.kill("SIGKILL");
  process.on("exit", kill);
  const exited = once(relay, "exit").finally(() => process.off("exit", kill));
  const answers = readline.createInterface({ input: relay.stdout })[Symbol.asyncIterator]();
  const next = async () => {
    const { value, done } = await answers.next();
    if (done) throw new Error("the relay ended");
    return value;
  };
  const [, address] = (await next()).match(/^listening on (.*)$/);
  let turn = Promise.resolve();
  const ask = async (command) => {
    relay.stdin.write(`${command}\n`);
    const answer = JSON.parse(await next());
    if (answer.error) throw new Error(answer.error);
    return answer;
  };
  return {
    address,
    tell(command) {
      turn = turn.then(() => ask(command));
      return turn;
    },
    async close() {
      relay.stdin.end();
      await exited;
    },
  };
}
