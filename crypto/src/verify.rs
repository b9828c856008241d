//! Public keys, parsed once, and the proof that a signature held.

use crate::alg::Alg;
use crate::der;
use aws_lc_rs::digest::{self, Digest};
use aws_lc_rs::signature::{self, ParsedPublicKey, RsaParameters, VerificationAlgorithm};
use core::fmt;
use std::sync::Arc;

/// Octets of the longest signature a key of this crate has: RSA with 4096 bits.
pub const MAX_SIGNATURE: usize = 512;

/// Why a key is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not strict DER, or octets after its end.
    #[error("key is not one strict DER structure")]
    Der,
    /// The PEM text is not exactly one `PRIVATE KEY` block of base64.
    #[error("PEM text is not exactly one PRIVATE KEY block")]
    Pem,
    /// The algorithm, or its parameters, are none of [`Alg`].
    #[error("key algorithm is none of p256, ed25519, rsa2048, p384")]
    Algorithm,
    /// The point is not on the curve, is compressed, or (Ed25519) has small order.
    #[error("public point is not on the curve, not in uncompressed form, or of small order")]
    Point,
    /// RSA modulus outside the allowed sizes.
    #[error("RSA modulus of {bits} bits is not allowed")]
    RsaSize {
        /// Bits of the modulus.
        bits: u32,
    },
    /// The private key is inconsistent or its numbers are out of range.
    #[error("private key is not valid")]
    Private,
}

struct Inner {
    alg: Alg,
    parsed: ParsedPublicKey,
    /// Value of the subjectPublicKey BIT STRING.
    bits: Box<[u8]>,
    ski: [u8; 20],
    signature_len: usize,
}

/// A public key that verifies. Parsed and checked once; a clone is one reference count.
///
/// Two keys are equal when algorithm and key octets are.
#[derive(Clone)]
pub struct PublicKey(Arc<Inner>);

impl PublicKey {
    /// Reads a SubjectPublicKeyInfo, the form inside certificates; RSA from 2048 to 4096 bits.
    ///
    /// EC points come uncompressed and lie on the curve: a second encoding would give one key a second identifier.
    /// Ed25519 points of small order are refused, because anybody can sign for them. Whether an Ed25519 point is on the
    /// curve shows at verification only: such a key refuses every signature.
    /// # Errors
    /// [`KeyError::Der`], [`KeyError::Algorithm`], [`KeyError::Point`] or [`KeyError::RsaSize`].
    /// # Source
    /// RFC 5480, RFC 8410, RFC 3279 2.3.1; formats.md 1.3.
    pub fn from_spki_der(der: &[u8]) -> Result<Self, KeyError> {
        Self::from_spki_der_with(der, false)
    }

    /// As [`PublicKey::from_spki_der`]; with `allow_legacy_rsa` also RSA from 1024 bits, for a SigFW peer that has
    /// nothing better and whose operator said so.
    /// # Errors
    /// As [`PublicKey::from_spki_der`].
    pub fn from_spki_der_with(der: &[u8], allow_legacy_rsa: bool) -> Result<Self, KeyError> {
        let (algorithm, bits) = der::spki(der).ok_or(KeyError::Der)?;
        Self::from_bits(alg_of(algorithm).ok_or(KeyError::Algorithm)?, bits, allow_legacy_rsa)
    }

