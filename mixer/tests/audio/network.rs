//! One talker behind a simulated path, heard by the room: a harness that measures.
//!
//! The talker sends synthetic speech in packets of 20 ms through a [`Link`]; the codec copies
//! samples. The decoder tells when each packet is decoded for the mix, and of every packet that it
//! stands for the one before when asked for its copy, as senders with in-band FEC do. Packets that
//! the mixer asks for again come again a round trip later, through the same losses.

use std::f64::consts::TAU;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use bytes::Bytes;
use codecs::audio::{AudioCodecError, AudioDecoder, Channels};
use codecs::rtp::{RtpTimestamp, SeqNo};
use link::{Link, LinkConfig, Random};
use mixer::audio::{AudioConfig, AudioCounters, AudioInput, AudioMixer, AudioPacket};
use mixer::{ParticipantId, RoomTime};

use crate::room::{PcmEncoder, TICK, rung};

const TALKER: ParticipantId = ParticipantId(1);
const LISTENER: ParticipantId = ParticipantId(2);

/// How a talker sends.
#[derive(Clone, Debug)]
pub(crate) struct Talker {
    pub(crate) link: LinkConfig,
    pub(crate) seed: u64,
    /// How long it talks.
    pub(crate) seconds: u64,
    /// When its first packet sets out, after a tick.
    pub(crate) phase: Duration,
    /// How fast its clock runs, in millionths off ours.
    pub(crate) drift_ppm: i64,
    /// Samples per packet.
    pub(crate) packet_samples: usize,
    /// Whether packets carry a copy of the one before.
    pub(crate) copies: bool,
    /// Told to the mixer, and taken by packets that are asked for.
    pub(crate) round_trip: Option<Duration>,
    /// Told to the mixer.
    pub(crate) least_delay: Duration,
    /// When it says nothing and sends nothing, in ms.
    pub(crate) pause_ms: std::ops::Range<u64>,
}

impl Talker {
    /// Talks for a minute.
    pub(crate) fn through(link: LinkConfig) -> Self {
        Self {
            link,
            seed: 1,
            seconds: 60,
            phase: Duration::from_millis(7),
            drift_ppm: 0,
            packet_samples: TICK,
            copies: false,
            round_trip: None,
            least_delay: Duration::ZERO,
            pause_ms: 0..0,
        }
    }
}

/// What a listener got.
#[derive(Debug)]
pub(crate) struct Heard {
    pub(crate) counters: AudioCounters,
    /// From the arrival of each packet to the tick that first needed it, with the time of its
    /// arrival: in the order of playing, in ms.
    pub(crate) waits_ms: Vec<(u64, f64)>,
    /// From the sending of each packet to the tick that first needed it, likewise.
    pub(crate) latencies_ms: Vec<(u64, f64)>,
    /// The delay that the mixer reports, at each tick.
    pub(crate) delays_ms: Vec<Option<u64>>,
    /// What the listener hears.
    pub(crate) pcm: Vec<i16>,
    /// Packets asked for.
    pub(crate) asked: u64,
    /// The largest number of times that one packet was asked for.
    pub(crate) asked_most: u32,
}

impl Heard {
    /// The share of what was played that was synthesized.
    pub(crate) fn concealed(&self) -> f64 {
        self.counters.concealed as f64 / self.pcm.len() as f64
    }

    pub(crate) fn longest_wait_ms(&self) -> f64 {
        self.waits_ms.iter().map(|wait| wait.1).fold(0.0, f64::max)
    }

    /// The latency in ms that 95 of 100 packets keep, of those arriving from `from_ms` on.
    pub(crate) fn p95_ms(&self, from_ms: u64) -> f64 {
        let mut latencies: Vec<f64> = self
            .latencies_ms
            .iter()
            .filter(|(at, _)| *at >= from_ms)
            .map(|(_, ms)| *ms)
            .collect();
        latencies.sort_by(f64::total_cmp);
        latencies[latencies.len() * 95 / 100]
    }

    /// The largest step from one sample to the next.
    pub(crate) fn steepest(&self) -> i32 {
        self.pcm
            .windows(2)
            .map(|pair| (i32::from(pair[1]) - i32::from(pair[0])).abs())
            .max()
            .unwrap_or(0)
    }
}

