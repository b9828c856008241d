//! SCTP packets and their chunks (RFC 9260), with the chunk types of RFC 3758, 4820, 4895, 5061, 6525 and 8260.
//!
//! [`Packet::parse`] walks all chunks once; what comes after cannot meet a wrong chunk length.

mod control;
mod crc;
mod data;

pub use control::{ForwardTsn, Init, Sack, emit_forward_tsn};
pub use crc::{crc32c, crc32c_append, packet_crc32c};
pub use data::{DATA_HEADER_LEN, Data, MAX_USER, emit_data};

pub use crate::cursor::padded;

use crate::cursor::{Reader, pad};
use crate::{Reason, Refusal};

/// Octets of the common header (RFC 9260 §3.1).
pub const HEADER_LEN: usize = 12;
/// Octets of a chunk before its value (RFC 9260 §3.2).
pub const CHUNK_HEADER_LEN: usize = 4;
/// Flag of ABORT and SHUTDOWN COMPLETE: the verification tag is the sender's own (RFC 9260 §8.5.1).
pub const FLAG_T: u8 = 1;
/// Flag of DATA: its acknowledgement is wanted at once (RFC 7053).
pub const FLAG_I: u8 = 8;

/// The common header.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Header {
    /// From.
    pub source_port: u16,
    /// To.
    pub destination_port: u16,
    /// Verification tag: the one that the receiver gave in its INIT or INIT ACK; 0 with an INIT.
    pub vtag: u32,
    /// As [`crc32c`] returns it: the wire has it little-endian.
    pub checksum: u32,
}

impl Header {
    /// Reads the header alone: enough for the checksum, which is looked at before the chunks (formats 2).
    /// # Errors
    /// [`Reason::SctpChunkLen`] if it is cut; `at` is the number of octets there are.
    #[inline]
    pub fn parse(octets: &[u8]) -> Result<Self, Refusal> {
        let cut = Reason::SctpChunkLen.at(octets.len());
        let (&[s0, s1, d0, d1, v0, v1, v2, v3, c0, c1, c2, c3], _) =
            octets.split_first_chunk::<HEADER_LEN>().ok_or(cut)?;
        Ok(Self {
            source_port: u16::from_be_bytes([s0, s1]),
            destination_port: u16::from_be_bytes([d0, d1]),
            vtag: u32::from_be_bytes([v0, v1, v2, v3]),
            checksum: u32::from_le_bytes([c0, c1, c2, c3]),
        })
    }
}

/// A packet whose chunk lengths are proven.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Packet<'a> {
    /// From.
    pub source_port: u16,
    /// To.
    pub destination_port: u16,
    /// Verification tag, see [`Header::vtag`].
    pub vtag: u32,
    /// As it came, not looked at; see [`Header::checksum`].
    pub checksum: u32,
    chunks: &'a [u8],
}

impl<'a> Packet<'a> {
    /// Reads the header and walks all chunks. The checksum is the caller's: [`packet_crc32c`], or a faster one.
    ///
    /// Padding may be missing at the very end of the packet. A packet without chunks is none of our business.
    /// # Errors
    /// [`Reason::SctpChunkLen`] on a header that is cut, or a chunk whose length is below 4 or beyond the packet.
    #[inline]
    pub fn parse(octets: &'a [u8]) -> Result<Self, Refusal> {
        let Header { source_port, destination_port, vtag, checksum } = Header::parse(octets)?;
        let chunks = octets.get(HEADER_LEN..).unwrap_or_default();
        let mut reader = Reader::new_at(chunks, HEADER_LEN);
        while !reader.is_empty() {
            Chunk::read(&mut reader).map_err(|at| Reason::SctpChunkLen.at(at))?;
        }
        Ok(Self { source_port, destination_port, vtag, checksum, chunks })
    }

    /// The common header.
    #[inline]
    pub const fn header(&self) -> Header {
        let &Self { source_port, destination_port, vtag, checksum, .. } = self;
        Header { source_port, destination_port, vtag, checksum }
    }

    /// The chunks in packet order.
    #[inline]
    pub fn chunks(&self) -> Chunks<'a> {
        Chunks(Reader::new_at(self.chunks, HEADER_LEN))
    }

    /// The chunks of a packet that [`Packet::parse`] has read before; of any other, those up to the first broken one.
    #[inline]
    pub fn chunks_again(octets: &'a [u8]) -> Chunks<'a> {
        Chunks(Reader::new_at(octets.get(HEADER_LEN..).unwrap_or_default(), HEADER_LEN))
    }
}

/// Iterator over the chunks of a [`Packet`]. A copy starts where the original stood.
#[derive(Clone, Copy, Debug)]
pub struct Chunks<'a>(Reader<'a>);

impl<'a> Iterator for Chunks<'a> {
    type Item = Chunk<'a>;

    #[inline]
    fn next(&mut self) -> Option<Chunk<'a>> {
        // Cannot fail but at the end: `Packet::parse` came to the end over the same octets.
        Chunk::read(&mut self.0).ok()
    }
}

