//! Numbers what leaves, reads what the participant says came of it, and has the [`Estimator`] make
//! an estimate of its downlink from that, which is left on the link.
//!
//! Next to the wire, so that everything that leaves is seen, resends and padding too, at the moment
//! it does. All streams share one numbering (draft-holmer-rmcat-transport-wide-cc-extensions-01); the
//! participant reports by it. The crate has such a part too: it does not number resends unless told,
//! keeps a map per packet that its own reports cannot empty, takes what a lost report would have
//! spoken of for lost packets, and has no way to send a probe.
//!
//! What is known of the streams is as much as was negotiated: one audio, one video, one of resends.
//!
//! # Two legs
//!
//! Where audio and video go over a leg each, their numbers are counted apart and the receiver need
//! not report both by one clock, so no estimate can be made of both together. Two estimates would
//! each find the other in its way. So there is one, of the leg with the video: that is what fills a
//! link and what gives way. Audio goes beside it at the rate it was given and counts as carried, and
//! the estimate finds it like any traffic of others'; that it still gives way, and first gets what
//! there is, is the ladder's doing as ever.
//!
//! Audio keeps an estimate alive while there is no video, and here it cannot. What is known of a leg
//! over which nothing has left for [`FORGOTTEN_AFTER`] is forgotten, and the estimate begins anew: so
//! whose video has paused gets another try.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use crossbeam_queue::ArrayQueue;
use mixer::ladder::overhead::audio_wire_kbps;
use rtc::interceptor::{Packet, StreamInfo};
use rtc::rtcp::payload_feedbacks::receiver_estimated_maximum_bitrate::ReceiverEstimatedMaximumBitrate;
use rtc::rtcp::transport_feedbacks::transport_layer_cc::TransportLayerCc;
use rtc::sdp::extmap::TRANSPORT_CC_URI;
use rtc::shared::marshal::MarshalSize;
use tracing::{Span, debug};

use super::departures::Departures;
use super::estimate::{Estimator, Probe};
use crate::link::{Downlink, Link};
use crate::rtc::stage::{Outbox, Stage};

/// What a packet is longer on the path than as RTP: IPv4, UDP, and the tag of SRTP with GCM.
const BELOW_RTP: usize = 20 + 8 + 16;

/// A change of the estimate by one part in so many is worth a line in the log.
const NOTABLE: u64 = 5;

/// Far more than lies between two stills, which is 1.5 s.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(10);

/// What of our media goes over a leg.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::rtc) enum Carries {
    /// All that there is.
    All,
    /// Video; audio goes over the other leg.
    PictureBesideSound,
    /// Audio; video goes over the other leg.
    SoundBesidePicture,
}

/// A probe on its way from who orders it to who sends it.
pub(in crate::rtc) type ProbeOrder = Arc<ArrayQueue<Probe>>;

/// The stage that estimates.
pub(in crate::rtc) struct DownlinkMeter {
    link: Arc<Link>,
    start: Instant,
    estimator: Estimator,
    departures: Departures,
    /// The id of the number's header extension, by SSRC; those without one are not numbered.
    streams: BTreeMap<u32, u8>,
    order: ProbeOrder,
    carries: Carries,
    /// When a numbered packet left last, until that is forgotten.
    left: Option<Duration>,
    last_logged: u64,
    /// Of whoever is at the other end.
    span: Span,
}

impl DownlinkMeter {
    /// Orders probes with `order`, which holds one.
    pub(in crate::rtc) fn new(
        link: Arc<Link>,
        start: Instant,
        order: ProbeOrder,
        carries: Carries,
    ) -> Self {
        Self {
            link,
            start,
            carries,
            left: None,
            estimator: Estimator::default(),
            departures: Departures::default(),
            streams: BTreeMap::new(),
            order,
            last_logged: 0,
            span: Span::current(),
        }
    }

