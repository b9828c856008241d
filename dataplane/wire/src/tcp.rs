//! TCP segments (RFC 9293) with the options that two hosts agree on at their handshake: maximum segment size, window
//! scale and timestamps (RFC 7323), selective acknowledgements (RFC 2018).
//!
//! [`Segment::parse`] proves all lengths; the checksum needs the addresses of the packet, see [`checksum`].

use core::net::IpAddr;

use crate::cursor::Reader;
use crate::{Reason, Refusal};

/// Protocol number of TCP.
pub const PROTOCOL: u8 = 6;
/// Octets of a header without options (RFC 9293 §3.1).
pub const HEADER_LEN: usize = 20;
/// Most octets of options: the header length counts 15 words.
pub const MAX_OPTIONS: usize = 40;

// Option kinds (IANA).
const END: u8 = 0;
const NO_OPERATION: u8 = 1;
const MSS: u8 = 2;
const WINDOW_SCALE: u8 = 3;
const SACK_PERMITTED: u8 = 4;
const SACK: u8 = 5;
const TIMESTAMPS: u8 = 8;

/// The flags of a segment (RFC 9293 §3.1); the reserved bits before them are not kept.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Flags(pub u8);

impl Flags {
    /// The sender has no more octets.
    pub const FIN: Flags = Flags(0x01);
    /// Opens a connection.
    pub const SYN: Flags = Flags(0x02);
    /// Ends it at once.
    pub const RST: Flags = Flags(0x04);
    /// Give it to the application now.
    pub const PSH: Flags = Flags(0x08);
    /// The acknowledgement number counts.
    pub const ACK: Flags = Flags(0x10);
    /// The urgent pointer counts.
    pub const URG: Flags = Flags(0x20);
    /// Congestion was met (RFC 3168).
    pub const ECE: Flags = Flags(0x40);
    /// The sender slowed down (RFC 3168).
    pub const CWR: Flags = Flags(0x80);

    /// True if all flags of `other` are set.
    #[inline]
    pub const fn has(self, other: Flags) -> bool {
        self.0 & other.0 == other.0
    }

    /// With those of `other`.
    #[inline]
    pub const fn with(self, other: Flags) -> Flags {
        Flags(self.0 | other.0)
    }

    /// Those that `other` has too.
    #[inline]
    pub const fn only(self, other: Flags) -> Flags {
        Flags(self.0 & other.0)
    }
}

/// The values of the fixed part but the checksum.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Header {
    /// From.
    pub source_port: u16,
    /// To.
    pub destination_port: u16,
    /// Of the first octet of the payload, or of SYN.
    pub seq: u32,
    /// The next sequence number that the sender expects; counts with [`Flags::ACK`].
    pub ack: u32,
    /// See there.
    pub flags: Flags,
    /// Octets beyond `ack` that the sender takes, to be shifted by its window scale unless this is a SYN.
    pub window: u16,
    /// Counts with [`Flags::URG`].
    pub urgent: u16,
}

/// Most blocks of a SACK: 34 octets.
pub const MAX_BLOCKS: usize = 4;

/// What a receiver has beyond its acknowledgement (RFC 2018 §3): first sequence number of each block, and the one after it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Blocks {
    blocks: [(u32, u32); MAX_BLOCKS],
    len: u8,
}

impl Blocks {
    /// Adds a block; one too many is left out.
    #[inline]
    pub fn push(&mut self, left: u32, right: u32) {
        if let Some(place) = self.blocks.get_mut(usize::from(self.len)) {
            *place = (left, right);
            self.len += 1;
        }
    }

    /// The blocks in their order.
    #[inline]
    pub fn iter(&self) -> impl Iterator<Item = (u32, u32)> {
        self.blocks.iter().copied().take(usize::from(self.len))
    }

    /// How many blocks.
    #[inline]
    pub fn len(&self) -> usize {
        usize::from(self.len)
    }

    /// True if there is none.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
}

