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

/// Words that [`each`] takes at most; one more holds what its windows reach beyond the number.
const WORDS: usize = 7;

/// Calls `each` with entry (0 for the multiple 1, 1 for 3, ..) and sign (true: negative) of each digit of `odd`.
///
/// * `odd`: words, least first, an odd number below 2^(64 words); at most [`WORDS`]
/// * `count`: digits, so many that `count` times `window` bits hold it
/// * `negative`: turns all signs
#[inline(always)]
pub(crate) fn each(odd: &[u64], count: usize, window: u32, negative: bool, mut each: impl FnMut(usize, bool)) {
    debug_assert!(odd.first().is_some_and(|word| word & 1 == 1) && odd.len() <= WORDS);
    // v = (u + 2^(wk) - 1) / 2 = floor(u / 2) + 2^(wk - 1), since u is odd: bits 1 to wk of u, with bit wk set.
    let mut words = [0; WORDS + 1];
    words.iter_mut().zip(odd).for_each(|(to, word)| *to = *word);
    let (half, top) = (entries(window), count * window as usize);
    words[top / 64 % words.len()] |= 1 << (top % 64);
    let mut from = 1;
    for _ in 0..count {
        let (word, shift) = (from / 64 % words.len(), from % 64);
        let value = words[word] >> shift | words[(word + 1) % words.len()] << 1 << (63 - shift);
        let digit = value as usize & (2 * half - 1);
        // 2 e - (2^w - 1): positive from e = 2^(w-1) on.
        let positive = digit >= half;
        let entry = digit ^ if positive { half } else { half - 1 };
        each(entry, positive == negative);
        from += window as usize;
    }
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
            each(&odd, count, window, negative, |entry, minus| {
                assert!(entry < entries(window));
                let multiple = (2 * entry as u128 + 1) << (seen * window as usize);
                seen += 1;
                sum = if minus { sum.wrapping_sub(multiple) } else { sum.wrapping_add(multiple) };
            });
            prop_assert_eq!(seen, count);
            prop_assert_eq!(if negative { sum.wrapping_neg() } else { sum }, number);
        }
    }
}
