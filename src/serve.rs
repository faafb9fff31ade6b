//! `mosaicd serve`: the live conference server, from its settings to its end.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use mixer::ladder::Ladder;
use mixer::video::Fit;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tracing::{info, warn};

use crate::access::Access;
use crate::http::{self, Doors};
use crate::room::{MediaConfig, RoomConfig, Rooms};
use crate::rtc::Rtc;
pub use crate::rtc::{Announce, MediaAddress, MediaPorts};
use crate::signaling::{Sessions, Venue};

/// How long open requests may take to end once the server stops.
const STOP_WITHIN: Duration = Duration::from_secs(3);

/// What the server does. Everything has been checked when this exists.
#[derive(Clone, Debug)]
pub struct ServeConfig {
    /// Where HTTP and the WebSocket are served.
    pub listen: SocketAddr,
    /// Where media comes to, and what the server's ICE candidates say of that.
    pub media: MediaAddress,
    /// The pictures that every room offers.
    pub ladder: Ladder,
    /// The most that each one's mixed audio gets, in kb/s.
    pub audio_kbps: u32,
    /// How long the seat of an absent participant is held.
    pub seat_hold: Duration,
    /// The most participants in a room, 1 to 49.
    pub max_participants: usize,
    /// The most rooms at a time.
    pub max_rooms: usize,
    /// The most signaling sessions at a time.
    pub max_sessions: usize,
    /// How pictures meet regions of another aspect.
    pub fit: Fit,
}

/// Serves until SIGINT or SIGTERM.
///
/// # Errors
///
/// If the address cannot be bound or the runtime cannot be started.
pub fn run(config: ServeConfig) -> anyhow::Result<()> {
    codecs::allocator::keep_large_blocks_apart();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("the async runtime did not start")?;
    let served = runtime.block_on(serve(config));
    runtime.shutdown_timeout(Duration::from_secs(1));
    served
}

async fn serve(config: ServeConfig) -> anyhow::Result<()> {
    let listener = TcpListener::bind(config.listen)
        .await
        .with_context(|| format!("cannot listen on {}", config.listen))?;
    let address = listener.local_addr()?;
    let rtc = Rtc::bind(&config.media).with_context(|| cannot_take_media(&config.media))?;
    let threads = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .thread_name(|n| format!("video-{n}"))
        .build()
        .context("the video threads did not start")?;

    let canvas = config.ladder.top().size;
    let rooms = RoomConfig {
        seat_hold: config.seat_hold,
        max_participants: config.max_participants,
        media: MediaConfig {
            ladder: Arc::new(config.ladder),
            audio_kbps: config.audio_kbps,
            fit: config.fit,
        },
    };
    let (drain, draining) = watch::channel(false);
    let venue = Venue {
        rooms: Arc::new(Rooms::new(rooms, config.max_rooms, Arc::new(pool))),
        rtc,
        access: Arc::new(Access::default()),
    };
    let sessions = Sessions::new(venue.clone(), config.max_sessions, draining.clone());
    let doors = Doors {
        venue,
        sessions,
        draining,
    };
    info!(%address, %canvas, "serving");
    if !address.ip().is_loopback() {
        warn!("browsers give cameras only to https:// or localhost: put HTTPS in front");
    }
    let host = if address.ip().is_unspecified() {
        SocketAddr::new(config.media.ip, address.port())
    } else {
        address
    };
    info!("open http://{host}/");

    let mut stopping = drain.subscribe();
    tokio::spawn(async move {
        wait_for_signal().await;
        info!("stopping");
        drain.send_replace(true);
    });
    let stop = {
        let mut stopping = stopping.clone();
        async move {
            let _ = stopping.wait_for(|stop| *stop).await;
        }
    };
    let mut served = tokio::spawn(http::serve(listener, doors, stop));
    let told = stopping.clone();
    tokio::select! {
        // First: once told to stop, ending is what it should do.
        biased;
        _ = stopping.wait_for(|stop| *stop) => {}
        ended = &mut served => {
            ended.context("the server broke")?.context("the server failed")?;
            // It may have been told to between the two looks, and have nothing left to do.
            anyhow::ensure!(*told.borrow(), "the server ended by itself");
            return Ok(());
        }
    }
    match tokio::time::timeout(STOP_WITHIN, served).await {
        Ok(ended) => ended
            .context("the server ended early")?
            .context("the server failed"),
        // Somebody holds a request open; they had their time.
        Err(_) => Ok(()),
    }
}

fn cannot_take_media(media: &MediaAddress) -> String {
    format!(
        "cannot take media on {}, UDP port {}",
        media.ip, media.ports
    )
}

async fn wait_for_signal() {
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}
