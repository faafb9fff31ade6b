//! Compiles the C shims and finds the C libraries, when the feature `native` asks for them.

fn main() {
    #[cfg(feature = "native")]
    native();
}

#[cfg(feature = "native")]
fn native() {
    const SHIMS: [&str; 2] = ["src/vp8/shim.c", "src/yuv/shim.c"];

    let vpx = match pkg_config::Config::new()
        .atleast_version("1.8")
        .probe("vpx")
    {
        Ok(library) => library,
        Err(error) => panic!("libvpx 1.8 or newer is needed (Debian: libvpx-dev): {error}"),
    };
    // libyuv has no pkg-config file.
    println!("cargo::rustc-link-lib=yuv");

    let mut build = cc::Build::new();
    build
        .includes(vpx.include_paths)
        .std("c11")
        .warnings(true)
        .extra_warnings(true);
    for shim in SHIMS {
        println!("cargo::rerun-if-changed={shim}");
        build.file(shim);
    }
    build.compile("codecs_shims");
}
