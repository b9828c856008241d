//! The repository of the lab authority: manifest, snapshot and deltas of what it issued (formats 12.4).

use super::error::AuthorityError;
use super::files;
use super::mint::{self, Content, Purpose};
use super::{Authority, Ca, hex, notation};
use crate::tsca::format::{DOMAIN, MAX_SMALL, MAX_TOTAL, Manifest, Session, Snapshot};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sealgate_crypto::alg::Alg;
use sealgate_crypto::pki::{Certificate, Identifiers, Kind, Object, Usage, objects_from_dir, objects_from_octets};
use sealgate_crypto::sign::SigningKey;
use sealgate_crypto::verify::sha256;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use time::{Duration, OffsetDateTime};

/// Name of the directory that is served, below the authority's.
pub const DIRECTORY: &str = "repository";
/// What the names of repository signers begin with.
pub(super) const SIGNER: &str = "repository-";
/// A signer is renewed so long before its end (formats 12.1).
const OVERLAP: Duration = Duration::days(14);

/// Where the repository's numbers stand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Numbers {
    /// The session, a UUID.
    pub session: String,
    /// The serial of the last publication.
    pub serial: u64,
}

/// How to publish.
#[derive(Clone, Copy, Debug)]
pub struct Publication {
    /// Deltas that are kept, each from one serial to the next.
    pub deltas: usize,
    /// Until the next publication is due.
    pub due: Duration,
}

impl Default for Publication {
    fn default() -> Self {
        Self { deltas: 16, due: Duration::hours(24) }
    }
}

/// What was published.
#[derive(Clone, Debug, Serialize)]
pub struct Repository {
    /// Its session.
    pub session: String,
    /// Its serial.
    pub serial: u64,
    /// Objects in it.
    pub objects: usize,
    /// Objects that are new or changed since the serial before.
    pub changed: usize,
    /// Objects that went since the serial before.
    pub withdrawn: usize,
    /// Deltas that lead to it.
    pub deltas: usize,
    /// When the next one is due, RFC 3339.
    pub next_update: String,
    /// The directory to serve.
    pub dir: PathBuf,
}

/// Objects by their names in the repository.
type Objects = BTreeMap<String, Vec<u8>>;

