//! Which sections of an offer share a transport (RFC 9143), and which of them are taken up.
//!
//! An offer asks for one transport for each of its groups, and for each section in none. One that has
//! both audio and video is taken up alone. Where there is none, audio and video go over one each: so
//! at most [`MAX_LEGS`] are, and what else there is is declined, as RFC 9143 §7.3.3 lets an answerer
//! do.

use rtc::sdp::SessionDescription;

use super::section::{Kind, Section};

/// The most transports of an offer that are taken up: there are two kinds of media.
pub(in crate::rtc) const MAX_LEGS: usize = 2;

/// The sections of an offer by the transport they ask for, in the order of the offer.
#[derive(Debug)]
pub(super) struct Bundles(Vec<Bundle>);

/// Sections that share a transport.
#[derive(Clone, Debug)]
pub(super) struct Bundle {
    /// Those that are served if the transport is taken up: at most one of audio and one of video, in
    /// the order of the offer.
    pub(super) served: Vec<usize>,
    /// All of them, in the order in which the group names them: the first is the one whose address
    /// and credentials hold (RFC 9143 §7.2.1).
    pub(super) tags: Vec<usize>,
    /// Whether they are a group, which the answer must say as well.
    pub(super) is_group: bool,
}

impl Bundles {
    pub(super) fn of(description: &SessionDescription, sections: &[Section]) -> Self {
        let named = |mid| sections.iter().position(|it| it.mid() == Some(mid));
        let mut bundles: Vec<Bundle> = groups(description)
            .map(|mids| Bundle::new(mids.filter_map(named).collect(), true, sections))
            .collect();
        for index in 0..sections.len() {
            if bundles.iter().all(|it| !it.tags.contains(&index)) {
                bundles.push(Bundle::new(vec![index], false, sections));
            }
        }
        bundles.sort_by_key(|it| it.tags.iter().min().copied());
        Self(bundles)
    }

    /// Those that are taken up, at most [`MAX_LEGS`] and maybe none. They serve different sections.
    pub(super) fn taken_up(mut self, sections: &[Section]) -> Vec<Bundle> {
        self.0.retain(|it| !it.served.is_empty());
        if let Some(both) = self.0.iter().position(|it| it.served.len() > 1) {
            return vec![self.0.swap_remove(both)];
        }
        let mut kinds = Vec::with_capacity(MAX_LEGS);
        self.0.retain(|it| {
            let kind = sections[it.served[0]].kind();
            let is_first = !kinds.contains(&kind);
            kinds.push(kind);
            is_first
        });
        self.0
    }
}

impl Bundle {
    fn new(tags: Vec<usize>, is_group: bool, sections: &[Section]) -> Self {
        let first = |kind| {
            let mut indexes = tags.iter().copied();
            let of_kind = |index: &usize| sections[*index].kind() == kind;
            indexes.find(|index| of_kind(index) && sections[*index].is_offered())
        };
        let mut served: Vec<usize> = [Kind::Audio, Kind::Video]
            .into_iter()
            .filter_map(first)
            .collect();
        served.sort_unstable();
        Self {
            served,
            tags,
            is_group,
        }
    }
}

/// The mids of each `a=group:BUNDLE` line (RFC 5888 §5).
fn groups(
    description: &SessionDescription,
) -> impl Iterator<Item = impl Iterator<Item = &str> + Clone> {
    let groups = description
        .attributes
        .iter()
        .filter_map(|attribute| (attribute.key == "group").then_some(attribute.value.as_deref()?));
    groups.filter_map(|group| {
        let mut words = group.split_whitespace();
        (words.next() == Some("BUNDLE")).then_some(words)
    })
}
