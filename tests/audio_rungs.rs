//! Going from one encode to another, through real Opus: what the listener's decoder makes of it.
//!
//! A talker says "na na na" (200 Hz and its harmonics, and some breath). A listener speaks now and
//! then, changes rung, or the talker pauses. The same is encoded without interruption by one
//! encoder, twice: the second time with other breath in the first second. After that both encode
//! the same, so what still differs between them is coding noise, and what is heard may not differ
//! from them by more. A click would: it is a step, so it is also looked for in the second
//! differences of the samples, which are what is highest in the sound.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/scene.rs"]
mod scene;
#[path = "support/verbatim.rs"]
mod verbatim;

use codecs::audio::{AudioDecoder, AudioEncoder, Channels, TICK_SAMPLES};
use codecs::opus::{OpusDecoder, OpusEncoder, OpusEncoderConfig, Packet};
use mixer::audio::{AudioRung, Dtx, LossClass, Muted, PacketTime};
use mixer::ladder::AUDIO_LADDER;

use scene::{Change, FIRST_SECOND, Heard, Scene, TICKS, hum, loudest};

/// The loudest that two encodings of the same may differ more than two others do, in dB. Seen at
/// most: 1.2; with a cold encoder in place of a fork: 9.
const MORE_NOISE_DB: f64 = 3.0;

/// How much more there may be of what is highest in the sound, in dB. With a cold encoder: 2.
const MORE_HIGH_DB: f64 = 1.5;

fn rungs() -> [AudioRung; 3] {
    [
        AudioRung::new(32, PacketTime::Ms20).unwrap(),
        AudioRung::new(24, PacketTime::Ms60).unwrap(),
        AudioRung::new(12, PacketTime::Ms120).unwrap(),
    ]
}

/// What one encoder's uninterrupted work on a rung is like.
struct Usual {
    rung: AudioRung,
    heard: Heard,
    /// The most by which two encoders differ that have had the same to encode for a second.
    noise_db: f64,
    high_db: f64,
}

impl Usual {
    fn all() -> [Self; 3] {
        rungs().map(|rung| {
            let [heard, other] = [1, 5].map(|seed| {
                let alone = Scene {
                    seed,
                    ..Scene::alone(rung)
                };
                alone.play()
            });
            Self {
                rung,
                noise_db: loudest(&heard.unlike_db(&other)),
                high_db: loudest(&heard.high_db()),
                heard,
            }
        })
    }

    fn assert_unnoticed(&self, heard: &Heard) {
        let more = loudest(&heard.unlike_db(&self.heard));
        let usual = self.noise_db;
        assert!(
            more < usual + MORE_NOISE_DB,
            "{:?}: {more} of {usual}",
            self.rung
        );
        let high = loudest(&heard.high_db());
        let usual = self.high_db;
        assert!(
            high < usual + MORE_HIGH_DB,
            "{:?}: {high} of {usual}",
            self.rung
        );
    }
}

/// Every way from one rung to another.
fn ways(usual: &[Usual; 3]) -> impl Iterator<Item = (&Usual, &Usual)> {
    let both = usual
        .iter()
        .flat_map(|from| usual.iter().map(move |to| (from, to)));
    both.filter(|(from, to)| from.rung != to.rung)
}

#[test]
fn a_listener_who_begins_and_ceases_to_speak_hears_coding_noise_and_no_click() {
    for usual in Usual::all() {
        let speaking = Scene {
            with: Some(usual.rung),
            changes: &[
                (123, Change::Listener(Muted::No)),
                (200, Change::Listener(Muted::Yes)),
                (287, Change::Listener(Muted::No)),
                (300, Change::Listener(Muted::Yes)),
            ],
            ..Scene::alone(usual.rung)
        };

        usual.assert_unnoticed(&speaking.play());
    }
}

#[test]
fn another_rung_is_reached_without_a_click_whether_others_are_on_it_or_not() {
    let usual = Usual::all();
    for (from, to) in ways(&usual) {
        for with in [from.rung, to.rung] {
            let changing = Scene {
                with: Some(with),
                changes: &[(198, Change::Rung(to.rung))],
                ..Scene::alone(from.rung)
            };

            let high = loudest(&changing.play().high_db());

            let usual = from.high_db.max(to.high_db);
            let rungs = (from.rung, to.rung, with);
            assert!(high < usual + MORE_HIGH_DB, "{rungs:?}: {high} of {usual}");
        }
    }
}

