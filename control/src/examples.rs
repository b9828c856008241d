//! A policy's own examples, judged before it comes into force: each becomes a frame that a worker of its own takes through the
//! one way there is, under the policy and the certificates that would be in force.
//!
//! What signs an example is not the operator's key, which we do not have: its certificate is taken with another key in the place
//! of its own, or one is made that is good and entitled. All else is as it is: dates, revocation, role, algorithm, coverage.

mod frame;

use self::frame::Wire;
use crate::authority::{AuthorityError, trial};
use crate::compose::Unfit;
use crate::gather::{self, Ready};
use sealgate_config::Fault;
use sealgate_config::model::{AlgName, Example, ExampleSignature, Expect, LinkKind, Policy, RoleName};
use sealgate_crypto::alg::Alg;
use sealgate_crypto::keyring::KeyRing;
use sealgate_crypto::pki::{Identifiers, PLAN_E164, PLAN_E214, Role, Signer, Trust};
use sealgate_crypto::pool::{Pool, PoolConfig};
use sealgate_crypto::sign::SigningKey;
use sealgate_dataplane::io::mem::{MemPool, MemPort};
use sealgate_dataplane::pipeline::worker::Shared;
use sealgate_dataplane::pipeline::{Worker, WorkerConfig};
use sealgate_dataplane::policy::snapshot::{CompileError, Keys};
use sealgate_dataplane::policy::{PolicyCell, Snapshot};
use sealgate_wire::Reason;
use std::collections::HashMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use time::OffsetDateTime;

/// Turns after which a message has a verdict; inline it has one with its first.
const TURNS: usize = 64;

/// An example that is not judged as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// Its place among the examples, from 0.
    pub index: usize,
    /// What people call it.
    pub name: String,
    /// The certificate that it names, whose state may be why.
    pub signer: Option<String>,
    /// What is wrong.
    pub why: String,
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "example {:?}: {}", self.name, self.why)
    }
}

impl Wrong {
    /// As a fault of the policy file.
    pub fn fault(self, policy: &Path) -> Fault {
        let remedy = "mend the policy, or the example if this is what you want; sealgate explain says why a message has its verdict";
        let path = format!("examples[{}]", self.index);
        let mut fault = gather::fault(policy, &path, self.to_string(), remedy);
        // Its own line, where its name is written as it is.
        let text = std::fs::read_to_string(policy).unwrap_or_default();
        let own = text.lines().enumerate().skip(fault.line).find(|(_, line)| line.contains(&self.name));
        fault.line = own.map_or(fault.line, |(at, _)| at + 1);
        fault
    }
}

