//! Where key and certificate of a gateway lie, and how one pair takes the place of another.
//!
//! ```text
//! certificates/NAME.pem          the certificate in force, and the authority's above it
//! keys/NAME.key.pem              its key; before the first certificate, the one that is asked for
//! keys/NAME-next.key.pem         the key of a renewal
//! keys/NAME.request              what was handed in, DER
//! keys/NAME.ticket               what to ask again with
//! keys/NAME.lock                 held by whoever asks
//! certificates/NAME~SERIAL.pem   a certificate that was replaced, until it ends
//! keys/NAME~SERIAL.key.pem       its key
//! ```
//!
//! A certificate's key is on disk before the certificate is: at each moment, a start finds a certificate and its key. Which
//! of the keys is the certificate's, the gateway sees by the key itself, not by the name of its file.

use super::error::{EnrolError, io_at};
use crate::durable;
use sealgate_crypto::pki::{Certificate, Kind, Object, objects_from_file};
use sealgate_crypto::sign::SigningKey;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Of files that everybody may read.
const PUBLIC: u32 = 0o644;
/// Of keys, and of what lies beside them.
pub(super) const PRIVATE: u32 = 0o600;

/// The directories, and the name of the certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Places {
    /// Name of the certificate: `home.signing.cert` of the policy.
    pub name: String,
    /// Directory of certificates.
    pub certificates: PathBuf,
    /// Directory of private keys.
    pub keys: PathBuf,
}

impl Places {
    /// The certificate in force.
    pub fn certificate(&self) -> PathBuf {
        self.certificates.join(format!("{}.pem", self.name))
    }

    /// The key in force.
    pub fn key(&self) -> PathBuf {
        self.keys.join(format!("{}.key.pem", self.name))
    }

    /// The key of a renewal.
    pub fn next_key(&self) -> PathBuf {
        self.keys.join(format!("{}-next.key.pem", self.name))
    }

    pub(super) fn request(&self) -> PathBuf {
        self.keys.join(format!("{}.request", self.name))
    }

    pub(super) fn ticket(&self) -> PathBuf {
        self.keys.join(format!("{}.ticket", self.name))
    }

    /// Sorts after [`Places::certificate`]: of two files with one certificate, loading takes the name of the first.
    fn kept(&self, certificate: &Certificate) -> (PathBuf, PathBuf) {
        let name = format!("{}~{}", self.name, certificate.serial_hex());
        (self.certificates.join(format!("{name}.pem")), self.keys.join(format!("{name}.key.pem")))
    }

    /// Keeps others from asking for the same certificate as long as the value lives.
    /// # Errors
    /// [`EnrolError::Busy`] if somebody does, or what the system says of `keys`.
    pub fn hold(&self) -> Result<File, EnrolError> {
        let path = self.keys.join(format!("{}.lock", self.name));
        let file = OpenOptions::new().write(true).create(true).truncate(false).mode(PRIVATE).open(&path);
        let file = file.map_err(io_at(&path))?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => Err(EnrolError::Busy { path }),
            Err(TryLockError::Error(source)) => Err(EnrolError::Io { path, source }),
        }
    }

    /// The certificate in force, read; `None` if there is none yet.
    /// # Errors
    /// A file that is no certificate of the profile.
    pub fn current(&self) -> Result<Option<Certificate>, EnrolError> {
        let path = self.certificate();
        if !path.exists() {
            return Ok(None);
        }
        Ok(Some(read_chain(&path)?.remove(0)))
    }

    /// Puts a certificate into force. Its key must lie in [`Places::key`] or [`Places::next_key`].
    ///
    /// * `pem`: the certificate and those above it
    /// * `step`: called before each step; with its error everything ends there, as if the process had been killed
    /// # Errors
    /// Files; then the pair before is in force, or this one.
    pub fn install(&self, pem: &[u8], step: &mut dyn FnMut() -> io::Result<()>) -> Result<(), EnrolError> {
        let path = self.certificate();
        let at = |path: &Path, done: io::Result<()>| done.map_err(io_at(path));
        if let Some(old) = self.current()? {
            let (kept, kept_key) = self.kept(&old);
            at(&kept_key, step())?;
            if self.key().exists() && !kept_key.exists() {
                at(&kept_key, fs::hard_link(self.key(), &kept_key).and_then(|()| durable::sync_parent(&kept_key)))?;
            }
            at(&kept, durable::write_watched(&kept, crate::authority::pem(&old.der).as_bytes(), PUBLIC, step))?;
        }
        at(&path, durable::write_watched(&path, pem, PUBLIC, step))?;
        self.settle(step)
    }

    /// Finishes an installation: the key of the certificate in force gets its name, and what was handed in goes.
    /// # Errors
    /// Files.
    pub fn settle(&self, step: &mut dyn FnMut() -> io::Result<()>) -> Result<(), EnrolError> {
        let Some(current) = self.current()? else { return Ok(()) };
        let next = self.next_key();
        if next.exists() && read_key(&next)?.public() == current.key {
            step().and_then(|()| fs::rename(&next, self.key())).map_err(io_at(&next))?;
            durable::sync_parent(&next).map_err(io_at(&next))?;
        }
        if !next.exists() && self.key().exists() && read_key(&self.key())?.public() == current.key {
            for path in [self.ticket(), self.request()] {
                step().and_then(|()| remove(&path)).map_err(io_at(&path))?;
            }
        }
        Ok(())
    }

    /// Removes pairs that were replaced and have ended by `now`, seconds since 1970: the key first.
    /// # Errors
    /// Files.
    pub fn sweep(&self, now: i64) -> Result<(), EnrolError> {
        let prefix = format!("{}~", self.name);
        let entries = fs::read_dir(&self.certificates).map_err(io_at(&self.certificates))?;
        for path in entries.flatten().map(|entry| entry.path()) {
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            if !name.starts_with(&prefix) || !name.ends_with(".pem") {
                continue;
            }
            let Some(one) = read_chain(&path).ok().and_then(|chain| chain.into_iter().next()) else { continue };
            let (kept, key) = self.kept(&one);
            if kept == path && one.not_after < now {
                remove(&key).map_err(io_at(&key))?;
                remove(&path).map_err(io_at(&path))?;
            }
        }
        Ok(())
    }
}

/// All certificates of a file, the first first; at least one.
pub(super) fn read_chain(path: &Path) -> Result<Vec<Certificate>, EnrolError> {
    let wrong = |why: String| EnrolError::File { path: path.to_owned(), why };
    let objects = objects_from_file(path, Kind::Certificate).map_err(|fault| wrong(fault.to_string()))?;
    let read = |one: &Object| Certificate::parse(one).map_err(|refused| wrong(refused.to_string()));
    objects.iter().map(read).collect()
}

/// A private key that nobody else may read.
pub(super) fn read_key(path: &Path) -> Result<SigningKey, EnrolError> {
    SigningKey::from_file(path).map_err(|source| EnrolError::Key { path: path.to_owned(), source })
}

pub(super) fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(fault) if fault.kind() != io::ErrorKind::NotFound => Err(fault),
        _ => Ok(()),
    }
}
