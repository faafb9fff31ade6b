//! The call: the ladder's choice ten times a second, audio and frames at their times.

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

use super::super::estimate::{Estimator, Probe};
use super::super::history::SentHistory;
use super::super::pacer::Pacer;
use super::outcome::Outcome;
use super::wire::{Kind, Parcel, Word};
use super::{
    ALLOCATE_EVERY, BEHIND, CUT, DELAY, HALVED_FOR, HEADERS, LOSS, QUEUE_MS, SETTLED,
    SPEAKER_LASTS, UNTIL,
};
use crate::link::{VIDEO_OUT_FRAMES, VideoOut};
use crate::rtc::uplink::Missing;

pub(super) struct Call {
    pub(super) start: Instant,
    pub(super) random: Random,
    pub(super) there: Link<Parcel>,
    pub(super) back: Link<Word>,
    pub(super) ladder: Ladder,
    pub(super) receiver: Receiver,
    pub(super) estimator: Estimator,
    pub(super) heard: bool,
    pub(super) pacer: Pacer,
    pub(super) waiting: VecDeque<VideoOut>,
    pub(super) history: SentHistory,
    pub(super) missing: Missing,
    pub(super) next_number: u64,
    pub(super) next_seq: u16,
    pub(super) sent: BTreeMap<u64, (Duration, usize)>,
    pub(super) arrived: BTreeMap<u64, Duration>,
    pub(super) next_to_report: u64,
    pub(super) audio: AudioRung,
    pub(super) rung: Option<(usize, RungRate)>,
    pub(super) next_frame: u64,
    pub(super) next_audio: u64,
    pub(super) frames_of_speaker: usize,
    pub(super) speaker: u64,
    pub(super) probe: Option<(Probe, Duration, u64)>,
    /// Whether there is something to fill probes with.
    pub(super) can_pad: bool,
    /// What the link carries half of, every other [`HALVED_FOR`], in bit/s.
    pub(super) halves: Option<u64>,
    /// When it was halved, until that is answered, and the rung then.
    unanswered: Option<(u64, usize)>,
    pub(super) outcome: Outcome,
}

impl Call {
    pub(super) fn new(bits_per_second: u64, seed: u64) -> Self {
        let loss = Loss::Random { share: LOSS };
        let there = LinkConfig {
            loss,
            delay: DELAY,
            bandwidth: Some(bandwidth(bits_per_second)),
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
            halves: None,
            unanswered: None,
            outcome: Outcome::default(),
        }
    }

    pub(super) fn run(mut self) -> Outcome {
        for ms in 0..UNTIL {
            let now = Duration::from_millis(ms);
            self.halve(ms);
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

    /// Halves the link or doubles it, if that is due at `ms`.
    fn halve(&mut self, ms: u64) {
        let Some(wide) = self.halves.filter(|_| ms.is_multiple_of(HALVED_FOR)) else {
            return;
        };
        let narrow = ms / HALVED_FOR % 2 == 1;
        let bits_per_second = if narrow { wide / 2 } else { wide };
        self.there.set_bandwidth(Some(bandwidth(bits_per_second)));
        let rung = self.rung.as_ref().map(|(index, _)| *index);
        self.unanswered = rung.filter(|_| narrow).map(|index| (ms, index));
    }

    fn bps(&self) -> Option<u64> {
        self.heard
            .then(|| self.estimator.estimate().bits_per_second)
    }

    pub(super) fn room_bps(&self) -> Option<u64> {
        let audio = u64::from(audio_wire_kbps(self.audio)) * 1_000;
        self.bps().map(|bps| bps.saturating_sub(audio))
    }

    fn allocate(&mut self, ms: u64) {
        let bps = self.bps();
        let now = RoomTime::from_ms(ms);
        let downlink = Downlink {
            bps,
            lasting_bps: self.heard.then(|| self.estimator.estimate().lasting),
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
        if let Some((at, index)) = self.unanswered
            && self.rung.as_ref().is_none_or(|(now, _)| *now < index)
        {
            self.outcome.falls.push(ms - at);
            self.unanswered = None;
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
}

fn bandwidth(bits_per_second: u64) -> Bandwidth {
    let queue_bytes = usize::try_from(bits_per_second * QUEUE_MS / 8_000).unwrap();
    Bandwidth {
        bits_per_second,
        queue_bytes,
    }
}
