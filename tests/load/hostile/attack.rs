//! The attacks, each by its name.

use std::time::Duration;

use anyhow::Context;
use futures_util::future::BoxFuture;
use tokio::task::JoinSet;

use crate::attacks::held::{Held, UPGRADE, fragment, swallow};
use crate::attacks::{self, Tally, ghosts};
use crate::carrier::Kind;
use crate::http::host;

/// Where they come from and go to, and how many there are.
#[derive(Clone, Debug)]
pub(super) struct Means {
    /// Of the server, with where to come from: another loopback address than that of those who sit.
    pub(super) address: String,
    /// Where nine people sit.
    pub(super) sitting: String,
    /// Joins of those who vanish at once.
    pub(super) joins: usize,
    /// Sessions that are begun and never used, guesses, offers.
    pub(super) requests: usize,
    /// Connections that get no further than their beginning.
    pub(super) connections: usize,
    /// Clients that talk at the same time, over each carrier.
    pub(super) talkers: usize,
    /// For those that would never end.
    pub(super) how_long: Duration,
}

impl Means {
    /// From the nth loopback address.
    pub(super) fn from(&self, n: u8) -> Self {
        let to = host(&self.address);
        Self {
            address: format!("127.0.0.{n}>{to}"),
            ..self.clone()
        }
    }
}

/// One of them. What it does ends by itself.
#[derive(Clone, Copy)]
pub(super) struct Attack {
    pub(super) name: &'static str,
    pub(super) run: for<'a> fn(&'a Means) -> BoxFuture<'a, anyhow::Result<Tally>>,
}

/// Nothing is done: what the others are compared with.
pub(super) const QUIET: Attack = Attack {
    name: "quiet",
    run: |means| {
        Box::pin(async {
            tokio::time::sleep(means.how_long).await;
            Ok(Tally::new())
        })
    },
};

/// Where those are who do not come to those who sit.
const ROOM: &str = "bedlam";

const SLOW_HEAD: &str = "GET / HTTP/1.1\r\nhost: 127.0.0.1\r\nx: ";
const SLOW_BODY: &str =
    "POST /sessions HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 60000\r\n\r\n";
/// Of a file, and of nothing else, so that all of it is wanted at once.
const FILES: &str = "GET /messages.schema.json HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n";

/// How often something more comes over connections that never end.
const PAUSE: Duration = Duration::from_millis(200);

/// Bytes of each fragment of a message that never ends.
const FRAGMENT_BYTES: u16 = 1_000;

/// Within the usual limits.
pub(super) const USUAL: &[Attack] = &[
    Attack {
        name: "nonsense",
        run: |means| {
            talk(means, |means, kind| {
                Box::pin(attacks::talk_nonsense(kind, &means.address, &means.sitting))
            })
        },
    },
    Attack {
        name: "offers",
        run: |means| {
            talk(means, |means, kind| {
                Box::pin(attacks::offer_nonsense(
                    kind,
                    &means.address,
                    &means.sitting,
                ))
            })
        },
    },
    Attack {
        name: "candidates",
        run: |means| {
            talk(means, |means, kind| {
                Box::pin(attacks::send_candidates(
                    kind,
                    &means.address,
                    (&means.sitting, 150),
                ))
            })
        },
    },
    Attack {
        name: "flood",
        run: |means| {
            talk(means, |means, kind| {
                Box::pin(attacks::flood(kind, &means.address, (&means.sitting, 8)))
            })
        },
    },
    Attack {
        name: "fuss",
        run: |means| Box::pin(fuss(means)),
    },
    Attack {
        name: "slow heads",
        run: |means| hold(means, SLOW_HEAD, || b"x".to_vec()),
    },
    Attack {
        name: "slow bodies",
        run: |means| hold(means, SLOW_BODY, || vec![b' '; 1_000]),
    },
    Attack {
        name: "half-open",
        run: |means| hold(means, UPGRADE, Vec::new),
    },
    Attack {
        name: "fragments",
        run: |means| Box::pin(fragments(means)),
    },
    Attack {
        name: "unread files",
        run: |means| hold(means, FILES, || FILES.as_bytes().to_vec()),
    },
    Attack {
        name: "unread events",
        run: |means| {
            let room = ("deaf", means.talkers * 5);
            Box::pin(swallow(&means.address, room, means.how_long))
        },
    },
    Attack {
        name: "guesses",
        run: |means| Box::pin(ghosts::guess(&means.address, means.requests)),
    },
    Attack {
        name: "whip",
        run: |means| Box::pin(ghosts::publish(&means.address, (ROOM, means.requests))),
    },
    Attack {
        name: "rooms",
        run: |means| {
            let joins = means.requests.min(500);
            Box::pin(ghosts::vanish(&means.address, (joins, joins)))
        },
    },
    VANISH,
    FORGET,
];

/// Where limits of an address stand open.
pub(super) const OPENED: &[Attack] = &[VANISH, FORGET];

const VANISH: Attack = Attack {
    name: "joins",
    run: |means| Box::pin(ghosts::vanish(&means.address, (means.joins, 100))),
};

const FORGET: Attack = Attack {
    name: "sessions",
    run: |means| {
        Box::pin(ghosts::begin_and_forget(
            &means.address,
            (means.requests, 100),
        ))
    },
};

/// So many clients over each carrier, all at once, each with an address of its own and from seats among those who sit.
fn talk<'a>(
    means: &'a Means,
    one: for<'b> fn(&'b Means, Kind) -> BoxFuture<'b, anyhow::Result<Tally>>,
) -> BoxFuture<'a, anyhow::Result<Tally>> {
    let all = Kind::ALL.into_iter().cycle().take(3 * means.talkers);
    let all: Vec<Kind> = all.collect();
    Box::pin(together((2..).zip(all).map(move |(n, kind)| {
        let means = means.from(n);
        async move { one(&means, kind).await.with_context(|| format!("{kind:?}")) }
    })))
}

/// In the room of those who sit.
async fn fuss(means: &Means) -> anyhow::Result<Tally> {
    let all = (0..means.talkers).map(|_| {
        let means = means.clone();
        async move { attacks::fuss(&means.address, &means.sitting, means.how_long).await }
    });
    together(all).await
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

/// Messages that never end.
async fn fragments(means: &Means) -> anyhow::Result<Tally> {
    let mut held = Held::open(&means.address, means.connections, UPGRADE).await?;
    let first = fragment(true, FRAGMENT_BYTES);
    held.go_on(&first, (PAUSE, PAUSE)).await;
    let more = fragment(false, FRAGMENT_BYTES);
    Ok(held.go_on(&more, (PAUSE, means.how_long)).await)
}

fn hold<'a>(
    means: &'a Means,
    beginning: &'static str,
    more: fn() -> Vec<u8>,
) -> BoxFuture<'a, anyhow::Result<Tally>> {
    Box::pin(async move {
        let mut held = Held::open(&means.address, means.connections, beginning).await?;
        Ok(held.go_on(&more(), (PAUSE, means.how_long)).await)
    })
}
