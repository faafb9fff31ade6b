//! Listens to RTCP as it comes and goes: keyframe requests (RFC 4585 §6.3.1, RFC 5104 §4.3.1) and
//! what the participant reports about our streams and its own (RFC 3550 §6.4).
//!
//! The crate routes a compound packet by its first part and keeps the rest to itself, and its
//! statistics of what is reported stay zero; so both are read where every packet passes: in the
//! interceptor chain, next to the wire. What is found is left on the link.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use rtc::interceptor::{Packet, StreamInfo};
use rtc::rtcp::payload_feedbacks::full_intra_request::FullIntraRequest;
use rtc::rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication;
use rtc::rtcp::receiver_report::ReceiverReport;
use rtc::rtcp::reception_report::ReceptionReport;
use rtc::rtcp::sender_report::SenderReport;
use rtc::rtp::header::Header;
use rtc::rtp_transceiver::rtp_sender::RtpCodecKind;

use super::capture::{CaptureClock, SkewMeter};
use super::hidden_loss::HiddenLoss;
use super::loss_class::LossWatch;
use super::orientation;
use super::reports::ReportReader;
use super::stage::{Outbox, Stage, is_audio};
use crate::link::Link;

/// Incoming streams that are followed: one audio and one video stream, and some more of a client
/// that changes its mind.
const MAX_INCOMING: usize = 8;

/// The stage that listens.
pub(super) struct RtcpTap {
    link: Arc<Link>,
    reader: ReportReader,
    audio_loss: LossWatch,
    hidden_audio_loss: HiddenLoss,
    /// By SSRC. As many as were negotiated: one audio, one video.
    streams: BTreeMap<u32, Stream>,
    /// The participant's, by SSRC.
    incoming: BTreeMap<u32, Incoming>,
    skew: SkewMeter,
}

/// A stream of the participant's.
struct Incoming {
    kind: RtpCodecKind,
    clock: CaptureClock,
}

#[derive(Clone, Copy)]
struct Stream {
    kind: RtpCodecKind,
    clock_hz: u32,
}

impl RtcpTap {
    pub(super) fn new(link: Arc<Link>) -> Self {
        Self {
            link,
            reader: ReportReader::default(),
            audio_loss: LossWatch::default(),
            hidden_audio_loss: HiddenLoss::default(),
            streams: BTreeMap::new(),
            incoming: BTreeMap::new(),
            skew: SkewMeter::default(),
        }
    }

    fn take_over(&mut self, reports: &[ReceptionReport], now: Instant) {
        for report in reports {
            let Some(stream) = self.streams.get(&report.ssrc) else {
                continue;
            };
            let reception = self.reader.read(report, stream.clock_hz, now);
            let path = &self.link.path;
            if let Some(round_trip) = reception.round_trip {
                path.set_round_trip(round_trip);
            }
            let reported = match stream.kind {
                RtpCodecKind::Audio => &path.audio,
                _ => &path.video,
            };
            reported.set(reception.fraction_lost, reception.jitter);
            if stream.kind == RtpCodecKind::Audio {
                let lost = self.hidden_audio_loss.uncover(reception.fraction_lost);
                let class = self.audio_loss.report(lost, now);
                path.set_expected_audio_loss(class.percent());
            }
        }
    }
}

impl RtcpTap {
    fn follow(&mut self, header: &Header, now: Instant) {
        let Some(stream) = self.incoming.get(&header.ssrc) else {
            return;
        };
        let arrival = self.link.room_time(now);
        match stream.kind {
            RtpCodecKind::Audio => self.skew.audio(&stream.clock, header.timestamp, arrival),
            _ if header.marker => self.skew.frame(&stream.clock, header.timestamp, arrival),
            _ => return,
        }
        self.link.path.set_skew_us(self.skew.skew_us());
    }
}

