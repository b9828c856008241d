//! The fastest engine for each check: its key's table where there is one, else the reference.

use super::ecdsa;
use super::{Check, Choice, Engine, Reference, Verdicts, base};
use crate::alg::Alg;
use crate::p256;

type P256 = ecdsa::Engine<p256::P256, base::P256Vector, p256::Portable>;

/// Gives each check to the engine that has a table for its key. Engines sort by the width of tables for themselves.
pub(crate) struct Auto {
    p256: P256,
}

impl Auto {
    /// For the calling thread, near whose core the generators' tables are.
    /// * `window`: of these tables
    /// # Errors
    /// The algorithm whose table came out wrong.
    pub(crate) fn new(window: u32) -> Result<Self, Alg> {
        let p256 = base::p256(window).ok_or(Alg::P256)?;
        Ok(Self { p256: P256::new(&p256) })
    }

    /// Which engine answers for which algorithm, and why.
    /// * `window`: of the generators' tables
    pub(crate) fn choices(window: u32) -> Vec<Choice> {
        let tables = |alg, made: Option<(&'static str, usize)>| match made {
            Some((form, octets)) => {
                let why = format!("{form}, G window {window}, {:.1} MiB", octets as f64 / f64::from(1 << 20));
                Choice { alg, engine: "tables", why }
            }
            None => Choice { alg, engine: "reference", why: "table of the generator came out wrong".to_owned() },
        };
        let none = |alg| Choice { alg, engine: "reference", why: "no tables for this algorithm".to_owned() };
        Alg::ALL
            .map(|alg| match alg {
                Alg::P256 => tables(alg, base::p256(window).map(|base| (base.name(), base.octets()))),
                Alg::Ed25519 | Alg::Rsa2048 | Alg::P384 => none(alg),
            })
            .to_vec()
    }
}

impl Engine for Auto {
    fn verify(&mut self, checks: &[Check<'_>], verdicts: &mut Verdicts) {
        let mut taken = Verdicts::default();
        self.p256.verify(checks, |table| table.p256(), &mut taken, verdicts);
        for (place, check) in checks.iter().enumerate().filter(|(place, _)| !taken.held(*place)) {
            if Reference::holds(check) {
                verdicts.grant(place);
            }
        }
    }
}
