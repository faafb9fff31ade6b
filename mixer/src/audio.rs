//! The audio of one room: everybody hears everybody else.
//!
//! [`AudioMixer::handle`] takes in what happens, any number of times; [`AudioMixer::tick`] makes
//! 20 ms of sound: it plays one tick of each track and sums them. Whoever contributed to the sum
//! has their own part taken out of it again; all others on one [`AudioRung`] share one encode of
//! it. What is to be heard is limited to 16 bits and encoded, in packets of 20 to 120 ms. The mixer
//! also measures how loud everybody is and says who is speaking.
//!
//! Contract: ticks are called in order, one per 20 ms of room time; a late tick is still called,
//! and what a driver skips is a gap. Same inputs and ticks, same samples. What one participant
//! sends changes nothing for the others. A tick allocates only when somebody begins to contribute,
//! and for a packet longer than any before it; mixing and silence are exact.
//!
//! Bounds: [`AudioMixer::MAX_PARTICIPANTS`]; per track the packets that its
//! jitter buffer holds; of encodes one for each listener who contributes and each rung in use.

mod config;
mod counters;
mod encode;
mod fade;
mod gate;
mod input;
mod jitter;
mod level;
mod limiter;
mod mix;
mod outputs;
mod playout;
mod recorded;
mod rungs;
mod speaker;
mod stretch;
mod track;
mod voice;

#[cfg(test)]
#[path = "../tests/audio/fake.rs"]
mod fake;

use codecs::audio::{AudioDecoder, AudioEncoder, TICK_SAMPLES};
use codecs::rtp::SeqNo;

use crate::{ParticipantId, RoomTime};

pub use self::config::AudioConfig;
pub use self::counters::{AudioCounters, PlayoutDelay};
pub use self::input::{AudioInput, AudioPacket, Muted, RecordedAudio};
pub use self::level::Level;
pub use self::rungs::{AudioRung, AudioRungError, Dtx, LossClass, PacketTime};

use self::encode::Encode;
use self::mix::FullMix;
use self::outputs::{Key, Outputs};
use self::speaker::ActiveSpeaker;
use self::track::Track;

/// The time of one tick in nanoseconds.
const TICK_NS: u128 = 20_000_000;

/// Ticks beyond this all have this number: their samples could no longer be counted.
const LAST_TICK: u64 = u64::MAX / (2 * TICK_SAMPLES as u64);

/// One packet that is to be sent.
#[derive(Clone, Copy, Debug)]
pub struct OutgoingAudio<'a> {
    /// Who is to get it, in their order. Never empty.
    pub listeners: &'a [ParticipantId],
    /// One codec packet. Never empty.
    pub payload: &'a [u8],
    /// How much sound it holds.
    pub packet_time: PacketTime,
    /// The media time of its first sample: samples per channel since the room began. A packet
    /// leaves with the tick that completes it.
    pub first_sample: u64,
}

/// What a tick made. Borrowed from the mixer until the next one.
#[derive(Debug)]
pub struct AudioTick<'a> {
    /// Who is speaking, or spoke last. `None` until somebody does, and after that one's track is
    /// gone.
    pub active_speaker: Option<ParticipantId>,
    /// How loud each track is, in the order of their participants.
    pub levels: &'a [(ParticipantId, Level)],
    /// Packets that have not come, and that a negative acknowledgment sent now (RFC 4585 §6.2.1)
    /// would bring in time, judged by [`AudioInput::RoundTrip`]. In the order of their
    /// participants; each is named at most twice, a round trip apart.
    pub missing: &'a [(ParticipantId, SeqNo)],
    number: u64,
    encodes: &'a [(Key, Encode)],
}

impl<'a> AudioTick<'a> {
    /// The packets that this tick completes, silence included. Every listener hears one encode at a
    /// time, and the packets they get follow on each other without a gap, except where the encoder
    /// failed, ticks were skipped or the rung pauses in silence ([`AudioRung::dtx`]).
    pub fn packets(&self) -> impl Iterator<Item = OutgoingAudio<'a>> + use<'a> {
        let end = (self.number + 1) * TICK_SAMPLES as u64;
        self.encodes.iter().filter_map(move |(_, encode)| {
            let packet_time = encode.rung().packet_time();
            Some(OutgoingAudio {
                listeners: encode.listeners(),
                payload: encode.packet()?,
                packet_time,
                first_sample: end - packet_time.samples() as u64,
            })
        })
    }
}

