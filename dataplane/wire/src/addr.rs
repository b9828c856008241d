//! A type for each identifier of signalling networks, so that a point code is never a port and digits never text.

use core::fmt;
use core::str::FromStr;

/// An ITU-T signalling point code, 14 bits (Q.704 §2.2); M3UA carries it in 32 (RFC 4666 §3.3.1).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct PointCode(pub u32);

/// An SCCP subsystem number (Q.713 §3.4.2.2).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Ssn(pub u8);

impl Ssn {
    /// Home location register.
    pub const HLR: Ssn = Ssn(6);
    /// Visitor location register.
    pub const VLR: Ssn = Ssn(7);
    /// Mobile switching centre.
    pub const MSC: Ssn = Ssn(8);
    /// CAP (TS 23.003 §13).
    pub const CAP: Ssn = Ssn(146);
}

/// Up to 32 address digits, one nibble each, as the wire packs them: the first digit in the low nibble.
///
/// Digits above 9 are kept: what a decoder saw and what is allowed are two questions. They lie in words, which move in
/// registers, and not in octets, which do not.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Digits {
    /// The first 16 digits, the first one lowest; zero beyond the last.
    low: u64,
    high: u64,
    len: u8,
}

impl Digits {
    /// The most digits that fit.
    pub const MAX: usize = 32;

    /// Reads the first `count` nibbles of `octets`, low nibble first (TBCD, Q.713 §3.4.2.3).
    ///
    /// `None` if there are fewer nibbles than `count`, or more than [`Digits::MAX`] are asked for.
    #[inline]
    pub fn from_nibbles(octets: &[u8], count: usize) -> Option<Self> {
        let used = octets.get(..count.div_ceil(2))?;
        let odd = count % 2 == 1; // then equality must not see the filler
        if let Some(word) = pack8(used) {
            let low = if odd { word & u64::MAX >> (64 - 4 * count) } else { word };
            return Some(Self { low, high: 0, len: count as u8 });
        }
        if count > Self::MAX {
            return None;
        }
        let word = pack16(used);
        let word = if odd { word & u128::MAX >> (128 - 4 * count) } else { word };
        Some(Self { low: word as u64, high: (word >> 64) as u64, len: count as u8 })
    }

    /// Reads TBCD that ends at its last octet or at one filler nibble `F` (TS 29.002 TBCD-STRING).
    ///
    /// `None` if it is longer than 16 octets.
    #[inline]
    pub fn from_tbcd(octets: &[u8]) -> Option<Self> {
        let filler = octets.last().is_some_and(|last| last >> 4 == 0x0f);
        Self::from_nibbles(octets, octets.len() * 2 - usize::from(filler))
    }

    /// How many digits.
    pub fn len(&self) -> usize {
        usize::from(self.len)
    }

    /// True if there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Digit number `i` from the left, as a value 0 to 15.
    pub fn get(&self, i: usize) -> Option<u8> {
        if i >= self.len() {
            return None;
        }
        Some((self.word() >> (4 * i)) as u8 & 0x0f)
    }

    /// The digits from left to right, as values 0 to 15.
    #[inline]
    pub fn iter(&self) -> impl Iterator<Item = u8> + use<> {
        let mut word = self.word();
        (0..self.len).map(move |_| {
            let digit = word as u8 & 0x0f;
            word >>= 4;
            digit
        })
    }

    /// All nibbles in one word, the first digit lowest.
    fn word(&self) -> u128 {
        u128::from(self.low) | u128::from(self.high) << 64
    }

    /// True if every digit is 0 to 9.
    #[inline]
    pub fn is_decimal(&self) -> bool {
        // A nibble is above 9 if its 8 is set together with its 4 or its 2.
        let above = |word: u64| (word >> 3) & (word >> 2 | word >> 1) & (u64::MAX / 15);
        above(self.low) | above(self.high) == 0
    }

    /// True if these digits begin with `prefix`.
    pub fn starts_with(&self, prefix: &Digits) -> bool {
        let unused = 128 - 4 * u32::from(prefix.len);
        let differ = (self.word() ^ prefix.word()).checked_shl(unused).unwrap_or(0);
        prefix.len <= self.len && differ == 0
    }

    /// Appends the digits as ASCII; values above 9 as `a` to `f`.
    pub fn write_ascii(&self, out: &mut Vec<u8>) {
        out.extend(self.iter().map(|digit| b"0123456789abcdef"[usize::from(digit & 0x0f)]));
    }

    /// Appends the packed nibbles; an odd count is filled up with `filler` (0 in SCCP, 15 in TBCD).
    pub fn write_packed(&self, filler: u8, out: &mut Vec<u8>) {
        let whole = self.len() / 2;
        let packed = self.packed();
        out.extend_from_slice(&packed[..whole]);
        if self.len() % 2 == 1 {
            out.push(packed[whole] | filler << 4);
        }
    }

    /// The digits packed two to an octet, zero beyond the last: a key for tables.
    pub fn packed(&self) -> [u8; 16] {
        self.word().to_le_bytes()
    }
}

impl fmt::Display for Digits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.iter().try_for_each(|digit| write!(f, "{digit:x}"))
    }
}

impl fmt::Debug for Digits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

