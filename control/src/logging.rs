//! The log: lines for people on standard error, or entries with fields in the journal where that is what standard error is.
//!
//! An event may have the fields `alarm`, `reason`, `peer` and `rule`. The journal keeps them as `SEALGATE_ALARM` and so on
//! (`journalctl -u sealgate SEALGATE_ALARM=repo_stale_hard`); lines do not show them, since the message says the same in words.

use rustix::fs::fstat;
use std::io;
use std::sync::{Mutex, OnceLock, PoisonError};
use tracing::level_filters::LevelFilter;
use tracing_journald::{Priority, PriorityMappings};
use tracing_subscriber::filter::EnvFilter;
use tracing_subscriber::fmt::format::debug_fn;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::reload::{self, Handle};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Registry, fmt};

/// The variable that says what to log from the start.
const VARIABLE: &str = "SEALGATE_LOG";
/// What is logged where nobody says otherwise.
const DEFAULT: &str = "info";
/// The longest list of levels, octets.
const MAX: usize = 256;
/// Fields that only the journal keeps.
const FIELDS: [&str; 4] = ["alarm", "reason", "peer", "rule"];

/// The level in force as it was written, and what changes it; set by [`start`].
static LEVEL: OnceLock<(Mutex<String>, Handle<EnvFilter, Registry>)> = OnceLock::new();

/// Why a level is not taken. The one in force stays.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LevelError {
    /// Not of the form that [`set_level`] takes.
    #[error(
        "\"{0}\" is not a level; write error, warn, info, debug, trace or off, or a list as info,sealgate_control=debug"
    )]
    Syntax(String),
    /// More than 256 octets.
    #[error("a level of {0} octets is longer than {MAX}")]
    Length(usize),
    /// [`start`] was not called, or another subscriber was there before.
    #[error("this process has no log")]
    None,
}

/// Starts the log: level from `SEALGATE_LOG`, or info. A second call changes nothing.
pub fn start() {
    let wanted = std::env::var(VARIABLE).unwrap_or_else(|_| DEFAULT.to_owned());
    let (text, filter, complaint) = match parse(&wanted) {
        Ok(filter) => (wanted, filter, None),
        Err(error) => (DEFAULT.to_owned(), EnvFilter::new(DEFAULT), Some(error)),
    };
    let (filter, handle) = reload::Layer::new(filter);
    let (journal, fault) = match is_journal().then(journal) {
        Some(Ok(journal)) => (Some(journal), None),
        Some(Err(fault)) => (None, Some(fault)),
        None => (None, None),
    };
    let lines = journal.is_none().then(|| {
        let fields = debug_fn(|out, field, value| match field.name() {
            "message" => write!(out, "{value:?}"),
            name if FIELDS.contains(&name) => Ok(()),
            name => write!(out, " {name}={value:?}"),
        });
        fmt::layer().with_writer(io::stderr).with_target(false).fmt_fields(fields)
    });
    // A second subscriber in one process, in tests, changes nothing.
    if tracing_subscriber::registry().with(filter).with(journal).with(lines).try_init().is_err() {
        return;
    }
    let _ = LEVEL.set((Mutex::new(text), handle));
    if let Some(error) = complaint {
        tracing::warn!("{VARIABLE}: {error}; {DEFAULT} is used");
    }
    if let Some(fault) = fault {
        tracing::warn!("the journal cannot be reached, lines go to standard error: {fault}");
    }
}

/// The level in force, as [`set_level`] takes it; empty before [`start`].
pub fn level() -> String {
    let text = |(text, _): &(Mutex<String>, _)| text.lock().unwrap_or_else(PoisonError::into_inner).clone();
    LEVEL.get().map(text).unwrap_or_default()
}

/// Logs from now on what this says.
///
/// * `text`: a level, and levels by module after commas: `info`, `warn,sealgate_control::tsca=debug`; at most 256 octets
/// # Errors
/// [`LevelError`]; then nothing changes.
pub fn set_level(text: &str) -> Result<(), LevelError> {
    let filter = parse(text)?;
    let (current, handle) = LEVEL.get().ok_or(LevelError::None)?;
    let mut current = current.lock().unwrap_or_else(PoisonError::into_inner);
    handle.reload(filter).map_err(|_| LevelError::None)?;
    text.clone_into(&mut current);
    Ok(())
}

