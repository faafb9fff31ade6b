//! Estimates what a participant's downlink carries.
//!
//! Told what left and what came of it, packet by packet, [`Estimator`] says how much may leave:
//! a rate for everything that carries a transport-wide number, with all headers down to IP. What
//! carries none (RTCP, STUN, and the traffic of others) takes from the path like any other traffic
//! does, and so is left out of the rate already.
//!
//! # The filter
//!
//! 1. Feedback joins each packet's departure with its arrival ([`PacketReport`]).
//! 2. [`delay`] measures the queueing delay: what stands in the queue, jitter and the bursts of
//!    single frames left out. [`trend`] says whether it grows, sooner than its length does.
//! 3. [`received`] measures the acknowledged rate, which is the capacity while a queue stands.
//! 4. [`loss`] tells loss by congestion from the loss that a radio always has.
//! 5. [`control`] makes a rate of these: multiplicative growth far from the last limit, slow growth
//!    near it, a cut below the capacity that lasts until the queue is empty, and a share to keep
//!    beside traffic that never lets it be empty.
//! 6. [`probe`] finds out about more than is being sent, by sending padding for a moment. Where there
//!    is nothing to pad with, the rate grows to what the next rung needs, and that is the probe.
//!
//! A path that was gone for seconds goes on with half of what it carried, and what was lost meanwhile
//! is not held against it.
//!
//! Where no such feedback comes, the participant's own estimate is followed: [`remb`].
//!
//! # The constants
//!
//! Each stands in its module with its source: the GCC draft (draft-ietf-rmcat-gcc-02), what followed
//! it, or the simulations in `tests`, which print what they measure (`make bench-estimator`). Those
//! of this module: the rate begins at [`FIRST`], since 300 kb/s lost a quarter of the first second
//! on a link of 100, and stays from [`LOWEST`], which holds narrow audio in long packets, to
//! [`HIGHEST`].
//!
//! What has no other source was chosen in the simulations, and then halved and doubled, or moved as far
//! as it makes sense, one at a time, over the links from 40 kb/s to 5 Mb/s, the steps, jitter, random loss,
//! interruptions, a TCP and two streams of ours. As they are: 97 % used and 163 ms (the worst p95) up to
//! 100 kb/s, 95 % and 71 ms at 200 and 300, 90 % and 53 ms at 1 and 5 Mb/s; 80 % of 1 Mb/s after 4.3 s;
//! down in 0.7 s, up again in 5.6 at most; the later of two streams has 29 %, packets waiting for 90 ms.
//! Otherwise:
//!
//! | | instead of | |
//! |---|---|---|
//! | far growth 10 and 40 % | 20 % | 1 Mb/s after 5.6 s, 87 ms at 5; a queue of 20 ms loses 11 instead of 6 % |
//! | near growth 350 and 1,400 | 700 | 181 ms on thin links; 95 ms at 300 kb/s, 80 instead of 90 % used at ±20 ms |
//! | least growth 0.1 and 0.6 | 0.3 | 38 and 21 instead of 71 % used at ±50 ms |
//! | near from 0.7 to 1.3 | 0.85 to 1.15 | 1 Mb/s after 13.5 s, up again in 18.6 |
//! | near from 0.95 to 1.05 | | 184 ms on thin links, 77 on wide |
//! | resume at 0.85 and 1.0 | 0.9 | 25 instead of 71 % at ±50 ms; 204 ms on thin links, 69 on wide |
//! | resume at 0.93 | | 182 ms on thin links, 75 on wide, up again in 6.7 s |
//! | undone 0.9 and 1.0 | 0.97 | 86 instead of 90 % at ±20 ms; gone for 3 s, 80 % after 3.4 s instead of 1.2 |
//! | further cuts to 0.5 and 0.85 | 0.7 | 184 ms on thin links; behind a TCP 14 instead of 18 % at least |
//! | a drain of 150 and 600 ms at least | 300 ms | nothing; 53 instead of 71 % at ±50 ms |
//! | noise learnt by 5 and 40 ms | 15 ms | 71 instead of 90 % at ±20 ms, 19 instead of 71 at ±50; 186 ms on thin links |
//! | the longest noise 50 and 200 ms | 100 ms | nothing; 22 instead of 32 % beside a TCP that comes later |
//! | noise fading by 1 and 8 ms/s | 2 ms/s | 116 ms at 200 kb/s; 72 instead of 90 % at ±20 ms |
//! | empty below 5 and 20 ms | 10 ms | gone for 3 s, 80 % after 2.0 s instead of 1.2; 117 ms at 200 kb/s |
//! | standing above 15 and 50 ms | 25 ms | 175 and 180 ms on thin links, 107 at 300 kb/s |
//! | rising above 6 and 24 ms | 12 ms | 87 ms at 300 kb/s; 105 at 200, and the later stream has 23 % |
//! | coming at less than 0.75 and 0.92 | 0.85 | 76 ms at 300 kb/s; nothing |
//! | behind by 25 and 100 ms | 50 ms | 64 instead of 71 % at ±50 ms; 76 ms at 300 kb/s |
//! | drained in 0.25 and 1 s | 0.5 s | behind a TCP 12 instead of 18 % at least; 234 ms on thin links |
//! | the shallowest cut 0.8 and 0.97 | 0.9 | gone for 3 s, 80 % after 2.3 s instead of 1.2; 98 ms at 200 kb/s |
//! | recent 120 and 500 ms | 250 ms | 78 instead of 90 % at ±20 ms; 188 ms on thin links |
//! | newest 40 and 160 ms | 80 ms | 47 instead of 71 % at ±50 ms; 208 ms on thin links, up again in 6.6 s |
//! | queued for 6 and 24 ms | 12 ms | down in 0.84 s; 99 ms at 300 kb/s, 21 instead of 71 % at ±50 ms |
//! | passed over 60 and 240 ms | 120 ms | gone for 3 s, 80 % after 1.9 s instead of 1.2; 99 ms at 300 kb/s |
//! | even within 20 and 80 ms | 40 ms | 76 instead of 90 % at ±20 ms; 53 instead of 71 % at ±50 ms |
//! | stood for 200 and 800 ms | 400 ms | nothing |
//! | rates over 200 and 800 ms | 400 ms | 40 instead of 71 % at ±50 ms; down in 1.14 s |
//! | probes again after 2 and 8 s | 4 s | 264 ms on thin links, 115 at 200 kb/s; up again in 7.1 s |
//! | a probe's aftermath of 50 and 900 ms | 300 ms | gone for 3 s, 80 % after 2.1 s and 2.3 instead of 1.2 |
//! | loss over 0.5 and 2 s | 1 s | 64 instead of 71 % at 20 % of loss; 190 ms on thin links, 104 for two streams |
//! | loss of 25 and 100 packets | 50 | gone for 3 s, 80 % after 4.4 s instead of 1.2; 213 ms on thin links |
//! | used from 0.5 and 0.9 | 0.7 | nothing; 29 instead of 71 % at ±50 ms |
//! | packets of 1,000 and 4,000 bits | 2,000 | 178 ms on thin links; 173, and 24 instead of 71 % at ±50 ms |
//! | 1.0 and 1.05 of a known limit | 1.02 | nothing; 186 ms on thin links |
//! | the peak for 2 and 10 s | 5 s | 64 instead of 71 % at 20 % of loss; nothing |
//! | the base of 10 and 60 s | 30 s | 23 instead of 32 % beside a TCP; 60 instead of 71 % at ±50 ms |
//! | as fast as 0.8 and 0.97 | 0.9 | nothing; a sender with room to spare keeps 749 instead of 1,810 kb/s |
//! | filled from 1.05 and 1.3 | 1.15 | gone for 3 s, 80 % after 2.2 s instead of 1.2; 19 instead of 71 % at ±50 ms |
//! | competing cuts to 0.7 and 0.92 | 0.85 | behind a TCP 13 instead of 18 %; a later TCP has 47 instead of 57 % |
//! | a fair share of 0.25 and 1.0 | 0.5 | behind a TCP 8 instead of 18 %; a later TCP has 21 instead of 57 % |
//!
//! What is used at ±50 ms is a single run at 1 Mb/s, which learns the jitter or does not: a fifth or four
//! fifths, so a row that has nothing else says little. Exponential jitter has no row, since packets wait for
//! 180 ms there as they are, and for 180 to 250 with most others. Small differences elsewhere are chance,
//! too. What comes at less and is behind is for a link that halves in a call, where the ladder probes (see
//! below); in these it changes little.
//!
//! Twice and half as much changes nothing worth a row for the deepest cut, the brief queue of thin links and
//! what is believed of it, and how far the rate goes beyond what is acknowledged: their bounds are what
//! their comments reason.
//!
//! # Measured
//!
//! In the simulations of `tests`: 40 ms each way, a queue of 300 ms, 2 % of loss, three seeds each.
//!
//! | | used | waits, p95 |
//! |---|---|---|
//! | 40, 64, 100 kb/s | 95 to 98 % | 127 to 163 ms, a packet of 500 bytes taking 40 to 100 |
//! | 200, 300 kb/s | 94 to 96 % | 45 to 71 ms |
//! | 1, 5 Mb/s | 86 to 94 % | 1 to 53 ms |
//! | clocks 200 ppm apart, half an hour | 94 to 95 % | 49 to 62 ms |
//! | 20 % of random loss | 71 to 86 % | |
//! | ±20 ms, ±50 ms of jitter | 90 to 94 %, 71 to 90 % | |
//! | 30 ms of exponential jitter, 1 Mb/s | | 175 to 180 ms |
//! | gone for 3 s, of 100 kb/s to 1.2 Mb/s | 80 % after 0.3 to 1.2 s | |
//! | stalling for 100 ms every 3 s, 100 kb/s to 1 Mb/s | 54 to 87 % | 63 to 147 ms |
//! | stalling for 250 ms every 3 s | 41 to 59 % | 199 to 253 ms, half of the packets 14 at most |
//! | beside a TCP that comes later, and gets the rest | 32 to 43 % | |
//! | beside a TCP that was there first, after 2 minutes | 18 to 53 % | |
//! | two of ours | 29 to 43 % and the rest | 38 to 90 ms |
//! | by REMB: 100, 400, 1,200 kb/s | 83 to 92 % | 58 to 79 ms |
//!
//! 80 % of 1 Mb/s is found in 3 to 4 s, of 5 Mb/s in 4 to 5; by REMB, which grows by eight percent a second,
//! 1.2 Mb/s in 28. A link that halves, or narrows to a tenth, is followed down in 0.3 to 0.7 s and, when it
//! widens again, up to 80 % in 1.6 to 5.6 s; by REMB a link that narrows to a fifth in 1.2 to 2 s, and up
//! again in 18 to 22. In the whole call (`thin.rs`, 40 times each), in which the ladder looks ten times a
//! second, the rung is a lower one 0.5 to 0.7 s after a link of 200 or 400 kb/s has halved, and 0.6 to 0.9 s
//! after one of 1.2 Mb/s has.
//!
//! Known limits: a stream that finds the queue full when it begins may keep as little as 13 % of 3 Mb/s
//! beside a TCP for the first two minutes, and no more than 60 kb/s where the TCP's waves are too short to
//! be seen, as with 150 ms of queue. A radio that stalls for 100 ms now and then has a queue each time, and
//! is given little more than half of 1 Mb/s. Jitter of ±50 ms and more that keeps the order of packets looks
//! like a queue: one that sends 360 kb/s over 2 Mb/s keeps an estimate of 1,810, 379 and 209 kb/s at ±20,
//! ±50 and ±100 ms.
//!
//! # Contract
//!
//! No clock, no packets, no network: time is an argument, counted from any moment, and arrivals are
//! counted from any other. Same calls, same rates. Everything is constant in size or bounded in the
//! module that keeps it; hostile reports can make the rate wrong, nothing else.

