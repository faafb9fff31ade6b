//! What is numbered, counted and told, packet by packet.

use rtc::interceptor::RTPHeaderExtension;
use rtc::rtcp::transport_feedbacks::transport_layer_cc::{
    PacketStatusChunk, RecvDelta, RunLengthChunk, SymbolTypeTcc,
};
use rtc::rtp::header::Header;
use rtc::shared::marshal::Marshal;

use mixer::audio::{AudioRung, PacketTime};

use super::*;

const VIDEO: u32 = 7;
const RTX: u32 = 8;
const ID: u8 = 3;

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn meter(start: Instant) -> DownlinkMeter {
    meter_that_carries(start, Carries::All)
}

fn meter_that_carries(start: Instant, carries: Carries) -> DownlinkMeter {
    let link = Arc::new(Link::new(start));
    let mut meter = DownlinkMeter::new(link, start, Arc::new(ArrayQueue::new(1)), carries);
    meter.bind_local(&StreamInfo {
        ssrc: VIDEO,
        ssrc_rtx: Some(RTX),
        rtp_header_extensions: vec![RTPHeaderExtension {
            uri: TRANSPORT_CC_URI.to_owned(),
            id: ID.into(),
        }],
        ..StreamInfo::default()
    });
    meter
}

/// The number of a packet that leaves at `now`.
fn leave(meter: &mut DownlinkMeter, ssrc: u32, now: Instant) -> Option<u16> {
    let number = left(meter, ssrc, now).header.get_extension(ID)?;
    Some(u16::from_be_bytes([number[0], number[1]]))
}

/// A packet as it leaves at `now`.
fn left(meter: &mut DownlinkMeter, ssrc: u32, now: Instant) -> rtc::rtp::Packet {
    let header = Header {
        version: 2,
        ssrc,
        ..Header::default()
    };
    let payload = Bytes::from_static(&[0; 1_000]);
    let mut packet = Packet::Rtp(rtc::rtp::Packet { header, payload });
    meter.write(&mut packet, now);
    let Packet::Rtp(packet) = packet else {
        panic!("a packet of RTP stays one");
    };
    packet
}

fn read(meter: &mut DownlinkMeter, part: Box<dyn rtc::rtcp::Packet>, now: Instant) {
    meter.read(&Packet::Rtcp(vec![part]), now, &mut Outbox::default());
}

/// All of `count` packets from `base` on came, 10 ms apart.
fn all_came(base: u16, count: u16) -> TransportLayerCc {
    let delta = RecvDelta {
        delta: 10_000,
        ..RecvDelta::default()
    };
    TransportLayerCc {
        base_sequence_number: base,
        packet_status_count: count,
        reference_time: 100,
        packet_chunks: vec![PacketStatusChunk::RunLengthChunk(RunLengthChunk {
            packet_status_symbol: SymbolTypeTcc::PacketReceivedSmallDelta,
            run_length: count,
            ..RunLengthChunk::default()
        })],
        recv_deltas: vec![delta; usize::from(count)],
        ..TransportLayerCc::default()
    }
}

#[test]
fn media_and_resends_share_one_numbering_and_other_streams_have_none() {
    let start = Instant::now();
    let mut meter = meter(start);

    let streams = [VIDEO, RTX, 99, VIDEO];
    let numbers = streams.map(|ssrc| leave(&mut meter, ssrc, start));

    assert_eq!(numbers, [Some(0), Some(1), None, Some(2)]);
}

#[test]
fn the_size_that_is_counted_is_the_size_that_is_sent() {
    let start = Instant::now();
    let mut meter = meter(start);

    let sent = left(&mut meter, VIDEO, start).marshal().unwrap().len();

    let reports = meter.departures.read(&all_came(0, 1));
    let counted: Vec<usize> = reports.iter().map(|report| report.bytes).collect();
    assert_eq!(counted, [sent + BELOW_RTP]);
    assert!(sent > 12 + 1_000, "{sent} bytes, without the number");
}

#[test]
fn sound_beside_a_picture_is_neither_numbered_nor_estimated() {
    let start = Instant::now();
    let mut meter = meter_that_carries(start, Carries::SoundBesidePicture);

    assert_eq!(leave(&mut meter, VIDEO, start), None);
    read(&mut meter, Box::new(all_came(0, 40)), start + ms(450));
    let remb = ReceiverEstimatedMaximumBitrate {
        bitrate: 50_000.0,
        ..ReceiverEstimatedMaximumBitrate::default()
    };
    read(&mut meter, Box::new(remb), start + ms(500));

    assert_eq!(meter.link.path.downlink_bps(), None);
    assert_eq!(meter.wake(), None);
}

#[test]
fn a_picture_has_the_sound_beside_it_counted_as_carried() {
    let start = Instant::now();
    let downlink = |carries| {
        let mut meter = meter_that_carries(start, carries);
        let audio = AudioRung::new(32, PacketTime::Ms20).unwrap();
        meter.link.path.set_audio_rung(audio);
        for n in 0..40 {
            leave(&mut meter, VIDEO, start + ms(10 * n));
        }
        read(&mut meter, Box::new(all_came(0, 40)), start + ms(450));
        meter.link.path.snapshot().downlink.unwrap()
    };

    let (alone, beside) = (
        downlink(Carries::All),
        downlink(Carries::PictureBesideSound),
    );

    // 32 kb/s, and 24 of headers.
    assert_eq!(beside.bits_per_second, alone.bits_per_second + 56_000);
    assert_eq!(beside.acknowledged_bps, alone.acknowledged_bps + 56_000);
}

