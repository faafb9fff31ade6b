//! What an offer must hold before it reaches the WebRTC crate (RFC 8866, RFC 8829 §5.8), and the
//! form in which it does.
//!
//! Offers differ far more than what they mean, and the crate takes few of the ways in which it may
//! be said. So it is told an offer of our own writing ([`Plain`]), and its answer is fitted to the
//! offer as it came (`answer`): of all sections one of audio and one of video is served, with Opus
//! and VP8, over one leg or over one each; the others are declined (RFC 3264 §6).

mod bundle;
mod flow;
mod leg;
mod lines;
mod plain;
mod section;

use std::io::Cursor;

use rtc::sdp::SessionDescription;

pub(in crate::rtc) use bundle::MAX_LEGS;
pub(super) use flow::Flow;
pub(crate) use leg::IceCredentials;
pub(in crate::rtc) use leg::{OfferedLeg, Place};
pub(crate) use plain::MAX_CANDIDATES;
pub(in crate::rtc) use plain::{MAX_CANDIDATE_BYTES, Plain, Setup, is_candidate, is_of_use};
pub(super) use section::Section;

use bundle::Bundles;
use section::Kind;

use crate::access::Capabilities;

/// The longest offer that is looked at, in bytes. A browser's with one audio and one video section
/// has 4 to 8 kB.
pub(crate) const MAX_OFFER_BYTES: usize = 48 * 1024;

/// Why an offer is refused.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OfferError {
    #[error("the offer is not a session description: {0}")]
    NotSdp(String),
    #[error("the offer has an audio section without opus/48000")]
    NoOpus,
    #[error("the offer has a video section without VP8/90000")]
    NoVp8,
    #[error("the offer could not be answered: {0}")]
    Refused(String),
    #[error("no transport could be made: {0}")]
    Internal(String),
}

/// A checked offer.
#[derive(Clone, Debug)]
pub(crate) struct Offer {
    /// One, or one for each kind of media, in the order of their sections.
    pub(in crate::rtc) legs: Vec<OfferedLeg>,
    /// All sections as they came, for the answer.
    pub(in crate::rtc) sections: Vec<Section>,
    /// The session id of the origin line: the same in all offers of one connection, another in
    /// those of the next (RFC 8829 §5.2.2).
    pub(crate) origin: u64,
    /// Whether the other side wants to hear.
    pub(crate) audio: Direction,
    /// Whether the other side wants to see.
    pub(crate) video: Direction,
    /// The most sound that the other side takes in one packet, in milliseconds (`a=maxptime`,
    /// RFC 8866 §6.3).
    pub(crate) max_packet_ms: Option<u32>,
}

/// Whether the other side takes media of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    /// We send it.
    Wanted,
    /// We do not.
    Unwanted,
}

/// Which way media is to go over a connection that goes one way only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum OneWay {
    /// The other side sends.
    ToUs,
    /// We send.
    FromUs,
}

impl Offer {
    /// Checks `sdp`. An absent section is fine, one without our codec is not.
    ///
    /// # Errors
    ///
    /// Any [`OfferError`] but `Refused` and `Internal`.
    pub(crate) fn parse(sdp: String) -> Result<Self, OfferError> {
        if sdp.len() > MAX_OFFER_BYTES {
            let message = format!("{} bytes, expected at most {MAX_OFFER_BYTES}", sdp.len());
            return Err(OfferError::NotSdp(message));
        }
        let description = SessionDescription::unmarshal(&mut Cursor::new(sdp.as_bytes()))
            .map_err(|error| OfferError::NotSdp(error.to_string()))?;
        let mut sections: Vec<Section> = description
            .media_descriptions
            .iter()
            .enumerate()
            .map(|(index, media)| Section::read(index, media, &description))
            .collect();
        if sections.is_empty() {
            return Err(OfferError::NotSdp("it has no media section".to_owned()));
        }
        if let Some(twice) = twice_the_same(&sections) {
            let message = format!("two sections are called {twice}");
            return Err(OfferError::NotSdp(message));
        }

        let bundles = Bundles::of(&description, &sections).taken_up(&sections);
        if bundles.is_empty() {
            let message = "no section of it is audio or video that can be had";
            return Err(OfferError::NotSdp(message.to_owned()));
        }
        for index in bundles.iter().flat_map(|it| &it.served) {
            let section = &mut sections[*index];
            let missing = match section.kind() {
                Kind::Video => OfferError::NoVp8,
                Kind::Audio | Kind::Other => OfferError::NoOpus,
            };
            section.serve().ok_or(missing)?;
        }

        let count = bundles.len();
        let leg =
            |(number, bundle)| OfferedLeg::new(&description, &sections, bundle, (number, count));
        let legs = bundles.into_iter().enumerate().map(leg).collect();
        let max_packet_ms = first(&sections, Kind::Audio).and_then(Section::max_packet_ms);
        Ok(Self {
            legs,
            origin: description.origin.session_id,
            audio: taken(&sections, Kind::Audio),
            video: taken(&sections, Kind::Video),
            sections,
            max_packet_ms,
        })
    }