impl Stage for RtcpTap {
    fn read(&mut self, packet: &Packet, now: Instant, _out: &mut Outbox) {
        self.link.hear(now);
        let parts = match packet {
            Packet::Rtp(packet) => return self.follow(&packet.header, now),
            Packet::Rtcp(parts) => parts,
            _ => return,
        };
        for part in parts {
            let part = part.as_any();
            if part.is::<PictureLossIndication>() || part.is::<FullIntraRequest>() {
                self.link.want_keyframe();
            } else if let Some(report) = part.downcast_ref::<ReceiverReport>() {
                self.take_over(&report.reports, now);
            } else if let Some(report) = part.downcast_ref::<SenderReport>() {
                if let Some(stream) = self.incoming.get_mut(&report.ssrc) {
                    stream.clock.report(report.ntp_time, report.rtp_time);
                }
                self.take_over(&report.reports, now);
            }
        }
    }

    fn write(&mut self, packet: &Packet, now: Instant) {
        match packet {
            Packet::Rtcp(parts) => {
                for part in parts {
                    if let Some(report) = part.as_any().downcast_ref::<SenderReport>() {
                        self.reader.sent(report.ntp_time, now);
                    }
                }
            }
            Packet::Rtp(packet) => {
                let stream = self.streams.get(&packet.header.ssrc);
                if stream.is_some_and(|stream| stream.kind == RtpCodecKind::Audio) {
                    self.hidden_audio_loss.sent(packet.header.sequence_number);
                }
            }
            _ => {}
        }
    }

    fn bind_local(&mut self, info: &StreamInfo) {
        let (kind, clock_hz) = (kind(info), info.clock_rate);
        self.streams.insert(info.ssrc, Stream { kind, clock_hz });
    }

    fn unbind_local(&mut self, info: &StreamInfo) {
        self.streams.remove(&info.ssrc);
    }

    fn bind_remote(&mut self, info: &StreamInfo) {
        let orientation = orientation::extension_of(info);
        if orientation != orientation::NOT_NEGOTIATED {
            self.link.set_orientation_extension(orientation);
        }
        // A stream of resends is bound like any other, but has no reports.
        if self.incoming.len() < MAX_INCOMING {
            self.incoming.entry(info.ssrc).or_insert_with(|| Incoming {
                kind: kind(info),
                clock: CaptureClock::new(info.clock_rate),
            });
        }
    }

    fn unbind_remote(&mut self, info: &StreamInfo) {
        self.incoming.remove(&info.ssrc);
    }
}

