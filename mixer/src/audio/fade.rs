//! Takes sound in and out of silence without a click.
//!
//! Synthesized sound stays at full gain for 20 ms and is gone after 100 ms, since a codec that
//! guesses for longer drones. What follows it comes up from the gain it left within 5 ms, so a
//! short concealment changes nothing around it.

use codecs::audio::Channels;

/// Gains are in 1/32 768.
const UNITY: i32 = 1 << 15;

/// Concealment begins to fade after 20 ms and ends at 100 ms, in samples per channel.
const FADE_BEGINS: i32 = 960;
const FADE_ENDS: i32 = 4_800;

/// Into known silence the fade is quicker: 10 ms, in samples per channel.
pub(crate) const TAIL_SAMPLES: usize = 480;

/// Coming up again: 5 ms, in samples per channel.
const RISE_SAMPLES: i32 = 240;

/// The gain of one track over time.
#[derive(Debug)]
pub(crate) struct Fade {
    channels: usize,
    /// None before anything was sent: the first packet of a decoder starts from the decoder's own
    /// silence and needs no help.
    gain: Option<i32>,
    /// Samples per channel concealed since the last that were not.
    concealed: i32,
}

impl Fade {
    /// Begins in silence.
    pub(crate) fn new(channels: Channels) -> Self {
        Self {
            channels: channels.count(),
            gain: None,
            concealed: 0,
        }
    }

    /// Whether concealment would not be heard.
    pub(crate) fn is_silent(&self) -> bool {
        self.gain.is_none_or(|gain| gain == 0)
    }

    /// Treats samples that were sent, or recovered.
    pub(crate) fn sent(&mut self, pcm: &mut [i16]) {
        self.concealed = 0;
        let mut gain = self.gain.unwrap_or(UNITY);
        for frame in pcm.chunks_mut(self.channels) {
            if gain == UNITY {
                break;
            }
            gain = (gain + UNITY / RISE_SAMPLES + 1).min(UNITY);
            scale(frame, gain);
        }
        self.gain = Some(gain);
    }

    /// Treats samples that were synthesized.
    pub(crate) fn concealed(&mut self, pcm: &mut [i16]) {
        let mut gain = self.gain.unwrap_or(0);
        for frame in pcm.chunks_mut(self.channels) {
            self.concealed = self.concealed.saturating_add(1);
            let left = (FADE_ENDS - self.concealed).clamp(0, FADE_ENDS - FADE_BEGINS);
            gain = gain.min(UNITY * left / (FADE_ENDS - FADE_BEGINS));
            scale(frame, gain);
        }
        self.gain = self.gain.and(Some(gain));
    }

    /// Treats the last samples before silence, ending at nothing.
    pub(crate) fn tail(&mut self, pcm: &mut [i16]) {
        let mut gain = self.gain.unwrap_or(0);
        let frames = i32::try_from(pcm.len() / self.channels).unwrap_or(i32::MAX);
        let step = gain / frames.max(1) + 1;
        for frame in pcm.chunks_mut(self.channels) {
            gain = (gain - step).max(0);
            scale(frame, gain);
        }
        self.gain = Some(0);
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a gain of at most one keeps 16 bits in 16 bits"
)]
fn scale(frame: &mut [i16], gain: i32) {
    for sample in frame {
        *sample = ((i32::from(*sample) * gain) >> 15) as i16;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_concealment_is_not_faded_and_neither_is_what_follows() {
        let mut fade = Fade::new(Channels::Mono);
        let mut pcm = [1_000; 960];

        fade.sent(&mut pcm);
        fade.concealed(&mut pcm);
        fade.sent(&mut pcm);

        assert_eq!(pcm, [1_000; 960]);
    }

    #[test]
    fn long_concealment_sinks_to_exact_silence_without_a_step() {
        let mut fade = Fade::new(Channels::Mono);
        let mut pcm = [10_000; 4_800];

        fade.sent(&mut []);
        fade.concealed(&mut pcm);

        assert!(
            pcm.windows(2)
                .all(|pair| (0..=4).contains(&(pair[0] - pair[1])))
        );
        assert_eq!(pcm[958..960], [10_000, 10_000]);
        assert_eq!(pcm[4_799], 0);
        assert!(fade.is_silent());
    }

    #[test]
    fn sound_after_silence_comes_up_within_five_milliseconds() {
        let mut fade = Fade::new(Channels::Stereo);
        fade.tail(&mut []);
        let mut pcm = [10_000; 2 * 960];

        fade.sent(&mut pcm);

        assert!(pcm[0] < 50 && pcm[0] == pcm[1]);
        assert!(
            pcm.windows(2)
                .all(|pair| (0..=43).contains(&(pair[1] - pair[0])))
        );
        assert_eq!(pcm[2 * 240..], [10_000; 2 * 720]);
    }

    #[test]
    fn nothing_is_heard_before_the_first_packet_and_all_of_it_then() {
        let mut fade = Fade::new(Channels::Mono);
        let mut pcm = [10_000; 960];
        assert!(fade.is_silent());

        fade.sent(&mut pcm);

        assert_eq!(pcm, [10_000; 960]);
    }

    #[test]
    fn a_tail_ends_at_nothing_whatever_its_length() {
        for frames in [1usize, 2, 119, 120, 480] {
            let mut fade = Fade::new(Channels::Mono);
            let mut pcm = vec![-30_000; frames];

            fade.sent(&mut []);
            fade.tail(&mut pcm);

            assert_eq!(pcm[frames - 1], 0, "{frames}");
            assert!(fade.is_silent());
        }
    }
}
