//! Security elements: the header, both TCAP profiles.

use crate::ber::{self, Rules};
use crate::sec::{Header, tcap0, tcap1};

/// Octets in each place where a security element may be.
pub fn sec(octets: &[u8]) {
    header(octets);
    native(octets);
    sigfw(octets);
    component(octets);
}

/// A header is written back octet for octet, and with what follows it is the whole payload.
fn header(octets: &[u8]) {
    let Ok((header, covered, rest)) = Header::parse(octets) else { return };
    assert_eq!([covered, rest].concat(), octets);
    let mut out = Vec::new();
    header.emit(&mut out);
    assert_eq!(out, covered);
    let Some(copy) = header.copy else { return };
    assert_eq!(header.with_copy(copy.octets()), Some(header));
    if let Some((title, ssn)) = copy.title() {
        out.clear();
        title.write_canonical(ssn, &mut out);
        assert_eq!(out, copy.octets());
    }
}

/// There is one way to write a security parameter: what reads is what we would have written.
fn native(octets: &[u8]) {
    let Ok(found) = tcap1::parse(octets) else { return };
    let mut out = Vec::new();
    tcap1::emit_component(127, tcap1::OPCODE_MAP as u8, found.header.sai, found.covered, found.signature, &mut out);
    assert_eq!(out.len(), tcap1::component_len(found.covered.len(), found.header.alg));
    assert!(out.ends_with(octets));
    whole(&out, octets);
}

/// The same for the form of SigFW.
fn sigfw(octets: &[u8]) {
    let Ok(found) = tcap0::parse(octets) else { return };
    let mut out = Vec::new();
    tcap0::emit_component(found.tvp, found.signature, &mut out);
    assert_eq!(out.len(), tcap0::component_len(found.signature.len()));
    whole(&out, octets);
}

/// A component is one definite minimal element that ends with its parameter.
fn whole(component: &[u8], parameter: &[u8]) {
    assert!(component.ends_with(parameter));
    let read = ber::next(component, Rules::Strict, 0).map(|(element, rest)| (element.tag, rest.len()));
    assert_eq!(read, Ok((0xa1, 0)));
}

/// A component encoded again stays as it is when that is done once more, and one that was in order from the start
/// never changes.
fn component(octets: &[u8]) {
    for rules in [Rules::Strict, Rules::Lenient] {
        let (mut once, mut twice) = (Vec::new(), Vec::new());
        tcap0::put_component(octets, rules, &mut once);
        tcap0::put_component(&once, rules, &mut twice);
        assert_eq!(twice, once);
        if ber::walk(octets, Rules::Strict, 0).is_ok() {
            assert_eq!(once, octets);
        }
    }
}
