//! Finds the system's libdpdk 22.11, compiles the shim against its headers and links the libraries that it calls: four, and
//! one more with the feature `cryptodev`.
//!
//! Exactly 22.11.x: the shim reads structures whose layout belongs to one release. Drivers are not linked, EAL loads
//! them from the directory built into it.

use std::process::{Command, exit};

/// The release whose ABI the shim is written for.
const RELEASE: &str = "22.11";

/// What the shim calls. Everything else, drivers included, comes with these at run time.
const LIBRARIES: [&str; 4] = ["rte_ethdev", "rte_mbuf", "rte_mempool", "rte_eal"];

/// What the part for crypto devices calls besides.
const CRYPTO: &str = "rte_cryptodev";

fn main() {
    println!("cargo:rerun-if-changed=shim.c");
    println!("cargo:rerun-if-changed=crypto.c");
    println!("cargo:rerun-if-changed=wrapper.h");
    if let Err(fault) = build() {
        eprintln!("error: {fault}");
        exit(1);
    }
}

fn build() -> Result<(), String> {
    // `probe` emits rerun-if-env-changed; its link list (some hundred libraries) is not wanted.
    let found = pkg_config::Config::new().cargo_metadata(false).probe("libdpdk").map_err(|error| {
        format!(
            "libdpdk {RELEASE} was not found.\n\
             On Debian 12: apt-get install gcc libc6-dev pkg-config libdpdk-dev\n\
             Without it, build without the feature `dpdk`. pkg-config says: {}",
            error.to_string().lines().find(|line| !line.trim().is_empty()).unwrap_or("nothing")
        )
    })?;
    if !found.version.strip_prefix(RELEASE).is_some_and(|rest| rest.is_empty() || rest.starts_with('.')) {
        return Err(format!(
            "libdpdk {} was found, but the shim is written for {RELEASE}.x, the release of Debian 12 \
             (apt package libdpdk-dev). Point PKG_CONFIG_PATH at a {RELEASE} installation.",
            found.version
        ));
    }

    let crypto = std::env::var_os("CARGO_FEATURE_CRYPTODEV").is_some();
    let mut shim = cc::Build::new();
    if crypto {
        shim.file("crypto.c");
    }
    shim.file("shim.c").includes(&found.include_paths).warnings(true).flag("-Wextra").flag("-Werror=implicit");
    // DPDK's headers use extensions, and are not ours to warn about: they come in as system headers.
    shim.flag("-std=gnu11");
    for flag in flags()? {
        shim.flag(&flag);
    }
    shim.try_compile("sealgate_dpdk_shim").map_err(|error| format!("the shim does not compile: {error}"))?;

    for path in &found.link_paths {
        println!("cargo:rustc-link-search=native={}", path.display());
    }
    for library in crypto.then_some(CRYPTO).into_iter().chain(LIBRARIES) {
        println!("cargo:rustc-link-lib=dylib={library}");
    }
    // Dependents read this as DEP_DPDK_VERSION.
    println!("cargo:version={}", found.version);
    Ok(())
}

/// What the `pkg-config` crate leaves out of its answer: `-include rte_config.h` and the `-march` the library was
/// built with, which the vector code inlined from its headers must share.
fn flags() -> Result<Vec<String>, String> {
    let program = std::env::var("PKG_CONFIG").unwrap_or_else(|_| "pkg-config".to_owned());
    let answer = Command::new(&program)
        .args(["--cflags-only-other", "libdpdk"])
        .output()
        .map_err(|error| format!("cannot run {program}: {error}"))?;
    if !answer.status.success() {
        return Err(format!("{program} --cflags-only-other libdpdk failed: {}", answer.status));
    }
    Ok(String::from_utf8_lossy(&answer.stdout).split_whitespace().map(str::to_owned).collect())
}
