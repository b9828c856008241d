//! A folder for files that go with us.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// A fresh folder among the temporary ones. It is removed with all that is in it.
#[derive(Debug)]
pub(crate) struct Folder(PathBuf);

impl Folder {
    /// # Errors
    /// No folder can be made there.
    pub(crate) fn new(name: &str) -> io::Result<Self> {
        static MADE: AtomicU32 = AtomicU32::new(0);
        // The time too: a process that was killed may have left one under our number.
        let (process, number) = (std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
        let time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
        let folder = std::env::temp_dir().join(format!("sgperf-{name}-{process}-{number}-{time}"));
        std::fs::create_dir(&folder)?;
        Ok(Self(folder))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed stays among the temporary files.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_their_own_and_go() -> io::Result<()> {
        let (one, two) = (Folder::new("test")?, Folder::new("test")?);
        let path = one.path().to_owned();
        std::fs::write(path.join("file"), b"x")?;
        assert_ne!(path, two.path());
        drop(one);
        assert!(!path.exists() && two.path().exists());
        Ok(())
    }
}
