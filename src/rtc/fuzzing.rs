//! What of this module reads bytes from the network, for fuzz targets and property tests.
//!
//! Each function takes any bytes and checks what must hold whatever they are; none may panic. Not
//! part of the daemon: only tests and the feature `fuzzing` have it.

#![expect(
    clippy::missing_panics_doc,
    reason = "to panic is how each of these says that a check failed"
)]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use crossbeam_queue::ArrayQueue;
use mixer::video::Orientation;
use rtc::interceptor::{Packet, RTCPFeedback, RTPHeaderExtension, StreamInfo};
use rtc::rtcp::packet::unmarshal;
use rtc::rtp::header::Header;
use rtc::sdp::extmap::TRANSPORT_CC_URI;
use rtc::shared::marshal::Unmarshal;
use rtc::shared::time::SystemInstant;

use super::description::{
    Direction, IceCredentials, MAX_CANDIDATES, MAX_LEGS, Offer, OneWay, announce, answer,
};
use super::downlink::{Carries, DownlinkMeter, Resender, SenderReports};
use super::stage::{Outbox, Stage};
use super::tap::RtcpTap;
use super::uplink::Asker;
use super::{mux, orientation};
use crate::link::Link;
use crate::signaling::Fragment;

/// The SSRCs of the streams that there are: ours, then theirs and what they resend.
const AUDIO_OUT: u32 = 1;
const VIDEO_OUT: u32 = 2;
const RESENT_OUT: u32 = 3;
const AUDIO_IN: u32 = 4;
const VIDEO_IN: u32 = 5;
const RESENT_IN: u32 = 6;

/// The most packets that one RTCP packet may have us send: those that its NACKs can name, were each
/// of its words a pair of a number and a mask.
const MOST_PER_BYTE: usize = 17;

/// The most packets that one probe may have us send: 50 ms of twice the highest estimate, in the
/// smallest packets there are.
const MOST_PADDING: usize = 2_000;

/// RTCP, and the headers of RTP, as the stages of one transport see them over time.
///
/// The input is a list of operations: what it is, how long it is, and that many bytes.
pub fn rtcp(mut input: &[u8]) {
    let mut now = Instant::now();
    let link = Arc::new(Link::new(now));
    let wall = SystemInstant::now(now);
    let probes = Arc::new(ArrayQueue::new(1));
    let mut stages: [Box<dyn Stage>; 5] = [
        Box::new(RtcpTap::new(Arc::clone(&link))),
        Box::new(DownlinkMeter::new(
            Arc::clone(&link),
            now,
            Arc::clone(&probes),
            Carries::All,
        )),
        Box::new(Resender::new(Arc::clone(&link), probes)),
        Box::new(Asker::new(Arc::clone(&link))),
        Box::new(SenderReports::new(Arc::clone(&link), wall, "fuzz")),
    ];
    for stage in &mut stages {
        bind(stage.as_mut());
    }
    let mut seq = u16::MAX - 3;
    while let [operation, length, rest @ ..] = input {
        let (bytes, rest) = rest.split_at(usize::from(*length).min(rest.len()));
        input = rest;
        let mut out = Outbox::default();
        match operation % 4 {
            0 => {
                if let Ok(parts) = unmarshal(&mut &*bytes) {
                    let packet = Packet::Rtcp(parts);
                    for stage in &mut stages {
                        stage.read(&packet, now, &mut out);
                    }
                }
            }
            1 => {
                let packet = Packet::Rtp(incoming(bytes));
                for stage in &mut stages {
                    stage.read(&packet, now, &mut out);
                }
            }
            2 => {
                seq = seq.wrapping_add(1);
                let mut packet = Packet::Rtp(outgoing(bytes, seq));
                for stage in &mut stages {
                    stage.write(&mut packet, now);
                }
            }
            _ => {
                now += Duration::from_millis(u64::from(*length));
                for stage in &mut stages {
                    stage.timeout(now, &mut out);
                }
            }
        }
        let most = MOST_PADDING + MOST_PER_BYTE * bytes.len();
        assert!(out.len() <= most, "{} packets for {bytes:?}", out.len());
        let path = link.path.snapshot();
        assert!(path.expected_audio_loss_percent <= 100);
    }
}

fn bind(stage: &mut dyn Stage) {
    let info = |ssrc, clock_rate, mime_type: &str| StreamInfo {
        ssrc,
        clock_rate,
        mime_type: mime_type.to_owned(),
        rtcp_feedback: vec![RTCPFeedback {
            typ: "nack".to_owned(),
            parameter: String::new(),
        }],
        rtp_header_extensions: vec![RTPHeaderExtension {
            uri: TRANSPORT_CC_URI.to_owned(),
            id: 3,
        }],
        ..StreamInfo::default()
    };
    stage.bind_local(&info(AUDIO_OUT, 48_000, "audio/opus"));
    stage.bind_local(&StreamInfo {
        ssrc_rtx: Some(RESENT_OUT),
        payload_type_rtx: Some(97),
        ..info(VIDEO_OUT, 90_000, "video/VP8")
    });
    stage.bind_remote(&info(AUDIO_IN, 48_000, "audio/opus"));
    stage.bind_remote(&StreamInfo {
        ssrc_rtx: Some(RESENT_IN),
        ..info(VIDEO_IN, 90_000, "video/VP8")
    });
}

