//! Requests that wait for a person, and what the person decides.

use super::super::audit::{self, Deed, Entry};
use super::super::store::number;
use super::super::{Authority, AuthorityError};
use super::{Answer, Asker, Refusal};
use crate::authority::store::find_issued;
use rusqlite::{Connection, OptionalExtension, Row, params};
use sealgate_crypto::pki::{CertificationRequest, Identifiers, Role};
use serde::Serialize;
use time::OffsetDateTime;

/// Requests of one operator that wait at once.
pub(super) const MAX_WAITING: i64 = 4;
/// Decided tickets that are listed.
const MAX_LIST: i64 = 1000;

/// How a request stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum TicketState {
    /// Nobody decided yet.
    Waiting,
    /// Certified under this serial number.
    Issued(u64),
    /// Refused, and why.
    Refused(String),
}

/// A request that waits or waited for a decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Ticket {
    /// Its name.
    pub ticket: String,
    /// Who asks.
    pub operator: String,
    /// Security association identifier of the key, hexadecimal.
    pub sai: String,
    /// When it came, seconds since 1970.
    pub made: i64,
    /// How it stands.
    pub state: TicketState,
    #[serde(skip)]
    request: Vec<u8>,
}

impl Ticket {
    /// What is asked for.
    /// # Errors
    /// The request does not read any more: a fault of the database.
    pub fn asks_for(&self) -> Result<(Identifiers, Role), AuthorityError> {
        let request = CertificationRequest::parse(&self.request).map_err(Refusal::Request)?;
        Ok((request.identifiers, request.role))
    }
}

const COLUMNS: &str = "ticket, operator, sai, made, refused, serial, request";

fn read(row: &Row<'_>) -> rusqlite::Result<Ticket> {
    let (refused, serial): (Option<String>, Option<i64>) = (row.get(4)?, row.get(5)?);
    let state = match (refused, serial) {
        (_, Some(serial)) => TicketState::Issued(u64::try_from(serial).unwrap_or_default()),
        (Some(why), None) => TicketState::Refused(why),
        (None, None) => TicketState::Waiting,
    };
    Ok(Ticket {
        ticket: row.get(0)?,
        operator: row.get(1)?,
        sai: row.get(2)?,
        made: row.get(3)?,
        state,
        request: row.get(6)?,
    })
}

pub(super) fn put(
    db: &Connection,
    ticket: &str,
    operator: &str,
    sai: &str,
    der: &[u8],
    now: i64,
) -> rusqlite::Result<()> {
    let sql = "INSERT INTO tickets (ticket, operator, sai, request, made) VALUES (?, ?, ?, ?, ?)";
    db.execute(sql, params![ticket, operator, sai, der, now]).map(|_| ())
}

/// The ticket of the same request.
pub(super) fn waiting(db: &Connection, operator: &str, der: &[u8]) -> rusqlite::Result<Option<String>> {
    let sql = "SELECT ticket FROM tickets WHERE operator = ? AND request = ? AND refused IS NULL AND serial IS NULL";
    db.query_row(sql, params![operator, der], |row| row.get(0)).optional()
}

pub(super) fn count_waiting(db: &Connection, operator: &str) -> rusqlite::Result<i64> {
    let sql = "SELECT count(*) FROM tickets WHERE operator = ? AND refused IS NULL AND serial IS NULL";
    db.query_row(sql, [operator], |row| row.get(0))
}

/// Whether another operator asked for this key and was not refused.
pub(super) fn is_of_another(db: &Connection, operator: &str, sai: &str) -> rusqlite::Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM tickets WHERE sai = ? AND operator <> ? AND refused IS NULL)";
    db.query_row(sql, params![sai, operator], |row| row.get(0))
}

