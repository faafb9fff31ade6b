//! Who is speaking, calmly.
//!
//! Loudness alone would flicker, so people are compared by what they did over half a second and
//! over a whole one, in the spirit of the time windows of Volfin and Cohen (Dominant Speaker
//! Identification for Multipoint Videoconferencing, 2012), though not by their likelihoods. A tick
//! is *voiced* if it is loud, and louder than what that person sounds like all the time. To take
//! over, one must talk for some time, so a cough does not; how long depends on the holder:
//!
//! | the holder | takes over who has voiced |
//! |---|---|
//! | is nobody | 160 ms |
//! | has been silent for a second | 320 ms of the last 500 |
//! | pauses | 600 ms of the last second: more than "mm-hm" |
//! | talks | 320 ms of the last 500, clearly louder |
//!
//! After a change nothing changes for a second, and silence changes nothing at all. Integers only;
//! ties go to the senior participant.

use crate::ParticipantId;
use crate::audio::Level;

/// One second.
const LONG_TICKS: usize = 50;
/// Half of it.
const SHORT_TICKS: usize = 25;

/// Of the short window, to take over from nobody.
const FIRST_TICKS: u16 = 8;
/// Of the short window, to take over from somebody: talking.
const TALKING_TICKS: u16 = 16;
/// Of the long window, to take over in a pause: more than an interjection.
const LASTING_TICKS: u16 = 30;
/// Of either window, at most, to be silent.
const SILENT_TICKS: u16 = 5;
/// To take over from somebody who talks.
const CLEARLY_LOUDER_DB: u16 = 6;
/// No change so soon after a change.
const HOLD_TICKS: u32 = 50;

/// Voice is louder than −60 dBov, in dB above −127 dBov …
const QUIETEST_VOICE_DB: u16 = 67;
/// … and this much louder than the person's own background.
const ABOVE_BACKGROUND_DB: u16 = 6;
/// A background is at most −45 dBov, or a steady loud voice would become its own background.
const LOUDEST_BACKGROUND_DB: u16 = 82;
/// A background rises by 2 dB per second: one in this many ticks. It sinks at once, so the gaps
/// between syllables keep it down.
const BACKGROUND_STEP_TICKS: u32 = 25;

/// Listens to everybody's levels and names one.
#[derive(Debug, Default)]
pub(crate) struct ActiveSpeaker {
    /// In the order of their ids.
    voices: Vec<(ParticipantId, Voice)>,
    holder: Option<ParticipantId>,
    held_ticks: u32,
}

impl ActiveSpeaker {
    /// Listens to `participant` too, from scratch.
    pub(crate) fn add(&mut self, participant: ParticipantId) {
        match self.find(participant) {
            Ok(at) => self.voices[at].1 = Voice::new(),
            Err(at) => self.voices.insert(at, (participant, Voice::new())),
        }
    }

    /// Forgets `participant`; nobody speaks if it did.
    pub(crate) fn remove(&mut self, participant: ParticipantId) {
        if let Ok(at) = self.find(participant) {
            self.voices.remove(at);
        }
        if self.holder == Some(participant) {
            self.holder = None;
        }
    }

    /// Takes in one tick's level of everybody, in the order of their ids, and judges.
    pub(crate) fn tick(&mut self, levels: &[(ParticipantId, Level)]) -> Option<ParticipantId> {
        for ((participant, voice), (measured, level)) in self.voices.iter_mut().zip(levels) {
            debug_assert_eq!(participant, measured);
            voice.hear(u16::from(level.loudness_db()));
        }
        self.held_ticks = self.held_ticks.saturating_add(1);
        if let Some(challenger) = self.challenger() {
            self.holder = Some(challenger);
            self.held_ticks = 0;
        }
        self.holder
    }

    /// The loudest of those who may take over now.
    fn challenger(&self) -> Option<ParticipantId> {
        let holder = self
            .holder
            .and_then(|holder| self.find(holder).ok())
            .map(|at| &self.voices[at].1);
        if holder.is_some() && self.held_ticks < HOLD_TICKS {
            return None;
        }
        let mut loudest: Option<(ParticipantId, u16)> = None;
        for (participant, voice) in &self.voices {
            let loudness = voice.mean_db_of_last(SHORT_TICKS);
            if Some(*participant) != self.holder
                && voice.may_follow(holder)
                && loudest.is_none_or(|(_, most)| loudness > most)
            {
                loudest = Some((*participant, loudness));
            }
        }
        loudest.map(|(participant, _)| participant)
    }

    fn find(&self, participant: ParticipantId) -> Result<usize, usize> {
        self.voices
            .binary_search_by_key(&participant, |(id, _)| *id)
    }
}

/// What one person has done over the window.
#[derive(Debug)]
struct Voice {
    /// Loudness of each voiced tick, 0 of the others; a ring, the oldest at `at`.
    window: [u8; LONG_TICKS],
    at: usize,
    background_db: u16,
    background_ticks: u32,
}

