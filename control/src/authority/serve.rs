//! Serves a repository over https, for a laboratory: GET and HEAD of the files of one directory, with `ETag`.

use super::error::AuthorityError;
use super::files;
use crate::tsca::format::Uri;
use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use sealgate_crypto::verify::sha256;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

/// The longest header of a request, octets.
const MAX_REQUEST: usize = 8 * 1024;
/// How long a caller may be silent.
const PATIENCE: Duration = Duration::from_secs(5);
/// Callers at once.
const MAX_CALLERS: usize = 64;
/// How often the door looks for its own end.
const LOOK: Duration = Duration::from_millis(20);

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
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(vec![cert], key));
    let config = config.map_err(|fault| wrong(&key_file, fault.to_string()))?;
    Ok((Arc::new(config), cert_file))
}

/// A server that runs until it is dropped.
pub struct Server {
    address: SocketAddr,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Serves the files right below `dir`.
    /// # Errors
    /// What the system says of the address.
    pub fn start(listen: SocketAddr, dir: &Path, tls: Arc<ServerConfig>) -> io::Result<Self> {
        let listener = TcpListener::bind(listen)?;
        listener.set_nonblocking(true)?;
        let (address, stop) = (listener.local_addr()?, Arc::new(AtomicBool::new(false)));
        let (dir, until) = (dir.to_owned(), Arc::clone(&stop));
        let thread =
            Builder::new().name("repository".to_owned()).spawn(move || serve(&listener, &dir, &tls, &until))?;
        Ok(Self { address, stop, thread: Some(thread) })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn serve(listener: &TcpListener, dir: &Path, tls: &Arc<ServerConfig>, stop: &AtomicBool) {
    let callers = Arc::new(AtomicUsize::new(0));
    while !stop.load(Ordering::Acquire) {
        let Ok((stream, _)) = listener.accept() else {
            // Nobody there, or nothing that waiting does not mend.
            std::thread::sleep(LOOK);
            continue;
        };
        if callers.load(Ordering::Acquire) >= MAX_CALLERS {
            continue;
        }
        callers.fetch_add(1, Ordering::AcqRel);
        let (dir, tls, count) = (dir.to_owned(), Arc::clone(tls), Arc::clone(&callers));
        let attended = Builder::new().name("repository-caller".to_owned()).spawn(move || {
            // A caller that breaks off is its own affair.
            let _ = attend(stream, &dir, tls);
            count.fetch_sub(1, Ordering::AcqRel);
        });
        if attended.is_err() {
            callers.fetch_sub(1, Ordering::AcqRel);
        }
    }
}

/// Answers one caller until it goes or is silent for too long.
fn attend(stream: TcpStream, dir: &Path, tls: Arc<ServerConfig>) -> io::Result<()> {
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.set_nodelay(true)?;
    let mut stream = StreamOwned::new(ServerConnection::new(tls).map_err(io::Error::other)?, stream);
    let mut pending = Vec::new();
    while let Some(head) = next_head(&mut stream, &mut pending)? {
        let (answer, body) = answer(dir, &head);
        stream.write_all(answer.as_bytes())?;
        stream.write_all(&body)?;
        stream.flush()?;
    }
    stream.conn.send_close_notify();
    stream.flush()
}

/// The next header, up to its empty line; what follows stays in `pending`. `None`: the caller went away.
fn next_head(stream: &mut impl Read, pending: &mut Vec<u8>) -> io::Result<Option<String>> {
    let mut part = [0; 1024];
    loop {
        if let Some(end) = pending.windows(4).position(|four| four == b"\r\n\r\n") {
            let rest = pending.split_off(end + 4);
            let head = std::mem::replace(pending, rest);
            return Ok(Some(String::from_utf8_lossy(&head).into_owned()));
        }
        if pending.len() > MAX_REQUEST {
            return Err(io::Error::other("the request is too long"));
        }
        match stream.read(&mut part)? {
            0 => return Ok(None),
            count => pending.extend(part.iter().take(count)),
        }
    }
}

/// Header and body of the answer to a request.
fn answer(dir: &Path, head: &str) -> (String, Vec<u8>) {
    let mut lines = head.lines();
    let mut words = lines.next().unwrap_or_default().split(' ');
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let plain = |status: &str| (format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n"), Vec::new());
    if method != "GET" && method != "HEAD" {
        return plain("405 Method Not Allowed");
    }
    // The rule for names keeps the path below the directory.
    let name = path.strip_prefix('/').and_then(|name| Uri::new(name).ok()).filter(|name| !name.as_str().contains('/'));
    let Some(octets) = name.and_then(|name| std::fs::read(dir.join(name.as_str())).ok()) else {
        return plain("404 Not Found");
    };
    let tag: String = sha256(&octets).iter().take(16).map(|octet| format!("{octet:02x}")).collect();
    let tag = format!("\"{tag}\"");
    let known = lines
        .filter_map(|line| line.split_once(':'))
        .any(|(key, value)| key.eq_ignore_ascii_case("if-none-match") && value.split(',').any(|one| one.trim() == tag));
    if known {
        return (format!("HTTP/1.1 304 Not Modified\r\nETag: {tag}\r\n\r\n"), Vec::new());
    }
    let length = octets.len();
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nETag: {tag}\r\nCache-Control: no-cache\r\n\r\n");
    (head, if method == "HEAD" { Vec::new() } else { octets })
}
