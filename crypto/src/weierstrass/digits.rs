//! A scalar as a sum of odd signed digits.
//!
//! For odd u below 2^(wk), v = (u + 2^(wk) - 1) / 2 is an integer below 2^(wk); with e_i its digits in base 2^w,
//! u = 2 v - (2^(wk) - 1) = sum of (2 e_i - (2^w - 1)) 2^(wi). Each of these digits is odd and between -(2^w - 1) and 2^w - 1,
//! so no window is empty and no addition is skipped. An even u is replaced by n - u, which is odd, with all signs turned.

/// Windows of `window` bits that hold `bits` bits.
pub(crate) const fn windows(bits: usize, window: u32) -> usize {
    bits.div_ceil(window as usize)
}

/// Entries of one window: the odd multiples 1, 3, .. 2^w - 1.
pub(crate) const fn entries(window: u32) -> usize {
    1 << (window - 1)
}

/// Calls `each` with window, entry (0 for the multiple 1, 1 for 3, ..) and sign (true: negative) of each digit of `odd`.
///
/// * `odd`: words, least first, an odd number below 2^(64 words)
/// * `negative`: turns all signs
#[inline]
pub(crate) fn each(odd: &[u64], count: usize, window: u32, negative: bool, mut each: impl FnMut(usize, usize, bool)) {
    debug_assert!(odd.first().is_some_and(|word| word & 1 == 1));
    let half = entries(window);
    let bits = count * window as usize;
    // v = (u + 2^(wk) - 1) / 2 = floor(u / 2) + 2^(wk - 1), since u is odd.
    for at in 0..count {
        let mut digit = extract(odd, at * window as usize + 1, window);
        if (at + 1) * window as usize == bits {
            // Bit wk - 1 of v: u / 2 has none there.
            digit |= half;
        }
        // 2 e - (2^w - 1): positive from e = 2^(w-1) on.
        let positive = digit >= half;
        let entry = if positive { digit - half } else { half - 1 - digit };
        each(at, entry, positive == negative);
    }
}

/// `len` bits from bit `from` on; zeros beyond the end.
#[inline]
fn extract(words: &[u64], from: usize, len: u32) -> usize {
    let (word, shift) = (from / 64, from % 64);
    let mut value = words.get(word).map_or(0, |word| word >> shift);
    if shift > 0 {
        value |= words.get(word + 1).map_or(0, |word| word << (64 - shift));
    }
    (value & ((1 << len) - 1)) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// The digits add up to the number again, in arithmetic modulo 2^128 (a window sum never needs more here).
        #[test]
        fn digits_add_up(low: u64, high: u64, window in 2_u32..17, negative: bool) {
            let odd = [low | 1, high];
            let number = u128::from(odd[0]) | u128::from(odd[1]) << 64;
            let count = windows(128, window);
            let mut sum = 0_u128;
            let mut seen = 0;
            each(&odd, count, window, negative, |at, entry, minus| {
                assert_eq!(at, seen);
                assert!(entry < entries(window));
                seen += 1;
                let multiple = (2 * entry as u128 + 1) << (at * window as usize);
                sum = if minus { sum.wrapping_sub(multiple) } else { sum.wrapping_add(multiple) };
            });
            prop_assert_eq!(seen, count);
            prop_assert_eq!(if negative { sum.wrapping_neg() } else { sum }, number);
        }
    }
}
