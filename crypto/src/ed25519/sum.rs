//! Four sums of table lines at a time: the whole work of a verification after its scalars are known.

#[cfg(target_arch = "x86_64")]
use super::avx2::Avx2;
use super::curve::{Extended, invert_all};
use super::field::Fe;
use super::line::Line;

/// Sums side by side.
pub(crate) const LANES: usize = 4;

/// Steps between the fetch of a line and its use: over a microsecond, a few times what memory takes.
pub(crate) const AHEAD: usize = 10;

/// Which line a lane adds in a step: its place, which of the lane's two tables, and whether the negative is meant.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pick(u32);

impl Pick {
    /// The neutral line, which is the first of each table.
    pub(crate) const NEUTRAL: Self = Self(0);

    /// `place` below 2^30: a table has fewer lines.
    pub(crate) fn new(place: usize, second: bool, negative: bool) -> Self {
        Self((place as u32) << 2 | u32::from(second) << 1 | u32::from(negative))
    }

    pub(crate) fn is_negative(self) -> bool {
        self.0 & 1 == 1
    }

    /// The line in a lane's tables. No pick names a line that is not there; if one did, the sum would be wrong and the
    /// signature refused.
    #[inline(always)]
    pub(crate) fn line<'a>(self, tables: &[&'a [Line]; 2]) -> &'a Line {
        tables[(self.0 >> 1 & 1) as usize].get((self.0 >> 2) as usize).unwrap_or(&Line::NEUTRAL)
    }
}

/// Four sums: in each step a line a lane.
#[derive(Clone, Copy)]
pub(crate) struct Group<'a> {
    /// Two tables for each lane.
    pub(crate) tables: [[&'a [Line]; 2]; LANES],
    pub(crate) steps: &'a [[Pick; LANES]],
}

impl Group<'_> {
    /// A group of no steps, where nothing is to be fetched ahead.
    pub(crate) const NONE: Self = Group { tables: [[&[]; 2]; LANES], steps: &[] };
}

/// What the CPU can do; found out once.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Lanes {
    /// One lane after the other, on any CPU.
    Scalar,
    #[cfg(target_arch = "x86_64")]
    Vector(Avx2),
}

impl Lanes {
    pub(crate) fn best() -> Self {
        #[cfg(target_arch = "x86_64")]
        if let Some(avx2) = Avx2::detect() {
            return Self::Vector(avx2);
        }
        Self::Scalar
    }

    /// This CPU's, and the scalar ones.
    #[cfg(test)]
    pub(crate) fn all() -> Vec<Self> {
        let best = Some(Self::best()).filter(|best| !matches!(best, Self::Scalar));
        best.into_iter().chain([Self::Scalar]).collect()
    }

    /// The four sums of `group`, whose first [`AHEAD`] steps have been fetched; those of `next` are fetched meanwhile.
    pub(crate) fn sum(self, group: &Group<'_>, next: &Group<'_>) -> [Extended; LANES] {
        match self {
            Self::Scalar => core::array::from_fn(|lane| {
                group.steps.iter().fold(Extended::NEUTRAL, |sum, step| {
                    step[lane].line(&group.tables[lane]).add(step[lane].is_negative(), &sum)
                })
            }),
            #[cfg(target_arch = "x86_64")]
            Self::Vector(avx2) => avx2.sum(group, next),
        }
    }

    /// Calls `out` with lane, j and the line j P for j = 1 .. `count` of each of `firsts`, the lines P, in any order.
    pub(crate) fn rows(self, firsts: &[Line; LANES], count: usize, out: &mut dyn FnMut(usize, usize, Line)) {
        match self {
            Self::Scalar => {
                for (lane, first) in firsts.iter().enumerate() {
                    scalar_row(first, count, &mut |j, line| out(lane, j, line));
                }
            }
            #[cfg(target_arch = "x86_64")]
            Self::Vector(avx2) => avx2.rows(firsts, count, out),
        }
    }

    /// Begins to fetch a line that is added soon.
    pub(crate) fn fetch(self, line: &Line) {
        match self {
            Self::Scalar => {}
            #[cfg(target_arch = "x86_64")]
            Self::Vector(avx2) => avx2.fetch(line),
        }
    }
}

/// The lines j P for j = 1 .. `count`, up to 64 with one inversion.
fn scalar_row(first: &Line, count: usize, out: &mut dyn FnMut(usize, Line)) {
    let mut sum = first.point(false);
    let mut done = 0;
    while done < count {
        let mut multiples = [sum; 64];
        let now = multiples.len().min(count - done);
        for (at, multiple) in multiples.iter_mut().take(now).enumerate() {
            if done + at > 0 {
                sum = first.add(false, &sum);
            }
            *multiple = sum;
        }
        let mut inverses = multiples.map(|multiple| multiple.z);
        invert_all(&mut inverses[..now], &mut [Fe::ZERO; 64]);
        for (at, (multiple, inverse)) in multiples.iter().zip(inverses).take(now).enumerate() {
            let (x, y) = multiple.affine(inverse);
            out(done + at + 1, Line::new(x, y));
        }
        done += now;
    }
}
