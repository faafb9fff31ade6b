//! Scaling by libyuv: the live path.
//!
//! Exact ratios (1/2, 1/4, 3/4, 3/8) are ten to thirty times cheaper than their neighbors, so
//! tile sizes that are such a part of the usual sources pay off.

mod ffi;

use std::fmt;

use crate::scale::{Halves, at_most_two_to_one};
use crate::video::{PictureSize, PictureView, PictureViewMut, Scaler};

/// The scaler over libyuv. Keeps the scratch space of the largest picture it reduced.
#[derive(Default)]
pub struct YuvScaler {
    halves: Halves,
}

impl YuvScaler {
    /// A scaler without scratch space yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Scaler for YuvScaler {
    fn scale(&mut self, from: PictureView<'_>, mut to: PictureViewMut<'_>) {
        if from.size() == to.size() {
            to.copy_from(from);
        } else if has_kernel(from.size(), to.size()) {
            in_one_go(from, to);
        } else {
            self.halves.reduce(from, to, in_one_go);
        }
    }
}

/// libyuv refuses only when it is out of memory for its scratch rows; the plain arithmetic needs
/// none.
fn in_one_go(from: PictureView<'_>, mut to: PictureViewMut<'_>) {
    if ffi::scale(from, &mut to).is_err() {
        at_most_two_to_one(from, to);
    }
}

impl fmt::Debug for YuvScaler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("YuvScaler").finish_non_exhaustive()
    }
}

/// Whether libyuv does this reduction beyond 2:1 in one go.
fn has_kernel(from: PictureSize, to: PictureSize) -> bool {
    let ratio = |part: usize, whole: usize| {
        whole * to.width() == part * from.width() && whole * to.height() == part * from.height()
    };
    ratio(1, 4) || ratio(3, 8)
}
