//! Calls in ISUP: initial address messages, signed for their calling number (formats 9). Nobody answers them here.

use sealgate_wire::addr::Digits;
use sealgate_wire::isup::{self, Iam, View};
use sealgate_wire::sec::{Header, Tvp, isup1};

use super::Side;
use super::message::{Form, HOME, Kind, NODE, Octets, P256, PEERS, in_m3ua};
use super::values::Values;

/// Service indicator of ISUP (Q.704 §14.2.1).
pub(super) const SI: u8 = 5;
/// Nature of address international; numbering plan E.164.
const INTERNATIONAL: [u8; 2] = [4, 0x10];
/// Ordinary calling subscriber (Q.763 §3.11), and what the fixed part says besides: no echo device, speech.
const CATEGORY: u8 = 10;
const FIXED: [u8; 8] = [1, 0, isup::IAM, 0, 0x20, 0, CATEGORY, 0];
const CALLING_NUMBER: u8 = 0x0a;

/// Digits of the numbers that peers may call from: longer ones than this no authority gives to them.
pub(super) const NUMBER_LEN: usize = 12;

/// The octets of one call.
///
/// A spoofed one is signed well, for a calling number of ours.
/// * `number_len`: digits of a peer's number
/// * `Err`: the layer into which it does not fit
pub(super) fn compose(kind: Kind, number_len: usize, values: &Values) -> Result<Octets, &'static str> {
    let number = format!("{:0number_len$}", values.number % 10_u32.saturating_pow(number_len as u32));
    let subscriber = format!("{HOME}{:06}", values.subscriber % 1_000_000);
    let peer = format!("{PEERS}{number}");
    let (calling, called) = match (kind.side, kind.form) {
        (Side::Interconnect, Form::Spoofed) => (format!("{HOME}{number}"), subscriber),
        (Side::Interconnect, _) => (peer, subscriber),
        (Side::Home, _) => (subscriber, peer),
    };
    let (calling, called) = (digits(&calling)?, digits(&called)?);
    let (theirs, ours) = (packed(&calling), packed(&called));
    let mut plain = FIXED.to_vec();
    let len = u8::try_from(ours.len()).map_err(|_| "ISUP")?;
    plain.extend_from_slice(&[2, len + 2, len]); // pointers to the called number and to the optional part
    plain.extend_from_slice(&ours);
    plain.extend_from_slice(&[CALLING_NUMBER, u8::try_from(theirs.len()).map_err(|_| "ISUP")?]);
    plain.extend_from_slice(&theirs);
    plain.push(0);
    if kind.form == Form::Plain {
        return Ok(Octets { user: in_m3ua(&plain)?, tbs: Vec::new() });
    }
    let iam = View::new(&plain).and_then(Iam::parse).map_err(|_| "ISUP")?;
    let (tvp, seq) = (Tvp(u32::from_be_bytes(values.tvp)), u64::from_be_bytes(values.seq));
    let header = Header { alg: P256, flags: 0, node: NODE, sai: values.sai, tvp, seq, copy: None };
    let (mut covered, mut tbs, mut parameter, mut signed) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    isup1::put_covered(&header, None, &mut covered);
    isup1::write_tbs(&covered, None, &calling, &called, CATEGORY, 0, &mut tbs);
    let made = isup1::emit_parameter(&covered, &values.signature, &mut parameter)
        && isup::append(&iam, &parameter, &mut signed);
    if made { Ok(Octets { user: in_m3ua(&signed)?, tbs }) } else { Err("ISUP") }
}

fn packed(digits: &Digits) -> Vec<u8> {
    let mut out = INTERNATIONAL.to_vec();
    digits.write_packed(0, &mut out);
    out
}

fn digits(text: &str) -> Result<Digits, &'static str> {
    text.parse().map_err(|_| "digits")
}
