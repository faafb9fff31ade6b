//! The loss that resends hide from receiver reports.
//!
//! A packet that is resent as it was counts as received in the participant's reports (RFC 3550
//! §6.4.1), also if it came too late to be heard. So what was resent between two reports is added
//! to the loss that they tell. Resends on a stream of their own (RFC 4588) hide nothing.

/// Counts one outgoing stream between reports.
#[derive(Debug, Default)]
pub(super) struct HiddenLoss {
    highest: Option<u16>,
    sent: u32,
    resent: u32,
}

impl HiddenLoss {
    /// Packet `seq` leaves, for the first time or again.
    pub(super) fn sent(&mut self, seq: u16) {
        let is_new = self
            .highest
            .is_none_or(|highest| seq.wrapping_sub(highest).cast_signed() > 0);
        if is_new {
            self.highest = Some(seq);
            self.sent += 1;
        } else {
            self.resent += 1;
        }
    }

    /// The whole loss, where a report tells `fraction_lost`, in 256ths. Begins to count anew.
    pub(super) fn uncover(&mut self, fraction_lost: u8) -> u8 {
        let hidden = u64::from(self.resent) * 256 / u64::from(self.sent.max(1));
        (self.sent, self.resent) = (0, 0);
        let hidden = u8::try_from(hidden).unwrap_or(u8::MAX);
        fraction_lost.saturating_add(hidden)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_resent_since_the_last_report_counts_as_lost() {
        let mut hidden = HiddenLoss::default();
        for seq in (65_500..=65_535).chain(0..28) {
            hidden.sent(seq);
        }
        for seq in [65_510, 65_535, 3, 10] {
            hidden.sent(seq);
        }
        hidden.sent(28);

        // 4 of 65.
        assert_eq!(hidden.uncover(2), 2 + 15);
        assert_eq!(hidden.uncover(2), 2);
    }

    #[test]
    fn more_resends_than_packets_are_a_total_loss_and_no_overflow() {
        let mut hidden = HiddenLoss::default();
        for _ in 0..1_000 {
            hidden.sent(7);
        }

        assert_eq!(hidden.uncover(200), 255);
        assert_eq!(hidden.uncover(0), 0);
    }
}
