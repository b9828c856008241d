//! Inverses modulo p by division steps, 62 at a time: a third of the time that Fermat's power takes.
//!
//! f = p and g = the number are halved and subtracted until g is zero and f is their greatest common divisor, 1 or -1.
//! 62 steps look at the low 62 bits only and give a matrix of whole numbers, which is then applied to f and g, and
//! modulo p to d and e, where d is f over the number throughout. The time depends on the number.
//! # Source
//! Bernstein, Yang: "Fast constant-time gcd computation and modular inversion" (2019), sections 8 and 11.

use super::field::Fe;

/// Bits of a limb, and steps of a turn.
const BITS: u32 = 62;
const MASK: u64 = (1 << BITS) - 1;

/// A whole number: limbs of 62 bits, the last one with the sign. The numbers here are below 2^260 either way.
type Whole = [i64; 5];

/// p = 2^255 - 19.
const P: Whole = [(1 << 62) - 19, (1 << 62) - 1, (1 << 62) - 1, (1 << 62) - 1, 127];

/// 1 / p modulo 2^62: p is -19 there, and each turn of Newton's doubles the bits that are right.
const INVERSE_P: u64 = {
    let p = P[0] as u64;
    let (mut inverse, mut turn) = (1_u64, 0);
    while turn < 6 {
        inverse = inverse.wrapping_mul(2_u64.wrapping_sub(p.wrapping_mul(inverse)));
        turn += 1;
    }
    inverse & MASK
};

/// What 62 steps do: (f, g) becomes (u f + v g, q f + r g) / 2^62. |u| + |v| and |q| + |r| are at most 2^62.
struct Matrix {
    u: i64,
    v: i64,
    q: i64,
    r: i64,
}

/// 62 division steps on the low bits of f (odd) and g. `eta` is the paper's -delta and is carried from turn to turn.
fn steps(eta: &mut i64, f: i64, g: i64) -> Matrix {
    let (mut f, mut g) = (f as u64, g as u64);
    let (mut u, mut v, mut q, mut r) = (1_i64, 0_i64, 0_i64, 1_i64);
    let mut left = BITS;
    loop {
        // Even g: halve it, which is to double f's row. A bit above the steps that are left ends the count.
        let zeros = (g | u64::MAX << left).trailing_zeros();
        g >>= zeros;
        (u, v) = (u << zeros, v << zeros);
        *eta -= i64::from(zeros);
        left -= zeros;
        if left == 0 {
            return Matrix { u, v, q, r };
        }
        if *eta < 0 {
            *eta = -*eta;
            (f, g) = (g, f.wrapping_neg());
            (u, q) = (q, -u);
            (v, r) = (r, -v);
        }
        // Both odd: as many multiples of f as clear g's low bits, up to six of them, and no more than the steps that
        // come before the next swap. -1 / f modulo 64 is f (f^2 - 2).
        let clear = left.min(*eta as u32 + 1).min(6);
        let times = f.wrapping_mul(g).wrapping_mul(f.wrapping_mul(f).wrapping_sub(2)) & ((1 << clear) - 1);
        g = g.wrapping_add(f.wrapping_mul(times));
        q += u * times as i64;
        r += v * times as i64;
    }
}

/// (a x + b y + c p) / 2^62, where c makes the division come out even, or is zero if it does anyway.
fn combine(a: i64, x: &Whole, b: i64, y: &Whole, c: i64) -> Whole {
    let mut out = [0; 5];
    let mut sum = 0_i128;
    for at in 0..5 {
        // Each product is below 2^124, so the sum is below 2^126.
        sum +=
            i128::from(a) * i128::from(x[at]) + i128::from(b) * i128::from(y[at]) + i128::from(c) * i128::from(P[at]);
        if at > 0 {
            out[at - 1] = (sum as u64 & MASK) as i64;
        }
        sum >>= BITS;
    }
    out[4] = sum as i64;
    out
}

/// The c for [`combine`], from -2^61 to 2^61: d and e grow by p / 2 a turn.
fn even(a: i64, x: &Whole, b: i64, y: &Whole) -> i64 {
    let low = (a as u64).wrapping_mul(x[0] as u64).wrapping_add((b as u64).wrapping_mul(y[0] as u64));
    // Shifted up and down again: the sign of the 62 bits.
    (low.wrapping_mul(INVERSE_P).wrapping_neg() << 2) as i64 >> 2
}

/// 1 / number; zero stays zero.
pub(super) fn invert(number: Fe) -> Fe {
    let w = number.to_words();
    let limb = |low: u64, high: u64, shift: u32| ((low >> shift | high << (64 - shift)) & MASK) as i64;
    let mut g =
        [(w[0] & MASK) as i64, limb(w[0], w[1], 62), limb(w[1], w[2], 60), limb(w[2], w[3], 58), (w[3] >> 56) as i64];
    let (mut f, mut d, mut e) = (P, [0; 5], [1, 0, 0, 0, 0]);
    let mut eta = -1;
    // At most 12 turns: 741 steps are enough for 255 bits (section 11 of the paper).
    while g != [0; 5] {
        let Matrix { u, v, q, r } = steps(&mut eta, f[0], g[0]);
        (f, g) = (combine(u, &f, v, &g, 0), combine(q, &f, r, &g, 0));
        let (c, t) = (even(u, &d, v, &e), even(q, &d, r, &e));
        (d, e) = (combine(u, &d, v, &e, c), combine(q, &d, r, &e, t));
    }
    // f is 1 or -1, and d is below 8 p either way.
    let inverse = residue(&d);
    if f[4] < 0 { inverse.neg() } else { inverse }
}

/// A whole number modulo p.
fn residue(number: &Whole) -> Fe {
    // Limbs 0 to 3 have 248 bits; the last one, at 2^248, has the sign and is below 2^12.
    let [a, b, c, d, top] = *number;
    let (a, b, c, d) = (a as u64, b as u64, c as u64, d as u64);
    let low = Fe::from_words([a | b << 62, b >> 2 | c << 60, c >> 4 | d << 58, d >> 6]);
    let top_at = Fe::from_words([0, 0, 0, top.unsigned_abs() << 56]);
    // 2^248 2^8 = 2^256 = 38: what from_words would lose.
    let over = Fe::from_words([38 * (top.unsigned_abs() >> 8), 0, 0, 0]);
    let top_part = top_at.add(over);
    if top < 0 { low.sub(top_part) } else { low.add(top_part) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn edges() {
        assert!(invert(Fe::ZERO).is_zero());
        assert_eq!(INVERSE_P.wrapping_mul(P[0] as u64) & MASK, 1);
        for bit in 0..255 {
            let mut words = [0; 4];
            words[bit / 64] = 1 << (bit % 64);
            let power = Fe::from_words(words);
            for number in [power, power.neg(), power.sub(Fe::ONE), power.add(Fe::ONE)] {
                assert_eq!(invert(number), number.fermat(), "2^{bit}");
            }
        }
    }

    proptest! {
        #[test]
        fn inverses_are_fermats(words in prop::array::uniform4(any::<u64>())) {
            let number = Fe::from_words(words);
            prop_assert_eq!(invert(number), number.fermat());
        }
    }
}
