//! What an authority holds, as it was read from its database; and `state.json`, where authorities kept it before.

use super::error::AuthorityError;
use super::files;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The version of the file's form.
const VERSION: u32 = 1;

/// What the authority holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State {
    version: u32,
    /// What the authority is called; part of the names in its certificates.
    pub name: String,
    /// The serial number of the next certificate.
    pub next_serial: u64,
    /// Number of the last revocation list of the root.
    pub root_crl: u64,
    /// Number of the last revocation list of the region.
    pub region_crl: u64,
    /// Every certificate that was issued, the region's too.
    pub issued: Vec<Issued>,
    /// Where the repository's numbers stand, once it was published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repository: Option<super::Numbers>,
}

/// One certificate that was issued.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Issued {
    /// Name of its files: the operator's, with a number after it from the second certificate on.
    pub name: String,
    /// Serial number.
    pub serial: u64,
    /// Who holds its key; the name itself for what the authority needs for itself.
    #[serde(default)]
    pub operator: String,
    /// Which authority issued it: `root` or `region`.
    pub ca: String,
    /// Security association identifier in hexadecimal.
    pub sai: String,
    /// Algorithm of its key.
    pub alg: String,
    /// First second of its validity, RFC 3339.
    pub not_before: String,
    /// Last second of its validity, RFC 3339.
    pub not_after: String,
    /// Set once it is revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked: Option<Revoked>,
}

/// That a certificate was revoked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Revoked {
    /// When, seconds since 1970.
    pub at: i64,
    /// Why, in the words of [`Reason`](super::Reason).
    pub reason: super::Reason,
}

impl State {
    /// A new authority: serial number 1 is the root's.
    pub(super) fn new(name: &str) -> Self {
        Self {
            version: VERSION,
            name: name.to_owned(),
            next_serial: 2,
            root_crl: 0,
            region_crl: 0,
            issued: Vec::new(),
            repository: None,
        }
    }

    pub(super) fn read(path: &Path) -> Result<Self, AuthorityError> {
        let octets = std::fs::read(path).map_err(files::io_at(path))?;
        let wrong = |why: String| AuthorityError::State { path: path.to_owned(), why };
        let state: Self = serde_json::from_slice(&octets).map_err(|fault| wrong(fault.to_string()))?;
        if state.version != VERSION {
            return Err(wrong(format!("version {} is not {VERSION}", state.version)));
        }
        if state.issued.iter().any(|one| one.serial >= state.next_serial) {
            return Err(wrong("next_serial is not above every serial number issued".into()));
        }
        Ok(state)
    }
}
