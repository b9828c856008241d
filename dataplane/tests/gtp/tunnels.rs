//! Who may speak of a tunnel: whose it is, and who was asked.

use sealgate_config::model::{Policy, TunnelCheck};
use sealgate_dataplane::pipeline::WorkerConfig;
use sealgate_dataplane::state::requests::WAIT_MS;
use sealgate_wire::Reason;

use crate::common::gtp::{A, B, OURS, Said, control, frame, v1, v2};
use crate::common::{Gateway, NOW_MS, policy};
use crate::{OF_B, OUR_SUBSCRIBER, reasons};

/// Another node of A.
const A2: [u8; 4] = [192, 0, 2, 97];

fn strict() -> Policy {
    let mut policy = policy();
    policy.defaults.tunnels.adopt_s = 0;
    for link in &mut policy.links {
        link.gtp.tunnels = TunnelCheck::Enforce;
    }
    for peer in &mut policy.peers {
        (peer.gtp.messages_v1, peer.gtp.messages_v2) = (None, None);
    }
    policy
}

fn running(policy: &Policy) -> Gateway {
    Gateway::running(policy)
}

/// A message with another number.
fn numbered(mut message: Vec<u8>, sequence: u8) -> Vec<u8> {
    let at = if message[0] >> 5 == 1 { 9 } else { 10 };
    message[at] = sequence;
    message
}

/// F-TEID of version 2.
fn f_teid(instance: u8, interface: u8, teid: u8, address: [u8; 4]) -> Vec<u8> {
    [&[87, 0, 9, instance, 0x80 | interface, 0, 0, 0, teid][..], &address].concat()
}

/// Cause of version 2.
fn cause(cause: u8) -> Vec<u8> {
    vec![2, 0, 2, 0, cause, 0]
}

/// A Create Session Request from a node of A or B for a subscriber of ours, or of theirs.
fn session(address: [u8; 4]) -> Vec<u8> {
    let (imsi, network) = if address == B { (OF_B, 3) } else { (OUR_SUBSCRIBER, 2) };
    v2(32, 0, &Said { imsi, network, address }.v2())
}

/// What our node answers to it: its own endpoint for the control plane.
fn accepted(teid: u8) -> Vec<u8> {
    v2(33, 9, &[cause(16), f_teid(1, 7, teid, OURS)].concat())
}

impl Gateway {
    /// What comes of a message from a node.
    fn says(&mut self, node: [u8; 4], message: &[u8], at_ms: u64) -> Reason {
        let step = self.frame(0, &control(node, message), at_ms);
        assert_eq!(step.sent[1].len(), usize::from(reasons(&step)[0].passes()));
        reasons(&step)[0]
    }

    /// Our node says something, which always leaves.
    fn we_say(&mut self, node: [u8; 4], message: &[u8], at_ms: u64) {
        let step = self.frame(1, &frame((OURS, 2123), (node, 2123), message), at_ms);
        assert_eq!((reasons(&step), step.sent[0].len()), (vec![Reason::OkNotSubject], 1));
    }

    /// A has a session at our endpoint.
    fn with_session(policy: &Policy, teid: u8) -> Self {
        let mut gateway = running(policy);
        assert_eq!(gateway.says(A, &session(A), NOW_MS), Reason::OkUnsignedAllowed);
        gateway.we_say(A, &accepted(teid), NOW_MS);
        gateway
    }

    fn tunnels(&self) -> sealgate_dataplane::state::tunnels::Counters {
        self.shared.tunnels.counters()
    }
}

#[test]
fn a_tunnel_is_the_peers_to_whom_it_was_given() {
    let mut gateway = Gateway::with_session(&strict(), 77);
    let change = |teid| v2(34, teid, &[]);
    for (node, message, want, why) in [
        (A, change(77), Reason::OkUnsignedAllowed, "its own"),
        (A2, change(77), Reason::OkUnsignedAllowed, "the subscriber is at another node of A by now"),
        (B, change(77), Reason::GtpState, "of another"),
        (B, v2(36, 77, &[]), Reason::GtpState, "who wants it to end"),
        (B, v2(99, 77, &[73, 0, 1, 0, 5]), Reason::GtpState, "or its bearer"),
        (A, change(78), Reason::GtpState, "of nobody"),
        (A, change(0), Reason::GtpState, "no tunnel is named"),
        (A, v1(18, 77, &[]), Reason::GtpState, "the same number in the other version"),
        (A, session(A), Reason::OkUnsignedAllowed, "one more, which has no tunnel yet"),
    ] {
        assert_eq!(gateway.says(node, &message, NOW_MS + 1), want, "{why}");
    }
    assert_eq!(gateway.worker.stats().total(Reason::GtpState), 6);
}

