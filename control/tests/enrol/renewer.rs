//! The thread of a running gateway, against a real server.

use super::*;
use sealgate_control::enrol::renew::{Parts, Renewer};
use std::sync::mpsc;
use std::time::{Duration as Wall, Instant};

const LONG: Wall = Wall::from_secs(30);

#[test]
fn a_running_gateway_renews_and_takes_up_what_it_got() {
    let lab = Lab::new("renewer");
    let wish = Wish { identifiers: None, ..lab.enrolled("home", gt("99901")) };
    let first = wish.places.current().expect("read").expect("there");
    let (told, reloads) = mpsc::channel();
    // Its end is further off than that: nothing is due.
    let parts = Parts {
        wish: wish.clone(),
        before_s: 86_400,
        reload: Box::new(move || told.send(()).map_err(|fault| fault.to_string())),
    };
    let renewer = Renewer::start(parts).expect("started");
    let handle = renewer.handle();
    assert!(reloads.recv_timeout(Wall::from_millis(300)).is_err(), "nothing is due");
    handle.hurry();
    reloads.recv_timeout(LONG).expect("taken up");
    let second = wish.places.current().expect("read").expect("there");
    assert!(second.key != first.key);
    let until = Instant::now() + LONG;
    while handle.document()["not_after"] != second.not_after && Instant::now() < until {
        std::thread::sleep(Wall::from_millis(5));
    }
    let document = handle.document();
    assert_eq!((&document["failures"], &document["in_use"]), (&0.into(), &true.into()), "{document}");
    assert_eq!(document["alarms"], serde_json::json!([]));

    // Refused: an alarm, and what was in force still is.
    lab.authority().revoke("home-2", Reason::PrivilegeWithdrawn, now()).expect("revoked");
    handle.hurry();
    while handle.alarms().iter().count() == 0 && Instant::now() < until {
        std::thread::sleep(Wall::from_millis(5));
    }
    let alarms = handle.alarms();
    let (alarm, standing) = alarms.iter().next().expect("an alarm");
    assert!(alarm.name() == "enrolment_failed" && standing.text.contains("home-2 is revoked"), "{}", standing.text);
    assert_eq!(wish.places.current().expect("read").expect("there").key, second.key);
}

#[test]
fn what_is_renewed_by_itself_is_taken_up_once_others_had_time_to_learn_of_it() {
    let lab = Lab::new("hold");
    let wish = Wish { identifiers: None, ..lab.enrolled("home", gt("99901")) };
    let first = wish.places.current().expect("read").expect("there");
    let (told, reloads) = mpsc::channel();
    // Due since long ago, with some weeks until it is to be taken up.
    let parts = Parts {
        wish: wish.clone(),
        before_s: 500 * 86_400,
        reload: Box::new(move || told.send(()).map_err(|fault| fault.to_string())),
    };
    let renewer = Renewer::start(parts).expect("started");
    let until = Instant::now() + LONG;
    while renewer.handle().document()["in_use"] != false && Instant::now() < until {
        std::thread::sleep(Wall::from_millis(5));
    }
    assert!(wish.places.current().expect("read").expect("there").key != first.key);
    assert!(reloads.recv_timeout(Wall::from_millis(300)).is_err(), "not yet");
    renewer.handle().hurry();
    reloads.recv_timeout(LONG).expect("taken up");
}

#[test]
fn without_a_certificate_there_is_nothing_to_renew() {
    let lab = Lab::new("nothing");
    let wish = lab.gateway("home", gt("99901"));
    let parts = Parts { wish, before_s: 86_400, reload: Box::new(|| Ok(())) };
    let fault = Renewer::start(parts).err().expect("no certificate").to_string();
    assert!(fault.contains("run sealgate enrol"), "{fault}");
}