#[test]
fn who_joins_others_on_a_rung_hears_at_once_what_they_hear() {
    let usual = Usual::all();
    for (from, to) in ways(&usual) {
        let joining = Scene {
            with: Some(to.rung),
            changes: &[(60, Change::Rung(to.rung))],
            ..Scene::alone(from.rung)
        };

        to.assert_unnoticed(&joining.play());
    }
}

#[test]
fn sound_after_silence_begins_as_if_silence_had_been_encoded() {
    for usual in Usual::all() {
        let rung = usual.rung;
        let pauses = [
            (123, Change::Talker(Muted::Yes)),
            (240, Change::Talker(Muted::No)),
            (300, Change::Talker(Muted::Yes)),
            (330, Change::Talker(Muted::No)),
        ];
        let always = always_encoded(rung);
        for dtx in [Dtx::Off, Dtx::On] {
            let heard = Scene {
                changes: &pauses,
                ..Scene::alone(rung.with_dtx(dtx))
            };
            let heard = heard.play();

            // Opus itself begins a little differently after a pause in which nothing was sent.
            let more = loudest(&heard.unlike_db(&always));
            let usual = usual.noise_db;
            let same = dtx == Dtx::On || more < usual + MORE_NOISE_DB;
            assert!(same, "{rung:?}: {more} of {usual}");
            let (high, usual) = (loudest(&heard.high_db()), loudest(&always.high_db()));
            assert!(high < usual + MORE_HIGH_DB, "{rung:?}: {high} of {usual}");
            let silence = &heard.pcm[150 * TICK_SAMPLES..239 * TICK_SAMPLES];
            assert!(silence.iter().all(|sample| sample.abs() <= 2));
        }
    }
}

/// The pauses above, with every tick of them encoded.
fn always_encoded(rung: AudioRung) -> Heard {
    let config = OpusEncoderConfig::new(Channels::Mono, rung.bitrate_kbps());
    let mut encoder = OpusEncoder::new(config).unwrap();
    let mut decoder = OpusDecoder::new(Channels::Mono).unwrap();
    let mut breath = 1;
    let mut said = Vec::new();
    for tick in 0..TICKS {
        if tick == FIRST_SECOND {
            breath = 77;
        }
        let voice = hum(200.0, tick, &mut breath);
        // As a mute does: it ramps over the tick in which it comes and goes.
        let gain = |at: i32| match tick {
            123 | 300 => 959 - at,
            240 | 330 => at,
            124..240 | 301..330 => 0,
            _ => 960,
        };
        let ramped = voice
            .iter()
            .zip(0..)
            .map(|(sample, at)| i16::try_from(i32::from(*sample) * gain(at) / 960).unwrap());
        said.extend(ramped);
    }
    let mut heard = Heard {
        pcm: Vec::new(),
        packets: Vec::new(),
    };
    for pcm in said.chunks_exact(rung.packet_time().samples()) {
        let mut packet = Vec::new();
        encoder.encode(pcm, &mut packet).unwrap();
        decoder.decode(&packet, &mut heard.pcm).unwrap();
    }
    heard
}

#[test]
fn rungs_that_can_carry_fec_do_and_the_others_share_what_they_have() {
    for (_, rung) in AUDIO_LADDER {
        for loss in [LossClass::Ten, LossClass::Twenty] {
            let rung = rung.with_loss(loss);

            let heard = Scene::alone(rung).play();

            let packets = heard.packets.iter();
            let with_fec = packets
                .filter(|packet| Packet::parse(packet).unwrap().has_fec())
                .count();
            if rung.bitrate_kbps() >= AudioRung::LEAST_FEC_KBPS {
                // The encoder leaves it out where a packet holds little voice.
                let all = heard.packets.len();
                assert!(with_fec * 2 > all, "{rung:?}: {with_fec} of {all}");
            } else {
                assert_eq!(rung.loss(), LossClass::None);
                assert_eq!(with_fec, 0);
            }
        }
    }
}
