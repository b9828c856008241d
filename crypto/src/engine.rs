//! What turns checks into verdicts: one trait, and the reference behind it.

use crate::job::MAX_BATCH;
use crate::verify::PublicKey;
use aws_lc_rs::digest::Digest;

const WORDS: usize = MAX_BATCH.div_ceil(64);

/// One bit a job, 1 where the signature held. A bit that nobody set is a refusal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Verdicts([u64; WORDS]);

impl Verdicts {
    /// Records that job `index` holds. Beyond [`MAX_BATCH`] nothing is recorded, so it stays refused.
    pub(crate) fn grant(&mut self, index: usize) {
        if let Some(word) = self.0.get_mut(index / 64) {
            *word |= 1 << (index % 64);
        }
    }

    /// Whether job `index` was granted.
    pub(crate) fn held(&self, index: usize) -> bool {
        self.0.get(index / 64).is_some_and(|word| word >> (index % 64) & 1 == 1)
    }
}

/// What a signature was made over.
#[derive(Clone, Copy)]
pub(crate) enum Signed<'a> {
    /// The digest that goes with the key (ECDSA, RSA).
    Digest(&'a Digest),
    /// The message itself (Ed25519).
    Message(&'a [u8]),
}

/// One question: does this key's signature hold over this?
#[derive(Clone, Copy)]
pub(crate) struct Check<'a> {
    /// Place in the batch, and bit of the answer.
    pub(crate) index: usize,
    pub(crate) key: &'a PublicKey,
    pub(crate) signed: Signed<'a>,
    /// Raw form; of another length than [`PublicKey::signature_len`] it is to be refused.
    pub(crate) signature: &'a [u8],
}

/// Verifies a batch. Only public data goes in: an engine may be variable-time, and none of them ever signs.
///
/// An engine takes the checks in any order and by algorithm as it likes; it grants what held and leaves the rest.
pub(crate) trait Engine: Send {
    /// Grants each check of `checks` whose signature holds. `verdicts` comes all refused.
    fn verify(&mut self, checks: &mut dyn Iterator<Item = Check<'_>>, verdicts: &mut Verdicts);
}

/// aws-lc-rs, one by one, every algorithm. Each other engine must agree with it.
#[derive(Debug, Default)]
pub(crate) struct Reference;

impl Engine for Reference {
    fn verify(&mut self, checks: &mut dyn Iterator<Item = Check<'_>>, verdicts: &mut Verdicts) {
        for check in checks {
            let holds = match check.signed {
                Signed::Digest(digest) => check.key.verify_digest(digest, check.signature),
                Signed::Message(message) => check.key.verify_message(message, check.signature),
            };
            if holds {
                verdicts.grant(check.index);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdicts_are_refused_until_granted() {
        let mut verdicts = Verdicts::default();
        assert!((0..=MAX_BATCH).all(|index| !verdicts.held(index)));
        for index in [0, 63, 64, MAX_BATCH - 1, MAX_BATCH, usize::MAX] {
            verdicts.grant(index);
        }
        let held: Vec<_> = (0..MAX_BATCH + 64).filter(|&index| verdicts.held(index)).collect();
        assert_eq!(held, [0, 63, 64, MAX_BATCH - 1]);
    }
}
