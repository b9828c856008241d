//! SCCP connectionless messages and addresses (ITU-T Q.713).

use crate::addr::{Digits, GlobalTitle, Plan, Ssn};
use crate::reason::{Reason, Refusal};

/// The message types that are read; connection-oriented ones are refused (formats 11.2).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Kind {
    /// Unitdata (Q.713 §4.10).
    Udt = 0x09,
    /// Unitdata service.
    Udts = 0x0a,
    /// Extended unitdata (Q.713 §4.18).
    Xudt = 0x11,
    /// Extended unitdata service.
    Xudts = 0x12,
    /// Long unitdata (Q.713 §4.20).
    Ludt = 0x13,
    /// Long unitdata service.
    Ludts = 0x14,
}

impl Kind {
    /// The kind with this message type code.
    pub const fn from_wire(code: u8) -> Option<Self> {
        Some(match code {
            0x09 => Kind::Udt,
            0x0a => Kind::Udts,
            0x11 => Kind::Xudt,
            0x12 => Kind::Xudts,
            0x13 => Kind::Ludt,
            0x14 => Kind::Ludts,
            _ => return None,
        })
    }

    /// True for the messages that bring an undelivered one back.
    pub const fn is_service(self) -> bool {
        matches!(self, Kind::Udts | Kind::Xudts | Kind::Ludts)
    }

    /// Octets before the first parameter, and the number and width of pointers among them.
    const fn layout(self) -> (usize, usize) {
        match self {
            Kind::Udt | Kind::Udts => (2, 1),
            Kind::Xudt | Kind::Xudts => (3, 1),
            Kind::Ludt | Kind::Ludts => (3, 2),
        }
    }

    /// How many pointers: the short messages have no optional part.
    const fn pointers(self) -> usize {
        match self {
            Kind::Udt | Kind::Udts => 3,
            _ => 4,
        }
    }
}

/// The segmentation parameter (Q.713 §3.17).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Segmentation {
    /// F bit: the first segment of a message.
    pub first: bool,
    /// C bit: the message was handed over in sequence (class 1).
    pub in_sequence: bool,
    /// Segments that follow, 0 to 15.
    pub remaining: u8,
    /// Segmentation local reference.
    pub local_ref: [u8; 3],
}

const OPT_END: u8 = 0x00;
const OPT_SEGMENTATION: u8 = 0x10;
const OPT_IMPORTANCE: u8 = 0x12;

/// One connectionless message, read in place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Unitdata<'a> {
    /// Which message.
    pub kind: Kind,
    /// Protocol class and message handling octet; in a service message the return cause.
    pub class: u8,
    /// Hop counter, 1 to 255; `None` in UDT and UDTS.
    pub hop: Option<u8>,
    /// Called party address, as [`Address::parse`] reads it.
    pub called: &'a [u8],
    /// Calling party address.
    pub calling: &'a [u8],
    /// User data: one TCAP message or a segment of one.
    pub data: &'a [u8],
    /// Segmentation, where present.
    pub segmentation: Option<Segmentation>,
    /// Importance, where present.
    pub importance: Option<u8>,
    /// The optional part as it came, without its end octet.
    pub options: &'a [u8],
}

