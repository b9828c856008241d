//! M3UA (RFC 4666): a view of any message, the values of a DATA message, and the filler that replaces a refused one.

use crate::addr::PointCode;
use crate::cursor::{Cut, Param, Params, emit_param, pad, padded};
use crate::{Reason, Refusal};

/// SCTP payload protocol identifier of M3UA (RFC 4666 §7.1).
pub const PPID: u32 = 3;
/// Class and type of a DATA message (RFC 4666 §3.1.2).
pub const DATA: (u8, u8) = (1, 1);
/// Octets of the common header.
pub const HEADER_LEN: usize = 8;
/// The longest user part that a Protocol Data parameter holds.
pub const MAX_USER: usize = 0xffff - 4 - LABEL_LEN;

/// A Heartbeat Ack without parameters. Nobody waits for it, so its receiver throws it away (formats 3).
pub const BEAT_ACK: [u8; 8] = [1, 0, 3, 6, 0, 0, 0, 8];

const TAG_ROUTING_CONTEXT: u16 = 0x0006;
const TAG_HEARTBEAT_DATA: u16 = 0x0009;
const TAG_CORRELATION_ID: u16 = 0x0013;
const TAG_NETWORK_APPEARANCE: u16 = 0x0200;
const TAG_PROTOCOL_DATA: u16 = 0x0210;

/// Octets before the user part inside Protocol Data: OPC, DPC, SI, NI, MP, SLS.
const LABEL_LEN: usize = 12;
/// A DATA message has four known parameters. The bound keeps the search for repeated ones short.
const MAX_PARAMS: usize = 16;
/// ITU-T point codes have 14 bits (Q.704 §2.2).
const MAX_POINT_CODE: u32 = 0x3fff;
/// The longest value of a parameter that needs no padding: 65532 octets with its header.
const MAX_VALUE: usize = 0xffff - 3 - 4;

/// One M3UA message, read in place (RFC 4666 §3.1).
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
    /// [`Reason::M3uaLength`] if the header is cut or its length is not that of `user`, [`Reason::M3uaVersion`].
    #[inline]
    pub fn new(user: &'a [u8]) -> Result<Self, Refusal> {
        let (hdr, params) = user.split_first_chunk().ok_or(Reason::M3uaLength.at(user.len()))?;
        if hdr[0] != 1 {
            return Err(Reason::M3uaVersion.at(0));
        }
        let view = Self { hdr, params };
        if view.len() != user.len() {
            return Err(Reason::M3uaLength.at(4)); // too short and too long alike
        }
        Ok(view)
    }

    /// Class and type (RFC 4666 §3.1.2): [`DATA`], or management, ASP state, routing key management.
    #[inline]
    pub const fn kind(&self) -> (u8, u8) {
        (self.hdr[2], self.hdr[3])
    }

    /// True for a message that carries an MTP3 user part.
    #[inline]
    pub fn is_data(&self) -> bool {
        self.kind() == DATA
    }

    /// Octets of the whole message.
    #[inline]
    fn len(&self) -> usize {
        let &[_, _, _, _, l0, l1, l2, l3] = self.hdr;
        usize::try_from(u32::from_be_bytes([l0, l1, l2, l3])).unwrap_or(usize::MAX)
    }

    /// Walks the parameters in message order; `at` counts from the first octet of the message.
    #[inline]
    pub fn params(&self) -> Params<'a> {
        Params::new(self.params, HEADER_LEN)
    }
}

/// A DATA message whose values are proven (RFC 4666 §3.3.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Data<'a> {
    /// Network that the point codes belong to.
    pub network_appearance: Option<u32>,
    /// Traffic that the association was registered for.
    pub routing_context: Option<u32>,
    /// Number of this message, for a change of association without loss.
    pub correlation: Option<u32>,
    /// Originating point code, 14 bits.
    pub opc: PointCode,
    /// Destination point code, 14 bits.
    pub dpc: PointCode,
    /// Service indicator: 3 is SCCP, 5 is ISUP.
    pub si: u8,
    /// Network indicator: 0 international, 1 spare, 2 national, 3 reserved.
    pub ni: u8,
    /// Message priority.
    pub mp: u8,
    /// Signalling link selection.
    pub sls: u8,
    /// The MTP3 user part.
    pub user: &'a [u8],
}

