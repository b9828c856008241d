//! Single verdicts: traced as they happen, and kept with their frames.

use crate::common::{HOME, Lab, OTHER};
use crate::world::{Busy, board};
use sealgate_control::admin::{self, Admin, Request, Words};
use sealgate_control::report::What;
use sealgate_dataplane::io::pcap::Reader;
use serde_json::{Value, json};
use std::fs::{self, Permissions};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

fn trace(socket: &std::path::Path, count: u64, filter: Words) -> Vec<(String, Value)> {
    let request = Request { count: Some(count), filter: Some(filter), ..Request::new("trace", "") };
    let mut seen = Vec::new();
    admin::stream(socket, &request, |what, data| {
        seen.push((what.to_owned(), data.clone()));
        true
    })
    .unwrap_or_else(|error| panic!("{error}"));
    seen
}

#[test]
fn a_trace_shows_what_matches_and_ends_after_so_many() {
    let lab = Lab::new("trace");
    let busy = Busy::new(&lab);
    let socket = lab.file("admin.sock");
    let _door = Admin::open(&socket, None, busy.board.clone()).expect("open");
    let filter = Words {
        peer: Some("home".to_owned()),
        direction: Some("in".to_owned()),
        link: Some("wire".to_owned()),
        reasons: vec!["R_SEC_MISSING".to_owned(), "R_SEC_REPLAY".to_owned()],
        calling: Some("99901".to_owned()),
        called: Some("9990".to_owned()),
        operation: Some(45),
        ..Words::default()
    };
    let seen = trace(&socket, 2, filter);
    assert_eq!(seen.len(), 3);
    let (what, first) = &seen[0];
    assert_eq!((what.as_str(), &first["reason"], &first["code"]), ("verdict", &json!("R_SEC_MISSING"), &json!(400)));
    assert_eq!((&first["peer"], &first["link"], &first["direction"]), (&json!("home"), &json!("wire"), &json!("in")));
    assert_eq!((&first["tcap"], &first["operations"]), (&json!("begin"), &json!([45])));
    assert!(first["calling"]["title"].as_str().is_some_and(|title| title.starts_with("99901")), "{first}");
    assert_eq!((seen[2].0.as_str(), &seen[2].1["shown"]), ("end", &json!(2)));

    let of = |filter: Words| {
        let request = Request { filter: Some(filter), ..Request::new("trace", "") };
        admin::stream(&socket, &request, |_, _| true).expect_err("refused").to_string()
    };
    assert!(of(Words { peer: Some("x".to_owned()), ..Words::default() }).contains("there is no peer \"x\""));
    assert!(of(Words { link: Some("x".to_owned()), ..Words::default() }).contains("there is no link \"x\""));
    assert!(of(Words { direction: Some("up".to_owned()), ..Words::default() }).contains("there are: in, out"));
    assert!(of(Words { rule: Some("x".to_owned()), ..Words::default() }).contains("there is no rule \"x\""));
    assert!(of(Words { reasons: vec!["R_X".to_owned()], ..Words::default() }).contains("is not a reason"));
    assert!(of(Words { calling: Some("12a".to_owned()), ..Words::default() }).contains("first digits"));
}

#[test]
fn a_trace_names_the_rule_that_decided_and_can_ask_for_one() {
    let lab = Lab::new("trace-rule");
    lab.gateway(&OTHER, &HOME, "null", "null");
    let policy =
        fs::read_to_string(lab.file("other-policy.yaml")).expect("there").replace("mode: require", "mode: prefer");
    let rules = "\nrules:\n  - {id: told, match: {protocol: map, direction: in, opcode: [45]}, action: alert}\n";
    let busy = Busy::with_policy(&lab, &(policy + rules));
    let socket = lab.file("admin.sock");
    let _door = Admin::open(&socket, None, busy.board.clone()).expect("open");
    let seen = trace(&socket, 2, Words { rule: Some("told".to_owned()), ..Words::default() });
    let verdict = &seen[0].1;
    assert_eq!((&verdict["rule"], &verdict["reason"]), (&json!("told"), &json!("R_OK_UNSIGNED_ALLOWED")), "{verdict}");
    busy.board.observer.look();
    let alarms = busy.board.document(What::Alarms, sealgate_dataplane::engine::now_ms());
    assert!(alarms.as_array().is_some_and(|all| all.iter().any(|one| one["name"] == "rule_alert")), "{alarms}");
}

