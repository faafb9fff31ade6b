//! What becomes of the picture as links change.

use proptest::prelude::*;

use super::{Viewer, steady, usual};
use crate::audio::{AudioRung, PacketTime};
use crate::ladder::overhead::audio_wire_kbps;
use crate::ladder::overhead::video_wire_kbps;
use crate::ladder::{Allocation, Downlink, VideoChoice, Why};

#[test]
fn each_downlink_gets_what_is_promised_for_it_or_more() {
    // An estimate hovers between four fifths of what a link carries and all of it.
    let rows = [
        (32, ["paused"; 3]),
        (64, ["stills"; 3]),
        (100, ["speaker"; 3]),
        (200, ["low"; 3]),
        (400, ["medium"; 3]),
        (1_200, ["top"; 3]),
    ];

    for (link, promised) in rows {
        for (percent, rung) in [80, 90, 95].into_iter().zip(promised) {
            let mut viewer = Viewer::new();
            viewer.play(steady(120, 1));

            let names = viewer.names(steady(link * percent / 100, 30));

            assert_eq!(names.last().unwrap(), rung, "{percent} % of {link} kb/s");
        }
    }
}

/// What is sent limits what can be found out: an estimate that climbs by a tenth per second, up to
/// what the link carries, or half more than is sent.
#[test]
fn an_estimate_that_is_limited_by_what_is_sent_climbs_all_the_way() {
    for (link, promised) in [
        (64, "stills"),
        (100, "speaker"),
        (200, "low"),
        (400, "medium"),
        (1_200, "top"),
    ] {
        let mut viewer = Viewer::new();
        let mut estimate = f64::from(link.min(60));
        let mut last = viewer.tick(Some(60));
        for _ in 0..600 {
            let sent = sent_kbps(&last);
            let climbed = estimate * 1.01;
            let most = f64::from(link) * 0.9;
            estimate = climbed.min(f64::from(sent) * 1.5).max(estimate).min(most);
            last = viewer.tick(Some(whole(estimate)));
        }

        assert_eq!(
            viewer.name(&last),
            promised,
            "{link} kb/s, {estimate:.0} found"
        );
        assert!(sent_kbps(&last) <= link * 95 / 100);
    }
}

fn whole(kbps: f64) -> u32 {
    (0..).find(|whole| f64::from(*whole) + 1.0 > kbps).unwrap()
}

fn sent_kbps(allocation: &Allocation) -> u32 {
    let video = match allocation.video {
        VideoChoice::Rung { index, kbps } => video_wire_kbps(&usual().rungs()[index], kbps),
        VideoChoice::Paused => 0,
    };
    audio_wire_kbps(allocation.audio) + video
}

#[test]
fn audio_comes_first_and_its_packets_are_long_where_links_are_thin() {
    let rows = [
        (0, (12, 120)),
        (25, (12, 120)),
        (32, (20, 120)),
        (64, (20, 120)),
        (100, (20, 60)),
        (200, (20, 60)),
        (400, (32, 20)),
        (5_000, (32, 20)),
    ];

    for (link, (bitrate_kbps, packet_ms)) in rows {
        let packet_time = PacketTime::of_ms(packet_ms).unwrap();
        let rung = AudioRung::new(bitrate_kbps, packet_time).unwrap();
        assert_eq!(Viewer::new().tick(Some(link)).audio, rung, "{link} kb/s");
    }
}

#[test]
fn audio_that_fits_outlasts_a_dip_and_audio_that_does_not_is_left_at_once() {
    let packets = |kbps: u32, ticks: usize| {
        let mut viewer = Viewer::new();
        viewer.play(steady(100, 10));
        viewer.play(std::iter::repeat_n(kbps, ticks - 1));
        viewer.tick(Some(kbps)).audio.packet_time().ms()
    };

    assert_eq!(packets(60, 10), 60);
    assert_eq!(packets(60, 11), 120);
    assert_eq!(packets(30, 1), 120);
}

#[test]
fn a_step_down_is_followed_within_a_second() {
    let mut viewer = Viewer::new();
    viewer.play(steady(1_500, 20));

    for (kbps, rung, within_ms) in [
        (600, "medium", 200),
        (90, "speaker", 200),
        (30, "paused", 200),
    ] {
        let changes = viewer.play(steady(kbps, 20));

        assert_eq!(changes.len(), 2, "{changes:?}");
        assert_eq!(changes[1], (within_ms, rung.to_owned()));
    }
}

#[test]
fn a_rung_is_not_left_while_a_queue_empties_that_leaves_room_for_it() {
    for (lasting_kbps, rungs) in [(600, &["medium"][..]), (150, &["medium", "low"])] {
        let mut viewer = Viewer::new();
        viewer.play(steady(600, 20));

        let rung = |viewer: &mut Viewer| {
            let allocation = viewer.hear(Downlink {
                bps: Some(100_000),
                lasting_bps: Some(lasting_kbps * 1_000),
                loss_percent: 0,
            });
            viewer.name(&allocation).to_owned()
        };
        let mut seen: Vec<String> = (0..15).map(|_| rung(&mut viewer)).collect();
        seen.dedup();

        assert_eq!(seen, rungs, "{lasting_kbps} kb/s");
    }
}

#[test]
fn a_link_a_little_too_thin_is_given_most_of_a_second() {
    let mut viewer = Viewer::new();
    viewer.play(steady(330, 20));

    let changes = viewer.play(steady(280, 5));

    let expected = [(0, "medium".to_owned()), (700, "low".to_owned())];
    assert_eq!(changes, expected);
}

