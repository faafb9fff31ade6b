//! EBML elements (RFC 8794) from a stream: heads, contents, and skipping over the rest.

use std::io::{self, ErrorKind, Read};

/// An element id with its length marker, as the specifications print it.
pub(super) type Id = u32;

/// The head of one element (RFC 8794 §6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Element {
    pub(super) id: Id,
    /// Bytes of content; `None` if the writer did not know.
    pub(super) size: Option<u64>,
}

/// Why nothing more can be read.
#[derive(Debug)]
pub(super) enum Stop {
    /// The stream ends inside an element.
    Truncated,
    /// What is here is no element, or one that makes no sense.
    Malformed(&'static str),
    /// The stream itself failed.
    Io(io::Error),
}

/// A stream of elements and how far it has been read.
#[derive(Debug)]
pub(super) struct Elements<R> {
    source: R,
    position: u64,
}

impl<R: Read> Elements<R> {
    pub(super) const fn new(source: R) -> Self {
        Self {
            source,
            position: 0,
        }
    }

    /// Bytes read so far.
    pub(super) const fn position(&self) -> u64 {
        self.position
    }

    /// The next head, or `None` where the stream ends between elements.
    pub(super) fn next(&mut self) -> Result<Option<Element>, Stop> {
        let first = match self.byte() {
            Err(Stop::Truncated) => return Ok(None),
            byte => byte?,
        };
        let id = self.number(first, 4)?.0;
        let id = Id::try_from(id).map_err(|_| Stop::Malformed("element id"))?;
        let first = self.byte()?;
        let (size, length) = self.number(first, 8)?;
        let value = size & !(1 << (7 * length));
        let unknown = (1 << (7 * length)) - 1;
        Ok(Some(Element {
            id,
            size: (value != unknown).then_some(value),
        }))
    }

    /// A variable-length number that begins with `first`, its marker bit still in it, and how
    /// many bytes it took: at most `longest`.
    fn number(&mut self, first: u8, longest: u32) -> Result<(u64, u32), Stop> {
        let length = first.leading_zeros() + 1;
        if length > longest {
            return Err(Stop::Malformed("variable-length number"));
        }
        let mut number = u64::from(first);
        for _ in 1..length {
            number = number << 8 | u64::from(self.byte()?);
        }
        Ok((number, length))
    }

    fn byte(&mut self) -> Result<u8, Stop> {
        let mut byte = [0];
        self.source.read_exact(&mut byte).map_err(Stop::from)?;
        self.position += 1;
        Ok(byte[0])
    }

    /// The content of an element that may have `most` bytes. Memory grows with what arrives, not
    /// with what is claimed.
    pub(super) fn content(&mut self, element: Element, most: u64) -> Result<Vec<u8>, Stop> {
        let size = element
            .size
            .ok_or(Stop::Malformed("element without size"))?;
        if size > most {
            return Err(Stop::Malformed("element that is too large"));
        }
        let mut content = Vec::new();
        let read = (&mut self.source).take(size).read_to_end(&mut content)?;
        self.position += read as u64;
        if (read as u64) < size {
            Err(Stop::Truncated)
        } else {
            Ok(content)
        }
    }

    /// Passes over the content of an element.
    pub(super) fn skip(&mut self, element: Element) -> Result<(), Stop> {
        let size = element
            .size
            .ok_or(Stop::Malformed("element without size"))?;
        let skipped = io::copy(&mut (&mut self.source).take(size), &mut io::sink())?;
        self.position += skipped;
        if skipped < size {
            Err(Stop::Truncated)
        } else {
            Ok(())
        }
    }
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            ErrorKind::UnexpectedEof => Self::Truncated,
            _ => Self::Io(error),
        }
    }
}

/// An unsigned integer of up to eight bytes (RFC 8794 §7.2); `None` if it is longer.
pub(super) fn unsigned(content: &[u8]) -> Option<u64> {
    (content.len() <= 8).then(|| {
        content
            .iter()
            .fold(0, |number, byte| number << 8 | u64::from(*byte))
    })
}

/// A float of four or eight bytes, none for zero (RFC 8794 §7.3).
pub(super) fn float(content: &[u8]) -> Option<f64> {
    match content {
        [] => Some(0.0),
        _ => match (content.try_into(), content.try_into()) {
            (Ok(bytes), _) => Some(f64::from(f32::from_be_bytes(bytes))),
            (_, Ok(bytes)) => Some(f64::from_be_bytes(bytes)),
            _ => None,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heads(bytes: &[u8]) -> Result<Option<Element>, Stop> {
        Elements::new(bytes).next()
    }

    #[test]
    fn heads_have_an_id_and_a_size_of_any_length() {
        let rows: [(&[u8], Id, Option<u64>); 5] = [
            (&[0xec, 0x81], 0xec, Some(1)),
            (&[0x42, 0x86, 0x40, 0x02], 0x4286, Some(2)),
            (
                &[0x1a, 0x45, 0xdf, 0xa3, 0x01, 0, 0, 0, 0, 0, 0, 3],
                0x1a45_dfa3,
                Some(3),
            ),
            (&[0x1f, 0x43, 0xb6, 0x75, 0xff], 0x1f43_b675, None),
            (
                &[
                    0x1f, 0x43, 0xb6, 0x75, 0x01, 255, 255, 255, 255, 255, 255, 255,
                ],
                0x1f43_b675,
                None,
            ),
        ];
        for (bytes, id, size) in rows {
            assert_eq!(
                heads(bytes).unwrap(),
                Some(Element { id, size }),
                "{bytes:02x?}"
            );
        }
    }

    #[test]
    fn the_end_between_elements_is_an_end_and_inside_a_head_a_cut() {
        assert_eq!(heads(&[]).unwrap(), None);
        for bytes in [&[0xec][..], &[0x1a, 0x45], &[0xec, 0x40]] {
            assert!(matches!(heads(bytes), Err(Stop::Truncated)), "{bytes:02x?}");
        }
    }

    #[test]
    fn ids_beyond_four_bytes_and_sizes_beyond_eight_are_malformed() {
        for bytes in [&[0x08, 0, 0, 0, 0, 0x80][..], &[0xec, 0x00]] {
            assert!(
                matches!(heads(bytes), Err(Stop::Malformed(_))),
                "{bytes:02x?}"
            );
        }
    }

    #[test]
    fn a_claim_beyond_the_bound_is_malformed_and_one_beyond_the_end_a_cut() {
        let element = Element {
            id: 0xec,
            size: Some(10),
        };

        let too_large = Elements::new(&[0; 20][..]).content(element, 9);
        assert!(matches!(too_large, Err(Stop::Malformed(_))));

        let cut = Elements::new(&[0; 9][..]).content(element, 10);
        assert!(matches!(cut, Err(Stop::Truncated)));
        assert!(matches!(
            Elements::new(&[0; 9][..]).skip(element),
            Err(Stop::Truncated)
        ));
    }

    #[test]
    fn numbers_have_the_lengths_of_the_specification() {
        assert_eq!(unsigned(&[]), Some(0));
        assert_eq!(unsigned(&[1, 0]), Some(256));
        assert_eq!(unsigned(&[0; 9]), None);
        assert_eq!(float(&[]), Some(0.0));
        assert_eq!(float(&1.5_f32.to_be_bytes()), Some(1.5));
        assert_eq!(float(&1.5_f64.to_be_bytes()), Some(1.5));
        assert_eq!(float(&[0; 5]), None);
    }
}
