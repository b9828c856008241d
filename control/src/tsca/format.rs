//! The files of a repository as values (formats 12.4): what a server may say, how much of it, and in no other way.
//!
//! Everything here comes from outside. A field that is not known, a key twice, a number that is no whole number, a name
//! that could leave the directory: the file is refused as a whole.

use super::value::{Bounded, digest, malformed, moment, some_digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sealgate_crypto::verify::sha256;
use serde::de;
use serde::{Deserialize, Deserializer};
use std::borrow::Cow;
use std::collections::HashSet;

pub use super::value::{Class, Digest, Malformed, Session, Uri, parse_digest};

/// Most octets of `manifest.json`, and of `signer.pem`.
pub const MAX_SMALL: usize = 64 * 1024;
/// Octets of `manifest.sig`: r and s of P-256.
pub const SIGNATURE: usize = 64;
/// Most octets of one certificate or revocation list.
pub const MAX_OBJECT: usize = 64 * 1024;
/// Most objects of a repository.
pub const MAX_OBJECTS: usize = 100_000;
/// Most octets of all files of one synchronisation.
pub const MAX_TOTAL: usize = 64 * 1024 * 1024;
/// Most deltas of a manifest; as many as its octets hold.
const MAX_DELTAS: usize = 512;
/// What a manifest's signature covers before its octets.
pub const DOMAIN: &[u8] = b"SG-REPO-1\0";

/// A file that the manifest names.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reference {
    /// Its name.
    pub uri: Uri,
    /// Its digest.
    #[serde(deserialize_with = "digest")]
    pub sha256: Digest,
    /// Its octets; at most [`MAX_TOTAL`].
    pub size: usize,
}

impl Reference {
    /// Whether these are the octets it means.
    pub fn is_of(&self, octets: &[u8]) -> bool {
        octets.len() == self.size && sha256(octets) == self.sha256
    }
}

/// A delta that the manifest names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeltaReference {
    /// The serial number that it leads to.
    pub serial: u64,
    /// The file.
    pub file: Reference,
}

/// `manifest.json`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// Serial numbers compare within one session only.
    pub session: Session,
    /// Rises by one with each publication.
    pub serial: u64,
    /// When it was made, seconds since 1970.
    pub this_update: i64,
    /// When the next one is due, seconds since 1970.
    pub next_update: i64,
    /// Everything at this serial.
    pub snapshot: Reference,
    /// Steps that end at this serial, without gaps.
    pub deltas: Vec<DeltaReference>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawManifest {
    version: u64,
    session: Session,
    serial: u64,
    #[serde(deserialize_with = "moment")]
    this_update: i64,
    #[serde(deserialize_with = "moment")]
    next_update: i64,
    snapshot: Reference,
    deltas: Bounded<RawDelta, MAX_DELTAS>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawDelta {
    serial: u64,
    uri: Uri,
    #[serde(deserialize_with = "digest")]
    sha256: Digest,
    size: usize,
}

impl Manifest {
    /// Reads `manifest.json`.
    /// # Errors
    /// [`Malformed`]
    pub fn parse(octets: &[u8]) -> Result<Self, Malformed> {
        if octets.len() > MAX_SMALL {
            return malformed("manifest.json is longer than 64 KiB");
        }
        let raw: RawManifest = read("manifest.json", octets)?;
        if raw.version != 1 {
            return malformed(format!("manifest.json: version {} is not 1", raw.version));
        }
        if raw.next_update < raw.this_update {
            return malformed("manifest.json: next_update is before this_update");
        }
        let deltas: Vec<_> = (raw.deltas.0.into_iter())
            .map(|RawDelta { serial, uri, sha256, size }| DeltaReference {
                serial,
                file: Reference { uri, sha256, size },
            })
            .collect();
        let gap =
            deltas.windows(2).any(|pair| matches!(pair, [one, next] if one.serial.checked_add(1) != Some(next.serial)));
        if gap || deltas.last().is_some_and(|last| last.serial != raw.serial) {
            return malformed("manifest.json: the deltas have a gap or do not end at its serial");
        }
        let files = || deltas.iter().map(|delta| &delta.file).chain([&raw.snapshot]);
        if files().any(|file| file.size > MAX_TOTAL) {
            return malformed("manifest.json: a file is larger than 64 MiB");
        }
        if files().map(|file| &file.uri).collect::<HashSet<_>>().len() != deltas.len() + 1 {
            return malformed("manifest.json: a name stands twice");
        }
        let RawManifest { session, serial, this_update, next_update, snapshot, .. } = raw;
        Ok(Self { session, serial, this_update, next_update, snapshot, deltas })
    }
}

/// An object of a snapshot or delta; its digest has been compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name; the first part says what it is.
    pub uri: Uri,
    /// Its digest.
    pub sha256: Digest,
    /// Its octets.
    pub der: Vec<u8>,
    /// Digest of the object of that name before; `None` where there is none. Deltas only.
    pub replaces: Option<Digest>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawEntry<'a> {
    uri: Uri,
    #[serde(deserialize_with = "digest")]
    sha256: Digest,
    #[serde(borrow)]
    der: Cow<'a, str>,
    #[serde(default, deserialize_with = "some_digest")]
    replaces: Option<Digest>,
}

