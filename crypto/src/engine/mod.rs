//! What turns checks into verdicts: one trait, the reference, the tables in front of it, and in front of these a device.

mod auto;
mod base;
pub mod hardware;
mod mode;
mod reference;

pub(crate) use auto::Auto;
pub(crate) use mode::Mode;
pub use mode::{Choice, EngineKind};
pub(crate) use reference::Reference;

use crate::tables::Table;
use crate::verify::PublicKey;

/// Checks that an engine is given at a time, at most.
pub(crate) const CHECKS: usize = 64;

/// One bit a check, 1 where the signature held. A bit that nobody set is a refusal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Verdicts {
    held: u64,
    /// Which of them are the word of a device, whatever it was.
    by_device: u64,
    again: u64,
}

impl Verdicts {
    /// Records that check `index` holds. Beyond [`CHECKS`] nothing is recorded, so it stays refused.
    pub(crate) fn grant(&mut self, index: usize) {
        if index < CHECKS {
            self.held |= 1 << index;
        }
    }

    /// Records that the verdict on check `index` is a device's.
    pub(crate) fn attribute(&mut self, index: usize) {
        if index < CHECKS {
            self.by_device |= 1 << index;
        }
    }

    /// Whether a device gave the verdict on check `index`.
    pub(crate) fn is_by_device(&self, index: usize) -> bool {
        index < CHECKS && self.by_device >> index & 1 == 1
    }

    /// Whether check `index` was granted.
    pub(crate) fn held(&self, index: usize) -> bool {
        index < CHECKS && self.held >> index & 1 == 1
    }

    /// Records that check `index` had to be worked out a second time, which costs some times as much as the others.
    pub(crate) fn mark_again(&mut self, index: usize) {
        if index < CHECKS {
            self.again |= 1 << index;
        }
    }

    /// Whether check `index` was marked so.
    pub(crate) fn again(&self, index: usize) -> bool {
        index < CHECKS && self.again >> index & 1 == 1
    }
}

/// One question: does this key's signature hold over this?
#[derive(Clone, Copy)]
pub(crate) struct Check<'a> {
    pub(crate) key: &'a PublicKey,
    /// The key's table, if it has one.
    pub(crate) table: Option<&'a Table>,
    /// ECDSA and RSA: the digest that goes with the key. Ed25519: SHA-512 of R, A and the message, or empty if nobody made it.
    pub(crate) digest: &'a [u8],
    /// Ed25519: the message. Else empty.
    pub(crate) message: &'a [u8],
    /// Raw form; of another length than [`PublicKey::signature_len`] it is to be refused.
    pub(crate) signature: &'a [u8],
}

/// Verifies some checks. Only public data goes in: an engine may be variable-time, and none of them ever signs.
pub(crate) trait Engine: Send {
    /// Grants each of `checks` (at most [`CHECKS`]) whose signature holds, by its place. `verdicts` comes all refused.
    fn verify(&mut self, checks: &[Check<'_>], verdicts: &mut Verdicts);

    /// Whether this is the reference itself, whose verdicts there is nothing to compare with.
    fn is_reference(&self) -> bool {
        false
    }

    /// Which engine answers for which algorithm, and why. Asked once.
    fn choices(&self) -> Vec<Choice> {
        Vec::new()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn verdicts_are_refused_until_granted() {
        let mut verdicts = Verdicts::default();
        assert!((0..=CHECKS).all(|index| !verdicts.held(index)));
        for index in [0, 1, 62, 63, CHECKS, usize::MAX] {
            verdicts.grant(index);
        }
        let held: Vec<_> = (0..CHECKS + 64).filter(|&index| verdicts.held(index)).collect();
        assert_eq!(held, [0, 1, 62, 63]);
    }
}
