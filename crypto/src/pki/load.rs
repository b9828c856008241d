//! The load procedure of formats 12.2 over everything that was fetched.

use super::certificate::{Certificate, Usage, profile};
use super::crl::Crl;
use super::identifiers::Identifiers;
use super::numbers::Numbers;
use super::object::Object;
use super::trust::{Anchor, CrlStale, Fault, Options, Refused, Rejected, Signer, Trust};
use crate::verify::{PublicKey, sha256};
use rayon::prelude::*;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Most certificates from an anchor to an end entity, both counted (formats 12.1).
const MAX_DEPTH: u8 = 4;
/// Certificates of one authority key under one name that are tried as issuer: renewals and cross-certificates.
const MAX_ISSUERS: usize = 8;

/// Judges everything that was fetched at the time `now` (seconds since 1970).
///
/// Parsing and signatures run on rayon's threads. The answer depends on the arguments alone; the order of the objects
/// decides only between things that are otherwise equal. An object that appears twice is taken once, and a copy of an
/// anchor among the certificates is passed over.
///
/// Per certificate the first failed check counts: octets and profile, chain, dates, revocation list of the issuer,
/// revocation, extended key usage, identifiers inside the issuer's, one key for one SAI. Failing by time or revocation
/// alone keeps the certificate as a [`Signer`]; its authorities' dates and revocation bind it too.
///
/// Load again at [`Trust::next_change`] and whenever an object changes.
/// # Source
/// Formats 12.1 to 12.3; RFC 5280 section 6 without policies and name constraints.
pub fn load(anchors: &[Anchor], certificates: &[Object], crls: &[Object], options: Options, now: i64) -> Trust {
    load_again(anchors, certificates, crls, options, now, &mut Known::default())
}

/// Certificates of the load before: read, and with the issuer's key that was found to have signed them.
#[derive(Clone, Debug, Default)]
pub struct Known(HashMap<[u8; 32], Arc<Certificate>>);

impl Known {
    fn read(&self, object: &Object) -> ([u8; 32], Result<Arc<Certificate>, Refused>) {
        let digest = sha256(&object.der);
        let known = self.0.get(&digest).filter(|known| known.der == object.der);
        let read = match known {
            Some(known) if known.name == object.name => Ok(Arc::clone(known)),
            Some(known) => Ok(Arc::new(Certificate { name: object.name.clone(), ..Certificate::clone(known) })),
            None => Certificate::parse(object).map(Arc::new),
        };
        (digest, read)
    }
}

/// As [`load`], with the same answer, but what is the same as before costs little: a change of one object among thousands.
///
/// * `known`: of the load before; takes the certificates of this one, and forgets the others
pub fn load_again(
    anchors: &[Anchor],
    certificates: &[Object],
    crls: &[Object],
    options: Options,
    now: i64,
    known: &mut Known,
) -> Trust {
    let mut loader = Loader { options, now, ..Loader::default() };
    loader.read_crls(crls);
    loader.place_anchors(anchors);
    let mut seen: HashSet<&[u8]> = loader.authorities.iter().map(|one| one.own.der.as_slice()).collect();
    let fresh: Vec<&Object> = certificates.iter().filter(|object| seen.insert(&object.der)).collect();
    let parsed: Vec<_> = fresh.par_iter().map(|object| (&object.name, known.read(object))).collect();
    known.0.clear();
    let (mut pending, mut entities) = (Vec::new(), Vec::new());
    for (name, (digest, result)) in parsed {
        if let Ok(certificate) = &result {
            known.0.insert(digest, Arc::clone(certificate));
        }
        match result {
            Ok(certificate) if certificate.is_ca => pending.push(certificate),
            Ok(certificate) => entities.push(certificate),
            Err(refused) => loader.reject(name, refused),
        }
    }
    loader.place_authorities(pending);
    loader.place_entities(entities);
    loader.finish()
}

/// An authority with its place under an anchor.
struct Authority {
    /// The certificate as it claims, which is what its subjects are measured against.
    own: Arc<Certificate>,
    /// Certificates from the anchor to this one, both counted.
    depth: u8,
    /// Further authorities that may stand below; `None` without a limit.
    below: Option<u32>,
    limit: Option<Arc<Identifiers>>,
    crl: Option<Arc<Crl>>,
    signer: Signer,
}

