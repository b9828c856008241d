//! The replay memory from one run to the next: written after an orderly stop, read before the next start.
//!
//! A memory may be loaded once, by the very next run: an older one would not know what was accepted since, and open the
//! door to its replay. So the file is taken out of the way, for good, before it is read; a crash leaves none behind; and
//! the directory is held while a gateway runs, so that nobody writes or loads one meanwhile.

use crate::cli::CliError;
use crate::durable;
use sealgate_dataplane::pipeline::worker::Shared;
use std::fs::{self, DirBuilder, File, TryLockError};
use std::io::{self, Read};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

/// The file's name in the directory.
const NAME: &str = "replay-memory";
/// The largest file, octets: 16384 signers with as many marks as their windows have room for.
const MAX: u64 = 512 << 20;
/// Permissions that nobody but the owner may have, of the file and of the directory.
const OTHERS: u32 = 0o077;
const OTHERS_WRITE: u32 = 0o022;

/// The directory `state` of an appliance, held by this process until dropped.
#[derive(Debug)]
pub struct State {
    file: PathBuf,
    _held: File,
}

impl State {
    /// Makes the directory if it is not there, and holds it.
    /// # Errors
    /// It cannot be used, others may write to it, or another gateway holds it.
    pub fn open(dir: &Path) -> Result<Self, CliError> {
        let refuse = |why: String, remedy: &str| CliError::new(format!("state: {}: {why}", dir.display()), remedy);
        let io = |error: io::Error| refuse(error.to_string(), "give a directory that this user may make and write");
        DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(io)?;
        let held = File::open(dir).map_err(io)?;
        if held.metadata().map_err(io)?.mode() & OTHERS_WRITE != 0 {
            return Err(refuse("others can write to it".to_owned(), "chmod 700; who writes there can forge a memory"));
        }
        match held.try_lock() {
            Ok(()) => Ok(Self { file: dir.join(NAME), _held: held }),
            Err(TryLockError::WouldBlock) => Err(refuse(
                "another gateway uses it".to_owned(),
                "wait until that has ended, or give each gateway a directory of its own",
            )),
            Err(TryLockError::Error(error)) => Err(io(error)),
        }
    }

    /// Lets `shared` go on from what the last run left. Whatever is wrong with that, `shared` stays empty, a warning says
    /// so, and the file lies beside its place under a name that no start reads.
    ///
    /// * `now_ms`: milliseconds since 1970
    ///
    /// Returns whether it is a warm start.
    pub fn take_over(&self, shared: &mut Shared, now_ms: u64) -> bool {
        let taken = durable::beside(&self.file, ".bad");
        match fs::rename(&self.file, &taken).and_then(|()| durable::sync_parent(&self.file)) {
            Ok(()) => {}
            Err(fault) if fault.kind() == io::ErrorKind::NotFound => {
                tracing::info!("no replay memory in {}: cold start", self.file.display());
                return false;
            }
            Err(fault) => {
                tracing::warn!("{}: cannot be moved away: {fault}; not used: cold start", self.file.display());
                return false;
            }
        }
        let loaded = read(&taken).and_then(|octets| shared.import(&octets, now_ms).map_err(|error| error.to_string()));
        match loaded {
            Ok(left) => {
                let age = std::time::Duration::from_millis(now_ms.saturating_sub(left.left_ms));
                tracing::info!("warm start: replay memory of the run that ended {age:?} ago");
                // Nobody reads it under this name; it only takes room.
                if let Err(fault) = fs::remove_file(&taken) {
                    tracing::warn!("{}: cannot be removed: {fault}", taken.display());
                }
                true
            }
            Err(why) => {
                tracing::warn!("{}: {why}; not used and moved to {}: cold start", self.file.display(), taken.display());
                false
            }
        }
    }

    /// Leaves a memory to the next run.
    ///
    /// * `octets`: of [`Shared::export`] after all workers have ended
    /// # Errors
    /// What the system says; then the next start is cold.
    pub fn leave(&self, octets: &[u8]) -> io::Result<()> {
        if octets.len() as u64 > MAX {
            return Err(io::Error::other(format!("{} octets are more than a start reads", octets.len())));
        }
        durable::write(&self.file, octets, 0o600)
    }
}

/// The octets of a file that is ours alone.
fn read(path: &Path) -> Result<Vec<u8>, String> {
    let text = |error: io::Error| error.to_string();
    // Before it is opened: opening a pipe may wait for ever.
    if !fs::symlink_metadata(path).map_err(text)?.is_file() {
        return Err("not a regular file".to_owned());
    }
    let file = File::open(path).map_err(text)?;
    let about = file.metadata().map_err(text)?;
    if about.mode() & OTHERS != 0 {
        return Err(format!("mode {:o} lets others at it, not 600", about.mode() & 0o7777));
    }
    let own = fs::metadata("/proc/self").map_err(text)?.uid();
    if about.uid() != own {
        return Err(format!("it belongs to user {}, not to {own}", about.uid()));
    }
    if about.len() > MAX {
        return Err(format!("{} octets are too many", about.len()));
    }
    let mut octets = Vec::new();
    file.take(MAX + 1).read_to_end(&mut octets).map_err(text)?;
    Ok(octets)
}
