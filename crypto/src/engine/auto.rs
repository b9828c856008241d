//! The fastest engine for each check: its key's table where there is one, else the reference.

use super::{CHECKS, Check, Choice, Engine, Reference, Verdicts, base};
use crate::alg::Alg;
use crate::ed25519;
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
    ed25519: Option<ed25519::Verifier>,
    choices: Vec<Choice>,
}

impl Auto {
    /// For the calling thread, near whose core the generators' tables are. A curve whose table cannot be made is left to
    /// the reference.
    /// * `window`: of these tables
    pub(crate) fn new(window: u32) -> Self {
        let (p256, p384, ed25519) = (base::p256(window), base::p384(window - P384_LESS), base::ed25519(window));
        let choice = |alg| {
            let (tables, why) = match alg {
                Alg::P256 => why(p256.as_deref().map(made), window),
                Alg::P384 => why(p384.as_deref().map(made), window - P384_LESS),
                Alg::Ed25519 => {
                    why(ed25519.as_ref().map(|base| (ed25519::Verifier::is_vector(), base.octets())), window)
                }
                Alg::Rsa2048 => (false, "no tables for this algorithm".to_owned()),
            };
            Choice { alg, engine: if tables { "tables" } else { "reference" }, why }
        };
        let choices = Alg::ALL.map(choice).to_vec();
        Self {
            p256: p256.map(|base| Verifier::new(&base)),
            p384: p384.map(|base| Verifier::new(&base)),
            ed25519: ed25519.map(ed25519::Verifier::new),
            choices,
        }
    }
}

/// Whether a table is for vector kernels, and its octets.
fn made<C: Curve>(base: &Base<C>) -> (bool, usize) {
    (matches!(base, Base::Vector(_)), base.octets())
}

/// What is to be said of a curve, with what there is of its generator's table.
fn why(base: Option<(bool, usize)>, window: u32) -> (bool, String) {
    let Some((vector, octets)) = base else {
        return (false, "the generator's table came out wrong, or there is no memory for it".to_owned());
    };
    let form = if vector { "AVX2" } else { "scalar: this processor has no AVX2" };
    (true, format!("{form}, G window {window}, {:.1} MiB", octets as f64 / f64::from(1 << 20)))
}

impl Engine for Auto {
    fn verify(&mut self, checks: &[Check<'_>], verdicts: &mut Verdicts) {
        let mut taken = Verdicts::default();
        ecdsa(self.p256.as_mut(), checks, |table| table.p256(), &mut taken, verdicts);
        ecdsa(self.p384.as_mut(), checks, |table| table.p384(), &mut taken, verdicts);
        eddsa(self.ed25519.as_mut(), checks, &mut taken, verdicts);
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
    group(checks, job, taken, verdicts, |jobs, told| {
        verifier.verify(jobs, &mut |at| told.grant(at));
        verifier.again().iter().for_each(|&at| told.mark_again(at));
    });
}

/// The same for Ed25519. What has not the length of a signature is left to the reference, which refuses it.
fn eddsa<'a>(
    verifier: Option<&mut ed25519::Verifier>,
    checks: &[Check<'a>],
    taken: &mut Verdicts,
    verdicts: &mut Verdicts,
) {
    let Some(verifier) = verifier else { return };
    let job = |check: &Check<'a>| {
        let table = check.table.and_then(Table::ed25519)?;
        let (public, signature) = (check.key.bits().try_into().ok()?, check.signature.try_into().ok()?);
        let signed = match check.digest.try_into() {
            Ok(digest) => ed25519::Signed::Digest(digest),
            Err(_) => ed25519::Signed::Message(check.message),
        };
        Some(ed25519::Job { table, public, signed, signature })
    };
    group(checks, job, taken, verdicts, |jobs, told| verifier.verify(jobs, &mut |at| told.grant(at)));
}

/// Puts the checks that give a job side by side, has them verified, and carries what is told of them back to their places.
fn group<'a, J: Copy>(
    checks: &[Check<'a>],
    job: impl Fn(&Check<'a>) -> Option<J>,
    taken: &mut Verdicts,
    verdicts: &mut Verdicts,
    verify: impl FnOnce(&[J], &mut Verdicts),
) {
    let mut mine = checks.iter().enumerate().filter_map(|(place, check)| Some((place, job(check)?)));
    let Some((place, first)) = mine.next() else { return };
    let (mut jobs, mut places, mut count) = ([first; CHECKS], [place; CHECKS], 1);
    taken.grant(place);
    for ((place, job), (to, at)) in mine.zip(jobs.iter_mut().zip(&mut places).skip(1)) {
        (*to, *at) = (job, place);
        taken.grant(place);
        count += 1;
    }
    let mut told = Verdicts::default();
    verify(jobs.get(..count).unwrap_or_default(), &mut told);
    for (at, &place) in places.iter().enumerate().take(count) {
        if told.held(at) {
            verdicts.grant(place);
        }
        if told.again(at) {
            verdicts.mark_again(place);
        }
    }
}
