#!/usr/bin/env python3
"""A small client for the signaling of `mosaicd serve`, version 1, over a WebSocket. No media.

It joins a room, prints a line for each thing that happens there, may write one chat message, and resumes its session
when the connection breaks. Ctrl-C leaves the room; being sent away is a failure. It needs Python 3.11 and nothing else:
    python3 client.py ws://127.0.0.1:8080/ws ROOM NAME [--say TEXT] [--auth TOKEN]
"""
import argparse, base64, contextlib, email, hashlib, json, os, random, select, signal, socket, ssl, sys, time
from urllib.parse import urlsplit

TEXT, CLOSE, PING, PONG = 1, 8, 9, 10  # the kinds of frames that matter here

def say(line): print(" ".join(line.splitlines()), flush=True)
class Refused(Exception):
    """The server said no, and this is its `error`."""

class WebSocket:
    """RFC 6455, as much of it as a client needs."""
    def __init__(self, url):
        to, key, head = urlsplit(url), base64.b64encode(os.urandom(16)).decode(), b""
        secure = to.scheme == "wss"
        self.socket = socket.create_connection((to.hostname, to.port or (443 if secure else 80)), timeout=10)
        if secure: self.socket = ssl.create_default_context().wrap_socket(self.socket, server_hostname=to.hostname)
        self.pending = self.socket.pending if secure else int  # what TLS has read already, no select tells of
        self.socket.sendall((f"GET {to.path or '/'} HTTP/1.1\r\nHost: {to.netloc}\r\nUpgrade: websocket\r\n"
                             f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
                             "Sec-WebSocket-Protocol: mosaicd.v1\r\n\r\n").encode())
        while not head.endswith(b"\r\n\r\n"): head += self.take(1)
        status, headers = head.split()[1].decode(), email.message_from_bytes(head.partition(b"\r\n")[2])
        if status != "101":  # where the server itself says no, its error is the body
            body = self.take(int(headers.get("Content-Length", 0)))
            raise Refused(json.loads(body) if b'"code"' in body else {"code": "internal", "message": f"HTTP {status}"})
        proof = hashlib.sha1(f"{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11".encode()).digest()
        if headers["Sec-WebSocket-Accept"] != base64.b64encode(proof).decode():
            raise Refused({"code": "internal", "message": "this is no WebSocket server"})
    def take(self, size):
        data = b""
        while len(data) < size: data += self.socket.recv(size - len(data)) or self.closed()
        return data
    def closed(self): raise ConnectionError("the server closed the connection")
    def send(self, kind, payload):
        size, mask = len(payload), os.urandom(4)  # what a client sends is masked
        length = bytes([128 | size]) if size < 126 else b"\xfe" + size.to_bytes(2, "big")  # nothing here has 64 KiB
        masked = bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))
        self.socket.sendall(bytes([128 | kind]) + length + mask + masked)
    def receive(self, until):
        """The next text message, or None if none begins until then."""
        while self.pending() or select.select([self.socket], [], [], max(until - time.monotonic(), 0))[0]:
            first, size = self.take(2)
            kind, more = first & 15, {126: 2, 127: 8}.get(size)
            payload = self.take(int.from_bytes(self.take(more), "big") if more else size)
            if kind == CLOSE: self.closed()
            if kind == PING: self.send(PONG, payload)
            if kind <= TEXT: self.message = self.message + payload if kind == 0 else payload  # 0: the last one goes on
            if kind <= TEXT and first & 128: return self.message.decode()

