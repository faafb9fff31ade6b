//! A receiver behind a thin link, in virtual time: what the ladder chooses, the encoder makes and the
//! pacer lets go, over a path that loses some of it, with the estimate that comes of that.
//!
//! The encoder is a model: frames of a third more or less than their share, and every five seconds
//! another speaker, whose first pictures weigh as much as they did with libvpx at these rates.
//! `make bench-thin` prints what the tests measure.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "simulated rates and sizes are small and positive"
)]

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use codecs::rtp::vp8::PictureNumber;
use codecs::video::{PictureSize, VIDEO_CLOCK_HZ};
use link::{Bandwidth, Link, LinkConfig, Loss, Random};
use mixer::RoomTime;
use mixer::audio::{AudioRung, PacketTime};
use mixer::ladder::overhead::audio_wire_kbps;
use mixer::ladder::{Downlink, Ladder, Pace, Receiver, RungRate, VideoChoice};
use rtc::rtp::Packet;
use rtc::rtp::header::Header;

use super::estimate::{Estimator, Fate, Numbered, PacketReport, Probe};
use super::history::{Answer, SentHistory};
use super::pacer::{Marker, Pacer};
use crate::link::{VIDEO_OUT_FRAMES, VideoOut};
use crate::rtc::uplink::Missing;

/// One way.
const DELAY: Duration = Duration::from_millis(40);
const QUEUE_MS: u64 = 300;
const LOSS: f64 = 0.02;

/// Headers down to IP, and the transport-wide number.
const HEADERS: usize = 60;

const SPEAKER_LASTS: u64 = 5_000;

/// What the first frames of another speaker weigh, in shares of a frame; then they are usual.
const CUT: [f64; 8] = [1.9, 2.6, 0.5, 0.6, 0.6, 0.7, 0.8, 0.8];

/// The encoder waits while so many frames do.
const BEHIND: usize = 2;

const ALLOCATE_EVERY: u64 = 100;
const FEEDBACK_EVERY: u64 = 100;

/// Judged from here on.
const SETTLED: u64 = 10_000;
const UNTIL: u64 = 70_000;

#[derive(Clone, Copy, Debug)]
enum Kind {
    Audio,
    Video(u16),
    Resend(u16),
}

#[derive(Clone, Copy, Debug)]
struct Parcel {
    number: u64,
    kind: Kind,
    sent: Duration,
}

/// What the receiver says.
#[derive(Clone, Debug)]
enum Word {
    Feedback(Vec<(u64, Option<Duration>)>),
    Nack(u16),
}

/// What it was like.
#[derive(Debug, Default)]
struct Outcome {
    /// Milliseconds on each rung, by name.
    rungs: BTreeMap<String, u64>,
    changes: u32,
    waits: Vec<u128>,
    bits: usize,
}

impl Outcome {
    /// How much of the time it was on a rung, in percent.
    fn share(&self, rung: &str) -> u64 {
        100 * self.rungs.get(rung).copied().unwrap_or_default() / (UNTIL - SETTLED)
    }

    /// How long packets were under way beyond the path's own delay, themselves included: the
    /// percentile, in ms.
    fn wait(&self, percent: usize) -> u128 {
        let place = self.waits.len() * percent / 100;
        self.waits[place.min(self.waits.len() - 1)]
    }

    fn used(&self, kbps: u64) -> usize {
        let lasted = usize::try_from(UNTIL - SETTLED).unwrap();
        100 * self.bits / lasted / usize::try_from(kbps).unwrap()
    }
}

struct Call {
    start: Instant,
    random: Random,
    there: Link<Parcel>,
    back: Link<Word>,
    ladder: Ladder,
    receiver: Receiver,
    estimator: Estimator,
    heard: bool,
    pacer: Pacer,
    waiting: VecDeque<VideoOut>,
    history: SentHistory,
    missing: Missing,
    next_number: u64,
    next_seq: u16,
    sent: BTreeMap<u64, (Duration, usize)>,
    arrived: BTreeMap<u64, Duration>,
    next_to_report: u64,
    audio: AudioRung,
    rung: Option<(usize, RungRate)>,
    next_frame: u64,
    next_audio: u64,
    frames_of_speaker: usize,
    speaker: u64,
    probe: Option<(Probe, Duration, u64)>,
    /// Whether there is something to fill probes with.
    can_pad: bool,
    outcome: Outcome,
}

