//! The fastest engine for each check: its key's table where there is one, else the reference.

use super::{CHECKS, Check, Choice, Engine, Reference, Verdicts, base};
use crate::alg::Alg;
use crate::p256::P256;
use crate::p384::P384;
use crate::tables::Table;
use crate::weierstrass::choice::{self, Base, Job, Verifier};
use crate::weierstrass::field::Curve;

/// P-384's generator gets a window so much narrower: its lines are longer, and its messages fewer.
const P384_LESS: u32 = 2;

/// Gives each check to the engine that has a table for its key. Engines sort by the width of tables for themselves.
pub(crate) struct Auto {
    p256: Option<Verifier<P256>>,
    p384: Option<Verifier<P384>>,
    choices: Vec<Choice>,
}

impl Auto {
    /// For the calling thread, near whose core the generators' tables are. A curve whose table cannot be made is left to
    /// the reference.
    /// * `window`: of these tables
    pub(crate) fn new(window: u32) -> Self {
        let (p256, p384) = (base::p256(window), base::p384(window - P384_LESS));
        let none = || (false, "no tables for this algorithm".to_owned());
        let choice = |alg| {
            let (tables, why) = match alg {
                Alg::P256 => why(p256.as_deref(), window),
                Alg::P384 => why(p384.as_deref(), window - P384_LESS),
                Alg::Ed25519 | Alg::Rsa2048 => none(),
            };
            Choice { alg, engine: if tables { "tables" } else { "reference" }, why }
        };
        let choices = Alg::ALL.map(choice).to_vec();
        Self { p256: p256.map(|base| Verifier::new(&base)), p384: p384.map(|base| Verifier::new(&base)), choices }
    }
}

/// What is to be said of a curve.
fn why<C: Curve>(base: Option<&Base<C>>, window: u32) -> (bool, String) {
    let Some(base) = base else {
        return (false, "the generator's table came out wrong, or there is no memory for it".to_owned());
    };
    let form = match base {
        Base::Vector(_) => "AVX2",
        Base::Twin(_) => "scalar: this processor has no AVX2",
    };
    (true, format!("{form}, G window {window}, {:.1} MiB", base.octets() as f64 / f64::from(1 << 20)))
}

impl Engine for Auto {
    fn verify(&mut self, checks: &[Check<'_>], verdicts: &mut Verdicts) {
        let mut taken = Verdicts::default();
        ecdsa(self.p256.as_mut(), checks, |table| table.p256(), &mut taken, verdicts);
        ecdsa(self.p384.as_mut(), checks, |table| table.p384(), &mut taken, verdicts);
        for (place, check) in checks.iter().enumerate().filter(|(place, _)| !taken.held(*place)) {
            if Reference::holds(check) {
                verdicts.grant(place);
            }
        }
    }

    fn choices(&self) -> Vec<Choice> {
        self.choices.clone()
    }
}

/// Gives a curve's engine the checks whose keys have a table of that curve; sets their bits in `taken`.
fn ecdsa<'a, C: Curve>(
    verifier: Option<&mut Verifier<C>>,
    checks: &[Check<'a>],
    table: impl Fn(&'a Table) -> Option<&'a choice::Table<C>>,
    taken: &mut Verdicts,
    verdicts: &mut Verdicts,
) {
    let Some(verifier) = verifier else { return };
    let job = |check: &Check<'a>| {
        let table = check.table.and_then(&table)?;
        Some(Job { table, digest: check.digest, signature: check.signature })
    };
    let mut mine = checks.iter().enumerate().filter_map(|(place, check)| Some((place, job(check)?)));
    let Some((place, first)) = mine.next() else { return };
    let (mut jobs, mut places, mut count) = ([first; CHECKS], [place; CHECKS], 1);
    taken.grant(place);
    for ((place, job), (to, at)) in mine.zip(jobs.iter_mut().zip(&mut places).skip(1)) {
        (*to, *at) = (job, place);
        taken.grant(place);
        count += 1;
    }
    verifier.verify(jobs.get(..count).unwrap_or_default(), &mut |at| {
        if let Some(&place) = places.get(at).filter(|_| at < count) {
            verdicts.grant(place);
        }
    });
}
