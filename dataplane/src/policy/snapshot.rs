//! Policy and trust compiled into one immutable table that a worker reads without waiting.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::net::IpAddr;
use std::sync::Arc;

use sealgate_config::model::{Ber, ColdStart, Defaults, KeyRef, Policy, ServiceMessages, UnknownPeer};
use sealgate_crypto::alg::Alg;
use sealgate_crypto::keyring::{KeyHandle, KeyRing, SignHandle};
use sealgate_crypto::pki::Trust;
use sealgate_crypto::sign::SigningKey;
use sealgate_crypto::verify::PublicKey;
use sealgate_wire::addr::{Digits, GlobalTitle, Plan};
use sealgate_wire::ber::Rules;

use super::detection::Detection;
pub use super::fast::{Fast, FastHasher};
use super::geo::Geo;
pub use super::home_router::HomeRouter;
use super::networks::Networks;
pub use super::party::{GtpKinds, Peer};
use super::places::Places;
use super::prefix::PrefixTree;
use super::realms::Realms;
use super::rules;
use super::stir::Stir;
use super::tables::{Categories, Commands, Contexts};

/// Place of a link in [`Snapshot::links`]. A link keeps it from one snapshot to the next, by its name.
pub type LinkId = u16;
/// Place of a peer in [`Snapshot::peers`]; 0 stands for senders that belong to no configured peer. A peer keeps it from one
/// snapshot to the next, by its name: transactions, rates and counters know peers by it.
pub type PeerId = u16;
/// Place of a certificate in [`Snapshot::signers`].
pub type SignerId = u32;

/// Everything a worker asks while it judges: who is who, who may speak for what, and with which key.
#[derive(Debug)]
pub struct Snapshot {
    /// How BER is read.
    pub rules: Rules,
    /// What holds for all.
    pub defaults: Defaults,
    /// Associations with neighbours, also those that the policy no longer names.
    pub links: Vec<Link>,
    /// Operators, also those that the policy no longer names; the first row stands for unknown ones.
    pub peers: Vec<Peer>,
    /// Certificates that are known, whatever their state.
    pub signers: Vec<Signer>,
    /// Our signing key, where messages leave signed.
    pub own: Option<Own>,
    /// Application contexts.
    pub contexts: Contexts,
    /// Categories of MAP's operations.
    pub categories: Categories,
    /// Categories of CAP's operations.
    pub cap_categories: Categories,
    /// Diameter applications and commands, with their categories.
    pub commands: Commands,
    /// What operators say of messages.
    pub ruleset: Arc<rules::Rules>,
    /// Certificates of callers in SIP.
    pub stir: Stir,
    /// What only several messages show.
    pub detection: Detection,
    /// What we sign Diameter as; empty without a realm of ours.
    pub identity: String,
    /// Subsystems that may speak and be spoken to.
    pub ssns: [bool; 256],
    /// Subsystems whose operations are not MAP.
    pub other_tcap: [bool; 256],
    /// Our networks.
    pub home_plmns: Vec<Digits>,
    /// Who answers where our subscribers are to get a short message.
    pub home_router: HomeRouter,
    /// Telephone numbers that are ours.
    pub home_numbers: Vec<Digits>,
    /// Keys of SigFW compatible senders.
    pub sigfw_keys: Vec<FixedKey>,
    /// Where all keys above are installed; the crypto pool must have the same ring.
    pub ring: KeyRing,
    by_address: HashMap<(IpAddr, IpAddr), LinkId, Fast>,
    /// Links of GTP by our address.
    by_network: HashMap<IpAddr, Networks<LinkId>, Fast>,
    by_node: Networks<PeerId>,
    by_gt: Arc<PrefixTree<PeerId>>,
    by_sai: HashMap<[u8; 8], Vec<SignerId>, Fast>,
    own_sais: Vec<[u8; 8]>,
    home: [PrefixTree<()>; 2],
    coverage: [PrefixTree<Vec<SignerId>>; 2],
    realm_coverage: Realms<Vec<SignerId>>,
    /// Certificates that cover every title and every realm.
    unlimited: Vec<SignerId>,
    sigfw: PrefixTree<usize>,
    home_realms: Realms<()>,
    by_realm: Realms<PeerId>,
    /// Keys of DESS senders by the realm that they speak for, and by who signs.
    dess: Realms<Realms<FixedKey>>,
}

