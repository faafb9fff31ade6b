//! The state of a transport, out of those of its legs.
//!
//! A transport is no better than the worst of its legs: it is connected when all of them are, and who
//! loses one of two is as absent as who loses both. Half a participant would be a tile that talks
//! without moving or moves without a word; the room had rather know, and an ICE restart of that leg
//! mends it. What goes over the other leg goes on meanwhile.

use super::description::MAX_LEGS;

/// Whether media can flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum TransportState {
    /// Both ways.
    Connected,
    /// Not yet.
    Connecting,
    /// The other side has not been heard of for a while; it may come back.
    Disconnected,
    /// It did not. Only an ICE restart or a new transport helps.
    Failed,
}

/// The states of all legs. A leg that there is not is as good as connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LegStates([TransportState; MAX_LEGS]);

/// What a leg's state means for the transport.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Changed {
    /// Its state is this one now.
    To(TransportState),
    /// Its state is what it was.
    Not,
}

impl LegStates {
    /// Of so many legs that are about to connect.
    pub(super) fn connecting(legs: usize) -> Self {
        let mut states = [TransportState::Connected; MAX_LEGS];
        states.iter_mut().take(legs).for_each(|state| {
            *state = TransportState::Connecting;
        });
        Self(states)
    }

    /// Takes note of a leg's state.
    pub(super) fn set(&mut self, leg: usize, state: TransportState) -> Changed {
        let before = self.whole();
        if let Some(own) = self.0.get_mut(leg) {
            *own = state;
        }
        match self.whole() {
            whole if whole == before => Changed::Not,
            whole => Changed::To(whole),
        }
    }

    /// Whether media may be sent over a leg: somebody has consented to receive it (RFC 7675).
    pub(super) fn is_connected(&self, leg: usize) -> bool {
        self.0.get(leg) == Some(&TransportState::Connected)
    }

    fn whole(&self) -> TransportState {
        self.0
            .into_iter()
            .max()
            .unwrap_or(TransportState::Connected)
    }
}

#[cfg(test)]
mod tests {
    use TransportState::{Connected, Connecting, Disconnected, Failed};

    use super::*;

    #[test]
    fn a_transport_of_two_legs_is_as_good_as_the_worse_and_tells_each_change_once() {
        let mut states = LegStates::connecting(2);
        let rows = [
            (0, Connected, Changed::Not),
            (1, Connected, Changed::To(Connected)),
            (1, Disconnected, Changed::To(Disconnected)),
            (0, Disconnected, Changed::Not),
            (1, Failed, Changed::To(Failed)),
            (0, Connected, Changed::Not),
            (1, Connected, Changed::To(Connected)),
        ];

        for (leg, state, expected) in rows {
            assert_eq!(states.set(leg, state), expected, "leg {leg} {state:?}");
        }
    }

    #[test]
    fn a_transport_of_one_leg_is_what_that_is() {
        let mut states = LegStates::connecting(1);

        for state in [Failed, Connecting, Connected] {
            assert_eq!(states.set(0, state), Changed::To(state));
        }
    }

    #[test]
    fn what_is_sent_over_a_leg_does_not_wait_for_the_other() {
        let mut states = LegStates::connecting(2);

        states.set(1, Connected);

        assert_eq!(
            [0, 1, 2].map(|leg| states.is_connected(leg)),
            [false, true, false]
        );
    }
}