impl<'a> Unitdata<'a> {
    /// Reads one message.
    ///
    /// # Errors
    /// [`Reason::SccpType`], [`Reason::SccpTruncated`] inside the fixed part, [`Reason::SccpPointer`] at the pointer
    /// that leads outside or into something else, [`Reason::SccpHopCounter`], [`Reason::SccpOptParam`]; `at` counts from
    /// the message type.
    /// # Source
    /// Q.713 §2.3 for pointers; LUDT and LUDTS have little-endian pointers and data length of two octets, each pointer
    /// counted from its second octet.
    pub fn parse(octets: &'a [u8]) -> Result<Self, Refusal> {
        let Some(&code) = octets.first() else { return Err(Reason::SccpTruncated.at(0)) };
        let kind = Kind::from_wire(code).ok_or(Reason::SccpType.at(0))?;
        let (pointers, width) = kind.layout();
        let fixed = pointers + width * kind.pointers();
        if octets.len() < fixed {
            return Err(Reason::SccpTruncated.at(octets.len()));
        }
        let byte = |at: usize| octets.get(at).copied().unwrap_or(0);
        let hop = (pointers == 3).then(|| byte(2));
        if hop == Some(0) {
            return Err(Reason::SccpHopCounter.at(2));
        }
        // Where pointer number `i` leads, counted from its last octet; `None`: the parameter is absent.
        let target = |i: usize| {
            let at = pointers + width * i;
            let value = match width {
                1 => usize::from(byte(at)),
                _ => usize::from(u16::from_le_bytes([byte(at), byte(at + 1)])),
            };
            (at, (value != 0).then_some(at + width - 1 + value))
        };
        let mut taken = [(0, fixed); 5];
        let mut part = |i: usize, long: usize| -> Result<&'a [u8], Refusal> {
            let (at, start) = target(i);
            let bad = Reason::SccpPointer.at(at);
            let start = start.ok_or(bad)?;
            let len = match long {
                1 => octets.get(start).map(|len| usize::from(*len)),
                _ => octets.get(start..start + 2).map(|len| usize::from(u16::from_le_bytes([len[0], len[1]]))),
            };
            let body = start + long;
            let end = body + len.ok_or(bad)?;
            let value = octets.get(body..end).ok_or(bad)?;
            claim(&mut taken, i + 1, (start, end)).then_some(value).ok_or(bad)
        };
        let called = part(0, 1)?;
        let calling = part(1, 1)?;
        let data = part(2, width)?;
        let mut message = Self {
            kind,
            class: byte(1),
            hop,
            called,
            calling,
            data,
            segmentation: None,
            importance: None,
            options: &[],
        };
        if kind.pointers() == 4
            && let (at, Some(start)) = target(3)
        {
            let bad = Reason::SccpPointer.at(at);
            if start >= octets.len() {
                return Err(bad);
            }
            let end = message.read_options(octets, start)?;
            if !claim(&mut taken, 4, (start, end)) {
                return Err(bad);
            }
        }
        Ok(message)
    }

    /// Reads the optional part that begins at `start`; returns where it ends, its end octet included.
    ///
    /// A part that ends with the message instead of an end octet is read: nothing else could be meant.
    fn read_options(&mut self, octets: &'a [u8], start: usize) -> Result<usize, Refusal> {
        let mut at = start;
        while let Some(&name) = octets.get(at)
            && name != OPT_END
        {
            let bad = Reason::SccpOptParam.at(at);
            let len = octets.get(at + 1).map(|len| usize::from(*len)).ok_or(bad)?;
            let value = octets.get(at + 2..at + 2 + len).ok_or(bad)?;
            match (name, value) {
                (OPT_SEGMENTATION, &[octet, a, b, c]) if self.segmentation.is_none() => {
                    self.segmentation = Some(Segmentation {
                        first: octet & 0x80 != 0,
                        in_sequence: octet & 0x40 != 0,
                        remaining: octet & 0x0f,
                        local_ref: [a, b, c],
                    });
                }
                (OPT_IMPORTANCE, &[importance]) if self.importance.is_none() => self.importance = Some(importance),
                (OPT_SEGMENTATION | OPT_IMPORTANCE, _) => return Err(bad),
                _ => {}
            }
            at += 2 + len;
        }
        self.options = octets.get(start..at).unwrap_or(&[]);
        Ok((at + 1).min(octets.len()))
    }
}

/// Enters `new` as part number `i`; false if it overlaps one entered before.
fn claim(taken: &mut [(usize, usize); 5], i: usize, new: (usize, usize)) -> bool {
    let free = taken.iter().take(i).all(|&(start, end)| end <= new.0 || new.1 <= start);
    if let Some(place) = taken.get_mut(i) {
        *place = new;
    }
    free
}