/// One association with a neighbour.
#[derive(Clone, Debug)]
pub struct Link {
    /// Its name in the policy.
    pub name: String,
    /// What the policy says of it.
    pub config: sealgate_config::model::Link,
    /// Largest IP packet.
    pub mtu: u16,
    /// Messages of GTP that may be used.
    pub gtp: GtpKinds,
    /// The policy no longer names it: nothing comes or leaves by it, but what is in flight knows it.
    pub gone: bool,
}

/// A certificate as the packet path sees it.
#[derive(Clone, Debug)]
pub struct Signer {
    /// The certificate, its key and its times.
    pub trust: sealgate_crypto::pki::Signer,
    /// Algorithm number that its key can verify.
    pub alg: u8,
    /// Its key, installed.
    pub key: KeyHandle,
}

/// What we sign with.
#[derive(Clone, Debug)]
pub struct Own {
    /// The private key, installed.
    pub key: SignHandle,
    /// Its public half, for our own messages that come back.
    pub public: KeyHandle,
    /// First eight octets of its identifier.
    pub sai: [u8; 8],
    /// Algorithm number in the header.
    pub alg: u8,
    /// Node number of the first worker.
    pub node_base: u8,
}

/// A key of a sender that cannot say which key it signs with: SigFW in SS7, DESS in Diameter.
#[derive(Clone, Debug)]
pub struct FixedKey {
    /// The key, installed.
    pub key: KeyHandle,
    /// The certificate it came from, whose state then counts.
    pub signer: Option<SignerId>,
}

/// What cannot be compiled: the policy names something that the trust store does not hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CompileError {
    /// `home.signing.cert` names no loaded certificate.
    #[error("home.signing.cert: no certificate \"{0}\" is loaded; put {0}.pem into the certificate folder")]
    SigningCert(String),
    /// The private key of the signing certificate is missing or another one's.
    #[error("home.signing.cert: no private key fits certificate \"{0}\"; put its {0}.key.pem into the key folder")]
    SigningKey(String),
    /// A SigFW key names no loaded certificate, or is not a key.
    #[error("sigfw_keys: {0}: no such certificate, or not an RSA key")]
    SigfwKey(String),
    /// A DESS key names no loaded certificate, or is not a key.
    #[error("dess_keys: {0}: no such certificate, or not a key of RSA or P-256")]
    DessKey(String),
    /// A URL of STIR names no loaded certificate.
    #[error("stir.certificates: no certificate \"{0}\" is loaded")]
    StirCert(String),
    /// More links, peers, places or certificates than the tables can number; links, peers and places that earlier policies named
    /// since the start count.
    #[error("{0}: more than the tables can hold")]
    TooMany(&'static str),
}