/// Reads a list of levels. `EnvFilter` itself takes a misspelt level for the name of a module and silences all others.
fn parse(text: &str) -> Result<EnvFilter, LevelError> {
    if text.len() > MAX {
        return Err(LevelError::Length(text.len()));
    }
    let is_level = |word: &str| word.parse::<LevelFilter>().is_ok() && !word.is_empty();
    let is_module = |word: &str| {
        !word.is_empty()
            && word.bytes().all(|octet| octet.is_ascii_alphanumeric() || matches!(octet, b'_' | b':' | b'-'))
    };
    let good = text.split(',').all(|part| match part.split_once('=') {
        None => is_level(part),
        Some((module, level)) => is_module(module) && is_level(level),
    });
    let filter = EnvFilter::builder().with_regex(false).parse(text).ok().filter(|_| good);
    filter.ok_or_else(|| LevelError::Syntax(text.to_owned()))
}

/// Whether standard error goes into the journal: the manager left its device and inode in `JOURNAL_STREAM`
/// (systemd.exec(5)). After a redirection they are others.
fn is_journal() -> bool {
    let (Ok(named), Ok(stderr)) = (std::env::var("JOURNAL_STREAM"), fstat(io::stderr())) else { return false };
    names(&named, stderr.st_dev, stderr.st_ino)
}

fn names(stream: &str, device: u64, inode: u64) -> bool {
    stream == format!("{device}:{inode}")
}

fn journal() -> io::Result<tracing_journald::Layer> {
    let priorities =
        PriorityMappings { info: Priority::Informational, debug: Priority::Debug, ..PriorityMappings::new() };
    let journal = tracing_journald::layer()?.with_syslog_identifier("sealgate".to_owned());
    Ok(journal.with_field_prefix(Some("SEALGATE".to_owned())).with_priority_mappings(priorities))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tracing::Level;

    #[test]
    fn a_level_is_one_of_the_six_words_or_a_list_with_modules() {
        for good in ["info", "off", "WARN", "warn,sealgate_control::tsca=debug", "error,hyper-util=trace"] {
            assert!(parse(good).is_ok(), "{good}");
        }
        // Each of these would be taken by EnvFilter alone, or has nothing to say.
        for bad in ["", "loud", "info,", "infos", "[span{x=\"1\"}]=info", "sealgate_control", "a=", "=info", "a b=info"]
        {
            assert_eq!(parse(bad).err(), Some(LevelError::Syntax(bad.to_owned())), "{bad}");
        }
        let list = |count: usize| format!("warn,{}=info", "a".repeat(count - 10));
        assert!(parse(&list(256)).is_ok());
        assert_eq!(parse(&list(257)).err(), Some(LevelError::Length(257)));
    }

    #[test]
    fn the_journal_is_the_stream_of_that_device_and_inode() {
        assert!(names("9:4711", 9, 4711));
        for other in ["", "9", "9:4712", "8:4711", "9:4711:", " 9:4711"] {
            assert!(!names(other, 9, 4711), "{other}");
        }
    }

    #[test]
    fn the_level_changes_while_it_runs_and_a_bad_one_changes_nothing() {
        assert_eq!(set_level("debug"), Err(LevelError::None), "before the start");
        start();
        set_level("warn").expect("a level");
        assert!(tracing::enabled!(Level::WARN) && !tracing::enabled!(Level::INFO));
        set_level("error,sealgate_control=debug").expect("a list");
        assert!(tracing::enabled!(Level::DEBUG) && !tracing::enabled!(target: "hyper", Level::WARN));
        assert!(set_level("louder").is_err() && set_level(&"a".repeat(300)).is_err());
        assert_eq!(level(), "error,sealgate_control=debug");
        assert!(tracing::enabled!(Level::DEBUG));
    }
}
