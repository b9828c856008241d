//! What Sealgate costs. Everything here drives [`sealgate_dataplane::pipeline::Worker::turn`], never a copy of it.
#![forbid(unsafe_code)]

pub mod gateway;
pub mod measure;
pub mod traffic;