/// A packet of theirs: stream, sequence number and media time are the input's.
fn incoming(bytes: &[u8]) -> rtc::rtp::Packet {
    let mut head = [0; 7];
    let known = bytes.len().min(head.len());
    head[..known].copy_from_slice(&bytes[..known]);
    let [stream, high, low, time @ ..] = head;
    let header = Header {
        version: 2,
        marker: stream >= 128,
        ssrc: u32::from(stream % 8),
        sequence_number: u16::from_be_bytes([high, low]),
        timestamp: u32::from_be_bytes(time),
        ..Header::default()
    };
    let payload = Bytes::copy_from_slice(&bytes[known..]);
    rtc::rtp::Packet { header, payload }
}

/// A packet of ours.
fn outgoing(bytes: &[u8], sequence_number: u16) -> rtc::rtp::Packet {
    let is_audio = bytes.first().is_some_and(|byte| byte % 2 == 0);
    let header = Header {
        version: 2,
        ssrc: if is_audio { AUDIO_OUT } else { VIDEO_OUT },
        sequence_number,
        ..Header::default()
    };
    let payload = Bytes::copy_from_slice(bytes);
    rtc::rtp::Packet { header, payload }
}

/// Datagrams on the media port. The first byte is the sender, the rest the datagram.
pub fn datagram(input: &[u8]) {
    let (from, datagram) = input.split_first().unwrap_or((&0, &[]));
    let from = SocketAddr::from(([127, 0, 0, 1], u16::from(*from)));
    assert!(
        !mux::lets_in(from, datagram),
        "nobody gets in without the password"
    );
}

/// The header of an RTP packet, with extensions of the one-byte, the two-byte or another form
/// (RFC 8285).
pub fn header_extensions(input: &[u8]) {
    let Ok(header) = Header::unmarshal(&mut Bytes::copy_from_slice(input)) else {
        return;
    };
    for number in 0..=u8::MAX {
        let said = orientation::of(&header, number);
        assert!(number != orientation::NOT_NEGOTIATED || said.is_none());
        let upright = said.is_none_or(|said| said == Orientation::UPRIGHT);
        let bytes = header.extensions.iter().find(|it| it.id == number);
        let turning = bytes.is_some_and(|it| it.payload.len() == 1 && it.payload[0] & 7 != 0);
        assert!(number == orientation::NOT_NEGOTIATED || upright != turning);
    }
}

/// An offer, of a session or as the body of a request: whatever it is, the crate is told an offer that
/// means the same, and the answer has a section for each of the offer's.
pub fn offer(input: &[u8]) {
    let Ok(offer) = Offer::parse(String::from_utf8_lossy(input).into_owned()) else {
        return;
    };
    for way in [None, Some(OneWay::ToUs), Some(OneWay::FromUs)] {
        let Ok(offer) = way.map_or_else(|| Ok(offer.clone()), |way| offer.clone().only(way)) else {
            continue;
        };
        let mut told = Vec::new();
        let (mut takes, mut sends) = ([Direction::Unwanted; 2], (false, false));
        for leg in &offer.legs {
            let text = leg.plain.to_string();
            let again = Offer::parse(text.clone()).expect("what the crate is told is an offer");
            let [same] = &again.legs[..] else {
                panic!("what the crate is told has one leg: {text}");
            };
            assert_eq!(
                same.plain.to_string(),
                text,
                "to say it again changes nothing"
            );
            for (takes, again) in takes.iter_mut().zip([again.audio, again.video]) {
                if again == Direction::Wanted {
                    *takes = again;
                }
            }
            sends = (sends.0 || again.sends().0, sends.1 || again.sends().1);
            told.push(text);
        }
        assert!((1..=MAX_LEGS).contains(&told.len()));
        assert_eq!((takes, sends), ([offer.audio, offer.video], offer.sends()));
        // What we are told is as good an answer as any.
        let answer = answer::fitted(&offer, &told);
        let sections = |text: &str| text.lines().filter(|it| it.starts_with("m=")).count();
        assert_eq!(sections(&answer), offer.sections.len(), "{answer}");
    }
}

/// A fragment, as the body of a request.
pub fn fragment(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    if let Ok(fragment) = Fragment::parse(&text) {
        assert!(fragment.candidates.len() <= MAX_CANDIDATES);
        assert!(fragment.credentials.len() <= MAX_CANDIDATES);
        for said in fragment.credentials {
            let IceCredentials {
                ufrag, password, ..
            } = said;
            assert!(ufrag.len() >= 4 && password.len() >= 22);
            let lines = format!("a=ice-ufrag:{ufrag}\r\na=ice-pwd:{password}\r\n");
            assert_eq!(lines.lines().count(), 2, "credentials are words of a line");
        }
    }
    let ours = Fragment::of_answer(&text);
    assert!(ours.len() <= 2 * text.len() + 16, "{ours}");
}

