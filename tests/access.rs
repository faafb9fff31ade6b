//! Who may come in to a running daemon, and how often: as strangers, proxies and pages of elsewhere
//! meet it.

#[path = "access/cases.rs"]
mod cases;
#[path = "support/daemon.rs"]
#[expect(dead_code, reason = "shared with the load client")]
mod daemon;
#[path = "access/http.rs"]
mod http;
#[path = "access/keys.rs"]
mod keys;
#[path = "access/limits.rs"]
mod limits;
#[path = "access/proxies.rs"]
mod proxies;
#[path = "support/http.rs"]
mod requests;
#[path = "support/signal.rs"]
mod signal;
#[path = "support/socket.rs"]
#[expect(dead_code, reason = "shared with the signaling tests")]
mod socket;
#[path = "access/start.rs"]
mod start;
#[path = "access/tls.rs"]
mod tls;
