//! What the log says of the server as a whole: who may come in, and what is refused.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tracing::{info, warn};

use super::{Openness, ServeConfig};
use crate::http::tls::Tls;
use crate::limits::Limiter;

/// How often to say what was refused.
const REFUSALS_INTERVAL: Duration = Duration::from_secs(60);

/// Says that the server listens on `address`, and what that means.
pub(super) fn say_that_it_serves(config: &ServeConfig, address: SocketAddr, tls: Option<&Tls>) {
    info!(%address, canvas = %config.ladder.top().size, "serving");
    say_who_may_come(config, address);
    let scheme = if let Some(tls) = tls {
        info!(fingerprint = %tls.fingerprint(), "HTTPS, certificate by SHA-256");
        "https"
    } else {
        "http"
    };
    info!("open {scheme}://{}/", config.host(address));
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

/// Says once a minute what was refused in it, if anything was.
pub(super) async fn say_what_is_refused(limiter: Arc<Limiter>) {
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
