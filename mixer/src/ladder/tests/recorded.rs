//! The choice of rung over estimates that a real server made of a real browser's link
//! (`fixtures/README.md` says how they were recorded).

use super::{Viewer, usual};
use crate::RoomTime;
use crate::ladder::{Allocation, Downlink, RungRate, VideoChoice};

/// A link, the takes there are of it, and which rungs it has on its wide and its narrow side.
const HALVING: [(&str, [&str; 2], [&str; 2]); 2] = [
    (
        "1200 and 600 kb/s",
        [
            include_str!("../../../../fixtures/estimates/steps-1200-1.txt"),
            include_str!("../../../../fixtures/estimates/steps-1200-2.txt"),
        ],
        ["top", "medium"],
    ),
    (
        "200 and 100 kb/s",
        [
            include_str!("../../../../fixtures/estimates/steps-200-1.txt"),
            include_str!("../../../../fixtures/estimates/steps-200-2.txt"),
        ],
        ["low", "speaker"],
    ),
];

const SAWTOOTH: &str = include_str!("../../../../fixtures/estimates/sawtooth-1.txt");

/// One moment of a recording.
#[derive(Clone)]
struct Row {
    at_ms: u64,
    link_kbps: u32,
    now_kbps: Option<u32>,
    lasting_kbps: Option<u32>,
    loss_percent: u32,
    /// What the server chose then.
    rung: String,
}

fn rows(text: &str) -> Vec<Row> {
    let kbps = |word: &str| (word != "-").then(|| word.parse().unwrap());
    let parsed = text.lines().map(|line| {
        let [at, link, now, lasting, loss, rung] = line.split(' ').collect::<Vec<_>>()[..] else {
            panic!("{line}: expected six words");
        };
        Row {
            at_ms: at.parse().unwrap(),
            link_kbps: link.parse().unwrap(),
            now_kbps: kbps(now),
            lasting_kbps: kbps(lasting),
            loss_percent: loss.parse().unwrap(),
            rung: rung.to_owned(),
        }
    });
    parsed.collect()
}

impl Viewer {
    /// What it gets at one moment of a recording.
    fn replay(&mut self, row: &Row) -> Allocation {
        let downlink = Downlink {
            bps: row.now_kbps.map(|kbps| u64::from(kbps) * 1_000),
            lasting_bps: row.lasting_kbps.map(|kbps| u64::from(kbps) * 1_000),
            loss_percent: row.loss_percent,
        };
        let now = RoomTime::from_ms(row.at_ms);
        self.receiver.tick(now, &self.ladder, downlink)
    }

    /// The rung at each moment of a recording, by its place.
    fn replay_all(&mut self, rows: &[Row]) -> Vec<Option<usize>> {
        rows.iter()
            .map(|row| self.replay(row).video.index())
            .collect()
    }
}

fn place(name: &str) -> Option<usize> {
    usual().rungs().iter().position(|rung| rung.name == name)
}

/// When the link changed, in rows.
fn turns(rows: &[Row]) -> Vec<usize> {
    let changed = |at: &usize| rows[*at].link_kbps != rows[at - 1].link_kbps;
    (1..rows.len()).filter(changed).collect()
}

fn changes(rungs: &[Option<usize>]) -> usize {
    rungs.windows(2).filter(|pair| pair[0] != pair[1]).count()
}

#[test]
fn recorded_estimates_give_the_rungs_that_they_gave_when_they_were_recorded() {
    let steps = HALVING.iter().flat_map(|(_, takes, _)| takes);
    for text in steps.chain([&SAWTOOTH]) {
        let rows = rows(text);

        let rungs = Viewer::new().replay_all(&rows);

        let pairs = rows.iter().zip(&rungs);
        let same = pairs.filter(|(row, rung)| place(&row.rung) == **rung);
        // The server's moments lie between those at which it was asked.
        assert!(same.count() * 100 >= rows.len() * 95);
    }
}

