use super::*;
use axum::Extension;
use axum::routing::{get, post};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Instant;

/// Short enough for a test, long enough for a machine under load.
const LIMITS: Limits =
    Limits { callers: 3, request: Duration::from_millis(400), body: 1000, stall: Duration::from_millis(400) };
/// No step of a test waits longer.
const LONG: Duration = Duration::from_secs(20);

fn server(limits: Limits) -> Server {
    let big = vec![b'x'; 64 * 1024 * 1024];
    let router = Router::new()
        .route("/hello", get(|Extension(caller): Extension<Caller>| async move { caller.address.to_string() }))
        .route(
            "/length",
            post(|body: Body| async move {
                body.collect().await.map(|all| all.to_bytes().len().to_string()).unwrap_or_default()
            }),
        )
        .route("/big", get(|| async move { big }))
        .route("/never", get(|| async { std::future::pending::<String>().await }))
        .route("/blocked", get(|| async { drop(tokio::task::spawn_blocking(|| std::thread::sleep(LONG)).await) }));
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    Server::start("http-test", listener, router, None, limits).expect("a server")
}

fn call(server: &Server) -> TcpStream {
    let stream = TcpStream::connect(server.address()).expect("a connection");
    stream.set_read_timeout(Some(LONG)).expect("a time limit");
    stream.set_write_timeout(Some(LONG)).expect("a time limit");
    stream
}

/// What comes until the server hangs up, and how long that took.
fn rest(mut stream: TcpStream) -> (String, Duration) {
    let (start, mut all) = (Instant::now(), Vec::new());
    // A connection that is reset has ended as well.
    let ended = stream.read_to_end(&mut all);
    let hung_up =
        !ended.is_err_and(|fault| matches!(fault.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut));
    assert!(hung_up, "the server waits for ever");
    (String::from_utf8_lossy(&all).into_owned(), start.elapsed())
}

fn say(server: &Server, text: &str) -> (String, Duration) {
    let mut stream = call(server);
    // The server may hang up before it has taken everything.
    let _ = stream.write_all(text.as_bytes());
    rest(stream)
}

fn status(answer: &str) -> &str {
    answer.get(9..12).unwrap_or(answer)
}

#[test]
fn a_whole_request_is_answered_and_another_on_the_same_connection() {
    let server = server(LIMITS);
    let mut stream = call(&server);
    stream.write_all(b"GET /hello HTTP/1.1\r\nHost: x\r\n\r\n").expect("written");
    let mut part = [0; 1024];
    let count = stream.read(&mut part).expect("an answer");
    assert!(part[..count].ends_with(stream.local_addr().expect("an address").to_string().as_bytes()));
    stream
        .write_all(b"POST /length HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nConnection: close\r\n\r\nabcde")
        .expect("written");
    let (answer, _) = rest(stream);
    assert!(status(&answer) == "200" && answer.ends_with("\r\n\r\n5"), "{answer}");
    assert_eq!(status(&say(&server, "GET /x HTTP/1.0\r\n\r\n").0), "404");
    assert_eq!(status(&say(&server, "\x16\x03\x01 what is this\r\n\r\n").0), "400");
}

