//! What can be wrong with a path. The default is nothing at all.

use std::time::Duration;

/// One direction of a path. Shares are of 1: 0.1 is ten percent.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LinkConfig {
    /// How packets get lost.
    pub loss: Loss,
    /// How long every packet takes, before jitter.
    pub delay: Duration,
    /// How much longer one packet takes than another.
    pub jitter: Jitter,
    /// Whether packets overtake each other when the jitter would have it so.
    pub delivery: Delivery,
    /// The share of packets that come twice. The copy has a delay of its own.
    pub duplication: f64,
    /// The narrowest place. `None` is infinitely wide.
    pub bandwidth: Option<Bandwidth>,
    /// When nothing gets through.
    pub outages: Vec<Outage>,
}

/// How packets get lost. Every packet is judged, duplicates excepted.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Loss {
    /// None does.
    #[default]
    None,
    /// Each by itself.
    Random {
        /// The share that is lost.
        share: f64,
    },
    /// In bursts (Gilbert 1960, Elliott 1963): the path is good or bad, and may change before
    /// every packet. In the long run it is bad for `to_bad / (to_bad + to_good)` of the packets.
    Bursts {
        /// The chance that a good path turns bad.
        to_bad: f64,
        /// The chance that a bad path turns good; 1 over this is the mean length of a bad time,
        /// in packets.
        to_good: f64,
        /// The share lost while the path is good.
        good: f64,
        /// The share lost while the path is bad.
        bad: f64,
    },
}

impl Loss {
    /// The share lost in the long run.
    #[must_use]
    pub fn long_run(&self) -> f64 {
        match *self {
            Self::None => 0.0,
            Self::Random { share } => share,
            Self::Bursts {
                to_bad,
                to_good,
                good,
                bad,
            } => {
                let badness = to_bad / (to_bad + to_good);
                badness * bad + (1.0 - badness) * good
            }
        }
    }
}

/// How much longer one packet takes than another; added to the delay.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Jitter {
    /// All take the same.
    #[default]
    None,
    /// Uniform between minus and plus this, as "50 ms ± 20 ms" says. The sum with the delay never
    /// falls below zero.
    Uniform(Duration),
    /// Exponential with this mean, as queues on the way make it; cut at ten times the mean.
    Exponential(Duration),
}

/// Whether packets may overtake each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Delivery {
    /// A packet never arrives before one that was sent earlier: it waits behind it.
    #[default]
    InOrder,
    /// Each packet arrives when its own delay says so.
    Reordered,
}

/// A narrow place with a queue before it. A packet that finds the queue full is dropped
/// (tail drop).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bandwidth {
    /// How much passes, in bits per second; 0 counts as 1.
    pub bits_per_second: u64,
    /// How much may wait, the packet that is passing included. A single packet longer than this
    /// never passes.
    pub queue_bytes: usize,
}

/// A time in which nothing gets through: packets sent from `from` on and before `until`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outage {
    /// Its first moment.
    pub from: Duration,
    /// The first moment after it.
    pub until: Duration,
    /// What becomes of the packets.
    pub during: During,
}

/// What becomes of packets sent in an outage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum During {
    /// They are lost.
    Lost,
    /// They wait, and go on their way together when it ends, as behind a radio that reconnects.
    Held,
}
