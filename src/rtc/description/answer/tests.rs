//! Offers in the styles of those who make them, answered by a real connection.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::mpsc;

use crate::link::Link;
use crate::rtc::description::offer::Flow;
use crate::rtc::{
    IceCredentials, MediaAddress, MediaPorts, Offer, OfferError, OneWay, Rtc, TransportEvent,
};

const FINGERPRINT: &str = "sha-256 \
    4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B:19:E5:7C:AB:4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF";

/// OBS over libdatachannel: all of it bundled, streams announced, a payload type for each codec.
const OBS: &str = "v=0\n\
o=rtc 3767197920 0 IN IP4 127.0.0.1\n\
s=-\n\
t=0 0\n\
a=group:BUNDLE 0 1\n\
a=group:LS 0 1\n\
a=msid-semantic:WMS *\n\
a=setup:actpass\n\
a=ice-ufrag:Bf5g\n\
a=ice-pwd:2XrWzUxXmJ1qDmQ1sYqZkR\n\
a=ice-options:ice2,trickle\n\
a=fingerprint:FINGERPRINT\n\
m=audio 57341 UDP/TLS/RTP/SAVPF 111\n\
c=IN IP4 192.0.2.1\n\
a=mid:0\n\
a=sendonly\n\
a=ssrc:1 cname:obs\n\
a=ssrc:1 msid:stream audio\n\
a=msid:stream audio\n\
a=rtcp-mux\n\
a=rtpmap:111 opus/48000/2\n\
a=fmtp:111 minptime=10;maxaveragebitrate=96000;stereo=1;sprop-stereo=1;useinbandfec=1\n\
a=candidate:1 1 UDP 2122317823 192.0.2.1 57341 typ host\n\
a=end-of-candidates\n\
m=video 57341 UDP/TLS/RTP/SAVPF 96\n\
c=IN IP4 192.0.2.1\n\
a=mid:1\n\
a=sendonly\n\
a=ssrc:2 cname:obs\n\
a=ssrc:2 msid:stream video\n\
a=msid:stream video\n\
a=rtcp-mux\n\
a=rtpmap:96 VP8/90000\n\
a=rtcp-fb:96 nack\n\
a=rtcp-fb:96 nack pli\n\
a=rtcp-fb:96 goog-remb\n";

/// GStreamer: many codecs with resends and FEC, resends announced apart, mDNS and TCP candidates,
/// extensions that nobody knows.
const GSTREAMER: &str = "v=0\n\
o=- 5829479430478 0 IN IP4 0.0.0.0\n\
s=-\n\
t=0 0\n\
a=ice-options:trickle\n\
a=group:BUNDLE video0 audio1\n\
m=video 9 UDP/TLS/RTP/SAVPF 98 97 96 100 101 102\n\
c=IN IP4 0.0.0.0\n\
a=setup:actpass\n\
a=ice-ufrag:pM0VXFIsnPGiO8q2\n\
a=ice-pwd:8kR9pL2vXq7TzN4sYbC1mD6f\n\
a=rtcp-mux\n\
a=rtcp-rsize\n\
a=sendonly\n\
a=rtpmap:98 H264/90000\n\
a=fmtp:98 packetization-mode=1;profile-level-id=42e01f\n\
a=rtpmap:97 AV1/90000\n\
a=rtpmap:96 VP8/90000\n\
a=rtcp-fb:* nack\n\
a=rtcp-fb:* ccm fir\n\
a=rtcp-fb:96 nack pli\n\
a=rtcp-fb:96 transport-cc\n\
a=rtpmap:100 red/90000\n\
a=rtpmap:101 ulpfec/90000\n\
a=rtpmap:102 rtx/90000\n\
a=fmtp:102 apt=96;rtx-time=3000\n\
a=extmap:1 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01\n\
a=extmap:2/sendonly urn:ietf:params:rtp-hdrext:ssrc-audio-level vad=on\n\
a=extmap:9999999 not a number that there is\n\
a=ssrc-group:FID 3105520143 1421873390\n\
a=ssrc:3105520143 msid:user0 webrtctransceiver0\n\
a=ssrc:3105520143 cname:user0\n\
a=ssrc:1421873390 cname:user0\n\
a=mid:video0\n\
a=fingerprint:FINGERPRINT\n\
a=candidate:1 1 UDP 2015363327 c8d1d0a6-4f6c-4e6e-a8c5-c7d5e7b0f3de.local 41234 typ host\n\
a=candidate:2 1 TCP 1015021823 127.0.0.1 9 typ host tcptype active\n\
a=candidate:3 1 UDP 2015363327 127.0.0.1 41234 typ host\n\
a=candidate:4 2 UDP 2015363326 127.0.0.1 41235 typ host\n\
a=candidate:nonsense\n\
m=audio 9 UDP/TLS/RTP/SAVPF 103 0 8\n\
c=IN IP4 0.0.0.0\n\
a=bundle-only\n\
a=setup:actpass\n\
a=ice-ufrag:pM0VXFIsnPGiO8q2\n\
a=ice-pwd:8kR9pL2vXq7TzN4sYbC1mD6f\n\
a=rtcp-mux\n\
a=sendonly\n\
a=rtpmap:103 OPUS/48000/2\n\
a=fmtp:103 sprop-maxcapturerate=48000;sprop-stereo=0;usedtx=1;useinbandfec=0\n\
a=ssrc:99 cname:user0\n\
a=mid:audio1\n\
a=fingerprint:FINGERPRINT\n";