mod control;
mod delay;
mod loss;
mod probe;
mod received;
mod remb;
mod report;
#[cfg(test)]
mod tests;
mod trend;

use std::time::Duration;

use control::{Control, Signs, Step};
use delay::QueueingDelay;
use loss::Loss;
use probe::{Finding, Prober};
use received::Received;
use remb::Remb;
use trend::{Trend, Trendline};

pub(super) use control::State;
pub(super) use probe::Probe;
#[cfg(test)]
pub(super) use report::joined;
pub(super) use report::{Estimate, Fate, Numbered, PacketReport};

/// The rate at first, bit/s.
const FIRST: f64 = 120_000.0;

/// The lowest rate: Opus at 12 kb/s in packets of 60 ms, with their headers, and as much for RTCP.
const LOWEST: f64 = 24_000.0;

/// The highest rate: 1080p at 4 Mb/s, and to know of as much again.
const HIGHEST: f64 = 8_000_000.0;

/// Nothing to find out above this, unless told otherwise: twice a usual 720p picture.
const USEFUL: f64 = 3_000_000.0;

/// Where nothing is there to probe with, the rate grows to this much of what the next rung needs: it is
/// reached, not only approached.
const BEYOND_NEXT: f64 = 1.05;

/// Rates are measured over this: four reports, and six packets at 64 kb/s.
const RATE_WINDOW: Duration = Duration::from_millis(400);