impl Call {
    fn new(bits_per_second: u64, seed: u64) -> Self {
        let loss = Loss::Random { share: LOSS };
        let queue_bytes = usize::try_from(bits_per_second * QUEUE_MS / 8_000).unwrap();
        let there = LinkConfig {
            loss,
            delay: DELAY,
            bandwidth: Some(Bandwidth {
                bits_per_second,
                queue_bytes,
            }),
            ..LinkConfig::default()
        };
        let back = LinkConfig {
            loss,
            delay: DELAY,
            ..LinkConfig::default()
        };
        Self {
            start: Instant::now(),
            random: Random::new(seed),
            there: Link::new(there, seed + 1),
            back: Link::new(back, seed + 2),
            ladder: Ladder::usual(PictureSize::new(1280, 720).unwrap(), 30, 1_500).unwrap(),
            receiver: Receiver::new(32),
            estimator: Estimator::default(),
            heard: false,
            pacer: Pacer::default(),
            waiting: VecDeque::new(),
            history: SentHistory::default(),
            missing: Missing::default(),
            next_number: 0,
            next_seq: 0,
            sent: BTreeMap::new(),
            arrived: BTreeMap::new(),
            next_to_report: 0,
            audio: AudioRung::new(20, PacketTime::Ms60).unwrap(),
            rung: None,
            next_frame: 0,
            next_audio: 0,
            frames_of_speaker: CUT.len(),
            speaker: 0,
            probe: None,
            can_pad: true,
            outcome: Outcome::default(),
        }
    }

    fn run(mut self) -> Outcome {
        for ms in 0..UNTIL {
            let now = Duration::from_millis(ms);
            self.hear(now);
            if ms.is_multiple_of(ALLOCATE_EVERY) {
                self.allocate(ms);
            }
            if ms >= self.next_audio {
                let packet_ms = self.audio.packet_time().ms();
                self.next_audio = ms + u64::from(packet_ms);
                let bytes = usize::try_from(self.audio.bitrate_kbps() * packet_ms / 8).unwrap();
                self.send(now, bytes + HEADERS, Kind::Audio);
            }
            if ms >= self.next_frame {
                self.make_frame(ms);
            }
            self.send_video(now);
            self.pad(now);
            self.receive(now, ms);
            if ms >= SETTLED {
                let rung = self.rung.as_ref();
                let name = rung.map_or("paused", |(index, _)| &self.ladder.rungs()[*index].name);
                *self.outcome.rungs.entry(name.to_owned()).or_default() += 1;
            }
        }
        self.outcome.waits.sort_unstable();
        self.outcome
    }

    fn bps(&self) -> Option<u64> {
        self.heard
            .then(|| self.estimator.estimate().bits_per_second)
    }

    fn room_bps(&self) -> Option<u64> {
        let audio = u64::from(audio_wire_kbps(self.audio)) * 1_000;
        self.bps().map(|bps| bps.saturating_sub(audio))
    }

    fn allocate(&mut self, ms: u64) {
        let bps = self.bps();
        let now = RoomTime::from_ms(ms);
        let downlink = Downlink {
            bps,
            loss_percent: 2,
        };
        let allocation = self.receiver.tick(now, &self.ladder, downlink);
        self.audio = allocation.audio;
        let useful = u64::from(self.receiver.useful_kbps(&self.ladder)) * 1_000;
        let next = allocation.next_kbps.map(|kbps| u64::from(kbps) * 1_000);
        self.estimator.set_useful(useful, next);
        self.history.set_capacity(bps);
        let before = self.rung.as_ref().map(|(index, _)| *index);
        match allocation.video {
            VideoChoice::Paused => self.rung = None,
            VideoChoice::Rung { index, kbps } => match &mut self.rung {
                Some((current, rate)) if *current == index => {
                    rate.follow(now, std::iter::once(kbps));
                }
                _ => {
                    self.rung = Some((index, RungRate::new(kbps)));
                    (self.next_frame, self.frames_of_speaker) = (ms, 0);
                }
            },
        }
        if ms >= SETTLED {
            let after = self.rung.as_ref().map(|(index, _)| *index);
            self.outcome.changes += u32::from(before != after);
        }
    }

