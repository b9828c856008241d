//! Serves an authority over https, for a laboratory: GET and HEAD of the files of its repository, with `ETag`, and the desk
//! for enrolment.

use super::desk::{self, AnyClient};
use super::error::AuthorityError;
use super::{DIRECTORY, files};
use crate::http::{self, Limits};
use crate::tsca::format::Uri;
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Method, Response, StatusCode, Uri as Target, header};
use rcgen::{CertificateParams, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use sealgate_crypto::pki::MAX_REQUEST;
use sealgate_crypto::verify::sha256;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The server's own certificate, in `https/` of an authority's directory; made for these names if it is not there.
///
/// Returns what a server needs, and the file that its clients name in `trust.repository.roots`.
/// # Errors
/// A file, or a name that is none.
pub fn identity(dir: &Path, names: &[String]) -> Result<(Arc<ServerConfig>, PathBuf), AuthorityError> {
    let dir = dir.join("https");
    let (cert_file, key_file) = (dir.join("cert.pem"), dir.join("key.pem"));
    if !cert_file.exists() {
        files::make_dir(&dir, 0o700)?;
        let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)?;
        let made = CertificateParams::new(names)?.self_signed(&key)?;
        files::write(&key_file, key.serialize_pem().as_bytes(), files::PRIVATE)?;
        files::write(&cert_file, made.pem().as_bytes(), files::PUBLIC)?;
    }
    let read = |path: &Path| std::fs::read(path).map_err(files::io_at(path));
    let wrong = |path: &Path, why: String| AuthorityError::State { path: path.to_owned(), why };
    let cert = rustls::pki_types::CertificateDer::from_pem_slice(&read(&cert_file)?);
    let cert = cert.map_err(|fault| wrong(&cert_file, fault.to_string()))?;
    let key = PrivateKeyDer::from_pem_slice(&read(&key_file)?).map_err(|fault| wrong(&key_file, fault.to_string()))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier = Arc::new(AnyClient(provider.signature_verification_algorithms));
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_client_cert_verifier(verifier).with_single_cert(vec![cert], key));
    let config = config.map_err(|fault| wrong(&key_file, fault.to_string()))?;
    Ok((Arc::new(config), cert_file))
}

/// A server that runs until it is dropped.
pub struct Server(http::Server);

impl Server {
    /// Serves the files right below `dir`.
    /// # Errors
    /// What the system says of the address.
    pub fn start(listen: SocketAddr, dir: &Path, tls: Arc<ServerConfig>) -> io::Result<Self> {
        let server =
            http::Server::start("repository", TcpListener::bind(listen)?, files_of(dir), Some(tls), Limits::default());
        server.map(Self)
    }

    /// Serves the authority in `dir`: its repository, and the desk for enrolment.
    /// # Errors
    /// What the system says of the address.
    pub fn start_with_desk(listen: SocketAddr, dir: &Path, tls: Arc<ServerConfig>) -> io::Result<Self> {
        let router = desk::router(dir).merge(files_of(&dir.join(DIRECTORY)));
        let limits = Limits { body: MAX_REQUEST * 3 / 2, ..Limits::default() };
        http::Server::start("authority", TcpListener::bind(listen)?, router, Some(tls), limits).map(Self)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.0.address()
    }
}

/// Answers for the files right below `dir`.
fn files_of(dir: &Path) -> Router {
    Router::new().fallback(file).with_state(Arc::from(dir))
}

async fn file(State(dir): State<Arc<Path>>, method: Method, target: Target, headers: HeaderMap) -> Response<Body> {
    let plain = |status| answer(status, None, Vec::new());
    if method != Method::GET && method != Method::HEAD {
        return plain(StatusCode::METHOD_NOT_ALLOWED);
    }
    // The rule for names keeps the path below the directory.
    let name = target.path().strip_prefix('/').and_then(|name| Uri::new(name).ok());
    let Some(name) = name.filter(|name| !name.as_str().contains('/')) else {
        return plain(StatusCode::NOT_FOUND);
    };
    let read = tokio::task::spawn_blocking(move || {
        let octets = std::fs::read(dir.join(name.as_str())).ok()?;
        let tag: String = sha256(&octets).iter().take(16).map(|octet| format!("{octet:02x}")).collect();
        Some((octets, format!("\"{tag}\"")))
    });
    let Some((octets, tag)) = read.await.ok().flatten() else { return plain(StatusCode::NOT_FOUND) };
    let mut named = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    if named.any(|value| value.split(',').any(|one| one.trim() == tag)) {
        return answer(StatusCode::NOT_MODIFIED, Some(&tag), Vec::new());
    }
    answer(StatusCode::OK, Some(&tag), octets)
}

fn answer(status: StatusCode, tag: Option<&str>, octets: Vec<u8>) -> Response<Body> {
    let mut response = Response::new(Body::from(octets));
    *response.status_mut() = status;
    if let Some(tag) = tag.and_then(|tag| header::HeaderValue::from_str(tag).ok()) {
        response.headers_mut().insert(header::ETAG, tag);
        response.headers_mut().insert(header::CACHE_CONTROL, header::HeaderValue::from_static("no-cache"));
    }
    response
}