/// A packet that waited longer than this stood in the queue, and what such packets came at is believed
/// when they took that long to come: two reports, about.
const QUEUED: Duration = Duration::from_millis(12);
const PASSED_OVER: Duration = Duration::from_millis(120);

/// But not where delays differ by more: jitter that keeps the order of packets has them come at once.
const EVEN: Duration = Duration::from_millis(40);

/// The highest acknowledged rate is forgotten over this time: three stills, of which the last
/// [`RATE_WINDOW`] saw one or none.
const PEAK_MEMORY: Duration = Duration::from_secs(5);

/// Without a word for this long, though packets leave, the rate comes down by [`DECAY`] every
/// [`SILENCE_STEP`], as for 40 % of loss (§6). Before that, which is four of the rarest reports, it just
/// does not grow: growing takes feedback.
const SILENCE: Duration = Duration::from_millis(1_000);
const SILENCE_STEP: Duration = Duration::from_millis(500);
const DECAY: f64 = 0.8;

/// But no lower than this, bit/s: when the path comes back, there is something to begin with.
const SILENT: f64 = 60_000.0;

/// A path that was gone for no longer than this is most likely the same when it is back, and goes on
/// with this share of what it carried: half of what is right is found anew within a second.
const SAME_PATH: Duration = Duration::from_secs(10);
const RESUMED: f64 = 0.5;

