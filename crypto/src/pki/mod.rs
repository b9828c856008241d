//! Certificates, revocation lists and chains of the signalling PKI (formats 12): pure functions of octets, anchors and
//! a time.
//!
//! [`load`] is the door: it takes files as octets and answers which keys may sign what, and why the others may not.
//! A certificate that is only out of its time, revoked, or without a fresh revocation list stays a [`Signer`] with that
//! [`CertState`], so that a message it signed is refused under its true name. Everything else that is wrong makes it
//! [`Rejected`].

mod certificate;
mod crl;
mod der;
mod extension;
pub mod fuzzing;
mod identifiers;
mod load;
mod numbers;
mod object;
mod request;
mod trust;

pub use certificate::{Certificate, Usage, oid};
pub use crl::Crl;
pub use der::NotDer;
pub use extension::Role;
pub use identifiers::{IdentifierError, Identifiers, PLAN_E164, PLAN_E214};
pub use load::{Known, load, load_again};
pub use numbers::Numbers;
pub use object::{Kind, Object, ReadError, objects_from_dir, objects_from_file, objects_from_octets};
pub use request::{CertificationRequest, MAX_REQUEST, RequestError, spki_of};
pub use trust::{Anchor, Caller, CertState, CrlStale, Fault, Options, Refused, Rejected, Signer, Trust};
