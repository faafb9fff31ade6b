"""An independent implementation of WebRTC over WHIP and WHEP, against a real daemon.

Run by `make test-whip`. What is asked is whether it happens, with generous deadlines.
"""

import asyncio
import unittest

from daemon import Daemon
from peer import Color, Peer, Tone
from rsa_certificate import rsa_certificate

# Nothing that is waited for takes this long unless it never comes.
PATIENCE = 25

RED, GREEN, BLUE = (230, 20, 20), (20, 200, 20), (20, 20, 230)
# Where the tiles of one, and of two, have their middle on the canvas.
ALONE = (0.5, 0.5)
LEFT, RIGHT = (0.25, 0.5), (0.75, 0.5)


class Aiortc(unittest.IsolatedAsyncioTestCase):
    @classmethod
    def setUpClass(cls):
        cls.daemon = Daemon("--size", "640x360", "--seat-seconds", "2")
        cls.addClassCleanup(cls.daemon.stop)

    def peer(self, path):
        peer = Peer(self.daemon.address, path)
        self.addAsyncCleanup(peer.close)
        return peer

    async def happens(self, *what):
        await asyncio.wait_for(asyncio.gather(*what), PATIENCE)

    async def participants(self, count):
        while (await asyncio.to_thread(self.daemon.health))["participants"] != count:
            await asyncio.sleep(0.05)

    async def test_a_viewer_sees_and_hears_two_publishers_and_has_no_tile(self):
        await self.peer("/whip/two?name=Red").send(Tone(440), Color(RED)).connect()
        await self.peer("/whip/two?name=Blue").send(Tone(1000), Color(BLUE)).connect()
        viewer = await self.peer("/whep/two").receive("audio", "video").connect()

        await self.happens(
            viewer.hears([440, 1000]),
            viewer.sees({LEFT: RED, RIGHT: BLUE}),
        )

    async def test_candidates_may_come_after_the_offer(self):
        publisher = self.peer("/whip/trickled").send(Tone(600), Color(GREEN))
        await publisher.connect(trickled=True)
        viewer = self.peer("/whep/trickled").receive("audio", "video")
        await viewer.connect(trickled=True)

        await self.happens(viewer.hears([600]), viewer.sees({ALONE: GREEN}))

    async def test_sound_and_picture_may_go_apart(self):
        publisher = self.peer("/whip/apart").send(Tone(500), Color(BLUE))
        viewer = self.peer("/whep/apart").receive("audio", "video")
        for peer in (publisher, viewer):
            peer.without = ("a=group:",)

        await publisher.connect()
        await viewer.connect(trickled=True)

        await self.happens(viewer.hears([500]), viewer.sees({ALONE: BLUE}))
        for peer in (publisher, viewer):
            self.assertNotIn("a=group:", peer.answer)
            self.assertEqual(peer.transports(), 2)

    async def test_sound_alone_goes_both_ways(self):
        await self.peer("/whip/sound").send(Tone(800)).connect()
        viewer = await self.peer("/whep/sound").receive("audio").connect()

        await self.happens(viewer.hears([800]))
        self.assertNotIn("m=video", viewer.answer)

    async def test_a_picture_alone_goes_both_ways(self):
        await self.peer("/whip/picture").send(Color(BLUE)).connect()
        viewer = await self.peer("/whep/picture").receive("video").connect()

        await self.happens(viewer.sees({ALONE: BLUE}))

    async def test_a_certificate_may_be_of_rsa(self):
        publisher = self.peer("/whip/rsa").send(Tone(700), Color(RED))
        rsa_certificate(publisher.connection)
        await publisher.connect()
        viewer = await self.peer("/whep/rsa").receive("audio", "video").connect()

        await self.happens(viewer.hears([700]), viewer.sees({ALONE: RED}))

    async def test_a_stream_that_was_not_announced_is_found(self):
        publisher = self.peer("/whip/unannounced").send(Tone(900), Color(GREEN))
        publisher.without = ("a=ssrc:", "a=ssrc-group:")
        await publisher.connect()
        viewer = await self.peer("/whep/unannounced").receive("audio", "video").connect()

        await self.happens(viewer.hears([900]), viewer.sees({ALONE: GREEN}))

    async def test_a_seat_is_free_again_after_delete_and_after_silence(self):
        before = self.daemon.health()["participants"]
        polite = await self.peer("/whip/ends").send(Tone(440)).connect()
        silent = await self.peer("/whip/ends").send(Tone(440)).connect()
        await self.happens(self.participants(before + 2))

        self.assertEqual(await polite.delete(), 200)
        await self.happens(self.participants(before + 1))
        self.assertEqual(await polite.delete(), 404)
        await silent.close()

        await self.happens(self.participants(before))
        self.assertEqual(await silent.delete(), 404)


if __name__ == "__main__":
    unittest.main(verbosity=2)
