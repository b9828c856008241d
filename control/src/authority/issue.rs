//! Issuing and revoking: certificates with keys made here, and revocation lists.

use super::audit::{Deed, Entry};
use super::mint::{self, Content, Purpose};
use super::{Authority, AuthorityError, Ca, Issued, MAX_DAYS, Reason, Revoked};
use super::{check_name, enrol, files, hex, new_key, notation, pem, start};
use sealgate_crypto::alg::Alg;
use sealgate_crypto::pki::{Certificate, Identifiers, Role};
use serde::Serialize;
use std::path::PathBuf;
use time::{Duration, OffsetDateTime};

/// What an operator asks for.
#[derive(Clone, Debug)]
pub struct Request {
    /// Its name, also that of its files.
    pub operator: String,
    /// What it is to speak for; telephone numbers included.
    pub identifiers: Identifiers,
    /// What kind of operator it is.
    pub role: Role,
    /// Algorithm of its key.
    pub alg: Alg,
    /// Days of validity, unless `not_after` is given.
    pub days: i64,
    /// First second of validity; five minutes ago if not given.
    pub not_before: Option<OffsetDateTime>,
    /// Last second of validity.
    pub not_after: Option<OffsetDateTime>,
    /// Who issues it.
    pub ca: Ca,
}

impl Request {
    /// A service provider with a P-256 key for 398 days.
    pub fn new(operator: &str, identifiers: Identifiers) -> Self {
        Self {
            operator: operator.to_owned(),
            identifiers,
            role: Role::Csp,
            alg: Alg::P256,
            days: MAX_DAYS,
            not_before: None,
            not_after: None,
            ca: Ca::Region,
        }
    }
}

/// A certificate that was issued, and where it lies.
#[derive(Clone, Debug, Serialize)]
pub struct IssuedFiles {
    /// What `state.json` remembers of it.
    #[serde(flatten)]
    pub issued: Issued,
    /// Its certificate.
    pub certificate: PathBuf,
    /// Its private key, mode 0600.
    pub private_key: PathBuf,
}

/// A revocation list that was published.
#[derive(Clone, Debug, Serialize)]
pub struct Published {
    /// Whose list it is.
    pub ca: Ca,
    /// Its number.
    pub number: u64,
    /// How many certificates are on it.
    pub revoked: usize,
    /// When the next one is due, RFC 3339.
    pub next_update: String,
    /// Where it lies.
    pub file: PathBuf,
}

impl Authority {
    /// Makes a key and a certificate for an operator.
    /// # Errors
    /// A name that is taken or impossible, identifiers that the issuer does not have, dates beyond the profile.
    pub fn issue(&mut self, request: &Request, now: OffsetDateTime) -> Result<IssuedFiles, AuthorityError> {
        let operator = request.operator.as_str();
        check_name(operator)?;
        if self.find(operator).is_some() || self.cert_file(operator).exists() || self.key_file(operator).exists() {
            return Err(AuthorityError::Taken(operator.to_owned()));
        }
        if request.identifiers.is_empty() {
            return Err(AuthorityError::NoIdentifiers);
        }
        request.identifiers.check()?;
        let issuer = self.certificate(request.ca)?;
        // Below a trust anchor nobody has anyIdentifier, whatever the anchor has.
        let any = request.identifiers.any.then(|| "anyIdentifier".to_owned());
        if let Some(outside) = any.or_else(|| request.identifiers.first_outside(&issuer.identifiers)) {
            return Err(AuthorityError::Outside { outside, ca: request.ca.name().to_owned() });
        }
        if let Some(recorded) = self.recorded(operator)?
            && let Some(outside) = request.identifiers.first_outside(&recorded)
        {
            return Err(enrol::Refusal::OutsideRecords { operator: operator.to_owned(), outside }.into());
        }
        let (not_before, not_after) = dates(request, &issuer, now)?;
        let signer = self.signer(request.ca)?;
        let key = new_key(request.alg)?;
        let content = Content {
            subject: mint::name(&self.state.name, operator),
            serial: self.take_serial()?,
            not_before,
            not_after,
            identifiers: &request.identifiers,
            purpose: Purpose::Messages(request.role),
        };
        let made = mint::certificate(operator, &content, &key, &signer)?;
        self.keep(operator, operator, request.ca, &key, made, now)
    }

    /// Revokes a certificate by the operator's name or its serial number, and publishes its issuer's list.
    /// # Errors
    /// [`AuthorityError::Unknown`], [`AuthorityError::Revoked`] or [`AuthorityError::RevokeRoot`].
    pub fn revoke(
        &mut self,
        which: &str,
        reason: Reason,
        now: OffsetDateTime,
    ) -> Result<(Issued, Published), AuthorityError> {
        if matches!(which, "root" | "1") {
            return Err(AuthorityError::RevokeRoot);
        }
        let unknown = || AuthorityError::Unknown(which.to_owned());
        let at = self.find(which).ok_or_else(unknown)?;
        let one = self.state.issued.get_mut(at).ok_or_else(unknown)?;
        if one.revoked.is_some() {
            return Err(AuthorityError::Revoked(one.name.clone()));
        }
        let revoked = Revoked { at: now.unix_timestamp(), reason };
        let entry =
            Entry::new(revoked.at, &self.who, Deed::Revoke, &one.operator).serial(one.serial).reason(reason.name());
        self.store.revoke(one.serial, &revoked, &entry)?;
        one.revoked = Some(revoked);
        let issued = one.clone();
        let published = self.publish_one(Ca::from_name(&issued.ca)?, now)?;
        Ok((issued, published))
    }

