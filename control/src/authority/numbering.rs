//! Numbering records: which operator has which numbers and names. They are where identity comes from: what is not in an
//! operator's records is not certified for it.
//!
//! ```text
//! operator,kind,value
//! home,gt,99901                     a Global Title prefix; e214:99901 in the plan E.214
//! home,plmn,00101
//! home,ispc,4112-4127               also 4112, or 2-2-0
//! home,realm,home.example           covers the labels below it
//! home,sip_domain,home.example
//! home,tn,999010000000+10000000     telephone numbers, the first and how many
//! ```

mod overlap;

use super::audit::{Deed, Entry};
use super::{Authority, AuthorityError, audit, check_name, notation};
use rusqlite::{Connection, params};
use sealgate_crypto::pki::Identifiers;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;
use time::OffsetDateTime;

/// Most octets of a file: 100,000 operators of ten records each.
pub const MAX_FILE: usize = 64 * 1024 * 1024;
/// Faults that are shown; those after them are counted.
const MAX_FAULTS: usize = 20;
/// The first line of a file.
const HEADER: &str = "operator,kind,value";

/// What kind of identifier a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Gt,
    Plmn,
    Ispc,
    Realm,
    SipDomain,
    Tn,
}

impl Kind {
    const ALL: [Self; 6] = [Self::Gt, Self::Plmn, Self::Ispc, Self::Realm, Self::SipDomain, Self::Tn];

    const fn name(self) -> &'static str {
        match self {
            Self::Gt => "gt",
            Self::Plmn => "plmn",
            Self::Ispc => "ispc",
            Self::Realm => "realm",
            Self::SipDomain => "sip_domain",
            Self::Tn => "tn",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Adds a value, in the notation of the command line.
    fn read(self, text: &str, to: &mut Identifiers) -> Result<(), String> {
        match self {
            Self::Gt => to.gt_prefixes.push(notation::gt_prefix(text)?),
            Self::Plmn => to.plmns.push(notation::plmn(text)?),
            Self::Ispc => to.ispcs.push(notation::ispcs(text)?),
            Self::Realm => to.realms.push(notation::domain(text)?),
            Self::SipDomain => to.sip_domains.push(notation::domain(text)?),
            Self::Tn => to.tn_ranges.push(notation::tn_range(text)?),
        }
        Ok(())
    }
}

/// One line of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Record {
    line: usize,
    operator: String,
    kind: Kind,
    /// As it is kept: the one notation of what it says.
    value: String,
    /// The same, to compute with.
    identifiers: Identifiers,
}

/// What is wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NumberingFault {
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1, in characters.
    pub column: usize,
    /// What is wrong, and what to do.
    pub text: String,
}

impl fmt::Display for NumberingFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.line, self.column, self.text)
    }
}

/// A file of records, read and free of overlaps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Numbering(Vec<Record>);

impl Numbering {
    /// Reads the text of a file.
    /// # Errors
    /// All that is wrong with it, at most twenty lines and one that counts the others.
    pub fn parse(text: &str) -> Result<Self, Vec<NumberingFault>> {
        let mut faults = Vec::new();
        let mut records = Vec::new();
        let mut lines = text.lines().enumerate().map(|(at, line)| (at + 1, line.trim_end_matches('\r')));
        let mut lines =
            lines.by_ref().filter(|(_, line)| !line.trim().is_empty() && !line.trim_start().starts_with('#'));
        match lines.next() {
            Some((_, line)) if line.trim_start_matches('\u{feff}') == HEADER => {}
            other => {
                let text = format!("the first line is not the header; write {HEADER}");
                faults.push(NumberingFault { line: other.map_or(1, |(line, _)| line), column: 1, text });
            }
        }
        for (line, text) in lines {
            match record(line, text) {
                Ok(record) => records.push(record),
                Err((column, text)) => faults.push(NumberingFault { line, column, text }),
            }
        }
        overlap::find(&records, &mut faults);
        if faults.is_empty() {
            return Ok(Self(records));
        }
        faults.sort_by_key(|fault| (fault.line, fault.column));
        if let Some(more) = faults.len().checked_sub(MAX_FAULTS).filter(|more| *more > 0) {
            faults.truncate(MAX_FAULTS);
            let line = faults.last().map_or(1, |fault| fault.line);
            faults.push(NumberingFault { line, column: 1, text: format!("and {more} more faults after this line") });
        }
        Err(faults)
    }