/// Subject name and key identifier: what an issuer is looked up by.
type IssuerKey = (Vec<u8>, [u8; 20]);

#[derive(Default)]
struct Loader {
    options: Options,
    now: i64,
    crls: HashMap<IssuerKey, Vec<Arc<Crl>>>,
    used_crls: HashSet<usize>,
    authorities: Vec<Authority>,
    by_key: HashMap<IssuerKey, Vec<usize>>,
    trust: Trust,
}

impl Loader {
    fn reject(&mut self, name: &str, refused: Refused) {
        self.trust.rejected.push(Rejected { name: name.to_owned(), fault: refused.fault, detail: refused.detail });
    }

    fn read_crls(&mut self, objects: &[Object]) {
        let mut seen = HashSet::new();
        let fresh: Vec<&Object> = objects.iter().filter(|object| seen.insert(&object.der)).collect();
        let parsed: Vec<_> = fresh.par_iter().map(|object| (&object.name, Crl::parse(object))).collect();
        for (name, result) in parsed {
            match result {
                Ok(crl) => self.crls.entry(crl.issuer_key()).or_default().push(Arc::new(crl)),
                Err(refused) => self.reject(name, refused),
            }
        }
    }

    fn place_anchors(&mut self, anchors: &[Anchor]) {
        for (index, anchor) in anchors.iter().enumerate() {
            let object = Object { name: format!("anchor {}", index + 1), der: anchor.der.clone() };
            match Certificate::parse(&object).and_then(check_anchor) {
                Ok(certificate) => {
                    let (from, to) = (certificate.not_before, certificate.not_after);
                    let below = certificate.path_len;
                    let own = Arc::new(certificate);
                    let limit = anchor.limit.clone().map(Arc::new);
                    let certificate = narrowed(&own, limit.as_deref());
                    let signer = Signer {
                        certificate,
                        revoked: false,
                        crl_stale_from: None,
                        repo_stale: false,
                        valid_from: from,
                        valid_to: to,
                    };
                    self.place(Authority { own, depth: 1, below, limit, crl: None, signer });
                }
                Err(refused) => self.reject(&object.name, refused),
            }
        }
    }

    /// Takes up an authority and finds the revocation list it publishes.
    fn place(&mut self, mut authority: Authority) {
        let own = Arc::clone(&authority.own);
        let key = own.subject_key();
        let mut newest: Option<Arc<Crl>> = None;
        for crl in self.crls.get(&key).into_iter().flatten() {
            if !crl.is_signed_by(&own) {
                continue;
            }
            self.used_crls.insert(Arc::as_ptr(crl).addr());
            if crl.this_update > self.now {
                // Not made yet: this clock or the authority's is wrong, or it is for later.
                self.trust.next_change = earlier(self.trust.next_change, Some(crl.this_update));
            } else if newest.as_ref().is_none_or(|known| crl.is_newer_than(known)) {
                newest = Some(Arc::clone(crl));
            }
        }
        authority.crl = newest;
        self.by_key.entry(key).or_default().push(self.authorities.len());
        self.authorities.push(authority);
    }

    /// Level by level from the anchors down, so that an issuer is judged before what it issued.
    fn place_authorities(&mut self, pending: Vec<Arc<Certificate>>) {
        let mut pending: Vec<(Arc<Certificate>, Option<Refused>)> =
            pending.into_iter().map(|one| (one, None)).collect();
        let mut frontier = 0;
        for depth in 1..MAX_DEPTH {
            let start = std::mem::replace(&mut frontier, self.authorities.len());
            let judged: Vec<_> = pending
                .into_par_iter()
                .map(|(certificate, earlier)| {
                    let result = match self.issuers(&certificate).find(|(index, _)| *index >= start) {
                        None => None,
                        Some(_) if depth + 1 == MAX_DEPTH => Some(Err(too_deep())),
                        Some(_) => Some(self.judge(&certificate, start)),
                    };
                    (certificate, earlier, result)
                })
                .collect();
            pending = Vec::new();
            for (certificate, earlier, result) in judged {
                match result {
                    Some(Ok((signer, issuer))) => self.place_below(certificate, signer, issuer),
                    Some(Err(refused)) => pending.push((certificate, earlier.or(Some(refused)))),
                    None => pending.push((certificate, earlier)),
                }
            }
        }
        for (certificate, refused) in pending {
            let refused = refused.unwrap_or_else(|| self.no_issuer(&certificate));
            self.reject(&certificate.name, refused);
        }
    }

