//! Offers for a transport that there is already.

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::mpsc;

use super::styles::HARDWARE;
use super::{offered, transports};
use crate::link::Link;

#[tokio::test]
async fn a_further_offer_is_answered_over_the_legs_there_are() {
    let rtc = transports();
    let audio_only = HARDWARE.replace("m=video 5000", "m=video 0");
    let rows = [
        // The same again, and without one of the two.
        (HARDWARE.to_owned(), HARDWARE.to_owned(), Some([true, true])),
        (
            HARDWARE.to_owned(),
            audio_only.replace("m=video 5006", "m=video 0"),
            Some([false, true]),
        ),
        // One more, for which there is no leg.
        (
            audio_only.replace("m=video 5006", "m=video 0"),
            HARDWARE.to_owned(),
            Some([false, true]),
        ),
        // Both in one, which were in two.
        (
            HARDWARE.to_owned(),
            HARDWARE.replacen(
                "a=group:BUNDLE v\r\na=group:BUNDLE a",
                "a=group:BUNDLE v a",
                1,
            ),
            None,
        ),
    ];

    for (first, second, expected) in rows {
        let link = Arc::new(Link::new(Instant::now()));
        let (events, _told) = mpsc::channel(64);
        let (transport, _) = rtc
            .answer(offered(&first).unwrap(), link, events)
            .await
            .unwrap();

        let answer = transport.answer_again(offered(&second).unwrap()).await;

        let served = answer.ok().map(|answer| {
            let video = answer.contains("m=video 9 ");
            [video, answer.contains("m=audio 9 ")]
        });
        assert_eq!(served, expected, "{second}");
    }
}