#[test]
fn what_is_known_of_a_leg_is_forgotten_once_nothing_has_left_for_long() {
    let start = Instant::now();
    let mut meter = meter_that_carries(start, Carries::PictureBesideSound);
    for n in 0..40 {
        leave(&mut meter, VIDEO, start + ms(10 * n));
    }
    let first = Estimator::default().estimate().bits_per_second;
    let remb = ReceiverEstimatedMaximumBitrate {
        bitrate: 30_000.0,
        ..ReceiverEstimatedMaximumBitrate::default()
    };
    read(&mut meter, Box::new(remb), start + ms(450));
    assert!(meter.link.path.downlink_bps().unwrap() < first);

    assert_eq!(meter.wake(), Some(start + ms(10_390)));
    meter.timeout(start + ms(10_389), &mut Outbox::default());
    assert!(meter.link.path.downlink_bps().unwrap() < first);
    meter.timeout(start + ms(10_390), &mut Outbox::default());

    assert_eq!(meter.link.path.downlink_bps(), Some(first));
    assert_eq!(meter.wake(), None, "once");
}

#[test]
fn the_downlink_is_unknown_until_feedback_comes_and_then_has_rate_and_size_of_what_came() {
    let start = Instant::now();
    let mut meter = meter(start);
    for n in 0..40 {
        leave(&mut meter, VIDEO, start + ms(10 * n));
    }
    assert_eq!(meter.link.path.downlink_bps(), None);
    assert_eq!(
        meter.wake(),
        None,
        "nobody says that there will be feedback"
    );

    read(&mut meter, Box::new(all_came(0, 40)), start + ms(450));

    let downlink = meter.link.path.snapshot().downlink.unwrap();
    assert!(downlink.bits_per_second >= 120_000);
    // RTP with its extension, and what is below: 1,064 bytes every 10 ms.
    assert_eq!(downlink.acknowledged_bps, 851_200);
    assert_eq!(
        (downlink.queueing_delay, downlink.fraction_lost),
        (ms(0), 0)
    );
}

#[test]
fn feedback_orders_a_probe_above_the_estimate() {
    let start = Instant::now();
    let mut meter = meter(start);
    for n in 0..40 {
        leave(&mut meter, VIDEO, start + ms(10 * n));
    }

    read(&mut meter, Box::new(all_came(0, 40)), start + ms(450));

    let rate = meter.link.path.downlink_bps().unwrap();
    let probe = meter.order.pop().unwrap();
    assert!(probe.bits_per_second > rate, "{probe:?}, {rate}");
}

#[test]
fn without_further_feedback_the_meter_wakes_up_and_lowers_the_rate() {
    let start = Instant::now();
    let mut meter = meter(start);
    for n in 0..40 {
        leave(&mut meter, VIDEO, start + ms(10 * n));
    }
    read(&mut meter, Box::new(all_came(0, 40)), start + ms(450));
    let before = meter.link.path.downlink_bps().unwrap();
    assert_eq!(meter.wake(), None, "everything is answered");

    leave(&mut meter, VIDEO, start + ms(500));
    let wake = meter.wake().unwrap();
    meter.timeout(wake - ms(1), &mut Outbox::default());
    assert_eq!(meter.link.path.downlink_bps(), Some(before));
    meter.timeout(wake, &mut Outbox::default());

    assert!(wake > start + ms(1_500), "{:?}", wake - start);
    assert!(meter.link.path.downlink_bps().unwrap() < before);
    assert!(meter.wake().unwrap() > wake);
}

#[test]
fn what_the_participant_says_itself_counts_where_there_is_no_feedback() {
    let start = Instant::now();
    let mut meter = meter(start);
    for (bitrate, expected) in [(250_000.0, 250_000), (f32::NAN, 24_000)] {
        let remb = ReceiverEstimatedMaximumBitrate {
            bitrate,
            ..ReceiverEstimatedMaximumBitrate::default()
        };

        read(&mut meter, Box::new(remb), start);

        assert_eq!(meter.link.path.downlink_bps(), Some(expected));
    }
}

#[test]
fn what_leaves_without_a_number_comes_down_where_the_participant_falls_silent() {
    let start = Instant::now();
    let mut meter = meter(start);
    let remb = ReceiverEstimatedMaximumBitrate {
        bitrate: 800_000.0,
        ..ReceiverEstimatedMaximumBitrate::default()
    };
    read(&mut meter, Box::new(remb), start);
    assert_eq!(meter.link.path.downlink_bps(), Some(800_000));

    for at in (0..5_000).step_by(10) {
        leave(&mut meter, 99, start + ms(at));
        meter.timeout(start + ms(at), &mut Outbox::default());
    }

    assert_eq!(meter.link.path.downlink_bps(), Some(512_000));
}