impl Authority {
    /// Makes the revocation lists again and publishes everything that holds under the next serial number.
    /// # Errors
    /// Whatever the files give. A reader sees the publication before or this one.
    pub fn publish_repository(&mut self, how: Publication, now: OffsetDateTime) -> Result<Repository, AuthorityError> {
        self.publish(now)?;
        let dir = self.dir.join(DIRECTORY);
        files::make_dir(&dir, 0o755)?;
        let (signer, chain) = self.repository_signer(now)?;
        let objects = self.objects(now)?;
        let last = last_publication(&dir);
        let numbers = match &self.state.repository {
            // Serials go on as long as deltas can be made from the publication before.
            Some(numbers) if last.as_ref().is_some_and(|(one, _)| one.session.to_string() == numbers.session) => {
                Numbers { serial: numbers.serial + 1, ..numbers.clone() }
            }
            _ => Numbers { session: new_session()?.to_string(), serial: 1 },
        };
        // The number is taken before it is used: a crash in between leaves a gap, never a serial of two manifests.
        self.store.set_repository(&numbers)?;
        self.state.repository = Some(numbers.clone());
        let Numbers { session, serial } = numbers;
        let (mut changed, mut withdrawn, mut deltas) = (objects.len(), 0, Vec::new());
        if let Some((manifest, before)) = last.filter(|(manifest, _)| manifest.serial + 1 == serial) {
            let publish: Vec<Value> = (objects.iter())
                .filter(|(uri, der)| before.get(*uri) != Some(der))
                .map(|(uri, der)| {
                    let mut one = object(uri, der);
                    if let Some(replaced) = before.get(uri) {
                        one["replaces"] = json!(hex(&sha256(replaced)));
                    }
                    one
                })
                .collect();
            let gone: Vec<Value> = (before.iter())
                .filter(|(uri, _)| !objects.contains_key(*uri))
                .map(|(uri, der)| json!({ "uri": uri, "sha256": hex(&sha256(der)) }))
                .collect();
            (changed, withdrawn) = (publish.len(), gone.len());
            deltas.extend(manifest.deltas.iter().map(|one| {
                json!({ "serial": one.serial, "uri": one.file.uri.as_str(), "sha256": hex(&one.file.sha256),
                    "size": one.file.size })
            }));
            let delta = json!({ "session": session, "serial": serial, "publish": publish, "withdraw": gone });
            let mut one = put(&dir, &format!("delta-{serial}.json"), &delta)?;
            one["serial"] = json!(serial);
            deltas.push(one);
            deltas.drain(..deltas.len().saturating_sub(how.deltas));
        }
        let all: Vec<Value> = objects.iter().map(|(uri, der)| object(uri, der)).collect();
        let snapshot = json!({ "session": session, "serial": serial, "objects": all });
        let snapshot = put(&dir, &format!("snapshot-{serial}.json"), &snapshot)?;
        let this_update = now.unix_timestamp();
        let next_update = notation::show((now + how.due).unix_timestamp());
        let manifest = json!({ "version": 1, "session": session, "serial": serial,
            "this_update": notation::show(this_update), "next_update": next_update, "snapshot": snapshot,
            "deltas": deltas });
        let kept: Vec<String> =
            (deltas.iter().chain([&snapshot])).filter_map(|file| Some(file.get("uri")?.as_str()?.to_owned())).collect();
        let octets = manifest.to_string().into_bytes();
        let made = Manifest::parse(&octets).map_err(|fault| self.at_fault(&dir, fault.0))?;
        let mut signature = [0; sealgate_crypto::sign::MAX_OWN_SIGNATURE];
        let signed = [DOMAIN, &octets].concat();
        let length = signer.sign(&signed, &mut signature).map_err(|fault| self.at_fault(&dir, fault.to_string()))?;
        files::write(&dir.join("signer.pem"), chain.as_bytes(), files::PUBLIC)?;
        files::write(&dir.join("manifest.sig"), signature.get(..length).unwrap_or_default(), files::PUBLIC)?;
        files::write(&dir.join("manifest.json"), &octets, files::PUBLIC)?;
        sweep(&dir, &kept);
        let (objects, deltas) = (objects.len(), made.deltas.len());
        Ok(Repository { session, serial, objects, changed, withdrawn, deltas, next_update, dir })
    }

    fn at_fault(&self, path: &Path, why: String) -> AuthorityError {
        AuthorityError::State { path: path.to_owned(), why }
    }

    /// The certificates that have not ended, those of operators and of the region, and all revocation lists.
    fn objects(&self, now: OffsetDateTime) -> Result<Objects, AuthorityError> {
        let mut objects = Objects::new();
        for object in self.read(&self.dir.join("certs"), Kind::Certificate)? {
            let one = Certificate::parse(&object).map_err(|refused| mint::at_fault(&object.name, refused))?;
            let place = match one.usage {
                Usage::Authority => "ca",
                Usage::Messages => "csp",
                Usage::Repository | Usage::Unknown => continue,
            };
            if one.not_after >= now.unix_timestamp() {
                objects.insert(format!("{place}/{}.cer", object.name), object.der);
            }
        }
        for object in self.read(&self.dir.join("crls"), Kind::Crl)? {
            objects.insert(format!("crl/{}.crl", object.name), object.der);
        }
        Ok(objects)
    }

    fn read(&self, dir: &Path, kind: Kind) -> Result<Vec<Object>, AuthorityError> {
        let (objects, faults) = objects_from_dir(dir, kind).map_err(|fault| self.at_fault(dir, fault.to_string()))?;
        match faults.into_iter().next() {
            Some(fault) => Err(self.at_fault(dir, fault.to_string())),
            None => Ok(objects),
        }
    }

