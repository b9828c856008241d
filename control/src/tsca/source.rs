//! Where files come from, and the ways from a manifest to its objects.

use super::alarm::Alarm;
use super::format::{Delta, Digest, Malformed, Manifest, Reference, Snapshot};
use super::objects::Objects;
use super::proof::LastGood;

/// How a file could not be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// The server has no such file.
    #[error("{0} is not there")]
    Missing(String),
    /// It is longer than it may be.
    #[error("{0} is longer than it may be")]
    TooLong(String),
    /// No answer, or none that can be used: another mirror may have one.
    #[error("{0}")]
    Transport(String),
}

/// One mirror of a repository.
pub trait Source {
    /// `manifest.json`; `None` if it is still the one with this digest.
    /// # Errors
    /// [`FetchError`]
    fn manifest(&mut self, held: Option<&Digest>) -> Result<Option<Vec<u8>>, FetchError>;

    /// A file of at most `max` octets.
    /// # Errors
    /// [`FetchError`]
    fn get(&mut self, name: &str, max: usize) -> Result<Vec<u8>, FetchError>;
}

/// Why a look changed nothing.
pub(super) enum Trouble {
    Unreachable(String),
    Refused(Alarm, String),
}

impl From<FetchError> for Trouble {
    fn from(fault: FetchError) -> Self {
        Self::Unreachable(fault.to_string())
    }
}

pub(super) fn refused(alarm: Alarm) -> impl Fn(Malformed) -> Trouble {
    move |fault| Trouble::Refused(alarm, fault.0)
}

/// Why deltas lead nowhere.
pub(super) enum Step {
    /// They are missing or wrong: take the snapshot.
    Wrong(String),
    /// The server does not answer.
    Lost(Trouble),
}

/// Follows the deltas from what is held.
pub(super) fn steps(
    source: &mut dyn Source,
    manifest: &Manifest,
    held: &LastGood,
    room: &mut usize,
) -> Result<Objects, Step> {
    let mut next = held.manifest.serial;
    let mut objects = held.objects.clone();
    for delta in manifest.deltas.iter().filter(|delta| delta.serial > held.manifest.serial) {
        next += 1;
        if delta.serial != next {
            break;
        }
        let octets = match fetch(source, &delta.file, room) {
            Ok(octets) => octets,
            Err(FetchError::Transport(why)) => return Err(Step::Lost(Trouble::Unreachable(why))),
            Err(fault) => return Err(Step::Wrong(fault.to_string())),
        };
        if !delta.file.is_of(&octets) {
            return Err(Step::Wrong(format!("{} is not what the manifest says", delta.file.uri)));
        }
        let delta = Delta::parse(&octets, manifest.session, delta.serial);
        delta.and_then(|delta| objects.apply(delta)).map_err(|fault| Step::Wrong(fault.0))?;
    }
    match next == manifest.serial && manifest.deltas.last().is_some_and(|last| last.serial == next) {
        true => Ok(objects),
        false => Err(Step::Wrong(format!("no deltas from serial {} on", held.manifest.serial))),
    }
}

/// Fetches the snapshot.
pub(super) fn whole(source: &mut dyn Source, manifest: &Manifest, room: &mut usize) -> Result<Objects, Trouble> {
    let file = &manifest.snapshot;
    let octets = match fetch(source, file, room) {
        Err(FetchError::TooLong(_)) => Vec::new(),
        other => other?,
    };
    if !file.is_of(&octets) {
        let text = format!("{} is not what the manifest says", file.uri);
        return Err(Trouble::Refused(Alarm::RepoHash, text));
    }
    let snapshot = Snapshot::parse(&octets, manifest.session, manifest.serial);
    snapshot.map(Objects::from).map_err(refused(Alarm::RepoHash))
}

/// Fetches a file that the manifest names, within what is left of all octets.
fn fetch(source: &mut dyn Source, file: &Reference, room: &mut usize) -> Result<Vec<u8>, FetchError> {
    let Some(left) = room.checked_sub(file.size) else {
        return Err(FetchError::TooLong(file.uri.to_string()));
    };
    *room = left;
    source.get(file.uri.as_str(), file.size)
}
