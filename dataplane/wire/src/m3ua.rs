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
#[derive(Default)]
struct Found<'a> {
    network_appearance: Option<u32>,
    routing_context: Option<u32>,
    correlation: Option<u32>,
    protocol_data: Option<Param<'a>>,
}

impl<'a> Found<'a> {
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
        let (mut found, mut others) = (Found::default(), Tags::default());
        for param in view.params() {
            let param = param.map_err(|Cut(at)| Reason::M3uaParam.at(at))?;
            found.take(param, &mut others).ok_or(Reason::M3uaParam.at(param.at))?;
        }
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
