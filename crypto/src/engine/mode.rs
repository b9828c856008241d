//! Which engine answers: what the operator wants, what this machine has, and what became of trust in it.

use crate::alg::Alg;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// What `crypto.engine` says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EngineKind {
    /// The fastest engine that there is for an algorithm on this machine.
    #[default]
    Auto,
    /// aws-lc-rs for everything.
    Reference,
}

impl EngineKind {
    /// As in the configuration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Reference => "reference",
        }
    }
}

/// Which engine answers for an algorithm, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The algorithm.
    pub alg: Alg,
    /// `tables`, `reference` or `device`.
    pub engine: &'static str,
    /// What it was chosen for, and with which settings.
    pub why: String,
}

/// Whether engines of our own still answer. All threads look at it before each chunk.
#[derive(Clone, Debug, Default)]
pub(crate) struct Mode(Arc<AtomicBool>);

impl Mode {
    /// From now on only the reference answers, until the gateway is started again.
    pub(crate) fn distrust(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Whether an engine of ours was found wrong.
    pub(crate) fn is_distrusted(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}
