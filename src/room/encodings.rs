//! The rungs that are being encoded: begun for their first viewer, ended after their last.
//!
//! A rung of the ladder may be encoded in several views: arranged as somebody asked, once more for
//! the one shown large, who is shown another, and once more for each whom people have pinned for
//! themselves. At most [`MAX_RUNGS`] rungs in 11 views, a grid and two arrangements of two focuses and
//! three pins: 88 encoders, if viewers' links and wishes are all different.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use codecs::rtp::vp8::{Packetizer, PacketizerConfig};
use codecs::video::VIDEO_CLOCK_HZ;
use codecs::vp8::{KeyframePolicy, Vp8Encoder, Vp8EncoderConfig};
use mixer::RoomTime;
use mixer::ladder::{Ladder, MAX_RUNGS, Pace, RungRate, RungSpec};
use mixer::video::{
    Arrangement, Focus, Keyframes, RungConfig, RungFrame, RungId, VideoInput, VideoMixer,
};
use tracing::{debug, error};

/// How long a rung without viewers goes on: who wavers between two needs no new encoder.
const GRACE: Duration = Duration::from_secs(2);

/// If more than so many are running, those without viewers end at once: whoever keeps asking for
/// something else must not keep everything running.
const MANY: usize = 6;

/// How many there are.
const ARRANGEMENTS: u64 = 3;

/// The mixer ticks at the pace of the fastest rung.
const EVERY_TICK: u32 = 0;

/// A rung as somebody sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct View {
    /// Its place in the ladder.
    index: usize,
    arrangement: Arrangement,
    focus: Focus,
}

impl View {
    /// A grid is the same for everybody, whatever the focus.
    pub(super) fn new(index: usize, arrangement: Arrangement, focus: Focus) -> Self {
        let focus = match arrangement {
            Arrangement::Grid => Focus::Speaker,
            Arrangement::SpeakerLarge | Arrangement::SpeakerAlone => focus,
        };
        Self {
            index,
            arrangement,
            focus,
        }
    }

    /// What the mixer calls it.
    pub(super) fn id(self) -> RungId {
        let arrangement = match self.arrangement {
            Arrangement::Grid => 0,
            Arrangement::SpeakerLarge => 1,
            Arrangement::SpeakerAlone => ARRANGEMENTS - 1,
        };
        let focus = match self.focus {
            Focus::Speaker => 0,
            Focus::SpeakerBefore => 1,
            Focus::On(participant) => 2 + u64::from(participant.0),
        };
        let index = self.index as u64;
        RungId((focus * MAX_RUNGS as u64 + index) * ARRANGEMENTS + arrangement)
    }
}

/// All encodings of a room.
#[derive(Debug)]
pub(super) struct Encodings {
    ladder: Arc<Ladder>,
    running: BTreeMap<RungId, Encoding>,
    payloads: Vec<Bytes>,
}

#[derive(Debug)]
struct Encoding {
    /// Ticks of 90 kHz between two frames.
    interval: u32,
    packetizer: Packetizer,
    rate: RungRate,
    unwatched_since: Option<RoomTime>,
}

impl Encodings {
    pub(super) const fn new(ladder: Arc<Ladder>) -> Self {
        Self {
            ladder,
            running: BTreeMap::new(),
            payloads: Vec::new(),
        }
    }

