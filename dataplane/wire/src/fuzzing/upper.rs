//! Bodies for the upper layers: BER, SCCP, TCAP, MAP, CAP.

use crate::addr::Digits;
use crate::ber::{self, Rules};
use crate::sccp::{self, Address, Unitdata};
use crate::tcap::{self, ComponentKind, Message};
use crate::{cap, map};

/// BER: what walks, re-encodes to something that walks under strict rules, and canonical input to itself.
pub fn ber(octets: &[u8]) {
    for rules in [Rules::Strict, Rules::Lenient] {
        let Ok(canonical) = ber::walk(octets, rules, 0) else { continue };
        let mut out = Vec::new();
        assert_eq!(ber::put_canonical(octets, rules, 0, &mut out), Ok(()));
        assert_eq!(ber::walk(&out, Rules::Strict, 0), Ok(true));
        assert_eq!(canonical, out == octets, "canonical and re-encoded disagree");
        let raw: usize = ber::Elements::new(octets, rules, 0).flatten().map(|tlv| tlv.raw.len()).sum();
        assert_eq!(raw, octets.len(), "elements cover the run");
    }
}

/// SCCP: what is read is read again from what is written, as far as the written form carries it.
pub fn sccp(octets: &[u8]) {
    if let Ok(address) = Address::parse(octets)
        && let (Ok(Some(gt)), Some(ssn)) = (address.title(), address.ssn)
    {
        let mut out = Vec::new();
        sccp::emit_address(&gt, ssn, 0, &mut out);
        assert_eq!(Address::parse(&out).and_then(|again| again.title()), Ok(Some(gt)));
    }
    let Ok(read) = Unitdata::parse(octets) else { return };
    let mut out = Vec::new();
    let Unitdata { kind, class, hop, called, calling, data, segmentation, importance, .. } = read;
    if sccp::emit(kind, class, hop, called, calling, data, segmentation, importance, &mut out).is_ok() {
        let again = Unitdata::parse(&out).map(|again| Unitdata { options: read.options, ..again });
        assert_eq!(again, Ok(read));
    }
}

/// TCAP: what is read is read again from its rebuilt form, which is canonical.
pub fn tcap(octets: &[u8]) {
    tcap_known(octets);
    let strict = Message::parse(octets, Rules::Strict);
    let Ok(read) = Message::parse(octets, Rules::Lenient) else {
        assert!(strict.is_err(), "lenient reads whatever strict reads");
        return;
    };
    assert_eq!(read.canonical, strict.is_ok());
    let context = |message: &Message<'_>| {
        message.application_context().map(|name| name.map(|oid| oid.0.to_vec())).map_err(|refusal| refusal.reason)
    };
    let mut out = Vec::new();
    tcap::rebuild(&read, None, None, true, &mut out);
    let again = match Message::parse(&out, Rules::Strict) {
        Ok(again) => again,
        Err(refusal) => panic!("{refusal:?} in what we wrote: {out:02x?} from {octets:02x?}"),
    };
    assert!(again.canonical && again.outer_minimal);
    assert_eq!(again.components.len(), read.components.len());
    assert_eq!(context(&again), context(&read));
    for (new, old) in again.components.iter().zip(&read.components) {
        assert_eq!(
            (new.kind, new.invoke_id, new.operation, new.error),
            (old.kind, old.invoke_id, old.operation, old.error)
        );
    }
}

/// How often something is read until it has a template.
const OFTEN: usize = 9;

/// The same with one octet changed, which one and how depends on all.
fn varied(octets: &[u8]) -> Vec<u8> {
    let sum = octets.iter().fold(0_usize, |sum, octet| sum.wrapping_mul(31).wrapping_add(usize::from(*octet)));
    let mut varied = octets.to_vec();
    if let Some(octet) = varied.get_mut(sum % octets.len().max(1)) {
        *octet ^= (sum >> 8) as u8 | 1;
    }
    varied
}

/// TCAP: whoever has read a message before reads it, and one like it, as anybody does.
fn tcap_known(octets: &[u8]) {
    let (mut known, varied) = (tcap::Known::new(), varied(octets));
    for octets in core::iter::repeat_n(octets, OFTEN).chain([varied.as_slice()]) {
        for rules in [Rules::Strict, Rules::Lenient] {
            let mut room = tcap::Room::new();
            let read = known.read(&mut room, octets, rules).map(|message| format!("{message:?}"));
            assert_eq!(read, Message::parse(octets, rules).map(|message| format!("{message:?}")), "{octets:02x?}");
        }
    }
}

/// MAP: the same for arguments.
fn map_known(octets: &[u8]) {
    let (mut known, varied) = (map::Known::new(), varied(octets));
    for op in [2, 4, 7, 22, 44, 45, 70, 85] {
        for octets in core::iter::repeat_n(octets, OFTEN).chain([varied.as_slice()]) {
            let mut found = map::Identities::default();
            let read = known.read(op, ComponentKind::Invoke, 3, octets, Rules::Lenient, &mut found).map(|()| found);
            assert_eq!(
                read,
                map::identities(op, ComponentKind::Invoke, 3, octets, Rules::Lenient),
                "{op}: {octets:02x?}"
            );
        }
    }
}

/// MAP: whatever the operation, what strict rules read lenient rules read alike; every number that was found writes back.
pub fn map(octets: &[u8]) {
    map_known(octets);
    for op in 0..100 {
        for kind in [ComponentKind::Invoke, ComponentKind::ReturnResultLast] {
            for version in 0..4 {
                let lenient = map::identities(op, kind, version, octets, Rules::Lenient);
                if let Ok(found) = map::identities(op, kind, version, octets, Rules::Strict) {
                    found.imsi.iter().chain(&found.msisdn).chain(&found.nodes).for_each(writes_back);
                    assert_eq!(lenient, Ok(found));
                }
            }
        }
    }
}

/// CAP: as MAP, for its initial operations.
pub fn cap(octets: &[u8]) {
    for op in [0, 60, 78] {
        if let Ok(found) = cap::identities(op, ComponentKind::Invoke, octets, Rules::Strict) {
            found.imsi.iter().chain(&found.msisdn).chain(&found.node).for_each(writes_back);
            assert_eq!(cap::identities(op, ComponentKind::Invoke, octets, Rules::Lenient), Ok(found));
        }
    }
}

fn writes_back(digits: &Digits) {
    let mut out = Vec::new();
    digits.write_packed(0x0f, &mut out);
    assert_eq!(Digits::from_tbcd(&out), Some(*digits));
}
