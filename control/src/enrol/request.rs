//! The PKCS#10 request of a gateway.

use super::error::EnrolError;
use crate::authority::extension;
use rcgen::{CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyPair};
use sealgate_crypto::pki::{CertificationRequest, Identifiers, Role, oid};

/// A request for `key`, DER: exactly the extensions of formats 12.6.
/// # Errors
/// [`EnrolError::NoIdentifiers`]; identifiers that cannot be written.
pub fn certification_request(
    name: &str,
    key: &KeyPair,
    identifiers: &Identifiers,
    role: Role,
) -> Result<Vec<u8>, EnrolError> {
    let made = |fault: &dyn std::fmt::Display| EnrolError::Make(fault.to_string());
    if identifiers.is_empty() {
        return Err(EnrolError::NoIdentifiers);
    }
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::Other(oid::EKU_MESSAGES.to_vec())];
    let octets = identifiers.to_der().map_err(|fault| made(&fault))?;
    params.custom_extensions.push(extension(oid::CSP_IDENTIFIERS, true, octets));
    if let Some(list) = identifiers.tn_auth_list_to_der().map_err(|fault| made(&fault))? {
        params.custom_extensions.push(extension(oid::TN_AUTH_LIST, false, list));
    }
    params.custom_extensions.push(extension(oid::SIGNER_ROLE, false, role.to_der()));
    let request = params.serialize_request(key).map_err(|fault| made(&fault))?;
    let der = request.der().to_vec();
    // Read as the authority reads it: what it would refuse is not sent.
    CertificationRequest::parse(&der).map_err(|fault| made(&fault))?;
    Ok(der)
}
