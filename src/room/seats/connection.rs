//! What a seat's media comes over.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::link::Link;
use crate::rtc::{Direction, Transport, TransportId, TransportState};

/// A transport that says it is connected is not believed after so long without a packet, where no
/// session reaches the client either: whoever is there sends reports at the least, every few seconds.
pub(super) const DEAD_AFTER: Duration = Duration::from_secs(15);

/// What a seat's media comes over. When the seat goes, the last handle closes it.
#[derive(Debug)]
pub(in crate::room) struct Connection {
    pub(super) id: TransportId,
    pub(super) transport: Option<Arc<Transport>>,
    pub(super) wiring: Wiring,
    pub(super) state: TransportState,
}

/// What ties a participant's transport to the media threads.
#[derive(Clone, Debug)]
pub(in crate::room) struct Wiring {
    pub(in crate::room) link: Arc<Link>,
    pub(in crate::room) hears: Direction,
    pub(in crate::room) sees: Direction,
}

impl Connection {
    /// A connection that is about to be made; only tests have none.
    pub(in crate::room) const fn new(
        id: TransportId,
        transport: Option<Arc<Transport>>,
        wiring: Wiring,
    ) -> Self {
        Self {
            id,
            transport,
            wiring,
            state: TransportState::Connecting,
        }
    }

    /// Whether anything can come over it at `now`, as far as one can tell without a session.
    pub(super) fn is_alive(&self, now: Instant) -> bool {
        self.state == TransportState::Connected && self.wiring.link.silence(now) < DEAD_AFTER
    }
}
