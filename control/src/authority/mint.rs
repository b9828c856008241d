//! Certificates and lists as formats 12.2 and 12.3 want them, made with rcgen.

use super::error::AuthorityError;
use super::state::Issued;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CustomExtension, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose, PublicKeyData, RevocationReason,
    RevokedCertParams,
};
use sealgate_crypto::alg::Alg;
use sealgate_crypto::pki::{Certificate, Identifiers, Object, Refused, Role, oid};
use sealgate_crypto::verify::{KeyError, PublicKey};
use serde::{Deserialize, Serialize};
use std::fmt;
use time::OffsetDateTime;

/// The life of a revocation list: the longest that formats 12.3 allows.
pub(super) const CRL_DAYS: i64 = 7;

/// Why a certificate is revoked (RFC 5280 5.3.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// No reason given.
    #[default]
    Unspecified,
    /// The private key is known to somebody else.
    KeyCompromise,
    /// The issuing authority's key is.
    CaCompromise,
    /// The operator changed its name or numbers.
    AffiliationChanged,
    /// Another certificate replaces it.
    Superseded,
    /// The operator no longer signs.
    CessationOfOperation,
    /// A right was withdrawn.
    PrivilegeWithdrawn,
}

impl Reason {
    /// All reasons.
    pub const ALL: [Self; 7] = [
        Self::Unspecified,
        Self::KeyCompromise,
        Self::CaCompromise,
        Self::AffiliationChanged,
        Self::Superseded,
        Self::CessationOfOperation,
        Self::PrivilegeWithdrawn,
    ];

    /// The word for command line, file and output.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unspecified => "unspecified",
            Self::KeyCompromise => "key-compromise",
            Self::CaCompromise => "ca-compromise",
            Self::AffiliationChanged => "affiliation-changed",
            Self::Superseded => "superseded",
            Self::CessationOfOperation => "cessation-of-operation",
            Self::PrivilegeWithdrawn => "privilege-withdrawn",
        }
    }

    fn to_rcgen(self) -> RevocationReason {
        match self {
            Self::Unspecified => RevocationReason::Unspecified,
            Self::KeyCompromise => RevocationReason::KeyCompromise,
            Self::CaCompromise => RevocationReason::CaCompromise,
            Self::AffiliationChanged => RevocationReason::AffiliationChanged,
            Self::Superseded => RevocationReason::Superseded,
            Self::CessationOfOperation => RevocationReason::CessationOfOperation,
            Self::PrivilegeWithdrawn => RevocationReason::PrivilegeWithdrawn,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A new key of `alg`; RSA has 2048 bits.
pub(crate) fn new_key(alg: Alg) -> Result<KeyPair, AuthorityError> {
    let key = KeyPair::generate_for(match alg {
        Alg::P256 => &rcgen::PKCS_ECDSA_P256_SHA256,
        Alg::Ed25519 => &rcgen::PKCS_ED25519,
        Alg::Rsa2048 => &rcgen::PKCS_RSA_SHA256,
        Alg::P384 => &rcgen::PKCS_ECDSA_P384_SHA384,
    })?;
    match alg {
        Alg::Ed25519 => first_version(&key),
        _ => Ok(key),
    }
}

/// The same Ed25519 key as PKCS#8 version 1. aws-lc-rs makes version 2 (RFC 5958), which OpenSSL 3.0 does not read.
fn first_version(key: &KeyPair) -> Result<KeyPair, AuthorityError> {
    // SEQUENCE { INTEGER version, SEQUENCE { id-Ed25519 }, OCTET STRING { OCTET STRING seed } } and, in version 2, the
    // public key after it. Version 1 is the same with another length and version.
    const HEAD: [u8; 16] = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
    let seed = key.serialized_der().get(HEAD.len()..HEAD.len() + 32);
    let octets = seed.map(|seed| [&HEAD, seed].concat()).ok_or(rcgen::Error::CouldNotParseKeyPair)?;
    let same = KeyPair::try_from(octets)?;
    if same.public_key_raw() != key.public_key_raw() {
        return Err(rcgen::Error::CouldNotParseKeyPair.into());
    }
    Ok(same)
}

/// What a certificate says besides its key and its issuer.
pub(super) struct Content<'a> {
    pub subject: DistinguishedName,
    pub serial: u64,
    pub not_before: OffsetDateTime,
    pub not_after: OffsetDateTime,
    pub identifiers: &'a Identifiers,
    pub purpose: Purpose,
}

/// What a certificate is for.
#[derive(Clone, Copy)]
pub(super) enum Purpose {
    Authority { path_len: Option<u8> },
    Messages(Role),
    Repository,
}

/// Subject and issuer name: organisation and common name.
pub(super) fn name(organisation: &str, common: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::OrganizationName, organisation);
    name.push(DnType::CommonName, common);
    name
}

