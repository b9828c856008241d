//! ECDSA verification without doublings, over any short Weierstrass curve with a = -3 and a prime order.
//!
//! The keys are known before their messages come, so each key, like the generator, has a table of its multiples: window i
//! holds 1, 3, .. 2^w - 1 times 2^(wi) P. u1 G + u2 Q is then a plain sum of table points. The points of many signatures
//! are added pairwise, level by level, and all additions of a level share one inversion ([`tree`]).
//!
//! | file | idea |
//! |---|---|
//! | [`field`] | what a curve's arithmetic gives: one element, four at a time, and scalars |
//! | [`portable`] | four elements one after the other |
//! | [`point`] | additions that are right for all points, one at a time |
//! | [`digits`] | a scalar as odd signed digits |
//! | [`table`] | multiples of one point |
//! | [`plan`] | scalars, and the lines of their digits |
//! | [`tree`] | the sum of points of a chunk, sharing inversions |
//! | [`verify`] | signatures to verdicts |
//! | [`choice`] | vector kernels or their twin |
//! | [`numbers`] | integers modulo n, for tests and fuzzing |
//!
//! All of it is variable-time and sees public values only.

pub(crate) mod choice;
pub(crate) mod digits;
pub(crate) mod field;
pub(crate) mod numbers;
pub(crate) mod plan;
pub(crate) mod point;
pub(crate) mod portable;
pub(crate) mod table;
#[cfg(test)]
pub(crate) mod tests;
pub(crate) mod tree;
pub(crate) mod verify;
