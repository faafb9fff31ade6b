//! A sender of ours and its receiver: audio, video at what the estimate leaves for it, padding when
//! a probe is due; feedback over a path that loses some of it.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use link::{Link, LinkConfig, Loss, Random};

use super::super::{Estimator, Numbered, Probe, joined};
use super::listener::{Listener, Word};
use super::path::{DELAY, ms};

/// What of the estimate is left to the padding of headers, resends and chance.
const USED: f64 = 0.97;

/// Stands for no time at all.
const NEVER: Duration = Duration::from_secs(86_400);

/// How the media behaves.
#[derive(Clone, Copy, Debug)]
pub(super) struct Media {
    pub(super) audio_interval: Duration,
    pub(super) audio_bytes: usize,
    /// The lowest and the highest rate of video, bit/s.
    pub(super) video: (f64, f64),
    pub(super) fps: u64,
    pub(super) packet_bytes: usize,
    pub(super) feedback_interval: Duration,
    /// Of the receiver's clock against ours, in parts per million.
    pub(super) drift_ppm: i64,
    /// Whether there is padding to send.
    pub(super) can_pad: bool,
}

impl Default for Media {
    fn default() -> Self {
        Self {
            audio_interval: ms(20),
            audio_bytes: 140,
            video: (0.0, 10e6),
            fps: 30,
            packet_bytes: 1_200,
            feedback_interval: ms(100),
            drift_ppm: 0,
            can_pad: true,
        }
    }
}

impl Media {
    /// As suits a link of so many bit/s.
    pub(super) fn suiting(bits_per_second: u64) -> Self {
        if bits_per_second <= 150_000 {
            Self {
                audio_interval: ms(60),
                audio_bytes: 150,
                fps: 8,
                packet_bytes: 500,
                ..Self::default()
            }
        } else {
            Self::default()
        }
    }
}

/// What comes back.
#[derive(Clone, Debug)]
enum Feedback {
    /// Per packet: its number, and when it came.
    Packets(Vec<(u64, Option<Duration>)>),
    Remb(Word),
}

pub(super) struct Flow {
    pub(super) estimator: Estimator,
    pub(super) media: Media,
    starts: Duration,
    random: Random,
    next_seq: u64,
    sent: BTreeMap<u64, (Duration, usize)>,
    queued: VecDeque<usize>,
    /// When the pacer may send the next packet.
    free_at: Duration,
    next_audio: Duration,
    next_frame: Duration,
    probe: Option<(Probe, Duration, u64)>,
    /// Of the receiver: what arrived since the last feedback.
    arrived: BTreeMap<u64, Duration>,
    next_to_report: u64,
    next_feedback: Duration,
    /// Who judges in place of us, if there is no feedback per packet.
    pub(super) listener: Option<Listener>,
    back: Link<Feedback>,
    pub(super) feedback_cut: bool,
    /// Of the receiver's clock.
    pub(super) clock_offset: Duration,
    pub(super) padding: u64,
    pub(super) rates: Vec<(Duration, u64)>,
}

impl Flow {
    pub(super) fn new(media: Media, starts: Duration, seed: u64) -> Self {
        let back = LinkConfig {
            loss: Loss::Random { share: 0.02 },
            delay: DELAY,
            ..LinkConfig::default()
        };
        Self {
            estimator: Estimator::default(),
            media,
            starts,
            random: Random::new(seed),
            next_seq: 0,
            sent: BTreeMap::new(),
            queued: VecDeque::new(),
            free_at: Duration::ZERO,
            next_audio: starts,
            next_frame: starts,
            probe: None,
            arrived: BTreeMap::new(),
            next_to_report: 0,
            next_feedback: starts,
            listener: None,
            back: Link::new(back, seed + 1),
            feedback_cut: false,
            clock_offset: Duration::from_secs(7_000),
            padding: 0,
            rates: Vec::new(),
        }
    }

    /// What leaves at `now`: number and size.
    pub(super) fn send(&mut self, now: Duration) -> Vec<(u64, usize)> {
        if now < self.starts {
            return Vec::new();
        }
        self.hear(now);
        let mut sizes = Vec::new();
        while now >= self.next_audio {
            self.next_audio += self.media.audio_interval;
            sizes.push(self.media.audio_bytes);
        }
        let target = self.estimator.estimate().bits_per_second as f64;
        if now >= self.next_frame {
            self.next_frame += Duration::from_micros(1_000_000 / self.media.fps);
            self.begin_frame(target);
        }
        while now >= self.free_at
            && let Some(bytes) = self.queued.pop_front()
        {
            sizes.push(bytes);
            let takes = Duration::from_secs_f64(bytes as f64 * 8.0 / (2.0 * target));
            self.free_at = self.free_at.max(now) + takes;
        }
        self.pad(now, &mut sizes);
        sizes
            .into_iter()
            .map(|bytes| {
                let seq = self.next_seq;
                self.next_seq += 1;
                self.sent.insert(seq, (now, bytes));
                let numbered = match self.listener {
                    Some(_) => Numbered::No,
                    None => Numbered::Yes,
                };
                self.estimator.sent(now, bytes, numbered);
                (seq, bytes)
            })
            .collect()
    }

