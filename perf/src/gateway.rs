//! A gateway to measure: one worker over ports in memory, under the policy and the certificates of the test vectors.

use std::error::Error;
use std::sync::Arc;

use sealgate_config::Admin;
use sealgate_config::model::{Mode, Policy, Stir};
use sealgate_crypto::keyring::KeyRing;
use sealgate_crypto::pki::{self, Anchor, Kind, Object, Options, Trust};
use sealgate_crypto::pool::{Pool, PoolConfig};
use sealgate_crypto::sign::SigningKey;
use sealgate_dataplane::io::mem::{self, MemPool, MemPort};
use sealgate_dataplane::pipeline::tap::Tap;
use sealgate_dataplane::pipeline::worker::Shared;
use sealgate_dataplane::pipeline::{Worker, WorkerConfig};
use sealgate_dataplane::policy::snapshot::Keys;
use sealgate_dataplane::policy::{PolicyCell, Snapshot};

/// The time at which the vectors' certificates are valid, milliseconds since 1970.
pub const NOW_MS: u64 = 1_795_000_000_000;
/// Verification tag of packets from interconnect.
pub const VTAG_IN: u32 = 0x5ea1_9a7e;

const POLICY: &str = include_str!("../../dataplane/tests/data/vectors-policy.yaml");
const ROOT: &[u8] = include_bytes!("../../dataplane/vectors/certs/root.pem");
const REGION: &[u8] = include_bytes!("../../dataplane/vectors/certs/region.pem");
const HOME: &[u8] = include_bytes!("../../dataplane/vectors/certs/home-ec.pem");
const OPERATOR: &[u8] = include_bytes!("../../dataplane/vectors/certs/a-ec.pem");
const CRLS: [&[u8]; 2] = [
    include_bytes!("../../dataplane/vectors/crls/root.crl.pem"),
    include_bytes!("../../dataplane/vectors/crls/region.crl.pem"),
];
const HOME_KEY: &str = include_str!("../../dataplane/vectors/keys/home-ec.key.pem");
const OPERATOR_KEY: &str = include_str!("../../dataplane/vectors/keys/a-ec.key.pem");

/// The signing key of the operator that speaks to us.
///
/// # Errors
/// None with the key that is compiled in.
pub fn operator_key() -> Result<SigningKey, Box<dyn Error>> {
    Ok(SigningKey::from_pkcs8_pem(OPERATOR_KEY)?)
}

/// One worker and what it needs to live.
pub struct Gateway {
    /// The worker.
    pub worker: Worker<MemPort>,
    /// Crypto threads, or none.
    pub crypto: Pool,
    /// Where the worker finds its policy.
    pub cell: Arc<PolicyCell<Snapshot>>,
    /// What workers remember together.
    pub shared: Arc<Shared>,
}

impl Gateway {
    /// A gateway whose port 0 gives `inbound` and whose port 1 gives `outbound`, `rounds` times or for ever.
    ///
    /// * `keys`: where its keys are; the tables they have there are kept as long as a gateway has them
    ///
    /// # Errors
    /// A policy, certificate or frame that does not fit: a defect of this program.
    pub fn new(
        mode: Mode,
        sign: bool,
        inbound: Vec<Vec<u8>>,
        outbound: Vec<Vec<u8>>,
        rounds: Option<u64>,
        crypto: PoolConfig,
        keys: &KeyRing,
    ) -> Result<Self, Box<dyn Error>> {
        Self::under(&policy(mode, sign)?, [inbound, outbound].map(Some), rounds, crypto, keys)
    }

    /// The same under a policy; a port without a corpus is given its frames one by one, and keeps none that it sent.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub(crate) fn under(
        policy: &Policy,
        corpora: [Option<Vec<Vec<u8>>>; 2],
        rounds: Option<u64>,
        crypto: PoolConfig,
        keys: &KeyRing,
    ) -> Result<Self, Box<dyn Error>> {
        let snapshot = compile(policy, keys, &[])?;
        let mut shared = Shared::new(&snapshot);
        // As in the product.
        shared.tap = Tap::new(1, Admin::REFUSED);
        let shared = Arc::new(shared);
        let cell = Arc::new(PolicyCell::new(snapshot));
        let (crypto, mut clients) = Pool::start(crypto, 1, &cell.current().ring)?;
        let client = clients.pop().ok_or("no crypto client")?;
        // Few buffers, used again at once, as a packet pool with a cache per core hands them out.
        let pool = MemPool::new(256, mem::ROOM);
        let port = |corpus: Option<Vec<Vec<u8>>>| match corpus {
            Some(corpus) => MemPort::looping(&pool, corpus.into(), rounds),
            None => {
                let mut port = MemPort::new(&pool);
                port.drop_sent();
                Ok(port)
            }
        };
        let [inbound, outbound] = corpora;
        let ports = [port(inbound)?, port(outbound)?];
        let memories = Arc::clone(&shared);
        let worker = Worker::new(WorkerConfig::default(), ports, cell.reader(), client, shared, Vec::new());
        Ok(Self { worker, crypto, cell, shared: memories })
    }
}

/// The vectors' policy, all peers in one mode.
///
/// # Errors
/// None with the policy that is compiled in.
pub(crate) fn policy(mode: Mode, sign: bool) -> Result<Policy, Box<dyn Error>> {
    let mut policy = Policy::parse(POLICY)?;
    for peer in &mut policy.peers {
        (peer.mode, peer.sign) = (mode, sign);
    }
    Ok(policy)
}

/// * `more`: certificates beside those of the vectors
pub(crate) fn compile(policy: &Policy, ring: &KeyRing, more: &[Object]) -> Result<Snapshot, Box<dyn Error>> {
    let (trust, keys) = material_with(more)?;
    // Of the certificates that are named by something else than a SAI only that of the operator is here.
    let certificates = policy.stir.certificates.iter().filter(|named| named.cert == "a-ec").cloned().collect();
    let stir = Stir { certificates, ..policy.stir.clone() };
    let policy = Policy { sigfw_keys: Vec::new(), dess_keys: Vec::new(), stir, ..policy.clone() };
    Snapshot::compile(&policy, &trust, &keys, 1500, ring).map_err(|faults| format!("{faults:?}").into())
}

/// The vectors' certificates and our key.
pub(crate) fn material() -> Result<(Trust, Keys), Box<dyn Error>> {
    material_with(&[])
}

fn material_with(more: &[Object]) -> Result<(Trust, Keys), Box<dyn Error>> {
    let object = |name, octets, kind| pki::objects_from_octets(name, octets, kind);
    let anchors: Vec<_> = object("root", ROOT, Kind::Certificate)?
        .into_iter()
        .map(|object| Anchor { der: object.der, limit: None })
        .collect();
    let mut certificates = Vec::new();
    for (name, octets) in [("region", REGION), ("home-ec", HOME), ("a-ec", OPERATOR)] {
        certificates.extend(object(name, octets, Kind::Certificate)?);
    }
    certificates.extend_from_slice(more);
    let mut crls = Vec::new();
    for octets in CRLS {
        crls.extend(object("crl", octets, Kind::Crl)?);
    }
    let trust = pki::load(&anchors, &certificates, &crls, Options::default(), (NOW_MS / 1000) as i64);
    if !trust.rejected.is_empty() {
        return Err(format!("a certificate is refused: {:?}", trust.rejected.first()).into());
    }
    Ok((trust, [("home-ec".to_string(), SigningKey::from_pkcs8_pem(HOME_KEY)?)].into()))
}