    /// How many records.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nobody has anything.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Reads a line; a fault comes with its column.
fn record(line: usize, text: &str) -> Result<Record, (usize, String)> {
    let fields: Vec<&str> = text.split(',').collect();
    let column = |field: usize| fields.iter().take(field).map(|one| one.chars().count() + 1).sum::<usize>() + 1;
    let &[operator, kind, value] = fields.as_slice() else {
        return Err((1, format!("{} fields instead of three; write {HEADER}, without quotes", fields.len())));
    };
    check_name(operator).map_err(|fault| (column(0), format!("{fault}; {}", fault.remedy())))?;
    let Some(kind) = Kind::from_name(kind) else {
        let known: Vec<_> = Kind::ALL.iter().map(|kind| kind.name()).collect();
        return Err((column(1), format!("{kind:?} is no kind of identifier; use one of {}", known.join(", "))));
    };
    let mut identifiers = Identifiers::default();
    let read = kind.read(value, &mut identifiers).map_err(|fault| format!("{value:?}: {fault}"));
    let good =
        read.and_then(|()| identifiers.check().map_err(|fault| format!("{fault}; see sealgate tsca numbering --help")));
    good.map_err(|fault| (column(2), fault))?;
    let value = show(&identifiers);
    Ok(Record { line, operator: operator.to_owned(), kind, value, identifiers })
}

/// The one notation of a single identifier.
fn show(one: &Identifiers) -> String {
    let gt = one.gt_prefixes.iter().map(|(plan, digits)| match *plan {
        sealgate_crypto::pki::PLAN_E214 => format!("e214:{digits}"),
        _ => digits.clone(),
    });
    let ispc = one.ispcs.iter().map(|(first, last)| match first == last {
        true => first.to_string(),
        false => format!("{first}-{last}"),
    });
    let tn = one.tn_ranges.iter().map(|(first, count)| format!("{first}+{count}"));
    let names = [&one.plmns, &one.realms, &one.sip_domains].into_iter().flatten().cloned();
    gt.chain(ispc).chain(tn).chain(names).next().unwrap_or_default()
}

/// What new records changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Changes {
    /// Operators with records now.
    pub operators: usize,
    /// Records now.
    pub records: usize,
    /// Records that are new: operator, kind and value.
    pub added: Vec<(String, String, String)>,
    /// Records that went.
    pub removed: Vec<(String, String, String)>,
    /// Certificates that hold and speak for what is not recorded any more: their names and the first identifier.
    pub outside: Vec<(String, String)>,
}

impl Authority {
    /// Replaces the numbering records; all or nothing.
    /// # Errors
    /// Whatever the database gives.
    pub fn set_numbering(&mut self, numbering: &Numbering, now: OffsetDateTime) -> Result<Changes, AuthorityError> {
        let row = |one: &Record| (one.operator.clone(), one.kind.name().to_owned(), one.value.clone());
        let new: std::collections::BTreeSet<_> = numbering.0.iter().map(row).collect();
        let old: std::collections::BTreeSet<_> = self.store.read(|db| {
            let mut all = db.prepare("SELECT operator, kind, value FROM numbering")?;
            let rows = all.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
            rows.collect()
        })?;
        let added: Vec<_> = new.difference(&old).cloned().collect();
        let removed: Vec<_> = old.difference(&new).cloned().collect();
        let mut entry = Entry::new(now.unix_timestamp(), &self.who, Deed::Numbering, "").reason(format!(
            "{} records, {} new, {} gone",
            new.len(),
            added.len(),
            removed.len()
        ));
        entry.operator = None;
        self.store.transaction(|tx| {
            for (operator, kind, value) in &removed {
                tx.execute(
                    "DELETE FROM numbering WHERE operator = ? AND kind = ? AND value = ?",
                    params![operator, kind, value],
                )?;
            }
            let mut insert = tx.prepare("INSERT INTO numbering VALUES (?, ?, ?)")?;
            for (operator, kind, value) in &added {
                insert.execute(params![operator, kind, value])?;
            }
            audit::put(tx, &entry)
        })?;
        let operators: std::collections::BTreeSet<_> = new.iter().map(|(operator, _, _)| operator).collect();
        let (operators, records) = (operators.len(), new.len());
        Ok(Changes { operators, records, added, removed, outside: self.beyond_records(now)? })
    }

    /// All records by operator.
    /// # Errors
    /// Whatever the database gives.
    pub fn numbering(&self) -> Result<BTreeMap<String, Identifiers>, AuthorityError> {
        self.store.read(|db| read(db, None))
    }

    /// What an operator has by the records; `None` while there are no records at all.
    pub(super) fn recorded(&self, operator: &str) -> Result<Option<Identifiers>, AuthorityError> {
        self.store.read(|db| {
            if !db.query_row("SELECT EXISTS (SELECT 1 FROM numbering)", [], |row| row.get::<_, bool>(0))? {
                return Ok(None);
            }
            Ok(Some(read(db, Some(operator))?.remove(operator).unwrap_or_default()))
        })
    }

    fn beyond_records(&self, now: OffsetDateTime) -> Result<Vec<(String, String)>, AuthorityError> {
        let records = self.numbering()?;
        let mut found = Vec::new();
        for one in self.holding(now)? {
            let none = Identifiers::default();
            let has = records.get(&one.0.operator).unwrap_or(&none);
            if let Some(outside) = one.1.identifiers.first_outside(has) {
                found.push((one.0.name, outside));
            }
        }
        Ok(found)
    }
}

/// The records of one operator or of all.
fn read(db: &Connection, operator: Option<&str>) -> rusqlite::Result<BTreeMap<String, Identifiers>> {
    let mut found = BTreeMap::<String, Identifiers>::new();
    let mut all = db.prepare("SELECT operator, kind, value FROM numbering WHERE ?1 IS NULL OR operator = ?1")?;
    let mut rows = all.query([operator])?;
    while let Some(row) = rows.next()? {
        let (operator, kind, value): (String, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let kind = Kind::from_name(&kind).ok_or(rusqlite::Error::InvalidQuery)?;
        kind.read(&value, found.entry(operator).or_default()).map_err(|_| rusqlite::Error::InvalidQuery)?;
    }
    Ok(found)
}

#[cfg(test)]
mod tests;
