//! Octets from a mirror: https by ureq over rustls with aws-lc-rs, or a directory. Whatever the other side does, a file
//! ends within its octets and a synchronisation within its time.
//!
//! There is no decompression, no redirect, no proxy and no cookie: what cannot happen needs no bound.

use super::format::{Digest, MAX_SMALL};
use super::source::{FetchError, Source};
use rustls::pki_types::CertificateDer;
use sealgate_config::model::{RepoUrl, Repository};
use sealgate_crypto::pki::{Kind, ReadError, objects_from_file};
use sealgate_crypto::verify::sha256;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use ureq::http::{HeaderMap, StatusCode};
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::{Agent, Body};

/// Most octets of an answer's header.
const MAX_HEADER: usize = 16 * 1024;
/// How long a connection waits for the next file: less than servers do, or a request meets one that is being closed.
const IDLE: Duration = Duration::from_secs(3);
/// Where systems keep the certificates of public authorities, PEM.
const SYSTEM_ROOTS: [&str; 2] = ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt"];

/// How long a mirror may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// For its address and a connection, each.
    pub connect: Duration,
    /// For each read and write, and for the whole header of an answer.
    pub read: Duration,
    /// For everything of one look.
    pub whole: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { connect: Duration::from_secs(5), read: Duration::from_secs(10), whole: Duration::from_secs(60) }
    }
}

/// Where a mirror is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Base {
    /// `https://host/path/`, with the slash.
    Https(String),
    /// A directory.
    Directory(PathBuf),
}

/// One mirror.
pub struct Mirror {
    base: Base,
    agent: Agent,
    limits: Limits,
    /// When the look must be over.
    deadline: Instant,
    /// What the server called the manifest that it gave last.
    validators: Option<Validators>,
}

struct Validators {
    manifest: Digest,
    etag: Option<String>,
    modified: Option<String>,
}

/// The certificates that servers are checked against.
/// # Errors
/// A file that cannot be read, or none at all.
pub fn roots(files: &[PathBuf]) -> Result<Vec<CertificateDer<'static>>, ReadError> {
    let system = || SYSTEM_ROOTS.iter().map(PathBuf::from).filter(|path| path.exists()).take(1).collect();
    let files: Vec<PathBuf> = if files.is_empty() { system() } else { files.to_vec() };
    let mut all = Vec::new();
    for file in &files {
        all.extend(objects_from_file(file, Kind::Certificate)?.into_iter().map(|one| CertificateDer::from(one.der)));
    }
    match all.is_empty() {
        true => Err(ReadError::Empty(SYSTEM_ROOTS.join(", "), "CERTIFICATE")),
        false => Ok(all),
    }
}

/// The certificates for the mirrors of a repository; none, if they are all directories.
/// # Errors
/// As [`roots`].
pub fn roots_of(repository: &Repository) -> Result<Vec<CertificateDer<'static>>, ReadError> {
    match repository.urls.iter().any(|url| matches!(url, RepoUrl::Https(_))) {
        true => roots(&repository.roots),
        false => Ok(Vec::new()),
    }
}

impl Mirror {
    /// A mirror that has not been asked yet.
    ///
    /// * `roots`: whom its server's certificate must come from
    pub fn new(base: Base, roots: &[CertificateDer<'static>], limits: Limits) -> Self {
        let roots: Vec<_> = roots.iter().map(|one| Certificate::from_der(one).to_owned()).collect();
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::Specific(Arc::new(roots)))
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
            .build();
        let config = Agent::config_builder()
            .https_only(true)
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            .tls_config(tls)
            .user_agent(concat!("sealgate/", env!("CARGO_PKG_VERSION")))
            .accept_encoding("identity")
            .max_response_header_size(MAX_HEADER)
            .max_idle_age(IDLE)
            .timeout_resolve(Some(limits.connect))
            .timeout_connect(Some(limits.connect))
            .timeout_send_request(Some(limits.read))
            .timeout_recv_response(Some(limits.read))
            .timeout_per_read(Some(limits.read))
            .timeout_per_write(Some(limits.read))
            .build();
        Self { base, agent: config.new_agent(), limits, deadline: Instant::now(), validators: None }
    }

    /// Begins a look, which ends at `deadline` at the latest.
    pub fn begin(&mut self, deadline: Instant) {
        self.deadline = deadline;
    }

    /// How long it may take.
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// What it is called.
    pub fn name(&self) -> String {
        match &self.base {
            Base::Https(url) => url.clone(),
            Base::Directory(path) => format!("file://{}", path.display()),
        }
    }

    fn lost(&self, name: &str, why: impl std::fmt::Display) -> FetchError {
        // The reason may hold what the server said: only so much of it.
        let why: String = why.to_string().chars().filter(|c| !c.is_control()).take(160).collect();
        FetchError::Transport(format!("{}{name}: {why}", self.name()))
    }

