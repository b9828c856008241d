//! The tables of the built-in checks: ours, and what an operator puts beside or in the place of them.

use std::collections::HashMap;
use std::hash::Hash;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use sealgate_wire::tcap::Oid;

use crate::fault::Faults;
use crate::load;
use crate::model::tables::*;
use crate::units;
use crate::walk::{Item, Section, once, twice};
use crate::words::{CATEGORY, word};

/// Our own tables, as files of the form that an operator's have.
pub const MAP: &str = include_str!("../tables/map.yaml");
/// See [`MAP`].
pub const CAP: &str = include_str!("../tables/cap.yaml");
/// See [`MAP`].
pub const DIAMETER: &str = include_str!("../tables/diameter.yaml");

/// The version of the files' form.
const VERSION: u64 = 1;
/// Longest object identifier of a context, octets.
const LONGEST_OID: usize = 32;

/// Our own tables.
///
/// # Errors
/// What is wrong with them, which would be a defect of this build.
pub(crate) fn builtin() -> Result<&'static Tables, Faults> {
    static BUILTIN: OnceLock<Result<Tables, Faults>> = OnceLock::new();
    let read = || {
        Ok(Tables {
            map: Arc::new(load::read(MAP, "tables/map.yaml", |root| operations(root, &Operations::default()))?),
            cap: Arc::new(load::read(CAP, "tables/cap.yaml", |root| operations(root, &Operations::default()))?),
            diameter: Arc::new(load::read(DIAMETER, "tables/diameter.yaml", |root| applications(root, &Vec::new()))?),
            files: TableFiles::default(),
        })
    };
    BUILTIN.get_or_init(read).as_ref().map_err(Clone::clone)
}

/// The tables in force: those of the policy's section `tables`, if it has one, on top of ours.
///
/// * `base`: what relative paths are taken from
pub(crate) fn read(item: Option<&Item<'_>>, root: &Item<'_>, base: &Path) -> Tables {
    let mut tables = match builtin() {
        Ok(tables) => tables.clone(),
        Err(faults) => {
            root.report().absorb(faults);
            Tables { map: Arc::default(), cap: Arc::default(), diameter: Arc::default(), files: TableFiles::default() }
        }
    };
    let Some(item) = item else { return tables };
    let mut section = Section::open(item);
    let mut path = |key| section.get(key).and_then(|item| units::path(&item)).map(|path| base.join(path));
    tables.files = TableFiles { map: path("map"), cap: path("cap"), diameter: path("diameter") };
    section.close();
    let files = tables.files.clone();
    for (file, table) in [(files.map, &mut tables.map), (files.cap, &mut tables.cap)] {
        put(item, file.as_deref(), table, operations);
    }
    put(item, files.diameter.as_deref(), &mut tables.diameter, applications);
    tables
}

/// Puts a file's table in the place of one of ours, which it may extend.
fn put<T>(item: &Item<'_>, file: Option<&Path>, table: &mut Arc<T>, mean: fn(&Item<'_>, &T) -> T) {
    let Some(file) = file else { return };
    let name = file.display().to_string();
    match load::contents(file).and_then(|text| load::read(&text, &name, |root| mean(root, table))) {
        Ok(own) => *table = Arc::new(own),
        Err(faults) => item.report().absorb(faults),
    }
}

/// Version and `extend`: what the file's entries are laid upon.
fn head<T: Clone + Default>(top: &mut Section<'_>, base: &T) -> T {
    if let Some(item) = top.need("version", "1") {
        item.number(VERSION..=VERSION, "");
    }
    let extend = top.get("extend").and_then(|item| item.flag()).unwrap_or(false);
    if extend { base.clone() } else { T::default() }
}

fn operations(root: &Item<'_>, base: &Operations) -> Operations {
    let mut top = Section::open(root);
    let mut table = head(&mut top, base);
    let items = top.get("operations").map(|item| item.list_or_none(OPERATION)).unwrap_or_default();
    let own = each(&items, operation, |operation| operation.code);
    lay(&mut table.operations, own, |operation| operation.code);
    let items = top.get("contexts").map(|item| item.list_or_none(CONTEXT)).unwrap_or_default();
    let known: Vec<u8> = table.operations.iter().map(|operation| operation.code).collect();
    let own = each(&items, |item| context(item, &known), |context| context.oid.clone());
    lay(&mut table.contexts, own, |context| context.oid.clone());
    top.close();
    table
}

