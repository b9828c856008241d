//! A gateway's own certificate: asked for at its authority, installed, and renewed in time (formats 12.6).
//!
//! The private key is made here and never leaves. Each step can be broken off and taken up again: what was asked for lies
//! beside the key until the certificate is installed.

mod client;
mod error;
mod files;
mod flow;
pub mod renew;
mod request;

pub use client::{Client, Reply};
pub use error::EnrolError;
pub use files::Places;
pub use flow::{Credential, Step, Wish, anchors, roots, step};
pub use request::certification_request;
