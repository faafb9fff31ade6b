//! Which sections of an offer share a transport (RFC 9143), and which transport is taken up.
//!
//! We have one transport per connection. An offer that wants several, one for each section or one
//! for each of several groups, gets the one with most of what we serve, and the other sections are
//! declined, as RFC 9143 §7.3.3 lets an answerer do.

use rtc::sdp::SessionDescription;

use super::section::{Kind, Section};

/// The sections of an offer by the transport they ask for, in the order of the offer.
#[derive(Debug)]
pub(super) struct Transports(Vec<Transport>);

#[derive(Debug)]
struct Transport {
    /// In the order in which the group names them: the first is the one whose address and
    /// credentials hold (RFC 9143 §7.2.1).
    sections: Vec<usize>,
    bundled: bool,
}

/// The transport that is taken up.
#[derive(Debug)]
pub(super) struct Served {
    /// At most one of audio and one of video, in the order of the offer.
    pub(super) sections: Vec<usize>,
    /// All sections of the transport, the one whose ICE credentials hold first.
    pub(super) tags: Vec<usize>,
    pub(super) bundled: bool,
}

impl Transports {
    pub(super) fn of(description: &SessionDescription, sections: &[Section]) -> Self {
        let mut transports: Vec<Transport> = groups(description)
            .map(|mids| {
                let named = |mid| sections.iter().position(|it| it.mid() == Some(mid));
                Transport {
                    sections: mids.filter_map(named).collect(),
                    bundled: true,
                }
            })
            .collect();
        for index in 0..sections.len() {
            if transports.iter().all(|it| !it.sections.contains(&index)) {
                transports.push(Transport {
                    sections: vec![index],
                    bundled: false,
                });
            }
        }
        transports.sort_by_key(|it| it.sections.iter().min().copied());
        Self(transports)
    }

    /// The one with most of what we serve, the first of those.
    pub(super) fn best(self, sections: &[Section]) -> Option<Served> {
        let served = self.0.into_iter().map(|transport| {
            let first = |kind| {
                let mut indexes = transport.sections.iter().copied();
                let of_kind = |index: &usize| sections[*index].kind() == kind;
                indexes.find(|index| of_kind(index) && sections[*index].is_offered())
            };
            let mut of_ours: Vec<usize> = [Kind::Audio, Kind::Video]
                .into_iter()
                .filter_map(first)
                .collect();
            of_ours.sort_unstable();
            Served {
                sections: of_ours,
                tags: transport.sections,
                bundled: transport.bundled,
            }
        });
        // The last of several that are equal: so the other way around.
        let mut served: Vec<Served> = served.collect();
        served.reverse();
        let best = served.into_iter().max_by_key(|it| it.sections.len());
        best.filter(|it| !it.sections.is_empty())
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
