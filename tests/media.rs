//! Media through a running daemon: what a participant gets while others come, go and send
//! nonsense.

#[path = "support/client.rs"]
#[expect(dead_code, reason = "shared with the load client")]
mod client;
#[path = "support/clip.rs"]
#[expect(dead_code, reason = "shared with the benches")]
mod clip;
#[path = "support/daemon.rs"]
#[expect(dead_code, reason = "shared with the load client")]
mod daemon;
#[path = "support/http.rs"]
mod http;
#[path = "support/peer.rs"]
mod peer;
#[path = "support/player.rs"]
#[expect(dead_code, reason = "shared with the load client")]
mod player;
#[path = "support/received.rs"]
#[expect(dead_code, reason = "shared with the benches")]
mod received;

use std::time::{Duration, Instant};

use anyhow::ensure;
use bytes::Bytes;
use client::{Client, Media};
use clip::{Clip, usual_clips};
use daemon::Daemon;
use mosaicd::signaling::message::{ClientMessage, Prefer};
use player::Player;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// A small canvas: these tests are about packets.
const SMALL: [&str; 4] = ["--size", "320x180", "--fps", "30"];

/// The most lines at level warn or above that one hostile participant may cause, with thousands of
/// packets.
const MOST_COMPLAINTS: usize = 10;

/// Ticks of 90 kHz in a second of media.
const SECOND: u32 = 90_000;

/// Frames in a second of media.
const SECOND_OF_FRAMES: u64 = 30;

/// A storm.
const REQUESTS_PER_SECOND: u32 = 100;

/// Somebody who sends a clip until told to stop.
struct Playing {
    stop: oneshot::Sender<()>,
    task: JoinHandle<anyhow::Result<()>>,
}

impl Playing {
    fn start(clip: Clip, media: Media) -> anyhow::Result<Self> {
        let (stop, stopped) = oneshot::channel::<()>();
        let player = Player::new(clip, media)?;
        let task = tokio::spawn(player.play(async { drop(stopped.await) }));
        Ok(Self { stop, task })
    }

    async fn stop(self) -> anyhow::Result<()> {
        drop(self.stop);
        self.task.await?
    }
}

fn one_clip() -> anyhow::Result<Clip> {
    Ok(usual_clips(1)?.remove(0))
}

#[tokio::test]
async fn nonsense_from_one_participant_disturbs_nobody() -> anyhow::Result<()> {
    let daemon = Daemon::start(&SMALL)?;
    let (ann, media) = Client::join(&daemon.address, "demo", "Ann").await?;
    let singing = Playing::start(one_clip()?, media)?;
    ann.received().more(10, 10).await?;
    let (eve, mut media) = Client::join(&daemon.address, "demo", "Eve").await?;

    for (n, payload) in hostile_video().into_iter().enumerate() {
        let timestamp = u32::try_from(n)? * 3_000;
        media.video.send(timestamp, true, payload).await?;
    }
    for (n, payload) in hostile_audio().into_iter().enumerate() {
        let timestamp = u32::try_from(n)? * 960;
        media.audio.send(timestamp, false, payload).await?;
    }
    ann.received().more(30, 50).await?;
    for n in 0..10_000_u32 {
        let payload = Bytes::copy_from_slice(&noise(n, 100));
        media.video.send(n / 7 * 3_000, n % 7 == 6, payload).await?;
    }

    ann.received().more(60, 100).await?;
    let health = daemon.health()?;
    assert_eq!((health.rooms, health.participants), (1, 2));
    eve.leave().await?;
    ann.received().more(10, 10).await?;
    singing.stop().await?;
    ann.leave().await?;
    let complaints: Vec<String> = daemon
        .lines()
        .into_iter()
        .filter(|line| line.contains("WARN") || line.contains("ERROR"))
        .collect();
    assert!(complaints.len() <= MOST_COMPLAINTS, "{complaints:#?}");
    Ok(())
}

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
async fn media_flows_over_a_port_of_ones_own_as_well() -> anyhow::Result<()> {
    let flags = [&SMALL[..], &["--media-ports", "20000-29999"]].concat();
    let daemon = Daemon::start(&flags)?;
    let (ann, media) = Client::join(&daemon.address, "demo", "Ann").await?;
    let singing = Playing::start(one_clip()?, media)?;

    ann.received().more(30, 50).await?;

    singing.stop().await?;
    ann.leave().await
}

