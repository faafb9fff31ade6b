//! What the crate calls when something happens to one of its connections.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::sync::watch;
use tracing::{Instrument, debug, warn};
use webrtc::media_stream::track_remote::TrackRemote;
use webrtc::peer_connection::{
    PeerConnectionEventHandler, RTCIceGatheringState, RTCPeerConnectionIceEvent,
    RTCPeerConnectionState,
};

use super::SharedByLegs;
use crate::rtc::description::{Place, announce};
use crate::rtc::state::{Changed, TransportState};
use crate::rtc::transport::{Candidate, TransportEvent};
use crate::rtc::uplink;

/// Carries the crate's callbacks out. They run on the connection's driver: nothing here waits.
pub(super) struct Callbacks {
    pub(super) leg: usize,
    pub(super) place: Place,
    pub(super) address: SocketAddr,
    pub(super) shared: SharedByLegs,
    pub(super) gathered: watch::Sender<bool>,
}

impl Callbacks {
    fn tell(&self, event: TransportEvent) {
        if let Err(error) = self.shared.events.try_send(event) {
            debug!(%error, "nobody listens to the transport");
        }
    }
}

#[async_trait::async_trait]
impl PeerConnectionEventHandler for Callbacks {
    async fn on_ice_candidate(&self, event: RTCPeerConnectionIceEvent) {
        match event.candidate.to_json() {
            Ok(candidate) => {
                let Some(line) = announce::candidate(&candidate.candidate, self.address) else {
                    return;
                };
                // The crate would say of each candidate that it is of the first section it knows.
                self.tell(TransportEvent::Candidate(Candidate {
                    candidate: line,
                    sdp_mid: self.place.mid.clone(),
                    sdp_m_line_index: Some(self.place.index),
                }));
            }
            Err(error) => warn!(%error, "a local candidate has no text form"),
        }
    }

    async fn on_ice_gathering_state_change(&self, state: RTCIceGatheringState) {
        self.gathered
            .send_replace(state == RTCIceGatheringState::Complete);
    }

    async fn on_connection_state_change(&self, state: RTCPeerConnectionState) {
        let state = match state {
            RTCPeerConnectionState::Connected => TransportState::Connected,
            RTCPeerConnectionState::Disconnected => TransportState::Disconnected,
            RTCPeerConnectionState::Failed => TransportState::Failed,
            _ => return,
        };
        debug!(leg = self.leg, ?state, "transport");
        // Told before another leg's state can change: in their order.
        self.shared.states.send_modify(|states| {
            if let Changed::To(whole) = states.set(self.leg, state) {
                self.tell(TransportEvent::State(whole));
            }
        });
    }

    async fn on_track(&self, track: Arc<dyn TrackRemote>) {
        let link = Arc::clone(&self.shared.link);
        tokio::spawn(uplink::receive(track, link).in_current_span());
    }
}
