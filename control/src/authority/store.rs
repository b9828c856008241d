//! `authority.db`: what the authority must not forget, in SQLite. Serial numbers and list numbers only go up, and nothing is
//! issued, revoked, refused or approved without a line in the audit log: both are one transaction.
//!
//! A rollback journal and not a write-ahead log: only one process works in the directory at a time, and at rest the file
//! alone is a whole backup. `synchronous = EXTRA`: what was answered lasts through a loss of power.

use super::audit::{self, Entry};
use super::error::AuthorityError;
use super::state::{Issued, Revoked, State};
use super::{Ca, Numbers, files};
use rusqlite::{Connection, OpenFlags, OptionalExtension, Row, Transaction, TransactionBehavior, params};
use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// The database in an authority's directory.
pub(super) const FILE: &str = "authority.db";
/// What authorities kept before; taken over when it is found.
const BEFORE: &str = "state.json";
/// The version of the tables, SQLite's `user_version`.
const VERSION: i64 = 1;

const TABLES: &str = "
CREATE TABLE authority (
    only INTEGER PRIMARY KEY CHECK (only = 1), name TEXT NOT NULL, next_serial INTEGER NOT NULL,
    root_crl INTEGER NOT NULL, region_crl INTEGER NOT NULL, session TEXT, repository_serial INTEGER) STRICT;
CREATE TABLE issued (
    serial INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, operator TEXT NOT NULL, ca TEXT NOT NULL, sai TEXT NOT NULL,
    alg TEXT NOT NULL, not_before TEXT NOT NULL, not_after TEXT NOT NULL, revoked_at INTEGER, revoked_reason TEXT,
    der BLOB, written INTEGER NOT NULL) STRICT;
CREATE INDEX issued_by_key ON issued (sai);
CREATE INDEX issued_by_octets ON issued (der);
CREATE TABLE numbering (
    operator TEXT NOT NULL, kind TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (operator, kind, value)) STRICT;
CREATE TABLE credentials (
    der BLOB PRIMARY KEY, operator TEXT NOT NULL, not_after INTEGER NOT NULL, withdrawn INTEGER NOT NULL DEFAULT 0,
    sai TEXT) STRICT;
CREATE TABLE tickets (
    ticket TEXT PRIMARY KEY, operator TEXT NOT NULL, sai TEXT NOT NULL, request BLOB NOT NULL, made INTEGER NOT NULL,
    refused TEXT, serial INTEGER UNIQUE) STRICT;
CREATE TABLE audit (
    id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, who TEXT NOT NULL, what TEXT NOT NULL,
    operator TEXT, serial INTEGER, reason TEXT) STRICT;
CREATE TRIGGER audit_stays BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is only written to'); END;
CREATE TRIGGER audit_grows BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is only written to'); END;
";

/// The open database.
#[derive(Debug)]
pub(super) struct Store {
    path: PathBuf,
    db: Connection,
}

impl Store {
    /// Whether `dir` has an authority's database, or what was kept before there was one.
    pub(super) fn is_in(dir: &Path) -> bool {
        dir.join(FILE).is_file() || dir.join(BEFORE).is_file()
    }

    /// A database for a new authority.
    pub(super) fn create(dir: &Path, name: &str) -> Result<(Self, State), AuthorityError> {
        let mut store = Self::connect(dir)?;
        let state = State::new(name);
        store.fill(&state, |_| None)?;
        Ok((store, state))
    }

    /// Opens the database of `dir`; `state.json` of an older authority becomes one first.
    pub(super) fn open(dir: &Path) -> Result<(Self, State), AuthorityError> {
        let mut store = Self::connect(dir)?;
        let version: i64 = store.at(store.db.query_row("PRAGMA user_version", [], |row| row.get(0)))?;
        match version {
            VERSION => {}
            0 => {
                let before = dir.join(BEFORE);
                let state = State::read(&before)?;
                store.fill(&state, |name| super::read_certificate(&dir.join(format!("certs/{name}.pem"))).ok())?;
            }
            other => return Err(store.wrong(format!("version {other} of the tables is not {VERSION}"))),
        }
        // Out of the way only once everything in it is here: an older sealgate must not go on counting from it.
        let (before, aside) = (dir.join(BEFORE), dir.join("state.json.taken-over"));
        if before.is_file() {
            std::fs::rename(&before, aside).map_err(files::io_at(&before))?;
        }
        let state = store.state()?;
        Ok((store, state))
    }

