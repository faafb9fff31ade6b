//! Answers the participant's requests for packets of ours (RFC 4585 §6.2.1): as a stream of its
//! own where RTX was negotiated (RFC 4588 §4), else as the packet it was.
//!
//! What is resent is decided by [`SentHistory`], one per stream, and counted on the link.
//!
//! The same stream of resends carries the padding of probes: packets that were sent a moment ago,
//! once more. A receiver drops what it has already (RFC 4588 §4), and what it has not, it can use.
//! Without RTX there is no padding, and the estimate grows without probes.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use bytes::{BufMut, BytesMut};
use codecs::rtp::vp8::Descriptor;
use codecs::video::FrameKind;
use codecs::vp8::FrameHeader;
use rtc::interceptor::{Packet, StreamInfo};
use rtc::rtcp::transport_feedbacks::transport_layer_nack::TransportLayerNack;
use rtc::rtp::header::Header;

use super::history::{Answer, SentHistory, wire_bytes};
use super::meter::ProbeOrder;
use super::padding::Padding;
use crate::link::Link;
use crate::rtc::stage::{Outbox, Stage, has_nack, is_audio};

/// The stage that resends.
pub(in crate::rtc) struct Resender {
    link: Arc<Link>,
    /// By SSRC. As many as were negotiated: one audio, one video.
    streams: BTreeMap<u32, Stream>,
    probes: ProbeOrder,
    padding: Padding,
}

struct Stream {
    kind: Kind,
    history: SentHistory,
    rtx: Option<Rtx>,
}

#[derive(PartialEq, Eq)]
enum Kind {
    Audio,
    Vp8,
}

/// The stream that carries what is resent.
struct Rtx {
    ssrc: u32,
    payload_type: u8,
    next_seq: u16,
}

impl Resender {
    /// Sends the probes that come by `probes`.
    pub(in crate::rtc) fn new(link: Arc<Link>, probes: ProbeOrder) -> Self {
        Self {
            link,
            streams: BTreeMap::new(),
            probes,
            padding: Padding::default(),
        }
    }

