//! Sounds that are the same on every machine, at 48 kHz.
#![expect(clippy::cast_possible_truncation, reason = "sines are within 16 bits")]

/// One channel of a sine at `hz`, a quarter of full scale, beginning `from` samples in.
pub(crate) fn tone(hz: f64, from: usize, samples: usize) -> Vec<i16> {
    (from..from + samples)
        .map(|n| (8_192.0 * (std::f64::consts::TAU * hz * n as f64 / 48_000.0).sin()) as i16)
        .collect()
}

/// How much of `hz` is in `pcm`: the amplitude of that sine (Goertzel).
pub(crate) fn amplitude_at(hz: f64, pcm: &[i16]) -> f64 {
    let turn = 2.0 * (std::f64::consts::TAU * hz / 48_000.0).cos();
    let (mut last, mut before) = (0.0, 0.0);
    for sample in pcm {
        (last, before) = (f64::from(*sample) + turn * last - before, last);
    }
    let power = last * last + before * before - turn * last * before;
    2.0 * power.max(0.0).sqrt() / pcm.len() as f64
}

/// A second of something like voice: a buzz with a wandering pitch and some breath.
pub(crate) fn voice() -> Vec<i16> {
    let mut noise = 7_u32;
    let mut phase = 0.0_f64;
    (0..48_000)
        .map(|n| {
            let pitch = 140.0 + 30.0 * (f64::from(n) / 9_000.0).sin();
            phase = (phase + pitch / 48_000.0).fract();
            let buzz = (1.0 - phase) * (phase * 40.0).sin() * 7_000.0;
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            buzz as i16 + i16::from(noise.to_be_bytes()[0]) - 128
        })
        .collect()
}