    fn place_below(&mut self, certificate: Arc<Certificate>, signer: Signer, issuer: usize) {
        let Some(above) = self.authorities.get(issuer) else { return };
        let left = above.below.map(|left| left.saturating_sub(1));
        let below = match (left, certificate.path_len) {
            (Some(left), Some(own)) => Some(left.min(own)),
            (left, own) => left.or(own),
        };
        let (depth, limit) = (above.depth + 1, above.limit.clone());
        self.place(Authority { own: certificate, depth, below, limit, crl: None, signer });
    }

    /// Authorities that the certificate names as its issuer, by name and key identifier.
    fn issuers(&self, certificate: &Certificate) -> impl Iterator<Item = (usize, &Authority)> {
        let found = certificate.issuer_key().and_then(|key| self.by_key.get(&key));
        let each = found.into_iter().flatten().take(MAX_ISSUERS);
        each.filter_map(|&index| Some((index, self.authorities.get(index)?)))
    }

    /// Judges a certificate under each issuer from `start` on. The best answer counts: usable now before not, then the
    /// one that lasts longest. Paths are not joined, so two anchors with different limits do not add up.
    fn judge(&self, certificate: &Arc<Certificate>, start: usize) -> Result<(Signer, usize), Refused> {
        let mut best: Option<(Signer, usize)> = None;
        let mut refused = None;
        for (index, issuer) in self.issuers(certificate).filter(|(index, _)| *index >= start) {
            let rank = |signer: &Signer| (signer.state(self.now).fault().is_none(), signer.valid_to);
            match self.judge_under(certificate, issuer) {
                Ok(signer) if best.as_ref().is_none_or(|(known, _)| rank(&signer) > rank(known)) => {
                    best = Some((signer, index));
                }
                Ok(_) => {}
                Err(fault) => refused = refused.or(Some(fault)),
            }
        }
        best.ok_or_else(|| refused.unwrap_or_else(|| self.no_issuer(certificate)))
    }

    fn judge_under(&self, certificate: &Arc<Certificate>, issuer: &Authority) -> Result<Signer, Refused> {
        let chain = |detail: String| Err(Refused { fault: Fault::Chain, detail });
        if !certificate.is_signed_by(&issuer.own) {
            return chain(format!("the signature is not from {}", issuer.own.subject));
        }
        if certificate.is_ca && issuer.below == Some(0) {
            return chain(format!("{} may not have authorities below it", issuer.own.subject));
        }
        if issuer.depth >= MAX_DEPTH {
            return Err(too_deep());
        }
        if certificate.identifiers.any {
            // A self-issued certificate comes this far with it, but what stands under an issuer is no anchor.
            return Err(profile("anyIdentifier is for trust anchors only"));
        }
        let late = match (&issuer.crl, self.options.crl_stale) {
            (None, _) => Some(i64::MIN),
            (Some(_), CrlStale::Keep) => None,
            // The list is good up to and with its last second and the grace.
            (Some(crl), CrlStale::Fail) => {
                Some(crl.next_update.saturating_add(self.options.crl_grace_s.max(0)).saturating_add(1))
            }
        };
        let listed = issuer.crl.as_ref().is_some_and(|crl| crl.revokes(&certificate.serial));
        let signer = Signer {
            certificate: narrowed(certificate, issuer.limit.as_deref()),
            revoked: issuer.signer.revoked || listed,
            crl_stale_from: earlier(issuer.signer.crl_stale_from, late),
            repo_stale: false,
            valid_from: certificate.not_before.max(issuer.signer.valid_from),
            valid_to: certificate.not_after.min(issuer.signer.valid_to),
        };
        // Time cures neither of these: such a certificate must not wake up as a signer later.
        let mut faults = Vec::new();
        if certificate.usage == Usage::Unknown {
            let detail = "extKeyUsage is not exactly one of message signing and repository signing";
            faults.push((Fault::Eku, detail.to_owned()));
        }
        if let Some(outside) = certificate.identifiers.first_outside(&issuer.own.identifiers) {
            faults.push((Fault::Overclaim, format!("{outside} is not inside what {} has", issuer.own.subject)));
        }
        if faults.is_empty() {
            return Ok(signer);
        }
        let detail = faults.iter().map(|(_, detail)| detail.as_str()).collect::<Vec<_>>().join("; ");
        let first = faults.first().map_or(Fault::Overclaim, |(fault, _)| *fault);
        Err(Refused { fault: signer.state(self.now).fault().unwrap_or(first), detail })
    }

