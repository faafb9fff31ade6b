//! `mosaicd serve`: the live conference server, from its settings to its end.

mod config;
mod files;
mod memory;
mod notices;

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tracing::info;

use crate::access::Access;
use crate::http::api::Operators;
use crate::http::guard::Guard;
pub use crate::http::guard::Openness;
pub use crate::http::guard::origin::AllowedOrigin;
use crate::http::guard::origin::Origins;
use crate::http::guard::proxy::Proxies;
pub(crate) use crate::http::guard::proxy::parse_network;
use crate::http::tls::Tls;
pub use crate::http::tls::TlsConfig;
use crate::http::{self, Doors};
use crate::limits::{Counters, Limiter};
use crate::room::{Events, Happening, MediaConfig, RoomConfig, RoomSettings, Rooms, Stay};
pub use crate::room::{HouseRules, Opening, SameIdentity};
use crate::rtc::Rtc;
pub use crate::rtc::{Announce, MediaAddress, MediaPorts};
use crate::signaling::{RoomName, Sessions, Venue};
use crate::webhooks::Webhooks;
pub use config::{ListedRoom, OperatorsConfig, ServeConfig};

/// How long clients may take to come for their last word once the server stops: then nobody is let in
/// any more.
const LAST_WORDS_WITHIN: Duration = Duration::from_secs(1);

/// How long open requests may take to end once the server stops.
const STOP_WITHIN: Duration = Duration::from_secs(3);

/// How long webhooks may take after that to be told what is left.
const LAST_EVENTS_WITHIN: Duration = Duration::from_secs(5);

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
    // First: one that comes early must not end the process by itself.
    let hangups = signal(SignalKind::hangup())?;
    let interrupts = signal(SignalKind::interrupt())?;
    let terminations = signal(SignalKind::terminate())?;
    let counters = Arc::new(Counters::default());
    let access = Arc::new(Access::new(&config.access, Arc::clone(&counters))?);
    let tls = match &config.tls {
        None => None,
        Some(tls) => Some(Arc::new(Tls::new(tls.clone(), config.names())?)),
    };
    let listener = TcpListener::bind(config.listen)
        .await
        .with_context(|| format!("cannot listen on {}", config.listen))?;
    let address = listener.local_addr()?;
    let rtc = Rtc::bind(&config.media).with_context(|| cannot_take_media(&config.media))?;

    let events = Events::new(config.operators.events_kept);
    let (webhooks, couriers) = match &config.operators.webhooks {
        None => (Webhooks::default(), None),
        Some(webhooks) => {
            let (webhooks, couriers) = Webhooks::start(webhooks, &events)?;
            (webhooks, Some(couriers))
        }
    };
    let version = env!("CARGO_PKG_VERSION").to_owned();
    events.say(None, Happening::Started { version });
    let rooms = open_rooms(&config, &events, &counters)?;
    let limiter = Arc::new(Limiter::new(config.limits.clone(), counters));
    let venue = Venue {
        rooms: Arc::new(rooms),
        rtc,
        access: Arc::clone(&access),
        limiter: Arc::clone(&limiter),
    };
    let (drain, stopping) = watch::channel(false);
    let doors = doors(&config, venue, &webhooks, stopping.clone());
    files::follow(hangups, files::of(&config, &access), tls.clone(), webhooks);
    tokio::spawn(notices::say_what_is_refused(limiter));
    tokio::spawn(memory::give_back());
    notices::say_that_it_serves(&config, address, tls.as_deref());

    tokio::spawn(stop_at(interrupts, terminations, drain, events));
    let stop = last_words(doors.sessions.clone(), stopping.clone());
    let served = tokio::spawn(http::serve(listener, tls, doors, stop));
    let ended = ended(served, stopping).await;
    if let Some(couriers) = couriers {
        couriers.finish(LAST_EVENTS_WITHIN).await;
    }
    ended
}

/// The rooms, those among them that are there from the beginning.
fn open_rooms(
    config: &ServeConfig,
    events: &Events,
    counters: &Arc<Counters>,
) -> anyhow::Result<Rooms> {
    let threads = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .thread_name(|n| format!("video-{n}"))
        .build()
        .context("the video threads did not start")?;
    let shared = RoomConfig {
        seat_hold: config.seat_hold,
        max_participants: config.max_participants,
        ice_servers: Arc::new(config.ice_servers.clone()),
        media: MediaConfig {
            ladder: Arc::new(config.ladder.clone()),
            audio_kbps: config.audio_kbps,
            fit: config.fit,
        },
        house: config.house.clone(),
        events: events.clone(),
        counters: Arc::clone(counters),
    };
    let rooms = Rooms::new(shared, config.max_rooms, Arc::new(pool));
    for ListedRoom { name, ladder } in &config.rooms {
        let settings = RoomSettings {
            ladder: ladder.clone().map(Arc::new),
            stay: Stay::UntilEnded,
            ..RoomSettings::default()
        };
        let name =
            RoomName::parse(name).with_context(|| format!("{name} is no name for a room"))?;
        rooms
            .create(&name, settings)
            .with_context(|| format!("room {name}"))?;
    }
    Ok(rooms)
}

/// What requests may need.
fn doors(
    config: &ServeConfig,
    venue: Venue,
    webhooks: &Webhooks,
    draining: watch::Receiver<bool>,
) -> Doors {
    let guard = Guard {
        origins: Origins::new(config.origins.clone()),
        proxies: Proxies::new(config.trusted_proxies.clone()),
        openness: config.openness,
        limiter: Arc::clone(&venue.limiter),
    };
    let operators = config.operators.api_keys.clone().map(|keys| {
        info!("operators' interface under /api/v1");
        Arc::new(Operators::new(keys, webhooks.clone(), Instant::now()))
    });
    Doors {
        sessions: Sessions::new(venue.clone(), draining.clone()),
        venue,
        resources: Arc::default(),
        guard: Arc::new(guard),
        operators,
        draining,
    }
}

/// Says through `drain` that the server is to stop, once either signal comes.
async fn stop_at(
    mut interrupts: Signal,
    mut terminations: Signal,
    drain: watch::Sender<bool>,
    events: Events,
) {
    tokio::select! {
        _ = interrupts.recv() => {}
        _ = terminations.recv() => {}
    }
    info!("stopping");
    events.say(None, Happening::Stopping);
    drain.send_replace(true);
}

/// Resolves after the server was told to stop, when clients have come for their last word: one
/// between two polls has yet to.
async fn last_words(sessions: Sessions, mut stopping: watch::Receiver<bool>) {
    let _ = stopping.wait_for(|stop| *stop).await;
    let _ = timeout(LAST_WORDS_WITHIN, sessions.emptied()).await;
}

/// Waits for the server to end, which it may only once it was told to.
async fn ended(
    mut served: JoinHandle<()>,
    mut stopping: watch::Receiver<bool>,
) -> anyhow::Result<()> {
    let told = stopping.clone();
    tokio::select! {
        // First: once told to stop, ending is what it should do.
        biased;
        _ = stopping.wait_for(|stop| *stop) => {}
        ended = &mut served => {
            ended.context("the server broke")?;
            // It may have been told to between the two looks, and have nothing left to do.
            anyhow::ensure!(*told.borrow(), "the server ended by itself");
            return Ok(());
        }
    }
    match timeout(STOP_WITHIN, served).await {
        Ok(ended) => ended.context("the server broke"),
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
