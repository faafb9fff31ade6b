//! What is known of the network between a participant and us: gauges that the transport sets and
//! anybody reads.
//!
//! Each value is an atomic of its own; two that are read after one another may be of different
//! reports.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU8, AtomicU64, Ordering};
use std::time::Duration;

use mixer::audio::{AudioRung, PacketTime};

/// Stands for a round trip that has not been measured.
const UNKNOWN: u64 = u64::MAX;

/// Stands for a transit that has not been measured.
const UNKNOWN_TRANSIT: i64 = i64::MIN;

/// Beyond this, what gives a skew is not to be believed.
pub(crate) const MAX_SKEW_US: i64 = 2_000_000;

/// The gauges of one transport.
#[derive(Debug)]
pub(crate) struct Path {
    round_trip_us: AtomicU64,
    expected_audio_loss: AtomicU8,
    audio_transit_us: AtomicI64,
    video_transit_us: AtomicI64,
    audio_delay_us: AtomicU64,
    audio_concealed: AtomicU64,
    audio_recovered: AtomicU64,
    audio_nack: AtomicBool,
    /// Bitrate in kb/s in the upper half, packet time in ms in the lower; 0 before the first.
    audio_rung: AtomicU64,
    /// What the participant reports about the audio it gets.
    pub(crate) audio: Reported,
    /// What the participant reports about the video it gets.
    pub(crate) video: Reported,
    /// What became of requests for packets of ours.
    pub(crate) resends: Resends,
    requested: AtomicU64,
    downlink_bps: AtomicU64,
    lasting_downlink_bps: AtomicU64,
    useful_downlink_bps: AtomicU64,
    next_downlink_bps: AtomicU64,
    acknowledged_bps: AtomicU64,
    queueing_delay_us: AtomicU64,
    downlink_loss: AtomicU8,
    padding_bytes: AtomicU64,
    uplink_worth_bps: AtomicU64,
}

/// What the participant's downlink carries, as far as is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Downlink {
    /// How much may leave, with all headers down to IP.
    pub(crate) bits_per_second: u64,
    /// How much may again, once the queue has been drained.
    pub(crate) lasting_bps: u64,
    /// How much has arrived lately; 0 while unknown.
    pub(crate) acknowledged_bps: u64,
    /// What stands in the queue before the narrow place.
    pub(crate) queueing_delay: Duration,
    /// Packets lost in the last second, in 256ths.
    pub(crate) fraction_lost: u8,
}

/// The last report about one of our streams.
#[derive(Debug, Default)]
pub(crate) struct Reported {
    reports: AtomicU64,
    fraction_lost: AtomicU8,
    jitter_us: AtomicU64,
}

/// What became of requests for packets of ours, in packets.
#[derive(Debug, Default)]
pub(crate) struct Resends {
    /// Resent.
    pub(crate) answered: AtomicU64,
    /// Not resent: that was done less than a round trip before.
    pub(crate) refused_recent: AtomicU64,
    /// Not resent: resends had used up their share of the rate.
    pub(crate) refused_share: AtomicU64,
    /// Not resent: never sent, or too long ago.
    pub(crate) unknown: AtomicU64,
}

/// The gauges at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PathSnapshot {
    /// Smoothed; `None` until a report let it be measured.
    pub(crate) round_trip: Option<Duration>,
    /// What the audio encoder is to expect.
    pub(crate) expected_audio_loss_percent: u8,
    /// What audio takes longer to get here than video, in microseconds.
    pub(crate) skew_us: Option<i64>,
    /// How long the participant's audio waits here.
    pub(crate) audio_delay: Duration,
    /// Samples of the participant's audio synthesized here in place of what did not come.
    pub(crate) audio_concealed: u64,
    /// Samples of it taken from the copy in the packet after a lost one.
    pub(crate) audio_recovered: u64,
    /// How the participant's audio is to be encoded: kb/s, and ms per packet.
    pub(crate) audio_rung: Option<AudioRung>,
    /// The last report about our audio.
    pub(crate) audio: ReportedSnapshot,
    /// The last report about our video.
    pub(crate) video: ReportedSnapshot,
    /// Packets of ours that were resent.
    pub(crate) resent: u64,
    /// Not resent: that was done less than a round trip before.
    pub(crate) refused_recent: u64,
    /// Not resent: resends had used up their share of the rate.
    pub(crate) refused_share: u64,
    /// Not resent: never sent, or too long ago.
    pub(crate) unknown: u64,
    /// Requests of ours for packets of the participant's, each counted as often as it was made.
    pub(crate) requested: u64,
    /// `None` until the participant said anything about what it gets.
    pub(crate) downlink: Option<Downlink>,
    /// What was sent to probe the downlink, in bytes.
    pub(crate) padding_bytes: u64,
}

