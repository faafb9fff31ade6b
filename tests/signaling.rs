//! The signaling of a running daemon, as PROTOCOL.md describes it, and what it does with clients
//! that do not follow it: once over each carrier.

#[path = "support/carrier.rs"]
#[expect(dead_code, reason = "shared with hostile clients")]
mod carrier;
#[path = "support/daemon.rs"]
#[expect(dead_code, reason = "shared with the load client")]
mod daemon;
#[path = "support/http.rs"]
mod http;

use carrier::{Carrier, Conversation, Kind};
use daemon::Daemon;
use mosaicd::signaling::message::{
    ByeReason, ErrorCode, Joined, LeaveReason, RequestId, Resumed, ServerMessage,
};

/// Makes a test of each function for each carrier.
macro_rules! over_each_carrier {
    ($($test:ident,)*) => {
        mod over_a_websocket {
            $(#[tokio::test]
            async fn $test() -> anyhow::Result<()> {
                super::$test(super::Kind::Socket).await
            })*
        }
        mod over_server_sent_events {
            $(#[tokio::test]
            async fn $test() -> anyhow::Result<()> {
                super::$test(super::Kind::Events).await
            })*
        }
        mod by_polling {
            $(#[tokio::test]
            async fn $test() -> anyhow::Result<()> {
                super::$test(super::Kind::Polls).await
            })*
        }
    };
}

over_each_carrier! {
    everybody_is_told_who_comes_and_goes,
    the_reply_to_a_leave_is_the_last_word_after_all_that_was_waiting,
    nonsense_is_refused_by_code_and_the_room_is_undisturbed,
    an_offer_with_audio_alone_is_answered,
    a_full_room_and_a_full_server_say_so,
    a_token_takes_the_seat_back_and_the_earlier_session_is_told,
    a_seat_nobody_sits_in_goes_after_its_time_and_the_room_with_it,
    a_session_goes_on_over_another_carrier_and_misses_nothing,
    a_client_that_takes_nothing_for_too_long_has_to_join_again,
    what_was_never_said_cannot_be_resumed,
    a_session_that_was_left_is_no_more,
    somebody_without_a_carrier_is_absent_until_back,
}

const AUDIO_ONLY_OFFER: &str = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n\
    a=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuvwx\r\na=fingerprint:sha-256 \
    AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA\
    \r\na=setup:actpass\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\n\
    a=rtcp-mux\r\na=sendrecv\r\na=rtpmap:111 opus/48000/2\r\n";

fn offer(sdp: &str) -> String {
    serde_json::json!({"type": "offer", "id": 5, "sdp": sdp}).to_string()
}

