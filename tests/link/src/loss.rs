//! Which packets are lost.

use crate::{Loss, Random};

/// The loss of one link over time.
#[derive(Clone, Debug)]
pub(crate) struct Losses {
    loss: Loss,
    random: Random,
    bad: bool,
}

impl Losses {
    /// Begins on a good path.
    pub(crate) const fn new(loss: Loss, random: Random) -> Self {
        Self {
            loss,
            random,
            bad: false,
        }
    }

    /// Loses by other rules. A path that was bad stays so until its new rules turn it.
    pub(crate) const fn change(&mut self, loss: Loss) {
        self.loss = loss;
    }

    /// Whether the next packet is lost.
    pub(crate) fn loses(&mut self) -> bool {
        match self.loss {
            Loss::None => false,
            Loss::Random { share } => self.random.chance(share),
            Loss::Bursts {
                to_bad,
                to_good,
                good,
                bad,
            } => {
                let turns = self.random.chance(if self.bad { to_good } else { to_bad });
                self.bad ^= turns;
                self.random.chance(if self.bad { bad } else { good })
            }
        }
    }
}
