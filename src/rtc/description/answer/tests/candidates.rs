//! Of which leg a candidate is, theirs and ours.

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::mpsc;

use super::styles::{HARDWARE, OBS};
use super::{offered, transports};
use crate::link::Link;
use crate::rtc::TransportEvent;

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
