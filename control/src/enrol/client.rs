//! Asks an authority's desk over https: one question a connection, bounded in octets and time.

use super::error::EnrolError;
use crate::authority::desk::PKCS10;
use axum::http::{HeaderMap, Request, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use rustls::client::{ResolvesClientCert, WebPkiServerVerifier};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ClientConfig, RootCertStore};
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// For a whole question: address, connection, handshake and answer.
const WHOLE: Duration = Duration::from_secs(30);
/// Most octets of an answer: a chain of four certificates in PEM.
const MAX_ANSWER: usize = 512 * 1024;
/// Most characters of what the authority says that are shown.
const MAX_TEXT: usize = 300;
/// When to ask again unless the answer says, and what it may say, seconds.
const RETRY_S: (u64, std::ops::RangeInclusive<u64>) = (30, 1..=3600);

/// An answer of the desk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// A certificate with the one above it, PEM.
    Chain(Vec<u8>),
    /// It waits for a person.
    Waiting {
        /// The ticket to ask with.
        ticket: String,
        /// When to ask again, seconds.
        retry_s: u64,
    },
}

/// Where to ask, and as whom.
pub struct Client {
    host: String,
    port: u16,
    /// Path of the desk, without a slash at its end.
    path: String,
    tls: Arc<ClientConfig>,
}

impl Client {
    /// A client that has not asked yet.
    ///
    /// * `url`: `https://host:port/`; the desk is `enrol` below it
    /// * `roots`: whom the server's certificate must come from
    /// * `chain`, `key`: what it shows of itself
    /// # Errors
    /// [`EnrolError::Url`] and [`EnrolError::Make`].
    pub fn new(
        url: &str,
        roots: &[CertificateDer<'static>],
        chain: Vec<CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
    ) -> Result<Self, EnrolError> {
        let wrong = || EnrolError::Url(url.to_owned());
        let target: hyper::Uri = url.parse().map_err(|_| wrong())?;
        let authority = target.authority().filter(|one| !one.as_str().contains('@')).ok_or_else(wrong)?;
        if target.scheme_str() != Some("https") || target.query().is_some() {
            return Err(wrong());
        }
        let made = |fault: rustls::Error| EnrolError::Make(fault.to_string());
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut store = RootCertStore::empty();
        store.add_parsable_certificates(roots.iter().cloned());
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(store), Arc::clone(&provider)).build();
        let verifier = verifier.map_err(|fault| EnrolError::Make(fault.to_string()))?;
        // Not through rustls' own check of certificate and key: it knows no critical extension of ours.
        let key = provider.key_provider.load_private_key(key).map_err(made)?;
        let shown: Arc<dyn ResolvesClientCert> = Arc::new(SingleCertAndKey::from(CertifiedKey::new(chain, key)));
        let tls = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .map_err(made)?
            .with_webpki_verifier(verifier)
            .with_client_cert_resolver(shown);
        let host = authority.host().trim_matches(['[', ']']).to_owned();
        let path = format!("{}/enrol", target.path().trim_end_matches('/'));
        Ok(Self { host, port: authority.port_u16().unwrap_or(443), path, tls: Arc::new(tls) })
    }

    /// Hands in a request.
    /// # Errors
    /// [`EnrolError::Unreachable`] and [`EnrolError::Refused`].
    pub fn hand_in(&self, request: &[u8]) -> Result<Reply, EnrolError> {
        let question = Request::post(&self.path)
            .header(header::CONTENT_TYPE, PKCS10)
            .body(Full::new(Bytes::copy_from_slice(request)));
        self.ask(question)
    }

    /// Asks how a ticket stands.
    /// # Errors
    /// As [`Client::hand_in`].
    pub fn ask_again(&self, ticket: &str) -> Result<Reply, EnrolError> {
        self.ask(Request::get(format!("{}/{ticket}", self.path)).body(Full::new(Bytes::new())))
    }

    fn url(&self) -> String {
        format!("https://{}:{}{}", self.host, self.port, self.path)
    }

    fn lost(&self, why: impl std::fmt::Display) -> EnrolError {
        EnrolError::Unreachable { url: self.url(), why: clean(&why.to_string()) }
    }

    fn ask(&self, question: axum::http::Result<Request<Full<Bytes>>>) -> Result<Reply, EnrolError> {
        let question = question.map_err(|fault| EnrolError::Make(fault.to_string()))?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|fault| self.lost(fault))?;
        let answer = runtime.block_on(async { tokio::time::timeout(WHOLE, self.talk(question)).await });
        // A name that does not resolve may hold a thread longer.
        runtime.shutdown_background();
        let (status, headers, octets) = answer.map_err(|_| self.lost("no answer in time"))??;
        self.read(status, &headers, octets)
    }

    async fn talk(&self, mut question: Request<Full<Bytes>>) -> Result<(StatusCode, HeaderMap, Vec<u8>), EnrolError> {
        let host = format!("{}:{}", self.host, self.port);
        let value = host.parse().map_err(|_| EnrolError::Url(host.clone()))?;
        question.headers_mut().insert(header::HOST, value);
        let name = ServerName::try_from(self.host.clone()).map_err(|_| EnrolError::Url(host))?;
        let stream = TcpStream::connect((self.host.as_str(), self.port)).await.map_err(|fault| self.lost(fault))?;
        let stream = TlsConnector::from(Arc::clone(&self.tls)).connect(name, stream).await;
        let stream = TokioIo::new(stream.map_err(|fault| self.lost(fault))?);
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(stream).await.map_err(|fault| self.lost(deep(&fault)))?;
        let connection = tokio::spawn(connection);
        let response = sender.send_request(question).await.map_err(|fault| self.lost(deep(&fault)))?;
        let (parts, body) = response.into_parts();
        let octets = Limited::new(body, MAX_ANSWER).collect().await.map_err(|fault| self.lost(fault))?;
        connection.abort();
        Ok((parts.status, parts.headers, octets.to_bytes().to_vec()))
    }

    fn read(&self, status: StatusCode, headers: &HeaderMap, octets: Vec<u8>) -> Result<Reply, EnrolError> {
        let document: Value = serde_json::from_slice(&octets).unwrap_or_default();
        let text = |key: &str| document.get(key).and_then(Value::as_str).map(clean);
        match status {
            StatusCode::OK => Ok(Reply::Chain(octets)),
            StatusCode::ACCEPTED => {
                let ticket = text("ticket").filter(|ticket| {
                    (1..=64).contains(&ticket.len()) && ticket.bytes().all(|octet| octet.is_ascii_alphanumeric())
                });
                let ticket = ticket.ok_or_else(|| self.lost("a ticket that is none"))?;
                let said = headers.get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
                let (usual, range) = RETRY_S;
                let retry_s = said.unwrap_or(usual).clamp(*range.start(), *range.end());
                Ok(Reply::Waiting { ticket, retry_s })
            }
            status => Err(EnrolError::Refused {
                status: status.as_u16(),
                why: text("error").unwrap_or_else(|| status.to_string()),
                remedy: text("remedy").unwrap_or_else(|| "ask the authority".to_owned()),
            }),
        }
    }
}

/// What a stranger wrote, so that it can be shown.
fn clean(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(MAX_TEXT).collect()
}

/// The cause says more than "error sending request".
fn deep(fault: &(dyn std::error::Error + 'static)) -> String {
    let mut text = fault.to_string();
    let mut next = fault.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}
