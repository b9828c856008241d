//! Orders, and what is told of alarms, associations and memories.

use crate::common::{HOME, Lab, OTHER};
use crate::world::{Busy, board};
use sealgate_control::admin::{self, Admin};
use sealgate_control::report::What;
use sealgate_dataplane::engine::now_ms;
use sealgate_dataplane::state::dialogues::{Begun, Opening};
use serde_json::json;
use std::fs;
use std::process::Command;
use std::sync::Arc;
use std::thread::sleep;
use std::time::Duration;

#[test]
fn a_drained_gateway_forwards_nothing_and_still_answers() {
    let lab = Lab::new("drain");
    let busy = Busy::new(&lab);
    let socket = lab.file("admin.sock");
    let _door = Admin::open(&socket, None, Arc::clone(&busy.board)).expect("open");
    busy.goes_on();
    let how = admin::request(&socket, "drain", "").expect("drained");
    assert_eq!(how, json!({ "late": 0, "failed": 0, "stuck": 0 }));
    let first = admin::ask(&socket, What::Status).expect("an answer");
    assert_eq!((&first["state"], &first["frames"]["held"]), (&json!("drained"), &json!(0)));
    assert_eq!(first["frames"]["unaccounted"], json!(0));
    let second = admin::ask(&socket, What::Status).expect("an answer");
    assert_eq!(first["frames"], second["frames"], "nothing moves any more");
    assert!(admin::request(&socket, "drain", "").is_ok(), "again is nothing new");
    assert!(!busy.board.stop_wished());
    admin::request(&socket, "stop", "").expect("heard");
    assert!(busy.board.stop_wished());
}

#[test]
fn associations_memories_and_alarms_are_shown() {
    let lab = Lab::new("shown");
    let busy = Busy::new(&lab);
    let socket = lab.file("admin.sock");
    let _door = Admin::open(&socket, None, Arc::clone(&busy.board)).expect("open");
    busy.goes_on();
    let workers = admin::ask(&socket, What::Associations).expect("an answer");
    assert_eq!((&workers[0]["total"], &workers[0]["current"]), (&json!(1), &json!(true)), "{workers}");
    let one = &workers[0]["associations"][0];
    assert_eq!((&one["link"], &one["remote"], &one["proven"]), (&json!("wire"), &json!(2905), &json!(false)));
    let replay = admin::ask(&socket, What::Replay).expect("an answer");
    assert_eq!(replay["windows"]["in_use"], json!(0));
    assert!(replay["windows"]["limit"].as_u64().is_some_and(|limit| limit >= 256), "{replay}");
    assert_eq!(admin::ask(&socket, What::Alarms).expect("an answer"), json!([]));
    let peers = admin::ask(&socket, What::Peers).expect("an answer");
    let signatures = &peers[1]["in"]["signatures"];
    assert!(signatures["absent"].as_u64().is_some_and(|count| count > 100), "{peers}");
    assert_eq!(signatures["valid"], json!(0));
    let migration = admin::ask(&socket, What::Migration).expect("an answer");
    assert_eq!((&migration[0]["peer"], &migration[0]["mode"]), (&json!("home"), &json!("require")));
    assert_eq!(migration[0]["sources"], json!([]), "all of it is refused already");
    let windows = migration[0]["windows"].as_array().expect("a list");
    assert!(windows.iter().all(|one| one["signatures"]["absent"].as_u64() > Some(0)), "{migration}");
}

#[test]
fn open_transactions_are_shown_by_peer() {
    let lab = Lab::new("dialogues");
    lab.gateway(&OTHER, &HOME, "null", "null");
    let policy = fs::read_to_string(lab.file("other-policy.yaml")).expect("there");
    let limited = policy.replacen("mode: require", "mode: require, transactions: {limit: 2, timeout: 1min}", 1);
    assert_ne!(policy, limited);
    let pool = sealgate_dataplane::io::mem::MemPool::new(16, 2048);
    let ports = [&pool, &pool].map(sealgate_dataplane::io::mem::MemPort::new);
    let board = crate::world::board_over(&lab, ports, Some(&limited));
    let socket = lab.file("admin.sock");
    let _door = Admin::open(&socket, None, Arc::clone(&board)).expect("open");
    let dialogues = &board.engine.shared().dialogues;
    for (number, peer, begun) in
        [(1, 1, Begun::ByUs), (2, 1, Begun::ByThem), (3, 1, Begun::ByThem), (4, 0, Begun::ByUs)]
    {
        let opening = Opening { begun: Some(begun), ..Opening::ours(peer) };
        assert!(dialogues.open(dialogues.key(&[number], b"1"), opening, now_ms()));
    }
    let shown = admin::ask(&socket, What::Replay).expect("an answer");
    let transactions = &shown["transactions"];
    assert_eq!(
        (&transactions["open"], &transactions["opened"], &transactions["refused"]),
        (&json!(4), &json!(4), &json!(0))
    );
    let want = json!([
        { "peer": "home", "by_them": 2, "by_us": 1, "limit": 2 },
        { "peer": "unknown", "by_them": 0, "by_us": 1, "limit": 65_536 },
    ]);
    assert_eq!(transactions["peers"], want);
    let done = Command::new(env!("CARGO_BIN_EXE_sealgate")).args(["show", "replay", "--socket"]).arg(&socket).output();
    let text = String::from_utf8(done.expect("it runs").stdout).expect("text");
    assert!(text.contains("transactions: 4 open; 4 opened, 0 expired, 0 evicted, 0 refused"), "{text}");
    let row = text.lines().find(|line| line.starts_with("home ")).expect("a row");
    assert_eq!(row.split_whitespace().collect::<Vec<_>>(), ["home", "2", "1", "2"]);
}

