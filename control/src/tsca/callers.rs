//! Certificates of callers that were fetched from where their calls say, judged like all others: by the anchors, the authorities
//! and the revocation lists that are held, again at each change of those.

use sealgate_crypto::pki::{self, Anchor, Caller, Known, Object, Options, Trust};
use std::sync::Arc;

/// What a URL gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// The URL.
    pub x5u: Arc<str>,
    /// The certificate, and authorities between it and an anchor (RFC 8226 §8: `application/pem-certificate-chain`).
    pub chain: Vec<Object>,
}

/// All that were fetched. A clone shares them.
#[derive(Clone, Debug, Default)]
pub struct Callers {
    fetched: Arc<Vec<Fetched>>,
    known: Known,
}

impl Callers {
    /// Whether these are the same ones.
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.fetched, &other.fetched)
    }

    /// All but those of these URLs, and these.
    #[must_use]
    pub fn with(&self, gone: &[Arc<str>], more: Vec<Fetched>) -> Self {
        let replaced = |x5u: &Arc<str>| gone.contains(x5u) || more.iter().any(|one| one.x5u == *x5u);
        let mut fetched: Vec<_> = self.fetched.iter().filter(|one| !replaced(&one.x5u)).cloned().collect();
        fetched.extend(more);
        Self { fetched: Arc::new(fetched), known: self.known.clone() }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.fetched.len()
    }

    /// True if there is none.
    pub fn is_empty(&self) -> bool {
        self.fetched.is_empty()
    }

    /// Judges them under the authorities of `trust`, and adds those that lead to an anchor to it. They are judged apart: what
    /// somebody's server gives must not push out what an operator or the repository gave.
    pub(super) fn judge(&mut self, trust: &mut Trust, anchors: &[Anchor], crls: &[Object], options: Options, now: i64) {
        if self.fetched.is_empty() {
            return;
        }
        let authority =
            |one: &pki::Signer| Object { name: one.certificate.name.clone(), der: one.certificate.der.clone() };
        let mut objects: Vec<Object> = trust.authorities.iter().map(authority).collect();
        objects.extend(self.fetched.iter().flat_map(|one| one.chain.iter().cloned()));
        let judged = pki::load_again(anchors, &objects, crls, options, now, &mut self.known);
        for one in self.fetched.iter() {
            let Some(first) = one.chain.first() else { continue };
            let found = judged.signers.iter().find(|signer| signer.certificate.der == first.der);
            trust.callers.extend(found.map(|signer| Caller { x5u: Arc::clone(&one.x5u), signer: signer.clone() }));
        }
        trust.next_change = [trust.next_change, judged.next_change].into_iter().flatten().min();
    }
}