#[test]
fn what_our_node_refuses_opens_nothing() {
    for answer in
        [v2(33, 9, &[cause(73), f_teid(1, 7, 77, OURS)].concat()), v2(33, 9, &cause(16)), v2(35, 9, &cause(16))]
    {
        let mut gateway = running(&strict());
        gateway.says(A, &session(A), NOW_MS);
        gateway.we_say(A, &answer, NOW_MS);
        assert_eq!(gateway.says(A, &v2(34, 77, &[]), NOW_MS), Reason::GtpState, "{answer:?}");
    }
}

#[test]
fn an_answer_needs_its_question() {
    let ask = |gateway: &mut Gateway| {
        let said = Said { imsi: OF_B, network: 1, address: OURS };
        gateway.we_say(B, &v2(32, 0, &said.v2()), NOW_MS);
    };
    let answer = v2(33, 9, &[cause(16), f_teid(1, 7, 5, B)].concat());
    for (node, message, at_ms, want, why) in [
        (B, answer.clone(), 0, Reason::OkUnsignedAllowed, "it was asked"),
        (A, v2(33, 9, &cause(16)), 0, Reason::GtpState, "another"),
        (B, numbered(answer.clone(), 8), 0, Reason::GtpState, "another number"),
        (B, v2(35, 9, &cause(16)), 0, Reason::GtpState, "another type"),
        (B, answer.clone(), WAIT_MS + 1, Reason::GtpState, "too late"),
    ] {
        let mut gateway = running(&strict());
        ask(&mut gateway);
        assert_eq!(gateway.says(node, &message, NOW_MS + at_ms), want, "{why}");
    }
    let mut gateway = running(&strict());
    assert_eq!(gateway.says(B, &answer, NOW_MS), Reason::GtpState, "nobody asked");
    ask(&mut gateway);
    let other_port = frame((B, 2123), (OURS, 40_000), &answer);
    assert_eq!(reasons(&gateway.frame(0, &other_port, NOW_MS)), [Reason::GtpState], "to another port");
    assert_eq!(gateway.says(B, &answer, NOW_MS), Reason::OkUnsignedAllowed);
    assert_eq!(gateway.says(B, &answer, NOW_MS), Reason::GtpState, "twice");
    ask(&mut gateway);
    assert_eq!(gateway.says(B, &answer, NOW_MS), Reason::OkUnsignedAllowed, "asked anew");
}

#[test]
fn what_was_asked_before_the_start_may_be_answered() {
    let config = WorkerConfig { started_ms: NOW_MS, journal: true, ..WorkerConfig::default() };
    let mut gateway = Gateway::new(&strict(), config);
    let answer = v2(35, 9, &cause(16));
    assert_eq!(gateway.says(A, &answer, NOW_MS + WAIT_MS - 1), Reason::OkUnsignedAllowed);
    assert_eq!(gateway.says(A, &answer, NOW_MS + WAIT_MS), Reason::GtpState);
}

#[test]
fn whom_we_gave_an_endpoint_may_speak_to_it_and_answer_to_it() {
    let mut gateway = Gateway::with_session(&strict(), 77);
    let said = Said { imsi: OF_B, network: 1, address: OURS };
    gateway.we_say(B, &v2(32, 0, &said.v2()), NOW_MS);
    let mut both = v2(33, 9, &[cause(16), f_teid(1, 7, 5, B)].concat());
    both[0] |= 0x10;
    both.extend_from_slice(&numbered(v2(95, 9, &[73, 0, 1, 0, 5]), 1));
    assert_eq!(gateway.says(B, &both, NOW_MS), Reason::OkUnsignedAllowed, "an answer, and a request behind it");
    assert_eq!(gateway.says(B, &v2(97, 9, &[]), NOW_MS), Reason::OkUnsignedAllowed);
    assert_eq!(gateway.says(A, &v2(97, 9, &[]), NOW_MS), Reason::GtpState);
    gateway.we_say(B, &v2(34, 5, &[]), NOW_MS);
    assert_eq!(gateway.says(B, &v2(35, 77, &cause(16)), NOW_MS), Reason::GtpState, "an answer into A's tunnel");
    gateway.we_say(B, &v2(36, 5, &[]), NOW_MS);
    assert_eq!(gateway.says(B, &v2(37, 9, &cause(16)), NOW_MS), Reason::OkUnsignedAllowed);
    assert_eq!(gateway.says(B, &v2(97, 9, &[]), NOW_MS + 1), Reason::OkUnsignedAllowed, "crossed on the way");
    assert_eq!(gateway.says(B, &v2(97, 9, &[]), NOW_MS + 600_000), Reason::GtpState, "it ended");
    gateway.we_say(B, &v2(32, 0, &said.v2()), NOW_MS);
    assert_eq!(gateway.says(B, &v2(33, 9, &cause(100)), NOW_MS), Reason::OkUnsignedAllowed);
    assert_eq!(gateway.says(B, &v2(97, 9, &[]), NOW_MS + 600_000), Reason::GtpState, "B said no");
}

