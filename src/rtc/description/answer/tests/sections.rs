//! What is said of each section.

use super::styles::{COMPATIBLE, FFMPEG, GSTREAMER, HARDWARE, LARIX, OBS, TERSE};
use super::{answered, essence, offered, transports};
use crate::rtc::description::offer::Flow;
use crate::rtc::{OfferError, OneWay};

/// What is said of sound that comes as most have it.
fn opus(payload_type: u8, setup: &str, mid: &str) -> String {
    usual("audio", (payload_type, "opus/48000/2"), setup, mid)
}

/// What is said of a picture that comes as most have it.
fn vp8(payload_type: u8, setup: &str, mid: &str) -> String {
    usual("video", (payload_type, "VP8/90000"), setup, mid)
}

fn usual(kind: &str, (payload_type, codec): (u8, &str), setup: &str, mid: &str) -> String {
    format!(
        "{kind} 9 UDP/TLS/RTP/SAVPF {payload_type} setup:{setup} mid:{mid} rtcp-mux \
         rtpmap:{payload_type} {codec} recvonly"
    )
}

#[tokio::test]
async fn those_who_send_are_answered_section_by_section_in_their_own_terms() {
    let rtc = transports();
    let rows = [
        (
            OBS,
            vec![
                "a=group:BUNDLE 0 1".to_owned(),
                opus(111, "active", "0"),
                vp8(96, "active", "1"),
            ],
        ),
        (
            GSTREAMER,
            vec![
                "a=group:BUNDLE video0 audio1".to_owned(),
                "video 9 UDP/TLS/RTP/SAVPF 96 102 setup:active mid:video0 rtcp-mux \
                 rtpmap:96 VP8/90000 rtpmap:102 rtx/90000 extmap:1 \
                 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01 recvonly"
                    .to_owned(),
                opus(103, "active", "audio1"),
            ],
        ),
        (
            FFMPEG,
            vec![
                "a=group:BUNDLE 0 1".to_owned(),
                opus(111, "active", "0"),
                vp8(106, "active", "1"),
            ],
        ),
        (
            LARIX,
            vec![
                "a=group:BUNDLE 0 1".to_owned(),
                opus(111, "passive", "0"),
                vp8(120, "passive", "1"),
                "application 0 UDP/DTLS/SCTP webrtc-datachannel mid:2 inactive setup:passive"
                    .to_owned(),
            ],
        ),
        (
            TERSE,
            vec![
                "audio 9 UDP/TLS/RTP/SAVPF 96 setup:passive rtpmap:96 opus/48000/2 recvonly"
                    .to_owned(),
                "video 9 UDP/TLS/RTP/SAVPF 97 setup:passive rtpmap:97 VP8/90000 recvonly"
                    .to_owned(),
            ],
        ),
        (
            HARDWARE,
            vec![
                "a=group:BUNDLE v".to_owned(),
                "a=group:BUNDLE a".to_owned(),
                vp8(96, "active", "v"),
                "application 0 UDP/DTLS/SCTP webrtc-datachannel mid:d inactive setup:active"
                    .to_owned(),
                opus(96, "passive", "a"),
                "video 0 UDP/TLS/RTP/SAVPF 96 mid:w inactive setup:active".to_owned(),
            ],
        ),
        (
            COMPATIBLE,
            vec![
                "a=group:BUNDLE a v".to_owned(),
                "audio 9 RTP/SAVPF 96 setup:active mid:a rtcp-mux rtpmap:96 opus/48000/2 recvonly"
                    .to_owned(),
                "video 9 RTP/SAVPF 97 setup:active mid:v rtcp-mux rtpmap:97 VP8/90000 inactive"
                    .to_owned(),
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

#[test]
fn how_much_sound_a_packet_may_hold_is_read() {
    assert_eq!(offered(TERSE).unwrap().max_packet_ms, Some(60));
    assert_eq!(offered(OBS).unwrap().max_packet_ms, None);
}