#[test]
fn half_a_request_and_a_silent_caller_are_hung_up_on() {
    let server = server(LIMITS);
    for half in ["", "GET /hel", "GET /hello HTTP/1.1\r\nHost: x\r\n"] {
        let (_, took) = say(&server, half);
        assert!(took >= LIMITS.request / 2 && took < LONG, "{half:?}: {took:?}");
    }
    let (answer, _) = say(&server, "POST /length HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc");
    assert_eq!(status(&answer), "408");
    let (answer, _) = say(&server, "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!(status(&answer), "200", "answered first, and hung up on when nothing more came");
}

#[test]
fn a_header_that_drips_ends_in_time_however_slowly_it_goes_on() {
    let server = server(LIMITS);
    let mut stream = call(&server);
    let start = Instant::now();
    stream.write_all(b"GET /hello HTTP/1.1\r\n").expect("written");
    let mut count = 0;
    while stream.write_all(b"x: y\r\n").is_ok() && start.elapsed() < LONG {
        count += 1;
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(start.elapsed() < LONG && count > 1, "{:?}", start.elapsed());
}

#[test]
fn what_is_too_large_is_refused() {
    let server = server(LIMITS);
    let post = |length: usize, body: &str| {
        say(&server, &format!("POST /length HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n{body}")).0
    };
    assert_eq!(status(&post(1000, &"a".repeat(1000))), "200");
    assert_eq!(status(&post(1001, &"a".repeat(1001))), "413");
    assert_eq!(status(&post(500_000, &"a".repeat(500_000))), "413", "the caller sees it though it goes on writing");
    assert_ne!(status(&post(usize::MAX / 2, &"a".repeat(2 * MAX_DRAIN))), "200");
    let part = |length: usize| format!("{length:x}\r\n{}\r\n", "a".repeat(length));
    let head = "POST /length HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    let chunks = head.to_owned() + &part(100) + &part(901) + &part(0);
    assert_eq!(status(&say(&server, &chunks).0), "413");
    let long = format!("GET /hello HTTP/1.1\r\nx: {}\r\n\r\n", "y".repeat(2 * MAX_HEADER));
    assert_eq!(status(&say(&server, &long).0), "431");
}

#[test]
fn callers_beyond_the_limit_are_hung_up_on_and_a_place_is_free_again_later() {
    let server = server(Limits { request: LONG * 2, ..LIMITS });
    let taken: Vec<_> = (0..LIMITS.callers).map(|_| call(&server)).collect();
    let (answer, _) = rest(call(&server));
    assert_eq!(answer, "");
    drop(taken);
    let start = Instant::now();
    // The server sees in its own time that they are gone.
    while start.elapsed() < LONG {
        let mut stream = call(&server);
        let _ = stream.write_all(b"GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        if status(&rest(stream).0) == "200" {
            return;
        }
    }
    panic!("the places stay taken");
}

#[test]
fn a_caller_that_takes_nothing_of_its_answer_is_hung_up_on() {
    let server = server(Limits { callers: 1, ..LIMITS });
    let mut stream = call(&server);
    stream.write_all(b"GET /big HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").expect("written");
    let start = Instant::now();
    // Its place, the only one, becomes free though it does not hang up.
    loop {
        assert!(start.elapsed() < LONG, "the place stays taken");
        let mut other = call(&server);
        let _ = other.write_all(b"GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        if status(&rest(other).0) == "200" {
            break;
        }
    }
    let (answer, _) = rest(stream);
    assert!(status(&answer) == "200" && answer.len() < 64 * 1024 * 1024, "{}", answer.len());
}

#[test]
fn it_stops_within_a_second_whatever_its_callers_do() {
    let server = server(Limits { callers: 8, request: LONG, stall: LONG, ..LIMITS });
    let open: Vec<_> = [
        "",
        "GET /hel",
        "POST /length HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc",
        "GET /never HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /big HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /blocked HTTP/1.1\r\nHost: x\r\n\r\n",
    ]
    .iter()
    .map(|text| {
        let mut stream = call(&server);
        stream.write_all(text.as_bytes()).expect("written");
        stream
    })
    .collect();
    // Another caller's answer shows that the server is at work on the others.
    let (answer, _) = say(&server, "GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert_eq!(status(&answer), "200");
    let (address, start) = (server.address(), Instant::now());
    drop(server);
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
    for stream in open {
        rest(stream);
    }
    assert!(TcpStream::connect(address).is_err());
}

/// A caller that never begins its handshake, and one that says something else than TLS.
#[test]
fn a_handshake_that_does_not_come_ends_in_time() {
    let dir = std::env::temp_dir().join(format!("sealgate-http-{}", std::process::id()));
    let (tls, _) = crate::authority::serve::identity(&dir, &["localhost".to_owned()]).expect("an identity");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let server = Server::start("http-test", listener, Router::new(), Some(tls), LIMITS).expect("a server");
    let (answer, took) = say(&server, "");
    assert!(answer.is_empty() && took >= LIMITS.request / 2 && took < LONG, "{took:?}");
    let (answer, _) = say(&server, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    assert!(!answer.starts_with("HTTP"), "{answer}");
    let open = call(&server);
    let start = Instant::now();
    drop(server);
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
    rest(open);
    let _ = std::fs::remove_dir_all(&dir);
}
