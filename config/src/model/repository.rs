//! The repository that a gateway follows (formats 12.4, 12.5).

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// A repository, and how it is followed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Repository {
    /// Its mirrors, the first first; never empty.
    pub urls: Vec<RepoUrl>,
    /// Directory for the last good state.
    pub store: PathBuf,
    /// Certificates that https servers are checked against; none: those of the system.
    pub roots: Vec<PathBuf>,
    /// Seconds between two looks.
    pub poll_s: u32,
    /// Operators that may go at once, percent.
    pub max_shrink_percent: u8,
    /// Seconds for which more than these are held back.
    pub shrink_hold_s: u32,
    /// Seconds without a successful check after which trust is stale.
    pub max_stale_s: u32,
    /// What becomes of all signers then.
    pub repo_stale: RepoStale,
}

impl Repository {
    /// `poll_s` where none is given.
    pub const POLL_S: u32 = 60;
    /// `max_shrink_percent` where none is given.
    pub const MAX_SHRINK_PERCENT: u8 = 20;
    /// `shrink_hold_s` where none is given.
    pub const SHRINK_HOLD_S: u32 = 6 * 3600;
    /// `max_stale_s` where none is given.
    pub const MAX_STALE_S: u32 = 72 * 3600;
}

/// What becomes of all signers once the repository was not checked for too long.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum RepoStale {
    /// Their messages pass, and an alarm stands.
    #[default]
    Keep,
    /// Their messages are refused in mode require.
    Fail,
}

/// Where a mirror is.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum RepoUrl {
    /// `https://host/path/`, with the slash at its end.
    Https(String),
    /// `file:///directory`.
    Directory(PathBuf),
}

impl fmt::Display for RepoUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Https(url) => f.write_str(url),
            Self::Directory(path) => write!(f, "file://{}", path.display()),
        }
    }
}

/// Not the address of a mirror.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("neither https://host/path/ nor file:///directory")]
pub struct RepoUrlError;

impl FromStr for RepoUrl {
    type Err = RepoUrlError;

    /// Plain text: no user, query, fragment or escape.
    fn from_str(text: &str) -> Result<Self, RepoUrlError> {
        let letter = |octet: u8| octet.is_ascii_alphanumeric() || b"-_.".contains(&octet);
        let parts = |path: &str| {
            path.split('/').all(|part| !part.is_empty() && !part.starts_with('.') && part.bytes().all(letter))
        };
        if let Some(path) = text.strip_prefix("file://") {
            let path = path.strip_suffix('/').unwrap_or(path);
            let good = path.starts_with('/') && path.len() > 1 && !path.contains(['\0', '\n']);
            return if good { Ok(Self::Directory(PathBuf::from(path))) } else { Err(RepoUrlError) };
        }
        let rest = text.strip_prefix("https://").ok_or(RepoUrlError)?;
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let path = path.strip_suffix('/').unwrap_or(path);
        let (host, port) = match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((host, "")) => (Err(host), None),
            Some((host, port)) => (Err(host), Some(port.strip_prefix(':').ok_or(RepoUrlError)?)),
            None => match authority.split_once(':') {
                Some((host, port)) => (Ok(host), Some(port)),
                None => (Ok(authority), None),
            },
        };
        let host_good = match host {
            Ok(name) => !name.is_empty() && name.split('.').all(|part| !part.is_empty() && part.bytes().all(letter)),
            Err(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        };
        let port_good = port.is_none_or(|port| port.parse::<u16>().is_ok_and(|number| number > 0));
        match host_good && port_good && (path.is_empty() || parts(path)) {
            true if path.is_empty() => Ok(Self::Https(format!("https://{authority}/"))),
            true => Ok(Self::Https(format!("https://{authority}/{path}/"))),
            false => Err(RepoUrlError),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mirror_is_a_plain_https_address_or_a_directory() {
        for (text, shown) in [
            ("https://tsca.example", "https://tsca.example/"),
            ("https://tsca.example/", "https://tsca.example/"),
            ("https://tsca.example:8443/a/b", "https://tsca.example:8443/a/b/"),
            ("https://[2001:db8::1]:8443/repo/", "https://[2001:db8::1]:8443/repo/"),
            ("https://192.0.2.1/repo", "https://192.0.2.1/repo/"),
            ("file:///srv/repo/", "file:///srv/repo"),
        ] {
            assert_eq!(text.parse::<RepoUrl>().map(|url| url.to_string()).as_deref(), Ok(shown));
        }
        for bad in [
            "",
            "http://tsca.example/",
            "https://",
            "https:///repo",
            "https://user@tsca.example/",
            "https://tsca.example/a?b",
            "https://tsca.example/../x",
            "https://tsca.example/a//b",
            "https://tsca.example:0/",
            "https://tsca.example:x/",
            "https://[2001:db8::1/",
            "https://tsca..example/",
            "https://ts ca/",
            "file://relative",
            "file:///",
            "/srv/repo",
        ] {
            assert_eq!(bad.parse::<RepoUrl>(), Err(RepoUrlError), "{bad}");
        }
    }
}