    /// A packet arrives.
    pub(super) fn receive(&mut self, at: Duration, seq: u64) {
        if let Some(listener) = &mut self.listener {
            if let Some((sent, bytes)) = self.sent.remove(&seq) {
                listener.receive(at, seq, sent, bytes);
            }
            return;
        }
        let micros = i64::try_from(at.as_micros()).unwrap();
        let drifted = micros + micros / 1_000 * self.media.drift_ppm / 1_000;
        // Feedback counts in 250 us.
        let drifted = u64::try_from(drifted).unwrap() / 250 * 250;
        let arrival = Duration::from_micros(drifted) + self.clock_offset;
        self.arrived.insert(seq, arrival);
    }

    /// When the estimate first reaches `bits_per_second` after `since`; [`NEVER`] if it does not.
    pub(super) fn reaches(&self, bits_per_second: u64, since: Duration) -> Duration {
        self.first(since, |rate| rate >= bits_per_second)
    }

    /// When it first falls to `bits_per_second` after `since`.
    pub(super) fn falls_to(&self, bits_per_second: u64, since: Duration) -> Duration {
        self.first(since, |rate| rate <= bits_per_second)
    }

    /// The lowest estimate after `since`.
    pub(super) fn lowest(&self, since: Duration) -> u64 {
        let rates = self.rates.iter().filter(|(at, _)| *at > since);
        rates.map(|(_, rate)| *rate).min().unwrap_or_default()
    }

    fn first(&self, since: Duration, is: impl Fn(u64) -> bool) -> Duration {
        let mut rates = self.rates.iter();
        let first = rates.find(|(at, rate)| *at > since && is(*rate));
        first.map_or(NEVER, |(at, _)| *at)
    }

    pub(super) fn target(&self) -> f64 {
        self.estimator.estimate().bits_per_second as f64
    }

    fn begin_frame(&mut self, target: f64) {
        let audio = self.media.audio_bytes as f64 * 8.0 / self.media.audio_interval.as_secs_f64();
        let rate = (target * USED - audio).clamp(self.media.video.0, self.media.video.1);
        // Frames differ in size, and what is late of the last one is made up for.
        let late: usize = self.queued.iter().sum();
        let mean = rate / 8.0 / self.media.fps as f64;
        let bytes = (mean * (0.6 + 0.8 * self.random.unit()) - late as f64 * 0.3).max(0.0);
        let mut left = bytes as usize;
        while left > 60 {
            let packet = (left + 60).min(self.media.packet_bytes);
            self.queued.push_back(packet);
            left = left.saturating_sub(packet - 60);
        }
    }

    fn pad(&mut self, now: Duration, sizes: &mut Vec<usize>) {
        if self.probe.is_none()
            && let Some(probe) = self.estimator.probe(now)
        {
            self.probe = Some((probe, now, 0));
        }
        let Some((probe, began, sent)) = &mut self.probe else {
            return;
        };
        *sent += sizes.iter().map(|bytes| *bytes as u64).sum::<u64>();
        let due = (now - *began).as_secs_f64() * probe.bits_per_second as f64 / 8.0;
        let bytes = self.media.packet_bytes.min(1_200);
        while self.media.can_pad && *sent < probe.bytes && (*sent as f64) < due {
            sizes.push(bytes);
            *sent += bytes as u64;
            self.padding += bytes as u64;
        }
        if *sent >= probe.bytes || now > *began + ms(300) {
            self.probe = None;
        }
    }

    fn hear(&mut self, now: Duration) {
        let said = match &mut self.listener {
            Some(listener) => listener.speak(now).map(Feedback::Remb),
            None => self.reports(now),
        };
        if let Some(said) = said.filter(|_| !self.feedback_cut) {
            self.back.send(now, 60, said);
        }
        let heard: Vec<Feedback> = self
            .back
            .deliver(now)
            .map(|arrived| arrived.packet)
            .collect();
        for feedback in heard {
            match feedback {
                Feedback::Remb(word) => {
                    let Word {
                        bits_per_second,
                        fraction_lost,
                    } = word;
                    self.estimator.remb(now, bits_per_second, fraction_lost);
                }
                Feedback::Packets(packets) => self.hear_packets(now, packets),
            }
            self.note_rate(now);
        }
        if self.estimator.next_poll().is_some_and(|at| at <= now) {
            self.estimator.poll(now);
            self.note_rate(now);
        }
    }

    fn note_rate(&mut self, now: Duration) {
        let rate = self.estimator.estimate().bits_per_second;
        self.rates.push((now, rate));
    }

    /// What the receiver reports, if it is time to.
    fn reports(&mut self, now: Duration) -> Option<Feedback> {
        if now < self.next_feedback {
            return None;
        }
        self.next_feedback = now + self.media.feedback_interval;
        let (&last, _) = self.arrived.last_key_value()?;
        let reports = (self.next_to_report..=last)
            .map(|seq| (seq, self.arrived.get(&seq).copied()))
            .collect();
        self.next_to_report = last + 1;
        self.arrived.clear();
        Some(Feedback::Packets(reports))
    }

    fn hear_packets(&mut self, now: Duration, packets: Vec<(u64, Option<Duration>)>) {
        let reports = joined(&mut self.sent, packets);
        self.estimator.feedback(now, &reports);
    }
}