/// An authority that signs: its name and its key.
pub(super) struct Signer {
    pub subject: DistinguishedName,
    pub key: KeyPair,
}

impl Signer {
    fn issuer(&self) -> Result<Issuer<'_, &KeyPair>, AuthorityError> {
        let mut params = CertificateParams::default();
        params.distinguished_name = self.subject.clone();
        params.key_identifier_method = key_identifier(&self.key)?;
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        Ok(Issuer::new(params, &self.key))
    }
}

/// Makes a certificate for `key`, and reads it back by our own profile before anybody gets it.
pub(super) fn certificate(
    file: &str,
    content: &Content<'_>,
    key: &impl PublicKeyData,
    issuer: &Signer,
) -> Result<Certificate, AuthorityError> {
    let mut params = CertificateParams::default();
    params.distinguished_name = content.subject.clone();
    params.serial_number = Some(content.serial.into());
    params.not_before = content.not_before;
    params.not_after = content.not_after;
    params.use_authority_key_identifier_extension = true;
    // rcgen's own "RFC 7093 method 1" hashes the whole SubjectPublicKeyInfo; the RFC hashes the key octets.
    params.key_identifier_method = key_identifier(key)?;
    if !matches!(content.purpose, Purpose::Repository) {
        params.custom_extensions.push(extension(oid::CSP_IDENTIFIERS, true, content.identifiers.to_der()?));
    }
    if let Some(list) = content.identifiers.tn_auth_list_to_der()? {
        params.custom_extensions.push(extension(oid::TN_AUTH_LIST, false, list));
    }
    match content.purpose {
        Purpose::Authority { path_len } => {
            let constraints = path_len.map_or(BasicConstraints::Unconstrained, BasicConstraints::Constrained);
            params.is_ca = IsCa::Ca(constraints);
            params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        }
        Purpose::Messages(role) => {
            params.is_ca = IsCa::ExplicitNoCa;
            params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
            params.extended_key_usages = vec![ExtendedKeyUsagePurpose::Other(oid::EKU_MESSAGES.to_vec())];
            params.custom_extensions.push(extension(oid::SIGNER_ROLE, false, role.to_der()));
        }
        Purpose::Repository => {
            params.is_ca = IsCa::ExplicitNoCa;
            params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
            params.extended_key_usages = vec![ExtendedKeyUsagePurpose::Other(oid::EKU_REPOSITORY.to_vec())];
        }
    }
    let made = params.signed_by(key, &issuer.issuer()?)?;
    let object = Object { name: file.to_owned(), der: made.der().to_vec() };
    Certificate::parse(&object).map_err(|refused| at_fault(file, refused))
}

/// Makes a revocation list of everything in `issued` that `ca` issued and that is revoked.
pub(super) fn crl(
    ca: &str,
    number: u64,
    this_update: OffsetDateTime,
    issued: &[Issued],
    issuer: &Signer,
) -> Result<String, AuthorityError> {
    let mut revoked_certs = Vec::new();
    for (one, revoked) in issued.iter().filter(|one| one.ca == ca).filter_map(|one| Some((one, one.revoked.as_ref()?)))
    {
        let at = OffsetDateTime::from_unix_timestamp(revoked.at).map_err(|_| AuthorityError::Clock)?;
        revoked_certs.push(RevokedCertParams {
            serial_number: one.serial.into(),
            // The list is dated back a little; an entry is never younger than its list.
            revocation_time: at.min(this_update),
            reason_code: Some(revoked.reason.to_rcgen()),
            invalidity_date: None,
        });
    }
    let params = CertificateRevocationListParams {
        this_update,
        next_update: later(this_update, CRL_DAYS)?,
        crl_number: number.into(),
        issuing_distribution_point: None,
        revoked_certs,
        key_identifier_method: key_identifier(&issuer.key)?,
    };
    Ok(params.signed_by(&issuer.issuer()?)?.pem()?)
}

/// `days` after `from`.
pub(super) fn later(from: OffsetDateTime, days: i64) -> Result<OffsetDateTime, AuthorityError> {
    from.checked_add(time::Duration::days(days)).ok_or(AuthorityError::Clock)
}

pub(super) fn at_fault(name: &str, refused: Refused) -> AuthorityError {
    AuthorityError::Profile { name: name.to_owned(), refused }
}

fn key_identifier(key: &impl PublicKeyData) -> Result<KeyIdMethod, AuthorityError> {
    let public = PublicKey::from_spki_der(&key.subject_public_key_info());
    let identifier = public.map(|key| key.ski().to_vec()).map_err(|_: KeyError| rcgen::Error::CouldNotParseKeyPair)?;
    Ok(KeyIdMethod::PreSpecified(identifier))
}

/// An extension of ours.
pub(crate) fn extension(arcs: &[u64], critical: bool, content: Vec<u8>) -> CustomExtension {
    let mut extension = CustomExtension::from_oid_content(arcs, content);
    extension.set_criticality(critical);
    extension
}
