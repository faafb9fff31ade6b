//! WHIP and WHEP as HTTP, over a running daemon: what is answered to what, and what the room sees of
//! it. Media is for `tests/whip/test_aiortc.py`.

#[path = "whip/client.rs"]
mod client;
#[path = "whip/connecting.rs"]
mod connecting;
#[path = "support/daemon.rs"]
#[expect(dead_code, reason = "shared with the load client")]
mod daemon;
#[path = "whip/http.rs"]
mod http;
#[path = "access/keys.rs"]
mod keys;
#[path = "whip/members.rs"]
mod members;
#[path = "support/publishing.rs"]
mod publishing;
#[path = "whip/resources.rs"]
mod resources;
#[path = "support/socket.rs"]
#[expect(dead_code, reason = "shared with the tests of signaling")]
mod socket;
