//! The control chunks that a gateway in the middle reads: INIT and INIT ACK for tags and abilities, SACK and
//! FORWARD TSN for how far an association has come.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{Chunk, ChunkKind, emit_chunk};
use crate::cursor::{Cut, Param, Params};
use crate::{Reason, Refusal};

const IPV4_ADDRESS: u16 = 5;
const IPV6_ADDRESS: u16 = 6;
const SUPPORTED_EXTENSIONS: u16 = 0x8008;
const FORWARD_TSN_SUPPORTED: u16 = 0xc000;

const INIT_LEN: usize = 16;
const SACK_LEN: usize = 12;

/// The values of an INIT or INIT ACK chunk (RFC 9260 §3.3.2, §3.3.3).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Init<'a> {
    /// Verification tag of all packets back to the sender of this chunk; never 0.
    pub initiate_tag: u32,
    /// Advertised receiver window, octets.
    pub a_rwnd: u32,
    /// Outbound streams.
    pub outbound: u16,
    /// Inbound streams, at most.
    pub inbound: u16,
    /// TSN of the first DATA chunk.
    pub initial_tsn: u32,
    /// The sender takes FORWARD TSN: parameter 0xC000 (RFC 3758 §3.1), or the chunk type among the supported
    /// extensions (RFC 5061 §4.2.7), which stacks in use accept alike.
    pub forward_tsn: bool,
    /// The sender takes I-DATA (RFC 8260 §2.2.1). If both do, user data travels where nobody here reads it.
    pub interleaving: bool,
    /// The sender takes AUTH (RFC 4895). Chunks behind an AUTH cannot be rewritten.
    pub authentication: bool,
    parameters: &'a [u8],
    parameters_at: usize,
}

impl<'a> Init<'a> {
    /// Reads an INIT or INIT ACK chunk and walks all of its parameters.
    /// # Errors
    /// [`Reason::SctpChunkType`] if it is another chunk; [`Reason::SctpChunkLen`] if the chunk or a parameter is cut
    /// or an address has the wrong length; [`Reason::SctpVtag`] if the initiate tag is 0, since a receiver discards
    /// that chunk and nothing may be learned from it. `at` counts from the first octet of the SCTP packet.
    pub fn parse(chunk: &Chunk<'a>) -> Result<Self, Refusal> {
        if !matches!(chunk.kind, ChunkKind::INIT | ChunkKind::INIT_ACK) {
            return Err(chunk.bad_kind());
        }
        let (&[t0, t1, t2, t3, w0, w1, w2, w3, o0, o1, i0, i1, n0, n1, n2, n3], parameters) =
            chunk.value.split_first_chunk::<INIT_LEN>().ok_or(chunk.bad_length())?;
        let mut init = Self {
            initiate_tag: u32::from_be_bytes([t0, t1, t2, t3]),
            a_rwnd: u32::from_be_bytes([w0, w1, w2, w3]),
            outbound: u16::from_be_bytes([o0, o1]),
            inbound: u16::from_be_bytes([i0, i1]),
            initial_tsn: u32::from_be_bytes([n0, n1, n2, n3]),
            forward_tsn: false,
            interleaving: false,
            authentication: false,
            parameters,
            parameters_at: chunk.offset + 4 + INIT_LEN,
        };
        if init.initiate_tag == 0 {
            return Err(Reason::SctpVtag.at(chunk.offset + 4));
        }
        for param in init.params() {
            let param = param.map_err(|Cut(at)| Reason::SctpChunkLen.at(at))?;
            match param.tag {
                FORWARD_TSN_SUPPORTED => init.forward_tsn = true,
                SUPPORTED_EXTENSIONS => init.extend(param.value),
                IPV4_ADDRESS | IPV6_ADDRESS if address(&param).is_none() => {
                    return Err(Reason::SctpChunkLen.at(param.length_at()));
                }
                _ => {}
            }
        }
        Ok(init)
    }

