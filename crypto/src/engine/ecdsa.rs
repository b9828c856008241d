//! ECDSA from tables, in the form that this machine has: four lanes of vector kernels, or one element after the other.

use super::{CHECKS, Check, Verdicts};
use crate::tables::Table as KeyTable;
use crate::weierstrass::field::{Curve, Lanes};
use crate::weierstrass::table::Table;
use crate::weierstrass::verify::{Job, Verifier};
use std::sync::Arc;

/// A table of one point of curve `C`, in one of two forms. Engines and tables of one process have the same form.
pub(crate) enum Form<V, P> {
    Vector(V),
    Portable(P),
}

/// A key's table, or the generator's.
pub(crate) type Tables<C, V, P> = Form<Table<C, V>, Table<C, P>>;

/// What verifies with them.
pub(crate) type Engine<C, V, P> = Form<Verifier<C, V>, Verifier<C, P>>;

/// The generator's table, shared by all threads of a NUMA node.
pub(crate) type Base<C, V, P> = Form<Arc<Table<C, V>>, Arc<Table<C, P>>>;

impl<V, P> Form<V, P> {
    /// How it computes, in a word.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Vector(_) => "AVX2",
            Self::Portable(_) => "scalar",
        }
    }
}

impl<V, P> Clone for Form<Arc<V>, Arc<P>> {
    fn clone(&self) -> Self {
        match self {
            Self::Vector(one) => Self::Vector(Arc::clone(one)),
            Self::Portable(one) => Self::Portable(Arc::clone(one)),
        }
    }
}

impl<C: Curve, V: Lanes<Fe = C::Fe>, P: Lanes<Fe = C::Fe>> Tables<C, V, P> {
    /// A key's table; `None` if it does not agree with a product that takes no table. `pick` chooses what is compared.
    pub(crate) fn of_key(point: &[u8], window: u32, pick: usize) -> Option<Self> {
        if V::supported() {
            Table::build(point, window).filter(|table| table.holds(pick)).map(Self::Vector)
        } else {
            Table::build(point, window).filter(|table| table.holds(pick)).map(Self::Portable)
        }
    }

    /// Memory of the lines.
    pub(crate) fn octets(&self) -> usize {
        match self {
            Self::Vector(table) => table.octets(),
            Self::Portable(table) => table.octets(),
        }
    }
}

impl<C: Curve, V: Lanes<Fe = C::Fe>, P: Lanes<Fe = C::Fe>> Base<C, V, P> {
    /// The generator's table; `None` if it is wrong.
    pub(crate) fn generator(window: u32, pick: usize) -> Option<Self> {
        if V::supported() {
            Some(Table::generator(window)).filter(|table| table.holds(pick)).map(|table| Self::Vector(Arc::new(table)))
        } else {
            let table = Some(Table::generator(window)).filter(|table| table.holds(pick));
            table.map(|table| Self::Portable(Arc::new(table)))
        }
    }

    /// Memory of the lines.
    pub(crate) fn octets(&self) -> usize {
        match self {
            Self::Vector(table) => table.octets(),
            Self::Portable(table) => table.octets(),
        }
    }
}

impl<C: Curve, V: Lanes<Fe = C::Fe>, P: Lanes<Fe = C::Fe>> Engine<C, V, P> {
    pub(crate) fn new(base: &Base<C, V, P>) -> Self {
        match base {
            Form::Vector(base) => Self::Vector(Verifier::new(Arc::clone(base))),
            Form::Portable(base) => Self::Portable(Verifier::new(Arc::clone(base))),
        }
    }

    /// Verifies those of `checks` whose table is one of `tables`; sets their bits in `taken`.
    pub(crate) fn verify<'a>(
        &mut self,
        checks: &[Check<'a>],
        tables: fn(&'a KeyTable) -> Option<&'a Tables<C, V, P>>,
        taken: &mut Verdicts,
        verdicts: &mut Verdicts,
    ) {
        let table = |check: &Check<'a>| check.table.and_then(tables);
        match self {
            Self::Vector(verifier) => {
                let vector = |check: &Check<'a>| match table(check)? {
                    Form::Vector(table) => Some(table),
                    Form::Portable(_) => None,
                };
                group(verifier, checks, vector, taken, verdicts);
            }
            Self::Portable(verifier) => {
                let portable = |check: &Check<'a>| match table(check)? {
                    Form::Vector(_) => None,
                    Form::Portable(table) => Some(table),
                };
                group(verifier, checks, portable, taken, verdicts);
            }
        }
    }
}

/// Gives a verifier the checks that it has tables for.
fn group<'a, C: Curve, L: Lanes<Fe = C::Fe>>(
    verifier: &mut Verifier<C, L>,
    checks: &[Check<'a>],
    table: impl Fn(&Check<'a>) -> Option<&'a Table<C, L>>,
    taken: &mut Verdicts,
    verdicts: &mut Verdicts,
) {
    let job =
        |check: &Check<'a>| table(check).map(|table| Job { table, digest: check.digest, signature: check.signature });
    let mut places = [0; CHECKS];
    let mut count = 0;
    let mine = checks.iter().enumerate().filter_map(|(place, check)| job(check).map(|job| (place, job)));
    let mut jobs: [Option<Job<'a, C, L>>; CHECKS] = [const { None }; CHECKS];
    for (((place, job), to), at) in mine.zip(&mut jobs).zip(&mut places) {
        (*to, *at) = (Some(job), place);
        taken.grant(place);
        count += 1;
    }
    let Some(Some(first)) = jobs.first() else { return };
    let dense: [Job<'a, C, L>; CHECKS] = core::array::from_fn(|at| {
        let one = jobs.get(at).and_then(Option::as_ref).unwrap_or(first);
        Job { table: one.table, digest: one.digest, signature: one.signature }
    });
    verifier.verify(dense.get(..count).unwrap_or_default(), &mut |at| {
        if let Some(&place) = places.get(at).filter(|_| at < count) {
            verdicts.grant(place);
        }
    });
}
