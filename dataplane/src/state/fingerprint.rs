//! A keyed fingerprint of a DATA chunk: what must be equal for a retransmission to be one.
//!
//! Nobody outside sees a fingerprint, only whether two were equal, and its secret never leaves the process: each try must be
//! made over the wire. Two different chunks of at most 1 KiB are equal with a chance of at most 2^-63, whoever made them;
//! longer ones with one below 2^-62. An unkeyed hash would let its two chunks be looked for at home.
//!
//! It is NH of UMAC (Black and others, CRYPTO '99, theorem 4.2) with words of 64 bits: one multiplication for 16 octets.
//! Several blocks of that are made one by the polynomial of Poly1305 (RFC 8439 §2.5), as UMAC and VMAC do.

use std::hash::{BuildHasher, RandomState};

/// A fingerprint. Two of one secret can be compared, nothing else.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Fingerprint([u64; 2]);

impl Fingerprint {
    /// One for tests of memories, which only compare.
    #[cfg(test)]
    pub(crate) const fn of_test(value: u64) -> Self {
        Self([value, 0])
    }
}

/// Octets of a block, and pairs of words in it.
const BLOCK: usize = 1024;
const PAIRS: usize = BLOCK / 16;

/// The secret that fingerprints are made with.
#[derive(Clone)]
pub struct Fingerprints {
    /// For the length and the flags.
    head: [u64; 2],
    /// For each pair of words of a block.
    pairs: Box<[[u64; 2]; PAIRS]>,
    /// For what makes one of several blocks.
    r: [u64; 2],
}

impl Fingerprints {
    /// A secret from the system's randomness. For start-up, not for the packet path.
    pub fn random() -> Self {
        let state = RandomState::new();
        Self::new(|number| state.hash_one(number))
    }

    /// A secret of these words.
    fn new(word: impl Fn(usize) -> u64) -> Self {
        let pair = |number: usize| [word(2 * number), word(2 * number + 1)];
        let pairs = Box::new(std::array::from_fn(|i| pair(i + 2)));
        Self { head: pair(0), pairs, r: clamped(pair(1)) }
    }

    /// The fingerprint of a chunk.
    ///
    /// * `flags`: what else must be equal; `value`: the chunk's octets behind its header
    #[inline]
    pub fn of(&self, flags: u8, value: &[u8]) -> Fingerprint {
        // A length in front: of two chunks where one is the other with more behind, that more has words of the secret to itself.
        let head = nh([(value.len() as u64) << 8 | u64::from(flags), 0], self.head);
        let sum = match value {
            [] => head,
            short if short.len() < 16 => {
                let word = short.iter().rev().fold(0_u128, |word, octet| word << 8 | u128::from(*octet));
                head.wrapping_add(nh(words(word.to_le_bytes()), self.pairs[0]))
            }
            one if one.len() <= BLOCK => head.wrapping_add(self.run(one)),
            more => return self.blocks(head, more),
        };
        Fingerprint([sum as u64, (sum >> 64) as u64])
    }

    /// Several blocks in one.
    #[cold]
    fn blocks(&self, head: u128, value: &[u8]) -> Fingerprint {
        let mut sum = Sum { h: [0; 2], top: 0 };
        sum.add(head, 1, self.r);
        let (blocks, rest) = value.as_chunks::<BLOCK>();
        blocks.iter().for_each(|block| sum.add(self.run(block), 1, self.r));
        if !rest.is_empty() {
            // A block like any other, that begins in the one before it.
            sum.add(self.run(value.get(value.len() - BLOCK..).unwrap_or(rest)), 1, self.r);
        }
        Fingerprint(sum.reduced())
    }

    /// NH of 16 octets and more, at most a block. The last 16 are a pair of words of their own, wherever they begin.
    #[inline]
    fn run(&self, octets: &[u8]) -> u128 {
        let (pairs, rest) = octets.as_chunks::<16>();
        let sum =
            self.pairs.iter().zip(pairs).fold(0_u128, |sum, (key, pair)| sum.wrapping_add(nh(words(*pair), *key)));
        match (octets.last_chunk(), self.pairs.get(pairs.len())) {
            (Some(last), Some(key)) if !rest.is_empty() => sum.wrapping_add(nh(words(*last), *key)),
            _ => sum,
        }
    }
}

