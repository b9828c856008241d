//! Verdicts checked again off the path: samples go to control by a ring of their own, and the reference judges them.

use crate::alg::Alg;
use crate::engine::{Check, Reference};
use crate::job::{HEADER, LONGEST, Request};
use crate::keyring::{Entry, Found, Keys};
use crate::ring::{Consumer, Producer, words_for};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// One verdict of so many is checked again.
const EVERY: u32 = 1024;

/// What a sample says of its verdict.
const HELD: u32 = 1;
const BY_DEVICE: u32 = 2;

/// Words of the ring: some hundred short samples, or ten of the longest.
pub(crate) const RING: usize = 1 << 14;

/// Samples that were not taken because control was behind.
#[derive(Debug, Default)]
pub(crate) struct Skipped(AtomicU64);

impl Skipped {
    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// An engine's end: chooses samples.
pub(crate) struct Sampler {
    out: Producer,
    skipped: Arc<Skipped>,
    /// Verdicts until the next sample.
    left: u32,
}

impl Sampler {
    pub(crate) fn new(out: Producer, skipped: Arc<Skipped>) -> Self {
        Self { out, skipped, left: 1 }
    }

    /// Hands a verdict on to be checked again, if it is its turn or the first that a table gave.
    pub(crate) fn see(&mut self, request: &Request, entry: &Entry, check: &Check<'_>, (held, by_device): (bool, bool)) {
        self.left -= 1;
        let due = self.left == 0;
        let first = !by_device && entry.table.is_some() && !entry.proven.load(Ordering::Relaxed);
        if due {
            self.left = EVERY;
        }
        if !due && !first {
            return;
        }
        // The answer takes the place of the job's number.
        let index = if held { HELD } else { 0 } | if by_device { BY_DEVICE } else { 0 };
        let header = Request { index, ..*request }.header();
        if self.out.push(request.words(), &header, &[check.digest, check.signature, check.message]) {
            self.out.publish();
            if first {
                entry.proven.store(true, Ordering::Relaxed);
            }
        } else {
            // A first one stays due: it is handed on with the next verdict.
            self.skipped.0.store(self.skipped.0.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        }
    }
}

/// A verdict of an engine that the reference does not share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// The algorithm.
    pub alg: Alg,
    /// Value of the key's BIT STRING.
    pub key: Vec<u8>,
    /// What was signed: the digest, or the message of Ed25519.
    pub signed: Vec<u8>,
    /// The signature, raw.
    pub signature: Vec<u8>,
    /// What the engine said.
    pub engine: bool,
    /// What the reference says.
    pub reference: bool,
    /// Whether the engine was a device.
    pub by_device: bool,
}

impl Evidence {
    pub(crate) fn of(check: &Check<'_>, engine: bool, reference: bool, by_device: bool) -> Self {
        let signed = if check.message.is_empty() { check.digest } else { check.message };
        Self {
            alg: check.key.alg(),
            key: check.key.bits().to_vec(),
            signed: signed.to_vec(),
            signature: check.signature.to_vec(),
            engine,
            reference,
            by_device,
        }
    }
}

/// Control's end: judges samples.
pub(crate) struct Auditor {
    from: Consumer,
    octets: Vec<u8>,
}

/// What an auditor found.
#[derive(Debug, Default)]
pub(crate) struct Audit {
    pub(crate) checked: u64,
    pub(crate) evidence: Vec<Evidence>,
}

impl Auditor {
    pub(crate) fn new(from: Consumer) -> Self {
        Self { from, octets: Vec::with_capacity(LONGEST * 8) }
    }

    /// Judges what is there, at most `most` samples.
    pub(crate) fn run(&mut self, keys: &Keys, most: usize, audit: &mut Audit) {
        for _ in 0..most {
            let Some(first) = self.from.peek() else { break };
            let request = Request::from_header([first, self.from.word(1), self.from.word(2)]);
            let [digest, signature, message] =
                [usize::from(request.digest), request.carried(), usize::from(request.message)];
            self.octets.resize(digest + signature + message, 0);
            let (to_digest, rest) = self.octets.split_at_mut(digest);
            let (to_signature, to_message) = rest.split_at_mut(signature);
            self.from.copy(HEADER, to_digest);
            self.from.copy(HEADER + words_for(digest), to_signature);
            self.from.copy(HEADER + words_for(digest) + words_for(signature), to_message);
            self.from.skip(request.words());
            self.from.release();
            // A key that is gone by now cannot be asked any more.
            let Found::Key(entry) = keys.find(request.key) else { continue };
            let check =
                Check { key: &entry.key, table: None, digest: to_digest, message: to_message, signature: to_signature };
            let (engine, by_device) = (request.index & HELD != 0, request.index & BY_DEVICE != 0);
            let reference = Reference::holds(&check);
            audit.checked += 1;
            if engine != reference {
                audit.evidence.push(Evidence::of(&check, engine, reference, by_device));
            }
        }
    }
}
