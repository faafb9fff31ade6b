//! Texts that are almost right, for property tests of whatever reads them.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

/// The most bytes of a text that are changed, fewer than any text has.
const MAX_EDITS: usize = 11;

/// One of `texts` with some of its bytes replaced, inserted or left out.
pub(crate) fn mangled(texts: &'static [&'static str]) -> impl Strategy<Value = Vec<u8>> {
    let edits = vec((any::<Index>(), any::<u8>(), 0..3), 0..=MAX_EDITS);
    (select(texts), edits).prop_map(|(text, edits)| {
        let mut bytes = text.as_bytes().to_vec();
        for (at, byte, edit) in edits {
            let at = at.index(bytes.len());
            match edit {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                _ => drop(bytes.remove(at)),
            }
        }
        bytes
    })
}
