//! Calls between operator A and HOME, as ISUP messages.
#![allow(dead_code, reason = "each test file uses its part")]

use sealgate_crypto::sign::SigningKey;
use sealgate_wire::addr::PointCode;
use sealgate_wire::isup::{Iam, View};
use sealgate_wire::m3ua;
use sealgate_wire::sec::isup1;

use super::NOW_MS;

/// A number of ours, and one of A.
pub const OURS: &str = "999010000001";
pub const THEIRS: &str = "999020000011";

/// A number parameter's content: international, E.164, `screen`ed, with ST if `complete`.
pub fn number(digits: &str, nature: u8, screen: u8, complete: bool) -> Vec<u8> {
    let mut nibbles: Vec<u8> = digits.bytes().map(|digit| digit - b'0').collect();
    nibbles.extend(complete.then_some(15));
    let odd = nibbles.len() % 2;
    nibbles.extend((odd == 1).then_some(0));
    let mut out = vec![(odd as u8) << 7 | nature, 0x10 | screen];
    out.extend(nibbles.chunks(2).map(|pair| pair[0] | pair[1] << 4));
    out
}

/// An IAM; `called`: digits and nature of address.
pub fn iam(calling: &str, called: (&str, u8)) -> Vec<u8> {
    let called = number(called.0, called.1, 0, true);
    let calling = number(calling, 4, 0, false);
    let mut out = vec![7, 0, 1, 0, 0x20, 0, 10, 0, 2, called.len() as u8 + 2, called.len() as u8];
    out.extend_from_slice(&called);
    out.extend_from_slice(&[0x0a, calling.len() as u8]);
    out.extend_from_slice(&calling);
    out.push(0);
    out
}

/// The M3UA message around an ISUP message.
pub fn m3ua(isup: &[u8], outward: bool) -> Vec<u8> {
    let (opc, dpc) = if outward { (4112, 4128) } else { (4128, 4112) };
    let data = m3ua::Data {
        network_appearance: None,
        routing_context: Some(1),
        correlation: None,
        opc: PointCode(opc),
        dpc: PointCode(dpc),
        si: 5,
        ni: 0,
        mp: 0,
        sls: 3,
        user: isup,
    };
    let mut out = Vec::new();
    assert!(data.emit(&mut out));
    out
}

/// A call of A, signed as A's gateway would.
pub fn signed(key: &SigningKey, copied: bool, called: (&str, u8), seq: u64) -> Vec<u8> {
    let plain = iam(THEIRS, called);
    let read = View::new(&plain).and_then(Iam::parse).expect("sound");
    let tvp = sealgate_wire::sec::Tvp::from_unix_ms(NOW_MS);
    let sai = key.public().sai();
    let header = sealgate_wire::sec::Header { alg: 1, flags: 0, node: 1, sai, tvp, seq, copy: None };
    let (calling, ours) = (THEIRS.parse().expect("digits"), OURS.parse().expect("digits"));
    let (mut covered, mut tbs, mut parameter, mut out) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    isup1::put_covered(&header, copied.then_some(&ours), &mut covered);
    let copy = covered.get(25..).filter(|_| copied);
    isup1::write_tbs(&covered, copy, &calling, &ours, 10, 0, &mut tbs);
    let mut signature = [0; 256];
    assert_eq!(key.sign(&tbs, &mut signature).expect("signed"), 64);
    assert!(isup1::emit_parameter(&covered, &signature[..64], &mut parameter));
    assert!(sealgate_wire::isup::append(&read, &parameter, &mut out));
    out
}
