//! Integers modulo n, the order of P-256's group.

use super::field::{add, less, mac, sub};
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
#[inline(always)]
pub(crate) fn mul(a: &[u64; 4], b: &[u64; 4]) -> [u64; 4] {
    let mut t = [0; 5];
    t = round(t, a[0], b);
    t = round(t, a[1], b);
    t = round(t, a[2], b);
    t = round(t, a[3], b);
    let low = [t[0], t[1], t[2], t[3]];
    let (less, borrow) = sub(&low, &N);
    if borrow && t[4] == 0 { low } else { less }
}

/// (t + a b) / 2^64 modulo n. From t below 2 n to a result below 2 n.
#[inline(always)]
fn round(t: [u64; 5], a: u64, b: &[u64; 4]) -> [u64; 5] {
    let (t0, c) = mac(t[0], a, b[0], 0);
    let (t1, c) = mac(t[1], a, b[1], c);
    let (t2, c) = mac(t[2], a, b[2], c);
    let (t3, c) = mac(t[3], a, b[3], c);
    let (t4, over) = t[4].overflowing_add(c);
    let m = t0.wrapping_mul(N0);
    let (_, c) = mac(t0, m, N[0], 0);
    let (r0, c) = mac(t1, m, N[1], c);
    let (r1, c) = mac(t2, m, N[2], c);
    let (r2, c) = mac(t3, m, N[3], c);
    let (r3, c) = t4.overflowing_add(c);
    [r0, r1, r2, r3, u64::from(over) + u64::from(c)]
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
