//! Media through a running daemon: what a participant gets while others come, go and send nonsense, and
//! while a path of their own fails.

#[path = "media/apart.rs"]
mod apart;
#[path = "support/carrier.rs"]
#[expect(dead_code, reason = "shared with the tests of signaling")]
mod carrier;
#[path = "support/client.rs"]
#[expect(dead_code, reason = "shared with the load client")]
mod client;
#[path = "support/clip.rs"]
#[expect(dead_code, reason = "shared with the benches")]
mod clip;
#[path = "support/daemon.rs"]
#[expect(dead_code, reason = "shared with the load client")]
mod daemon;
#[path = "media/holdings.rs"]
mod holdings;
#[path = "support/http.rs"]
mod http;
#[path = "media/legs.rs"]
mod legs;
#[path = "media/line.rs"]
mod line;
#[path = "media/nonsense.rs"]
mod nonsense;
#[path = "support/peer.rs"]
mod peer;
#[path = "media/pictures.rs"]
mod pictures;
#[path = "support/player.rs"]
#[expect(dead_code, reason = "shared with the load client")]
mod player;
#[path = "media/playing.rs"]
mod playing;
#[path = "support/received.rs"]
#[expect(dead_code, reason = "shared with the benches")]
mod received;