    /// The offer for a connection that goes `way` and not the other, whatever it says itself.
    ///
    /// # Errors
    ///
    /// [`OfferError::NotSdp`] if nothing is left of it then.
    pub(crate) fn only(mut self, way: OneWay) -> Result<Self, OfferError> {
        for section in &mut self.sections {
            section.go(way);
        }
        let served = self.sections.iter().filter(|section| section.is_served());
        if served
            .clone()
            .all(|section| section.flow() == Flow::NEITHER)
        {
            let message = match way {
                OneWay::ToUs => "no section of it sends",
                OneWay::FromUs => "no section of it receives",
            };
            return Err(OfferError::NotSdp(message.to_owned()));
        }
        for leg in &mut self.legs {
            leg.redirect(&self.sections);
        }
        self.audio = taken(&self.sections, Kind::Audio);
        self.video = taken(&self.sections, Kind::Video);
        Ok(self)
    }

    /// What the other side sends: audio, and video.
    pub(crate) fn sends(&self) -> (bool, bool) {
        let sends = |kind| first(&self.sections, kind).is_some_and(|it| it.flow().sends);
        (sends(Kind::Audio), sends(Kind::Video))
    }

    /// The offer that the other side would make to restart ICE (RFC 8839 §4.4.1.1.1) on those legs
    /// that have other credentials in `said`; `None` if none has. Candidates are to follow.
    pub(crate) fn restarted(&self, said: &[IceCredentials]) -> Option<Self> {
        let mut offer = self.clone();
        let mut is_restarted = false;
        for leg in &mut offer.legs {
            is_restarted |= leg.restart(&self.sections, said);
        }
        is_restarted.then_some(offer)
    }

    /// The offer as one that comes after `before` over the same transport, whose legs are those that
    /// there are: each goes on with the sections it had, and sections of no leg are declined.
    ///
    /// # Errors
    ///
    /// [`OfferError::Refused`] if sections that went over two legs are to share one now, or if none
    /// of the legs goes on.
    pub(in crate::rtc) fn after(mut self, before: &Self) -> Result<Self, OfferError> {
        if let ([leg], [_]) = (&mut self.legs[..], &before.legs[..]) {
            leg.number = before.legs[0].number;
            return Ok(self);
        }
        let mut legs = Vec::with_capacity(MAX_LEGS);
        for mut leg in std::mem::take(&mut self.legs) {
            let goes_on = |it: &&OfferedLeg| {
                (0..before.sections.len()).any(|index| {
                    let same = |other: &Section| other.name() == before.sections[index].name();
                    let now = self.sections.iter().position(same);
                    it.has(index) && now.is_some_and(|index| leg.has(index))
                })
            };
            let mut continued = before.legs.iter().filter(goes_on);
            match (continued.next(), continued.next()) {
                (Some(one), None) => {
                    leg.number = one.number;
                    legs.push(leg);
                }
                (None, _) => {
                    for index in 0..self.sections.len() {
                        if leg.serves(index) {
                            self.sections[index].decline();
                        }
                    }
                }
                (Some(_), Some(_)) => {
                    let message = "sections are to share a transport that did not before";
                    return Err(OfferError::Refused(message.to_owned()));
                }
            }
        }
        if legs.is_empty() {
            let message = "no section of it goes on over a transport that there is";
            return Err(OfferError::Refused(message.to_owned()));
        }
        self.legs = legs;
        Ok(self)
    }

    /// The leg that audio goes over.
    pub(in crate::rtc) fn audio_leg(&self) -> Option<usize> {
        self.leg_of(Kind::Audio)
    }

    /// The leg that video goes over.
    pub(in crate::rtc) fn video_leg(&self) -> Option<usize> {
        self.leg_of(Kind::Video)
    }

    fn leg_of(&self, kind: Kind) -> Option<usize> {
        let mut legs = self.legs.iter();
        let leg = legs.find(|leg| leg.carries(kind, &self.sections))?;
        Some(leg.number)
    }

