//! Files that were cut off, that lie, or that are no files at all: reading them comes to an end, at a
//! bounded cost.

use std::io::{self, Read};

use codecs::webm::{Block, MAX_BLOCK_BYTES, ReadError, Reader};
use proptest::prelude::*;

use crate::blocks::{conversation, read, written};
use crate::ebml::{element, id, live_file, open_element, vp8_track};

#[test]
fn a_truncated_file_gives_everything_up_to_the_cut() {
    let blocks = conversation(3);
    let file = written(&blocks);
    let whole = read(&file);
    // libwebm writes the cues last: only a cut before them loses blocks.
    let mut most = 0;
    for length in (0..file.len()).step_by(7) {
        let Ok(mut reader) = Reader::new(&file[..length]) else {
            assert!(
                length < 500,
                "the tracks are within the first bytes, refused {length}"
            );
            continue;
        };
        let given: Vec<Block> = reader.by_ref().map(Result::unwrap).collect();

        assert!(reader.truncated(), "cut at {length}");
        assert_eq!(given, whole[..given.len()]);
        assert!(given.len() >= most);
        most = given.len();
    }
    assert_eq!(most, whole.len());
}

#[test]
fn an_element_of_any_claimed_size_costs_no_more_than_what_is_there() {
    let huge = [0x01, 0x00, 0xff, 0, 0, 0, 0, 0];
    let claim = |id: &[u8]| [id, &huge].concat();

    let file = live_file(&[
        &vp8_track(),
        &open_element(id::CLUSTER),
        &claim(&[0xa3]),
        &[0; 50],
    ]);
    let block = Reader::new(&file[..]).unwrap().next();
    assert!(
        matches!(block, Some(Err(ReadError::Corrupt { .. }))),
        "{block:?}"
    );

    let file = live_file(&[&claim(&[0x16, 0x54, 0xae, 0x6b])]);
    let tracks = Reader::new(&file[..]);
    assert!(matches!(tracks, Err(ReadError::Corrupt { .. })));

    let void = live_file(&[
        &vp8_track(),
        &open_element(id::CLUSTER),
        &claim(&[0xec]),
        &[0; 50],
    ]);
    let mut reader = Reader::new(&void[..]).unwrap();
    assert!(reader.next().is_none());
    assert!(reader.truncated());
}

#[test]
fn blocks_up_to_the_bound_are_read_and_longer_ones_are_corrupt() {
    let most = usize::try_from(MAX_BLOCK_BYTES).unwrap();
    for (bytes, is_read) in [(most, true), (most + 1, false)] {
        let mut block = vec![0; bytes];
        block[..4].copy_from_slice(&[0x87, 0, 0, 0x80]);
        let cluster = element(id::CLUSTER, &element(id::SIMPLE_BLOCK, &block));
        let file = live_file(&[&vp8_track(), &cluster]);

        let mut reader = Reader::new(&file[..]).unwrap();

        assert_eq!(reader.next().unwrap().is_ok(), is_read);
        assert!(reader.next().is_none());
    }
}

/// A file that fails in the middle.
struct BadSector<'a>(&'a [u8]);

impl Read for BadSector<'_> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        match self.0.read(to) {
            Ok(0) => Err(io::Error::other("bad sector")),
            read => read,
        }
    }
}

#[test]
fn a_failing_file_is_an_error_and_not_an_end() {
    let file = written(&conversation(1));

    let last = Reader::new(BadSector(&file[..700])).unwrap().last();

    assert!(matches!(last, Some(Err(ReadError::Io(_)))), "{last:?}");
}

/// Reads what there is, which must come to an end and stay there.
fn exhaust(file: &[u8]) -> Result<(), TestCaseError> {
    if let Ok(mut reader) = Reader::new(file) {
        let blocks = reader.by_ref().filter_map(Result::ok).count();
        prop_assert!(blocks <= file.len());
        prop_assert!(reader.next().is_none());
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn mutated_and_truncated_files_come_to_an_end(
        mutations in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut file = written(&conversation(1));
        for (at, value) in mutations {
            let at = at.index(file.len());
            file[at] = value;
        }
        exhaust(&file)?;
        exhaust(&file[..cut.index(file.len())])?;
    }

    #[test]
    fn arbitrary_bytes_come_to_an_end(rest in prop::collection::vec(any::<u8>(), 0..500)) {
        exhaust(&rest)?;
        exhaust(&[&[0x1a, 0x45, 0xdf, 0xa3, 0x80][..], &rest].concat())?;
        exhaust(&live_file(&[&vp8_track(), &open_element(id::CLUSTER), &rest]))?;
    }
}
