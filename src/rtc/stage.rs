//! A station on the crate's interceptor chain that lets everything pass.
//!
//! The crate's contract is that whatever goes into an interceptor must be given back by it. Ours
//! look at what passes, may change what leaves, and add packets of their own; this is the part they
//! share.

use std::collections::VecDeque;
use std::fmt;
use std::time::Instant;

use rtc::interceptor::{
    Attribute, AttributedPacket, Interceptor, Packet, StreamInfo, TaggedPacket,
};
use rtc::sansio::Protocol;
use rtc::shared::TransportContext;
use rtc::shared::error::Error;

/// What a stage does beside letting packets pass. Nothing of it may wait.
pub(super) trait Stage: Send + Sync {
    /// A packet has come from the participant.
    fn read(&mut self, _packet: &Packet, _now: Instant, _out: &mut Outbox) {}

    /// A packet is on its way to the participant, and may be changed: reports completed, extensions added.
    fn write(&mut self, _packet: &mut Packet, _now: Instant) {}

    /// When [`Self::timeout`] is to be called.
    fn wake(&self) -> Option<Instant> {
        None
    }

    /// It is, or was, time.
    fn timeout(&mut self, _now: Instant, _out: &mut Outbox) {}

    /// A stream of ours was negotiated; may be called again for the same one.
    fn bind_local(&mut self, _info: &StreamInfo) {}

    /// A stream of ours ended.
    fn unbind_local(&mut self, _info: &StreamInfo) {}

    /// A stream of the participant's was negotiated; may be called again for the same one.
    fn bind_remote(&mut self, _info: &StreamInfo) {}

    /// A stream of the participant's ended.
    fn unbind_remote(&mut self, _info: &StreamInfo) {}
}

/// Whether the stream's packets may be asked for again (RFC 4585 §4.2).
pub(super) fn has_nack(info: &StreamInfo) -> bool {
    info.rtcp_feedback
        .iter()
        .any(|feedback| feedback.typ == "nack" && feedback.parameter.is_empty())
}

/// Whether the stream is audio.
pub(super) fn is_audio(info: &StreamInfo) -> bool {
    info.mime_type.starts_with("audio/")
}

/// Packets that go to the participant next. The chain empties it after every call.
#[derive(Default)]
pub(super) struct Outbox(VecDeque<TaggedPacket>);

impl Outbox {
    /// Sends RTCP: one compound packet.
    pub(super) fn send(&mut self, parts: Vec<Box<dyn rtc::rtcp::Packet>>, now: Instant) {
        self.push(AttributedPacket::new(Packet::Rtcp(parts)), now);
    }

    /// Sends `packet`, which is there in place of one that was lost.
    pub(super) fn resend(&mut self, packet: rtc::rtp::Packet, now: Instant) {
        let packet = AttributedPacket::new(Packet::Rtp(packet)).with(Attribute::Retransmission);
        self.push(packet, now);
    }

    fn push(&mut self, message: AttributedPacket, now: Instant) {
        self.0.push_back(TaggedPacket {
            now,
            transport: TransportContext::default(),
            message,
        });
    }

    /// How many there are.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    #[cfg(test)]
    pub(super) fn drain(&mut self) -> Vec<Packet> {
        self.0
            .drain(..)
            .map(|tagged| tagged.message.packet)
            .collect()
    }
}

/// Puts a stage on the chain.
pub(super) struct Staged<S> {
    stage: S,
    reads: VecDeque<TaggedPacket>,
    writes: Outbox,
}

impl<S> Staged<S> {
    pub(super) fn new(stage: S) -> Self {
        Self {
            stage,
            reads: VecDeque::new(),
            writes: Outbox::default(),
        }
    }
}

impl<S> fmt::Debug for Staged<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Staged").finish_non_exhaustive()
    }
}

impl<S: Stage> Protocol<TaggedPacket, TaggedPacket, ()> for Staged<S> {
    type Rout = TaggedPacket;
    type Wout = TaggedPacket;
    type Eout = ();
    type Error = Error;
    type Time = Instant;

    fn handle_read(&mut self, packet: TaggedPacket) -> Result<(), Self::Error> {
        self.stage
            .read(&packet.message.packet, packet.now, &mut self.writes);
        self.reads.push_back(packet);
        Ok(())
    }

    fn poll_read(&mut self) -> Option<Self::Rout> {
        self.reads.pop_front()
    }

    fn handle_write(&mut self, mut packet: TaggedPacket) -> Result<(), Self::Error> {
        self.stage.write(&mut packet.message.packet, packet.now);
        self.writes.0.push_back(packet);
        Ok(())
    }

    fn poll_write(&mut self) -> Option<Self::Wout> {
        self.writes.0.pop_front()
    }

    fn handle_timeout(&mut self, now: Instant) -> Result<(), Self::Error> {
        self.stage.timeout(now, &mut self.writes);
        Ok(())
    }

    fn poll_timeout(&mut self) -> Option<Instant> {
        self.stage.wake()
    }
}

impl<S: Stage> Interceptor for Staged<S> {
    fn bind_local_stream(&mut self, info: &StreamInfo) {
        self.stage.bind_local(info);
    }

    fn unbind_local_stream(&mut self, info: &StreamInfo) {
        self.stage.unbind_local(info);
    }

    fn bind_remote_stream(&mut self, info: &StreamInfo) {
        self.stage.bind_remote(info);
    }

    fn unbind_remote_stream(&mut self, info: &StreamInfo) {
        self.stage.unbind_remote(info);
    }
}
