//! What happens in rooms, told to other servers: each event is posted to each endpoint (OPERATING.md).
//!
//! A [`courier`] for each endpoint goes through the log of events, one after the other and in order,
//! so that an endpoint that is slow or away holds up nobody else. An event is told at least once
//! unless it is given up ([`persistence`]), signed anew at each try ([`secrets`]); a courier that
//! falls behind by more than the log keeps loses the oldest. All that is not told is counted
//! ([`ledger`]). Nothing is kept on disk: what was not told when the server ends is lost.

mod courier;
mod ledger;
mod persistence;
mod post;
mod secrets;

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tracing::{Instrument, info_span, warn};

use crate::from_file::FromFile;
use crate::http::post::HttpPost;
pub use crate::http::post::{Endpoint, EndpointError, Plain, PostError};
use crate::room::Events;
use courier::{Courier, Orders};
use ledger::Ledger;
pub(crate) use ledger::WebhookStatus;
use persistence::Persistence;
pub(crate) use post::{Answer, Letter, Post};
pub use secrets::{Secrets, SecretsError};

/// The most endpoints.
pub const MAX_WEBHOOKS: usize = 16;

/// The secrets, as they are in a file.
pub type SecretsFile = FromFile<Secrets, SecretsError>;

/// What is told, and how.
#[derive(Clone, Debug)]
pub struct WebhooksConfig {
    /// Where to: 1 to [`MAX_WEBHOOKS`].
    pub endpoints: Vec<Endpoint>,
    /// What signs.
    pub secrets: Arc<SecretsFile>,
    /// How long an endpoint may take to answer. Default 10 s.
    pub answer_within: Duration,
    /// How old an event may become before it is given up. Default 24 h.
    pub keep: Duration,
}

/// All endpoints of the server, or none.
#[derive(Clone, Debug, Default)]
pub(crate) struct Webhooks {
    ledgers: Vec<Arc<Ledger>>,
    orders: watch::Sender<Orders>,
}

/// Those who carry events. They go on until they are told to finish.
#[derive(Debug)]
pub(crate) struct Couriers {
    tasks: Vec<JoinHandle<()>>,
    orders: watch::Sender<Orders>,
}

impl Webhooks {
    /// Begins to tell what is said from now on.
    ///
    /// # Errors
    ///
    /// [`PostError`] if no certificate of an authority can be read.
    pub(crate) fn start(
        config: &WebhooksConfig,
        events: &Events,
    ) -> Result<(Self, Couriers), PostError> {
        let post = HttpPost::new(&config.endpoints)?;
        let orders = watch::Sender::new(Orders::default());
        let mut ledgers = Vec::new();
        let mut tasks = Vec::new();
        for endpoint in &config.endpoints {
            let ledger = Arc::new(Ledger::new(endpoint, events.clone()));
            let courier = Courier {
                post: post.to(endpoint),
                events: events.reader(),
                secrets: Arc::clone(&config.secrets),
                answer_within: config.answer_within,
                persistence: Persistence::new(config.keep),
                ledger: Arc::clone(&ledger),
                orders: orders.subscribe(),
                woken: 0,
            };
            let span = info_span!("webhook", %endpoint);
            tasks.push(tokio::spawn(courier.run().instrument(span)));
            ledgers.push(ledger);
        }
        let couriers = Couriers {
            tasks,
            orders: orders.clone(),
        };
        Ok((Self { ledgers, orders }, couriers))
    }

    /// Has endpoints tried at once that are left alone for a while, or for good.
    pub(crate) fn wake(&self) {
        self.orders.send_modify(|orders| orders.woken += 1);
    }

    /// How each of them stands.
    pub(crate) fn status(&self) -> Vec<WebhookStatus> {
        self.ledgers.iter().map(|ledger| ledger.status()).collect()
    }
}

impl Couriers {
    /// Has what is left told, each event with one try and the rest not if that fails, for at most
    /// `within`.
    pub(crate) async fn finish(mut self, within: Duration) {
        self.orders.send_modify(|orders| orders.finish = true);
        let all = join_all(&mut self.tasks);
        if tokio::time::timeout(within, all).await.is_err() {
            warn!("some webhooks were not told everything in time");
        }
    }
}

impl Drop for Couriers {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}