    /// Begins what is needed and not running yet, ends what has not been needed for a while, and
    /// lets each encoder follow the slowest of its viewers. `needs` has an entry for each viewer
    /// and rung.
    pub(super) fn follow(
        &mut self,
        now: RoomTime,
        needs: &[(View, Option<u32>)],
        mixer: &mut VideoMixer,
    ) {
        for (view, kbps) in needs {
            if !self.running.contains_key(&view.id()) {
                let wanted = |(other, kbps): &(View, Option<u32>)| kbps.filter(|_| other == view);
                let kbps = needs.iter().filter_map(wanted).min().or(*kbps);
                self.begin(*view, kbps, mixer);
            }
        }
        let grace = if self.running.len() > MANY {
            Duration::ZERO
        } else {
            GRACE
        };
        self.running.retain(|rung, encoding| {
            let rung = *rung;
            let mut of_rung = needs
                .iter()
                .filter(|(view, _)| view.id() == rung)
                .peekable();
            if of_rung.peek().is_some() {
                encoding.unwatched_since = None;
            }
            if let Some(bitrate_kbps) = encoding.rate.follow(now, of_rung.filter_map(|it| it.1)) {
                mixer.handle(VideoInput::SetBitrate { rung, bitrate_kbps });
            }
            let unwatched = !needs.iter().any(|(view, _)| view.id() == rung);
            if unwatched && now.since(*encoding.unwatched_since.get_or_insert(now)) >= grace {
                debug!(?rung, counters = ?mixer.rung_counters(rung), "rung ended");
                mixer.handle(VideoInput::RemoveRung { rung });
                return false;
            }
            true
        });
    }

    /// Cuts a frame into payloads, to be shared by all who watch its rung.
    pub(super) fn packetize(&mut self, frame: &RungFrame) -> Arc<[Bytes]> {
        if let Some(encoding) = self.running.get_mut(&frame.rung) {
            encoding
                .packetizer
                .packetize(&frame.data, &mut self.payloads);
        }
        Arc::from(self.payloads.as_slice())
    }

    /// What is being encoded.
    pub(super) fn rungs(&self) -> impl Iterator<Item = RungId> {
        self.running.keys().copied()
    }

    /// What is being encoded, each with the ticks of 90 kHz between two frames.
    pub(super) fn intervals(&self) -> impl Iterator<Item = (RungId, u32)> {
        let all = self.running.iter();
        all.map(|(rung, encoding)| (*rung, encoding.interval))
    }

    fn begin(&mut self, view: View, kbps: Option<u32>, mixer: &mut VideoMixer) {
        let spec = &self.ladder.rungs()[view.index];
        let interval = spec.pace.interval();
        let kbps = kbps.unwrap_or_else(|| *spec.kbps.start());
        let packetizer = Packetizer::new(PacketizerConfig {
            max_payload_bytes: spec.payload_bytes,
            // Each viewer's frames are numbered for that viewer.
            first_picture_id: 0,
            first_tl0_pic_idx: 0,
        });
        let (packetizer, encoder) = match (packetizer, encoder(spec, kbps)) {
            (Ok(packetizer), Ok(encoder)) => (packetizer, encoder),
            (Err(error), _) => return error!(%error, "no packetizer"),
            (_, Err(error)) => return error!(%error, "no video encoder"),
        };
        let rung = view.id();
        let stills = matches!(spec.pace, Pace::Stills { .. });
        debug!(?rung, name = spec.name, kbps, "rung begins");
        mixer.handle(VideoInput::AddRung {
            rung,
            config: RungConfig {
                size: spec.size,
                frame_interval: if interval == self.ladder.shortest_interval() {
                    EVERY_TICK
                } else {
                    interval
                },
                bitrate_kbps: kbps,
                arrangement: view.arrangement,
                focus: view.focus,
                keyframes: if stills {
                    Keyframes::Always
                } else {
                    Keyframes::OnRequest
                },
            },
            encoder: Box::new(encoder),
        });
        let encoding = Encoding {
            interval,
            packetizer,
            rate: RungRate::new(kbps),
            unwatched_since: None,
        };
        self.running.insert(rung, encoding);
    }
}

fn encoder(spec: &RungSpec, kbps: u32) -> Result<Vp8Encoder, codecs::vp8::Vp8ConfigError> {
    let rate_hz = VIDEO_CLOCK_HZ.div_ceil(spec.pace.interval().max(1));
    Vp8Encoder::new(Vp8EncoderConfig {
        frame_rate_hz: rate_hz.clamp(1, 60),
        keyframes: match spec.pace {
            Pace::Moving { .. } => KeyframePolicy::OnRequest,
            Pace::Stills { .. } => KeyframePolicy::Always,
        },
        ..Vp8EncoderConfig::new(spec.size, kbps)
    })
}

#[cfg(test)]
mod tests {
    use codecs::video::PictureSize;
    use mixer::ParticipantId;
    use mixer::video::VideoConfig;

