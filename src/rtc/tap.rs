//! Listens to RTCP as it comes and goes: keyframe requests (RFC 4585 §6.3.1, RFC 5104 §4.3.1) and
//! what the participant reports about our streams and its own (RFC 3550 §6.4).
//!
//! The crate routes a compound packet by its first part and keeps the rest to itself, and its
//! statistics of what is reported stay zero; so both are read where every packet passes: in the
//! interceptor chain, next to the wire. What is found is left on the link.
//!
//! This file takes apart what passes. What is made of it is in files of its own: from reports about
//! our streams, round trip and loss (`reports`), what of the loss resends have hidden
//! (`hidden_loss`) and the class that follows from it (`loss_class`); in our own reports, the loss
//! that the participant's resends have mended (`mended_loss`); from its sender reports, by how much
//! its audio and its video take unlike times to get here (`capture`).

mod capture;
mod hidden_loss;
mod loss_class;
mod mended_loss;
mod reports;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use rtc::interceptor::{Packet, StreamInfo};
use rtc::rtcp::payload_feedbacks::full_intra_request::FullIntraRequest;
use rtc::rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication;
use rtc::rtcp::receiver_report::ReceiverReport;
use rtc::rtcp::reception_report::ReceptionReport;
use rtc::rtcp::sender_report::SenderReport;
use rtc::rtcp::transport_feedbacks::transport_layer_nack::TransportLayerNack;
use rtc::rtp::header::Header;
use rtc::rtp_transceiver::rtp_sender::RtpCodecKind;

use capture::{CaptureClock, SkewMeter};
use hidden_loss::HiddenLoss;
use loss_class::LossWatch;
use mended_loss::MendedLoss;
use reports::ReportReader;

use super::orientation;
use super::stage::{Outbox, Stage, is_audio};
use crate::link::Link;

/// Incoming streams that are followed: one audio and one video stream, and some more of a client
/// that changes its mind.
const MAX_INCOMING: usize = 8;

/// The stage that listens.
pub(super) struct RtcpTap {
    link: Arc<Link>,
    reader: ReportReader,
    audio_loss: LossWatch,
    hidden_audio_loss: HiddenLoss,
    /// By SSRC. As many as were negotiated: one audio, one video.
    streams: BTreeMap<u32, Stream>,
    /// The participant's, by SSRC.
    incoming: BTreeMap<u32, Incoming>,
    skew: SkewMeter,
}

/// A stream of the participant's.
struct Incoming {
    kind: RtpCodecKind,
    clock: CaptureClock,
    /// Of audio; video comes again on a stream of its own, which hides nothing.
    mended: MendedLoss,
}

#[derive(Clone, Copy)]
struct Stream {
    kind: RtpCodecKind,
    clock_hz: u32,
}

impl RtcpTap {
    pub(super) fn new(link: Arc<Link>) -> Self {
        Self {
            link,
            reader: ReportReader::default(),
            audio_loss: LossWatch::default(),
            hidden_audio_loss: HiddenLoss::default(),
            streams: BTreeMap::new(),
            incoming: BTreeMap::new(),
            skew: SkewMeter::default(),
        }
    }

    fn take_over(&mut self, reports: &[ReceptionReport], now: Instant) {
        for report in reports {
            let Some(stream) = self.streams.get(&report.ssrc) else {
                continue;
            };
            let reception = self.reader.read(report, stream.clock_hz, now);
            let path = &self.link.path;
            if let Some(round_trip) = reception.round_trip {
                path.set_round_trip(round_trip);
            }
            let reported = match stream.kind {
                RtpCodecKind::Audio => &path.audio,
                _ => &path.video,
            };
            reported.set(reception.fraction_lost, reception.jitter);
            if stream.kind == RtpCodecKind::Audio {
                let lost = self.hidden_audio_loss.uncover(reception.fraction_lost);
                let class = self.audio_loss.report(lost, now);
                path.set_expected_audio_loss(class.percent());
            }
        }
    }
}

