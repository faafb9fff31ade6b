//! What goes over the wire of a call, both ways: packets, resends and padding; feedback and requests.

use std::time::Duration;

use rtc::rtp::Packet;
use rtc::rtp::header::Header;

use super::super::estimate::{Numbered, joined};
use super::super::history::Answer;
use super::super::pacer::Marker;
use super::call::Call;
use super::{DELAY, FEEDBACK_EVERY, HEADERS, SETTLED};

#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    Audio,
    Video(u16),
    Resend(u16),
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Parcel {
    pub(super) number: u64,
    pub(super) kind: Kind,
    pub(super) sent: Duration,
}

/// What the receiver says.
#[derive(Clone, Debug)]
pub(super) enum Word {
    Feedback(Vec<(u64, Option<Duration>)>),
    Nack(u16),
}

impl Call {
    pub(super) fn send_video(&mut self, now: Duration) {
        self.pacer.follow(self.room_bps());
        loop {
            while let Some(paced) = self.pacer.take(self.start + now) {
                let seq = self.next_seq;
                self.next_seq = seq.wrapping_add(1);
                let header = Header {
                    sequence_number: seq,
                    marker: paced.marker == Marker::Last,
                    ..Header::default()
                };
                if paced.payload.first() == Some(&0) {
                    self.history.keyframe_begins(seq);
                }
                let bytes = paced.payload.len() + HEADERS;
                let packet = Packet {
                    header,
                    payload: paced.payload,
                };
                self.history.sent(&packet, self.start + now);
                self.send(now, bytes, Kind::Video(seq));
            }
            if !self.pacer.is_idle() {
                return;
            }
            let Some(frame) = self.waiting.pop_front() else {
                return;
            };
            let (waiting, bps) = (self.waiting.len(), self.room_bps());
            self.pacer.begin(frame, waiting, bps, self.start + now);
        }
    }

    pub(super) fn pad(&mut self, now: Duration) {
        if self.probe.is_none()
            && let Some(probe) = self.estimator.probe(now)
        {
            self.probe = Some((probe, now, 0));
        }
        let Some((probe, began, sent)) = self.probe else {
            return;
        };
        let due = (now - began).as_millis() as u64 * probe.bits_per_second / 8_000;
        let mut sent = sent;
        while self.can_pad && sent < probe.bytes && sent < due {
            let Some(packet) = self.history.pad(due - sent + 1_200, self.start + now) else {
                break;
            };
            let bytes = packet.payload.len() + HEADERS;
            sent += bytes as u64;
            self.send(now, bytes, Kind::Resend(packet.header.sequence_number));
        }
        let over = sent >= probe.bytes || now > began + Duration::from_millis(300);
        self.probe = (!over).then_some((probe, began, sent));
    }

    pub(super) fn send(&mut self, now: Duration, bytes: usize, kind: Kind) {
        if let (Some((_, _, sent)), Kind::Audio | Kind::Video(_)) = (&mut self.probe, kind) {
            *sent += bytes as u64;
        }
        let number = self.next_number;
        self.next_number += 1;
        self.sent.insert(number, (now, bytes));
        self.estimator.sent(now, bytes, Numbered::Yes);
        self.there.send(
            now,
            bytes,
            Parcel {
                number,
                kind,
                sent: now,
            },
        );
    }

    pub(super) fn receive(&mut self, now: Duration, ms: u64) {
        let came: Vec<_> = self
            .there
            .deliver(now)
            .map(|it| (it.at, it.packet))
            .collect();
        for (at, Parcel { number, kind, sent }) in came {
            self.arrived.insert(number, at);
            match kind {
                Kind::Audio => {}
                Kind::Video(seq) => self.missing.arrived(seq, self.start + at),
                Kind::Resend(seq) => self.missing.resent(seq),
            }
            if ms >= SETTLED {
                self.outcome
                    .waits
                    .push((at - sent).saturating_sub(DELAY).as_millis());
                let bytes = self.sent.get(&number).map_or(0, |(_, bytes)| *bytes);
                self.outcome.bits += 8 * bytes;
            }
        }
        let round_trip = Some(2 * DELAY);
        for seq in self.missing.requests(round_trip, self.start + now) {
            self.back.send(now, 20, Word::Nack(seq));
        }
        if ms.is_multiple_of(FEEDBACK_EVERY)
            && let Some((&last, _)) = self.arrived.last_key_value()
        {
            let numbers = self.next_to_report..=last;
            let reports = numbers
                .map(|it| (it, self.arrived.get(&it).copied()))
                .collect();
            self.next_to_report = last + 1;
            self.arrived.clear();
            self.back.send(now, 60, Word::Feedback(reports));
        }
    }

    pub(super) fn hear(&mut self, now: Duration) {
        let heard: Vec<Word> = self.back.deliver(now).map(|it| it.packet).collect();
        for word in heard {
            match word {
                Word::Nack(seq) => {
                    let round_trip = Some(2 * DELAY);
                    let asked = self.history.ask(seq, round_trip, self.start + now);
                    if let Answer::Resend(packet) = asked {
                        let bytes = packet.payload.len() + HEADERS + 2;
                        self.send(now, bytes, Kind::Resend(seq));
                    }
                }
                Word::Feedback(reports) => {
                    let reports = joined(&mut self.sent, reports);
                    self.estimator.feedback(now, &reports);
                    self.heard = true;
                }
            }
        }
        self.estimator.poll(now);
    }
}
