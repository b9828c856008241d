//! SUA (RFC 3868): a view of any message, and the values of a connectionless one, which carries what SCCP's unitdata carries.
//!
//! Common header and parameters are those of M3UA, and so is the filler of a refused message: a Heartbeat Ack that nobody waits for
//! ([`crate::m3ua::emit_beat_ack`]), under SUA's own payload protocol identifier.

use crate::addr::{Digits, GlobalTitle, Plan, PointCode, Ssn};
use crate::cursor::{Cut, Param, Params, emit_param};
use crate::{Reason, Refusal};

/// SCTP payload protocol identifier of SUA (RFC 3868 §7.1).
pub const PPID: u32 = 4;
/// Octets of the common header.
pub const HEADER_LEN: usize = 8;
/// Class of connectionless messages (RFC 3868 §3.1.2).
pub const CONNECTIONLESS: u8 = 7;
/// Class of connection-oriented messages, which nothing here reads.
pub const CONNECTION: u8 = 8;

const CLDT: u8 = 1;
const CLDR: u8 = 2;
const ROUTING_CONTEXT: u16 = 0x0006;
const CORRELATION_ID: u16 = 0x0013;
const HOP_COUNT: u16 = 0x0101;
const SOURCE: u16 = 0x0102;
const DESTINATION: u16 = 0x0103;
const CAUSE: u16 = 0x0106;
const DATA: u16 = 0x010b;
const IMPORTANCE: u16 = 0x0113;
const PRIORITY: u16 = 0x0114;
const PROTOCOL_CLASS: u16 = 0x0115;
const SEQUENCE_CONTROL: u16 = 0x0116;
const SEGMENTATION: u16 = 0x0117;
const GLOBAL_TITLE: u16 = 0x8001;
const POINT_CODE: u16 = 0x8002;
const SUBSYSTEM: u16 = 0x8003;

/// ITU-T point codes have 14 bits (Q.704 §2.2).
const MAX_POINT_CODE: u32 = 0x3fff;

/// One SUA message, read in place (RFC 3868 §3.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct View<'a> {
    hdr: &'a [u8; HEADER_LEN],
    params: &'a [u8],
}

impl<'a> View<'a> {
    /// Checks version and length once; after that no accessor can fail or panic.
    ///
    /// * `user`: one whole SCTP user message
    /// # Errors
    /// [`Reason::SuaForm`].
    pub fn new(user: &'a [u8]) -> Result<Self, Refusal> {
        let (hdr, params) = user.split_first_chunk().ok_or(Reason::SuaForm.at(user.len()))?;
        let &[version, _, _, _, l0, l1, l2, l3] = hdr;
        if version != 1 {
            return Err(Reason::SuaForm.at(0));
        }
        if usize::try_from(u32::from_be_bytes([l0, l1, l2, l3])) != Ok(user.len()) {
            return Err(Reason::SuaForm.at(4));
        }
        Ok(Self { hdr, params })
    }

    /// Class and type (RFC 3868 §3.1.2).
    pub const fn kind(&self) -> (u8, u8) {
        (self.hdr[2], self.hdr[3])
    }

    /// Walks the parameters in message order; `at` counts from the first octet of the message.
    pub fn params(&self) -> Params<'a> {
        Params::new(self.params, HEADER_LEN)
    }
}

/// How an address is found (RFC 3868 §3.10.2).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u16)]
pub enum Routing {
    /// By its global title.
    Title = 1,
    /// By subsystem and point code.
    Subsystem = 2,
}

/// A global title as it stands in an address (RFC 3868 §3.10.2.3).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Title {
    /// Global title indicator: which of the next three SCCP has; 4 is all of them.
    pub indicator: u8,
    /// Translation type.
    pub translation: u8,
    /// Numbering plan.
    pub plan: u8,
    /// Nature of address.
    pub nature: u8,
    /// Digits; above 9 too.
    pub digits: Digits,
}

/// A source or destination address (RFC 3868 §3.10.2).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Address {
    /// How it is found.
    pub routing: Routing,
    /// Which parts SCCP gets where SUA ends: 1 subsystem, 2 point code, 4 global title.
    pub includes: u16,
    /// Global title.
    pub title: Option<Title>,
    /// Point code, 14 bits.
    pub point_code: Option<PointCode>,
    /// Subsystem.
    pub ssn: Option<Ssn>,
}