    /// Asks a server for a file. `None`: it is still the one that the validators name.
    fn ask(
        &self,
        base: &str,
        name: &str,
        max: usize,
        validators: Option<&Validators>,
    ) -> Result<Option<(Vec<u8>, HeaderMap)>, FetchError> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(self.lost(name, "no time is left for this look"));
        }
        let request = self.agent.get(format!("{base}{name}"));
        let mut request = request.config().timeout_global(Some(left)).build();
        for (header, value) in [
            ("if-none-match", validators.and_then(|one| one.etag.as_ref())),
            ("if-modified-since", validators.and_then(|one| one.modified.as_ref())),
        ] {
            if let Some(value) = value {
                request = request.header(header, value);
            }
        }
        let mut response = request.call().map_err(|fault| self.lost(name, fault))?;
        match response.status() {
            StatusCode::OK => {}
            StatusCode::NOT_MODIFIED if validators.is_some() => return Ok(None),
            StatusCode::NOT_FOUND | StatusCode::GONE => return Err(FetchError::Missing(name.to_owned())),
            status if status.is_redirection() => {
                return Err(self.lost(name, format!("redirects are not followed ({status})")));
            }
            status => return Err(self.lost(name, status)),
        }
        let headers = std::mem::take(response.headers_mut());
        if headers.get("content-encoding").is_some_and(|coding| coding != "identity") {
            return Err(self.lost(name, "it was sent compressed, which nobody asked for"));
        }
        let octets = self.read(name, response.body_mut(), max)?;
        Ok(Some((octets, headers)))
    }

    fn read(&self, name: &str, body: &mut Body, max: usize) -> Result<Vec<u8>, FetchError> {
        let long = || FetchError::TooLong(name.to_owned());
        if body.content_length().is_some_and(|length| length > max as u64) {
            return Err(long());
        }
        // The room grows with what comes, not with what is promised.
        let mut octets = Vec::new();
        let mut reader = body.as_reader().take(max as u64 + 1);
        reader.read_to_end(&mut octets).map_err(|fault| self.lost(name, fault))?;
        if octets.len() > max { Err(long()) } else { Ok(octets) }
    }

    fn read_file(&self, dir: &Path, name: &str, max: usize) -> Result<Vec<u8>, FetchError> {
        let path = dir.join(name);
        let fault = |fault: io::Error| match fault.kind() {
            io::ErrorKind::NotFound => FetchError::Missing(name.to_owned()),
            _ => self.lost(name, fault),
        };
        // Before it is opened: opening a pipe may wait for ever.
        let about = fs::symlink_metadata(&path).map_err(fault)?;
        if !about.is_file() {
            return Err(self.lost(name, "not a regular file"));
        }
        let mut octets = Vec::new();
        File::open(&path).and_then(|file| file.take(max as u64 + 1).read_to_end(&mut octets)).map_err(fault)?;
        if octets.len() > max { Err(FetchError::TooLong(name.to_owned())) } else { Ok(octets) }
    }
}

impl Source for Mirror {
    fn manifest(&mut self, held: Option<&Digest>) -> Result<Option<Vec<u8>>, FetchError> {
        const NAME: &str = "manifest.json";
        let missing = |fault| match fault {
            FetchError::Missing(_) => self.lost(NAME, "it is not there"),
            other => other,
        };
        match &self.base {
            Base::Directory(dir) => {
                let octets = self.read_file(dir, NAME, MAX_SMALL).map_err(missing)?;
                Ok((held != Some(&sha256(&octets))).then_some(octets))
            }
            Base::Https(base) => {
                // Only what is in force may be left out of an answer.
                let validators = self.validators.as_ref().filter(|one| Some(&one.manifest) == held);
                let Some((octets, headers)) = self.ask(base, NAME, MAX_SMALL, validators).map_err(missing)? else {
                    return Ok(None);
                };
                let text = |name: &str| Some(headers.get(name)?.to_str().ok()?.to_owned());
                let (etag, modified) = (text("etag"), text("last-modified"));
                let known = etag.is_some() || modified.is_some();
                self.validators = known.then(|| Validators { manifest: sha256(&octets), etag, modified });
                Ok(Some(octets))
            }
        }
    }

    fn get(&mut self, name: &str, max: usize) -> Result<Vec<u8>, FetchError> {
        match &self.base {
            Base::Directory(dir) => self.read_file(dir, name, max),
            Base::Https(base) => match self.ask(base, name, max, None)? {
                Some((octets, _)) => Ok(octets),
                None => Err(self.lost(name, "an answer that nobody asked for")),
            },
        }
    }
}
