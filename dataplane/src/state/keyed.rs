//! A keyed 64-bit hash for tables whose keys come from outside: SipHash-2-4 (Aumasson, Bernstein 2012).
//!
//! Without the key nobody can choose addresses or transaction ids that fall into one bucket.

use std::hash::{BuildHasher, RandomState};

use sealgate_wire::addr::Digits;

/// The secret of one table.
#[derive(Clone, Copy)]
pub struct Key {
    k0: u64,
    k1: u64,
}

impl Key {
    /// A key from 16 octets, so that tests and replays can repeat themselves.
    pub const fn new(k0: u64, k1: u64) -> Self {
        Self { k0, k1 }
    }

    /// A key from the system's randomness. For start-up, not for the packet path.
    pub fn random() -> Self {
        let state = RandomState::new();
        Self { k0: state.hash_one(0_u8), k1: state.hash_one(1_u8) }
    }

    /// The 16 octets, for the table's heir.
    pub(super) const fn halves(&self) -> (u64, u64) {
        (self.k0, self.k1)
    }

    /// The hash of `parts` in their order. The length of each part goes in before it, so `["ab", "c"]` and
    /// `["a", "bc"]` differ.
    pub fn hash(&self, parts: &[&[u8]]) -> u64 {
        let mut sip = Sip::new(self);
        for part in parts {
            sip.write(&(part.len() as u32).to_le_bytes());
            sip.write(part);
        }
        sip.finish()
    }
}

impl Key {
    /// The hash of a number, by whole words: a third of the work of [`Key::hash`].
    ///
    /// * `kind`: what sort of number it is; numbers of two kinds never have the same hash but by chance
    pub fn number(&self, kind: u8, number: &Digits) -> u64 {
        let packed = u128::from_le_bytes(number.packed());
        let mut sip = Sip::new(self);
        sip.word(packed as u64);
        sip.word((packed >> 64) as u64);
        (sip.tail, sip.len) = (u64::from(kind) | (number.len() as u64) << 8, 18);
        sip.finish()
    }
}

struct Sip {
    v: [u64; 4],
    /// Octets that do not yet fill a word, the oldest lowest.
    tail: u64,
    /// How many octets came in.
    len: u64,
}

impl Sip {
    fn new(key: &Key) -> Self {
        let v = [
            key.k0 ^ 0x736f_6d65_7073_6575,
            key.k1 ^ 0x646f_7261_6e64_6f6d,
            key.k0 ^ 0x6c79_6765_6e65_7261,
            key.k1 ^ 0x7465_6462_7974_6573,
        ];
        Self { v, tail: 0, len: 0 }
    }

    fn round(&mut self) {
        let [mut a, mut b, mut c, mut d] = self.v;
        a = a.wrapping_add(b);
        c = c.wrapping_add(d);
        b = b.rotate_left(13) ^ a;
        d = d.rotate_left(16) ^ c;
        a = a.rotate_left(32).wrapping_add(d);
        c = c.wrapping_add(b);
        d = d.rotate_left(21) ^ a;
        b = b.rotate_left(17) ^ c;
        c = c.rotate_left(32);
        self.v = [a, b, c, d];
    }

    fn word(&mut self, word: u64) {
        self.v[3] ^= word;
        self.round();
        self.round();
        self.v[0] ^= word;
    }

    fn write(&mut self, octets: &[u8]) {
        for &octet in octets {
            self.tail |= u64::from(octet) << (8 * (self.len & 7));
            self.len += 1;
            if self.len & 7 == 0 {
                let word = core::mem::take(&mut self.tail);
                self.word(word);
            }
        }
    }

    fn finish(mut self) -> u64 {
        let last = self.tail | (self.len << 56);
        self.word(last);
        self.v[2] ^= 0xff;
        for _ in 0..4 {
            self.round();
        }
        let [a, b, c, d] = self.v;
        a ^ b ^ c ^ d
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The reference key 00 01 .. 0f.
    const KEY: Key = Key::new(0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908);

    fn plain(octets: &[u8]) -> u64 {
        let mut sip = Sip::new(&KEY);
        sip.write(octets);
        sip.finish()
    }

    #[test]
    fn agrees_with_the_vectors_of_the_reference() {
        let octets: Vec<u8> = (0..15).collect();
        assert_eq!(plain(&octets), 0xa129_ca61_49be_45e5, "the example of the paper, appendix A");
        assert_eq!(plain(&[]), 0x726f_db47_dd0e_0e31);
        assert_eq!(plain(&octets[..8]), 0x93f5_f579_9a93_2462);
    }

    #[test]
    fn a_number_is_hashed_as_the_octets_that_stand_for_it() {
        for text in ["", "1", "001010123456789", "99902000001112345678901234567890"] {
            let number: Digits = text.parse().unwrap();
            let octets = [&number.packed()[..], &[7, text.len() as u8]].concat();
            assert_eq!(KEY.number(7, &number), plain(&octets), "{text}");
        }
        let number = |text: &str| KEY.number(0, &text.parse().unwrap());
        assert_ne!(number("0"), number("00"));
    }

    #[test]
    fn parts_do_not_run_into_each_other() {
        assert_ne!(KEY.hash(&[b"ab", b"c"]), KEY.hash(&[b"a", b"bc"]));
        assert_ne!(KEY.hash(&[b"abc"]), KEY.hash(&[b"abc", b""]));
        assert_ne!(KEY.hash(&[b"abc"]), Key::new(1, 2).hash(&[b"abc"]));
    }
}
