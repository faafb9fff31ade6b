//! The only place that talks to libvpx, through the functions of `shim.c`.
//!
//! [`RawEncoder`] and [`RawDecoder`] own their handle, check every length before it crosses over,
//! and let no pointer out. What the settings mean is the business of their users.
#![expect(unsafe_code, reason = "calls into C; the crate's one file for libvpx")]

use std::ffi::{c_char, c_int};
use std::marker::{PhantomData, PhantomPinned};
use std::ptr::NonNull;

use crate::video::{FrameKind, I420, PictureSize, PictureView};

/// libvpx's messages are at most 80 characters and a short detail.
const MESSAGE_BYTES: usize = 256;

#[repr(C)]
struct Opaque {
    bytes: [u8; 0],
    /// Owned by C: neither `Send` nor `Sync` nor movable by default.
    marker: PhantomData<(*mut u8, PhantomPinned)>,
}

unsafe extern "C" {
    fn codecs_vp8_encoder_open(
        width: u32,
        height: u32,
        bitrate_kbps: u32,
        cpu_used: i32,
    ) -> *mut Opaque;
    fn codecs_vp8_encoder_set_bitrate(encoder: *mut Opaque, bitrate_kbps: u32) -> c_int;
    fn codecs_vp8_encoder_bound_keyframes(encoder: *mut Opaque, percent: u32) -> c_int;
    fn codecs_vp8_encoder_encode(
        encoder: *mut Opaque,
        y: *const u8,
        u: *const u8,
        v: *const u8,
        y_stride: u32,
        chroma_stride: u32,
        pts: i64,
        duration: u32,
        force_keyframe: c_int,
    ) -> c_int;
    fn codecs_vp8_encoder_packet_bytes(encoder: *const Opaque) -> usize;
    fn codecs_vp8_encoder_packet_is_key(encoder: *const Opaque) -> c_int;
    fn codecs_vp8_encoder_copy_packet(encoder: *const Opaque, to: *mut u8);
    fn codecs_vp8_encoder_error(encoder: *mut Opaque, text: *mut c_char, capacity: usize);
    fn codecs_vp8_encoder_close(encoder: *mut Opaque);

    fn codecs_vp8_decoder_open() -> *mut Opaque;
    fn codecs_vp8_decoder_decode(decoder: *mut Opaque, frame: *const u8, length: u32) -> c_int;
    fn codecs_vp8_decoder_size(decoder: *const Opaque, width: *mut u32, height: *mut u32);
    fn codecs_vp8_decoder_copy(decoder: *const Opaque, y: *mut u8, u: *mut u8, v: *mut u8);
    fn codecs_vp8_decoder_error(decoder: *mut Opaque, text: *mut c_char, capacity: usize);
    fn codecs_vp8_decoder_close(decoder: *mut Opaque);
}

/// When a picture is shown: both in ticks of 1/90000 s, counted from the encoder's first picture.
#[derive(Clone, Copy)]
pub(super) struct PictureTime {
    pub(super) pts: i64,
    pub(super) duration: u32,
}

/// An open libvpx encoder for pictures of one size.
pub(super) struct RawEncoder {
    handle: NonNull<Opaque>,
    size: PictureSize,
}

// SAFETY: a libvpx context has no tie to the thread that made it, and with one thread configured
// nothing but our own calls, all through `&mut self`, ever touches it.
unsafe impl Send for RawEncoder {}

impl RawEncoder {
    /// `None` if libvpx refuses the settings or is out of memory.
    pub(super) fn open(size: PictureSize, bitrate_kbps: u32, cpu_used: i32) -> Option<Self> {
        let width = u32::try_from(size.width()).ok()?;
        let height = u32::try_from(size.height()).ok()?;
        // SAFETY: takes plain numbers, which the shim and libvpx validate.
        let handle = unsafe { codecs_vp8_encoder_open(width, height, bitrate_kbps, cpu_used) };
        NonNull::new(handle).map(|handle| Self { handle, size })
    }