impl Authority {
    /// The tickets, oldest first: all that wait, or the last thousand.
    /// # Errors
    /// Whatever the database gives.
    pub fn tickets(&self, decided_too: bool) -> Result<Vec<Ticket>, AuthorityError> {
        self.store.read(|db| {
            let sql = format!(
                "SELECT * FROM (SELECT {COLUMNS} FROM tickets WHERE ?1 OR (refused IS NULL AND serial IS NULL)
                 ORDER BY made DESC LIMIT ?2) ORDER BY made"
            );
            let mut all = db.prepare(&sql)?;
            let rows = all.query_map(params![decided_too, MAX_LIST], read)?;
            rows.collect()
        })
    }

    fn ticket(&self, name: &str) -> Result<Ticket, AuthorityError> {
        let sql = format!("SELECT {COLUMNS} FROM tickets WHERE ticket = ?");
        let found = self.store.read(|db| db.query_row(&sql, [name], read).optional())?;
        found.ok_or(AuthorityError::Enrol(Refusal::UnknownTicket))
    }

    /// How a request of `asker` stands.
    /// # Errors
    /// [`Refusal::UnknownTicket`], also for one of another operator; [`Refusal::Person`].
    pub fn ask_again(&self, asker: &Asker, name: &str) -> Result<Answer, AuthorityError> {
        let ticket = self.ticket(name).ok().filter(|ticket| ticket.operator == asker.operator);
        let ticket = ticket.ok_or(Refusal::UnknownTicket)?;
        match ticket.state {
            TicketState::Waiting => Ok(Answer::Waiting(ticket.ticket)),
            TicketState::Refused(why) => Err(Refusal::Person(why).into()),
            TicketState::Issued(serial) => {
                let found = self.store.read(|db| find_issued(db, "serial", &number(serial)))?;
                let (_, der) = found.ok_or(Refusal::UnknownTicket)?;
                Ok(Answer::Issued { serial, chain: self.chain(&der)? })
            }
        }
    }

    /// Certifies what a ticket asks for, after all checks once more: records and keys may have changed meanwhile.
    /// # Errors
    /// [`Refusal`], which stands in the audit log then; the ticket goes on waiting.
    pub fn approve(&mut self, name: &str, now: OffsetDateTime) -> Result<(Ticket, Answer), AuthorityError> {
        let ticket = self.open_ticket(name)?;
        let operator = ticket.operator.clone();
        let done = self.certify_ticket(&ticket, now);
        let answer = self.noted(Some(&operator), done, now)?;
        Ok((ticket, answer))
    }

    fn certify_ticket(&mut self, ticket: &Ticket, now: OffsetDateTime) -> Result<Answer, AuthorityError> {
        let request = CertificationRequest::parse(&ticket.request).map_err(Refusal::Request)?;
        let operator = ticket.operator.as_str();
        if self.known_key(operator, &request)?.is_some() {
            return Err(Refusal::Decided(ticket.ticket.clone()).into());
        }
        self.check(operator, &request)?;
        let entry = Entry::new(now.unix_timestamp(), &self.who, Deed::Approve, operator);
        let entry = entry.reason(format!("ticket {}", ticket.ticket));
        self.certify(operator, &request, Some((&ticket.ticket, &entry)), now)
    }

    /// Refuses what a ticket asks for.
    /// # Errors
    /// [`Refusal::UnknownTicket`] or [`Refusal::Decided`].
    pub fn refuse(&mut self, name: &str, why: &str, now: OffsetDateTime) -> Result<Ticket, AuthorityError> {
        let ticket = self.open_ticket(name)?;
        let entry = Entry::new(now.unix_timestamp(), &self.who, Deed::Refuse, &ticket.operator);
        let entry = entry.reason(format!("ticket {name}: {why}"));
        self.store.transaction(|tx| {
            tx.execute("UPDATE tickets SET refused = ? WHERE ticket = ?", params![why, name])?;
            audit::put_always(tx, &entry)
        })?;
        Ok(ticket)
    }

    fn open_ticket(&self, name: &str) -> Result<Ticket, AuthorityError> {
        let ticket = self.ticket(name)?;
        match ticket.state {
            TicketState::Waiting => Ok(ticket),
            _ => Err(Refusal::Decided(name.to_owned()).into()),
        }
    }
}
