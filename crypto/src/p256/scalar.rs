//! Integers modulo n, the order of P-256's group.

use super::field::{add, less, sub};
use crate::inverse::Modulus;

/// n (SP 800-186 3.2.1.3), words least first.
pub(crate) const N: [u64; 4] =
    [0xf3b9_cac2_fc63_2551, 0xbce6_faad_a717_9e84, 0xffff_ffff_ffff_ffff, 0xffff_ffff_0000_0000];

/// -1 / n modulo 2^64.
const N0: u64 = 0xccd1_c8aa_ee00_bc4f;

static MODULUS: Modulus<4, 5> = Modulus::new(&N);

/// 2^512 modulo n.
const R2: [u64; 4] = [0x8324_4c95_be79_eea2, 0x4699_799c_49bd_6fa6, 0x2845_b239_2b6b_ec59, 0x66e1_2d94_f3d9_5620];

/// Whether 0 < x < n.
pub(crate) fn in_range(x: &[u64; 4]) -> bool {
    *x != [0; 4] && less(x, &N)
}

/// n - x, for x up to n.
pub(crate) fn minus(x: &[u64; 4]) -> [u64; 4] {
    sub(&N, x).0
}

/// x + n, where that is below 2^256.
pub(crate) fn plus(x: &[u64; 4]) -> Option<[u64; 4]> {
    let (sum, carry) = add(x, &N);
    (!carry).then_some(sum)
}

/// R / x modulo n, R = 2^256, for x in range. Variable time.
pub(crate) fn inv(x: &[u64; 4]) -> [u64; 4] {
    mul(&MODULUS.invert(x), &R2)
}

/// The Montgomery product a b / 2^256 modulo n, below n if one factor is.
#[inline]
pub(crate) const fn mul(a: &[u64; 4], b: &[u64; 4]) -> [u64; 4] {
    // t stays below 2 n: five words.
    let mut t = [0_u64; 5];
    let mut at = 0;
    while at < 4 {
        let x = a[at] as u128;
        let mut c = x * b[0] as u128 + t[0] as u128;
        let t0 = c as u64;
        c = (c >> 64) + x * b[1] as u128 + t[1] as u128;
        let t1 = c as u64;
        c = (c >> 64) + x * b[2] as u128 + t[2] as u128;
        let t2 = c as u64;
        c = (c >> 64) + x * b[3] as u128 + t[3] as u128;
        let t3 = c as u64;
        let top = (c >> 64) + t[4] as u128;
        let m = t0.wrapping_mul(N0) as u128;
        let mut c = m * N[0] as u128 + t0 as u128;
        c = (c >> 64) + m * N[1] as u128 + t1 as u128;
        t[0] = c as u64;
        c = (c >> 64) + m * N[2] as u128 + t2 as u128;
        t[1] = c as u64;
        c = (c >> 64) + m * N[3] as u128 + t3 as u128;
        t[2] = c as u64;
        c = (c >> 64) + top;
        t[3] = c as u64;
        t[4] = (c >> 64) as u64;
        at += 1;
    }
    let low = [t[0], t[1], t[2], t[3]];
    let (less, borrow) = sub(&low, &N);
    if borrow && t[4] == 0 { low } else { less }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn inverses_multiply_to_one(words: [u64; 4]) {
            prop_assume!(in_range(&words));
            // x (R / x) / R = 1.
            prop_assert_eq!(mul(&words, &inv(&words)), [1, 0, 0, 0]);
        }

        #[test]
        fn products_agree_with_sums(a: [u64; 4], k in 0_u64..1000) {
            // (a + .. + a) R / R, k times, against the product by k R.
            let a = mul(&a, &R2);
            let mut by_adding = [0; 4];
            for _ in 0..k {
                let (sum, carry) = add(&by_adding, &a);
                by_adding = if carry || !less(&sum, &N) { sub(&sum, &N).0 } else { sum };
            }
            prop_assert_eq!(mul(&a, &mul(&[k, 0, 0, 0], &R2)), by_adding);
        }
    }

    #[test]
    fn edges() {
        assert!(!in_range(&[0; 4]) && in_range(&[1, 0, 0, 0]) && !in_range(&N) && in_range(&minus(&[1, 0, 0, 0])));
        assert_eq!(minus(&N), [0; 4]);
        assert_eq!(plus(&[0; 4]), Some(N));
        assert_eq!(plus(&minus(&[1, 0, 0, 0])), None);
        assert_eq!(mul(&N, &[1, 0, 0, 0]), [0; 4], "a factor may exceed n");
        assert_eq!(mul(&[u64::MAX; 4], &R2), mul(&sub(&[u64::MAX; 4], &N).0, &R2));
    }
}
