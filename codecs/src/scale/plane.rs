//! One plane scaled by interpolation between the four nearest samples.

/// Rows `stride` apart, to read.
#[derive(Clone, Copy)]
pub(super) struct Plane<'a> {
    pub(super) samples: &'a [u8],
    pub(super) stride: usize,
    pub(super) width: usize,
    pub(super) height: usize,
}

/// Rows `stride` apart, to write.
pub(super) struct PlaneMut<'a> {
    pub(super) samples: &'a mut [u8],
    pub(super) stride: usize,
    pub(super) width: usize,
    pub(super) height: usize,
}

/// Where a target sample lies between two source samples, in 1/256 of their distance.
#[derive(Clone, Copy)]
struct Between {
    first: usize,
    second: usize,
    toward_second: u32,
}

/// Fills `to` with `from`, edge to edge, so that sample centers line up.
pub(super) fn interpolate(from: Plane<'_>, to: PlaneMut<'_>) {
    let (across, down) = (
        Axis::new(from.width, to.width),
        Axis::new(from.height, to.height),
    );
    let rows = to.samples.chunks_mut(to.stride).take(to.height);
    for (row, line) in rows.enumerate() {
        let at = down.at(row);
        let above = &from.samples[at.first * from.stride..][..from.width];
        let below = &from.samples[at.second * from.stride..][..from.width];
        for (column, sample) in line[..to.width].iter_mut().enumerate() {
            let x = across.at(column);
            let above = mix(above[x.first], above[x.second], x.toward_second);
            let below = mix(below[x.first], below[x.second], x.toward_second);
            let sum = above * (256 - at.toward_second) + below * at.toward_second;
            *sample = ((sum + (1 << 15)) >> 16).to_le_bytes()[0];
        }
    }
}

/// 256 times the interpolated value.
fn mix(first: u8, second: u8, toward_second: u32) -> u32 {
    u32::from(first) * (256 - toward_second) + u32::from(second) * toward_second
}

/// Maps the centers of `targets` samples into `sources` samples.
struct Axis {
    /// Source samples per target sample, in 1/2³².
    step: u64,
    sources: u64,
}

impl Axis {
    const fn new(sources: usize, targets: usize) -> Self {
        let sources = sources as u64;
        Self {
            step: (sources << 32) / targets as u64,
            sources,
        }
    }

    /// Where the center of target sample `index` lies, clamped at both ends.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "below a side, or masked to 8 bits"
    )]
    fn at(&self, index: usize) -> Between {
        let position = (self.step / 2 + index as u64 * self.step).saturating_sub(1 << 31);
        let first = (position >> 32).min(self.sources - 1);
        let second = (first + 1).min(self.sources - 1);
        Between {
            first: first as usize,
            second: second as usize,
            toward_second: (position >> 24 & 0xff) as u32,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scaled(from: &[u8], width: usize, to: (usize, usize)) -> Vec<u8> {
        let mut samples = vec![0; to.0 * to.1];
        interpolate(
            Plane {
                samples: from,
                stride: width,
                width,
                height: from.len() / width,
            },
            PlaneMut {
                samples: &mut samples,
                stride: to.0,
                width: to.0,
                height: to.1,
            },
        );
        samples
    }

    #[test]
    fn the_same_size_is_a_copy() {
        let from = [1, 2, 3, 4, 5, 6];

        assert_eq!(scaled(&from, 3, (3, 2)), from);
    }

    #[test]
    fn half_the_size_is_the_mean_of_each_four() {
        let from = [10, 20, 0, 255, 30, 40, 255, 0];

        assert_eq!(scaled(&from, 4, (2, 1)), [25, 128]);
    }

    #[test]
    fn twice_the_size_keeps_the_ends_and_rises_between_them() {
        assert_eq!(scaled(&[0, 100], 2, (4, 1)), [0, 25, 75, 100]);
    }

    #[test]
    fn three_quarters_samples_at_the_centers() {
        // Centers of the three lie at 1/6, 3/2 and 17/6 of the four: 120 * 1/6, 3/2, 17/6.
        assert_eq!(scaled(&[0, 120, 240, 240], 4, (3, 1)), [20, 180, 240]);
    }
}
