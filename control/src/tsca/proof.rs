//! Who made a manifest: its signature, its signer, and the authorities above it.

use super::alarm::Alarm;
use super::format::{Class, DOMAIN, Malformed, Manifest, SIGNATURE};
use super::objects::Objects;
use super::source::Trouble;
use super::sync::Local;
use sealgate_crypto::alg::Alg;
use sealgate_crypto::pki::{self, CertState, Certificate, Kind, Object, Options, Trust, Usage, objects_from_octets};

/// Most certificates in `signer.pem`: the signer and the authorities above it.
const MAX_CHAIN: usize = 4;

/// A state of the repository that was proven.
#[derive(Clone, Debug)]
pub struct LastGood {
    /// What it says of itself.
    pub manifest: Manifest,
    /// `manifest.json` to the octet.
    pub octets: Vec<u8>,
    /// `manifest.sig`.
    pub signature: Vec<u8>,
    /// `signer.pem`.
    pub signer: Vec<u8>,
    /// All objects.
    pub objects: Objects,
    /// Revocation lists that were in force and must not be taken back.
    pub retained: Vec<Object>,
}

/// A manifest whose signature is that of a repository signer. Says nothing yet about who made that signer.
pub(super) struct Signed {
    pub manifest: Manifest,
    pub octets: Vec<u8>,
    pub signature: Vec<u8>,
    pub signer: Vec<u8>,
    /// The signer and the authorities that came with it.
    pub chain: Vec<Object>,
    /// The signer's certificate.
    pub der: Vec<u8>,
}

pub(super) fn bad_signer(why: &str) -> Trouble {
    Trouble::Refused(Alarm::RepoSignature, format!("the signer of the manifest cannot be relied on: {why}"))
}

pub(super) fn signer_state(trust: &Trust, signed: &Signed, now: i64) -> Result<CertState, String> {
    match trust.repository.iter().find(|one| one.certificate.der == signed.der) {
        Some(signer) => Ok(signer.state(now)),
        None => {
            let name = signed.chain.first().map_or("", |one| one.name.as_str());
            let why = trust.rejected.iter().find(|one| one.name == name);
            Err(why.map_or("it is not known".to_owned(), |one| format!("{}: {}", one.fault, one.detail)))
        }
    }
}

/// The certificates of `signer.pem`: the signer and those above it.
pub(super) fn chain_of(pem: &[u8]) -> Result<Vec<Object>, String> {
    let objects = objects_from_octets("signer", pem, Kind::Certificate).map_err(|fault| fault.to_string())?;
    if objects.len() > MAX_CHAIN { Err(format!("more than {MAX_CHAIN} certificates")) } else { Ok(objects) }
}

/// Reads a manifest if its signature holds.
pub(super) fn prove(octets: Vec<u8>, signature: Vec<u8>, signer: Vec<u8>) -> Result<Signed, Malformed> {
    let wrong = |why: String| Malformed(format!("signer.pem: {why}"));
    let objects = chain_of(&signer).map_err(wrong)?;
    let first = objects.first().ok_or_else(|| wrong("it is empty".to_owned()))?;
    let certificate = Certificate::parse(first).map_err(|fault| wrong(fault.to_string()))?;
    if certificate.usage != Usage::Repository || certificate.key.alg() != Alg::P256 {
        return Err(wrong("the first certificate is no repository signer with a P-256 key".to_owned()));
    }
    if signature.len() != SIGNATURE || !certificate.key.verify(&[DOMAIN, &octets].concat(), &signature) {
        return Err(Malformed("manifest.sig is not the signer's over manifest.json".to_owned()));
    }
    let manifest = Manifest::parse(&octets)?;
    Ok(Signed { manifest, octets, signature, signer, der: certificate.der, chain: objects })
}

/// Proves a state that was written down: its signature and its chain, at whatever time; certificates are judged as they
/// are loaded.
/// # Errors
/// [`Malformed`]
pub fn prove_again(
    local: &Local,
    octets: Vec<u8>,
    signature: Vec<u8>,
    signer: Vec<u8>,
    objects: Objects,
    retained: Vec<Object>,
) -> Result<LastGood, Malformed> {
    let signed = prove(octets, signature, signer)?;
    let mut certificates = signed.chain.clone();
    certificates.extend(local.certificates.iter().cloned());
    certificates.extend(objects.of(Class::Authority));
    let trust = pki::load(&local.anchors, &certificates, &[], Options::default(), signed.manifest.this_update);
    if !trust.repository.iter().any(|one| one.certificate.der == signed.der) {
        return Err(Malformed("the signer of the manifest does not stand below a trust anchor".to_owned()));
    }
    let Signed { manifest, octets, signature, signer, .. } = signed;
    Ok(LastGood { manifest, octets, signature, signer, objects, retained })
}
