//! The audio of a room, from packets to packets, with a codec that changes nothing.

#![expect(
    clippy::cast_possible_truncation,
    reason = "numbers written down in tests are small"
)]

mod budgets;
mod expected_loss;
mod fake;
mod isolation;
mod mix_minus;
mod network;
mod room;
mod trouble;
