//! What is served over HTTP to programs of this host: metrics, health, and the documents of the admin socket.
//!
//! It only answers questions. Whoever can reach the address may ask; so it is one of this host alone, and a request that
//! names another host, as a page in a browser can make one, is refused.

use crate::http::{Limits, Server};
use crate::metrics::{Metrics, OPENMETRICS, PLAIN};
use crate::report::{Board, What};
use axum::Router;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use sealgate_dataplane::engine::now_ms;
use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

/// What callers may take: programs of this host, whose requests have no body.
const LIMITS: Limits =
    Limits { callers: 16, request: Duration::from_secs(5), body: 1024, stall: Duration::from_secs(5) };

/// Serves a gateway's answers until the value is dropped.
/// # Errors
/// What the system says of the address.
pub fn serve(address: SocketAddr, board: Arc<Board>) -> io::Result<Server> {
    let listener = TcpListener::bind(address)?;
    Server::start("http", listener, router(board), None, LIMITS)
}

struct Api {
    board: Arc<Board>,
    metrics: Metrics,
}

fn router(board: Arc<Board>) -> Router {
    let api = Arc::new(Api { metrics: Metrics::new(Arc::clone(&board)), board });
    Router::new()
        .route("/metrics", get(metrics))
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .route("/api/v1/{what}", get(document))
        .layer(middleware::from_fn(local))
        .with_state(api)
}

/// Refuses a request that was made for another host (DNS rebinding).
async fn local(headers: HeaderMap, request: Request, next: Next) -> Response {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    if is_local(host) {
        next.run(request).await
    } else {
        (StatusCode::MISDIRECTED_REQUEST, "this answers for 127.0.0.1, [::1] and localhost only\n").into_response()
    }
}

/// Whether a Host header names this host.
fn is_local(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|octet| octet.is_ascii_digit()) => name,
        _ => host,
    };
    let address = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
    name.eq_ignore_ascii_case("localhost") || address.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

/// Lets a thread of its own read the board: a document may take a moment.
async fn read<T: Send + 'static>(
    api: Arc<Api>,
    work: impl FnOnce(&Api) -> T + Send + 'static,
) -> Result<T, StatusCode> {
    tokio::task::spawn_blocking(move || work(&api)).await.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)
}

async fn metrics(State(api): State<Arc<Api>>, headers: HeaderMap) -> Response {
    let accepted = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    let open = accepted.contains("application/openmetrics-text");
    let page = read(api, move |api| if open { api.metrics.openmetrics() } else { api.metrics.plain() }).await;
    match page {
        Ok(Ok(page)) => ([(header::CONTENT_TYPE, if open { OPENMETRICS } else { PLAIN })], page).into_response(),
        _ => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// Whether the process does its work: every worker turns, or ended as it should.
async fn healthz(State(api): State<Arc<Api>>) -> Response {
    let wrong = read(api, |api| {
        let stalled = api.board.observer.stalled();
        if !api.board.engine.is_healthy() {
            Some("a worker ended before its time, or a crypto thread again and again\n".to_owned())
        } else if stalled.is_empty() {
            None
        } else {
            Some(format!("workers that do not turn: {stalled:?}\n"))
        }
    });
    verdict(wrong.await)
}

/// Whether it forwards, and knows whom to trust.
async fn readyz(State(api): State<Arc<Api>>) -> Response {
    let wrong = read(api, |api| {
        let board = &api.board;
        let repository = board.repository_document();
        let followed = repository.get("followed") == Some(&true.into());
        let empty = followed && repository.get("serial").is_none_or(serde_json::Value::is_null);
        match board.state() {
            "forwarding" if board.trust.get().authorities.is_empty() => Some("no trust is loaded\n".to_owned()),
            "forwarding" if empty => Some("nothing of the repository is held yet\n".to_owned()),
            "forwarding" => None,
            other => Some(format!("{other}\n")),
        }
    });
    verdict(wrong.await)
}

fn verdict(wrong: Result<Option<String>, StatusCode>) -> Response {
    match wrong {
        Ok(None) => "ok\n".into_response(),
        Ok(Some(why)) => (StatusCode::SERVICE_UNAVAILABLE, why).into_response(),
        Err(status) => status.into_response(),
    }
}

async fn document(State(api): State<Arc<Api>>, Path(what): Path<String>) -> Response {
    let Some(what) = What::from_name(&what) else {
        let words: Vec<_> = What::ALL.iter().map(|(word, _)| *word).collect();
        return (StatusCode::NOT_FOUND, format!("there are: {}\n", words.join(", "))).into_response();
    };
    match read(api, move |api| api.board.document(what, now_ms()).to_string()).await {
        Ok(text) => ([(header::CONTENT_TYPE, "application/json")], text).into_response(),
        Err(status) => status.into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_this_host_are_taken() {
        for good in ["localhost", "LOCALHOST:9617", "127.0.0.1", "127.0.0.1:9617", "[::1]:9617", "[::1]", "127.8.8.8:1"]
        {
            assert!(is_local(good), "{good}");
        }
        for bad in
            ["", "example.com", "example.com:9617", "127.0.0.1.example.com", "10.0.0.1:9617", "localhost.evil:80"]
        {
            assert!(!is_local(bad), "{bad}");
        }
    }
}
