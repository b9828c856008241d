//! What Sealgate costs. Everything here drives [`sealgate_dataplane::pipeline::Worker::turn`] and the crypto pool itself,
//! never a copy of them.
#![forbid(unsafe_code)]

pub mod attack;
pub mod cost;
pub mod crypto;
pub mod gateway;
pub mod icount;
pub mod measure;
pub mod pool;
pub mod record;
pub mod reload;
pub mod rival;
mod scratch;
pub mod sync;
pub mod traffic;