    fn time(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.start)
    }

    fn publish(&mut self) {
        let estimate = self.estimator.estimate();
        let beside_bps = self.beside_bps();
        self.link.path.set_downlink(&Downlink {
            bits_per_second: estimate.bits_per_second + beside_bps,
            acknowledged_bps: estimate.acknowledged.map_or(0, |bps| bps + beside_bps),
            queueing_delay: estimate.queueing_delay,
            fraction_lost: estimate.loss,
        });
        let change = estimate.bits_per_second.abs_diff(self.last_logged);
        if change * NOTABLE > self.last_logged {
            self.last_logged = estimate.bits_per_second;
            debug!(
                parent: &self.span,
                kbps = estimate.bits_per_second / 1_000,
                state = ?estimate.state,
                queue_ms = estimate.queueing_delay.as_millis(),
                acknowledged_kbps = estimate.acknowledged.unwrap_or_default() / 1_000,
                "downlink"
            );
        }
    }

    /// What goes over the other leg.
    fn beside_bps(&self) -> u64 {
        let audio = self.link.path.audio_rung();
        let audio = audio.filter(|_| self.carries == Carries::PictureBesideSound);
        audio.map_or(0, |audio| u64::from(audio_wire_kbps(audio)) * 1_000)
    }

    /// When what is known of the leg is to be forgotten.
    fn forgotten_at(&self) -> Option<Duration> {
        let left = self.left?;
        (self.carries == Carries::PictureBesideSound).then(|| left + FORGOTTEN_AFTER)
    }

    fn hear(&mut self, feedback: &TransportLayerCc, now: Duration) {
        let reports = self.departures.read(feedback);
        self.estimator.feedback(now, &reports);
        if let Some(useful) = self.link.path.useful_downlink_bps() {
            let own = |bps: u64| bps.saturating_sub(self.beside_bps());
            let next = self.link.path.next_downlink_bps().map(own);
            self.estimator.set_useful(own(useful), next);
        }
        if let Some(probe) = self.estimator.probe(now) {
            // One that has not begun yet is stale by now.
            self.order.force_push(probe);
        }
    }
}

impl Stage for DownlinkMeter {
    fn write(&mut self, packet: &mut Packet, now: Instant) {
        let Packet::Rtp(packet) = packet else { return };
        let Some(id) = self.streams.get(&packet.header.ssrc) else {
            return;
        };
        let now = self.time(now);
        let number = self.departures.next_number();
        let number = Bytes::copy_from_slice(&number.to_be_bytes());
        if packet.header.set_extension(*id, number).is_err() {
            return;
        }
        // The number is a part of the size.
        let bytes = packet.marshal_size() + BELOW_RTP;
        self.departures.leave(now, bytes);
        self.estimator.sent(now);
        self.left = Some(now);
    }

    fn read(&mut self, packet: &Packet, now: Instant, _out: &mut Outbox) {
        let Packet::Rtcp(parts) = packet else { return };
        if self.carries == Carries::SoundBesidePicture {
            return;
        }
        let now = self.time(now);
        for part in parts {
            let part = part.as_any();
            if let Some(feedback) = part.downcast_ref::<TransportLayerCc>() {
                self.hear(feedback, now);
            } else if let Some(remb) = part.downcast_ref::<ReceiverEstimatedMaximumBitrate>() {
                let lost = self.link.path.fraction_lost();
                self.estimator.remb(now, whole(remb.bitrate), lost);
            } else {
                continue;
            }
            self.publish();
        }
    }

    fn wake(&self) -> Option<Instant> {
        let polled = self.estimator.next_poll().into_iter();
        let next = polled.chain(self.forgotten_at()).min();
        next.map(|at| self.start + at)
    }

    fn timeout(&mut self, now: Instant, _out: &mut Outbox) {
        let now = self.time(now);
        if self.forgotten_at().is_some_and(|at| at <= now) {
            self.left = None;
            let was_known = self.link.path.downlink_bps().is_some();
            self.estimator = Estimator::default();
            if was_known {
                self.publish();
            }
        }
        if self.estimator.next_poll().is_some_and(|at| at <= now) {
            self.estimator.poll(now);
            self.publish();
        }
    }

    fn bind_local(&mut self, info: &StreamInfo) {
        if self.carries == Carries::SoundBesidePicture {
            return;
        }
        let number = info
            .rtp_header_extensions
            .iter()
            .find(|extension| extension.uri == TRANSPORT_CC_URI);
        let Some(id) = number.and_then(|number| u8::try_from(number.id).ok()) else {
            return;
        };
        self.streams.insert(info.ssrc, id);
        if let Some(ssrc) = info.ssrc_rtx {
            self.streams.insert(ssrc, id);
        }
    }

    fn unbind_local(&mut self, info: &StreamInfo) {
        self.streams.remove(&info.ssrc);
        if let Some(ssrc) = info.ssrc_rtx {
            self.streams.remove(&ssrc);
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a cast from f32 saturates, and makes 0 of what is no number"
)]
fn whole(value: f32) -> u64 {
    value as u64
}

#[cfg(test)]
mod tests {
    use rtc::interceptor::RTPHeaderExtension;
    use rtc::rtcp::transport_feedbacks::transport_layer_cc::{
        PacketStatusChunk, RecvDelta, RunLengthChunk, SymbolTypeTcc,
    };
    use rtc::rtp::header::Header;
    use rtc::shared::marshal::Marshal;

    use mixer::audio::{AudioRung, PacketTime};