/// The options that are read and written. All others are only known to be well formed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Options {
    /// Most octets of payload and options that the sender takes in a segment; of a SYN (RFC 9293 §3.7.1).
    pub mss: Option<u16>,
    /// By how many bits windows of the sender are to be shifted; of a SYN (RFC 7323 §2.2).
    pub window_scale: Option<u8>,
    /// The sender reads SACK; of a SYN (RFC 2018 §2).
    pub sack_permitted: bool,
    /// Timestamp value and echo reply (RFC 7323 §3.2).
    pub timestamps: Option<(u32, u32)>,
    /// Empty without the option.
    pub sack: Blocks,
    /// There are options of other kinds.
    pub others: bool,
}

impl Options {
    /// Reads the option field.
    ///
    /// Nothing behind the end of the list is looked at: no receiver does.
    /// # Errors
    /// [`Reason::L4Length`] on an option whose length is below 2, beyond the field, or not that of its kind, and on a
    /// known kind that is repeated: which one counts, receivers do not agree. `at` counts from the header.
    #[inline]
    pub fn parse(octets: &[u8]) -> Result<Self, Refusal> {
        let mut found = Self::default();
        let mut seen = 0_u16;
        let mut reader = Reader::new_at(octets, HEADER_LEN);
        while let Some(kind) = reader.u8() {
            if kind == END {
                break;
            }
            if kind == NO_OPERATION {
                continue;
            }
            let at = reader.at();
            let fault = Reason::L4Length.at(at);
            let len = usize::from(reader.u8().ok_or(fault)?);
            let value = len.checked_sub(2).and_then(|n| reader.take(n)).ok_or(fault)?;
            if kind <= TIMESTAMPS {
                if seen >> kind & 1 == 1 {
                    return Err(Reason::L4Length.at(at - 1));
                }
                seen |= 1 << kind;
            }
            match (kind, value) {
                (MSS, &[a, b]) => found.mss = Some(u16::from_be_bytes([a, b])),
                (WINDOW_SCALE, &[shift]) => found.window_scale = Some(shift),
                (SACK_PERMITTED, &[]) => found.sack_permitted = true,
                (TIMESTAMPS, &[a, b, c, d, e, f, g, h]) => {
                    found.timestamps = Some((u32::from_be_bytes([a, b, c, d]), u32::from_be_bytes([e, f, g, h])));
                }
                (SACK, value) => {
                    let (blocks, rest) = value.as_chunks::<8>();
                    if blocks.is_empty() || !rest.is_empty() {
                        return Err(fault);
                    }
                    for &[a, b, c, d, e, f, g, h] in blocks {
                        found.sack.push(u32::from_be_bytes([a, b, c, d]), u32::from_be_bytes([e, f, g, h]));
                    }
                }
                (MSS | WINDOW_SCALE | SACK_PERMITTED | TIMESTAMPS, _) => return Err(fault),
                _ => found.others = true,
            }
        }
        Ok(found)
    }

    /// Octets of the written field, a multiple of four. SACK blocks that do not fit any more are left out, the last first.
    #[inline]
    pub fn len(&self) -> usize {
        self.before_sack() + self.sack_len()
    }

    /// True if nothing is written.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Octets of all but SACK; each option stands in words of its own.
    #[inline]
    fn before_sack(&self) -> usize {
        4 * usize::from(self.mss.is_some())
            + 4 * usize::from(self.window_scale.is_some())
            + 4 * usize::from(self.sack_permitted)
            + 12 * usize::from(self.timestamps.is_some())
    }

    #[inline]
    fn sack_len(&self) -> usize {
        match self.fitting_blocks() {
            0 => 0,
            blocks => 4 + 8 * blocks,
        }
    }

    #[inline]
    fn fitting_blocks(&self) -> usize {
        self.sack.len().min((MAX_OPTIONS - self.before_sack()).saturating_sub(4) / 8)
    }

