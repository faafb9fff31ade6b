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

#[cfg(test)]
mod tests;

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
use super::estimate::{Estimator, Numbered, Probe};
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
            lasting_bps: estimate.lasting + beside_bps,
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
        let now = self.time(now);
        let Some(id) = self.streams.get(&packet.header.ssrc) else {
            let bytes = packet.marshal_size() + BELOW_RTP;
            return self.estimator.sent(now, bytes, Numbered::No);
        };
        let number = self.departures.next_number();
        let number = Bytes::copy_from_slice(&number.to_be_bytes());
        if packet.header.set_extension(*id, number).is_err() {
            return;
        }
        // The number is a part of the size.
        let bytes = packet.marshal_size() + BELOW_RTP;
        self.departures.leave(now, bytes);
        self.estimator.sent(now, bytes, Numbered::Yes);
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
