//! What a mixer adds to sound and picture on a clean link, read off codes in both.
//!
//! One participant sends pictures that carry a number and sound that begins anew twice a second;
//! another looks and listens for them in the mix. The video delay of a picture is from its last
//! packet sent to the last packet of the first mixed frame that shows it; the audio delay of a
//! burst is from when its first sample is sent to when its first sample arrives, so that one
//! encoder's look-ahead (6.5 ms) is in it.
//!
//! A mixer ticks, and what it adds depends on where between two ticks a packet comes. So there are
//! several rounds, begun at different fractions of a tick. The other mixers, where they are
//! installed, get the same packets in plain RTP, without encryption, from the same process.

#![expect(clippy::print_stdout, reason = "the figures are the result")]

#[path = "../support/client.rs"]
#[expect(dead_code, reason = "shared with the load and the tests")]
mod client;
#[path = "../support/clip.rs"]
#[expect(dead_code, reason = "shared with the benches and tests")]
mod clip;
mod codes;
#[path = "../support/daemon.rs"]
#[expect(dead_code, reason = "shared with the load")]
mod daemon;
mod gstreamer;
mod janus;
mod observe;
#[path = "../support/peer.rs"]
mod peer;
mod plain;
#[path = "../support/received.rs"]
#[expect(dead_code, reason = "shared with the benches and tests")]
mod received;
mod room;
mod rounds;
mod send;

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use clap::Parser;

use self::codes::Codes;
use self::observe::Delays;
use self::rounds::Plan;

/// What mosaicd may add, in ms, at the median.
const AUDIO_BUDGET_MS: f64 = 30.0;
const VIDEO_BUDGET_MS: f64 = 45.0;

/// Delay of a mixer on a clean link
#[derive(Debug, Parser)]
struct Cli {
    /// Rounds, each begun at another fraction of a tick
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,
    /// How long each is, after two seconds to settle
    #[arg(long, value_name = "S", default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=600))]
    seconds: u32,
}

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let Cli { rounds, seconds } = Cli::parse();
    let plan = Plan { rounds, seconds };
    let codes = Arc::new(Codes::new()?);

    println!(
        "delay through the mixer in ms, {rounds} rounds of {seconds} s; four participants of 640x360@30"
    );
    println!(
        "{:<36} {:>8} {:>6} {:>6} {:>8} {:>6} {:>6}",
        "", "audio n", "p50", "p95", "video n", "p50", "p95"
    );
    let ours = room::run(&codes, plan).await.context("mosaicd")?;
    print("mosaicd, WebRTC", &ours);
    for buffer in [gstreamer::Buffer::None, gstreamer::Buffer::Ms10] {
        match gstreamer::run(&codes, plan, buffer)
            .await
            .context("GStreamer")?
        {
            Some(delays) => print(buffer.name(), &delays),
            None => println!("GStreamer is not installed"),
        }
    }
    for buffer in [janus::Buffer::Small, janus::Buffer::Default] {
        match janus::run(&codes, plan, buffer).await.context("Janus")? {
            Some(delays) => print(buffer.name(), &delays),
            None => println!("Janus is not installed"),
        }
    }

    let (audio, video) = (
        Delays::percentile(&ours.audio, 50),
        Delays::percentile(&ours.video, 50),
    );
    let kept = audio <= AUDIO_BUDGET_MS && video <= VIDEO_BUDGET_MS;
    println!(
        "mosaicd: audio p50 {audio:.1} ms (budget {AUDIO_BUDGET_MS:.0}), video p50 {video:.1} ms (budget {VIDEO_BUDGET_MS:.0}): {}",
        if kept { "kept" } else { "OVER BUDGET" }
    );
    Ok(if kept {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn print(what: &str, delays: &Delays) {
    let columns = |of: &[f64]| {
        if of.is_empty() {
            return format!("{:>8} {:>6} {:>6}", "-", "-", "-");
        }
        format!(
            "{:>8} {:>6.1} {:>6.1}",
            of.len(),
            Delays::percentile(of, 50),
            Delays::percentile(of, 95)
        )
    };
    println!(
        "{what:<34} {} {}",
        columns(&delays.audio),
        columns(&delays.video)
    );
}
