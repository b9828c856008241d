//! An engine without rings, threads and control around it: what the pool is measured against.

use crate::engine::{Auto, CHECKS, Check, Engine, Reference, Verdicts};
use crate::tables::{Curves, Table, Tier, Workshop};
use crate::verify::PublicKey;

/// One question to a [`Bare`] engine.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// Place of the key.
    pub key: usize,
    /// ECDSA and RSA: the digest. Ed25519: empty.
    pub digest: &'a [u8],
    /// Ed25519: the message. Else empty.
    pub message: &'a [u8],
    /// Raw signature.
    pub signature: &'a [u8],
}

/// Keys with tables of one tier, and the engines that read them.
pub struct Bare {
    keys: Vec<(PublicKey, Option<Table>)>,
    auto: Auto,
}

impl Bare {
    /// Makes the table of each key at `tier`, one after the other; keys of an algorithm without tables get none.
    ///
    /// * `base_window`: that of the generators' tables
    ///
    /// `None` where a table came out wrong.
    #[must_use]
    pub fn new(keys: &[PublicKey], tier: Tier, base_window: u32) -> Option<Self> {
        let with_table = |key: &PublicKey| {
            let wanted = tier != Tier::None && Curves.costs(key.alg()).is_some();
            let table = if wanted { Some(Curves.make(key, tier).ok()?) } else { None };
            Some((key.clone(), table))
        };
        Some(Self { keys: keys.iter().map(with_table).collect::<Option<_>>()?, auto: Auto::new(base_window) })
    }

    /// Octets of all tables of keys.
    #[must_use]
    pub fn octets(&self) -> usize {
        self.keys.iter().filter_map(|(_, table)| table.as_ref()).map(Table::octets).sum()
    }

    /// How many of the questions are answered with yes, by the fastest engines, so many at a time as a pool asks.
    pub fn verify(&mut self, questions: &[Question<'_>]) -> usize {
        ask(&self.keys, &mut self.auto, questions)
    }

    /// The same by the reference.
    pub fn reference(&mut self, questions: &[Question<'_>]) -> usize {
        ask(&self.keys, &mut Reference, questions)
    }
}

fn ask(keys: &[(PublicKey, Option<Table>)], engine: &mut dyn Engine, questions: &[Question<'_>]) -> usize {
    let mut held = 0;
    for part in questions.chunks(CHECKS) {
        let check = |question: &Question<'_>| -> Option<Check<'_>> {
            let (key, table) = keys.get(question.key)?;
            Some(Check { key, table: table.as_ref(), digest: &[], message: &[], signature: &[] })
        };
        let Some(first) = part.first().and_then(check) else { continue };
        let mut checks = [first; CHECKS];
        for (to, question) in checks.iter_mut().zip(part) {
            let Some(one) = check(question) else { continue };
            let Question { digest, message, signature, .. } = *question;
            *to = Check { digest, message, signature, ..one };
        }
        let mut verdicts = Verdicts::default();
        engine.verify(checks.get(..part.len()).unwrap_or_default(), &mut verdicts);
        held += (0..part.len()).filter(|&place| verdicts.held(place)).count();
    }
    held
}
