//! One certificate of the profile: what formats 12.2 asks of its octets alone, whoever issued it.

use super::der::{self, NotDer};
use super::extension::Role;
use super::identifiers::Identifiers;
use super::numbers::Numbers;
use super::object::Object;
use super::{Fault, Refused};
use crate::alg::Alg;
use crate::verify::{PublicKey, sha256};
use aws_lc_rs::signature::{self, EcdsaVerificationAlgorithm, UnparsedPublicKey};
use std::collections::HashSet;
use std::ops::Range;
use std::sync::{Arc, OnceLock};
use x509_parser::extensions::ParsedExtension;
use x509_parser::prelude::{FromDer, X509Certificate, X509Extension};
use x509_parser::x509::X509Version;

/// Most octets of one certificate; thousands of number ranges fit.
const MAX_CERTIFICATE: usize = 64 * 1024;
/// Longest life of an end entity (formats 12.1).
const MAX_LIFE_S: i64 = 398 * 86_400;

/// Content of the AlgorithmIdentifier `ecdsa-with-SHA256`; parameters are absent (RFC 5758 section 3.2).
pub(super) const ECDSA_SHA256: &[u8] = &[0x06, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2];
/// Content of the AlgorithmIdentifier `ecdsa-with-SHA384`.
pub(super) const ECDSA_SHA384: &[u8] = &[0x06, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 3];

/// Object identifiers of the profile. The arc is the one reserved for documentation (formats 0).
pub mod oid {
    /// `cspIdentifiers`.
    pub const CSP_IDENTIFIERS: &[u64] = &[1, 3, 6, 1, 4, 1, 32473, 1, 1, 1];
    /// `signerRole`.
    pub const SIGNER_ROLE: &[u64] = &[1, 3, 6, 1, 4, 1, 32473, 1, 1, 2];
    /// Extended key usage: signs messages.
    pub const EKU_MESSAGES: &[u64] = &[1, 3, 6, 1, 4, 1, 32473, 1, 2, 1];
    /// Extended key usage: signs repository manifests.
    pub const EKU_REPOSITORY: &[u64] = &[1, 3, 6, 1, 4, 1, 32473, 1, 2, 2];
    /// `TNAuthorizationList` of RFC 8226.
    pub const TN_AUTH_LIST: &[u64] = &[1, 3, 6, 1, 5, 5, 7, 1, 26];

    pub(crate) const BASIC_CONSTRAINTS: &[u64] = &[2, 5, 29, 19];
    pub(crate) const KEY_USAGE: &[u64] = &[2, 5, 29, 15];
    pub(crate) const EXTENDED_KEY_USAGE: &[u64] = &[2, 5, 29, 37];
    pub(crate) const SUBJECT_KEY_ID: &[u64] = &[2, 5, 29, 14];
    pub(crate) const AUTHORITY_KEY_ID: &[u64] = &[2, 5, 29, 35];
    pub(crate) const CRL_DISTRIBUTION_POINTS: &[u64] = &[2, 5, 29, 31];
    pub(crate) const CERTIFICATE_POLICIES: &[u64] = &[2, 5, 29, 32];
    pub(crate) const CRL_NUMBER: &[u64] = &[2, 5, 29, 20];
}

/// What a certificate is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Usage {
    /// A certification authority: signs certificates and revocation lists.
    Authority,
    /// An operator: signs messages.
    Messages,
    /// Signs the manifest of the repository.
    Repository,
    /// An end entity whose extended key usage is not exactly one of ours.
    Unknown,
}