/// One chunk, read in place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Chunk<'a> {
    /// What it is.
    pub kind: ChunkKind,
    /// Their meaning depends on `kind`.
    pub flags: u8,
    /// Octet of the SCTP packet where the chunk header begins.
    pub offset: usize,
    /// After the chunk header, without padding.
    pub value: &'a [u8],
}

impl<'a> Chunk<'a> {
    /// The next chunk, or the octet where it turned out to be cut.
    #[inline]
    fn read(reader: &mut Reader<'a>) -> Result<Self, usize> {
        let offset = reader.at();
        let &[kind, flags, l0, l1] = reader.array().ok_or(offset)?;
        let len = usize::from(u16::from_be_bytes([l0, l1]));
        let value = len.checked_sub(CHUNK_HEADER_LEN).and_then(|n| reader.take(n)).ok_or(offset + 2)?;
        let padding = (padded(len) - len).min(reader.len());
        reader.skip(padding).ok_or(offset + 2)?;
        Ok(Self { kind: ChunkKind(kind), flags, offset, value })
    }

    /// Octets with header and padding: its part of a packet in which another chunk follows.
    #[inline]
    pub const fn padded_len(&self) -> usize {
        padded(CHUNK_HEADER_LEN + self.value.len())
    }

    /// Appends the chunk as it came, with padding.
    ///
    /// `false`, and nothing appended, if the value is longer than 65531 octets, which no parsed one is.
    #[inline]
    pub fn emit(&self, out: &mut Vec<u8>) -> bool {
        emit_chunk(self.kind, self.flags, &[self.value], out)
    }

    /// Refuses the length of this chunk.
    #[inline]
    const fn bad_length(&self) -> Refusal {
        Reason::SctpChunkLen.at(self.offset + 2)
    }

    /// Refuses to read this chunk as one of another type.
    #[inline]
    const fn bad_kind(&self) -> Refusal {
        Reason::SctpChunkType.at(self.offset)
    }
}

/// A chunk type: an open space, so an unknown one stays itself (RFC 9260 §3.2 and the IANA registry).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ChunkKind(pub u8);

macro_rules! chunk_kinds {
    ($($name:ident = $value:literal, $doc:literal;)*) => {
        impl ChunkKind {
            $(#[doc = $doc] pub const $name: Self = Self($value);)*

            /// The name in the standard; `None` for a type that we do not know.
            pub const fn name(self) -> Option<&'static str> {
                match self {
                    $(Self::$name => Some(stringify!($name)),)*
                    _ => None,
                }
            }
        }
    };
}

chunk_kinds! {
    DATA = 0, "User data.";
    INIT = 1, "Opens an association.";
    INIT_ACK = 2, "Answers INIT.";
    SACK = 3, "Acknowledges DATA.";
    HEARTBEAT = 4, "Asks if a path works.";
    HEARTBEAT_ACK = 5, "Answers HEARTBEAT.";
    ABORT = 6, "Ends an association at once.";
    SHUTDOWN = 7, "Begins to end an association.";
    SHUTDOWN_ACK = 8, "Answers SHUTDOWN.";
    ERROR = 9, "Reports an error.";
    COOKIE_ECHO = 10, "Gives back the state cookie.";
    COOKIE_ACK = 11, "Answers COOKIE ECHO.";
    ECNE = 12, "Reports congestion (reserved).";
    CWR = 13, "Answers ECNE (reserved).";
    SHUTDOWN_COMPLETE = 14, "Answers SHUTDOWN ACK.";
    AUTH = 15, "Authenticates the chunks behind it (RFC 4895).";
    I_DATA = 64, "User data, interleaved (RFC 8260).";
    ASCONF_ACK = 128, "Answers ASCONF (RFC 5061).";
    RE_CONFIG = 130, "Changes streams (RFC 6525).";
    PAD = 132, "Padding (RFC 4820).";
    FORWARD_TSN = 192, "Skips DATA given up by its sender (RFC 3758).";
    ASCONF = 193, "Changes addresses (RFC 5061).";
    I_FORWARD_TSN = 194, "FORWARD TSN for I-DATA (RFC 8260).";
}

impl ChunkKind {
    /// True for the types named here.
    #[inline]
    pub const fn is_known(self) -> bool {
        self.name().is_some()
    }
}

/// Appends the common header with its checksum left zero for [`seal`].
#[inline]
pub fn emit_header(header: &Header, out: &mut Vec<u8>) {
    out.extend_from_slice(&header.source_port.to_be_bytes());
    out.extend_from_slice(&header.destination_port.to_be_bytes());
    out.extend_from_slice(&header.vtag.to_be_bytes());
    out.extend_from_slice(&[0; 4]);
}

/// Appends one chunk: the parts of its value after each other, then padding.
///
/// `false`, and nothing appended, if the value is longer than 65531 octets.
#[inline]
pub fn emit_chunk(kind: ChunkKind, flags: u8, value: &[&[u8]], out: &mut Vec<u8>) -> bool {
    let len = CHUNK_HEADER_LEN + value.iter().map(|part| part.len()).sum::<usize>();
    let Ok(wire_len) = u16::try_from(len) else { return false };
    let [l0, l1] = wire_len.to_be_bytes();
    out.extend_from_slice(&[kind.0, flags, l0, l1]);
    for part in value {
        out.extend_from_slice(part);
    }
    pad(len, out);
    true
}

