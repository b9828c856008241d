//! One certificate revocation list of the profile (formats 12.3).

use super::certificate::{Certificate, Signed, authority_key_identifier, is, oid, profile};
use super::object::Object;
use super::{Refused, der};
use std::collections::HashSet;
use x509_parser::prelude::{CertificateRevocationList, FromDer, X509Extension};
use x509_parser::x509::X509Version;

/// A revocation list whose octets follow the profile. Says nothing yet about who signed it.
#[derive(Clone, Debug)]
pub struct Crl {
    /// The name of its file.
    pub name: String,
    /// Issuer in words, for people.
    pub issuer: String,
    /// Key identifier of its issuer.
    pub aki: [u8; 20],
    /// `cRLNumber`, big-endian, without leading zero octets; higher is newer.
    pub number: Vec<u8>,
    /// When it was made, seconds since 1970.
    pub this_update: i64,
    /// When the next one is due, seconds since 1970.
    pub next_update: i64,
    revoked: HashSet<Vec<u8>>,
    issuer_name: Vec<u8>,
    der: Vec<u8>,
    signed: Signed,
}

impl Crl {
    /// Reads one revocation list.
    ///
    /// Any critical extension is refused, of the list and of an entry: one that narrows what the list covers, or moves
    /// an entry to another issuer, must not be read as if it were not there.
    /// # Errors
    /// [`Fault::Profile`](super::Fault::Profile) with the field and what it should be.
    /// # Source
    /// Formats 12.3; RFC 5280 section 5.
    pub fn parse(object: &Object) -> Result<Self, Refused> {
        let octets = object.der.as_slice();
        der::check(octets)?;
        let parsed = CertificateRevocationList::from_der(octets);
        let (_, list) = parsed.map_err(|fault| profile(format!("not a revocation list: {fault}")))?;
        if list.version() != Some(X509Version::V2) {
            return Err(profile("version is not 2"));
        }
        let signed = Signed::read(octets)?;
        let next_update = list.next_update().ok_or_else(|| profile("nextUpdate is missing"))?;
        let (this_update, next_update) = (list.last_update().timestamp(), next_update.timestamp());
        if next_update < this_update {
            return Err(profile("nextUpdate is before thisUpdate"));
        }
        no_critical(list.extensions())?;
        let (mut aki, mut number) = (None, None);
        for extension in list.extensions() {
            if is(&extension.oid, oid::AUTHORITY_KEY_ID) {
                aki = Some(authority_key_identifier(extension.value)?);
            } else if is(&extension.oid, oid::CRL_NUMBER) {
                number = Some(crl_number(extension.value)?);
            }
        }
        let mut revoked = HashSet::new();
        for entry in list.iter_revoked_certificates() {
            no_critical(entry.extensions())?;
            revoked.insert(strip(entry.raw_serial()));
        }
        Ok(Self {
            name: object.name.clone(),
            issuer: list.issuer().to_string(),
            aki: aki.ok_or_else(|| profile("authorityKeyIdentifier is missing"))?,
            number: number.ok_or_else(|| profile("cRLNumber is missing"))?,
            this_update,
            next_update,
            revoked,
            issuer_name: list.issuer().as_raw().to_vec(),
            der: object.der.clone(),
            signed,
        })
    }

    /// Its octets.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// True if this serial number (without leading zero octets) is on the list.
    pub fn revokes(&self, serial: &[u8]) -> bool {
        self.revoked.contains(serial)
    }

    /// How many certificates are on the list.
    pub fn len(&self) -> usize {
        self.revoked.len()
    }

    /// True if nothing is revoked.
    pub fn is_empty(&self) -> bool {
        self.revoked.is_empty()
    }

    /// True if `issuer` is named in it and made its signature.
    pub fn is_signed_by(&self, issuer: &Certificate) -> bool {
        self.aki == issuer.ski && self.issuer_name == issuer.subject_name && self.signed.verify(&self.der, &issuer.key)
    }

    /// Name and key identifier of its issuer.
    pub(super) fn issuer_key(&self) -> (Vec<u8>, [u8; 20]) {
        (self.issuer_name.clone(), self.aki)
    }

    /// True if it is newer than `other`: the higher number, then the later date.
    pub(super) fn is_newer_than(&self, other: &Self) -> bool {
        let rank = |list: &Self| (list.number.len(), list.number.clone(), list.this_update);
        rank(self) > rank(other)
    }
}

fn no_critical(extensions: &[X509Extension<'_>]) -> Result<(), Refused> {
    let mut seen = HashSet::new();
    for extension in extensions {
        if extension.critical {
            return Err(profile(format!("critical extension {} is unknown", extension.oid)));
        }
        if !seen.insert(extension.oid.as_bytes()) {
            return Err(profile(format!("extension {} twice", extension.oid)));
        }
    }
    Ok(())
}

/// A cRLNumber is not negative and has at most 20 octets (RFC 5280 5.2.3).
fn crl_number(value: &[u8]) -> Result<Vec<u8>, Refused> {
    der::check(value)?;
    let content = der::only(value, 0x02)?;
    if content.len() > 20 || matches!(content, [0x80..=0xff, ..]) {
        return Err(profile("cRLNumber is negative or longer than 20 octets"));
    }
    Ok(strip(content))
}

fn strip(octets: &[u8]) -> Vec<u8> {
    octets.iter().copied().skip_while(|octet| *octet == 0).collect()
}