/// A session description or candidate of ours, whose candidates are rewritten: what comes out names
/// no other address, and rewriting it again changes nothing.
pub fn announced(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let address = SocketAddr::from(([203, 0, 113, 7], 10_000));
    let rewritten = announce::description(&text, address);
    for line in rewritten.lines() {
        if let Some(candidate) = line.strip_prefix("a=candidate:") {
            assert!(candidate.contains(" 203.0.113.7 10000 "), "{candidate}");
        }
    }
    assert_eq!(announce::description(&rewritten, address), rewritten);
    let _ = announce::credentials(&text);
    let _ = announce::candidate(&text, address);
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::mangled::mangled;

    const OFFER: &str = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n\
                         a=group:BUNDLE a v\r\na=fingerprint:sha-256 AA:BB\r\n\
                         m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=mid:a\r\n\
                         a=rtpmap:111 opus/48000/2\r\na=ice-ufrag:ours\r\na=ice-pwd:secret\r\n\
                         a=candidate:1 1 udp 1 127.0.0.1 4 typ host\r\na=rtcp-fb:111 nack\r\n\
                         m=video 0 UDP/TLS/RTP/SAVPF 96 97\r\na=rtpmap:96 VP8/90000\r\n\
                         a=mid:v\r\na=bundle-only\r\na=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\n\
                         a=ssrc-group:FID 1 2\r\na=ssrc:1 cname:x\r\na=extmap:3 urn:3gpp:video-orientation\r\n";

    const UNBUNDLED: &str = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n\
                             a=group:BUNDLE a\r\na=group:BUNDLE v\r\n\
                             m=audio 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=mid:a\r\n\
                             a=rtpmap:96 opus/48000/2\r\na=ice-ufrag:ours\r\na=ice-pwd:secret\r\n\
                             m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=rtpmap:96 VP8/90000\r\n\
                             a=mid:v\r\na=ice-ufrag:other\r\na=ice-pwd:secret\r\n\
                             a=candidate:1 1 udp 1 127.0.0.1 4 typ host\r\n";

    const FRAGMENT: &str = "a=ice-ufrag:EsAw\r\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\n\
        m=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\n\
        a=candidate:1 1 udp 2130706431 198.51.100.1 39132 typ host\r\na=end-of-candidates\r\n";

    /// RTCP packets with a plausible head, of kinds 200 to 207 (RFC 3550 §6, RFC 4585 §6).
    fn operations() -> impl Strategy<Value = Vec<u8>> {
        let operation = (0_u8..4, 0_u8..32, 200_u8..208, vec(any::<u32>(), 0..12));
        vec(operation, 0..24).prop_map(|operations| {
            let mut input = Vec::new();
            for (operation, count, kind, words) in operations {
                let length = u8::try_from(words.len()).unwrap();
                input.extend([operation, 4 + 4 * length, 0x80 | count, kind, 0, length]);
                for (n, word) in words.into_iter().enumerate() {
                    // The first words are mostly names of streams.
                    let word = if n < 2 { word % 8 } else { word };
                    input.extend(word.to_be_bytes());
                }
            }
            input
        })
    }

    proptest! {
        #[test]
        fn any_rtcp_in_any_order_is_survived(input in operations()) {
            rtcp(&input);
        }

        #[test]
        fn any_bytes_at_all_are_survived(input in vec(any::<u8>(), 0..300)) {
            rtcp(&input);
            datagram(&input);
            header_extensions(&input);
            offer(&input);
            fragment(&input);
            announced(&input);
        }

        #[test]
        fn any_headers_with_extensions_are_survived(
            profile in prop::sample::select(vec![0xbede_u16, 0x1000, 0x100f, 0]),
            words in vec(any::<[u8; 4]>(), 0..12),
        ) {
            let mut packet = vec![0x90, 96];
            packet.extend([0; 10]);
            packet.extend(profile.to_be_bytes());
            packet.extend(u16::try_from(words.len()).unwrap().to_be_bytes());
            packet.extend(words.as_flattened());
            header_extensions(&packet);
        }

        #[test]
        fn any_nearly_valid_offer_is_survived(input in mangled(&[OFFER])) {
            offer(&input);
            fragment(&input);
            announced(&input);
        }

        #[test]
        fn any_nearly_valid_offer_of_two_legs_is_survived(input in mangled(&[UNBUNDLED])) {
            offer(&input);
        }

        #[test]
        fn any_nearly_valid_fragment_is_survived(input in mangled(&[FRAGMENT])) {
            fragment(&input);
        }
    }

    #[test]
    fn a_valid_offer_is_taken_for_one() {
        for (text, legs) in [(OFFER, 1), (UNBUNDLED, 2)] {
            assert_eq!(Offer::parse(text.to_owned()).unwrap().legs.len(), legs);
        }
    }
}
