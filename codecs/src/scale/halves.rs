//! Reduction by halves, whoever does the arithmetic.

use crate::video::{I420, PictureSize, PictureView, PictureViewMut};

/// Scratch pictures between the source and the target: each half the one before, so that together
/// they stay below half of the source.
#[derive(Default)]
pub(crate) struct Halves(Vec<I420>);

impl Halves {
    /// Fills `to` with `from` by steps of at most 2:1 per axis, each done by `step`.
    pub(crate) fn reduce(
        &mut self,
        from: PictureView<'_>,
        to: PictureViewMut<'_>,
        step: impl Fn(PictureView<'_>, PictureViewMut<'_>),
    ) {
        let mut count = 0;
        let mut size = from.size();
        while let Some(half) = half_towards(size, to.size()) {
            if self.0.len() == count {
                self.0.push(I420::black(half));
            }
            let (done, rest) = self.0.split_at_mut(count);
            if let Some(next) = rest.first_mut() {
                next.resize(half);
                step(done.last().map_or(from, I420::view), next.view_mut());
            }
            size = half;
            count += 1;
        }
        step(self.0[..count].last().map_or(from, I420::view), to);
    }
}

/// Half of `from` along each axis that is more than 2:1 above `to`; `None` if none is.
fn half_towards(from: PictureSize, to: PictureSize) -> Option<PictureSize> {
    let axis = |from: usize, to: usize| {
        if from > 2 * to {
            from.div_ceil(2)
        } else {
            from
        }
    };
    let (width, height) = (
        axis(from.width(), to.width()),
        axis(from.height(), to.height()),
    );
    if (width, height) == (from.width(), from.height()) {
        return None;
    }
    PictureSize::new(u32::try_from(width).ok()?, u32::try_from(height).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size(width: u32, height: u32) -> PictureSize {
        PictureSize::new(width, height).unwrap()
    }

    #[test]
    fn axes_are_halved_until_two_to_one_is_left() {
        let rows = [
            ((640, 360), (640, 360), None),
            ((640, 360), (320, 180), None),
            ((640, 360), (319, 180), Some((320, 360))),
            ((640, 360), (213, 120), Some((320, 180))),
            ((641, 361), (100, 100), Some((321, 181))),
            ((100, 100), (1_000, 10), Some((100, 50))),
            ((100, 100), (1_000, 1_000), None),
        ];
        for ((w, h), (to_w, to_h), expected) in rows {
            let expected = expected.map(|(w, h)| size(w, h));
            assert_eq!(
                half_towards(size(w, h), size(to_w, to_h)),
                expected,
                "{w}x{h}"
            );
        }
    }

    #[test]
    fn every_step_is_at_most_two_to_one_and_the_last_one_fills_the_target() {
        let from = I420::black(size(1_283, 721));
        let mut to = I420::black(size(9, 200));
        let steps = std::cell::RefCell::new(Vec::new());

        Halves::default().reduce(from.view(), to.view_mut(), |from, to| {
            steps.borrow_mut().push((from.size(), to.size()));
        });

        let steps = steps.into_inner();
        assert_eq!(steps.first().unwrap().0, from.size());
        assert_eq!(steps.last().unwrap().1, to.size());
        for (from, to) in steps {
            assert!(from.width() <= 2 * to.width() && from.height() <= 2 * to.height());
        }
    }
}
