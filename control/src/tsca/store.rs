//! The last good state on disk, so that a gateway that starts again trusts what it trusted, whoever answers or not.
//!
//! ```text
//! sealgate-last-good 1 SHA-256-OF-THE-REST LENGTH-OF-THE-REST LF
//! {"manifest":base64,"signature":base64,"signer":base64,"objects":[{"uri","sha256","der"}..],"retained":[base64..]}
//! ```
//! The digest finds a file that is torn or was cut; the signature in it says who made it.

use super::format::{Digest, Entry, MAX_OBJECTS, MAX_TOTAL, Uri, parse_digest};
use super::objects::Objects;
use super::proof::{LastGood, prove_again};
use super::sync::Local;
use super::value::Bounded;
use crate::durable;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sealgate_crypto::pki::Object;
use sealgate_crypto::verify::sha256;
use serde::{Deserialize, Serialize};
use std::fs::{self, DirBuilder, File};
use std::io::{self, Read};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

/// The file's name in its directory.
const NAME: &str = "last-good";
const MAGIC: &str = "sealgate-last-good 1";
/// Permissions that nobody but the owner may have of the directory.
const OTHERS_WRITE: u32 = 0o022;
/// The largest file: all objects and what is retained beside them, in base64.
const MAX: u64 = 3 * MAX_TOTAL as u64;

/// Why nothing was found.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// There is no file: the first start.
    #[error("there is none")]
    None,
    /// There is one, but not of use (`store_lost`).
    #[error("{0}")]
    Lost(String),
}

/// Where the last good state lies.
#[derive(Clone, Debug)]
pub struct Store {
    file: PathBuf,
}

#[derive(Serialize)]
struct Out<'a> {
    manifest: String,
    signature: String,
    signer: String,
    objects: Vec<OutObject<'a>>,
    retained: Vec<String>,
}

#[derive(Serialize)]
struct OutObject<'a> {
    uri: &'a str,
    sha256: String,
    der: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct In {
    manifest: String,
    signature: String,
    signer: String,
    objects: Bounded<Entry, MAX_OBJECTS>,
    retained: Bounded<String, MAX_OBJECTS>,
}

impl Store {
    /// In this directory, which need not be there to read from.
    pub fn at(dir: &Path) -> Self {
        Self { file: dir.join(NAME) }
    }

    /// Makes the directory if it is not there.
    /// # Errors
    /// What the system says, or that others can write to it.
    pub fn make(&self) -> io::Result<()> {
        let dir = self.file.parent().unwrap_or(Path::new("."));
        DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
        match fs::metadata(dir)?.mode() & OTHERS_WRITE {
            0 => Ok(()),
            _ => Err(io::Error::other("others can write to it, and take the gateway back to older trust")),
        }
    }

    /// The file.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Writes a state down; a reader finds it or the one before.
    /// # Errors
    /// What the system says; then the one before is still there.
    pub fn save(&self, good: &LastGood) -> io::Result<()> {
        durable::write(&self.file, &octets_of(good), 0o600)
    }

    /// Reads the state and proves it again.
    ///
    /// * `local`: its trust anchors
    /// # Errors
    /// [`LoadError`]
    pub fn load(&self, local: &Local) -> Result<LastGood, LoadError> {
        let octets = match read(&self.file) {
            Err(fault) if fault.kind() == io::ErrorKind::NotFound => return Err(LoadError::None),
            other => other.map_err(|fault| LoadError::Lost(fault.to_string()))?,
        };
        parse(&octets, local).map_err(LoadError::Lost)
    }
}

fn octets_of(good: &LastGood) -> Vec<u8> {
    let hex = |digest: &Digest| digest.iter().map(|octet| format!("{octet:02x}")).collect::<String>();
    let object =
        |(uri, held): (&'_ Uri, &super::objects::Held)| (hex(&held.sha256), STANDARD.encode(&held.der), uri.clone());
    let objects: Vec<_> = good.objects.iter().map(object).collect();
    let out = Out {
        manifest: STANDARD.encode(&good.octets),
        signature: STANDARD.encode(&good.signature),
        signer: STANDARD.encode(&good.signer),
        objects: (objects.iter())
            .map(|(sha256, der, uri)| OutObject { uri: uri.as_str(), sha256: sha256.clone(), der: der.clone() })
            .collect(),
        retained: good.retained.iter().map(|crl| STANDARD.encode(&crl.der)).collect(),
    };
    // Strings and lists of strings always serialise; if not, what is written would be refused when it is read.
    let body = serde_json::to_vec(&out).unwrap_or_default();
    let mut octets = format!("{MAGIC} {} {}\n", hex(&sha256(&body)), body.len()).into_bytes();
    octets.extend(body);
    octets
}

/// The octets of a regular file of a bearable size.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    // Before it is opened: opening a pipe may wait for ever.
    let about = fs::symlink_metadata(path)?;
    if !about.is_file() || about.len() > MAX {
        return Err(io::Error::other("not a regular file of at most 192 MiB"));
    }
    let mut octets = Vec::new();
    File::open(path)?.take(MAX + 1).read_to_end(&mut octets)?;
    Ok(octets)
}

