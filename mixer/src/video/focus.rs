//! Who is shown large.

use super::VideoMixer;
use super::input::Focus;
use super::seating::Seating;
use crate::ParticipantId;

impl VideoMixer {
    /// Somebody else speaks, or nobody.
    pub(super) fn set_speaker(&mut self, speaker: Option<ParticipantId>) {
        if self.active_speaker == speaker {
            return;
        }
        self.speaker_before = self.active_speaker.or(self.speaker_before);
        self.active_speaker = speaker;
        self.seating = Seating::Outdated;
    }

    /// Somebody left, and cannot be the one who spoke before.
    pub(super) fn forget_speaker(&mut self, participant: ParticipantId) {
        if self.speaker_before == Some(participant) {
            self.speaker_before = None;
        }
    }

    /// Whom rungs with this focus show large. Of two participants or more, the two focuses are
    /// never the same.
    pub(super) fn focus(&self, focus: Focus) -> Option<ParticipantId> {
        let here = |who: &ParticipantId| self.seat_of(*who).is_some();
        let mut everybody = self.sources.iter().map(|source| source.participant);
        let before = self.speaker_before.filter(here);
        let active = self.active_speaker.filter(here);
        let main = active.or(before).or_else(|| everybody.next())?;
        match focus {
            Focus::Speaker => Some(main),
            Focus::SpeakerBefore => {
                let mut others = self.sources.iter().map(|source| source.participant);
                let other = before.filter(|before| *before != main);
                other
                    .or_else(|| others.find(|other| *other != main))
                    .or(Some(main))
            }
        }
    }
}