async fn everybody_is_told_who_comes_and_goes(kind: Kind) -> anyhow::Result<()> {
    let daemon = Daemon::start(&[])?;
    let (mut ann, _) = Carrier::join(kind, &daemon.address, ("demo", "Ann")).await?;

    let (mut bob, _) = Carrier::join(kind, &daemon.address, ("demo", "Bob")).await?;
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

async fn the_reply_to_a_leave_is_the_last_word_after_all_that_was_waiting(
    kind: Kind,
) -> anyhow::Result<()> {
    let daemon = Daemon::start(&[])?;
    let mut ann = Carrier::open(kind, &daemon.address).await?;

    for text in [
        r#"{"type":"join","version":1,"room":"demo","name":"Ann"}"#,
        r#"{"type":"status","muted":true}"#,
        r#"{"type":"leave","id":3}"#,
    ] {
        ann.say(text).await?;
    }

    assert!(matches!(
        ann.hear().await?.message,
        ServerMessage::Joined(_)
    ));
    assert!(matches!(
        ann.hear().await?.message,
        ServerMessage::Participant { .. }
    ));
    let id = Some(RequestId::Number(3));
    assert_eq!(ann.hear().await?.message, ServerMessage::Left { id });
    ann.closed().await
}

async fn nonsense_is_refused_by_code_and_the_room_is_undisturbed(kind: Kind) -> anyhow::Result<()> {
    let daemon = Daemon::start(&[])?;
    let (mut ann, _) = Carrier::join(kind, &daemon.address, ("demo", "Ann")).await?;
    let mut eve = Carrier::open(kind, &daemon.address).await?;
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

async fn an_offer_with_audio_alone_is_answered(kind: Kind) -> anyhow::Result<()> {
    let daemon = Daemon::start(&[])?;
    let (mut ann, _) = Carrier::join(kind, &daemon.address, ("demo", "Ann")).await?;

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

async fn a_full_room_and_a_full_server_say_so(kind: Kind) -> anyhow::Result<()> {
    let daemon = Daemon::start(&["--max-participants", "1", "--max-rooms", "1"])?;
    let (_ann, _) = Carrier::join(kind, &daemon.address, ("demo", "Ann")).await?;
    let mut bob = Carrier::open(kind, &daemon.address).await?;

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

async fn a_token_takes_the_seat_back_and_the_earlier_session_is_told(
    kind: Kind,
) -> anyhow::Result<()> {
    let daemon = Daemon::start(&[])?;
    let mut first = Carrier::open(kind, &daemon.address).await?;
    first
        .say(r#"{"type":"join","version":1,"room":"demo","name":"Ann"}"#)
        .await?;
    let joined = |message| match message {
        ServerMessage::Joined(joined) => Some(joined),
        _ => None,
    };
    let seat = first.hear_until(joined).await?;

    let mut second = Carrier::open(kind, &daemon.address).await?;
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

async fn a_seat_nobody_sits_in_goes_after_its_time_and_the_room_with_it(
    kind: Kind,
) -> anyhow::Result<()> {
    let limits = [
        "--seat-seconds",
        "1",
        "--room-seconds",
        "0",
        "--max-rooms",
        "1",
    ];
    let daemon = Daemon::start(&limits)?;
    let (mut ann, _) = Carrier::join(kind, &daemon.address, ("demo", "Ann")).await?;
    let (bob, _) = Carrier::join(Kind::Socket, &daemon.address, ("demo", "Bob")).await?;

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
    // Who has left is told before the room has seen that nobody is there.
    daemon.health_when(|health| health.rooms == 0).await?;
    Carrier::join(kind, &daemon.address, ("next", "Cid")).await?;
    Ok(())
}

fn resume(joined: &Joined, after: u64) -> String {
    let session = &joined.session;
    serde_json::json!({"type": "resume", "version": 1, "session": session, "after": after})
        .to_string()
}

fn status_of(name: &str, message: &ServerMessage) -> Option<bool> {
    match message {
        ServerMessage::Participant { participant } if participant.name == name => {
            Some(participant.muted)
        }
        _ => None,
    }
}

async fn a_session_goes_on_over_another_carrier_and_misses_nothing(
    kind: Kind,
) -> anyhow::Result<()> {
    let daemon = Daemon::start(&[])?;
    let (mut bob, _) = Carrier::join(Kind::Socket, &daemon.address, ("demo", "Bob")).await?;
    let (mut ann, seat) = Carrier::join(kind, &daemon.address, ("demo", "Ann")).await?;
    let mut seen = 1;

    for next in Kind::ALL {
        drop(ann);
        for muted in [true, false, true, false] {
            bob.say(&format!(r#"{{"type":"status","muted":{muted}}}"#))
                .await?;
        }
        // Who changes is told of it like everybody else.
        for muted in [true, false, true, false] {
            let told = bob.hear_until(|message| status_of("Bob", &message)).await?;
            assert_eq!(told, muted);
        }
        ann = Carrier::open(next, &daemon.address).await?;
        ann.say(&resume(&seat, seen)).await?;
        ann.say(r#"{"type":"ping","id":"all"}"#).await?;

        let resumed = ann.hear().await?;
        assert!(resumed.seq.is_none());
        let ServerMessage::Resumed(Resumed { after, last, .. }) = resumed.message else {
            anyhow::bail!("{resumed:?}");
        };
        assert!(after == seen && last >= seen, "{after} {last} {seen}");
        let mut told = Vec::new();
        loop {
            let heard = ann.hear().await?;
            assert_eq!(heard.seq, Some(seen + 1), "{heard:?}");
            seen += 1;
            told.extend(status_of("Bob", &heard.message));
            if matches!(heard.message, ServerMessage::Pong { .. }) {
                break;
            }
        }
        assert_eq!(told, [true, false, true, false], "{next:?}");
    }
    Ok(())
}

async fn somebody_without_a_carrier_is_absent_until_back(kind: Kind) -> anyhow::Result<()> {
    let daemon = Daemon::start(&[])?;
    let (mut bob, _) = Carrier::join(kind, &daemon.address, ("demo", "Bob")).await?;
    let (ann, seat) = Carrier::join(Kind::Socket, &daemon.address, ("demo", "Ann")).await?;
    let absent = |message| match message {
        ServerMessage::Participant { participant } => Some((participant.name, participant.absent)),
        _ => None,
    };
    assert_eq!(bob.hear_until(absent).await?, ("Ann".to_owned(), false));

    drop(ann);
    assert_eq!(bob.hear_until(absent).await?, ("Ann".to_owned(), true));

    let mut ann = Carrier::open(kind, &daemon.address).await?;
    ann.say(&resume(&seat, 1)).await?;
    assert_eq!(bob.hear_until(absent).await?, ("Ann".to_owned(), false));
    Ok(())
}

async fn a_client_that_takes_nothing_for_too_long_has_to_join_again(
    kind: Kind,
) -> anyhow::Result<()> {
    /// So many may say all they want to say at once.
    const TALKERS: usize = 6;
    const WORDS: usize = 190;
    let daemon = Daemon::start(&[])?;
    let (ann, seat) = Carrier::join(Kind::Socket, &daemon.address, ("demo", "Ann")).await?;
    drop(ann);

    for _ in 0..TALKERS {
        let (mut talker, _) =
            Carrier::join(Kind::Socket, &daemon.address, ("demo", "Talker")).await?;
        for n in 0..WORDS {
            let muted = n % 2 == 0;
            talker
                .say(&format!(r#"{{"type":"status","muted":{muted}}}"#))
                .await?;
        }
        talker.ping().await?;
        talker.say(r#"{"type":"leave"}"#).await?;
        talker.closed().await?;
    }

    let mut ann = Carrier::open(kind, &daemon.address).await?;
    assert_eq!(
        ann.refusal_code(&resume(&seat, 1)).await?,
        ErrorCode::BadResume
    );
    let token = &seat.token;
    ann.say(&format!(
        r#"{{"type":"join","version":1,"room":"demo","token":"{token}"}}"#
    ))
    .await?;
    let ServerMessage::Joined(again) = ann.hear().await?.message else {
        anyhow::bail!("not joined");
    };
    assert_eq!(again.participant, seat.participant);
    assert_ne!(again.session, seat.session);
    Ok(())
}

async fn what_was_never_said_cannot_be_resumed(kind: Kind) -> anyhow::Result<()> {
    let daemon = Daemon::start(&[])?;
    let (ann, mut seat) = Carrier::join(kind, &daemon.address, ("demo", "Ann")).await?;
    let mut eve = Carrier::open(kind, &daemon.address).await?;

    let behind = eve.refusal_code(&resume(&seat, 99)).await?;
    seat.session = Some("0123456789abcdef0123456789abcdef".to_owned());
    let made_up = eve.refusal_code(&resume(&seat, 1)).await?;

    assert_eq!(
        (behind, made_up),
        (ErrorCode::BadResume, ErrorCode::NoSession)
    );
    drop(ann);
    Ok(())
}

async fn a_session_that_was_left_is_no_more(kind: Kind) -> anyhow::Result<()> {
    let daemon = Daemon::start(&[])?;
    let (mut ann, seat) = Carrier::join(kind, &daemon.address, ("demo", "Ann")).await?;

    ann.say(r#"{"type":"leave","id":3}"#).await?;
    let left = |message| matches!(message, ServerMessage::Left { .. }).then_some(());
    ann.hear_until(left).await?;
    ann.closed().await?;

    let mut again = Carrier::open(kind, &daemon.address).await?;
    let refused = again.refusal_code(&resume(&seat, 99)).await?;
    assert!(matches!(
        refused,
        ErrorCode::NoSession | ErrorCode::BadResume
    ));
    assert_eq!(daemon.health()?.participants, 0);
    Ok(())
}
