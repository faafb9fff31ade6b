//! Tells what a datagram is (RFC 7983 §7), and to whom a STUN request speaks (RFC 8445 §7.2.2).
//!
//! Classifying neither allocates nor trusts a length: whatever does not hold together is
//! [`Kind::Garbage`]. Only [`is_authentic`] computes anything, and only for somebody who knows the
//! name of one of our connections.

use std::sync::Arc;

use rtc::crypto::RTCCryptoProvider;
use rtc::stun::integrity::MessageIntegrity;
use rtc::stun::message::Message;

const HEADER_BYTES: usize = 20;
const MAGIC_COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];
const BINDING_REQUEST: [u8; 2] = [0x00, 0x01];
const USERNAME: u16 = 0x0006;
const MESSAGE_INTEGRITY: u16 = 0x0008;
const MESSAGE_INTEGRITY_BYTES: usize = 20;

/// Names a request and its response: 96 random bits.
pub(super) type Transaction = [u8; 12];

/// What a datagram claims to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind<'a> {
    /// A STUN binding request to the connection with this ICE user name fragment.
    Request { ufrag: &'a str },
    /// Another STUN message: a response says nothing of whom it is for.
    OtherStun,
    /// DTLS, RTP or RTCP.
    Media,
    /// Nothing that belongs on this port.
    Garbage,
}

/// Looks at a datagram without believing it.
pub(super) fn classify(datagram: &[u8]) -> Kind<'_> {
    match datagram.first() {
        Some(0..=3) => classify_stun(datagram).unwrap_or(Kind::Garbage),
        Some(20..=63 | 128..=191) => Kind::Media,
        _ => Kind::Garbage,
    }
}

fn classify_stun(datagram: &[u8]) -> Option<Kind<'_>> {
    let (header, mut rest) = datagram.split_at_checked(HEADER_BYTES)?;
    let length = usize::from(u16::from_be_bytes([header[2], header[3]]));
    if header[4..8] != MAGIC_COOKIE || length != rest.len() || !length.is_multiple_of(4) {
        return None;
    }
    let mut username = None;
    while !rest.is_empty() {
        let (head, tail) = rest.split_at_checked(4)?;
        let length = usize::from(u16::from_be_bytes([head[2], head[3]]));
        let value = tail.get(..length)?;
        match u16::from_be_bytes([head[0], head[1]]) {
            USERNAME => username = username.or(Some(value)),
            MESSAGE_INTEGRITY if length != MESSAGE_INTEGRITY_BYTES => return None,
            _ => {}
        }
        rest = tail.get(length.next_multiple_of(4)..)?;
    }
    if header[..2] != BINDING_REQUEST {
        return Some(Kind::OtherStun);
    }
    // "ours:theirs" (RFC 8445 §7.2.2); a request to us that names nobody is of no use to anybody.
    let (ufrag, _) = std::str::from_utf8(username?).ok()?.split_once(':')?;
    Some(Kind::Request { ufrag })
}

/// The transaction of a STUN message (RFC 8489 §5), which a response has in common with its request.
pub(super) fn transaction_of(message: &[u8]) -> Option<Transaction> {
    message.get(8..HEADER_BYTES)?.try_into().ok()
}

/// Whether it is a binding request.
pub(super) fn is_request(datagram: &[u8]) -> bool {
    datagram.starts_with(&BINDING_REQUEST) && datagram.get(4..8) == Some(&MAGIC_COOKIE)
}

/// Whether a request was made by somebody who knows `password` (RFC 8489 §9.1.3).
pub(super) fn is_authentic(
    request: &[u8],
    password: &str,
    crypto: &Arc<dyn RTCCryptoProvider>,
) -> bool {
    let mut message = Message::new();
    message.unmarshal_binary(request).is_ok()
        && MessageIntegrity::check(&mut message, password.as_bytes(), crypto.crypto()).is_ok()
}

#[cfg(test)]
pub(super) mod testing {
    use super::*;
    use rtc::stun::attributes::ATTR_USERNAME;
    use rtc::stun::message::{BINDING_REQUEST, Setter, TransactionId};
    use rtc::stun::textattrs::TextAttribute;

