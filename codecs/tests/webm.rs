//! The WebM reader and writer, beside each other and beside `webm-iterable`.
#![cfg(feature = "native")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "webm/blocks.rs"]
mod blocks;
#[path = "webm/damaged.rs"]
mod damaged;
#[path = "synthetic/ebml.rs"]
mod ebml;
#[path = "webm/foreign.rs"]
mod foreign;
#[path = "webm/written.rs"]
mod written;