    fn make_frame(&mut self, ms: u64) {
        let Some((index, rate)) = &self.rung else {
            return;
        };
        let spec = &self.ladder.rungs()[*index];
        let (Pace::Moving {
            frame_interval: ticks,
        }
        | Pace::Stills { interval: ticks }) = spec.pace;
        let interval = u64::from(ticks) * 1_000 / u64::from(VIDEO_CLOCK_HZ);
        self.next_frame = ms + interval;
        if ms / SPEAKER_LASTS != self.speaker {
            (self.speaker, self.frames_of_speaker) = (ms / SPEAKER_LASTS, 0);
        }
        let still = matches!(spec.pace, Pace::Stills { .. });
        if self.waiting.len() >= BEHIND {
            return;
        }
        let cut = CUT.get(self.frames_of_speaker).copied().filter(|_| !still);
        let mean = f64::from(rate.kbps()) * 125.0 * interval as f64 / 1_000.0;
        let bytes = mean * (0.7 + 0.6 * self.random.unit()) * cut.unwrap_or(1.0);
        let key = still || self.frames_of_speaker == 0;
        self.frames_of_speaker += 1;
        let pieces = (bytes as usize).div_ceil(spec.payload_bytes).max(1);
        // The first byte tells a keyframe here; there is no descriptor.
        let piece = vec![u8::from(!key); (bytes as usize / pieces).max(1)];
        let payloads: Arc<[Bytes]> = vec![Bytes::from(piece); pieces].into();
        if self.waiting.len() == VIDEO_OUT_FRAMES {
            self.waiting.pop_front();
        }
        self.waiting.push_back(VideoOut {
            timestamp: u32::try_from(ms * 90).unwrap(),
            payloads,
            number: PictureNumber::default(),
        });
    }

    fn send_video(&mut self, now: Duration) {
        self.pacer.follow(self.room_bps());
        loop {
            while let Some(paced) = self.pacer.take(self.start + now) {
                let seq = self.next_seq;
                self.next_seq = seq.wrapping_add(1);
                let header = Header {
                    sequence_number: seq,
                    marker: paced.marker == Marker::Last,
                    ..Header::default()
                };
                if paced.payload.first() == Some(&0) {
                    self.history.keyframe_begins(seq);
                }
                let bytes = paced.payload.len() + HEADERS;
                let packet = Packet {
                    header,
                    payload: paced.payload,
                };
                self.history.sent(&packet, self.start + now);
                self.send(now, bytes, Kind::Video(seq));
            }
            if !self.pacer.is_idle() {
                return;
            }
            let Some(frame) = self.waiting.pop_front() else {
                return;
            };
            let (waiting, bps) = (self.waiting.len(), self.room_bps());
            self.pacer.begin(frame, waiting, bps, self.start + now);
        }
    }

    fn pad(&mut self, now: Duration) {
        if self.probe.is_none()
            && let Some(probe) = self.estimator.probe(now)
        {
            self.probe = Some((probe, now, 0));
        }
        let Some((probe, began, sent)) = self.probe else {
            return;
        };
        let due = (now - began).as_millis() as u64 * probe.bits_per_second / 8_000;
        let mut sent = sent;
        while self.can_pad && sent < probe.bytes && sent < due {
            let Some(packet) = self.history.pad(due - sent + 1_200, self.start + now) else {
                break;
            };
            let bytes = packet.payload.len() + HEADERS;
            sent += bytes as u64;
            self.send(now, bytes, Kind::Resend(packet.header.sequence_number));
        }
        let over = sent >= probe.bytes || now > began + Duration::from_millis(300);
        self.probe = (!over).then_some((probe, began, sent));
    }

    fn send(&mut self, now: Duration, bytes: usize, kind: Kind) {
        if let (Some((_, _, sent)), Kind::Audio | Kind::Video(_)) = (&mut self.probe, kind) {
            *sent += bytes as u64;
        }
        let number = self.next_number;
        self.next_number += 1;
        self.sent.insert(number, (now, bytes));
        self.estimator.sent(now, bytes, Numbered::Yes);
        self.there.send(
            now,
            bytes,
            Parcel {
                number,
                kind,
                sent: now,
            },
        );
    }