/// What a walk over the parameters of a DATA message finds.
#[derive(Default, PartialEq, Eq, Debug)]
struct Found<'a> {
    network_appearance: Option<u32>,
    routing_context: Option<u32>,
    correlation: Option<u32>,
    protocol_data: Option<Param<'a>>,
}

impl<'a> Found<'a> {
    /// What nearly every message has: a routing context or none, then Protocol Data. `None` says nothing about a message.
    #[inline(always)]
    fn usual(params: &'a [u8]) -> Option<Self> {
        const ROUTING_CONTEXT: [u8; 4] = [0, TAG_ROUTING_CONTEXT as u8, 0, 8];
        const PROTOCOL_DATA: [u8; 2] = TAG_PROTOCOL_DATA.to_be_bytes();
        let (mut routing_context, mut data) = (None, params);
        if let Some((&[a, b, c, d, value @ ..], behind)) = params.split_first_chunk::<8>()
            && [a, b, c, d] == ROUTING_CONTEXT
        {
            (routing_context, data) = (Some(u32::from_be_bytes(value)), behind);
        }
        let (&[a, b, l0, l1], behind) = data.split_first_chunk()?;
        let (value, padding) = behind.split_at_checked(usize::from(u16::from_be_bytes([l0, l1])).checked_sub(4)?)?;
        let at = HEADER_LEN + params.len() - data.len();
        ([a, b] == PROTOCOL_DATA && padding.len() < 4 && padding.len() <= padded(value.len()) - value.len()).then_some(
            Self {
                routing_context,
                protocol_data: Some(Param { tag: TAG_PROTOCOL_DATA, at, value }),
                ..Self::default()
            },
        )
    }

    /// What any message has.
    fn any(view: View<'a>) -> Result<Self, Refusal> {
        let (mut found, mut others) = (Self::default(), Tags::default());
        for param in view.params() {
            let param = param.map_err(|Cut(at)| Reason::M3uaParam.at(at))?;
            found.take(param, &mut others).ok_or(Reason::M3uaParam.at(param.at))?;
        }
        Ok(found)
    }

    /// Takes one parameter; `None` if its tag was seen before or its value has the wrong length.
    #[inline]
    fn take(&mut self, param: Param<'a>, others: &mut Tags) -> Option<()> {
        let slot = match param.tag {
            TAG_PROTOCOL_DATA => {
                return self.protocol_data.replace(param).is_none().then_some(());
            }
            TAG_ROUTING_CONTEXT => &mut self.routing_context,
            TAG_NETWORK_APPEARANCE => &mut self.network_appearance,
            TAG_CORRELATION_ID => &mut self.correlation,
            other => return others.insert(other),
        };
        let value = u32::from_be_bytes(param.value.try_into().ok()?);
        slot.replace(value).is_none().then_some(())
    }
}

/// Tags that nobody here knows, to see a repeated one.
#[derive(Default)]
struct Tags {
    seen: [u16; MAX_PARAMS],
    len: usize,
}

impl Tags {
    /// `None` if `tag` is there already, or no more fit.
    fn insert(&mut self, tag: u16) -> Option<()> {
        let (seen, free) = self.seen.split_at_mut_checked(self.len)?;
        if seen.contains(&tag) {
            return None;
        }
        *free.first_mut()? = tag;
        self.len += 1;
        Some(())
    }
}

