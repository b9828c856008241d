//! One message made by the book, from what it says to its octets: what templates are taken from.

use sealgate_wire::addr::{Digits, GlobalTitle, Plan, PointCode, Ssn};
use sealgate_wire::ber::Rules;
use sealgate_wire::sec::{FLAG_WAS_UDT, Header, Tvp, tcap1};
use sealgate_wire::{m3ua, sccp, tcap};

use super::Side;
use super::operation::{Operation, Story, Whose};
use super::values::Values;

/// First digits of the titles of all peers, of ours, and of our subscribers' identities.
pub(super) const PEERS: &str = "999020";
pub(super) const HOME: &str = "999010";
pub(super) const HOME_PLMN: &str = "001010";

/// Invoke identifiers of the operation and of the security component.
const INVOKE: u8 = 1;
const SECURITY_INVOKE: u8 = 127;
/// Algorithm number of ECDSA over P-256 (formats 1.3), and our signers' counter.
pub(super) const P256: u8 = 1;
pub(super) const NODE: u8 = 1;
/// The longest data of a UDT or XUDT that every stack takes (Q.713 §3.16).
const SHORT: usize = 254;
const HOPS: u8 = 15;
/// SCCP.
pub(super) const SI: u8 = 3;

/// A kind of message: those of one kind differ in their [`Values`] only.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Kind {
    pub(super) operation: Operation,
    /// Where it enters.
    pub(super) side: Side,
    /// The answer to what the other side asked.
    pub(super) answer: bool,
    pub(super) form: Form,
    /// Extended unitdata, where the message is short enough for unitdata.
    pub(super) extended: bool,
}

impl Kind {
    /// A kind that stands for any message of a side.
    pub(super) const fn any(side: Side) -> Self {
        Self { operation: Operation::UpdateLocation, side, answer: false, form: Form::Plain, extended: false }
    }
}

/// Who a message says it is from, and whether it is signed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(super) enum Form {
    /// From whom it says, without signature.
    Plain,
    /// With a signature, good or not.
    Signed,
    /// From outside with a title of ours.
    Spoofed,
}

/// What is the same for all messages of a profile.
#[derive(Clone, Copy, Debug)]
pub(super) struct Style {
    /// Digits of a peer's title: 12 or 14.
    pub(super) title_len: usize,
    /// Octets of text in a short message.
    pub(super) sms_octets: usize,
}

/// A message, and what its signature covers.
pub(super) struct Octets {
    pub(super) user: Vec<u8>,
    /// Empty without signature.
    pub(super) tbs: Vec<u8>,
}

/// The octets of one message.
///
/// * `Err`: the layer into which it does not fit
pub(super) fn compose(kind: Kind, style: Style, values: &Values) -> Result<Octets, &'static str> {
    let Kind { operation, side, answer, form, .. } = kind;
    let asker = if answer { side.other() } else { side };
    let number_len = style.title_len.saturating_sub(PEERS.len());
    let number = format!("{:0number_len$}", values.number % 10_u32.pow(number_len as u32));
    let prefix = if form == Form::Spoofed { HOME } else { PEERS };
    let peer = digits(&format!("{prefix}{number}"))?;
    let home = digits(&format!("{HOME}{:06}", node(operation, asker)))?;
    let (own, other) = if side == Side::Home { (home, peer) } else { (peer, home) };
    let ours = (operation.whose() == Whose::Asked) == (asker == Side::Interconnect);
    let (imsi, msisdn) = subscriber(values, ours)?;
    let story = Story { own: &own, other: &other, imsi: &imsi, msisdn: &msisdn, sms_octets: style.sms_octets };
    let (mut component, mut plain) = (Vec::new(), Vec::new());
    let id = tcap::Tid::new(&values.transaction).ok_or("a transaction identifier")?;
    let [number, version] = operation.context();
    let context = [4, 0, 0, 1, 0, number, version];
    let (asking_ssn, asked_ssn) = operation.parties();
    let (own_ssn, other_ssn) = if answer {
        operation.answer(INVOKE, &story, &mut component);
        tcap::emit_end(id, Some(&context), &component, &mut plain);
        (asked_ssn, asking_ssn)
    } else {
        operation.question(INVOKE, &story, &mut component);
        tcap::emit_begin(id, Some(&context), &component, &mut plain);
        (asking_ssn, asked_ssn)
    };
    let title = |digits| GlobalTitle { plan: Plan::E164, digits };
    let (calling, called) = ((title(own), own_ssn), (title(other), other_ssn));
    let mut tbs = Vec::new();
    let (data, kind) = if kind.form == Form::Signed {
        let opcode = if operation.is_map() { tcap1::OPCODE_MAP } else { tcap1::OPCODE_OTHER };
        sign_for(&plain, opcode, (calling, called), kind.extended, values, &mut tbs)?
    } else {
        let carrier = carrier(plain.len(), kind.extended);
        (plain, carrier)
    };
    Ok(Octets { user: wrap(kind, calling, called, &data)?, tbs })
}