/// ffmpeg's WHIP muxer: a server of DTLS that sends, credentials in each section, and as one would
/// write it by hand.
const FFMPEG: &str = "v=0\r\n\
o=FFmpeg 4489045141692799359 2 IN IP4 127.0.0.1\r\n\
s=FFmpegPublishSession\r\n\
t=0 0\r\n\
a=group:BUNDLE 0 1\r\n\
a=extmap-allow-mixed\r\n\
a=msid-semantic: WMS\r\n\
m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n\
c=IN IP4 0.0.0.0\r\n\
a=ice-ufrag:1d5c5ae6\r\n\
a=ice-pwd:1eff3ee51e1b4c4a1b4c4a1b4c4a1b4c\r\n\
a=fingerprint:FINGERPRINT\r\n\
a=setup:passive\r\n\
a=mid:0\r\n\
a=sendonly\r\n\
a=msid:FFmpeg audio\r\n\
a=rtcp-mux\r\n\
a=rtpmap:111 opus/48000/2\r\n\
a=ssrc:4267647086 cname:FFmpeg\r\n\
a=ssrc:4267647086 msid:FFmpeg audio\r\n\
m=video 9 UDP/TLS/RTP/SAVPF 106\r\n\
c=IN IP4 0.0.0.0\r\n\
a=ice-ufrag:1d5c5ae6\r\n\
a=ice-pwd:1eff3ee51e1b4c4a1b4c4a1b4c4a1b4c\r\n\
a=fingerprint:FINGERPRINT\r\n\
a=setup:passive\r\n\
a=mid:1\r\n\
a=sendonly\r\n\
a=msid:FFmpeg video\r\n\
a=rtcp-mux\r\n\
a=rtcp-rsize\r\n\
a=rtpmap:106 VP8/90000\r\n\
a=rtcp-fb:106 nack\r\n\
a=ssrc:107169110 cname:FFmpeg\r\n\
a=ssrc:107169110 msid:FFmpeg video\r\n";