/// The last report about one stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ReportedSnapshot {
    /// How many there were.
    pub(crate) reports: u64,
    /// Packets lost between the last two, in 256ths.
    pub(crate) fraction_lost: u8,
    /// Interarrival jitter (RFC 3550 §6.4.1).
    pub(crate) jitter: Duration,
}

impl Default for Path {
    fn default() -> Self {
        Self {
            round_trip_us: AtomicU64::new(UNKNOWN),
            expected_audio_loss: AtomicU8::new(0),
            audio_transit_us: AtomicI64::new(UNKNOWN_TRANSIT),
            video_transit_us: AtomicI64::new(UNKNOWN_TRANSIT),
            audio_delay_us: AtomicU64::new(0),
            audio_concealed: AtomicU64::new(0),
            audio_recovered: AtomicU64::new(0),
            audio_nack: AtomicBool::new(false),
            audio_rung: AtomicU64::new(0),
            audio: Reported::default(),
            video: Reported::default(),
            resends: Resends::default(),
            requested: AtomicU64::new(0),
            downlink_bps: AtomicU64::new(UNKNOWN),
            lasting_downlink_bps: AtomicU64::new(UNKNOWN),
            useful_downlink_bps: AtomicU64::new(UNKNOWN),
            next_downlink_bps: AtomicU64::new(UNKNOWN),
            acknowledged_bps: AtomicU64::new(0),
            queueing_delay_us: AtomicU64::new(0),
            downlink_loss: AtomicU8::new(0),
            padding_bytes: AtomicU64::new(0),
            uplink_worth_bps: AtomicU64::new(UNKNOWN),
        }
    }
}

impl Path {
    /// The smoothed round trip; `None` until a report let it be measured.
    pub(crate) fn round_trip(&self) -> Option<Duration> {
        let micros = self.round_trip_us.load(Ordering::Relaxed);
        (micros != UNKNOWN).then(|| Duration::from_micros(micros))
    }

    /// Sets the round trip.
    pub(crate) fn set_round_trip(&self, round_trip: Duration) {
        let micros = u64::try_from(round_trip.as_micros()).unwrap_or(UNKNOWN - 1);
        self.round_trip_us.store(micros, Ordering::Relaxed);
    }

    /// The round trip if the participant resends audio when it is asked to; `None` if not, or
    /// while it is unknown.
    pub(crate) fn audio_round_trip(&self) -> Option<Duration> {
        let resends = self.audio_nack.load(Ordering::Relaxed);
        self.round_trip().filter(|_| resends)
    }

    /// Says whether the participant resends audio.
    pub(crate) fn set_audio_nack(&self, resends: bool) {
        self.audio_nack.store(resends, Ordering::Relaxed);
    }

    /// The loss that the audio encoder is to expect, in percent.
    pub(crate) fn expected_audio_loss(&self) -> u8 {
        self.expected_audio_loss.load(Ordering::Relaxed)
    }

    /// Sets it.
    pub(crate) fn set_expected_audio_loss(&self, percent: u8) {
        self.expected_audio_loss.store(percent, Ordering::Relaxed);
    }

    /// By how many microseconds the participant's audio takes longer to get here than the video
    /// captured with it; negative if video does. `None` while unknown, or if they are seconds apart.
    pub(crate) fn skew_us(&self) -> Option<i64> {
        let known = |transit: &AtomicI64| {
            let us = transit.load(Ordering::Relaxed);
            (us != UNKNOWN_TRANSIT).then_some(us)
        };
        let skew = known(&self.audio_transit_us)?.checked_sub(known(&self.video_transit_us)?)?;
        (-MAX_SKEW_US..=MAX_SKEW_US).contains(&skew).then_some(skew)
    }

    /// Sets how long audio and video take to get here, by a clock that is the same for both, in
    /// microseconds; what is `None` stays as it was.
    pub(crate) fn set_transits_us(&self, audio: Option<i64>, video: Option<i64>) {
        let gauges = [&self.audio_transit_us, &self.video_transit_us];
        for (gauge, us) in gauges.into_iter().zip([audio, video]) {
            if let Some(us) = us {
                gauge.store(us, Ordering::Relaxed);
            }
        }
    }

    /// How long the participant's audio waits here before it is mixed.
    pub(crate) fn audio_delay(&self) -> Duration {
        Duration::from_micros(self.audio_delay_us.load(Ordering::Relaxed))
    }

