//! Several receivers on one rung.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{Viewer, usual};
use crate::RoomTime;
use crate::ladder::overhead::{audio_wire_kbps, video_wire_kbps};
use crate::ladder::{RungRate, VideoChoice};

#[test]
fn an_encoder_follows_the_slower_of_two() {
    let mut rate = RungRate::new(700);

    assert_eq!(
        rate.follow(RoomTime::from_ms(0), [500, 300].into_iter()),
        Some(300)
    );
    assert_eq!(rate.follow(RoomTime::from_ms(249), [500].into_iter()), None);
    assert_eq!(
        rate.follow(RoomTime::from_ms(250), [500].into_iter()),
        Some(500)
    );
}

#[test]
fn an_encoder_is_not_bothered_with_a_twentieth_or_with_nobody() {
    let mut rate = RungRate::new(400);

    assert_eq!(
        rate.follow(RoomTime::from_ms(0), [380, 420].into_iter()),
        None
    );
    assert_eq!(
        rate.follow(RoomTime::from_ms(0), [421].into_iter()),
        Some(421)
    );
    assert_eq!(
        rate.follow(RoomTime::from_ms(500), std::iter::empty()),
        None
    );
}

proptest! {
    #[test]
    fn whoever_is_below_a_rung_moves_down_and_drags_nobody(
        links in prop::collection::vec(16_u32..3_000, 1..12),
    ) {
        let mut viewers: Vec<_> = links.iter().map(|link| (*link, Viewer::new())).collect();
        let ladder = usual();
        let mut by_rung: BTreeMap<usize, Vec<(u32, u32, u32)>> = BTreeMap::new();

        for (link, viewer) in &mut viewers {
            viewer.play(std::iter::repeat_n(*link, 100));
            let seen = viewer.tick(Some(*link));
            if let VideoChoice::Rung { index, kbps } = seen.video {
                let audio = audio_wire_kbps(seen.audio);
                by_rung.entry(index).or_default().push((*link, audio, kbps));
            }
        }

        for (index, on_it) in by_rung {
            let rung = &ladder.rungs()[index];
            let slowest = on_it.iter().map(|(_, _, kbps)| *kbps).min().unwrap();
            prop_assert!(rung.kbps.contains(&slowest));
            for (link, audio, _) in on_it {
                prop_assert!(audio + video_wire_kbps(rung, slowest) <= link);
            }
        }
    }
}
