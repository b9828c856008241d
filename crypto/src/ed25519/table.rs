//! Tables of multiples: what a verification adds instead of doubling.
//!
//! Row i of a table with window w holds j 2^(w i) P for j = 1 .. 2^(w - 1); signs come from the digits, and a zero digit
//! takes the neutral line in front of all rows. A table has 47 KiB at w = 4, 75 at 5, 126 at 6, 373 at 8, 1,200 at 10.

use super::curve::{BASE, Extended, invert_all};
use super::field::Fe;
use super::line::Line;
use super::scalar;
use super::sum::{LANES, Lanes};
use crate::tables::lines::Lines;
use core::iter::successors;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

/// Windows that a table may have. Narrower ones save no memory worth the time; wider ones miss every cache.
pub(crate) const WIDTHS: core::ops::RangeInclusive<u32> = 3..=16;

/// Multiples of one point.
pub(crate) struct Table {
    width: u32,
    lines: Lines<Line>,
}

impl Table {
    /// `None` where there is no memory.
    fn build(point: &Extended, width: u32, lanes: Lanes) -> Option<Self> {
        let (rows, half) = (scalar::windows(width), 1 << (width - 1));
        let mut lines = vec![Line::NEUTRAL; 1 + (rows - 1) * half + scalar::last_digit(width)];
        // The first line of each row: P, 2^w P, ..
        let firsts: Vec<_> = successors(Some(*point), |first| Some((0..width).fold(*first, |point, _| point.double())))
            .take(rows)
            .collect();
        let mut inverses: Vec<_> = firsts.iter().map(|first| first.z).collect();
        invert_all(&mut inverses, &mut vec![Fe::ZERO; rows]);
        let firsts: Vec<_> = firsts.iter().zip(inverses).map(|(first, inverse)| first.affine(inverse)).collect();
        let firsts: Vec<_> = firsts.into_iter().map(|(x, y)| Line::new(x, y)).collect();
        for (group, firsts) in firsts.chunks(LANES).enumerate() {
            let four = [0, 1, 2, 3].map(|lane| firsts[lane.min(firsts.len() - 1)]);
            lanes.rows(&four, half, &mut |lane, j, line| {
                // Lanes beyond the last row, and its multiples that no digit has, are left out.
                let row = group * LANES + lane;
                if let Some(to) = lines.get_mut(row * half + j)
                    && row < rows
                {
                    *to = line;
                }
            });
        }
        Some(Self { width, lines: Lines::new(lines.into_iter()).ok()? })
    }

    pub(crate) fn width(&self) -> u32 {
        self.width
    }

    pub(crate) fn lines(&self) -> &[Line] {
        &self.lines
    }

    fn octets(&self) -> usize {
        size_of_val(&*self.lines)
    }

    /// Place of the line for the digit's size in this row; the neutral line for zero.
    pub(crate) fn place(&self, row: usize, size: u32) -> usize {
        if size == 0 { 0 } else { (row << (self.width - 1)) + size as usize }
    }

    /// Whether the line for `size` in `row` is that multiple of `point`, computed one bit at a time.
    fn holds_at(&self, point: &Extended, row: usize, size: u32) -> bool {
        let mut times = [0; 4];
        let bit = row * self.width as usize;
        let wide = u128::from(size) << (bit % 64);
        for (to, word) in times.iter_mut().skip(bit / 64).zip([wide as u64, (wide >> 64) as u64]) {
            *to = word;
        }
        let want = point.times(&times);
        let (x, y) = want.affine(want.z.invert());
        self.lines.get(self.place(row, size)) == Some(&Line::new(x, y))
    }

    /// Whether the neutral line, the first and one other, chosen at random, are what they should be.
    fn holds(&self, point: &Extended) -> bool {
        let random = RandomState::new().hash_one(self.lines.len());
        let row = random as usize % (scalar::windows(self.width) - 1);
        let size = 1 + (random >> 32) as u32 % (1 << (self.width - 1));
        self.lines.first() == Some(&Line::NEUTRAL) && self.holds_at(point, 0, 1) && self.holds_at(point, row, size)
    }
}

/// Multiples of the base point, shared by all keys.
pub(crate) struct BaseTable(Table);

impl BaseTable {
    /// Window 14 takes 14 MiB and is as fast as 16 with 45 MiB, which is rarely in a cache; `window` is brought into
    /// [`WIDTHS`].
    ///
    /// `None` where there is no memory.
    pub(crate) fn build(window: u32) -> Option<Arc<Self>> {
        // The base point decodes: a test says so.
        let base = Extended::decode(&BASE).unwrap_or(Extended::NEUTRAL);
        let window = window.clamp(*WIDTHS.start(), *WIDTHS.end());
        Some(Arc::new(Self(Table::build(&base, window, Lanes::best())?)))
    }