/// A certificate whose octets follow the profile. Says nothing yet about who signed it.
#[derive(Clone, Debug)]
pub struct Certificate {
    /// The name of its file, or what the caller called it.
    pub name: String,
    /// Its octets.
    pub der: Vec<u8>,
    /// Subject in words, for people.
    pub subject: String,
    /// Issuer in words, for people.
    pub issuer: String,
    /// Serial number, big-endian, without leading zero octets.
    pub serial: Vec<u8>,
    /// The public key.
    pub key: PublicKey,
    /// Subject key identifier; equal to the one computed from the key.
    pub ski: [u8; 20],
    /// Authority key identifier; only a self-signed certificate may lack it.
    pub aki: Option<[u8; 20]>,
    /// Security association identifier: the first 8 octets of `ski`.
    pub sai: [u8; 8],
    /// First second of its validity, seconds since 1970.
    pub not_before: i64,
    /// Last second of its validity, seconds since 1970.
    pub not_after: i64,
    /// What it may speak for. After [`load`](super::load) narrowed by the limit of its trust anchor.
    pub identifiers: Identifiers,
    /// The telephone numbers among them.
    pub numbers: Numbers,
    /// What kind of operator signs; message signers only.
    pub role: Option<Role>,
    /// True for a certification authority.
    pub is_ca: bool,
    /// How many further authorities may stand below this one.
    pub path_len: Option<u32>,
    /// What it is for.
    pub usage: Usage,
    pub(super) issuer_name: Vec<u8>,
    pub(super) subject_name: Vec<u8>,
    pub(super) signed: Signed,
}

/// The signed part of a certificate or a revocation list, and its signature.
#[derive(Clone, Debug)]
pub(super) struct Signed {
    pub tbs: Range<usize>,
    pub sha384: bool,
    pub signature: Vec<u8>,
    /// The key that made it, once that was found, and the digest of what it is good for. Copies share it.
    proven: Arc<OnceLock<(PublicKey, [u8; 32])>>,
}

impl Signed {
    /// Reads the outer SEQUENCE of a certificate or a revocation list.
    ///
    /// The algorithm beside the signature is not covered by it, so its octets are compared with those inside: a parser
    /// that forgives there (x509-parser takes any tag for the OBJECT IDENTIFIER) would let one certificate have many
    /// encodings.
    pub(super) fn read(octets: &[u8]) -> Result<Self, Refused> {
        let body = der::only(octets, 0x30)?;
        let mut outer = der::Reader::new(body);
        let mut inner = der::Reader::new(outer.expect(0x30)?);
        let start = octets.len() - body.len();
        let tbs = start..octets.len() - outer.remaining();
        let algorithm = outer.expect(0x30)?;
        let bits = outer.expect(0x03)?;
        outer.end()?;
        // The first SEQUENCE inside: version and serial number of a certificate, version of a list stand before it.
        let named = loop {
            let element = inner.next()?;
            if element.tag == 0x30 {
                break element.value;
            }
        };
        if named != algorithm {
            return Err(profile("the two signature algorithms differ"));
        }
        let sha384 = match algorithm {
            ECDSA_SHA256 => false,
            ECDSA_SHA384 => true,
            _ => return Err(profile("the signature is neither ECDSA with SHA-256 nor with SHA-384")),
        };
        let Some((0, signature)) = bits.split_first().map(|(unused, rest)| (*unused, rest)) else {
            return Err(profile("the signature is not whole octets"));
        };
        Ok(Self { tbs, sha384, signature: signature.to_vec(), proven: Arc::default() })
    }

    /// True if `key`, which is an authority's and so on P-256 or P-384, made the signature over `der`. Asked again about the
    /// same octets and key, it remembers.
    pub(super) fn verify(&self, der: &[u8], key: &PublicKey) -> bool {
        let digest = sha256(der);
        if self.proven.get().is_some_and(|(by, over)| by == key && *over == digest) {
            return true;
        }
        let good = self.check(der, key);
        if good {
            // Two issuers of one key and name may both have made it; the first is remembered.
            let _ = self.proven.set((key.clone(), digest));
        }
        good
    }

    fn check(&self, der: &[u8], key: &PublicKey) -> bool {
        let algorithm: &'static EcdsaVerificationAlgorithm = match (key.alg(), self.sha384) {
            (Alg::P256, false) => &signature::ECDSA_P256_SHA256_ASN1,
            (Alg::P256, true) => &signature::ECDSA_P256_SHA384_ASN1,
            (Alg::P384, false) => &signature::ECDSA_P384_SHA256_ASN1,
            (Alg::P384, true) => &signature::ECDSA_P384_SHA384_ASN1,
            (Alg::Ed25519 | Alg::Rsa2048, _) => return false,
        };
        let Some(tbs) = der.get(self.tbs.clone()) else { return false };
        UnparsedPublicKey::new(algorithm, key.bits()).verify(tbs, &self.signature).is_ok()
    }
}

