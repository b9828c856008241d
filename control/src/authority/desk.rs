//! The desk for enrolment: `POST /enrol` with a PKCS#10 request, `GET /enrol/TICKET` to ask again (formats 12.6).
//!
//! Who asks shows a client certificate in the TLS handshake, which proves that it has the key; what it is good for, the
//! authority's database says. Answers: 200 with the chain in PEM, 202 with a ticket, else JSON with `error` and `remedy`.

use super::enrol::{Answer, Asker, Refusal};
use super::store::knows;
use super::{Authority, AuthorityError};
use crate::http::Caller;
use axum::body::Bytes;
use axum::extract::{Path as InPath, State};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use axum::routing::{get, post};
use axum::{Extension, Router, body::Body};
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls13_signature_with_raw_key};
use rustls::pki_types::{CertificateDer, SubjectPublicKeyInfoDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, Error, SignatureScheme};
use sealgate_crypto::pki::spki_of;
use serde_json::json;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use time::OffsetDateTime;

/// How long a request waits while somebody else works in the authority's directory.
const PATIENCE: Duration = Duration::from_secs(3);
/// When to ask again for a ticket, seconds.
const RETRY_S: u32 = 30;
/// The media type of a request (RFC 5967).
pub const PKCS10: &str = "application/pkcs10";
/// The media type of a chain (RFC 8555 section 9.1).
const CHAIN: &str = "application/pem-certificate-chain";

/// Answers for the authority in `dir`.
pub(super) fn router(dir: &Path) -> Router {
    Router::new().route("/enrol", post(enrol)).route("/enrol/{ticket}", get(again)).with_state(Arc::from(dir))
}

async fn enrol(
    State(dir): State<Arc<Path>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let media = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !media.eq_ignore_ascii_case(PKCS10) {
        let text = format!("the request is {media:?}");
        return fault(StatusCode::UNSUPPORTED_MEDIA_TYPE, &text, "send it as application/pkcs10");
    }
    ask(dir, caller, move |authority, asker, now| authority.enrol(asker, &body, now)).await
}

async fn again(
    State(dir): State<Arc<Path>>,
    Extension(caller): Extension<Caller>,
    InPath(ticket): InPath<String>,
) -> Response<Body> {
    ask(dir, caller, move |authority, asker, _| authority.ask_again(asker, &ticket)).await
}

/// Opens the authority, finds out who asks, and lets `work` answer.
async fn ask(
    dir: Arc<Path>,
    caller: Caller,
    work: impl FnOnce(&mut Authority, &Asker, OffsetDateTime) -> Result<Answer, AuthorityError> + Send + 'static,
) -> Response<Body> {
    let done = tokio::task::spawn_blocking(move || {
        let shown = caller.certificates.first().map(|one| one.as_ref());
        // Strangers are turned away beside the authority's work: many of them must not keep it from that.
        let stranger = shown.is_none_or(|der| knows(&dir, der) == Some(false));
        let opened = Authority::open_after(&dir, if stranger { Duration::ZERO } else { PATIENCE });
        let mut authority = match opened {
            Err(AuthorityError::Busy(_)) if stranger => return Err(Refusal::of_stranger(shown).into()),
            opened => opened?,
        };
        let now = OffsetDateTime::now_utc();
        let address = caller.address.ip();
        authority.on_behalf_of(format!("a stranger at {address}"));
        let asker = authority.asker(shown, now)?;
        authority.on_behalf_of(format!("{asker} at {address}"));
        work(&mut authority, &asker, now)
    });
    match done.await {
        Ok(Ok(answer)) => shown(answer),
        Ok(Err(AuthorityError::Enrol(refusal))) => fault(refusal.status(), &refusal.to_string(), refusal.remedy()),
        Ok(Err(AuthorityError::Busy(_))) => {
            fault(StatusCode::SERVICE_UNAVAILABLE, "somebody else is working at the authority", "ask again in a minute")
        }
        // What is wrong here is for our own operator and not for a stranger.
        Ok(Err(other)) => {
            eprintln!("enrolment: {other}");
            internal()
        }
        Err(_) => internal(),
    }
}

fn internal() -> Response<Body> {
    fault(StatusCode::INTERNAL_SERVER_ERROR, "the authority cannot answer", "ask again later, or tell the authority")
}

fn shown(answer: Answer) -> Response<Body> {
    match answer {
        Answer::Issued { chain, .. } => response(StatusCode::OK, CHAIN, chain),
        Answer::Waiting(ticket) => {
            let location = format!("/enrol/{ticket}");
            let text = json!({ "ticket": ticket, "state": "waiting", "location": location }).to_string();
            let mut response = response(StatusCode::ACCEPTED, "application/json", text);
            if let Ok(location) = HeaderValue::from_str(&location) {
                response.headers_mut().insert(header::LOCATION, location);
            }
            response.headers_mut().insert(header::RETRY_AFTER, RETRY_S.into());
            response
        }
    }
}

fn fault(status: StatusCode, error: &str, remedy: &str) -> Response<Body> {
    response(status, "application/json", json!({ "error": error, "remedy": remedy }).to_string())
}

fn response(status: StatusCode, media: &'static str, text: String) -> Response<Body> {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media));
    response
}

/// Takes any client certificate whose key the handshake proves, or none. rustls' own verifier wants an extended key usage
/// and knows no critical extension of ours; which certificate is whose, the database says.
#[derive(Debug)]
pub(super) struct AnyClient(pub WebPkiSupportedAlgorithms);

impl ClientCertVerifier for AnyClient {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        spki_of(end_entity).map(|_| ClientCertVerified::assertion()).map_err(|_| CertificateError::BadEncoding.into())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::General("a client certificate needs TLS 1.3".to_owned()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let spki = spki_of(certificate).map_err(|_| Error::from(CertificateError::BadEncoding))?;
        verify_tls13_signature_with_raw_key(message, &SubjectPublicKeyInfoDer::from(spki), signed, &self.0)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_schemes()
    }
}