#[test]
fn a_recorded_link_that_halves_and_doubles_is_followed_and_not_more_often() {
    let mut took_ms = Vec::new();
    for (link, takes, [wide, narrow]) in HALVING {
        for text in takes {
            let rows = rows(text);
            let turns = turns(&rows);

            let rungs = Viewer::new().replay_all(&rows);

            for turn in turns.chunks(2) {
                let (down, up) = (turn[0], turn[1]);
                let left = (down..up).find(|at| rungs[*at] < place(wide)).unwrap();
                took_ms.push(rows[left].at_ms - rows[down].at_ms);
                let at_end = (rungs[down - 1], rungs[up - 1]);
                assert_eq!(at_end, (place(wide), place(narrow)), "{link}");
            }
            // Two each way, about: over the rung between, or to the one below for a moment.
            let changes = changes(&rungs[turns[0]..]);
            assert!((3..=8).contains(&changes), "{link}: {changes}");
        }
    }

    // The estimator's own time is in it.
    assert!(took_ms.iter().all(|ms| *ms <= 1_000), "{took_ms:?}");
}

#[test]
fn a_recorded_sawtooth_makes_the_picture_change_until_it_is_left_alone() {
    let rows = rows(SAWTOOTH);

    let rungs = Viewer::new().replay_all(&rows);

    let third = rows.len() / 3;
    let changes = [0, 1, 2].map(|part| changes(&rungs[third * part..third * (part + 1)]));
    assert!(
        changes.is_sorted_by(|before, after| before >= after),
        "{changes:?}"
    );
    assert_eq!(changes[2], 0);
}

#[test]
fn one_of_two_on_a_rung_whose_recorded_link_halves_moves_down_and_does_not_drag_the_other() {
    for (link, [first, second], [wide, _]) in HALVING {
        let falling = rows(first);
        let staying = staying(&rows(second), &falling);
        let (mut falls, mut stays) = (Viewer::new(), Viewer::new());
        let index = place(wide).unwrap();
        let range = usual().rungs()[index].kbps.clone();
        let mut rate = RungRate::new(*range.start());
        let (mut together, mut apart, mut dragged) = (0, 0, 0);

        for (one, two) in falling.iter().zip(&staying) {
            let now = RoomTime::from_ms(one.at_ms);
            let one = kbps_on(index, falls.replay(one));
            let two = kbps_on(index, stays.replay(two));
            if now < RoomTime::from_ms(10_000) {
                continue;
            }
            let two = two.expect("whose link stays as it is keeps the rung");
            rate.follow(now, one.into_iter().chain([two]));
            assert!(range.contains(&rate.kbps()), "{link}: {rate:?}");
            match one {
                Some(_) => together += 1,
                None => apart += 1,
            }
            // A quarter of a second and a twentieth are the encoder's.
            dragged += u32::from(one.is_none() && rate.kbps() * 10 < two * 9);
        }

        assert!(together > 300 && apart > 400, "{link}: {together} {apart}");
        assert!(dragged * 20 < apart, "{link}: {dragged} of {apart}");
    }
}

/// What its encoder may be set to for whoever is on a rung.
fn kbps_on(place: usize, allocation: Allocation) -> Option<u32> {
    match allocation.video {
        VideoChoice::Rung { index, kbps } if index == place => Some(kbps),
        VideoChoice::Rung { .. } | VideoChoice::Paused => None,
    }
}

/// As long as `other`, what `rows` have before their link first changes: the last ten seconds of it
/// again and again.
fn staying(rows: &[Row], other: &[Row]) -> Vec<Row> {
    let turn = turns(rows)[0];
    let settled = turn - 100..turn;
    let source = |at: usize| match at < turn {
        true => &rows[at],
        false => &rows[settled.start + (at - turn) % settled.len()],
    };
    let moments = other.iter().enumerate();
    let repeated = moments.map(|(at, moment)| Row {
        at_ms: moment.at_ms,
        ..source(at).clone()
    });
    repeated.collect()
}
