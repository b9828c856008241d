//! Ed25519 verification from tables, many signatures at a time.
//!
//! [S]B - [k]A is summed from precomputed multiples of the base point and of each key, without a doubling; the point is
//! encoded and compared with R as octets. The verdict is aws-lc's for every input: S below L, A decoded strictly, no
//! cofactor. Variable time: only public data comes here, and nothing here signs.
//! # Source
//! RFC 8032 5.1.7; crypto.md 6 and 10.

#![allow(dead_code, reason = "some of its forms are there for tests")]

#[cfg(target_arch = "x86_64")]
mod avx2;
mod challenge;
mod curve;
mod field;
pub(crate) mod fuzzing;
mod inverse;
#[cfg(target_arch = "x86_64")]
mod limbs;
mod line;
#[cfg(target_arch = "x86_64")]
mod product;
#[cfg(target_arch = "x86_64")]
mod rows;
mod scalar;
#[cfg(target_arch = "x86_64")]
mod sha512;
mod sum;
mod table;
#[cfg(test)]
mod tests;
mod verify;

pub(crate) use table::{BaseTable, KeyTable};
pub(crate) use verify::{Job, Signed, Verifier};