#[test]
fn a_deletion_ends_a_tunnel_once_its_answer_had_time_to_arrive() {
    let end = NOW_MS + 1000;
    for (request, answer, ends) in [
        (v2(36, 77, &[]), v2(37, 9, &cause(16)), true),
        (v2(36, 77, &[]), v2(37, 9, &cause(64)), false),
        (v2(99, 77, &[73, 0, 1, 0, 5]), v2(100, 9, &cause(16)), true),
        (v2(99, 77, &[93, 0, 5, 0, 73, 0, 1, 0, 6]), v2(100, 9, &cause(16)), false),
    ] {
        let mut gateway = Gateway::with_session(&strict(), 77);
        assert_eq!(gateway.says(A, &request, end), Reason::OkUnsignedAllowed);
        gateway.we_say(A, &answer, end);
        assert_eq!(gateway.says(A, &request, end + 20_000), Reason::OkUnsignedAllowed, "the answer was lost");
        gateway.we_say(A, &answer, end + 20_000);
        let late = if ends { Reason::GtpState } else { Reason::OkUnsignedAllowed };
        assert_eq!(gateway.says(A, &request, end + 600_000), late, "{request:?} {answer:?}");
        assert_eq!(gateway.tunnels().closed, u64::from(ends));
    }
}

#[test]
fn an_endpoint_of_version_1_ends_with_its_last_context() {
    // NSAPI 5; TEIDs for data and control; one more for the context that shares them.
    let elements = |nsapi: u8, teid: bool, last: &[u8]| {
        let mut out = vec![20, nsapi];
        if teid {
            out.splice(0..0, [1, 128, 17, 0, 0, 0, 77]);
            out.truncate(7); // an answer names no context
            out.extend_from_slice(&[133, 0, 4]);
            out.extend_from_slice(&OURS);
        }
        out.extend_from_slice(last);
        out
    };
    let mut gateway = running(&strict());
    let create = |teid: u32, nsapi: u8| {
        let mut body = Said { imsi: OUR_SUBSCRIBER, network: 2, address: A }.v1();
        let at = body.windows(2).position(|pair| pair == [131, 0]).expect("an access point");
        body.splice(at..at, [20, nsapi]);
        v1(16, teid, &body)
    };
    assert_eq!(gateway.says(A, &create(0, 5), NOW_MS), Reason::OkUnsignedAllowed);
    gateway.we_say(A, &v1(17, 9, &elements(0, true, &[])), NOW_MS);
    assert_eq!(gateway.says(A, &create(77, 6), NOW_MS), Reason::OkUnsignedAllowed, "another context");
    gateway.we_say(A, &v1(17, 9, &[1, 128]), NOW_MS);
    let delete = |nsapi| v1(20, 77, &elements(nsapi, false, &[]));
    for (nsapi, at_ms, want) in
        [(5, 0, Reason::OkUnsignedAllowed), (6, 600_000, Reason::OkUnsignedAllowed), (6, 1_200_000, Reason::GtpState)]
    {
        assert_eq!(gateway.says(A, &delete(nsapi), NOW_MS + at_ms), want, "{nsapi}");
        gateway.we_say(A, &v1(21, 9, &[1, 128]), NOW_MS + at_ms);
    }
    assert_eq!(gateway.tunnels().closed, 1);
    assert_eq!(gateway.says(B, &v1(1, 0, &[]), NOW_MS), Reason::OkNotSubject, "of nodes, not of tunnels");
}