/// What a new snapshot follows.
#[derive(Clone, Copy)]
enum Before<'s> {
    /// It is the first.
    Nothing,
    /// One of any other policy.
    Other(&'s Snapshot),
    /// One with the same peers and prefixes.
    SamePeers(&'s Snapshot),
}

/// Private keys by the name of their certificate.
pub type Keys = BTreeMap<String, SigningKey>;

impl Snapshot {
    /// Compiles policy and trust, and installs their keys.
    ///
    /// * `port_mtu`: largest IP packet of the ports, for links that name none
    /// * `ring`: that of the crypto pool; a key that is installed already keeps its table
    ///
    /// # Errors
    /// Everything that the policy names and the trust store lacks.
    pub fn compile(
        policy: &Policy,
        trust: &Trust,
        keys: &Keys,
        port_mtu: u16,
        ring: &KeyRing,
    ) -> Result<Self, Vec<CompileError>> {
        Self::build(policy, trust, keys, port_mtu, ring, Before::Nothing)
    }

    /// The snapshot that follows this one: links and peers that have the name of one here keep its place, and those that are
    /// no longer named keep theirs as [`Peer::gone`]; keys are installed in the same ring.
    ///
    /// # Errors
    /// As [`Snapshot::compile`].
    pub fn next(&self, policy: &Policy, trust: &Trust, keys: &Keys, port_mtu: u16) -> Result<Self, Vec<CompileError>> {
        Self::build(policy, trust, keys, port_mtu, &self.ring, Before::Other(self))
    }

    /// The same where the policy names the same peers and prefixes as here, which are not compiled again.
    ///
    /// # Errors
    /// As [`Snapshot::compile`].
    pub fn next_trust(&self, policy: &Policy, trust: &Trust, keys: &Keys, mtu: u16) -> Result<Self, Vec<CompileError>> {
        Self::build(policy, trust, keys, mtu, &self.ring, Before::SamePeers(self))
    }

    fn build(
        policy: &Policy,
        trust: &Trust,
        keys: &Keys,
        port_mtu: u16,
        ring: &KeyRing,
        before: Before<'_>,
    ) -> Result<Self, Vec<CompileError>> {
        let mut faults = Vec::new();
        let (old_links, old_peers): (&[Link], &[Peer]) = match before {
            Before::Nothing => (&[], &[]),
            Before::Other(old) | Before::SamePeers(old) => (&old.links, &old.peers),
        };
        let mut links: Vec<Link> = old_links.iter().map(|link| Link { gone: true, ..link.clone() }).collect();
        let mut link_ids = Places::of(old_links.iter().map(|link| link.name.as_str()));
        let (mut by_address, mut by_network) = (HashMap::default(), HashMap::<_, Networks<LinkId>, Fast>::default());
        let mut by_node = Networks::default();
        for config in &policy.links {
            let mtu = config.mtu.unwrap_or(port_mtu);
            let messages = &config.gtp.messages;
            let gtp = GtpKinds::of(Some(&messages.v1), Some(&messages.v2));
            let link = Link { name: config.name.clone(), config: config.clone(), mtu, gtp, gone: false };
            let id = link_ids.place(&config.name, &mut links, link);
            for &remote in &config.remote {
                for &local in &config.local {
                    by_address.insert((remote, local), id as LinkId);
                }
            }
            for network in &config.gtp.remote {
                for &local in &config.local {
                    by_network.entry(local).or_default().insert(network, id as LinkId);
                }
            }
        }
        let mut peers = vec![Peer::unknown(&policy.defaults)];
        peers.extend(old_peers.iter().skip(1).map(Peer::left));
        // The first row is not a peer of that name.
        let mut peer_ids =
            Places::of(std::iter::once("").chain(old_peers.iter().skip(1).map(|peer| peer.name.as_str())));
        let (mut by_gt, mut by_realm) = (PrefixTree::default(), Realms::default());
        let mut legacy = HashSet::new();
        for config in &policy.peers {
            let id = peer_ids.place(&config.name, &mut peers, Peer::compile(config, policy, &link_ids)) as PeerId;
            if !matches!(before, Before::SamePeers(_)) {
                for prefix in &config.gt {
                    by_gt.entry(prefix, || id);
                }
            }
            for realm in &config.realms {
                by_realm.insert(realm, id);
            }
            config.gtp.from.iter().for_each(|network| by_node.insert(network, id));
            if config.allow_legacy_rsa {
                legacy.insert(id);
            }
        }
        let by_gt = match before {
            Before::SamePeers(old) => Arc::clone(&old.by_gt),
            Before::Nothing | Before::Other(_) => Arc::new(by_gt),
        };
        let places = policy.detection.velocity.geo.as_ref().map_or(&[][..], |geo| &geo.places);
        let geo = match before {
            Before::SamePeers(old) => Some(Arc::clone(&old.detection.geo)),
            Before::Other(old) => Geo::compile(places, Some(&old.detection.geo)).map(Arc::new),
            Before::Nothing => Geo::compile(places, None).map(Arc::new),
        };
        if geo.is_none() {
            faults.push(CompileError::TooMany("places of detection.velocity.geo"));
        }
        let detection = Detection::compile(&policy.detection, geo.unwrap_or_default());
        if links.len() >= usize::from(LinkId::MAX) {
            faults.push(CompileError::TooMany("links"));
        }
        if peers.len() >= usize::from(PeerId::MAX) {
            faults.push(CompileError::TooMany("peers"));
        }
        let mut signers = Vec::new();
        let mut by_sai: HashMap<[u8; 8], Vec<SignerId>, Fast> = HashMap::default();
        let mut realm_coverage = Realms::<Vec<SignerId>>::default();
        let (mut coverage, mut unlimited) = ([PrefixTree::default(), PrefixTree::default()], Vec::new());
        let speakers = || trust.signers.iter().filter(|signer| !signer.certificate.is_ca);
        let full = |_| vec![CompileError::TooMany("keys")];
        let installed = ring.install_all(speakers().map(|signer| &signer.certificate.key)).map_err(full)?;
        for (signer, key) in speakers().zip(installed) {
            let certificate = &signer.certificate;
            let id = signers.len() as SignerId;
            for (plan, prefix) in &certificate.identifiers.gt_prefixes {
                let (Some(plan), Ok(prefix)) = (Plan::from_wire(*plan), prefix.parse()) else { continue };
                if let Some(ids) = coverage[slot(plan)].entry(&prefix, Vec::new) {
                    ids.push(id);
                }
            }
            for realm in &certificate.identifiers.realms {
                realm_coverage.entry(&realm.to_ascii_lowercase()).push(id);
            }
            if certificate.identifiers.any {
                unlimited.push(id);
            }
            by_sai.entry(certificate.sai).or_default().push(id);
            signers.push(Signer { trust: signer.clone(), alg: certificate.key.alg() as u8, key });
        }
        let own = policy.home.signing.as_ref().and_then(|signing| {
            // While a renewal is installed, and as long as a repository has the certificate before it under the same name,
            // there may be two certificates and two keys: any pair will do, that of the key of this name first.
            let named = || signers.iter().filter(|signer| signer.trust.certificate.name == signing.cert);
            let fits = |signer: &&Signer, key: &SigningKey| key.public().sai() == signer.trust.certificate.sai;
            let of_this_name = keys.get(&signing.cert);
            let pair = named().find_map(|signer| Some((signer, of_this_name.filter(|key| fits(&signer, key))?)));
            let pair = pair
                .or_else(|| named().find_map(|signer| Some((signer, keys.values().find(|key| fits(&signer, key))?))));
            let Some((signer, key)) = pair else {
                faults.push(match named().next() {
                    Some(_) => CompileError::SigningKey(signing.cert.clone()),
                    None => CompileError::SigningCert(signing.cert.clone()),
                });
                return None;
            };
            let sai = signer.trust.certificate.sai;
            let Ok(key) = ring.install_signer(key) else {
                faults.push(CompileError::TooMany("keys"));
                return None;
            };
            Some(Own { key, public: signer.key.clone(), sai, alg: signer.alg, node_base: signing.node_base })
        });
        let own_sais = keys.values().map(|key| key.public().sai()).collect();
        let mut sigfw = PrefixTree::default();
        let mut sigfw_keys = Vec::new();
        let fixed = |key: &KeyRef, legacy: bool| match key {
            KeyRef::Certificate(name) => {
                let id = signers.iter().position(|signer| signer.trust.certificate.name == *name)?;
                Some(FixedKey { key: signers.get(id)?.key.clone(), signer: Some(id as SignerId) })
            }
            KeyRef::Spki(der) => {
                let key = PublicKey::from_spki_der_with(der, legacy).ok()?;
                Some(FixedKey { key: ring.install(&key).ok()?, signer: None })
            }
        };
        for entry in &policy.sigfw_keys {
            let legacy = by_gt.longest(&entry.prefix).is_some_and(|id| legacy.contains(id));
            match fixed(&entry.key, legacy) {
                Some(key) => {
                    sigfw.entry(&entry.prefix, || sigfw_keys.len());
                    sigfw_keys.push(key);
                }
                None => faults.push(CompileError::SigfwKey(entry.prefix.to_string())),
            }
        }
        let (mut home_realms, mut dess) = (Realms::default(), Realms::<Realms<FixedKey>>::default());
        for realm in &policy.home.realms {
            home_realms.insert(realm, ());
        }
        for entry in &policy.dess_keys {
            let legacy = by_realm.longest(entry.realm.as_bytes()).is_some_and(|id| legacy.contains(id));
            let key = fixed(&entry.key, legacy).filter(|key| matches!(key.key.key().alg(), Alg::P256 | Alg::Rsa2048));
            match key {
                Some(key) => dess.entry(&entry.realm).insert(&entry.identity, key),
                None => faults.push(CompileError::DessKey(format!("{} of {}", entry.identity, entry.realm))),
            }
        }
        let mut home = [PrefixTree::default(), PrefixTree::default()];
        for prefix in &policy.home.gt_prefixes {
            home[slot(prefix.plan)].entry(&prefix.digits, || ());
        }
        let named = |name: &str| signers.iter().position(|signer| signer.trust.certificate.name == name);
        let (mut stir, missing) = Stir::compile(&policy.stir, |name| named(name).map(|id| id as SignerId));
        faults.extend(missing.into_iter().map(|name| CompileError::StirCert(name.to_owned())));
        for caller in &trust.callers {
            let certificate = &caller.signer.certificate;
            let Ok(key) = ring.install(&certificate.key) else {
                faults.push(CompileError::TooMany("keys"));
                break;
            };
            // In none of the tables above: what was fetched for calls speaks for calls alone.
            stir.add(&caller.x5u, signers.len() as SignerId);
            signers.push(Signer { trust: caller.signer.clone(), alg: certificate.key.alg() as u8, key });
        }
        let old_contexts = match before {
            Before::Nothing => None,
            Before::Other(old) | Before::SamePeers(old) => Some(&old.contexts),
        };
        let contexts = Contexts::compile(policy, old_contexts);
        if contexts.is_none() {
            faults.push(CompileError::TooMany("application contexts"));
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        let ruleset = match before {
            Before::SamePeers(old) => Arc::clone(&old.ruleset),
            Before::Nothing | Before::Other(_) => {
                let peer = |name: &str| match peer_ids.get(name) {
                    Some(place) => PeerId::try_from(place).ok(),
                    None => (name == "unknown").then_some(0),
                };
                Arc::new(rules::Rules::new(&policy.rules, policy.defaults.unmatched, peer))
            }
        };
        Ok(Self {
            rules: match policy.defaults.ber {
                Ber::Strict => Rules::Strict,
                Ber::Canonicalise => Rules::Lenient,
            },
            defaults: policy.defaults.clone(),
            links,
            peers,
            signers,
            own,
            contexts: contexts.unwrap_or_default(),
            categories: Categories::map(policy),
            cap_categories: Categories::cap(policy),
            commands: Commands::compile(policy),
            ruleset,
            stir,
            detection,
            identity: policy.home.realms.first().cloned().unwrap_or_default(),
            ssns: flags(policy.defaults.ssns.iter().map(|&ssn| i32::from(ssn))),
            other_tcap: flags(policy.defaults.other_tcap_ssns.iter().map(|&ssn| i32::from(ssn)).chain([146])),
            home_plmns: policy.home.plmns.clone(),
            home_router: HomeRouter::compile(policy.home.sms_router.as_ref()),
            home_numbers: policy.home.tn_prefixes.clone(),
            sigfw_keys,
            ring: ring.clone(),
            by_address,
            by_network,
            by_node,
            by_gt,
            by_sai,
            own_sais,
            home,
            coverage,
            realm_coverage,
            unlimited,
            sigfw,
            home_realms,
            by_realm,
            dess,
        })
    }

    /// The link with this neighbour's address and this address of ours.
    pub fn link(&self, remote: IpAddr, local: IpAddr) -> Option<LinkId> {
        let exact = self.by_address.get(&(remote, local)).copied();
        if exact.is_some() || self.by_network.is_empty() {
            return exact;
        }
        self.by_network.get(&local)?.narrowest(remote).copied()
    }

    /// The peer that a node of GTP belongs to.
    pub fn peer_by_node(&self, address: IpAddr) -> Option<PeerId> {
        self.by_node.narrowest(address).copied()
    }

    /// The peer whose prefix covers these digits best.
    pub fn peer_by_digits(&self, digits: &Digits) -> Option<PeerId> {
        self.by_gt.longest(digits).copied()
    }

    /// The peer of a calling title: its own, or the unknown one where the policy lets unknown senders speak.
    pub fn peer(&self, title: &GlobalTitle) -> Option<PeerId> {
        let treat = self.defaults.unknown_peer == UnknownPeer::TreatAsDefault;
        self.peer_by_digits(&title.digits).or(treat.then_some(0))
    }

    /// The peer of an Origin-Realm: its own, or the unknown one where the policy lets unknown senders speak, but never for
    /// a realm of ours.
    pub fn peer_of_realm(&self, realm: &[u8]) -> Option<PeerId> {
        let treat = self.defaults.unknown_peer == UnknownPeer::TreatAsDefault;
        self.peer_by_realm(realm).or((treat && !self.is_home_realm(realm)).then_some(0))
    }

    /// The peer of a calling number: its own, or the unknown one where the policy lets unknown senders speak, but never for a
    /// number of ours.
    pub fn peer_of_number(&self, number: &Digits) -> Option<PeerId> {
        let treat = self.defaults.unknown_peer == UnknownPeer::TreatAsDefault && !self.is_home_number(number);
        self.peer_by_digits(number).or(treat.then_some(0))
    }

    /// The peer whose realm a name is or lies under.
    pub fn peer_by_realm(&self, name: &[u8]) -> Option<PeerId> {
        self.by_realm.longest(name).copied()
    }

    /// Whether a realm or host is, or lies under, one of ours.
    pub fn is_home_realm(&self, name: &[u8]) -> bool {
        self.home_realms.longest(name).is_some()
    }

    /// The key with which `identity` signs for an Origin-Realm in the DESS form.
    pub fn dess_key(&self, realm: &[u8], identity: &[u8]) -> Option<&FixedKey> {
        self.dess.at(realm)?.at(identity)
    }

    /// Whether a telephone number is ours.
    pub fn is_home_number(&self, number: &Digits) -> bool {
        self.home_numbers.iter().any(|prefix| number.starts_with(prefix))
    }

    /// Whether a title lies in our own prefixes.
    pub fn is_home(&self, title: &GlobalTitle) -> bool {
        self.home[slot(title.plan)].longest(&title.digits).is_some()
    }

    /// Whether a digit string inside a message names a node of ours, whatever its plan.
    pub fn is_home_digits(&self, digits: &Digits) -> bool {
        self.home.iter().any(|tree| tree.longest(digits).is_some())
    }

    /// Whether this identifier is one of our own keys'.
    pub fn is_own_sai(&self, sai: [u8; 8]) -> bool {
        self.own_sais.contains(&sai)
    }

    /// The certificates with this identifier.
    pub fn signers_of(&self, sai: [u8; 8]) -> &[SignerId] {
        self.by_sai.get(&sai).map_or(&[], Vec::as_slice)
    }

    /// Calls `each` with those of `signers` whose identifiers cover a title; in no order, and perhaps more than once.
    ///
    /// It costs one walk along the title's digits, however many share a key: the few that cover are looked for among the
    /// signers, and not each signer among those that cover.
    ///
    /// * `signers`: ascending, as [`Snapshot::signers_of`] gives them
    pub fn each_covering(&self, signers: &[SignerId], title: &GlobalTitle, mut each: impl FnMut(SignerId)) {
        common(&self.unlimited, signers, &mut each);
        self.coverage[slot(title.plan)].visit(&title.digits, |ids| common(ids, signers, &mut each));
    }

    /// The same of a Diameter realm.
    pub fn each_covering_realm(&self, signers: &[SignerId], realm: &[u8], mut each: impl FnMut(SignerId)) {
        common(&self.unlimited, signers, &mut each);
        self.realm_coverage.visit(realm, |ids| common(ids, signers, &mut each));
    }

    /// The SigFW key of the longest prefix that covers a calling title.
    pub fn sigfw_key(&self, title: &GlobalTitle) -> Option<&FixedKey> {
        self.sigfw.longest(&title.digits).and_then(|&id| self.sigfw_keys.get(id))
    }

    /// Whether the operations of a dialogue between these subsystems are not MAP.
    pub fn is_other_tcap(&self, a: u8, b: u8) -> bool {
        self.other_tcap[usize::from(a)] || self.other_tcap[usize::from(b)]
    }

    /// Whether a message signed before the gateway's start is refused.
    pub fn strict_cold_start(&self) -> bool {
        self.defaults.cold_start == ColdStart::Strict
    }

    /// Whether unsigned service messages may pass at a limited rate.
    pub fn lets_service_messages(&self) -> bool {
        self.defaults.unsigned_service_messages == ServiceMessages::RateLimited
    }
}

/// Calls `each` with what two ascending lists have in common.
fn common(a: &[SignerId], b: &[SignerId], each: &mut impl FnMut(SignerId)) {
    let (few, many) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    few.iter().filter(|id| many.binary_search(id).is_ok()).for_each(|&id| each(id));
}

fn slot(plan: Plan) -> usize {
    match plan {
        Plan::E164 => 0,
        Plan::E214 => 1,
    }
}

pub(super) fn flags(codes: impl Iterator<Item = i32>) -> [bool; 256] {
    let mut flags = [false; 256];
    for code in codes {
        if let Some(flag) = usize::try_from(code).ok().and_then(|code| flags.get_mut(code)) {
            *flag = true;
        }
    }
    flags
}
