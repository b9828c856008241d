//! Inverses modulo an odd number, in variable time: for public values only.
//!
//! Division steps after Bernstein and Yang, "Fast constant-time gcd computation and modular inversion" (CHES 2019), in
//! their variable-time form: 62 steps at a time are decided on the lowest 64 bits of f and g alone and collected into a
//! 2 x 2 matrix; then the matrix is applied to the whole numbers.

/// Bits that one matrix covers. Its entries stay within +-2^62, so that two products of them fit 126 bits.
const STEPS: u32 = 62;
const LIMB: u64 = (1 << STEPS) - 1;

/// A signed number in limbs of 62 bits, least first; all but the last are in 0..2^62.
type Signed<const L: usize> = [i64; L];

/// What 62 division steps do: 2^62 (f, g) becomes (u f + v g, q f + r g).
struct Matrix {
    u: i64,
    v: i64,
    q: i64,
    r: i64,
}

/// An odd modulus, and what inverting modulo it needs. `L` limbs of 62 bits hold it with at least two bits to spare.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Modulus<const W: usize, const L: usize> {
    limbs: Signed<L>,
    /// 1 / modulus, modulo 2^62.
    inverse: u64,
}

impl<const W: usize, const L: usize> Modulus<W, L> {
    /// * `words`: the modulus, odd, in 64-bit words, least first
    pub(crate) const fn new(words: &[u64; W]) -> Self {
        // Newton: each round doubles the bits that are right; an odd number is its own inverse modulo 8.
        let mut inverse = words[0];
        let mut round = 0;
        while round < 5 {
            inverse = inverse.wrapping_mul(2_u64.wrapping_sub(words[0].wrapping_mul(inverse)));
            round += 1;
        }
        Self { limbs: to_limbs(words), inverse: inverse & LIMB }
    }

    /// 1 / `value` modulo the modulus, both below it; zero for zero.
    pub(crate) fn invert(&self, value: &[u64; W]) -> [u64; W] {
        let (mut f, mut g) = (self.limbs, to_limbs(value));
        let (mut d, mut e) = ([0; L], [0; L]);
        e[0] = 1;
        // Limbs of f and g that still hold something; both shrink.
        let mut len = L;
        let mut delta = 1_i64;
        loop {
            let (next, matrix) = steps(delta, f[0] as u64, g[0] as u64);
            delta = next;
            self.apply_to_coefficients(&mut d, &mut e, &matrix);
            apply(&mut f, &mut g, &matrix, len);
            if g[..len].iter().all(|&limb| limb == 0) {
                break;
            }
            len = shorter(&mut f, &mut g, len);
        }
        // g is 0 and f is +-gcd = +-1 (or +-modulus, for value 0, when d is 0).
        self.normalise(d, f[len - 1] < 0)
    }

    /// (d, e) becomes matrix (d, e) / 2^62, modulo the modulus: a multiple of it makes the division exact.
    ///
    /// d and e stay within (-2 modulus, modulus).
    #[inline]
    fn apply_to_coefficients(&self, d: &mut Signed<L>, e: &mut Signed<L>, matrix: &Matrix) {
        let Matrix { u, v, q, r } = *matrix;
        // Adding the modulus to what is negative keeps the range.
        let (sign_d, sign_e) = (d[L - 1] >> 63, e[L - 1] >> 63);
        let mut add_d = (u & sign_d) + (v & sign_e);
        let mut add_e = (q & sign_d) + (r & sign_e);
        let mut low_d = i128::from(u) * i128::from(d[0]) + i128::from(v) * i128::from(e[0]);
        let mut low_e = i128::from(q) * i128::from(d[0]) + i128::from(r) * i128::from(e[0]);
        add_d -= (self.inverse.wrapping_mul(low_d as u64).wrapping_add(add_d as u64) & LIMB) as i64;
        add_e -= (self.inverse.wrapping_mul(low_e as u64).wrapping_add(add_e as u64) & LIMB) as i64;
        low_d += i128::from(self.limbs[0]) * i128::from(add_d);
        low_e += i128::from(self.limbs[0]) * i128::from(add_e);
        low_d >>= STEPS;
        low_e >>= STEPS;
        for at in 1..L {
            low_d += i128::from(u) * i128::from(d[at]) + i128::from(v) * i128::from(e[at]);
            low_e += i128::from(q) * i128::from(d[at]) + i128::from(r) * i128::from(e[at]);
            low_d += i128::from(self.limbs[at]) * i128::from(add_d);
            low_e += i128::from(self.limbs[at]) * i128::from(add_e);
            d[at - 1] = (low_d as u64 & LIMB) as i64;
            e[at - 1] = (low_e as u64 & LIMB) as i64;
            low_d >>= STEPS;
            low_e >>= STEPS;
        }
        d[L - 1] = low_d as i64;
        e[L - 1] = low_e as i64;
    }

    /// `value`, or its negative, in 0..modulus.
    fn normalise(&self, mut value: Signed<L>, negate: bool) -> [u64; W] {
        if negate {
            value = carried(value.map(|limb| -limb));
        }
        // From (-2 modulus, 2 modulus).
        while value[L - 1] < 0 {
            value = carried(zip(&value, &self.limbs, |a, b| a + b));
        }
        loop {
            let less = carried(zip(&value, &self.limbs, |a, b| a - b));
            if less[L - 1] < 0 {
                return to_words(&value);
            }
            value = less;
        }
    }
}

