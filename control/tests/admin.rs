//! The admin socket: what callers may do, and what is done to callers who do something else.

#[path = "admin/callers.rs"]
mod callers;
mod common;
#[path = "admin/orders.rs"]
mod orders;
#[path = "admin/verdicts.rs"]
mod verdicts;
#[path = "admin/world.rs"]
mod world;

use common::Lab;
use sealgate_control::admin::{self, Admin, Request};
use sealgate_control::report::What;
use serde_json::{Value, json};
use std::fs;
use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::Arc;
use world::board;

/// Sends octets, ends the sending side where `close` says so, and reads all that comes.
fn say(socket: &Path, octets: &[u8], close: bool) -> String {
    let mut stream = UnixStream::connect(socket).expect("somebody listens");
    // The other side may have hung up on us before everything was written.
    let _ = stream.write_all(octets);
    if close {
        let _ = stream.shutdown(Shutdown::Write);
    }
    let mut reply = Vec::new();
    let _ = stream.read_to_end(&mut reply);
    String::from_utf8(reply).expect("UTF-8")
}

fn error(reply: &str) -> String {
    let reply: Value = serde_json::from_str(reply).unwrap_or_else(|fault| panic!("{fault}: {reply:?}"));
    assert_eq!((&reply["v"], &reply["ok"]), (&json!(1), &json!(false)));
    reply["error"].as_str().expect("a text").to_owned()
}

#[test]
fn questions_are_answered_and_everything_else_is_refused() {
    let lab = Lab::new("admin");
    let socket = lab.file("admin.sock");
    let door = Admin::open(&socket, None, board(&lab)).expect("open");
    assert_eq!(fs::metadata(&socket).expect("there").permissions().mode() & 0o777, 0o660);

    let status = admin::ask(&socket, What::Status).expect("an answer");
    assert_eq!((&status["state"], &status["signers"]["good"]), (&json!("forwarding"), &json!(2)), "{status}");
    assert_eq!(status["ports"][1]["device"], "two");
    assert_eq!(status["memory"], json!({ "locked": false, "why": "memory.lock is off" }));
    let all = admin::ask(&socket, What::All).expect("an answer");
    assert_eq!(all["peers"][1]["peer"], "home");
    assert_eq!(all["peers"][0]["mode"], "refused", "senders of no peer");
    assert_eq!(all["trust"]["signers"][0]["state"], "good");
    assert_eq!((&all["reasons"], all["workers"].as_array().map(Vec::len)), (&json!([]), Some(1)));

    // Two questions on one connection.
    let request = |what: &str| json!(Request::new("show", what)).to_string();
    let both = say(&socket, format!("{}\n{}\n", request("workers"), request("reasons")).as_bytes(), true);
    let replies: Vec<Value> = both.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!((&replies[0]["what"], &replies[1]["what"]), (&json!("workers"), &json!("reasons")));

    let of = |octets: &[u8]| error(&say(&socket, octets, false));
    assert!(of(b"GET / HTTP/1.1\r\n\r\n").starts_with("not a request"));
    assert!(of(b"\xff\xfe\n").starts_with("not a request"));
    assert!(of(b"\n").starts_with("not a request"));
    assert!(
        of(br#"{"v":1,"cmd":"show","what":"status","also":1}
"#)
        .contains("also")
    );
    assert!(of(format!("{}\n", request("status").replace("\"v\":1", "\"v\":2")).as_bytes()).contains("version 2"));
    assert!(of(format!("{}\n", request("status").replace("show", "fly")).as_bytes()).contains("not a command"));
    assert!(of(format!("{}\n", request("keys")).as_bytes()).contains("status, workers, peers"));
    assert!(of(&[b'{'; 8192]).contains("longer than 4096"));
    assert!(of(&[b'['; 4000]).contains("within 2 seconds"), "a caller that stops in mid request");
    assert!(error(&say(&socket, b"{\"v\":1", true)).contains("without a line feed"));
    assert_eq!(say(&socket, b"", true), "");

    // Of a repository there is nothing to tell or to do.
    assert_eq!(admin::ask(&socket, What::Repository).expect("an answer"), json!({ "followed": false }));
    for what in ["look", "confirm", "nothing"] {
        let refused = admin::request(&socket, "repository", what).expect_err("none is followed").to_string();
        assert!(refused.contains("follows no repository"), "{refused}");
    }

    // None of that has hurt it.
    assert!(admin::ask(&socket, What::Peers).is_ok());
    drop(door);
    assert!(!socket.exists());
    assert!(admin::ask(&socket, What::Peers).expect_err("gone").to_string().contains("no gateway runs there"));
}

#[test]
fn only_so_many_callers_at_once() {
    let lab = Lab::new("callers");
    let socket = lab.file("admin.sock");
    let _door = Admin::open(&socket, None, board(&lab)).expect("open");
    let callers: Vec<_> = (0..64).map(|_| UnixStream::connect(&socket).expect("somebody listens")).collect();
    // Those who are let in say nothing, and hear so in the end; the others hear at once that there are too many.
    let replies: Vec<String> = callers
        .into_iter()
        .map(|mut stream| {
            let mut reply = String::new();
            stream.read_to_string(&mut reply).expect("a reply");
            error(&reply)
        })
        .collect();
    assert!(replies.iter().any(|reply| reply.contains("too many callers")), "{replies:?}");
    assert!(replies.iter().any(|reply| reply.contains("within 2 seconds")), "{replies:?}");
}

#[test]
fn the_socket_of_the_dead_is_replaced_and_nothing_else() {
    let lab = Lab::new("stale");
    let board = board(&lab);
    let (socket, other) = (lab.file("deep/admin.sock"), lab.file("file"));
    let door = Admin::open(&socket, None, Arc::clone(&board)).expect("its directory is made");
    assert!(admin::check(&socket).expect_err("alive").to_string().contains("another gateway answers"));
    assert!(Admin::open(&socket, None, Arc::clone(&board)).is_err());
    assert!(admin::ask(&socket, What::Status).is_ok(), "the first is unharmed");
    drop(door);

    // A process that was killed leaves a socket that nobody listens on.
    drop(UnixListener::bind(&socket).expect("bound"));
    assert!(socket.exists());
    admin::check(&socket).expect("dead");
    let door = Admin::open(&socket, None, Arc::clone(&board)).expect("replaced");

    // Somebody else's socket in its place is not ours to remove.
    fs::remove_file(&socket).expect("removed");
    let theirs = UnixListener::bind(&socket).expect("bound");
    drop(door);
    assert!(socket.exists());
    drop(theirs);

    fs::write(&other, "precious").expect("written");
    let refused = Admin::open(&other, None, Arc::clone(&board)).err().expect("no socket").to_string();
    assert!(refused.contains("something else than a socket"), "{refused}");
    assert_eq!(fs::read_to_string(&other).expect("still there"), "precious");
    let long = lab.file(&"x".repeat(200));
    assert!(Admin::open(&long, None, board).err().expect("too long").to_string().contains("at most 107 octets"));
}
