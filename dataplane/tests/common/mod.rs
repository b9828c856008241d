//! The gateway of `vectors/context.json`, ready for frames from memory.
#![allow(dead_code, reason = "each test file uses its part")]

pub mod captures;
pub mod cuts;
pub mod diameter;
pub mod gtp;
pub mod isup;
pub mod sigtran;
pub mod traffic;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use sealgate_config::model::Policy;
use sealgate_crypto::keyring::KeyRing;
use sealgate_crypto::pki::{self, Anchor, Options, Trust};
use sealgate_crypto::pool::{Pool, PoolConfig};
use sealgate_crypto::sign::SigningKey;
use sealgate_dataplane::io::Frame;
use sealgate_dataplane::io::mem::{MemPool, MemPort};
use sealgate_dataplane::pipeline::worker::Shared;
use sealgate_dataplane::pipeline::{Record, Worker, WorkerConfig};
use sealgate_dataplane::policy::snapshot::Keys;
use sealgate_dataplane::policy::{PolicyCell, Snapshot};

/// Signing time of most vectors, milliseconds since 1970.
pub const NOW_MS: u64 = 1_795_000_000_000;

/// The folder of the vectors: `SEALGATE_VECTORS`, or the copy in the project.
pub fn vectors() -> PathBuf {
    let own = || Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors");
    std::env::var_os("SEALGATE_VECTORS").map_or_else(own, PathBuf::from)
}

/// The policy that says what `context.json` says.
pub fn policy() -> Policy {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/vectors-policy.yaml");
    sealgate_config::load_policy(&path).unwrap_or_else(|faults| panic!("{faults}"))
}

/// All certificates and lists of the vectors, loaded at their time.
pub fn trust() -> Trust {
    trust_by(Options::default())
}

/// The same by other rules.
pub fn trust_by(options: Options) -> Trust {
    let folder = vectors();
    let objects = |sub: &str, kind| pki::objects_from_dir(&folder.join(sub), kind).expect("readable folder").0;
    let root = pki::objects_from_file(&folder.join("certs/root.pem"), pki::Kind::Certificate).expect("root");
    let anchors: Vec<_> = root.into_iter().map(|object| Anchor { der: object.der, limit: None }).collect();
    let certificates = objects("certs", pki::Kind::Certificate);
    pki::load(&anchors, &certificates, &objects("crls", pki::Kind::Crl), options, (NOW_MS / 1000) as i64)
}

/// A private key of the vectors.
pub fn key(name: &str) -> SigningKey {
    let path = vectors().join(format!("keys/{name}.key.pem"));
    let text = std::fs::read_to_string(&path).expect("key file");
    SigningKey::from_pkcs8_pem(&text).expect("private key")
}

pub fn keys() -> Keys {
    [("home-ec".to_string(), key("home-ec"))].into()
}

/// Buffers of a pool with room for long frames.
const BUFFERS: usize = 1024;

/// One gateway: a worker with inline crypto over ports in memory.
pub struct Gateway {
    pub worker: Worker<MemPort>,
    pub cell: Arc<PolicyCell<Snapshot>>,
    pub pool: MemPool,
    pub shared: Arc<Shared>,
    crypto: Option<Pool>,
}

/// What one frame led to.
pub struct Step {
    /// Frames that left, by port.
    pub sent: [Vec<Vec<u8>>; 2],
    /// Verdicts.
    pub records: Vec<Record>,
}

impl Gateway {
    pub fn new(policy: &Policy, config: WorkerConfig) -> Self {
        Self::with_crypto(policy, config, PoolConfig::default())
    }

    pub fn with_crypto(policy: &Policy, config: WorkerConfig, crypto: PoolConfig) -> Self {
        Self::with_memory(policy, config, crypto, |_| ())
    }

    /// The same after something was done to its empty memories.
    pub fn with_memory(
        policy: &Policy,
        config: WorkerConfig,
        crypto: PoolConfig,
        prepare: impl FnOnce(&mut Shared),
    ) -> Self {
        Self::with_trust(policy, &trust(), config, crypto, prepare)
    }

