/**
 * Starts the daemon under test on a loopback port and stops it again.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import readline from "node:readline";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** What cargo built; `MOSAICD` names another. */
const binary = process.env.MOSAICD ?? `${root}target/debug/mosaicd`;

/** Rooms that a small machine mixes beside several browsers. */
export const SMALL = ["--size", "640x360", "--fps", "15", "--video-kbps", "600"];

/** Where the daemon takes media, whatever it announces. */
export const boundAddress = (log) => log.join("\n").match(/media on one UDP port bound=(\S+)/)[1];

/**
 * @param {string[]} flags of `mosaicd serve`
 * @param {{port?: number}} where default: any free port
 * @returns {Promise<{url: string, log: string[], stop: () => Promise<number|null>,
 *   freeze: () => void, thaw: () => void}>} where it serves, without a slash at the end; its log so
 *   far; the end of it, with its exit code; and what makes it fall silent and go on
 */
export async function startDaemon(flags = [], { port = 0 } = {}) {
  const daemon = spawn(binary, ["serve", "--listen", `127.0.0.1:${port}`, ...flags], {
    stdio: ["ignore", "ignore", "pipe"],
    env: { ...process.env, RUST_LOG: process.env.RUST_LOG ?? "info,mosaicd=debug,rtc=warn,webrtc=warn" },
  });
  // A test that fails half-way must not leave a daemon behind, least of all a frozen one.
  const kill = () => daemon.kill("SIGKILL");
  process.on("exit", kill);
  const exited = once(daemon, "exit").then(([code]) => code).finally(() => process.off("exit", kill));
  const log = [];
  const url = await new Promise((resolve, reject) => {
    exited.then((code) => reject(new Error(`the daemon exited with ${code}:\n${log.join("\n")}`)));
    daemon.on("error", reject);
    readline.createInterface({ input: daemon.stderr }).on("line", (line) => {
      log.push(line);
      if (process.env.SHOW_LOG) console.error(line);
      const open = line.match(/open (https?:\/\/[^/\s]+)\//);
      if (open) resolve(open[1]);
    });
  });
  const stop = async () => {
    daemon.kill("SIGTERM");
    return exited;
  };
  return { url, log, stop, freeze: () => daemon.kill("SIGSTOP"), thaw: () => daemon.kill("SIGCONT") };
}
