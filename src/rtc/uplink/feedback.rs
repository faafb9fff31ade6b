//! How often the participant is told what came of its packets
//! (draft-holmer-rmcat-transport-wide-cc-extensions-01).
//!
//! The feedback itself is the crate's; what is here decides when. Each takes about
//! [`FEEDBACK_BYTES`] of the downlink, which ten times a second is 5.6 kb/s: nothing on most links, a
//! sixth of one with 32 kb/s. So it comes less often where the downlink is thin, and never takes
//! more than one part in [`SHARE`] of it, down to one every [`RAREST`]. That is as rare as browsers
//! themselves make it; their estimators still follow.
//!
//! What was sent while nothing at all came is not spoken of. A path that was gone for a moment, or
//! changed for another, is no narrower for it; told of a hundred packets lost, a browser takes it to
//! be, and sends a picture in three seconds less of one. It judges by what it hears of afterwards.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rtc::interceptor::TwccReceiverInterceptor;
use rtc::interceptor::{Interceptor, Packet, StreamInfo, TaggedPacket, TwccReceiverBuilder};
use rtc::sansio::Protocol;
use rtc::shared::error::Error;

use crate::link::Link;

/// IPv4, UDP, SRTCP, and the feedback for the packets of a tenth of a second.
const FEEDBACK_BYTES: u64 = 70;

/// What feedback may take of the downlink is one part in so many.
const SHARE: u64 = 40;

/// Time between feedbacks where there is plenty of room.
const USUAL: Duration = Duration::from_millis(100);

/// And where there is none.
const RAREST: Duration = Duration::from_millis(250);

/// Nothing came for so long: the path was gone. More than the time between two packets of a muted
/// participant without a picture, which is 400 ms (RFC 6716 §2.1.9).
const GONE: Duration = Duration::from_millis(600);

/// The crate's station, wound up by ours.
pub(in crate::rtc) struct UplinkFeedback {
    inner: TwccReceiverInterceptor,
    link: Arc<Link>,
    /// The streams bound, for a station made anew.
    streams: Vec<StreamInfo>,
    /// When media came last, if it did.
    arrived: Option<Instant>,
    /// When feedback was made last, if it was.
    made: Option<Instant>,
}

impl UplinkFeedback {
    pub(in crate::rtc) fn new(link: Arc<Link>) -> Self {
        Self {
            inner: station(),
            link,
            streams: Vec::new(),
            arrived: None,
            made: None,
        }
    }

    /// Media comes: if for the first time after a while, what was lost meanwhile is forgotten.
    fn arrive(&mut self, now: Instant) {
        let last = self.arrived.replace(now);
        if last.is_some_and(|last| now.saturating_duration_since(last) >= GONE) {
            self.inner = station();
            for stream in &self.streams {
                self.inner.bind_remote_stream(stream);
            }
        }
    }

    /// When feedback is due; `None` before there is anything to speak of.
    fn due(&mut self) -> Option<Instant> {
        let due = self.inner.poll_timeout()?;
        let rested = self
            .made
            .map(|made| made + interval(self.link.path.downlink_bps()));
        Some(rested.map_or(due, |rested| rested.max(due)))
    }
}

fn station() -> TwccReceiverInterceptor {
    TwccReceiverBuilder::new().with_interval(USUAL).build()
}

/// Time between feedbacks for whom the downlink carries so much, if that is known.
fn interval(downlink_bps: Option<u64>) -> Duration {
    let Some(bps) = downlink_bps else {
        return USUAL;
    };
    let ms = (FEEDBACK_BYTES * 8 * 1_000 * SHARE).checked_div(bps);
    ms.map_or(RAREST, Duration::from_millis)
        .clamp(USUAL, RAREST)
}

impl fmt::Debug for UplinkFeedback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UplinkFeedback").finish_non_exhaustive()
    }
}

impl Protocol<TaggedPacket, TaggedPacket, ()> for UplinkFeedback {
    type Rout = TaggedPacket;
    type Wout = TaggedPacket;
    type Eout = ();
    type Error = Error;
    type Time = Instant;

    fn handle_read(&mut self, packet: TaggedPacket) -> Result<(), Self::Error> {
        if matches!(packet.message.packet, Packet::Rtp(_)) {
            self.arrive(packet.now);
        }
        self.inner.handle_read(packet)
    }

    fn poll_read(&mut self) -> Option<Self::Rout> {
        self.inner.poll_read()
    }

    fn handle_write(&mut self, packet: TaggedPacket) -> Result<(), Self::Error> {
        self.inner.handle_write(packet)
    }

    fn poll_write(&mut self) -> Option<Self::Wout> {
        self.inner.poll_write()
    }

    fn handle_timeout(&mut self, now: Instant) -> Result<(), Self::Error> {
        if self.due().is_some_and(|due| due <= now) {
            self.made = Some(now);
            self.inner.handle_timeout(now)?;
        }
        Ok(())
    }

    fn poll_timeout(&mut self) -> Option<Instant> {
        self.due()
    }
}

impl Interceptor for UplinkFeedback {
    fn bind_local_stream(&mut self, info: &StreamInfo) {
        self.inner.bind_local_stream(info);
    }

