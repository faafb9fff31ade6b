//! Hostile clients beside people who sit in a room: each attack is answered with its code and held
//! to its bounds, and those who sit notice nothing.

#[path = "support/attacks.rs"]
#[expect(dead_code, reason = "shared with the load client")]
mod attacks;
#[path = "support/carrier.rs"]
mod carrier;
#[path = "support/daemon.rs"]
#[expect(dead_code, reason = "shared with the load client")]
mod daemon;
#[path = "support/http.rs"]
mod http;

use std::time::{Duration, Instant};

use anyhow::ensure;
use attacks::Tally;
use attacks::ghosts::{begin_and_forget, vanish};
use attacks::held::Held;
use attacks::upgrade::UPGRADE;
use carrier::{Carrier, Conversation, Kind};
use daemon::Daemon;
use mosaicd::signaling::message::{ByeReason, Participant, ServerMessage};

/// Where people sit.
const ROOM: &str = "quiet";

const JOIN: &str = r#"{"type":"join","version":1,"room":"demo"}"#;

/// How long what was left behind may take to go.
const PATIENCE: Duration = Duration::from_secs(30);

/// Three people, one over each carrier.
struct Sitting {
    people: Vec<Carrier>,
}

impl Sitting {
    async fn begin(daemon: &Daemon) -> anyhow::Result<Self> {
        let mut people = Vec::new();
        for kind in Kind::ALL {
            let (carrier, _) = Carrier::join(kind, &daemon.address, (ROOM, "Ann")).await?;
            people.push(carrier);
        }
        Ok(Self { people })
    }

    /// They are in peace, and a newcomer finds them in their seats.
    async fn leave_undisturbed(mut self, daemon: &Daemon) -> anyhow::Result<()> {
        self.are_in_peace().await?;
        let (_, joined) = Carrier::join(Kind::Socket, &daemon.address, (ROOM, "Dan")).await?;
        let seated = joined.participants.iter().filter(|it| sits(&it.id));
        ensure!(seated.count() == 3, "{:?}", joined.participants);
        Ok(())
    }

