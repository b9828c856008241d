//! Private keys. Signing is aws-lc-rs alone: constant time, and never one of our own engines.

use crate::alg::Alg;
use crate::der;
use crate::secret::{Secret, SecretError};
use crate::tables::locked::Locked;
use crate::token::{TokenAddress, TokenError};
use crate::verify::{KeyError, PublicKey, alg_of};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{self, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RsaKeyPair};
use core::fmt;
use std::path::Path;
use std::sync::Arc;

pub use crate::verify::sha256;

/// Octets of the longest signature that we make: RSA-2048.
pub const MAX_OWN_SIGNATURE: usize = 256;

/// Octets of the largest key file: RSA-2048 takes 1,704.
const MAX_FILE: usize = 16 * 1024;

/// Nothing was signed: no memory, no entropy, or no token. The message must not leave unsigned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("signing failed inside the crypto library or the token")]
pub struct SignError;

/// Why a key file is not accepted.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// It was not read.
    #[error(transparent)]
    File(#[from] SecretError),
    /// It was read, and holds no key.
    #[error(transparent)]
    Key(#[from] KeyError),
}

enum Pair {
    Ecdsa(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    Rsa(RsaKeyPair),
    #[cfg(feature = "pkcs11")]
    Token(crate::token::TokenKey),
}

/// A private key that signs. A clone is one reference count; the key's memory is wiped when the last one goes.
#[derive(Clone)]
pub struct SigningKey(Arc<(Pair, PublicKey)>);

impl SigningKey {
    /// Reads an unencrypted PKCS#8 key; RSA with 2048 bits exactly, because the wire has room for 256 octets.
    /// # Errors
    /// [`KeyError::Der`], [`KeyError::Algorithm`], [`KeyError::RsaSize`] or [`KeyError::Private`].
    /// # Source
    /// RFC 5958, RFC 8410; formats.md 1.3.
    pub fn from_pkcs8_der(der: &[u8]) -> Result<Self, KeyError> {
        let alg = alg_of(der::pkcs8_algorithm(der).ok_or(KeyError::Der)?).ok_or(KeyError::Algorithm)?;
        let ecdsa = |curve| EcdsaKeyPair::from_pkcs8(curve, der).map(Pair::Ecdsa);
        let pair = match alg {
            Alg::P256 => ecdsa(&signature::ECDSA_P256_SHA256_ASN1_SIGNING),
            Alg::P384 => ecdsa(&signature::ECDSA_P384_SHA384_ASN1_SIGNING),
            Alg::Ed25519 => Ed25519KeyPair::from_pkcs8(der).map(Pair::Ed25519),
            Alg::Rsa2048 => RsaKeyPair::from_pkcs8(der).map(Pair::Rsa),
        }
        .map_err(|_| KeyError::Private)?;
        let public = match &pair {
            Pair::Ecdsa(key) => PublicKey::from_bits(alg, key.public_key().as_ref(), false),
            Pair::Ed25519(key) => PublicKey::from_bits(alg, key.public_key().as_ref(), false),
            Pair::Rsa(key) => PublicKey::from_bits(alg, key.public_key().as_ref(), false),
            #[cfg(feature = "pkcs11")]
            Pair::Token(_) => Err(KeyError::Algorithm),
        }?;
        if public.signature_len() != alg.signature_len() {
            let bits = u32::try_from(public.signature_len() * 8).unwrap_or(u32::MAX);
            return Err(KeyError::RsaSize { bits });
        }
        Ok(Self(Arc::new((pair, public))))
    }

    /// Reads a key file: exactly one `PRIVATE KEY` block (PKCS#8), and nobody else may get at it.
    ///
    /// Text and decoded octets lie in locked memory and are wiped. The key itself lies where aws-lc puts it: only locking
    /// the whole process keeps that out of swap.
    /// # Errors
    /// [`KeyFileError`]; [`SecretError::Shared`] where others may read the file.
    pub fn from_file(path: &Path) -> Result<Self, KeyFileError> {
        let text = Secret::read(path, MAX_FILE)?;
        let text = str::from_utf8(&text).map_err(|_| KeyError::Pem)?;
        Ok(Self::from_pkcs8_pem(text)?)
    }

    /// Finds a key on a PKCS#11 token, reads its public half from there, and signs once for trial.
    ///
    /// Every thread that signs with it has a session of its own, opened at its first signature. [`SigningKey::sign`] waits
    /// for the token then: workers must leave it to crypto threads.
    /// # Errors
    /// [`TokenError`]; [`TokenError::Feature`] in a build without the feature `pkcs11`.
    /// # Source
    /// OASIS PKCS#11 3.0.
    pub fn from_token(address: &TokenAddress) -> Result<Self, TokenError> {
        #[cfg(feature = "pkcs11")]
        {
            let (key, public) = crate::token::TokenKey::open(address)?;
            Ok(Self(Arc::new((Pair::Token(key), public))))
        }
        #[cfg(not(feature = "pkcs11"))]
        {
            let _ = address;
            Err(TokenError::Feature)
        }
    }

    /// Reads the text of a key file: exactly one `PRIVATE KEY` block (PKCS#8). The decoded octets are wiped.
    /// # Errors
    /// [`KeyError::Pem`], or as [`SigningKey::from_pkcs8_der`].
    /// # Source
    /// RFC 7468 section 10.
    pub fn from_pkcs8_pem(text: &str) -> Result<Self, KeyError> {
        const BEGIN: &str = "-----BEGIN PRIVATE KEY-----";
        const END: &str = "-----END PRIVATE KEY-----";
        let (before, body) = text.split_once(BEGIN).ok_or(KeyError::Pem)?;
        let (body, after) = body.split_once(END).ok_or(KeyError::Pem)?;
        // A second block leaves it open which key signs; an "EC PARAMETERS" block would be one.
        if before.contains("-----") || after.contains("-----") {
            return Err(KeyError::Pem);
        }
        // Fewer octets than characters; of no memory for a key there is no more to say than that there is none.
        let mut room = Locked::new(body.len()).map_err(|_| KeyError::Private)?;
        Self::from_pkcs8_der(base64(body, &mut room).ok_or(KeyError::Pem)?)
    }

    /// The algorithm of the key.
    #[must_use]
    pub fn alg(&self) -> Alg {
        self.0.1.alg()
    }

    /// The public half, with its identifiers.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        self.0.1.clone()
    }

    /// Signs `message`, writes the raw signature (r then s for ECDSA) to the head of `out` and returns its length.
    ///
    /// aws-lc-rs 1.19 makes one short-lived heap allocation inside (shrunk once where ECDSA came out shorter), for RSA
    /// none; there is no form of the others that writes into the caller's memory. A key on a token waits for the token.
    /// # Errors
    /// [`SignError`]; `out` then holds nothing of use.
    pub fn sign(&self, message: &[u8], out: &mut [u8; MAX_OWN_SIGNATURE]) -> Result<usize, SignError> {
        match &self.0.0 {
            Pair::Ecdsa(key) => {
                // Over the digest, because that spares the library a digest context. In DER, because its own way from
                // there to r || s takes two more allocations.
                let digest = self.0.1.digest(message).ok_or(SignError)?;
                let made = key.sign_digest(&digest).map_err(|_| SignError)?;
                let room = out.get_mut(..self.alg().signature_len()).ok_or(SignError)?;
                der::raw_signature(made.as_ref(), room).ok_or(SignError)?;
                Ok(room.len())
            }
            Pair::Ed25519(key) => {
                let made = key.try_sign(message).map_err(|_| SignError)?;
                out.get_mut(..made.as_ref().len()).ok_or(SignError)?.copy_from_slice(made.as_ref());
                Ok(made.as_ref().len())
            }
            Pair::Rsa(key) => {
                // aws-lc draws from its own generator; the argument is there for ring's callers.
                let rng = SystemRandom::new();
                key.sign(&signature::RSA_PKCS1_SHA256, &rng, message, out).map_err(|_| SignError)?;
                Ok(out.len())
            }
            #[cfg(feature = "pkcs11")]
            Pair::Token(key) => {
                let made = key.sign(message).ok_or(SignError)?;
                out.get_mut(..made.len()).ok_or(SignError)?.copy_from_slice(&made);
                Ok(made.len())
            }
        }
    }
}

impl fmt::Debug for SigningKey {
    /// Shows the public half only.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SigningKey").field(&self.0.1).finish()
    }
}

