//! The lab authority (TSCA): a root, a region below it, and certificates for operators, in one directory.
//!
//! It follows the certificate profile (formats 12.2) to the letter, so that what it issues loads in a gateway whose
//! `trust:` section names the directory's `anchors/root.pem`, `certs`, `crls` and `keys`. It is for laboratories and
//! trials: private keys lie in files. Who may have which numbers stands in numbering records, once there are any.
//!
//! ```text
//! anchors/root.pem     the trust anchor
//! certs/*.pem          region.pem and one file an operator; revoked ones stay, so that a gateway can say why it refuses
//! crls/*.crl.pem       root.crl.pem and region.crl.pem
//! keys/*.key.pem       private keys, mode 0600
//! repository/          what `publish` made of these for gateways that fetch (formats 12.4)
//! https/               certificate and key of the server that `serve` runs
//! authority.db         serial numbers, what was issued and revoked, numbering records, requests, and the audit log
//! ```

mod audit;
pub mod desk;
pub mod enrol;
mod error;
mod files;
mod issue;
#[cfg(test)]
mod killed;
mod mint;
pub mod notation;
mod numbering;
mod repository;
pub mod serve;
mod state;
mod store;
pub mod trial;

pub use audit::{Deed, Entry, operator_of_this_process};
pub use error::AuthorityError;
pub use issue::{IssuedFiles, Published, Request};
pub use mint::Reason;
pub(crate) use mint::{extension, new_key};
pub use numbering::{Changes, MAX_FILE, Numbering, NumberingFault};
pub use repository::{DIRECTORY, Numbers, Publication, Repository};
pub use state::{Issued, Revoked, State};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mint::{Content, Purpose, Signer};
use sealgate_crypto::alg::Alg;
use sealgate_crypto::pki::{Certificate, Identifiers, Kind, Object, PLAN_E164, PLAN_E214, objects_from_file};
use serde::Serialize;
use std::fs::File;
use std::path::{Path, PathBuf};
use store::Store;
use time::{Duration, OffsetDateTime};

/// Certificates and lists start this long before they are made: a gateway whose clock is behind takes them at once.
const BACKDATE: Duration = Duration::minutes(5);
const ROOT_DAYS: i64 = 20 * 365 + 5;
const REGION_DAYS: i64 = 10 * 365 + 2;
/// Longest life of an operator's certificate (formats 12.1).
pub const MAX_DAYS: i64 = 398;

/// The two authorities of a directory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Ca {
    /// The trust anchor.
    Root,
    /// The regional authority below it, which issues to operators.
    #[default]
    Region,
}

impl Ca {
    /// The word for command line, files and output.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::Region => "region",
        }
    }

    /// The authority of that name.
    /// # Errors
    /// [`AuthorityError::UnknownCa`].
    pub fn from_name(name: &str) -> Result<Self, AuthorityError> {
        match name {
            "root" => Ok(Self::Root),
            "region" => Ok(Self::Region),
            _ => Err(AuthorityError::UnknownCa(name.to_owned())),
        }
    }
}

/// What a new authority is to be.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Its name; part of the names in certificates.
    pub name: String,
    /// What the region may hand on to operators.
    pub region: Identifiers,
    /// Algorithm of the region's key: P-256 or P-384. The root's is P-384.
    pub region_alg: Alg,
}

impl Default for Setup {
    /// The test world of Sealgate, see [`lab_identifiers`].
    fn default() -> Self {
        Self { name: "Sealgate Lab".to_owned(), region: lab_identifiers(), region_alg: Alg::P256 }
    }
}

/// Country code 999, mobile country code 001, point codes 2-0-0 to 3-255-7, and names under `example`: numbers that
/// belong to nobody.
pub fn lab_identifiers() -> Identifiers {
    Identifiers {
        gt_prefixes: vec![(PLAN_E164, "999".to_owned()), (PLAN_E214, "999".to_owned())],
        plmns: (1..100).map(|network| format!("001{network:02}")).collect(),
        ispcs: vec![(0x1000, 0x1fff)],
        realms: vec!["mcc001.3gppnetwork.org".to_owned(), "example".to_owned()],
        sip_domains: vec!["example".to_owned()],
        tn_ranges: vec![
            ("99900000000".to_owned(), 100_000_000),
            ("999000000000".to_owned(), 1_000_000_000),
            ("9990000000000".to_owned(), 10_000_000_000),
        ],
        any: false,
    }
}