fn parse(octets: &[u8], local: &Local) -> Result<LastGood, String> {
    let end = octets.iter().take(200).position(|octet| *octet == b'\n').ok_or("the first line has no end")?;
    let (line, body) = octets.split_at_checked(end).ok_or("it is empty")?;
    let body = body.get(1..).unwrap_or_default();
    let line = std::str::from_utf8(line).map_err(|_| "the first line is not text")?;
    let mut words = line.strip_prefix(MAGIC).ok_or("it is not of this version")?.split_ascii_whitespace();
    let digest = words.next().and_then(parse_digest);
    let length = words.next().and_then(|word| word.parse().ok());
    if length != Some(body.len()) || digest != Some(sha256(body)) {
        return Err("it was cut or changed: its digest is another".to_owned());
    }
    let whole: In = serde_json::from_slice(body).map_err(|fault| fault.to_string())?;
    let plain = |text: &String| STANDARD.decode(text).map_err(|_| "base64".to_owned());
    let retained = whole.retained.0.iter().map(|crl| Ok(Object { name: "retained".to_owned(), der: plain(crl)? }));
    let retained = retained.collect::<Result<Vec<_>, String>>()?;
    let objects = Objects::from(super::format::Snapshot(whole.objects.0));
    let (manifest, signature, signer) = (plain(&whole.manifest)?, plain(&whole.signature)?, plain(&whole.signer)?);
    prove_again(local, manifest, signature, signer, objects, retained).map_err(|fault| fault.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tsca::format::Snapshot;
    use sealgate_crypto::pki::{Anchor, Kind, objects_from_file};
    use std::os::unix::fs::PermissionsExt;

    fn vectors(file: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../dataplane/vectors").join(file)
    }

    fn local() -> Local {
        let root = objects_from_file(&vectors("certs/root.pem"), Kind::Certificate).expect("root").remove(0);
        Local { anchors: vec![Anchor { der: root.der, limit: None }], ..Local::default() }
    }

    fn good(serial: u64) -> LastGood {
        let read = |file: String| fs::read(vectors(&file)).expect("a vector");
        let octets = read(format!("repo/manifest-{serial}.json"));
        let manifest = crate::tsca::format::Manifest::parse(&octets).expect("good");
        let snapshot = read(format!("repo/snapshot-{serial}.json"));
        let snapshot = Snapshot::parse(&snapshot, manifest.session, serial).expect("good");
        let (signature, signer) = (read(format!("repo/manifest-{serial}.sig")), read("repo/signer.pem".to_owned()));
        let retained = vec![Object { name: "retained".to_owned(), der: vec![1, 2, 3] }];
        prove_again(&local(), octets, signature, signer, snapshot.into(), retained).expect("proven")
    }

    fn scratch(name: &str) -> (PathBuf, Store) {
        let dir = std::env::temp_dir().join(format!("sealgate-store-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&dir);
        let store = Store::at(&dir);
        store.make().expect("a directory");
        (dir, store)
    }

    #[test]
    fn what_was_saved_is_read_and_proven() {
        let (dir, store) = scratch("saved");
        assert!(matches!(store.load(&local()), Err(LoadError::None)));
        let good = good(41);
        store.save(&good).expect("saved");
        let again = store.load(&local()).expect("found");
        assert_eq!((again.manifest, again.octets, again.objects), (good.manifest, good.octets, good.objects));
        assert_eq!(again.retained, good.retained);
        let stranger = objects_from_file(&vectors("certs/region.pem"), Kind::Certificate).expect("region").remove(0);
        fs::set_permissions(&dir, fs::Permissions::from_mode(0o770)).expect("set");
        assert!(store.make().is_err_and(|fault| fault.to_string().contains("others can write")));
        let other = Local { anchors: vec![Anchor { der: stranger.der, limit: None }], ..Local::default() };
        assert!(matches!(store.load(&other), Err(LoadError::Lost(why)) if why.contains("trust anchor")));
        let _ = fs::remove_dir_all(dir);
    }

    #[test]
    fn a_file_that_is_damaged_anywhere_is_lost_and_never_half_read() {
        let (dir, store) = scratch("damaged");
        let whole = octets_of(&good(41));
        let lost = |octets: &[u8]| {
            fs::write(store.file(), octets).expect("written");
            matches!(store.load(&local()), Err(LoadError::Lost(_)))
        };
        for at in (0..whole.len()).step_by(997).chain([0, 20, 85, 95, whole.len() - 1]) {
            let mut bad = whole.clone();
            bad[at] ^= 1;
            assert!(lost(&bad), "octet {at}");
            assert!(lost(&whole[..at]), "cut at {at}");
        }
        assert!(lost(&[whole.as_slice(), b" "].concat()));
        // A digest that is right over something that was never signed.
        let mut forged = good(41);
        forged.octets[20] ^= 1;
        assert!(lost(&octets_of(&forged)));
        fs::remove_file(store.file()).expect("removed");
        fs::create_dir(store.file()).expect("a directory in its place");
        assert!(matches!(store.load(&local()), Err(LoadError::Lost(_))));
        let _ = fs::remove_dir_all(dir);
    }

    #[test]
    fn killed_at_any_step_it_leaves_the_old_state_or_the_new_one() {
        let (dir, store) = scratch("killed");
        let (old, new) = (good(41), octets_of(&good(42)));
        let mut found = Vec::new();
        for kill in 0.. {
            store.save(&old).expect("saved");
            let mut steps = 0;
            let done = durable::write_watched(store.file(), &new, 0o600, &mut || {
                steps += 1;
                if steps > kill { Err(io::Error::other("killed")) } else { Ok(()) }
            });
            found.push(store.load(&local()).expect("a valid state").manifest.serial);
            // What a dead process left must not be in the way of the next.
            store.save(&old).expect("saved");
            if done.is_ok() {
                break;
            }
        }
        assert!(found.len() > 8 && found.is_sorted(), "{found:?}");
        assert_eq!((found.first(), found.last()), (Some(&41), Some(&42)));
        let _ = fs::remove_dir_all(dir);
    }
}
