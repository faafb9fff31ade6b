/**
 * A TCP relay in front of the daemon, so that a test can cut the signaling while media, which is
 * UDP and goes past it, flows on.
 */
import { once } from "node:events";
import net from "node:net";

/**
 * @param {string} url of the daemon
 * @returns {Promise<{url: string, cut: () => void, mend: () => void, close: () => Promise<void>}>}
 *   `cut` breaks all connections and refuses new ones until `mend`
 */
export async function startRelay(url) {
  const { hostname, port } = new URL(url);
  const sockets = new Set();
  let isCut = false;
  const keep = (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    // A broken connection is what this is for.
    socket.on("error", () => {});
  };
  const server = net.createServer((client) => {
    if (isCut) {
      client.destroy();
      return;
    }
    const daemon = net.connect(Number(port), hostname);
    keep(client);
    keep(daemon);
    client.pipe(daemon).pipe(client);
    client.on("close", () => daemon.destroy());
    daemon.on("close", () => client.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const breakAll = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    cut() {
      isCut = true;
      breakAll();
    },
    mend() {
      isCut = false;
    },
    async close() {
      breakAll();
      server.close();
      await once(server, "close");
    },
  };
}