/// An authority in its directory. Others are kept out as long as this value lives.
#[derive(Debug)]
pub struct Authority {
    dir: PathBuf,
    state: State,
    store: Store,
    /// Who works with it, for the audit log.
    who: String,
    _lock: File,
}

impl Authority {
    /// Makes root, region and their first revocation lists in `dir`, which must be new or empty.
    /// # Errors
    /// [`AuthorityError::Exists`] and whatever the files or the identifiers give.
    pub fn init(dir: &Path, setup: &Setup, now: OffsetDateTime) -> Result<Self, AuthorityError> {
        if std::fs::read_dir(dir).is_ok_and(|mut entries| entries.next().is_some()) || dir.is_file() {
            return Err(AuthorityError::Exists(dir.to_owned()));
        }
        if !matches!(setup.region_alg, Alg::P256 | Alg::P384) {
            return Err(AuthorityError::CaAlg);
        }
        if setup.region.is_empty() {
            return Err(AuthorityError::NoIdentifiers);
        }
        setup.region.check()?;
        for (sub, mode) in [("", 0o755), ("anchors", 0o755), ("certs", 0o755), ("crls", 0o755), ("keys", 0o700)] {
            files::make_dir(&dir.join(sub), mode)?;
        }
        let lock = files::lock(dir)?;
        let (store, state) = Store::create(dir, &setup.name)?;
        let mut authority = Self { dir: dir.to_owned(), state, store, who: operator_of_this_process(), _lock: lock };
        let from = start(now)?;
        let root = Signer { subject: authority.subject(Ca::Root), key: new_key(Alg::P384)? };
        let content = Content {
            subject: authority.subject(Ca::Root),
            serial: 1,
            not_before: from,
            not_after: mint::later(from, ROOT_DAYS)?,
            identifiers: &Identifiers::everything(),
            purpose: Purpose::Authority { path_len: None },
        };
        let made = mint::certificate("root", &content, &root.key, &root)?;
        files::write(&authority.key_file("root"), root.key.serialize_pem().as_bytes(), files::PRIVATE)?;
        files::write(&authority.dir.join("anchors/root.pem"), pem(&made.der).as_bytes(), files::PUBLIC)?;

        let entry = Entry::new(now.unix_timestamp(), &authority.who, Deed::Issue, "root").serial(1);
        let entry = entry.reason(format!("root, SAI {}", hex(&made.sai)));
        authority.store.transaction(|tx| audit::put(tx, &entry))?;
        let key = new_key(setup.region_alg)?;
        let content = Content {
            subject: authority.subject(Ca::Region),
            serial: authority.take_serial()?,
            not_before: from,
            not_after: mint::later(from, REGION_DAYS)?,
            identifiers: &setup.region,
            purpose: Purpose::Authority { path_len: Some(0) },
        };
        let made = mint::certificate("region", &content, &key, &root)?;
        authority.keep("region", "region", Ca::Root, &key, made, now)?;
        authority.publish(now)?;
        Ok(authority)
    }

    /// Opens the authority in `dir`.
    /// # Errors
    /// [`AuthorityError::NoAuthority`], [`AuthorityError::Busy`] or [`AuthorityError::State`].
    pub fn open(dir: &Path) -> Result<Self, AuthorityError> {
        if !Store::is_in(dir) {
            return Err(AuthorityError::NoAuthority(dir.to_owned()));
        }
        let lock = files::lock(dir)?;
        let (store, state) = Store::open(dir)?;
        let authority = Self { dir: dir.to_owned(), state, store, who: operator_of_this_process(), _lock: lock };
        authority.mend()?;
        Ok(authority)
    }