impl RtcpTap {
    fn follow(&mut self, header: &Header, now: Instant) {
        let Some(stream) = self.incoming.get_mut(&header.ssrc) else {
            return;
        };
        if stream.kind == RtpCodecKind::Audio {
            let round_trip = self.link.path.round_trip();
            stream
                .mended
                .arrived(header.sequence_number, round_trip, now);
        }
        let arrival = self.link.room_time(now);
        match stream.kind {
            RtpCodecKind::Audio => self.skew.audio(&stream.clock, header.timestamp, arrival),
            _ if header.marker => self.skew.frame(&stream.clock, header.timestamp, arrival),
            _ => return,
        }
        let (audio_us, video_us) = (self.skew.audio_us(), self.skew.video_us());
        self.link.path.set_transits_us(audio_us, video_us);
    }
}

impl RtcpTap {
    /// Takes note of what leaves; completes what our reports tell.
    fn pass(&mut self, part: &mut Box<dyn rtc::rtcp::Packet>, now: Instant) {
        if let Some(report) = part.as_any().downcast_ref::<SenderReport>() {
            self.reader.sent(report.ntp_time, now);
        } else if let Some(nack) = part.as_any().downcast_ref::<TransportLayerNack>() {
            if let Some(stream) = self.incoming.get_mut(&nack.media_ssrc) {
                for seq in nack.nacks.iter().copied().flatten() {
                    stream.mended.asked(seq, now);
                }
            }
        } else if let Some(report) = part.as_any().downcast_ref::<ReceiverReport>() {
            let mut report = report.clone();
            for block in &mut report.reports {
                if let Some(stream) = self.incoming.get_mut(&block.ssrc)
                    && stream.kind == RtpCodecKind::Audio
                {
                    stream.mended.uncover(block);
                }
            }
            *part = Box::new(report);
        }
    }
}

impl Stage for RtcpTap {
    fn read(&mut self, packet: &Packet, now: Instant, _out: &mut Outbox) {
        self.link.hear(now);
        let parts = match packet {
            Packet::Rtp(packet) => return self.follow(&packet.header, now),
            Packet::Rtcp(parts) => parts,
            _ => return,
        };
        for part in parts {
            let part = part.as_any();
            if part.is::<PictureLossIndication>() || part.is::<FullIntraRequest>() {
                self.link.want_keyframe();
            } else if let Some(report) = part.downcast_ref::<ReceiverReport>() {
                self.take_over(&report.reports, now);
            } else if let Some(report) = part.downcast_ref::<SenderReport>() {
                if let Some(stream) = self.incoming.get_mut(&report.ssrc) {
                    stream.clock.report(report.ntp_time, report.rtp_time);
                }
                self.take_over(&report.reports, now);
            }
        }
    }

    fn write(&mut self, packet: &mut Packet, now: Instant) {
        match packet {
            Packet::Rtcp(parts) => parts.iter_mut().for_each(|part| self.pass(part, now)),
            Packet::Rtp(packet) => {
                let stream = self.streams.get(&packet.header.ssrc);
                if stream.is_some_and(|stream| stream.kind == RtpCodecKind::Audio) {
                    self.hidden_audio_loss.sent(packet.header.sequence_number);
                }
            }
            _ => {}
        }
    }

    fn bind_local(&mut self, info: &StreamInfo) {
        let (kind, clock_hz) = (kind(info), info.clock_rate);
        self.streams.insert(info.ssrc, Stream { kind, clock_hz });
    }

    fn unbind_local(&mut self, info: &StreamInfo) {
        self.streams.remove(&info.ssrc);
    }

    fn bind_remote(&mut self, info: &StreamInfo) {
        let orientation = orientation::extension_of(info);
        if orientation != orientation::NOT_NEGOTIATED {
            self.link.set_orientation_extension(orientation);
        }
        // A stream of resends is bound like any other, but has no reports.
        if self.incoming.len() < MAX_INCOMING {
            self.incoming.entry(info.ssrc).or_insert_with(|| Incoming {
                kind: kind(info),
                clock: CaptureClock::new(info.clock_rate),
                mended: MendedLoss::default(),
            });
        }
    }

    fn unbind_remote(&mut self, info: &StreamInfo) {
        self.incoming.remove(&info.ssrc);
    }
}

fn kind(info: &StreamInfo) -> RtpCodecKind {
    if is_audio(info) {
        RtpCodecKind::Audio
    } else {
        RtpCodecKind::Video
    }
}

#[cfg(test)]
mod tests;