impl Certificate {
    /// Reads one certificate and checks every field of the profile that its octets show.
    /// # Errors
    /// [`Fault::Profile`] with the field and what it should be.
    /// # Source
    /// Formats 12.1 and 12.2; RFC 5280 section 4.
    pub fn parse(object: &Object) -> Result<Self, Refused> {
        let octets = object.der.as_slice();
        if octets.len() > MAX_CERTIFICATE {
            return Err(profile(format!("longer than {MAX_CERTIFICATE} octets")));
        }
        der::check(octets)?;
        let (_, x509) = X509Certificate::from_der(octets).map_err(|fault| profile(format!("not X.509: {fault}")))?;
        if x509.version() != X509Version::V3 {
            return Err(profile("version is not 3"));
        }
        if x509.issuer_uid.is_some() || x509.subject_uid.is_some() {
            return Err(profile("it has a unique identifier, which RFC 5280 forbids"));
        }
        let signed = Signed::read(octets)?;
        let serial = serial(x509.raw_serial())?;
        let key = PublicKey::from_spki_der(x509.public_key().raw).map_err(|fault| profile(fault.to_string()))?;
        let extensions = Extensions::read(x509.extensions())?;

        let (is_ca, path_len) = extensions.basic.ok_or_else(|| profile("basicConstraints is missing"))?;
        let usage = match (is_ca, extensions.purposes.as_slice()) {
            (true, []) if extensions.has_purposes => return Err(profile("extKeyUsage is empty")),
            (true, []) => Usage::Authority,
            (true, _) => return Err(profile("an authority has no extKeyUsage")),
            (false, [one]) if one == &dotted(oid::EKU_MESSAGES) => Usage::Messages,
            (false, [one]) if one == &dotted(oid::EKU_REPOSITORY) => Usage::Repository,
            (false, _) => Usage::Unknown,
        };
        // keyUsage bits: 0 digitalSignature, 5 keyCertSign, 6 cRLSign.
        if extensions.key_usage != Some(if is_ca { 0b110_0000 } else { 1 }) {
            let want = if is_ca { "keyCertSign and cRLSign" } else { "digitalSignature" };
            return Err(profile(format!("keyUsage must be {want} and nothing else")));
        }
        if path_len.is_some() && !is_ca {
            return Err(profile("an end entity has a path length"));
        }
        if is_ca && !matches!(key.alg(), Alg::P256 | Alg::P384) {
            return Err(profile(format!("an authority's key is {}, not P-256 or P-384", key.alg())));
        }
        if key.signature_len() != key.alg().signature_len() {
            return Err(profile("an RSA key has 2048 bits"));
        }
        let ski = extensions.ski.ok_or_else(|| profile("subjectKeyIdentifier is missing"))?;
        if ski != key.ski() {
            return Err(profile("subjectKeyIdentifier is not SHA-256 of the key, first 20 octets (RFC 7093 method 1)"));
        }
        let (issuer_name, subject_name) = (x509.issuer().as_raw().to_vec(), x509.subject().as_raw().to_vec());
        if x509.subject().iter().next().is_none() || x509.issuer().iter().next().is_none() {
            return Err(profile("subject or issuer is empty"));
        }
        let self_issued = issuer_name == subject_name && extensions.aki.is_none_or(|aki| aki == ski);
        if extensions.aki.is_none() && !self_issued {
            return Err(profile("authorityKeyIdentifier is missing"));
        }
        let mut identifiers = match (extensions.identifiers, usage) {
            (Some(_), Usage::Repository) => return Err(profile("a repository signer has no cspIdentifiers")),
            (None, Usage::Repository) => Identifiers::default(),
            (None, _) => return Err(profile("cspIdentifiers is missing")),
            (Some(identifiers), _) => identifiers,
        };
        if identifiers.any && !self_issued {
            return Err(profile("anyIdentifier is for trust anchors only"));
        }
        if let Some(list) = extensions.tn_auth_list {
            identifiers.read_tn_auth_list(list).map_err(|fault| profile(format!("TNAuthList: {fault}")))?;
        }
        match (extensions.role, usage) {
            (Some(_), Usage::Authority) => return Err(profile("an authority has no signerRole")),
            (None, Usage::Messages) => return Err(profile("signerRole is missing")),
            _ => {}
        }
        let (not_before, not_after) = (x509.validity().not_before.timestamp(), x509.validity().not_after.timestamp());
        if not_after < not_before {
            return Err(profile("it ends before it begins"));
        }
        if !is_ca && not_after.saturating_sub(not_before) > MAX_LIFE_S {
            return Err(profile("an end entity is valid for more than 398 days"));
        }
        Ok(Self {
            name: object.name.clone(),
            subject: x509.subject().to_string(),
            issuer: x509.issuer().to_string(),
            serial,
            ski,
            aki: extensions.aki,
            sai: key.sai(),
            key,
            not_before,
            not_after,
            numbers: Numbers::of(&identifiers),
            identifiers,
            role: extensions.role,
            is_ca,
            path_len,
            usage,
            issuer_name,
            subject_name,
            signed,
            der: object.der.clone(),
        })
    }