    fn connect(dir: &Path) -> Result<Self, AuthorityError> {
        let path = dir.join(FILE);
        // SQLite would let the umask decide who reads the audit log.
        let file = OpenOptions::new().write(true).create(true).truncate(false).mode(files::PRIVATE).open(&path);
        file.map_err(files::io_at(&path))?;
        let fault = |source| AuthorityError::Store { path: path.clone(), source };
        let db = Connection::open(&path).map_err(fault)?;
        db.execute_batch("PRAGMA journal_mode = DELETE; PRAGMA synchronous = EXTRA; PRAGMA trusted_schema = OFF;")
            .map_err(fault)?;
        Ok(Self { path, db })
    }

    /// Makes the tables and puts what an authority holds into them, all or nothing.
    fn fill(&mut self, state: &State, der: impl Fn(&str) -> Option<Vec<u8>>) -> Result<(), AuthorityError> {
        let whole = self.transaction(|tx| {
            tx.execute_batch(TABLES)?;
            let (session, serial) = state.repository.as_ref().map(|one| (&one.session, one.serial)).unzip();
            tx.execute(
                "INSERT INTO authority VALUES (1, ?, ?, ?, ?, ?, ?)",
                params![
                    state.name,
                    number(state.next_serial),
                    number(state.root_crl),
                    number(state.region_crl),
                    session,
                    serial.map(number)
                ],
            )?;
            for one in &state.issued {
                insert(tx, one, der(&one.name).as_deref(), true)?;
            }
            tx.pragma_update(None, "user_version", VERSION)
        });
        whole.map(|_| ())
    }

    /// Everything of [`State`].
    fn state(&self) -> Result<State, AuthorityError> {
        let read = || {
            let mut state = self.db.query_row(
                "SELECT name, next_serial, root_crl, region_crl, session, repository_serial FROM authority",
                [],
                |row| {
                    let mut state = State::new(&row.get::<_, String>(0)?);
                    (state.next_serial, state.root_crl, state.region_crl) =
                        (natural(row, 1)?, natural(row, 2)?, natural(row, 3)?);
                    if let Some(session) = row.get(4)? {
                        state.repository = Some(Numbers { session, serial: natural(row, 5)? });
                    }
                    Ok(state)
                },
            )?;
            let mut all = self.db.prepare(&format!("SELECT {ISSUED} FROM issued ORDER BY serial"))?;
            state.issued = all.query_map([], issued)?.collect::<Result<_, _>>()?;
            Ok(state)
        };
        let state = self.at(read())?;
        if state.issued.iter().any(|one| one.serial >= state.next_serial) {
            return Err(self.wrong("next_serial is not above every serial number issued".to_owned()));
        }
        Ok(state)
    }

    /// Takes the next serial number, on disk before it is used.
    pub(super) fn take_serial(&self) -> Result<u64, AuthorityError> {
        let sql = "UPDATE authority SET next_serial = next_serial + 1 RETURNING next_serial - 1";
        self.step()?;
        let serial = self.at(self.db.query_row(sql, [], |row| natural(row, 0)))?;
        self.step().map(|()| serial)
    }

    /// Takes the next number of a revocation list, on disk before it is used.
    pub(super) fn take_crl_number(&self, ca: Ca) -> Result<u64, AuthorityError> {
        let sql = match ca {
            Ca::Root => "UPDATE authority SET root_crl = root_crl + 1 RETURNING root_crl",
            Ca::Region => "UPDATE authority SET region_crl = region_crl + 1 RETURNING region_crl",
        };
        self.step()?;
        let number = self.at(self.db.query_row(sql, [], |row| natural(row, 0)))?;
        self.step().map(|()| number)
    }

    /// Remembers where the repository's numbers stand.
    pub(super) fn set_repository(&self, numbers: &Numbers) -> Result<(), AuthorityError> {
        let sql = "UPDATE authority SET session = ?, repository_serial = ?";
        self.at(self.db.execute(sql, params![numbers.session, number(numbers.serial)])).map(|_| ())
    }

    /// Remembers a certificate as issued, with its line in the audit log.
    ///
    /// * `ticket`: what it answers, if somebody waits for it, and the line of the approval
    pub(super) fn add(
        &mut self,
        one: &Issued,
        der: &[u8],
        ticket: Option<(&str, &Entry)>,
        entry: &Entry,
    ) -> Result<(), AuthorityError> {
        self.transaction(|tx| {
            insert(tx, one, Some(der), false)?;
            if let Some((ticket, approved)) = ticket {
                tx.execute("UPDATE tickets SET serial = ? WHERE ticket = ?", params![number(one.serial), ticket])?;
                audit::put(tx, approved)?;
            }
            audit::put(tx, entry)
        })
    }

    /// Remembers a revocation.
    pub(super) fn revoke(&mut self, serial: u64, revoked: &Revoked, entry: &Entry) -> Result<(), AuthorityError> {
        self.transaction(|tx| {
            tx.execute(
                "UPDATE issued SET revoked_at = ?, revoked_reason = ? WHERE serial = ?",
                params![revoked.at, revoked.reason.name(), number(serial)],
            )?;
            audit::put(tx, entry)
        })
    }