    /// Notes the chunk types of a Supported Extensions parameter.
    fn extend(&mut self, kinds: &[u8]) {
        for &kind in kinds {
            match ChunkKind(kind) {
                ChunkKind::FORWARD_TSN => self.forward_tsn = true,
                ChunkKind::I_DATA => self.interleaving = true,
                ChunkKind::AUTH => self.authentication = true,
                _ => {}
            }
        }
    }

    /// Walks the parameters in chunk order.
    #[inline]
    pub fn params(&self) -> Params<'a> {
        Params::new(self.parameters, self.parameters_at)
    }

    /// Addresses of the sender besides the one that the packet came from.
    #[inline]
    pub fn addresses(&self) -> impl Iterator<Item = IpAddr> + use<'a> {
        self.params().flatten().filter_map(|param| address(&param))
    }
}

/// The address in a parameter; `None` if it is another one, or of the wrong length.
fn address(param: &Param<'_>) -> Option<IpAddr> {
    match param.tag {
        IPV4_ADDRESS => <[u8; 4]>::try_from(param.value).ok().map(|octets| Ipv4Addr::from(octets).into()),
        IPV6_ADDRESS => <[u8; 16]>::try_from(param.value).ok().map(|octets| Ipv6Addr::from(octets).into()),
        _ => None,
    }
}

/// The values of a SACK chunk (RFC 9260 §3.3.4).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sack<'a> {
    /// All DATA up to this TSN has arrived.
    pub cumulative_tsn: u32,
    /// Advertised receiver window, octets.
    pub a_rwnd: u32,
    gaps: &'a [u8],
    duplicates: &'a [u8],
}

impl<'a> Sack<'a> {
    /// Reads a SACK chunk.
    /// # Errors
    /// [`Reason::SctpChunkType`] if it is another chunk; [`Reason::SctpChunkLen`] if its length is not what its counts
    /// of gaps and duplicates say.
    #[inline]
    pub fn parse(chunk: &Chunk<'a>) -> Result<Self, Refusal> {
        if chunk.kind != ChunkKind::SACK {
            return Err(chunk.bad_kind());
        }
        let (&[t0, t1, t2, t3, w0, w1, w2, w3, g0, g1, d0, d1], rest) =
            chunk.value.split_first_chunk::<SACK_LEN>().ok_or(chunk.bad_length())?;
        let gaps_len = 4 * usize::from(u16::from_be_bytes([g0, g1]));
        let duplicates_len = 4 * usize::from(u16::from_be_bytes([d0, d1]));
        match rest.split_at_checked(gaps_len) {
            Some((gaps, duplicates)) if duplicates.len() == duplicates_len => Ok(Self {
                cumulative_tsn: u32::from_be_bytes([t0, t1, t2, t3]),
                a_rwnd: u32::from_be_bytes([w0, w1, w2, w3]),
                gaps,
                duplicates,
            }),
            _ => Err(chunk.bad_length()),
        }
    }

    /// Blocks that arrived beyond the cumulative TSN: first and last, as distances from it.
    pub fn gaps(&self) -> impl Iterator<Item = (u16, u16)> + use<'a> {
        pairs(self.gaps)
    }

    /// TSNs that arrived again.
    pub fn duplicates(&self) -> impl Iterator<Item = u32> + use<'a> {
        self.duplicates.as_chunks::<4>().0.iter().copied().map(u32::from_be_bytes)
    }
}

/// The values of a FORWARD TSN chunk (RFC 3758 §3.2).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ForwardTsn<'a> {
    /// The receiver shall count all DATA up to this TSN as arrived.
    pub cumulative_tsn: u32,
    streams: &'a [u8],
}

