//! Six 64-bit words, the least first: what field elements and scalars share.

/// A number below 2^384, the least word first.
pub(crate) type Words = [u64; 6];

/// `a + b + carry`, and the carry out; `carry` may be any word.
#[inline(always)]
pub(crate) const fn adc(a: u64, b: u64, carry: u64) -> (u64, u64) {
    let sum = a as u128 + b as u128 + carry as u128; // below 3 * 2^64
    (sum as u64, (sum >> 64) as u64)
}

/// `a - b - borrow`, and the borrow out (0 or 1); `borrow` is 0 or 1.
#[inline(always)]
pub(crate) const fn sbb(a: u64, b: u64, borrow: u64) -> (u64, u64) {
    let (diff, below) = a.overflowing_sub(b);
    let (diff, below_too) = diff.overflowing_sub(borrow);
    (diff, (below | below_too) as u64)
}

/// `acc + a * b + carry`, and the carry out: at most (2^64 - 1)^2 + 2 (2^64 - 1) = 2^128 - 1, so it fits two words.
#[inline(always)]
pub(crate) const fn mac(acc: u64, a: u64, b: u64, carry: u64) -> (u64, u64) {
    let sum = a as u128 * b as u128 + acc as u128 + carry as u128;
    (sum as u64, (sum >> 64) as u64)
}

/// `a - b` modulo 2^384, and the borrow out (0 or 1).
#[inline(always)]
pub(crate) const fn sub(a: &Words, b: &Words) -> (Words, u64) {
    let (d0, c) = sbb(a[0], b[0], 0);
    let (d1, c) = sbb(a[1], b[1], c);
    let (d2, c) = sbb(a[2], b[2], c);
    let (d3, c) = sbb(a[3], b[3], c);
    let (d4, c) = sbb(a[4], b[4], c);
    let (d5, c) = sbb(a[5], b[5], c);
    ([d0, d1, d2, d3, d4, d5], c)
}

/// `a + b` modulo 2^384, and the carry out (0 or 1).
#[inline(always)]
pub(crate) const fn add(a: &Words, b: &Words) -> (Words, u64) {
    let (s0, c) = adc(a[0], b[0], 0);
    let (s1, c) = adc(a[1], b[1], c);
    let (s2, c) = adc(a[2], b[2], c);
    let (s3, c) = adc(a[3], b[3], c);
    let (s4, c) = adc(a[4], b[4], c);
    let (s5, c) = adc(a[5], b[5], c);
    ([s0, s1, s2, s3, s4, s5], c)
}

/// `top * 2^384 + a`, less `m` where it is not below `m`. The whole is below 2 m.
#[inline(always)]
pub(crate) const fn reduce_once(a: &Words, top: u64, m: &Words) -> Words {
    let (less, borrow) = sub(a, m);
    if top < borrow { *a } else { less }
}

/// `a + b` modulo `m`; both below `m`.
#[inline(always)]
pub(crate) const fn add_mod(a: &Words, b: &Words, m: &Words) -> Words {
    let (sum, carry) = add(a, b);
    reduce_once(&sum, carry, m)
}

/// `a - b` modulo `m`; both below `m`.
#[inline(always)]
pub(crate) const fn sub_mod(a: &Words, b: &Words, m: &Words) -> Words {
    let (diff, borrow) = sub(a, b);
    if borrow == 1 { add(&diff, m).0 } else { diff }
}

/// Whether `a` is below `b`.
pub(crate) const fn less(a: &Words, b: &Words) -> bool {
    sub(a, b).1 == 1
}

/// `2^bits` modulo `m`, which is above 2^383. For constants: one doubling a bit.
pub(crate) const fn power_of_two(bits: u32, m: &Words) -> Words {
    let mut value = [1, 0, 0, 0, 0, 0];
    let mut done = 0;
    while done < bits {
        value = add_mod(&value, &value, m);
        done += 1;
    }
    value
}

/// Reads 48 octets, the most significant first.
pub(crate) fn from_octets(octets: &[u8; 48]) -> Words {
    let mut words = [0; 6];
    for (word, eight) in words.iter_mut().rev().zip(octets.as_chunks::<8>().0) {
        *word = u64::from_be_bytes(*eight);
    }
    words
}

/// Writes 48 octets, the most significant first.
#[cfg(test)]
pub(crate) fn to_octets(words: &Words) -> [u8; 48] {
    let mut octets = [0; 48];
    for (word, eight) in words.iter().rev().zip(octets.as_chunks_mut::<8>().0) {
        *eight = word.to_be_bytes();
    }
    octets
}

/// Simple arithmetic for the tests of this directory, bit by bit and slow.
#[cfg(test)]
pub(crate) mod naive {
    use super::{Words, add_mod, less, sub};
    use proptest::prelude::*;

    /// `a` modulo `m`, which is above 2^383.
    pub(crate) fn reduce(a: &Words, m: &Words) -> Words {
        if less(a, m) { *a } else { sub(a, m).0 }
    }

    /// `a * b` modulo `m` by doubling and adding; both below `m`.
    pub(crate) fn mul(a: &Words, b: &Words, m: &Words) -> Words {
        let mut sum = [0; 6];
        for bit in (0..384).rev() {
            sum = add_mod(&sum, &sum, m);
            if b[bit / 64] >> (bit % 64) & 1 == 1 {
                sum = add_mod(&sum, a, m);
            }
        }
        sum
    }

    /// Numbers below `m`: its ends, runs of ones and zeros, and any.
    pub(crate) fn below(m: Words) -> impl Strategy<Value = Words> {
        let word = prop_oneof![Just(0), Just(u64::MAX), any::<u64>(), any::<u32>().prop_map(u64::from)];
        let ends = (0u64..4, any::<bool>()).prop_map(move |(near, top)| match top {
            true => sub(&m, &[near + 1, 0, 0, 0, 0, 0]).0,
            false => [near, 0, 0, 0, 0, 0],
        });
        prop_oneof![1 => ends, 6 => proptest::array::uniform6(word).prop_map(move |a| reduce(&a, &m))]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn octets_are_the_most_significant_first() {
        let octets: [u8; 48] = std::array::from_fn(|i| i as u8);
        let words = from_octets(&octets);
        assert_eq!((words[5], words[0]), (0x0001_0203_0405_0607, 0x2829_2a2b_2c2d_2e2f));
        assert_eq!(to_octets(&words), octets);
    }

    #[test]
    fn carries_run_through_all_words() {
        let (one, ones) = ([1, 0, 0, 0, 0, 0], [u64::MAX; 6]);
        assert_eq!(add(&ones, &one), ([0; 6], 1));
        assert_eq!(sub(&[0; 6], &one), (ones, 1));
        assert!(less(&one, &ones) && !less(&ones, &ones));
        assert_eq!(mac(u64::MAX, u64::MAX, u64::MAX, u64::MAX), (u64::MAX, u64::MAX));
    }
}
