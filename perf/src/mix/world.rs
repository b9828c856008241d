//! What a gateway must know to judge a profile's traffic: policy, certificates, keys.

use std::error::Error;
use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::SystemTime;

use sealgate_config::model::Policy;
use sealgate_crypto::keyring::KeyRing;
use sealgate_crypto::pki::{self, Anchor, Kind, Options, Trust};
use sealgate_crypto::sign::SigningKey;
use sealgate_dataplane::policy::Snapshot;
use sealgate_dataplane::policy::snapshot::Keys;

use super::authority::{Authority, REGION, ROOT, pem};
use super::message::HOME;
use super::nonces::TestKey;
use super::operation::Protocol;
use super::policy::{Numbering, OURS, packed_network, peer_name, policy};
use super::profile::Profile;
use super::s6a::HOME_REALM;

/// Octets of memory for the tables of keys, of gateways here and elsewhere: the fast ones of 10,000 keys fit.
pub const TABLES: usize = 1 << 30;
/// Largest IP packet of the ports.
const MTU: u16 = 1500;

/// A peer as its messages need it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer {
    pub(super) prefixes: u32,
    /// Which of the keys is its own.
    pub(super) key: u32,
    pub(super) plmn: [u8; 3],
}

/// What a gateway must know, and the keys of those it knows.
pub struct World {
    profile: Profile,
    policy: String,
    /// PEM, by name.
    certificates: Vec<(String, String)>,
    lists: [(&'static str, String); 2],
    own: TestKey,
    pub(super) numbering: Numbering,
    pub(super) peers: Vec<Peer>,
    /// Keys of the peers, each with its identifier.
    pub(super) keys: Vec<(TestKey, [u8; 8])>,
    now_s: i64,
}

/// What [`World::write`] must know about the machine.
#[derive(Clone, Debug)]
pub struct Appliance {
    /// Device of the port towards other operators, as sealgate.yaml writes it.
    pub interconnect: String,
    /// Device of the port towards our own network.
    pub home: String,
    /// Descriptors of each queue, a power of two, 64 to 32768.
    pub depth: u16,
    /// Cores of the workers.
    pub workers: Vec<usize>,
    /// Cores of the crypto threads; none: workers verify inline.
    pub crypto: Vec<usize>,
}

impl Default for Appliance {
    /// Ports that give nothing, with the product's own rings, and one worker on core 1: to be filled in.
    fn default() -> Self {
        let null = || "null".to_owned();
        Self { interconnect: null(), home: null(), depth: 1024, workers: vec![1], crypto: Vec::new() }
    }
}

impl World {
    /// The world of a profile, its certificates good from a month ago for a year.
    ///
    /// # Errors
    /// A clock before 1970, a key or certificate that cannot be made, a policy that the product refuses: defects.
    pub fn new(profile: &Profile) -> Result<Self, Box<dyn Error>> {
        Self::at(profile, i64::try_from(SystemTime::UNIX_EPOCH.elapsed()?.as_secs())?)
    }

    /// The same at another time than now.
    ///
    /// * `now_s`: seconds since 1970
    ///
    /// # Errors
    /// As [`World::new`].
    pub fn at(profile: &Profile, now_s: i64) -> Result<Self, Box<dyn Error>> {
        let numbering = Numbering::new(profile);
        let mut authority = Authority::new(now_s)?;
        // Key 0 is ours, so that a peer never signs with it.
        let own = TestKey::new(profile.seed, 0);
        let diameter = profile.links_of(Protocol::Diameter) > 0;
        let ours = authority.certify(OURS, &own, HOME, diameter.then(|| HOME_REALM.to_owned()), None)?;
        let mut certificates = vec![("region".to_owned(), REGION.to_owned()), (OURS.to_owned(), ours)];
        let mut keys = Vec::new();
        for number in 1..=profile.keys() {
            let key = TestKey::new(profile.seed, number);
            let sai = SigningKey::from_pkcs8_der(&key.to_pkcs8())?.public().sai();
            keys.push((key, sai));
        }
        let mut peers = Vec::new();
        for number in 0..profile.peers {
            let key = number % profile.keys();
            let (secret, _) = keys.get(key as usize).ok_or("a peer without key")?;
            let name = peer_name(number);
            let certificate = authority.certify(
                &name,
                secret,
                &numbering.base(number),
                diameter.then(|| numbering.realm(number)),
                profile.has_calls().then(|| numbering.telephones(number)),
            )?;
            certificates.push((name, certificate));
            peers.push(Peer { prefixes: numbering.prefixes_of(number), key, plmn: packed_network(number) });
        }
        let lists = authority.lists()?;
        let policy = policy(profile, &numbering);
        let profile = profile.clone();
        Ok(Self { profile, policy, certificates, lists, own, numbering, peers, keys, now_s })
    }

    /// The profile it was made for.
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// When it was made, milliseconds since 1970.
    pub(super) fn now_ms(&self) -> u64 {
        u64::try_from(self.now_s).unwrap_or(0) * 1000
    }

    /// The policy, checked.
    ///
    /// # Errors
    /// One that the product refuses: a defect.
    pub fn policy(&self) -> Result<Policy, Box<dyn Error>> {
        Ok(Policy::parse(&self.policy)?)
    }

    /// Policy and trust as a worker takes them; keys are installed in `ring`.
    ///
    /// # Errors
    /// A certificate or policy that the product refuses: a defect.
    pub fn snapshot(&self, ring: &KeyRing) -> Result<Snapshot, Box<dyn Error>> {
        let (trust, keys) = self.material()?;
        Snapshot::compile(&self.policy()?, &trust, &keys, MTU, ring).map_err(|faults| format!("{faults:?}").into())
    }

    /// The same policy and trust read and compiled again, to follow the one in force.
    ///
    /// # Errors
    /// As [`World::snapshot`].
    pub fn next(&self, current: &Snapshot) -> Result<Snapshot, Box<dyn Error>> {
        let (trust, keys) = self.material()?;
        current.next(&self.policy()?, &trust, &keys, MTU).map_err(|faults| format!("{faults:?}").into())
    }

    fn material(&self) -> Result<(Trust, Keys), Box<dyn Error>> {
        let read = |name: &str, text: &str, kind| pki::objects_from_octets(name, text.as_bytes(), kind);
        let root = read("root", ROOT, Kind::Certificate)?;
        let anchors: Vec<_> = root.into_iter().map(|object| Anchor { der: object.der, limit: None }).collect();
        let (mut certificates, mut lists) = (Vec::new(), Vec::new());
        for (name, text) in &self.certificates {
            certificates.extend(read(name, text, Kind::Certificate)?);
        }
        for (name, text) in &self.lists {
            lists.extend(read(name, text, Kind::Crl)?);
        }
        let trust = pki::load(&anchors, &certificates, &lists, Options::default(), self.now_s);
        if let Some(rejected) = trust.rejected.first() {
            return Err(format!("a certificate is refused: {rejected:?}").into());
        }
        let own = SigningKey::from_pkcs8_der(&self.own.to_pkcs8())?;
        Ok((trust, [(OURS.to_owned(), own)].into()))
    }

    /// Writes a whole configuration of the product into a directory, made if need be: `sealgate.yaml`, `policy.yaml`,
    /// certificates, lists and our key.
    ///
    /// # Errors
    /// A file that cannot be written, with its path.
    pub fn write(&self, dir: &Path, appliance: &Appliance) -> Result<(), Box<dyn Error>> {
        let trust = dir.join("trust");
        for sub in ["certificates", "crls", "keys"] {
            let sub = trust.join(sub);
            fs::create_dir_all(&sub).map_err(|fault| format!("{}: {fault}", sub.display()))?;
        }
        put(&dir.join("sealgate.yaml"), &self.appliance(appliance)?, 0o644)?;
        put(&dir.join("policy.yaml"), &self.policy, 0o644)?;
        put(&trust.join("root.pem"), ROOT, 0o644)?;
        for (name, text) in &self.certificates {
            put(&trust.join(format!("certificates/{name}.pem")), text, 0o644)?;
        }
        for (name, text) in &self.lists {
            put(&trust.join(format!("crls/{name}.crl.pem")), text, 0o644)?;
        }
        put(&trust.join(format!("keys/{OURS}.key.pem")), &pem(&self.own)?, 0o600)
    }

    fn appliance(&self, appliance: &Appliance) -> Result<String, Box<dyn Error>> {
        let Appliance { interconnect, home, depth, workers, crypto } = appliance;
        // A string in JSON is one in YAML too.
        let (interconnect, home) = (serde_json::to_string(interconnect)?, serde_json::to_string(home)?);
        let rest = format!("mtu: {MTU}, rx_ring: {depth}, tx_ring: {depth}");
        let tables = TABLES >> 20;
        Ok(format!(
            "# For profile {} of sgperf.\n\n\
             cores: {{workers: {workers:?}, crypto: {crypto:?}}}\n\n\
             ports:\n  interconnect: {{device: {interconnect}, {rest}}}\n  home: {{device: {home}, {rest}}}\n\n\
             crypto: {{table_memory_mb: {tables}}}\n\n\
             trust:\n  anchors: [trust/root.pem]\n  certificates: trust/certificates\n  crls: trust/crls\n  \
             keys: trust/keys\n\n\
             policy: policy.yaml\n\n\
             admin: {{socket: admin.sock}}\n",
            self.profile.name.escape_debug()
        ))
    }
}

/// A file of these rights, whatever was there.
fn put(path: &Path, text: &str, mode: u32) -> Result<(), Box<dyn Error>> {
    let written = (|| {
        let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(path)?;
        file.write_all(text.as_bytes())
    })();
    written.map_err(|fault| format!("{}: {fault}", path.display()).into())
}