impl<'a> ForwardTsn<'a> {
    /// Reads a FORWARD TSN chunk.
    /// # Errors
    /// [`Reason::SctpChunkType`] if it is another chunk; [`Reason::SctpChunkLen`] if it is not whole stream entries.
    #[inline]
    pub fn parse(chunk: &Chunk<'a>) -> Result<Self, Refusal> {
        if chunk.kind != ChunkKind::FORWARD_TSN {
            return Err(chunk.bad_kind());
        }
        match chunk.value.split_first_chunk() {
            Some((tsn, streams)) if streams.len() % 4 == 0 => {
                Ok(Self { cumulative_tsn: u32::from_be_bytes(*tsn), streams })
            }
            _ => Err(chunk.bad_length()),
        }
    }

    /// Streams with ordered messages among the skipped, and the last stream sequence number skipped in each.
    pub fn streams(&self) -> impl Iterator<Item = (u16, u16)> + use<'a> {
        pairs(self.streams)
    }
}

/// Two numbers of 16 bits each.
fn pairs(octets: &[u8]) -> impl Iterator<Item = (u16, u16)> + use<'_> {
    let (words, _) = octets.as_chunks();
    words.iter().map(|&[a0, a1, b0, b1]| (u16::from_be_bytes([a0, a1]), u16::from_be_bytes([b0, b1])))
}