/// The message type that carries data of this length.
fn carrier(len: usize, extended: bool) -> sccp::Kind {
    match (len <= SHORT, extended) {
        (true, false) => sccp::Kind::Udt,
        (true, true) => sccp::Kind::Xudt,
        (false, _) => sccp::Kind::Ludt,
    }
}

pub(super) type Party = (GlobalTitle, Ssn);

/// The TCAP message with its security component, and the message type that carries it.
///
/// * `parties`: calling and called; `extended`: it comes in XUDT
pub(super) fn sign_for(
    plain: &[u8],
    opcode: i32,
    parties: (Party, Party),
    extended: bool,
    values: &Values,
    tbs: &mut Vec<u8>,
) -> Result<(Vec<u8>, sccp::Kind), &'static str> {
    let mut signed = sign(plain, opcode, parties, 0, values, tbs)?;
    let carrier = carrier(signed.len(), extended);
    if carrier == sccp::Kind::Ludt && !extended {
        signed = sign(plain, opcode, parties, FLAG_WAS_UDT, values, tbs)?;
    }
    Ok((signed, carrier))
}

fn sign(
    plain: &[u8],
    opcode: i32,
    (calling, called): (Party, Party),
    flags: u8,
    values: &Values,
    tbs: &mut Vec<u8>,
) -> Result<Vec<u8>, &'static str> {
    let parsed = tcap::Message::parse(plain, Rules::Strict).map_err(|_| "TCAP")?;
    let (tvp, seq) = (Tvp(u32::from_be_bytes(values.tvp)), u64::from_be_bytes(values.seq));
    let header = Header { alg: P256, flags, node: NODE, sai: values.sai, tvp, seq, copy: None };
    let (mut covered, mut component, mut signed) = (Vec::new(), Vec::new(), Vec::new());
    header.emit(&mut covered);
    let subject = tcap1::Subject { calling, called, tag: parsed.kind as u8 };
    let elements = parsed.elements.iter().copied();
    let components = parsed.components.iter().map(|component| component.raw);
    tcap1::write_tbs(&covered, None, &subject, elements, components, tbs);
    let opcode = u8::try_from(opcode).map_err(|_| "an operation code")?;
    tcap1::emit_component(SECURITY_INVOKE, opcode, values.sai, &covered, &values.signature, &mut component);
    tcap::rebuild(&parsed, None, Some(&component), false, &mut signed);
    Ok(signed)
}

/// SCCP and M3UA around it.
fn wrap(kind: sccp::Kind, calling: Party, called: Party, data: &[u8]) -> Result<Vec<u8>, &'static str> {
    let (mut to, mut from, mut unitdata) = (Vec::new(), Vec::new(), Vec::new());
    sccp::emit_address(&called.0, called.1, 0, &mut to);
    sccp::emit_address(&calling.0, calling.1, 0, &mut from);
    let hop = (kind != sccp::Kind::Udt).then_some(HOPS);
    sccp::emit(kind, 0, hop, &to, &from, data, None, None, &mut unitdata).map_err(|_| "SCCP")?;
    in_m3ua(&unitdata)
}

/// M3UA around SCCP; routing context, point codes and SLS are those of an association and written later.
pub(super) fn in_m3ua(unitdata: &[u8]) -> Result<Vec<u8>, &'static str> {
    let mut user = Vec::new();
    let message = m3ua::Data {
        network_appearance: None,
        routing_context: Some(0),
        correlation: None,
        opc: PointCode(0),
        dpc: PointCode(0),
        si: SI,
        ni: 0,
        mp: 0,
        sls: 0,
        user: unitdata,
    };
    if message.emit(&mut user) { Ok(user) } else { Err("M3UA") }
}

/// Our node that an operation is about: HLR, VLR and MSC, service centre, or service control.
fn node(operation: Operation, asker: Side) -> u32 {
    let (asking, asked) = operation.parties();
    let ours = if asker == Side::Home { asking } else { asked };
    match (operation, ours) {
        (Operation::InitialDp, _) => 40,
        (Operation::MoForwardSm, _) | (Operation::SendRoutingInfoForSm, Ssn::MSC) => 30,
        (_, Ssn::HLR) => 1,
        _ => 20,
    }
}

/// IMSI and telephone number of a subscriber of ours, or of the peer.
fn subscriber(values: &Values, ours: bool) -> Result<(Digits, Digits), &'static str> {
    let [a, b, c] = values.plmn;
    let foreign = [a, b, c].map(|pair| format!("{}{}", pair & 0x0f, pair >> 4)).concat();
    let (network, prefix) = if ours { (HOME_PLMN, HOME) } else { (foreign.as_str(), PEERS) };
    let imsi = digits(&format!("{network}{:08}0", values.subscriber))?;
    let msisdn = digits(&format!("{prefix}{:06}", values.subscriber % 1_000_000))?;
    Ok((imsi, msisdn))
}

fn digits(text: &str) -> Result<Digits, &'static str> {
    text.parse().map_err(|_| "digits")
}
