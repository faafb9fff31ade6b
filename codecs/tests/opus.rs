//! The Opus encoder and decoder against libopus itself.
#![cfg(feature = "native")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "synthetic/sound.rs"]
mod sound;

use codecs::audio::{
    AudioCodecError, AudioDecoder, AudioEncoder, Channels, MAX_PACKET_SAMPLES, TICK_SAMPLES,
};
use codecs::opus::{
    Application, OpusConfigError, OpusDecoder, OpusEncoder, OpusEncoderConfig, Packet,
};

use proptest::prelude::*;
use sound::{amplitude_at, tone, voice};

const SECOND_IN_TICKS: usize = 50;

fn encoder(channels: Channels) -> OpusEncoder {
    OpusEncoder::new(OpusEncoderConfig::new(channels, 32)).unwrap()
}

fn decoder(channels: Channels) -> OpusDecoder {
    OpusDecoder::new(channels).unwrap()
}

fn packets(encoder: &mut OpusEncoder, pcm: &[i16], tick: usize) -> Vec<Vec<u8>> {
    pcm.chunks_exact(tick)
        .map(|pcm| {
            let mut packet = vec![1, 2, 3];
            encoder.encode(pcm, &mut packet).unwrap();
            packet
        })
        .collect()
}

#[test]
fn a_tone_keeps_its_frequency_and_strength() {
    for (hz, other_hz) in [(440.0, 554.4), (1_000.0, 1_260.0), (3_000.0, 2_380.0)] {
        let pcm = tone(hz, 0, TICK_SAMPLES * SECOND_IN_TICKS);
        let mut decoded = Vec::new();
        let mut decoder = decoder(Channels::Mono);

        for packet in packets(&mut encoder(Channels::Mono), &pcm, TICK_SAMPLES) {
            assert_eq!(decoder.decode(&packet, &mut decoded), Ok(TICK_SAMPLES));
        }

        // The second half: the encoder has settled.
        let settled = &decoded[24_000..];
        let (own, other) = (amplitude_at(hz, settled), amplitude_at(other_hz, settled));
        // 8 192 went in; 32 kb/s holds one tone within a decibel and adds noise 40 dB below.
        assert!(
            (7_300.0..9_200.0).contains(&own),
            "{hz} Hz came out at {own:.0}"
        );
        assert!(other < own / 100.0, "{other_hz} Hz came out at {other:.0}");
    }
}

#[test]
fn stereo_keeps_left_and_right_apart() {
    let left = tone(440.0, 0, TICK_SAMPLES * SECOND_IN_TICKS);
    let right = tone(1_000.0, 0, left.len());
    let pcm: Vec<i16> = left
        .iter()
        .zip(&right)
        .flat_map(|(l, r)| [*l, *r])
        .collect();
    let config = OpusEncoderConfig {
        application: Application::Audio,
        ..OpusEncoderConfig::new(Channels::Stereo, 128)
    };
    let mut encoder = OpusEncoder::new(config).unwrap();
    let (mut decoded, mut decoder) = (Vec::new(), decoder(Channels::Stereo));

    for packet in packets(&mut encoder, &pcm, 2 * TICK_SAMPLES) {
        assert_eq!(decoder.decode(&packet, &mut decoded), Ok(TICK_SAMPLES));
    }

    assert_eq!(decoded.len(), pcm.len());
    let left: Vec<i16> = decoded.iter().copied().step_by(2).skip(24_000).collect();
    let right: Vec<i16> = decoded
        .iter()
        .copied()
        .skip(1)
        .step_by(2)
        .skip(24_000)
        .collect();
    // Intensity stereo is not in use at 128 kb/s: 20 dB of separation is the least.
    assert!(amplitude_at(440.0, &left) > 10.0 * amplitude_at(440.0, &right));
    assert!(amplitude_at(1_000.0, &right) > 10.0 * amplitude_at(1_000.0, &left));
}