    use super::*;

    const VIDEO: u32 = 7;
    const RTX: u32 = 8;
    const ID: u8 = 3;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn stage(start: Instant) -> DownlinkMeter {
        stage_that_carries(start, Carries::All)
    }

    fn stage_that_carries(start: Instant, carries: Carries) -> DownlinkMeter {
        let link = Arc::new(Link::new(start));
        let mut stage = DownlinkMeter::new(link, start, Arc::new(ArrayQueue::new(1)), carries);
        stage.bind_local(&StreamInfo {
            ssrc: VIDEO,
            ssrc_rtx: Some(RTX),
            rtp_header_extensions: vec![RTPHeaderExtension {
                uri: TRANSPORT_CC_URI.to_owned(),
                id: ID.into(),
            }],
            ..StreamInfo::default()
        });
        stage
    }

    /// The number of a packet that leaves at `now`.
    fn leave(stage: &mut DownlinkMeter, ssrc: u32, now: Instant) -> Option<u16> {
        let number = left(stage, ssrc, now).header.get_extension(ID)?;
        Some(u16::from_be_bytes([number[0], number[1]]))
    }

    /// A packet as it leaves at `now`.
    fn left(stage: &mut DownlinkMeter, ssrc: u32, now: Instant) -> rtc::rtp::Packet {
        let header = Header {
            version: 2,
            ssrc,
            ..Header::default()
        };
        let payload = Bytes::from_static(&[0; 1_000]);
        let mut packet = Packet::Rtp(rtc::rtp::Packet { header, payload });
        stage.write(&mut packet, now);
        let Packet::Rtp(packet) = packet else {
            panic!("a packet of RTP stays one");
        };
        packet
    }

    fn read(stage: &mut DownlinkMeter, part: Box<dyn rtc::rtcp::Packet>, now: Instant) {
        stage.read(&Packet::Rtcp(vec![part]), now, &mut Outbox::default());
    }

    /// All of `count` packets from `base` on came, 10 ms apart.
    fn all_came(base: u16, count: u16) -> TransportLayerCc {
        let delta = RecvDelta {
            delta: 10_000,
            ..RecvDelta::default()
        };
        TransportLayerCc {
            base_sequence_number: base,
            packet_status_count: count,
            reference_time: 100,
            packet_chunks: vec![PacketStatusChunk::RunLengthChunk(RunLengthChunk {
                packet_status_symbol: SymbolTypeTcc::PacketReceivedSmallDelta,
                run_length: count,
                ..RunLengthChunk::default()
            })],
            recv_deltas: vec![delta; usize::from(count)],
            ..TransportLayerCc::default()
        }
    }

    #[test]
    fn media_and_resends_share_one_numbering_and_other_streams_have_none() {
        let start = Instant::now();
        let mut stage = stage(start);

        let streams = [VIDEO, RTX, 99, VIDEO];
        let numbers = streams.map(|ssrc| leave(&mut stage, ssrc, start));

        assert_eq!(numbers, [Some(0), Some(1), None, Some(2)]);
    }

    #[test]
    fn the_size_that_is_counted_is_the_size_that_is_sent() {
        let start = Instant::now();
        let mut stage = stage(start);

        let sent = left(&mut stage, VIDEO, start).marshal().unwrap().len();

        let reports = stage.departures.read(&all_came(0, 1));
        let counted: Vec<usize> = reports.iter().map(|report| report.bytes).collect();
        assert_eq!(counted, [sent + BELOW_RTP]);
        assert!(sent > 12 + 1_000, "{sent} bytes, without the number");
    }

    #[test]
    fn sound_beside_a_picture_is_neither_numbered_nor_estimated() {
        let start = Instant::now();
        let mut stage = stage_that_carries(start, Carries::SoundBesidePicture);

        assert_eq!(leave(&mut stage, VIDEO, start), None);
        read(&mut stage, Box::new(all_came(0, 40)), start + ms(450));
        let remb = ReceiverEstimatedMaximumBitrate {
            bitrate: 50_000.0,
            ..ReceiverEstimatedMaximumBitrate::default()
        };
        read(&mut stage, Box::new(remb), start + ms(500));

        assert_eq!(stage.link.path.downlink_bps(), None);
        assert_eq!(stage.wake(), None);
    }