    /// A key from the value of its BIT STRING: a point, 32 octets of Ed25519, or an RSAPublicKey.
    pub(crate) fn from_bits(alg: Alg, bits: &[u8], allow_legacy_rsa: bool) -> Result<Self, KeyError> {
        let rsa: &'static RsaParameters = if allow_legacy_rsa {
            &signature::RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY
        } else {
            &signature::RSA_PKCS1_2048_8192_SHA256
        };
        let (verifier, fault, signature_len): (&'static dyn VerificationAlgorithm, _, _) = match alg {
            Alg::P256 if is_uncompressed(bits, 65) => (&signature::ECDSA_P256_SHA256_ASN1, KeyError::Point, 64),
            Alg::P384 if is_uncompressed(bits, 97) => (&signature::ECDSA_P384_SHA384_ASN1, KeyError::Point, 96),
            Alg::Ed25519 if bits.len() == 32 && !has_small_order(bits) => (&signature::ED25519, KeyError::Point, 64),
            Alg::P256 | Alg::P384 | Alg::Ed25519 => return Err(KeyError::Point),
            Alg::Rsa2048 => {
                // aws-lc-rs takes an RSAPublicKey with octets after it; we do not.
                if !der::take(bits, 0x30).is_some_and(|(_, end)| end.is_empty()) {
                    return Err(KeyError::Der);
                }
                let size = RsaParameters::public_modulus_len(bits).map_err(|_| KeyError::Der)?;
                let least = if allow_legacy_rsa { 1024 } else { 2048 };
                if !(least..=4096).contains(&size) {
                    return Err(KeyError::RsaSize { bits: size });
                }
                (rsa, KeyError::Der, usize::try_from(size.div_ceil(8)).map_err(|_| KeyError::Der)?)
            }
        };
        let parsed = ParsedPublicKey::new(verifier, bits).map_err(|_| fault)?;
        let mut ski = [0; 20];
        ski.copy_from_slice(sha256(bits).first_chunk::<20>().ok_or(KeyError::Der)?);
        Ok(Self(Arc::new(Inner { alg, parsed, bits: bits.into(), ski, signature_len })))
    }

    /// The algorithm; it is a property of the key and never taken from a message.
    #[must_use]
    pub fn alg(&self) -> Alg {
        self.0.alg
    }

    /// Subject key identifier: the first 20 octets of SHA-256 over the key octets.
    /// # Source
    /// RFC 7093 method 1; formats.md 1.2.
    #[must_use]
    pub fn ski(&self) -> [u8; 20] {
        self.0.ski
    }

    /// Security association identifier: the first 8 octets of [`PublicKey::ski`] (formats.md 1.2).
    #[must_use]
    pub fn sai(&self) -> [u8; 8] {
        let [a, b, c, d, e, f, g, h, ..] = self.0.ski;
        [a, b, c, d, e, f, g, h]
    }

    /// Octets of every signature of this key: 64, 96, or the RSA modulus (256 for 2048 bits).
    #[must_use]
    pub fn signature_len(&self) -> usize {
        self.0.signature_len
    }

    /// Value of the subjectPublicKey BIT STRING: a point `04 x y`, 32 octets of Ed25519, or an RSAPublicKey.
    #[must_use]
    pub fn bits(&self) -> &[u8] {
        &self.0.bits
    }

    /// Whether `signature` (raw: r then s for ECDSA) is good for `message` under this key. `false` for every fault.
    ///
    /// For control and tests; the data plane uses the pool, whose answer is a [`Verified`]. Allocates nothing on the
    /// Rust heap.
    #[must_use]
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        match self.digest(message) {
            Some(digest) => self.verify_digest(digest.as_ref(), signature),
            None => self.verify_message(message, signature),
        }
    }

    /// Digest that this key's signatures are made over; `None` for Ed25519, which hashes for itself.
    pub(crate) fn digest(&self, message: &[u8]) -> Option<Digest> {
        match self.0.alg {
            Alg::P256 | Alg::Rsa2048 => Some(digest::digest(&digest::SHA256, message)),
            Alg::P384 => Some(digest::digest(&digest::SHA384, message)),
            Alg::Ed25519 => None,
        }
    }

    /// Ed25519: SHA-512 of R, A and the message, from which an engine of ours goes on. `None` for every other algorithm, and
    /// for a signature of another length.
    /// # Source
    /// RFC 8032 5.1.7
    pub(crate) fn challenge(&self, message: &[u8], signature: &[u8]) -> Option<Digest> {
        if self.0.alg != Alg::Ed25519 || signature.len() != self.0.signature_len {
            return None;
        }
        let mut context = digest::Context::new(&digest::SHA512);
        context.update(signature.get(..32)?);
        context.update(&self.0.bits);
        context.update(message);
        Some(context.finish())
    }

    /// Whether a check needs the message itself and not only its digest.
    pub(crate) fn takes_message(&self) -> bool {
        self.0.alg == Alg::Ed25519
    }

    /// ECDSA and RSA over the octets of a ready digest. `false` for Ed25519 and for a digest of another length.
    pub(crate) fn verify_digest(&self, digest: &[u8], signature: &[u8]) -> bool {
        let (kind, half) = match self.0.alg {
            _ if signature.len() != self.0.signature_len => return false,
            Alg::P256 => (&digest::SHA256, Some(32)),
            Alg::P384 => (&digest::SHA384, Some(48)),
            Alg::Rsa2048 => (&digest::SHA256, None),
            Alg::Ed25519 => return false,
        };
        let Ok(digest) = Digest::import_less_safe(digest, kind) else { return false };
        match half {
            Some(half) => der::ecdsa_signature(signature, half)
                .is_some_and(|der| self.0.parsed.verify_digest_sig(&digest, der.as_slice()).is_ok()),
            None => self.0.parsed.verify_digest_sig(&digest, signature).is_ok(),
        }
    }

    /// Ed25519 over the message itself. `false` for every other algorithm.
    pub(crate) fn verify_message(&self, message: &[u8], signature: &[u8]) -> bool {
        self.takes_message()
            && signature.len() == self.0.signature_len
            && self.0.parsed.verify_sig(message, signature).is_ok()
    }
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || (self.0.alg == other.0.alg && self.0.bits == other.0.bits)
    }
}

