//! Vector kernels or their twin: chosen once, by what the processor has.

use super::field::{Curve, Lanes};
use super::{table, verify};
use std::sync::Arc;

/// How four elements are computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kernels {
    /// [`Curve::Vector`].
    Vector,
    /// [`Curve::Twin`].
    Twin,
}

impl Kernels {
    /// What this processor runs fastest.
    pub(crate) fn best<C: Curve>() -> Self {
        if C::Vector::supported() { Self::Vector } else { Self::Twin }
    }
}

/// The table of a point, in the form of one of the two.
pub(crate) enum Table<C: Curve> {
    Vector(table::Table<C, C::Vector>),
    Twin(table::Table<C, C::Twin>),
}

impl<C: Curve> Table<C> {
    /// The table of a public key, see [`table::Table::build`].
    pub(crate) fn build(kernels: Kernels, point: &[u8], window: u32) -> Option<Self> {
        match kernels {
            Kernels::Vector if C::Vector::supported() => table::Table::build(point, window).map(Self::Vector),
            Kernels::Vector => None,
            Kernels::Twin => table::Table::build(point, window).map(Self::Twin),
        }
    }

    /// Bits of a window.
    pub(crate) fn window(&self) -> u32 {
        match self {
            Self::Vector(table) => table.window(),
            Self::Twin(table) => table.window(),
        }
    }

    /// Memory of the lines.
    pub(crate) fn octets(&self) -> usize {
        match self {
            Self::Vector(table) => table.octets(),
            Self::Twin(table) => table.octets(),
        }
    }

    /// Whether some lines are what double-and-add says; `pick` chooses one of them.
    pub(crate) fn holds(&self, pick: usize) -> bool {
        match self {
            Self::Vector(table) => table.holds(pick),
            Self::Twin(table) => table.holds(pick),
        }
    }
}

/// The table of the generator, for all threads (of a NUMA node).
pub(crate) enum Base<C: Curve> {
    Vector(Arc<table::Table<C, C::Vector>>),
    Twin(Arc<table::Table<C, C::Twin>>),
}

impl<C: Curve> Base<C> {
    /// `None` without memory for it, or without a processor for it.
    pub(crate) fn build(kernels: Kernels, window: u32) -> Option<Self> {
        match kernels {
            Kernels::Vector if C::Vector::supported() => {
                table::Table::generator(window).map(|table| Self::Vector(Arc::new(table)))
            }
            Kernels::Vector => None,
            Kernels::Twin => table::Table::generator(window).map(|table| Self::Twin(Arc::new(table))),
        }
    }

    /// Memory of the lines.
    pub(crate) fn octets(&self) -> usize {
        match self {
            Self::Vector(table) => table.octets(),
            Self::Twin(table) => table.octets(),
        }
    }

    /// Whether some lines are what double-and-add says; `pick` chooses one of them.
    pub(crate) fn holds(&self, pick: usize) -> bool {
        match self {
            Self::Vector(table) => table.holds(pick),
            Self::Twin(table) => table.holds(pick),
        }
    }
}

/// One question: does the signature hold?
#[derive(Clone, Copy)]
pub(crate) struct Job<'a, C: Curve> {
    pub(crate) table: &'a Table<C>,
    /// At least as many octets as a coordinate.
    pub(crate) digest: &'a [u8],
    /// r then s.
    pub(crate) signature: &'a [u8],
}

/// Verifies batches, see [`verify::Verifier`].
pub(crate) enum Verifier<C: Curve> {
    Vector(Box<verify::Verifier<C, C::Vector>>),
    Twin(Box<verify::Verifier<C, C::Twin>>),
}

impl<C: Curve> Verifier<C> {
    pub(crate) fn new(base: &Base<C>) -> Self {
        match base {
            Base::Vector(base) => Self::Vector(Box::new(verify::Verifier::new(Arc::clone(base)))),
            Base::Twin(base) => Self::Twin(Box::new(verify::Verifier::new(Arc::clone(base)))),
        }
    }

    /// Calls `grant` with the number of each job whose signature holds. A table that was made for the other kernels holds
    /// nothing.
    pub(crate) fn verify(&mut self, jobs: &[Job<'_, C>], grant: &mut dyn FnMut(usize)) {
        match self {
            Self::Vector(verifier) => {
                let base = verifier.base();
                let job = |number: usize| {
                    let Job { table, digest, signature } = jobs[number];
                    match table {
                        Table::Vector(table) => verify::Job { table, digest, signature },
                        Table::Twin(_) => verify::Job { table: &base, digest, signature: &[] },
                    }
                };
                verifier.verify(jobs.len(), job, grant);
            }
            Self::Twin(verifier) => {
                let base = verifier.base();
                let job = |number: usize| {
                    let Job { table, digest, signature } = jobs[number];
                    match table {
                        Table::Twin(table) => verify::Job { table, digest, signature },
                        Table::Vector(_) => verify::Job { table: &base, digest, signature: &[] },
                    }
                };
                verifier.verify(jobs.len(), job, grant);
            }
        }
    }

    /// Numbers of the jobs of the last batch that had to be summed a second time.
    pub(crate) fn again(&self) -> &[usize] {
        match self {
            Self::Vector(verifier) => verifier.again(),
            Self::Twin(verifier) => verifier.again(),
        }
    }
}
