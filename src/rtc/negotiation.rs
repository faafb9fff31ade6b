//! Offers and answers over one connection, one at a time.

use std::fmt;
use std::sync::Arc;

use rtc::peer_connection::sdp::RTCSessionDescription;
use tokio::sync::Mutex;
use tracing::{debug, warn};
use webrtc::peer_connection::PeerConnection;

use super::description::{OfferError, Plain, announce};
use super::mux::{Door, Stream};

/// Where a connection and its other side stand.
pub(super) struct Negotiation {
    pub(super) connection: Arc<dyn PeerConnection>,
    door: Door,
    agreed: Mutex<Agreed>,
}

#[derive(Default)]
struct Agreed {
    /// The last offer that was answered.
    offer: Option<Plain>,
    /// Streams of theirs that no offer announced: at most one for each section.
    found: Vec<Stream>,
}

impl Negotiation {
    pub(super) fn new(connection: Arc<dyn PeerConnection>, door: Door) -> Self {
        Self {
            connection,
            door,
            agreed: Mutex::default(),
        }
    }

    /// Answers an offer, in the crate's words.
    pub(super) async fn answer(&self, offer: &Plain) -> Result<String, OfferError> {
        let mut agreed = self.agreed.lock().await;
        self.tell(offer, &agreed.found).await?;
        agreed.offer = Some(offer.clone());
        self.description().await
    }

    /// Has the crate know of a stream that came, as if the last offer had announced it. The other
    /// side need not hear of that.
    pub(super) async fn announce(&self, stream: Stream) {
        let mut agreed = self.agreed.lock().await;
        agreed.found.push(stream);
        let Some(offer) = &agreed.offer else {
            return;
        };
        debug!(?stream, "a stream that was not announced");
        if let Err(error) = self.tell(offer, &agreed.found).await {
            warn!(%error, ?stream, "a stream that was not announced is lost");
        }
    }

    /// Our side as it is now.
    pub(super) async fn description(&self) -> Result<String, OfferError> {
        let answer = self.connection.local_description().await;
        let answer = answer.ok_or_else(|| OfferError::Refused("no answer".to_owned()))?;
        // Before anybody can use them: nothing is let in that does not know them.
        let credentials = announce::credentials(&answer.sdp)
            .ok_or_else(|| OfferError::Refused("an answer without ICE".to_owned()))?;
        self.door.admit(credentials);
        Ok(announce::description(&answer.sdp, self.door.address()))
    }

    async fn tell(&self, offer: &Plain, found: &[Stream]) -> Result<(), OfferError> {
        let mut plain = offer.clone();
        for stream in found {
            plain.announce(*stream);
        }
        let told = RTCSessionDescription::offer(plain.to_string())
            .map_err(|error| OfferError::NotSdp(error.to_string()))?;
        let connection = &self.connection;
        connection
            .set_remote_description(told)
            .await
            .map_err(refused)?;
        let answer = connection.create_answer(None).await.map_err(refused)?;
        connection
            .set_local_description(answer)
            .await
            .map_err(refused)
    }
}

impl fmt::Debug for Negotiation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Negotiation").finish_non_exhaustive()
    }
}

pub(super) fn refused(error: webrtc::error::Error) -> OfferError {
    OfferError::Refused(error.to_string())
}