/// Payloads that are no VP8, or not the VP8 that they say they are.
fn hostile_video() -> Vec<Bytes> {
    // S bit, partition 0, then: extended with everything announced, and cut off.
    let descriptor = [0x10_u8];
    let mut payloads = vec![Bytes::new(), Bytes::from_static(&[0x90])];
    let whole = [0x90, 0xf0, 0x92, 0x34, 0x01, 0x20];
    payloads.extend((1..whole.len()).map(|end| Bytes::copy_from_slice(&whole[..end])));
    let mut frame = |body: &[u8]| payloads.push([&descriptor, body].concat().into());
    // A keyframe that claims 16383x16383: start code, then both sides with no scaling.
    let huge = [0x10, 0x02, 0x00, 0x9d, 0x01, 0x2a, 0xff, 0x3f, 0xff, 0x3f];
    frame(&huge);
    frame(&[&huge[..], &noise(1, 1_000)].concat());
    // One that claims nothing at all, one of a plausible size, and one without its start code.
    frame(&[0x10, 0x02, 0x00, 0x9d, 0x01, 0x2a, 0, 0, 0, 0]);
    let plausible = [0x10, 0x02, 0x00, 0x9d, 0x01, 0x2a, 0x80, 0x02, 0x68, 0x01];
    frame(&[&plausible[..], &noise(2, 1_000)].concat());
    frame(&[0x10, 0x02, 0x00, 1, 2, 3, 4, 5, 6, 7, 8]);
    for n in 0..200 {
        frame(&noise(n, 50 + n as usize));
        frame(&[&plausible[..], &noise(n, 300)].concat());
    }
    payloads.extend((0..200).map(|n| noise(n, 1 + n as usize * 5).into()));
    payloads
}

/// Payloads that are no Opus, or not the Opus that they say they are.
fn hostile_audio() -> Vec<Bytes> {
    let mut payloads = vec![
        Bytes::new(),
        Bytes::from_static(&[0xff]),
        vec![0xff; 1_200].into(),
    ];
    // Code 3 packets that announce more frames, or longer ones, than there can be.
    payloads.extend((0..=255_u8).map(|count| vec![0x7b, count, 0xff, 0xff, 0xff].into()));
    payloads.extend((0..300).map(|n| noise(n, 1 + n as usize).into()));
    payloads
}

/// Bytes without meaning, the same ones every time (xorshift, 32 bits).
fn noise(seed: u32, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9) | 1;
    std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state.to_be_bytes()[0]
    })
    .take(length)
    .collect()
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

#[tokio::test]
async fn whoever_leaves_takes_all_descriptors_threads_and_tasks_along() -> anyhow::Result<()> {
    let daemon = Daemon::start(&SMALL)?;
    let (ann, media) = Client::join(&daemon.address, "demo", "Ann").await?;
    let singing = Playing::start(one_clip()?, media)?;
    // The first guest may open what stays open for good.
    visit(&daemon).await?;
    let before = holdings_when(&daemon, |_| true).await?;

    for _ in 0..5 {
        visit(&daemon).await?;
    }

    let after = holdings_when(&daemon, |after| after == before).await?;
    assert_eq!(after, before);
    singing.stop().await?;
    ann.leave().await
}

async fn visit(daemon: &Daemon) -> anyhow::Result<()> {
    let (guest, media) = Client::join(&daemon.address, "demo", "guest").await?;
    let singing = Playing::start(one_clip()?, media)?;
    guest.received().more(3, 3).await?;
    singing.stop().await?;
    guest.leave().await
}

/// What a daemon holds that must not pile up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Holdings {
    descriptors: usize,
    threads: usize,
    tasks: usize,
}

/// What the daemon holds once only one participant is left and `settled` is true of it, or what it
/// is when it does not come to that.
async fn holdings_when(
    daemon: &Daemon,
    settled: impl Fn(Holdings) -> bool,
) -> anyhow::Result<Holdings> {
    let deadline = Instant::now() + Duration::from_secs(30);
    let mut last = None;
    let mut unchanged = 0;
    loop {
        // In this order: asking for its health opens a descriptor for a moment.
        let usage = daemon.usage()?;
        let health = daemon.health()?;
        let now = Holdings {
            descriptors: usage.descriptors,
            threads: usage.threads,
            tasks: health.tasks,
        };
        unchanged = if last == Some(now) { unchanged + 1 } else { 0 };
        last = Some(now);
        let alone = health.participants == 1;
        if alone && unchanged >= 20 && settled(now) {
            return Ok(now);
        }
        if Instant::now() > deadline {
            ensure!(alone, "the guests are still there");
            return Ok(now);
        }
        // A pause between two looks, not a wait for something to have happened.
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
