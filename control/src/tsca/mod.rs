//! The client of a trust repository (formats 12.4, 12.5): it fetches what a TSCA publishes and keeps what held last.
//!
//! ```text
//! fetch (octets, with bounds) -> format (values) -> sync (what to do about it) -> store (last good) -> keeper (swap)
//! ```
//! Whatever the server does, the last good certificates stay in force until something better was proven, and an alarm
//! says why.

pub mod alarm;
pub mod callers;
pub mod fetch;
pub mod format;
pub mod keeper;
pub mod objects;
pub mod proof;
pub mod source;
pub mod store;
pub mod sync;
mod value;