impl<'de> Deserialize<'de> for Entry {
    /// Decodes at once, so that the text of no more than one object is held beside the file.
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let RawEntry { uri, sha256: digest, der, replaces } = RawEntry::deserialize(from)?;
        let wrong = |why: &str| de::Error::custom(format!("{uri}: {why}"));
        if uri.class().is_none() {
            return Err(wrong("objects lie in ca/, csp/ and crl/"));
        }
        if der.len() > MAX_OBJECT.div_ceil(3) * 4 {
            return Err(wrong("longer than 64 KiB"));
        }
        let der = STANDARD.decode(der.as_bytes()).map_err(|_| wrong("der is not base64"))?;
        if der.is_empty() || der.len() > MAX_OBJECT {
            return Err(wrong("empty, or longer than 64 KiB"));
        }
        if sha256(&der) != digest {
            return Err(wrong("sha256 is not that of der"));
        }
        Ok(Self { uri, sha256: digest, der, replaces })
    }
}

/// `snapshot-<serial>.json`: all objects, each name once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot(pub Vec<Entry>);

/// `delta-<serial>.json`, each name once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delta {
    /// New objects and new versions of objects.
    pub publish: Vec<Entry>,
    /// Objects that go, with their digests.
    pub withdraw: Vec<(Uri, Digest)>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSnapshot {
    session: Session,
    serial: u64,
    objects: Bounded<Entry, MAX_OBJECTS>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawDeltaFile {
    session: Session,
    serial: u64,
    publish: Bounded<Entry, MAX_OBJECTS>,
    withdraw: Bounded<RawWithdraw, MAX_OBJECTS>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawWithdraw {
    uri: Uri,
    #[serde(deserialize_with = "digest")]
    sha256: Digest,
}

impl Snapshot {
    /// Reads a snapshot of this session and serial.
    /// # Errors
    /// [`Malformed`]
    pub fn parse(octets: &[u8], session: Session, serial: u64) -> Result<Self, Malformed> {
        let raw: RawSnapshot = read("snapshot", octets)?;
        if (raw.session, raw.serial) != (session, serial) {
            return malformed("snapshot: it is of another session or serial");
        }
        let entries = raw.objects.0;
        if entries.iter().any(|entry| entry.replaces.is_some()) {
            return malformed("snapshot: \"replaces\" belongs into deltas");
        }
        each_once("snapshot", entries.iter().map(|entry| &entry.uri))?;
        Ok(Self(entries))
    }
}

impl Delta {
    /// Reads a delta of this session that leads to this serial.
    /// # Errors
    /// [`Malformed`]
    pub fn parse(octets: &[u8], session: Session, serial: u64) -> Result<Self, Malformed> {
        let raw: RawDeltaFile = read("delta", octets)?;
        if (raw.session, raw.serial) != (session, serial) {
            return malformed("delta: it is of another session or serial");
        }
        let withdraw: Vec<_> = raw.withdraw.0.into_iter().map(|one| (one.uri, one.sha256)).collect();
        let publish = raw.publish.0;
        each_once("delta", publish.iter().map(|entry| &entry.uri).chain(withdraw.iter().map(|(uri, _)| uri)))?;
        Ok(Self { publish, withdraw })
    }
}

fn each_once<'a>(file: &str, uris: impl Iterator<Item = &'a Uri>) -> Result<(), Malformed> {
    let mut seen = HashSet::new();
    for uri in uris {
        if !seen.insert(uri) {
            return malformed(format!("{file}: {uri} stands twice"));
        }
    }
    Ok(())
}

fn read<'a, T: Deserialize<'a>>(file: &str, octets: &'a [u8]) -> Result<T, Malformed> {
    // The message may quote what a stranger wrote: only so much of it, and on one line.
    serde_json::from_slice(octets).map_err(|fault| {
        let text: String = fault.to_string().chars().filter(|c| !c.is_control()).take(160).collect();
        Malformed(format!("{file}: {text}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    const SESSION: &str = "8f5b1d0e-4c52-4d52-9d4d-3f0f3a1c0e01";

    fn digest_of(octets: &[u8]) -> String {
        sha256(octets).iter().map(|octet| format!("{octet:02x}")).collect()
    }

    fn manifest() -> Value {
        let sha256 = "a".repeat(64);
        json!({ "version": 1, "session": SESSION, "serial": 42, "this_update": "2026-11-18T10:00:00Z",
            "next_update": "2026-11-19T10:00:00Z",
            "snapshot": { "uri": "snapshot-42.json", "sha256": sha256, "size": 7 },
            "deltas": [{ "serial": 41, "uri": "delta-41.json", "sha256": sha256, "size": 5 },
                { "serial": 42, "uri": "delta-42.json", "sha256": sha256, "size": 5 }] })
    }

    fn snapshot() -> Value {
        json!({ "session": SESSION, "serial": 42, "objects": [
            { "uri": "csp/a.cer", "sha256": digest_of(b"a"), "der": "YQ==" },
            { "uri": "crl/region.crl", "sha256": digest_of(b"b"), "der": "Yg==" }] })
    }

    fn session() -> Session {
        Session(0x8f5b_1d0e_4c52_4d52_9d4d_3f0f_3a1c_0e01)
    }

    /// The message of the refusal when the value at `path` is another.
    fn with(mut good: Value, path: &str, value: Value, read: impl Fn(&[u8]) -> Result<(), Malformed>) -> String {
        let (above, last) = path.rsplit_once('/').expect("a path");
        good.pointer_mut(above).expect(path)[last] = value;
        read(good.to_string().as_bytes()).expect_err(path).0
    }

    #[test]
    fn a_manifest_is_read_and_each_field_of_it_is_checked() {
        let read = |octets: &[u8]| Manifest::parse(octets).map(|_| ());
        let found = Manifest::parse(manifest().to_string().as_bytes()).expect("good");
        assert_eq!((found.session, found.serial, found.deltas.len()), (session(), 42, 2));
        assert_eq!((found.this_update, found.next_update), (1_794_996_000, 1_795_082_400));
        for (path, value, want) in [
            ("/version", json!(2), "version 2"),
            ("/version", json!("1"), "invalid type"),
            ("/session", json!("8F5B1D0E-4C52-4D52-9D4D-3F0F3A1C0E01"), "UUID"),
            ("/session", json!(7), "invalid type"),
            ("/serial", json!(-1), "invalid value"),
            ("/serial", json!(1.5), "invalid type"),
            ("/serial", json!(1e30), "invalid type"),
            ("/serial", json!(43), "gap"),
            ("/this_update", json!("2026-11-18T10:00:00+00:00"), "a time"),
            ("/this_update", json!("2027-11-18T10:00:00Z"), "before"),
            ("/snapshot/size", json!(MAX_TOTAL + 1), "larger"),
            ("/snapshot/sha256", json!("A".repeat(64)), "digest"),
            ("/snapshot/uri", json!("../snapshot-42.json"), "name"),
            ("/snapshot/uri", json!("delta-42.json"), "twice"),
            ("/snapshot/more", json!(1), "unknown field"),
            ("/deltas/0/serial", json!(40), "gap"),
            ("/deltas", json!({}), "invalid type"),
            ("/more", json!(1), "unknown field"),
        ] {
            let found = with(manifest(), path, value, read);
            assert!(found.contains(want), "{path}: {found}");
        }
        let twice = manifest().to_string().replacen("\"serial\":42", "\"serial\":42,\"serial\":42", 1);
        assert!(Manifest::parse(twice.as_bytes()).expect_err("twice").0.contains("duplicate"));
        let huge = manifest().to_string().replacen("42", &"9".repeat(400), 1);
        assert!(Manifest::parse(huge.as_bytes()).is_err());
        assert!(Manifest::parse(&[b' '; MAX_SMALL + 1]).is_err());
    }

    #[test]
    fn a_snapshot_is_read_and_each_field_of_it_is_checked() {
        let read = |octets: &[u8]| Snapshot::parse(octets, session(), 42).map(|_| ());
        assert_eq!(read(snapshot().to_string().as_bytes()), Ok(()));
        let long = STANDARD.encode(vec![0; MAX_OBJECT + 1]);
        for (path, value, want) in [
            ("/serial", json!(41), "another"),
            ("/session", json!(SESSION.replace('8', "9")), "another"),
            ("/objects/0/uri", json!("crl/region.crl"), "twice"),
            ("/objects/0/uri", json!("keys/a.cer"), "objects lie in"),
            ("/objects/0/uri", json!("a.cer"), "objects lie in"),
            ("/objects/0/der", json!("YQ"), "base64"),
            ("/objects/0/der", json!("YR=="), "base64"),
            ("/objects/0/der", json!("YQ==\n"), "base64"),
            ("/objects/0/der", json!(""), "empty"),
            ("/objects/0/der", json!("Yg=="), "sha256"),
            ("/objects/0/der", json!(long), "64 KiB"),
            ("/objects/0/der", json!([1]), "invalid type"),
            ("/objects/0/replaces", json!("a".repeat(64)), "belongs into deltas"),
            ("/objects/0/replaces", Value::Null, "invalid type"),
            ("/objects/0/more", json!(1), "unknown field"),
        ] {
            let found = with(snapshot(), path, value, read);
            assert!(found.contains(want), "{path}: {found}");
        }
        let object = |i: usize| json!({ "uri": format!("csp/{i}.cer"), "sha256": digest_of(b"a"), "der": "YQ==" });
        let mut many = snapshot();
        many["objects"] = (0..=MAX_OBJECTS).map(object).collect();
        assert!(read(many.to_string().as_bytes()).expect_err("many").0.contains("more than 100000"));
        let deep = "[".repeat(100_000);
        assert!(read(deep.as_bytes()).is_err() && read(b"{\"objects\":\xff}").is_err());
    }

    #[test]
    fn no_octets_panic() {
        let mut seed = 9_u64;
        let mut next = || {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(seed >> 33).unwrap_or(0)
        };
        for good in [manifest().to_string(), snapshot().to_string()] {
            for _ in 0..20_000 {
                let mut octets = good.clone().into_bytes();
                for _ in 0..=next() % 3 {
                    let (at, octet) = (next() % octets.len(), next());
                    octets[at] = octet.to_le_bytes()[0];
                }
                octets.truncate(octets.len().saturating_sub(next() % 4 * (next() % 40)));
                let _ = (Manifest::parse(&octets), Snapshot::parse(&octets, session(), 42));
                let _ = Delta::parse(&octets, session(), 42);
            }
        }
    }

    #[test]
    fn a_name_stays_below_its_base() {
        for good in ["a", "csp/a-ec.cer", "ca/x/y_Z.0"] {
            assert_eq!(Uri::new(good).map(|uri| uri.to_string()).as_deref(), Ok(good));
        }
        let long = "a".repeat(256);
        for bad in [
            "",
            "/a",
            "a/",
            "a//b",
            ".",
            "..",
            "a/../b",
            ".a",
            "a/.b",
            "https://x/y",
            "c:d",
            "a\\b",
            "a b",
            "a?b",
            "a%2e",
            "\u{e9}",
            "a\0",
            "a\n",
            &long,
        ] {
            assert!(Uri::new(bad).is_err(), "{bad:?}");
        }
        let uri = Uri::new("csp/a-ec.cer").expect("good");
        assert_eq!((uri.stem(), uri.class()), ("a-ec", Some(Class::Entity)));
    }

    #[test]
    fn a_delta_says_what_goes_and_what_comes() {
        let delta = |publish: Value, withdraw: Value| {
            let text =
                json!({ "session": SESSION, "serial": 43, "publish": publish, "withdraw": withdraw }).to_string();
            Delta::parse(text.as_bytes(), session(), 43)
        };
        let a = json!({ "uri": "csp/a.cer", "sha256": digest_of(b"c"), "der": "Yw==", "replaces": digest_of(b"a") });
        let gone = json!({ "uri": "crl/region.crl", "sha256": digest_of(b"b") });
        let mut objects: crate::tsca::objects::Objects =
            Snapshot::parse(snapshot().to_string().as_bytes(), session(), 42).expect("good").into();
        let before = objects.clone();
        let good = delta(json!([a]), json!([gone])).expect("good");
        objects.apply(good.clone()).expect("it fits");
        assert_eq!(
            objects.iter().map(|(uri, held)| (uri.as_str(), &*held.der)).collect::<Vec<_>>(),
            [("csp/a.cer", &b"c"[..])]
        );
        assert!(objects.clone().apply(good).is_err(), "what it replaces is gone");
        let fresh = json!({ "uri": "csp/a.cer", "sha256": digest_of(b"c"), "der": "Yw==" });
        assert!(before.clone().apply(delta(json!([fresh]), json!([])).expect("good")).is_err(), "a name that is held");
        let other = json!({ "uri": "crl/region.crl", "sha256": digest_of(b"c") });
        assert!(before.clone().apply(delta(json!([]), json!([other])).expect("good")).is_err(), "another is held");
        assert!(
            delta(json!([a, a]), json!([])).is_err()
                && delta(json!([a]), json!([{ "uri": "csp/a.cer", "sha256": digest_of(b"a") }])).is_err()
        );
    }
}