/// Lets `talker` talk to a listener; `samples` gives each packet's samples by its number.
pub(crate) fn listen(talker: &Talker, mut samples: impl FnMut(usize) -> Vec<i16>) -> Heard {
    let log = Log::default();
    let mut mixer = AudioMixer::new(AudioConfig::default(), Box::new(PcmEncoder));
    mixer.handle(AudioInput::AddTrack {
        participant: TALKER,
        decoder: Box::new(LoggingDecoder {
            log: log.clone(),
            copies: talker.copies,
        }),
    });
    mixer.handle(AudioInput::AddOutput {
        participant: LISTENER,
        rung: rung(),
    });
    mixer.handle(AudioInput::LeastDelay {
        participant: TALKER,
        delay: talker.least_delay,
    });
    if let Some(rtt) = talker.round_trip {
        mixer.handle(AudioInput::RoundTrip {
            participant: TALKER,
            rtt,
        });
    }

    let mut link = Link::new(talker.link.clone(), talker.seed);
    let mut sent: Vec<(Duration, Bytes)> = Vec::new();
    let mut arrived: Vec<Option<Duration>> = Vec::new();
    let mut resent: Vec<(Duration, usize)> = Vec::new();
    let mut asked_times: Vec<u32> = Vec::new();
    let mut heard = Heard {
        counters: AudioCounters::default(),
        waits_ms: Vec::new(),
        latencies_ms: Vec::new(),
        delays_ms: Vec::new(),
        pcm: Vec::new(),
        asked: 0,
        asked_most: 0,
    };
    // Beside the link: how an answer fares.
    let mut answers = Random::new(talker.seed ^ 0xa5);
    let mut number = 0;

    for tick in 0..talker.seconds * 50 {
        let now = Duration::from_millis(tick * 20);
        loop {
            let due = talker.phase + sending_time(number * talker.packet_samples, talker.drift_ppm);
            if due > now {
                break;
            }
            let payload = encode(number, &samples(number));
            let pausing = talker.pause_ms.contains(&(due.as_millis() as u64));
            if !pausing {
                link.send(due, payload.len(), sent.len());
            }
            sent.push((due, payload));
            arrived.push(None);
            asked_times.push(0);
            number += 1;
        }
        let mut arrivals: Vec<(Duration, usize)> = link
            .deliver(now)
            .map(|arrival| (arrival.at, arrival.packet))
            .collect();
        arrivals.extend(resent.extract_if(.., |(at, _)| *at <= now));
        arrivals.sort();
        for (at, packet) in arrivals {
            arrived[packet].get_or_insert(at);
            mixer.handle(AudioInput::Packet {
                participant: TALKER,
                packet: AudioPacket {
                    seq: SeqNo((60_000 + skipping(packet, talker)) as u16),
                    timestamp: RtpTimestamp(
                        (u64::from(u32::MAX) - 500_000 + (packet * talker.packet_samples) as u64)
                            as u32,
                    ),
                    arrival: RoomTime::new(at),
                    payload: sent[packet].1.clone(),
                },
            });
        }

        let output = mixer.tick(RoomTime::new(now));

        heard.pcm.extend(
            output
                .packets()
                .next()
                .expect("has a listener")
                .payload
                .chunks_exact(2)
                .map(|pair| i16::from_le_bytes([pair[0], pair[1]])),
        );
        for &(participant, seq) in output.missing {
            assert_eq!(participant, TALKER);
            heard.asked += 1;
            // The one of that number that was sent last.
            let packet = (0..sent.len())
                .rev()
                .find(|&packet| (60_000 + skipping(packet, talker)) as u16 == seq.0)
                .expect("only what was sent is asked for");
            asked_times[packet] += 1;
            if !answers.chance(talker.link.loss.long_run()) {
                resent.push((now + talker.round_trip.unwrap_or_default(), packet));
            }
        }
        for packet in log.take() {
            let at = arrived[packet].expect("what plays has arrived");
            let ms = |since: Duration| (now.saturating_sub(since)).as_secs_f64() * 1_000.0;
            let at_ms = at.as_millis() as u64;
            heard.waits_ms.push((at_ms, ms(at)));
            heard
                .latencies_ms
                .push((at_ms, ms(sent[packet].0 + talker.link.delay)));
        }
        heard.delays_ms.push(
            mixer
                .playout_delay(TALKER)
                .and_then(|delay| delay.current)
                .map(|delay| delay.as_millis() as u64),
        );
    }
    heard.counters = mixer.counters(TALKER).expect("is in the room");
    heard.asked_most = asked_times.into_iter().max().unwrap_or(0);
    heard
}