impl Eq for PublicKey {}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({} ", self.0.alg)?;
        self.sai().iter().try_for_each(|octet| write!(f, "{octet:02x}"))?;
        f.write_str(")")
    }
}

/// Proof that a signature held. Neither `Clone` nor buildable outside this crate; names the job it answers.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "a proof that nobody uses lets nothing pass"]
pub struct Verified {
    ticket: u64,
}

impl Verified {
    /// Only where the answer of a crypto thread is read, which comes from an engine's verdict.
    pub(crate) fn new(ticket: u64) -> Self {
        Self { ticket }
    }

    /// The ticket the job was submitted with.
    #[must_use]
    pub fn ticket(&self) -> u64 {
        self.ticket
    }
}

/// SHA-256 of `octets`.
#[must_use]
pub fn sha256(octets: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    // Both are 32 octets long.
    out.iter_mut().zip(digest::digest(&digest::SHA256, octets).as_ref()).for_each(|(to, from)| *to = *from);
    out
}

/// The algorithm that an AlgorithmIdentifier's content names, parameters included.
pub(crate) fn alg_of(identifier: &[u8]) -> Option<Alg> {
    match identifier {
        der::ID_P256 => Some(Alg::P256),
        der::ID_P384 => Some(Alg::P384),
        der::ID_ED25519 => Some(Alg::Ed25519),
        der::ID_RSA => Some(Alg::Rsa2048),
        _ => None,
    }
}

fn is_uncompressed(bits: &[u8], len: usize) -> bool {
    bits.len() == len && bits.first() == Some(&4)
}

/// y of the Ed25519 points whose order divides 8, little-endian, with the encodings above p; the sign bit is masked.
const SMALL_ORDER: [[u8; 32]; 7] = [
    [0; 32],
    with_ends(1, 0, 0),
    with_ends(0xec, 0xff, 0x7f),
    with_ends(0xed, 0xff, 0x7f),
    with_ends(0xee, 0xff, 0x7f),
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5, 0xdf,
        0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05,
    ],
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a, 0x20,
        0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a,
    ],
];

const fn with_ends(first: u8, middle: u8, last: u8) -> [u8; 32] {
    let mut y = [middle; 32];
    y[0] = first;
    y[31] = last;
    y
}

fn has_small_order(bits: &[u8]) -> bool {
    let Some((&last, head)) = bits.split_last() else { return true };
    SMALL_ORDER.iter().any(|y| {
        y.split_last().is_some_and(|(&small_last, small_head)| small_head == head && small_last == last & 0x7f)
    })
}