impl Address {
    /// Reads the value of an address; `at`: the octet of the message where its parameter begins.
    ///
    /// Host names and IP addresses are refused: SCCP has neither, so nobody behind the gateway would see what was judged here.
    fn parse(value: &[u8], at: usize) -> Result<Self, Refusal> {
        let bad = Reason::SuaForm.at(at);
        let (&[r0, r1, i0, i1], params) = value.split_first_chunk().ok_or(bad)?;
        let routing = match u16::from_be_bytes([r0, r1]) {
            1 => Routing::Title,
            2 => Routing::Subsystem,
            _ => return Err(bad),
        };
        let includes = u16::from_be_bytes([i0, i1]);
        let mut address = Self { routing, includes, title: None, point_code: None, ssn: None };
        for param in Params::new(params, at + 8) {
            let param = param.map_err(|Cut(at)| Reason::SuaForm.at(at))?;
            address.take(&param).ok_or(Reason::SuaForm.at(param.at))?;
        }
        // What routes must be there, and what SCCP shall get too. More than that is a second address.
        let there = u16::from(address.ssn.is_some())
            | u16::from(address.point_code.is_some()) << 1
            | u16::from(address.title.is_some()) << 2;
        let routes = match routing {
            Routing::Title => address.title.is_some(),
            Routing::Subsystem => address.ssn.is_some(),
        };
        if !routes || includes & !7 != 0 || includes & !there != 0 {
            return Err(bad);
        }
        Ok(address)
    }

    fn take(&mut self, param: &Param<'_>) -> Option<()> {
        match param.tag {
            GLOBAL_TITLE => {
                let (&[z0, z1, z2, indicator, count, translation, plan, nature], octets) =
                    param.value.split_first_chunk()?;
                let count = usize::from(count);
                let digits = Digits::from_nibbles(octets, count)?;
                // The filler of an odd count is zero (RFC 3868 §3.10.2.3), and nothing follows.
                let whole = octets.len() == count.div_ceil(2);
                let filler = if count % 2 == 1 { octets.last().map_or(0, |last| last >> 4) } else { 0 };
                let title = Title { indicator, translation, plan, nature, digits };
                ([z0, z1, z2] == [0; 3] && whole && filler == 0 && self.title.replace(title).is_none()).then_some(())
            }
            POINT_CODE => {
                let code = u32::from_be_bytes(param.value.try_into().ok()?);
                (code <= MAX_POINT_CODE && self.point_code.replace(PointCode(code)).is_none()).then_some(())
            }
            SUBSYSTEM => {
                let &[0, 0, 0, ssn] = param.value else { return None };
                self.ssn.replace(Ssn(ssn)).is_none().then_some(())
            }
            _ => None,
        }
    }

    /// The title in canonical form; `None` without one, or of another plan, nature or form than formats 11.2 accepts.
    pub fn canonical(&self) -> Option<GlobalTitle> {
        let title = self.title?;
        let sound = title.indicator == 4 && title.nature == 4 && title.digits.is_decimal();
        let plan = Plan::from_wire(title.plan)?;
        (sound && (1..=15).contains(&title.digits.len())).then_some(GlobalTitle { plan, digits: title.digits })
    }

    /// Title and subsystem as SCCP gets them where SUA ends: what the address does not include is not there.
    ///
    /// # Errors
    /// [`Reason::SccpGti`] and [`Reason::SccpGtForm`] as of an address of SCCP.
    pub fn party(&self) -> Result<(Option<GlobalTitle>, Option<Ssn>), Refusal> {
        let ssn = self.ssn.filter(|_| self.includes & 1 != 0);
        let Some(title) = self.title.filter(|_| self.includes & 4 != 0) else { return Ok((None, ssn)) };
        if title.indicator != 4 {
            return Err(Reason::SccpGti.at(0));
        }
        Ok((Some(self.canonical().ok_or(Reason::SccpGtForm.at(0))?), ssn))
    }

    /// Appends the value of an address.
    fn emit(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&(self.routing as u16).to_be_bytes());
        out.extend_from_slice(&self.includes.to_be_bytes());
        if let Some(title) = self.title {
            let mut value = vec![0, 0, 0, title.indicator, title.digits.len() as u8, title.translation, title.plan];
            value.push(title.nature);
            title.digits.write_packed(0, &mut value);
            emit_param(GLOBAL_TITLE, &value, out);
        }
        if let Some(code) = self.point_code {
            emit_param(POINT_CODE, &code.0.to_be_bytes(), out);
        }
        if let Some(ssn) = self.ssn {
            emit_param(SUBSYSTEM, &[0, 0, 0, ssn.0], out);
        }
    }
}