/// Why examples cannot be tried at all.
#[derive(Debug, thiserror::Error)]
enum Untried {
    #[error("no certificate for it: {0}")]
    Certificate(#[from] AuthorityError),
    #[error("no such certificate")]
    Signer,
    #[error(transparent)]
    Message(#[from] Unfit),
    #[error("no such link")]
    Link,
}

/// Judges all examples of a policy. Returns those that are not judged as they should be.
///
/// * `keys`: all private keys that were found; `mtu`: largest IP packet of the ports; `now`: seconds since 1970
/// # Errors
/// The policy does not compile.
pub fn judge(policy: &Policy, trust: &Trust, keys: &Keys, mtu: u16, now: i64) -> Result<Vec<Wrong>, Vec<CompileError>> {
    if policy.examples.is_empty() {
        return Ok(Vec::new());
    }
    let mut ready = Ready::new(policy, keys, trust);
    // A frame here has no handshake before it.
    ready.policy.defaults.adopt = true;
    let mut bench = Bench::new(trust, now);
    let signers: Vec<_> = ready.policy.examples.iter().map(|example| bench.signer(example, &ready.policy)).collect();
    let snapshot = Snapshot::compile(&ready.policy, &bench.trust, &ready.own, mtu, &KeyRing::new())?;
    let mut trial = match Trial::new(snapshot, now) {
        Ok(trial) => trial,
        Err(why) => {
            let why = format!("no example can be tried: {why}");
            return Ok(vec![Wrong { index: 0, name: "all".to_owned(), signer: None, why }]);
        }
    };
    let mut wrong = Vec::new();
    for (index, (example, signer)) in ready.policy.examples.iter().zip(signers).enumerate() {
        let verdict = signer.and_then(|signer| trial.judge(example, signer.as_ref(), &ready.policy));
        let why = match (verdict, example.expect) {
            (Ok(Some(reason)), Expect::Pass) if reason.passes() => continue,
            (Ok(Some(reason)), Expect::Refuse) if !reason.passes() => continue,
            (Ok(Some(reason)), Expect::Reason(wanted)) if reason == wanted => continue,
            (Ok(Some(reason)), wanted) => {
                let does = if reason.passes() { "it passes" } else { "it is refused" };
                format!("{does} ({}: {}), and {} is expected", reason.name(), reason.text(), words(wanted))
            }
            (Ok(None), _) => "it has no verdict".to_owned(),
            (Err(why), _) => format!("it cannot be tried: {why}"),
        };
        wrong.push(Wrong { index, name: example.name.clone(), signer: example.signer.clone(), why });
    }
    Ok(wrong)
}

fn words(expect: Expect) -> &'static str {
    match expect {
        Expect::Pass => "pass",
        Expect::Refuse => "refuse",
        Expect::Reason(reason) => reason.name(),
    }
}

/// Who signs an example: the identifier and the key that stands behind it here.
struct Pen {
    sai: [u8; 8],
    key: Arc<SigningKey>,
}

/// The certificates that the examples are judged with.
struct Bench {
    trust: Trust,
    now: i64,
    /// One key for each algorithm, in the place of all real ones.
    stand_ins: HashMap<u8, Arc<SigningKey>>,
}

impl Bench {
    fn new(trust: &Trust, now: i64) -> Self {
        Self { trust: trust.clone(), now, stand_ins: HashMap::new() }
    }

    /// The pen that signs an example; `None`: it is not signed.
    fn signer(&mut self, example: &Example, policy: &Policy) -> Result<Option<Pen>, Untried> {
        match (&example.signer, example.signature) {
            (_, ExampleSignature::Absent) => Ok(None),
            (Some(name), _) => self.known(name).map(Some),
            (None, signature) => self.made(example, policy, signature != ExampleSignature::UnknownSigner).map(Some),
        }
    }

    /// A certificate that is known, with our key in the place of its own.
    fn known(&mut self, name: &str) -> Result<Pen, Untried> {
        let at = self.trust.signers.iter().position(|one| one.certificate.name == name).ok_or(Untried::Signer)?;
        let alg = self.trust.signers.get(at).ok_or(Untried::Signer)?.certificate.key.alg();
        let key = match self.stand_ins.get(&(alg as u8)) {
            Some(key) => Arc::clone(key),
            None => {
                let identifiers = Identifiers { any: false, ..titles("1") };
                let key = Arc::new(trial::certificate(&identifiers, Role::Csp, alg, self.at()?)?.1);
                self.stand_ins.insert(alg as u8, Arc::clone(&key));
                key
            }
        };
        let signer = self.trust.signers.get_mut(at).ok_or(Untried::Signer)?;
        let mut certificate = (*signer.certificate).clone();
        certificate.key = key.public().clone();
        signer.certificate = Arc::new(certificate);
        Ok(Pen { sai: signer.certificate.sai, key })
    }