#[test]
fn who_would_be_refused_in_mode_require_is_named() {
    let lab = Lab::new("migration");
    lab.gateway(&OTHER, &HOME, "null", "null");
    let file = lab.file("other-policy.yaml");
    let policy = fs::read_to_string(&file).expect("there");
    assert_eq!(policy.matches("mode: require").count(), 1);
    let busy = Busy::with_policy(&lab, &policy.replace("mode: require", "mode: prefer"));
    busy.goes_on();
    let mut migration = json!(null);
    for _ in 0..500 {
        migration = busy.board.document(What::Migration, now_ms());
        if migration[0]["sources"] != json!([]) {
            break;
        }
        sleep(Duration::from_millis(10));
    }
    assert_eq!(migration[0]["mode"], json!("prefer"));
    let sources = migration[0]["sources"].as_array().expect("a list");
    assert!(
        matches!(sources.as_slice(), [one] if one["title"].as_str().is_some_and(|title| title.starts_with("99901")))
    );
    busy.comes_out_even();
}

#[test]
fn what_active_screening_would_refuse_is_shown_with_its_rule() {
    let lab = Lab::new("screening");
    lab.gateway(&OTHER, &HOME, "null", "null");
    let policy = fs::read_to_string(lab.file("other-policy.yaml")).expect("there");
    assert_eq!(policy.matches("mode: require").count(), 1);
    let rules = "\nrules:\n  - {id: no-routing, match: {protocol: map, direction: in, opcode: [45]}, action: drop}\n  \
                 - {id: never, match: {protocol: cap}, action: alert}\n";
    let policy = policy.replace("mode: require", "mode: prefer, screening: test") + rules;
    let busy = Busy::with_policy(&lab, &policy);
    busy.goes_on();
    let mut screening = json!(null);
    for _ in 0..500 {
        screening = busy.board.document(What::Screening, now_ms());
        if screening[1]["examples"] != json!([]) {
            break;
        }
        sleep(Duration::from_millis(10));
    }
    let peer = &screening[1];
    assert_eq!((&peer["peer"], &peer["screening"]), (&json!("home"), &json!("test")));
    assert!(peer["in"]["R_POL_RULE"].as_u64() > Some(0), "{screening}");
    assert_eq!(peer["in"]["R_POL_RULE"], peer["would_be_refused"], "and for nothing else");
    let example = &peer["examples"][0];
    assert_eq!((&example["rule"], &example["would"]), (&json!("no-routing"), &json!("R_POL_RULE")), "{example}");
    assert_eq!(example["passes"], json!(true));
    let rules = busy.board.document(What::Rules, now_ms());
    assert_eq!((&rules["rules"][0]["rule"], &rules["rules"][1]["matched"]), (&json!("no-routing"), &json!(0)));
    assert!(rules["rules"][0]["refused"].as_u64() > Some(0), "{rules}");
    assert_eq!(rules["rules"][0]["matched"], rules["rules"][0]["refused"]);
    assert_eq!(rules["compiled"]["rules"], json!(2));
    busy.comes_out_even();
}

#[test]
fn the_log_level_is_said_and_changed() {
    let lab = Lab::new("level");
    let socket = lab.file("admin.sock");
    let _door = Admin::open(&socket, None, board(&lab)).expect("open");
    sealgate_control::logging::start();
    let level = |what: &str| admin::request(&socket, "log-level", what);
    assert_eq!(level("warn,sealgate_control=info").expect("taken")["level"], json!("warn,sealgate_control=info"));
    assert!(level("inffo").expect_err("none").to_string().contains("is not a level"));
    assert_eq!(level("").expect("said")["level"], json!("warn,sealgate_control=info"));
}

#[test]
fn nothing_is_asked_of_a_worker_that_has_ended() {
    let lab = Lab::new("ended");
    let board = board(&lab);
    board.drain();
    let workers = board.document(What::Associations, 0);
    assert_eq!(workers[0]["associations"], json!([]));
    assert_eq!(board.observer.stalled(), [] as [usize; 0]);
}
