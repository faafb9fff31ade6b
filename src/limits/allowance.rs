//! What one session may say: messages, offers and candidates. Pure, time is an argument.

use std::sync::Arc;
use std::time::Instant;

use super::{Bucket, Excess, Limiter, Refusal};

/// One session's.
#[derive(Debug)]
pub(crate) struct Allowance {
    limiter: Arc<Limiter>,
    messages: Bucket,
    offers: Bucket,
    /// Since the latest offer, those in it included.
    candidates: u32,
}

impl Allowance {
    /// All that may be.
    pub(crate) fn new(limiter: Arc<Limiter>, now: Instant) -> Self {
        Self {
            limiter,
            messages: Bucket::new(now),
            offers: Bucket::new(now),
            candidates: 0,
        }
    }

    /// Takes note of a message of so many bytes.
    ///
    /// # Errors
    ///
    /// If it is too long or comes too soon, and so is not to be heard.
    pub(crate) fn message(&mut self, bytes: usize, now: Instant) -> Result<(), Excess> {
        let limits = self.limiter.limits();
        let max = limits.message_bytes;
        if bytes > to_usize(max) {
            return self.refuse(Refusal::MessageLength, Excess::Message { bytes, max });
        }
        match self.messages.take(limits.messages(), now) {
            Ok(()) => Ok(()),
            Err(wait) => self.refuse(Refusal::Message, Excess::Rate { wait }),
        }
    }

    /// Takes note of an offer, and of the candidates in it.
    ///
    /// # Errors
    ///
    /// If it is too long or comes too soon, or has too many candidates.
    pub(crate) fn offer(&mut self, sdp: &str, now: Instant) -> Result<(), Excess> {
        let limits = self.limiter.limits();
        let (bytes, max) = (sdp.len(), limits.offer_bytes);
        self.take_turn(now)?;
        if bytes > to_usize(max) {
            return self.refuse(Refusal::OfferLength, Excess::Offer { bytes, max });
        }
        self.candidates = 0;
        let inside = sdp.lines().filter(|line| line.starts_with("a=candidate:"));
        self.add_candidates(u32::try_from(inside.count()).unwrap_or(u32::MAX))
    }

    /// Takes note of an offer that is not there as such: a restart of ICE.
    ///
    /// # Errors
    ///
    /// If it comes too soon.
    pub(crate) fn restart(&mut self, now: Instant) -> Result<(), Excess> {
        self.take_turn(now)?;
        self.candidates = 0;
        Ok(())
    }

    /// Takes note of a candidate.
    ///
    /// # Errors
    ///
    /// If there are as many as there may be after one offer.
    pub(crate) fn candidate(&mut self) -> Result<(), Excess> {
        self.add_candidates(1)
    }

    fn take_turn(&mut self, now: Instant) -> Result<(), Excess> {
        let rate = self.limiter.limits().offers();
        match self.offers.take(rate, now) {
            Ok(()) => Ok(()),
            Err(wait) => self.refuse(Refusal::Offer, Excess::Rate { wait }),
        }
    }

    fn add_candidates(&mut self, count: u32) -> Result<(), Excess> {
        let max = self.limiter.limits().candidates_per_offer;
        let candidates = self.candidates.saturating_add(count);
        if candidates > max {
            return self.refuse(Refusal::Candidate, Excess::Candidates { max });
        }
        self.candidates = candidates;
        Ok(())
    }

    fn refuse(&self, refusal: Refusal, excess: Excess) -> Result<(), Excess> {
        self.limiter.counters().count(refusal);
        Err(excess)
    }
}

fn to_usize(bytes: u32) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::Limits;
    use super::*;

    fn allowance(now: Instant, limits: Limits) -> Allowance {
        let limiter = Arc::new(Limiter::new(limits, Arc::default()));
        Allowance::new(limiter, now)
    }

    #[test]
    fn messages_have_a_length_and_a_rate() {
        let now = Instant::now();
        let mut allowance = allowance(
            now,
            Limits {
                message_bytes: 10,
                message_burst: 1,
                messages_per_second: 1,
                ..Limits::default()
            },
        );

        let long = allowance.message(11, now);
        assert_eq!(long, Err(Excess::Message { bytes: 11, max: 10 }));
        assert_eq!(
            allowance.message(10, now),
            Ok(()),
            "what is refused costs nothing"
        );
        let wait = Duration::from_secs(1);
        assert_eq!(allowance.message(10, now), Err(Excess::Rate { wait }));
        assert_eq!(allowance.message(10, now + wait), Ok(()));

        let counted = allowance.limiter.counters().snapshot();
        assert_eq!((counted["message_bytes"], counted["messages"]), (1, 1));
    }

    #[test]
    fn each_offer_brings_so_many_candidates_and_no_more() {
        let now = Instant::now();
        let mut allowance = allowance(
            now,
            Limits {
                offers_per_minute: 3,
                candidates_per_offer: 2,
                ..Limits::default()
            },
        );
        let inside = "v=0\r\na=candidate:1\r\n";

        assert_eq!(allowance.offer(inside, now), Ok(()));
        assert_eq!(allowance.candidate(), Ok(()));
        assert_eq!(allowance.candidate(), Err(Excess::Candidates { max: 2 }));
        assert_eq!(allowance.offer("v=0\r\n", now), Ok(()));
        assert_eq!(allowance.candidate(), Ok(()));
        assert_eq!(
            allowance.offer(&inside.repeat(3), now),
            Err(Excess::Candidates { max: 2 })
        );
        let wait = Duration::from_secs(20);
        assert_eq!(allowance.offer(inside, now), Err(Excess::Rate { wait }));
    }
}
