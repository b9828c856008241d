//! PASSporTs in Identity headers: STIR as formats 8 checks it, without a key, a clock or a memory.
//!
//! Somebody else's token, perhaps a forged one, is read before its signature is looked at: everything here is bounded, and
//! what two readers of base64url or JSON could read differently is refused.
//!
//! A verdict takes these in this order: [`select`] (S1); [`Identity::read`] (S2 to S4); [`x5u_host`] (S5); certificate
//! (S6, S7); [`fresh`] (S8); [`Passport::names`] (S9), or [`div_chain`]; certificate's numbers (S10);
//! [`Identity::signature`] over [`Passport::input`] (S11); replay (S12); [`Passport::attested`] (S13).

pub mod base64url;
mod claims;
mod div;
mod identity;
mod json;
mod write;

pub use claims::{Attest, Claims, Dest, Head, Party};
pub use div::{MAX_DIVS, div_chain};
pub use identity::{Compact, Identity, Passport, Scratch, diversions, fresh, select, x5u_host};
pub use json::{MAX_DEPTH, MAX_MEMBERS, MAX_VALUES, Text};
pub use write::{Outgoing, emit_identity};

/// The longest first two parts of a token, in octets of base64url: some hundred in all profiles known.
pub const MAX_PART: usize = 0x4000;
/// The longest URI of a certificate.
pub const MAX_INFO: usize = 1024;

#[cfg(test)]
mod tests;