#[inline(always)]
fn words(octets: [u8; 16]) -> [u64; 2] {
    let both = u128::from_le_bytes(octets);
    [both as u64, (both >> 64) as u64]
}

/// One term of NH.
#[inline(always)]
fn nh([a, b]: [u64; 2], [key_a, key_b]: [u64; 2]) -> u128 {
    u128::from(a.wrapping_add(key_a)) * u128::from(b.wrapping_add(key_b))
}

/// As RFC 8439 has it, which is what lets the carries below stay small.
const fn clamped(r: [u64; 2]) -> [u64; 2] {
    [r[0] & 0x0fff_fffc_0fff_ffff, r[1] & 0x0fff_fffc_0fff_fffc]
}

/// The value of the polynomial so far, modulo 2^130 - 5 but for a few bits.
struct Sum {
    h: [u64; 2],
    /// What is above 128 bits: at most a few.
    top: u64,
}

impl Sum {
    /// Adds a block, `mark` standing above its 128 bits, and multiplies by the secret.
    #[inline(always)]
    fn add(&mut self, block: u128, mark: u64, [r0, r1]: [u64; 2]) {
        let wide = |a: u64, b: u64| u128::from(a) * u128::from(b);
        let (low, carry) = self.h[0].overflowing_add(block as u64);
        let (high, carry_a) = self.h[1].overflowing_add((block >> 64) as u64);
        let (high, carry_b) = high.overflowing_add(u64::from(carry));
        let top = self.top + mark + u64::from(carry_a) + u64::from(carry_b);
        // 2^130 is 5, and r1 is a multiple of 4: what passes 2^128 comes back as 5/4 of it.
        let s1 = r1 + (r1 >> 2);
        let d0 = wide(low, r0) + wide(high, s1);
        let d1 = wide(low, r1) + wide(high, r0) + u128::from(top * s1) + (d0 >> 64);
        let d2 = top * r0 + (d1 >> 64) as u64;
        let fold = (d2 >> 2) + (d2 & !3);
        let (low, carry) = (d0 as u64).overflowing_add(fold);
        let (high, carry) = (d1 as u64).overflowing_add(u64::from(carry));
        (self.h, self.top) = ([low, high], (d2 & 3) + u64::from(carry));
    }

