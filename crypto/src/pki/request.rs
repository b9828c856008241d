//! PKCS#10: what an operator asks an authority for, signed by the key that is to be certified (formats 12.6).

use super::certificate::{ECDSA_SHA256, ECDSA_SHA384};
use super::der::{self, NotDer, Reader};
use super::extension::Role;
use super::identifiers::{IdentifierError, Identifiers};
use crate::alg::Alg;
use crate::verify::{KeyError, PublicKey};
use aws_lc_rs::signature::{self, UnparsedPublicKey};
use x509_parser::pem::Pem;

/// Most octets of a request; thousands of number ranges fit.
pub const MAX_REQUEST: usize = 64 * 1024;

/// Content of the AlgorithmIdentifier of Ed25519 (RFC 8410 section 3).
const ED25519: &[u8] = &[0x06, 3, 0x2b, 0x65, 0x70];
/// Content of `sha256WithRSAEncryption` with its NULL (RFC 4055 section 5).
const RSA_SHA256: &[u8] = &[0x06, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11, 5, 0];
/// `extensionRequest` (RFC 2985 5.4.2).
const EXTENSION_REQUEST: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 14];
const CSP_IDENTIFIERS: &[u8] = &[0x2b, 6, 1, 4, 1, 0x81, 0xfd, 0x59, 1, 1, 1];
const SIGNER_ROLE: &[u8] = &[0x2b, 6, 1, 4, 1, 0x81, 0xfd, 0x59, 1, 1, 2];
const TN_AUTH_LIST: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 1, 26];
const EXTENDED_KEY_USAGE: &[u8] = &[0x55, 0x1d, 37];
/// The one value of extKeyUsage: `sg.2.1`, signs messages.
const MESSAGES: &[u8] = &[0x30, 13, 0x06, 11, 0x2b, 6, 1, 4, 1, 0x81, 0xfd, 0x59, 1, 2, 1];

/// Why a request is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// More octets than a request has.
    #[error("the request is longer than {MAX_REQUEST} octets")]
    Size,
    /// Neither PEM with one `CERTIFICATE REQUEST` nor DER.
    #[error("the request is neither DER nor PEM with one CERTIFICATE REQUEST")]
    Pem,
    /// Not strict DER, or other elements than PKCS#10 has.
    #[error("the request is {0}")]
    Der(#[from] NotDer),
    /// The key is none of the profile.
    #[error("the request's key: {0}")]
    Key(#[from] KeyError),
    /// Signed otherwise than keys of its kind sign.
    #[error(
        "the request's signature is not the one of its key's kind (ECDSA with SHA-256 for P-256, with SHA-384 for P-384, Ed25519, RSA PKCS#1 with SHA-256)"
    )]
    Algorithm,
    /// The signature does not hold under the request's key.
    #[error("the request's signature does not hold: whoever made it has not the key")]
    Signature,
    /// An attribute other than one extensionRequest.
    #[error("the request has attributes other than one extensionRequest")]
    Attributes,
    /// An extension that the profile does not have here, one twice, or one with the wrong criticality.
    #[error("extension {0}")]
    Extension(String),
    /// Identifiers that are malformed.
    #[error(transparent)]
    Identifiers(#[from] IdentifierError),
}

/// A request whose octets follow the profile and whose signature holds. Says nothing of who sent it.
#[derive(Clone, Debug)]
pub struct CertificationRequest {
    /// Its octets.
    pub der: Vec<u8>,
    /// The key to be certified.
    pub key: PublicKey,
    /// What it asks to speak for, telephone numbers included.
    pub identifiers: Identifiers,
    /// What kind of operator asks.
    pub role: Role,
}

