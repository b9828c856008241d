//! A keyed fingerprint of a DATA chunk: what must be equal for a retransmission to be one.
//!
//! It is the polynomial of Poly1305 (RFC 8439 §2.5) under a secret that never leaves the process, without the part that
//! makes a tag fit to be shown. Nobody outside sees a fingerprint, only whether two were equal, so each try must be made
//! over the wire: two different chunks of 1500 octets are equal with a chance below 2^-95, whoever made them. An unkeyed
//! hash of the same 128 bits would let its two chunks be looked for at home, in 2^64 tries.

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

/// The secret that fingerprints are made with.
#[derive(Clone, Copy)]
pub struct Fingerprints {
    r: [u64; 2],
}

impl Fingerprints {
    /// A secret from the system's randomness. For start-up, not for the packet path.
    pub fn random() -> Self {
        let state = RandomState::new();
        Self::new([state.hash_one(0_u8), state.hash_one(1_u8)])
    }

    /// Clamped as RFC 8439 has it, which is what lets the carries below stay small.
    const fn new(r: [u64; 2]) -> Self {
        Self { r: [r[0] & 0x0fff_fffc_0fff_ffff, r[1] & 0x0fff_fffc_0fff_fffc] }
    }

    /// The fingerprint of a chunk.
    ///
    /// * `flags`: what else must be equal; `value`: the chunk's octets behind its header
    pub fn of(&self, flags: u8, value: &[u8]) -> Fingerprint {
        let mut sum = Sum { h: [0; 2], top: 0 };
        sum.add(u128::from(flags), 1, self.r);
        sum.run(value, self.r);
        Fingerprint(sum.reduced())
    }
}

/// The value of the polynomial so far, modulo 2^130 - 5 but for a few bits.
struct Sum {
    h: [u64; 2],
    /// What is above 128 bits: at most a few.
    top: u64,
}

impl Sum {
    fn run(&mut self, octets: &[u8], r: [u64; 2]) {
        let (blocks, rest) = octets.as_chunks::<16>();
        for block in blocks {
            self.add(u128::from_le_bytes(*block), 1, r);
        }
        if !rest.is_empty() {
            let (words, tail) = rest.as_chunks::<8>();
            // The mark behind the last octet tells a short block from one that ends in zeros.
            let tail = tail.iter().rev().fold(1, |word, octet| word << 8 | u64::from(*octet));
            let last = match words.first() {
                Some(word) => u128::from(u64::from_le_bytes(*word)) | u128::from(tail) << 64,
                None => u128::from(tail),
            };
            self.add(last, 0, r);
        }
    }

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

    /// Poly1305 of RFC 8439: the sum, and the second half of the key added to it.
    fn poly1305(key: &[u8; 32], octets: &[u8]) -> [u8; 16] {
        let word = |at: usize| u64::from_le_bytes(*key[at..].first_chunk().unwrap());
        let mut sum = Sum { h: [0; 2], top: 0 };
        sum.run(octets, Fingerprints::new([word(0), word(8)]).r);
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

    proptest! {
        #[test]
        fn one_changed_octet_and_one_flag_show(mut value in vec(any::<u8>(), 1..200), at: usize, by in 1..=u8::MAX, r: [u64; 2]) {
            prop_assume!(r[0] & 0xffff != 0); // a secret of zero, which nobody draws, knows one fingerprint only
            let secret = Fingerprints::new(r);
            let before = secret.of(3, &value);
            prop_assert_eq!(secret.of(3, &value), before);
            prop_assert_ne!(secret.of(7, &value), before);
            let at = at % value.len();
            value[at] ^= by;
            prop_assert_ne!(secret.of(3, &value), before);
            value[at] ^= by;
            value.push(0);
            prop_assert_ne!(secret.of(3, &value), before);
        }
    }
}