    /// Makes the revocation lists of root and region again: number up by one, due in seven days.
    /// # Errors
    /// Whatever the files give.
    pub fn publish(&mut self, now: OffsetDateTime) -> Result<[Published; 2], AuthorityError> {
        Ok([self.publish_one(Ca::Root, now)?, self.publish_one(Ca::Region, now)?])
    }

    fn publish_one(&mut self, ca: Ca, now: OffsetDateTime) -> Result<Published, AuthorityError> {
        let signer = self.signer(ca)?;
        // The number is taken before the list exists: a crash in between leaves a gap, never a number used twice.
        let number = self.store.take_crl_number(ca)?;
        match ca {
            Ca::Root => self.state.root_crl = number,
            Ca::Region => self.state.region_crl = number,
        }
        let this_update = start(now)?;
        let pem = mint::crl(ca.name(), number, this_update, &self.state.issued, &signer)?;
        let file = self.dir.join(format!("crls/{}.crl.pem", ca.name()));
        files::write(&file, pem.as_bytes(), files::PUBLIC)?;
        let next_update = notation::show(mint::later(this_update, mint::CRL_DAYS)?.unix_timestamp());
        let on_list = |one: &&Issued| one.ca == ca.name() && one.revoked.is_some();
        let revoked = self.state.issued.iter().filter(on_list).count();
        Ok(Published { ca, number, revoked, next_update, file })
    }

    /// Writes the key of a certificate that was made here, remembers the certificate, and writes it.
    pub(super) fn keep(
        &mut self,
        name: &str,
        operator: &str,
        ca: Ca,
        key: &rcgen::KeyPair,
        made: Certificate,
        now: OffsetDateTime,
    ) -> Result<IssuedFiles, AuthorityError> {
        let private_key = self.key_file(name);
        files::write(&private_key, key.serialize_pem().as_bytes(), files::PRIVATE)?;
        let issued = self.remember(name, operator, ca, made, None, now)?;
        Ok(IssuedFiles { issued, certificate: self.cert_file(name), private_key })
    }

    /// Remembers a certificate, then writes it. Nobody has seen it before it stands in database and audit log.
    pub(super) fn remember(
        &mut self,
        name: &str,
        operator: &str,
        ca: Ca,
        made: Certificate,
        ticket: Option<(&str, &Entry)>,
        now: OffsetDateTime,
    ) -> Result<Issued, AuthorityError> {
        let issued = Issued {
            name: name.to_owned(),
            serial: made.serial.iter().fold(0, |sum, octet| sum << 8 | u64::from(*octet)),
            operator: operator.to_owned(),
            ca: ca.name().to_owned(),
            sai: hex(&made.sai),
            alg: made.key.alg().name().to_owned(),
            not_before: notation::show(made.not_before),
            not_after: notation::show(made.not_after),
            revoked: None,
        };
        let entry = Entry::new(now.unix_timestamp(), &self.who, Deed::Issue, operator).serial(issued.serial);
        self.store.add(&issued, &made.der, ticket, &entry.reason(format!("{name}, SAI {}", issued.sai)))?;
        self.state.issued.push(issued.clone());
        self.write_certificate(name, &made.der)?;
        Ok(issued)
    }

    /// Writes the file of a certificate that stands in the database.
    pub(super) fn write_certificate(&self, name: &str, der: &[u8]) -> Result<(), AuthorityError> {
        files::write(&self.cert_file(name), pem(der).as_bytes(), files::PUBLIC)?;
        self.store.set_written(name)
    }
}

fn dates(
    request: &Request,
    issuer: &Certificate,
    now: OffsetDateTime,
) -> Result<(OffsetDateTime, OffsetDateTime), AuthorityError> {
    let not_before = request.not_before.map_or_else(|| start(now), Ok)?;
    if request.not_after.is_none() && !(1..=MAX_DAYS).contains(&request.days) {
        return Err(AuthorityError::Dates(format!("{} days is not from 1 to {MAX_DAYS}", request.days)));
    }
    let not_after = request.not_after.map_or_else(|| mint::later(not_before, request.days), Ok)?;
    if not_after <= not_before {
        return Err(AuthorityError::Dates("it would end before it begins".to_owned()));
    }
    if not_after - not_before > Duration::days(MAX_DAYS) {
        return Err(AuthorityError::Dates(format!("it would be valid for more than {MAX_DAYS} days")));
    }
    if not_after.unix_timestamp() > issuer.not_after {
        let ends = notation::show(issuer.not_after);
        return Err(AuthorityError::Dates(format!("it would outlive its issuer, which ends {ends}")));
    }
    Ok((not_before, not_after))
}
