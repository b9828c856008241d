//! DATA chunks (RFC 9260 §3.3.1).

use super::{CHUNK_HEADER_LEN, Chunk, ChunkKind, emit_chunk};
use crate::Refusal;

/// Octets of a DATA chunk before the user data, chunk header included.
pub const DATA_HEADER_LEN: usize = 16;
/// The most user data that one chunk holds.
pub const MAX_USER: usize = 0xffff - DATA_HEADER_LEN;

const FIXED_LEN: usize = DATA_HEADER_LEN - CHUNK_HEADER_LEN;
const END: u8 = 1;
const BEGIN: u8 = 2;
const UNORDERED: u8 = 4;
const IMMEDIATE: u8 = super::FLAG_I;

/// The values of a DATA chunk: a whole user message where `begin` and `end` are set, else a fragment of one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Data<'a> {
    /// First fragment of its message.
    pub begin: bool,
    /// Last fragment of its message.
    pub end: bool,
    /// Delivered out of order; `ssn` says nothing then.
    pub unordered: bool,
    /// Wants its acknowledgement at once (RFC 7053).
    pub immediate: bool,
    /// Transmission sequence number, modulo 2^32.
    pub tsn: u32,
    /// Stream.
    pub stream: u16,
    /// Stream sequence number, modulo 2^16: one for all fragments of a message.
    pub ssn: u16,
    /// Payload protocol identifier: 3 is M3UA.
    pub ppid: u32,
    /// At least one octet.
    pub user: &'a [u8],
}

impl<'a> Data<'a> {
    /// Reads a DATA chunk.
    /// # Errors
    /// [`Reason::SctpChunkType`](crate::Reason::SctpChunkType) if it is another chunk;
    /// [`Reason::SctpChunkLen`](crate::Reason::SctpChunkLen) if it is cut or has no user data, which a receiver
    /// answers by an ABORT (RFC 9260 §6.2).
    #[inline]
    pub fn parse(chunk: &Chunk<'a>) -> Result<Self, Refusal> {
        if chunk.kind != ChunkKind::DATA {
            return Err(chunk.bad_kind());
        }
        let (&[t0, t1, t2, t3, i0, i1, n0, n1, p0, p1, p2, p3], user) =
            chunk.value.split_first_chunk::<FIXED_LEN>().ok_or(chunk.bad_length())?;
        if user.is_empty() {
            return Err(chunk.bad_length());
        }
        Ok(Self {
            begin: chunk.flags & BEGIN != 0,
            end: chunk.flags & END != 0,
            unordered: chunk.flags & UNORDERED != 0,
            immediate: chunk.flags & IMMEDIATE != 0,
            tsn: u32::from_be_bytes([t0, t1, t2, t3]),
            stream: u16::from_be_bytes([i0, i1]),
            ssn: u16::from_be_bytes([n0, n1]),
            ppid: u32::from_be_bytes([p0, p1, p2, p3]),
            user,
        })
    }

    /// The flags octet; reserved bits are zero.
    #[inline]
    pub const fn flags(&self) -> u8 {
        (self.end as u8 * END)
            | (self.begin as u8 * BEGIN)
            | (self.unordered as u8 * UNORDERED)
            | (self.immediate as u8 * IMMEDIATE)
    }

    /// True if the chunk holds a whole user message.
    #[inline]
    pub const fn is_whole(&self) -> bool {
        self.begin && self.end
    }
}

/// Appends a DATA chunk with its padding.
///
/// `false`, and nothing appended, if `user` is empty or longer than [`MAX_USER`]: no receiver takes such a chunk.
#[inline]
pub fn emit_data(data: &Data<'_>, out: &mut Vec<u8>) -> bool {
    if data.user.is_empty() {
        return false;
    }
    let [t0, t1, t2, t3] = data.tsn.to_be_bytes();
    let ([i0, i1], [n0, n1]) = (data.stream.to_be_bytes(), data.ssn.to_be_bytes());
    let [p0, p1, p2, p3] = data.ppid.to_be_bytes();
    let fixed = [t0, t1, t2, t3, i0, i1, n0, n1, p0, p1, p2, p3];
    emit_chunk(ChunkKind::DATA, data.flags(), &[&fixed, data.user], out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Reason;

    const VALUE: [u8; 13] = [0, 0, 3, 0xe8, 0, 1, 0, 5, 0, 0, 0, 3, 0xaa];

    fn chunk(flags: u8, value: &[u8]) -> Chunk<'_> {
        Chunk { kind: ChunkKind::DATA, flags, offset: 28, value }
    }

    #[test]
    fn data_reads_field_by_field_and_writes_back() -> Result<(), Refusal> {
        for flags in 0..16 {
            let data = Data::parse(&chunk(flags, &VALUE))?;
            assert_eq!((data.tsn, data.stream, data.ssn, data.ppid, data.user), (1000, 1, 5, 3, &[0xaa][..]));
            assert_eq!((data.end, data.begin), (flags & 1 != 0, flags & 2 != 0));
            assert_eq!((data.unordered, data.immediate), (flags & 4 != 0, flags & 8 != 0));
            assert_eq!(data.is_whole(), flags & 3 == 3);
            let mut out = Vec::new();
            assert!(emit_data(&data, &mut out));
            assert_eq!(out, [&[0, flags, 0, 17][..], &VALUE, &[0; 3]].concat());
        }
        Ok(())
    }

    #[test]
    fn empty_user_data_is_illegal_both_ways() {
        for n in 0..13 {
            assert_eq!(Data::parse(&chunk(3, &VALUE[..n])), Err(Reason::SctpChunkLen.at(30)), "cut to {n}");
        }
        let sack = Chunk { kind: ChunkKind::SACK, ..chunk(3, &VALUE) };
        assert_eq!(Data::parse(&sack), Err(Reason::SctpChunkType.at(28)));
        let Ok(data) = Data::parse(&chunk(3, &VALUE)) else { panic!() };
        let mut out = Vec::new();
        assert!(!emit_data(&Data { user: &[], ..data }, &mut out));
        assert!(!emit_data(&Data { user: &[0; MAX_USER + 1], ..data }, &mut out));
        assert!(out.is_empty());
        assert!(emit_data(&Data { user: &[0; MAX_USER], ..data }, &mut out));
    }
}