impl Voice {
    fn new() -> Self {
        Self {
            window: [0; LONG_TICKS],
            at: 0,
            background_db: 0,
            background_ticks: 0,
        }
    }

    fn hear(&mut self, loudness_db: u16) {
        let threshold = (self.background_db + ABOVE_BACKGROUND_DB).max(QUIETEST_VOICE_DB);
        let voiced = if loudness_db >= threshold {
            loudness_db
        } else {
            0
        };
        self.window[self.at] = u8::try_from(voiced).unwrap_or(u8::MAX);
        self.at = (self.at + 1) % LONG_TICKS;
        self.follow_background(loudness_db);
    }

    fn follow_background(&mut self, loudness_db: u16) {
        // What cannot reach the threshold need not be learned, which makes learning quick.
        let lowest = QUIETEST_VOICE_DB - ABOVE_BACKGROUND_DB;
        let target = loudness_db.clamp(lowest, LOUDEST_BACKGROUND_DB);
        self.background_ticks += 1;
        if target <= self.background_db {
            self.background_db = target;
            self.background_ticks = 0;
        } else if self.background_db < lowest {
            self.background_db = lowest;
        } else if self.background_ticks >= BACKGROUND_STEP_TICKS {
            self.background_db += 1;
            self.background_ticks = 0;
        }
    }

    /// Loudness of the last `ticks` ticks, 0 where not voiced.
    fn last(&self, ticks: usize) -> impl Iterator<Item = u16> {
        let (newer, older) = self.window.split_at(self.at);
        let newest_first = newer.iter().rev().chain(older.iter().rev());
        newest_first.take(ticks).map(|&db| u16::from(db))
    }

    fn voiced_of_last(&self, ticks: usize) -> u16 {
        self.last(ticks).map(|db| u16::from(db > 0)).sum()
    }

    /// Mean loudness of the voiced ticks of the last `ticks`, 0 if there are none.
    fn mean_db_of_last(&self, ticks: usize) -> u16 {
        let total: u16 = self.last(ticks).sum();
        total.checked_div(self.voiced_of_last(ticks)).unwrap_or(0)
    }

