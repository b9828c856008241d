//! What Sealgate costs. Everything here drives [`sealgate_dataplane::pipeline::Worker::turn`] and the crypto pool itself,
//! never a copy of them.
#![forbid(unsafe_code)]

pub mod attack;
pub mod compare;
pub mod cost;
pub mod crypto;
pub mod fault;
pub mod full;
pub mod gateway;
pub mod icount;
pub mod load;
pub mod measure;
pub mod mix;
pub mod model;
pub mod pool;
pub mod record;
pub mod reload;
pub mod report;
pub mod rival;
pub mod rules;
mod scratch;
pub mod sweep;
pub mod sync;
pub mod traffic;
