//! Tells the participant how the media times of our streams relate to each other and to the clock
//! on the wall (RFC 3550 §6.4.1).
//!
//! All timestamps that we send count from the start of the room, so each report pairs *now* with
//! the room's time now, in that stream's units. The pairs of audio and video are therefore
//! consistent to the sample, however long encoding, pacing or the queue took.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use rtc::interceptor::{Packet, StreamInfo};
use rtc::rtcp::sender_report::SenderReport;
use rtc::rtcp::source_description::{
    SdesType, SourceDescription, SourceDescriptionChunk, SourceDescriptionItem,
};
use rtc::shared::time::SystemInstant;

use crate::link::Link;
use crate::rtc::stage::{Outbox, Stage};

/// The first report follows the first packet this soon, so that a browser can play in sync early.
const FIRST: Duration = Duration::from_millis(100);

/// Time between reports.
const INTERVAL: Duration = Duration::from_secs(1);

/// Where the timestamps of our stream `ssrc` start: anywhere (RFC 3550 §5.1), but known to all who
/// know the SSRC, which is random itself.
pub(super) const fn timestamp_offset(ssrc: u32) -> u32 {
    ssrc.rotate_left(16)
}

/// The stage that reports.
pub(in crate::rtc) struct SenderReports {
    link: Arc<Link>,
    wall: SystemInstant,
    name: Bytes,
    /// By SSRC. As many as were negotiated: one audio, one video.
    streams: BTreeMap<u32, Stream>,
    next: Option<Instant>,
}

struct Stream {
    clock_hz: u32,
    packets: u32,
    octets: u32,
}

impl SenderReports {
    /// Reports by the wall clock `wall`, under the canonical name `name` (RFC 3550 §6.5.1).
    pub(in crate::rtc) fn new(link: Arc<Link>, wall: SystemInstant, name: &'static str) -> Self {
        Self {
            link,
            wall,
            name: Bytes::from_static(name.as_bytes()),
            streams: BTreeMap::new(),
            next: None,
        }
    }

    fn report(&self, ssrc: u32, stream: &Stream, now: Instant) -> SenderReport {
        let room_time = self.link.room_time(now).since_start();
        let ticks = room_time.as_nanos() * u128::from(stream.clock_hz) / 1_000_000_000;
        let ticks = u32::try_from(ticks & u128::from(u32::MAX)).unwrap_or_default();
        SenderReport {
            ssrc,
            ntp_time: self.wall.ntp(now),
            rtp_time: timestamp_offset(ssrc).wrapping_add(ticks),
            packet_count: stream.packets,
            octet_count: stream.octets,
            ..SenderReport::default()
        }
    }

    fn description(&self, source: u32) -> SourceDescription {
        let name = SourceDescriptionItem {
            sdes_type: SdesType::SdesCname,
            text: self.name.clone(),
        };
        let chunk = SourceDescriptionChunk {
            source,
            items: vec![name],
        };
        SourceDescription {
            chunks: vec![chunk],
        }
    }
}

impl Stage for SenderReports {
    fn write(&mut self, packet: &mut Packet, now: Instant) {
        if let Packet::Rtp(packet) = packet
            && let Some(stream) = self.streams.get_mut(&packet.header.ssrc)
        {
            let octets = u32::try_from(packet.payload.len()).unwrap_or_default();
            stream.packets = stream.packets.wrapping_add(1);
            stream.octets = stream.octets.wrapping_add(octets);
            self.next.get_or_insert(now + FIRST);
        }
    }

    fn wake(&self) -> Option<Instant> {
        self.next
    }

    fn timeout(&mut self, now: Instant, out: &mut Outbox) {
        if self.next.is_none_or(|next| next > now) {
            return;
        }
        self.next = Some(now + INTERVAL);
        for (ssrc, stream) in self.streams.iter().filter(|(_, stream)| stream.packets > 0) {
            let report = self.report(*ssrc, stream, now);
            let description = self.description(*ssrc);
            out.send(vec![Box::new(report), Box::new(description)], now);
        }
    }