    /// Whether this voice may take over from `holder`.
    fn may_follow(&self, holder: Option<&Self>) -> bool {
        let voiced = self.voiced_of_last(SHORT_TICKS);
        let Some(holder) = holder else {
            return voiced >= FIRST_TICKS;
        };
        if voiced < TALKING_TICKS {
            return false;
        }
        if holder.voiced_of_last(LONG_TICKS) <= SILENT_TICKS {
            return true;
        }
        if holder.voiced_of_last(SHORT_TICKS) <= SILENT_TICKS {
            return self.voiced_of_last(LONG_TICKS) >= LASTING_TICKS;
        }
        // The holder's whole second, since every sentence has its quiet ends.
        self.mean_db_of_last(SHORT_TICKS) >= holder.mean_db_of_last(LONG_TICKS) + CLEARLY_LOUDER_DB
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: ParticipantId = ParticipantId(1);
    const B: ParticipantId = ParticipantId(2);
    const C: ParticipantId = ParticipantId(3);

    #[test]
    fn nobody_speaks_in_silence() {
        let mut room = Room::of(&[A, B]);

        assert_eq!(room.hear(500, &[]), None);
    }

    #[test]
    fn the_first_to_speak_is_active_after_160_ms() {
        let mut room = Room::of(&[A, B]);

        assert_eq!(room.hear(7, &[(B, 30)]), None);
        assert_eq!(room.hear(1, &[(B, 30)]), Some(B));
    }

    #[test]
    fn silence_keeps_the_last_speaker() {
        let mut room = Room::of(&[A, B]);
        room.hear(100, &[(A, 30)]);

        assert_eq!(room.hear(5_000, &[]), Some(A));
    }

    #[test]
    fn a_cough_does_not_take_over() {
        let mut room = Room::of(&[A, B]);
        room.hear(100, &[(A, 30)]);

        for _ in 0..10 {
            assert_eq!(room.hear(15, &[(A, 30), (B, 5)]), Some(A));
            assert_eq!(room.hear(30, &[(A, 30)]), Some(A));
        }
    }

    #[test]
    fn a_clearly_louder_talker_takes_over_within_300_to_600_ms() {
        let mut room = Room::of(&[A, B]);
        room.hear(100, &[(A, 36)]);

        assert_eq!(room.hear(15, &[(A, 36), (B, 28)]), Some(A));
        assert_eq!(room.hear(15, &[(A, 36), (B, 28)]), Some(B));
    }

    #[test]
    fn an_equally_loud_talker_waits_until_the_speaker_falls_silent() {
        let mut room = Room::of(&[A, B]);
        room.hear(100, &[(A, 30)]);

        assert_eq!(room.hear(250, &[(A, 30), (B, 27)]), Some(A));
        assert_eq!(room.hear(19, &[(B, 27)]), Some(A));
        assert_eq!(room.hear(1, &[(B, 27)]), Some(B));
    }

    #[test]
    fn an_interjection_in_a_pause_does_not_take_over_and_an_answer_does() {
        let mut room = Room::of(&[A, B]);
        room.hear(100, &[(A, 30)]);

        room.hear(10, &[]);
        assert_eq!(room.hear(25, &[(B, 30)]), Some(A));
        room.hear(100, &[(A, 30)]);
        room.hear(10, &[]);
        assert_eq!(room.hear(29, &[(B, 30)]), Some(A));
        assert_eq!(room.hear(1, &[(B, 30)]), Some(B));
    }

    #[test]
    fn after_a_second_of_silence_320_ms_are_enough() {
        let mut room = Room::of(&[A, B]);
        room.hear(100, &[(A, 30)]);
        room.hear(50, &[]);

        assert_eq!(room.hear(15, &[(B, 30)]), Some(A));
        assert_eq!(room.hear(1, &[(B, 30)]), Some(B));
    }

    #[test]
    fn two_who_talk_at_once_do_not_alternate() {
        let mut room = Room::of(&[A, B]);
        room.hear(100, &[(A, 30)]);
        let mut changes = 0;
        let mut last = Some(A);

        for tick in 0..3_000 {
            // Each is louder than the other for 200 ms at a time.
            let (a, b) = if tick / 10 % 2 == 0 {
                (25, 35)
            } else {
                (35, 25)
            };
            let now = room.hear(1, &[(A, a), (B, b)]);
            changes += u32::from(now != last);
            last = now;
        }

        assert_eq!(changes, 0);
    }

    #[test]
    fn a_new_speaker_stays_for_a_second_whatever_happens() {
        let mut room = Room::of(&[A, B]);
        room.hear(8, &[(A, 40)]);

        assert_eq!(room.hear(49, &[(B, 10)]), Some(A));
        assert_eq!(room.hear(1, &[(B, 10)]), Some(B));
    }

    #[test]
    fn a_steady_fan_does_not_become_the_speaker_after_someone_speaks() {
        let mut room = Room::of(&[A, B]);
        room.hear(500, &[(B, 48)]);
        room.hear(100, &[(A, 30), (B, 48)]);

        assert_eq!(room.hear(2_000, &[(B, 48)]), Some(A));
    }

    #[test]
    fn a_voice_above_its_own_fan_is_heard() {
        let mut room = Room::of(&[A, B]);
        room.hear(500, &[(B, 48)]);
        room.hear(100, &[(A, 30), (B, 48)]);

        assert_eq!(room.hear(60, &[(B, 30)]), Some(B));
    }

    #[test]
    fn a_steady_loud_tone_stays_voiced() {
        let mut room = Room::of(&[A, B]);
        room.hear(5_000, &[(A, 20), (B, 3)]);

        assert_eq!(room.hear(100, &[(A, 20)]), Some(A));
        assert_eq!(room.hear(100, &[(A, 20), (B, 3)]), Some(B));
    }

    #[test]
    fn who_leaves_speaks_no_more_and_the_next_talker_follows_at_once() {
        let mut room = Room::of(&[A, B, C]);
        room.hear(100, &[(A, 30), (C, 30)]);

        room.speaker.remove(A);
        room.levels.retain(|(participant, _)| *participant != A);

        assert_eq!(room.speaker.holder, None);
        assert_eq!(room.hear(1, &[(C, 30)]), Some(C));
    }

    #[test]
    fn of_two_alike_the_senior_is_named() {
        let mut room = Room::of(&[A, B, C]);

        assert_eq!(room.hear(10, &[(C, 30), (B, 30)]), Some(B));
    }

    struct Room {
        speaker: ActiveSpeaker,
        levels: Vec<(ParticipantId, Level)>,
    }

    impl Room {
        fn of(participants: &[ParticipantId]) -> Self {
            let mut speaker = ActiveSpeaker::default();
            participants.iter().for_each(|id| speaker.add(*id));
            let levels = participants.iter().map(|id| (*id, Level::SILENT)).collect();
            Self { speaker, levels }
        }

        /// `ticks` ticks of voices at so many dB below overload, and silence from all others.
        fn hear(&mut self, ticks: u32, voices: &[(ParticipantId, u8)]) -> Option<ParticipantId> {
            for (participant, level) in &mut self.levels {
                *level = voices
                    .iter()
                    .find(|(voice, _)| voice == participant)
                    .map_or(Level::SILENT, |(_, db)| Level::from_minus_dbov(*db));
            }
            (0..ticks).fold(None, |_, _| self.speaker.tick(&self.levels))
        }
    }
}