/// An encoder of a phone: strictly one bundle (RFC 9725 §4.4), layers of a picture, no streams
/// announced, a data channel beside.
const LARIX: &str = "v=0\r\n\
o=- 7596991810024734139 2 IN IP4 127.0.0.1\r\n\
s=-\r\n\
t=0 0\r\n\
a=group:BUNDLE 0 1 2\r\n\
a=extmap-allow-mixed\r\n\
m=audio 9 UDP/TLS/RTP/SAVPF 111 63 9 0 8 13 110\r\n\
c=IN IP4 0.0.0.0\r\n\
a=rtcp:9 IN IP4 0.0.0.0\r\n\
a=ice-ufrag:h+XE\r\n\
a=ice-pwd:r4d/NnN1p8zJ9uRkH2bYqVvC\r\n\
a=fingerprint:sha-1 4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B:19:E5:7C:AB\r\n\
a=fingerprint:FINGERPRINT\r\n\
a=setup:active\r\n\
a=mid:0\r\n\
a=sendonly\r\n\
a=msid:- mic\r\n\
a=rtcp-mux\r\n\
a=rtcp-mux-only\r\n\
a=rtpmap:111 opus/48000/2\r\n\
a=rtcp-fb:111 transport-cc\r\n\
a=rtpmap:63 red/48000/2\r\n\
a=fmtp:63 111/111\r\n\
a=rtpmap:110 telephone-event/48000\r\n\
m=video 0 UDP/TLS/RTP/SAVPF 45 46 120 124\r\n\
c=IN IP4 0.0.0.0\r\n\
a=bundle-only\r\n\
a=mid:1\r\n\
a=sendonly\r\n\
a=msid:- camera\r\n\
a=rtcp-mux\r\n\
a=rtpmap:45 VP9/90000\r\n\
a=rtpmap:46 rtx/90000\r\n\
a=fmtp:46 apt=45\r\n\
a=rtpmap:120 VP8/90000\r\n\
a=fmtp:120 max-fs=12288;max-fr=60\r\n\
a=rtpmap:124 rtx/90000\r\n\
a=fmtp:124 apt=120\r\n\
a=rid:h send\r\n\
a=rid:l send\r\n\
a=simulcast:send h;l\r\n\
m=application 0 UDP/DTLS/SCTP webrtc-datachannel\r\n\
c=IN IP4 0.0.0.0\r\n\
a=bundle-only\r\n\
a=mid:2\r\n\
a=sctp-port:5000\r\n";

/// A peer that says as little as it may: no names, no directions, no bundle.
const TERSE: &str = "v=0\r\n\
o=- 1 1 IN IP6 ::1\r\n\
s= \r\n\
t=0 0\r\n\
a=ice-lite\r\n\
a=ice-ufrag:abcd\r\n\
a=ice-pwd:abcdefghijklmnopqrstuv\r\n\
a=fingerprint:FINGERPRINT\r\n\
m=audio 4000 UDP/TLS/RTP/SAVPF 96\r\n\
c=IN IP6 ::1\r\n\
a=rtpmap:96 opus/48000/2\r\n\
a=maxptime:60\r\n\
m=video 4002 UDP/TLS/RTP/SAVPF 97\r\n\
c=IN IP6 ::1\r\n\
a=rtpmap:97 VP8/90000\r\n";

/// An encoder with a group for each of its streams, under the same payload type, and what of the
/// session is said once.
const HARDWARE: &str = "v=0\r\n\
o=- 7 1 IN IP4 127.0.0.1\r\n\
s=-\r\n\
t=0 0\r\n\
a=group:BUNDLE v\r\n\
a=group:BUNDLE a\r\n\
a=fingerprint:FINGERPRINT\r\n\
a=ice-pwd:abcdefghijklmnopqrstuv\r\n\
m=video 5000 UDP/TLS/RTP/SAVPF 96\r\n\
c=IN IP4 127.0.0.1\r\n\
a=mid:v\r\n\
a=ice-ufrag:seen\r\n\
a=setup:actpass\r\n\
a=rtcp-mux\r\n\
a=sendonly\r\n\
a=rtpmap:96 VP8/90000\r\n\
a=candidate:1 1 udp 1 127.0.0.1 5000 typ host\r\n\
m=application 5004 UDP/DTLS/SCTP webrtc-datachannel\r\n\
c=IN IP4 127.0.0.1\r\n\
a=mid:d\r\n\
m=audio 5002 UDP/TLS/RTP/SAVPF 96\r\n\
c=IN IP4 127.0.0.1\r\n\
a=mid:a\r\n\
a=ice-ufrag:heard\r\n\
a=setup:active\r\n\
a=rtcp-mux\r\n\
a=sendonly\r\n\
a=rtpmap:96 opus/48000/2\r\n\
a=candidate:1 1 udp 1 127.0.0.1 5002 typ host\r\n\
m=video 5006 UDP/TLS/RTP/SAVPF 96\r\n\
c=IN IP4 127.0.0.1\r\n\
a=mid:w\r\n\
a=ice-ufrag:other\r\n\
a=setup:actpass\r\n\
a=sendonly\r\n\
a=rtpmap:96 VP8/90000\r\n";

