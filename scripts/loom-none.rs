//! In the place of a crate that has no models of lock-free structures: see loom-rustc.
