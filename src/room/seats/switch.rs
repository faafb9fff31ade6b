//! A microphone or a camera: what its owner says of it, and what a moderator decided.
//!
//! Whoever was switched off by somebody else stays off until they say otherwise themselves: nobody
//! is heard or seen by another's will. What a credential does not allow is off, whoever says what.

use std::fmt;

use mixer::ParticipantId;

/// One of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::room) enum Device {
    Microphone,
    Camera,
}

/// On whose word something is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::room) enum By {
    Participant(ParticipantId),
    /// Whoever runs the server.
    Operator,
}

impl fmt::Display for By {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Participant(id) => id.fmt(f),
            Self::Operator => f.write_str("operator"),
        }
    }
}

/// Whether the owner may undo what a moderator did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::room) enum Grip {
    #[default]
    Loose,
    Firm,
}

/// Whether a credential lets its owner use it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::room) enum License {
    #[default]
    Given,
    Withheld,
}

impl License {
    /// As a capability has it.
    pub(in crate::room) const fn to(allowed: bool) -> Self {
        if allowed { Self::Given } else { Self::Withheld }
    }
}

/// A moderator holds it off, or the credential does not allow it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::room) struct Held(pub(in crate::room) Device);

/// The state of one of them. On at first, if it may be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Switch {
    power: Power,
    off_by: Option<By>,
    grip: Grip,
    license: License,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Power {
    #[default]
    On,
    Off,
}

impl Switch {
    /// That of somebody whose credential says so much.
    pub(super) fn under(license: License) -> Self {
        let power = match license {
            License::Given => Power::On,
            License::Withheld => Power::Off,
        };
        Self {
            power,
            license,
            ..Self::default()
        }
    }

    /// Another credential says so much. What it allows anew stays off until its owner says so.
    pub(super) fn follow(&mut self, license: License) {
        self.license = license;
        if license == License::Withheld {
            self.power = Power::Off;
        }
    }

    pub(super) fn power(self) -> Power {
        self.power
    }

    /// The moderator who switched it off, while it is off.
    pub(super) fn off_by(self) -> Option<By> {
        self.off_by
    }

    /// Whether it is not for its owner to switch it on.
    pub(super) fn is_held(self) -> bool {
        self.grip == Grip::Firm || self.license == License::Withheld
    }

    /// The owner's word; `false` if it is to stay off.
    #[must_use]
    pub(super) fn set(&mut self, power: Power) -> bool {
        match power {
            Power::On if self.is_held() => return false,
            Power::On => *self = Self::default(),
            Power::Off => self.power = Power::Off,
        }
        true
    }

    /// A moderator's word.
    pub(super) fn force_off(&mut self, by: By, grip: Grip) {
        // Whoever was silent by their own word is not told that somebody else silenced them, unless
        // it matters.
        let by_themselves = self.power == Power::Off && self.off_by.is_none();
        if !by_themselves || grip == Grip::Firm {
            self.off_by = Some(by);
        }
        self.power = Power::Off;
        self.grip = grip;
    }

    /// A moderator lets it be used again; it stays off until its owner says so.
    pub(super) fn release(&mut self) {
        self.off_by = None;
        self.grip = Grip::Loose;
    }

    /// Somebody else uses the seat from now on: what they send is on, unless it is held.
    pub(super) fn hand_over(&mut self) {
        if !self.is_held() {
            *self = Self::default();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANN: By = By::Participant(ParticipantId(1));

    fn off(by: Option<By>, grip: Grip) -> Switch {
        Switch {
            power: Power::Off,
            off_by: by,
            grip,
            license: License::Given,
        }
    }

    #[test]
    fn who_is_muted_by_somebody_may_undo_it_and_who_is_held_may_not() {
        let mut switch = Switch::default();
        switch.force_off(ANN, Grip::Loose);
        assert_eq!(switch, off(Some(ANN), Grip::Loose));
        assert!(switch.set(Power::On));
        assert_eq!(switch, Switch::default());

        switch.force_off(ANN, Grip::Firm);
        assert!(!switch.set(Power::On));
        assert!(switch.set(Power::Off));
        assert_eq!(switch, off(Some(ANN), Grip::Firm));
    }

    #[test]
    fn who_is_let_speak_again_stays_silent_until_they_say_so() {
        let mut switch = Switch::default();
        switch.force_off(By::Operator, Grip::Firm);

        switch.release();

        assert_eq!(switch, off(None, Grip::Loose));
        assert!(switch.set(Power::On));
    }

    #[test]
    fn who_was_silent_anyway_is_blamed_on_nobody() {
        let mut switch = Switch::default();
        assert!(switch.set(Power::Off));

        switch.force_off(ANN, Grip::Loose);
        assert_eq!(switch, off(None, Grip::Loose));

        switch.force_off(ANN, Grip::Firm);
        assert_eq!(switch, off(Some(ANN), Grip::Firm));
    }

    #[test]
    fn what_a_credential_withholds_stays_off_whoever_says_what() {
        let mut switch = Switch::under(License::Withheld);
        assert_eq!(switch.power(), Power::Off);

        switch.force_off(ANN, Grip::Firm);
        switch.release();
        switch.hand_over();
        assert!(switch.is_held());
        assert!(!switch.set(Power::On));

        switch.follow(License::Given);
        assert_eq!(switch.power(), Power::Off, "until they say so");
        assert!(switch.set(Power::On));
        switch.follow(License::Withheld);
        assert_eq!(switch.power(), Power::Off);
    }

    #[test]
    fn a_firm_grip_loosens_to_a_loose_one() {
        let mut switch = Switch::default();
        switch.force_off(ANN, Grip::Firm);

        switch.force_off(ANN, Grip::Loose);

        assert!(switch.set(Power::On));
    }
}