/// The sequence number of a packet: those not sent in the pause have none.
fn skipping(packet: usize, talker: &Talker) -> usize {
    let number_at = |ms: u64| {
        let since = Duration::from_millis(ms).saturating_sub(talker.phase);
        let samples = since.as_micros() as usize * 48 / 1_000;
        samples.div_ceil(talker.packet_samples)
    };
    let pause = number_at(talker.pause_ms.start)..number_at(talker.pause_ms.end);
    if packet >= pause.end {
        packet - pause.len()
    } else {
        packet
    }
}

/// When a sample leaves a talker whose clock is off.
fn sending_time(samples: usize, drift_ppm: i64) -> Duration {
    let nanos = samples as i128 * 1_000_000_000 / 48_000;
    let nanos = nanos * 1_000_000 / (1_000_000 + i128::from(drift_ppm));
    Duration::from_nanos(u64::try_from(nanos).expect("time runs forwards"))
}

/// A packet's number and its samples.
fn encode(number: usize, samples: &[i16]) -> Bytes {
    (number as u32)
        .to_le_bytes()
        .into_iter()
        .chain(samples.iter().flat_map(|sample| sample.to_le_bytes()))
        .collect()
}

/// Packets decoded since it was last asked.
#[derive(Clone, Debug, Default)]
struct Log(Arc<Mutex<Vec<usize>>>);

impl Log {
    fn take(&self) -> Vec<usize> {
        std::mem::take(&mut self.0.lock().expect("nobody panics with it"))
    }
}

/// Copies samples; what it makes up is silence.
#[derive(Debug)]
struct LoggingDecoder {
    log: Log,
    copies: bool,
}

impl AudioDecoder for LoggingDecoder {
    fn decode(&mut self, packet: &[u8], pcm: &mut Vec<i16>) -> Result<usize, AudioCodecError> {
        let number = u32::from_le_bytes([packet[0], packet[1], packet[2], packet[3]]);
        let mut log = self.log.0.lock().expect("nobody panics with it");
        log.push(number as usize);
        let before = pcm.len();
        pcm.extend(
            packet[4..]
                .chunks_exact(2)
                .map(|pair| i16::from_le_bytes([pair[0], pair[1]])),
        );
        Ok(pcm.len() - before)
    }

    fn carries_copy(&self, _: &[u8]) -> bool {
        self.copies
    }

    fn recover(
        &mut self,
        _: &[u8],
        samples: usize,
        pcm: &mut Vec<i16>,
    ) -> Result<usize, AudioCodecError> {
        pcm.resize(pcm.len() + samples * Channels::Mono.count(), 0);
        Ok(samples)
    }

    fn conceal(&mut self, samples: usize, pcm: &mut Vec<i16>) -> Result<usize, AudioCodecError> {
        pcm.resize(pcm.len() + samples, 0);
        Ok(samples)
    }
}

/// Samples of [`speech`], which then begins again: ten seconds.
const SPEECH_SAMPLES: usize = 480_000;

/// The samples of packet `number` of something like speech: a voice whose pitch wanders from 90 to
/// 230 Hz, in four syllables a second, each with a hissing end. It never falls silent for long.
pub(crate) fn speech(number: usize, samples: usize) -> Vec<i16> {
    static SPEECH: LazyLock<Vec<i16>> = LazyLock::new(synthesize);
    (number * samples..(number + 1) * samples)
        .map(|at| SPEECH[at % SPEECH_SAMPLES])
        .collect()
}

fn synthesize() -> Vec<i16> {
    let mut random = Random::new(1);
    // Of the pitch, in turns.
    let mut phase = 0.0f64;
    (0..SPEECH_SAMPLES)
        .map(|at| {
            let seconds = at as f64 / 48_000.0;
            let pitch_hz = 160.0 + 70.0 * (TAU * 0.7 * seconds).sin();
            phase = (phase + pitch_hz / 48_000.0).fract();
            let voiced: f64 = [1.0, 0.6, 0.45, 0.2, 0.15]
                .iter()
                .zip(1..)
                .map(|(amplitude, harmonic)| amplitude * (TAU * phase * f64::from(harmonic)).sin())
                .sum();
            let syllable = (seconds * 4.0).fract();
            let envelope = (std::f64::consts::PI * syllable).sin().powi(2);
            let hiss = if syllable > 0.8 { 0.1 } else { 0.01 };
            let noise = 2.0 * random.unit() - 1.0;
            ((voiced * envelope * 0.25 + noise * hiss) * 16_000.0) as i16
        })
        .collect()
}
