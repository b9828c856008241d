//! A repository in memory, signed with the keys of the vectors, which can be made to say anything.
#![allow(dead_code, reason = "each test file uses its part")]

use sealgate_control::tsca::format::{DOMAIN, Digest};
use sealgate_control::tsca::source::{FetchError, Source};
use sealgate_control::tsca::sync::Local;
use sealgate_crypto::pki::{Anchor, Kind, objects_from_file};
use sealgate_crypto::sign::SigningKey;
use sealgate_crypto::verify::sha256;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

/// The time of the vectors, seconds since 1970.
pub const NOW: i64 = 1_795_000_000;
pub const SESSION: &str = "8f5b1d0e-4c52-4d52-9d4d-3f0f3a1c0e01";
pub const OTHER_SESSION: &str = "8f5b1d0e-4c52-4d52-9d4d-3f0f3a1c0e02";

pub fn vectors() -> PathBuf {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../dataplane/vectors");
    std::env::var_os("SEALGATE_VECTORS").map_or(beside, PathBuf::from)
}

/// The octets of one certificate or list of the vectors.
pub fn der(file: &str) -> Vec<u8> {
    let kind = if file.starts_with("crls/") { Kind::Crl } else { Kind::Certificate };
    objects_from_file(&vectors().join(file), kind).expect(file).remove(0).der
}

/// The trust anchor of the vectors and nothing else.
pub fn local() -> Local {
    Local { anchors: vec![Anchor { der: der("certs/root.pem"), limit: None }], ..Local::default() }
}

pub fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

fn base64(octets: &[u8]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(octets)
}

pub fn time(seconds: i64) -> String {
    sealgate_control::authority::notation::show(seconds)
}

/// Makes the files of a repository.
#[derive(Clone)]
pub struct Publisher {
    pub session: String,
    pub serial: u64,
    pub this_update: i64,
    pub next_update: i64,
    pub objects: BTreeMap<String, Vec<u8>>,
    pub files: BTreeMap<String, Vec<u8>>,
    last: BTreeMap<String, Vec<u8>>,
    deltas: Vec<Value>,
}

impl Publisher {
    /// Serial 1 with the operators of the vectors.
    pub fn new() -> Self {
        let mut objects = BTreeMap::new();
        objects.insert("ca/region.cer".to_owned(), der("certs/region.pem"));
        for name in ["home-ec", "a-ec", "a-ed", "a-p384", "b-ec", "c-rsa", "hub-ec"] {
            objects.insert(format!("csp/{name}.cer"), der(&format!("certs/{name}.pem")));
        }
        for name in ["region", "root"] {
            objects.insert(format!("crl/{name}.crl"), der(&format!("crls/{name}.crl.pem")));
        }
        let mut made = Self {
            session: SESSION.to_owned(),
            serial: 0,
            this_update: NOW - 60,
            next_update: NOW + 86_400,
            objects,
            files: BTreeMap::new(),
            last: BTreeMap::new(),
            deltas: Vec::new(),
        };
        made.files.insert("signer.pem".to_owned(), fs::read(vectors().join("repo/signer.pem")).expect("signer"));
        made.publish();
        made
    }

    /// The next serial, with a snapshot and a delta from the one before.
    pub fn publish(&mut self) {
        self.serial += 1;
        let (session, serial) = (&self.session, self.serial);
        let object =
            |uri: &String, der: &Vec<u8>| json!({ "uri": uri, "sha256": hex(&sha256(der)), "der": base64(der) });
        let all: Vec<_> = self.objects.iter().map(|(uri, der)| object(uri, der)).collect();
        let snapshot = json!({ "session": session, "serial": serial, "objects": all });
        if serial > 1 {
            let changed = self.objects.iter().filter(|(uri, der)| self.last.get(*uri) != Some(der));
            let publish = changed.map(|(uri, der)| {
                let mut one = object(uri, der);
                if let Some(before) = self.last.get(uri) {
                    one["replaces"] = json!(hex(&sha256(before)));
                }
                one
            });
            let gone = self.last.iter().filter(|(uri, _)| !self.objects.contains_key(*uri));
            let withdraw = gone.map(|(uri, der)| json!({ "uri": uri, "sha256": hex(&sha256(der)) }));
            let (publish, withdraw): (Vec<_>, Vec<_>) = (publish.collect(), withdraw.collect());
            let delta = json!({ "session": session, "serial": serial, "publish": publish, "withdraw": withdraw });
            let mut reference = self.add(&format!("delta-{serial}.json"), delta.to_string().into_bytes());
            reference["serial"] = json!(serial);
            self.deltas.push(reference);
        }
        self.last = self.objects.clone();
        let reference = self.add(&format!("snapshot-{serial}.json"), snapshot.to_string().into_bytes());
        self.sign(&self.manifest(reference));
    }