    /// True if it names itself as its issuer.
    pub fn is_self_issued(&self) -> bool {
        self.issuer_name == self.subject_name && self.aki.is_none_or(|aki| aki == self.ski)
    }

    /// True if `issuer`'s key made its signature. Names and dates are not looked at.
    pub fn is_signed_by(&self, issuer: &Self) -> bool {
        self.signed.verify(&self.der, &issuer.key)
    }

    /// Name and key identifier under which its issuer is known; a self-signed certificate may lack the latter.
    pub(super) fn issuer_key(&self) -> Option<(Vec<u8>, [u8; 20])> {
        Some((self.issuer_name.clone(), self.aki?))
    }

    /// Name and key identifier under which it is known as an issuer.
    pub(super) fn subject_key(&self) -> (Vec<u8>, [u8; 20]) {
        (self.subject_name.clone(), self.ski)
    }

    /// Serial number in hexadecimal, as it is shown and revoked.
    pub fn serial_hex(&self) -> String {
        self.serial.iter().map(|octet| format!("{octet:02x}")).collect()
    }
}

/// The extensions of a certificate, read; each at most once.
#[derive(Default)]
struct Extensions<'a> {
    basic: Option<(bool, Option<u32>)>,
    key_usage: Option<u16>,
    has_purposes: bool,
    purposes: Vec<String>,
    ski: Option<[u8; 20]>,
    aki: Option<[u8; 20]>,
    identifiers: Option<Identifiers>,
    role: Option<Role>,
    tn_auth_list: Option<&'a [u8]>,
}

impl<'a> Extensions<'a> {
    fn read(list: &'a [X509Extension<'a>]) -> Result<Self, Refused> {
        let mut found = Self::default();
        let mut seen = HashSet::new();
        for extension in list {
            if !seen.insert(extension.oid.as_bytes()) {
                return Err(profile(format!("extension {} twice", extension.oid)));
            }
            found.take(extension)?;
        }
        Ok(found)
    }

    fn take(&mut self, extension: &'a X509Extension<'a>) -> Result<(), Refused> {
        let name = &extension.oid;
        let value = extension.value;
        let critical = |want: bool, name: &str| match extension.critical == want {
            true => Ok(()),
            false => Err(profile(format!("{name} must {}be critical", if want { "" } else { "not " }))),
        };
        if is(name, oid::CSP_IDENTIFIERS) {
            critical(true, "cspIdentifiers")?;
            self.identifiers = Some(Identifiers::from_der(value).map_err(|fault| profile(fault.to_string()))?);
        } else if is(name, oid::SIGNER_ROLE) {
            critical(false, "signerRole")?;
            self.role = Some(Role::from_der(value)?);
        } else if is(name, oid::TN_AUTH_LIST) {
            critical(false, "TNAuthList")?;
            self.tn_auth_list = Some(value);
        } else if is(name, oid::BASIC_CONSTRAINTS) {
            critical(true, "basicConstraints")?;
            self.basic = Some(basic_constraints(value)?);
        } else if is(name, oid::KEY_USAGE) {
            critical(true, "keyUsage")?;
            self.key_usage = Some(key_usage(value)?);
        } else if is(name, oid::EXTENDED_KEY_USAGE) {
            critical(false, "extKeyUsage")?;
            self.has_purposes = true;
            self.purposes = purposes(value)?;
        } else if is(name, oid::SUBJECT_KEY_ID) {
            critical(false, "subjectKeyIdentifier")?;
            self.ski = Some(key_identifier(der::only(value, 0x04)?)?);
        } else if is(name, oid::AUTHORITY_KEY_ID) {
            critical(false, "authorityKeyIdentifier")?;
            self.aki = Some(authority_key_identifier(value)?);
        } else if is(name, oid::CRL_DISTRIBUTION_POINTS) || is(name, oid::CERTIFICATE_POLICIES) {
            critical(false, "an optional extension")?;
            der::check(value)?;
            if let ParsedExtension::ParseError { error } = extension.parsed_extension() {
                return Err(profile(format!("extension {name}: {error}")));
            }
        } else if extension.critical {
            return Err(profile(format!("critical extension {name} is unknown")));
        }
        Ok(())
    }
}

