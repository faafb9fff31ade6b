//! The audio rungs: how the sound of a listener is encoded, and which there are to choose from.
//!
//! Listeners on one rung share its encode while they say nothing themselves, so a room uses few.

use codecs::audio::TICK_SAMPLES;

/// How much sound each packet holds. The longer it is, the fewer headers and the more delay: at
/// 20 ms the headers of IP, UDP, RTP and SRTP take about 24 kb/s, at 60 ms 8, at 120 ms 4.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PacketTime {
    /// 20 ms.
    #[default]
    Ms20,
    /// 40 ms.
    Ms40,
    /// 60 ms.
    Ms60,
    /// 120 ms.
    Ms120,
}

impl PacketTime {
    /// All of them, the shortest first.
    pub const ALL: [Self; 4] = [Self::Ms20, Self::Ms40, Self::Ms60, Self::Ms120];

    /// The longest of at most `ms` milliseconds, or the shortest there is.
    #[must_use]
    pub fn within_ms(ms: u32) -> Self {
        let fitting = Self::ALL.into_iter().rev().find(|time| time.ms() <= ms);
        fitting.unwrap_or_default()
    }

    /// The one of `ms` milliseconds, if there is one.
    #[must_use]
    pub const fn of_ms(ms: u32) -> Option<Self> {
        match ms {
            20 => Some(Self::Ms20),
            40 => Some(Self::Ms40),
            60 => Some(Self::Ms60),
            120 => Some(Self::Ms120),
            _ => None,
        }
    }

    /// In milliseconds.
    #[must_use]
    pub const fn ms(self) -> u32 {
        match self {
            Self::Ms20 => 20,
            Self::Ms40 => 40,
            Self::Ms60 => 60,
            Self::Ms120 => 120,
        }
    }

    /// In ticks: 1, 2, 3 or 6.
    #[must_use]
    pub const fn ticks(self) -> usize {
        match self {
            Self::Ms20 => 1,
            Self::Ms40 => 2,
            Self::Ms60 => 3,
            Self::Ms120 => 6,
        }
    }

    /// In samples per channel.
    #[must_use]
    pub const fn samples(self) -> usize {
        self.ticks() * TICK_SAMPLES
    }

    /// Whether a packet of this time begins with tick `number`. All packets of a room lie on this
    /// grid, whoever makes them, so a listener can go from one encode to another without a gap.
    #[must_use]
    pub const fn begins_at(self, number: u64) -> bool {
        number.is_multiple_of(self.ticks() as u64)
    }

    /// Whether a packet of this time ends with tick `number`.
    #[must_use]
    pub const fn ends_with(self, number: u64) -> bool {
        self.place_of(number) + 1 == self.ticks()
    }

    /// Where tick `number` is in its packet, in ticks.
    #[must_use]
    pub const fn place_of(self, number: u64) -> usize {
        #[expect(clippy::cast_possible_truncation, reason = "less than six")]
        let place = (number % self.ticks() as u64) as usize;
        place
    }
}

/// The loss that an encode prepares for with in-band FEC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LossClass {
    /// No loss: no FEC.
    #[default]
    None,
    /// Up to about a tenth of the packets.
    Ten,
    /// More.
    Twenty,
}

impl LossClass {
    /// All of them, the least first.
    pub const ALL: [Self; 3] = [Self::None, Self::Ten, Self::Twenty];

    /// Percent of the packets.
    #[must_use]
    pub const fn percent(self) -> u8 {
        match self {
            Self::None => 0,
            Self::Ten => 10,
            Self::Twenty => 20,
        }
    }

    /// The least class that covers a loss of `percent`. libopus answers an expected loss of a few
    /// percent with no FEC at all, so any loss is at least class ten.
    #[must_use]
    pub const fn covering(percent: u8) -> Self {
        match percent {
            0 => Self::None,
            1..=10 => Self::Ten,
            _ => Self::Twenty,
        }
    }
}

/// Whether silence is sent (discontinuous transmission). Only exact silence counts, for a codec
/// that judges by itself takes steady tones for noise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dtx {
    /// In silence a packet of a byte or two goes out every 400 ms, and nothing between.
    On,
    /// There is a packet for each packet time, whatever it holds.
    #[default]
    Off,
}

/// One way to encode what is heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AudioRung {
    bitrate_kbps: u32,
    packet_time: PacketTime,
    loss: LossClass,
    dtx: Dtx,
}

/// Why there is no such rung.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "bitrate_kbps is {bitrate_kbps}, expected {} to {}",
    AudioRung::LEAST_KBPS,
    AudioRung::MOST_KBPS
)]
pub struct AudioRungError {
    /// What was asked for.
    pub bitrate_kbps: u32,
}

impl AudioRung {
    /// Below this Opus is no longer pleasant, in kb/s.
    pub const LEAST_KBPS: u32 = 6;

    /// The most that Opus takes, in kb/s (RFC 6716 §2.1.1).
    pub const MOST_KBPS: u32 = 510;

