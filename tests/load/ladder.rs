//! What it costs to serve everybody according to their link: rooms of nine, one after the other. In
//! every second one all get the same picture and sound; in the others the whole ladder is in use,
//! since some ask for less. The CPU time of both is compared.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::ensure;
use clap::Args;
use mosaicd::signaling::message::{ClientMessage, Prefer};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::client::Client;
use crate::daemon::Daemon;
use crate::player::{Player, Turn};
use crate::talk::talkers;
use crate::verdict;

/// Participants in each room.
const PARTICIPANTS: usize = 9;

/// The whole ladder against one rung.
const BUDGET: f64 = 1.6;

/// What some of them ask for at most, in kb/s, and the rung they have then: with those who ask for
/// nothing, four rungs that move and three of audio, of 60, 40 and 20 ms.
const ASKED: [(u32, &str); 4] = [
    (100, "speaker"),
    (200, "low"),
    (300, "medium"),
    (500, "medium"),
];

/// What everybody else has.
const HIGHEST: &str = "top";

/// The share of a rung's frames below which less was done than is to be measured.
const ENOUGH_FRAMES: f64 = 0.95;

/// Until links are known and everybody is where they stay, at most.
const PATIENCE: Duration = Duration::from_secs(60);

/// From then on, until queues, caches and heaps are as they stay.
const WARM_UP: Duration = Duration::from_secs(3);

const LOOK_EVERY: Duration = Duration::from_millis(200);

/// `ladder`
#[derive(Debug, Args)]
pub(crate) struct Ladder {
    /// How long to look at each room, after a warm-up
    #[arg(long, value_name = "S", default_value_t = 15,
          value_parser = clap::value_parser!(u32).range(1..=600))]
    seconds: u32,
    /// Rooms of either kind
    #[arg(long, value_name = "N", default_value_t = 2,
          value_parser = clap::value_parser!(u32).range(1..=50))]
    rounds: u32,
}

/// Who asks for what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rungs {
    One,
    All,
}

impl Rungs {
    /// What the participant at `place` asks for.
    fn asked(self, place: usize) -> Option<(u32, &'static str)> {
        match self {
            Self::One => None,
            Self::All => ASKED.get(place).copied(),
        }
    }

    fn wish(self, place: usize) -> Option<ClientMessage> {
        let (max_kbps, _) = self.asked(place)?;
        Some(ClientMessage::Prefer(Prefer {
            max_kbps: Some(max_kbps),
            ..Prefer::default()
        }))
    }

    /// The rung they all have in the end, by place.
    fn expected(self) -> Vec<&'static str> {
        let of = |place| self.asked(place).map_or(HIGHEST, |(_, rung)| rung);
        (0..PARTICIPANTS).map(of).collect()
    }
}

impl Ladder {
    /// Runs and prints; fails over budget.
    pub(crate) async fn run(self) -> anyhow::Result<ExitCode> {
        let (mut one, mut all) = (0.0, 0.0);
        for _ in 0..self.rounds {
            for (rungs, sum) in [(Rungs::One, &mut one), (Rungs::All, &mut all)] {
                let cpu = self.room(rungs).await?;
                println!("  rungs {rungs:<4?} {:>6.1} % of one core", cpu * 100.0);
                *sum += cpu;
            }
        }
        let ratio = all / one;
        let (kept, code) = verdict(ratio <= BUDGET);
        println!(
            "a room of {PARTICIPANTS} with the whole ladder in use, against one with one rung: \
             {ratio:.2} (budget {BUDGET:.1}, {kept})"
        );
        Ok(code)
    }

    /// The CPU time of a daemon with one room, in cores.
    async fn room(&self, rungs: Rungs) -> anyhow::Result<f64> {
        let daemon = Daemon::start(&[])?;
        let (stop, stopped) = watch::channel(false);
        let mut players = JoinSet::new();
        let mut clients = Vec::new();
        let (since, of) = (tokio::time::Instant::now(), PARTICIPANTS);
        for (place, clip) in talkers(of)?.into_iter().enumerate() {
            let name = format!("participant {place}");
            let (client, media) = Client::join(&daemon.address, "ladder", &name).await?;
            let mut stopped = stopped.clone();
            let until = async move {
                let _ = stopped.wait_for(|stop| *stop).await;
            };
            let turn = Turn { since, place, of };
            players.spawn(Player::new(clip, media)?.in_turn(turn).play(until));
            if let Some(wish) = rungs.wish(place) {
                client.say(wish).await?;
            }
            clients.push(client);
        }
        settled(&clients, rungs).await?;

        let frames = |client: &Client| client.received().frames();
        let shown: Vec<u64> = clients.iter().map(frames).collect();
        let (began, before) = (Instant::now(), daemon.usage()?);
        tokio::time::sleep(Duration::from_secs(self.seconds.into())).await;
        let (took, after) = (began.elapsed(), daemon.usage()?);

        let had = rungs_of(&clients);
        ensure!(had == rungs.expected(), "they did not stay there: {had:?}");
        for (client, before) in clients.iter().zip(shown) {
            let fps = (frames(client) - before) as f64 / took.as_secs_f64();
            let rung = client.quality().and_then(|quality| quality.rung);
            let full = rung.and_then(|rung| rung.fps.as_f64()).unwrap_or_default();
            let least = full * ENOUGH_FRAMES;
            ensure!(
                fps >= least,
                "the machine is too busy: {fps:.1} of {least:.1} frames/s"
            );
        }
        stop.send_replace(true);
        while let Some(played) = players.join_next().await {
            played??;
        }
        for client in clients {
            client.leave().await?;
        }
        Ok((after.cpu - before.cpu).as_secs_f64() / took.as_secs_f64())
    }
}

/// Waits until everybody is on the rung where they stay.
async fn settled(clients: &[Client], rungs: Rungs) -> anyhow::Result<()> {
    let deadline = Instant::now() + PATIENCE;
    while rungs_of(clients) != rungs.expected() {
        let had = rungs_of(clients);
        ensure!(Instant::now() < deadline, "never on their rungs: {had:?}");
        tokio::time::sleep(LOOK_EVERY).await;
    }
    tokio::time::sleep(WARM_UP).await;
    Ok(())
}

/// The rungs they are told they are on; nothing for those who have none that moves.
fn rungs_of(clients: &[Client]) -> Vec<String> {
    let rung = |client: &Client| client.quality().and_then(|quality| quality.rung);
    let name = |client| rung(client).map_or_else(String::new, |rung| rung.name);
    clients.iter().map(name).collect()
}