/// Place of a segment in its message (RFC 3868 §3.10.23).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Segment {
    /// It is the first one.
    pub first: bool,
    /// How many follow.
    pub remaining: u8,
    /// Which message it belongs to, 24 bits.
    pub reference: u32,
}

/// What only one of the two connectionless messages has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Data (CLDT, RFC 3868 §3.2.1), with the octet of its protocol class: return option and class.
    Data {
        /// Bit 8: return on error; the lower ones: class 0 or 1.
        class: u8,
        /// What keeps messages of class 1 in order.
        sequence: u32,
    },
    /// Data that comes back (CLDR, RFC 3868 §3.2.2).
    Response {
        /// Type of cause in the upper octet, of which 1 is a return cause; the cause in the lower one.
        cause: u16,
    },
}

/// A connectionless message whose values are proven.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Connectionless<'a> {
    /// What it is.
    pub kind: Kind,
    /// Traffic that the association was registered for.
    pub routing_context: u32,
    /// Who sends.
    pub source: Address,
    /// Who shall get it.
    pub destination: Address,
    /// Hops that it may still take.
    pub hops: Option<u8>,
    /// Importance, 0 to 7.
    pub importance: Option<u8>,
    /// Priority of the message.
    pub priority: Option<u8>,
    /// Number of this message, for a change of association without loss.
    pub correlation: Option<u32>,
    /// Place of a segment.
    pub segment: Option<Segment>,
    /// The user's message, a TCAP message mostly; only a response may have none.
    pub data: Option<&'a [u8]>,
}

/// Values of parameters as far as they were seen.
#[derive(Default)]
struct Found<'a> {
    words: [Option<u32>; 8],
    source: Option<Address>,
    destination: Option<Address>,
    data: Option<&'a [u8]>,
}

/// Parameters of four octets, by their place in [`Found`].
const WORDS: [u16; 8] =
    [ROUTING_CONTEXT, PROTOCOL_CLASS, SEQUENCE_CONTROL, CAUSE, HOP_COUNT, IMPORTANCE, PRIORITY, CORRELATION_ID];

impl<'a> Connectionless<'a> {
    /// Reads a CLDT or CLDR: each parameter that it must have, none twice, and none that it does not have.
    ///
    /// # Errors
    /// [`Reason::SuaForm`]. `at`: the parameter, or the end of the message for one that is missing.
    pub fn parse(view: View<'a>) -> Result<Self, Refusal> {
        let end = HEADER_LEN + view.params.len();
        let missing = Reason::SuaForm.at(end);
        let kind = match view.kind() {
            (CONNECTIONLESS, kind @ (CLDT | CLDR)) => kind,
            _ => return Err(Reason::SuaForm.at(2)),
        };
        let (mut found, mut segment) = (Found::default(), None);
        for param in view.params() {
            let param = param.map_err(|Cut(at)| Reason::SuaForm.at(at))?;
            let bad = Reason::SuaForm.at(param.at);
            let once = match param.tag {
                SOURCE => found.source.replace(Address::parse(param.value, param.at)?).is_none(),
                DESTINATION => found.destination.replace(Address::parse(param.value, param.at)?).is_none(),
                DATA => found.data.replace(param.value).is_none(),
                SEGMENTATION => {
                    let &[head, r0, r1, r2] = param.value.try_into().map_err(|_| bad)?;
                    let reference = u32::from_be_bytes([0, r0, r1, r2]);
                    segment.replace(Segment { first: head & 0x80 != 0, remaining: head & 0x7f, reference }).is_none()
                }
                tag => {
                    let place = WORDS.iter().position(|word| *word == tag).ok_or(bad)?;
                    let word = u32::from_be_bytes(param.value.try_into().map_err(|_| bad)?);
                    // A class or cause that the other message has.
                    let foreign =
                        if kind == CLDT { tag == CAUSE } else { matches!(tag, PROTOCOL_CLASS | SEQUENCE_CONTROL) };
                    let octet = matches!(tag, PROTOCOL_CLASS | HOP_COUNT | IMPORTANCE | PRIORITY);
                    if foreign || octet && word > 0xff || tag == CAUSE && word > 0xffff {
                        return Err(bad);
                    }
                    found.words.get_mut(place).ok_or(bad)?.replace(word).is_none()
                }
            };
            if !once {
                return Err(bad);
            }
        }
        let [context, class, sequence, cause, hops, importance, priority, correlation] = found.words;
        let octet = |word: Option<u32>| word.map(|word| word as u8);
        let kind = match kind {
            CLDT => {
                let class = class.ok_or(missing)? as u8;
                if class & 0x7f > 1 {
                    return Err(missing);
                }
                Kind::Data { class, sequence: sequence.ok_or(missing)? }
            }
            _ => Kind::Response { cause: cause.ok_or(missing)? as u16 },
        };
        if matches!(kind, Kind::Data { .. }) && found.data.is_none_or(<[u8]>::is_empty) {
            return Err(missing);
        }
        Ok(Self {
            kind,
            routing_context: context.ok_or(missing)?,
            source: found.source.ok_or(missing)?,
            destination: found.destination.ok_or(missing)?,
            hops: octet(hops),
            importance: octet(importance),
            priority: octet(priority),
            correlation,
            segment,
            data: found.data,
        })
    }

