//! The secret that takes a seat back.

/// 128 random bits: not to be guessed within the minute that a seat is held.
pub(in crate::room) fn new_token() -> String {
    format!("{:032x}", rand::random::<u128>())
}

/// Compares in a time that does not depend on where the first difference is.
pub(in crate::room) fn same_token(held: &str, given: &str) -> bool {
    held.len() == given.len()
        && held
            .bytes()
            .zip(given.bytes())
            .fold(0, |differs, (a, b)| differs | (a ^ b))
            == 0
}
