//! What control sees through the tap is what happened: frames as they came, verdicts that a filter wants, associations.

mod common;

use common::traffic::{Call, chunk, frame, inbound, outbound, packet};
use common::{Gateway, NOW_MS, key, policy};
use sealgate_config::model::Mode;
use sealgate_crypto::pool::PoolConfig;
use sealgate_dataplane::pipeline::WorkerConfig;
use sealgate_dataplane::pipeline::tap::{Capture, Filter, ReasonSet, SESSIONS, TRACE_QUEUE, Tap, Traced};
use sealgate_dataplane::state::Direction;
use sealgate_wire::sctp::Data;
use sealgate_wire::{Reason, tcap};

/// A gateway that keeps `kept` refused messages of each reason.
fn gateway(kept: u32) -> Gateway {
    let mut policy = policy();
    policy.peers.iter_mut().for_each(|peer| peer.mode = Mode::Require);
    let config = WorkerConfig { journal: true, ..WorkerConfig::default() };
    Gateway::with_memory(&policy, config, PoolConfig::default(), |shared| shared.tap = Tap::new(1, kept))
}

fn drain(gateway: &Gateway) -> Vec<Capture> {
    let mut kept = Vec::new();
    gateway.shared.tap.refused().drain(|capture| kept.push(capture.clone()));
    kept
}

#[test]
fn a_refused_message_is_kept_with_its_frame_as_it_came_and_its_verdict() {
    let mut gateway = gateway(4);
    let unsigned = frame(&inbound(), 1, &Call::inbound(1).unsigned());
    let step = gateway.frame(0, &unsigned, NOW_MS);
    assert_ne!(step.sent[1], std::slice::from_ref(&unsigned), "it left as a no-op");
    let runt = [0; 9];
    let stranger = gateway.frame(0, &runt, NOW_MS + 1);
    let kept = drain(&gateway);
    assert_eq!(kept.iter().map(|one| one.octets.as_slice()).collect::<Vec<_>>(), [unsigned.as_slice(), &runt]);
    assert_eq!(kept[0].seen.record, step.records[0]);
    assert_eq!(kept[1].seen.record, stranger.records[0]);
    assert_eq!((kept[0].seen.time_ms, kept[0].seen.record.reason), (NOW_MS, Reason::SecMissing));
    assert_eq!(kept[1].seen.record.reason, Reason::L2Runt);

    // What passes is not kept, nor what comes again.
    let own = key("a-ec");
    let good = frame(&inbound(), 2, &Call::inbound(2).signed(&own, 1, NOW_MS));
    assert_eq!(gateway.frame(0, &good, NOW_MS + 2).records[0].reason, Reason::OkVerified);
    gateway.frame(0, &unsigned, NOW_MS + 3);
    assert_eq!(drain(&gateway), []);
}

#[test]
fn frames_dropped_for_their_packet_are_kept_too() {
    let mut gateway = gateway(4);
    let mut torn = frame(&inbound(), 1, &Call::inbound(1).unsigned());
    let last = torn.len() - 5;
    torn[last] ^= 1;
    let step = gateway.frame(0, &torn, NOW_MS);
    let kept = drain(&gateway);
    assert_eq!(kept.iter().map(|one| (one.seen.record, &one.octets)).collect::<Vec<_>>(), [(step.records[0], &torn)]);
    assert_eq!(kept[0].seen.record.reason, Reason::SctpCrc32c);
}

#[test]
fn a_flood_leaves_room_for_the_rare() {
    let mut gateway = gateway(3);
    let flood: Vec<_> = (0..500).map(|i| frame(&inbound(), i, &Call::inbound(i).unsigned())).collect();
    for burst in flood.chunks(32) {
        gateway.burst(0, &burst.iter().map(Vec::as_slice).collect::<Vec<_>>(), NOW_MS);
    }
    gateway.frame(0, &[0; 9], NOW_MS);
    let kept = drain(&gateway);
    let count = |reason| kept.iter().filter(|one| one.seen.record.reason == reason).count();
    assert_eq!((count(Reason::SecMissing), count(Reason::L2Runt)), (3, 1));
}

fn traced(gateway: &Gateway, session: sealgate_dataplane::pipeline::tap::Session) -> (Vec<Traced>, u64) {
    let mut out = Vec::new();
    let missed = gateway.shared.tap.take(session, TRACE_QUEUE, &mut out);
    (out, missed)
}