    fn no_issuer(&self, certificate: &Certificate) -> Refused {
        let detail = if certificate.is_self_issued() {
            "it is self-signed and no configured trust anchor".to_owned()
        } else if self.authorities.iter().any(|one| one.own.subject_name == certificate.issuer_name) {
            format!("{} is known, but with another key than authorityKeyIdentifier names", certificate.issuer)
        } else {
            format!("the issuer {} is not known, or was refused itself", certificate.issuer)
        };
        Refused { fault: Fault::Chain, detail }
    }

    fn place_entities(&mut self, entities: Vec<Arc<Certificate>>) {
        let judged: Vec<_> = entities.into_par_iter().map(|one| (self.judge(&one, 0), one)).collect();
        let mut signers = Vec::new();
        for (result, certificate) in judged {
            match result {
                Ok((signer, _)) if certificate.usage == Usage::Repository => self.trust.repository.push(signer),
                Ok((signer, _)) => signers.push(signer),
                Err(refused) => self.reject(&certificate.name, refused),
            }
        }
        let (unique, ambiguous) = by_sai(signers);
        self.trust.signers = unique;
        for signer in ambiguous {
            let detail = "another key has the same SAI; neither is used".to_owned();
            self.reject(&signer.certificate.name, Refused { fault: Fault::SaiAmbiguous, detail });
        }
    }

    fn finish(mut self) -> Trust {
        let unused: Vec<Arc<Crl>> = self.crls.values().flatten().map(Arc::clone).collect();
        for crl in unused {
            if !self.used_crls.contains(&Arc::as_ptr(&crl).addr()) {
                let detail = format!("no trusted authority signed this revocation list of {}", crl.issuer);
                self.reject(&crl.name, Refused { fault: Fault::Chain, detail });
            }
        }
        let mut lists = HashSet::new();
        for authority in self.authorities {
            let fresh = authority.crl.filter(|crl| lists.insert(Arc::as_ptr(crl).addr()));
            self.trust.crls.extend(fresh);
            self.trust.authorities.push(authority.signer);
        }
        let trust = &mut self.trust;
        trust.rejected.sort_by(|a, b| a.name.cmp(&b.name));
        for signer in trust.signers.iter().chain(&trust.authorities).chain(&trust.repository) {
            trust.next_change = earlier(trust.next_change, signer.next_change(self.now));
        }
        self.trust
    }
}

/// Parts signers whose SAI names one key from those whose SAI names several. Certificates of one key share their SAI.
fn by_sai(signers: Vec<Signer>) -> (Vec<Signer>, Vec<Signer>) {
    let mut keys: HashMap<[u8; 8], Option<PublicKey>> = HashMap::new();
    for Signer { certificate, .. } in &signers {
        let known = keys.entry(certificate.sai).or_insert_with(|| Some(certificate.key.clone()));
        if known.as_ref().is_some_and(|known| *known != certificate.key) {
            *known = None;
        }
    }
    signers.into_iter().partition(|one| keys.get(&one.certificate.sai).is_some_and(Option::is_some))
}

fn check_anchor(certificate: Certificate) -> Result<Certificate, Refused> {
    let refused = |fault, detail: &str| Err(Refused { fault, detail: detail.to_owned() });
    if !certificate.is_ca {
        return refused(Fault::Profile, "a trust anchor is an authority");
    }
    if !certificate.is_self_issued() || !certificate.is_signed_by(&certificate) {
        return refused(Fault::Chain, "a trust anchor is signed by itself");
    }
    Ok(certificate)
}

fn narrowed(certificate: &Arc<Certificate>, limit: Option<&Identifiers>) -> Arc<Certificate> {
    match limit {
        None => Arc::clone(certificate),
        Some(limit) => {
            let identifiers = certificate.identifiers.intersect(limit);
            let numbers = Numbers::of(&identifiers);
            Arc::new(Certificate { identifiers, numbers, ..Certificate::clone(certificate) })
        }
    }
}

