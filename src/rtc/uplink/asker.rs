//! Asks the participant for video packets that did not come (RFC 4585 §6.2.1), and notes whether
//! audio may be asked for: which audio packet is worth a request is known to its jitter buffer.
//!
//! What comes by RTX counts as come: the crate unwraps it only behind the interceptor chain, so the
//! original sequence number is read here from the payload's head (RFC 4588 §4).
//!
//! Follows at most [`MAX_STREAMS`] streams; when to ask for what is decided by [`Missing`].

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use rtc::interceptor::{Packet, StreamInfo};
use rtc::rtcp::transport_feedbacks::transport_layer_nack::{
    TransportLayerNack, nack_pairs_from_sequence_numbers,
};

use super::missing::Missing;
use crate::link::Link;
use crate::rtc::stage::{Outbox, Stage, has_nack, is_audio};

/// One video stream, and some more of a client that changes its mind.
const MAX_STREAMS: usize = 8;

/// The stage that asks.
pub(in crate::rtc) struct Asker {
    link: Arc<Link>,
    /// Who asks.
    ssrc: u32,
    streams: BTreeMap<u32, Missing>,
    /// From the SSRC of a resending stream to that of its original.
    originals: BTreeMap<u32, u32>,
}

impl Asker {
    pub(in crate::rtc) fn new(link: Arc<Link>) -> Self {
        Self {
            link,
            ssrc: rand::random(),
            streams: BTreeMap::new(),
            originals: BTreeMap::new(),
        }
    }
}

impl Stage for Asker {
    fn read(&mut self, packet: &Packet, now: Instant, _out: &mut Outbox) {
        let Packet::Rtp(packet) = packet else { return };
        let ssrc = packet.header.ssrc;
        if let Some(stream) = self.streams.get_mut(&ssrc) {
            stream.arrived(packet.header.sequence_number, now);
        } else if let Some(original) = self.originals.get(&ssrc)
            && let Some(stream) = self.streams.get_mut(original)
            && let Some(seq) = packet.payload.first_chunk()
        {
            stream.resent(u16::from_be_bytes(*seq));
        }
    }

    fn wake(&self) -> Option<Instant> {
        self.streams.values().filter_map(Missing::wake).min()
    }

    fn timeout(&mut self, now: Instant, out: &mut Outbox) {
        let round_trip = self.link.path.round_trip();
        for (media_ssrc, stream) in &mut self.streams {
            let missing = stream.requests(round_trip, now);
            if missing.is_empty() {
                continue;
            }
            self.link.path.count_requested(missing.len());
            let nack = TransportLayerNack {
                sender_ssrc: self.ssrc,
                media_ssrc: *media_ssrc,
                nacks: nack_pairs_from_sequence_numbers(&missing),
            };
            out.send(vec![Box::new(nack)], now);
        }
    }

    fn bind_remote(&mut self, info: &StreamInfo) {
        // A resending stream is bound like any other; what is lost of it is asked for by the
        // number it had in its original.
        if let Some(rtx) = info.ssrc_rtx
            && self.originals.len() < MAX_STREAMS
        {
            self.originals.insert(rtx, info.ssrc);
            self.streams.remove(&rtx);
        }
        if is_audio(info) {
            self.link.path.set_audio_nack(has_nack(info));
        } else if has_nack(info)
            && !self.originals.contains_key(&info.ssrc)
            && self.streams.len() < MAX_STREAMS
        {
            self.streams.entry(info.ssrc).or_default();
        }
    }

