//! What an estimator is told, and what it says.

#[cfg(test)]
use std::collections::BTreeMap;
use std::time::Duration;

use super::State;

/// What became of one packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::rtc::downlink) struct PacketReport {
    /// When it left, by our clock.
    pub(in crate::rtc::downlink) departure: Duration,
    pub(in crate::rtc::downlink) fate: Fate,
    /// On the path, headers and all.
    pub(in crate::rtc::downlink) bytes: usize,
}

/// What a receiver told of packets by number, as reports; those it left out below the first are unheard.
/// `sent` has when each left and how large it was, and loses those told of.
#[cfg(test)]
pub(in crate::rtc::downlink) fn joined(
    sent: &mut BTreeMap<u64, (Duration, usize)>,
    told: Vec<(u64, Option<Duration>)>,
) -> Vec<PacketReport> {
    let later = sent.split_off(&told[0].0);
    let unheard = std::mem::replace(sent, later).into_values();
    let unheard = unheard.map(|sent| (sent, Fate::Unheard));
    let heard = told.into_iter().filter_map(|(number, arrival)| {
        let fate = arrival.map_or(Fate::Lost, Fate::Arrived);
        Some((sent.remove(&number)?, fate))
    });
    let all = unheard.chain(heard);
    all.map(|((departure, bytes), fate)| PacketReport {
        departure,
        fate,
        bytes,
    })
    .collect()
}

/// What is known of a packet that left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::rtc::downlink) enum Fate {
    /// It arrived, at this time of the receiver's clock.
    Arrived(Duration),
    Lost,
    /// The report that would have told was lost itself, and a later one came. No reason to think that
    /// it was another than its neighbors'.
    Unheard,
}

impl Fate {
    pub(super) const fn arrival(self) -> Option<Duration> {
        match self {
            Self::Arrived(at) => Some(at),
            Self::Lost | Self::Unheard => None,
        }
    }
}

/// Whether a packet that leaves has a transport-wide number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::rtc::downlink) enum Numbered {
    Yes,
    No,
}

/// The estimate at one moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::rtc::downlink) struct Estimate {
    /// How much may leave.
    pub(in crate::rtc::downlink) bits_per_second: u64,
    /// How much may again, once the queue has been drained; as much where there is none.
    pub(in crate::rtc::downlink) lasting: u64,
    /// Why it is not more.
    pub(in crate::rtc::downlink) state: State,
    /// What stands in the queue.
    pub(in crate::rtc::downlink) queueing_delay: Duration,
    /// The share of packets lost in the last second, in 256ths.
    pub(in crate::rtc::downlink) loss: u8,
    /// How much has arrived lately, bit/s.
    pub(in crate::rtc::downlink) acknowledged: Option<u64>,
}