    pub(super) fn set_bitrate(&mut self, bitrate_kbps: u32) -> Result<(), String> {
        // SAFETY: the handle is open until drop.
        let code = unsafe { codecs_vp8_encoder_set_bitrate(self.handle.as_ptr(), bitrate_kbps) };
        if code == 0 { Ok(()) } else { Err(self.error()) }
    }

    /// Aims keyframes at no more than `percent` of what one frame may weigh; 0 is no bound.
    pub(super) fn bound_keyframes(&mut self, percent: u32) -> Result<(), String> {
        // SAFETY: the handle is open until drop.
        let code = unsafe { codecs_vp8_encoder_bound_keyframes(self.handle.as_ptr(), percent) };
        if code == 0 { Ok(()) } else { Err(self.error()) }
    }

    /// Encodes one picture of the encoder's size and replaces `frame` by what came out.
    ///
    /// # Panics
    ///
    /// If the picture is not of the encoder's size, or does not hold the rows it claims: no
    /// [`PictureView`] that can be made does that.
    pub(super) fn encode(
        &mut self,
        picture: PictureView<'_>,
        time: PictureTime,
        wanted: FrameKind,
        frame: &mut Vec<u8>,
    ) -> Result<FrameKind, String> {
        let (size, y_stride, chroma_stride) =
            (self.size, picture.y_stride(), picture.chroma_stride());
        assert_eq!(picture.size(), size);
        assert!(holds(picture.y(), y_stride, size.width(), size.height()));
        for plane in [picture.u(), picture.v()] {
            assert!(holds(
                plane,
                chroma_stride,
                size.chroma_width(),
                size.chroma_height()
            ));
        }
        let (Ok(y_stride), Ok(chroma_stride)) =
            (i32::try_from(y_stride), i32::try_from(chroma_stride))
        else {
            return Err("stride beyond 31 bits".to_owned());
        };
        // SAFETY: the handle is open; the planes hold the rows of the encoder's size at these
        // strides (asserted above), and libvpx copies them before it returns.
        let code = unsafe {
            codecs_vp8_encoder_encode(
                self.handle.as_ptr(),
                picture.y().as_ptr(),
                picture.u().as_ptr(),
                picture.v().as_ptr(),
                y_stride.unsigned_abs(),
                chroma_stride.unsigned_abs(),
                time.pts,
                time.duration,
                c_int::from(wanted == FrameKind::Key),
            )
        };
        if code != 0 {
            return Err(self.error());
        }
        self.copy_packet(frame);
        if frame.is_empty() {
            return Err("no frame came out".to_owned());
        }
        // SAFETY: the handle is open.
        let is_key = unsafe { codecs_vp8_encoder_packet_is_key(self.handle.as_ptr()) };
        Ok(if is_key == 0 {
            FrameKind::Delta
        } else {
            FrameKind::Key
        })
    }

    fn copy_packet(&mut self, frame: &mut Vec<u8>) {
        // SAFETY: the handle is open.
        let bytes = unsafe { codecs_vp8_encoder_packet_bytes(self.handle.as_ptr()) };
        frame.clear();
        frame.resize(bytes, 0);
        // SAFETY: `frame` has exactly the room that the packet needs, and no call since has
        // replaced the packet.
        unsafe { codecs_vp8_encoder_copy_packet(self.handle.as_ptr(), frame.as_mut_ptr()) };
    }

    fn error(&mut self) -> String {
        let mut text = [0; MESSAGE_BYTES];
        // SAFETY: the handle is open and the shim writes at most `text.len()` bytes.
        unsafe {
            codecs_vp8_encoder_error(self.handle.as_ptr(), text.as_mut_ptr(), text.len());
        }
        message(&text)
    }
}

