//! `mosaicd serve`: the live conference server, from its settings to its end.

mod files;
mod memory;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use ipnet::IpNet;
use mixer::ladder::Ladder;
use mixer::video::Fit;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tracing::{info, warn};

use crate::access::api_key::ApiKeyFile;
use crate::access::{Access, AccessConfig};
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
use crate::ice_servers::IceServers;
use crate::limits::{Counters, Limiter, Limits};
use crate::room::{Events, Happening, MediaConfig, RoomConfig, RoomSettings, Rooms, Stay};
pub use crate::room::{HouseRules, Opening, SameIdentity};
use crate::rtc::Rtc;
pub use crate::rtc::{Announce, MediaAddress, MediaPorts};
use crate::signaling::{RoomName, Sessions, Venue};
use crate::webhooks::{Webhooks, WebhooksConfig};

/// How long clients may take to come for their last word once the server stops: then nobody is let in
/// any more.
const LAST_WORDS_WITHIN: Duration = Duration::from_secs(1);

/// How long open requests may take to end once the server stops.
const STOP_WITHIN: Duration = Duration::from_secs(3);

/// How long webhooks may take after that to be told what is left.
const LAST_EVENTS_WITHIN: Duration = Duration::from_secs(5);

/// How often to say what was refused.
const REFUSALS_INTERVAL: Duration = Duration::from_secs(60);

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
    /// How pictures meet regions of another aspect.
    pub fit: Fit,
    /// Who gets into rooms, and what rooms keep.
    pub house: HouseRules,
    /// Rooms that are there from the beginning, and stay: 1 to 64 of `A-Z a-z 0-9 . _ -` each.
    pub rooms: Vec<String>,
    /// What is asked of whoever comes.
    pub access: AccessConfig,
    /// Who is served.
    pub openness: Openness,
    /// Pages that may connect beside the server's own.
    pub origins: Vec<AllowedOrigin>,
    /// Proxies that are believed who asks.
    pub trusted_proxies: Vec<IpNet>,
    /// How much anybody may ask for.
    pub limits: Limits,
    /// `None`: no TLS.
    pub tls: Option<TlsConfig>,
    /// What participants are told of STUN and TURN.
    pub ice_servers: IceServers,
    /// What there is for operators.
    pub operators: OperatorsConfig,
}

/// What there is for operators.
#[derive(Clone, Debug)]
pub struct OperatorsConfig {
    /// What they are known by; `None`: there is no interface for them.
    pub api_keys: Option<Arc<ApiKeyFile>>,
    /// How many events are kept for whoever is behind, 1 to 100,000. Default 1,000.
    pub events_kept: usize,
    /// Who is told what happens; `None`: nobody.
    pub webhooks: Option<WebhooksConfig>,
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
    // First: one that comes early must not end the process by itself.
    let hangups = signal(SignalKind::hangup())?;
    let (mut interrupts, mut terminations) = (
        signal(SignalKind::interrupt())?,
        signal(SignalKind::terminate())?,
    );
    let counters = Arc::new(Counters::default());
    let access = Arc::new(Access::new(&config.access, Arc::clone(&counters))?);
    let tls = match &config.tls {
        None => None,
        Some(tls) => Some(Arc::new(Tls::new(tls.clone(), names(&config))?)),
    };
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

    let events = Events::new(config.operators.events_kept);
    let (webhooks, couriers) = match &config.operators.webhooks {
        None => (Webhooks::default(), None),
        Some(webhooks) => {
            let (webhooks, couriers) = Webhooks::start(webhooks, &events)?;
            (webhooks, Some(couriers))
        }
    };
    events.say(
        None,
        Happening::Started {
            version: env!("CARGO_PKG_VERSION").to_owned(),
        },
    );
    let canvas = config.ladder.top().size;
    let rooms = RoomConfig {
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
        counters: Arc::clone(&counters),
    };
    let rooms = open_rooms(rooms, &config, pool)?;
    let limiter = Arc::new(Limiter::new(config.limits.clone(), counters));
    let guard = Guard {
        origins: Origins::new(config.origins.clone()),
        proxies: Proxies::new(config.trusted_proxies.clone()),
        openness: config.openness,
        limiter: Arc::clone(&limiter),
    };
    let (drain, draining) = watch::channel(false);
    let operators = config.operators.api_keys.clone().map(|keys| {
        info!("operators' interface under /api/v1");
        Arc::new(Operators::new(keys, webhooks.clone(), Instant::now()))
    });
    let venue = Venue {
        rooms: Arc::new(rooms),
        rtc,
        access: Arc::clone(&access),
        limiter,
    };
    let doors = Doors {
        sessions: Sessions::new(venue.clone(), draining.clone()),
        venue,
        resources: Arc::default(),
        guard: Arc::new(guard),
        operators,
        draining,
    };
    info!(%address, %canvas, "serving");
    say_who_may_come(&config, address);
    files::follow(hangups, files::of(&config, &access), tls.clone(), webhooks);
    tokio::spawn(say_what_is_refused(Arc::clone(&doors.guard.limiter)));
    tokio::spawn(memory::give_back());
    let scheme = if let Some(tls) = &tls {
        info!(fingerprint = %tls.fingerprint(), "HTTPS, certificate by SHA-256");
        "https"
    } else {
        "http"
    };
    let host = if address.ip().is_unspecified() {
        SocketAddr::new(config.media.ip, address.port())
    } else {
        address
    };
    info!("open {scheme}://{host}/");

