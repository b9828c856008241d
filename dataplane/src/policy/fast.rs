//! The hasher of tables whose keys only control may add.

use std::hash::{BuildHasherDefault, Hasher};

/// The hasher of tables whose keys only control may add: speed counts, flooding cannot happen.
pub type Fast = BuildHasherDefault<FastHasher>;

/// A multiply-rotate hasher in the manner of FxHash.
#[derive(Clone, Copy, Debug, Default)]
pub struct FastHasher(u64);

impl Hasher for FastHasher {
    fn finish(&self) -> u64 {
        self.0 ^ self.0 >> 29
    }

    #[inline]
    fn write(&mut self, octets: &[u8]) {
        let (words, rest) = octets.as_chunks();
        for word in words {
            self.write_u64(u64::from_le_bytes(*word));
        }
        match rest {
            [] => {}
            &[a, b, c, d] => self.write_u32(u32::from_le_bytes([a, b, c, d])),
            rest => self.write_u64(rest.iter().fold(0, |word, &octet| word << 8 | u64::from(octet))),
        }
    }

    #[inline]
    fn write_u16(&mut self, word: u16) {
        self.write_u64(word.into());
    }

    #[inline]
    fn write_u32(&mut self, word: u32) {
        self.write_u64(word.into());
    }

    #[inline]
    fn write_u64(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(0x517c_c1b7_2722_0a95);
    }

    #[inline]
    fn write_usize(&mut self, word: usize) {
        self.write_u64(word as u64);
    }
}
