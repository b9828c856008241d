//! A job on its way: what a worker writes into a ring, and what comes back.

use crate::keyring::KeyId;
use crate::ring::words_for;
use crate::verify::{MAX_SIGNATURE, Verified};

/// Jobs of one chunk at most.
pub const MAX_BATCH: usize = 256;

/// Octets of a message that is copied at most (Ed25519 and signing). Messages that are hashed have no such limit.
pub const MAX_MESSAGE: usize = 8192;

/// Octets of the longest digest: SHA-512.
pub(crate) const MAX_DIGEST: usize = 64;

/// Words of a request's header.
pub(crate) const HEADER: usize = 3;

/// Requests begin on a cache line: eight words.
const GRAIN: usize = 8;

/// Words of a P-256 request, the one that there are most of: header, digest, signature.
pub(crate) const SHORT: usize = (HEADER + 4 + 8).next_multiple_of(GRAIN);

/// Words of the longest request.
pub(crate) const LONGEST: usize =
    (HEADER + words_for(MAX_DIGEST) + words_for(MAX_SIGNATURE) + words_for(MAX_MESSAGE)).next_multiple_of(GRAIN);

/// What became of a job. Each accepted job gets exactly one.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome<'a> {
    /// The signature holds; the proof names the ticket.
    Verified(Verified),
    /// The signature does not hold.
    Refused {
        /// As given at submission.
        ticket: u64,
    },
    /// A signature was made.
    Signed {
        /// As given at submission.
        ticket: u64,
        /// Raw form, r then s for ECDSA.
        signature: &'a [u8],
    },
    /// The key was withdrawn while the job waited. Nothing is known of the signature: the caller refuses.
    Stale {
        /// As given at submission.
        ticket: u64,
    },
    /// The crypto thread is gone, or the library failed. Nothing is known of the signature: the caller refuses.
    Failed {
        /// As given at submission.
        ticket: u64,
    },
}

impl Outcome<'_> {
    /// The ticket of the job that this answers.
    #[must_use]
    pub fn ticket(&self) -> u64 {
        match self {
            Self::Verified(proof) => proof.ticket(),
            Self::Refused { ticket }
            | Self::Signed { ticket, .. }
            | Self::Stale { ticket }
            | Self::Failed { ticket } => *ticket,
        }
    }
}

/// What a job asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Verify,
    Sign,
}

/// Header of a request. Behind it come the digest, the signature and the message, each padded to words.
///
/// A verification carries the digest (of Ed25519: SHA-512 of R, A and the message, where the key has a table). aws-lc-rs
/// verifies Ed25519 over the message only, so there the message must travel too, whatever engine answers first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) kind: Kind,
    /// The worker's number for the job, which comes back with the answer.
    pub(crate) index: u32,
    pub(crate) key: KeyId,
    pub(crate) digest: u8,
    /// Octets of the signature that is here, or (signing) of the one that will be made.
    pub(crate) signature: u16,
    pub(crate) message: u16,
    /// What it counts for, see [`Class`](crate::cost::Class).
    pub(crate) cost: u8,
}

impl Request {
    /// Octets of the signature that travels with it.
    pub(crate) fn carried(&self) -> usize {
        if self.kind == Kind::Verify { usize::from(self.signature) } else { 0 }
    }

    /// Words of the whole record.
    pub(crate) fn words(&self) -> usize {
        let runs = [usize::from(self.digest), self.carried(), usize::from(self.message)];
        (HEADER + runs.into_iter().map(words_for).sum::<usize>()).next_multiple_of(GRAIN)
    }

    /// Words of its answer.
    pub(crate) fn answer_words(&self) -> usize {
        if self.kind == Kind::Sign { 1 + words_for(usize::from(self.signature)) } else { 1 }
    }

    pub(crate) fn header(&self) -> [u64; HEADER] {
        let kind = u64::from(self.kind == Kind::Sign);
        let lengths = u64::from(self.digest) << 8 | u64::from(self.signature) << 16 | u64::from(self.message) << 32;
        let cost = u64::from(self.cost) << 48;
        let key = u64::from(self.key.slot) << 32 | u64::from(self.key.generation);
        [kind | lengths | cost, u64::from(self.index), key]
    }

    pub(crate) fn from_header(words: [u64; HEADER]) -> Self {
        let [first, index, key] = words;
        let [kind, digest, s0, s1, m0, m1, cost, _] = first.to_le_bytes();
        let low = |word: u64| (word & u64::from(u32::MAX)) as u32;
        Self {
            kind: if kind == 1 { Kind::Sign } else { Kind::Verify },
            index: low(index),
            key: KeyId { slot: low(key >> 32), generation: low(key) },
            digest,
            signature: u16::from_le_bytes([s0, s1]),
            message: u16::from_le_bytes([m0, m1]),
            cost,
        }
    }
}

/// What a crypto thread says of a job. Anything that cannot be read is [`Answer::Failed`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Answer {
    #[default]
    Failed,
    Verified,
    Refused,
    Stale,
    /// So many octets of signature follow.
    Signed(u16),
}

impl Answer {
    pub(crate) fn word(self, index: u32) -> u64 {
        let (code, len) = match self {
            Self::Failed => (0, 0),
            Self::Verified => (1, 0),
            Self::Refused => (2, 0),
            Self::Stale => (3, 0),
            Self::Signed(len) => (4, len),
        };
        u64::from(index) | u64::from(len) << 32 | code << 48
    }

    pub(crate) fn from_word(word: u64) -> (u32, Self) {
        let [i0, i1, i2, i3, l0, l1, code, _] = word.to_le_bytes();
        let answer = match code {
            1 => Self::Verified,
            2 => Self::Refused,
            3 => Self::Stale,
            4 => Self::Signed(u16::from_le_bytes([l0, l1])),
            _ => Self::Failed,
        };
        (u32::from_le_bytes([i0, i1, i2, i3]), answer)
    }

    /// Words of the record in the ring of answers.
    pub(crate) fn words(self) -> usize {
        if let Self::Signed(len) = self { 1 + words_for(usize::from(len)) } else { 1 }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn headers_read_back(
            sign in any::<bool>(), index in any::<u32>(), slot in any::<u32>(), generation in any::<u32>(),
            digest in any::<u8>(), signature in 0..=512_u16, message in 0..=8192_u16, cost in any::<u8>(),
        ) {
            let kind = if sign { Kind::Sign } else { Kind::Verify };
            let request = Request { kind, index, key: KeyId { slot, generation }, digest, signature, message, cost };
            prop_assert_eq!(Request::from_header(request.header()), request);
            for answer in [Answer::Failed, Answer::Verified, Answer::Refused, Answer::Stale, Answer::Signed(signature)] {
                prop_assert_eq!(Answer::from_word(answer.word(index)), (index, answer));
            }
        }
    }

    #[test]
    fn an_answer_that_nobody_wrote_is_a_failure() {
        assert_eq!(Answer::from_word(0), (0, Answer::Failed));
        assert_eq!(Answer::from_word(u64::MAX).1, Answer::Failed);
        assert_eq!((SHORT, LONGEST), (16, 1104));
    }
}