    fn receive(&mut self, now: Duration, ms: u64) {
        let came: Vec<_> = self
            .there
            .deliver(now)
            .map(|it| (it.at, it.packet))
            .collect();
        for (at, Parcel { number, kind, sent }) in came {
            self.arrived.insert(number, at);
            match kind {
                Kind::Audio => {}
                Kind::Video(seq) => self.missing.arrived(seq, self.start + at),
                Kind::Resend(seq) => self.missing.resent(seq),
            }
            if ms >= SETTLED {
                self.outcome
                    .waits
                    .push((at - sent).saturating_sub(DELAY).as_millis());
                let bytes = self.sent.get(&number).map_or(0, |(_, bytes)| *bytes);
                self.outcome.bits += 8 * bytes;
            }
        }
        let round_trip = Some(2 * DELAY);
        for seq in self.missing.requests(round_trip, self.start + now) {
            self.back.send(now, 20, Word::Nack(seq));
        }
        if ms.is_multiple_of(FEEDBACK_EVERY)
            && let Some((&last, _)) = self.arrived.last_key_value()
        {
            let numbers = self.next_to_report..=last;
            let reports = numbers
                .map(|it| (it, self.arrived.get(&it).copied()))
                .collect();
            self.next_to_report = last + 1;
            self.arrived.clear();
            self.back.send(now, 60, Word::Feedback(reports));
        }
    }

    fn hear(&mut self, now: Duration) {
        let heard: Vec<Word> = self.back.deliver(now).map(|it| it.packet).collect();
        for word in heard {
            match word {
                Word::Nack(seq) => {
                    let round_trip = Some(2 * DELAY);
                    let asked = self.history.ask(seq, round_trip, self.start + now);
                    if let Answer::Resend(packet) = asked {
                        let bytes = packet.payload.len() + HEADERS + 2;
                        self.send(now, bytes, Kind::Resend(seq));
                    }
                }
                Word::Feedback(reports) => {
                    let unheard = self.sent.split_off(&reports[0].0);
                    let unheard = std::mem::replace(&mut self.sent, unheard);
                    let unheard = unheard.into_values().map(|sent| (sent, Fate::Unheard));
                    let heard = reports.into_iter().filter_map(|(number, arrival)| {
                        let fate = arrival.map_or(Fate::Lost, Fate::Arrived);
                        Some((self.sent.remove(&number)?, fate))
                    });
                    let reports: Vec<PacketReport> = unheard
                        .chain(heard)
                        .map(|((departure, bytes), fate)| PacketReport {
                            departure,
                            fate,
                            bytes,
                        })
                        .collect();
                    self.estimator.feedback(now, &reports);
                    self.heard = true;
                }
            }
        }
        self.estimator.poll(now);
    }
}

#[test]
fn what_is_promised_on_a_thin_link_comes_and_the_queue_stays_short() {
    for (kbps, rung, promised_share, promised_wait) in [
        (64, "stills", 90, 240),
        (100, "speaker", 90, 160),
        (200, "low", 90, 100),
        (400, "medium", 90, 100),
    ] {
        for seed in 0..6 {
            let outcome = Call::new(kbps * 1_000, 10 * seed).run();

            let [middle, most, longest] = [50, 95, 100].map(|percent| outcome.wait(percent));
            println!(
                "{kbps:4} kb/s: {:3} % of the time {rung}, waits {middle:3} {most:3} {longest:3} ms \
                 (p50 p95 max), {} % used, {} changes",
                outcome.share(rung),
                outcome.used(kbps),
                outcome.changes,
            );
            assert!(
                outcome.share(rung) >= promised_share,
                "{kbps} kb/s, {seed}: {:?}",
                outcome.rungs
            );
            assert!(most < promised_wait, "{kbps} kb/s, {seed}: {most} ms");
        }
    }
}

#[test]
fn without_padding_the_rung_that_fits_is_found_and_the_next_one_tried_now_and_then() {
    for (kbps, rung, least_share, longest_wait) in [
        (200, "low", 80, 150),
        (400, "medium", 80, 150),
        (600, "medium", 80, 150),
        (1_200, "top", 80, 150),
    ] {
        for seed in 0..3 {
            let mut call = Call::new(kbps * 1_000, 10 * seed);
            call.can_pad = false;

            let outcome = call.run();

            println!(
                "{kbps:4} kb/s without padding: {:3} % of the time {rung}, waits {:3} {:3} ms \
                 (p95 max), {} changes",
                outcome.share(rung),
                outcome.wait(95),
                outcome.wait(100),
                outcome.changes,
            );
            assert!(
                outcome.share(rung) >= least_share,
                "{kbps} kb/s, {seed}: {:?}",
                outcome.rungs
            );
            assert!(outcome.wait(95) < longest_wait, "{kbps} kb/s, {seed}");
        }
    }
}
