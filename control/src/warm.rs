//! The replay memory, and what detectors have seen of subscribers, from one run to the next: written after an orderly stop, read before the next start.
//!
//! A memory may be loaded once, by the very next run: an older one would not know what was accepted since, and open the
//! door to its replay. So the file is taken out of the way, for good, before it is read; a crash leaves none behind; and
//! the directory is held while a gateway runs, so that nobody writes or loads one meanwhile.

use crate::cli::CliError;
use crate::durable;
use sealgate_dataplane::pipeline::worker::Shared;
use sealgate_dataplane::policy::Snapshot;
use sealgate_dataplane::state::carry::CarryError;
use std::fs::{self, DirBuilder, File, TryLockError};
use std::io::{self, Read};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

/// The file's name in the directory.
const NAME: &str = "replay-memory";
/// That of what detectors have seen.
const SEEN: &str = "subscriber-memory";
/// The largest file, octets: 16384 signers with as many marks as their windows have room for.
const MAX: u64 = 512 << 20;
/// The largest of what detectors have seen: a hundred million subscribers in two domains.
const MAX_SEEN: u64 = 4 << 30;
/// Permissions that nobody but the owner may have, of the file and of the directory.
const OTHERS: u32 = 0o077;
const OTHERS_WRITE: u32 = 0o022;

/// The directory `state` of an appliance, held by this process until dropped.
#[derive(Debug)]
pub struct State {
    file: PathBuf,
    seen: PathBuf,
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
            Ok(()) => Ok(Self { file: dir.join(NAME), seen: dir.join(SEEN), _held: held }),
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
        let load = |octets: &[u8]| shared.import(octets, now_ms).map(|left| left.left_ms);
        taken(&self.file, MAX, "replay memory", now_ms, load)
    }

    /// The same of what detectors have seen of subscribers; whoever has lost that learns anew.
    ///
    /// * `snapshot`: the one that the run begins with
    pub fn take_over_seen(&self, shared: &mut Shared, snapshot: &Snapshot, now_ms: u64) -> bool {
        let load = |octets: &[u8]| shared.import_seen(octets, snapshot, now_ms);
        taken(&self.seen, MAX_SEEN, "subscriber memory", now_ms, load)
    }

    /// Leaves a memory to the next run.
    ///
    /// * `octets`: of [`Shared::export`] after all workers have ended
    /// # Errors
    /// What the system says; then the next start is cold.
    pub fn leave(&self, octets: &[u8]) -> io::Result<()> {
        leave(&self.file, octets, MAX)
    }

    /// The same of what detectors have seen.
    ///
    /// * `octets`: of [`Shared::export_seen`] after all workers have ended
    /// # Errors
    /// What the system says; then the next run learns anew.
    pub fn leave_seen(&self, octets: &[u8]) -> io::Result<()> {
        leave(&self.seen, octets, MAX_SEEN)
    }
}

fn leave(file: &Path, octets: &[u8], max: u64) -> io::Result<()> {
    if octets.len() as u64 > max {
        return Err(io::Error::other(format!("{} octets are more than a start reads", octets.len())));
    }
    durable::write(file, octets, 0o600)
}

/// Loads a memory that the last run left, after it was taken out of the way. Returns whether it was.
///
/// * `load`: gives when it was left, milliseconds since 1970
fn taken(file: &Path, max: u64, what: &str, now_ms: u64, load: impl FnOnce(&[u8]) -> Result<u64, CarryError>) -> bool {
    let taken = durable::beside(file, ".bad");
    match fs::rename(file, &taken).and_then(|()| durable::sync_parent(file)) {
        Ok(()) => {}
        Err(fault) if fault.kind() == io::ErrorKind::NotFound => {
            tracing::info!("no {what} in {}: cold start", file.display());
            return false;
        }
        Err(fault) => {
            tracing::warn!("{}: cannot be moved away: {fault}; not used: cold start", file.display());
            return false;
        }
    }
    match read(&taken, max).and_then(|octets| load(&octets).map_err(|error| error.to_string())) {
        Ok(left_ms) => {
            let age = std::time::Duration::from_millis(now_ms.saturating_sub(left_ms));
            tracing::info!("warm start: {what} of the run that ended {age:?} ago");
            // Nobody reads it under this name; it only takes room.
            if let Err(fault) = fs::remove_file(&taken) {
                tracing::warn!("{}: cannot be removed: {fault}", taken.display());
            }
            true
        }
        Err(why) => {
            tracing::warn!("{}: {why}; not used and moved to {}: cold start", file.display(), taken.display());
            false
        }
    }
}

/// The octets of a file that is ours alone.
fn read(path: &Path, max: u64) -> Result<Vec<u8>, String> {
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
    if about.len() > max {
        return Err(format!("{} octets are too many", about.len()));
    }
    let mut octets = Vec::new();
    file.take(max + 1).read_to_end(&mut octets).map_err(text)?;
    Ok(octets)
}