    /// A certificate that is good and may speak for the calling title, in a way that its peer accepts.
    fn made(&mut self, example: &Example, policy: &Policy, is_known: bool) -> Result<Pen, Untried> {
        let owner = policy.peers.iter().filter_map(|peer| {
            let longest =
                peer.gt.iter().filter(|prefix| example.calling_gt.starts_with(prefix)).map(|gt| gt.len()).max();
            Some((longest?, peer))
        });
        let peer = owner.max_by_key(|(len, _)| *len).map(|(_, peer)| peer);
        let role = match peer.and_then(|peer| peer.signer_roles.first()) {
            None | Some(RoleName::Csp) => Role::Csp,
            Some(RoleName::Carrier) => Role::Carrier,
            Some(RoleName::Hub) => Role::Hub,
        };
        let alg = match peer.and_then(|peer| peer.algs.first()) {
            None | Some(AlgName::P256) => Alg::P256,
            Some(AlgName::Ed25519) => Alg::Ed25519,
            Some(AlgName::P384) => Alg::P384,
            Some(AlgName::Rsa2048) => Alg::Rsa2048,
        };
        let identifiers = titles(&example.calling_gt.to_string());
        let (certificate, key) = trial::certificate(&identifiers, role, alg, self.at()?)?;
        let pen = Pen { sai: certificate.sai, key: Arc::new(key) };
        if is_known {
            self.trust.signers.push(Signer {
                valid_from: certificate.not_before,
                valid_to: certificate.not_after,
                certificate: Arc::new(certificate),
                revoked: false,
                crl_stale_from: None,
                repo_stale: false,
            });
        }
        Ok(pen)
    }

    fn at(&self) -> Result<OffsetDateTime, AuthorityError> {
        OffsetDateTime::from_unix_timestamp(self.now).map_err(|_| AuthorityError::Clock)
    }
}

fn titles(digits: &str) -> Identifiers {
    let gt_prefixes = [PLAN_E164, PLAN_E214].map(|plan| (plan, digits.to_owned())).to_vec();
    Identifiers { gt_prefixes, ..Identifiers::default() }
}

/// A worker that judges one message after the other.
struct Trial {
    worker: Worker<MemPort>,
    crypto: Option<Pool>,
    wire: Wire,
    now_ms: u64,
}

impl Trial {
    fn new(snapshot: Snapshot, now: i64) -> Result<Self, String> {
        let now_ms = u64::try_from(now).unwrap_or(0) * 1000;
        let shared = Arc::new(Shared::new(&snapshot));
        let cell = Arc::new(PolicyCell::new(snapshot));
        let (crypto, mut clients) =
            Pool::start(PoolConfig::default(), 1, &cell.current().ring).map_err(|fault| fault.to_string())?;
        let client = clients.pop().ok_or("no crypto client")?;
        let pool = MemPool::new(256, 4096);
        let config = WorkerConfig { journal: true, frames: 64, first_seq: now_ms * 1000, ..WorkerConfig::default() };
        let ports = [MemPort::new(&pool), MemPort::new(&pool)];
        let worker = Worker::new(config, ports, cell.reader(), client, shared, Vec::new());
        Ok(Self { worker, crypto: Some(crypto), wire: Wire::new(now_ms), now_ms })
    }

    /// The verdict; `None` if there is none.
    fn judge(&mut self, example: &Example, pen: Option<&Pen>, policy: &Policy) -> Result<Option<Reason>, Untried> {
        let link = match &example.link {
            Some(name) => policy.links.iter().find(|link| link.name == *name),
            None => policy.links.iter().find(|link| link.kind == LinkKind::M3ua),
        };
        let octets = self.wire.frame(example, pen, link.ok_or(Untried::Link)?, policy)?;
        let entry = usize::from(example.outbound);
        if let Some(port) = self.worker.port_mut(entry) {
            port.inject(&octets).map_err(|_| Unfit::Room)?;
        }
        for _ in 0..TURNS {
            self.worker.turn(self.now_ms);
            for port in 0..2 {
                while self.worker.port_mut(port).is_some_and(|port| port.take_sent().is_some()) {}
            }
            if let Some(record) = self.worker.take_journal().pop() {
                return Ok(Some(record.reason));
            }
        }
        Ok(None)
    }
}

impl Drop for Trial {
    fn drop(&mut self) {
        if let Some(crypto) = self.crypto.take() {
            crypto.stop();
        }
    }
}
