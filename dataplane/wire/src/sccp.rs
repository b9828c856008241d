//! SCCP connectionless messages and addresses (ITU-T Q.713).

mod address;

pub use address::{Address, RawTitle, emit_address, party};

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
    #[inline]
    pub fn parse(octets: &'a [u8]) -> Result<Self, Refusal> {
        match Self::usual(octets) {
            Some(message) => Ok(message),
            None => Self::any(octets),
        }
    }

    /// A UDT whose parameters follow each other in their order, as nearly all do. `None` says nothing about a message.
    #[inline(always)]
    fn usual(octets: &'a [u8]) -> Option<Self> {
        const UDT: u8 = Kind::Udt as u8;
        let &[UDT, class, to_called, to_calling, to_data] = octets.first_chunk()? else { return None };
        let part = |start: usize| {
            let (len, behind) = octets.get(start..)?.split_first()?;
            behind.get(..usize::from(*len))
        };
        let [at_called, at_calling, at_data] =
            [2 + usize::from(to_called), 3 + usize::from(to_calling), 4 + usize::from(to_data)];
        let (called, calling, data) = (part(at_called)?, part(at_calling)?, part(at_data)?);
        let ordered = at_called >= 5 && at_called + called.len() < at_calling && at_calling + calling.len() < at_data;
        let (segmentation, importance) = (None, None);
        let kind = Kind::Udt;
        ordered.then_some(Self {
            kind,
            class,
            hop: None,
            called,
            calling,
            data,
            segmentation,
            importance,
            options: &[],
        })
    }

    /// Any message.
    fn any(octets: &'a [u8]) -> Result<Self, Refusal> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{collection::vec, prelude::*};

    const CALLED: [u8; 11] = [0x12, 0x06, 0x00, 0x12, 0x04, 0x99, 0x09, 0x01, 0x00, 0x00, 0x10];
    const CALLING: [u8; 11] = [0x12, 0x07, 0x00, 0x12, 0x04, 0x99, 0x09, 0x03, 0x00, 0x00, 0x11];
    const SEGMENT: Segmentation = Segmentation { first: true, in_sequence: true, remaining: 2, local_ref: [1, 2, 3] };

    fn built(kind: Kind, seg: Option<Segmentation>, importance: Option<u8>) -> Vec<u8> {
        let mut out = Vec::new();
        let hop = (kind as u8 > 0x0a).then_some(14);
        assert_eq!(emit(kind, 0x81, hop, &CALLED, &CALLING, b"data", seg, importance, &mut out), Ok(()));
        out
    }

    #[test]
    fn every_kind_reads_back_what_was_written() -> Result<(), Refusal> {
        for kind in [Kind::Udt, Kind::Udts, Kind::Xudt, Kind::Xudts, Kind::Ludt, Kind::Ludts] {
            for (seg, importance) in [(None, None), (Some(SEGMENT), None), (Some(SEGMENT), Some(4)), (None, Some(0))] {
                let octets = built(kind, seg, importance);
                let read = Unitdata::parse(&octets)?;
                assert_eq!((read.kind, read.class), (kind, 0x81));
                assert_eq!((read.called, read.calling, read.data), (&CALLED[..], &CALLING[..], &b"data"[..]));
                let optional = kind.pointers() == 4;
                assert_eq!(read.hop, optional.then_some(14));
                assert_eq!(read.segmentation, seg.filter(|_| optional));
                assert_eq!(read.importance, importance.filter(|_| optional));
            }
        }
        Ok(())
    }

    #[test]
    fn the_usual_form_reads_as_any_other() {
        let good = built(Kind::Udt, None, None);
        assert!(Unitdata::usual(&good).is_some());
        for at in 0..good.len() {
            for octet in 0..=u8::MAX {
                let mut changed = good.clone();
                changed[at] = octet;
                assert_eq!(Unitdata::parse(&changed), Unitdata::any(&changed), "octet {at} set to {octet}");
            }
            assert_eq!(Unitdata::parse(&good[..at]), Unitdata::any(&good[..at]), "cut to {at}");
        }
    }

    /// UDT: 0 type, 1 class, 2..5 pointers, 5 called, 17 calling, 29 data, 34 end.
    #[test]
    fn each_check_of_udt_is_earned_by_one_octet() {
        let good = built(Kind::Udt, None, None);
        assert_eq!(good[2..6], [3, 14, 25, 11]);
        for (at, octet, want) in [
            (0, 0x01, Reason::SccpType.at(0)),    // connection request
            (2, 0, Reason::SccpPointer.at(2)),    // leads to itself
            (2, 2, Reason::SccpPointer.at(2)),    // into the fixed part
            (2, 0xff, Reason::SccpPointer.at(2)), // outside
            (3, 3, Reason::SccpPointer.at(3)),    // into the called address
            (4, 24, Reason::SccpPointer.at(4)),   // into the calling address
            (5, 12, Reason::SccpPointer.at(3)),   // called runs into calling
            (29, 5, Reason::SccpPointer.at(4)),   // data runs out of the message
        ] {
            let mut bad = good.clone();
            bad[at] = octet;
            assert_eq!(Unitdata::parse(&bad), Err(want), "octet {at} set to {octet:#x}");
        }
        assert_eq!(Unitdata::parse(&good[..4]), Err(Reason::SccpTruncated.at(4)));
        assert_eq!(Unitdata::parse(&[]), Err(Reason::SccpTruncated.at(0)));
    }

    /// XUDT: 2 hop, 3..7 pointers, 7 called, 19 calling, 31 data, 36 segmentation, 42 importance, 45 end octet.
    #[test]
    fn each_check_of_the_optional_part_is_earned_by_one_octet() {
        let good = built(Kind::Xudt, Some(SEGMENT), Some(4));
        assert_eq!(good[36..], [0x10, 4, 0xc2, 1, 2, 3, 0x12, 1, 4, 0]);
        for (at, octet, want) in [
            (2, 0, Reason::SccpHopCounter.at(2)),
            (6, 40, Reason::SccpPointer.at(6)),      // outside
            (6, 27, Reason::SccpOptParam.at(33)),    // into the data: "at" is no parameter
            (37, 3, Reason::SccpOptParam.at(36)),    // segmentation has four octets
            (42, 0x10, Reason::SccpOptParam.at(42)), // segmentation twice
            (43, 2, Reason::SccpOptParam.at(42)),    // importance has one
            (43, 9, Reason::SccpOptParam.at(42)),    // cut
        ] {
            let mut bad = good.clone();
            bad[at] = octet;
            assert_eq!(Unitdata::parse(&bad), Err(want), "octet {at} set to {octet:#x}");
        }
        let whole = Unitdata::parse(&good[..45]).map(|read| read.options.len());
        assert_eq!(whole, Ok(9), "a missing end octet leaves no doubt");
    }

    #[test]
    fn long_pointers_are_little_endian() {
        let good = built(Kind::Ludt, None, None);
        assert_eq!(good[3..11], [7, 0, 17, 0, 27, 0, 0, 0]);
        for (at, octet, want) in [(3, 6, 3), (4, 1, 3), (5, 16, 5), (8, 1, 7), (9, 99, 9), (35, 5, 7), (36, 1, 7)] {
            let mut bad = good.clone();
            bad[at] = octet;
            assert_eq!(Unitdata::parse(&bad), Err(Reason::SccpPointer.at(want)), "octet {at} set to {octet:#x}");
        }
    }

    #[test]
    fn what_does_not_fit_is_not_written() {
        let mut out = vec![7];
        for (kind, fits) in [(Kind::Udt, 255), (Kind::Xudt, 255), (Kind::Ludt, 65535)] {
            for (len, want) in [(fits, Ok(())), (fits + 1, Err(TooLong))] {
                out.truncate(1);
                let got = emit(kind, 0, None, &CALLED, &CALLING, &vec![0; len], None, None, &mut out);
                assert_eq!(got, want, "{kind:?} {len}");
                assert!(want.is_ok() || out == [7]);
            }
        }
        assert_eq!(emit(Kind::Udt, 0, None, &[0; 250], &CALLING, b"", None, None, &mut out), Err(TooLong));
    }

    proptest! {
        #[test]
        fn no_octets_panic(octets in vec(any::<u8>(), 0..96)) { crate::fuzzing::upper::sccp(&octets); }

        #[test]
        fn no_octet_of_a_message_panics(at in 0_usize..46, octet: u8, kind in 0_usize..3) {
            let mut octets = built([Kind::Udt, Kind::Xudt, Kind::Ludt][kind], Some(SEGMENT), Some(1));
            let at = at % octets.len();
            octets[at] = octet;
            crate::fuzzing::upper::sccp(&octets);
        }
    }
}
