//! What is no VP8 and no Opus, and those who send it.

use bytes::Bytes;

use crate::client::Client;
use crate::daemon::Daemon;
use crate::playing::{Playing, SMALL, one_clip};

/// The most lines at level warn or above that one hostile participant may cause, with thousands of
/// packets.
const MOST_COMPLAINTS: usize = 10;

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