/// One that would take each section in a bundle or not, and gives each an address of its own
/// (RFC 8829 §4.1.1, max-compat).
const COMPATIBLE: &str = "v=0\r\n\
o=- 1 1 IN IP4 127.0.0.1\r\n\
s=-\r\n\
t=0 0\r\n\
a=group:BUNDLE a v\r\n\
m=audio 4000 RTP/SAVPF 0 96\r\n\
c=IN IP4 127.0.0.1\r\n\
a=mid:a\r\n\
a=ice-ufrag:audio\r\n\
a=ice-pwd:abcdefghijklmnopqrstuv\r\n\
a=fingerprint:FINGERPRINT\r\n\
a=setup:actpass\r\n\
a=rtcp-mux\r\n\
a=rtpmap:96 opus/48000/2\r\n\
a=candidate:1 1 udp 1 127.0.0.1 4000 typ host\r\n\
m=video 4002 RTP/SAVPF 97\r\n\
c=IN IP4 127.0.0.1\r\n\
a=mid:v\r\n\
a=ice-ufrag:video\r\n\
a=ice-pwd:vwxyzvwxyzvwxyzvwxyzvw\r\n\
a=fingerprint:FINGERPRINT\r\n\
a=setup:actpass\r\n\
a=rtcp-mux\r\n\
a=recvonly\r\n\
a=rtpmap:97 VP8/90000\r\n\
a=candidate:1 1 udp 1 127.0.0.1 4002 typ host\r\n";

fn transports() -> Rtc {
    Rtc::bind(&MediaAddress {
        ip: Ipv4Addr::LOCALHOST.into(),
        ports: MediaPorts::Shared(0),
        announce: None,
    })
    .unwrap()
}

fn offered(sdp: &str) -> Result<Offer, OfferError> {
    Offer::parse(sdp.replace("FINGERPRINT", FINGERPRINT))
}

async fn answered(rtc: &Rtc, offer: Offer) -> Result<String, OfferError> {
    let link = Arc::new(Link::new(Instant::now()));
    let (events, _told) = mpsc::channel(64);
    let (transport, _) = rtc.answer(offer, link, events).await?;
    transport.whole_answer().await
}

/// For each section its first line and those attributes that are negotiated.
fn essence(answer: &str) -> Vec<String> {
    let wanted = [
        "a=mid:",
        "a=setup:",
        "a=rtpmap:",
        "a=extmap:",
        "a=rtcp-mux",
        "a=rid",
        "a=simulcast",
    ];
    let directions = ["a=sendrecv", "a=sendonly", "a=recvonly", "a=inactive"];
    let mut essence = Vec::new();
    for line in answer.lines() {
        let is_wanted = wanted.iter().any(|it| line.starts_with(it)) || directions.contains(&line);
        if let Some(media) = line.strip_prefix("m=") {
            essence.push(media.to_owned());
        } else if let (Some(section), true) = (essence.last_mut(), is_wanted) {
            section.push(' ');
            section.push_str(line.trim_start_matches("a="));
        } else if line.starts_with("a=group:") {
            essence.push(line.to_owned());
        }
    }
    essence
}

