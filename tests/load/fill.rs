//! Participants for a room that somebody else looks at: they send the usual recordings, speak one
//! after the other without a pause, and stay until the input ends.

use std::net::SocketAddr;
use std::process::ExitCode;

use clap::Args;
use tokio::io::AsyncReadExt;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::client::Client;
use crate::player::{Player, Turn};
use crate::talk::talkers;

/// `fill`
#[derive(Debug, Args)]
pub(crate) struct Fill {
    /// Where the daemon serves
    #[arg(long, value_name = "IP:PORT")]
    address: SocketAddr,
    /// Where it takes media, whatever it announces
    #[arg(long, value_name = "IP:PORT")]
    media: SocketAddr,
    /// Which room
    #[arg(long)]
    room: String,
    /// How many of them
    #[arg(long, value_name = "N", default_value_t = 8,
          value_parser = clap::value_parser!(u16).range(1..=48))]
    participants: u16,
}

impl Fill {
    /// Says `playing` once all of them get media.
    pub(crate) async fn run(self) -> anyhow::Result<ExitCode> {
        let (stop, stopped) = watch::channel(false);
        let mut players = JoinSet::new();
        let mut clients = Vec::new();
        let address = self.address.to_string();
        let (since, of) = (Instant::now(), usize::from(self.participants));
        for (place, clip) in talkers(of)?.into_iter().enumerate() {
            let name = format!("participant {place}");
            let (client, media) =
                Client::join_past(&address, &self.room, &name, self.media).await?;
            let mut stopped = stopped.clone();
            let until = async move {
                let _ = stopped.wait_for(|stop| *stop).await;
            };
            let turn = Turn { since, place, of };
            players.spawn(Player::new(clip, media)?.in_turn(turn).play(until));
            clients.push(client);
        }
        for client in &clients {
            client.received().more(1, 1).await?;
        }
        println!("playing");

        let mut input = Vec::new();
        tokio::io::stdin().read_to_end(&mut input).await?;
        stop.send_replace(true);
        while let Some(played) = players.join_next().await {
            played??;
        }
        for client in clients {
            client.leave().await?;
        }
        Ok(ExitCode::SUCCESS)
    }
}
