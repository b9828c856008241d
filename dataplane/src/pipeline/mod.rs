//! The one way through: rx burst -> decode -> claims -> verify -> verdict -> rewrite -> tx.
//!
//! Each stage is a file. [`worker::Worker::turn`] is the whole loop; product, replay, tests, fuzzing and benchmarks drive
//! that same function.

mod association;
mod carrier;
mod claims;
mod connection;
mod datagram;
mod decode;
pub mod detect;
mod fragment;
mod parked;
mod reassembly;
mod rewrite;
mod ruled;
mod shared;
pub mod slots;
pub mod tap;
mod timed;
mod verdict;
pub mod worker;

pub use slots::Record;
pub use timed::{Part, alone};
pub use worker::{Sides, Worker, WorkerConfig};
