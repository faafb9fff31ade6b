//! What one participant sends: from packets to the tick's contribution.

use std::time::Duration;

use codecs::audio::{AudioDecoder, TICK_SAMPLES};
use codecs::rtp::SeqNo;

use crate::RoomTime;
use crate::audio::gate::Gate;
use crate::audio::playout::Playout;
use crate::audio::recorded::Recorded;
use crate::audio::{
    AudioConfig, AudioCounters, AudioPacket, Level, Muted, PlayoutDelay, RecordedAudio,
};

/// A decoder, the way its packets come, and the samples of the current tick.
#[derive(Debug)]
pub(crate) struct Track {
    decoder: Box<dyn AudioDecoder>,
    feed: Feed,
    muted: Muted,
    /// Whether the tick before was heard: a change of mind ramps over one tick.
    was_muted: Muted,
    round_trip: Option<Duration>,
    least_delay: Duration,
    gate: Gate,
    contribution: Vec<i16>,
}

/// A track is fed live or from a recording; its first packet decides.
#[derive(Debug)]
enum Feed {
    Undecided,
    Live(Box<Playout>),
    Recorded(Box<Recorded>),
}

impl Track {
    pub(crate) fn new(decoder: Box<dyn AudioDecoder>, config: &AudioConfig) -> Self {
        Self {
            decoder,
            feed: Feed::Undecided,
            muted: Muted::No,
            was_muted: Muted::No,
            round_trip: None,
            least_delay: Duration::ZERO,
            gate: Gate::new(config.channels, config.gate_minus_dbov),
            contribution: vec![0; TICK_SAMPLES * config.channels.count()],
        }
    }

    /// Starts over with a new decoder; muted stays muted.
    pub(crate) fn replace(&mut self, decoder: Box<dyn AudioDecoder>) {
        self.decoder = decoder;
        self.feed = Feed::Undecided;
    }

    pub(crate) fn mute(&mut self, muted: Muted) {
        self.muted = muted;
    }

    /// Takes in a live packet.
    pub(crate) fn insert(
        &mut self,
        packet: AudioPacket,
        config: &AudioConfig,
        counters: &mut AudioCounters,
    ) {
        counters.received += 1;
        if packet.payload.is_empty() {
            counters.corrupt += 1;
            return;
        }
        if let Feed::Undecided = self.feed {
            let mut playout = Playout::new(config);
            if let Some(round_trip) = self.round_trip {
                playout.set_round_trip(round_trip);
            }
            playout.set_least_delay(self.least_delay);
            self.feed = Feed::Live(Box::new(playout));
        }
        match &mut self.feed {
            Feed::Live(playout) => playout.insert(packet, counters),
            Feed::Undecided | Feed::Recorded(_) => counters.dropped += 1,
        }
    }

    /// Takes in the next packet of a recording.
    pub(crate) fn push(
        &mut self,
        packet: RecordedAudio,
        config: &AudioConfig,
        counters: &mut AudioCounters,
    ) {
        counters.received += 1;
        if packet.payload.is_empty() {
            counters.corrupt += 1;
            return;
        }
        if let Feed::Undecided = self.feed {
            self.feed = Feed::Recorded(Box::new(Recorded::new(config.channels)));
        }
        match &mut self.feed {
            Feed::Recorded(recorded) => recorded.push(packet, counters),
            Feed::Undecided | Feed::Live(_) => counters.dropped += 1,
        }
    }

    /// Takes note of how long a packet takes to the sender and back.
    pub(crate) fn set_round_trip(&mut self, round_trip: Duration) {
        self.round_trip = Some(round_trip);
        if let Feed::Live(playout) = &mut self.feed {
            playout.set_round_trip(round_trip);
        }
    }

    /// Keeps sound back for at least `delay`.
    pub(crate) fn set_least_delay(&mut self, delay: Duration) {
        self.least_delay = delay;
        if let Feed::Live(playout) = &mut self.feed {
            playout.set_least_delay(delay);
        }
    }

    /// The delay after the last tick; `None` unless fed live.
    pub(crate) fn delay(&self) -> Option<PlayoutDelay> {
        match &self.feed {
            Feed::Live(playout) => Some(playout.delay()),
            Feed::Undecided | Feed::Recorded(_) => None,
        }
    }

    /// Names the packets worth asking for after the last tick.
    pub(crate) fn ask(&mut self, ask: impl FnMut(SeqNo)) {
        if let Feed::Live(playout) = &mut self.feed {
            playout.ask(ask);
        }
    }

    /// Plays one tick; returns how loud it is, before what is nearly silent is made so.
    pub(crate) fn play(&mut self, now: RoomTime, counters: &mut AudioCounters) -> Level {
        let decoder = self.decoder.as_mut();
        match &mut self.feed {
            Feed::Undecided => self.contribution.fill(0),
            Feed::Live(playout) => playout.play(now, decoder, &mut self.contribution, counters),
            Feed::Recorded(recorded) => {
                recorded.play(now, decoder, &mut self.contribution, counters);
            }
        }
        self.apply_mute();
        let level = Level::of(&self.contribution);
        self.gate.pass(level, &mut self.contribution);
        level
    }

    /// The samples of the current tick, interleaved.
    pub(crate) fn contribution(&self) -> &[i16] {
        &self.contribution
    }

    fn apply_mute(&mut self) {
        match (self.was_muted, self.muted) {
            (Muted::No, Muted::No) => {}
            (Muted::Yes, Muted::Yes) => self.contribution.fill(0),
            (Muted::No, Muted::Yes) => self.ramp(|at| TICK_SAMPLES - 1 - at),
            (Muted::Yes, Muted::No) => self.ramp(|at| at),
        }
        self.was_muted = self.muted;
    }

    /// Scales each sample by `gain` of its position, in parts of [`TICK_SAMPLES`].
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a gain below one keeps 16 bits in 16 bits"
    )]
    fn ramp(&mut self, gain: impl Fn(usize) -> usize) {
        let channels = self.contribution.len() / TICK_SAMPLES;
        for (at, frame) in self.contribution.chunks_mut(channels).enumerate() {
            for sample in frame {
                *sample = (i64::from(*sample) * gain(at) as i64 / TICK_SAMPLES as i64) as i16;
            }
        }
    }
}