    #[test]
    fn a_picture_has_the_sound_beside_it_counted_as_carried() {
        let start = Instant::now();
        let downlink = |carries| {
            let mut stage = stage_that_carries(start, carries);
            let audio = AudioRung::new(32, PacketTime::Ms20).unwrap();
            stage.link.path.set_audio_rung(audio);
            for n in 0..40 {
                leave(&mut stage, VIDEO, start + ms(10 * n));
            }
            read(&mut stage, Box::new(all_came(0, 40)), start + ms(450));
            stage.link.path.snapshot().downlink.unwrap()
        };

        let (alone, beside) = (
            downlink(Carries::All),
            downlink(Carries::PictureBesideSound),
        );

        // 32 kb/s, and 24 of headers.
        assert_eq!(beside.bits_per_second, alone.bits_per_second + 56_000);
        assert_eq!(beside.acknowledged_bps, alone.acknowledged_bps + 56_000);
    }

    #[test]
    fn what_is_known_of_a_leg_is_forgotten_once_nothing_has_left_for_long() {
        let start = Instant::now();
        let mut stage = stage_that_carries(start, Carries::PictureBesideSound);
        for n in 0..40 {
            leave(&mut stage, VIDEO, start + ms(10 * n));
        }
        let first = Estimator::default().estimate().bits_per_second;
        let remb = ReceiverEstimatedMaximumBitrate {
            bitrate: 30_000.0,
            ..ReceiverEstimatedMaximumBitrate::default()
        };
        read(&mut stage, Box::new(remb), start + ms(450));
        assert!(stage.link.path.downlink_bps().unwrap() < first);

        assert_eq!(stage.wake(), Some(start + ms(10_390)));
        stage.timeout(start + ms(10_389), &mut Outbox::default());
        assert!(stage.link.path.downlink_bps().unwrap() < first);
        stage.timeout(start + ms(10_390), &mut Outbox::default());

        assert_eq!(stage.link.path.downlink_bps(), Some(first));
        assert_eq!(stage.wake(), None, "once");
    }

    #[test]
    fn the_downlink_is_unknown_until_feedback_comes_and_then_has_rate_and_size_of_what_came() {
        let start = Instant::now();
        let mut stage = stage(start);
        for n in 0..40 {
            leave(&mut stage, VIDEO, start + ms(10 * n));
        }
        assert_eq!(stage.link.path.downlink_bps(), None);
        assert_eq!(
            stage.wake(),
            None,
            "nobody says that there will be feedback"
        );

        read(&mut stage, Box::new(all_came(0, 40)), start + ms(450));

        let downlink = stage.link.path.snapshot().downlink.unwrap();
        assert!(downlink.bits_per_second >= 120_000);
        // RTP with its extension, and what is below: 1,064 bytes every 10 ms.
        assert_eq!(downlink.acknowledged_bps, 851_200);
        assert_eq!(
            (downlink.queueing_delay, downlink.fraction_lost),
            (ms(0), 0)
        );
    }

    #[test]
    fn feedback_orders_a_probe_above_the_estimate() {
        let start = Instant::now();
        let mut stage = stage(start);
        for n in 0..40 {
            leave(&mut stage, VIDEO, start + ms(10 * n));
        }

        read(&mut stage, Box::new(all_came(0, 40)), start + ms(450));

        let rate = stage.link.path.downlink_bps().unwrap();
        let probe = stage.order.pop().unwrap();
        assert!(probe.bits_per_second > rate, "{probe:?}, {rate}");
    }

    #[test]
    fn without_further_feedback_the_stage_wakes_up_and_lowers_the_rate() {
        let start = Instant::now();
        let mut stage = stage(start);
        for n in 0..40 {
            leave(&mut stage, VIDEO, start + ms(10 * n));
        }
        read(&mut stage, Box::new(all_came(0, 40)), start + ms(450));
        let before = stage.link.path.downlink_bps().unwrap();
        assert_eq!(stage.wake(), None, "everything is answered");

        leave(&mut stage, VIDEO, start + ms(500));
        let wake = stage.wake().unwrap();
        stage.timeout(wake - ms(1), &mut Outbox::default());
        assert_eq!(stage.link.path.downlink_bps(), Some(before));
        stage.timeout(wake, &mut Outbox::default());

        assert!(wake > start + ms(1_500), "{:?}", wake - start);
        assert!(stage.link.path.downlink_bps().unwrap() < before);
        assert!(stage.wake().unwrap() > wake);
    }

    #[test]
    fn what_the_participant_says_itself_counts_where_there_is_no_feedback() {
        let start = Instant::now();
        let mut stage = stage(start);
        for (bitrate, expected) in [(250_000.0, 250_000), (f32::NAN, 24_000)] {
            let remb = ReceiverEstimatedMaximumBitrate {
                bitrate,
                ..ReceiverEstimatedMaximumBitrate::default()
            };

            read(&mut stage, Box::new(remb), start);

            assert_eq!(stage.link.path.downlink_bps(), Some(expected));
        }
    }
}