    /// Begins another session at serial 1.
    pub fn restart(&mut self, session: &str) {
        (self.session, self.serial) = (session.to_owned(), 0);
        self.deltas.clear();
        self.last.clear();
        self.publish();
    }

    pub fn manifest(&self, snapshot: Value) -> Value {
        json!({ "version": 1, "session": self.session, "serial": self.serial, "this_update": time(self.this_update),
            "next_update": time(self.next_update), "snapshot": snapshot, "deltas": self.deltas })
    }

    /// The manifest as it is now.
    pub fn current(&self) -> Value {
        serde_json::from_slice(&self.files["manifest.json"]).expect("JSON")
    }

    /// Adds a file and makes a reference to it.
    pub fn add(&mut self, name: &str, octets: Vec<u8>) -> Value {
        let reference = json!({ "uri": name, "sha256": hex(&sha256(&octets)), "size": octets.len() });
        self.files.insert(name.to_owned(), octets);
        reference
    }

    /// Another snapshot, properly named and signed.
    pub fn snapshot(&mut self, octets: Vec<u8>) {
        let reference = self.add(&format!("snapshot-{}.json", self.serial), octets);
        let mut manifest = self.current();
        manifest["snapshot"] = reference;
        manifest["deltas"] = json!([]);
        self.sign(&manifest);
    }

    /// Signs a manifest and puts it in place.
    pub fn sign(&mut self, manifest: &Value) {
        self.sign_octets(manifest.to_string().into_bytes());
    }

    pub fn sign_octets(&mut self, octets: Vec<u8>) {
        let key = fs::read_to_string(vectors().join("keys/repo.key.pem")).expect("the key");
        let key = SigningKey::from_pkcs8_pem(&key).expect("a key");
        let mut signature = [0; 256];
        let length = key.sign(&[DOMAIN, &octets].concat(), &mut signature).expect("signed");
        self.files.insert("manifest.sig".to_owned(), signature[..length].to_vec());
        self.files.insert("manifest.json".to_owned(), octets);
    }
}

/// A mirror in memory.
#[derive(Clone, Default)]
pub struct Memory {
    pub files: BTreeMap<String, Vec<u8>>,
    /// What happens instead, by file.
    pub faults: HashMap<String, FetchError>,
    /// Answers "not modified" whatever is held.
    pub frozen: bool,
    /// What was asked for.
    pub asked: Vec<String>,
}

impl Memory {
    pub fn of(publisher: &Publisher) -> Self {
        Self { files: publisher.files.clone(), ..Self::default() }
    }

    pub fn down() -> Self {
        let fault = FetchError::Transport("no route".to_owned());
        Self { faults: HashMap::from([("manifest.json".to_owned(), fault)]), ..Self::default() }
    }
}

impl Source for Memory {
    fn manifest(&mut self, held: Option<&Digest>) -> Result<Option<Vec<u8>>, FetchError> {
        let octets = self.get("manifest.json", 64 * 1024)?;
        Ok((!self.frozen && held != Some(&sha256(&octets))).then_some(octets))
    }

    fn get(&mut self, name: &str, max: usize) -> Result<Vec<u8>, FetchError> {
        self.asked.push(name.to_owned());
        if let Some(fault) = self.faults.get(name) {
            return Err(fault.clone());
        }
        let octets = self.files.get(name).cloned().ok_or(FetchError::Missing(name.to_owned()))?;
        if octets.len() > max { Err(FetchError::TooLong(name.to_owned())) } else { Ok(octets) }
    }
}
