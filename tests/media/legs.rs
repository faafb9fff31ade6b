//! Audio and video that are not bundled: one session, a transport for each kind of media, and what
//! becomes of the participant when one of the two dies.

use mosaicd::signaling::message::{ByeReason, LeaveReason, ServerMessage};

use crate::apart::Apart;
use crate::carrier::{Carrier, Conversation, Kind};
use crate::client::Client;
use crate::daemon::Daemon;
use crate::playing::{Playing, SMALL, one_clip};

/// Frames and packets of sound in a second of media, about.
const A_SECOND: (u64, u64) = (20, 45);

/// Waits until the others are told that a participant is out of reach, or no longer.
async fn absence(of: &str, watcher: &mut Carrier, expected: bool) -> anyhow::Result<()> {
    watcher
        .hear_until(|message| match message {
            ServerMessage::Participant { participant } => {
                (participant.id == of && participant.absent == expected).then_some(())
            }
            _ => None,
        })
        .await
}

#[tokio::test]
async fn sound_and_picture_go_over_a_transport_each_both_ways() -> anyhow::Result<()> {
    let daemon = Daemon::start(&SMALL)?;
    let (bob, _silent) = Client::join(&daemon.address, "demo", "Bob").await?;

    let (ann, media) = Apart::join(&daemon.address, "demo", "Ann").await?;
    let _singing = Playing::start(one_clip()?, media)?;

    let (frames, packets) = A_SECOND;
    bob.received().more(frames, packets).await?;
    ann.audio.received.more(0, packets).await?;
    ann.video.received.more(frames, 0).await?;
    let strays = (ann.audio.received.video(), ann.video.received.audio());
    assert_eq!(strays, (0, 0), "each kind has its own way");
    Ok(())
}

#[tokio::test]
async fn who_loses_one_of_two_is_absent_and_heard_and_back_when_it_is_mended() -> anyhow::Result<()>
{
    let daemon = Daemon::start(&SMALL)?;
    let (mut host, _) = Carrier::join(Kind::Socket, &daemon.address, ("demo", "Host")).await?;
    let (bob, _silent) = Client::join(&daemon.address, "demo", "Bob").await?;
    let (ann, media) = Apart::join(&daemon.address, "demo", "Ann").await?;
    let _singing = Playing::start(one_clip()?, media)?;
    let (frames, packets) = A_SECOND;
    ann.video.received.more(frames, 0).await?;

    ann.video.line.cut();

    absence(&ann.id, &mut host, true).await?;
    let seen = ann.video.received.video();
    // At once: the leg is given up if it is not mended in time.
    tokio::try_join!(
        ann.audio.received.more(0, packets),
        bob.received().more(frames, packets)
    )?;
    assert_eq!(ann.video.received.video(), seen, "nothing gets through");

    ann.video.line.mend();

    absence(&ann.id, &mut host, false).await?;
    ann.video.received.more(frames, 0).await?;
    Ok(())
}

#[tokio::test]
async fn who_closes_one_of_two_is_absent_and_hears_on() -> anyhow::Result<()> {
    let daemon = Daemon::start(&SMALL)?;
    let (mut host, _) = Carrier::join(Kind::Socket, &daemon.address, ("demo", "Host")).await?;
    let (ann, media) = Apart::join(&daemon.address, "demo", "Ann").await?;
    let _singing = Playing::start(one_clip()?, media)?;
    ann.video.received.more(A_SECOND.0, 0).await?;

    ann.video.close().await?;

    absence(&ann.id, &mut host, true).await?;
    ann.audio.received.more(0, A_SECOND.1).await
}

#[tokio::test]
async fn who_does_not_mend_one_of_two_loses_the_seat_in_time() -> anyhow::Result<()> {
    let daemon = Daemon::start(&[&SMALL[..], &["--seat-seconds", "1"]].concat())?;
    let (mut host, _) = Carrier::join(Kind::Socket, &daemon.address, ("demo", "Host")).await?;
    let (mut ann, media) = Apart::join(&daemon.address, "demo", "Ann").await?;
    let _singing = Playing::start(one_clip()?, media)?;
    ann.audio.received.more(0, A_SECOND.1).await?;

    ann.video.line.cut();

    absence(&ann.id, &mut host, true).await?;
    let reason = host
        .hear_until(|message| match message {
            ServerMessage::ParticipantLeft { reason, .. } => Some(reason),
            _ => None,
        })
        .await?;
    assert_eq!(reason, LeaveReason::Gone);
    let farewell = |message| match message {
        ServerMessage::Bye { reason } => Some(reason),
        _ => None,
    };
    assert_eq!(ann.session.hear_until(farewell).await?, ByeReason::Gone);
    Ok(())
}