fn kind(info: &StreamInfo) -> RtpCodecKind {
    if is_audio(info) {
        RtpCodecKind::Audio
    } else {
        RtpCodecKind::Video
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;
    use std::time::Duration;

    use proptest::prelude::*;
    use rtc::rtcp::packet::unmarshal;

    use super::*;
    use crate::link::KeyframeWish;

    const AUDIO: u32 = 7;
    const VIDEO: u32 = 8;

    fn tap(start: Instant) -> RtcpTap {
        let mut tap = RtcpTap::new(Arc::new(Link::new(start)));
        for (ssrc, clock_rate, mime_type) in
            [(AUDIO, 48_000, "audio/opus"), (VIDEO, 90_000, "video/VP8")]
        {
            tap.bind_local(&StreamInfo {
                ssrc,
                clock_rate,
                mime_type: mime_type.to_owned(),
                ..StreamInfo::default()
            });
        }
        tap
    }

    fn block(ssrc: u32, fraction_lost: u8) -> ReceptionReport {
        ReceptionReport {
            ssrc,
            fraction_lost,
            jitter: 480,
            last_sender_report: 0x0001_8000,
            ..ReceptionReport::default()
        }
    }

    fn read(tap: &mut RtcpTap, part: Box<dyn rtc::rtcp::Packet>, now: Instant) {
        tap.read(&Packet::Rtcp(vec![part]), now, &mut Outbox::default());
    }

    #[test]
    fn reports_in_either_kind_of_packet_set_the_gauges_of_their_stream() {
        let start = Instant::now();
        let mut tap = tap(start);
        let ours = SenderReport {
            ssrc: AUDIO,
            ntp_time: 0xe000_0001_8000_0000,
            ..SenderReport::default()
        };
        tap.write(&Packet::Rtcp(vec![Box::new(ours)]), start);

        let receiver_report = ReceiverReport {
            reports: vec![block(AUDIO, 26), block(999, 255)],
            ..ReceiverReport::default()
        };
        let sender_report = SenderReport {
            reports: vec![block(VIDEO, 13)],
            ..SenderReport::default()
        };
        let now = start + Duration::from_millis(80);
        read(&mut tap, Box::new(receiver_report), now);
        read(&mut tap, Box::new(sender_report), now);

        let path = tap.link.path.snapshot();
        assert_eq!(path.round_trip, Some(Duration::from_millis(80)));
        assert_eq!((path.audio.reports, path.audio.fraction_lost), (1, 26));
        assert_eq!(path.audio.jitter, Duration::from_millis(10));
        assert_eq!((path.video.reports, path.video.fraction_lost), (1, 13));
        assert_eq!(path.expected_audio_loss_percent, 10);
    }

    #[test]
    fn loss_of_video_alone_asks_for_no_redundancy_in_audio() {
        let start = Instant::now();
        let mut tap = tap(start);
        let report = ReceiverReport {
            reports: vec![block(AUDIO, 0), block(VIDEO, 128)],
            ..ReceiverReport::default()
        };

        read(&mut tap, Box::new(report), start);

        assert_eq!(tap.link.path.snapshot().expected_audio_loss_percent, 0);
    }

    #[test]
    fn sender_reports_of_both_streams_give_the_skew_between_them() {
        let start = Instant::now();
        let mut tap = tap(start);
        for (ssrc, clock_rate, mime_type) in [(1, 48_000, "audio/opus"), (2, 90_000, "video/VP8")] {
            tap.bind_remote(&StreamInfo {
                ssrc,
                clock_rate,
                mime_type: mime_type.to_owned(),
                ..StreamInfo::default()
            });
            let report = SenderReport {
                ssrc,
                ntp_time: 0xe000_0001_8000_0000,
                ..SenderReport::default()
            };
            read(&mut tap, Box::new(report), start);
        }

        // Both captured 100 ms after the moment of the reports.
        for (ssrc, timestamp, at) in [(1, 4_800, 160), (2, 9_000, 120), (3, 0, 500)] {
            let header = Header {
                ssrc,
                timestamp,
                marker: true,
                ..Header::default()
            };
            let payload = bytes::Bytes::new();
            let packet = Packet::Rtp(rtc::rtp::Packet { header, payload });
            let now = start + Duration::from_millis(at);
            tap.read(&packet, now, &mut Outbox::default());
        }

        assert_eq!(tap.link.path.skew_us(), Some(40_000));
    }

    #[test]
    fn keyframe_requests_reach_the_link_wherever_they_are_in_a_compound() {
        let start = Instant::now();
        let mut tap = tap(start);
        tap.link.take_keyframe_request();
        let compound: Vec<Box<dyn rtc::rtcp::Packet>> = vec![
            Box::new(ReceiverReport::default()),
            Box::new(PictureLossIndication::default()),
        ];

        tap.read(&Packet::Rtcp(compound), start, &mut Outbox::default());

        assert_eq!(tap.link.take_keyframe_request(), KeyframeWish::Wanted);
    }

    proptest! {
        /// Bytes that the crate takes for RTCP: a plausible head, then anything.
        #[test]
        fn any_rtcp_is_read_without_panic(
            packets in prop::collection::vec(
                (200_u8..208, 0_u8..32, prop::collection::vec(any::<u32>(), 0..30)), 0..20),
        ) {
            let mut now = Instant::now();
            let mut tap = tap(now);
            for (packet_type, count, words) in packets {
                now += Duration::from_millis(20);
                let length = u16::try_from(words.len()).unwrap().to_be_bytes();
                let mut bytes = vec![0x80 | count, packet_type, length[0], length[1]];
                // Half of the words are what our streams and reports are called.
                for word in words {
                    let word = [word, AUDIO, word, VIDEO][usize::try_from(word % 4).unwrap()];
                    bytes.extend(word.to_be_bytes());
                }
                if let Ok(parts) = unmarshal(&mut Cursor::new(&bytes[..])) {
                    tap.read(&Packet::Rtcp(parts), now, &mut Outbox::default());
                }
            }
        }
    }
}