    fn answer(&mut self, nack: &TransportLayerNack, now: Instant, out: &mut Outbox) {
        let counts = &self.link.path.resends;
        let Some(stream) = self.streams.get_mut(&nack.media_ssrc) else {
            return;
        };
        let round_trip = self.link.path.round_trip();
        stream.history.set_capacity(self.link.path.downlink_bps());
        for seq in nack.nacks.iter().copied().flatten() {
            let count = match stream.history.ask(seq, round_trip, now) {
                Answer::Resend(packet) => {
                    out.resend(stream.wrap(packet), now);
                    &counts.answered
                }
                Answer::TooSoon => &counts.refused_recent,
                Answer::OverShare => &counts.refused_share,
                Answer::Unknown => &counts.unknown,
            };
            count.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Resender {
    fn pad(&mut self, now: Instant, out: &mut Outbox) {
        let order = self.probes.pop();
        let mut streams = self.streams.values_mut();
        let Some(stream) = streams.find(|stream| stream.rtx.is_some()) else {
            self.padding = Padding::default();
            return;
        };
        if let Some(probe) = order {
            self.padding.begin(probe, now);
        }
        let mut due = self.padding.due(now);
        while let Some(packet) = stream.history.pad(due, now) {
            let bytes = wire_bytes(&packet);
            out.resend(stream.wrap(packet), now);
            self.padding.sent(bytes);
            self.link.path.count_padding(bytes);
            due = due.saturating_sub(bytes);
        }
    }
}

impl Stream {
    fn begins_keyframe(&self, payload: &[u8]) -> bool {
        let head = Descriptor::parse(payload)
            .ok()
            .filter(|_| self.kind == Kind::Vp8);
        head.is_some_and(|(descriptor, frame)| {
            let begins = descriptor.starts_partition && descriptor.partition == 0;
            begins && FrameHeader::peek_kind(frame) == Some(FrameKind::Key)
        })
    }

    /// The packet as it is resent (RFC 4588 §4): its payload preceded by its sequence number.
    fn wrap(&mut self, packet: rtc::rtp::Packet) -> rtc::rtp::Packet {
        let Some(rtx) = &mut self.rtx else {
            return packet;
        };
        let header = Header {
            version: 2,
            marker: packet.header.marker,
            payload_type: rtx.payload_type,
            sequence_number: rtx.next_seq,
            timestamp: packet.header.timestamp,
            ssrc: rtx.ssrc,
            ..Header::default()
        };
        rtx.next_seq = rtx.next_seq.wrapping_add(1);
        let mut payload = BytesMut::with_capacity(2 + packet.payload.len());
        payload.put_u16(packet.header.sequence_number);
        payload.put(packet.payload);
        rtc::rtp::Packet {
            header,
            payload: payload.freeze(),
        }
    }
}

impl Stage for Resender {
    fn read(&mut self, packet: &Packet, now: Instant, out: &mut Outbox) {
        let Packet::Rtcp(parts) = packet else { return };
        for part in parts {
            if let Some(nack) = part.as_any().downcast_ref::<TransportLayerNack>() {
                self.answer(nack, now, out);
            }
        }
        self.pad(now, out);
    }

    fn wake(&self) -> Option<Instant> {
        self.padding.wake()
    }

    fn timeout(&mut self, now: Instant, out: &mut Outbox) {
        if self.padding.wake().is_some_and(|wake| wake <= now) {
            self.pad(now, out);
        }
    }

    fn write(&mut self, packet: &mut Packet, now: Instant) {
        if let Packet::Rtp(packet) = packet
            && let Some(stream) = self.streams.get_mut(&packet.header.ssrc)
        {
            if stream.begins_keyframe(&packet.payload) {
                let seq = packet.header.sequence_number;
                stream.history.keyframe_begins(seq);
            }
            stream.history.sent(packet, now);
            self.padding.sent(wire_bytes(packet));
        }
    }

    fn bind_local(&mut self, info: &StreamInfo) {
        if !has_nack(info) {
            return;
        }
        let rtx = info.ssrc_rtx.zip(info.payload_type_rtx);
        let kind = match is_audio(info) {
            true => Kind::Audio,
            false => Kind::Vp8,
        };
        self.streams.entry(info.ssrc).or_insert_with(|| Stream {
            kind,
            history: SentHistory::default(),
            rtx: rtx.map(|(ssrc, payload_type)| Rtx {
                ssrc,
                payload_type,
                next_seq: rand::random(),
            }),
        });
    }

    fn unbind_local(&mut self, info: &StreamInfo) {
        self.streams.remove(&info.ssrc);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::time::Duration;

    use bytes::Bytes;
    use crossbeam_queue::ArrayQueue;
    use proptest::prelude::*;
    use rtc::interceptor::RTCPFeedback;
    use rtc::rtcp::transport_feedbacks::transport_layer_nack::NackPair;

    use super::super::estimate::Probe;
    use super::*;

    const SSRC: u32 = 7;
    const RTX: (u32, u8) = (8, 97);
    const PAYLOAD: &[u8] = &[5; 1_140];

    fn stage(rtx: Option<(u32, u8)>) -> Resender {
        let mut resender = Resender::new(
            Arc::new(Link::new(Instant::now())),
            Arc::new(ArrayQueue::new(1)),
        );
        resender.bind_local(&StreamInfo {
            ssrc: SSRC,
            ssrc_rtx: rtx.map(|(ssrc, _)| ssrc),
            payload_type_rtx: rtx.map(|(_, payload_type)| payload_type),
            rtcp_feedback: vec![RTCPFeedback {
                typ: "nack".to_owned(),
                parameter: String::new(),
            }],
            ..StreamInfo::default()
        });
        resender
    }

    fn sent(seq: u16) -> rtc::rtp::Packet {
        rtc::rtp::Packet {
            header: Header {
                version: 2,
                marker: true,
                payload_type: 96,
                sequence_number: seq,
                timestamp: 1_234,
                ssrc: SSRC,
                ..Header::default()
            },
            payload: Bytes::from_static(PAYLOAD),
        }
    }

    fn send(resender: &mut Resender, seqs: std::ops::Range<u16>, now: Instant) {
        for seq in seqs {
            resender.write(&mut Packet::Rtp(sent(seq)), now);
        }
    }

    fn ask(
        resender: &mut Resender,
        ssrc: u32,
        pair: NackPair,
        now: Instant,
    ) -> Vec<rtc::rtp::Packet> {
        let nack = TransportLayerNack {
            sender_ssrc: 1,
            media_ssrc: ssrc,
            nacks: vec![pair],
        };
        let mut out = Outbox::default();
        resender.read(&Packet::Rtcp(vec![Box::new(nack)]), now, &mut out);
        packets(out)
    }

    /// What is sent for a probe of five packets.
    fn probe(resender: &mut Resender, now: Instant) -> Vec<rtc::rtp::Packet> {
        resender.probes.force_push(Probe {
            bits_per_second: 960_000,
            bytes: 6_000,
        });
        let mut out = Outbox::default();
        resender.read(&Packet::Rtcp(vec![]), now, &mut out);
        while let Some(wake) = resender.wake() {
            resender.timeout(wake, &mut out);
        }
        packets(out)
    }

    fn packets(mut out: Outbox) -> Vec<rtc::rtp::Packet> {
        let packets = out.drain().into_iter().map(|packet| match packet {
            Packet::Rtp(packet) => packet,
            other => panic!("{other:?}"),
        });
        packets.collect()
    }

    #[test]
    fn with_rtx_a_resend_is_a_packet_of_its_own_stream_with_the_original_inside() {
        let now = Instant::now();
        let mut resender = stage(Some(RTX));
        send(&mut resender, 100..140, now);
        let pair = NackPair {
            packet_id: 130,
            lost_packets: 0b10,
        };

        let resent = ask(&mut resender, SSRC, pair, now);

        let [first, second] = &resent[..] else {
            panic!("{resent:?}")
        };
        assert_eq!((first.header.ssrc, first.header.payload_type), RTX);
        assert_eq!((first.header.timestamp, first.header.marker), (1_234, true));
        assert_eq!(first.payload, [&[0, 130], PAYLOAD].concat());
        assert_eq!(second.payload, [&[0, 132], PAYLOAD].concat());
        let next = first.header.sequence_number.wrapping_add(1);
        assert_eq!(second.header.sequence_number, next);
    }

    #[test]
    fn without_rtx_a_resend_is_the_packet_as_it_was() {
        let now = Instant::now();
        let mut resender = stage(None);
        send(&mut resender, 100..140, now);

        let resent = ask(&mut resender, SSRC, NackPair::new(130), now);

        assert_eq!(resent, [sent(130)]);
    }

    #[test]
    fn every_request_is_counted_by_what_became_of_it() {
        let now = Instant::now();
        let mut resender = stage(None);
        send(&mut resender, 0..40, now);
        let all_of_17 = NackPair {
            packet_id: 20,
            lost_packets: u16::MAX,
        };

        ask(&mut resender, SSRC, NackPair::new(500), now);
        ask(&mut resender, SSRC, all_of_17, now);
        ask(&mut resender, SSRC, NackPair::new(20), now);
        ask(&mut resender, 999, NackPair::new(20), now);

        let path = resender.link.path.snapshot();
        assert_eq!((path.resent, path.refused_share), (10, 7));
        assert_eq!((path.refused_recent, path.unknown), (1, 1));
    }

    #[test]
    fn a_stream_bound_again_keeps_its_history_and_a_stream_without_nack_has_none() {
        let now = Instant::now();
        let mut resender = stage(None);
        send(&mut resender, 0..40, now);

        resender.bind_local(&StreamInfo {
            ssrc: SSRC,
            ..StreamInfo::default()
        });
        resender.bind_local(&StreamInfo {
            ssrc: 9,
            ..StreamInfo::default()
        });

        assert_eq!(ask(&mut resender, SSRC, NackPair::new(1), now).len(), 1);
        assert_eq!(ask(&mut resender, 9, NackPair::new(1), now), []);
    }

    #[test]
    fn a_probe_is_filled_with_what_was_sent_before_as_resends() {
        let now = Instant::now();
        let mut resender = stage(Some(RTX));
        send(&mut resender, 0..40, now);

        let padding = probe(&mut resender, now);

        assert!(padding.iter().all(|packet| packet.header.ssrc == RTX.0));
        let seqs: BTreeSet<&[u8]> = padding.iter().map(|packet| &packet.payload[..2]).collect();
        assert_eq!((padding.len(), seqs.len()), (5, 5), "each once");
        assert_eq!(resender.link.path.snapshot().padding_bytes, 6_000);
        assert_eq!(resender.link.path.snapshot().resent, 0);
    }

    #[test]
    fn without_a_stream_of_resends_there_is_no_padding() {
        let now = Instant::now();
        let mut resender = stage(None);
        send(&mut resender, 0..40, now);

        assert_eq!(probe(&mut resender, now), []);
    }

    proptest! {
        /// A request is answered at most once per round trip, so 34 ways to ask for the same
        /// packets never give more of them than there are.
        #[test]
        fn any_requests_resend_each_packet_at_most_once_per_round_trip(
            pairs in prop::collection::vec((any::<u16>(), any::<u16>()), 0..100),
        ) {
            let now = Instant::now();
            let mut resender = stage(None);
            resender.link.path.set_round_trip(Duration::from_millis(500));
            send(&mut resender, 0..64, now);

            let mut resent = Vec::new();
            for (packet_id, lost_packets) in pairs {
                let pair = NackPair { packet_id: packet_id % 80, lost_packets };
                resent.extend(ask(&mut resender, SSRC, pair, now));
            }

            let mut seqs: Vec<u16> = resent.iter().map(|p| p.header.sequence_number).collect();
            seqs.sort_unstable();
            prop_assert!(seqs.windows(2).all(|pair| pair[0] < pair[1]));
            prop_assert!(seqs.len() <= 16);
        }
    }
}
