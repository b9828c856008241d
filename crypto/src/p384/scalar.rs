//! Integers modulo n, the order of P-384's group.

use super::words::{self, Words, mac};
use crate::inverse::Modulus;

/// n (SP 800-186 §3.2.1.4), between 2^383 and 2^384.
pub(crate) const N: Words = [
    0xecec_196a_ccc5_2973,
    0x581a_0db2_48b0_a77a,
    0xc763_4d81_f437_2ddf,
    0xffff_ffff_ffff_ffff,
    0xffff_ffff_ffff_ffff,
    0xffff_ffff_ffff_ffff,
];

/// -1 / n modulo 2^64.
const STEP: u64 = 0x6ed4_6089_e88f_dc45;

static MODULUS: Modulus<6, 7> = Modulus::new(&N);

/// 2^768 modulo n.
const R2: Words = words::power_of_two(768, &N);

/// Whether 0 < x < n (FIPS 186-5 §6.4.2 step 1).
pub(crate) fn in_range(x: &Words) -> bool {
    *x != [0; 6] && words::less(x, &N)
}

/// n - x, for x up to n.
pub(crate) fn minus(x: &Words) -> Words {
    words::sub(&N, x).0
}

/// x + n, where that is below 2^384.
pub(crate) fn plus(x: &Words) -> Option<Words> {
    let (sum, carry) = words::add(x, &N);
    (carry == 0).then_some(sum)
}

/// R / x modulo n, R = 2^384, for x in range. Variable time.
pub(crate) fn inv(x: &Words) -> Words {
    mul(&MODULUS.invert(x), &R2)
}

/// The Montgomery product a b / 2^384 modulo n, below n if one factor is.
pub(crate) const fn mul(a: &Words, b: &Words) -> Words {
    // With one factor below n the rows' sums stay below 2^385 and end below 2 n: (a b + n 2^384) / 2^384.
    let (mut t, mut top) = ([0u64; 6], 0u64);
    let mut i = 0;
    while i < 6 {
        let (sum, c) = add_product(&t, a[i], b);
        let high = top as u128 + c as u128;
        let (sum, c) = add_product(&sum, sum[0].wrapping_mul(STEP), &N);
        let high = high + c as u128;
        t = [sum[1], sum[2], sum[3], sum[4], sum[5], high as u64];
        top = (high >> 64) as u64;
        i += 1;
    }
    words::reduce_once(&t, top, &N)
}

/// `t + a * b`, and the carry word.
#[inline(always)]
const fn add_product(t: &Words, a: u64, b: &Words) -> (Words, u64) {
    let (t0, c) = mac(t[0], a, b[0], 0);
    let (t1, c) = mac(t[1], a, b[1], c);
    let (t2, c) = mac(t[2], a, b[2], c);
    let (t3, c) = mac(t[3], a, b[3], c);
    let (t4, c) = mac(t[4], a, b[4], c);
    let (t5, c) = mac(t[5], a, b[5], c);
    ([t0, t1, t2, t3, t4, t5], c)
}

#[cfg(test)]
mod tests {
    use super::super::words::naive;
    use super::*;
    use proptest::prelude::*;

    const ONE: Words = [1, 0, 0, 0, 0, 0];

    #[test]
    fn edges() {
        assert!(!in_range(&[0; 6]) && in_range(&ONE) && in_range(&minus(&ONE)));
        assert!(!in_range(&N) && !in_range(&words::add(&N, &ONE).0) && !in_range(&[u64::MAX; 6]));
        assert_eq!((minus(&N), minus(&[0; 6])), ([0; 6], N));
        assert_eq!(plus(&[0; 6]), Some(N));
        let room = words::sub(&[u64::MAX; 6], &N).0;
        assert_eq!((plus(&room), plus(&words::add(&room, &ONE).0)), (Some([u64::MAX; 6]), None));
        assert_eq!(STEP.wrapping_mul(N[0]), u64::MAX);
        assert_eq!(mul(&N, &ONE), [0; 6], "a factor may exceed n");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1000))]
        #[test]
        fn agrees_with_simple_arithmetic(a in naive::below(N), b in naive::below([u64::MAX; 6])) {
            // A digest is any number of 384 bits.
            for (x, y) in [(a, b), (b, a)] {
                let product = naive::mul(&mul(&x, &y), &words::power_of_two(384, &N), &N);
                prop_assert_eq!(product, naive::mul(&naive::reduce(&x, &N), &naive::reduce(&y, &N), &N));
            }
            if in_range(&a) {
                // a (R / a) / R
                prop_assert_eq!(mul(&a, &inv(&a)), ONE);
            }
        }
    }
}