/// Arrivals that are farther off than this from what they should be are of a clock that was set: no queue
/// is so long.
const CLOCK_JUMP: Duration = Duration::from_secs(10);

/// Without feedback per packet for this long, a dozen of the rarest reports, REMB is followed.
const REMB_AFTER: Duration = Duration::from_secs(3);

/// REMB comes once a second; without any for this long, as two in a row may be lost, the rate comes down.
const REMB_SILENCE: Duration = Duration::from_secs(4);

/// Estimates one path.
#[derive(Debug)]
pub(super) struct Estimator {
    delay: QueueingDelay,
    trend: Trendline,
    received: Received,
    loss: Loss,
    control: Control,
    prober: Prober,
    peak: f64,
    arrived_bits: f64,
    useful: f64,
    next: f64,
    response: Duration,
    last_feedback: Option<Duration>,
    /// Departure and arrival of the last packet reported.
    last_report: Option<(Duration, Duration)>,
    /// The first packet that left after the last feedback.
    unanswered_since: Option<Duration>,
    silence: Option<Silence>,
    remb: Remb,
}

/// Nothing is heard of what leaves.
#[derive(Clone, Copy, Debug)]
struct Silence {
    /// When the first packet left of which nothing was heard.
    since: Duration,
    /// The rate then.
    rate: f64,
    decayed_at: Duration,
}

impl Default for Estimator {
    fn default() -> Self {
        Self {
            delay: QueueingDelay::default(),
            trend: Trendline::default(),
            received: Received::default(),
            loss: Loss::default(),
            control: Control::new(FIRST, (LOWEST, HIGHEST)),
            prober: Prober::default(),
            peak: 0.0,
            arrived_bits: 0.0,
            useful: USEFUL,
            next: 0.0,
            response: Duration::from_millis(200),
            last_feedback: None,
            last_report: None,
            unanswered_since: None,
            silence: None,
            remb: Remb::default(),
        }
    }
}

impl Estimator {
    /// A packet leaves at `now` that takes so many bytes of the path.
    pub(super) fn sent(&mut self, now: Duration, bytes: usize, numbered: Numbered) {
        self.remb.left(bits(bytes));
        // Of a packet without a number no feedback will tell.
        if numbered == Numbered::Yes || self.last_feedback.is_none() {
            self.unanswered_since.get_or_insert(now);
        }
    }