    fn bind_local(&mut self, info: &StreamInfo) {
        self.streams.entry(info.ssrc).or_insert(Stream {
            clock_hz: info.clock_rate,
            packets: 0,
            octets: 0,
        });
    }

    fn unbind_local(&mut self, info: &StreamInfo) {
        self.streams.remove(&info.ssrc);
    }
}

#[cfg(test)]
mod tests {
    use rtc::rtp::header::Header;

    use super::*;

    const AUDIO: u32 = 0x1111_0001;
    const VIDEO: u32 = 0x2222_0002;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn stage(start: Instant) -> SenderReports {
        let link = Arc::new(Link::new(start));
        let mut reports = SenderReports::new(link, SystemInstant::now(start), "mosaic");
        for (ssrc, clock_rate) in [(AUDIO, 48_000), (VIDEO, 90_000)] {
            reports.bind_local(&StreamInfo {
                ssrc,
                clock_rate,
                ..StreamInfo::default()
            });
        }
        reports
    }

    fn send(reports: &mut SenderReports, ssrc: u32, now: Instant) {
        let header = Header {
            ssrc,
            ..Header::default()
        };
        let payload = Bytes::from_static(&[0; 100]);
        reports.write(&mut Packet::Rtp(rtc::rtp::Packet { header, payload }), now);
    }

    fn reports_at(reports: &mut SenderReports, now: Instant) -> Vec<SenderReport> {
        let mut out = Outbox::default();
        reports.timeout(now, &mut out);
        let compounds = out.drain().into_iter().map(|packet| match packet {
            Packet::Rtcp(parts) => parts,
            other => panic!("{other:?}"),
        });
        compounds
            .map(|parts| {
                assert!(parts[1].as_any().is::<SourceDescription>());
                let report = parts[0].as_any().downcast_ref::<SenderReport>();
                report.unwrap().clone()
            })
            .collect()
    }

    #[test]
    fn audio_and_video_pair_the_same_wall_clock_with_the_same_room_time_however_late_packets_were()
    {
        let start = Instant::now();
        let mut reports = stage(start);
        send(&mut reports, AUDIO, start + ms(5_000));
        send(&mut reports, VIDEO, start + ms(5_043));

        let sent = reports_at(&mut reports, start + ms(5_100));

        let [audio, video] = &sent[..] else {
            panic!("{sent:?}")
        };
        assert_eq!((audio.ssrc, video.ssrc), (AUDIO, VIDEO));
        assert_eq!(audio.ntp_time, video.ntp_time);
        let since_start =
            |report: &SenderReport| report.rtp_time.wrapping_sub(timestamp_offset(report.ssrc));
        assert_eq!(since_start(audio), 5_100 * 48);
        assert_eq!(since_start(video), 5_100 * 90);
    }

    #[test]
    fn reports_begin_with_the_first_packet_and_then_come_every_second() {
        let start = Instant::now();
        let mut reports = stage(start);
        assert_eq!(reports.wake(), None);

        send(&mut reports, AUDIO, start);

        assert_eq!(reports.wake(), Some(start + ms(100)));
        assert_eq!(reports_at(&mut reports, start + ms(99)), []);
        let sent = reports_at(&mut reports, start + ms(100));
        assert_eq!(sent.len(), 1, "nothing was sent of the video");
        assert_eq!((sent[0].packet_count, sent[0].octet_count), (1, 100));
        assert_eq!(reports.wake(), Some(start + ms(1_100)));
    }

    #[test]
    fn timestamps_wrap_after_days_as_those_of_the_packets_do() {
        let start = Instant::now();
        let mut reports = stage(start);
        // 2^32 ticks of 90 kHz are 47,721.858 s.
        let now = start + ms(47_722_000);
        send(&mut reports, VIDEO, now - ms(200));

        let sent = reports_at(&mut reports, now);

        let ticks = sent[0].rtp_time.wrapping_sub(timestamp_offset(VIDEO));
        assert_eq!(u64::from(ticks), 47_722_000 * 90 - (1 << 32));
    }
}
