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

    /// Somebody is to be shown large whoever speaks, or nobody.
    pub(super) fn set_pinned(&mut self, pinned: Option<ParticipantId>) {
        if self.pinned != pinned {
            self.pinned = pinned;
            self.seating = Seating::Outdated;
        }
    }

    /// Somebody left, and can neither be the one who spoke before nor the one who is pinned.
    pub(super) fn forget_speaker(&mut self, participant: ParticipantId) {
        for remembered in [&mut self.speaker_before, &mut self.pinned] {
            if *remembered == Some(participant) {
                *remembered = None;
            }
        }
    }

    /// Whom rungs with this focus show large. Of two participants or more, [`Focus::Speaker`] and
    /// [`Focus::SpeakerBefore`] are never the same.
    pub(super) fn focus(&self, focus: Focus) -> Option<ParticipantId> {
        let here = |who: &ParticipantId| self.seat_of(*who).is_some();
        let mut everybody = self.sources.iter().map(|source| source.participant);
        let before = self.speaker_before.filter(here);
        let active = self.active_speaker.filter(here);
        let pinned = self.pinned.filter(here);
        let main = pinned.or(active).or(before).or_else(|| everybody.next())?;
        match focus {
            Focus::Speaker => Some(main),
            Focus::On(participant) => Some(participant).filter(here).or(Some(main)),
            Focus::SpeakerBefore => {
                let mut others = self.sources.iter().map(|source| source.participant);
                let mut spoke = active.into_iter().chain(before);
                let other = spoke.find(|who| *who != main);
                other
                    .or_else(|| others.find(|other| *other != main))
                    .or(Some(main))
            }
        }
    }
}