#[test]
fn a_link_that_learns_counts_what_it_would_refuse() {
    let mut policy = strict();
    policy.links.iter_mut().for_each(|link| link.gtp.tunnels = TunnelCheck::Learn);
    let mut gateway = Gateway::with_session(&policy, 77);
    let events = |gateway: &Gateway| gateway.worker.stats().events[Reason::GtpState.index()];
    for (node, message) in [(B, v2(36, 77, &[])), (A, v2(35, 9, &cause(16))), (A, v2(34, 0, &[])), (A, v2(34, 5, &[]))]
    {
        let before = events(&gateway);
        assert_eq!(gateway.says(node, &message, NOW_MS), Reason::OkUnsignedAllowed);
        assert_eq!(events(&gateway), before + 1, "{message:?}");
    }
    gateway.we_say(A, &v2(35, 9, &cause(16)), NOW_MS);
    assert_eq!(gateway.tunnels().adopted, 1, "our node knows that one");
    assert_eq!(gateway.says(A, &v2(34, 5, &[]), NOW_MS), Reason::OkUnsignedAllowed);
    assert_eq!(events(&gateway), 4);
    policy.links.iter_mut().for_each(|link| link.gtp.tunnels = TunnelCheck::Ignore);
    let mut gateway = Gateway::with_session(&policy, 77);
    assert_eq!(gateway.says(B, &v2(36, 77, &[]), NOW_MS), Reason::OkUnsignedAllowed);
    assert_eq!((events(&gateway), gateway.tunnels().opened), (0, 0));
}

#[test]
fn tunnels_of_before_the_start_are_taken_over_when_our_node_knows_them() {
    let mut policy = strict();
    policy.defaults.tunnels.adopt_s = 3600;
    let config = WorkerConfig { started_ms: NOW_MS, journal: true, ..WorkerConfig::default() };
    let mut gateway = Gateway::new(&policy, config);
    for (teid, answer) in [(5, cause(16)), (6, cause(64))] {
        assert_eq!(gateway.says(A, &v2(34, teid, &[]), NOW_MS), Reason::OkUnsignedAllowed);
        gateway.we_say(A, &v2(35, 9, &answer), NOW_MS);
    }
    assert_eq!(gateway.says(B, &v2(34, 5, &[]), NOW_MS), Reason::GtpState, "it is A's now");
    assert_eq!(gateway.tunnels().adopted, 1);
    let later = NOW_MS + 3_600_000;
    assert_eq!(gateway.says(A, &v2(34, 5, &[]), later), Reason::OkUnsignedAllowed);
    for teid in [6, 7] {
        assert_eq!(gateway.says(A, &v2(34, teid, &[]), later), Reason::GtpState, "{teid}: the time is over");
    }
    assert_eq!(gateway.worker.stats().events[Reason::GtpState.index()], 0);
}

#[test]
fn requests_without_an_answer_leave_others_alone() {
    let mut gateway = Gateway::with_session(&strict(), 77);
    gateway.we_say(A, &v2(34, 5, &[]), NOW_MS);
    // As many questions of B as there is room for, and half as many more.
    for first in (0..24_576_u32).step_by(32) {
        let ask = |number: u32| {
            let mut ask = session(B);
            ask[8..11].copy_from_slice(&number.to_be_bytes()[1..]);
            control(B, &ask)
        };
        let frames: Vec<_> = (first..first + 32).map(ask).collect();
        let frames: Vec<_> = frames.iter().map(Vec::as_slice).collect();
        assert_eq!(gateway.burst(0, &frames, NOW_MS + 1).sent[1].len(), 32);
    }
    assert!(gateway.worker.stats().events[Reason::ResTableFull.index()] > 8000);
    assert_eq!(gateway.tunnels().opened, 1, "a question opens no tunnel");
    assert_eq!(gateway.says(A, &v2(35, 9, &cause(16)), NOW_MS + 2), Reason::OkUnsignedAllowed, "we asked");
    assert_eq!(gateway.says(A, &v2(34, 77, &[]), NOW_MS + 2), Reason::OkUnsignedAllowed);
    gateway.we_say(A, &accepted(78), NOW_MS + 2);
    assert_eq!(
        gateway.says(A, &v2(34, 78, &[]), NOW_MS + 2),
        Reason::OkUnsignedAllowed,
        "an answer to a lost question"
    );
}

#[test]
fn each_node_of_a_peer_has_its_worker() {
    let config = WorkerConfig { workers: 4, journal: true, ..WorkerConfig::default() };
    let mut gateway = Gateway::new(&strict(), config);
    let mut here = 0;
    for at in 64..128 {
        let node = [192, 0, 2, at];
        // Nobody takes over what belongs to another worker, and so it is dropped.
        let ours = |step: &crate::common::Step| reasons(step) != [Reason::IntBug];
        let came = ours(&gateway.frame(0, &control(node, &v2(34, 7, &[])), NOW_MS));
        let went = ours(&gateway.frame(1, &frame((OURS, 2123), (node, 2123), &v2(35, 7, &[])), NOW_MS));
        assert_eq!(came, went, "{node:?}");
        here += usize::from(came);
    }
    assert!((8..=24).contains(&here), "{here} of 64");
}
