//! M2PA and SUA.

use crate::m2pa::{self, Body, Message, Msu};
use crate::sua::{self, Connectionless};

/// M2PA: what is read is read again from what is written; a filler keeps numbers and length.
pub fn m2pa(octets: &[u8]) {
    let Ok(read) = Message::parse(octets) else { return };
    let mut out = Vec::new();
    assert!(read.emit(&mut out));
    assert_eq!(Message::parse(&out), Ok(read));
    assert!(out == octets || matches!(read.body, Body::Status(_)));
    let mut filler = Vec::new();
    let Body::Data { priority, msu } = read.body else {
        assert!(!m2pa::emit_filler(octets, octets.len(), &mut filler));
        return;
    };
    assert!(m2pa::emit_filler(octets, octets.len(), &mut filler));
    let other = Message::parse(&filler).unwrap_or_else(|refusal| panic!("{refusal:?} in a filler"));
    assert_eq!((other.bsn, other.fsn), (read.bsn, read.fsn));
    let Body::Data { priority: kept, msu: filler } = other.body else { panic!("{other:?}") };
    assert_eq!((kept, filler.len()), (priority, msu.len().max(m2pa::MIN_MSU)));
    let label = Msu::parse(filler).unwrap_or_else(|refusal| panic!("{refusal:?} in a filler"));
    assert!(label.si == 0 && label.user.iter().all(|octet| *octet == 0));
    if let Ok(label) = Msu::parse(msu) {
        let mut out = Vec::new();
        assert!(label.emit(&mut out));
        assert_eq!(out, msu);
        let mut same = Vec::new();
        assert!(m2pa::rebuild(octets, label.user, &mut same));
        assert_eq!(same, octets);
    }
}

/// SUA: the same of connectionless messages.
pub fn sua(octets: &[u8]) {
    let Ok(view) = sua::View::new(octets) else { return };
    let Ok(read) = Connectionless::parse(view) else { return };
    let mut out = Vec::new();
    assert!(read.emit(&mut out));
    let again = sua::View::new(&out).and_then(Connectionless::parse);
    assert_eq!(again, Ok(read), "{out:02x?}");
    for address in [read.source, read.destination] {
        assert!(address.canonical().is_none_or(|title| title.digits.is_decimal()));
    }
    if let Some(data) = read.data {
        let mut same = Vec::new();
        assert!(sua::rebuild(octets, data, &mut same));
        assert_eq!(sua::View::new(&same).and_then(Connectionless::parse), Ok(Connectionless { segment: None, ..read }));
    }
}
