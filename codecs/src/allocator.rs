//! The C library's allocator, told to give memory back.
//!
//! glibc takes large blocks from the system one by one and returns them as soon as they are freed,
//! but "large" rises to the size of whatever was freed before. After the first encoder the next
//! ones lie in the heaps of their threads, where anything small that lives longer keeps them: a
//! server that mixed in two rooms holds tens of megabytes for each thread that ever had one.
//!
//! Small blocks go back only from the end of a heap, and something that lives on is always there: of
//! a crowd that came and went, all of its memory stays unless it is asked for.
#![cfg_attr(
    all(target_os = "linux", target_env = "gnu"),
    expect(
        unsafe_code,
        reason = "calls into C; the crate's one file for the C library"
    )
)]

/// Keeps every block of 128 KiB and more apart, so that freeing it returns it to the system.
///
/// For the start of a process that lives long. Such blocks are rare and live long too: a tick makes
/// none. Other C libraries than glibc do so unasked, or have no such setting; nothing happens then.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub fn keep_large_blocks_apart() {
    use std::ffi::c_int;

    /// malloc.h, the same on every architecture.
    const M_MMAP_THRESHOLD: c_int = -3;
    /// What glibc begins with; setting it is what stops it from rising.
    const LARGE_BYTES: c_int = 128 * 1024;

    unsafe extern "C" {
        fn mallopt(parameter: c_int, value: c_int) -> c_int;
    }

    // SAFETY: mallopt may be called at any time from any thread, and takes any numbers. It refuses
    // those it does not know (mallopt(3)); then everything stays as it was.
    let _ = unsafe { mallopt(M_MMAP_THRESHOLD, LARGE_BYTES) };
}

/// Does nothing here: only glibc needs to be told.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub const fn keep_large_blocks_apart() {}

/// Gives the system back what is free, wherever it lies.
///
/// For the moment after a crowd has left. It takes milliseconds, some 20 for 60 MB on a busy machine, in
/// which threads that need the same heap wait. Does nothing with other C libraries than glibc.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub fn give_back() {
    use std::ffi::c_int;

    unsafe extern "C" {
        fn malloc_trim(keep_bytes: usize) -> c_int;
    }

    // SAFETY: malloc_trim may be called at any time from any thread, and touches only what is free
    // (malloc_trim(3)).
    let _ = unsafe { malloc_trim(0) };
}

/// Does nothing here: only glibc needs to be asked.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub const fn give_back() {}
