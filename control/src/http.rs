//! One small server for everybody who answers over HTTP: an [`axum::Router`] on a listener, plain or TLS, on a thread of its
//! own. Whatever callers do, their number, their octets and their time are bounded.
//!
//! HTTP/1.1 only. A request reaches the router once its body is here, so a handler never waits for a caller. Handlers share
//! one thread: what may take longer than a file or a look-up belongs into [`tokio::task::spawn_blocking`].

mod patient;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response, StatusCode, header};
use http_body_util::BodyExt;
use hyper::body::{Body as _, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use patient::Patient;
use rustls::ServerConfig;
use rustls::pki_types::CertificateDer;
use std::convert::Infallible;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt;

/// Most octets of a request's line and header.
const MAX_HEADER: usize = 16 * 1024;
/// Most octets of a body that is too large which are read and thrown away.
const MAX_DRAIN: usize = 1024 * 1024;
/// How long requests that are being answered may take once the server is dropped.
const GRACE: Duration = Duration::from_millis(300);
/// How long threads of [`tokio::task::spawn_blocking`] are waited for after that.
const LAST: Duration = Duration::from_millis(300);
/// A pause after the system refused a caller, for want of descriptors for example.
const PAUSE: Duration = Duration::from_millis(20);

/// What callers may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Callers at once; those above it are hung up on.
    pub callers: usize,
    /// For the TLS handshake, for the header of a request (the wait for it included), and for its body, each.
    pub request: Duration,
    /// Most octets of a request's body.
    pub body: usize,
    /// How long a caller may take nothing of an answer.
    pub stall: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { callers: 64, request: Duration::from_secs(5), body: 64 * 1024, stall: Duration::from_secs(5) }
    }
}

/// Who asks; an extension of each request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The other end's address.
    pub address: SocketAddr,
    /// What it showed in the TLS handshake, its own certificate first; empty without TLS or without one. What is checked of
    /// it is up to the [`ServerConfig`]'s verifier.
    pub certificates: Arc<[CertificateDer<'static>]>,
}

/// A server that runs until it is dropped, which takes a second at most.
pub struct Server {
    address: SocketAddr,
    stop: Option<watch::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Serves `router` on `listener`.
    ///
    /// * `name`: of its thread, at most 15 octets
    /// * `tls`: for https; HTTP in the clear without it
    /// # Errors
    /// What the system says of the listener or the thread.
    pub fn start(
        name: &str,
        listener: TcpListener,
        router: Router,
        tls: Option<Arc<ServerConfig>>,
        limits: Limits,
    ) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(4).build()?;
        let (stop, until) = watch::channel(());
        let listener = {
            let _inside = runtime.enter();
            tokio::net::TcpListener::from_std(listener)?
        };
        let door = Door { router, tls: tls.map(TlsAcceptor::from), limits };
        let thread = Builder::new().name(name.to_owned()).spawn(move || {
            runtime.block_on(door.serve(listener, until));
            runtime.shutdown_timeout(LAST);
        })?;
        Ok(Self { address, stop: Some(stop), thread: Some(thread) })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Everybody who waits for a change sees that the sender is gone.
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

#[derive(Clone)]
struct Door {
    router: Router,
    tls: Option<TlsAcceptor>,
    limits: Limits,
}

impl Door {
    async fn serve(self, listener: tokio::net::TcpListener, mut stop: watch::Receiver<()>) {
        let count = self.limits.callers;
        let places = Arc::new(Semaphore::new(count));
        loop {
            let accepted = tokio::select! {
                _ = stop.changed() => break,
                accepted = listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, address)) => {
                    if let Ok(place) = Arc::clone(&places).try_acquire_owned() {
                        tokio::spawn(self.clone().attend(stream, address, stop.clone(), place));
                    }
                }
                Err(_) => tokio::time::sleep(PAUSE).await,
            }
        }
        drop(listener);
        let all = u32::try_from(count).unwrap_or(u32::MAX);
        let _ = timeout(GRACE, places.acquire_many(all)).await;
    }

    /// One caller, from its connection to its end; `place` is kept that long.
    async fn attend(
        self,
        stream: TcpStream,
        address: SocketAddr,
        stop: watch::Receiver<()>,
        place: OwnedSemaphorePermit,
    ) {
        let _place = place;
        let _ = stream.set_nodelay(true);
        let stream = Patient::new(stream, self.limits.stall);
        let nobody = || Caller { address, certificates: Arc::new([]) };
        let Some(tls) = &self.tls else { return self.talk(stream, nobody(), stop).await };
        let mut ended = stop.clone();
        let stream = tokio::select! {
            _ = ended.changed() => return,
            shaken = timeout(self.limits.request, tls.accept(stream)) => match shaken {
                Ok(Ok(stream)) => stream,
                _ => return,
            },
        };
        let shown = stream.get_ref().1.peer_certificates().map(|all| all.iter().map(|one| one.clone().into_owned()));
        let caller = shown.map_or_else(nobody, |all| Caller { address, certificates: all.collect() });
        self.talk(stream, caller, stop).await;
    }

    async fn talk(&self, stream: impl AsyncRead + AsyncWrite + Unpin, caller: Caller, mut stop: watch::Receiver<()>) {
        let answer = |request: Request<Incoming>| {
            let (router, caller, limits) = (self.router.clone(), caller.clone(), self.limits);
            async move { Ok::<_, Infallible>(answer(router, request, caller, limits).await) }
        };
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.limits.request)
            .max_buf_size(MAX_HEADER)
            .serve_connection(TokioIo::new(stream), service_fn(answer));
        let mut connection = std::pin::pin!(connection);
        // A caller that breaks off is its own affair.
        tokio::select! {
            _ = connection.as_mut() => return,
            _ = stop.changed() => connection.as_mut().graceful_shutdown(),
        }
        let _ = connection.await;
    }
}

/// Waits for the whole request, then lets the router answer.
async fn answer(router: Router, request: Request<Incoming>, caller: Caller, limits: Limits) -> Response<Body> {
    let (mut parts, body) = request.into_parts();
    let body = match timeout(limits.request, whole(body, limits.body)).await {
        Ok(Ok(Some(body))) => body,
        Ok(Ok(None)) => return refuse(StatusCode::PAYLOAD_TOO_LARGE),
        Ok(Err(_)) => return refuse(StatusCode::BAD_REQUEST),
        Err(_) => return refuse(StatusCode::REQUEST_TIMEOUT),
    };
    parts.extensions.insert(caller);
    match router.oneshot(Request::from_parts(parts, Body::from(body))).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

/// The octets of a body; `None` if there are more than `most`. Then a little more is read and thrown away: a caller that is
/// hung up on while it writes does not see the answer.
async fn whole(mut body: Incoming, most: usize) -> hyper::Result<Option<Vec<u8>>> {
    let (mut octets, mut passed) = (Vec::new(), 0);
    let mut good = body.size_hint().lower() <= most as u64;
    while let Some(frame) = body.frame().await.transpose()? {
        let Ok(part) = frame.into_data() else { continue };
        passed += part.len();
        good &= passed <= most;
        match good {
            true => octets.extend_from_slice(&part),
            false if passed > MAX_DRAIN => break,
            false => octets.clear(),
        }
    }
    Ok(good.then_some(octets))
}

/// An answer after which nothing of this caller is read: half of a request may still be on its way.
fn refuse(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONNECTION, header::HeaderValue::from_static("close"));
    response
}

#[cfg(test)]
mod tests;
