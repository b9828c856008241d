//! What is served over HTTP on this host: metrics in both forms, health, documents; and who is refused.

mod common;
#[path = "http/openmetrics.rs"]
mod openmetrics;
#[path = "admin/world.rs"]
mod world;

use common::Lab;
use openmetrics::check;
use sealgate_control::api;
use sealgate_control::http::Server;
use sealgate_control::metrics::{OPENMETRICS, PLAIN};
use sealgate_dataplane::engine::now_ms;
use sealgate_dataplane::io::FrameIo;
use sealgate_dataplane::io::mem::{MemPool, MemPort};
use sealgate_dataplane::state::dialogues::{Begun, Opening};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::Duration;
use world::{Busy, board, board_over};

/// Status, header and body of an answer.
fn get(server: &Server, path: &str, more: &str) -> (u16, String, String) {
    ask(server, &format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{more}Connection: close\r\n\r\n"))
}

fn ask(server: &Server, request: &str) -> (u16, String, String) {
    let mut stream = TcpStream::connect(server.address()).expect("a connection");
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a time limit");
    stream.write_all(request.as_bytes()).expect("written");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    let (header, body) = answer.split_once("\r\n\r\n").expect("a header");
    let status = header.get(9..12).and_then(|code| code.parse().ok()).expect("a status");
    (status, header.to_ascii_lowercase(), body.to_owned())
}

fn serve(board: &Arc<sealgate_control::report::Board>) -> Server {
    api::serve("127.0.0.1:0".parse().expect("an address"), Arc::clone(board)).expect("a server")
}

#[test]
fn the_page_is_openmetrics_and_says_what_was_counted() {
    let lab = Lab::new("metrics");
    let busy = Busy::new(&lab);
    let server = serve(&busy.board);
    busy.goes_on();
    let dialogues = &busy.board.engine.shared().dialogues;
    let theirs = Opening { begun: Some(Begun::ByThem), ..Opening::ours(1) };
    assert!([1, 2].iter().all(|number| dialogues.open(dialogues.key(&[*number], b"1"), theirs, now_ms())));
    let (status, header, page) = get(&server, "/metrics", "Accept: application/openmetrics-text; version=1.0.0\r\n");
    assert_eq!(status, 200);
    assert!(header.contains(OPENMETRICS), "{header}");
    let samples = check(&page).unwrap_or_else(|fault| panic!("{fault}"));
    let value = |name: &str| *samples.get(name).unwrap_or_else(|| panic!("{name} is not in {:#?}", samples.keys()));
    assert!(value("sealgate_peer_messages_total{peer=\"home\",direction=\"in\",result=\"refused\"}") >= 100.0);
    assert!(value("sealgate_verdicts_total{reason=\"R_SEC_MISSING\",direction=\"in\"}") >= 100.0);
    assert_eq!(value("sealgate_peer_signature_share{peer=\"home\",state=\"absent\"}"), 1.0);
    assert_eq!(value("sealgate_peer_signature_share{peer=\"home\",state=\"valid\"}"), 0.0);
    assert_eq!(value("sealgate_transactions_open{peer=\"home\",begun_by=\"peer\"}"), 2.0);
    assert_eq!(value("sealgate_transactions_open{peer=\"home\",begun_by=\"us\"}"), 0.0);
    assert_eq!(value("sealgate_transactions_limit{peer=\"home\"}"), 65_536.0);
    assert_eq!(value("sealgate_transactions_refused_total"), 0.0);
    assert_eq!(value("sealgate_forwarding"), 1.0);
    assert_eq!(value("sealgate_workers{state=\"running\"}"), 1.0);
    assert_eq!(value("sealgate_alarm{name=\"clock_unsynced\",severity=\"warning\"}"), 0.0);
    assert_eq!(value("sealgate_signers{state=\"good\"}"), 2.0);
    assert_eq!(value(&format!("sealgate_build_info{{version=\"{}\"}}", env!("CARGO_PKG_VERSION"))), 1.0);
    let own = value("sealgate_own_certificate_expiry_seconds{certificate=\"other\"}");
    assert!(own >= value("sealgate_signer_earliest_expiry_seconds") && own > 1.7e9, "{own}");
    let meaning = "sealgate_reason_info{reason=\"R_SEC_MISSING\",code=\"400\",text=\"no signature, and the peer must \
                   sign\",passes=\"false\"}";
    assert_eq!(value(meaning), 1.0);
    assert!(page.len() < 64 * 1024, "{} octets for one peer", page.len());

    let (status, header, plain) = get(&server, "/metrics", "");
    assert!(status == 200 && header.contains(PLAIN), "{header}");
    assert!(plain.contains("# TYPE sealgate_peer_messages_total counter\n") && !plain.contains("# EOF"), "{plain}");
    busy.goes_on();
}

#[test]
fn the_check_of_the_page_finds_what_is_wrong() {
    let good = "# HELP a A.\n# TYPE a counter\na_total{x=\"1\"} 1\n# EOF\n";
    assert!(check(good).is_ok());
    for (from, to) in [
        ("# EOF\n", ""),
        ("a_total", "a"),
        ("# HELP a A.\n", ""),
        ("# TYPE a counter\n", ""),
        ("counter", "gauge"),
        (" 1\n", " one\n"),
        ("x=\"1\"", "x=1"),
        ("a_total{x=\"1\"} 1\n", "a_total{x=\"1\"} 1\na_total{x=\"1\"} 2\n"),
        ("# EOF", "# HELP a A.\n# TYPE a counter\na_total 1\n# EOF"),
        ("# HELP a A.", "# HELP a"),
    ] {
        assert_eq!(good.matches(from).count(), 1, "{from}");
        assert!(check(&good.replace(from, to)).is_err(), "{to}");
    }
}

/// `SEALGATE_PROMTOOL`, or what is in the path.
#[test]
#[ignore = "needs promtool: scripts/promtool cargo test -p sealgate-control --test http -- --ignored"]
fn promtool_has_nothing_to_say() {
    let lab = Lab::new("promtool");
    let busy = Busy::new(&lab);
    let server = serve(&busy.board);
    busy.goes_on();
    let (_, _, page) = get(&server, "/metrics", "");
    let tool = std::env::var("SEALGATE_PROMTOOL").unwrap_or_else(|_| "promtool".to_owned());
    let mut child = Command::new(&tool)
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{tool}: {error}"));
    child.stdin.take().expect("a pipe").write_all(page.as_bytes()).expect("written");
    let done = child.wait_with_output().expect("it ends");
    let said = [done.stdout, done.stderr].concat();
    assert!(done.status.success() && said.is_empty(), "{}", String::from_utf8_lossy(&said));
}

#[test]
fn health_and_readiness_follow_the_gateway() {
    let lab = Lab::new("health");
    let board = board(&lab);
    let server = serve(&board);
    assert_eq!(get(&server, "/healthz", "").0, 200);
    let (status, _, body) = get(&server, "/readyz", "");
    assert_eq!((status, body.as_str()), (200, "ok\n"));
    board.drain();
    assert_eq!(get(&server, "/healthz", "").0, 200, "it answers and nothing is broken");
    let (status, _, body) = get(&server, "/readyz", "");
    assert_eq!((status, body.as_str()), (503, "drained\n"));
    let (_, _, page) = get(&server, "/metrics", "");
    assert!(page.contains("\nsealgate_forwarding 0"), "{page}");
}

/// A port by which nothing comes, and whose driver does not come back while the flag is up.
struct Stuck(MemPort, Arc<AtomicBool>);

impl FrameIo for Stuck {
    type Frame = <MemPort as FrameIo>::Frame;

    fn rx(&mut self, out: &mut Vec<Self::Frame>, max: usize) -> usize {
        while self.1.load(Ordering::Relaxed) {
            sleep(Duration::from_millis(1));
        }
        self.0.rx(out, max)
    }

    fn tx(&mut self, frames: &mut VecDeque<Self::Frame>) -> usize {
        self.0.tx(frames)
    }

    fn alloc(&mut self) -> Option<Self::Frame> {
        self.0.alloc()
    }

    fn exhausted(&self) -> bool {
        self.0.exhausted()
    }
}

#[test]
fn a_worker_that_stands_still_is_not_healthy_and_what_is_asked_is_answered_all_the_same() {
    let lab = Lab::new("stuck");
    let (pool, flag) = (MemPool::new(16, 2048), Arc::new(AtomicBool::new(false)));
    let port = || Stuck(MemPort::new(&pool), Arc::clone(&flag));
    let board = board_over(&lab, [port(), port()], None);
    let server = serve(&board);
    let until = |want| {
        (0..400).any(|_| {
            get(&server, "/healthz", "").0 == want || {
                sleep(Duration::from_millis(50));
                false
            }
        })
    };
    assert!(until(200));
    flag.store(true, Ordering::Relaxed);
    assert!(until(503), "five seconds later");
    assert_eq!(get(&server, "/healthz", "").2, "workers that do not turn: [0]\n");
    assert_eq!(get(&server, "/metrics", "").0, 200);
    let (_, _, body) = get(&server, "/api/v1/associations", "");
    let document: Value = serde_json::from_str(&body).expect("JSON");
    assert_eq!(document[0]["current"], json!(false), "it did not answer");
    flag.store(false, Ordering::Relaxed);
    assert!(until(200));
}

#[test]
fn documents_are_those_of_the_socket() {
    let lab = Lab::new("documents");
    let board = board(&lab);
    let server = serve(&board);
    for (what, question) in sealgate_control::report::What::ALL {
        let (status, header, body) = get(&server, &format!("/api/v1/{what}"), "");
        assert!(status == 200 && header.contains("application/json"), "{what}: {header}");
        let document: Value = serde_json::from_str(&body).expect("JSON");
        let own = board.document(question, 0);
        assert_eq!(document.is_array(), own.is_array(), "{what}");
    }
    let (_, _, body) = get(&server, "/api/v1/status", "");
    let status: Value = serde_json::from_str(&body).expect("JSON");
    assert_eq!(status["state"], json!("forwarding"));
    let (status, _, body) = get(&server, "/api/v1/keys", "");
    assert!(status == 404 && body.contains("status, workers"), "{body}");
    assert_eq!(get(&server, "/", "").0, 404);
}

#[test]
fn other_hosts_names_and_anything_but_questions_are_refused() {
    let lab = Lab::new("foreign");
    let server = serve(&board(&lab));
    let of = |request: &str| ask(&server, request).0;
    assert_eq!(of("GET /metrics HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n"), 421);
    assert_eq!(of("GET /metrics HTTP/1.0\r\n\r\n"), 421, "no name at all");
    assert_eq!(
        of("POST /api/v1/status HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"),
        405
    );
    assert_eq!(of("GET /api/v1/..%2f..%2fetc HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"), 404);
    assert_eq!(get(&server, "/healthz", "").0, 200);
}
