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

use sealgate_config::model::TrustFiles;

/// What stands in the way of renewing the certificate that a gateway signs with: the key of the appliance file at fault,
/// what is wrong, and the remedy.
///
/// * `signing`: `home.signing.cert` of the policy
pub fn fault(trust: &TrustFiles, signing: Option<&str>) -> Option<(&'static str, String, &'static str)> {
    let enrolment = trust.enrolment.as_ref()?;
    let Some(name) = signing else {
        let remedy = "give home.signing in the policy, or leave it out";
        return Some(("trust.enrolment", "nothing is signed, so no certificate is renewed".to_owned(), remedy));
    };
    if trust.token_keys.iter().any(|(cert, _)| cert == name) {
        let remedy = "leave it out, and have the certificate renewed by hand: sealgate tsca enrol";
        return Some(("trust.enrolment", format!("the key of {name} lies on a token"), remedy));
    }
    let remedy = "name the certificate that the server's comes from, or install the system's (ca-certificates)";
    roots(&enrolment.roots).err().map(|fault| ("trust.enrolment.roots", fault.to_string(), remedy))
}
