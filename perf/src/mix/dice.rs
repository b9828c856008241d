//! Numbers that look random and come out the same each time (splitmix64).

/// The state is a counter: two seeds give two sequences, and each number is one multiplication chain away.
#[derive(Clone, Debug)]
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        // Neighbouring seeds must not give sequences that are one step apart.
        let mut dice = Self(seed.wrapping_mul(0xd6e8_feb8_6659_fd93));
        dice.next();
        dice
    }

    #[inline]
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    /// Above 0, at most 1.
    pub(super) fn unit(&mut self) -> f64 {
        ((self.next() >> 11) + 1) as f64 / (1_u64 << 53) as f64
    }
}

/// 32 random bits as a number below `limit`.
#[inline]
pub(super) fn scale(bits: u32, limit: u32) -> u32 {
    ((u64::from(bits) * u64::from(limit)) >> 32) as u32
}

/// One of several things by their shares.
#[derive(Clone, Debug)]
pub(super) struct Choice<T> {
    /// Each with the first number of 32 bits that is not its own any more.
    ends: Vec<(u64, T)>,
    last: T,
}

impl<T: Copy> Choice<T> {
    /// * `shares`: they add up to 1; `None` if none is above 0
    pub(super) fn new(shares: impl IntoIterator<Item = (T, f64)>) -> Option<Self> {
        let mut sum = 0.0;
        let mut ends = Vec::new();
        for (value, share) in shares.into_iter().filter(|(_, share)| *share > 0.0) {
            sum += share;
            ends.push(((sum * 4_294_967_296.0) as u64, value));
        }
        let (_, last) = ends.pop()?;
        Some(Self { ends, last })
    }

    /// * `bits`: 32 random ones
    #[inline]
    pub(super) fn pick(&self, bits: u32) -> T {
        self.ends.iter().find(|(end, _)| u64::from(bits) < *end).map_or(self.last, |(_, value)| *value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_keeps_its_shares() {
        let choice = Choice::new([('a', 0.5), ('b', 0.0), ('c', 0.25), ('d', 0.25)]);
        let choice = choice.as_ref();
        let at = |bits| choice.map(|choice| choice.pick(bits));
        let quarter = 1 << 30;
        for (bits, want) in [(0, 'a'), (2 * quarter - 1, 'a'), (2 * quarter, 'c'), (3 * quarter, 'd'), (u32::MAX, 'd')]
        {
            assert_eq!(at(bits), Some(want), "{bits}");
        }
        assert!(Choice::new([('a', 0.0)]).is_none());
    }

    #[test]
    fn seeds_differ_and_repeat() {
        let numbers = |seed| {
            let mut dice = Dice::new(seed);
            [dice.next(), dice.next(), dice.next()]
        };
        assert_eq!(numbers(1), numbers(1));
        let (one, two) = (numbers(1), numbers(2));
        assert!(one.iter().all(|number| !two.contains(number)));
    }
}