    pub(crate) fn octets(&self) -> usize {
        self.0.octets()
    }

    /// As [`KeyTable::holds`].
    pub(crate) fn holds(&self) -> bool {
        Extended::decode(&BASE).is_some_and(|base| self.0.holds(&base))
    }

    pub(crate) fn table(&self) -> &Table {
        &self.0
    }
}

/// Multiples of one public key's point.
pub(crate) struct KeyTable {
    public: [u8; 32],
    table: Table,
}

impl KeyTable {
    /// `None` where aws-lc would not take `public` for a point, or there is no memory. `window` is brought into [`WIDTHS`].
    pub(crate) fn build(public: &[u8; 32], window: u32) -> Option<Self> {
        let point = Extended::decode(public)?;
        let table = Table::build(&point, window.clamp(*WIDTHS.start(), *WIDTHS.end()), Lanes::best())?;
        Some(Self { public: *public, table })
    }

    /// Memory of the lines.
    pub(crate) fn octets(&self) -> usize {
        self.table.octets()
    }

    /// Octets of the lines of a table with this window.
    pub(crate) fn octets_at(window: u32) -> usize {
        let (rows, half) = (scalar::windows(window), 1 << (window - 1));
        size_of::<Line>() * (1 + (rows - 1) * half + scalar::last_digit(window))
    }

    /// Whether the first line and one other, chosen at random, agree with a product that takes no table.
    pub(crate) fn holds(&self) -> bool {
        Extended::decode(&self.public).is_some_and(|point| self.table.holds(&point))
    }

    pub(crate) fn table(&self) -> &Table {
        &self.table
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ed25519::curve::tests::{octets, small_order};

    #[test]
    fn every_line_is_its_multiple() {
        let base = Extended::decode(&BASE).unwrap();
        for (small, width) in small_order().iter().zip(3..=9) {
            let point = base.double().add(small);
            for lanes in Lanes::all() {
                let table = Table::build(&point, width, lanes).unwrap();
                let rows = scalar::windows(width);
                let mut count = 1;
                let mut first = point;
                for row in 0..rows {
                    let last = if row + 1 < rows { 1 << (width - 1) } else { scalar::last_digit(width) as u32 };
                    let mut multiple = first;
                    for size in 1..=last {
                        let (x, y) = multiple.affine(multiple.z.invert());
                        assert_eq!(table.lines().get(table.place(row, size)), Some(&Line::new(x, y)), "{row} {size}");
                        multiple = multiple.add(&first);
                        count += 1;
                    }
                    (0..width).for_each(|_| first = first.double());
                }
                assert_eq!((table.lines().len(), table.place(5, 0)), (count, 0));
                assert!(table.holds(&point));
            }
        }
    }

    #[test]
    fn a_damaged_table_does_not_hold() {
        let mut key = KeyTable::build(&octets(&Extended::decode(&BASE).unwrap().double()), 4).unwrap();
        assert!((0..32).all(|_| key.holds()));
        let sound = key.table.lines.to_vec();
        let damaged = |change: &dyn Fn(&mut Vec<Line>)| {
            let mut lines = sound.clone();
            change(&mut lines);
            let lines = Lines::new(lines.into_iter()).unwrap();
            KeyTable { public: key.public, table: Table { width: key.table.width, lines } }
        };
        assert!(damaged(&|_| ()).holds());
        assert!(!damaged(&|lines| lines.reverse()).holds());
        assert!(!damaged(&|lines| lines[1].product[0] ^= 1).holds());
        // All but the first: whichever the second check takes, it shows.
        let all = damaged(&|lines| lines.iter_mut().skip(2).for_each(|line| line.minus[3] ^= 1));
        assert!((0..256).any(|_| !all.holds()));
        key.public = BASE;
        assert!(!key.holds());
    }

    #[test]
    fn windows_are_brought_into_range() {
        let narrow = KeyTable::build(&BASE, 0).unwrap();
        assert_eq!(narrow.table().width(), 3);
        assert_eq!(KeyTable::build(&[2; 32], 4).map(|table| table.octets()), None);
        let base = BaseTable::build(8).unwrap();
        assert!(base.holds());
        assert_eq!(base.octets(), 96 * (1 + 31 * 128 + 16));
        let point = Extended::decode(&BASE).unwrap();
        assert_eq!(base.table().lines()[1], Line::new(point.x, point.y));
    }
}
