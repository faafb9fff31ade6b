//! What hosts expect of a room, as everybody in it sees that, over the signaling of a running daemon.

#[path = "support/daemon.rs"]
#[expect(dead_code, reason = "shared with the load client")]
mod daemon;
#[path = "rooms/entrance.rs"]
mod entrance;
#[path = "rooms/everybody.rs"]
mod everybody;
#[path = "rooms/guests.rs"]
mod guests;
#[path = "rooms/moderators.rs"]
mod moderators;
#[path = "support/socket.rs"]
#[expect(dead_code, reason = "shared with the test of the signaling")]
mod socket;