/// Mixes the audio of one room. See the [module](self).
#[derive(Debug)]
pub struct AudioMixer {
    config: AudioConfig,
    /// In the order of their ids.
    participants: Vec<Participant>,
    mix: FullMix,
    speaker: ActiveSpeaker,
    /// One per track, in the same order.
    levels: Vec<(ParticipantId, Level)>,
    outputs: Outputs,
    missing: Vec<(ParticipantId, SeqNo)>,
    /// Whose encoder refused something, until it is counted.
    failed: Vec<ParticipantId>,
    ignored: u64,
}

impl AudioMixer {
    /// The most participants one mixer takes; who comes on top is ignored and counted.
    pub const MAX_PARTICIPANTS: usize = mix::MAX_CONTRIBUTIONS;

    /// An empty room. Whatever is sent is encoded by forks of `encoder`, which is to be new.
    #[must_use]
    pub fn new(config: AudioConfig, encoder: Box<dyn AudioEncoder>) -> Self {
        Self {
            outputs: Outputs::new(encoder, &config),
            mix: FullMix::new(TICK_SAMPLES * config.channels.count()),
            config,
            participants: Vec::new(),
            speaker: ActiveSpeaker::default(),
            levels: Vec::new(),
            missing: Vec::new(),
            failed: Vec::new(),
            ignored: 0,
        }
    }

    /// Takes in what happened. It shows in the next tick.
    pub fn handle(&mut self, input: AudioInput) {
        match input {
            AudioInput::AddTrack {
                participant,
                decoder,
            } => self.add_track(participant, decoder),
            AudioInput::RemoveTrack { participant } => self.remove_track(participant),
            AudioInput::AddOutput { participant, rung } => self.add_output(participant, rung),
            AudioInput::SetRung { participant, rung } => {
                if !self.outputs.set_rung(participant, rung) {
                    self.ignored += 1;
                }
            }
            AudioInput::RemoveOutput { participant } => self.remove_output(participant),
            AudioInput::Packet {
                participant,
                packet,
            } => self.with_track(participant, |track, config, counters| {
                track.insert(packet, config, counters);
            }),
            AudioInput::Recorded {
                participant,
                packet,
            } => self.with_track(participant, |track, config, counters| {
                track.push(packet, config, counters);
            }),
            AudioInput::RoundTrip { participant, rtt } => {
                self.with_track(participant, |track, _, _| track.set_round_trip(rtt));
            }
            AudioInput::LeastDelay { participant, delay } => {
                self.with_track(participant, |track, _, _| track.set_least_delay(delay));
            }
            AudioInput::Mute { participant, muted } => {
                self.with_track(participant, |track, _, _| track.mute(muted));
            }
        }
    }

