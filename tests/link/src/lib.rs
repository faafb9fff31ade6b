//! One direction of a network path, simulated: what is sent comes out later, or not at all.
//!
//! [`Link::send`] hands a packet over, [`Link::deliver`] takes out what has arrived; both are told
//! the time, so a test runs hours of network in a second and a relay can run it live. A packet
//! meets, in this order: the [outages](LinkConfig::outages), the [loss](LinkConfig::loss), the
//! queue before the [bandwidth](LinkConfig::bandwidth), the [delay](LinkConfig::delay) with its
//! [jitter](LinkConfig::jitter), and perhaps a [second copy](LinkConfig::duplication) of itself.
//! A path has two directions, so it takes two links, each with its own seed.
//!
//! Contract: same configuration, seed and calls, same outcome, on every machine: randomness is
//! [`Random`], and no operation is used whose rounding a platform may choose. Every packet draws
//! the same number of times from each stream of chance, so changing the loss does not move the
//! jitter.
//!
//! Bounds: what is under way is what was sent within the longest delay; before the bandwidth at
//! most [`Bandwidth::queue_bytes`] wait.

mod config;
mod link;
mod loss;
mod random;

pub use config::{Bandwidth, Delivery, During, Jitter, LinkConfig, Loss, Outage};
pub use link::{Arrived, Counters, Link};
pub use random::Random;
