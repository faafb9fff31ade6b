//! The operators' interface of a running daemon, as a program of an operator's meets it.

#[path = "support/client.rs"]
#[expect(dead_code, reason = "shared with the load client")]
mod client;
#[path = "support/daemon.rs"]
#[expect(dead_code, reason = "shared with the load client")]
mod daemon;
#[path = "api/events.rs"]
mod events;
#[path = "support/http.rs"]
mod http;
#[path = "api/key.rs"]
mod key;
#[path = "access/keys.rs"]
mod keys;
#[path = "api/ladders.rs"]
mod ladders;
#[path = "support/peer.rs"]
#[expect(dead_code, reason = "shared with those who send media")]
mod peer;
#[path = "support/received.rs"]
#[expect(dead_code, reason = "shared with the benches")]
mod received;
#[path = "api/removals.rs"]
mod removals;
#[path = "api/requests.rs"]
mod requests;
#[path = "api/rooms.rs"]
mod rooms;
#[path = "api/served.rs"]
mod served;
#[path = "support/socket.rs"]
#[expect(dead_code, reason = "shared with the signaling tests")]
mod socket;