/// Entries for remedies.
const OPERATION: &str = "{code: 2, name: updateLocation, category: cat3, clause: \"TS 29.002 §8.1\"}";
const CONTEXT: &str = "{oid: \"0.4.0.0.1.0.1.3\", name: networkLocUp, version: 3, initiator: [2], responder: [7], \
                       clause: \"TS 29.002 §17.3\"}";
const APPLICATION: &str = "{id: 16777251, key: s6a, name: \"S6a/S6d\", clause: \"TS 29.272\", commands: [...]}";
const COMMAND: &str = "{code: 316, name: Update-Location, category: cat3, clause: \"TS 29.272 §7.2\"}";

fn operation(item: &Item<'_>) -> Option<Operation> {
    let mut section = Section::open(item);
    let code = section.need("code", "2").and_then(|item| units::octet(&item, 0..=255, "(an operation code)"));
    let (name, category, clause) = described(&mut section);
    section.close();
    Some(Operation { code: code?, name: name?, category: category?, clause: clause? })
}

/// Name, category and clause of an entry.
fn described(section: &mut Section<'_>) -> (Option<String>, Option<Category>, Option<String>) {
    let name = text(section, "name", "updateLocation");
    let category = section.need("category", "none").and_then(|item| item.word("a category", CATEGORY));
    (name, category, text(section, "clause", "\"TS 29.002 §8.1\""))
}

fn text(section: &mut Section<'_>, key: &'static str, example: &str) -> Option<String> {
    section.need(key, example).and_then(|item| item.text("text").map(str::to_owned))
}

/// * `known`: codes of operations
fn context(item: &Item<'_>, known: &[u8]) -> Option<Context> {
    let mut section = Section::open(item);
    let oid = section.need("oid", "\"0.4.0.0.1.0.1.3\"").and_then(|item| oid(&item));
    let name = text(&mut section, "name", "networkLocUp");
    let version = section.need("version", "3").and_then(|item| units::octet(&item, 1..=4, ""));
    let mut codes = |key| {
        let item = section.need(key, "[2]")?;
        let code = |item: &Item<'_>| {
            let code = units::octet(item, 0..=255, "(an operation code)")?;
            if !known.contains(&code) {
                item.fault(format!("there is no operation {code}"), "add it to operations, with its name and category");
            }
            Some(code)
        };
        Some(once(item.list_or_none("2").into_iter().filter_map(|item| Some((code(&item)?, item))).collect()))
    };
    let (initiator, responder) = (codes("initiator"), codes("responder"));
    let clause = text(&mut section, "clause", "\"TS 29.002 §17.3\"");
    section.close();
    Some(Context {
        oid: oid?,
        name: name?,
        version: version?,
        initiator: initiator?,
        responder: responder?,
        clause: clause?,
    })
}

/// Content octets of an object identifier in dotted form (X.690 §8.19).
fn oid(item: &Item<'_>) -> Option<Vec<u8>> {
    let text = item.text("an object identifier")?;
    let octets = oid_octets(text).filter(|octets| octets.len() <= LONGEST_OID && Oid(octets).to_string() == text);
    if octets.is_none() {
        item.fault(format!("{text:?} is not an object identifier"), "give its numbers, as \"0.4.0.0.1.0.1.3\"");
    }
    octets
}

fn oid_octets(text: &str) -> Option<Vec<u8>> {
    let arcs: Vec<u32> = text.split('.').map(|arc| arc.parse().ok()).collect::<Option<_>>()?;
    let (&[root, second], rest) = arcs.split_first_chunk()?;
    if root > 2 || second > 39 && root < 2 || rest.is_empty() {
        return None;
    }
    let mut out = Vec::new();
    for arc in [root.checked_mul(40)?.checked_add(second)?].iter().chain(rest) {
        let septets = (32 - arc.leading_zeros()).div_ceil(7).max(1);
        out.extend((0..septets).rev().map(|n| (arc >> (7 * n)) as u8 & 0x7f | if n > 0 { 0x80 } else { 0 }));
    }
    Some(out)
}

fn applications(root: &Item<'_>, base: &Vec<Application>) -> Vec<Application> {
    let mut top = Section::open(root);
    let mut table = head(&mut top, base);
    let items = top.get("applications").map(|item| item.list_or_none(APPLICATION)).unwrap_or_default();
    let mut seen = table.clone();
    let own = each(&items, |item| application(item, &mut seen), |application| application.id);
    lay(&mut table, own, |application| application.id);
    top.close();
    table
}

