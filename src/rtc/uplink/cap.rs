//! Tells the participant how much is worth sending, by REMB (draft-alvestrand-rmcat-remb): for
//! clients that do not follow `uplink` messages. A cap, not an estimate: what their uplink carries
//! they find out themselves, from transport-wide feedback.
//!
//! Sent with the next packet after the worth has changed, and again every second, since RTCP gets
//! lost. At most [`MAX_STREAMS`] streams are named, those for which it was negotiated.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rtc::interceptor::{Packet, StreamInfo};
use rtc::rtcp::payload_feedbacks::receiver_estimated_maximum_bitrate::ReceiverEstimatedMaximumBitrate;

use crate::link::Link;
use crate::rtc::stage::{Outbox, Stage};

/// Time between two that say the same.
const INTERVAL: Duration = Duration::from_secs(1);

/// A client has one video stream, and one for its resends.
const MAX_STREAMS: usize = 4;

/// Room above what is worth sending. A sender told exactly that much would divide it by its own
/// measure, take resends and probes from it, and be slow to rise from it.
const HEADROOM_PERCENT: u64 = 150;

/// The stage that caps.
pub(in crate::rtc) struct UplinkCap {
    link: Arc<Link>,
    /// Who says so: any number will do, since nobody looks for it.
    sender_ssrc: u32,
    streams: Vec<u32>,
    /// What was said last, and when.
    sent: Option<(u64, Instant)>,
}

impl UplinkCap {
    /// Says so as `sender_ssrc`.
    pub(in crate::rtc) const fn new(link: Arc<Link>, sender_ssrc: u32) -> Self {
        Self {
            link,
            sender_ssrc,
            streams: Vec::new(),
            sent: None,
        }
    }

    fn say_what_is_due(&mut self, now: Instant, out: &mut Outbox) {
        let Some(worth) = self.link.path.uplink_worth_bps() else {
            return;
        };
        let is_known = |(said, at): (u64, Instant)| {
            said == worth && now.saturating_duration_since(at) < INTERVAL
        };
        if self.streams.is_empty() || self.sent.is_some_and(is_known) {
            return;
        }
        self.sent = Some((worth, now));
        let remb = ReceiverEstimatedMaximumBitrate {
            sender_ssrc: self.sender_ssrc,
            bitrate: about(worth.saturating_mul(HEADROOM_PERCENT) / 100),
            ssrcs: self.streams.clone(),
        };
        out.send(vec![Box::new(remb)], now);
    }
}

impl Stage for UplinkCap {
    fn read(&mut self, _packet: &Packet, now: Instant, out: &mut Outbox) {
        self.say_what_is_due(now, out);
    }

    fn wake(&self) -> Option<Instant> {
        self.sent.map(|(_, at)| at + INTERVAL)
    }

    fn timeout(&mut self, now: Instant, out: &mut Outbox) {
        self.say_what_is_due(now, out);
    }

    fn bind_remote(&mut self, info: &StreamInfo) {
        let mut feedback = info.rtcp_feedback.iter();
        let negotiated = feedback.any(|feedback| feedback.typ == "goog-remb");
        if negotiated && !self.streams.contains(&info.ssrc) && self.streams.len() < MAX_STREAMS {
            self.streams.push(info.ssrc);
        }
    }

    fn unbind_remote(&mut self, info: &StreamInfo) {
        self.streams.retain(|ssrc| *ssrc != info.ssrc);
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "on the wire it has 18 bits, fewer than an f32 keeps"
)]
fn about(bits_per_second: u64) -> f32 {
    bits_per_second as f32
}

#[cfg(test)]
mod tests {
    use rtc::interceptor::RTCPFeedback;

    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn stream(ssrc: u32, feedback: &str) -> StreamInfo {
        StreamInfo {
            ssrc,
            rtcp_feedback: vec![RTCPFeedback {
                typ: feedback.to_owned(),
                parameter: String::new(),
            }],
            ..StreamInfo::default()
        }
    }

    fn cap(start: Instant) -> UplinkCap {
        let mut cap = UplinkCap::new(Arc::new(Link::new(start)), 9);
        cap.bind_remote(&stream(7, "goog-remb"));
        cap
    }

    /// What is said when a packet comes at `now`.
    fn said(cap: &mut UplinkCap, now: Instant) -> Option<ReceiverEstimatedMaximumBitrate> {
        let mut out = Outbox::default();
        let packet = Packet::Rtp(rtc::rtp::Packet::default());
        cap.read(&packet, now, &mut out);
        let mut sent = out.drain();
        let Packet::Rtcp(parts) = sent.pop()? else {
            panic!("not RTCP");
        };
        assert!(sent.is_empty() && parts.len() == 1);
        parts[0].as_any().downcast_ref().cloned()
    }

    #[test]
    fn what_is_worth_sending_is_said_at_once_and_then_every_second() {
        let start = Instant::now();
        let mut cap = cap(start);
        assert_eq!(said(&mut cap, start), None, "it is not known yet");
        assert_eq!(cap.wake(), None);

        cap.link.path.set_uplink_worth_bps(600_000);

        let first = said(&mut cap, start + ms(20)).unwrap();
        assert_eq!((first.bitrate, first.ssrcs), (900_000.0, vec![7]));
        assert_eq!(said(&mut cap, start + ms(1_019)), None);
        assert_eq!(cap.wake(), Some(start + ms(1_020)));
        let mut out = Outbox::default();
        cap.timeout(start + ms(1_020), &mut out);
        assert_eq!(out.drain().len(), 1);
    }

    #[test]
    fn a_change_does_not_wait_for_the_second_to_pass() {
        let start = Instant::now();
        let mut cap = cap(start);
        cap.link.path.set_uplink_worth_bps(600_000);
        said(&mut cap, start).unwrap();

        cap.link.path.set_uplink_worth_bps(90_000);

        let again = said(&mut cap, start + ms(20)).unwrap();
        assert_eq!(again.bitrate, 135_000.0);
        assert_eq!(said(&mut cap, start + ms(40)), None);
    }

    #[test]
    fn streams_without_remb_are_not_capped() {
        let start = Instant::now();
        let mut cap = UplinkCap::new(Arc::new(Link::new(start)), 9);
        cap.bind_remote(&stream(8, "transport-cc"));
        cap.link.path.set_uplink_worth_bps(600_000);

        assert_eq!(said(&mut cap, start), None);
    }

    #[test]
    fn streams_are_named_once_and_no_longer_than_they_last() {
        let start = Instant::now();
        let mut cap = cap(start);
        cap.link.path.set_uplink_worth_bps(600_000);
        for ssrc in [7, 8, 9, 10, 11] {
            cap.bind_remote(&stream(ssrc, "goog-remb"));
        }
        assert_eq!(said(&mut cap, start).unwrap().ssrcs, [7, 8, 9, 10]);

        cap.unbind_remote(&stream(8, "goog-remb"));

        let again = said(&mut cap, start + ms(1_000)).unwrap();
        assert_eq!(again.ssrcs, [7, 9, 10]);
    }
}
