//! The 24-octet security header of the native profiles, or more with a copy of the called address (formats 1.3).

use core::time::Duration;

use crate::addr::{Digits, GlobalTitle, Plan, Ssn};
use crate::{Reason, Refusal};

/// The header carries the called address as the signer saw it.
pub const FLAG_CALLED_COPY: u8 = 0x01;
/// The message was a UDT before the signature outgrew it.
pub const FLAG_WAS_UDT: u8 = 0x02;

/// Octets of a signature in its raw form, by the algorithm number of the header; `None`: not defined.
pub const fn signature_len(alg: u8) -> Option<usize> {
    match alg {
        1 | 2 => Some(64),
        3 => Some(256),
        4 => Some(96),
        _ => None,
    }
}

/// A time variant parameter as it travels: tenths of a second since 1970, modulo 2^32.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Tvp(pub u32);

impl Tvp {
    /// The stamp of a moment given in milliseconds since 1970.
    pub const fn from_unix_ms(ms: u64) -> Self {
        Tvp((ms / 100) as u32)
    }

    /// Age at `now_ms` in whole tenths of a second, right across the wrap; negative: ahead of our clock.
    pub const fn age_tenths(self, now_ms: u64) -> i32 {
        Self::from_unix_ms(now_ms).0.wrapping_sub(self.0) as i32
    }

    /// The time rule of formats 1.4; exactly at a limit passes.
    ///
    /// # Errors
    /// [`Reason::SecTimePast`] or [`Reason::SecTimeFuture`].
    pub fn check(self, now_ms: u64, past: Duration, future: Duration) -> Result<(), Reason> {
        let age = i64::from(self.age_tenths(now_ms)) * 100;
        let within = |limit: Duration| i64::try_from(limit.as_millis()).unwrap_or(i64::MAX);
        if age > within(past) {
            Err(Reason::SecTimePast)
        } else if -age > within(future) {
            Err(Reason::SecTimeFuture)
        } else {
            Ok(())
        }
    }
}

/// The called address as the signer saw it, in canonical form (formats 1.1, 1.3).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CalledCopy<'a> {
    octets: &'a [u8],
}

impl<'a> CalledCopy<'a> {
    fn parse(octets: &'a [u8]) -> Option<Self> {
        let (&[_, _, count], digits) = octets.split_first_chunk()?;
        let whole = usize::from(count) == digits.len() && !digits.is_empty();
        (whole && digits.iter().all(u8::is_ascii_digit)).then_some(Self { octets })
    }

    /// The canonical octets.
    pub fn octets(&self) -> &'a [u8] {
        self.octets
    }

    /// The Global Title, where its plan is one of ours and it has at most 15 digits.
    pub fn title(&self) -> Option<(GlobalTitle, Ssn)> {
        let (&[plan, ssn, _], ascii) = self.octets.split_first_chunk()?;
        let digits: Digits = core::str::from_utf8(ascii).ok()?.parse().ok()?;
        (digits.len() <= 15).then_some(())?;
        Some((GlobalTitle { plan: Plan::from_wire(plan)?, digits }, Ssn(ssn)))
    }
}

/// The security header: who signed, when, with what, and the counter that makes each message its own.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Header<'a> {
    /// Algorithm number; [`signature_len`] knows it.
    pub alg: u8,
    /// [`FLAG_CALLED_COPY`], [`FLAG_WAS_UDT`]; the others are zero.
    pub flags: u8,
    /// Which of the signer's sequence counters.
    pub node: u8,
    /// First eight octets of the signer's key identifier.
    pub sai: [u8; 8],
    /// Time of signing.
    pub tvp: Tvp,
    /// Strictly increasing per (SAI, node).
    pub seq: u64,
    /// Present with [`FLAG_CALLED_COPY`].
    pub copy: Option<CalledCopy<'a>>,
}

impl<'a> Header<'a> {
    /// Octets without a copy.
    pub const LEN: usize = 24;

    /// Reads the header at the front of a protected payload: itself, its octets, and what follows.
    ///
    /// # Errors
    /// In this order: [`Reason::SecSyntax`] below 24 octets, [`Reason::SecVersion`], [`Reason::SecFlags`],
    /// [`Reason::SecAlgUnsupported`], [`Reason::SecSyntax`] for a copy that is cut or not canonical.
    pub fn parse(payload: &'a [u8]) -> Result<(Self, &'a [u8], &'a [u8]), Refusal> {
        let Some((fixed, rest)) = payload.split_first_chunk::<{ Header::LEN }>() else {
            return Err(Reason::SecSyntax.at(payload.len()));
        };
        let &[version, alg, flags, node, a, b, c, d, e, f, g, h, t0, t1, t2, t3, s0, s1, s2, s3, s4, s5, s6, s7] =
            fixed;
        if version != 1 {
            return Err(Reason::SecVersion.at(0));
        }
        if flags & !(FLAG_CALLED_COPY | FLAG_WAS_UDT) != 0 {
            return Err(Reason::SecFlags.at(2));
        }
        if signature_len(alg).is_none() {
            return Err(Reason::SecAlgUnsupported.at(1));
        }
        let (copy, rest) = if flags & FLAG_CALLED_COPY == 0 {
            (None, rest)
        } else {
            let cut = Reason::SecSyntax.at(Self::LEN);
            let (&n, rest) = rest.split_first().ok_or(cut)?;
            let (copy, rest) = rest.split_at_checked(usize::from(n)).ok_or(cut)?;
            (Some(CalledCopy::parse(copy).ok_or(cut)?), rest)
        };
        let header = Self {
            alg,
            flags,
            node,
            sai: [a, b, c, d, e, f, g, h],
            tvp: Tvp(u32::from_be_bytes([t0, t1, t2, t3])),
            seq: u64::from_be_bytes([s0, s1, s2, s3, s4, s5, s6, s7]),
            copy,
        };
        let (octets, _) = payload.split_at(payload.len() - rest.len());
        Ok((header, octets, rest))
    }