impl<'a> Data<'a> {
    /// Reads a DATA message: Protocol Data once, the other known parameters at most once and four octets long.
    ///
    /// Parameters of other tags are passed over, at most 16 of them and none twice; [`rebuild`] keeps them.
    /// # Errors
    /// [`Reason::M3uaClass`] if it is another message; [`Reason::M3uaParam`] on a parameter that is missing, repeated,
    /// cut or of the wrong length; [`Reason::Mtp3Opc`] and [`Reason::Mtp3Dpc`] on a point code above 14 bits, where
    /// `at` counts from the first octet of the OPC.
    #[inline]
    pub fn parse(view: View<'a>) -> Result<Self, Refusal> {
        if !view.is_data() {
            return Err(Reason::M3uaClass.at(2));
        }
        let found = match Found::usual(view.params) {
            Some(found) => found,
            None => Found::any(view)?,
        };
        let protocol_data = found.protocol_data.ok_or(Reason::M3uaParam.at(view.len()))?;
        let (label, user) = protocol_data
            .value
            .split_first_chunk::<LABEL_LEN>()
            .ok_or(Reason::M3uaParam.at(protocol_data.length_at()))?;
        let &[o0, o1, o2, o3, d0, d1, d2, d3, si, ni, mp, sls] = label;
        let opc = u32::from_be_bytes([o0, o1, o2, o3]);
        let dpc = u32::from_be_bytes([d0, d1, d2, d3]);
        if opc > MAX_POINT_CODE {
            return Err(Reason::Mtp3Opc.at(0));
        }
        if dpc > MAX_POINT_CODE {
            return Err(Reason::Mtp3Dpc.at(4));
        }
        Ok(Self {
            network_appearance: found.network_appearance,
            routing_context: found.routing_context,
            correlation: found.correlation,
            opc: PointCode(opc),
            dpc: PointCode(dpc),
            si,
            ni,
            mp,
            sls,
            user,
        })
    }

    /// Appends the message: what [`Data::parse`] reads, this writes back, parameters in the order of RFC 4666 §3.3.1.
    ///
    /// `false`, and nothing appended, if the user part is longer than [`MAX_USER`].
    pub fn emit(&self, out: &mut Vec<u8>) -> bool {
        if self.user.len() > MAX_USER {
            return false;
        }
        let start = begin(DATA, out);
        let known = [(TAG_NETWORK_APPEARANCE, self.network_appearance), (TAG_ROUTING_CONTEXT, self.routing_context)];
        for (tag, value) in known {
            if let Some(value) = value {
                emit_param(tag, &value.to_be_bytes(), out);
            }
        }
        let (opc, dpc) = (self.opc.0.to_be_bytes(), self.dpc.0.to_be_bytes());
        let mut label = [0; LABEL_LEN];
        for (to, from) in label.iter_mut().zip(opc.into_iter().chain(dpc).chain([self.si, self.ni, self.mp, self.sls]))
        {
            *to = from;
        }
        emit_protocol_data(&label, self.user, out);
        if let Some(value) = self.correlation {
            emit_param(TAG_CORRELATION_ID, &value.to_be_bytes(), out);
        }
        finish(start, out);
        true
    }
}

/// Appends a common header without its length; gives the place of its first octet to [`finish`].
fn begin((class, kind): (u8, u8), out: &mut Vec<u8>) -> usize {
    let start = out.len();
    out.extend_from_slice(&[1, 0, class, kind, 0, 0, 0, 0]);
    start
}

/// Writes the length of the message that begins at `start` and ends with `out`.
fn finish(start: usize, out: &mut [u8]) {
    let Some(message) = out.get_mut(start..) else { return };
    let len = message.len() as u32;
    if let Some(hdr) = message.first_chunk_mut::<HEADER_LEN>() {
        [hdr[4], hdr[5], hdr[6], hdr[7]] = len.to_be_bytes();
    }
}

/// Appends Protocol Data; the caller has looked at the length.
#[inline]
fn emit_protocol_data(label: &[u8], user: &[u8], out: &mut Vec<u8>) {
    let len = 4 + label.len() + user.len();
    out.extend_from_slice(&TAG_PROTOCOL_DATA.to_be_bytes());
    out.extend_from_slice(&(len as u16).to_be_bytes());
    out.extend_from_slice(label);
    out.extend_from_slice(user);
    pad(len, out);
}

/// Appends an M3UA DATA message with another user part.
///
/// Every other parameter, known or not, stays as it came and in its order; lengths and padding are made again.
/// `false`, and nothing appended, if `original` is not a DATA message that [`Data::parse`] reads, or `user` is longer
/// than [`MAX_USER`].
pub fn rebuild(original: &[u8], user: &[u8], out: &mut Vec<u8>) -> bool {
    let Ok(view) = View::new(original) else { return false };
    if user.len() > MAX_USER || Data::parse(view).is_err() {
        return false;
    }
    let start = begin(DATA, out);
    for param in view.params().flatten() {
        match param.value.split_at_checked(LABEL_LEN) {
            Some((label, _)) if param.tag == TAG_PROTOCOL_DATA => emit_protocol_data(label, user, out),
            _ => {
                emit_param(param.tag, param.value, out);
            }
        }
    }
    finish(start, out);
    true
}