/// A global title as it stands in an address, of any indicator 1 to 4 (Q.713 §3.4.2.3).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RawTitle<'a> {
    /// Global title indicator: which of the next four are present.
    pub indicator: u8,
    /// Translation type; not in indicator 1.
    pub translation_type: Option<u8>,
    /// Numbering plan nibble; indicators 3 and 4.
    pub plan: Option<u8>,
    /// Encoding scheme nibble, 1 odd and 2 even; indicators 3 and 4.
    pub scheme: Option<u8>,
    /// Nature of address, 7 bits; indicators 1 and 4.
    pub nature: Option<u8>,
    /// True if indicator 1 says that the number of digits is odd.
    pub odd: bool,
    /// The address information.
    pub octets: &'a [u8],
}

impl RawTitle<'_> {
    /// The digits, for display: whatever the nibbles are, `None` only where there are more than 32 or none.
    pub fn digits(&self) -> Option<Digits> {
        let odd = self.odd || self.scheme == Some(1);
        let count = (self.octets.len() * 2).checked_sub(usize::from(odd))?;
        Digits::from_nibbles(self.octets, count)
    }
}

/// A party address (Q.713 §3.4).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Address<'a> {
    /// Routing indicator: true for routing on SSN, false for routing on the global title.
    pub routing_on_ssn: bool,
    /// Signalling point code, 14 bits.
    pub point_code: Option<u16>,
    /// Subsystem number.
    pub ssn: Option<Ssn>,
    /// Global title as it stands.
    pub gt: Option<RawTitle<'a>>,
}

impl<'a> Address<'a> {
    /// Reads an address with any global title indicator 0 to 4 and any contents.
    ///
    /// # Errors
    /// [`Reason::SccpTruncated`] if it ends before its fields do, [`Reason::SccpGti`] for an indicator above 4; `at`
    /// counts from the address indicator.
    pub fn parse(octets: &'a [u8]) -> Result<Self, Refusal> {
        let cut = Reason::SccpTruncated.at(octets.len());
        let (&indicators, mut rest) = octets.split_first().ok_or(cut)?;
        let mut take = || {
            let (&octet, tail) = rest.split_first().ok_or(cut)?;
            rest = tail;
            Ok(octet)
        };
        let point_code = match indicators & 0x01 {
            0 => None,
            _ => Some(u16::from_le_bytes([take()?, take()?]) & 0x3fff),
        };
        let ssn = if indicators & 0x02 == 0 { None } else { Some(Ssn(take()?)) };
        let indicator = indicators >> 2 & 0x0f;
        let (mut translation_type, mut coding, mut nature) = (None, None, None);
        match indicator {
            0 => {}
            1 => nature = Some(take()?),
            2 => translation_type = Some(take()?),
            3 => (translation_type, coding) = (Some(take()?), Some(take()?)),
            4 => (translation_type, coding, nature) = (Some(take()?), Some(take()?), Some(take()?)),
            _ => return Err(Reason::SccpGti.at(0)),
        }
        let gt = (indicator != 0).then_some(RawTitle {
            indicator,
            translation_type,
            plan: coding.map(|octet| octet >> 4),
            scheme: coding.map(|octet| octet & 0x0f),
            odd: indicator == 1 && nature.is_some_and(|octet| octet & 0x80 != 0),
            nature: nature.map(|octet| octet & 0x7f),
            octets: rest,
        });
        Ok(Self { routing_on_ssn: indicators & 0x40 != 0, point_code, ssn, gt })
    }

    /// The canonical global title; `None` if the address has none.
    ///
    /// # Errors
    /// [`Reason::SccpGti`] unless the indicator is 4; [`Reason::SccpGtForm`] unless plan is 1 or 7, nature 4, scheme 1 or
    /// 2 and there are 1 to 15 decimal digits; `at` counts from the address indicator.
    /// # Source
    /// formats 1.1 and 11.2.
    pub fn title(&self) -> Result<Option<GlobalTitle>, Refusal> {
        let Some(gt) = self.gt else { return Ok(None) };
        if gt.indicator != 4 {
            return Err(Reason::SccpGti.at(0));
        }
        let start = 1 + usize::from(self.point_code.is_some()) * 2 + usize::from(self.ssn.is_some());
        let coding = Reason::SccpGtForm.at(start + 1);
        let plan = gt.plan.and_then(Plan::from_wire).ok_or(coding)?;
        if !matches!(gt.scheme, Some(1 | 2)) {
            return Err(coding);
        }
        if gt.nature != Some(4) {
            return Err(Reason::SccpGtForm.at(start + 2));
        }
        let fits = |digits: &Digits| (1..=15).contains(&digits.len()) && digits.is_decimal();
        let digits = gt.digits().filter(fits).ok_or(Reason::SccpGtForm.at(start + 3))?;
        Ok(Some(GlobalTitle { plan, digits }))
    }
}

