//! Tells the audio mixer what is known of a participant's network path, and the path what the mixer
//! makes of it.
//!
//! The mixer hears only of what has changed.

use std::time::Duration;

use mixer::ParticipantId;
use mixer::audio::{AudioInput, AudioMixer, AudioRung, LossClass};
use tracing::debug;

use crate::link::Path;

/// So much earlier than the picture may the sound be. Noticed is sound that is 45 ms early or 125 ms
/// late (ITU-R BT.1359-1), and the picture waits for its tick.
const EARLY: Duration = Duration::from_millis(15);

/// Less of a change is left alone, for each is a stretch of sound.
const TOLERANCE: Duration = Duration::from_millis(20);

/// What the mixer was told last of one participant's path.
#[derive(Debug)]
pub(super) struct AudioPath {
    /// What everybody begins on.
    first: AudioRung,
    rung: AudioRung,
    round_trip: Option<Duration>,
    least_delay: Duration,
}

impl AudioPath {
    /// The path of somebody who hears `rung`, of which nothing is known yet.
    pub(super) const fn new(rung: AudioRung) -> Self {
        Self {
            first: rung,
            rung,
            round_trip: None,
            least_delay: Duration::ZERO,
        }
    }

    /// Puts the participant on the rung that the path was found to carry, prepared for the loss that
    /// its receiver reports, and prepares its jitter buffer for resends, before a tick.
    pub(super) fn follow(
        &mut self,
        path: &Path,
        participant: ParticipantId,
        mixer: &mut AudioMixer,
    ) {
        let loss = LossClass::covering(path.expected_audio_loss());
        let rung = path.audio_rung().unwrap_or(self.first).with_loss(loss);
        if rung != self.rung {
            debug!(%participant, ?rung, "audio rung");
            self.rung = rung;
            mixer.handle(AudioInput::SetRung { participant, rung });
        }
        let round_trip = path.audio_round_trip();
        if let Some(rtt) = round_trip
            && round_trip != self.round_trip
        {
            self.round_trip = round_trip;
            mixer.handle(AudioInput::RoundTrip { participant, rtt });
        }
        let delay = least_delay(path.skew_us());
        if delay.abs_diff(self.least_delay) > TOLERANCE {
            self.least_delay = delay;
            mixer.handle(AudioInput::LeastDelay { participant, delay });
        }
    }
}

/// How long audio has to be kept back that comes `skew_us` microseconds later than the video
/// captured with it; if that is less than nothing, video comes later.
fn least_delay(skew_us: Option<i64>) -> Duration {
    let behind = skew_us.unwrap_or_default().min(0).unsigned_abs();
    Duration::from_micros(behind).saturating_sub(EARLY)
}

/// Notes after a tick for how long the participant's audio waits, and how much of it had to be
/// mended. While nothing plays, the delay that was noted before stands.
pub(super) fn note_playout(mixer: &AudioMixer, participant: ParticipantId, path: &Path) {
    let delay = mixer.playout_delay(participant);
    if let Some(current) = delay.and_then(|delay| delay.current) {
        path.set_audio_delay(current);
    }
    if let Some(counters) = mixer.counters(participant) {
        path.set_audio_mended(counters.concealed, counters.recovered);
    }
}

#[cfg(test)]
mod tests {
    use codecs::audio::Channels;
    use codecs::opus::{OpusEncoder, OpusEncoderConfig};
    use mixer::RoomTime;
    use mixer::audio::{AudioConfig, PacketTime};

    use super::*;

    #[test]
    fn who_loses_audio_hears_an_encode_of_their_loss_class_until_they_lose_none() {
        let rung = AudioRung::new(32, PacketTime::Ms20).unwrap();
        let encoder = OpusEncoder::new(OpusEncoderConfig::new(Channels::Mono, 32)).unwrap();
        let mut mixer = AudioMixer::new(AudioConfig::default(), Box::new(encoder));
        let links = [Path::default(), Path::default()];
        let mut paths = [AudioPath::new(rung), AudioPath::new(rung)];
        for participant in [1, 2].map(ParticipantId) {
            mixer.handle(AudioInput::AddOutput { participant, rung });
        }

        let mut encodes = Vec::new();
        for (tick, percent) in [0, 10, 10, 20, 0].into_iter().enumerate() {
            links[1].set_expected_audio_loss(percent);
            for ((path, link), id) in paths.iter_mut().zip(&links).zip(1..) {
                path.follow(link, ParticipantId(id), &mut mixer);
            }
            mixer.tick(RoomTime::from_ms(20 * tick as u64));
            encodes.push((mixer.encodes(), paths[1].rung.loss().percent()));
        }

        assert_eq!(encodes, [(1, 0), (2, 10), (2, 10), (2, 20), (1, 0)]);
    }

    #[test]
    fn sound_is_kept_back_by_as_much_as_its_picture_is_late_and_little_is_left_alone() {
        let rows = [
            (None, 0),
            (Some(90_000), 0),
            (Some(-10_000), 0),
            (Some(-115_000), 100),
        ];

        for (skew_us, delay_ms) in rows {
            assert_eq!(
                least_delay(skew_us),
                Duration::from_millis(delay_ms),
                "{skew_us:?}"
            );
        }
    }
}