    /// A binding request as a browser makes it.
    pub(in super::super) fn request(
        username: &str,
        password: &str,
        crypto: &Arc<dyn RTCCryptoProvider>,
    ) -> Vec<u8> {
        let integrity = MessageIntegrity::new_short_term_integrity_with_provider(
            password.to_owned(),
            crypto.crypto(),
        );
        let setters: Vec<Box<dyn Setter + '_>> = vec![
            Box::new(TransactionId([7; 12])),
            Box::new(BINDING_REQUEST),
            Box::new(TextAttribute::new(ATTR_USERNAME, username.to_owned())),
            Box::new(integrity),
        ];
        let mut message = Message::new();
        message.build(&setters).unwrap();
        message.raw
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::testing::request;
    use super::*;

    fn crypto() -> Arc<dyn RTCCryptoProvider> {
        rtc::crypto::default_provider().unwrap()
    }

    #[test]
    fn a_request_names_the_local_half_of_its_user_name() {
        let request = request("ours:theirs", "secret", &crypto());

        assert_eq!(classify(&request), Kind::Request { ufrag: "ours" });
    }

    #[test]
    fn only_the_right_password_makes_a_request_authentic() {
        let crypto = crypto();
        let request = request("ours:theirs", "secret", &crypto);

        assert!(is_authentic(&request, "secret", &crypto));
        assert!(!is_authentic(&request, "secreu", &crypto));
        let mut forged = request;
        forged[25] ^= 1;
        assert!(!is_authentic(&forged, "secret", &crypto));
    }

    #[test]
    fn a_request_cut_anywhere_is_garbage() {
        let request = request("ours:theirs", "secret", &crypto());

        for length in 0..request.len() {
            assert_eq!(classify(&request[..length]), Kind::Garbage, "{length}");
        }
    }

    #[test]
    fn any_flipped_byte_is_survived() {
        let crypto = crypto();
        let request = request("ours:theirs", "secret", &crypto);
        for position in 0..request.len() {
            for flip in [0x01, 0x80, 0xff] {
                let mut broken = request.clone();
                broken[position] ^= flip;

                if let Kind::Request { .. } = classify(&broken) {
                    assert!(!is_authentic(&broken, "secret", &crypto), "{position}");
                }
            }
        }
    }

    #[test]
    fn kinds_follow_the_first_byte() {
        let rows: &[(&[u8], Kind<'_>)] = &[
            (&[], Kind::Garbage),
            (&[22, 254, 253], Kind::Media),
            (&[0x80, 111, 0, 1], Kind::Media),
            (&[64, 0, 0, 0], Kind::Garbage),
            (&[200], Kind::Garbage),
            (b"hello, is this the mixer?", Kind::Garbage),
            (&[0; 20], Kind::Garbage),
        ];

        for (datagram, kind) in rows {
            assert_eq!(classify(datagram), *kind, "{datagram:?}");
        }
    }

    #[test]
    fn a_response_is_stun_that_names_nobody() {
        let mut response = [0; 20];
        response[..2].copy_from_slice(&[0x01, 0x01]);
        response[4..8].copy_from_slice(&MAGIC_COOKIE);

        assert_eq!(classify(&response), Kind::OtherStun);
        response[..2].copy_from_slice(&BINDING_REQUEST);
        assert_eq!(classify(&response), Kind::Garbage, "a request must name us");
    }

    proptest! {
        #[test]
        fn whatever_follows_a_header_is_survived(
            kind in 0..4_u8,
            attributes in vec((any::<u8>(), 0..12_u16, vec(any::<u8>(), 0..12)), 0..6),
        ) {
            let mut datagram = vec![0, kind, 0, 0];
            datagram.extend(MAGIC_COOKIE);
            datagram.extend([7; 12]);
            for (name, length, value) in attributes {
                datagram.extend([0, name % 10]);
                datagram.extend(length.to_be_bytes());
                datagram.extend(value);
            }
            let length = u16::try_from(datagram.len() - HEADER_BYTES).unwrap();
            datagram[2..4].copy_from_slice(&length.to_be_bytes());

            classify(&datagram);

            prop_assert!(!is_authentic(&datagram, "secret", &crypto()));
        }
    }
}
