//! Signatures at the price of two multiplications: ECDSA over P-256 with nonces that were made beforehand.
//!
//! A nonce that signs two messages gives the private key away to whoever sees both (FIPS 186-5 §6.3). So this signs for keys
//! that are made from a seed in a profile and certified by an authority whose own key is published: there is nothing to
//! give away. It must never leave this crate.

use aws_lc_rs::digest::{SHA256, digest};
use p256::elliptic_curve::ops::Reduce;
use p256::elliptic_curve::point::AffineCoordinates;
use p256::elliptic_curve::sec1::ToEncodedPoint;
use p256::elliptic_curve::{Field, PrimeField};
use p256::{FieldBytes, ProjectivePoint, Scalar, U256};

use super::dice::Dice;

/// Nonces that are used in turn: as few as stay in the nearest cache.
const NONCES: usize = 256;

/// The private key of a test operator.
#[derive(Clone, Debug)]
pub struct TestKey(Scalar);

impl TestKey {
    /// The key with this number of a seed.
    pub(super) fn new(seed: u64, number: u32) -> Self {
        let mut text = b"sealgate perf test key".to_vec();
        text.extend_from_slice(&seed.to_be_bytes());
        text.extend_from_slice(&number.to_be_bytes());
        Self(scalar(&text))
    }

    /// The same in PKCS#8 (RFC 5915, RFC 5958), as OpenSSL writes it.
    pub fn to_pkcs8(&self) -> Vec<u8> {
        const FRONT: [u8; 36] = [
            0x30, 0x81, 0x87, 0x02, 0x01, 0x00, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06,
            0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x04, 0x6d, 0x30, 0x6b, 0x02, 0x01, 0x01, 0x04, 0x20,
        ];
        const BETWEEN: [u8; 5] = [0xa1, 0x44, 0x03, 0x42, 0x00];
        let public = (ProjectivePoint::GENERATOR * self.0).to_affine().to_encoded_point(false);
        [FRONT.as_slice(), &self.0.to_bytes(), &BETWEEN, public.as_bytes()].concat()
    }
}

fn reduced(octets: &[u8]) -> Scalar {
    let mut field = FieldBytes::default();
    if let Some(octets) = octets.get(..field.len()) {
        field.copy_from_slice(octets);
    }
    <Scalar as Reduce<U256>>::reduce_bytes(&field)
}

/// A number of the group from a text; never zero in practice.
fn scalar(text: &[u8]) -> Scalar {
    reduced(digest(&SHA256, text).as_ref())
}

/// Half of a signature that does not depend on the message.
#[derive(Clone, Copy, Debug)]
struct Nonce {
    inverse: Scalar,
    r: Scalar,
}

/// Signs for any key.
#[derive(Clone, Debug)]
pub(super) struct Signer {
    nonces: Vec<Nonce>,
    next: usize,
}

impl Signer {
    pub(super) fn new(seed: u64) -> Option<Self> {
        let nonces = (0..NONCES).map(|number| {
            let mut text = b"sealgate perf test nonce".to_vec();
            text.extend_from_slice(&seed.to_be_bytes());
            text.extend_from_slice(&number.to_be_bytes());
            let nonce = scalar(&text);
            let r = reduced(&(ProjectivePoint::GENERATOR * nonce).to_affine().x());
            let inverse = Option::<Scalar>::from(nonce.invert())?;
            Some(Nonce { inverse, r }).filter(|nonce| !bool::from(nonce.r.is_zero()))
        });
        Some(Self { nonces: nonces.collect::<Option<_>>()?, next: 0 })
    }

    fn nonce(&mut self) -> Option<Nonce> {
        self.next = (self.next + 1) % NONCES;
        self.nonces.get(self.next).copied()
    }

    /// A good signature, raw: r, then s.
    #[inline]
    pub(super) fn sign(&mut self, key: &TestKey, covered: &[u8]) -> [u8; 64] {
        let Some(Nonce { inverse, r }) = self.nonce() else { return [0; 64] };
        let s = inverse * (scalar(covered) + r * key.0);
        joined(r.to_repr(), s.to_repr())
    }

    /// What looks like a signature: its r is a point's, its s is not the message's. It costs a verifier what a good one does.
    #[inline]
    pub(super) fn forge(&mut self, dice: &mut Dice) -> [u8; 64] {
        let Some(Nonce { r, .. }) = self.nonce() else { return [0; 64] };
        let mut s = FieldBytes::default();
        for part in s.chunks_exact_mut(8) {
            part.copy_from_slice(&dice.next().to_be_bytes());
        }
        s[0] = s[0] & 0x7f | 1; // below the order and not zero
        joined(r.to_repr(), s)
    }
}

fn joined(r: FieldBytes, s: FieldBytes) -> [u8; 64] {
    let mut signature = [0; 64];
    let (first, second) = signature.split_at_mut(32);
    first.copy_from_slice(&r);
    second.copy_from_slice(&s);
    signature
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
    use sealgate_crypto::sign::SigningKey;

    #[test]
    fn another_library_verifies_what_is_signed_and_refuses_what_is_forged() {
        let (mut signer, mut dice) = (Signer::new(1).expect("nonces"), Dice::new(1));
        for number in 0..20 {
            let key = TestKey::new(7, number);
            let der = key.to_pkcs8();
            assert!(SigningKey::from_pkcs8_der(&der).is_ok(), "with the public half that belongs to it");
            let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &der[73..]);
            for message in [&b"one"[..], b"another"] {
                let good = signer.sign(&key, message);
                assert!(public.verify(message, &good).is_ok());
                assert!(public.verify(b"something else", &good).is_err());
                assert!(public.verify(message, &signer.forge(&mut dice)).is_err());
            }
        }
    }

    #[test]
    fn keys_and_nonces_come_from_the_seed() {
        let sign = |seed| Signer::new(seed).map(|mut signer| signer.sign(&TestKey::new(seed, 0), b"message"));
        assert_eq!(sign(1), sign(1));
        assert_ne!(sign(1), sign(2));
        assert_ne!(TestKey::new(1, 0).to_pkcs8(), TestKey::new(1, 1).to_pkcs8());
    }
}