/// Appends a FORWARD TSN chunk up to `tsn`.
///
/// * `stream`: stream and stream sequence number of the skipped message; `None` for an unordered one
#[inline]
pub fn emit_forward_tsn(tsn: u32, stream: Option<(u16, u16)>, out: &mut Vec<u8>) {
    let mut entry = [0; 4];
    let mut entry_len = 0;
    if let Some((stream, ssn)) = stream {
        let ([i0, i1], [n0, n1]) = (stream.to_be_bytes(), ssn.to_be_bytes());
        (entry, entry_len) = ([i0, i1, n0, n1], 4);
    }
    let entry = entry.get(..entry_len).unwrap_or_default();
    emit_chunk(ChunkKind::FORWARD_TSN, 0, &[&tsn.to_be_bytes(), entry], out);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sctp::{HEADER_LEN, Header, Packet, emit_header};

    /// INIT with an IPv4 and an IPv6 address, supported extensions (ASCONF, ASCONF-ACK) and FORWARD-TSN-supported.
    #[rustfmt::skip]
    const INIT: [u8; 56] = [
        0x5e, 0xa1, 0x9a, 0x7e, 0, 1, 0, 0, 0, 10, 0, 20, 0, 0, 3, 0xe8,
        0, 5, 0, 8, 192, 0, 2, 10,
        0, 6, 0, 20, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 10,
        0x80, 8, 0, 6, 193, 128, 0, 0,
        0xc0, 0, 0, 4,
    ];

    fn chunk(kind: ChunkKind, value: &[u8]) -> Chunk<'_> {
        Chunk { kind, flags: 0, offset: HEADER_LEN, value }
    }

    #[test]
    fn init_reads_field_by_field() -> Result<(), Refusal> {
        for kind in [ChunkKind::INIT, ChunkKind::INIT_ACK] {
            let init = Init::parse(&chunk(kind, &INIT))?;
            assert_eq!((init.initiate_tag, init.a_rwnd, init.initial_tsn), (0x5ea1_9a7e, 65536, 1000));
            assert_eq!((init.outbound, init.inbound), (10, 20));
            assert_eq!((init.forward_tsn, init.interleaving, init.authentication), (true, false, false));
            let addresses: Vec<_> = init.addresses().map(|address| address.to_string()).collect();
            assert_eq!(addresses, ["192.0.2.10", "2001:db8::a"]);
        }
        Ok(())
    }

    #[test]
    fn abilities_are_those_listed() {
        for (kind, want) in [(192, (true, false, false)), (64, (false, true, false)), (15, (false, false, true))] {
            let mut value = INIT;
            value[48] = kind;
            value[52] = 0x40; // no FORWARD-TSN-supported
            let init = Init::parse(&chunk(ChunkKind::INIT, &value));
            assert_eq!(init.map(|init| (init.forward_tsn, init.interleaving, init.authentication)), Ok(want));
        }
    }

    #[test]
    fn each_check_of_init_is_earned_by_one_octet() {
        // Octet 0 of the value is octet 16 of the packet.
        for (at, octet, want) in [
            (19, 7, Reason::SctpChunkLen.at(34)),
            (19, 9, Reason::SctpChunkLen.at(34)),
            (19, 3, Reason::SctpChunkLen.at(34)),
            (27, 16, Reason::SctpChunkLen.at(42)),
            (47, 13, Reason::SctpChunkLen.at(62)),
            (55, 3, Reason::SctpChunkLen.at(70)),
            (55, 5, Reason::SctpChunkLen.at(70)),
        ] {
            let mut bad = INIT;
            bad[at] = octet;
            assert_eq!(Init::parse(&chunk(ChunkKind::INIT, &bad)), Err(want), "octet {at} set to {octet}");
        }
        let mut bad = INIT;
        bad[..4].fill(0);
        assert_eq!(Init::parse(&chunk(ChunkKind::INIT, &bad)), Err(Reason::SctpVtag.at(16)));
        for (n, want) in [(0, 14), (15, 14), (17, 32), (23, 34), (55, 68)] {
            let cut = Init::parse(&chunk(ChunkKind::INIT, &INIT[..n]));
            assert_eq!(cut, Err(Reason::SctpChunkLen.at(want)), "cut to {n}");
        }
        assert!(Init::parse(&chunk(ChunkKind::INIT, &INIT[..50])).is_ok(), "padding of the last parameter missing");
        assert_eq!(Init::parse(&chunk(ChunkKind::SACK, &INIT)), Err(Reason::SctpChunkType.at(12)));
    }

    #[test]
    fn sack_counts_are_exact() -> Result<(), Refusal> {
        let value = [0, 0, 3, 0xe7, 0, 1, 0, 0, 0, 1, 0, 2, 0, 2, 0, 3, 0, 0, 3, 0xe0, 0, 0, 3, 0xe1];
        let sack = Sack::parse(&chunk(ChunkKind::SACK, &value))?;
        assert_eq!((sack.cumulative_tsn, sack.a_rwnd), (999, 65536));
        assert!(sack.gaps().eq([(2, 3)]) && sack.duplicates().eq([992, 993]));
        for (at, octet) in [(9, 0), (9, 2), (8, 1), (11, 1), (11, 3)] {
            let mut bad = value;
            bad[at] = octet;
            let want = Reason::SctpChunkLen.at(14);
            assert_eq!(Sack::parse(&chunk(ChunkKind::SACK, &bad)), Err(want), "octet {at} set to {octet}");
        }
        assert_eq!(Sack::parse(&chunk(ChunkKind::SACK, &value[..11])), Err(Reason::SctpChunkLen.at(14)));
        assert_eq!(Sack::parse(&chunk(ChunkKind::INIT, &value)), Err(Reason::SctpChunkType.at(12)));
        Ok(())
    }

    #[test]
    fn forward_tsn_writes_what_it_reads() -> Result<(), Refusal> {
        for (stream, len) in [(None, 8), (Some((1, 5)), 12)] {
            let mut out = Vec::new();
            emit_header(&Header::default(), &mut out);
            emit_forward_tsn(1000, stream, &mut out);
            assert_eq!(out.len(), HEADER_LEN + len);
            let chunk = Packet::parse(&out)?.chunks().next().unwrap();
            let skipped = ForwardTsn::parse(&chunk)?;
            assert_eq!(skipped.cumulative_tsn, 1000);
            assert!(skipped.streams().eq(stream));
            let cut = Chunk { value: &chunk.value[..3], ..chunk };
            assert_eq!(ForwardTsn::parse(&cut), Err(Reason::SctpChunkLen.at(14)));
        }
        assert_eq!(
            ForwardTsn::parse(&chunk(ChunkKind::FORWARD_TSN, &[0; 6])),
            Err(Reason::SctpChunkLen.at(14)),
            "half a stream entry"
        );
        Ok(())
    }
}