    /// Appends the option field.
    pub fn emit(&self, out: &mut Vec<u8>) {
        if let Some(mss) = self.mss {
            let [a, b] = mss.to_be_bytes();
            out.extend_from_slice(&[MSS, 4, a, b]);
        }
        if let Some(shift) = self.window_scale {
            out.extend_from_slice(&[NO_OPERATION, WINDOW_SCALE, 3, shift]);
        }
        if self.sack_permitted {
            out.extend_from_slice(&[NO_OPERATION, NO_OPERATION, SACK_PERMITTED, 2]);
        }
        if let Some((value, echo)) = self.timestamps {
            out.extend_from_slice(&[NO_OPERATION, NO_OPERATION, TIMESTAMPS, 10]);
            out.extend_from_slice(&value.to_be_bytes());
            out.extend_from_slice(&echo.to_be_bytes());
        }
        let blocks = self.fitting_blocks();
        if blocks > 0 {
            out.extend_from_slice(&[NO_OPERATION, NO_OPERATION, SACK, 2 + 8 * blocks as u8]);
            for (left, right) in self.sack.iter().take(blocks) {
                out.extend_from_slice(&left.to_be_bytes());
                out.extend_from_slice(&right.to_be_bytes());
            }
        }
    }
}

/// One segment, its lengths proven.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Segment<'a> {
    /// The fixed part.
    pub header: Header,
    /// What the options say.
    pub options: Options,
    /// Behind the header.
    pub payload: &'a [u8],
}

impl<'a> Segment<'a> {
    /// Reads a segment; the checksum is the caller's, see [`checksum`].
    ///
    /// * `octets`: the payload of an IP packet, to its own end
    /// # Errors
    /// [`Reason::L4Length`] if the header is cut or its length is below 20 or beyond the packet (`at` 12), and on
    /// options that [`Options::parse`] refuses.
    #[inline]
    pub fn parse(octets: &'a [u8]) -> Result<Self, Refusal> {
        let (fixed, rest) = octets.split_first_chunk::<HEADER_LEN>().ok_or(Reason::L4Length.at(octets.len()))?;
        let &[s0, s1, d0, d1, q0, q1, q2, q3, a0, a1, a2, a3, offset, flags, w0, w1, _, _, u0, u1] = fixed;
        let len = usize::from(offset >> 4) * 4;
        let (options, payload) =
            len.checked_sub(HEADER_LEN).and_then(|n| rest.split_at_checked(n)).ok_or(Reason::L4Length.at(12))?;
        Ok(Self {
            header: Header {
                source_port: u16::from_be_bytes([s0, s1]),
                destination_port: u16::from_be_bytes([d0, d1]),
                seq: u32::from_be_bytes([q0, q1, q2, q3]),
                ack: u32::from_be_bytes([a0, a1, a2, a3]),
                flags: Flags(flags),
                window: u16::from_be_bytes([w0, w1]),
                urgent: u16::from_be_bytes([u0, u1]),
            },
            options: Options::parse(options)?,
            payload,
        })
    }
}

/// Appends a segment, its checksum left zero for [`seal`].
pub fn emit(header: &Header, options: &Options, payload: &[u8], out: &mut Vec<u8>) {
    let words = (HEADER_LEN + options.len()) / 4;
    out.extend_from_slice(&header.source_port.to_be_bytes());
    out.extend_from_slice(&header.destination_port.to_be_bytes());
    out.extend_from_slice(&header.seq.to_be_bytes());
    out.extend_from_slice(&header.ack.to_be_bytes());
    out.extend_from_slice(&[(words as u8) << 4, header.flags.0]);
    out.extend_from_slice(&header.window.to_be_bytes());
    out.extend_from_slice(&[0; 2]);
    out.extend_from_slice(&header.urgent.to_be_bytes());
    options.emit(out);
    out.extend_from_slice(payload);
}

/// The checksum over pseudo header and segment (RFC 9293 §3.1, RFC 8200 §8.1). Over one that holds its checksum: 0 if
/// it is right. `None` if the addresses are not of one family or the segment is longer than any packet.
#[inline]
pub fn checksum(source: IpAddr, destination: IpAddr, segment: &[u8]) -> Option<u16> {
    let len = u16::try_from(segment.len()).ok()?;
    let addresses = match (source, destination) {
        (IpAddr::V4(from), IpAddr::V4(to)) => words(&from.octets()) + words(&to.octets()),
        (IpAddr::V6(from), IpAddr::V6(to)) => words(&from.octets()) + words(&to.octets()),
        _ => return None,
    };
    let mut sum = addresses + u64::from(PROTOCOL) + u64::from(len) + words(segment);
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    Some(!(sum as u16))
}