    /// The leg that a candidate of the section with this name, or else at this place, is for. The first
    /// if it says neither, or if there is no other; `None` if its section is declined.
    pub(in crate::rtc) fn leg_for(&self, mid: Option<&str>, index: Option<u16>) -> Option<usize> {
        let (first, others) = self.legs.split_first()?;
        let mid = mid.filter(|mid| !mid.is_empty());
        let named = mid.map(|mid| self.sections.iter().position(|it| it.mid() == Some(mid)));
        let place = named.or_else(|| index.map(|index| Some(usize::from(index))));
        let Some(place) = place.filter(|_| !others.is_empty()) else {
            return Some(first.number);
        };
        let mut legs = self.legs.iter();
        legs.find(|leg| place.is_some_and(|index| leg.has(index)))
            .map(|leg| leg.number)
    }
}

impl Offer {
    /// The offer of somebody who may do so much: who may not hear and see is sent nothing.
    pub(crate) fn within(mut self, can: Capabilities) -> Self {
        if !can.subscribe {
            self.audio = Direction::Unwanted;
            self.video = Direction::Unwanted;
        }
        self
    }
}

/// The served section of a kind.
fn first(sections: &[Section], kind: Kind) -> Option<&Section> {
    let mut sections = sections.iter();
    sections.find(|section| section.is_served() && section.kind() == kind)
}

fn taken(sections: &[Section], kind: Kind) -> Direction {
    match first(sections, kind) {
        Some(section) if section.flow().takes => Direction::Wanted,
        _ => Direction::Unwanted,
    }
}

