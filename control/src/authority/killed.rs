//! The work of an authority ended at each of its steps: what is on disk then is what the next command finds.

use super::*;
use crate::enrol::certification_request;
use enrol::Answer;
use sealgate_crypto::pki::Role;
use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::io;

thread_local! {
    /// Steps that are left before the end; `None`: no end.
    static LEFT: Cell<Option<usize>> = const { Cell::new(None) };
}

pub(super) fn step() -> io::Result<()> {
    match LEFT.get() {
        None => Ok(()),
        Some(0) => Err(io::Error::other("killed")),
        Some(more) => {
            LEFT.set(Some(more - 1));
            Ok(())
        }
    }
}

fn now() -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(1_795_000_000).expect("a second of this century")
}

fn gt(digits: &str) -> Identifiers {
    Identifiers { gt_prefixes: vec![(1, digits.to_owned())], ..Identifiers::default() }
}

/// Everything that is issued, asked for, approved, renewed and revoked in one go.
fn work(authority: &mut Authority, requests: &[Vec<u8>; 2]) -> Result<(), AuthorityError> {
    authority.issue(&Request::new("a", gt("99901")), now())?;
    let asker = authority.asker_in_person("b")?;
    if let Answer::Waiting(ticket) = authority.enrol(&asker, &requests[0], now())? {
        authority.approve(&ticket, now())?;
    }
    let current = authority.holding(now())?.into_iter().find(|(one, _)| one.operator == "b").map(|(_, read)| read.der);
    let asker = authority.asker(current.as_deref(), now())?;
    authority.enrol(&asker, &requests[1], now())?;
    authority.revoke("b", Reason::Superseded, now()).map(|_| ())
}

/// What must hold of a directory whatever happened to those who worked in it. Returns the serial numbers.
fn agrees(authority: &Authority) -> BTreeSet<u64> {
    let issued = &authority.state().issued;
    let rows: BTreeMap<u64, &str> = issued.iter().map(|one| (one.serial, one.name.as_str())).collect();
    assert_eq!(rows.len(), issued.len(), "no serial number twice");
    let log = authority.audit().expect("a log");
    let lines = |what: Deed| log.iter().filter(|one| one.what == what).filter_map(|one| one.serial).collect::<Vec<_>>();
    let logged = lines(Deed::Issue);
    // The root has no row: its number is 1.
    assert!(logged.iter().copied().eq(std::iter::once(1).chain(rows.keys().copied())), "{logged:?} {rows:?}");
    let revoked: Vec<u64> = issued.iter().filter(|one| one.revoked.is_some()).map(|one| one.serial).collect();
    assert_eq!(lines(Deed::Revoke), revoked);
    let tickets = authority.tickets(true).expect("tickets");
    let approved = tickets.iter().filter(|one| matches!(one.state, enrol::TicketState::Issued(_))).count();
    assert_eq!(log.iter().filter(|one| one.what == Deed::Approve).count(), approved);
    let mut on_disk = BTreeMap::new();
    for entry in std::fs::read_dir(authority.dir().join("certs")).expect("a directory").flatten() {
        let path = entry.path();
        if path.extension().is_some_and(|extension| extension == "pem") {
            let object = Object { name: "x".to_owned(), der: read_certificate(&path).expect("whole") };
            let read = Certificate::parse(&object).expect("ours");
            let serial = read.serial.iter().fold(0, |sum, octet| sum << 8 | u64::from(*octet));
            let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
            assert_eq!(on_disk.insert(serial, name), None, "one certificate a serial number");
        }
    }
    assert!(on_disk.iter().map(|(serial, name)| (*serial, name.as_str())).eq(rows.clone()), "{on_disk:?} {rows:?}");
    rows.into_keys().collect()
}

#[test]
fn killed_at_any_step_log_rows_and_certificates_agree() {
    let dir = std::env::temp_dir().join(format!("sealgate-killed-{}", std::process::id()));
    let numbering = "operator,kind,value\na,gt,99901\nb,gt,99902\nc,gt,99903\n";
    let numbering = Numbering::parse(numbering).expect("good");
    let request = || {
        let key = rcgen::KeyPair::generate().expect("a key");
        certification_request("b", &key, &gt("99902"), Role::Csp).expect("made")
    };
    let requests = [request(), request()];
    for last in 0.. {
        let _ = std::fs::remove_dir_all(&dir);
        let mut authority = Authority::init(&dir, &Setup::default(), now()).expect("an authority");
        authority.set_numbering(&numbering, now()).expect("loaded");
        LEFT.set(Some(last));
        let done = work(&mut authority, &requests);
        LEFT.set(None);
        drop(authority);
        let mut authority = Authority::open(&dir).unwrap_or_else(|fault| panic!("step {last}: {fault}"));
        let before = agrees(&authority);
        // A number that was taken is never taken again.
        let next = authority.issue(&Request::new("c", gt("99903")), now()).expect("issued").issued.serial;
        assert!(before.iter().all(|serial| *serial < next), "step {last}");
        agrees(&authority);
        if done.is_ok() {
            assert!(last > 40, "each file's and each transaction's steps are among them: {last}");
            break;
        }
    }
    let _ = std::fs::remove_dir_all(&dir);
}