    /// The key that signs manifests, and `signer.pem`: its certificate and the region's. Made when there is none that
    /// holds for another while.
    fn repository_signer(&mut self, now: OffsetDateTime) -> Result<(SigningKey, String), AuthorityError> {
        let fresh = |file: &Path| {
            let octets = std::fs::read(file).ok()?;
            let object = objects_from_octets("signer", &octets, Kind::Certificate).ok()?.into_iter().next()?;
            let one = Certificate::parse(&object).ok()?;
            (one.not_after > (now + OVERLAP).unix_timestamp()).then_some(())
        };
        let issued = self.state.issued.iter().rev().filter(|one| one.name.starts_with(SIGNER) && one.revoked.is_none());
        let found = issued.map(|one| one.name.clone()).find(|name| fresh(&self.cert_file(name)).is_some());
        let name = match found {
            Some(name) => name,
            None => {
                let serial = self.take_serial()?;
                let name = format!("{SIGNER}{serial}");
                let not_before = super::start(now)?;
                let content = Content {
                    subject: mint::name(&self.state.name, &format!("{} {name}", self.state.name)),
                    serial,
                    not_before,
                    not_after: mint::later(not_before, super::MAX_DAYS)?,
                    identifiers: &Identifiers::default(),
                    purpose: Purpose::Repository,
                };
                let (key, signer) = (mint::new_key(Alg::P256)?, self.signer(Ca::Region)?);
                let made = mint::certificate(&name, &content, &key, &signer)?;
                self.keep(&name, &name, Ca::Region, &key, made, now)?;
                name
            }
        };
        let (key_file, cert_file) = (self.key_file(&name), self.cert_file(&name));
        let text = |path: &Path| std::fs::read_to_string(path).map_err(files::io_at(path));
        let key = SigningKey::from_pkcs8_pem(&text(&key_file)?);
        let key = key.map_err(|fault| self.at_fault(&key_file, fault.to_string()))?;
        Ok((key, text(&cert_file)? + &text(&self.cert_file("region"))?))
    }
}

/// The manifest in a directory and the objects of its snapshot, if they are whole.
fn last_publication(dir: &Path) -> Option<(Manifest, Objects)> {
    let read = |name: &str, max: usize| std::fs::read(dir.join(name)).ok().filter(|octets| octets.len() <= max);
    let manifest = Manifest::parse(&read("manifest.json", MAX_SMALL)?).ok()?;
    let octets = read(manifest.snapshot.uri.as_str(), MAX_TOTAL)?;
    let whole = manifest.snapshot.is_of(&octets);
    let snapshot = Snapshot::parse(&octets, manifest.session, manifest.serial).ok().filter(|_| whole)?;
    let objects = snapshot.0.into_iter().map(|entry| (entry.uri.to_string(), entry.der)).collect();
    Some((manifest, objects))
}

fn new_session() -> Result<Session, AuthorityError> {
    let mut octets = super::random()?;
    // A UUID of version 4 (RFC 9562).
    octets[6] = octets[6] & 0x0f | 0x40;
    octets[8] = octets[8] & 0x3f | 0x80;
    Ok(Session(u128::from_be_bytes(octets)))
}

fn object(uri: &str, der: &[u8]) -> Value {
    json!({ "uri": uri, "sha256": hex(&sha256(der)), "der": STANDARD.encode(der) })
}

/// Writes a file and makes a reference to it.
fn put(dir: &Path, name: &str, content: &Value) -> Result<Value, AuthorityError> {
    let octets = content.to_string().into_bytes();
    files::write(&dir.join(name), &octets, files::PUBLIC)?;
    Ok(json!({ "uri": name, "sha256": hex(&sha256(&octets)), "size": octets.len() }))
}

/// Removes snapshots and deltas that the manifest does not name, but for the snapshot before: somebody may be reading it.
fn sweep(dir: &Path, kept: &[String]) {
    let serial = |name: &str| name.strip_prefix("snapshot-")?.strip_suffix(".json")?.parse::<u64>().ok();
    let newest = kept.iter().filter_map(|name| serial(name)).max().unwrap_or(0);
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let ours = name.starts_with("snapshot-") || name.starts_with("delta-");
        let before = serial(&name).is_some_and(|serial| serial + 1 == newest);
        if ours && !before && !kept.contains(&name) {
            // What cannot be removed only takes room.
            let _ = std::fs::remove_file(entry.path());
        }
    }
}