/// At most 8 octets in one word, the first lowest; `None` for more. By parts that overlap: a copy whose length nobody knows
/// is a call.
#[inline(always)]
fn pack8(octets: &[u8]) -> Option<u64> {
    let len = octets.len();
    if let (4..=8, Some(&low), Some(&high)) = (len, octets.first_chunk(), octets.last_chunk()) {
        let (low, high) = (u32::from_le_bytes(low), u32::from_le_bytes(high));
        return Some(u64::from(low) | u64::from(high) << (8 * (len - 4)));
    }
    (len < 4).then(|| octets.iter().rev().fold(0, |word, octet| word << 8 | u64::from(*octet)))
}

/// 8 to 16 octets in one word, the first lowest; 0 for any other number.
fn pack16(octets: &[u8]) -> u128 {
    let (8..=16, Some(&low), Some(&high)) = (octets.len(), octets.first_chunk(), octets.last_chunk()) else { return 0 };
    let (low, high) = (u64::from_le_bytes(low), u64::from_le_bytes(high));
    u128::from(low) | u128::from(high) << (8 * (octets.len() - 8))
}

/// Text is not a string of up to 32 digits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NotDigits;

impl fmt::Display for NotDigits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a string of at most 32 digits")
    }
}

impl core::error::Error for NotDigits {}

impl FromStr for Digits {
    type Err = NotDigits;

    fn from_str(text: &str) -> Result<Self, NotDigits> {
        if text.len() > Self::MAX {
            return Err(NotDigits);
        }
        let mut word = 0;
        for (i, c) in text.chars().enumerate() {
            word |= u128::from(c.to_digit(16).ok_or(NotDigits)?) << (4 * i);
        }
        Ok(Self { low: word as u64, high: (word >> 64) as u64, len: text.len() as u8 })
    }
}

/// A numbering plan that a protected Global Title may have (Q.713 §3.4.2.3.3).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum Plan {
    /// ISDN/telephony numbers, E.164.
    E164 = 1,
    /// ISDN/mobile numbers, E.214.
    E214 = 7,
}

impl Plan {
    /// The plan of an SCCP numbering-plan nibble; `None` for every plan not accepted from interconnect.
    pub const fn from_wire(nibble: u8) -> Option<Self> {
        match nibble {
            1 => Some(Plan::E164),
            7 => Some(Plan::E214),
            _ => None,
        }
    }
}

/// A Global Title that can be canonicalised: plan E.164 or E.214, 1 to 15 decimal digits (formats 1.1).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct GlobalTitle {
    /// Numbering plan.
    pub plan: Plan,
    /// 1 to 15 decimal digits.
    pub digits: Digits,
}

impl GlobalTitle {
    /// Appends `plan(1) || ssn(1) || n(1) || digits(n, ASCII)`: the form that signatures cover (formats 1.1).
    pub fn write_canonical(&self, ssn: Ssn, out: &mut Vec<u8>) {
        out.extend_from_slice(&[self.plan as u8, ssn.0, self.digits.len() as u8]);
        self.digits.write_ascii(out);
    }
}

impl fmt::Display for GlobalTitle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.digits.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nibbles_read_low_first_and_ignore_the_filler() {
        let odd = Digits::from_nibbles(&[0x99, 0x09, 0xf2], 5);
        assert_eq!(odd, "99902".parse().ok());
        assert_eq!(Digits::from_nibbles(&[0x99], 3), None);
        assert_eq!(Digits::from_tbcd(&[0x21, 0x43, 0xf5]), "12345".parse().ok());
    }

    #[test]
    fn every_length_is_read_whole() {
        let octets: Vec<u8> = (0x11..0x21).collect();
        for len in 0..=16 {
            let digits = Digits::from_nibbles(&octets[..len], len * 2).unwrap_or_default();
            assert_eq!((digits.len(), &digits.packed()[..len]), (len * 2, &octets[..len]));
            assert!(digits.packed()[len..].iter().all(|octet| *octet == 0), "{len}");
            let want: Vec<u8> = octets[..len].iter().flat_map(|octet| [octet & 0x0f, octet >> 4]).collect();
            assert!(digits.iter().eq(want), "{len}");
            assert_eq!((0..32).map_while(|i| digits.get(i)).count(), len * 2);
        }
    }

    #[test]
    fn a_prefix_is_a_prefix_by_digits() {
        let number: Digits = "999020000011".parse().unwrap_or_default();
        for (prefix, want) in [("99902", true), ("", true), ("99903", false), ("9990200000110", false)] {
            let prefix: Digits = prefix.parse().unwrap_or_default();
            assert_eq!(number.starts_with(&prefix), want, "{prefix}");
        }
    }

    #[test]
    fn digits_above_nine_are_seen_at_each_place() {
        for at in 0..Digits::MAX {
            for value in 0..16_u8 {
                let mut packed = [0x99; 16];
                packed[at / 2] = if at % 2 == 0 { 0x90 | value } else { value << 4 | 9 };
                let digits = Digits::from_nibbles(&packed, Digits::MAX).unwrap_or_default();
                assert_eq!(digits.is_decimal(), value < 10, "{value} at {at}");
            }
        }
    }

    #[test]
    fn writing_gives_back_what_was_read() {
        let digits = Digits::from_nibbles(&[0x21, 0x43, 0x05], 5).unwrap_or_default();
        assert_eq!(digits.to_string(), "12345");
        let mut packed = Vec::new();
        digits.write_packed(0x0f, &mut packed);
        assert_eq!(packed, [0x21, 0x43, 0xf5]);
    }
}