    fn unbind_local_stream(&mut self, info: &StreamInfo) {
        self.inner.unbind_local_stream(info);
    }

    fn bind_remote_stream(&mut self, info: &StreamInfo) {
        self.streams.retain(|stream| stream.ssrc != info.ssrc);
        self.streams.push(info.clone());
        self.inner.bind_remote_stream(info);
    }

    fn unbind_remote_stream(&mut self, info: &StreamInfo) {
        self.streams.retain(|stream| stream.ssrc != info.ssrc);
        self.inner.unbind_remote_stream(info);
    }
}

#[cfg(test)]
mod tests {
    use std::ops::Range;

    use bytes::Bytes;
    use rtc::interceptor::{AttributedPacket, RTPHeaderExtension};
    use rtc::rtcp::transport_feedbacks::transport_layer_cc::TransportLayerCc;
    use rtc::rtp::header::Header;
    use rtc::sdp::extmap::TRANSPORT_CC_URI;
    use rtc::shared::TransportContext;

    use super::*;

    const ID: u8 = 3;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn feedback(start: Instant, downlink_bps: Option<u64>) -> UplinkFeedback {
        let link = Arc::new(Link::new(start));
        if let Some(bps) = downlink_bps {
            link.path.set_downlink_bps(bps);
        }
        let mut feedback = UplinkFeedback::new(link);
        feedback.bind_remote_stream(&StreamInfo {
            ssrc: 7,
            rtp_header_extensions: vec![RTPHeaderExtension {
                uri: TRANSPORT_CC_URI.to_owned(),
                id: ID.into(),
            }],
            ..StreamInfo::default()
        });
        feedback
    }

    fn packet(number: u16, now: Instant) -> TaggedPacket {
        let mut header = Header {
            version: 2,
            ssrc: 7,
            sequence_number: number,
            ..Header::default()
        };
        let extension = Bytes::copy_from_slice(&number.to_be_bytes());
        header.set_extension(ID, extension).unwrap();
        let payload = Bytes::from_static(&[0; 40]);
        let packet = Packet::Rtp(rtc::rtp::Packet { header, payload });
        TaggedPacket {
            now,
            transport: TransportContext::default(),
            message: AttributedPacket::new(packet),
        }
    }

    /// When feedback is made, in ms, and of how many packets, if one leaves every 20 ms, and all
    /// come but those that leave at a time that is `gone`.
    fn made(downlink_bps: Option<u64>, lasts_ms: u64, gone: Range<u64>) -> Vec<(u64, u16)> {
        let start = Instant::now();
        let mut feedback = feedback(start, downlink_bps);
        let mut made = Vec::new();
        for at_ms in 0..lasts_ms {
            let now = start + ms(at_ms);
            if at_ms % 20 == 0 && !gone.contains(&at_ms) {
                let number = u16::try_from(at_ms / 20).unwrap();
                feedback.handle_read(packet(number, now)).unwrap();
                assert!(feedback.poll_read().is_some(), "packets pass");
            }
            if feedback.poll_timeout().is_some_and(|due| due <= now) {
                feedback.handle_timeout(now).unwrap();
            }
            while let Some(sent) = feedback.poll_write() {
                let Packet::Rtcp(parts) = sent.message.packet else {
                    panic!("not RTCP");
                };
                let part = parts[0].as_any().downcast_ref::<TransportLayerCc>();
                made.push((at_ms, part.unwrap().packet_status_count));
            }
        }
        made
    }

    #[test]
    fn feedback_is_made_ten_times_a_second_where_there_is_room() {
        for downlink_bps in [None, Some(1_000_000)] {
            let made = made(downlink_bps, 1_000, 0..0);

            assert_eq!(made.len(), 9, "{made:?}");
            assert!(made.iter().all(|(_, packets)| (5..=6).contains(packets)));
        }
    }

    #[test]
    fn on_a_thin_downlink_there_is_less_of_it_and_it_speaks_of_as_many_packets() {
        let made = made(Some(32_000), 1_000, 0..0);

        let at: Vec<u64> = made.iter().map(|(at, _)| *at).collect();
        assert_eq!(at, [100, 350, 600, 850]);
        assert!(
            made[1..]
                .iter()
                .all(|(_, packets)| (12..=13).contains(packets))
        );
    }

    #[test]
    fn what_was_lost_while_the_path_was_gone_is_not_spoken_of_and_other_losses_are() {
        let spoken_of = |gone: Range<u64>| -> u16 {
            let made = made(None, 4_000, gone);
            made.iter().map(|(_, packets)| packets).sum()
        };
        let all = spoken_of(0..0);

        assert_eq!(spoken_of(1_000..1_500), all, "25 packets, all lost");
        assert_eq!(all - spoken_of(1_000..3_000), 100, "as many were lost");
    }

    #[test]
    fn feedback_takes_a_fortieth_of_the_downlink_within_bounds() {
        let rows = [
            (0, 250),
            (64_000, 250),
            (112_000, 200),
            (160_000, 140),
            (224_000, 100),
            (5_000_000, 100),
        ];

        for (bps, interval_ms) in rows {
            assert_eq!(interval(Some(bps)), ms(interval_ms), "{bps} b/s");
        }
    }
}
