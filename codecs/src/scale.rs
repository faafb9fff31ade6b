//! Scaling in plain Rust: integers only, the same samples on every machine.
//!
//! For builds without C libraries and for goldens; the live path has [`crate::yuv`], which is ten
//! to a hundred times as fast. Both reduce by halves until at most 2:1 remains and interpolate
//! between the four nearest samples then: interpolating alone would skip samples beyond 2:1, and
//! a fine pattern would crawl.

mod halves;
mod plane;

use std::fmt;

pub(crate) use halves::Halves;
use plane::{Plane, PlaneMut, interpolate};

use crate::video::{PictureView, PictureViewMut, Scaler};

/// The scaler without C. Keeps the scratch space of the largest picture it reduced.
#[derive(Default)]
pub struct PlainScaler {
    halves: Halves,
}

impl PlainScaler {
    /// A scaler without scratch space yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Scaler for PlainScaler {
    fn scale(&mut self, from: PictureView<'_>, to: PictureViewMut<'_>) {
        self.halves.reduce(from, to, at_most_two_to_one);
    }
}

impl fmt::Debug for PlainScaler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PlainScaler").finish_non_exhaustive()
    }
}

/// At exactly 2:1 this is the mean of each four samples.
pub(crate) fn at_most_two_to_one(from: PictureView<'_>, mut to: PictureViewMut<'_>) {
    let (source, target) = (from.size(), to.size());
    let chroma = |samples| Plane {
        samples,
        stride: from.chroma_stride(),
        width: source.chroma_width(),
        height: source.chroma_height(),
    };
    let luma = Plane {
        samples: from.y(),
        stride: from.y_stride(),
        width: source.width(),
        height: source.height(),
    };
    let planes = to.planes();
    let (y_stride, chroma_stride) = (planes.y_stride, planes.chroma_stride);
    let (width, height) = (target.width(), target.height());
    interpolate(
        luma,
        PlaneMut {
            samples: planes.y,
            stride: y_stride,
            width,
            height,
        },
    );
    let (width, height) = (target.chroma_width(), target.chroma_height());
    for (from, samples) in [(from.u(), planes.u), (from.v(), planes.v)] {
        interpolate(
            chroma(from),
            PlaneMut {
                samples,
                stride: chroma_stride,
                width,
                height,
            },
        );
    }
}
