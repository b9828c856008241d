//! What an authority refuses, each with its remedy.

use super::enrol::Refusal;
use sealgate_crypto::pki::{IdentifierError, Refused};
use std::io;
use std::path::PathBuf;

/// Why the authority did not do as asked. Nothing was issued or published, unless the text says otherwise.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    /// The directory for a new authority is in use.
    #[error("{0} exists and is not empty")]
    Exists(PathBuf),
    /// The directory holds no authority.
    #[error("{0} holds no authority: authority.db is missing")]
    NoAuthority(PathBuf),
    /// Another process works in the directory.
    #[error("another process is working in {0}")]
    Busy(PathBuf),
    /// The database refused.
    #[error("{path}: {source}")]
    Store {
        /// The database.
        path: PathBuf,
        /// What it said.
        source: rusqlite::Error,
    },
    /// A file of the authority does not say what it should.
    #[error("{path}: {why}")]
    State {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The system refused a file.
    #[error("{path}: {source}")]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A name that is no name of a file and of an operator.
    #[error("{0:?} cannot name an operator")]
    Name(String),
    /// The operator has a certificate already.
    #[error("{0} has a certificate already")]
    Taken(String),
    /// Neither an operator nor a serial number of this authority.
    #[error("{0:?} is no operator and no serial number of this authority")]
    Unknown(String),
    /// No such issuing authority.
    #[error("{0:?} is no issuing authority here")]
    UnknownCa(String),
    /// The trust anchor cannot be revoked.
    #[error("the root cannot be revoked: nobody stands above it")]
    RevokeRoot,
    /// It is revoked already.
    #[error("{0} is revoked already")]
    Revoked(String),
    /// A certificate without identifiers speaks for nobody.
    #[error("no identifier was given")]
    NoIdentifiers,
    /// An identifier that is malformed.
    #[error(transparent)]
    Identifier(#[from] IdentifierError),
    /// An identifier that the issuer does not have.
    #[error("{outside} is not inside what {ca} has")]
    Outside {
        /// The identifier.
        outside: String,
        /// The issuing authority.
        ca: String,
    },
    /// Dates that no gateway would accept.
    #[error("{0}")]
    Dates(String),
    /// An authority's key must be P-256 or P-384.
    #[error("an authority's key is P-256 or P-384")]
    CaAlg,
    /// The certificate library refused.
    #[error("making the certificate or list failed: {0}")]
    Make(#[from] rcgen::Error),
    /// What was made, or what is in the directory, does not follow our own profile.
    #[error("{name}: {refused}")]
    Profile {
        /// The certificate.
        name: String,
        /// What its octets miss.
        refused: Refused,
    },
    /// What is asked for is refused, see [`Refusal`].
    #[error(transparent)]
    Enrol(#[from] Refusal),
    /// The system clock is outside the years that certificates can say.
    #[error("the clock shows a year that a certificate cannot say")]
    Clock,
}

impl AuthorityError {
    /// What to do about it, in one line.
    pub fn remedy(&self) -> String {
        match self {
            Self::Exists(path) => format!("name a new directory, or remove {} if nobody trusts it", path.display()),
            Self::NoAuthority(path) => format!("make one with `sealgate tsca init {}`", path.display()),
            Self::Busy(_) => "wait until it is done and try again".into(),
            Self::Store { source, .. } => match source.sqlite_error_code() {
                Some(rusqlite::ErrorCode::DiskFull) => "make room on the disk and try again".into(),
                Some(rusqlite::ErrorCode::ReadOnly | rusqlite::ErrorCode::PermissionDenied) => {
                    "run as the owner of the directory".into()
                }
                _ => "restore the file from a backup; serial numbers must never be used twice".into(),
            },
            Self::State { .. } => "restore the file from a backup; serial numbers must never be used twice".into(),
            Self::Io { source, .. } => match source.kind() {
                io::ErrorKind::PermissionDenied => "run as the owner of the directory".into(),
                io::ErrorKind::StorageFull => "make room on the disk and try again".into(),
                io::ErrorKind::NotFound => "check the path; the directory may be incomplete".into(),
                _ => "check the path and the file system".into(),
            },
            Self::Name(_) => {
                "use 1 to 64 of a-z 0-9 - _ with a letter first, and not `root`, `region` or `repository-`".into()
            }
            Self::Taken(name) => format!("pick another name, such as {name}-2: certificates live side by side"),
            Self::Unknown(_) => "names and serial numbers are those of `sealgate tsca audit DIR`".into(),
            Self::UnknownCa(_) => "use `--ca region` or `--ca root`".into(),
            Self::RevokeRoot => "take anchors/root.pem out of the `trust:` section of every gateway".into(),
            Self::Revoked(_) => "nothing is left to do; `sealgate tsca crl` publishes the list again".into(),
            Self::NoIdentifiers => "give at least one of --gt --plmn --ispc --realm --sip-domain --tn".into(),
            Self::Identifier(_) => "see the forms in `sealgate tsca issue --help`".into(),
            Self::Outside { .. } => {
                "ask for identifiers inside it, or make an authority that has more with `sealgate tsca init`".into()
            }
            Self::Dates(_) => "give --days from 1 to 398, or --not-before and --not-after that far apart".into(),
            Self::CaAlg => "use `--ca-alg p256` or `--ca-alg p384`".into(),
            Self::Make(_) | Self::Profile { .. } => {
                "this is a fault of sealgate or of a file changed by hand; keep the directory and report it".into()
            }
            Self::Enrol(refusal) => refusal.remedy().into(),
            Self::Clock => "set the clock of this machine".into(),
        }
    }
}
