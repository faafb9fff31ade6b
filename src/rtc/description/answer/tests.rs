//! Offers in the styles of those who make them, answered by a real connection.

mod candidates;
mod further;
mod restarts;
mod sections;
mod styles;

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::mpsc;

use crate::link::Link;
use crate::rtc::{MediaAddress, MediaPorts, Offer, OfferError, Rtc};

const FINGERPRINT: &str = "sha-256 \
    4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B:19:E5:7C:AB:4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF";

fn transports() -> Rtc {
    Rtc::bind(&MediaAddress {
        ip: Ipv4Addr::LOCALHOST.into(),
        ports: MediaPorts::Shared(0),
        announce: None,
    })
    .unwrap()
}

fn offered(sdp: &str) -> Result<Offer, OfferError> {
    Offer::parse(sdp.replace("FINGERPRINT", FINGERPRINT))
}

async fn answered(rtc: &Rtc, offer: Offer) -> Result<String, OfferError> {
    let link = Arc::new(Link::new(Instant::now()));
    let (events, _told) = mpsc::channel(64);
    let (transport, _) = rtc.answer(offer, link, events).await?;
    transport.whole_answer().await
}

/// For each section its first line and those attributes that are negotiated.
fn essence(answer: &str) -> Vec<String> {
    let wanted = [
        "a=mid:",
        "a=setup:",
        "a=rtpmap:",
        "a=extmap:",
        "a=rtcp-mux",
        "a=rid",
        "a=simulcast",
    ];
    let directions = ["a=sendrecv", "a=sendonly", "a=recvonly", "a=inactive"];
    let mut essence = Vec::new();
    for line in answer.lines() {
        let is_wanted = wanted.iter().any(|it| line.starts_with(it)) || directions.contains(&line);
        if let Some(media) = line.strip_prefix("m=") {
            essence.push(media.to_owned());
        } else if let (Some(section), true) = (essence.last_mut(), is_wanted) {
            section.push(' ');
            section.push_str(line.trim_start_matches("a="));
        } else if line.starts_with("a=group:") {
            essence.push(line.to_owned());
        }
    }
    essence
}