/// Whether it is an authority, and its path length. A `cA` of FALSE is left out in DER.
fn basic_constraints(value: &[u8]) -> Result<(bool, Option<u32>), Refused> {
    der::check(value)?;
    let mut reader = der::Reader::new(der::only(value, 0x30)?);
    let is_ca = reader.peek() == Some(0x01);
    if is_ca {
        reader.expect(0x01)?;
    }
    let path_len = match reader.is_empty() {
        true => None,
        false => {
            let number = der::unsigned(reader.expect(0x02)?)?;
            Some(u32::try_from(number).map_err(|_| profile("the path length is beyond 32 bits"))?)
        }
    };
    reader.end()?;
    Ok((is_ca, path_len))
}

/// The named bits of keyUsage, bit 0 (digitalSignature) as 1. DER drops zero bits at the end.
fn key_usage(value: &[u8]) -> Result<u16, Refused> {
    let (bits, unused) = der::bit_string(der::only(value, 0x03)?)?;
    let last = bits.last().copied().unwrap_or(0);
    if bits.len() > 2 || last & (1u8 << unused) == 0 {
        return Err(profile("keyUsage is not a DER list of named bits"));
    }
    Ok(bits.iter().rev().fold(0, |sum, octet| sum << 8 | u16::from(octet.reverse_bits())))
}

fn purposes(value: &[u8]) -> Result<Vec<String>, Refused> {
    der::check(value)?;
    let mut reader = der::Reader::new(der::only(value, 0x30)?);
    let mut found = Vec::new();
    while !reader.is_empty() {
        let content = reader.expect(0x06)?;
        found.push(x509_parser::der_parser::oid::Oid::new(content.into()).to_string());
    }
    Ok(found)
}

/// Reads an AuthorityKeyIdentifier, which may name the key and nothing else.
pub(super) fn authority_key_identifier(value: &[u8]) -> Result<[u8; 20], Refused> {
    let mut reader = der::Reader::new(der::only(value, 0x30)?);
    let identifier = key_identifier(reader.expect(0x80)?)?;
    reader.end()?;
    Ok(identifier)
}

fn key_identifier(octets: &[u8]) -> Result<[u8; 20], Refused> {
    octets.try_into().map_err(|_| profile("a key identifier is not 20 octets"))
}

/// A serial number is positive and has at most 20 octets (RFC 5280 4.1.2.2). [`der::check`] saw that it is minimal.
fn serial(raw: &[u8]) -> Result<Vec<u8>, Refused> {
    match raw {
        _ if raw.len() > 20 => Err(profile("the serial number has more than 20 octets")),
        [] | [0] | [0x80..=0xff, ..] => Err(profile("the serial number is not positive")),
        [0, rest @ ..] => Ok(rest.to_vec()),
        _ => Ok(raw.to_vec()),
    }
}

/// True if `name` has these arcs.
pub(super) fn is(name: &x509_parser::der_parser::oid::Oid<'_>, arcs: &[u64]) -> bool {
    name.iter().is_some_and(|found| found.eq(arcs.iter().copied()))
}

fn dotted(arcs: &[u64]) -> String {
    arcs.iter().map(u64::to_string).collect::<Vec<_>>().join(".")
}

pub(super) fn profile(detail: impl Into<String>) -> Refused {
    Refused { fault: Fault::Profile, detail: detail.into() }
}

impl From<NotDer> for Refused {
    fn from(fault: NotDer) -> Self {
        profile(fault.to_string())
    }
}