fn twice_the_same(sections: &[Section]) -> Option<&str> {
    let names = || sections.iter().map(Section::name);
    let twice = |(index, name): &(usize, &str)| names().take(*index).any(|other| other == *name);
    names().enumerate().find(twice).map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str =
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1 2\r\n";
    const OPUS: &str = "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\n\
                        a=rtpmap:111 opus/48000/2\r\na=sendrecv\r\n";
    const VP8: &str = "m=video 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=mid:1\r\n\
                       a=rtpmap:96 VP8/90000\r\na=sendonly\r\n";
    const CHANNELS: &str = "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n\
                            c=IN IP4 0.0.0.0\r\na=mid:2\r\n";

    fn parse(sections: &[&str]) -> Result<Offer, OfferError> {
        Offer::parse(format!("{HEAD}{}", sections.concat()))
    }

    fn served(offer: &Offer) -> Vec<bool> {
        offer.sections.iter().map(Section::is_served).collect()
    }

    #[test]
    fn directions_say_what_the_other_side_takes() {
        let offer = parse(&[OPUS, VP8]).unwrap();

        assert_eq!(
            (offer.audio, offer.video),
            (Direction::Wanted, Direction::Unwanted)
        );
        assert_eq!(offer.sends(), (true, true));
    }

    #[test]
    fn an_absent_section_is_fine() {
        let offer = parse(&[OPUS]).unwrap();

        assert_eq!(
            (offer.audio, offer.video),
            (Direction::Wanted, Direction::Unwanted)
        );
        assert_eq!(offer.sends(), (true, false));
    }

    #[test]
    fn a_direction_that_is_not_said_is_the_one_of_the_session_or_both() {
        let silent = OPUS.replace("a=sendrecv\r\n", "");
        let head = HEAD.replace("t=0 0\r\n", "t=0 0\r\na=sendonly\r\n");

        let both = parse(&[&silent]).unwrap();
        let of_session = Offer::parse(format!("{head}{silent}")).unwrap();

        assert_eq!((both.audio, both.sends().0), (Direction::Wanted, true));
        let (audio, sends) = (of_session.audio, of_session.sends().0);
        assert_eq!((audio, sends), (Direction::Unwanted, true));
    }

    #[test]
    fn a_section_without_our_codec_is_refused_by_name() {
        let pcmu = OPUS.replace("opus/48000/2", "PCMU/8000");
        let h264 = VP8.replace("VP8", "H264");

        assert!(matches!(parse(&[&pcmu, VP8]), Err(OfferError::NoOpus)));
        assert!(matches!(parse(&[OPUS, &h264]), Err(OfferError::NoVp8)));
    }

    #[test]
    fn formats_are_looked_at_as_far_as_there_are_payload_types() {
        let behind =
            |others: usize| OPUS.replace(" 111\r", &format!("{} 111\r", " 9".repeat(others)));

        assert!(parse(&[&behind(127)]).is_ok());
        assert!(matches!(parse(&[&behind(128)]), Err(OfferError::NoOpus)));
    }

    #[test]
    fn of_each_kind_the_first_section_is_served_and_data_channels_are_not() {
        let second = VP8.replace("a=mid:1", "a=mid:2");

        assert_eq!(served(&parse(&[OPUS, CHANNELS]).unwrap()), [true, false]);
        let cameras = parse(&[OPUS, VP8, &second]).unwrap();
        assert_eq!(served(&cameras), [true, true, false]);
        assert!(matches!(parse(&[CHANNELS]), Err(OfferError::NotSdp(_))));
    }

    #[test]
    fn a_group_with_both_kinds_is_taken_up_alone_and_else_each_kind_has_a_leg() {
        let other = OPUS.replace("a=mid:0", "a=mid:2");
        let grouped = |groups: &str| {
            let head = HEAD.replace("a=group:BUNDLE 0 1 2\r\n", groups);
            let offer = Offer::parse(format!("{head}{OPUS}{VP8}{other}")).unwrap();
            (offer.legs.len(), served(&offer))
        };

        let rows = [
            ("a=group:BUNDLE 2 1\r\n", (1, vec![false, true, true])),
            ("a=group:BUNDLE 0 2\r\n", (2, vec![true, true, false])),
            ("", (2, vec![true, true, false])),
        ];

        for (groups, expected) in rows {
            assert_eq!(grouped(groups), expected, "{groups}");
        }
    }

    #[test]
    fn legs_share_what_an_offer_may_have_of_candidates() {
        let candidates = |from: u16| -> String {
            let line = |port| format!("a=candidate:1 1 udp 1 192.0.2.1 {port} typ host\r\n");
            (from..from + 100).map(line).collect()
        };
        let sections = [OPUS, &candidates(1_000), VP8, &candidates(2_000)].concat();
        let told = |head: &str| {
            let offer = Offer::parse(format!("{head}{sections}")).unwrap();
            let texts = offer.legs.iter().map(|leg| leg.plain.to_string());
            let counts = texts.map(|text| text.matches("a=candidate:").count());
            counts.collect::<Vec<_>>()
        };

        assert_eq!(told(HEAD), [MAX_CANDIDATES]);
        let apart = HEAD.replace("a=group:BUNDLE 0 1 2\r\n", "");
        assert_eq!(told(&apart), [MAX_CANDIDATES / 2; 2]);
    }

    #[test]
    fn two_sections_of_one_name_are_refused() {
        assert!(matches!(parse(&[OPUS, OPUS]), Err(OfferError::NotSdp(_))));
    }

    #[test]
    fn one_way_leaves_what_goes_that_way() {
        let publishing = parse(&[OPUS, VP8]).unwrap().only(OneWay::ToUs).unwrap();
        let watching = parse(&[OPUS, VP8]).unwrap().only(OneWay::FromUs).unwrap();

        assert_eq!(publishing.sends(), (true, true));
        assert_eq!(publishing.audio, Direction::Unwanted);
        assert_eq!(watching.sends(), (false, false));
        assert_eq!(watching.audio, Direction::Wanted);
        assert_eq!(watching.video, Direction::Unwanted);
        let nothing = parse(&[VP8]).unwrap().only(OneWay::FromUs);
        assert!(matches!(nothing, Err(OfferError::NotSdp(_))));
    }

    #[test]
    fn what_is_not_sdp_is_refused() {
        for text in ["", "hello", "v=0", "{}", "v=0\r\nv=0\r\n"] {
            assert!(
                matches!(Offer::parse(text.to_owned()), Err(OfferError::NotSdp(_))),
                "{text}"
            );
        }
        assert!(matches!(parse(&[]), Err(OfferError::NotSdp(_))));
        let long = "x".repeat(MAX_OFFER_BYTES + 1);
        assert!(matches!(Offer::parse(long), Err(OfferError::NotSdp(_))));
    }

    #[test]
    fn a_candidate_is_none_that_is_longer_than_any() {
        let candidate = "1 1 udp 2130706431 192.0.2.7 4000 typ host";
        let extended = |length: usize| format!("{candidate} x {}", "y".repeat(length));
        let rest = MAX_CANDIDATE_BYTES - extended(0).len();

        let fits = [rest, rest + 1].map(|length| is_of_use(&extended(length)));

        assert!(is_of_use(candidate));
        assert_eq!(fits, [true, false]);
    }
}