#[test]
fn a_trace_of_a_caller_who_went_away_ends() {
    let lab = Lab::new("gone");
    // Nothing comes by, so that nothing is written to the caller either.
    let board = board(&lab);
    let socket = lab.file("admin.sock");
    let _door = Admin::open(&socket, None, board.clone()).expect("open");
    let tap = &board.engine.shared().tap;
    let until = |count| {
        (0..1000).any(|_| {
            tap.sessions() == count || {
                sleep(Duration::from_millis(10));
                false
            }
        })
    };
    let mut line = serde_json::to_vec(&Request::new("trace", "")).expect("JSON");
    line.push(b'\n');
    let callers: Vec<_> = (0..4)
        .map(|_| {
            let mut stream = UnixStream::connect(&socket).expect("somebody listens");
            stream.write_all(&line).expect("written");
            stream
        })
        .collect();
    assert!(until(4), "{} traces", tap.sessions());
    drop(callers);
    assert!(until(0), "{} traces of nobody", tap.sessions());
}

#[test]
fn refused_messages_are_kept_and_written_for_their_owner_alone() {
    let lab = Lab::new("refused");
    let busy = Busy::new(&lab);
    let socket = lab.file("admin.sock");
    let _door = Admin::open(&socket, None, busy.board.clone()).expect("open");
    busy.goes_on();
    let kept = admin::ask(&socket, What::Refused).expect("an answer");
    let kept = kept.as_array().expect("a list");
    assert_eq!(kept.len(), 4, "the last four of the only reason");
    assert!(kept.iter().all(|one| one["reason"] == "R_SEC_MISSING" && one["frame"] == Value::Null));
    assert_eq!((&kept[0]["peer"], &kept[0]["operations"]), (&json!("home"), &json!([45])));
    let of = |reason: &str| {
        let filter = Some(Words { reasons: vec![reason.to_owned()], ..Words::default() });
        admin::send(&socket, &Request { filter, ..Request::new("show", "refused") })
    };
    assert_eq!(of("R_SEC_REPLAY").expect("an answer"), json!([]));
    assert!(of("R_NOTHING").expect_err("no reason").to_string().contains("R_NOTHING"));

    let file = lab.file("refused.pcapng");
    fs::write(&file, "old").expect("written");
    fs::set_permissions(&file, Permissions::from_mode(0o644)).expect("owner");
    let done = Command::new(env!("CARGO_BIN_EXE_sealgate"))
        .args(["show", "refused", "--reason", "R_SEC_MISSING", "--socket"])
        .arg(&socket)
        .arg("--pcapng")
        .arg(&file)
        .output()
        .expect("it runs");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    assert!(String::from_utf8_lossy(&done.stdout).starts_with("4 frame(s) in "));
    assert_eq!(fs::metadata(&file).expect("there").mode() & 0o777, 0o600);
    let (mut reader, mut octets, mut frames) = (Reader::open(&file).expect("a capture"), Vec::new(), Vec::new());
    while reader.read(&mut octets).expect("a frame").is_some() {
        frames.push(octets.clone());
    }
    let want = crate::common::frame(1, &crate::common::message());
    assert_eq!(frames.iter().map(Vec::len).collect::<Vec<_>>(), [want.len(); 4], "as they came, not as no-ops");
    let comment = b"R_SEC_MISSING (400) octet 0: no signature, and the peer must sign; peer home; link wire; worker 0";
    let whole = fs::read(&file).expect("there");
    assert_eq!(whole.windows(comment.len()).filter(|window| window == comment).count(), 4);
    busy.comes_out_even();
}