/// 62 division steps on the low bits of f (odd) and g.
///
/// Zeros at the end of g are shifted out all at once. Between two of them several steps that add a multiple of f are
/// done as one: the multiple that clears the lowest bits of g is found from f and g modulo 64 or 16.
#[inline]
fn steps(mut delta: i64, mut f: u64, mut g: u64) -> (i64, Matrix) {
    let (mut u, mut v, mut q, mut r) = (1_u64, 0_u64, 0_u64, 1_u64);
    let mut left = STEPS;
    loop {
        let zeros = (g | (u64::MAX << left)).trailing_zeros();
        g >>= zeros;
        u <<= zeros;
        v <<= zeros;
        delta += i64::from(zeros);
        left -= zeros;
        if left == 0 {
            break;
        }
        // Until delta is positive again, no swap can come: so many low bits of g may be cleared at once.
        let multiple = if delta > 0 {
            delta = -delta;
            (f, g) = (g, f.wrapping_neg());
            (u, q) = (q, u.wrapping_neg());
            (v, r) = (r, v.wrapping_neg());
            let bits = left.min((1 - delta) as u32).min(6);
            // -1 / f modulo 64 is f (f^2 - 2), for odd f.
            f.wrapping_mul(g).wrapping_mul(f.wrapping_mul(f).wrapping_sub(2)) & (u64::MAX >> (64 - bits))
        } else {
            let bits = left.min((1 - delta) as u32).min(4);
            // 1 / f modulo 16 is f, with bit 3 changed where f is 3 or 5 modulo 8.
            let inverse = f.wrapping_add((f.wrapping_add(1) & 4) << 1);
            inverse.wrapping_neg().wrapping_mul(g) & (u64::MAX >> (64 - bits))
        };
        g = g.wrapping_add(f.wrapping_mul(multiple));
        q = q.wrapping_add(u.wrapping_mul(multiple));
        r = r.wrapping_add(v.wrapping_mul(multiple));
    }
    (delta, Matrix { u: u as i64, v: v as i64, q: q as i64, r: r as i64 })
}

/// (f, g) becomes matrix (f, g) / 2^62; the division is exact by construction of the matrix.
#[inline]
fn apply<const L: usize>(f: &mut Signed<L>, g: &mut Signed<L>, matrix: &Matrix, len: usize) {
    let Matrix { u, v, q, r } = *matrix;
    let (mut low_f, mut low_g) = (0_i128, 0_i128);
    for at in 0..len {
        let (limb_f, limb_g) = (i128::from(f[at]), i128::from(g[at]));
        low_f += i128::from(u) * limb_f + i128::from(v) * limb_g;
        low_g += i128::from(q) * limb_f + i128::from(r) * limb_g;
        if at > 0 {
            f[at - 1] = (low_f as u64 & LIMB) as i64;
            g[at - 1] = (low_g as u64 & LIMB) as i64;
        }
        low_f >>= STEPS;
        low_g >>= STEPS;
    }
    f[len - 1] = low_f as i64;
    g[len - 1] = low_g as i64;
}

/// Drops the last limb of both where it is nothing but a sign.
fn shorter<const L: usize>(f: &mut Signed<L>, g: &mut Signed<L>, len: usize) -> usize {
    let (last_f, last_g) = (f[len - 1], g[len - 1]);
    if len < 2 || last_f != last_f >> 63 || last_g != last_g >> 63 {
        return len;
    }
    // The sign goes to the limb before, as its bits above the 62nd.
    f[len - 2] |= ((last_f as u64) << STEPS) as i64;
    g[len - 2] |= ((last_g as u64) << STEPS) as i64;
    len - 1
}

fn zip<const L: usize>(a: &Signed<L>, b: &Signed<L>, each: impl Fn(i64, i64) -> i64) -> Signed<L> {
    core::array::from_fn(|at| each(a[at], b[at]))
}

/// Brings all limbs but the last back to 0..2^62.
fn carried<const L: usize>(mut value: Signed<L>) -> Signed<L> {
    for at in 0..L - 1 {
        value[at + 1] += value[at] >> STEPS;
        value[at] &= LIMB as i64;
    }
    value
}

const fn to_limbs<const W: usize, const L: usize>(words: &[u64; W]) -> Signed<L> {
    let mut limbs = [0; L];
    let mut at = 0;
    while at < L {
        let bit = at * STEPS as usize;
        let (word, shift) = (bit / 64, bit % 64);
        let mut limb = if word < W { words[word] >> shift } else { 0 };
        if shift > 2 && word + 1 < W {
            limb |= words[word + 1] << (64 - shift);
        }
        limbs[at] = (limb & LIMB) as i64;
        at += 1;
    }
    limbs
}

fn to_words<const W: usize, const L: usize>(limbs: &Signed<L>) -> [u64; W] {
    let mut words = [0; W];
    for (at, &limb) in limbs.iter().enumerate() {
        let bit = at * STEPS as usize;
        let (word, shift) = (bit / 64, bit % 64);
        if word < W {
            words[word] |= (limb as u64) << shift;
        }
        if shift > 2 && word + 1 < W {
            words[word + 1] |= (limb as u64) >> (64 - shift);
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a small modulus makes easy to check: all values, and an inverse of none.
    #[test]
    fn every_value_of_small_moduli() {
        for modulus in [3_u64, 5, 17, 251, 65_521] {
            let inverses = Modulus::<1, 2>::new(&[modulus]);
            assert_eq!(inverses.invert(&[0]), [0]);
            for value in (1..modulus).step_by(1 + modulus as usize / 300) {
                let [inverse] = inverses.invert(&[value]);
                assert!(inverse < modulus && value * inverse % modulus == 1, "1 / {value} modulo {modulus}");
            }
        }
    }
}
