//! The only place that talks to libyuv, through the function of `shim.c`.
#![expect(unsafe_code, reason = "calls into C; the crate's one file for libyuv")]

use std::ffi::c_int;

use crate::video::{PictureSize, PictureView, PictureViewMut};

/// Why libyuv did nothing. It does not say more.
#[derive(Debug)]
pub(super) struct Refused;

/// A `codecs_yuv_source` or `codecs_yuv_target` of the shim: they differ by `const` alone.
#[repr(C)]
struct Planes<Sample> {
    y: Sample,
    u: Sample,
    v: Sample,
    y_stride: i32,
    chroma_stride: i32,
    width: i32,
    height: i32,
}

unsafe extern "C" {
    fn codecs_yuv_scale(from: *const Planes<*const u8>, to: *const Planes<*mut u8>) -> c_int;
}

/// Fills all of `to` with all of `from`.
///
/// # Panics
///
/// If a picture does not hold the rows it claims: none that can be made does that.
pub(super) fn scale(from: PictureView<'_>, to: &mut PictureViewMut<'_>) -> Result<(), Refused> {
    assert_holds(
        from.y(),
        from.y_stride(),
        from.size().width(),
        from.size().height(),
    );
    for plane in [from.u(), from.v()] {
        assert_chroma_holds(plane, from.chroma_stride(), from.size());
    }
    let source = Planes {
        y: from.y().as_ptr(),
        u: from.u().as_ptr(),
        v: from.v().as_ptr(),
        y_stride: number(from.y_stride())?,
        chroma_stride: number(from.chroma_stride())?,
        width: number(from.size().width())?,
        height: number(from.size().height())?,
    };

    let size = to.size();
    let planes = to.planes();
    assert_holds(planes.y, planes.y_stride, size.width(), size.height());
    assert_chroma_holds(planes.u, planes.chroma_stride, size);
    assert_chroma_holds(planes.v, planes.chroma_stride, size);
    let target = Planes {
        y: planes.y.as_mut_ptr(),
        u: planes.u.as_mut_ptr(),
        v: planes.v.as_mut_ptr(),
        y_stride: number(planes.y_stride)?,
        chroma_stride: number(planes.chroma_stride)?,
        width: number(size.width())?,
        height: number(size.height())?,
    };

    // SAFETY: both point to planes that hold the rows of their size at these strides (asserted
    // above), that live until after the call, and of which the target's are borrowed mutably, so
    // none overlap. libyuv keeps no pointer.
    let code = unsafe { codecs_yuv_scale(&raw const source, &raw const target) };
    if code == 0 { Ok(()) } else { Err(Refused) }
}

fn assert_chroma_holds(plane: &[u8], stride: usize, size: PictureSize) {
    assert_holds(plane, stride, size.chroma_width(), size.chroma_height());
}

fn assert_holds(plane: &[u8], stride: usize, width: usize, height: usize) {
    assert!(width <= stride && plane.len() >= (height - 1) * stride + width);
}

fn number(value: usize) -> Result<i32, Refused> {
    i32::try_from(value).map_err(|_| Refused)
}
