//! What the tap hears, and what it adds to our own reports.

use std::io::Cursor;
use std::time::Duration;

use proptest::prelude::*;
use rtc::rtcp::packet::unmarshal;
use rtc::rtcp::transport_feedbacks::transport_layer_nack::nack_pairs_from_sequence_numbers;

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
    tap.write(&mut Packet::Rtcp(vec![Box::new(ours)]), start);

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

    assert_eq!(skew_us(vec![tap(start)], start), Some(40_000));

    // Each over a leg of its own.
    let link = Arc::new(Link::new(start));
    let legs = [0, 1].map(|_| RtcpTap::new(Arc::clone(&link)));
    assert_eq!(skew_us(legs.into(), start), Some(40_000));
}

/// What is measured of an audio stream and a video stream that come by these taps: all by one, or each
/// by its own.
fn skew_us(mut taps: Vec<RtcpTap>, start: Instant) -> Option<i64> {
    let last = taps.len() - 1;
    for (ssrc, clock_rate, mime_type) in [(1, 48_000, "audio/opus"), (2, 90_000, "video/VP8")] {
        let tap = &mut taps[if ssrc == 1 { 0 } else { last }];
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
        read(tap, Box::new(report), start);
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
        let tap = &mut taps[if ssrc == 1 { 0 } else { last }];
        tap.read(&packet, now, &mut Outbox::default());
    }
    taps[0].link.path.skew_us()
}

#[test]
fn reports_of_ours_count_audio_that_came_again_as_lost() {
    let start = Instant::now();
    let mut tap = tap(start);
    tap.bind_remote(&StreamInfo {
        ssrc: 1,
        clock_rate: 48_000,
        mime_type: "audio/opus".to_owned(),
        ..StreamInfo::default()
    });
    let reported = |tap: &mut RtcpTap, last_sequence_number| {
        let report = ReceiverReport {
            reports: vec![ReceptionReport {
                ssrc: 1,
                last_sequence_number,
                ..ReceptionReport::default()
            }],
            ..ReceiverReport::default()
        };
        let mut packet = Packet::Rtcp(vec![Box::new(report)]);
        tap.write(&mut packet, start);
        let Packet::Rtcp(parts) = packet else {
            panic!("{packet:?}")
        };
        let report = parts[0].as_any().downcast_ref::<ReceiverReport>().unwrap();
        report.reports[0].fraction_lost
    };
    assert_eq!(reported(&mut tap, 100), 0);

    let nack = TransportLayerNack {
        media_ssrc: 1,
        nacks: nack_pairs_from_sequence_numbers(&[110, 111]),
        ..TransportLayerNack::default()
    };
    tap.write(&mut Packet::Rtcp(vec![Box::new(nack)]), start);
    let header = Header {
        ssrc: 1,
        sequence_number: 110,
        ..Header::default()
    };
    let payload = bytes::Bytes::new();
    let packet = Packet::Rtp(rtc::rtp::Packet { header, payload });
    let now = start + Duration::from_millis(100);
    tap.read(&packet, now, &mut Outbox::default());

    assert_eq!(reported(&mut tap, 150), 5);
    assert_eq!(reported(&mut tap, 200), 0);
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