    /// Appends what [`Header::parse`] reads; the copy flag follows from the copy.
    pub fn emit(&self, out: &mut Vec<u8>) {
        let flags = self.flags & !FLAG_CALLED_COPY | if self.copy.is_some() { FLAG_CALLED_COPY } else { 0 };
        out.extend_from_slice(&[1, self.alg, flags, self.node]);
        out.extend_from_slice(&self.sai);
        out.extend_from_slice(&self.tvp.0.to_be_bytes());
        out.extend_from_slice(&self.seq.to_be_bytes());
        if let Some(copy) = self.copy {
            out.push(copy.octets.len() as u8);
            out.extend_from_slice(copy.octets);
        }
    }

    /// The same header with a copy of this canonical called address; `None` if it is not canonical.
    pub fn with_copy(self, canonical: &'a [u8]) -> Option<Self> {
        Some(Self { copy: Some(CalledCopy::parse(canonical)?), ..self })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: [u8; 24] =
        [1, 1, 0, 1, 0xa0, 0xc3, 0xb8, 0xf3, 0x14, 0xb1, 0xbf, 0xa7, 0x2d, 0xe7, 0x43, 0x80, 0, 0, 0, 0, 0, 0, 0, 1];

    #[test]
    fn header_reads_field_by_field_and_writes_back() -> Result<(), Refusal> {
        let (header, octets, rest) = Header::parse(&HEADER)?;
        assert_eq!((header.alg, header.node, header.seq, octets.len(), rest.len()), (1, 1, 1, 24, 0));
        assert_eq!(header.tvp, Tvp::from_unix_ms(1_795_000_000_000));
        let mut out = Vec::new();
        header.emit(&mut out);
        assert_eq!(out, HEADER);
        Ok(())
    }

    #[test]
    fn each_check_is_earned_by_one_octet() {
        for (at, octet, want) in [
            (0, 2, Reason::SecVersion.at(0)),
            (1, 9, Reason::SecAlgUnsupported.at(1)),
            (2, 4, Reason::SecFlags.at(2)),
            (2, 1, Reason::SecSyntax.at(24)),
        ] {
            let mut bad = HEADER;
            bad[at] = octet;
            assert_eq!(Header::parse(&bad), Err(want), "octet {at} set to {octet}");
        }
        assert_eq!(Header::parse(&HEADER[..23]), Err(Reason::SecSyntax.at(23)));
    }

    #[test]
    fn a_copy_is_canonical_or_refused() -> Result<(), Refusal> {
        let mut octets = HEADER.to_vec();
        octets[2] = FLAG_CALLED_COPY;
        octets.extend_from_slice(b"\x08\x07\x06\x0599901");
        octets.extend_from_slice(&[0xaa; 64]);
        let (header, covered, rest) = Header::parse(&octets)?;
        assert_eq!((covered.len(), rest.len()), (33, 64));
        let title = header.copy.and_then(|copy| copy.title());
        assert_eq!(title.map(|(gt, ssn)| (gt.plan, gt.to_string(), ssn.0)), Some((Plan::E214, "99901".into(), 6)));
        for (at, octet) in [(27, 4), (28, b'a'), (24, 2)] {
            let mut bad = octets.clone();
            bad[at] = octet;
            assert_eq!(Header::parse(&bad).map(|_| ()), Err(Reason::SecSyntax.at(24)), "octet {at}");
        }
        Ok(())
    }

    #[test]
    fn age_is_right_across_the_wrap() {
        assert_eq!(Tvp(4_294_967_294).age_tenths(2_147_483_648_300), 5);
        assert_eq!(Tvp(770_130_716).age_tenths(1_795_000_000_000), 100);
        let check = |tvp| Tvp(tvp).check(1_795_000_000_000, Duration::from_secs(10), Duration::from_secs(5));
        assert_eq!(check(770_130_816 - 100), Ok(()));
        assert_eq!(check(770_130_816 - 101), Err(Reason::SecTimePast));
        assert_eq!(check(770_130_816 + 50), Ok(()));
        assert_eq!(check(770_130_816 + 51), Err(Reason::SecTimeFuture));
    }
}
