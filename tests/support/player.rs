//! Plays a clip to the server in real time, round and round.

use std::future::Future;
use std::time::Duration;

use bytes::Bytes;
use codecs::rtp::vp8::{Packetizer, PacketizerConfig};
use tokio::time::{Instant, sleep_until};

use super::client::Media;
use super::clip::{Clip, FRAMES_PER_SECOND, TICKS_PER_SECOND};

/// As browsers cut their frames.
const MAX_PAYLOAD_BYTES: usize = 1_180;

/// RTP ticks from one picture to the next, and from one 20 ms packet of sound to the next.
const PICTURE_STEP: u32 = 90_000 / FRAMES_PER_SECOND;
const SOUND_STEP: u32 = 48_000 / TICKS_PER_SECOND;

/// How long each speaks where people take turns.
const TURN: Duration = Duration::from_secs(5);

/// A place in a round of people who speak one after the other.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Turn {
    /// When the first began.
    pub(crate) since: Instant,
    /// From 0 on.
    pub(crate) place: usize,
    /// At least 1.
    pub(crate) of: usize,
}

impl Turn {
    fn is_now(self) -> bool {
        let turns = self.since.elapsed().as_millis() / TURN.as_millis();
        turns % self.of.max(1) as u128 == self.place as u128
    }
}

/// A clip on its way. RTP times, sequence numbers and picture ids go on where the clip begins
/// anew, which it does with a keyframe.
pub(crate) struct Player {
    clip: Clip,
    media: Media,
    packetizer: Packetizer,
    payloads: Vec<Bytes>,
    offset: u32,
    pictures: u32,
    sounds: u32,
    /// Without one, there is sound all the time.
    turn: Option<Turn>,
}

impl Player {
    /// Nothing is played yet.
    pub(crate) fn new(clip: Clip, media: Media) -> anyhow::Result<Self> {
        let config = PacketizerConfig {
            max_payload_bytes: MAX_PAYLOAD_BYTES,
            first_picture_id: rand::random(),
            first_tl0_pic_idx: rand::random(),
        };
        Ok(Self {
            clip,
            media,
            packetizer: Packetizer::new(config)?,
            payloads: Vec::new(),
            offset: rand::random(),
            pictures: 0,
            sounds: 0,
            turn: None,
        })
    }

    /// Is heard in its turn only: at other times no sound is sent, as with discontinuous
    /// transmission.
    pub(crate) fn in_turn(self, turn: Turn) -> Self {
        Self {
            turn: Some(turn),
            ..self
        }
    }

    /// Plays until `stop` resolves.
    pub(crate) async fn play(mut self, stop: impl Future<Output = ()>) -> anyhow::Result<()> {
        let start = Instant::now();
        tokio::pin!(stop);
        loop {
            let picture = due(start, self.pictures, FRAMES_PER_SECOND);
            let sound = due(start, self.sounds, TICKS_PER_SECOND);
            tokio::select! {
                () = sleep_until(picture.min(sound)) => {}
                () = &mut stop => return Ok(()),
            }
            if sound <= picture {
                self.send_sound().await?;
            } else {
                self.send_picture().await?;
            }
        }
    }

    async fn send_picture(&mut self) -> anyhow::Result<()> {
        let frame = &self.clip.frames[self.pictures as usize % self.clip.frames.len()];
        self.packetizer.packetize(frame, &mut self.payloads);
        let timestamp = self.time(self.pictures, PICTURE_STEP);
        let last = self.payloads.len() - 1;
        for (n, payload) in self.payloads.drain(..).enumerate() {
            self.media.video.send(timestamp, n == last, payload).await?;
        }
        self.pictures += 1;
        Ok(())
    }

    async fn send_sound(&mut self) -> anyhow::Result<()> {
        let packet = &self.clip.packets[self.sounds as usize % self.clip.packets.len()];
        let timestamp = self.time(self.sounds, SOUND_STEP);
        if self.turn.is_none_or(Turn::is_now) {
            self.media
                .audio
                .send(timestamp, false, packet.clone())
                .await?;
        }
        self.sounds += 1;
        Ok(())
    }

    fn time(&self, number: u32, step: u32) -> u32 {
        self.offset.wrapping_add(number.wrapping_mul(step))
    }
}

fn due(start: Instant, number: u32, per_second: u32) -> Instant {
    start + Duration::from_secs(1) * number / per_second
}
