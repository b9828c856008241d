//! Load: a tester on a core of its own offers messages to a gateway, and looks at what comes back and when.
//!
//! ```text
//!   tester (a core)                          gateway under test (cores of its own)
//!   what is due -> port 0 ---- cable, ---->  interconnect -> Worker::turn -> home ----+
//!   ledger     <-  port 1 <--- memif or ---------------------------------------------+
//!                              network cards         and the same way back
//! ```
//!
//! Offers are open loop: a message is due at a time that only the load decides, and its latency counts from then. What is
//! lost, came twice, out of order or with another verdict than it must is counted one by one. Trials say how calm the
//! machine was; what follows from them is in [`mod@bench`] and [`search`].

pub mod bench;
pub mod cable;
pub mod calm;
pub mod feed;
pub mod forward;
pub mod hdr;
pub mod ledger;
#[cfg(feature = "dpdk")]
pub mod ports;
pub mod remote;
pub mod rig;
pub mod search;
pub mod tester;
mod warm;