    /// The one value below 2^130 - 5, its lower 128 bits.
    fn reduced(&self) -> [u64; 2] {
        let [low, high] = self.h;
        // Adding 5 passes 2^130 just when the value is at or above 2^130 - 5.
        let (low_5, carry) = low.overflowing_add(5);
        let (high_5, carry) = high.overflowing_add(u64::from(carry));
        if self.top + u64::from(carry) >= 4 { [low_5, high_5] } else { [low, high] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    fn run(sum: &mut Sum, octets: &[u8], r: [u64; 2]) {
        let (blocks, rest) = octets.as_chunks::<16>();
        blocks.iter().for_each(|block| sum.add(u128::from_le_bytes(*block), 1, r));
        if !rest.is_empty() {
            let mut last = [0; 16];
            last[..rest.len()].copy_from_slice(rest);
            last[rest.len()] = 1;
            sum.add(u128::from_le_bytes(last), 0, r);
        }
    }

    /// Poly1305 of RFC 8439: the sum, and the second half of the key added to it.
    fn poly1305(key: &[u8; 32], octets: &[u8]) -> [u8; 16] {
        let word = |at: usize| u64::from_le_bytes(*key[at..].first_chunk().unwrap());
        let mut sum = Sum { h: [0; 2], top: 0 };
        run(&mut sum, octets, clamped([word(0), word(8)]));
        let [low, high] = sum.reduced();
        let pad = u128::from(word(16)) | u128::from(word(24)) << 64;
        (u128::from(low) | u128::from(high) << 64).wrapping_add(pad).to_le_bytes()
    }

    fn octets(hex: &str) -> Vec<u8> {
        (0..hex.len()).step_by(2).filter_map(|i| u8::from_str_radix(&hex[i..i + 2], 16).ok()).collect()
    }

    #[test]
    fn the_polynomial_is_that_of_rfc_8439() {
        let ones = "ff".repeat(16);
        let two = format!("02{}", "00".repeat(31));
        for (key, message, tag) in [
            (
                "85d6be7857556d337f4452fe42d506a80103808afb0db2fd4abff6af4149f51b",
                "43727970746f6772617068696320466f72756d2052657365617263682047726f7570",
                "a8061dc1305136c6c22b8baf0c0127a9",
            ), // §2.5.2
            (&two, &ones, "03000000000000000000000000000000"), // A.3, test vector 7
            (
                &format!("02{}{ones}", "00".repeat(15)),
                &format!("02{}", "00".repeat(15)),
                "03000000000000000000000000000000",
            ), // 8
            (
                &format!("01{}", "00".repeat(31)),
                &format!("{ones}f0{}11{}", "ff".repeat(15), "00".repeat(15)),
                "05000000000000000000000000000000",
            ), // 9
            (
                &format!("01{}", "00".repeat(31)),
                &format!("{ones}fb{}{}", "fe".repeat(15), "01".repeat(16)),
                "00000000000000000000000000000000",
            ), // 10
            (&two, &format!("fd{}", "ff".repeat(15)), "faffffffffffffffffffffffffffffff"), // 11
            (
                &format!("0100000000000000040000000000000000{}", "00".repeat(15)),
                "e33594d7505e43b900000000000000003394d7505e4379cd010000000000000000000000000000000000000000000000\
                 01000000000000000000000000000000",
                "14000000000000005500000000000000",
            ), // 12
        ] {
            let key: Vec<u8> = octets(key);
            assert_eq!(poly1305(key.first_chunk().unwrap(), &octets(message)), *octets(tag), "{message}");
        }
    }

    /// Words that a test knows, none of them zero.
    fn secret(seed: u64) -> Fingerprints {
        Fingerprints::new(|number| (seed ^ number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1 << 40)
    }

    #[test]
    fn a_sum_is_that_of_products_of_words() {
        let value: Vec<u8> = (0..40).collect();
        let secret = secret(7);
        let word = |at: usize| u64::from_le_bytes(*value[at..].first_chunk().unwrap());
        let term = |a: u64, b: u64, key: [u64; 2]| {
            u128::from(a.wrapping_add(key[0])).wrapping_mul(u128::from(b.wrapping_add(key[1])))
        };
        let want = [
            term(40 << 8 | 3, 0, secret.head),
            term(word(0), word(8), secret.pairs[0]),
            term(word(16), word(24), secret.pairs[1]),
            term(word(24), word(32), secret.pairs[2]), // the last 16 octets
        ];
        let want = want.into_iter().fold(0, u128::wrapping_add);
        assert_eq!(secret.of(3, &value), Fingerprint([want as u64, (want >> 64) as u64]));
    }

    #[test]
    fn blocks_that_change_places_show() {
        let secret = secret(1);
        for len in [2 * BLOCK, 3 * BLOCK + 5] {
            let value: Vec<u8> = (0..len).map(|i| (i / 7) as u8).collect();
            let mut other = value.clone();
            other[..2 * BLOCK].rotate_left(BLOCK);
            assert_ne!(secret.of(0, &value), secret.of(0, &other));
        }
    }

    proptest! {
        #[test]
        fn one_changed_octet_and_one_flag_show(
            mut value in prop_oneof![vec(any::<u8>(), 1..200), vec(any::<u8>(), 1000..4000)],
            at: usize, by in 1..=u8::MAX, seed: u64,
        ) {
            let secret = secret(seed);
            let before = secret.of(3, &value);
            prop_assert_eq!(secret.of(3, &value), before);
            prop_assert_ne!(secret.of(7, &value), before);
            let at = at % value.len();
            value[at] ^= by;
            prop_assert_ne!(secret.of(3, &value), before);
            value[at] ^= by;
            value.push(0);
            prop_assert_ne!(secret.of(3, &value), before);
            let len = value.len() - 2;
            prop_assert_ne!(secret.of(3, &value[..len]), before);
        }
    }
}
