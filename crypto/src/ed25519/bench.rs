//! What the speed example sees of this engine.

use super::{BaseTable, Job, KeyTable, Signed, Verifier};
use std::sync::Arc;

/// Most requests of one call.
pub const MOST: usize = 64;

/// Key, message and signature of a request.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// Multiples of the key.
    pub key: &'a Key,
    /// What was signed.
    pub message: &'a [u8],
    /// R and S.
    pub signature: &'a [u8; 64],
}

/// Table of one key.
pub struct Key([u8; 32], KeyTable);

impl Key {
    /// `None` if `public` is no point.
    #[must_use]
    pub fn new(public: &[u8; 32], window: u32) -> Option<Self> {
        KeyTable::build(public, window).map(|table| Self(*public, table))
    }

    /// Memory of the table.
    #[must_use]
    pub fn octets(&self) -> usize {
        self.1.octets()
    }
}

/// Table of the base point.
pub struct Base(Arc<BaseTable>);

impl Base {
    /// Of the given window.
    #[must_use]
    pub fn new(window: u32) -> Self {
        Self(BaseTable::build(window))
    }

    /// Memory of the table.
    #[must_use]
    pub fn octets(&self) -> usize {
        self.0.octets()
    }
}

/// The engine.
pub struct Runner(Verifier);

impl Runner {
    /// On the best lanes of this CPU.
    #[must_use]
    pub fn new(base: &Base) -> Self {
        Self(Verifier::new(Arc::clone(&base.0)))
    }

    /// How many of the first [`MOST`] of `requests` hold.
    pub fn verify(&mut self, requests: &[Request<'_>]) -> usize {
        let Some(last) = requests.last() else { return 0 };
        let jobs: [Job<'_>; MOST] = std::array::from_fn(|at| {
            let Request { key, message, signature } = requests.get(at).unwrap_or(last);
            Job { table: &key.1, public: &key.0, signed: Signed::Message(message), signature }
        });
        let mut held = 0;
        self.0.verify(&jobs[..requests.len().min(MOST)], &mut |_| held += 1);
        held
    }
}
