//! Who is in the room.

use std::fmt;

/// One participant of one room. Given out in the order of joining and never given twice, so
/// sorting by id is sorting by seniority.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ParticipantId(pub u32);

impl ParticipantId {
    /// Reads what [`fmt::Display`] writes, and nothing else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let id = Self(text.strip_prefix('p')?.parse().ok()?);
        (id.to_string() == text).then_some(id)
    }
}

impl fmt::Display for ParticipantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "p{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_read_as_it_is_written_and_no_other_way() {
        for id in [0, 1, 10, u32::MAX].map(ParticipantId) {
            assert_eq!(ParticipantId::parse(&id.to_string()), Some(id));
        }
        for bad in [
            "",
            "p",
            "1",
            "P1",
            "p+1",
            "p01",
            "p-1",
            "p4294967296",
            " p1",
        ] {
            assert_eq!(ParticipantId::parse(bad), None, "{bad:?}");
        }
    }
}