    /// What became of packets, in the order of their departure; known at `now`.
    pub(super) fn feedback(&mut self, now: Duration, reports: &[PacketReport]) {
        let arrived = |report: &PacketReport| report.fate.arrival().is_some();
        if self.silence.is_some() {
            let Some(first) = reports.iter().position(arrived) else {
                return;
            };
            // What left while there was no path is not what a full one drops.
            return self.resume(now, &reports[first..]);
        }
        for report in reports {
            self.take_in(report);
        }
        let Some(latest) = reports.iter().rfind(|report| arrived(report)) else {
            return;
        };
        let response = now.saturating_sub(latest.departure);
        self.response = (self.response * 7 + response.min(Duration::from_secs(2))) / 8;
        let elapsed = self
            .last_feedback
            .map_or(Duration::ZERO, |last| now.saturating_sub(last));
        self.last_feedback = Some(now);
        self.unanswered_since = None;
        self.loss.relax(elapsed);
        self.decide(now, elapsed, latest.departure);
        self.learn(now, latest.departure);
    }

    /// The path is back: `reports` begin with the first packet that arrived over it.
    fn resume(&mut self, now: Duration, reports: &[PacketReport]) {
        if let Some(silence) = self.silence.take()
            && now.saturating_sub(silence.since) <= SAME_PATH
        {
            self.control.resume(silence.rate * RESUMED);
        }
        self.loss.forget();
        self.received = Received::default();
        self.prober.abandon();
        self.feedback(now, reports);
    }

    /// What the participant itself takes its downlink for (draft-alvestrand-rmcat-remb-03), in
    /// bit/s, and the loss it last reported, in 256ths.
    ///
    /// Followed while there is no feedback per packet: see [`remb`].
    pub(super) fn remb(&mut self, now: Duration, bits_per_second: u64, fraction_lost: u8) {
        let rate = self.control.rate();
        let followed = self
            .remb
            .hear(now, to_f64(bits_per_second), fraction_lost, rate);
        if self.has_feedback(now) {
            return;
        }
        self.unanswered_since = None;
        self.silence = None;
        self.control.follow(followed);
    }

    fn has_feedback(&self, now: Duration) -> bool {
        self.last_feedback
            .is_some_and(|last| now.saturating_sub(last) < REMB_AFTER)
    }

    /// When [`Self::poll`] is to be called; `None` while nothing is being waited for.
    pub(super) fn next_poll(&self) -> Option<Duration> {
        let silence = match (self.last_feedback, self.remb.last()) {
            (None, None) => return None,
            (Some(feedback), Some(remb)) if remb > feedback + REMB_AFTER => REMB_SILENCE,
            (Some(_), _) => SILENCE + self.response,
            (None, Some(_)) => REMB_SILENCE,
        };
        let since = self.unanswered_since?;
        Some(
            self.silence
                .map_or(since + silence, |it| it.decayed_at + SILENCE_STEP),
        )
    }

    /// Time passes. Does nothing before [`Self::next_poll`].
    pub(super) fn poll(&mut self, now: Duration) {
        let due = self.next_poll().is_some_and(|at| at <= now);
        let Some(since) = self.unanswered_since.filter(|_| due) else {
            return;
        };
        let rate = self.control.rate();
        if self.last_feedback.is_none() && self.remb.little_left(now, rate) {
            // Whoever gets no video has no reason to say anything of it.
            self.unanswered_since = Some(now);
            return;
        }
        let silence = self.silence.get_or_insert(Silence {
            since,
            rate,
            decayed_at: now,
        });
        silence.decayed_at = now;
        self.control.decay(DECAY, SILENT);
    }

    /// A probe, if one is due now; then send so. Asks at most as often as feedback comes.
    pub(super) fn probe(&mut self, now: Duration) -> Option<Probe> {
        let rate = self.control.rate();
        let heard = self
            .last_feedback
            .is_some_and(|last| now.saturating_sub(last) < SILENCE);
        let calm =
            self.control.state() == State::Growing && self.loss.excess() < 0.02 && self.peak > 0.0;
        if !heard || !calm || rate >= self.useful {
            return None;
        }
        self.prober.begin(now, rate)
    }

    /// What it would be useful to know about, in bit/s: no probe goes beyond `most`. With `next` more
    /// would be sent, if there is such a rate.
    pub(super) fn set_useful(&mut self, most: u64, next: Option<u64>) {
        self.useful = to_f64(most).clamp(LOWEST, HIGHEST);
        self.next = next.map_or(0.0, to_f64).min(self.useful);
    }