    /// Writes the certificates that a process which ended too early did not: the database has them first.
    fn mend(&self) -> Result<(), AuthorityError> {
        for (name, der) in self.store.unwritten()? {
            self.write_certificate(&name, &der)?;
        }
        Ok(())
    }

    /// As [`Authority::open`], after somebody else has finished.
    ///
    /// * `patience`: how long to wait for that
    /// # Errors
    /// As [`Authority::open`].
    pub fn open_after(dir: &Path, patience: std::time::Duration) -> Result<Self, AuthorityError> {
        let until = std::time::Instant::now() + patience;
        loop {
            match Self::open(dir) {
                Err(AuthorityError::Busy(_)) if std::time::Instant::now() < until => {
                    std::thread::sleep(std::time::Duration::from_millis(10));
                }
                done => return done,
            }
        }
    }

    /// What it remembers.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Its directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    fn find(&self, which: &str) -> Option<usize> {
        let serial = which.parse::<u64>().ok();
        self.state.issued.iter().position(|one| one.name == which || Some(one.serial) == serial)
    }

    /// Takes the next serial number, on disk before it is used.
    fn take_serial(&mut self) -> Result<u64, AuthorityError> {
        let serial = self.store.take_serial()?;
        self.state.next_serial = serial + 1;
        Ok(serial)
    }

    fn subject(&self, ca: Ca) -> rcgen::DistinguishedName {
        mint::name(&self.state.name, &format!("{} {}", self.state.name, ca.name()))
    }

    fn certificate(&self, ca: Ca) -> Result<Certificate, AuthorityError> {
        let path = match ca {
            Ca::Root => self.dir.join("anchors/root.pem"),
            Ca::Region => self.cert_file("region"),
        };
        let object = Object { name: ca.name().to_owned(), der: read_certificate(&path)? };
        Certificate::parse(&object).map_err(|refused| mint::at_fault(ca.name(), refused))
    }

    fn signer(&self, ca: Ca) -> Result<Signer, AuthorityError> {
        let path = self.key_file(ca.name());
        let pem = std::fs::read_to_string(&path).map_err(files::io_at(&path))?;
        Ok(Signer { subject: self.subject(ca), key: rcgen::KeyPair::from_pem(&pem)? })
    }

    fn cert_file(&self, name: &str) -> PathBuf {
        self.dir.join(format!("certs/{name}.pem"))
    }

    fn key_file(&self, name: &str) -> PathBuf {
        self.dir.join(format!("keys/{name}.key.pem"))
    }
}

/// The first certificate in a file.
fn read_certificate(path: &Path) -> Result<Vec<u8>, AuthorityError> {
    let wrong = |why: String| AuthorityError::State { path: path.to_owned(), why };
    let objects = objects_from_file(path, Kind::Certificate).map_err(|fault| wrong(fault.to_string()))?;
    objects.into_iter().next().map(|object| object.der).ok_or_else(|| wrong("it is empty".to_owned()))
}

/// A certificate as a file has it.
pub(crate) fn pem(der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<_> = text.as_bytes().chunks(64).map(String::from_utf8_lossy).collect();
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
}

/// Sixteen octets that nobody guesses.
fn random() -> Result<[u8; 16], AuthorityError> {
    let mut octets = [0; 16];
    let random = rustls::crypto::aws_lc_rs::default_provider().secure_random;
    random.fill(&mut octets).map_err(|_| rcgen::Error::RemoteKeyError)?;
    Ok(octets)
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

/// A name is one of a file too, and never a serial number.
fn check_name(name: &str) -> Result<(), AuthorityError> {
    let octet = |octet: u8| matches!(octet, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_');
    let good = name.len() <= 64
        && name.bytes().all(octet)
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && !matches!(name, "root" | "region")
        && !name.starts_with(repository::SIGNER);
    if good { Ok(()) } else { Err(AuthorityError::Name(name.to_owned())) }
}

fn start(now: OffsetDateTime) -> Result<OffsetDateTime, AuthorityError> {
    let whole = now.replace_nanosecond(0).map_err(|_| AuthorityError::Clock)?;
    whole.checked_sub(BACKDATE).ok_or(AuthorityError::Clock)
}