    /// Sets it.
    pub(crate) fn set_audio_delay(&self, delay: Duration) {
        let micros = u64::try_from(delay.as_micros()).unwrap_or(u64::MAX);
        self.audio_delay_us.store(micros, Ordering::Relaxed);
    }

    /// Notes how much of the participant's audio was concealed here so far and how much recovered,
    /// in samples per channel.
    pub(crate) fn set_audio_mended(&self, concealed: u64, recovered: u64) {
        self.audio_concealed.store(concealed, Ordering::Relaxed);
        self.audio_recovered.store(recovered, Ordering::Relaxed);
    }

    /// How audio for the participant is to be encoded, whatever it loses. `None` until that was
    /// decided.
    pub(crate) fn audio_rung(&self) -> Option<AudioRung> {
        let both = self.audio_rung.load(Ordering::Relaxed);
        let half = |bits: u64| u32::try_from(bits & u64::from(u32::MAX)).unwrap_or_default();
        AudioRung::new(half(both >> 32), PacketTime::of_ms(half(both))?).ok()
    }

    /// Sets it.
    pub(crate) fn set_audio_rung(&self, rung: AudioRung) {
        let both = u64::from(rung.bitrate_kbps()) << 32 | u64::from(rung.packet_time().ms());
        self.audio_rung.store(both, Ordering::Relaxed);
    }

    /// Counts packets of the participant's that we have asked for again.
    pub(crate) fn count_requested(&self, packets: usize) {
        let packets = u64::try_from(packets).unwrap_or_default();
        self.requested.fetch_add(packets, Ordering::Relaxed);
    }

    /// How much may be sent to the participant, in bits per second, with all headers down to IP and
    /// everything that is not RTCP: audio, video, resends, padding. `None` until the participant
    /// said anything about what it gets.
    pub(crate) fn downlink_bps(&self) -> Option<u64> {
        let rate = self.downlink_bps.load(Ordering::Relaxed);
        (rate != UNKNOWN).then_some(rate)
    }

    /// Sets it.
    pub(crate) fn set_downlink_bps(&self, bits_per_second: u64) {
        let rate = bits_per_second.min(UNKNOWN - 1);
        self.downlink_bps.store(rate, Ordering::Relaxed);
    }

    /// Sets all that is known of the downlink.
    pub(crate) fn set_downlink(&self, downlink: &Downlink) {
        let delay = u64::try_from(downlink.queueing_delay.as_micros()).unwrap_or(u64::MAX);
        self.acknowledged_bps
            .store(downlink.acknowledged_bps, Ordering::Relaxed);
        self.queueing_delay_us.store(delay, Ordering::Relaxed);
        self.downlink_loss
            .store(downlink.fraction_lost, Ordering::Relaxed);
        self.lasting_downlink_bps
            .store(downlink.lasting_bps, Ordering::Relaxed);
        self.set_downlink_bps(downlink.bits_per_second);
    }

    /// What the downlink will carry again once a queue has been drained; `None` while unknown.
    pub(crate) fn lasting_downlink_bps(&self) -> Option<u64> {
        let rate = self.lasting_downlink_bps.load(Ordering::Relaxed);
        (rate != UNKNOWN).then_some(rate)
    }

    /// Up to which rate it is of use to know what the downlink carries; `None` if nobody said.
    pub(crate) fn useful_downlink_bps(&self) -> Option<u64> {
        let rate = self.useful_downlink_bps.load(Ordering::Relaxed);
        (rate != UNKNOWN).then_some(rate)
    }

    /// Sets it: no padding is sent to find out about more.
    pub(crate) fn set_useful_downlink_bps(&self, bits_per_second: u64) {
        let rate = bits_per_second.min(UNKNOWN - 1);
        self.useful_downlink_bps.store(rate, Ordering::Relaxed);
    }

    /// With which downlink more would be sent than now; `None` if with none.
    pub(crate) fn next_downlink_bps(&self) -> Option<u64> {
        let rate = self.next_downlink_bps.load(Ordering::Relaxed);
        (rate != UNKNOWN).then_some(rate)
    }

    /// Sets it.
    pub(crate) fn set_next_downlink_bps(&self, bits_per_second: Option<u64>) {
        let rate = bits_per_second.unwrap_or(UNKNOWN);
        self.next_downlink_bps.store(rate, Ordering::Relaxed);
    }

    /// The larger of the shares lost that were last reported of our streams, in 256ths.
    pub(crate) fn fraction_lost(&self) -> u8 {
        let [audio, video] = [&self.audio, &self.video].map(|reported| reported.fraction_lost());
        audio.max(video)
    }

