//! What of an offer goes over one leg of the transport: the sections of one bundle.

use rtc::sdp::SessionDescription;

use super::bundle::Bundle;
use super::section::{Kind, Section};
use super::{Flow, Plain};

/// One leg as it is offered.
#[derive(Clone, Debug)]
pub(in crate::rtc) struct OfferedLeg {
    /// Which leg of the transport it is.
    pub(in crate::rtc) number: usize,
    /// What the crate is told.
    pub(in crate::rtc) plain: Plain,
    bundle: Bundle,
}

/// ICE credentials that the other side has by now (RFC 8839 §5.4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct IceCredentials {
    /// Of which section; `None`: of all that have none of their own.
    pub(crate) mid: Option<String>,
    pub(crate) ufrag: String,
    pub(crate) password: String,
}

/// How a section is known in what is said about candidates (RFC 8839 §5.1, JSEP).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::rtc) struct Place {
    pub(in crate::rtc) mid: Option<String>,
    pub(in crate::rtc) index: u16,
}

impl OfferedLeg {
    /// Leg `number` of `legs`, which share what an offer may have of candidates.
    pub(super) fn new(
        description: &SessionDescription,
        sections: &[Section],
        bundle: Bundle,
        (number, legs): (usize, usize),
    ) -> Self {
        Self {
            number,
            plain: Plain::new(description, sections, &bundle, legs),
            bundle,
        }
    }

    /// Whether section `index` is served over it.
    pub(in crate::rtc) fn serves(&self, index: usize) -> bool {
        self.bundle.served.contains(&index)
    }

    /// Whether section `index` is of its bundle, served or not.
    pub(in crate::rtc) fn has(&self, index: usize) -> bool {
        self.bundle.tags.contains(&index)
    }

    /// The served ones out of `sections`, which are all of the offer's.
    pub(in crate::rtc) fn served<'a>(
        &'a self,
        sections: &'a [Section],
    ) -> impl Iterator<Item = &'a Section> + Clone {
        self.bundle.served.iter().map(|index| &sections[*index])
    }

    /// Whether the answer must say that its sections are a group.
    pub(in crate::rtc) const fn is_group(&self) -> bool {
        self.bundle.is_group
    }

    /// Where our candidates belong.
    pub(in crate::rtc) fn place(&self, sections: &[Section]) -> Place {
        let first = self.bundle.served.first().copied().unwrap_or_default();
        Place {
            mid: sections[first].mid().map(str::to_owned),
            index: u16::try_from(first).unwrap_or(u16::MAX),
        }
    }

    /// Whether media of `kind` goes over it.
    pub(super) fn carries(&self, kind: Kind, sections: &[Section]) -> bool {
        self.served(sections).any(|it| it.kind() == kind)
    }

    /// Has its sections go where they go now.
    pub(super) fn redirect(&mut self, sections: &[Section]) {
        let flows: Vec<(Flow, bool)> = self
            .served(sections)
            .map(|it| (it.flow(), it.is_announced()))
            .collect();
        self.plain.redirect(&flows);
    }

    /// Takes over what of `said` is of this leg; false if that is nothing new.
    pub(super) fn restart(&mut self, sections: &[Section], said: &[IceCredentials]) -> bool {
        let mut mids = self.bundle.tags.iter().map(|index| sections[*index].mid());
        let of = |mid: Option<&str>| said.iter().find(|it| it.mid.as_deref() == mid);
        let found = mids.find_map(|mid| of(Some(mid?))).or_else(|| of(None));
        let Some(found) = found.filter(|it| self.plain.ufrag() != Some(&it.ufrag)) else {
            return false;
        };
        self.plain.restart(&found.ufrag, &found.password);
        true
    }
}
