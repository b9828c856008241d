//! Plain aws-lc-rs: one signature after the other, without tables, rings or batches.

use std::error::Error;

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ParsedPublicKey};
use sealgate_crypto::sign::SigningKey;

/// Octets of what is signed; to hash them is a hundredth of the work.
const MESSAGE: usize = 200;
/// Messages that are verified in turn.
const MESSAGES: usize = 512;

/// A key that was parsed once, and messages that it signed.
pub struct Verifier {
    key: ParsedPublicKey,
    signed: Vec<([u8; MESSAGE], Vec<u8>)>,
    next: usize,
}

impl Verifier {
    /// * `key`: a P-256 key
    ///
    /// # Errors
    /// A key of another kind, or one that does not sign.
    pub fn new(key: &SigningKey) -> Result<Self, Box<dyn Error>> {
        let parsed = ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key.public().bits())?;
        let mut signed = Vec::with_capacity(MESSAGES);
        for number in 0..MESSAGES {
            let mut message = [0; MESSAGE];
            message.iter_mut().zip(number.to_le_bytes()).for_each(|(to, from)| *to = from);
            let mut signature = [0; 256];
            let len = key.sign(&message, &mut signature)?;
            signed.push((message, signature.get(..len).unwrap_or_default().to_vec()));
        }
        Ok(Self { key: parsed, signed, next: 0 })
    }

    /// Hashes and verifies the next message; false if its signature does not hold.
    pub fn verify_one(&mut self) -> bool {
        let Some((message, signature)) = self.signed.get(self.next) else { return false };
        self.next = (self.next + 1) % self.signed.len();
        self.key.verify_sig(message, signature).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::operator_key;

    #[test]
    fn what_the_operator_signed_holds_and_what_was_changed_does_not() -> Result<(), Box<dyn Error>> {
        let mut verifier = Verifier::new(&operator_key()?)?;
        assert!((0..2 * MESSAGES).all(|_| verifier.verify_one()));
        verifier.signed[0].0[100] ^= 1;
        assert!(!verifier.verify_one());
        Ok(())
    }
}
