/**
 * An HTTP proxy in front of the daemon that does to signaling what proxies do: it lets no WebSocket
 * through, or holds back answers until they are complete. Media is UDP and goes past it.
 */
import { once } from "node:events";
import http from "node:http";
import net from "node:net";

/**
 * @param {string} url of the daemon
 * @returns {Promise<{url: string, rules: {blocksUpgrades: boolean, swallowsUpgrades: boolean, holdsBack: boolean},
 *   requests: string[], cut: () => void, close: () => Promise<void>}>} `rules` may be changed at any time:
 *   `blocksUpgrades` refuses WebSockets, `swallowsUpgrades` accepts them and passes nothing on, `holdsBack`
 *   gives an answer when it is complete, so a stream never. `requests` are those so far, as "GET /path";
 *   `cut` breaks all connections
 */
export async function startProxy(url) {
  const { hostname, port } = new URL(url);
  const rules = { blocksUpgrades: false, swallowsUpgrades: false, holdsBack: false };
  const requests = [];
  const sockets = new Set();
  const keep = (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    // A broken connection is what this is for.
    socket.on("error", () => {});
  };
  const server = http.createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    const { method, url: path, headers } = request;
    const onward = http.request({ hostname, port, method, path, headers }, (answer) => {
      if (!rules.holdsBack) {
        response.writeHead(answer.statusCode, answer.headers);
        answer.pipe(response);
        return;
      }
      const parts = [];
      answer.on("data", (part) => parts.push(part));
      answer.on("end", () => {
        response.writeHead(answer.statusCode, answer.headers);
        response.end(Buffer.concat(parts));
      });
      answer.on("error", () => response.destroy());
    });
    onward.on("error", () => response.destroy());
    response.on("close", () => onward.destroy());
    request.pipe(onward);
  });
  server.on("connection", keep);
  server.on("upgrade", (request, client) => {
    requests.push(`UPGRADE ${request.url}`);
    if (rules.blocksUpgrades) {
      client.end("HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
      return;
    }
    const daemon = net.connect(Number(port), hostname);
    keep(daemon);
    const headers = Object.entries(request.headers).map(([name, value]) => `${name}: ${value}\r\n`);
    daemon.write(`GET ${request.url} HTTP/1.1\r\n${headers.join("")}\r\n`);
    daemon.pipe(client);
    if (!rules.swallowsUpgrades) client.pipe(daemon);
    client.on("close", () => daemon.destroy());
    daemon.on("close", () => client.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    rules,
    requests,
    cut,
    async close() {
      cut();
      server.close();
      await once(server, "close");
    },
  };
}