    /// Below this libopus finds no bits for in-band FEC, in kb/s, whatever loss it expects and at
    /// every packet time: from 20 on there is some at an expected loss of 10 %, from 18 at 20 %.
    pub const LEAST_FEC_KBPS: u32 = 20;

    /// A rung for a path that loses nothing, with something to send at all times.
    ///
    /// # Errors
    ///
    /// [`AudioRungError`] unless `bitrate_kbps` is from 6 to 510.
    pub const fn new(bitrate_kbps: u32, packet_time: PacketTime) -> Result<Self, AudioRungError> {
        if bitrate_kbps < Self::LEAST_KBPS || bitrate_kbps > Self::MOST_KBPS {
            return Err(AudioRungError { bitrate_kbps });
        }
        Ok(Self {
            bitrate_kbps,
            packet_time,
            loss: LossClass::None,
            dtx: Dtx::Off,
        })
    }

    /// A rung like [`AudioRung::new`]'s, of the bitrate that is nearest to `bitrate_kbps`.
    #[must_use]
    pub fn nearest(bitrate_kbps: u32, packet_time: PacketTime) -> Self {
        Self {
            bitrate_kbps: bitrate_kbps.clamp(Self::LEAST_KBPS, Self::MOST_KBPS),
            packet_time,
            loss: LossClass::None,
            dtx: Dtx::Off,
        }
    }

    /// The same with a bitrate of at most `kbps`, but never below [`AudioRung::LEAST_KBPS`], in packets
    /// no longer than `longest`.
    #[must_use]
    pub fn at_most(self, kbps: u32, longest: PacketTime) -> Self {
        Self {
            bitrate_kbps: self.bitrate_kbps.min(kbps.max(Self::LEAST_KBPS)),
            packet_time: self.packet_time.min(longest),
            ..self
        }
    }

    /// The same, prepared for `loss` if it can be: below [`AudioRung::LEAST_FEC_KBPS`] all losses
    /// are one rung.
    #[must_use]
    pub const fn with_loss(self, loss: LossClass) -> Self {
        if self.bitrate_kbps < Self::LEAST_FEC_KBPS {
            return self;
        }
        Self { loss, ..self }
    }

    /// The same, with or without pauses in silence.
    #[must_use]
    pub const fn with_dtx(self, dtx: Dtx) -> Self {
        Self { dtx, ..self }
    }

    /// What the encode aims at, in kb/s, headers not counted.
    #[must_use]
    pub const fn bitrate_kbps(self) -> u32 {
        self.bitrate_kbps
    }

    /// How much sound each packet holds.
    #[must_use]
    pub const fn packet_time(self) -> PacketTime {
        self.packet_time
    }

    /// The loss it prepares for.
    #[must_use]
    pub const fn loss(self) -> LossClass {
        self.loss
    }

    /// Whether it pauses in silence.
    #[must_use]
    pub const fn dtx(self) -> Dtx {
        self.dtx
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rung_has_a_bitrate_that_opus_takes() {
        for kbps in [0, 5, 511, u32::MAX] {
            let rung = AudioRung::new(kbps, PacketTime::Ms20);
            assert_eq!(rung, Err(AudioRungError { bitrate_kbps: kbps }));
        }
        for kbps in [6, 32, 510] {
            let rung = AudioRung::new(kbps, PacketTime::Ms20);
            assert_eq!(rung.unwrap().bitrate_kbps(), kbps);
        }
    }

    #[test]
    fn packets_lie_on_one_grid_of_ticks() {
        // Tick, and whether a packet of 20, 40, 60 and 120 ms begins and ends with it.
        let rows = [
            (0, [true, true, true, true], [true, false, false, false]),
            (1, [true, false, false, false], [true, true, false, false]),
            (2, [true, true, false, false], [true, false, true, false]),
            (3, [true, false, true, false], [true, true, false, false]),
            (5, [true, false, false, false], [true, true, true, true]),
            (6, [true, true, true, true], [true, false, false, false]),
        ];
        for (number, begins, ends) in rows {
            assert_eq!(PacketTime::ALL.map(|time| time.begins_at(number)), begins);
            assert_eq!(PacketTime::ALL.map(|time| time.ends_with(number)), ends);
        }
    }

    #[test]
    fn a_rung_too_low_for_fec_is_the_same_for_every_loss() {
        for kbps in [6, 12, 19, 20, 24, 510] {
            let rung = AudioRung::new(kbps, PacketTime::Ms60).unwrap();
            let rungs = LossClass::ALL.map(|loss| rung.with_loss(loss));

            let differ = rungs.iter().any(|other| *other != rung);

            assert_eq!(differ, rung.bitrate_kbps() >= AudioRung::LEAST_FEC_KBPS);
        }
    }

    #[test]
    fn any_loss_at_all_is_a_class_that_the_codec_answers() {
        let rows = [(0, 0), (1, 10), (10, 10), (11, 20), (100, 20), (255, 20)];
        for (percent, covered) in rows {
            assert_eq!(LossClass::covering(percent).percent(), covered, "{percent}");
        }
    }
}