    /// Remembers that the file of a certificate was written. Whoever removes it after that means it.
    pub(super) fn set_written(&self, name: &str) -> Result<(), AuthorityError> {
        self.step()?;
        self.at(self.db.execute("UPDATE issued SET written = 1 WHERE name = ?", [name])).map(|_| ())
    }

    /// The certificates whose files were not written yet: their names and octets.
    pub(super) fn unwritten(&self) -> Result<Vec<(String, Vec<u8>)>, AuthorityError> {
        let read = || {
            let mut all = self.db.prepare("SELECT name, der FROM issued WHERE written = 0 AND der IS NOT NULL")?;
            let rows = all.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
            rows.collect()
        };
        self.at(read())
    }

    /// Does several things or none.
    pub(super) fn transaction<T>(
        &mut self,
        work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, AuthorityError> {
        self.step()?;
        let whole = self.db.transaction_with_behavior(TransactionBehavior::Immediate).and_then(|tx| {
            let done = work(&tx)?;
            tx.commit().map(|()| done)
        });
        let done = self.at(whole)?;
        self.step().map(|()| done)
    }

    /// See [`files::step`].
    fn step(&self) -> Result<(), AuthorityError> {
        files::step().map_err(files::io_at(&self.path))
    }

    /// Asks.
    pub(super) fn read<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, AuthorityError> {
        self.at(work(&self.db))
    }

    fn at<T>(&self, done: rusqlite::Result<T>) -> Result<T, AuthorityError> {
        done.map_err(|source| AuthorityError::Store { path: self.path.clone(), source })
    }

    fn wrong(&self, why: String) -> AuthorityError {
        AuthorityError::State { path: self.path.clone(), why }
    }
}

/// Whether a client certificate is in the database of `dir`, asked beside whoever works in the directory. `None`: it cannot
/// be said now.
pub(super) fn knows(dir: &Path, der: &[u8]) -> Option<bool> {
    let db = Connection::open_with_flags(dir.join(FILE), OpenFlags::SQLITE_OPEN_READ_ONLY).ok()?;
    let sql =
        "SELECT EXISTS (SELECT 1 FROM credentials WHERE der = ?1) OR EXISTS (SELECT 1 FROM issued WHERE der = ?1)";
    db.query_row(sql, [der], |row| row.get(0)).ok()
}

/// The columns that [`issued`] reads.
pub(super) const ISSUED: &str =
    "serial, name, operator, ca, sai, alg, not_before, not_after, revoked_at, revoked_reason, der";

/// A row of [`ISSUED`].
pub(super) fn issued(row: &Row<'_>) -> rusqlite::Result<Issued> {
    let at: Option<i64> = row.get(8)?;
    let reason: Option<String> = row.get(9)?;
    let reason = super::Reason::ALL.into_iter().find(|one| Some(one.name()) == reason.as_deref()).unwrap_or_default();
    Ok(Issued {
        serial: natural(row, 0)?,
        name: row.get(1)?,
        operator: row.get(2)?,
        ca: row.get(3)?,
        sai: row.get(4)?,
        alg: row.get(5)?,
        not_before: row.get(6)?,
        not_after: row.get(7)?,
        revoked: at.map(|at| Revoked { at, reason }),
    })
}

/// One issued certificate, with its octets.
pub(super) fn find_issued(
    db: &Connection,
    by: &str,
    value: &dyn rusqlite::ToSql,
) -> rusqlite::Result<Option<(Issued, Vec<u8>)>> {
    let sql = format!("SELECT {ISSUED} FROM issued WHERE {by} = ? AND der IS NOT NULL");
    db.query_row(&sql, [value], |row| Ok((issued(row)?, row.get(10)?))).optional()
}

fn insert(tx: &Transaction<'_>, one: &Issued, der: Option<&[u8]>, written: bool) -> rusqlite::Result<()> {
    let revoked = one.revoked.as_ref();
    let operator = if one.operator.is_empty() { &one.name } else { &one.operator };
    tx.execute(
        "INSERT INTO issued (serial, name, operator, ca, sai, alg, not_before, not_after, revoked_at, revoked_reason, der,
         written)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        params![number(one.serial), one.name, operator, one.ca, one.sai, one.alg, one.not_before, one.not_after,
            revoked.map(|one| one.at), revoked.map(|one| one.reason.name()), der, written],
    )
    .map(|_| ())
}

/// As SQLite counts: 63 bits are enough for a serial number each microsecond.
pub(super) fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// A column that is never negative.
pub(super) fn natural(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    let value: i64 = row.get(column)?;
    u64::try_from(value).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, value))
}