impl CertificationRequest {
    /// Reads a request from DER or PEM.
    ///
    /// The extensions are exactly cspIdentifiers (critical), signerRole, extKeyUsage `sg.2.1`, and TNAuthList where
    /// telephone numbers are asked for. The subject says nothing: an authority knows who asks.
    /// # Errors
    /// The first check that fails.
    /// # Source
    /// Formats 12.6; RFC 2986.
    pub fn parse(octets: &[u8]) -> Result<Self, RequestError> {
        // Base64 and its line ends take less than half as much again.
        if octets.len() > MAX_REQUEST * 3 / 2 {
            return Err(RequestError::Size);
        }
        if octets.first() == Some(&0x30) {
            return Self::from_der(octets);
        }
        let mut blocks = Pem::iter_from_buffer(octets);
        match (blocks.next(), blocks.next()) {
            (Some(Ok(one)), None)
                if matches!(one.label.as_str(), "CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST") =>
            {
                Self::from_der(&one.contents)
            }
            _ => Err(RequestError::Pem),
        }
    }

    fn from_der(octets: &[u8]) -> Result<Self, RequestError> {
        if octets.len() > MAX_REQUEST {
            return Err(RequestError::Size);
        }
        der::check(octets)?;
        let body = der::only(octets, 0x30)?;
        let start = octets.len() - body.len();
        let mut outer = Reader::new(body);
        let mut info = Reader::new(outer.expect(0x30)?);
        let signed = octets.get(start..octets.len() - outer.remaining()).unwrap_or_default();
        let algorithm = outer.expect(0x30)?;
        let (signature, unused) = der::bit_string(outer.expect(0x03)?)?;
        outer.end()?;
        if der::unsigned(info.expect(0x02)?)? != 0 {
            return Err(NotDer("PKCS#10 of another version").into());
        }
        info.expect(0x30)?; // subject
        let mut spki = Vec::new();
        der::put(&mut spki, 0x30, info.expect(0x30)?);
        let attributes = info.expect(0xa0)?;
        info.end()?;
        let key = PublicKey::from_spki_der(&spki)?;
        if key.signature_len() != key.alg().signature_len() {
            return Err(KeyError::RsaSize { bits: u32::try_from(key.signature_len() * 8).unwrap_or(u32::MAX) }.into());
        }
        let held = match (key.alg(), algorithm) {
            (Alg::P256, ECDSA_SHA256) => {
                UnparsedPublicKey::new(&signature::ECDSA_P256_SHA256_ASN1, key.bits()).verify(signed, signature).is_ok()
            }
            (Alg::P384, ECDSA_SHA384) => {
                UnparsedPublicKey::new(&signature::ECDSA_P384_SHA384_ASN1, key.bits()).verify(signed, signature).is_ok()
            }
            (Alg::Ed25519, ED25519) | (Alg::Rsa2048, RSA_SHA256) => key.verify(signed, signature),
            _ => return Err(RequestError::Algorithm),
        };
        if !held || unused != 0 {
            return Err(RequestError::Signature);
        }
        let (identifiers, role) = extensions(attributes)?;
        Ok(Self { der: octets.to_vec(), key, identifiers, role })
    }
}

