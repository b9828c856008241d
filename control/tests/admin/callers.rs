//! Callers who may not come in, who say nothing sensible, and who do not listen.

use crate::common::Lab;
use crate::world::Busy;
use sealgate_control::admin::{self, Admin, Request};
use sealgate_control::report::What;
use std::fs::{self, Permissions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

/// Nobody's number on Debian, and a group that nobody has.
const NOBODY: u32 = 65534;
const GROUP: u32 = 47_110;

/// What the gateway says to a thread that calls as this user.
fn call_as(socket: &Path, gid: u32, groups: &'static [u32]) -> String {
    let socket = socket.to_owned();
    let caller = thread::spawn(move || {
        use rustix::process::{Gid, Uid};
        // Of this thread alone: the system calls do not touch the others.
        let groups: Vec<_> = groups.iter().map(|gid| Gid::from_raw(*gid)).collect();
        let (gid, uid) = (Gid::from_raw(gid), Uid::from_raw(NOBODY));
        rustix::thread::set_thread_groups(&groups).expect("root may");
        rustix::thread::set_thread_res_gid(gid, gid, gid).expect("root may");
        rustix::thread::set_thread_res_uid(uid, uid, uid).expect("root may");
        let mut stream = match UnixStream::connect(&socket) {
            Ok(stream) => stream,
            Err(error) => return error.to_string(),
        };
        let mut line = serde_json::to_vec(&Request::new("show", "workers")).expect("JSON");
        line.push(b'\n');
        let _ = stream.write_all(&line);
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let mut reply = String::new();
        let _ = stream.read_to_string(&mut reply);
        reply
    });
    caller.join().expect("no panic")
}

/// The check itself is a pure function with its own test in `admin/who.rs`; this one needs root to become others.
#[test]
fn other_users_are_refused_even_where_the_file_lets_them_and_members_are_not() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("not root: only the pure check was tested");
        return;
    }
    let lab = Lab::new("who");
    fs::set_permissions(&lab.0, Permissions::from_mode(0o755)).expect("owner");
    let busy = Busy::new(&lab);
    let socket = lab.file("door/admin.sock");
    let group = GROUP.to_string();
    let _door = Admin::open(&socket, Some(&group), busy.board.clone()).expect("open");
    let (file, parent) = (fs::metadata(&socket).expect("there"), fs::metadata(lab.file("door")).expect("there"));
    assert_eq!((file.mode() & 0o777, file.gid()), (0o660, GROUP));
    assert_eq!((parent.mode() & 0o777, parent.gid()), (0o750, GROUP));
    assert!(call_as(&socket, NOBODY, &[]).contains("Permission denied"));
    assert!(call_as(&socket, GROUP, &[]).contains("\"turns\""));
    assert!(call_as(&socket, NOBODY, &[GROUP]).contains("\"turns\""), "a member by another group of his");

    fs::set_permissions(lab.file("door"), Permissions::from_mode(0o777)).expect("owner");
    fs::set_permissions(&socket, Permissions::from_mode(0o666)).expect("owner");
    let refused = call_as(&socket, NOBODY, &[]);
    assert!(refused.contains("only root, the gateway's user and its group"), "{refused}");
    assert!(call_as(&socket, NOBODY, &[GROUP]).contains("\"turns\""));
    busy.comes_out_even();
}

#[test]
fn a_group_that_does_not_exist_is_a_fault() {
    let lab = Lab::new("group");
    let board = crate::world::board(&lab);
    let fault =
        Admin::open(&lab.file("admin.sock"), Some("no-such-group-here"), board).err().expect("none").to_string();
    assert!(fault.contains("admin.group: there is no group no-such-group-here"), "{fault}");
    assert!(!lab.file("admin.sock").exists());
}

#[test]
fn garbage_oversize_and_half_requests_touch_no_worker() {
    let lab = Lab::new("garbage");
    let busy = Busy::new(&lab);
    let socket = lab.file("admin.sock");
    let _door = Admin::open(&socket, None, busy.board.clone()).expect("open");
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    let mut octet = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (seed >> 56) as u8
    };
    for round in 0..40 {
        let mut stream = UnixStream::connect(&socket).expect("somebody listens");
        let octets: Vec<u8> = match round % 4 {
            0 => (0..2000).map(|_| octet()).chain(*b"\n").collect(),
            1 => vec![b'['; 64 * 1024],
            2 => br#"{"v":1,"cmd":"trace","filter":{"peer":"nobody"}}"#.iter().copied().chain(*b"\n").collect(),
            _ => br#"{"v":1,"cmd":"show","what":"#.to_vec(),
        };
        let _ = stream.write_all(&octets);
        if round % 4 == 3 {
            let _ = stream.shutdown(std::net::Shutdown::Write);
        }
        let mut reply = Vec::new();
        let _ = stream.read_to_end(&mut reply);
        // Where it was hung up on while it wrote, the reply may be lost with the connection.
        assert!(reply.is_empty() || reply.starts_with(b"{\"error\""), "{}", String::from_utf8_lossy(&reply));
    }
    assert!(admin::ask(&socket, What::Status).is_ok());
    busy.comes_out_even();
}

/// Waits until the other side hangs up on somebody who only writes.
fn until_hung_up(stream: &mut UnixStream, line: &[u8], limit: Duration) {
    stream.set_write_timeout(Some(Duration::from_millis(50))).expect("a socket");
    let until = Instant::now() + limit;
    while Instant::now() < until {
        match stream.write(line) {
            Ok(_) => {}
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(_) => return,
        }
    }
    panic!("nobody hung up");
}

#[test]
fn who_does_not_read_a_long_answer_is_hung_up_on() {
    let lab = Lab::new("deaf");
    let busy = Busy::new(&lab);
    let socket = lab.file("admin.sock");
    let _door = Admin::open(&socket, None, busy.board.clone()).expect("open");
    let mut deaf = UnixStream::connect(&socket).expect("somebody listens");
    let mut line = serde_json::to_vec(&Request::new("show", "trust")).expect("JSON");
    line.push(b'\n');
    busy.goes_on();
    until_hung_up(&mut deaf, &line, Duration::from_secs(30));
    assert!(admin::ask(&socket, What::Status).is_ok());
    busy.comes_out_even();
}

#[test]
fn traces_that_stall_end_and_make_room_for_others() {
    let lab = Lab::new("stall");
    let busy = Busy::new(&lab);
    let socket = lab.file("admin.sock");
    let _door = Admin::open(&socket, None, busy.board.clone()).expect("open");
    let mut line = serde_json::to_vec(&Request::new("trace", "")).expect("JSON");
    line.push(b'\n');
    let mut stalled: Vec<_> = (0..4)
        .map(|_| {
            let mut stream = UnixStream::connect(&socket).expect("somebody listens");
            stream.write_all(&line).expect("written");
            // The first verdict is there, so the trace has begun.
            stream.read_exact(&mut [0; 1]).expect("a verdict");
            stream
        })
        .collect();
    let fifth = admin::stream(&socket, &Request::new("trace", ""), |_, _| true).expect_err("too many").to_string();
    assert!(fifth.contains("four traces run already"), "{fifth}");
    busy.goes_on();
    for stream in &mut stalled {
        until_hung_up(stream, b"\n", Duration::from_secs(30));
    }
    let request = Request { count: Some(3), ..Request::new("trace", "") };
    let mut seen = Vec::new();
    admin::stream(&socket, &request, |what, _| {
        seen.push(what.to_owned());
        true
    })
    .expect("room again");
    assert_eq!(seen, ["verdict", "verdict", "verdict", "end"]);
    busy.comes_out_even();
}