#[test]
fn decoded_sound_is_late_by_the_lookahead() {
    let mut encoder = encoder(Channels::Mono);
    assert_eq!(encoder.lookahead(), 312);

    let mut pcm = vec![0; TICK_SAMPLES * 20];
    let onset = TICK_SAMPLES * 10;
    pcm[onset..].copy_from_slice(&tone(1_000.0, 0, TICK_SAMPLES * 10));
    let (mut decoded, mut decoder) = (Vec::new(), decoder(Channels::Mono));
    for packet in packets(&mut encoder, &pcm, TICK_SAMPLES) {
        decoder.decode(&packet, &mut decoded).unwrap();
    }

    let heard = decoded
        .iter()
        .position(|sample| sample.abs() > 2_000)
        .unwrap();
    // Within 2 ms: an onset is smeared by the codec.
    assert!(
        heard.abs_diff(onset + encoder.lookahead()) < 96,
        "heard at {heard}"
    );
}

#[test]
fn every_packet_plays_one_tick_and_says_so() {
    for channels in [Channels::Mono, Channels::Stereo] {
        let tick = TICK_SAMPLES * channels.count();
        let pcm = vec![100; tick * 10];

        for packet in packets(&mut encoder(channels), &pcm, tick) {
            assert_eq!(Packet::parse(&packet).unwrap().samples(), TICK_SAMPLES);
        }
    }
}

#[test]
fn an_expected_loss_of_ten_percent_puts_fec_into_speech_and_none_puts_none() {
    let fec_packets = |expected_loss_percent| {
        let config = OpusEncoderConfig {
            expected_loss_percent,
            ..OpusEncoderConfig::new(Channels::Mono, 32)
        };
        packets(
            &mut OpusEncoder::new(config).unwrap(),
            &voice(),
            TICK_SAMPLES,
        )
        .iter()
        .filter(|packet| Packet::parse(packet).unwrap().has_fec())
        .count()
    };

    assert_eq!(fec_packets(0), 0);
    // The encoder leaves it out where a packet holds no voice.
    assert!(
        fec_packets(10) > SECOND_IN_TICKS / 2,
        "{} of 50",
        fec_packets(10)
    );
}

#[test]
fn an_expected_loss_that_comes_and_goes_brings_and_takes_fec_in_the_same_stream() {
    let mut encoder = encoder(Channels::Mono);
    let mut fec_packets = |percent| {
        encoder.set_expected_loss(percent).unwrap();
        packets(&mut encoder, &voice(), TICK_SAMPLES)
            .iter()
            .filter(|packet| Packet::parse(packet).unwrap().has_fec())
            .count()
    };

    let counts = [0, 10, 20, 0, 250].map(&mut fec_packets);

    // Of 50; one packet more may carry the copy of a packet made before the change.
    assert!(counts[0] == 0 && counts[3] <= 1, "{counts:?}");
    assert!(
        [1, 2, 4].iter().all(|&n| counts[n] > SECOND_IN_TICKS / 2),
        "{counts:?}"
    );
}

#[test]
fn fec_brings_a_lost_packet_closer_than_concealment_does() {
    let config = OpusEncoderConfig {
        expected_loss_percent: 20,
        ..OpusEncoderConfig::new(Channels::Mono, 32)
    };
    let packets = packets(
        &mut OpusEncoder::new(config).unwrap(),
        &voice(),
        TICK_SAMPLES,
    );
    let decode = |lose: bool, recover: bool| {
        let (mut pcm, mut decoder) = (Vec::new(), decoder(Channels::Mono));
        for (index, packet) in packets.iter().enumerate() {
            let appended = match (lose && index % 5 == 4 && index + 1 < packets.len(), recover) {
                (false, _) => decoder.decode(packet, &mut pcm),
                (true, false) => decoder.conceal(TICK_SAMPLES, &mut pcm),
                (true, true) => decoder.recover(&packets[index + 1], TICK_SAMPLES, &mut pcm),
            };
            assert_eq!(appended, Ok(TICK_SAMPLES));
        }
        pcm
    };
    let complete = decode(false, false);
    let error = |pcm: &[i16]| -> f64 {
        pcm.iter()
            .zip(&complete)
            .map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2))
            .sum()
    };

    let concealed = error(&decode(true, false));
    let recovered = error(&decode(true, true));

    assert!(
        recovered < concealed / 2.0,
        "{recovered:.0} with, {concealed:.0} without"
    );
}