/// The values of the extensions in the only attribute.
fn extensions(attributes: &[u8]) -> Result<(Identifiers, Role), RequestError> {
    let other = |_| RequestError::Attributes;
    let mut attribute = Reader::new(der::only(attributes, 0x30).map_err(other)?);
    if attribute.expect(0x06)? != EXTENSION_REQUEST {
        return Err(RequestError::Attributes);
    }
    let values = attribute.expect(0x31)?;
    attribute.end()?;
    let mut list = Reader::new(der::only(values, 0x30).map_err(other)?);
    let (mut identifiers, mut numbers, mut role, mut usage) = (None, None, None, None);
    while !list.is_empty() {
        let mut one = Reader::new(list.expect(0x30)?);
        let name = one.expect(0x06)?;
        let critical = one.peek() == Some(0x01);
        if critical {
            one.expect(0x01)?;
        }
        let value = one.expect(0x04)?;
        one.end()?;
        let (place, called, want) = match name {
            CSP_IDENTIFIERS => (&mut identifiers, "cspIdentifiers", true),
            TN_AUTH_LIST => (&mut numbers, "TNAuthList", false),
            SIGNER_ROLE => (&mut role, "signerRole", false),
            EXTENDED_KEY_USAGE => (&mut usage, "extKeyUsage", false),
            _ => {
                let shown = x509_parser::der_parser::oid::Oid::new(name.into()).to_string();
                return Err(RequestError::Extension(format!("{shown} is not of the profile")));
            }
        };
        if critical != want {
            let not = if want { "" } else { "not " };
            return Err(RequestError::Extension(format!("{called} must {not}be critical")));
        }
        if place.replace(value).is_some() {
            return Err(RequestError::Extension(format!("{called} stands there twice")));
        }
    }
    let missing = |name: &str| RequestError::Extension(format!("{name} is missing"));
    if usage.ok_or_else(|| missing("extKeyUsage"))? != MESSAGES {
        return Err(RequestError::Extension("extKeyUsage must be sg.2.1 and nothing else".to_owned()));
    }
    let role = Role::from_der(role.ok_or_else(|| missing("signerRole"))?)?;
    let mut identifiers = Identifiers::from_der(identifiers.ok_or_else(|| missing("cspIdentifiers"))?)?;
    if let Some(list) = numbers {
        identifiers.read_tn_auth_list(list)?;
        // What reading passes over, such as service provider codes, would be missing in the certificate.
        if identifiers.tn_auth_list_to_der()?.as_deref() != Some(list) {
            return Err(RequestError::Extension("TNAuthList holds other than telephone numbers".to_owned()));
        }
    }
    Ok((identifiers, role))
}

/// The SubjectPublicKeyInfo in the octets of any X.509 certificate, whatever its profile.
/// # Errors
/// Octets that are not a certificate in strict DER.
pub fn spki_of(certificate: &[u8]) -> Result<Vec<u8>, NotDer> {
    der::check(certificate)?;
    let mut body = Reader::new(der::only(certificate, 0x30)?);
    let mut tbs = Reader::new(body.expect(0x30)?);
    if tbs.peek() == Some(0xa0) {
        tbs.expect(0xa0)?; // version
    }
    // Serial number, signature algorithm, issuer, validity and subject stand before the key.
    for tag in [0x02, 0x30, 0x30, 0x30, 0x30] {
        tbs.expect(tag)?;
    }
    let mut spki = Vec::new();
    der::put(&mut spki, 0x30, tbs.expect(0x30)?);
    Ok(spki)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A request for Global Title prefix 99901 and ten telephone numbers; `openssl req -verify` holds its signature too.
    const GOOD: &[u8] = include_bytes!("../../../dataplane/fuzz/corpus/pki/a61ea051fb517b64ea695f8df9a5d4d47e528f72");

    #[test]
    fn a_request_reads_and_each_of_its_octets_counts() -> Result<(), RequestError> {
        let read = CertificationRequest::parse(GOOD)?;
        assert_eq!(read.identifiers.gt_prefixes, [(1, "99901".to_owned())]);
        assert_eq!(read.identifiers.tn_ranges, [("999010000000".to_owned(), 10)]);
        assert_eq!((read.role, read.key.alg()), (Role::Csp, Alg::P256));
        let mut octets = GOOD.to_vec();
        for at in 0..GOOD.len() {
            for change in [0x01, 0x20, 0x80, 0xff] {
                octets[at] ^= change;
                assert!(CertificationRequest::parse(&octets).is_err(), "octet {at} ^ {change:02x}");
                octets[at] ^= change;
            }
            assert!(CertificationRequest::parse(&GOOD[..at]).is_err(), "cut at {at}");
        }
        Ok(())
    }

    proptest! {
        #[test]
        fn no_octets_panic(at in 0..GOOD.len(), cut in 0..40usize, put in prop::collection::vec(any::<u8>(), 0..40)) {
            let mut octets = GOOD.to_vec();
            octets.splice(at..(at + cut).min(GOOD.len()), put);
            let _ = CertificationRequest::parse(&octets);
            let _ = spki_of(&octets);
        }
    }
}