/// Strict base64 (RFC 4648 section 4) with line ends between, into the caller's memory: a general decoder leaves copies.
fn base64<'a>(text: &str, out: &'a mut [u8]) -> Option<&'a [u8]> {
    let (mut bits, mut held, mut pads, mut len) = (0_u32, 0_u32, 0_u32, 0);
    for octet in text.bytes().filter(|octet| !octet.is_ascii_whitespace()) {
        let value = match octet {
            b'A'..=b'Z' => octet - b'A',
            b'a'..=b'z' => octet - b'a' + 26,
            b'0'..=b'9' => octet - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            b'=' => {
                pads += 1;
                continue;
            }
            _ => return None,
        };
        if pads != 0 {
            return None;
        }
        bits = bits << 6 | u32::from(value);
        held += 6;
        if held >= 8 {
            held -= 8;
            *out.get_mut(len)? = u8::try_from(bits >> held & 0xff).ok()?;
            len += 1;
            bits &= (1 << held) - 1;
        }
    }
    // The last group is full, or has two bits left and one pad, or four bits left and two pads, and they are zero.
    if bits == 0 && held == 2 * pads { out.get(..len) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_strict() {
        let decode = |text: &str| base64(text, &mut [0; 16]).map(<[u8]>::to_vec);
        assert_eq!(decode("Zm9v\nYmE=\n"), Some(b"fooba".to_vec()));
        assert_eq!(decode("Zg=="), Some(b"f".to_vec()));
        assert_eq!(decode("++//"), Some(vec![0xfb, 0xef, 0xff]));
        for bad in ["Zg=", "Zg", "Zh==", "Z", "Zg==Zg==", "Zm9v=", "Zm9-", "===="] {
            assert_eq!(decode(bad), None, "{bad}");
        }
        assert_eq!(base64("Zm9v", &mut [0; 2]), None, "no room");
    }
}
