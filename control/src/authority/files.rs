//! Files of an authority, and who may read them.

use super::error::AuthorityError;
use crate::durable;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

/// Anybody may read.
pub(super) const PUBLIC: u32 = 0o644;
/// Private keys: the owner alone.
pub(super) const PRIVATE: u32 = 0o600;

pub(super) fn io_at(path: &Path) -> impl Fn(io::Error) -> AuthorityError + '_ {
    move |source| AuthorityError::Io { path: path.to_owned(), source }
}

/// [`durable::write`].
pub(super) fn write(path: &Path, octets: &[u8], mode: u32) -> Result<(), AuthorityError> {
    durable::write_watched(path, octets, mode, &mut step).map_err(io_at(path))
}

/// Called before each step of writing. Tests let everything end at one of them, as if the process had been killed.
pub(super) fn step() -> io::Result<()> {
    #[cfg(test)]
    super::killed::step()?;
    Ok(())
}

/// Makes a directory with `mode`, and those above it.
pub(super) fn make_dir(path: &Path, mode: u32) -> Result<(), AuthorityError> {
    fs::DirBuilder::new().recursive(true).mode(mode).create(path).map_err(io_at(path))
}

/// Holds a directory against other processes until dropped.
pub(super) fn lock(dir: &Path) -> Result<File, AuthorityError> {
    let path = dir.join(".lock");
    let file = OpenOptions::new().write(true).create(true).truncate(false).mode(PRIVATE).open(&path);
    let file = file.map_err(io_at(&path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => Err(AuthorityError::Busy(dir.to_owned())),
        Err(fs::TryLockError::Error(source)) => Err(AuthorityError::Io { path, source }),
    }
}