    /// The estimate now.
    pub(super) fn estimate(&self) -> Estimate {
        let acknowledged = self
            .received
            .rates(RATE_WINDOW)
            .map(|rates| rates.acknowledged);
        Estimate {
            bits_per_second: whole(self.control.rate()),
            lasting: whole(self.control.lasting()),
            state: self.control.state(),
            queueing_delay: self.delay.standing(),
            loss: u8::try_from(whole(self.loss.share() * 256.0)).unwrap_or(u8::MAX),
            acknowledged: acknowledged.map(whole),
        }
    }

    fn take_in(&mut self, report: &PacketReport) {
        let bits = bits(report.bytes);
        self.received.push(report.departure, report.fate, bits);
        let arrival = match report.fate {
            Fate::Arrived(at) => at,
            Fate::Lost => return self.loss.count(report.departure, 1),
            Fate::Unheard => return,
        };
        self.arrived_bits += bits;
        if self.clock_was_set(report.departure, arrival) {
            self.delay = QueueingDelay::default();
            self.trend = Trendline::default();
            self.received = Received::default();
            self.received.push(report.departure, report.fate, bits);
        }
        self.last_report = Some((report.departure, arrival));
        self.loss.count(report.departure, 0);
        self.trend.arrived(report.departure, arrival);
        let times = (report.departure, arrival);
        self.delay
            .arrived(times, report.bytes, self.control.limit());
    }

    fn clock_was_set(&self, departure: Duration, arrival: Duration) -> bool {
        self.last_report
            .is_some_and(|(last_departure, last_arrival)| {
                let sent = departure.abs_diff(last_departure);
                let came = arrival.abs_diff(last_arrival);
                came.abs_diff(sent) > CLOCK_JUMP
            })
    }

    fn decide(&mut self, now: Duration, elapsed: Duration, latest: Duration) {
        let rates = self.received.rates(RATE_WINDOW);
        let faded =
            self.peak * (1.0 - (elapsed.as_secs_f64() / PEAK_MEMORY.as_secs_f64()).min(1.0));
        self.peak = rates.map_or(faded, |rates| rates.acknowledged.max(faded));
        // A probe makes the delay rise, for a moment and on purpose.
        let trend = match self.prober.disturbs(now) {
            true => Trend::Steady,
            false => self.trend.trend(),
        };
        let step = self.control.step(&Signs {
            now,
            queue: self.delay.standing(),
            newest: self.delay.newest(),
            spread: self.delay.spread(),
            trend,
            excess_loss: self.loss.excess(),
            inherent_loss: self.loss.inherent(),
            rates,
            passed: self.passed(),
            peak: self.peak,
            untried: match self.prober.is_filled() {
                true => 0.0,
                false => self.next * BEYOND_NEXT,
            },
            latest,
            arrived_bits: self.arrived_bits,
            response: self.response,
        });
        match step {
            Step::Done => {}
            Step::MetLimit => self.prober.put_off(now),
            Step::LeftLimit => self.prober.allow(now),
            Step::LossIsInherent => self.loss.accept(),
        }
    }

    /// What came of the packets that stood in the queue, if that was long enough to tell: it is what the
    /// narrow place passes, whatever was sent before.
    fn passed(&self) -> Option<f64> {
        let since = self.delay.queued_since(QUEUED)?;
        let last = self.received.last_departure()?;
        let (rates, over) = self
            .received
            .over(since.max(last.saturating_sub(RATE_WINDOW)), last)?;
        let even = self.delay.spread() <= EVEN;
        (even && over >= PASSED_OVER).then_some(rates.acknowledged)
    }

    fn learn(&mut self, now: Duration, latest: Duration) {
        match self.prober.finding(now, latest, &self.received) {
            Some(Finding::AtLeast(rate)) => self.control.raise(rate * 0.95),
            Some(Finding::JustThis(capacity)) => self.control.limit_to(capacity),
            Some(Finding::Unfilled | Finding::Nothing) | None => {}
        }
    }
}

fn bits(bytes: usize) -> f64 {
    to_f64(u64::try_from(bytes).unwrap_or_default()) * 8.0
}

#[expect(
    clippy::cast_precision_loss,
    reason = "rates and sizes are far below 2^52"
)]
fn to_f64(value: u64) -> f64 {
    value as f64
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a cast from f64 saturates"
)]
fn whole(value: f64) -> u64 {
    value as u64
}
