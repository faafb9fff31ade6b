//! mosaicd: three sit in a room, a fourth comes and goes.

use std::sync::Arc;
use std::time::Instant;

use anyhow::Context;
use rtc::rtp_transceiver::rtp_sender::RtpCodecKind;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;

use crate::client::Client;
use crate::codes::Codes;
use crate::daemon::Daemon;
use crate::observe::{Delays, Mix, Packet};
use crate::received::Kept;
use crate::rounds::{Plan, Round};
use crate::send::{Sent, Voice, Wire, send};

/// Participants besides the one with the codes.
const SITTING: usize = 3;

/// Runs the rounds through a daemon with default settings.
pub(crate) async fn run(codes: &Arc<Codes>, plan: Plan) -> anyhow::Result<Delays> {
    let daemon = Daemon::start(&[])?;
    let (stop, stopped) = watch::channel(false);
    let mut sitting = JoinSet::new();
    let mut clients = Vec::new();
    for n in 0..SITTING {
        let (client, media) = join(&daemon, &format!("sitting {n}")).await?;
        let (codes, mut stopped) = (Arc::clone(codes), stopped.clone());
        sitting.spawn(async move {
            let until = async { drop(stopped.wait_for(|stop| *stop).await) };
            send(&codes, media, Voice::Silent, Instant::now(), until).await
        });
        clients.push(client);
    }
    let observer = clients.first().context("nobody sits")?;
    observer.received().keep();
    let mut rounds = Vec::new();
    for round in plan.rounds() {
        rounds.push((round.settled(), visit(&daemon, codes, round).await?));
    }
    let mix = mix(observer.received().kept());
    stop.send_replace(true);
    while let Some(sat) = sitting.join_next().await {
        sat??;
    }
    for client in clients {
        client.leave().await?;
    }
    Delays::find(&rounds, &mix)
}

/// The fourth: joins, sends for as long as the round is, leaves.
async fn visit(daemon: &Daemon, codes: &Arc<Codes>, round: Round) -> anyhow::Result<Sent> {
    let (client, media) = join(daemon, "codes").await?;
    let (stop, stopped) = oneshot::channel::<()>();
    let sending = tokio::spawn({
        let codes = Arc::clone(codes);
        async move {
            let until = async { drop(stopped.await) };
            send(&codes, media, Voice::Heard, round.start(), until).await
        }
    });
    tokio::time::sleep_until(round.end().into()).await;
    drop(stop);
    let sent = sending.await??;
    client.leave().await?;
    Ok(sent)
}

async fn join(daemon: &Daemon, name: &str) -> anyhow::Result<(Client, Wire)> {
    let (client, media) = Client::join(&daemon.address, "latency", name).await?;
    Ok((client, Wire::Webrtc(media)))
}

fn mix(kept: Vec<Kept>) -> Mix {
    let mut mix = Mix::default();
    for Kept { at, kind, packet } in kept {
        let stream = match kind {
            RtpCodecKind::Audio => &mut mix.audio,
            _ => &mut mix.video,
        };
        stream.push(Packet {
            at,
            seq: packet.header.sequence_number,
            marker: packet.header.marker,
            payload: packet.payload,
        });
    }
    mix
}