/// Writes the checksum of a whole packet into its common header.
///
/// * `crc`: over the packet with zeros in the place of the checksum, see [`packet_crc32c`]
///
/// `false`, and nothing written, if there is no whole header.
#[inline]
pub fn seal(packet: &mut [u8], crc: u32) -> bool {
    let Some(head) = packet.first_chunk_mut::<HEADER_LEN>() else { return false };
    [head[8], head[9], head[10], head[11]] = crc.to_le_bytes();
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    /// A SACK before a DATA chunk of one octet whose padding is missing.
    const PACKET: [u8; 45] = [
        0x0b, 0x59, 0x0b, 0x5a, 0x5e, 0xa1, 0x9a, 0x7e, 0x78, 0x56, 0x34, 0x12, //
        3, 0, 0, 16, 0, 0, 3, 0xe7, 0, 1, 0, 0, 0, 0, 0, 0, //
        0, 3, 0, 17, 0, 0, 3, 0xe8, 0, 1, 0, 5, 0, 0, 0, 3, 0xaa,
    ];

    #[test]
    fn header_and_chunks_read_field_by_field() -> Result<(), Refusal> {
        let packet = Packet::parse(&PACKET)?;
        assert_eq!((packet.source_port, packet.destination_port), (2905, 2906));
        assert_eq!((packet.vtag, packet.checksum), (0x5ea1_9a7e, 0x1234_5678));
        assert_eq!(Header::parse(&PACKET), Ok(packet.header()));
        let chunks: Vec<_> = packet.chunks().collect();
        assert_eq!(chunks.len(), 2);
        assert_eq!((chunks[0].kind, chunks[0].offset, chunks[0].value), (ChunkKind::SACK, 12, &PACKET[16..28]));
        assert_eq!((chunks[1].kind, chunks[1].flags, chunks[1].offset), (ChunkKind::DATA, 3, 28));
        assert_eq!((chunks[1].value, chunks[1].padded_len()), (&PACKET[32..], 20));
        Ok(())
    }

    #[test]
    fn each_check_is_earned_by_one_octet() {
        for (at, octet, want) in [(15, 3, 14), (15, 0, 14), (14, 1, 14), (31, 18, 30), (31, 3, 30)] {
            let mut bad = PACKET;
            bad[at] = octet;
            let want = Reason::SctpChunkLen.at(want);
            assert_eq!(Packet::parse(&bad), Err(want), "octet {at} set to {octet}");
        }
        for (n, want) in [(0, 0), (11, 11), (13, 12), (15, 12), (16, 14), (27, 14), (31, 28), (44, 30)] {
            assert_eq!(Packet::parse(&PACKET[..n]), Err(Reason::SctpChunkLen.at(want)), "cut to {n}");
        }
        for n in [12, 28] {
            assert!(Packet::parse(&PACKET[..n]).is_ok(), "cut between chunks, at {n}");
        }
    }

    #[test]
    fn octets_behind_the_padding_are_a_chunk_or_a_fault() {
        let mut octets = PACKET.to_vec();
        octets.extend_from_slice(&[0; 3]);
        assert!(Packet::parse(&octets).is_ok_and(|packet| packet.chunks().count() == 2), "padding");
        octets.push(0);
        assert_eq!(Packet::parse(&octets), Err(Reason::SctpChunkLen.at(48)));
        octets.extend_from_slice(&[0, 0, 4]);
        assert!(Packet::parse(&octets).is_ok_and(|packet| packet.chunks().count() == 3));
    }

    #[test]
    fn known_kinds_have_names() {
        assert_eq!((0..=255).filter(|&kind| ChunkKind(kind).is_known()).count(), 23);
        assert_eq!(ChunkKind(193).name(), Some("ASCONF"));
        assert!(!ChunkKind(16).is_known());
    }

    #[test]
    fn what_does_not_fit_is_not_written() {
        let mut out = vec![7];
        assert!(!emit_chunk(ChunkKind::PAD, 0, &[&[0; 65532]], &mut out));
        assert!(!seal(&mut out, 1));
        assert_eq!(out, [7]);
    }

    proptest! {
        #[test]
        fn no_octets_panic(octets in vec(any::<u8>(), 0..64)) { crate::fuzzing::lower::sctp(&octets); }

        /// Random lengths seldom fit: here most chunks are well formed, so that what is inside them gets read.
        #[test]
        fn chunks_of_any_content_write_back(
            chunks in vec((0_u8..4, any::<u8>(), vec(any::<u8>(), 0..48)), 0..4), other in 0_u8..=255,
        ) {
            let mut out = Vec::new();
            emit_header(&Header::default(), &mut out);
            for (kind, flags, value) in &chunks {
                let kind = [ChunkKind::DATA, ChunkKind::INIT, ChunkKind::FORWARD_TSN, ChunkKind(other)][usize::from(*kind)];
                prop_assert!(emit_chunk(kind, *flags, &[value], &mut out));
            }
            crate::fuzzing::lower::sctp(&out);
        }
    }
}
