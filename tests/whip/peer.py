"""One end of a WHIP or WHEP connection, made with aiortc.

A publisher sends a tone and a color of its own, which a viewer finds again in the mix.
"""

import asyncio
import fractions
import time
import urllib.error
import urllib.request

import numpy
from aiortc import MediaStreamTrack, RTCPeerConnection, RTCSessionDescription
from av import AudioFrame, VideoFrame

SAMPLE_RATE = 48_000
TICK_SAMPLES = 960
FPS = 15

CANDIDATES = ("a=candidate:", "a=end-of-candidates")

# Long enough to tell tones 100 Hz apart, short enough to see them come.
WINDOW_SAMPLES = SAMPLE_RATE // 2


class Paced(MediaStreamTrack):
    """A track whose frames are due at a steady pace."""

    def __init__(self, interval):
        super().__init__()
        self.interval = interval
        self.start = None
        self.count = 0

    async def recv(self):
        self.start = self.start or time.monotonic()
        due = self.start + self.count * self.interval
        await asyncio.sleep(max(0, due - time.monotonic()))
        frame = self.make(self.count)
        self.count += 1
        return frame


class Tone(Paced):
    kind = "audio"

    def __init__(self, hertz):
        super().__init__(TICK_SAMPLES / SAMPLE_RATE)
        self.hertz = hertz

    def make(self, number):
        first = number * TICK_SAMPLES
        at = (numpy.arange(TICK_SAMPLES) + first) / SAMPLE_RATE
        samples = 8_000 * numpy.sin(2 * numpy.pi * self.hertz * at)
        frame = AudioFrame.from_ndarray(
            samples.astype(numpy.int16).reshape(1, -1), format="s16", layout="mono"
        )
        frame.sample_rate = SAMPLE_RATE
        frame.pts = first
        frame.time_base = fractions.Fraction(1, SAMPLE_RATE)
        return frame


class Color(Paced):
    kind = "video"

    def __init__(self, rgb):
        super().__init__(1 / FPS)
        self.pixels = numpy.empty((180, 320, 3), numpy.uint8)
        self.pixels[:] = rgb

    def make(self, number):
        frame = VideoFrame.from_ndarray(self.pixels, format="rgb24")
        frame.pts = number * 90_000 // FPS
        frame.time_base = fractions.Fraction(1, 90_000)
        return frame


def request(method, url, headers=None, body=None):
    """One request: status, headers, body. A refusal is an answer as well."""
    data = None if body is None else body.encode()
    asked = urllib.request.Request(url, data, headers or {}, method=method)
    try:
        with urllib.request.urlopen(asked, timeout=20) as answer:
            return answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read().decode()


def fragment(offer):
    """The candidates of an offer, each section's behind its name (RFC 8840 §4.4)."""
    lines = []
    for section in offer.split("\r\nm=")[1:]:
        media, *section = section.splitlines()
        candidates = [line for line in section if line.startswith(CANDIDATES)]
        if candidates:
            mid = next(line for line in section if line.startswith("a=mid:"))
            lines += ["m=" + media, mid, *candidates]
    return lines


class Peer:
    """A connection that begins with `connect`."""

    def __init__(self, address, path):
        self.address = address
        self.path = path
        self.connection = RTCPeerConnection()
        self.tracks = {}
        # Lines of the offer that the daemon does not get.
        self.without = ()
        self.connection.on("track", lambda track: self.tracks.update({track.kind: track}))

    def send(self, *tracks):
        for track in tracks:
            self.connection.addTransceiver(track, "sendonly")
        return self

    def receive(self, *kinds):
        for kind in kinds:
            self.connection.addTransceiver(kind, "recvonly")
        return self

    async def connect(self, trickled=False):
        """Offers, with the candidates or without; they follow by PATCH then."""
        await self.connection.setLocalDescription(await self.connection.createOffer())
        offer = self.connection.localDescription.sdp
        later = fragment(offer)
        without = (*self.without, *CANDIDATES) if trickled else self.without
        lines = [line for line in offer.splitlines() if not line.startswith(without)]
        offer = "\r\n".join(lines) + "\r\n"
        status, headers, body = await asyncio.to_thread(
            request,
            "POST",
            self.address + self.path,
            {"Content-Type": "application/sdp"},
            offer,
        )
        assert status == 201, (status, body)
        self.resource = self.address + headers["Location"]
        self.tag = headers["ETag"]
        self.answer = body
        if trickled:
            status, body = await self.trickle(later)
            assert status == 204, (status, body)
        await self.connection.setRemoteDescription(RTCSessionDescription(self.answer, "answer"))
        return self

    async def trickle(self, lines):
        status, _, body = await asyncio.to_thread(
            request,
            "PATCH",
            self.resource,
            {"Content-Type": "application/trickle-ice-sdpfrag", "If-Match": self.tag},
            "\r\n".join(lines) + "\r\n",
        )
        return status, body

    async def delete(self):
        status, _, _ = await asyncio.to_thread(request, "DELETE", self.resource)
        return status

    async def close(self):
        await self.connection.close()

    def transports(self):
        """Over how many of them media goes."""
        ends = [it.sender for it in self.connection.getTransceivers()]
        return len({id(end.transport) for end in ends if end.transport.state == "connected"})

    async def hears(self, hertz):
        """Listens until each of these tones stands out, and nothing else does."""
        window = numpy.zeros(WINDOW_SAMPLES)
        while True:
            frame = await self.tracks["audio"].recv()
            samples = frame.to_ndarray().reshape(-1, len(frame.layout.channels))[:, 0]
            window = numpy.concatenate([window[len(samples) :], samples])
            if loud_tones(window) == sorted(hertz):
                return

    async def sees(self, places):
        """Looks until there is each color at its place: `(x, y)` in shares of the picture."""
        while True:
            frame = await self.tracks["video"].recv()
            pixels = frame.to_ndarray(format="rgb24").astype(int)
            height, width, _ = pixels.shape
            at = {place: pixels[int(place[1] * height), int(place[0] * width)] for place in places}
            # VP8 keeps flat colors to within a few steps; a placeholder is gray, far from all.
            if all(abs(at[place] - color).max() < 40 for place, color in places.items()):
                return


def loud_tones(samples):
    """The tones within 20 dB of the loudest, rounded to 20 Hz; those of a window this long."""
    spectrum = abs(numpy.fft.rfft(samples * numpy.hanning(len(samples))))
    if spectrum.max() < 1_000:
        return []
    loud = numpy.flatnonzero(spectrum > spectrum.max() / 10)
    hertz = loud * SAMPLE_RATE / len(samples)
    return sorted({int(round(tone / 20)) * 20 for tone in hertz})
