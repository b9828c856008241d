//! Numbers modulo L, the order of the base point, and their signed digits.

/// L = 2^252 + 27742317777372353535851937790883648493, least significant word first (RFC 8032 5.1).
pub(crate) const L: [u64; 4] = [0x5812_631a_5cf5_d3ed, 0x14de_f9de_a2f7_9cd6, 0, 1 << 60];

/// L - 2^252.
const TAIL: [u64; 2] = [L[0], L[1]];

/// Bits of L: each scalar here has at most as many.
pub(crate) const BITS: u32 = 253;

/// 32 octets as four words, both least significant first.
pub(crate) fn words(octets: &[u8; 32]) -> [u64; 4] {
    let mut out = [0; 4];
    out.iter_mut().zip(octets.as_chunks::<8>().0).for_each(|(word, eight)| *word = u64::from_le_bytes(*eight));
    out
}

/// The scalar s of a signature; `None` from L on (RFC 8032 5.1.7: else a signature could be altered).
pub(crate) fn canonical(octets: &[u8; 32]) -> Option<[u64; 4]> {
    let value = words(octets);
    value.iter().rev().lt(L.iter().rev()).then_some(value)
}

/// a - b, and whether that fell below zero.
fn minus(a: [u64; 5], b: [u64; 5]) -> ([u64; 5], bool) {
    let (mut out, mut borrow) = ([0; 5], false);
    for (to, (a, b)) in out.iter_mut().zip(a.into_iter().zip(b)) {
        (*to, borrow) = a.borrowing_sub(b, borrow);
    }
    (out, borrow)
}

fn plus(a: [u64; 5], b: [u64; 5]) -> [u64; 5] {
    let (mut out, mut carry) = ([0; 5], false);
    for (to, (a, b)) in out.iter_mut().zip(a.into_iter().zip(b)) {
        (*to, carry) = a.carrying_add(b, carry);
    }
    out
}

/// Splits off what is above bit 252, multiplied by [`TAIL`]: value = low + 2^252 high, and 2^252 is -TAIL modulo L.
fn fold<const N: usize>(value: &[u64; N]) -> ([u64; 5], [u64; N]) {
    let word = |at: usize| value.get(at).copied().unwrap_or(0);
    let low = [word(0), word(1), word(2), word(3) & (u64::MAX >> 4), 0];
    let mut product = [0; N];
    for at in 0..N.saturating_sub(3) {
        let high = u128::from(word(at + 3) >> 60 | word(at + 4) << 4);
        let mut carry = 0;
        for (to, tail) in product.iter_mut().skip(at).zip(TAIL.into_iter().chain([0])) {
            let sum = high * u128::from(tail) + u128::from(*to) + carry;
            (*to, carry) = (sum as u64, sum >> 64);
        }
    }
    (low, product)
}

/// 512 bits modulo L, least significant octet first.
pub(crate) fn reduce(octets: &[u8; 64]) -> [u64; 4] {
    let mut value = [0; 8];
    value.iter_mut().zip(octets.as_chunks::<8>().0).for_each(|(word, eight)| *word = u64::from_le_bytes(*eight));
    // Each fold takes away 127 bits: 512, 385, 258, 131. The signs alternate.
    let (low0, first) = fold(&value);
    let (low1, second) = fold(&first);
    let (low2, third) = fold(&second);
    let low3 = [third[0], third[1], third[2], 0, 0];
    // low0 + low2 - low1 - low3 is above -2 L and below 2 L.
    const TWO_L: [u64; 5] = [L[0] << 1, L[1] << 1 | L[0] >> 63, L[1] >> 63, L[3] << 1, 0];
    let mut out = minus(minus(plus(plus(low0, low2), TWO_L), low1).0, low3).0;
    for _ in 0..3 {
        let (less, below) = minus(out, [L[0], L[1], L[2], L[3], 0]);
        if !below {
            out = less;
        }
    }
    [out[0], out[1], out[2], out[3]]
}

/// Windows that a scalar below L has.
pub(crate) const fn windows(width: u32) -> usize {
    BITS.div_ceil(width) as usize
}

/// Digits of `scalar` (below L), lowest first: sum of digit times 2^(width i), each above -2^(width - 1) and
/// at most 2^(width - 1), [`windows`] of them.
///
/// The last digit needs no room for a carry: bits 251 down to 126 of L are zero, so with bit 252 there is none, and
/// without it the window is at most 2^(width - 1) - 1 before the carry.
pub(crate) fn digits(scalar: &[u64; 4], width: u32) -> impl Iterator<Item = i32> {
    let ([mut a, mut b, mut c, mut d], mut carry) = (*scalar, 0);
    // Widths are from 1 to 20, so no shift is by 64 and each digit fits.
    (0..windows(width)).map(move |_| {
        let digit = (a & ((1 << width) - 1)) as i32 + carry;
        carry = i32::from(digit > 1 << (width - 1));
        let up = 64 - width;
        (a, b, c, d) = (a >> width | b << up, b >> width | c << up, c >> width | d << up, d >> width);
        digit - (carry << width)
    })
}

