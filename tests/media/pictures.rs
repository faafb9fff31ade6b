//! Pictures that are turned, asked for, of another rung, or looked at by an operator.

use std::time::{Duration, Instant};

use anyhow::ensure;
use mosaicd::signaling::message::{ClientMessage, Prefer};

use crate::client::Client;
use crate::daemon::Daemon;
use crate::http;
use crate::playing::{Playing, SMALL, one_clip};

/// Ticks of 90 kHz in a second of media.
const SECOND: u32 = 90_000;

/// Frames in a second of media.
const SECOND_OF_FRAMES: u64 = 30;

/// A storm.
const REQUESTS_PER_SECOND: u32 = 100;

#[tokio::test]
async fn an_operator_sees_what_somebody_in_the_room_gets() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let key = folder.path().join("key");
    std::fs::write(&key, "a-key-of-an-operator")?;
    let key = key.display().to_string();
    let daemon = Daemon::start(&[&SMALL[..], &["--api-key-file", &key]].concat())?;
    let bearer = ("authorization", "Bearer a-key-of-an-operator");
    let snapshot = async |accept: &str| {
        let path = ("GET", "/api/v1/rooms/demo/snapshot");
        let headers = [bearer, ("accept", accept)];
        http::ask(&daemon.address, path, &headers, Vec::new()).await
    };
    assert_eq!(snapshot("*/*").await?.status(), 404, "no room");
    let (ann, media) = Client::join(&daemon.address, "demo", "Ann").await?;
    let singing = Playing::start(one_clip()?, media)?;
    ann.received().more(30, 50).await?;

    assert_eq!(snapshot("text/html").await?.status(), 406);
    for (accept, content_type) in [("*/*", "image/jpeg"), ("image/png", "image/png")] {
        let mut answer = snapshot(accept).await?;
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.header("content-type"), content_type);
        let mut bytes = Vec::new();
        while let Some(more) = answer.next().await? {
            bytes.extend_from_slice(&more);
        }
        let picture = image::load_from_memory(&bytes)?.to_rgb8();
        assert_eq!(picture.dimensions(), (320, 180));
        // The clip is of somebody before a red wall.
        let [red, green, blue] = picture.get_pixel(12, 12).0;
        assert!(
            red > green && red > blue,
            "{content_type}: {red} {green} {blue}"
        );
    }
    let deadline = Instant::now() + Duration::from_secs(40);
    loop {
        let path = ("GET", "/api/v1/rooms/demo/participants/p1");
        let answer = http::ask(&daemon.address, path, &[bearer], Vec::new()).await?;
        let ann: serde_json::Value = serde_json::from_str(&answer.text().await?)?;
        let is_loud = ann["level_minus_dbov"].as_u64().is_some_and(|it| it < 127);
        let figures = [
            "audio_kbps",
            "downlink_kbps",
            "loss_percent",
            "round_trip_ms",
        ];
        if is_loud && ann["rung"].is_string() && figures.iter().all(|it| ann[*it].is_u64()) {
            break;
        }
        ensure!(Instant::now() < deadline, "{ann}");
        // A pause between two looks, not a wait for something to have happened.
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    singing.stop().await?;
    ann.leave().await
}

#[tokio::test]
async fn a_camera_that_says_how_it_is_held_is_turned() -> anyhow::Result<()> {
    for (held, turned) in [(1, true), (0, false)] {
        let daemon = Daemon::start(&SMALL)?;
        let (ann, media) = Client::join_turned(&daemon.address, "demo", "Ann", held).await?;
        let singing = Playing::start(one_clip()?, media)?;

        ann.received().more(30, 50).await?;

        singing.stop().await?;
        ann.leave().await?;
        let counters = daemon.lines_with("video ended", 1).await?.remove(0);
        assert!(!counters.contains(" decoded: 0,"), "{counters}");
        assert_eq!(!counters.contains(" turned: 0,"), turned, "{counters}");
    }
    Ok(())
}

#[tokio::test]
async fn a_viewer_who_asks_gets_a_keyframe_and_a_storm_of_requests_gets_few() -> anyhow::Result<()>
{
    let daemon = Daemon::start(&SMALL)?;
    let (ann, media) = Client::join(&daemon.address, "demo", "Ann").await?;
    let singing = Playing::start(one_clip()?, media)?;
    let received = ann.received();
    // What joining itself brings is over: two seconds of media without a keyframe.
    received
        .until("a calm start", |it| {
            let since = |keyframe: &u32| it.newest_frame().wrapping_sub(*keyframe);
            it.keyframes()
                .last()
                .map(since)
                .is_some_and(|ticks| ticks > 2 * SECOND)
        })
        .await?;

    let before = received.keyframes().len();
    received.ask_for_keyframe().await?;
    received
        .until("a keyframe", |it| it.keyframes().len() > before)
        .await?;

    received.more(SECOND_OF_FRAMES, 0).await?;
    let storm = received.newest_frame();
    let since = |timestamp: u32| timestamp.wrapping_sub(storm);
    let mut asked = 0;
    while since(received.newest_frame()) < SECOND {
        while asked * SECOND <= since(received.newest_frame()) * REQUESTS_PER_SECOND {
            received.ask_for_keyframe().await?;
            asked += 1;
        }
        received.more(1, 0).await?;
    }
    let during = |at: &&u32| (1..=SECOND).contains(&since(**at));

    let keyframes = received.keyframes().iter().filter(during).count();
    assert!(keyframes <= 3, "{keyframes} keyframes for {asked} requests");
    received
        .until("a keyframe after the storm began", |it| {
            let last = it.keyframes().last().copied();
            last.is_some_and(|at| (1..u32::MAX / 2).contains(&since(at)))
        })
        .await?;
    singing.stop().await?;
    ann.leave().await
}

#[tokio::test]
async fn a_change_of_rung_does_not_show_in_the_packets() -> anyhow::Result<()> {
    let daemon = Daemon::start(&["--size", "640x360", "--video-kbps", "600"])?;
    let (ann, media) = Client::join(&daemon.address, "demo", "Ann").await?;
    let singing = Playing::start(one_clip()?, media)?;
    let received = ann.received();

    let lower = Prefer {
        max_height: Some(240),
        ..Prefer::default()
    };
    for (wish, height) in [
        (None, 360),
        (Some(lower), 240),
        (Some(Prefer::default()), 360),
    ] {
        if let Some(wish) = wish {
            ann.say(ClientMessage::Prefer(wish)).await?;
        }
        received
            .until("another rung", |it| it.height() == height)
            .await?;
        received.more(10, 10).await?;
    }

    assert_eq!(received.breaks(), Vec::<String>::new());
    singing.stop().await?;
    ann.leave().await
}
