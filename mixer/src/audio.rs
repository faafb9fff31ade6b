//! The audio of one room: everybody hears everybody else.
//!
//! [`AudioMixer::handle`] takes in what happens, any number of times; [`AudioMixer::tick`] makes
//! 20 ms of sound: it plays one tick of each track, sums them, and for each output takes the
//! listener's own contribution out of the sum again, limits what is left to 16 bits and encodes it.
//! It also measures how loud everybody is and says who is speaking.
//!
//! Contract: ticks are called in order, one per 20 ms of room time; a late tick is still called.
//! Same inputs and ticks, same samples. What one participant sends or fails to encode changes
//! nothing for the others. A tick allocates only for a packet longer than any before it; mixing
//! and silence are exact.
//!
//! Bounds: [`AudioMixer::MAX_PARTICIPANTS`]; per track the packets that its
//! jitter buffer holds.

mod config;
mod counters;
mod fade;
mod input;
mod jitter;
mod level;
mod limiter;
mod mix;
mod output;
mod playout;
mod recorded;
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

use self::mix::FullMix;
use self::output::Output;
use self::speaker::ActiveSpeaker;
use self::track::Track;

/// Room for a packet of 96 kb/s, lest every encoder's first packets allocate.
const USUAL_PAYLOAD_BYTES: usize = 240;

/// What one listener is to be sent for one tick.
#[derive(Debug)]
pub struct OutgoingAudio {
    /// Who listens.
    pub participant: ParticipantId,
    /// One codec packet of 20 ms. Empty if the encoder failed: send nothing, but let its 20 ms of
    /// media time pass.
    pub payload: Vec<u8>,
}

/// What a tick made. Borrowed from the mixer until the next one.
#[derive(Debug)]
pub struct AudioTick<'a> {
    /// One packet per output, in the order of their participants, silence included. So the media
    /// time of the packets of tick n is n × 960.
    pub packets: &'a [OutgoingAudio],
    /// Who is speaking, or spoke last. `None` until somebody does, and after that one's track is
    /// gone.
    pub active_speaker: Option<ParticipantId>,
    /// How loud each track is, in the order of their participants.
    pub levels: &'a [(ParticipantId, Level)],
    /// Packets that have not come, and that a negative acknowledgment sent now (RFC 4585 §6.2.1)
    /// would bring in time, judged by [`AudioInput::RoundTrip`]. In the order of their
    /// participants; each is named at most twice, a round trip apart.
    pub missing: &'a [(ParticipantId, SeqNo)],
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
    /// One per output, in the same order.
    packets: Vec<OutgoingAudio>,
    missing: Vec<(ParticipantId, SeqNo)>,
    ignored: u64,
}

impl AudioMixer {
    /// The most participants one mixer takes; who comes on top is ignored and counted.
    pub const MAX_PARTICIPANTS: usize = mix::MAX_CONTRIBUTIONS;

    /// An empty room.
    #[must_use]
    pub fn new(config: AudioConfig) -> Self {
        Self {
            mix: FullMix::new(TICK_SAMPLES * config.channels.count()),
            config,
            participants: Vec::new(),
            speaker: ActiveSpeaker::default(),
            levels: Vec::new(),
            packets: Vec::new(),
            missing: Vec::new(),
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
            AudioInput::AddOutput {
                participant,
                encoder,
            } => self.add_output(participant, encoder),
            AudioInput::RemoveOutput { participant } => self.remove_output(participant),
            AudioInput::ExpectedLoss {
                participant,
                percent,
            } => self.expect_loss(participant, percent),
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
            AudioInput::Mute { participant, muted } => {
                self.with_track(participant, |track, _, _| track.mute(muted));
            }
        }
    }

    /// Makes the 20 ms of sound that begin at `now`.
    pub fn tick(&mut self, now: RoomTime) -> AudioTick<'_> {
        self.play(now);
        let active_speaker = self.speaker.tick(&self.levels);
        self.encode();
        AudioTick {
            packets: &self.packets,
            active_speaker,
            levels: &self.levels,
            missing: &self.missing,
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

    /// Encodes the mix for every output, less the listener's own contribution.
    fn encode(&mut self) {
        let mut packets = self.packets.iter_mut();
        for participant in &mut self.participants {
            let Some(output) = &mut participant.output else {
                continue;
            };
            let Some(packet) = packets.next() else { break };
            let own = participant.track.as_ref().map(Track::contribution);
            if output.encode(&self.mix, own, &mut packet.payload).is_err() {
                participant.counters.encoder_failures += 1;
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

    fn add_output(&mut self, id: ParticipantId, encoder: Box<dyn AudioEncoder>) {
        let Some(at) = self.find_or_add(id) else {
            return;
        };
        self.participants[at].output = Some(Output::new(encoder, &self.config));
        if let Err(at) = self.find_packet(id) {
            let payload = Vec::with_capacity(USUAL_PAYLOAD_BYTES);
            self.packets.insert(
                at,
                OutgoingAudio {
                    participant: id,
                    payload,
                },
            );
        }
    }

    fn remove_output(&mut self, id: ParticipantId) {
        match (self.find(id), self.find_packet(id)) {
            (Ok(at), Ok(packet)) => {
                self.participants[at].output = None;
                self.packets.remove(packet);
                self.remove_if_idle(at);
            }
            _ => self.ignored += 1,
        }
    }

    fn expect_loss(&mut self, id: ParticipantId, percent: u8) {
        let participant = self.find(id).map(|at| &mut self.participants[at]);
        match participant {
            Ok(Participant {
                output: Some(output),
                counters,
                ..
            }) => {
                if output.expect_loss(percent).is_err() {
                    counters.encoder_failures += 1;
                }
            }
            _ => self.ignored += 1,
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
        self.participants
            .binary_search_by_key(&id, |participant| participant.id)
    }

    fn find_packet(&self, id: ParticipantId) -> Result<usize, usize> {
        self.packets
            .binary_search_by_key(&id, |packet| packet.participant)
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
        if participant.track.is_none() && participant.output.is_none() {
            self.participants.remove(at);
        }
    }
}

/// One participant: what it sends, what it hears, and what became of it.
#[derive(Debug)]
struct Participant {
    id: ParticipantId,
    track: Option<Track>,
    output: Option<Output>,
    counters: AudioCounters,
}

impl Participant {
    fn new(id: ParticipantId) -> Self {
        Self {
            id,
            track: None,
            output: None,
            counters: AudioCounters::default(),
        }
    }
}