/// The largest digit that the last window can have.
pub(crate) const fn last_digit(width: u32) -> usize {
    // The last window starts at a bit from 232 on, within the last word.
    let from = (windows(width) as u32 - 1) * width;
    let top = L[3] >> (from - 192);
    // A carry comes only where bit 252 is zero, so it goes no further than L's own last digit.
    top as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// One bit at a time.
    fn slow_reduce(octets: &[u8; 64]) -> [u64; 4] {
        let mut out = [0; 5];
        for bit in (0..512).rev() {
            out = plus(out, out);
            out[0] |= u64::from(octets[bit / 8] >> (bit % 8) & 1);
            if let (less, false) = minus(out, [L[0], L[1], L[2], L[3], 0]) {
                out = less;
            }
        }
        [out[0], out[1], out[2], out[3]]
    }

    fn octets(value: [u64; 4]) -> [u8; 32] {
        let mut out = [0; 32];
        out.as_chunks_mut::<8>().0.iter_mut().zip(value).for_each(|(to, word)| *to = word.to_le_bytes());
        out
    }

    #[test]
    fn canonical_ends_at_the_order() {
        assert_eq!(canonical(&[0; 32]), Some([0; 4]));
        assert_eq!(canonical(&octets([L[0] - 1, L[1], L[2], L[3]])), Some([L[0] - 1, L[1], L[2], L[3]]));
        for bad in [L, [L[0] + 1, L[1], L[2], L[3]], [0, L[1] + 1, 0, L[3]], [0, 0, 0, L[3] + 1], [u64::MAX; 4]] {
            assert_eq!(canonical(&octets(bad)), None, "{bad:x?}");
        }
    }

    #[test]
    fn reduction_at_the_edges() {
        let mut cases = vec![[0; 64], [0xff; 64]];
        for at in 0..64 {
            for octet in [1, 0x0f, 0x10, 0x80, 0xff] {
                let mut one = [0; 64];
                one[at] = octet;
                let mut upper = [0xff; 64];
                upper[..at].fill(0);
                cases.extend([one, upper, upper.map(|octet| !octet)]);
            }
        }
        // Multiples of L and their neighbours, at every octet.
        for (at, step) in (0..=32).flat_map(|at| [(at, 0_u8), (at, 1), (at, 2)]) {
            let mut one = [0; 64];
            one[at..at + 32].copy_from_slice(&octets(L));
            one[at] = one[at] - 1 + step;
            cases.push(one);
        }
        for case in cases {
            assert_eq!(reduce(&case), slow_reduce(&case), "{case:02x?}");
        }
    }

    fn sum(scalar: &[u64; 4], width: u32) -> [u64; 5] {
        let (mut plus_part, mut minus_part) = ([0; 5], [0; 5]);
        let all: Vec<_> = digits(scalar, width).collect();
        for digit in all.into_iter().rev() {
            for part in [&mut plus_part, &mut minus_part] {
                (0..width).for_each(|_| *part = plus(*part, *part));
            }
            let part = if digit < 0 { &mut minus_part } else { &mut plus_part };
            *part = plus(*part, [u64::from(digit.unsigned_abs()), 0, 0, 0, 0]);
        }
        minus(plus_part, minus_part).0
    }

    #[test]
    fn digits_at_the_edges() {
        let below = [L[0] - 1, L[1], L[2], L[3]];
        let ones = [u64::MAX, u64::MAX, u64::MAX, L[3] - 1];
        for width in 3..=18 {
            for scalar in [[0; 4], [1, 0, 0, 0], below, ones, [0, 0, 0, L[3]], [u64::MAX, u64::MAX, 0, 0]] {
                assert_eq!(sum(&scalar, width)[..4], scalar, "width {width}");
                let half = 1_u32 << (width - 1);
                assert!(digits(&scalar, width).all(|digit| digit.unsigned_abs() <= half));
                let last = digits(&scalar, width).last().unwrap();
                assert!((0..=last_digit(width) as i32).contains(&last), "width {width}: {last}");
            }
            assert!(last_digit(width) <= 1 << (width - 1));
            assert_eq!(digits(&ones, width).last().map(|last| last as usize), Some(last_digit(width)));
        }
    }

    proptest! {
        #[test]
        fn reduction_is_the_slow_one(octets in prop::collection::vec(any::<u8>(), 64)) {
            let octets: [u8; 64] = octets.try_into().unwrap();
            prop_assert_eq!(reduce(&octets), slow_reduce(&octets));
        }

        #[test]
        fn digits_sum_up(octets in prop::collection::vec(any::<u8>(), 64), width in 3_u32..=18) {
            let scalar = reduce(&octets.try_into().unwrap());
            prop_assert_eq!(&sum(&scalar, width)[..4], &scalar);
            let half = 1_u32 << (width - 1);
            prop_assert!(digits(&scalar, width).all(|digit| digit.unsigned_abs() <= half));
            prop_assert!(digits(&scalar, width).last().is_some_and(|last| (0..=last_digit(width) as i32).contains(&last)));
        }
    }
}
