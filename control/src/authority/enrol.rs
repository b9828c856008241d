//! Enrolment (formats 12.6): who may ask, what is asked for, and whether it is certified, refused, or waits for a person.
//!
//! A first request comes with an invitation, a client certificate that the authority made for one operator; a renewal with
//! the operator's current certificate. Both are known by their octets from the database: no chain is followed, and whoever
//! is not in it is a stranger. First requests wait for approval; a renewal of the same identifiers is certified at once.
//! One key has one certificate: asked again, the answer is the same, so an answer that was lost can be had once more.

mod refusal;
mod ticket;

pub use refusal::Refusal;
pub use ticket::{Ticket, TicketState};

use super::audit::{self, Deed, Entry};
use super::mint::{self, Content, Purpose};
use super::store::{ISSUED, find_issued, issued};
use super::{Authority, AuthorityError, BACKDATE, Ca, Issued, MAX_DAYS, Object, check_name, files, hex, pem};
use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair, PublicKeyData};
use rusqlite::{OptionalExtension, params};
use sealgate_crypto::alg::Alg;
use sealgate_crypto::pki::{Certificate, CertificationRequest, Identifiers, Usage};
use sealgate_crypto::verify::PublicKey;
use serde::Serialize;
use std::fmt;
use std::path::PathBuf;
use time::{Duration, OffsetDateTime};

/// Below the authority's directory: what is carried to operators.
const INVITATIONS: &str = "invitations";

/// Who asks.
#[derive(Clone, Debug)]
pub struct Asker {
    /// For which operator.
    pub operator: String,
    by: By,
}

#[derive(Clone, Debug)]
enum By {
    /// Somebody at the authority's own keyboard, with a request that came in another way.
    Person,
    /// The octets of an invitation.
    Invitation(Vec<u8>),
    /// The operator's current certificate.
    Certificate(Box<Certificate>),
}

impl fmt::Display for Asker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.by {
            By::Person => write!(f, "a person for {}", self.operator),
            By::Invitation(_) => write!(f, "{} by invitation", self.operator),
            By::Certificate(one) => write!(f, "{} by certificate {}", self.operator, one.serial_hex()),
        }
    }
}

/// What became of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It waits for a decision under this ticket.
    Waiting(String),
    /// It was certified.
    Issued {
        /// The serial number.
        serial: u64,
        /// The certificate and the region's, PEM.
        chain: String,
    },
}

/// An invitation, to be carried to the operator.
#[derive(Clone, Debug, Serialize)]
pub struct Invitation {
    /// For whom.
    pub operator: String,
    /// Private key and client certificate, PEM, mode 0600.
    pub file: PathBuf,
    /// Last second of its validity, seconds since 1970.
    pub not_after: i64,
}

/// The key of a request as rcgen wants it.
struct Asked<'a>(&'a PublicKey);

impl PublicKeyData for Asked<'_> {
    fn der_bytes(&self) -> &[u8] {
        self.0.bits()
    }

    fn algorithm(&self) -> &'static rcgen::SignatureAlgorithm {
        match self.0.alg() {
            Alg::P256 => &rcgen::PKCS_ECDSA_P256_SHA256,
            Alg::P384 => &rcgen::PKCS_ECDSA_P384_SHA384,
            Alg::Ed25519 => &rcgen::PKCS_ED25519,
            Alg::Rsa2048 => &rcgen::PKCS_RSA_SHA256,
        }
    }
}