fn too_deep() -> Refused {
    Refused { fault: Fault::Chain, detail: format!("it is more than {MAX_DEPTH} certificates from the anchor") }
}

fn earlier(a: Option<i64>, b: Option<i64>) -> Option<i64> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pki::{Kind, objects_from_file};
    use std::path::Path;

    #[test]
    fn what_is_known_gives_the_same_answer_and_proves_nothing_else() {
        let read = |name: &str, kind| {
            let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../dataplane/vectors").join(name);
            objects_from_file(&file, kind).unwrap().remove(0)
        };
        let anchors = [Anchor { der: read("certs/root.pem", Kind::Certificate).der, limit: None }];
        let names = ["region", "a-ec", "b-ec", "a-revoked", "bad-issuer", "bad-overclaim"];
        let mut objects: Vec<_> =
            names.iter().map(|name| read(&format!("certs/{name}.pem"), Kind::Certificate)).collect();
        let crls = ["region", "root"].map(|name| read(&format!("crls/{name}.crl.pem"), Kind::Crl));
        let answer = |trust: &Trust| {
            let state = |one: &Signer| (one.certificate.name.clone(), one.state(1_795_000_000));
            (trust.signers.iter().map(state).collect::<Vec<_>>(), trust.rejected.clone())
        };
        let mut known = Known::default();
        let mut again = |objects: &[Object]| {
            let trust = load_again(&anchors, objects, &crls, Options::default(), 1_795_000_000, &mut known);
            assert_eq!(answer(&trust), answer(&load(&anchors, objects, &crls, Options::default(), 1_795_000_000)));
            (trust, known.0.len())
        };
        assert_eq!((again(&objects).0.signers.len(), again(&objects).0.signers.len()), (3, 3));
        objects[1].name = "renamed".to_owned();
        assert!(again(&objects).0.signers.iter().any(|one| one.certificate.name == "renamed"));
        // One octet of its signature, and one that is gone: neither is known any more.
        let last = objects[2].der.len() - 1;
        objects[2].der[last] ^= 1;
        objects.remove(1);
        let (trust, count) = again(&objects);
        assert_eq!((trust.signers.len(), count), (1, 5));
        // What a certificate remembers is for its own octets alone.
        let good = Certificate::parse(&read("certs/a-ec.pem", Kind::Certificate)).unwrap();
        let region = Certificate::parse(&read("certs/region.pem", Kind::Certificate)).unwrap();
        assert!(good.is_signed_by(&region) && good.is_signed_by(&region) && !good.is_signed_by(&good));
        let mut changed = good.clone();
        changed.der[100] ^= 1;
        assert!(!changed.is_signed_by(&region) && good.is_signed_by(&region));
    }

    fn signer(name: &str) -> Signer {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../dataplane/vectors/certs/{name}.pem"));
        let object = objects_from_file(&file, Kind::Certificate).unwrap().remove(0);
        let certificate = Arc::new(Certificate::parse(&object).unwrap());
        Signer {
            certificate,
            revoked: false,
            crl_stale_from: None,
            repo_stale: false,
            valid_from: 0,
            valid_to: i64::MAX,
        }
    }

    /// A collision cannot be made for a test (2^64 keys), so one is written into the parsed certificate.
    #[test]
    fn two_keys_under_one_sai_are_both_out() {
        let (a, b, c) = (signer("a-ec"), signer("b-ec"), signer("home-ec"));
        let mut other = Certificate::clone(&b.certificate);
        other.sai = a.certificate.sai;
        let b = Signer { certificate: Arc::new(other), ..b };
        let names = |list: &[Signer]| list.iter().map(|one| one.certificate.name.clone()).collect::<Vec<_>>();
        let (unique, ambiguous) = by_sai(vec![a.clone(), b, c, a.clone()]);
        assert_eq!(names(&unique), ["home-ec"]);
        assert_eq!(names(&ambiguous), ["a-ec", "b-ec", "a-ec"]);
        assert_eq!(by_sai(vec![a.clone(), a]).0.len(), 2, "certificates of one key share its SAI");
    }
}