    fn unbind_remote(&mut self, info: &StreamInfo) {
        self.streams.remove(&info.ssrc);
        self.originals.remove(&info.ssrc);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bytes::Bytes;
    use proptest::prelude::*;
    use rtc::interceptor::RTCPFeedback;
    use rtc::rtp::header::Header;

    use super::*;

    const VIDEO: u32 = 7;
    const RTX: u32 = 8;

    fn info(ssrc: u32, ssrc_rtx: Option<u32>) -> StreamInfo {
        StreamInfo {
            ssrc,
            ssrc_rtx,
            mime_type: "video/VP8".to_owned(),
            rtcp_feedback: vec![RTCPFeedback {
                typ: "nack".to_owned(),
                parameter: String::new(),
            }],
            ..StreamInfo::default()
        }
    }

    fn stage() -> Asker {
        let mut asker = Asker::new(Arc::new(Link::new(Instant::now())));
        asker.bind_remote(&info(VIDEO, Some(RTX)));
        // The crate binds the resending stream as one of its own, with its original's codec.
        asker.bind_remote(&info(RTX, None));
        asker
    }

    fn packet(ssrc: u32, seq: u16, payload: &'static [u8]) -> Packet {
        let header = Header {
            ssrc,
            sequence_number: seq,
            ..Header::default()
        };
        let payload = Bytes::from_static(payload);
        Packet::Rtp(rtc::rtp::Packet { header, payload })
    }

    fn asked(asker: &mut Asker, now: Instant) -> Vec<(u32, Vec<u16>)> {
        let mut out = Outbox::default();
        asker.timeout(now, &mut out);
        let compounds = out.drain().into_iter().map(|packet| match packet {
            Packet::Rtcp(parts) => parts,
            other => panic!("{other:?}"),
        });
        compounds
            .map(|parts| {
                let nack = parts[0]
                    .as_any()
                    .downcast_ref::<TransportLayerNack>()
                    .unwrap();
                (
                    nack.media_ssrc,
                    nack.nacks.iter().copied().flatten().collect(),
                )
            })
            .collect()
    }

    #[test]
    fn what_comes_by_rtx_is_not_asked_for_again_and_rtx_itself_never() {
        let start = Instant::now();
        let mut asker = stage();
        let mut out = Outbox::default();
        for seq in [10, 13] {
            asker.read(&packet(VIDEO, seq, b"media"), start, &mut out);
        }
        let wake = asker.wake().unwrap();
        assert_eq!(asked(&mut asker, wake), [(VIDEO, vec![11, 12])]);

        asker.read(&packet(RTX, 500, b"\x00\x0bmedia"), wake, &mut out);
        asker.read(&packet(RTX, 503, b""), wake, &mut out);

        let later = wake + Duration::from_millis(100);
        assert_eq!(asked(&mut asker, later), [(VIDEO, vec![12])]);
        assert_eq!(asker.link.path.snapshot().requested, 3);
    }

    #[test]
    fn audio_is_left_to_its_jitter_buffer_which_may_ask_if_that_was_negotiated() {
        let mut asker = Asker::new(Arc::new(Link::new(Instant::now())));
        let audio = StreamInfo {
            mime_type: "audio/opus".to_owned(),
            ..info(3, None)
        };
        assert_eq!(asker.link.path.audio_round_trip(), None);
        asker.link.path.set_round_trip(Duration::from_millis(20));

        asker.bind_remote(&audio);

        assert!(asker.streams.is_empty());
        let round_trip = asker.link.path.audio_round_trip();
        assert_eq!(round_trip, Some(Duration::from_millis(20)));
    }

    #[test]
    fn the_resending_stream_may_be_bound_before_its_original() {
        let mut asker = Asker::new(Arc::new(Link::new(Instant::now())));

        asker.bind_remote(&info(RTX, None));
        asker.bind_remote(&info(VIDEO, Some(RTX)));

        assert_eq!(asker.streams.keys().copied().collect::<Vec<u32>>(), [VIDEO]);
    }

    proptest! {
        #[test]
        fn any_packets_on_any_streams_are_read_and_little_is_remembered(
            packets in prop::collection::vec((0_u32..20, any::<u16>(), 0_usize..3), 0..200),
        ) {
            let mut now = Instant::now();
            let mut asker = stage();
            let mut out = Outbox::default();
            for (ssrc, seq, length) in packets {
                now += Duration::from_millis(3);
                asker.bind_remote(&info(ssrc, (ssrc % 3 == 0).then_some(ssrc + 100)));
                asker.read(&packet(ssrc, seq, &b"\xff\xffm"[..length]), now, &mut out);
                asker.timeout(now, &mut out);

                prop_assert!(asker.streams.len() <= MAX_STREAMS);
                prop_assert!(asker.originals.len() <= MAX_STREAMS);
                prop_assert!(asker.wake().is_none_or(|wake| wake > now));
            }
        }
    }
}