/// The sum of 32-bit words, the last one filled up with zeros: folded, it is the sum of 16-bit words (RFC 1071 §2).
#[inline]
fn words(octets: &[u8]) -> u64 {
    let (words, rest) = octets.as_chunks::<4>();
    let mut last = [0; 4];
    for (to, from) in last.iter_mut().zip(rest) {
        *to = *from;
    }
    words.iter().map(|word| u64::from(u32::from_be_bytes(*word))).sum::<u64>() + u64::from(u32::from_be_bytes(last))
}

/// Writes the checksum into the header at the front of `segment`.
///
/// `false`, and the field zero or nothing written, where [`checksum`] has none.
#[inline]
pub fn seal(source: IpAddr, destination: IpAddr, segment: &mut [u8]) -> bool {
    let Some(head) = segment.first_chunk_mut::<HEADER_LEN>() else { return false };
    [head[16], head[17]] = [0; 2];
    let Some(sum) = checksum(source, destination, segment) else { return false };
    let Some(head) = segment.first_chunk_mut::<HEADER_LEN>() else { return false };
    [head[16], head[17]] = sum.to_be_bytes();
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::net::{Ipv4Addr, Ipv6Addr};
    use proptest::collection::vec;
    use proptest::prelude::*;

    const SOURCE: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
    const DESTINATION: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 51, 100, 7));

    /// An ACK with timestamps, one SACK block and three octets. The checksum is worked out by hand in the test below.
    #[rustfmt::skip]
    const SEGMENT: [u8; 47] = [
        0x0f, 0x1c, 0xc0, 0x01, 0x01, 0x02, 0x03, 0x04, 0xa1, 0xa2, 0xa3, 0xa4, 0xb0, 0x18, 0x12, 0x34, 0x00, 0x00, 0, 0,
        1, 1, 8, 10, 0, 0, 0, 7, 0, 0, 0, 6,
        1, 1, 5, 10, 0xa1, 0xa2, 0xa4, 0, 0xa1, 0xa2, 0xa5, 0,
        b'a', b'b', b'c',
    ];

    #[test]
    fn a_segment_reads_field_by_field() -> Result<(), Refusal> {
        let segment = Segment::parse(&SEGMENT)?;
        let header = segment.header;
        assert_eq!((header.source_port, header.destination_port), (3868, 49153));
        assert_eq!((header.seq, header.ack, header.window), (0x0102_0304, 0xa1a2_a3a4, 0x1234));
        assert_eq!(header.flags, Flags::ACK.with(Flags::PSH));
        assert!(header.flags.has(Flags::ACK) && !header.flags.has(Flags::ACK.with(Flags::FIN)));
        assert_eq!(segment.options.timestamps, Some((7, 6)));
        assert_eq!(segment.options.sack.iter().collect::<Vec<_>>(), [(0xa1a2_a400, 0xa1a2_a500)]);
        assert_eq!((segment.options.mss, segment.options.others, segment.payload), (None, false, &b"abc"[..]));
        let mut out = Vec::new();
        emit(&header, &segment.options, segment.payload, &mut out);
        assert_eq!(out, SEGMENT);
        Ok(())
    }

    #[test]
    fn a_syn_reads_and_writes_back() -> Result<(), Refusal> {
        let options = Options {
            mss: Some(1460),
            window_scale: Some(7),
            sack_permitted: true,
            timestamps: Some((1, 0)),
            ..Options::default()
        };
        let header = Header { seq: u32::MAX, flags: Flags::SYN, ..Header::default() };
        let mut out = Vec::new();
        emit(&header, &options, &[], &mut out);
        assert_eq!(out.len(), HEADER_LEN + 24);
        assert_eq!(Segment::parse(&out)?, Segment { header, options, payload: &[] });
        Ok(())
    }

    #[test]
    fn each_check_is_earned_by_one_octet() {
        let refused = Reason::L4Length;
        for (at, octet, want) in [
            (12, 0x40, 12),
            (12, 0xf0, 12),
            (23, 9, 23),
            (23, 1, 23),
            (35, 9, 35),
            (35, 2, 35),
            (35, 11, 35),
            (34, 8, 34),
        ] {
            let mut bad = SEGMENT;
            bad[at] = octet;
            assert_eq!(Segment::parse(&bad), Err(refused.at(want)), "octet {at} set to {octet}");
        }
        let mut repeated = SEGMENT;
        repeated[32..44].copy_from_slice(&SEGMENT[20..32]);
        assert_eq!(Segment::parse(&repeated), Err(refused.at(34)), "timestamps twice");
        for n in [0, 19, 43] {
            let want = if n < HEADER_LEN { n } else { 12 };
            assert_eq!(Segment::parse(&SEGMENT[..n]), Err(refused.at(want)), "cut to {n}");
        }
        for bad in [&[MSS, 3, 0][..], &[WINDOW_SCALE, 4, 0, 0], &[SACK_PERMITTED, 3, 0], &[SACK, 2], &[200, 0], &[200]]
        {
            assert!(Options::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn other_options_are_told_and_nothing_behind_the_end_is_read() {
        for kind in [19, 29, 30, 34, 253] {
            assert!(Options::parse(&[kind, 4, 1, 2]).is_ok_and(|options| options.others), "{kind}");
        }
        assert_eq!(Options::parse(&[1, 0, 2, 1]), Ok(Options::default()));
        let mut many = Options { timestamps: Some((1, 2)), ..Options::default() };
        (0..5).for_each(|i| many.sack.push(i, i + 1));
        assert_eq!((many.sack.len(), many.len()), (4, 40), "three blocks fit beside timestamps");
    }

    #[test]
    fn checksums_cover_addresses_length_and_octets() {
        let six = |last| IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, last));
        for (source, destination) in [(SOURCE, DESTINATION), (six(1), six(2))] {
            for len in [43, 44, 46, 47] {
                let mut octets = SEGMENT[..len].to_vec();
                assert!(seal(source, destination, &mut octets));
                assert_eq!(checksum(source, destination, &octets), Some(0));
                for at in 0..len {
                    let mut bad = octets.clone();
                    bad[at] ^= 0x10;
                    assert_ne!(checksum(source, destination, &bad), Some(0), "octet {at}");
                }
                assert_ne!(checksum(source, source, &octets), Some(0));
            }
        }
        // c0000201 c6336407 0006 002f and the segment, summed as 16-bit words by another program.
        let mut octets = SEGMENT;
        assert!(seal(SOURCE, DESTINATION, &mut octets));
        assert_eq!(octets[16..18], [0xd9, 0x09]);
        assert_eq!(checksum(SOURCE, six(1), &SEGMENT), None);
        assert_eq!(checksum(SOURCE, DESTINATION, &[0; 65536]), None);
        assert!(!seal(SOURCE, DESTINATION, &mut [0; 19]) && !seal(SOURCE, six(1), &mut octets));
    }

    proptest! {
        #[test]
        fn no_octets_panic(octets in vec(any::<u8>(), 0..96)) { crate::fuzzing::tcp::tcp(&octets); }

        /// Random options seldom fit: here most are of a known kind with its length.
        #[test]
        fn options_of_any_content_write_back(
            parts in vec((0_u8..9, any::<[u8; 8]>(), 0_u8..12), 0..5), payload in vec(any::<u8>(), 0..16),
        ) {
            let mut options = Vec::new();
            for (kind, value, len) in parts {
                let len = match kind { 0 | 1 => 0, 2 => 4, 3 => 3, 4 => 2, 5 | 8 => 10, _ => len };
                options.push(kind);
                if kind > 1 {
                    options.push(len);
                    options.extend_from_slice(&value[..usize::from(len.clamp(2, 10)) - 2]);
                }
            }
            options.resize(options.len().next_multiple_of(4).min(MAX_OPTIONS), 0);
            let mut octets = SEGMENT[..HEADER_LEN].to_vec();
            octets[12] = (((HEADER_LEN + options.len()) / 4) << 4) as u8;
            octets.extend(options);
            octets.extend(payload);
            crate::fuzzing::tcp::tcp(&octets);
        }
    }
}
