//! ICE begun anew, with credentials that are said without an offer.

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::mpsc;

use super::styles::{HARDWARE, LARIX};
use super::{essence, offered, transports};
use crate::link::Link;
use crate::rtc::{IceCredentials, Offer, OneWay};

#[tokio::test]
async fn ice_is_restarted_with_other_credentials_over_the_same_leg_and_only_there() {
    let rtc = transports();
    let rows: [(&str, &[_], [bool; 2]); 5] = [
        (LARIX, &[(None, "other")], [true, true]),
        (LARIX, &[(Some("1"), "other")], [true, true]),
        (HARDWARE, &[(None, "other")], [true, true]),
        (
            HARDWARE,
            &[(Some("a"), "other"), (Some("v"), "seen")],
            [false, true],
        ),
        (
            HARDWARE,
            &[(Some("v"), "other"), (None, "heard")],
            [true, false],
        ),
    ];

    for (sdp, said, changed) in rows {
        let offer = offered(sdp).unwrap().only(OneWay::ToUs).unwrap();
        let link = Arc::new(Link::new(Instant::now()));
        let (events, _told) = mpsc::channel(64);
        let (transport, first) = rtc.answer(offer.clone(), link, events).await.unwrap();

        let again = restarted(&offer, said).unwrap();
        let second = transport.answer_again(again).await.unwrap();

        let of_served = |answer| {
            let all = values(answer, "a=ice-ufrag:");
            [all[0], all[if sdp == HARDWARE { 2 } else { 1 }]].map(str::to_owned)
        };
        let pairs = of_served(&first).into_iter().zip(of_served(&second));
        let are_others: Vec<_> = pairs.map(|(first, second)| first != second).collect();
        assert_eq!(are_others, changed, "{said:?}\n{second}");
        let fingerprints = |answer| values(answer, "a=fingerprint:").join(" ");
        assert_eq!(fingerprints(&first), fingerprints(&second));
        assert_eq!(essence(&first), essence(&second));
    }
}

#[test]
fn who_says_the_credentials_there_are_restarts_nothing() {
    let offer = offered(HARDWARE).unwrap();
    let rows: [&[_]; 3] = [
        &[],
        &[(Some("a"), "heard"), (Some("v"), "seen")],
        &[(Some("d"), "other"), (Some("nobody"), "other")],
    ];

    for said in rows {
        assert!(restarted(&offer, said).is_none(), "{said:?}");
    }
}

fn restarted(offer: &Offer, said: &[(Option<&str>, &str)]) -> Option<Offer> {
    let credentials: Vec<IceCredentials> = said
        .iter()
        .map(|(mid, ufrag)| IceCredentials {
            mid: mid.map(str::to_owned),
            ufrag: (*ufrag).to_owned(),
            password: "0123456789abcdefghijkl".to_owned(),
        })
        .collect();
    offer.restarted(&credentials)
}

/// What lines of the answer that begin so say behind that.
fn values<'a>(answer: &'a str, prefix: &'a str) -> Vec<&'a str> {
    let lines = answer.lines();
    lines.filter_map(|line| line.strip_prefix(prefix)).collect()
}