    use super::*;

    fn mixer() -> VideoMixer {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build();
        VideoMixer::new(VideoConfig::default(), Arc::new(pool.unwrap()))
    }

    fn encodings() -> Encodings {
        let size = PictureSize::new(640, 360).unwrap();
        Encodings::new(Arc::new(Ladder::usual(size, 30, 600).unwrap()))
    }

    fn grid(index: usize) -> View {
        View::new(index, Arrangement::Grid, Focus::Speaker)
    }

    #[test]
    fn views_of_a_rung_are_told_apart_but_for_the_focus_of_a_grid() {
        let mut ids = Vec::new();
        for index in 0..MAX_RUNGS {
            for arrangement in [
                Arrangement::Grid,
                Arrangement::SpeakerLarge,
                Arrangement::SpeakerAlone,
            ] {
                let pins = [0, 1, u32::MAX].map(|id| Focus::On(ParticipantId(id)));
                let focuses = [Focus::Speaker, Focus::SpeakerBefore];
                for focus in focuses.into_iter().chain(pins) {
                    ids.push(View::new(index, arrangement, focus).id());
                }
            }
        }

        ids.sort_unstable();
        ids.dedup();

        assert_eq!(ids.len(), 88);
    }

    #[test]
    fn a_rung_begins_with_its_first_viewer_and_ends_two_seconds_after_its_last() {
        let (mut encodings, mut mixer) = (encodings(), mixer());
        let view = grid(3);
        encodings.follow(RoomTime::from_ms(0), &[(view, Some(300))], &mut mixer);
        assert_eq!(encodings.rungs().collect::<Vec<_>>(), [view.id()]);

        for (ms, running) in [(1_000, 1), (2_999, 1), (3_000, 0)] {
            encodings.follow(RoomTime::from_ms(ms), &[], &mut mixer);

            assert_eq!(encodings.rungs().count(), running, "{ms} ms");
            assert_eq!(mixer.layout(view.id()).is_some(), running == 1);
        }
    }

    #[test]
    fn a_rung_that_is_needed_again_in_time_just_goes_on() {
        let (mut encodings, mut mixer) = (encodings(), mixer());
        let needed = [(grid(3), Some(300))];
        for (ms, needs) in [
            (0, &needed[..]),
            (1_000, &[]),
            (2_000, &needed),
            (3_500, &[]),
        ] {
            encodings.follow(RoomTime::from_ms(ms), needs, &mut mixer);
        }

        assert_eq!(encodings.rungs().count(), 1);
        assert_eq!(mixer.ignored_inputs(), 0);
    }

    #[test]
    fn whoever_asks_for_everything_in_turn_does_not_keep_everything_running() {
        let (mut encodings, mut mixer) = (encodings(), mixer());
        let arrangements = [Arrangement::Grid, Arrangement::SpeakerLarge];
        let views = (0..4).flat_map(|index| {
            arrangements.map(|arrangement| View::new(index, arrangement, Focus::Speaker))
        });

        let mut most = 0;
        for (tick, view) in (0..).zip(views) {
            let now = RoomTime::from_ms(tick * 33);
            encodings.follow(now, &[(view, Some(50))], &mut mixer);
            most = most.max(encodings.rungs().count());
        }

        assert_eq!(most, MANY);
    }

    #[test]
    fn frames_of_a_low_rung_are_cut_short() {
        let (mut encodings, mut mixer) = (encodings(), mixer());
        let low = View::new(1, Arrangement::SpeakerAlone, Focus::Speaker);
        encodings.follow(
            RoomTime::START,
            &[(low, Some(60)), (grid(3), Some(300))],
            &mut mixer,
        );
        let tick = mixer.tick(RoomTime::START);
        let mut frames = tick.frames.to_vec();
        for frame in &mut frames {
            frame.data.resize(2_400, 0);
        }

        let longest = frames.iter().map(|frame| {
            let payloads = encodings.packetize(frame);
            payloads.iter().map(Bytes::len).max()
        });

        assert_eq!(longest.collect::<Vec<_>>(), [Some(406), Some(806)]);
    }
}
