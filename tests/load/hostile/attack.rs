//! The attacks, each by its name: which there are, and what each does with its means.

use std::time::Duration;

use anyhow::Context;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::means::Means;
use crate::attacks::held::{Held, fragment, swallow};
use crate::attacks::upgrade::UPGRADE;
use crate::attacks::{self, Tally, ghosts};
use crate::carrier::Kind;

/// One of them. What it does ends by itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attack {
    pub(super) name: &'static str,
    act: Act,
}

#[derive(Clone, Copy, Debug)]
enum Act {
    /// Nothing: what the others are compared with.
    Wait,
    /// From seats among those who sit, so many over each carrier, each from an address of its own.
    Talk(Talk),
    /// From seats among those who sit, as often as one may.
    Fuss,
    /// Connections that say the first, and then the second for as long as they are there.
    Hold(&'static str, &'static str),
    /// WebSockets with messages that never end.
    Fragments,
    /// Seats whose clients read nothing of all that they have each other told.
    Swallow,
    /// Guesses at sessions and seats.
    Guess,
    /// WHIP with offers of all kinds.
    Publish,
    /// Joins in as many rooms.
    Rooms,
    /// Joins, each gone at once.
    Vanish,
    /// Sessions by requests, and nothing after that.
    Forget,
}

/// What is said.
#[derive(Clone, Copy, Debug)]
enum Talk {
    Nonsense,
    Offers,
    Candidates,
    Flood,
}

pub(super) const QUIET: Attack = attack("quiet", Act::Wait);

const SLOW_HEAD: &str = "GET / HTTP/1.1\r\nhost: 127.0.0.1\r\nx: ";
const SLOW_BODY: &str =
    "POST /sessions HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 60000\r\n\r\n";
/// Of a file, and of nothing else, so that all of it is wanted at once.
const FILES: &str = "GET /messages.schema.json HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n";

const VANISH: Attack = attack("joins", Act::Vanish);
const FORGET: Attack = attack("sessions", Act::Forget);
const PUBLISH: Attack = attack("whip", Act::Publish);

/// Within the usual limits.
pub(super) const USUAL: &[Attack] = &[
    attack("nonsense", Act::Talk(Talk::Nonsense)),
    attack("offers", Act::Talk(Talk::Offers)),
    attack("candidates", Act::Talk(Talk::Candidates)),
    attack("flood", Act::Talk(Talk::Flood)),
    attack("fuss", Act::Fuss),
    attack("silent", Act::Hold("", "")),
    attack("slow heads", Act::Hold(SLOW_HEAD, "x")),
    attack("slow bodies", Act::Hold(SLOW_BODY, " ")),
    attack("half-open", Act::Hold(UPGRADE, "")),
    attack("fragments", Act::Fragments),
    attack("unread files", Act::Hold(FILES, FILES)),
    attack("unread events", Act::Swallow),
    attack("guesses", Act::Guess),
    PUBLISH,
    attack("rooms", Act::Rooms),
    VANISH,
    FORGET,
];

/// Where limits of an address stand open. What leaks does so again and again: what an allocator
/// merely keeps, it has after the first of several waves.
pub(super) const OPENED: &[Attack] = &[VANISH, VANISH, VANISH, FORGET, FORGET, PUBLISH];

/// Where those are who do not come to those who sit.
const ROOM: &str = "bedlam";

/// How often something more comes over connections that never end.
const PAUSE: Duration = Duration::from_millis(200);

/// Bytes of each fragment of a message that never ends.
const FRAGMENT_BYTES: u16 = 1_000;

/// Rooms that those come to together who are gone at once, and the most that each has for itself.
const ROOMS: usize = 100;
const MAX_ROOMS: usize = 500;

/// Candidates, and batches of messages, of each who talks.
const CANDIDATES: usize = 150;
const BATCHES: usize = 8;

const fn attack(name: &'static str, act: Act) -> Attack {
    Attack { name, act }
}

impl Attack {
    /// Does it; what was answered.
    pub(super) async fn run(self, means: &Means) -> anyhow::Result<Tally> {
        let (address, requests) = (means.address.as_str(), means.requests);
        match self.act {
            Act::Wait => {
                sleep(means.how_long).await;
                Ok(Tally::new())
            }
            Act::Talk(talk) => talk.all(means).await,
            Act::Fuss => fuss(means).await,
            Act::Hold(beginning, more) => {
                let mut held = Held::open(address, means.connections, beginning).await?;
                Ok(held.go_on(more.as_bytes(), (PAUSE, means.how_long)).await)
            }
            Act::Fragments => fragments(means).await,
            Act::Swallow => swallow(address, ("deaf", means.talkers * 5), means.how_long).await,
            Act::Guess => ghosts::guess(address, requests).await,
            Act::Publish => ghosts::publish(address, (ROOM, requests)).await,
            Act::Rooms => {
                let joins = requests.min(MAX_ROOMS);
                ghosts::vanish(address, (joins, joins)).await
            }
            Act::Vanish => ghosts::vanish(address, (means.joins, ROOMS)).await,
            Act::Forget => ghosts::begin_and_forget(address, (requests, ROOMS)).await,
        }
    }
}

impl Talk {
    async fn all(self, means: &Means) -> anyhow::Result<Tally> {
        let kinds = Kind::ALL.into_iter().cycle().take(3 * means.talkers);
        let all = (2..).zip(kinds).map(|(n, kind)| {
            let means = means.from(n);
            async move {
                let answers = self.one(kind, &means.address, &means.sitting).await;
                answers.with_context(|| format!("{kind:?}"))
            }
        });
        together(all).await
    }

    async fn one(self, kind: Kind, address: &str, room: &str) -> anyhow::Result<Tally> {
        match self {
            Self::Nonsense => attacks::talk_nonsense(kind, address, room).await,
            Self::Offers => attacks::offer_nonsense(kind, address, room).await,
            Self::Candidates => attacks::send_candidates(kind, address, (room, CANDIDATES)).await,
            Self::Flood => attacks::flood(kind, address, (room, BATCHES)).await,
        }
    }
}

async fn fuss(means: &Means) -> anyhow::Result<Tally> {
    let all = (0..means.talkers).map(|_| {
        let means = means.clone();
        async move { attacks::fuss(&means.address, &means.sitting, means.how_long).await }
    });
    together(all).await
}

async fn fragments(means: &Means) -> anyhow::Result<Tally> {
    let mut held = Held::open(&means.address, means.connections, UPGRADE).await?;
    let first = fragment(true, FRAGMENT_BYTES);
    held.go_on(&first, (PAUSE, PAUSE)).await;
    let more = fragment(false, FRAGMENT_BYTES);
    Ok(held.go_on(&more, (PAUSE, means.how_long)).await)
}

async fn together<F>(all: impl Iterator<Item = F>) -> anyhow::Result<Tally>
where
    F: Future<Output = anyhow::Result<Tally>> + Send + 'static,
{
    let mut running: JoinSet<_> = all.collect();
    let mut tally = Tally::new();
    while let Some(answers) = running.join_next().await {
        for (code, count) in answers?? {
            *tally.entry(code).or_default() += count;
        }
    }
    Ok(tally)
}