    /// Appends the message, parameters in the order of RFC 3868 §3.2.1 and §3.2.2. It allocates: what is on its way goes through
    /// [`rebuild`].
    ///
    /// `false`, and nothing appended, if the data is longer than a parameter can be.
    pub fn emit(&self, out: &mut Vec<u8>) -> bool {
        if self.data.is_some_and(|data| data.len() > 0xffff - 4) {
            return false;
        }
        let start = out.len();
        let kind = if matches!(self.kind, Kind::Data { .. }) { CLDT } else { CLDR };
        out.extend_from_slice(&[1, 0, CONNECTIONLESS, kind, 0, 0, 0, 0]);
        let mut word = |tag, word: u32| emit_param(tag, &word.to_be_bytes(), out);
        word(ROUTING_CONTEXT, self.routing_context);
        match self.kind {
            Kind::Data { class, .. } => word(PROTOCOL_CLASS, class.into()),
            Kind::Response { cause } => word(CAUSE, cause.into()),
        };
        for (tag, address) in [(SOURCE, &self.source), (DESTINATION, &self.destination)] {
            let mut value = Vec::new();
            address.emit(&mut value);
            emit_param(tag, &value, out);
        }
        let mut word = |tag, word: Option<u32>| word.is_none_or(|word| emit_param(tag, &word.to_be_bytes(), out));
        if let Kind::Data { sequence, .. } = self.kind {
            word(SEQUENCE_CONTROL, Some(sequence));
        }
        word(HOP_COUNT, self.hops.map(u32::from));
        word(IMPORTANCE, self.importance.map(u32::from));
        word(PRIORITY, self.priority.map(u32::from));
        word(CORRELATION_ID, self.correlation);
        let head = |segment: Segment| u32::from(segment.first) << 31 | u32::from(segment.remaining & 0x7f) << 24;
        word(SEGMENTATION, self.segment.map(|segment| head(segment) | segment.reference & 0xff_ffff));
        if let Some(data) = self.data {
            emit_param(DATA, data, out);
        }
        finish(start, out);
        true
    }
}

/// The values of source and destination address as they came; empty where there is none.
pub fn addresses(view: View<'_>) -> (&[u8], &[u8]) {
    let value = |tag| view.params().flatten().find(|param| param.tag == tag).map_or(&[][..], |param| param.value);
    (value(SOURCE), value(DESTINATION))
}

/// Appends a connectionless message with other data; every other parameter stays as it came and in its order, but for the place of
/// a segment: what leaves is whole.
///
/// `false`, and nothing appended, if `original` is none that [`Connectionless::parse`] reads, or the data is too long.
pub fn rebuild(original: &[u8], data: &[u8], out: &mut Vec<u8>) -> bool {
    let Ok(view) = View::new(original) else { return false };
    if data.len() > 0xffff - 4 || Connectionless::parse(view).is_err() {
        return false;
    }
    let start = out.len();
    out.extend_from_slice(view.hdr);
    for param in view.params().flatten().filter(|param| param.tag != SEGMENTATION) {
        emit_param(param.tag, if param.tag == DATA { data } else { param.value }, out);
    }
    finish(start, out);
    true
}

/// Writes the length of the message that begins at `start` and ends with `out`.
fn finish(start: usize, out: &mut [u8]) {
    let Some(message) = out.get_mut(start..) else { return };
    let len = message.len() as u32;
    if let Some(hdr) = message.first_chunk_mut::<HEADER_LEN>() {
        [hdr[4], hdr[5], hdr[6], hdr[7]] = len.to_be_bytes();
    }
}

#[cfg(test)]
mod tests;
