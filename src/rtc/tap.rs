//! Listens to inbound RTCP for keyframe requests (RFC 4585 §6.3.1, RFC 5104 §4.3.1).
//!
//! The crate routes a compound packet by its first part and keeps the rest to itself, so requests
//! are read where every packet passes: in the interceptor chain.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use rtc::interceptor::{Interceptor, Packet, StreamInfo, TaggedPacket};
use rtc::rtcp::payload_feedbacks::full_intra_request::FullIntraRequest;
use rtc::rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication;
use rtc::sansio::Protocol;
use rtc::shared::error::Error;

use crate::link::Link;

/// Passes everything on and turns each PLI or FIR into a request on the link.
pub(super) struct KeyframeTap {
    link: Arc<Link>,
    reads: VecDeque<TaggedPacket>,
    writes: VecDeque<TaggedPacket>,
}

impl KeyframeTap {
    pub(super) fn new(link: Arc<Link>) -> Self {
        Self {
            link,
            reads: VecDeque::new(),
            writes: VecDeque::new(),
        }
    }
}

impl fmt::Debug for KeyframeTap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyframeTap").finish_non_exhaustive()
    }
}

impl Protocol<TaggedPacket, TaggedPacket, ()> for KeyframeTap {
    type Rout = TaggedPacket;
    type Wout = TaggedPacket;
    type Eout = ();
    type Error = Error;
    type Time = Instant;

    fn handle_read(&mut self, packet: TaggedPacket) -> Result<(), Self::Error> {
        if let Packet::Rtcp(parts) = &packet.message.packet {
            let asks = parts.iter().any(|part| {
                let part = part.as_any();
                part.is::<PictureLossIndication>() || part.is::<FullIntraRequest>()
            });
            if asks {
                self.link.want_keyframe();
            }
        }
        self.reads.push_back(packet);
        Ok(())
    }

    fn poll_read(&mut self) -> Option<Self::Rout> {
        self.reads.pop_front()
    }

    fn handle_write(&mut self, packet: TaggedPacket) -> Result<(), Self::Error> {
        self.writes.push_back(packet);
        Ok(())
    }

    fn poll_write(&mut self) -> Option<Self::Wout> {
        self.writes.pop_front()
    }
}

impl Interceptor for KeyframeTap {
    fn bind_local_stream(&mut self, _info: &StreamInfo) {}
    fn unbind_local_stream(&mut self, _info: &StreamInfo) {}
    fn bind_remote_stream(&mut self, _info: &StreamInfo) {}
    fn unbind_remote_stream(&mut self, _info: &StreamInfo) {}
}
