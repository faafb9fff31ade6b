//! The only place that talks to libopus without the `opus` crate: an encoder that can be copied.
//!
//! [`RawEncoder`] keeps libopus's state in memory of its own, so that copying an encoder is copying
//! that memory: "the encoder state is always continuous in memory and only a shallow copy is
//! sufficient to copy it" (opus.h). It checks every length before it crosses over and lets no
//! pointer out. What the settings mean is the business of its users.
#![expect(unsafe_code, reason = "calls into C; the crate's one file for libopus")]

use std::ffi::{CStr, c_int};

use opusic_sys as sys;

use crate::audio::{Channels, SAMPLE_RATE_HZ};

/// What libopus says when it refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", describe(*.0))]
pub(super) struct Refused(c_int);

/// A setting of an encoder and its value, in libopus's terms.
#[derive(Clone, Copy, Debug)]
pub(super) enum Setting {
    BitsPerSecond(i32),
    Complexity(i32),
    InbandFec(bool),
    PacketLossPercent(i32),
}

/// As aligned as what `malloc` gives, which is what libopus expects of its memory.
#[repr(C, align(16))]
#[derive(Clone, Copy)]
struct Block([u8; 16]);

/// An encoder. A clone goes on exactly as the original would.
#[derive(Clone)]
pub(super) struct RawEncoder {
    state: Box<[Block]>,
    channels: Channels,
}

impl RawEncoder {
    /// An encoder at 48 kHz for one of libopus's applications.
    ///
    /// # Errors
    ///
    /// What libopus says.
    pub(super) fn new(channels: Channels, application: c_int) -> Result<Self, Refused> {
        let count: c_int = match channels {
            Channels::Mono => 1,
            Channels::Stereo => 2,
        };
        // SAFETY: takes a plain number, which libopus validates.
        let bytes = unsafe { sys::opus_encoder_get_size(count) };
        let bytes = usize::try_from(bytes).map_err(|_| Refused(sys::OPUS_INTERNAL_ERROR))?;
        if bytes == 0 {
            return Err(Refused(sys::OPUS_BAD_ARG));
        }
        let blocks = bytes.div_ceil(size_of::<Block>());
        let mut encoder = Self {
            state: vec![Block([0; 16]); blocks].into_boxed_slice(),
            channels,
        };
        let rate = i32::try_from(SAMPLE_RATE_HZ).map_err(|_| Refused(sys::OPUS_BAD_ARG))?;
        // SAFETY: the state is as large as libopus asked for with this number of channels, aligned
        // for any type of C, and borrowed mutably.
        let code = unsafe { sys::opus_encoder_init(encoder.state(), rate, count, application) };
        accept(code).map(|_| encoder)
    }

    /// Changes a setting, from the next packet on.
    ///
    /// # Errors
    ///
    /// What libopus says; the setting is as it was then.
    pub(super) fn set(&mut self, setting: Setting) -> Result<(), Refused> {
        let (request, value): (c_int, c_int) = match setting {
            Setting::BitsPerSecond(bits) => (sys::OPUS_SET_BITRATE_REQUEST, bits),
            Setting::Complexity(effort) => (sys::OPUS_SET_COMPLEXITY_REQUEST, effort),
            Setting::InbandFec(on) => (sys::OPUS_SET_INBAND_FEC_REQUEST, on.into()),
            Setting::PacketLossPercent(percent) => {
                (sys::OPUS_SET_PACKET_LOSS_PERC_REQUEST, percent)
            }
        };
        // SAFETY: the state was initialized by `new`, and each of these requests takes exactly one
        // `opus_int32`, which is a `c_int`.
        let code = unsafe { sys::opus_encoder_ctl(self.state(), request, value) };
        accept(code).map(|_| ())
    }

    /// Samples per channel by which what is decoded lags behind.
    ///
    /// # Errors
    ///
    /// What libopus says.
    pub(super) fn lookahead(&mut self) -> Result<usize, Refused> {
        let mut samples: i32 = 0;
        // SAFETY: the state was initialized by `new`, and this request takes exactly one pointer
        // to an `opus_int32`, which lives until after the call.
        let code = unsafe {
            sys::opus_encoder_ctl(
                self.state(),
                sys::OPUS_GET_LOOKAHEAD_REQUEST,
                &raw mut samples,
            )
        };
        accept(code)?;
        Ok(usize::try_from(samples).unwrap_or_default())
    }

    /// Encodes one packet's interleaved samples into `packet` and returns how many bytes it has.
    ///
    /// # Errors
    ///
    /// What libopus says, among other things of a length that is no packet's.
    pub(super) fn encode(&mut self, pcm: &[i16], packet: &mut [u8]) -> Result<usize, Refused> {
        let samples = pcm.len() / self.channels.count();
        let samples = c_int::try_from(samples).map_err(|_| Refused(sys::OPUS_BAD_ARG))?;
        let most = i32::try_from(packet.len()).map_err(|_| Refused(sys::OPUS_BAD_ARG))?;
        // SAFETY: the state was initialized by `new` for these channels; `pcm` holds `samples` of
        // each and `packet` at least `most` bytes; all three live until after the call, and those
        // that are written to are borrowed mutably. libopus keeps no pointer.
        let code = unsafe {
            sys::opus_encode(
                self.state(),
                pcm.as_ptr(),
                samples,
                packet.as_mut_ptr(),
                most,
            )
        };
        accept(code)
    }

    fn state(&mut self) -> *mut sys::OpusEncoder {
        self.state.as_mut_ptr().cast()
    }
}

/// A result of libopus: a count, or an error below zero.
fn accept(code: c_int) -> Result<usize, Refused> {
    usize::try_from(code).map_err(|_| Refused(code))
}

fn describe(code: c_int) -> String {
    // SAFETY: takes a plain number and gives one of libopus's constant strings for any.
    let text = unsafe { sys::opus_strerror(code) };
    // SAFETY: those strings end in a zero and live as long as the program.
    let text = unsafe { CStr::from_ptr(text) };
    text.to_string_lossy().into_owned()
}