#[tokio::test]
async fn those_who_send_are_answered_section_by_section_in_their_own_terms() {
    let rtc = transports();
    let rows: [(&str, &[&str]); 7] = [
        (
            OBS,
            &[
                "a=group:BUNDLE 0 1",
                "audio 9 UDP/TLS/RTP/SAVPF 111 setup:active mid:0 rtcp-mux \
                 rtpmap:111 opus/48000/2 recvonly",
                "video 9 UDP/TLS/RTP/SAVPF 96 setup:active mid:1 rtcp-mux \
                 rtpmap:96 VP8/90000 recvonly",
            ],
        ),
        (
            GSTREAMER,
            &[
                "a=group:BUNDLE video0 audio1",
                "video 9 UDP/TLS/RTP/SAVPF 96 102 setup:active mid:video0 rtcp-mux \
                 rtpmap:96 VP8/90000 rtpmap:102 rtx/90000 extmap:1 \
                 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01 recvonly",
                "audio 9 UDP/TLS/RTP/SAVPF 103 setup:active mid:audio1 rtcp-mux \
                 rtpmap:103 opus/48000/2 recvonly",
            ],
        ),
        (
            FFMPEG,
            &[
                "a=group:BUNDLE 0 1",
                "audio 9 UDP/TLS/RTP/SAVPF 111 setup:active mid:0 rtcp-mux \
                 rtpmap:111 opus/48000/2 recvonly",
                "video 9 UDP/TLS/RTP/SAVPF 106 setup:active mid:1 rtcp-mux \
                 rtpmap:106 VP8/90000 recvonly",
            ],
        ),
        (
            LARIX,
            &[
                "a=group:BUNDLE 0 1",
                "audio 9 UDP/TLS/RTP/SAVPF 111 setup:passive mid:0 rtcp-mux \
                 rtpmap:111 opus/48000/2 recvonly",
                "video 9 UDP/TLS/RTP/SAVPF 120 setup:passive mid:1 rtcp-mux \
                 rtpmap:120 VP8/90000 recvonly",
                "application 0 UDP/DTLS/SCTP webrtc-datachannel mid:2 inactive setup:passive",
            ],
        ),
        (
            TERSE,
            &[
                "audio 9 UDP/TLS/RTP/SAVPF 96 setup:passive rtpmap:96 opus/48000/2 recvonly",
                "video 9 UDP/TLS/RTP/SAVPF 97 setup:passive rtpmap:97 VP8/90000 recvonly",
            ],
        ),
        (
            HARDWARE,
            &[
                "a=group:BUNDLE v",
                "a=group:BUNDLE a",
                "video 9 UDP/TLS/RTP/SAVPF 96 setup:active mid:v rtcp-mux rtpmap:96 VP8/90000 recvonly",
                "application 0 UDP/DTLS/SCTP webrtc-datachannel mid:d inactive setup:active",
                "audio 9 UDP/TLS/RTP/SAVPF 96 setup:passive mid:a rtcp-mux rtpmap:96 opus/48000/2 recvonly",
                "video 0 UDP/TLS/RTP/SAVPF 96 mid:w inactive setup:active",
            ],
        ),
        (
            COMPATIBLE,
            &[
                "a=group:BUNDLE a v",
                "audio 9 RTP/SAVPF 96 setup:active mid:a rtcp-mux rtpmap:96 opus/48000/2 recvonly",
                "video 9 RTP/SAVPF 97 setup:active mid:v rtcp-mux rtpmap:97 VP8/90000 inactive",
            ],
        ),
    ];

    for (sdp, expected) in rows {
        let offer = offered(sdp).unwrap().only(OneWay::ToUs).unwrap();
        let answer = answered(&rtc, offer).await.unwrap();

        assert_eq!(essence(&answer), expected, "{sdp}\n{answer}");
        let legs = if [TERSE, HARDWARE].contains(&sdp) {
            2
        } else {
            1
        };
        let matches = |text: &str| answer.matches(text).count();
        assert_eq!(matches("\r\na=candidate:"), legs, "{answer}");
        assert_eq!(matches("\r\na=end-of-candidates\r\n"), legs, "{answer}");
        assert_eq!(matches("\r\na=fingerprint:"), 1, "{answer}");
    }
}

