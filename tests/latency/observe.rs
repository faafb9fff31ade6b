//! What came back, and how long it took.

use std::time::Instant;

use bytes::Bytes;
use codecs::rtp::vp8::Depacketizer;
use marks::{Area, read_counter};

use crate::codes::{Ear, Eye};
use crate::send::{Sent, samples_long};

/// Where the sender's tile is: the last of four in 1280x720.
pub(crate) const TILE: Area = Area {
    left_px: 640,
    top_px: 360,
    width_px: 640,
    height_px: 360,
};

/// One RTP packet of the mix.
#[derive(Clone, Debug)]
pub(crate) struct Packet {
    pub(crate) at: Instant,
    pub(crate) seq: u16,
    pub(crate) marker: bool,
    pub(crate) payload: Bytes,
}

/// Everything that came.
#[derive(Debug, Default)]
pub(crate) struct Mix {
    pub(crate) audio: Vec<Packet>,
    pub(crate) video: Vec<Packet>,
}

/// Delays in ms, in no order.
#[derive(Debug, Default)]
pub(crate) struct Delays {
    pub(crate) audio: Vec<f64>,
    pub(crate) video: Vec<f64>,
}

impl Delays {
    /// Looks for what each round `sent`, as far as it was sent after that round's instant, in the mix.
    pub(crate) fn find(rounds: &[(Instant, Sent)], mix: &Mix) -> anyhow::Result<Self> {
        let heard = heard(&mix.audio)?;
        let seen = seen(&mix.video)?;
        let mut delays = Self::default();
        for (settled, sent) in rounds {
            delays.audio.extend(audio(*settled, sent, &heard));
            delays.video.extend(video(*settled, sent, &seen));
        }
        Ok(delays)
    }

    /// Of `delays`, which must not be empty.
    pub(crate) fn percentile(delays: &[f64], percent: usize) -> f64 {
        let mut sorted = delays.to_vec();
        sorted.sort_by(f64::total_cmp);
        let last = sorted.len().saturating_sub(1);
        sorted
            .get(last * percent / 100)
            .copied()
            .unwrap_or(f64::NAN)
    }
}

/// When bursts began.
fn heard(packets: &[Packet]) -> anyhow::Result<Vec<Instant>> {
    let mut ear = Ear::new()?;
    let mut bursts = Vec::new();
    for packet in in_order(packets) {
        if let Some(onset) = ear.hear(&packet.payload)? {
            bursts.push(packet.at + samples_long(onset));
        }
    }
    Ok(bursts)
}

/// Which numbers the tile showed, and when the frame that did was there.
fn seen(packets: &[Packet]) -> anyhow::Result<Vec<(u16, Instant)>> {
    let mut eye = Eye::new()?;
    let mut depacketizer = Depacketizer::default();
    let mut numbers = Vec::new();
    for packet in in_order(packets) {
        // A frame that was begun before we looked is refused until its end.
        let _ = depacketizer.push(&packet.payload);
        if !packet.marker {
            continue;
        }
        let Some(frame) = depacketizer.finish() else {
            continue;
        };
        // What came before the first keyframe cannot be decoded.
        if let Ok(Some(number)) = eye.see(&frame, |picture| read_counter(picture, TILE)) {
            numbers.push((number, packet.at));
        }
    }
    Ok(numbers)
}

/// Packets that overtook others put back.
fn in_order(packets: &[Packet]) -> Vec<&Packet> {
    let mut newest = None;
    let mut sorted: Vec<(i64, &Packet)> = Vec::with_capacity(packets.len());
    for packet in packets {
        let place = match newest {
            Some((place, seq)) => place + i64::from(packet.seq.wrapping_sub(seq).cast_signed()),
            None => 0,
        };
        newest = Some((place, packet.seq));
        sorted.push((place, packet));
    }
    sorted.sort_by_key(|(place, _)| *place);
    sorted.into_iter().map(|(_, packet)| packet).collect()
}

fn audio(settled: Instant, sent: &Sent, heard: &[Instant]) -> Vec<f64> {
    let sent = sent.bursts.iter().filter(|at| **at >= settled);
    // Bursts are half a second apart, so the next one heard is this one.
    sent.filter_map(|at| {
        heard
            .iter()
            .find(|heard| *heard > at)
            .map(|heard| *heard - *at)
    })
    .filter(|delay| delay.as_millis() < 400)
    .map(|delay| delay.as_secs_f64() * 1_000.0)
    .collect()
}

fn video(settled: Instant, sent: &Sent, seen: &[(u16, Instant)]) -> Vec<f64> {
    let sent = sent.frames.iter().filter(|(_, at)| *at >= settled);
    // A number comes again after seconds only; a frame that was never shown has no delay.
    sent.filter_map(|(number, at)| {
        let mut shown = seen
            .iter()
            .filter(|(seen, when)| seen == number && when > at);
        shown.next().map(|(_, when)| *when - *at)
    })
    .filter(|delay| delay.as_millis() < 2_000)
    .map(|delay| delay.as_secs_f64() * 1_000.0)
    .collect()
}
