//! Why there is no certificate yet, each with its remedy.

use sealgate_crypto::sign::KeyFileError;
use std::io;
use std::path::{Path, PathBuf};

/// Why a step of enrolment failed. What was there before still is.
#[derive(Debug, thiserror::Error)]
pub enum EnrolError {
    /// The system refused a file.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A private key that cannot be used.
    #[error("{path}: {source}")]
    Key {
        /// Its file.
        path: PathBuf,
        /// Why not.
        source: KeyFileError,
    },
    /// A file that does not hold what it should.
    #[error("{path}: {why}")]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// Another process asks for this certificate.
    #[error("{path}: another process asks for this certificate")]
    Busy {
        /// What it holds.
        path: PathBuf,
    },
    /// Neither identifiers nor a certificate that has some.
    #[error("nothing says which identifiers to ask for")]
    NoIdentifiers,
    /// Neither an invitation nor a current certificate.
    #[error("neither an invitation nor a certificate that holds is there to ask with")]
    NoCredential,
    /// Key or request could not be made.
    #[error("making key or request failed: {0}")]
    Make(String),
    /// The address is none.
    #[error("{0:?} is no address of an authority")]
    Url(String),
    /// The authority did not answer, or not as it should. Asking again may help.
    #[error("{url}: {why}")]
    Unreachable {
        /// Where.
        url: String,
        /// What happened.
        why: String,
    },
    /// The authority refused.
    #[error("the authority refused: {why}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// Its reason.
        why: String,
        /// What it advises.
        remedy: String,
    },
    /// The answer is no certificate of what was asked for.
    #[error("the authority's answer is not installed: {0}")]
    Answer(String),
}

impl EnrolError {
    /// What to do about it, in one line.
    pub fn remedy(&self) -> String {
        match self {
            Self::Io { .. } => "check the path, the room on the disk and who may write there".into(),
            Self::Key { path, .. } => format!("move {} away, or give it mode 600; then ask again", path.display()),
            Self::File { path, .. } => format!("move {} away and ask again", path.display()),
            Self::Busy { .. } => "let it go on, or end it; a running gateway with trust.enrolment is one".into(),
            Self::NoIdentifiers => "give at least one of --gt --plmn --ispc --realm --sip-domain --tn".into(),
            Self::NoCredential => "give --credential FILE, which the authority makes: sealgate tsca invite".into(),
            Self::Make(_) => "this is a fault of sealgate: report it".into(),
            Self::Url(_) => "give https://host:port/, without user or query".into(),
            Self::Unreachable { .. } => "check address, network and --roots; ask again with the same command".into(),
            Self::Refused { remedy, .. } => remedy.clone(),
            Self::Answer(_) => "check that the anchors are those of this authority, and tell it".into(),
        }
    }

    /// Whether asking again in the same way may help.
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Busy { .. } => true,
            Self::Refused { status, .. } => matches!(status, 408 | 429 | 500..),
            _ => false,
        }
    }
}

pub(super) fn io_at(path: &Path) -> impl Fn(io::Error) -> EnrolError + '_ {
    move |source| EnrolError::Io { path: path.to_owned(), source }
}