    let mut stopping = drain.subscribe();
    tokio::spawn(async move {
        tokio::select! {
            _ = interrupts.recv() => {}
            _ = terminations.recv() => {}
        }
        info!("stopping");
        events.say(None, Happening::Stopping);
        drain.send_replace(true);
    });
    let stop = {
        let (mut stopping, sessions) = (stopping.clone(), doors.sessions.clone());
        async move {
            let _ = stopping.wait_for(|stop| *stop).await;
            // A client between two polls has yet to come for its last word.
            let _ = tokio::time::timeout(LAST_WORDS_WITHIN, sessions.emptied()).await;
        }
    };
    let mut served = tokio::spawn(http::serve(listener, tls, doors, stop));
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
    let ended = tokio::time::timeout(STOP_WITHIN, served).await;
    if let Some(couriers) = couriers {
        couriers.finish(LAST_EVENTS_WITHIN).await;
    }
    match ended {
        Ok(ended) => ended.context("the server broke"),
        // Somebody holds a request open; they had their time.
        Err(_) => Ok(()),
    }
}

/// The rooms, those among them that are there from the beginning.
fn open_rooms(
    shared: RoomConfig,
    config: &ServeConfig,
    pool: rayon::ThreadPool,
) -> anyhow::Result<Rooms> {
    let rooms = Rooms::new(shared, config.max_rooms, Arc::new(pool));
    for name in &config.rooms {
        let settings = RoomSettings {
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

fn say_who_may_come(config: &ServeConfig, address: SocketAddr) {
    match (&config.access.keys, config.openness) {
        (Some(file), _) => info!(keys = %file.display(), "who has a token may come in"),
        (None, Openness::Loopback) => {
            info!("there are no keys: everybody on this machine may come in, and nobody else");
        }
        (None, Openness::Everybody) => warn!(
            "OPEN: there are no keys, and whoever reaches this server may open rooms and enter them"
        ),
    }
    if !address.ip().is_loopback() && config.tls.is_none() {
        warn!(
            "browsers give cameras only to https:// or localhost: give --tls-cert, or put HTTPS in front"
        );
    }
}

/// What a certificate of our own is for: all that this server may be called by, as far as it knows.
fn names(config: &ServeConfig) -> Vec<String> {
    let announced = config.media.announce.map(|announce| announce.ip);
    let own = [Some(config.listen.ip()), Some(config.media.ip), announced];
    let known = own.into_iter().flatten().filter(|ip| !ip.is_unspecified());
    let loopback = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
    let names: BTreeSet<String> = known.map(|ip| ip.to_string()).chain(loopback).collect();
    names.into_iter().collect()
}

/// Says once a minute what was refused in it, if anything was.
async fn say_what_is_refused(limiter: Arc<Limiter>) {
    let mut minutes = tokio::time::interval(REFUSALS_INTERVAL);
    let mut before = limiter.counters().snapshot();
    loop {
        minutes.tick().await;
        let now = limiter.counters().snapshot();
        let more = |(name, count): (&&'static str, &u64)| {
            let more = count - before.get(name).unwrap_or(&0);
            (more > 0).then(|| format!("{name}={more}"))
        };
        let refused: Vec<String> = now.iter().filter_map(more).collect();
        if !refused.is_empty() {
            info!(refused = refused.join(" "), "some were refused");
        }
        before = now;
    }
}

fn cannot_take_media(media: &MediaAddress) -> String {
    format!(
        "cannot take media on {}, UDP port {}",
        media.ip, media.ports
    )
}
