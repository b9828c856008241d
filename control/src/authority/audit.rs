//! The audit log: when, who, what, to whom, which serial number, why. Lines are added and never changed.

use super::store::{natural, number};
use super::{Authority, AuthorityError};
use rusqlite::{Connection, params};
use serde::Serialize;

/// Longest text of a field, characters: some of it comes from strangers.
const MAX_TEXT: usize = 300;
/// Refusals that are written down in an hour. More of them say nothing more, and a stranger must not fill the disk.
const MAX_REFUSALS: i64 = 1000;

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Deed {
    /// A certificate was issued.
    Issue,
    /// A certificate was revoked.
    Revoke,
    /// A request waits for a decision.
    Request,
    /// A request was approved; the line of the certificate follows.
    Approve,
    /// A request was refused, by a rule or by a person.
    Refuse,
    /// A credential for a first enrolment was made.
    Invite,
    /// The numbering records were replaced.
    Numbering,
}

impl Deed {
    const ALL: [Self; 7] =
        [Self::Issue, Self::Revoke, Self::Request, Self::Approve, Self::Refuse, Self::Invite, Self::Numbering];

    /// The word for file and output.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Issue => "issue",
            Self::Revoke => "revoke",
            Self::Request => "request",
            Self::Approve => "approve",
            Self::Refuse => "refuse",
            Self::Invite => "invite",
            Self::Numbering => "numbering",
        }
    }
}

/// A line of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// When, seconds since 1970.
    pub at: i64,
    /// Who did or asked for it.
    pub who: String,
    /// What it was.
    pub what: Deed,
    /// Which operator it is about.
    pub operator: Option<String>,
    /// Which certificate.
    pub serial: Option<u64>,
    /// Why, or what with.
    pub reason: Option<String>,
}

impl Entry {
    /// A line without serial number and reason.
    pub(super) fn new(at: i64, who: &str, what: Deed, operator: &str) -> Self {
        Self { at, who: who.to_owned(), what, operator: Some(operator.to_owned()), serial: None, reason: None }
    }

    /// With the certificate it is about.
    pub(super) fn serial(self, serial: u64) -> Self {
        Self { serial: Some(serial), ..self }
    }

    /// With a reason.
    pub(super) fn reason(self, reason: impl Into<String>) -> Self {
        Self { reason: Some(reason.into()), ..self }
    }
}

/// Who works at the command line.
pub fn operator_of_this_process() -> String {
    format!("user {} at the command line", rustix::process::getuid().as_raw())
}

/// Adds a line. Beyond [`MAX_REFUSALS`] in an hour a refusal is not written down.
pub(super) fn put(db: &Connection, entry: &Entry) -> rusqlite::Result<()> {
    if entry.what == Deed::Refuse {
        let recent =
            "SELECT count(*) FROM audit WHERE what = 'refuse' AND at > ? AND id > (SELECT max(id) FROM audit) - 10000";
        if db.query_row(recent, [entry.at - 3600], |row| row.get::<_, i64>(0))? >= MAX_REFUSALS {
            return Ok(());
        }
    }
    put_always(db, entry)
}

/// Adds a line, whatever there was before.
pub(super) fn put_always(db: &Connection, entry: &Entry) -> rusqlite::Result<()> {
    let clean = |text: &str| -> String { text.chars().filter(|c| !c.is_control()).take(MAX_TEXT).collect() };
    db.execute(
        "INSERT INTO audit (at, who, what, operator, serial, reason) VALUES (?, ?, ?, ?, ?, ?)",
        params![
            entry.at,
            clean(&entry.who),
            entry.what.name(),
            entry.operator.as_deref().map(clean),
            entry.serial.map(number),
            entry.reason.as_deref().map(clean)
        ],
    )
    .map(|_| ())
}

impl Authority {
    /// The audit log, oldest first.
    /// # Errors
    /// Whatever the database gives.
    pub fn audit(&self) -> Result<Vec<Entry>, AuthorityError> {
        self.store.read(|db| {
            let mut all = db.prepare("SELECT at, who, what, operator, serial, reason FROM audit ORDER BY id")?;
            let rows = all.query_map([], |row| {
                let what: String = row.get(2)?;
                let what = Deed::ALL.into_iter().find(|one| one.name() == what);
                let serial = row.get::<_, Option<i64>>(4)?.map(|_| natural(row, 4)).transpose()?;
                Ok(Entry {
                    at: row.get(0)?,
                    who: row.get(1)?,
                    what: what.ok_or(rusqlite::Error::InvalidQuery)?,
                    operator: row.get(3)?,
                    serial,
                    reason: row.get(5)?,
                })
            })?;
            rows.collect()
        })
    }
}
