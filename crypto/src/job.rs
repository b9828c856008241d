//! A batch of jobs that owns its octets and carries the answers back. Made once, used again and again.

use crate::engine::{Check, Engine, Signed, Verdicts};
use crate::sign::{MAX_OWN_SIGNATURE, SigningKey};
use crate::verify::{MAX_SIGNATURE, PublicKey, Verified};
use aws_lc_rs::digest::Digest;
use std::time::Instant;

/// Jobs of one batch at most.
pub const MAX_BATCH: usize = 256;

/// Octets of a message that is copied at most (Ed25519 and signing). Messages that are hashed have no such limit.
pub const MAX_MESSAGE: usize = 8192;

/// Octets a batch keeps for each job; with one message of [`MAX_MESSAGE`] on top.
const ROOM_PER_JOB: usize = MAX_SIGNATURE;

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
            Self::Refused { ticket } | Self::Signed { ticket, .. } | Self::Failed { ticket } => *ticket,
        }
    }
}

/// A part of the batch's octets.
#[derive(Clone, Copy, Default)]
struct Span {
    start: usize,
    end: usize,
}

enum Work {
    Digest {
        key: PublicKey,
        digest: Digest,
    },
    Message {
        key: PublicKey,
        message: Span,
    },
    /// `signature` of the job is where the result goes; `made` counts its octets, 0 for none.
    Sign {
        key: SigningKey,
        message: Span,
        made: usize,
    },
}

struct Job {
    ticket: u64,
    share: Option<u32>,
    work: Work,
    signature: Span,
}

/// The batch has no room for the job.
#[derive(Debug)]
pub(crate) struct Full;

/// Jobs with the octets they need. A batch that was not run to its end answers `Failed` for all of them.
pub(crate) struct Batch {
    jobs: Vec<Job>,
    most: usize,
    octets: Box<[u8]>,
    used: usize,
    verdicts: Verdicts,
    complete: bool,
    opened: Option<Instant>,
}

impl Batch {
    /// Room for `most` jobs (1 to [`MAX_BATCH`]), each with a signature, and for at least one longest message.
    pub(crate) fn new(most: usize) -> Self {
        let most = most.clamp(1, MAX_BATCH);
        Self {
            jobs: Vec::with_capacity(most),
            most,
            octets: vec![0; MAX_MESSAGE + most * ROOM_PER_JOB].into_boxed_slice(),
            used: 0,
            verdicts: Verdicts::default(),
            complete: false,
            opened: None,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.jobs.len()
    }

    pub(crate) fn is_full(&self) -> bool {
        self.jobs.len() >= self.most
    }

    /// When the first job came.
    pub(crate) fn opened(&self) -> Option<Instant> {
        self.opened
    }

    /// Adds a verification. ECDSA and RSA are hashed here, while the message is hot in the caller's cache.
    ///
    /// A signature of the wrong length is left out: an engine refuses the empty one.
    pub(crate) fn push_verify(
        &mut self,
        ticket: u64,
        share: u32,
        key: &PublicKey,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), Full> {
        let signature = if signature.len() == key.signature_len() { signature } else { &[] };
        let copied = if key.takes_message() { message } else { &[] };
        self.admit(copied.len() + signature.len())?;
        let signature = self.store(signature)?;
        let work = match key.digest(message) {
            Some(digest) => Work::Digest { key: key.clone(), digest },
            None => Work::Message { key: key.clone(), message: self.store(copied)? },
        };
        self.put(Job { ticket, share: Some(share), work, signature });
        Ok(())
    }

    /// Adds a signature to be made, with room for its result.
    pub(crate) fn push_sign(&mut self, ticket: u64, key: &SigningKey, message: &[u8]) -> Result<(), Full> {
        let result = key.alg().signature_len();
        self.admit(message.len() + result)?;
        let message = self.store(message)?;
        let signature = Span { start: self.used, end: self.used + result };
        self.used = signature.end;
        self.put(Job { ticket, share: None, work: Work::Sign { key: key.clone(), message, made: 0 }, signature });
        Ok(())
    }

    fn admit(&self, octets: usize) -> Result<(), Full> {
        if self.is_full() || octets > self.octets.len() - self.used { Err(Full) } else { Ok(()) }
    }

    fn store(&mut self, from: &[u8]) -> Result<Span, Full> {
        let span = Span { start: self.used, end: self.used + from.len() };
        self.octets.get_mut(span.start..span.end).ok_or(Full)?.copy_from_slice(from);
        self.used = span.end;
        Ok(span)
    }

    fn put(&mut self, job: Job) {
        if self.jobs.is_empty() {
            self.opened = Some(Instant::now());
        }
        self.jobs.push(job);
    }

    /// Verifies and signs all of it. After this, and only after this, the batch has answers other than `Failed`.
    pub(crate) fn run(&mut self, engine: &mut dyn Engine) {
        let mut verdicts = Verdicts::default();
        engine.verify(&mut self.checks(), &mut verdicts);
        self.verdicts = verdicts;
        for job in &mut self.jobs {
            let Work::Sign { key, message, made } = &mut job.work else { continue };
            let mut out = [0; MAX_OWN_SIGNATURE];
            let Some(message) = self.octets.get(message.start..message.end) else { continue };
            let Ok(len) = key.sign(message, &mut out) else { continue };
            if let (Some(room), Some(signature)) =
                (self.octets.get_mut(job.signature.start..job.signature.end), out.get(..len))
                && room.len() == len
            {
                room.copy_from_slice(signature);
                *made = len;
            }
        }
        self.complete = true;
    }

    /// The verifications of the batch; signing jobs are none.
    fn checks(&self) -> impl Iterator<Item = Check<'_>> {
        self.jobs.iter().enumerate().filter_map(|(index, job)| {
            let (key, signed) = match &job.work {
                Work::Digest { key, digest } => (key, Signed::Digest(digest)),
                Work::Message { key, message } => (key, Signed::Message(self.part(*message)?)),
                Work::Sign { .. } => return None,
            };
            Some(Check { index, key, signed, signature: self.part(job.signature)? })
        })
    }

    fn part(&self, span: Span) -> Option<&[u8]> {
        self.octets.get(span.start..span.end)
    }

    /// Answers each job once, with the share it was counted under, and leaves the batch empty for the next use.
    pub(crate) fn answer(&mut self, mut each: impl FnMut(Option<u32>, Outcome<'_>)) {
        for (index, job) in self.jobs.iter().enumerate() {
            let ticket = job.ticket;
            let outcome = match &job.work {
                _ if !self.complete => Outcome::Failed { ticket },
                Work::Digest { .. } | Work::Message { .. } if self.verdicts.held(index) => {
                    Outcome::Verified(Verified::new(ticket))
                }
                Work::Digest { .. } | Work::Message { .. } => Outcome::Refused { ticket },
                Work::Sign { made: 0, .. } => Outcome::Failed { ticket },
                Work::Sign { .. } => match self.part(job.signature) {
                    Some(signature) => Outcome::Signed { ticket, signature },
                    None => Outcome::Failed { ticket },
                },
            };
            each(job.share, outcome);
        }
        self.jobs.clear();
        self.used = 0;
        self.verdicts = Verdicts::default();
        self.complete = false;
        self.opened = None;
    }
}
