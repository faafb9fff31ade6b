/**
 * Starts a coturn on the loopback address, as an operator would beside the daemon.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createSocket } from "node:dgram";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import readline from "node:readline";

/** A UDP port that nobody has at the moment. */
async function freePort() {
  const socket = createSocket("udp4");
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  const { port } = socket.address();
  socket.close();
  return port;
}

/**
 * @returns {Promise<{flags: string[], log: string[], stop: () => Promise<void>}>} what to tell the daemon of it; its
 *   log so far
 */
export async function startCoturn() {
  const folder = mkdtempSync(join(tmpdir(), "mosaicd-coturn-"));
  const secret = join(folder, "secret");
  writeFileSync(secret, "a secret of both\n", { mode: 0o600 });
  const port = await freePort();
  const relay = spawn("turnserver", [
    "-n", "--no-cli", "--no-tls", "--no-dtls", "--log-file", "stdout", "--simple-log", "--verbose",
    "--listening-ip", "127.0.0.1", "--listening-port", String(port), "--relay-ip", "127.0.0.1",
    // Else it relays to no address of its own machine, and rightly.
    "--allow-loopback-peers",
    "--use-auth-secret", "--static-auth-secret", "a secret of both", "--realm", "mosaic.test",
    "--pidfile", join(folder, "pid"), "--userdb", join(folder, "users"),
  ], { stdio: ["ignore", "pipe", "ignore"] });
  const kill = () => relay.kill("SIGKILL");
  process.on("exit", kill);
  const exited = once(relay, "exit").finally(() => process.off("exit", kill));
  const log = [];
  await new Promise((resolve, reject) => {
    relay.on("error", reject);
    exited.then(() => reject(new Error(`coturn ended:\n${log.join("\n")}`)));
    readline.createInterface({ input: relay.stdout }).on("line", (line) => {
      log.push(line);
      if (line.includes("listener opened on")) resolve();
    });
  });
  return {
    flags: ["--turn", `turn:127.0.0.1:${port}?transport=udp`, "--turn-secret-file", secret],
    log,
    async stop() {
      kill();
      await exited;
      rmSync(folder, { recursive: true });
    },
  };
}