#[test]
fn a_dip_that_is_over_soon_changes_nothing() {
    let mut viewer = Viewer::new();
    viewer.play(steady(330, 20));

    let dip = steady(330, 1).chain([280; 6]).chain(steady(330, 5));

    assert_eq!(viewer.names(dip), ["medium"]);
}

#[test]
fn a_step_up_is_followed_after_three_seconds_and_all_the_way() {
    let mut viewer = Viewer::new();
    viewer.play(steady(90, 20));

    let changes = viewer.play(steady(1_500, 20));

    let expected = [(0, "speaker".to_owned()), (3_000, "top".to_owned())];
    assert_eq!(changes, expected);
}

#[test]
fn in_the_beginning_a_second_is_enough() {
    let mut viewer = Viewer::new();
    assert_eq!(viewer.names(steady(120, 1)), ["speaker"]);

    let changes = viewer.play(steady(1_500, 3));

    let expected = [(0, "speaker".to_owned()), (1_000, "top".to_owned())];
    assert_eq!(changes, expected);
}

#[test]
fn room_that_comes_and_goes_is_no_room() {
    let mut viewer = Viewer::new();
    viewer.play(steady(330, 20));

    let waves = (0..30).flat_map(|_| steady(900, 2).chain(steady(500, 1)));

    assert_eq!(viewer.names(waves), ["medium"]);
}

#[test]
fn a_sawtooth_makes_the_picture_change_ever_less_often() {
    let mut viewer = Viewer::new();
    // Every 12 s a climb beyond what the next rung needs, and a fall.
    let tooth = || (0..120_u32).map(|tenth| 400 + tenth * 8);

    let changes: Vec<(u64, String)> = viewer.play((0..25).flat_map(|_| tooth()));

    let falls = |from_s: u64, to_s: u64| {
        let within = from_s * 1_000..to_s * 1_000;
        let falls = changes.iter().skip(1).filter(|(_, name)| name == "medium");
        falls.filter(|(ms, _)| within.contains(ms)).count()
    };
    assert!(falls(0, 60) <= 3, "{changes:?}");
    // Twenty teeth, and no more than one try a minute.
    assert!(falls(60, 300) <= 4, "{changes:?}");
}

#[test]
fn halving_and_doubling_every_twenty_seconds_is_followed_each_time() {
    let mut viewer = Viewer::new();
    let waves = (0..5).flat_map(|_| steady(1_100, 20).chain(steady(550, 20)));

    let changes = viewer.play(waves);

    let seconds: Vec<u64> = changes.iter().map(|(ms, _)| ms / 1_000).collect();
    assert_eq!(seconds, [0, 20, 43, 60, 83, 100, 123, 140, 163, 180]);
}

#[test]
fn without_a_word_about_the_link_it_starts_low_and_then_takes_everything() {
    let mut viewer = Viewer::new();

    let seen: Vec<_> = (0..80).map(|_| viewer.tick(None)).collect();

    assert_eq!(viewer.name(&seen[0]), "stills");
    assert_eq!(seen[0].why, Why::Starting);
    let tops = seen.iter().map(|seen| viewer.name(seen) == "top");
    let first_top = tops.clone().position(|top| top).unwrap();
    // 5 s of waiting, and the second of room that a rise takes.
    assert_eq!(first_top, 60);
    assert!(tops.skip(first_top).all(|top| top));
    assert_eq!(seen[79].why, Why::Best);
}

#[test]
fn an_estimate_that_goes_silent_stays_what_it_was() {
    let mut viewer = Viewer::new();
    viewer.play(steady(90, 3));

    let later: Vec<_> = (0..200).map(|_| viewer.tick(None)).collect();

    assert!(later.iter().all(|seen| viewer.name(seen) == "speaker"));
}

proptest! {
    #[test]
    fn noise_of_a_tenth_changes_nothing_once_settled(
        link in 16_u32..3_000,
        noise in prop::collection::vec(90_u32..=110, 600),
    ) {
        let mut viewer = Viewer::new();
        viewer.play(noise[..300].iter().map(|percent| link * percent / 100));

        let changes = viewer.names(noise[300..].iter().map(|percent| link * percent / 100));

        // A link just at a bound may still fall once, but does not come back.
        prop_assert!(changes.len() <= 2, "{:?}", changes);
    }

    #[test]
    fn what_is_sent_fits_the_link(
        links in prop::collection::vec((16_u32..3_000, 1_usize..80), 1..8),
    ) {
        let mut viewer = Viewer::new();
        let mut since_change = 0;
        for (link, ticks) in links {
            for tick in 0..ticks {
                let seen = viewer.tick(Some(link));
                since_change = if tick == 0 { 0 } else { since_change + 1 };
                let sent = sent_kbps(&seen);
                let video = seen.video.index();
                // It has a second to come down; audio is sent in any case.
                prop_assert!(since_change < 10 || video.is_none() || sent <= link);
            }
        }
    }

    #[test]
    fn the_same_link_gives_the_same_choices(
        kbps in prop::collection::vec(0_u32..2_000, 1..200),
    ) {
        let first = Viewer::new().play(kbps.iter().copied());
        let second = Viewer::new().play(kbps.iter().copied());

        prop_assert_eq!(first, second);
    }
}
