"""The small client of tests/example, made from PROTOCOL.md alone, against a real daemon.

Run by `make test-whip`. What is asked is whether it happens, with generous deadlines.
"""

import queue
import select
import signal
import socket
import subprocess
import sys
import threading
import time
import unittest

from daemon import ROOT, Daemon

sys.path.append(str(ROOT / "tests" / "example"))

from client import TEXT, WebSocket  # noqa: E402 (it is not beside this file)

# Nothing that is waited for takes this long unless it never comes.
PATIENCE = 25


class Relay:
    """Passes connections on to the daemon until they are cut."""

    def __init__(self, address):
        host, port = address.removeprefix("http://").split(":")
        self.target, self.open = (host, int(port)), []
        self.server = socket.create_server(("127.0.0.1", 0))
        self.url = f"ws://127.0.0.1:{self.server.getsockname()[1]}/ws"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client = self.server.accept()[0]
            except OSError:
                return
            pair = (client, socket.create_connection(self.target))
            self.open.extend(pair)
            threading.Thread(target=self.pass_on, args=pair, daemon=True).start()

    def pass_on(self, *pair):
        try:
            while True:
                for end in select.select(pair, [], [])[0]:
                    data = end.recv(65536)
                    if not data:
                        return
                    pair[end is pair[0]].sendall(data)
        except (OSError, ValueError):
            pass
        finally:
            for end in pair:
                end.close()

    def cut(self):
        while self.open:
            try:
                self.open.pop().shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def stop(self):
        self.server.close()
        self.cut()


class Client:
    """The client as a process of its own, and the lines that it prints."""

    def __init__(self, *arguments):
        self.process = subprocess.Popen(
            [sys.executable, str(ROOT / "tests" / "example" / "client.py"), *arguments],
            stdout=subprocess.PIPE,
            text=True,
        )
        self.lines = queue.Queue()
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            self.lines.put(line.strip())

    def says(self, wanted):
        """Waits for a line with `wanted` in it."""
        while True:
            line = self.lines.get(timeout=PATIENCE)
            if wanted in line:
                return line

    def stop(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(timeout=PATIENCE)
        self.process.stdout.close()


class ExampleClient(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.daemon = Daemon()
        cls.addClassCleanup(cls.daemon.stop)
        cls.url = cls.daemon.address.replace("http", "ws") + "/ws"

    def client(self, *arguments):
        client = Client(*arguments)
        self.addCleanup(client.stop)
        return client

    def test_two_see_each_other_write_and_leave(self):
        ann = self.client(self.url, "talk", "Ann")
        ann.says("in talk as Ann (p1)")

        bob = self.client(self.url, "talk", "Bob", "--say", "Can you hear me?")

        bob.says("there: Ann (p1), Bob (p2)")
        ann.says("Bob (p2) comes")
        ann.says("Bob: Can you hear me?")
        bob.says("Bob: Can you hear me?")
        bob.process.send_signal(signal.SIGINT)
        ann.says("Bob (p2) goes: left")
        self.assertEqual(bob.process.wait(timeout=PATIENCE), 0)

    def test_a_session_goes_on_after_its_connection_is_cut_and_misses_nothing(self):
        relay = Relay(self.daemon.address)
        self.addCleanup(relay.stop)
        ann = self.client(relay.url, "cut", "Ann")
        ann.says("in cut as Ann (p1)")

        relay.cut()
        self.client(self.url, "cut", "Bob", "--say", "while you were away").says("while you were away")

        ann.says("resumed")
        ann.says("Bob (p2) comes")
        ann.says("Bob: while you were away")

    def test_being_sent_away_is_a_failure(self):
        host = WebSocket(self.url)
        self.addCleanup(host.socket.close)
        host.send(TEXT, b'{"type": "join", "version": 1, "room": "over", "name": "Host"}')
        self.assertIn("joined", host.receive(time.monotonic() + PATIENCE))
        ann = self.client(self.url, "over", "Ann")
        ann.says("in over as Ann (p2)")

        host.send(TEXT, b'{"type": "moderate", "act": "end"}')

        ann.says("bye: ended")
        self.assertEqual(ann.process.wait(timeout=PATIENCE), 1)

    def test_being_refused_is_a_failure(self):
        nameless = self.client(self.url, "no such name for a room", "Ann")
        nameless.says("bad_room")
        self.assertEqual(nameless.process.wait(timeout=PATIENCE), 1)


if __name__ == "__main__":
    unittest.main(verbosity=2)
