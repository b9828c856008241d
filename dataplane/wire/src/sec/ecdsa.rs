//! The two forms of an ECDSA signature over P-256: DER as DESS carries it, and raw as keys want it (formats 1.3, 7).

use super::{der, put_head};

/// r then s, 32 octets each.
pub type Raw = [u8; 64];

/// The raw form of `SEQUENCE { r INTEGER, s INTEGER }` (RFC 3279 §2.2.3).
///
/// `None` if it is not strict DER: a second way to write the same signature is how replays look new. Also `None` for a
/// number that is negative or longer than 32 octets; whether it is in range is for who verifies.
pub fn from_der(octets: &[u8]) -> Option<Raw> {
    let (sequence, behind) = der(octets, 0x30)?;
    let (r, rest) = der(sequence, 0x02)?;
    let (s, after) = der(rest, 0x02)?;
    if !behind.is_empty() || !after.is_empty() {
        return None;
    }
    let mut raw = [0; 64];
    let (left, right) = raw.split_at_mut(32);
    put_number(r, left)?;
    put_number(s, right)?;
    Some(raw)
}

/// Writes a non-negative INTEGER to the end of `place`.
fn put_number(integer: &[u8], place: &mut [u8]) -> Option<()> {
    let digits = match integer {
        [0, rest @ ..] if rest.first().is_some_and(|first| first & 0x80 != 0) => rest,
        [0] => &[],
        [first, ..] if *first != 0 && first & 0x80 == 0 => integer,
        _ => return None, // empty, negative, or a superfluous zero
    };
    let at = place.len().checked_sub(digits.len())?;
    place.get_mut(at..)?.copy_from_slice(digits);
    Some(())
}

/// Appends what [`from_der`] reads; at most 72 octets.
pub fn put_der(raw: &Raw, out: &mut Vec<u8>) {
    let (r, s) = raw.split_at(32);
    let integer = |number: &[u8]| {
        let zeros = number.iter().take_while(|octet| **octet == 0).count().min(31);
        (zeros, number.get(zeros).is_some_and(|first| first & 0x80 != 0))
    };
    let len = |(zeros, high): (usize, bool)| 2 + usize::from(high) + 32 - zeros;
    put_head(0x30, len(integer(r)) + len(integer(s)), out);
    for number in [r, s] {
        let (zeros, high) = integer(number);
        put_head(0x02, len((zeros, high)) - 2, out);
        if high {
            out.push(0);
        }
        out.extend_from_slice(number.get(zeros..).unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_strict_der_is_read() {
        let mut raw = [0; 64];
        (raw[31], raw[32]) = (1, 0x80);
        let mut good = Vec::new();
        put_der(&raw, &mut good);
        assert_eq!(good[..8], [0x30, 38, 2, 1, 1, 2, 33, 0]);
        assert_eq!(from_der(&good), Some(raw));
        for bad in [
            &[0x30, 6, 2, 1, 0x81, 2, 1, 1][..], // negative
            &[0x30, 7, 2, 2, 0, 1, 2, 1, 1],     // superfluous zero
            &[0x30, 5, 2, 0, 2, 1, 1],           // empty
            &[0x30, 6, 2, 1, 1, 2, 1, 1, 0],     // behind the sequence
            &[0x30, 7, 2, 1, 1, 2, 1, 1, 0],     // in it
            &[0x30, 0x81, 6, 2, 1, 1, 2, 1, 1],  // length not minimal
            &[0x31, 6, 2, 1, 1, 2, 1, 1],
            &[],
        ] {
            assert_eq!(from_der(bad), None, "{bad:02x?}");
        }
        let mut long = vec![0x30, 38, 2, 33, 1];
        long.extend_from_slice(&[0; 32]);
        long.extend_from_slice(&[2, 1, 1]);
        assert_eq!(from_der(&long), None, "33 octets");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(front in 0_usize..34, back in 0_usize..34, octets in proptest::collection::vec(any::<u8>(), 64)) {
            let mut raw: Raw = octets.try_into().expect("64");
            raw[..front.min(32)].fill(0);
            raw[32..32 + back.min(32)].fill(0);
            let mut out = Vec::new();
            put_der(&raw, &mut out);
            prop_assert!(out.len() <= 72);
            prop_assert_eq!(from_der(&out), Some(raw));
        }
    }
}