/// * `seen`: applications before this one, with which it shares keys and the categories of commands
fn application(item: &Item<'_>, seen: &mut Vec<Application>) -> Option<Application> {
    let mut section = Section::open(item);
    let id = section.need("id", "16777251").and_then(|item| units::number(&item, 0..=u32::MAX, ""));
    let others = || seen.iter().filter(|other| Some(other.id) != id);
    let key = section.need("key", "s6a").and_then(|item| {
        let key = item.text("a word")?;
        if !key.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_') || key.len() > 32 {
            item.fault(format!("{key:?} cannot be a key"), "use 1 to 32 small letters, digits or _");
        }
        if let Some(other) = others().find(|other| other.key == key) {
            item.fault(format!("application {} has the key {key} already", other.id), "give another");
        }
        Some(key.to_owned())
    });
    let (name, clause) = (text(&mut section, "name", "\"S6a/S6d\""), text(&mut section, "clause", "\"TS 29.272\""));
    let items = section.need("commands", COMMAND).map(|item| item.list(COMMAND)).unwrap_or_default();
    section.close();
    let read = |item: &Item<'_>| {
        let own = command(item)?;
        let same = |other: &&Application| {
            other.commands.iter().any(|command| command.code == own.code && command.category != own.category)
        };
        if let Some(other) = others().find(same) {
            let message = format!("command {} has another category in application {}", own.code, other.key);
            item.fault(message, "give it the same: a category holds for a command code");
        }
        Some(own)
    };
    let commands = each(&items, read, |command| command.code);
    let application = Application { id: id?, key: key?, name: name?, clause: clause?, commands };
    seen.retain(|other| other.id != application.id);
    seen.push(application.clone());
    Some(application)
}

fn command(item: &Item<'_>) -> Option<Command> {
    let mut section = Section::open(item);
    let code = section.need("code", "316").and_then(|item| units::number(&item, 1..=0xff_ffff, "(a command code)"));
    let (name, category, clause) = described(&mut section);
    section.close();
    Some(Command { code: code?, name: name?, category: category?, clause: clause? })
}

impl Operations {
    /// This table as a file that puts it in the place of ours.
    pub fn to_yaml(&self) -> String {
        let mut out = String::from("version: 1\nextend: no\n\noperations:\n");
        for Operation { code, name, category, clause } in &self.operations {
            let category = word(CATEGORY, category);
            out += &format!("  - {{code: {code}, name: {name:?}, category: {category}, clause: {clause:?}}}\n");
        }
        out += "\ncontexts:\n";
        for Context { oid, name, version, initiator, responder, clause } in &self.contexts {
            let oid = Oid(oid);
            out += &format!("  - {{oid: \"{oid}\", name: {name:?}, version: {version}, initiator: {initiator:?}, ");
            out += &format!("responder: {responder:?}, clause: {clause:?}}}\n");
        }
        out
    }
}

impl Tables {
    /// The table of Diameter as a file that puts it in the place of ours.
    pub fn diameter_to_yaml(&self) -> String {
        let mut out = String::from("version: 1\nextend: no\n\napplications:\n");
        for Application { id, key, name, clause, commands } in self.diameter.iter() {
            out += &format!("  - {{id: {id}, key: {key}, name: {name:?}, clause: {clause:?}, commands: [\n");
            for Command { code, name, category, clause } in commands {
                let category = word(CATEGORY, category);
                out += &format!("      {{code: {code}, name: {name:?}, category: {category}, clause: {clause:?}}},\n");
            }
            out += "    ]}\n";
        }
        out
    }
}

/// Reads the entries of a list, no two of which have the same key.
fn each<'a, T, K: Eq + Hash>(
    items: &[Item<'a>],
    mut read: impl FnMut(&Item<'a>) -> Option<T>,
    key: impl Fn(&T) -> K,
) -> Vec<T> {
    let mut lines = HashMap::new();
    let mut entries = Vec::with_capacity(items.len());
    for item in items {
        let Some(entry) = read(item) else { continue };
        match lines.insert(key(&entry), item.line()) {
            Some(first) => item.fault("this entry stands here twice", twice(first)),
            None => entries.push(entry),
        }
    }
    entries
}

/// Puts entries in the place of those with the same key, or behind all.
fn lay<T, K: PartialEq>(table: &mut Vec<T>, own: Vec<T>, key: impl Fn(&T) -> K) {
    for entry in own {
        match table.iter_mut().find(|other| key(other) == key(&entry)) {
            Some(place) => *place = entry,
            None => table.push(entry),
        }
    }
}
