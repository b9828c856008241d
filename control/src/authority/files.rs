//! Files of an authority: written whole beside their place, then renamed, so that a reader sees the old or the new one.

use super::error::AuthorityError;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

/// Anybody may read.
pub(super) const PUBLIC: u32 = 0o644;
/// Private keys: the owner alone.
pub(super) const PRIVATE: u32 = 0o600;

pub(super) fn io_at(path: &Path) -> impl Fn(io::Error) -> AuthorityError + '_ {
    move |source| AuthorityError::Io { path: path.to_owned(), source }
}

/// Writes `octets` to `path`: a new file, fsync, rename, fsync of the directory.
pub(super) fn write(path: &Path, octets: &[u8], mode: u32) -> Result<(), AuthorityError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    let beside = Path::new(&name);
    let put = || {
        // A rest of an earlier crash may have another mode or owner.
        match fs::remove_file(beside) {
            Err(fault) if fault.kind() != io::ErrorKind::NotFound => return Err(fault),
            _ => {}
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(beside)?;
        file.write_all(octets)?;
        file.sync_all()?;
        fs::rename(beside, path)?;
        path.parent().map_or(Ok(()), |parent| File::open(parent)?.sync_all())
    };
    put().map_err(io_at(path))
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
