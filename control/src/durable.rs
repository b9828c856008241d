//! Files that are whole or not there, also after a loss of power.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// `path` with more at its end.
pub fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Writes `octets` to `path`: a new file beside it, fsync, rename, fsync of the directory. A reader sees the old or the
/// new one.
///
/// * `mode`: of the file, as in chmod, less the umask
/// # Errors
/// What the system says; then the old one is still there.
pub fn write(path: &Path, octets: &[u8], mode: u32) -> io::Result<()> {
    write_watched(path, octets, mode, &mut || Ok(()))
}

/// As [`write`]. `step` is called before each step, several times while octets are written; with its error everything ends
/// there and then, as if the process had been killed.
/// # Errors
/// As [`write`], and those of `step`.
pub fn write_watched(
    path: &Path,
    octets: &[u8],
    mode: u32,
    step: &mut dyn FnMut() -> io::Result<()>,
) -> io::Result<()> {
    let new = beside(path, ".new");
    step()?;
    // A rest of an earlier crash may have another mode or owner.
    match fs::remove_file(&new) {
        Err(fault) if fault.kind() != io::ErrorKind::NotFound => return Err(fault),
        _ => {}
    }
    step()?;
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&new)?;
    for part in octets.chunks(octets.len().div_ceil(8).max(4096)) {
        step()?;
        file.write_all(part)?;
    }
    step()?;
    file.sync_all()?;
    step()?;
    fs::rename(&new, path)?;
    step()?;
    sync_parent(path)
}

/// Makes sure that a change of the directory of `path` lasts.
/// # Errors
/// What the system says.
pub fn sync_parent(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), |parent| File::open(parent)?.sync_all())
}
