//! What is the same for all inputs: the policies, the certificates and the keys of the vectors.

use std::collections::HashMap;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use sealgate_config::model::{Ber, CopyCalled, Link, LinkKind, Mode, Policy, ServiceMessages};
use sealgate_crypto::keyring::KeyRing;
use sealgate_crypto::pki::{self, Anchor, Kind, Options};
use sealgate_crypto::sign::SigningKey;

use super::START_MS;
use crate::policy::{PolicyCell, Snapshot};

/// The gateway of the vectors in four tempers, and the keys of everybody.
///
/// 0: as `context.json` says; 1: reads all of BER and writes it anew; 2: asks for open transactions; 3: lets pass and
/// signs as much as a policy can.
pub struct Rig {
    cells: [Arc<PolicyCell<Snapshot>>; 4],
    keys: HashMap<[u8; 8], SigningKey>,
}

impl Rig {
    /// Reads policy and vectors of the project.
    ///
    /// * `dataplane`: the folder with `vectors/` and `tests/`
    ///
    /// # Errors
    /// A sentence with the file and what is wrong with it.
    pub fn load(dataplane: &Path) -> Result<Self, String> {
        let vectors = dataplane.join("vectors");
        let policy = sealgate_config::load_policy(&dataplane.join("tests/data/vectors-policy.yaml"))
            .map_err(|faults| faults.to_string())?;
        let root = pki::objects_from_file(&vectors.join("certs/root.pem"), Kind::Certificate)
            .map_err(|fault| fault.to_string())?;
        let anchors: Vec<_> = root.into_iter().map(|object| Anchor { der: object.der, limit: None }).collect();
        let folder = |name, kind| pki::objects_from_dir(&vectors.join(name), kind).map_err(|fault| fault.to_string());
        let (certificates, _) = folder("certs", Kind::Certificate)?;
        let (lists, _) = folder("crls", Kind::Crl)?;
        let now = (START_MS / 1000) as i64 + 60;
        let trust = pki::load(&anchors, &certificates, &lists, Options::default(), now);
        let key = |name: &str| -> Result<SigningKey, String> {
            let path = vectors.join(format!("keys/{name}.key.pem"));
            let text = std::fs::read_to_string(&path).map_err(|fault| format!("{}: {fault}", path.display()))?;
            SigningKey::from_pkcs8_pem(&text).map_err(|fault| format!("{}: {fault}", path.display()))
        };
        let own = [("home-ec".to_string(), key("home-ec")?)].into();
        let mut keys = HashMap::new();
        for name in ["a-ec", "a-ed", "a-p384", "a-rsa", "b-ec", "c-rsa", "hub-ec", "home-ec", "a-revoked"] {
            let key = key(name)?;
            keys.insert(key.public().sai(), key);
        }
        let cell = |policy: &Policy| {
            let snapshot = Snapshot::compile(policy, &trust, &own, 1500, &KeyRing::new())
                .map_err(|faults| format!("{faults:?}"))?;
            Ok::<_, String>(Arc::new(PolicyCell::new(snapshot)))
        };
        let cells =
            [cell(&plain(&policy))?, cell(&lenient(&policy))?, cell(&stateful(&policy))?, cell(&open(&policy))?];
        Ok(Self { cells, keys })
    }

    pub(super) fn cell(&self, number: usize) -> Arc<PolicyCell<Snapshot>> {
        let [first, ..] = &self.cells;
        Arc::clone(self.cells.get(number).unwrap_or(first))
    }

    pub(super) fn key(&self, sai: [u8; 8]) -> Option<&SigningKey> {
        self.keys.get(&sai)
    }
}

/// The vectors know IPv4 only; the link has these addresses too (RFC 3849).
const NEIGHBOUR: [u16; 8] = [0x2001, 0xdb8, 0, 0, 0, 0, 0, 0x0a];
const OURS: [u16; 8] = [0x2001, 0xdb8, 0, 0, 0, 0, 0, 0x0b];

/// Small tables: an input has few frames, and each pays for the tables.
fn plain(policy: &Policy) -> Policy {
    let mut policy = policy.clone();
    policy.defaults.window.seq = 64;
    policy.defaults.transactions.limit = 64;
    policy.defaults.retransmission.tsns = 64;
    policy.defaults.retransmission.octets = 1 << 16;
    for link in &mut policy.links {
        link.remote.push(IpAddr::from(NEIGHBOUR));
        link.local.push(IpAddr::from(OURS));
    }
    let ss7 = policy.links.first().cloned();
    policy.links.extend(ss7.iter().flat_map(|ss7| [numbered(ss7), without_sccp(ss7)]));
    policy
}

/// The last octet of both addresses of the link of M2PA, and of that of SUA.
pub const M2PA: u8 = 50;
/// See [`M2PA`].
pub const SUA: u8 = 60;

/// A link of M2PA that lets in what that of M3UA does.
fn numbered(ss7: &Link) -> Link {
    let contexts = Vec::new();
    Link { name: "mtp-1".to_owned(), kind: LinkKind::M2pa, routing_contexts: contexts, ..between(ss7, M2PA) }
}

/// The same of SUA.
fn without_sccp(ss7: &Link) -> Link {
    Link { name: "sua-1".to_owned(), kind: LinkKind::Sua, ..between(ss7, SUA) }
}

/// A link like another between hosts of its own.
fn between(link: &Link, host: u8) -> Link {
    let (remote, local) = (vec![IpAddr::from([192, 0, 2, host])], vec![IpAddr::from([198, 51, 100, host])]);
    Link { remote, local, ..link.clone() }
}

fn lenient(policy: &Policy) -> Policy {
    let mut policy = plain(policy);
    policy.defaults.ber = Ber::Canonicalise;
    policy
}

fn stateful(policy: &Policy) -> Policy {
    let mut policy = plain(policy);
    policy.defaults.transactions.check = true;
    policy.defaults.transactions.grace_s = 0;
    policy.links.iter_mut().for_each(|link| link.vtag_in = None);
    policy
}

fn open(policy: &Policy) -> Policy {
    let mut policy = lenient(policy);
    policy.defaults.unsigned_service_messages = ServiceMessages::RateLimited;
    for peer in &mut policy.peers {
        peer.sign = true;
        peer.ludt = true;
        peer.m3ua_only = true;
        peer.allow_no_ac = true;
        peer.copy_called = CopyCalled::Always;
        if peer.mode == Mode::Require {
            peer.mode = Mode::Prefer;
        }
    }
    // One that we do not sign towards may send service messages back.
    if let Some(peer) = policy.peers.last_mut() {
        peer.sign = false;
    }
    policy
}
