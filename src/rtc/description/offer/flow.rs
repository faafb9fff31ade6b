//! Which way media of a section goes.

/// Which way media goes, as the other side sees it (RFC 8866 §6.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::rtc::description) struct Flow {
    pub(in crate::rtc::description) sends: bool,
    pub(in crate::rtc::description) takes: bool,
}

impl Flow {
    pub(in crate::rtc::description) const NEITHER: Self = Self {
        sends: false,
        takes: false,
    };

    /// From the name of an attribute.
    pub(in crate::rtc::description) fn named(name: &str) -> Option<Self> {
        let (sends, takes) = match name {
            "sendrecv" => (true, true),
            "sendonly" => (true, false),
            "recvonly" => (false, true),
            "inactive" => (false, false),
            _ => return None,
        };
        Some(Self { sends, takes })
    }

    pub(in crate::rtc::description) const fn name(self) -> &'static str {
        match (self.sends, self.takes) {
            (true, true) => "sendrecv",
            (true, false) => "sendonly",
            (false, true) => "recvonly",
            (false, false) => "inactive",
        }
    }

    /// The same from the other end.
    pub(in crate::rtc::description) const fn mirrored(self) -> Self {
        Self {
            sends: self.takes,
            takes: self.sends,
        }
    }

    /// What both allow.
    pub(in crate::rtc::description) const fn and(self, other: Self) -> Self {
        Self {
            sends: self.sends && other.sends,
            takes: self.takes && other.takes,
        }
    }
}