/// A parameter does not fit its length octet, or a pointer cannot reach it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TooLong;

impl core::fmt::Display for TooLong {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("the parameter does not fit this SCCP message type")
    }
}

impl core::error::Error for TooLong {}

/// Appends one message: addresses, data, then the optional part, each directly behind the other.
///
/// * `class`: protocol class octet, or return cause of a service message
/// * `hop`: hop counter; `None` in a message that has one writes 15, the most that Q.713 §3.18 allows
/// * `seg`, `importance`: left out of UDT and UDTS, which have no optional part
/// # Errors
/// [`TooLong`] if a length or pointer overflows; `out` is then as it was.
#[allow(clippy::too_many_arguments)] // the fields of the message, as Q.713 lists them
pub fn emit(
    kind: Kind,
    class: u8,
    hop: Option<u8>,
    called: &[u8],
    calling: &[u8],
    data: &[u8],
    seg: Option<Segmentation>,
    importance: Option<u8>,
    out: &mut Vec<u8>,
) -> Result<(), TooLong> {
    let before = out.len();
    let (pointers, width) = kind.layout();
    let count = kind.pointers();
    let optional = count == 4 && (seg.is_some() || importance.is_some());
    // Distances from each pointer's last octet.
    let called_at = width * (count - 1) + 1;
    let calling_at = called_at + 1 + called.len() - width;
    let data_at = calling_at + 1 + calling.len() - width;
    let options_at = if optional { data_at + width + data.len() - width } else { 0 };
    out.extend_from_slice(&[kind as u8, class]);
    if pointers == 3 {
        out.push(hop.unwrap_or(15));
    }
    let number = |value: usize, width: usize, out: &mut Vec<u8>| -> Result<(), TooLong> {
        match width {
            1 => out.push(u8::try_from(value).map_err(|_| TooLong)?),
            _ => out.extend_from_slice(&u16::try_from(value).map_err(|_| TooLong)?.to_le_bytes()),
        }
        Ok(())
    };
    let body = |out: &mut Vec<u8>| -> Result<(), TooLong> {
        for target in [called_at, calling_at, data_at, options_at].into_iter().take(count) {
            number(target, width, out)?;
        }
        for (value, long) in [(called, 1), (calling, 1), (data, width)] {
            number(value.len(), long, out)?;
            out.extend_from_slice(value);
        }
        Ok(())
    };
    if let Err(error) = body(out) {
        out.truncate(before);
        return Err(error);
    }
    if optional {
        if let Some(Segmentation { first, in_sequence, remaining, local_ref: [a, b, c] }) = seg {
            let flags = u8::from(first) << 7 | u8::from(in_sequence) << 6 | remaining & 0x0f;
            out.extend_from_slice(&[OPT_SEGMENTATION, 4, flags, a, b, c]);
        }
        if let Some(importance) = importance {
            out.extend_from_slice(&[OPT_IMPORTANCE, 1, importance]);
        }
        out.push(OPT_END);
    }
    Ok(())
}

/// Appends an address with routing on a global title of indicator 4, nature international.
pub fn emit_address(gt: &GlobalTitle, ssn: Ssn, translation_type: u8, out: &mut Vec<u8>) {
    let scheme = if gt.digits.len() % 2 == 1 { 1 } else { 2 };
    out.extend_from_slice(&[0x12, ssn.0, translation_type, (gt.plan as u8) << 4 | scheme, 4]);
    gt.digits.write_packed(0, out);
}