    /// The same with this trust.
    pub fn with_trust(
        policy: &Policy,
        trust: &Trust,
        config: WorkerConfig,
        crypto: PoolConfig,
        prepare: impl FnOnce(&mut Shared),
    ) -> Self {
        // Who signs nothing has no key.
        let keys = if policy.home.signing.is_some() { keys() } else { Keys::new() };
        Self::with_keys(policy, (trust, &keys), config, crypto, prepare)
    }

    /// One whose buffers hold frames of this many octets.
    pub fn with_buffers(policy: &Policy, config: WorkerConfig, room: usize) -> Self {
        let pool = MemPool::new(BUFFERS, room);
        Self::with_pool(policy, (&trust(), &Keys::new()), config, (PoolConfig::default(), pool), |_| ())
    }

    /// One that signs with this key of the vectors.
    pub fn signing_as(policy: &Policy, name: &str) -> Self {
        let mut policy = policy.clone();
        policy.home.signing.as_mut().expect("signing").cert = name.into();
        let keys = [(name.to_string(), key(name))].into();
        let config = WorkerConfig { journal: true, ..WorkerConfig::default() };
        Self::with_keys(&policy, (&trust(), &keys), config, PoolConfig::default(), |_| ())
    }

    fn with_keys(
        policy: &Policy,
        (trust, keys): (&Trust, &Keys),
        config: WorkerConfig,
        crypto: PoolConfig,
        prepare: impl FnOnce(&mut Shared),
    ) -> Self {
        Self::with_pool(policy, (trust, keys), config, (crypto, MemPool::default()), prepare)
    }

    fn with_pool(
        policy: &Policy,
        (trust, keys): (&Trust, &Keys),
        config: WorkerConfig,
        (crypto, pool): (PoolConfig, MemPool),
        prepare: impl FnOnce(&mut Shared),
    ) -> Self {
        let snapshot =
            Snapshot::compile(policy, trust, keys, 1500, &KeyRing::new()).unwrap_or_else(|faults| panic!("{faults:?}"));
        let mut shared = Shared::new(&snapshot);
        prepare(&mut shared);
        let shared = Arc::new(shared);
        let cell = Arc::new(PolicyCell::new(snapshot));
        let (crypto, mut clients) = Pool::start(crypto, 1, &cell.current().ring).expect("crypto");
        let ports = [MemPort::new(&pool), MemPort::new(&pool)];
        let client = clients.pop().expect("one client a worker");
        let worker = Worker::new(config, ports, cell.reader(), client, Arc::clone(&shared), Vec::new());
        Self { worker, cell, pool, shared, crypto: Some(crypto) }
    }

    /// A gateway that has been running for long and writes every verdict down.
    pub fn running(policy: &Policy) -> Self {
        Self::new(policy, WorkerConfig { journal: true, ..WorkerConfig::default() })
    }

    /// Gives one frame to a port and turns until nothing waits for crypto.
    pub fn frame(&mut self, port: usize, octets: &[u8], at_ms: u64) -> Step {
        self.burst(port, &[octets], at_ms)
    }

    /// The same with several frames in one burst.
    pub fn burst(&mut self, port: usize, frames: &[&[u8]], at_ms: u64) -> Step {
        let entry = self.worker.port_mut(port).expect("two ports");
        for octets in frames {
            assert!(entry.inject(octets).expect("frame fits"));
        }
        self.turn(at_ms)
    }

    /// One turn without new frames.
    pub fn turn(&mut self, at_ms: u64) -> Step {
        self.worker.turn(at_ms);
        self.collect()
    }

    pub fn collect(&mut self) -> Step {
        let mut sent = [Vec::new(), Vec::new()];
        for (number, sent) in sent.iter_mut().enumerate() {
            let port = self.worker.port_mut(number).expect("two ports");
            while let Some(frame) = port.take_sent() {
                sent.push(frame.octets().to_vec());
            }
        }
        Step { sent, records: self.worker.take_journal() }
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        if let Some(pool) = self.crypto.take() {
            pool.stop();
        }
    }
}

/// Octets of a hexadecimal string.
pub fn hex(text: &str) -> Vec<u8> {
    assert!(text.len().is_multiple_of(2));
    (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).expect("hex")).collect()
}

/// A hexadecimal string.
pub fn to_hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}