/// Octets of the filler for a message of `total_len` octets: the same number, where such a message can exist.
///
/// A Heartbeat Ack has 8 octets, or 12 and more with a Heartbeat Data parameter, and a message length counts the
/// padding of its last parameter (RFC 4666 §3.1.4): a multiple of four. So a malformed length grows to the next one
/// that exists, never shrinks: laid over the same chunks, each of them keeps at least one octet. Where all chunks but
/// the last are whole words, as senders cut them, that growth only takes the place of the last chunk's padding.
#[inline]
pub const fn beat_ack_len(total_len: usize) -> usize {
    let len = padded(total_len);
    if len < HEADER_LEN { HEADER_LEN } else { len }
}

/// Appends the filler for a refused message of `total_len` octets, [`beat_ack_len`] octets long.
///
/// A Heartbeat Ack that nobody waits for: alone, or with Heartbeat Data of zeros (formats 3).
pub fn emit_beat_ack(total_len: usize, out: &mut Vec<u8>) {
    let end = out.len() + beat_ack_len(total_len);
    let start = begin((3, 6), out);
    // One parameter holds less than 64 KiB; a longer message, which no hold limit allows, takes another.
    while let Some(value_len) = (end - out.len()).checked_sub(4) {
        let value_len = value_len.min(MAX_VALUE);
        out.extend_from_slice(&TAG_HEARTBEAT_DATA.to_be_bytes());
        out.extend_from_slice(&(4 + value_len as u16).to_be_bytes());
        out.resize(out.len() + value_len, 0);
    }
    finish(start, out);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    /// UDT to SSN 6 (HLR) from SSN 8 (MSC). tshark 4.0.17 reads the same fields.
    #[rustfmt::skip]
    const UDT: [u8; 48] = [
        0x01, 0x00, 0x01, 0x01, 0x00, 0x00, 0x00, 0x30, 0x00, 0x06, 0x00, 0x08, 0x00, 0x00, 0x00, 0x64,
        0x02, 0x10, 0x00, 0x20, 0x00, 0x00, 0x02, 0x9a, 0x00, 0x00, 0x01, 0x4d, 0x03, 0x02, 0x00, 0x05,
        0x09, 0x00, 0x03, 0x05, 0x07, 0x02, 0x42, 0x06, 0x02, 0x42, 0x08, 0x04, 0xde, 0xad, 0xbe, 0xef];

    fn parse(user: &[u8]) -> Result<Data<'_>, Refusal> {
        View::new(user).and_then(Data::parse)
    }

    /// A DATA message of these parameters.
    fn message(params: &[(u16, &[u8])]) -> Vec<u8> {
        let mut out = Vec::new();
        let start = begin(DATA, &mut out);
        for (tag, value) in params {
            assert!(emit_param(*tag, value, &mut out));
        }
        finish(start, &mut out);
        out
    }

    #[test]
    fn data_reads_field_by_field() -> Result<(), Refusal> {
        let view = View::new(&UDT)?;
        assert_eq!((view.kind(), view.is_data()), (DATA, true));
        let data = Data::parse(view)?;
        assert_eq!((data.opc, data.dpc, data.routing_context), (PointCode(666), PointCode(333), Some(100)));
        assert_eq!((data.si, data.ni, data.mp, data.sls), (3, 2, 0, 5));
        assert_eq!((data.network_appearance, data.correlation), (None, None));
        assert_eq!(data.user, &UDT[32..]);
        Ok(())
    }

    #[test]
    fn each_check_is_earned_by_one_octet() {
        for (at, octet, want) in [
            (0, 0, Reason::M3uaVersion.at(0)),
            (0, 2, Reason::M3uaVersion.at(0)),
            (7, 7, Reason::M3uaLength.at(4)),
            (7, 0x2f, Reason::M3uaLength.at(4)),
            (7, 0x31, Reason::M3uaLength.at(4)),
            (4, 1, Reason::M3uaLength.at(4)),
            (2, 2, Reason::M3uaClass.at(2)),
            (3, 2, Reason::M3uaClass.at(2)),
            (11, 3, Reason::M3uaParam.at(10)),
            (11, 7, Reason::M3uaParam.at(8)),
            (11, 12, Reason::M3uaParam.at(8)),
            (16, 3, Reason::M3uaParam.at(48)),
            (19, 3, Reason::M3uaParam.at(18)),
            (19, 15, Reason::M3uaParam.at(34)), // what follows now is no parameter
            (19, 0x21, Reason::M3uaParam.at(18)),
            (20, 1, Reason::Mtp3Opc.at(0)),
            (22, 0x40, Reason::Mtp3Opc.at(0)),
            (24, 1, Reason::Mtp3Dpc.at(4)),
            (26, 0x40, Reason::Mtp3Dpc.at(4)),
        ] {
            let mut bad = UDT;
            bad[at] = octet;
            assert_eq!(parse(&bad), Err(want), "octet {at} set to {octet}");
        }
        for n in 0..8 {
            assert_eq!(View::new(&UDT[..n]), Err(Reason::M3uaLength.at(n)));
        }
    }

    #[test]
    fn the_usual_form_reads_as_any_other() -> Result<(), Refusal> {
        let bare = message(&[(0x210, &UDT[20..45])]);
        for octets in [&UDT[..], &bare] {
            assert!(Found::usual(View::new(octets)?.params).is_some());
            for (at, octet) in (8..octets.len()).flat_map(|at| (0..=u8::MAX).map(move |octet| (at, octet))) {
                let mut changed = octets.to_vec();
                changed[at] = octet;
                let view = View::new(&changed)?;
                let usual = Found::usual(view.params);
                assert!(usual.is_none() || usual == Found::any(view).ok(), "octet {at} set to {octet}");
            }
        }
        // Padding is never more than up to the next multiple of four.
        let long = [&[2, 0x10, 0, 17][..], &[0; 16]].concat();
        assert_eq!(Found::usual(&long).map(|_| ()), Some(()));
        assert_eq!(Found::usual(&[&long[..], &[0]].concat()).map(|_| ()), None);
        Ok(())
    }

    #[test]
    fn known_parameters_come_once_and_have_their_length() {
        let label: &[u8] = &UDT[20..34];
        let good = message(&[(0x200, &[0, 0, 0, 1]), (6, &[0, 0, 0, 2]), (0x210, label), (0x13, &[0, 0, 0, 3])]);
        let data = parse(&good);
        assert_eq!(
            data.map(|data| (data.network_appearance, data.routing_context, data.correlation)),
            Ok((Some(1), Some(2), Some(3)))
        );
        let mut out = Vec::new();
        assert!(data.is_ok_and(|data| data.emit(&mut out)));
        assert_eq!(out, good);
        for tag in [0x200, 6, 0x13] {
            for value in [&[0; 3][..], &[0; 5], &[0; 8], &[]] {
                let bad = message(&[(0x210, label), (tag, value)]);
                assert_eq!(parse(&bad), Err(Reason::M3uaParam.at(28)), "tag {tag:#x}, {} octets", value.len());
            }
            let twice = message(&[(tag, &[0; 4]), (tag, &[0; 4]), (0x210, label)]);
            assert_eq!(parse(&twice), Err(Reason::M3uaParam.at(16)), "tag {tag:#x} twice");
        }
        assert_eq!(parse(&message(&[(0x210, label), (0x210, label)])), Err(Reason::M3uaParam.at(28)));
        assert_eq!(parse(&message(&[(0x210, &label[..11])])), Err(Reason::M3uaParam.at(10)));
        assert!(parse(&message(&[(0x210, &label[..12])])).is_ok_and(|data| data.user.is_empty()));
    }

    #[test]
    fn unknown_parameters_are_kept_but_not_twice_and_not_many() {
        let label: &[u8] = &UDT[20..33];
        let odd = message(&[(0x99, b"odd"), (0x210, label), (6, &[0, 0, 0, 2])]);
        let mut out = Vec::new();
        assert!(rebuild(&odd, b"another user", &mut out));
        let want = message(&[(0x99, b"odd"), (0x210, &[&label[..12], b"another user"].concat()), (6, &[0, 0, 0, 2])]);
        assert_eq!(out, want);
        let twice = message(&[(0x99, b"odd"), (0x210, label), (0x99, b"odd")]);
        assert_eq!(parse(&twice), Err(Reason::M3uaParam.at(16 + 20)));
        let mut many: Vec<(u16, &[u8])> = (0x300..0x310).map(|tag| (tag, &[][..])).collect();
        many.push((0x210, label));
        assert!(parse(&message(&many)).is_ok(), "16 unknown parameters");
        many.push((0x310, &[]));
        assert_eq!(parse(&message(&many)), Err(Reason::M3uaParam.at(8 + 16 * 4 + 20)));
    }

    #[test]
    fn padding_of_the_last_parameter_may_be_missing() {
        let mut short = message(&[(0x210, &UDT[20..33])]);
        short.truncate(8 + 4 + 13);
        assert_eq!(parse(&short), Err(Reason::M3uaLength.at(4)), "its length still counts the padding");
        short[7] = 25;
        assert_eq!(parse(&short).map(|data| data.user), Ok(&UDT[32..33]));
        let mut out = Vec::new();
        assert!(rebuild(&short, b"12", &mut out));
        assert_eq!(out.len() % 4, 0, "what we write has its padding");
    }

    #[test]
    fn what_does_not_fit_is_not_written() -> Result<(), Refusal> {
        let long = vec![0; MAX_USER + 1];
        let data = parse(&UDT)?;
        let mut out = vec![7];
        assert!(!Data { user: &long, ..data }.emit(&mut out));
        assert!(!rebuild(&UDT, &long, &mut out));
        assert!(!rebuild(&BEAT_ACK, b"user", &mut out));
        assert!(!rebuild(&UDT[..40], b"user", &mut out));
        assert_eq!(out, [7]);
        let mut out = Vec::new();
        assert!(Data { user: &long[1..], ..data }.emit(&mut out));
        assert_eq!(parse(&out).map(|data| data.user.len()), Ok(MAX_USER));
        Ok(())
    }

    #[test]
    fn a_filler_is_as_long_as_what_it_replaces() -> Result<(), Refusal> {
        for (len, want) in [(0, 8), (8, 8), (9, 12), (12, 12), (48, 48), (49, 52), (1452, 1452), (131_084, 131_084)] {
            let mut out = vec![7];
            emit_beat_ack(len, &mut out);
            let ack = View::new(&out[1..])?;
            assert_eq!((ack.kind(), out.len() - 1, beat_ack_len(len)), ((3, 6), want, want));
            assert!(ack.params().all(|param| param.is_ok_and(|p| p.tag == 9 && p.value.iter().all(|&o| o == 0))));
            assert_eq!(Data::parse(ack), Err(Reason::M3uaClass.at(2)));
        }
        let mut out = Vec::new();
        emit_beat_ack(8, &mut out);
        assert_eq!(out, BEAT_ACK);
        Ok(())
    }

    proptest! {
        #[test]
        fn no_octets_panic(octets in vec(any::<u8>(), 0..128)) { crate::fuzzing::lower::m3ua(&octets); }

        #[test]
        fn messages_of_any_parameters_write_back(
            params in vec((0_usize..5, any::<u16>(), vec(any::<u8>(), 0..20)), 0..5), label: [u8; 12],
        ) {
            let mut label = label;
            label[..2].fill(0);
            label[4..6].fill(0);
            label[2] &= 0x3f;
            label[6] &= 0x3f;
            let params: Vec<(u16, &[u8])> = params.iter().map(|(which, other, value)| {
                let tag = [0x200, 6, 0x13, *other, *other][*which];
                (tag, if *which < 3 && value.len() > 4 { &value[..4] } else { value })
            }).chain([(0x210, &label[..])]).collect();
            crate::fuzzing::lower::m3ua(&message(&params));
        }
    }
}
