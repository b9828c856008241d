//! Files that hold a secret: a private key, the PIN of a token. Read without a copy outside locked memory.

use crate::tables::locked::Locked;
use core::ops::Deref;
use rustix::process::geteuid;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Why a file of a secret was not read.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The system says no.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// Others may read or change it.
    #[error("mode {mode:03o} lets others at it")]
    Shared {
        /// Its permission bits.
        mode: u32,
    },
    /// A directory, a device, or more octets than a secret has.
    #[error("not a file of at most {most} octets")]
    Size {
        /// The most that is read, octets.
        most: usize,
    },
}

/// Octets of a secret in locked memory.
pub(crate) struct Secret {
    room: Locked,
    len: usize,
}

impl Secret {
    /// Reads a file whose permissions keep others away.
    ///
    /// * `most`: octets; a longer file is refused
    /// # Errors
    /// [`SecretError`]. The permissions are those of the file that was opened, not of what the path names later.
    pub(crate) fn read(path: &Path, most: usize) -> Result<Self, SecretError> {
        let mut file = File::open(path)?;
        let data = file.metadata()?;
        let mode = data.mode() & 0o777;
        if !data.is_file() {
            return Err(SecretError::Size { most });
        }
        if is_shared(mode, data.uid() == geteuid().as_raw()) {
            return Err(SecretError::Shared { mode });
        }
        let mut room = Locked::new(most + 1).map_err(io::Error::from)?;
        let mut len = 0;
        while let Some(rest) = room.get_mut(len..).filter(|rest| !rest.is_empty()) {
            match file.read(rest) {
                Ok(0) => return Ok(Self { room, len }),
                Ok(more) => len += more,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(SecretError::Size { most })
    }
}

/// Whether others than its owner get at a file. Group bits of a file that is not ours are how we come to read it: root's
/// with our group, or an access list, whose mask stands there.
fn is_shared(mode: u32, ours: bool) -> bool {
    mode & if ours { 0o077 } else { 0o007 } != 0
}

impl Deref for Secret {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.room.get(..self.len).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn only_a_file_of_ours_alone_is_read() {
        let path = std::env::temp_dir().join(format!("sealgate-secret-{}", std::process::id()));
        fs::write(&path, "1234\n").unwrap();
        let read = |mode, most| {
            fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            Secret::read(&path, most).map(|secret| secret.to_vec())
        };
        assert_eq!(read(0o600, 5).unwrap(), b"1234\n");
        assert_eq!(read(0o400, 64).unwrap(), b"1234\n");
        assert!(matches!(read(0o600, 4), Err(SecretError::Size { most: 4 })));
        for open in [0o640, 0o604, 0o620, 0o601] {
            let fault = read(open, 64).unwrap_err();
            assert!(matches!(fault, SecretError::Shared { mode } if mode == open), "{open:o}: {fault}");
        }
        fs::remove_file(&path).unwrap();
        assert!(matches!(Secret::read(&path, 64), Err(SecretError::Io(_))));
        assert!(matches!(Secret::read(&std::env::temp_dir(), 64), Err(SecretError::Size { .. })));
    }

    #[test]
    fn a_group_may_read_what_is_not_ours() {
        assert!(!is_shared(0o440, false) && !is_shared(0o640, false));
        assert!(is_shared(0o644, false) && is_shared(0o440, true));
    }
}