    /// Counts what was sent to probe the downlink.
    pub(crate) fn count_padding(&self, bytes: u64) {
        self.padding_bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// What is worth sending for the participant, all of it, in bits per second. `None` until that
    /// was decided.
    pub(crate) fn uplink_worth_bps(&self) -> Option<u64> {
        let rate = self.uplink_worth_bps.load(Ordering::Relaxed);
        (rate != UNKNOWN).then_some(rate)
    }

    /// Sets it.
    pub(crate) fn set_uplink_worth_bps(&self, bits_per_second: u64) {
        let rate = bits_per_second.min(UNKNOWN - 1);
        self.uplink_worth_bps.store(rate, Ordering::Relaxed);
    }

    fn downlink(&self) -> Option<Downlink> {
        let queueing_delay_us = self.queueing_delay_us.load(Ordering::Relaxed);
        Some(Downlink {
            bits_per_second: self.downlink_bps()?,
            lasting_bps: self.lasting_downlink_bps().unwrap_or_default(),
            acknowledged_bps: self.acknowledged_bps.load(Ordering::Relaxed),
            queueing_delay: Duration::from_micros(queueing_delay_us),
            fraction_lost: self.downlink_loss.load(Ordering::Relaxed),
        })
    }

    /// All of it, as it is now.
    pub(crate) fn snapshot(&self) -> PathSnapshot {
        let Resends {
            answered,
            refused_recent,
            refused_share,
            unknown,
        } = &self.resends;
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        PathSnapshot {
            round_trip: self.round_trip(),
            expected_audio_loss_percent: self.expected_audio_loss(),
            skew_us: self.skew_us(),
            audio_delay: self.audio_delay(),
            audio_concealed: load(&self.audio_concealed),
            audio_recovered: load(&self.audio_recovered),
            audio_rung: self.audio_rung(),
            audio: self.audio.snapshot(),
            video: self.video.snapshot(),
            resent: load(answered),
            refused_recent: load(refused_recent),
            refused_share: load(refused_share),
            unknown: load(unknown),
            requested: load(&self.requested),
            downlink: self.downlink(),
            padding_bytes: load(&self.padding_bytes),
        }
    }
}

impl Reported {
    /// Takes a report over.
    pub(crate) fn set(&self, fraction_lost: u8, jitter: Duration) {
        let jitter_us = u64::try_from(jitter.as_micros()).unwrap_or(u64::MAX);
        self.fraction_lost.store(fraction_lost, Ordering::Relaxed);
        self.jitter_us.store(jitter_us, Ordering::Relaxed);
        self.reports.fetch_add(1, Ordering::Relaxed);
    }

    fn fraction_lost(&self) -> u8 {
        self.fraction_lost.load(Ordering::Relaxed)
    }

    fn snapshot(&self) -> ReportedSnapshot {
        ReportedSnapshot {
            reports: self.reports.load(Ordering::Relaxed),
            fraction_lost: self.fraction_lost(),
            jitter: Duration::from_micros(self.jitter_us.load(Ordering::Relaxed)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip_is_unknown_until_it_is_set() {
        let path = Path::default();
        assert_eq!(path.round_trip(), None);

        path.set_round_trip(Duration::from_millis(80));

        assert_eq!(path.round_trip(), Some(Duration::from_millis(80)));
    }

    #[test]
    fn downlink_and_audio_rung_are_unknown_until_they_are_set() {
        let path = Path::default();
        assert_eq!((path.downlink_bps(), path.audio_rung()), (None, None));

        path.set_downlink_bps(100_000);
        path.set_useful_downlink_bps(1_800_000);
        let rung = AudioRung::new(16, PacketTime::Ms60).unwrap();
        path.set_audio_rung(rung);

        let known = (path.downlink_bps(), path.audio_rung());
        assert_eq!(known, (Some(100_000), Some(rung)));
        assert_eq!(path.useful_downlink_bps(), Some(1_800_000));
        assert_eq!(path.next_downlink_bps(), None);
        path.set_next_downlink_bps(Some(805_000));
        assert_eq!(path.next_downlink_bps(), Some(805_000));
    }

    #[test]
    fn a_report_replaces_the_one_before_and_is_counted() {
        let reported = Reported::default();

        reported.set(26, Duration::from_millis(3));
        reported.set(13, Duration::from_millis(5));

        let expected = ReportedSnapshot {
            reports: 2,
            fraction_lost: 13,
            jitter: Duration::from_millis(5),
        };
        assert_eq!(reported.snapshot(), expected);
    }
}