    /// Makes the 20 ms of sound that begin at `now`.
    pub fn tick(&mut self, now: RoomTime) -> AudioTick<'_> {
        self.play(now);
        let active_speaker = self.speaker.tick(&self.levels);
        let number = number(now);
        self.encode(number);
        AudioTick {
            active_speaker,
            levels: &self.levels,
            missing: &self.missing,
            number,
            encodes: self.outputs.encodes(),
        }
    }

    /// What has happened to `participant` so far; `None` if it has neither a track nor an output.
    #[must_use]
    pub fn counters(&self, participant: ParticipantId) -> Option<AudioCounters> {
        let at = self.find(participant).ok()?;
        Some(self.participants[at].counters)
    }

    /// The delay of `participant`'s live track, after the last tick; `None` if it has none.
    #[must_use]
    pub fn playout_delay(&self, participant: ParticipantId) -> Option<PlayoutDelay> {
        let at = self.find(participant).ok()?;
        self.participants[at].track.as_ref()?.delay()
    }

    /// How many encodes the last tick ran, or was spared by silence: the shared ones and those of
    /// their own.
    #[must_use]
    pub fn encodes(&self) -> usize {
        self.outputs.encodes().len()
    }

    /// How many inputs named a participant that was not there, or one too many.
    #[must_use]
    pub const fn ignored(&self) -> u64 {
        self.ignored
    }

    /// Plays every track, measures it and adds it to the mix.
    fn play(&mut self, now: RoomTime) {
        self.mix.clear();
        self.levels.clear();
        self.missing.clear();
        for participant in &mut self.participants {
            if let Some(track) = &mut participant.track {
                let level = track.play(now, &mut participant.counters);
                self.mix.add(track.contribution());
                self.levels.push((participant.id, level));
                let asked = self.missing.len();
                track.ask(|seq| self.missing.push((participant.id, seq)));
                participant.counters.asked += (self.missing.len() - asked) as u64;
            }
        }
    }

    /// Encodes the mix for every listener, less their own contribution.
    fn encode(&mut self, number: u64) {
        let Self {
            outputs,
            mix,
            participants,
            failed,
            ..
        } = self;
        let own = |id| {
            let at = find(participants, id).ok()?;
            let track = participants[at].track.as_ref()?;
            Some(track.contribution())
        };
        outputs.tick(number, mix, own, &mut |id| failed.push(id));
        self.count_failures();
    }

    /// Counts what encoders refused.
    fn count_failures(&mut self) {
        for id in self.failed.drain(..) {
            if let Ok(at) = find(&self.participants, id) {
                self.participants[at].counters.encoder_failures += 1;
            }
        }
    }

    fn add_track(&mut self, id: ParticipantId, decoder: Box<dyn AudioDecoder>) {
        let Some(at) = self.find_or_add(id) else {
            return;
        };
        match &mut self.participants[at].track {
            Some(track) => track.replace(decoder),
            track @ None => *track = Some(Track::new(decoder, &self.config)),
        }
        self.speaker.add(id);
        // As many levels as there can be tracks, so that no tick has to ask for memory.
        let missing = self.participants.len().saturating_sub(self.levels.len());
        self.levels.reserve(missing);
        let most = self.participants.len() * jitter::MOST_ASKED;
        self.missing
            .reserve(most.saturating_sub(self.missing.len()));
    }

    fn remove_track(&mut self, id: ParticipantId) {
        match self.find(id) {
            Ok(at) if self.participants[at].track.is_some() => {
                self.participants[at].track = None;
                self.speaker.remove(id);
                self.remove_if_idle(at);
            }
            _ => self.ignored += 1,
        }
    }

    fn add_output(&mut self, id: ParticipantId, rung: AudioRung) {
        if self.find_or_add(id).is_some() {
            let failed = &mut |id| self.failed.push(id);
            self.outputs.add(id, rung, &self.config, failed);
            self.count_failures();
        }
    }

    fn remove_output(&mut self, id: ParticipantId) {
        if !self.outputs.remove(id) {
            self.ignored += 1;
        } else if let Ok(at) = self.find(id) {
            self.remove_if_idle(at);
        }
    }

    fn with_track(
        &mut self,
        id: ParticipantId,
        change: impl FnOnce(&mut Track, &AudioConfig, &mut AudioCounters),
    ) {
        let participant = self.find(id).map(|at| &mut self.participants[at]);
        match participant {
            Ok(Participant {
                track: Some(track),
                counters,
                ..
            }) => change(track, &self.config, counters),
            _ => self.ignored += 1,
        }
    }

    fn find(&self, id: ParticipantId) -> Result<usize, usize> {
        find(&self.participants, id)
    }

    /// Where `id` is, or is now; `None` if there is no room for it.
    fn find_or_add(&mut self, id: ParticipantId) -> Option<usize> {
        match self.find(id) {
            Ok(at) => Some(at),
            Err(_) if self.participants.len() == Self::MAX_PARTICIPANTS => {
                self.ignored += 1;
                None
            }
            Err(at) => {
                self.participants.insert(at, Participant::new(id));
                Some(at)
            }
        }
    }

    fn remove_if_idle(&mut self, at: usize) {
        let participant = &self.participants[at];
        if participant.track.is_none() && !self.outputs.contains(participant.id) {
            self.participants.remove(at);
        }
    }
}

/// The number of the tick that begins at `now`, counted from 0 at the start of the room.
fn number(now: RoomTime) -> u64 {
    u64::try_from(now.since_start().as_nanos() / TICK_NS)
        .unwrap_or(LAST_TICK)
        .min(LAST_TICK)
}

fn find(participants: &[Participant], id: ParticipantId) -> Result<usize, usize> {
    participants.binary_search_by_key(&id, |participant| participant.id)
}

/// One participant: what it sends, and what became of it.
#[derive(Debug)]
struct Participant {
    id: ParticipantId,
    track: Option<Track>,
    counters: AudioCounters,
}

impl Participant {
    fn new(id: ParticipantId) -> Self {
        Self {
            id,
            track: None,
            counters: AudioCounters::default(),
        }
    }
}