#[test]
fn concealment_gives_what_is_asked_for_also_before_the_first_packet() {
    let mut decoder = decoder(Channels::Stereo);
    let mut pcm = Vec::new();

    for samples in [120, 960, MAX_PACKET_SAMPLES] {
        pcm.clear();
        assert_eq!(decoder.conceal(samples, &mut pcm), Ok(samples));
        assert_eq!(pcm.len(), 2 * samples);
    }
    for samples in [0, 1, 119, MAX_PACKET_SAMPLES + 120] {
        pcm.clear();
        assert!(matches!(
            decoder.conceal(samples, &mut pcm),
            Err(AudioCodecError::Codec(_))
        ));
        assert!(decoder.recover(&[0], samples, &mut pcm).is_err());
        assert!(pcm.is_empty());
    }
}

#[test]
fn what_is_not_a_packet_is_corrupt_and_appends_nothing() {
    let mut decoder = decoder(Channels::Mono);
    let mut pcm = vec![5];

    for packet in [&[][..], &[0xff, 0x00], &[0xfe]] {
        let decoded = decoder.decode(packet, &mut pcm);
        assert!(
            matches!(decoded, Err(AudioCodecError::Corrupt(_))),
            "{packet:02x?}"
        );
        let recovered = decoder.recover(packet, TICK_SAMPLES, &mut pcm);
        assert!(
            matches!(recovered, Err(AudioCodecError::Corrupt(_))),
            "{packet:02x?}"
        );
        assert_eq!(pcm, [5]);
    }
}

#[test]
fn what_is_not_one_to_six_whole_ticks_is_refused() {
    let mut encoder = encoder(Channels::Stereo);

    for samples in [0, TICK_SAMPLES, 3 * TICK_SAMPLES, 14 * TICK_SAMPLES] {
        let mut packet = vec![1];
        assert!(encoder.encode(&vec![0; samples], &mut packet).is_err());
        assert!(packet.is_empty());
    }
}

#[test]
fn a_packet_plays_as_many_ticks_as_were_given_and_fits_a_datagram() {
    for kbps in [12, 64, 510] {
        let config = OpusEncoderConfig::new(Channels::Mono, kbps);
        let mut encoder = OpusEncoder::new(config).unwrap();
        for ticks in [1, 2, 3, 6, 4, 5, 1, 6] {
            let pcm = &voice()[..ticks * TICK_SAMPLES];

            let packet = packets(&mut encoder, pcm, pcm.len()).remove(0);

            let samples = Packet::parse(&packet).unwrap().samples();
            assert_eq!(samples, ticks * TICK_SAMPLES, "{kbps}");
            assert!(packet.len() <= 1_276);
        }
    }
}

#[test]
fn a_fork_makes_the_same_packets_and_each_goes_its_own_way() {
    for channels in [Channels::Mono, Channels::Stereo] {
        let tick = TICK_SAMPLES * channels.count();
        let config = OpusEncoderConfig {
            expected_loss_percent: 10,
            ..OpusEncoderConfig::new(channels, 32)
        };
        let mut one = OpusEncoder::new(config).unwrap();
        let pcm = voice();
        let (before, after) = pcm.split_at(10 * tick);
        packets(&mut one, before, tick);

        let mut other = one.fork();

        let mut packet = Vec::new();
        for pcm in after.chunks_exact(tick) {
            other.encode(pcm, &mut packet).unwrap();
            assert_eq!(packets(&mut one, pcm, tick), [&packet[..]]);
        }
        packets(&mut one, before, tick);
        drop(one);
        for pcm in after.chunks_exact(3 * tick) {
            other.encode(pcm, &mut packet).unwrap();
            let played = Packet::parse(&packet).unwrap().samples();
            assert_eq!(played, 3 * TICK_SAMPLES);
        }
    }
}

