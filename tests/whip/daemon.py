"""The daemon as a process of its own."""

import json
import os
import pathlib
import re
import subprocess
import threading
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = os.environ.get("MOSAICD", str(ROOT / "target" / "debug" / "mosaicd"))


class Daemon:
    """Runs from the call to its `stop`."""

    def __init__(self, *flags):
        self.process = subprocess.Popen(
            [BINARY, "serve", "--listen", "127.0.0.1:0", *flags],
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.address = None
        for line in self.process.stderr:
            found = re.search(r"open (http://\S+?)/?$", line.strip())
            if found:
                self.address = found.group(1)
                break
        if self.address is None:
            raise RuntimeError("the daemon ended before it served")
        # Nobody reads what it says, and a full pipe would stop it.
        threading.Thread(target=self.process.stderr.read, daemon=True).start()

    def health(self):
        with urllib.request.urlopen(f"{self.address}/healthz", timeout=10) as answer:
            return json.load(answer)

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=20)
