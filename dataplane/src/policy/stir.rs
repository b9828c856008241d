//! Certificates of callers in SIP by the URL that a PASSporT names, and what our own calls are signed with (formats 8).

use std::collections::HashMap;

use sealgate_config::model::{Attest, Stir as StirConfig, StirSign, X5uMiss};

use super::fast::Fast;
use super::snapshot::SignerId;

/// What STIR asks while it judges a call. The URL itself is never fetched here.
#[derive(Clone, Debug)]
pub struct Stir {
    /// How old, or ahead of our clock, a PASSporT may be, seconds.
    pub window_s: u32,
    /// What becomes of a call whose certificate is not known yet.
    pub x5u_miss: X5uMiss,
    /// Calls that wait for their certificates at a time, at each worker.
    pub hold_max: usize,
    /// Whether diverted calls are followed (RFC 8946).
    pub div: bool,
    /// What our own calls are signed as.
    pub sign: Option<StirSign>,
    hosts: Vec<String>,
    by_url: HashMap<Box<[u8]>, SignerId, Fast>,
}

impl Stir {
    /// The table of a policy; the names of certificates that are not loaded are left out, and returned.
    ///
    /// * `find`: the certificate of a name
    pub(super) fn compile(stir: &StirConfig, find: impl Fn(&str) -> Option<SignerId>) -> (Self, Vec<&str>) {
        let (mut by_url, mut missing) = (HashMap::default(), Vec::new());
        for certificate in &stir.certificates {
            match find(&certificate.cert) {
                Some(id) => {
                    by_url.insert(certificate.x5u.as_bytes().into(), id);
                }
                None => missing.push(certificate.cert.as_str()),
            }
        }
        let StirConfig { window_s, x5u_miss, hold_max, div, .. } = *stir;
        let (hosts, sign) = (stir.hosts.clone(), stir.sign.clone());
        (Self { window_s, x5u_miss, hold_max: hold_max as usize, div, sign, hosts, by_url }, missing)
    }

    /// Takes in a certificate that control has fetched, unless the policy names another one for its URL.
    pub(super) fn add(&mut self, x5u: &str, signer: SignerId) {
        self.by_url.entry(x5u.as_bytes().into()).or_insert(signer);
    }

    /// The URLs whose certificates are known.
    pub fn urls(&self) -> impl Iterator<Item = &[u8]> {
        self.by_url.keys().map(|url| &**url)
    }

    /// Whether certificates may come from this host.
    pub fn allows_host(&self, host: &[u8]) -> bool {
        self.hosts.iter().any(|known| known.as_bytes().eq_ignore_ascii_case(host))
    }

    /// The certificate that this URL names.
    pub fn signer(&self, x5u: &[u8]) -> Option<SignerId> {
        self.by_url.get(x5u).copied()
    }
}

/// The least attestation where a peer asks for none.
pub(super) const LEAST: Attest = Attest::C;