    /// All of them are still answered, and nobody was told that one of the others had left or was
    /// absent.
    async fn are_in_peace(&mut self) -> anyhow::Result<()> {
        for person in &mut self.people {
            person.say(r#"{"type":"ping","id":"end"}"#).await?;
            loop {
                match person.hear().await?.message {
                    ServerMessage::Pong { .. } => break,
                    ServerMessage::ParticipantLeft { participant, .. } => {
                        ensure!(!sits(&participant), "{participant} has left");
                    }
                    ServerMessage::Participant {
                        participant: Participant { id, absent, .. },
                    } => ensure!(!(absent && sits(&id)), "{id} is absent"),
                    ServerMessage::Bye { reason } => anyhow::bail!("bye: {reason:?}"),
                    ServerMessage::Error(error) => anyhow::bail!("{error:?}"),
                    _ => {}
                }
            }
        }
        Ok(())
    }
}

/// Whether it is one of those who came first.
fn sits(id: &str) -> bool {
    ["p1", "p2", "p3"].contains(&id)
}

fn tally(rows: &[(&str, u64)]) -> Tally {
    rows.iter()
        .map(|&(code, count)| (code.to_owned(), count))
        .collect()
}

#[tokio::test]
async fn nonsense_and_disorder_are_answered_one_by_one_with_their_codes() -> anyhow::Result<()> {
    let daemon = Daemon::start(&[])?;
    let sitting = Sitting::begin(&daemon).await?;

    for kind in Kind::ALL {
        let answers = attacks::talk_nonsense(kind, &daemon.address, ROOM).await?;

        let expected = [
            ("already_joined", 1),
            ("bad_candidate", 1),
            ("bad_json", 5),
            ("bad_message", 6),
            ("bad_resume", 1),
            ("bad_text", 1),
            ("no_such_participant", 1),
            ("not_allowed", 2),
            ("too_large", 1),
            ("unknown_type", 2),
        ];
        assert_eq!(answers, tally(&expected), "{kind:?}");
    }
    sitting.leave_undisturbed(&daemon).await
}

#[tokio::test]
async fn offers_and_candidates_beyond_sense_and_measure_are_refused() -> anyhow::Result<()> {
    let daemon = Daemon::start(&[])?;
    let sitting = Sitting::begin(&daemon).await?;

    for kind in Kind::ALL {
        let offers = attacks::offer_nonsense(kind, &daemon.address, ROOM).await?;
        let candidates = attacks::send_candidates(kind, &daemon.address, (ROOM, 100)).await?;

        let expected = [("bad_sdp", 8), ("no_opus", 1), ("too_large", 1)];
        assert_eq!(offers, tally(&expected), "{kind:?}");
        let expected = [
            ("bad_candidate", 64),
            ("bad_sdp", 1),
            ("too_many_candidates", 36),
        ];
        assert_eq!(candidates, tally(&expected), "{kind:?}");
    }
    sitting.leave_undisturbed(&daemon).await
}

#[tokio::test]
async fn a_flood_of_messages_is_heard_as_fast_as_may_be_and_the_rest_refused() -> anyhow::Result<()>
{
    let daemon = Daemon::start(&["--limit", "messages-per-second=1"])?;
    let sitting = Sitting::begin(&daemon).await?;

    for kind in Kind::ALL {
        let batches = 6;
        let answers = attacks::flood(kind, &daemon.address, (ROOM, batches)).await?;

        let codes: Vec<&str> = answers.keys().map(String::as_str).collect();
        assert_eq!(codes, ["pong", "rate_limited"], "{kind:?}");
        // At least those that may come at once, but for the join; at most one a second more.
        assert!((199..=300).contains(&answers["pong"]), "{answers:?}");
        let all: u64 = answers.values().sum();
        assert_eq!(all, u64::try_from(attacks::flood_length(batches))?);
    }
    sitting.leave_undisturbed(&daemon).await
}

#[tokio::test]
async fn who_joins_and_vanishes_takes_no_more_than_an_address_may() -> anyhow::Result<()> {
    let daemon = Daemon::start(&[
        "--limit",
        "sessions-per-address=40",
        "--limit",
        "connections-per-address=10000",
        "--seat-seconds",
        "3600",
    ])?;
    let mut sitting = Sitting::begin(&daemon).await?;

    let ghosts = vanish(&daemon.address, (60, 5)).await?;
    let forgotten = begin_and_forget(&daemon.address, (60, 5)).await?;

    assert_eq!(
        ghosts,
        tally(&[("joined", 37), ("too_many_from_address", 23)])
    );
    assert_eq!(forgotten, tally(&[("too_many_from_address", 60)]));
    assert_eq!(daemon.health()?.sessions, 40);
    sitting.are_in_peace().await
}

#[tokio::test]
async fn of_who_joins_and_vanishes_nothing_is_left_behind() -> anyhow::Result<()> {
    let daemon = Daemon::start(&[
        "--seat-seconds",
        "1",
        "--room-seconds",
        "0",
        "--limit",
        "participants-per-address=30",
        "--limit",
        "sessions-per-address=30",
        "--limit",
        "rooms-per-address=5",
    ])?;
    let (mut ann, _) = Carrier::join(Kind::Socket, &daemon.address, (ROOM, "Ann")).await?;
    let before = held_by(&daemon)?;

    let elsewhere = format!("127.0.0.2>{}", daemon.address);
    let ghosts = vanish(&elsewhere, (30, 5)).await?;
    assert_eq!(ghosts, tally(&[("joined", 30)]));
    // A last word that nobody takes is kept for half a minute.
    let deadline = Instant::now() + 2 * PATIENCE;
    while held_by(&daemon)? != before {
        ensure!(Instant::now() < deadline, "{:?}", held_by(&daemon)?);
        // A pause between two looks, not a wait for something to have happened.
        tokio::time::sleep(Duration::from_millis(50)).await;
    }

    // As many as there may be, which is only so if all of the first was given back.
    let ghosts = vanish(&elsewhere, (30, 5)).await?;
    assert_eq!(ghosts, tally(&[("joined", 30)]));
    ann.ping().await
}

/// The allocator keeps what a crowd needed unless it is told, so this fails without.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[tokio::test]
async fn memory_that_a_crowd_needed_is_given_back() -> anyhow::Result<()> {
    let crowd = 1_500;
    let log = [("RUST_LOG", "info,mosaicd::serve::memory=debug")];
    let flags = [
        "--seat-seconds",
        "1",
        "--room-seconds",
        "0",
        "--limit",
        "sessions-per-address=1500",
        "--limit",
        "participants-per-address=1500",
        "--limit",
        "connection-burst=1500",
        "--limit",
        "request-burst=1500",
    ];
    let daemon = Daemon::start_in(&log, &flags)?;
    let resident_kb = || daemon.usage().map(|usage| usage.resident_kb);
    let elsewhere = format!("127.0.0.2>{}", daemon.address);
    let before = resident_kb()?;

    let (mut looks, mut most) = (tokio::time::interval(Duration::from_millis(50)), before);
    let vanishing = vanish(&elsewhere, (crowd, 50));
    tokio::pin!(vanishing);
    let ghosts = loop {
        tokio::select! {
            ghosts = &mut vanishing => break ghosts?,
            _ = looks.tick() => most = most.max(resident_kb()?),
        }
    };
    let grown = most - before;

    assert_eq!(ghosts, tally(&[("joined", crowd as u64)]));
    let deadline = Instant::now() + 3 * PATIENCE;
    while resident_kb()?.saturating_sub(before) > grown / 2 {
        ensure!(Instant::now() < deadline, "of {grown} kB most is kept");
        // A pause between two looks, not a wait for something to have happened.
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let told = daemon.lines_with("memory given back", 1).await?.remove(0);
    assert!(told.contains("took_us"), "{told}");
    assert!(told.contains("given_back_kb"), "{told}");
    Ok(())
}

/// Rooms, participants, sessions and tasks.
fn held_by(daemon: &Daemon) -> anyhow::Result<[usize; 4]> {
    let health = daemon.health()?;
    Ok([
        health.rooms,
        health.participants,
        health.sessions,
        health.tasks,
    ])
}

#[tokio::test]
async fn connections_that_get_no_further_are_no_more_than_an_address_may_have() -> anyhow::Result<()>
{
    let head = "GET /ws HTTP/1.1\r\nhost: 127.0.0.1\r\nx: ";
    let body = "POST /sessions HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 1000\r\n\r\n{";
    for beginning in [head, body, UPGRADE] {
        let daemon = Daemon::start(&["--limit", "connections-per-address=60"])?;
        let (mut ann, _) = Carrier::join(Kind::Socket, &daemon.address, (ROOM, "Ann")).await?;

        let held = Held::open(&daemon.address, 100, beginning).await?;
        held.last_is_cut().await?;

        // Ann has one of the sixty.
        assert_eq!(held.cut(), 41, "{beginning:?}");
        ann.ping().await?;
        drop(held);
        until_welcome(&daemon).await?;
    }
    Ok(())
}

#[tokio::test]
async fn requests_side_by_side_for_one_session_are_so_many_and_the_next_is_refused()
-> anyhow::Result<()> {
    let daemon = Daemon::start(&[])?;
    let joined = http::ask(&daemon.address, ("POST", "/sessions"), &[], JOIN.into()).await?;
    let session = format!("/{}", joined.header("location"));
    let stalled = format!(
        "POST {session} HTTP/1.1\r\nhost: 127.0.0.1\r\nexpect: 100-continue\r\ncontent-length: 9\r\n\r\n"
    );

    // Each is asked for its body once it has its turn.
    let held = Held::open(&daemon.address, 4, &stalled).await?;
    held.all_are_answered().await?;
    let say = async || {
        let ping = r#"{"type":"ping"}"#;
        http::ask(&daemon.address, ("POST", &session), &[], ping.into()).await
    };
    let refused = say().await?;
    assert_eq!(refused.status(), 429);
    assert_eq!(refused.header("retry-after"), "1");
    assert!(refused.text().await?.contains("rate_limited"));

    drop(held);
    let deadline = Instant::now() + PATIENCE;
    while say().await?.status() != 202 {
        ensure!(Instant::now() < deadline, "the turns are not given back");
    }
    Ok(())
}

#[tokio::test]
async fn who_does_not_join_in_time_is_told_so_over_whatever_carrier() -> anyhow::Result<()> {
    let daemon = Daemon::start(&["--limit", "join-seconds=1"])?;
    let bye = |message| match message {
        ServerMessage::Bye { reason } => Some(reason),
        _ => None,
    };

    let mut silent = Carrier::open(Kind::Socket, &daemon.address).await?;
    assert_eq!(silent.hear_until(bye).await?, ByeReason::NotJoined);
    silent.closed().await?;
    for kind in Kind::ALL {
        let mut talker = Carrier::open(kind, &daemon.address).await?;
        talker.say(r#"{"type":"ping"}"#).await?;
        assert_eq!(talker.hear_until(bye).await?, ByeReason::NotJoined);
        talker.closed().await?;
    }
    Ok(())
}

/// Waits until the server has noticed that there is room for a connection again.
async fn until_welcome(daemon: &Daemon) -> anyhow::Result<()> {
    let deadline = Instant::now() + PATIENCE;
    while let Err(error) = daemon.health() {
        ensure!(Instant::now() < deadline, "still cut: {error}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}