class Client:
    def __init__(self, args):
        self.names, self.read, self.args, self.text = {}, set(), args, args.say  # text: None once it has arrived
        self.carrier = self.token = self.session = self.probe = self.written = None
        self.id, self.seq, self.wait, self.interval = 0, 0, 0.5, 5000
    def send(self, kind, **fields):
        self.id, fields = self.id + 1, {name: value for name, value in fields.items() if value is not None}
        self.carrier.send(TEXT, json.dumps({"type": kind, "id": self.id} | fields).encode())
        return self.id
    def enter(self, carrier):
        """Continues the session; or else takes the seat back, or a new one."""
        self.carrier, self.silent, args = carrier, 0, self.args
        self.entry = (self.send("resume", version=1, session=self.session, after=self.seq) if self.session else
                      self.send("join", version=1, room=args.room, name=args.name, auth=args.auth, token=self.token))
    def run(self):
        while True:
            try:
                self.enter(WebSocket(self.args.url))
                return self.listen()
            except (OSError, Refused) as why:
                error = why.args[0] if isinstance(why, Refused) else {"message": str(why), "retry_after_ms": 0}
                say(f"error {error.get('code', 'disconnected')}: {error['message']}")
            if not (self.token or self.names) or "retry_after_ms" not in error: return 1  # never was or will be in
            time.sleep(max(error["retry_after_ms"] / 1000, self.wait * random.uniform(0.5, 1)))
            self.wait = min(self.wait * 2, 10)
    def listen(self):
        while self.silent < 3:
            ping_at = time.monotonic() + self.interval / 1000
            while text := self.carrier.receive(ping_at):
                self.silent = 0
                if (end := self.hear(json.loads(text))): return int(end == "bye")  # nobody asked to be sent away
            self.silent += 1
            self.send("ping", after=self.seq or None)
        raise ConnectionError("pings were not answered")
    def leave(self):
        with contextlib.suppress(OSError, Refused, AttributeError):  # without a connection, the seat ends by itself
            self.interval = 1000
            self.send("leave")
            self.listen()
    def who(self, id): return f"{self.names.get(id) or 'somebody'} ({id})"
    def hear(self, event):
        """Says what happened, and whether that is the end."""
        self.seq, self.session = event.get("seq", self.seq), event.get("session", self.session)
        self.token, self.interval = event.get("token", self.token), event.get("ping_interval_ms", self.interval)
        match event:
            case {"type": "joined", "participant": me, "participants": there, "chat": chat}:
                self.wait, self.names = 0.5, {one["id"]: one["name"] for one in there}
                say(f"in {event['room']} as {self.who(me)}; there: {', '.join(map(self.who, self.names))}")
                for it in [event["state"] | {"type": "room"}] + [it | {"type": "chat"} for it in chat]: self.hear(it)
                if self.text and (me, self.text) not in [(one["from"], one["text"]) for one in chat]:
                    self.written = self.send("chat", text=self.text)
            case {"type": "resumed"}:
                say("resumed")
                self.wait, self.probe = 0.5, self.send("ping")  # its pong comes after the answers to all before
            case {"type": "pong", "id": self.probe} if self.text: self.written = self.send("chat", text=self.text)
            case {"type": "done", "id": self.written}: self.text = None
            case {"type": "participant", "participant": one}:
                news, self.names[one["id"]] = "is now" if one["id"] in self.names else "comes", one["name"]
                flags = [flag for flag in ("muted", "camera", "absent", "hand_raised_ms", "watching") if one.get(flag)]
                say(f"{self.who(one['id'])} {news}: {', '.join([one['role']] + flags)}")
            case {"type": "participant_left", "participant": id, "reason": why}: say(f"{self.who(id)} goes: {why}")
            case {"type": "room", "seq": _, **room} | {"type": "room", **room}: say(f"room: {json.dumps(room)}")
            case {"type": "chat", "number": number, "at_ms": at} if (number, at) not in self.read:
                self.read.add((number, at))  # a seat taken back brings old ones once more
                say(f"{event['name'] or event['from']}: {event['text']}")
            case {"type": "speaker", "participant": id}: say(f"{self.who(id)} speaks" if id else "nobody speaks")
            case {"type": "asked", "to": to, "by": by}: say(f"{self.who(by)} asks: {to}")
            case {"type": "notice", "code": code, "message": message}: say(f"notice {code}: {message}")
            case {"type": "waiting", "place": place}: say(f"waiting to be let in, place {place}")
            case {"type": "knocking"}: say(f"at the door: {', '.join(one['name'] for one in event['waiting'])}")
            case {"type": "error", "id": self.entry, "code": code}:
                if code not in ("no_session", "bad_resume", "bad_token"): raise Refused(event)
                self.session, self.token = None, self.token if self.session else None
                self.enter(self.carrier)
            case {"type": "error"}:
                self.text = None if event.get("id", 0) == self.written else self.text
                say(f"error {event['code']}: {event['message']}")
            case {"type": "bye", "reason": reason}:
                say(f"bye: {reason}")
                self.session, self.token = None, None if reason == "gone" else self.token
                if reason not in ("taken", "replaced", "removed", "ended"): raise ConnectionError(reason)
        return event["type"] if event["type"] in ("left", "bye") else None

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for argument in ("url", "room", "name", "--say", "--auth"): parser.add_argument(argument)
    if not (args := parser.parse_args()).url.startswith(("ws://", "wss://")): parser.error("not a WebSocket's URL")
    client = Client(args)
    for number in (signal.SIGINT, signal.SIGTERM): signal.signal(number, signal.default_int_handler)
    try:
        sys.exit(client.run())
    except KeyboardInterrupt:
        client.leave()
