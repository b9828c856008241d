//! Octets to values and back: the signalling codecs of Sealgate.
//!
//! Knows nobody: no dependency, no I/O, no clock. Each decoder reads in place, refuses with a numbered
//! [`reason::Reason`] and the octet where it showed, and never panics on any octets.
#![forbid(unsafe_code)]

pub mod addr;
mod argument;
pub mod ber;
pub mod cap;
pub mod cursor;
pub mod diameter;
pub mod eth;
pub mod frame_builder;
pub mod fuzzing;
pub mod gtp;
pub mod ip;
pub mod isup;
pub mod list;
pub mod m2pa;
pub mod m3ua;
pub mod map;
pub mod reason;
pub mod sccp;
pub mod sctp;
pub mod sec;
pub mod sip;
pub mod sua;
pub mod tcap;
pub mod tcp;
mod template;
pub mod udp;

pub use reason::{Reason, Refusal};
