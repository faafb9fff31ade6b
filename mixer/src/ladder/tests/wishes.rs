//! What receivers ask for.

use super::{Viewer, steady, usual};
use crate::ParticipantId;
use crate::ladder::{Why, Wish, WishedLayout, WishedVideo};
use crate::video::Arrangement;

#[test]
fn audio_only_ends_the_picture_at_once_and_taking_it_back_brings_it_back() {
    let mut viewer = Viewer::new();
    viewer.play(steady(1_500, 20));

    viewer.receiver.set_wish(Wish {
        video: WishedVideo::Unwanted,
        ..Wish::default()
    });
    let without = viewer.tick(Some(1_500));
    viewer.receiver.set_wish(Wish::default());
    let changes = viewer.play(steady(1_500, 10));

    assert_eq!(viewer.name(&without), "paused");
    assert_eq!((without.why, without.next_kbps), (Why::Asked, None));
    assert_eq!(changes.last().unwrap().1, "top");
}

#[test]
fn a_lower_picture_or_less_of_the_link_is_given_at_once() {
    let lower = Wish {
        max_height: Some(360),
        ..Wish::default()
    };
    let less = Wish {
        max_kbps: Some(200),
        ..Wish::default()
    };

    for (wish, rung) in [(lower, "medium"), (less, "low")] {
        let mut viewer = Viewer::new();
        viewer.play(steady(1_500, 20));

        viewer.receiver.set_wish(wish);
        let changes = viewer.names(steady(1_500, 20));
        let last = viewer.tick(Some(1_500));

        assert_eq!(changes.last().unwrap(), rung);
        assert_eq!((last.why, last.next_kbps), (Why::Asked, None));
    }
}

#[test]
fn who_pins_somebody_sees_them_large_unless_they_ask_for_a_grid() {
    let ladder = usual();
    let pin = Some(ParticipantId(3));
    let top = |layout| {
        let wish = Wish {
            layout,
            pin,
            ..Wish::default()
        };
        wish.arrangement(ladder.top())
    };

    assert_eq!(top(None), Arrangement::SpeakerLarge);
    assert_eq!(top(Some(WishedLayout::Grid)), Arrangement::Grid);
}

#[test]
fn a_wish_for_a_layout_changes_what_rungs_show() {
    let ladder = usual();
    let shown = |layout: Option<WishedLayout>| -> Vec<Arrangement> {
        let wish = Wish {
            layout,
            ..Wish::default()
        };
        let rungs = ladder.rungs().iter();
        rungs.map(|rung| wish.arrangement(rung)).collect()
    };
    let (alone, large) = (Arrangement::SpeakerAlone, Arrangement::SpeakerLarge);
    let grid = Arrangement::Grid;

    assert_eq!(shown(None), [alone, alone, large, grid, grid]);
    assert_eq!(shown(Some(WishedLayout::Grid)), [grid; 5]);
    assert_eq!(
        shown(Some(WishedLayout::Speaker)),
        [alone, alone, large, large, large]
    );
}

#[test]
fn a_receiver_is_told_what_its_link_would_have_to_carry() {
    let mut viewer = Viewer::new();
    viewer.play(steady(90, 20));
    let told = viewer.tick(Some(90));
    assert_eq!(told.why, Why::Bandwidth);
    let next = told.next_kbps.unwrap();

    let short = viewer.names(steady(next - 3, 20));
    let enough = viewer.names(steady(next + 3, 20));

    assert_eq!(short, ["speaker"]);
    assert_eq!(enough, ["speaker", "low"]);
}

#[test]
fn more_than_the_best_that_is_wanted_takes_is_of_no_use() {
    let mut viewer = Viewer::new();
    let useful = |viewer: &Viewer| viewer.receiver.useful_kbps(&viewer.ladder);
    let all = useful(&viewer);
    assert!((2_000..2_400).contains(&all), "{all} kb/s");

    viewer.receiver.set_wish(Wish {
        max_height: Some(360),
        ..Wish::default()
    });
    let lower = useful(&viewer);
    assert!((1_000..1_200).contains(&lower), "{lower} kb/s");

    viewer.receiver.set_wish(Wish {
        max_kbps: Some(100),
        ..Wish::default()
    });
    assert_eq!(useful(&viewer), 100);
}