#[test]
fn bitrate_follows_in_the_same_stream_and_stays_as_it_is_when_refused() {
    let mut encoder = encoder(Channels::Mono);
    let mut bytes = |kbps| {
        let result = encoder.set_bitrate(kbps);
        let packets = packets(&mut encoder, &voice(), TICK_SAMPLES);
        (result, packets.iter().map(Vec::len).sum::<usize>())
    };

    let [low, high, refused] = [16, 64, 511].map(&mut bytes);

    assert!(low.0.is_ok() && high.0.is_ok());
    assert!(high.1 > 3 * low.1, "{} of {}", high.1, low.1);
    assert!(matches!(refused.0, Err(AudioCodecError::Codec(_))));
    assert!(refused.1.abs_diff(high.1) < high.1 / 10);
}

#[test]
fn a_pause_is_a_packet_of_one_byte_that_decodes_to_near_silence_after_silence() {
    for ticks in [1, 2, 3, 6] {
        let (mut encoder, mut decoder) = (encoder(Channels::Mono), decoder(Channels::Mono));
        let samples = ticks * TICK_SAMPLES;
        let said = [&voice()[..12 * TICK_SAMPLES], &[0; 24 * TICK_SAMPLES]].concat();
        let mut heard = Vec::new();
        for packet in packets(&mut encoder, &said, samples) {
            decoder.decode(&packet, &mut heard).unwrap();
        }

        let mut pause = Vec::new();
        encoder.pause(&mut pause);

        assert_eq!(pause.len(), 1);
        let mut pcm = Vec::new();
        assert!(decoder.decode(&pause, &mut pcm).unwrap() >= TICK_SAMPLES);
        // Comfort noise as loud as the silence before it.
        assert!(pcm.iter().all(|sample| sample.abs() <= 2));
    }
}

#[test]
fn settings_out_of_range_are_refused() {
    let good = OpusEncoderConfig::new(Channels::Mono, 32);
    let rows = [
        (
            OpusEncoderConfig {
                bitrate_kbps: 5,
                ..good
            },
            OpusConfigError::Bitrate(5),
        ),
        (
            OpusEncoderConfig {
                bitrate_kbps: 511,
                ..good
            },
            OpusConfigError::Bitrate(511),
        ),
        (
            OpusEncoderConfig {
                complexity: 11,
                ..good
            },
            OpusConfigError::Complexity(11),
        ),
        (
            OpusEncoderConfig {
                expected_loss_percent: 101,
                ..good
            },
            OpusConfigError::ExpectedLoss(101),
        ),
    ];
    for (config, expected) in rows {
        assert_eq!(OpusEncoder::new(config).unwrap_err(), expected);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn any_packet_decodes_to_its_duration_or_fails_without_a_trace(
        packets in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..60), 1..6),
        lost in any::<u8>(),
    ) {
        let mut decoder = decoder(Channels::Stereo);
        let mut pcm = Vec::new();
        for (index, packet) in packets.iter().enumerate() {
            let before = pcm.len();
            let appended = if lost >> (index % 8) & 1 == 1 {
                decoder.recover(packet, TICK_SAMPLES, &mut pcm)
            } else {
                decoder.decode(packet, &mut pcm)
            };
            let samples = appended.unwrap_or(0);
            prop_assert!(samples <= MAX_PACKET_SAMPLES);
            prop_assert_eq!(pcm.len(), before + 2 * samples);
        }
    }
}