#[test]
fn a_trace_sees_what_its_filter_wants_and_nothing_after_it_ends() {
    let mut gateway = gateway(0);
    let digits = |text: &str| text.parse().expect("digits");
    let filters = [
        Filter::default(),
        Filter { calling: Some(digits("99902")), operation: Some(2), ..Filter::default() },
        Filter { called: Some(digits("99902")), ..Filter::default() },
        Filter { reasons: Some(ReasonSet::of([Reason::L2Runt])), ..Filter::default() },
    ];
    let sessions = filters.map(|filter| gateway.shared.tap.begin(filter).expect("room"));
    assert_eq!(gateway.shared.tap.begin(Filter::default()), None, "{SESSIONS} are all");
    gateway.frame(0, &frame(&inbound(), 1, &Call::inbound(1).unsigned()), NOW_MS);
    gateway.frame(1, &frame(&outbound(), 1, &Call::outbound(2).unsigned()), NOW_MS + 1);
    gateway.frame(0, &[0; 9], NOW_MS + 2);
    let seen = sessions.map(|session| traced(&gateway, session));
    let reasons = |(list, _): &(Vec<Traced>, u64)| list.iter().map(|one| one.seen.record.reason).collect::<Vec<_>>();
    assert_eq!(reasons(&seen[0]), [Reason::SecMissing, Reason::OkSignedEgress, Reason::L2Runt]);
    assert_eq!(reasons(&seen[1]), [Reason::SecMissing]);
    assert_eq!(reasons(&seen[2]), [Reason::OkSignedEgress]);
    assert_eq!(reasons(&seen[3]), [Reason::L2Runt]);
    let spoken = seen[1].0[0].spoken;
    assert_eq!(spoken.calling.map(|(title, ssn)| (title.to_string(), ssn.0)), Some(("999020000011".to_owned(), 7)));
    assert_eq!((spoken.kind, spoken.operations()), (Some(tcap::MessageKind::Begin), &[2][..]));
    assert_eq!(seen[1].0[0].seen.record.way, Some(Direction::In));

    for session in sessions {
        gateway.shared.tap.end(session);
    }
    let again = gateway.shared.tap.begin(Filter::default()).expect("room again");
    gateway.shared.tap.end(again);
    gateway.frame(0, &[0; 9], NOW_MS + 3);
    assert_eq!(traced(&gateway, again), (vec![], 0));
}

#[test]
fn what_does_not_fit_is_counted() {
    let mut gateway = gateway(0);
    let session = gateway.shared.tap.begin(Filter::default()).expect("room");
    let over = 5;
    for i in 0..TRACE_QUEUE + over {
        gateway.frame(0, &[0; 9], NOW_MS + i as u64);
    }
    let (list, missed) = traced(&gateway, session);
    assert_eq!((list.len(), missed), (TRACE_QUEUE, over as u64));
}

#[test]
fn a_message_in_several_chunks_is_read_whole_and_keeps_its_last_frame() {
    let mut gateway = gateway(2);
    let session = gateway.shared.tap.begin(Filter::default()).expect("room");
    let user = Call::inbound(1).unsigned();
    let whole = packet(&inbound(), &[chunk(1, &user)]);
    let (one, two) = user.split_at(80);
    // The same chunk cut in two (RFC 9260 §6.9).
    let frames = [(1, one, true), (2, two, false)].map(|(tsn, part, first)| {
        packet(&inbound(), &[Data { begin: first, end: !first, ssn: 1, ..chunk(tsn, part) }])
    });
    assert!(frames.iter().all(|frame| frame.len() < whole.len()));
    gateway.frame(0, &frames[0], NOW_MS);
    assert_eq!(drain(&gateway), []);
    gateway.frame(0, &frames[1], NOW_MS);
    let kept = drain(&gateway);
    assert_eq!(kept.iter().map(|one| &one.octets).collect::<Vec<_>>(), [&frames[1]]);
    let (list, _) = traced(&gateway, session);
    assert_eq!(list[0].spoken.calling.map(|(title, _)| title.to_string()), Some("999020000011".to_owned()));
}

#[test]
fn associations_are_shown_when_somebody_asks() {
    let mut gateway = gateway(0);
    gateway.frame(0, &frame(&inbound(), 1, &Call::inbound(1).unsigned()), NOW_MS);
    gateway.worker.publish();
    assert_eq!(gateway.shared.tap.view(0).map(|view| (view.answers, view.total)), Some((0, 0)), "nobody asked");
    let question = gateway.shared.tap.ask_views();
    gateway.worker.publish();
    let view = gateway.shared.tap.view(0).expect("one worker");
    assert_eq!((view.answers, view.total, view.list.len()), (question, 1, 1));
    let one = view.list[0];
    assert_eq!((one.remote, one.local, one.seen_ms, one.waiting), (2905, 2905, NOW_MS, [0, 0]));
    assert_eq!(gateway.shared.tap.view(1), None);
}
