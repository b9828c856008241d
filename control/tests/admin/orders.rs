//! Orders, and what is told of alarms, associations and memories.

use crate::common::Lab;
use crate::world::{Busy, board};
use sealgate_control::admin::{self, Admin};
use sealgate_control::report::What;
use serde_json::json;
use std::sync::Arc;

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