#[tokio::test]
async fn those_who_receive_are_sent_what_they_take() {
    let rtc = transports();
    let receiving = |sdp: &str| sdp.replace("a=sendonly", "a=recvonly");
    let rows = [
        (receiving(OBS), ["sendonly", "sendonly"].as_slice()),
        (receiving(GSTREAMER), &["sendonly", "sendonly"]),
        (receiving(FFMPEG), &["sendonly", "sendonly"]),
        (receiving(LARIX), &["sendonly", "sendonly", "inactive"]),
        (TERSE.to_owned(), &["sendonly", "sendonly"]),
        (
            receiving(HARDWARE),
            &["sendonly", "inactive", "sendonly", "inactive"],
        ),
        (COMPATIBLE.to_owned(), &["sendonly", "sendonly"]),
    ];

    for (sdp, expected) in rows {
        let offer = offered(&sdp).unwrap().only(OneWay::FromUs).unwrap();
        let answer = answered(&rtc, offer).await.unwrap();

        let essence = essence(&answer);
        let sections = essence.iter().filter(|it| !it.starts_with("a=group"));
        let is_direction = |word: &&str| Flow::named(word).is_some();
        let directions: Vec<_> = sections
            .filter_map(|it| it.split(' ').find(is_direction))
            .collect();
        assert_eq!(directions, expected, "{sdp}\n{answer}");
    }
}

#[tokio::test]
async fn a_section_that_goes_nowhere_is_answered_so() {
    let rtc = transports();
    let sdp = OBS.replacen("a=sendonly", "a=inactive", 1);

    let answer = answered(&rtc, offered(&sdp).unwrap()).await.unwrap();

    let essence = essence(&answer);
    assert!(essence[1].ends_with("inactive"), "{answer}");
    assert!(essence[2].ends_with("recvonly"), "{answer}");
}

#[tokio::test]
async fn an_offer_without_what_every_endpoint_has_is_refused_and_not_failed() {
    let rtc = transports();
    let rows = [
        ("a=ice-ufrag:Bf5g\n", ""),
        ("a=ice-pwd:2XrWzUxXmJ1qDmQ1sYqZkR\n", ""),
        ("a=fingerprint:FINGERPRINT\n", "a=fingerprint:sha-1 4A:AD\n"),
    ];

    for (line, instead) in rows {
        let offer = offered(&OBS.replace(line, instead)).unwrap();

        let refused = answered(&rtc, offer).await;

        assert!(
            matches!(refused, Err(OfferError::Refused(_))),
            "{refused:?}"
        );
    }
}

fn restarted(offer: &Offer, said: &[(Option<&str>, &str)]) -> Option<Offer> {
    let credentials: Vec<IceCredentials> = said
        .iter()
        .map(|(mid, ufrag)| IceCredentials {
            mid: mid.map(str::to_owned),
            ufrag: (*ufrag).to_owned(),
            password: "0123456789abcdefghijkl".to_owned(),
        })
        .collect();
    offer.restarted(&credentials)
}

/// What lines of the answer that begin so say behind that.
fn values<'a>(answer: &'a str, prefix: &'a str) -> Vec<&'a str> {
    let lines = answer.lines();
    lines.filter_map(|line| line.strip_prefix(prefix)).collect()
}

#[tokio::test]
async fn ice_is_restarted_with_other_credentials_over_the_same_leg_and_only_there() {
    let rtc = transports();
    let rows: [(&str, &[_], [bool; 2]); 5] = [
        (LARIX, &[(None, "other")], [true, true]),
        (LARIX, &[(Some("1"), "other")], [true, true]),
        (HARDWARE, &[(None, "other")], [true, true]),
        (
            HARDWARE,
            &[(Some("a"), "other"), (Some("v"), "seen")],
            [false, true],
        ),
        (
            HARDWARE,
            &[(Some("v"), "other"), (None, "heard")],
            [true, false],
        ),
    ];

    for (sdp, said, changed) in rows {
        let offer = offered(sdp).unwrap().only(OneWay::ToUs).unwrap();
        let link = Arc::new(Link::new(Instant::now()));
        let (events, _told) = mpsc::channel(64);
        let (transport, first) = rtc.answer(offer.clone(), link, events).await.unwrap();

        let again = restarted(&offer, said).unwrap();
        let second = transport.answer_again(again).await.unwrap();

        let of_served = |answer| {
            let all = values(answer, "a=ice-ufrag:");
            [all[0], all[if sdp == HARDWARE { 2 } else { 1 }]].map(str::to_owned)
        };
        let pairs = of_served(&first).into_iter().zip(of_served(&second));
        let are_others: Vec<_> = pairs.map(|(first, second)| first != second).collect();
        assert_eq!(are_others, changed, "{said:?}\n{second}");
        let fingerprints = |answer| values(answer, "a=fingerprint:").join(" ");
        assert_eq!(fingerprints(&first), fingerprints(&second));
        assert_eq!(essence(&first), essence(&second));
    }
}

