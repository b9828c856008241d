//! Integers modulo n, out of what [`Curve`] offers and additions word by word: simple and slow, for tests and fuzzing.

use super::field::Curve;

/// A number by its words, least first; those that are missing are zero.
pub(crate) fn words<C: Curve>(words: &[u64]) -> C::Words {
    let mut octets: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    octets.resize(C::OCTETS, 0);
    octets.reverse();
    C::integer(&octets).expect("octets of a coordinate")
}

/// Most significant first.
pub(crate) fn octets<C: Curve>(number: &C::Words) -> Vec<u8> {
    number.as_ref().iter().rev().flat_map(|word| word.to_be_bytes()).collect()
}

pub(crate) fn zero<C: Curve>() -> C::Words {
    C::Words::default()
}

pub(crate) fn small<C: Curve>(number: u64) -> C::Words {
    words::<C>(&[number])
}

/// 2^bit.
pub(crate) fn power<C: Curve>(bit: usize) -> C::Words {
    let mut power = vec![0; bit / 64 + 1];
    power[bit / 64] = 1 << (bit % 64);
    words::<C>(&power)
}

/// 2^bits - 1.
pub(crate) fn ones<C: Curve>(bits: usize) -> C::Words {
    if bits == 64 * (C::OCTETS / 8) {
        return words::<C>(&vec![u64::MAX; C::OCTETS / 8]);
    }
    difference::<C>(&power::<C>(bits), &small::<C>(1))
}

/// n.
pub(crate) fn order<C: Curve>() -> C::Words {
    C::order_minus(&zero::<C>())
}

/// a < b.
pub(crate) fn less<C: Curve>(a: &C::Words, b: &C::Words) -> bool {
    a.as_ref().iter().rev().lt(b.as_ref().iter().rev())
}

/// a + b, and whether it does not fit.
pub(crate) fn plain_sum<C: Curve>(a: &C::Words, b: &C::Words) -> (C::Words, bool) {
    let mut carry = false;
    let sum: Vec<_> = a
        .as_ref()
        .iter()
        .zip(b.as_ref())
        .map(|(a, b)| {
            let (sum, over) = a.carrying_add(*b, carry);
            carry = over;
            sum
        })
        .collect();
    (words::<C>(&sum), carry)
}

/// a - b, modulo a power of two.
pub(crate) fn difference<C: Curve>(a: &C::Words, b: &C::Words) -> C::Words {
    let mut borrow = false;
    let difference: Vec<_> = a
        .as_ref()
        .iter()
        .zip(b.as_ref())
        .map(|(a, b)| {
            let (difference, under) = a.borrowing_sub(*b, borrow);
            borrow = under;
            difference
        })
        .collect();
    words::<C>(&difference)
}

/// a + b modulo n; both below n.
pub(crate) fn sum<C: Curve>(a: &C::Words, b: &C::Words) -> C::Words {
    let (sum, over) = plain_sum::<C>(a, b);
    if over || !less::<C>(&sum, &order::<C>()) { difference::<C>(&sum, &order::<C>()) } else { sum }
}

/// -a modulo n, for a below n.
pub(crate) fn negative<C: Curve>(a: &C::Words) -> C::Words {
    if *a == zero::<C>() { *a } else { C::order_minus(a) }
}

/// a b modulo n; one of them below n, b in range.
pub(crate) fn product<C: Curve>(a: &C::Words, b: &C::Words) -> C::Words {
    // The inverse of x is R / x, so this is a (R / (R / b / R)) / R.
    let over_b = C::order_mul(&C::order_inv(b), &small::<C>(1));
    C::order_mul(a, &C::order_inv(&over_b))
}

/// a / b modulo n, b in range.
pub(crate) fn quotient<C: Curve>(a: &C::Words, b: &C::Words) -> C::Words {
    C::order_mul(a, &C::order_inv(b))
}

/// a modulo n, for a below 2 n.
pub(crate) fn reduced<C: Curve>(a: &C::Words) -> C::Words {
    if less::<C>(a, &order::<C>()) { *a } else { difference::<C>(a, &order::<C>()) }
}

/// (u1 + u2 d) modulo n: what u1 G + u2 Q is of G, for the key Q = d G; d in range.
pub(crate) fn linear<C: Curve>(u1: &C::Words, u2: &C::Words, d: &C::Words) -> C::Words {
    sum::<C>(u1, &product::<C>(u2, d))
}

/// r then s.
pub(crate) fn signature<C: Curve>(r: &C::Words, s: &C::Words) -> Vec<u8> {
    [octets::<C>(r), octets::<C>(s)].concat()
}

/// Digest and signature by r for which the verifier meets u1 and u2: s = r / u2, z = u1 s. Neither r nor u2 is zero.
pub(crate) fn by<C: Curve>(r: &C::Words, u1: &C::Words, u2: &C::Words) -> (Vec<u8>, Vec<u8>) {
    let s = quotient::<C>(r, u2);
    (octets::<C>(&product::<C>(u1, &s)), signature::<C>(r, &s))
}
