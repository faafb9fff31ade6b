//! Where attackers come from and go to, and how many there are.

use std::time::Duration;

use crate::http::host;

#[derive(Clone, Debug)]
pub(super) struct Means {
    /// Of the server, with where to come from: another loopback address than that of those who sit.
    pub(super) address: String,
    /// Where nine people sit.
    pub(super) sitting: String,
    /// Joins of those who vanish at once.
    pub(super) joins: usize,
    /// Sessions that are begun and never used, guesses, offers.
    pub(super) requests: usize,
    /// Connections that get no further than their beginning.
    pub(super) connections: usize,
    /// Clients that talk at the same time, over each carrier.
    pub(super) talkers: usize,
    /// For those that would never end.
    pub(super) how_long: Duration,
}

impl Means {
    /// From the nth loopback address.
    pub(super) fn from(&self, n: u8) -> Self {
        let to = host(&self.address);
        Self {
            address: format!("127.0.0.{n}>{to}"),
            ..self.clone()
        }
    }
}
