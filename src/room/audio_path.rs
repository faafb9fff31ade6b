//! Tells the audio mixer what is known of a participant's network path, and the path what the mixer
//! makes of it.
//!
//! The mixer hears only of what has changed.

use std::time::Duration;

use mixer::ParticipantId;
use mixer::audio::{AudioInput, AudioMixer};
use tracing::debug;

use crate::link::Path;

/// What the mixer was told last of one participant's path.
#[derive(Debug, Default)]
pub(super) struct AudioPath {
    expected_loss_percent: u8,
    round_trip: Option<Duration>,
}

impl AudioPath {
    /// Prepares the participant's encoder for the loss that its receiver reports, and its jitter
    /// buffer for resends, before a tick.
    pub(super) fn follow(
        &mut self,
        path: &Path,
        participant: ParticipantId,
        mixer: &mut AudioMixer,
    ) {
        let percent = path.expected_audio_loss();
        if percent != self.expected_loss_percent {
            debug!(%participant, percent, "expected loss");
            self.expected_loss_percent = percent;
            mixer.handle(AudioInput::ExpectedLoss {
                participant,
                percent,
            });
        }
        let round_trip = path.audio_round_trip();
        if let Some(rtt) = round_trip
            && round_trip != self.round_trip
        {
            self.round_trip = round_trip;
            mixer.handle(AudioInput::RoundTrip { participant, rtt });
        }
    }
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