impl Drop for RawEncoder {
    fn drop(&mut self) {
        // SAFETY: the handle is open and nobody uses it after this.
        unsafe { codecs_vp8_encoder_close(self.handle.as_ptr()) };
    }
}

/// An open libvpx decoder.
pub(super) struct RawDecoder {
    handle: NonNull<Opaque>,
}

// SAFETY: as for `RawEncoder`.
unsafe impl Send for RawDecoder {}

impl RawDecoder {
    /// `None` if out of memory.
    pub(super) fn open() -> Option<Self> {
        // SAFETY: takes nothing.
        let handle = unsafe { codecs_vp8_decoder_open() };
        NonNull::new(handle).map(|handle| Self { handle })
    }

    /// Decodes one frame. Data or references that libvpx found damaged are an error.
    pub(super) fn decode(&mut self, frame: &[u8]) -> Result<(), String> {
        let length = u32::try_from(frame.len()).map_err(|_| "longer than 4 GiB".to_owned())?;
        // SAFETY: the handle is open and `frame` has `length` readable bytes, which libvpx does
        // not keep.
        let code =
            unsafe { codecs_vp8_decoder_decode(self.handle.as_ptr(), frame.as_ptr(), length) };
        match code {
            0 => Ok(()),
            1 => Err(self.error()),
            _ => Err("data or references are damaged".to_owned()),
        }
    }

    /// The size of the picture that the last frame gave, if it is one to show.
    pub(super) fn picture_size(&self) -> Option<PictureSize> {
        let (mut width, mut height) = (0, 0);
        // SAFETY: the handle is open; both places are ours to write.
        unsafe { codecs_vp8_decoder_size(self.handle.as_ptr(), &raw mut width, &raw mut height) };
        PictureSize::new(width, height).ok()
    }

    /// Makes `picture` what the last frame gave; `false`, and nothing done, if it gave nothing.
    pub(super) fn copy_picture(&self, picture: &mut I420) -> bool {
        let Some(size) = self.picture_size() else {
            return false;
        };
        picture.resize(size);
        let mut view = picture.view_mut();
        let planes = view.planes();
        let chroma = size.chroma_width() * size.chroma_height();
        assert_eq!(
            (planes.y_stride, planes.chroma_stride),
            (size.width(), size.chroma_width())
        );
        assert!(planes.y.len() >= size.pixels());
        assert!(planes.u.len() >= chroma && planes.v.len() >= chroma);
        // SAFETY: the handle is open; the shim writes rows without padding of the size it just
        // told, for which the planes have room (asserted above).
        unsafe {
            codecs_vp8_decoder_copy(
                self.handle.as_ptr(),
                planes.y.as_mut_ptr(),
                planes.u.as_mut_ptr(),
                planes.v.as_mut_ptr(),
            );
        }
        true
    }

    fn error(&mut self) -> String {
        let mut text = [0; MESSAGE_BYTES];
        // SAFETY: the handle is open and the shim writes at most `text.len()` bytes.
        unsafe {
            codecs_vp8_decoder_error(self.handle.as_ptr(), text.as_mut_ptr(), text.len());
        }
        message(&text)
    }
}

impl Drop for RawDecoder {
    fn drop(&mut self) {
        // SAFETY: the handle is open and nobody uses it after this.
        unsafe { codecs_vp8_decoder_close(self.handle.as_ptr()) };
    }
}

/// Whether `plane` holds `height` rows of `width` bytes, `stride` apart.
fn holds(plane: &[u8], stride: usize, width: usize, height: usize) -> bool {
    width <= stride && plane.len() >= (height - 1) * stride + width
}

/// The text up to its terminating zero.
fn message(text: &[c_char]) -> String {
    let bytes: Vec<u8> = text
        .iter()
        .map(|c| c.to_ne_bytes()[0])
        .take_while(|byte| *byte != 0)
        .collect();
    String::from_utf8_lossy(&bytes).into_owned()
}