#[test]
fn who_says_the_credentials_there_are_restarts_nothing() {
    let offer = offered(HARDWARE).unwrap();
    let rows: [&[_]; 3] = [
        &[],
        &[(Some("a"), "heard"), (Some("v"), "seen")],
        &[(Some("d"), "other"), (Some("nobody"), "other")],
    ];

    for said in rows {
        assert!(restarted(&offer, said).is_none(), "{said:?}");
    }
}

#[tokio::test]
async fn a_candidate_goes_to_the_leg_of_its_section() {
    let offer = offered(HARDWARE).unwrap();
    let rows = [
        ((Some("v"), None), Some(0)),
        ((Some("a"), Some(0)), Some(1)),
        ((None, Some(2)), Some(1)),
        ((Some(""), Some(2)), Some(1)),
        ((None, None), Some(0)),
        ((Some("w"), None), None),
        ((Some("nobody"), None), None),
        ((None, Some(99)), None),
    ];
    for ((mid, index), expected) in rows {
        assert_eq!(offer.leg_for(mid, index), expected, "{mid:?} {index:?}");
    }

    let bundled = offered(OBS).unwrap();

    for mid in [None, Some("1"), Some("nobody")] {
        assert_eq!(bundled.leg_for(mid, None), Some(0), "{mid:?}");
    }
}

#[tokio::test]
async fn our_candidates_say_of_which_section_they_are() {
    let rtc = transports();
    let link = Arc::new(Link::new(Instant::now()));
    let (events, mut told) = mpsc::channel(64);
    let offer = offered(HARDWARE).unwrap();

    let (_transport, _) = rtc.answer(offer, link, events).await.unwrap();

    let mut places = Vec::new();
    while places.len() < 2 {
        if let Some(TransportEvent::Candidate(candidate)) = told.recv().await
            && candidate.candidate.contains(" udp ")
        {
            places.push((candidate.sdp_mid, candidate.sdp_m_line_index));
        }
    }
    places.sort();
    let expected = [("a", 2), ("v", 0)];
    assert_eq!(
        places,
        expected.map(|(mid, at)| (Some(mid.to_owned()), Some(at)))
    );
}

#[tokio::test]
async fn a_further_offer_is_answered_over_the_legs_there_are() {
    let rtc = transports();
    let audio_only = HARDWARE.replace("m=video 5000", "m=video 0");
    let rows = [
        // The same again, and without one of the two.
        (HARDWARE.to_owned(), HARDWARE.to_owned(), Some([true, true])),
        (
            HARDWARE.to_owned(),
            audio_only.replace("m=video 5006", "m=video 0"),
            Some([false, true]),
        ),
        // One more, for which there is no leg.
        (
            audio_only.replace("m=video 5006", "m=video 0"),
            HARDWARE.to_owned(),
            Some([false, true]),
        ),
        // Both in one, which were in two.
        (
            HARDWARE.to_owned(),
            HARDWARE.replacen(
                "a=group:BUNDLE v\r\na=group:BUNDLE a",
                "a=group:BUNDLE v a",
                1,
            ),
            None,
        ),
    ];

    for (first, second, expected) in rows {
        let link = Arc::new(Link::new(Instant::now()));
        let (events, _told) = mpsc::channel(64);
        let (transport, _) = rtc
            .answer(offered(&first).unwrap(), link, events)
            .await
            .unwrap();

        let answer = transport.answer_again(offered(&second).unwrap()).await;

        let served = answer.ok().map(|answer| {
            let video = answer.contains("m=video 9 ");
            [video, answer.contains("m=audio 9 ")]
        });
        assert_eq!(served, expected, "{second}");
    }
}

#[test]
fn how_much_sound_a_packet_may_hold_is_read() {
    assert_eq!(offered(TERSE).unwrap().max_packet_ms, Some(60));
    assert_eq!(offered(OBS).unwrap().max_packet_ms, None);
}