impl Authority {
    /// Makes a client certificate with which an operator may ask for its first certificate. One that it had is withdrawn.
    /// # Errors
    /// A name that is none, an operator without numbering records, files.
    pub fn invite(&mut self, operator: &str, days: u16, now: OffsetDateTime) -> Result<Invitation, AuthorityError> {
        check_name(operator)?;
        if self.recorded(operator)?.is_none_or(|has| has.is_empty()) {
            return Err(Refusal::NoRecords(operator.to_owned()).into());
        }
        let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)?;
        let mut params = CertificateParams::default();
        params.distinguished_name = mint::name(&self.state.name, operator);
        params.distinguished_name.push(DnType::OrganizationalUnitName, "enrolment");
        (params.not_before, params.not_after) = (now - BACKDATE, now + Duration::days(days.into()));
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let made = params.self_signed(&key)?;
        let dir = self.dir.join(INVITATIONS);
        files::make_dir(&dir, 0o700)?;
        let file = dir.join(format!("{operator}.pem"));
        let not_after = (now + Duration::days(days.into())).unix_timestamp();
        let entry = Entry::new(now.unix_timestamp(), &self.who, Deed::Invite, operator);
        let entry = entry.reason(format!("until {}", super::notation::show(not_after)));
        self.store.transaction(|tx| {
            tx.execute("UPDATE credentials SET withdrawn = 1 WHERE operator = ?", [operator])?;
            tx.execute(
                "INSERT INTO credentials (der, operator, not_after) VALUES (?, ?, ?)",
                params![made.der().as_ref(), operator, not_after],
            )?;
            audit::put(tx, &entry)
        })?;
        files::write(&file, (key.serialize_pem() + &made.pem()).as_bytes(), files::PRIVATE)?;
        Ok(Invitation { operator: operator.to_owned(), file, not_after })
    }

    /// Asks as somebody else than who opened it; what is done from now on stands under this in the audit log.
    pub fn on_behalf_of(&mut self, who: impl Into<String>) {
        self.who = who.into();
    }

    /// Who asks with this client certificate, whose key was proven already.
    /// # Errors
    /// [`Refusal`], which stands in the audit log then.
    pub fn asker(&mut self, shown: Option<&[u8]>, now: OffsetDateTime) -> Result<Asker, AuthorityError> {
        let found = self.look_up(shown, now);
        self.noted(None, found, now)
    }

    /// Somebody at the keyboard asks for an operator.
    /// # Errors
    /// A name that is none.
    pub fn asker_in_person(&self, operator: &str) -> Result<Asker, AuthorityError> {
        check_name(operator)?;
        Ok(Asker { operator: operator.to_owned(), by: By::Person })
    }

    fn look_up(&self, shown: Option<&[u8]>, now: OffsetDateTime) -> Result<Asker, AuthorityError> {
        let shown = shown.ok_or(Refusal::NoCertificate)?;
        let now = now.unix_timestamp();
        let invitation: Option<(String, i64, bool)> = self.store.read(|db| {
            let sql = "SELECT operator, not_after, withdrawn FROM credentials WHERE der = ?";
            db.query_row(sql, [shown], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).optional()
        })?;
        if let Some((operator, not_after, withdrawn)) = invitation {
            return match (withdrawn, now > not_after) {
                (true, _) => Err(Refusal::Withdrawn(operator).into()),
                (_, true) => Err(Refusal::InvitationOver(operator).into()),
                _ => Ok(Asker { operator, by: By::Invitation(shown.to_owned()) }),
            };
        }
        let (one, der) = self.store.read(|db| find_issued(db, "der", &shown))?.ok_or(Refusal::Stranger)?;
        let object = Object { name: one.name.clone(), der };
        let read = Certificate::parse(&object).map_err(|refused| mint::at_fault(&one.name, refused))?;
        if one.revoked.is_some() {
            return Err(Refusal::Revoked(one.name).into());
        }
        if now > read.not_after || now < read.not_before {
            return Err(Refusal::OutOfTime(one.name).into());
        }
        if read.usage != Usage::Messages {
            return Err(Refusal::Stranger.into());
        }
        Ok(Asker { operator: one.operator, by: By::Certificate(Box::new(read)) })
    }

    /// Writes a refusal into the audit log.
    fn noted<T>(
        &mut self,
        operator: Option<&str>,
        done: Result<T, AuthorityError>,
        now: OffsetDateTime,
    ) -> Result<T, AuthorityError> {
        if let Err(AuthorityError::Enrol(refusal)) = &done {
            let mut entry = Entry::new(now.unix_timestamp(), &self.who, Deed::Refuse, "").reason(refusal.to_string());
            entry.operator = operator.or(refusal.operator()).map(str::to_owned);
            self.store.transaction(|tx| audit::put(tx, &entry))?;
        }
        done
    }

    /// Takes a request, PKCS#10 in DER or PEM.
    /// # Errors
    /// [`AuthorityError::Enrol`] with the reason, which stands in the audit log then; files and database.
    pub fn enrol(&mut self, asker: &Asker, octets: &[u8], now: OffsetDateTime) -> Result<Answer, AuthorityError> {
        let done = self.consider(asker, octets, now);
        self.noted(Some(&asker.operator), done, now)
    }

    fn consider(&mut self, asker: &Asker, octets: &[u8], now: OffsetDateTime) -> Result<Answer, AuthorityError> {
        let request = CertificationRequest::parse(octets).map_err(Refusal::Request)?;
        let operator = asker.operator.as_str();
        if let Some(answer) = self.known_key(operator, &request)? {
            return Ok(answer);
        }
        self.check(operator, &request)?;
        if let By::Certificate(current) = &asker.by
            && same(&current.identifiers, &request.identifiers)
            && current.role == Some(request.role)
        {
            return self.certify(operator, &request, None, now);
        }
        let sai = hex(&request.key.sai());
        if let Some(waiting) = self.store.read(|db| ticket::waiting(db, operator, &request.der))? {
            return Ok(Answer::Waiting(waiting));
        }
        if self.store.read(|db| ticket::count_waiting(db, operator))? >= ticket::MAX_WAITING {
            return Err(Refusal::TooMany(operator.to_owned()).into());
        }
        let ticket = hex(&super::random()?);
        let entry = Entry::new(now.unix_timestamp(), &self.who, Deed::Request, operator);
        let entry = entry.reason(format!("ticket {ticket}, SAI {sai}"));
        let invitation = match &asker.by {
            By::Invitation(der) => Some(der),
            By::Person | By::Certificate(_) => None,
        };
        let bound = self.store.transaction(|tx| {
            if let Some(der) = invitation {
                // Its first key is the only one, unless the request for that was refused.
                let sql = "UPDATE credentials SET sai = ?1 WHERE der = ?2 AND (sai IS NULL OR sai = ?1 OR NOT EXISTS
                    (SELECT 1 FROM tickets WHERE tickets.sai = credentials.sai AND refused IS NULL))";
                if tx.execute(sql, params![sai, der])? == 0 {
                    return Ok(false);
                }
            }
            ticket::put(tx, &ticket, operator, &sai, &request.der, now.unix_timestamp())?;
            audit::put(tx, &entry)?;
            Ok(true)
        })?;
        if bound { Ok(Answer::Waiting(ticket)) } else { Err(Refusal::OtherKey(operator.to_owned()).into()) }
    }

    /// What a key has already: its certificate, or a reason why it cannot have one.
    fn known_key(&self, operator: &str, request: &CertificationRequest) -> Result<Option<Answer>, AuthorityError> {
        let sai = hex(&request.key.sai());
        let holders: Vec<(Issued, Option<Vec<u8>>)> = self.store.read(|db| {
            let mut all = db.prepare(&format!("SELECT {ISSUED} FROM issued WHERE sai = ? ORDER BY serial DESC"))?;
            let rows = all.query_map([&sai], |row| Ok((issued(row)?, row.get(10)?)))?;
            rows.collect()
        })?;
        let others = |one: &(Issued, Option<Vec<u8>>)| one.0.operator != operator;
        let root = self.certificate(Ca::Root)?.sai == request.key.sai();
        if root || holders.iter().any(others) || self.store.read(|db| ticket::is_of_another(db, operator, &sai))? {
            return Err(Refusal::KeyTaken(operator.to_owned()).into());
        }
        if holders.iter().any(|(one, _)| one.revoked.is_some()) {
            return Err(Refusal::KeyRevoked(operator.to_owned()).into());
        }
        let Some((one, Some(der))) = holders.into_iter().next() else { return Ok(None) };
        let object = Object { name: one.name.clone(), der };
        let read = Certificate::parse(&object).map_err(|refused| mint::at_fault(&one.name, refused))?;
        if !same(&read.identifiers, &request.identifiers) || read.role != Some(request.role) {
            return Err(Refusal::KeyUsed(operator.to_owned()).into());
        }
        Ok(Some(Answer::Issued { serial: one.serial, chain: self.chain(&read.der)? }))
    }

    /// Whether an operator may have what it asks for.
    fn check(&self, operator: &str, request: &CertificationRequest) -> Result<(), AuthorityError> {
        if request.identifiers.is_empty() {
            return Err(Refusal::Nothing(operator.to_owned()).into());
        }
        let region = self.certificate(Ca::Region)?.identifiers;
        let outside = |has: &Identifiers| match request.identifiers.any {
            true => Some("anyIdentifier".to_owned()),
            false => request.identifiers.first_outside(has),
        };
        let recorded = self.recorded(operator)?.filter(|has| !has.is_empty());
        let recorded = recorded.ok_or_else(|| Refusal::NoRecords(operator.to_owned()))?;
        if let Some(outside) = outside(&recorded) {
            return Err(Refusal::OutsideRecords { operator: operator.to_owned(), outside }.into());
        }
        match outside(&region) {
            Some(outside) => Err(Refusal::OutsideRegion { operator: operator.to_owned(), outside }.into()),
            None => Ok(()),
        }
    }

    /// Issues what was checked.
    fn certify(
        &mut self,
        operator: &str,
        request: &CertificationRequest,
        ticket: Option<(&str, &Entry)>,
        now: OffsetDateTime,
    ) -> Result<Answer, AuthorityError> {
        let (issuer, signer) = (self.certificate(Ca::Region)?, self.signer(Ca::Region)?);
        let not_before = super::start(now)?;
        let ends = OffsetDateTime::from_unix_timestamp(issuer.not_after).map_err(|_| AuthorityError::Clock)?;
        let name = self.free_name(operator);
        let content = Content {
            subject: mint::name(&self.state.name, operator),
            serial: self.take_serial()?,
            not_before,
            not_after: mint::later(not_before, MAX_DAYS)?.min(ends),
            identifiers: &request.identifiers,
            purpose: Purpose::Messages(request.role),
        };
        let made = mint::certificate(&name, &content, &Asked(&request.key), &signer)?;
        let chain = self.chain(&made.der)?;
        let issued = self.remember(&name, operator, Ca::Region, made, ticket, now)?;
        Ok(Answer::Issued { serial: issued.serial, chain })
    }

    /// The operator's name, or that with the first free number from 2.
    fn free_name(&self, operator: &str) -> String {
        let numbered = (2u64..).map(|n| format!("{operator}-{n}"));
        let free =
            |name: &String| !self.cert_file(name).exists() && self.state.issued.iter().all(|one| one.name != *name);
        std::iter::once(operator.to_owned()).chain(numbered).find(free).unwrap_or_default()
    }

    /// A certificate and the one above it, PEM.
    fn chain(&self, der: &[u8]) -> Result<String, AuthorityError> {
        Ok(pem(der) + &pem(&self.certificate(Ca::Region)?.der))
    }

    /// Certificates of operators that hold, with what the database says of them.
    pub(super) fn holding(&self, now: OffsetDateTime) -> Result<Vec<(Issued, Certificate)>, AuthorityError> {
        let sql = format!("SELECT {ISSUED} FROM issued WHERE revoked_at IS NULL AND der IS NOT NULL");
        let all: Vec<(Issued, Vec<u8>)> = self.store.read(|db| {
            let mut all = db.prepare(&sql)?;
            let rows = all.query_map([], |row| Ok((issued(row)?, row.get(10)?)))?;
            rows.collect()
        })?;
        let mut holding = Vec::new();
        for (one, der) in all {
            let object = Object { name: one.name.clone(), der };
            let read = Certificate::parse(&object).map_err(|refused| mint::at_fault(&one.name, refused))?;
            if read.usage == Usage::Messages && read.not_after >= now.unix_timestamp() {
                holding.push((one, read));
            }
        }
        Ok(holding)
    }
}

/// Whether two ask for the same, in whatever order.
fn same(one: &Identifiers, other: &Identifiers) -> bool {
    one.is_subset_of(other) && other.is_subset_of(one)
}
