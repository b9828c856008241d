//! The table of signature algorithms: the number on the wire, the names, the sizes.

use core::fmt;
use core::str::FromStr;

/// A signature algorithm of the security header. The discriminant is the octet on the wire.
///
/// # Source
/// formats.md 1.3, table of algorithms. Numbers 0x80 and up are reserved for post-quantum signatures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Alg {
    /// ECDSA on P-256 with SHA-256; the signature is r then s, 32 octets each.
    P256 = 1,
    /// Ed25519 (RFC 8032), 64 octets.
    Ed25519 = 2,
    /// RSA PKCS#1 v1.5 with SHA-256; 2048 bits on the wire, see [`Alg::signature_len`].
    Rsa2048 = 3,
    /// ECDSA on P-384 with SHA-384; the signature is r then s, 48 octets each.
    P384 = 4,
}

impl Alg {
    /// All algorithms, in the order of their numbers.
    pub const ALL: [Self; 4] = [Self::P256, Self::Ed25519, Self::Rsa2048, Self::P384];

    /// The algorithm with this number, or `None` (the caller refuses).
    #[must_use]
    pub const fn from_wire(octet: u8) -> Option<Self> {
        match octet {
            1 => Some(Self::P256),
            2 => Some(Self::Ed25519),
            3 => Some(Self::Rsa2048),
            4 => Some(Self::P384),
            _ => None,
        }
    }

    /// The octet of the security header.
    #[must_use]
    pub const fn wire(self) -> u8 {
        self as u8
    }

    /// Octets of a signature as the native profiles carry it: 64, 64, 256 or 96.
    ///
    /// RSA keys of other sizes exist (certification authorities, SigFW peers); their signatures are as long as the
    /// modulus, see [`PublicKey::signature_len`](crate::verify::PublicKey::signature_len).
    #[must_use]
    pub const fn signature_len(self) -> usize {
        match self {
            Self::P256 | Self::Ed25519 => 64,
            Self::Rsa2048 => 256,
            Self::P384 => 96,
        }
    }

    /// The name used in configuration, logs and metrics: `p256`, `ed25519`, `rsa2048`, `p384`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::P256 => "p256",
            Self::Ed25519 => "ed25519",
            Self::Rsa2048 => "rsa2048",
            Self::P384 => "p384",
        }
    }
}

impl fmt::Display for Alg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The text names no algorithm of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown algorithm; use p256, ed25519, rsa2048 or p384")]
pub struct UnknownAlg;

impl FromStr for Alg {
    type Err = UnknownAlg;

    fn from_str(text: &str) -> Result<Self, UnknownAlg> {
        Self::ALL.into_iter().find(|alg| alg.name() == text).ok_or(UnknownAlg)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names_read_back() {
        for octet in 0..=u8::MAX {
            assert_eq!(Alg::from_wire(octet).map(Alg::wire), (1..=4).contains(&octet).then_some(octet));
        }
        for alg in Alg::ALL {
            assert_eq!(alg.to_string().parse(), Ok(alg));
        }
        assert_eq!("P256".parse::<Alg>(), Err(UnknownAlg));
        assert_eq!(Alg::ALL.map(Alg::signature_len), [64, 64, 256, 96]);
    }
}
