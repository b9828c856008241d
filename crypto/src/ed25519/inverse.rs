//! Inverses modulo p = 2^255 - 19.

use super::field::Fe;
use crate::inverse::Modulus;

/// p, words least first.
static MODULUS: Modulus<4, 5> = Modulus::new(&[u64::MAX - 18, u64::MAX, u64::MAX, u64::MAX >> 1]);

/// 1 / number; zero stays zero.
pub(super) fn invert(number: Fe) -> Fe {
    Fe::from_words(MODULUS.invert(&number.to_words()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn edges() {
        assert!(invert(Fe::ZERO).is_zero());
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
