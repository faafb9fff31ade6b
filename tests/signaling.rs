//! The signaling of a running daemon, as PROTOCOL.md describes it, and what it does with clients
//! that do not follow it.

#[path = "support/daemon.rs"]
#[expect(dead_code, reason = "shared with the load client")]
mod daemon;
#[path = "support/socket.rs"]
mod socket;

use daemon::Daemon;
use mosaicd::signaling::message::{ByeReason, ErrorCode, LeaveReason, RequestId, ServerMessage};
use socket::Socket;

const AUDIO_ONLY_OFFER: &str = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n\
    a=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuvwx\r\na=fingerprint:sha-256 \
    AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA\
    \r\na=setup:actpass\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\n\
    a=rtcp-mux\r\na=sendrecv\r\na=rtpmap:111 opus/48000/2\r\n";

fn offer(sdp: &str) -> String {
    serde_json::json!({"type": "offer", "id": 5, "sdp": sdp}).to_string()
}

#[tokio::test]
async fn everybody_is_told_who_comes_and_goes() -> anyhow::Result<()> {
    let daemon = Daemon::start(&[])?;
    let mut ann = Socket::join(&daemon.address, "demo", "Ann").await?;

    let mut bob = Socket::join(&daemon.address, "demo", "Bob").await?;
    bob.say(r#"{"type":"status","muted":true}"#).await?;
    bob.say(r#"{"type":"leave","id":9}"#).await?;

    let names = |message| match message {
        ServerMessage::Participant { participant } => Some((participant.name, participant.muted)),
        _ => None,
    };
    assert_eq!(ann.hear_until(names).await?, ("Bob".to_owned(), false));
    assert_eq!(ann.hear_until(names).await?, ("Bob".to_owned(), true));
    let left = |message| match message {
        ServerMessage::ParticipantLeft {
            participant,
            reason,
        } => Some((participant, reason)),
        _ => None,
    };
    assert_eq!(
        ann.hear_until(left).await?,
        ("p2".to_owned(), LeaveReason::Left)
    );
    let reply = |message| match message {
        ServerMessage::Left { id } => id,
        _ => None,
    };
    assert_eq!(bob.hear_until(reply).await?, RequestId::Number(9));
    bob.closed().await
}

#[tokio::test]
async fn the_reply_to_a_leave_is_the_last_word_after_all_that_was_waiting() -> anyhow::Result<()> {
    let daemon = Daemon::start(&[])?;
    let mut ann = Socket::open(&daemon.address).await?;

    for text in [
        r#"{"type":"join","version":1,"room":"demo","name":"Ann"}"#,
        r#"{"type":"status","muted":true}"#,
        r#"{"type":"leave","id":3}"#,
    ] {
        ann.say(text).await?;
    }

    assert!(matches!(ann.hear().await?, ServerMessage::Joined(_)));
    assert!(matches!(
        ann.hear().await?,
        ServerMessage::Participant { .. }
    ));
    let id = Some(RequestId::Number(3));
    assert_eq!(ann.hear().await?, ServerMessage::Left { id });
    ann.closed().await
}

#[tokio::test]
async fn nonsense_is_refused_by_code_and_the_room_is_undisturbed() -> anyhow::Result<()> {
    let daemon = Daemon::start(&[])?;
    let mut ann = Socket::join(&daemon.address, "demo", "Ann").await?;
    let mut eve = Socket::open(&daemon.address).await?;
    let h264 = AUDIO_ONLY_OFFER
        .replace("audio", "video")
        .replace("opus/48000/2", "H264/90000");
    let pcmu = AUDIO_ONLY_OFFER.replace("opus/48000/2", "PCMU/8000");
    let join = |room: &str, version: u32| {
        format!(r#"{{"type":"join","version":{version},"room":"{room}"}}"#)
    };
    let candidate = r#"{"type":"candidate","candidate":{"candidate":"nonsense","sdpMid":"0"}}"#;

    let before_joining = [
        ("hello".to_owned(), ErrorCode::BadJson),
        ("{}".to_owned(), ErrorCode::BadMessage),
        (r#"{"type":"dance"}"#.to_owned(), ErrorCode::UnknownType),
        (
            format!(r#"{{"type":"ping","x":"{}"}}"#, "x".repeat(66_000)),
            ErrorCode::TooLarge,
        ),
        (join("demo", 2), ErrorCode::BadVersion),
        (join("no room", 1), ErrorCode::BadRoom),
        (
            r#"{"type":"join","version":1,"room":"a","name":"\u0007"}"#.to_owned(),
            ErrorCode::BadName,
        ),
        (
            r#"{"type":"join","version":1,"room":"demo","token":"guess"}"#.to_owned(),
            ErrorCode::BadToken,
        ),
        (offer(AUDIO_ONLY_OFFER), ErrorCode::NotJoined),
    ];
    for (text, code) in before_joining {
        assert_eq!(
            eve.refusal_code(&text).await?,
            code,
            "{}",
            &text[..text.len().min(60)]
        );
    }
    eve.say_bytes(vec![0xff; 100]).await?;
    eve.say(&join("demo", 1)).await?;
    let after_joining = [
        (join("demo", 1), ErrorCode::AlreadyJoined),
        (candidate.to_owned(), ErrorCode::BadCandidate),
        (offer("not sdp"), ErrorCode::BadSdp),
        (offer(&pcmu), ErrorCode::NoOpus),
        (offer(&h264), ErrorCode::NoVp8),
    ];
    eve.hear_until(|message| matches!(message, ServerMessage::Joined(_)).then_some(()))
        .await?;
    for (text, code) in after_joining {
        let refusal = eve.refusal(&text).await?;
        assert_eq!(refusal.code, code, "{text}");
        if text.contains("offer") {
            assert_eq!(refusal.id, Some(RequestId::Number(5)));
        }
    }

    ann.ping().await?;
    eve.ping().await
}

#[tokio::test]
async fn an_offer_with_audio_alone_is_answered() -> anyhow::Result<()> {
    let daemon = Daemon::start(&[])?;
    let mut ann = Socket::join(&daemon.address, "demo", "Ann").await?;

    ann.say(&offer(AUDIO_ONLY_OFFER)).await?;

    let answer = ann
        .hear_until(|message| match message {
            ServerMessage::Answer { id, sdp } => Some((id, sdp)),
            _ => None,
        })
        .await?;
    assert_eq!(answer.0, Some(RequestId::Number(5)));
    assert!(
        answer.1.contains("m=audio") && !answer.1.contains("m=video"),
        "{}",
        answer.1
    );
    Ok(())
}

#[tokio::test]
async fn a_full_room_and_a_full_server_say_so() -> anyhow::Result<()> {
    let daemon = Daemon::start(&["--max-participants", "1", "--max-rooms", "1"])?;
    let _ann = Socket::join(&daemon.address, "demo", "Ann").await?;
    let mut bob = Socket::open(&daemon.address).await?;

    let full = bob
        .refusal_code(r#"{"type":"join","version":1,"room":"demo"}"#)
        .await?;
    let too_many = bob
        .refusal_code(r#"{"type":"join","version":1,"room":"other"}"#)
        .await?;

    assert_eq!(
        (full, too_many),
        (ErrorCode::RoomFull, ErrorCode::TooManyRooms)
    );
    Ok(())
}

#[tokio::test]
async fn a_token_takes_the_seat_back_and_the_earlier_session_is_told() -> anyhow::Result<()> {
    let daemon = Daemon::start(&[])?;
    let mut first = Socket::open(&daemon.address).await?;
    first
        .say(r#"{"type":"join","version":1,"room":"demo","name":"Ann"}"#)
        .await?;
    let joined = |message| match message {
        ServerMessage::Joined(joined) => Some(joined),
        _ => None,
    };
    let seat = first.hear_until(joined).await?;

    let mut second = Socket::open(&daemon.address).await?;
    let token = &seat.token;
    second
        .say(&format!(
            r#"{{"type":"join","version":1,"room":"demo","token":"{token}"}}"#
        ))
        .await?;

    assert_eq!(
        second.hear_until(joined).await?.participant,
        seat.participant
    );
    let bye = |message| match message {
        ServerMessage::Bye { reason } => Some(reason),
        _ => None,
    };
    assert_eq!(first.hear_until(bye).await?, ByeReason::Taken);
    first.closed().await
}

#[tokio::test]
async fn a_seat_nobody_sits_in_goes_after_its_time_and_the_room_with_it() -> anyhow::Result<()> {
    let limits = [
        "--seat-seconds",
        "1",
        "--room-seconds",
        "0",
        "--max-rooms",
        "1",
    ];
    let daemon = Daemon::start(&limits)?;
    let mut ann = Socket::join(&daemon.address, "demo", "Ann").await?;
    let bob = Socket::join(&daemon.address, "demo", "Bob").await?;

    drop(bob);

    let absent = |message| match message {
        ServerMessage::Participant { participant } => participant.absent.then_some(()),
        _ => None,
    };
    ann.hear_until(absent).await?;
    let gone = |message| match message {
        ServerMessage::ParticipantLeft { reason, .. } => Some(reason),
        _ => None,
    };
    assert_eq!(ann.hear_until(gone).await?, LeaveReason::Gone);
    ann.say(r#"{"type":"leave"}"#).await?;
    ann.closed().await?;
    Socket::join(&daemon.address, "next", "Cid").await?;
    Ok(())
}
