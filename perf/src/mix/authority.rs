//! Certificates and revocation lists for a world, from the authority of the test vectors, whose keys are in the project.

use std::error::Error;

use aws_lc_rs::digest::{SHA256, digest};
use rcgen::{
    CertificateParams, CertificateRevocationListParams, CustomExtension, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256,
    PublicKeyData,
};
use sealgate_crypto::pki::{Identifiers, PLAN_E164, Role, oid};
use time::{Duration, OffsetDateTime};

use super::nonces::TestKey;

/// Its certificates are good until 2036.
pub(super) const ROOT: &str = include_str!("../../../dataplane/vectors/certs/root.pem");
pub(super) const REGION: &str = include_str!("../../../dataplane/vectors/certs/region.pem");
const ROOT_KEY: &str = include_str!("../../../dataplane/vectors/keys/root.key.pem");
const REGION_KEY: &str = include_str!("../../../dataplane/vectors/keys/region.key.pem");

/// How long before and after now a certificate is good: less than the 398 days that formats 12.1 allows.
const BEFORE: Duration = Duration::days(30);
const AFTER: Duration = Duration::days(365);
/// Numbers of certificates and lists above those of the vectors.
const FIRST_SERIAL: u64 = 1 << 32;
const LIST_NUMBER: u64 = 1 << 32;

/// Issues certificates and lists that are good now.
pub(super) struct Authority {
    region: Issuer<'static, KeyPair>,
    root: Issuer<'static, KeyPair>,
    now: OffsetDateTime,
    issued: u64,
}

impl Authority {
    /// * `now_s`: seconds since 1970
    pub(super) fn new(now_s: i64) -> Result<Self, Box<dyn Error>> {
        let region = issuer("TSCA Test Region 999", KeyPair::from_pem(REGION_KEY)?);
        let root = issuer("TSCA Test Root", KeyPair::from_pem(ROOT_KEY)?);
        Ok(Self { region, root, now: OffsetDateTime::from_unix_timestamp(now_s)?, issued: 0 })
    }

    /// A certificate for this key, which may then sign for titles with this prefix, this realm and these numbers; as PEM.
    pub(super) fn certify(
        &mut self,
        name: &str,
        key: &TestKey,
        prefix: &str,
        realm: Option<String>,
        telephones: Option<(String, u64)>,
    ) -> Result<String, Box<dyn Error>> {
        let key = pair(key)?;
        let mut params = CertificateParams::default();
        params.distinguished_name = called(name);
        params.serial_number = Some((FIRST_SERIAL + self.issued).into());
        self.issued += 1;
        params.not_before = self.now - BEFORE;
        params.not_after = self.now + AFTER;
        params.use_authority_key_identifier_extension = true;
        params.key_identifier_method = identifier(&key);
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::Other(oid::EKU_MESSAGES.to_vec())];
        let identifiers = Identifiers {
            gt_prefixes: vec![(PLAN_E164, prefix.to_owned())],
            realms: realm.into_iter().collect(),
            tn_ranges: telephones.into_iter().collect(),
            ..Identifiers::default()
        };
        let mut claims = CustomExtension::from_oid_content(oid::CSP_IDENTIFIERS, identifiers.to_der()?);
        claims.set_criticality(true);
        let role = CustomExtension::from_oid_content(oid::SIGNER_ROLE, Role::Csp.to_der());
        params.custom_extensions = vec![claims, role];
        if let Some(list) = identifiers.tn_auth_list_to_der()? {
            params.custom_extensions.push(CustomExtension::from_oid_content(oid::TN_AUTH_LIST, list));
        }
        Ok(params.signed_by(&key, &self.region)?.pem())
    }

    /// The empty revocation lists of root and region, as PEM, by name.
    pub(super) fn lists(&self) -> Result<[(&'static str, String); 2], Box<dyn Error>> {
        Ok([("root", self.list(&self.root)?), ("region", self.list(&self.region)?)])
    }

    fn list(&self, issuer: &Issuer<'static, KeyPair>) -> Result<String, Box<dyn Error>> {
        let params = CertificateRevocationListParams {
            this_update: self.now - Duration::DAY,
            next_update: self.now + AFTER,
            crl_number: LIST_NUMBER.into(),
            issuing_distribution_point: None,
            revoked_certs: Vec::new(),
            key_identifier_method: identifier(issuer.key()),
        };
        Ok(params.signed_by(issuer)?.pem()?)
    }
}

fn pair(key: &TestKey) -> Result<KeyPair, Box<dyn Error>> {
    let der = key.to_pkcs8();
    Ok(KeyPair::from_pkcs8_der_and_sign_algo(&der.as_slice().into(), &PKCS_ECDSA_P256_SHA256)?)
}

/// A private key as its file has it.
pub(super) fn pem(key: &TestKey) -> Result<String, Box<dyn Error>> {
    Ok(pair(key)?.serialize_pem())
}

fn issuer(name: &str, key: KeyPair) -> Issuer<'static, KeyPair> {
    let mut params = CertificateParams::default();
    params.distinguished_name = called(name);
    params.key_identifier_method = identifier(&key);
    Issuer::new(params, key)
}

/// The names of the vectors' certificates.
fn called(name: &str) -> DistinguishedName {
    let mut called = DistinguishedName::new();
    called.push(DnType::OrganizationName, "Sealgate Test");
    called.push(DnType::CommonName, name);
    called
}

/// RFC 7093 method 1.
fn identifier(key: &KeyPair) -> KeyIdMethod {
    KeyIdMethod::PreSpecified(digest(&SHA256, key.der_bytes()).as_ref().iter().take(20).copied().collect())
}
