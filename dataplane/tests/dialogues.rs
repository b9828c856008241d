//! How many dialogues may be open with one peer, through a whole gateway: in TCAP and Diameter, begun by either side, under floods,
//! through reloads. Time is simulated.

mod common;

use common::diameter::{self, Said, UPDATE_LOCATION};
use common::traffic::{self, Call};
use common::{Gateway, NOW_MS, Step, key, keys, policy, trust};
use sealgate_config::model::{Mode, PeerTransactions, Policy, Screening};
use sealgate_crypto::pool::PoolConfig;
use sealgate_dataplane::pipeline::WorkerConfig;
use sealgate_dataplane::pipeline::worker::Shared;
use sealgate_dataplane::state::dialogues::{self, Begun, Dialogues};
use sealgate_dataplane::state::keyed::Key;
use sealgate_wire::Reason;
use sealgate_wire::tcap::{self, Tid};
use std::collections::HashMap;
use std::sync::Arc;

/// Where peers of the policy stand in a snapshot.
const A: u16 = 1;
const B: u16 = 2;
/// Titles of HOME and of them.
const HOME: &str = "999010000001";
const OF_A: &str = "999020000011";
const OF_B: &str = "999030000011";
/// HOME, A and B in Diameter.
const REALM_HOME: u8 = 1;
const REALM_A: u8 = 2;
const REALM_B: u8 = 3;

/// Answers need what they answer, nobody need sign, and each peer may have so many.
fn limited(per_peer: u32) -> Policy {
    let mut policy = policy();
    policy.defaults.transactions.check = true;
    policy.defaults.transactions.grace_s = 0;
    policy.defaults.transactions.limit = 1024;
    policy.defaults.transactions.per_peer = per_peer;
    for peer in &mut policy.peers {
        (peer.mode, peer.sign) = (Mode::Ignore, false);
    }
    policy
}

/// A gateway and what was last sent.
struct Talk {
    gateway: Gateway,
    tsn: u32,
    now_ms: u64,
}

impl Talk {
    fn new(policy: &Policy) -> Self {
        let config = WorkerConfig { journal: true, ..WorkerConfig::default() };
        let entries = policy.defaults.transactions.limit;
        // One key for all runs: in tables so small, one of some ten thousand floods would hit the fingerprint of another's dialogue.
        let same = |shared: &mut Shared| {
            let config = dialogues::Config { entries, ..dialogues::Config::default() };
            shared.dialogues = Dialogues::new(config, Key::new(9, 10));
        };
        let gateway = Gateway::with_memory(policy, config, PoolConfig::default(), same);
        Self { gateway, tsn: 0, now_ms: NOW_MS }
    }

    fn one(&mut self, step: &Step) -> Reason {
        assert_eq!(step.records.len(), 1);
        step.records[0].reason
    }

    /// A Diameter message from interconnect or from HOME.
    fn diameter(&mut self, port: usize, octets: &[u8]) -> Reason {
        self.tsn += 1;
        let path = if port == 0 { diameter::inbound() } else { diameter::outbound() };
        let step = self.gateway.frame(port, &diameter::frame(&path, self.tsn, octets), self.now_ms);
        self.one(&step)
    }

    /// The same of TCAP between two titles.
    fn tcap(&mut self, calling: &'static str, called: &'static str, octets: &[u8]) -> Reason {
        self.tsn += 1;
        let outbound = calling == HOME;
        let call = Call { calling, called, id: 0, node: calling, outbound };
        let (port, path) = if outbound { (1, traffic::outbound()) } else { (0, traffic::inbound()) };
        let frame = traffic::frame(&path, self.tsn, &call.m3ua(&call.udt(octets)));
        let step = self.gateway.frame(port, &frame, self.now_ms);
        self.one(&step)
    }

    fn asks(&mut self, from: u8, id: u32) -> Reason {
        self.diameter(0, &request(from, REALM_HOME, id).plain())
    }

    fn we_answer(&mut self, to: u8, id: u32) -> Reason {
        self.diameter(1, &request(to, REALM_HOME, id).answer().plain())
    }

    fn we_ask(&mut self, whom: u8, id: u32) -> Reason {
        self.diameter(1, &request(REALM_HOME, whom, id).plain())
    }

    fn answers(&mut self, from: u8, id: u32) -> Reason {
        self.diameter(0, &request(REALM_HOME, from, id).answer().plain())
    }

    /// How many are open with a peer, that it began and that we began.
    fn open(&self, peer: u16) -> (u32, u32) {
        let dialogues = &self.shared().dialogues;
        (dialogues.count(peer, Begun::ByThem), dialogues.count(peer, Begun::ByUs))
    }

    fn shared(&self) -> &Arc<Shared> {
        &self.gateway.shared
    }

    /// Lets time pass, and the worker look at all of its memory then.
    fn pass(&mut self, seconds: u64) {
        self.now_ms += seconds * 1000;
        for _ in 0..1024 / 8 / 8 {
            self.now_ms += 10;
            self.gateway.turn(self.now_ms);
        }
    }

    fn reload(&mut self, policy: &Policy) {
        let next = self.gateway.cell.current().next(policy, &trust(), &keys(), 1500).expect("compiled");
        self.gateway.cell.publish(Arc::new(next));
    }
}

/// A request with an identifier that no other two realms use: on one link, a request is known by that alone.
fn request(from: u8, to: u8, id: u32) -> Said {
    Said::request(UPDATE_LOCATION, from, to, u32::from(from.max(to)) << 24 | id)
}

fn id(number: u32) -> Tid {
    Tid::new(&number.to_be_bytes()).expect("four octets")
}

/// A location update, as a node begins it.
fn begin(node: &'static str, number: u32) -> Vec<u8> {
    Call { node, ..Call::inbound(number) }.tcap()
}

fn goes_on(own: u32, other: u32) -> Vec<u8> {
    let mut out = Vec::new();
    tcap::emit_continue(id(own), id(other), None, &[], &mut out);
    out
}

fn end(other: u32) -> Vec<u8> {
    let mut out = Vec::new();
    tcap::emit_end(id(other), None, &[], &mut out);
    out
}

fn abort(other: u32) -> Vec<u8> {
    let mut out = Vec::new();
    tcap::emit_abort(id(other), 1, &mut out);
    out
}

#[test]
fn a_request_that_is_one_too_many_is_refused_until_there_is_room() {
    let mut talk = Talk::new(&limited(3));
    for id in 0..3 {
        assert_eq!(talk.asks(REALM_A, id), Reason::OkUnsignedAllowed);
    }
    assert_eq!((talk.asks(REALM_A, 3), talk.open(A)), (Reason::ResTableFull, (3, 0)));
    assert_eq!(talk.asks(REALM_A, 1), Reason::OkUnsignedAllowed, "the same one again");
    assert_eq!(talk.asks(REALM_B, 3), Reason::OkUnsignedAllowed, "another peer");
    assert_eq!(talk.we_ask(REALM_A, 3), Reason::OkUnsignedAllowed, "what we begin counts apart");
    assert_eq!((talk.open(A), talk.open(B)), ((3, 1), (1, 0)));
    // An answer of ours makes room for one.
    assert_eq!(talk.we_answer(REALM_A, 2), Reason::OkUnsignedAllowed);
    assert_eq!((talk.asks(REALM_A, 4), talk.asks(REALM_A, 5)), (Reason::OkUnsignedAllowed, Reason::ResTableFull));
    // So does time.
    talk.pass(299);
    assert_eq!((talk.asks(REALM_A, 6), talk.open(A)), (Reason::ResTableFull, (3, 1)));
    talk.pass(2);
    assert_eq!((talk.open(A), talk.open(B)), ((0, 0), (0, 0)));
    assert_eq!((talk.asks(REALM_A, 6), talk.open(A)), (Reason::OkUnsignedAllowed, (1, 0)));
    assert_eq!(talk.shared().dialogues.refused(), 3);
}

#[test]
fn what_we_begin_has_a_limit_too() {
    let mut talk = Talk::new(&limited(2));
    assert_eq!([0, 1, 2].map(|id| talk.we_ask(REALM_A, id)).map(Reason::passes), [true, true, false]);
    assert_eq!(
        (talk.asks(REALM_A, 9), talk.we_ask(REALM_B, 2)),
        (Reason::OkUnsignedAllowed, Reason::OkUnsignedAllowed)
    );
    assert_eq!(talk.answers(REALM_A, 2), Reason::DiaState, "it never left");
    assert_eq!(talk.answers(REALM_A, 1), Reason::OkUnsignedAllowed);
    assert_eq!((talk.we_ask(REALM_A, 2), talk.we_ask(REALM_A, 3)), (Reason::OkUnsignedAllowed, Reason::ResTableFull));
    assert_eq!(talk.open(A), (1, 2));
}

#[test]
fn a_good_signature_gives_nobody_more_room() {
    let mut policy = limited(2);
    policy.peers[0].mode = Mode::Require;
    let mut talk = Talk::new(&policy);
    let signing = key("a-ec");
    let signed = |talk: &mut Talk, id: u32| {
        let said = request(REALM_A, REALM_HOME, id);
        talk.diameter(0, &said.signed(&signing, u64::from(id), NOW_MS))
    };
    let reasons = [1, 2, 3].map(|id| signed(&mut talk, id));
    assert_eq!(reasons, [Reason::OkVerified, Reason::OkVerified, Reason::ResTableFull]);
    assert_eq!(talk.asks(REALM_A, 7), Reason::SecMissing, "who signs nothing is told nothing of the room");
    assert_eq!(talk.asks(REALM_B, 7), Reason::OkUnsignedAllowed);
}

#[test]
fn a_begin_finds_no_room_where_our_answer_would_find_none() {
    let mut talk = Talk::new(&limited(2));
    for number in [1, 2, 3] {
        assert_eq!(talk.tcap(OF_A, HOME, &begin(OF_A, number)), Reason::OkUnsignedAllowed, "a BEGIN takes no room");
    }
    for (ours, theirs) in [(101, 1), (102, 2)] {
        assert_eq!(talk.tcap(HOME, OF_A, &goes_on(ours, theirs)), Reason::OkUnsignedAllowed);
    }
    assert_eq!(talk.open(A), (2, 0));
    assert_eq!(talk.tcap(HOME, OF_A, &goes_on(103, 3)), Reason::ResTableFull, "its BEGIN came before there were two");
    assert_eq!(talk.tcap(OF_A, HOME, &begin(OF_A, 4)), Reason::ResTableFull);
    assert_eq!(talk.tcap(OF_B, HOME, &begin(OF_B, 4)), Reason::OkUnsignedAllowed);
    // What is open goes on, both ways.
    assert_eq!(talk.tcap(OF_A, HOME, &goes_on(1, 101)), Reason::OkUnsignedAllowed);
    assert_eq!(talk.tcap(HOME, OF_A, &goes_on(101, 1)), Reason::OkUnsignedAllowed);
    assert_eq!(talk.open(A), (2, 0));
    // Its END makes room, and so does ours, which names only its own id.
    assert_eq!(talk.tcap(OF_A, HOME, &end(101)), Reason::OkUnsignedAllowed);
    assert_eq!((talk.open(A), talk.tcap(OF_A, HOME, &begin(OF_A, 5))), ((1, 0), Reason::OkUnsignedAllowed));
    assert_eq!(talk.tcap(HOME, OF_B, &end(2)), Reason::OkUnsignedAllowed, "the same id at another peer");
    assert_eq!(talk.open(A), (1, 0));
    assert_eq!(talk.tcap(HOME, OF_A, &end(2)), Reason::OkUnsignedAllowed);
    assert_eq!(talk.open(A), (0, 0));
    assert_eq!(talk.tcap(OF_A, HOME, &end(102)), Reason::TcapState, "we ended it");
}

#[test]
fn a_dialogue_of_ours_ends_with_either_sides_end_or_abort() {
    let mut talk = Talk::new(&limited(4));
    for number in 1..=4 {
        assert_eq!(talk.tcap(HOME, OF_A, &begin(HOME, number)), Reason::OkUnsignedAllowed);
        // From its first answer on we know the other side's id; from another of its nodes, the same number is another's.
        assert_eq!(talk.tcap(OF_A, HOME, &goes_on(500 + number, number)), Reason::OkUnsignedAllowed);
    }
    assert_eq!((talk.tcap(HOME, OF_A, &begin(HOME, 5)), talk.open(A)), (Reason::ResTableFull, (0, 4)));
    for (calling, called, octets, left) in [
        (OF_A, HOME, end(1), 3),
        (OF_A, HOME, abort(2), 2),
        (HOME, OF_A, end(503), 1),
        (HOME, OF_A, end(503), 1),
        (HOME, OF_A, abort(504), 0),
    ] {
        assert_eq!(talk.tcap(calling, called, &octets), Reason::OkUnsignedAllowed);
        assert_eq!(talk.open(A), (0, left), "{calling} {octets:02x?}");
    }
}

#[test]
fn who_makes_up_ids_in_his_own_dialogue_crowds_out_nobody_elses() {
    let mut talk = Talk::new(&limited(512));
    let ours: Vec<u32> = (1..=8).collect();
    for &number in &ours {
        assert_eq!(talk.tcap(HOME, OF_B, &begin(HOME, number)), Reason::OkUnsignedAllowed);
        assert_eq!(talk.tcap(OF_B, HOME, &goes_on(500 + number, number)), Reason::OkUnsignedAllowed);
    }
    // Room for the ids of 512, overrun twenty times from within one dialogue.
    assert_eq!(talk.tcap(HOME, OF_A, &begin(HOME, 100)), Reason::OkUnsignedAllowed);
    for made_up in 10_000..20_000 {
        assert_eq!(talk.tcap(OF_A, HOME, &goes_on(made_up, 100)), Reason::OkUnsignedAllowed);
    }
    for &number in &ours {
        assert_eq!(talk.tcap(HOME, OF_B, &end(500 + number)), Reason::OkUnsignedAllowed);
    }
    assert_eq!((talk.open(A), talk.open(B)), ((0, 1), (0, 0)));
}

#[test]
fn what_is_refused_opens_and_ends_nothing() {
    let mut policy = limited(2);
    policy.peers[0].mode = Mode::Require;
    let mut talk = Talk::new(&policy);
    assert_eq!(talk.we_ask(REALM_A, 1), Reason::OkUnsignedAllowed);
    assert_eq!((talk.asks(REALM_A, 2), talk.answers(REALM_A, 1)), (Reason::SecMissing, Reason::SecMissing));
    assert_eq!(talk.open(A), (0, 1));
}

#[test]
fn where_a_peer_is_only_looked_at_it_gets_one_more_and_is_counted() {
    for screening in [Screening::Learn, Screening::Test] {
        let mut policy = limited(2);
        policy.peers[0].screening = screening;
        let mut talk = Talk::new(&policy);
        let mut would = Vec::new();
        for id in 0..4 {
            talk.tsn += 1;
            let octets = request(REALM_A, REALM_HOME, id).plain();
            let frame = diameter::frame(&diameter::inbound(), talk.tsn, &octets);
            let step = talk.gateway.frame(0, &frame, talk.now_ms);
            assert_eq!(step.records[0].reason, Reason::OkUnsignedAllowed);
            would.push(step.records[0].would);
        }
        assert_eq!(would, [None, None, Some(Reason::ResTableFull), Some(Reason::ResTableFull)]);
        assert_eq!((talk.open(A), talk.shared().dialogues.refused()), ((4, 0), 2));
        // What was opened so is known as any other.
        assert_eq!((talk.we_answer(REALM_A, 3), talk.open(A)), (Reason::OkUnsignedAllowed, (3, 0)));
        let id = [7, 8, 9].map(|id| talk.asks(REALM_B, id));
        assert_eq!(id, [Reason::OkUnsignedAllowed, Reason::OkUnsignedAllowed, Reason::ResTableFull]);
    }
}

#[test]
fn where_answers_need_nothing_open_nothing_is_limited() {
    let mut policy = limited(1);
    policy.defaults.transactions.check = false;
    let mut talk = Talk::new(&policy);
    assert!((0..20).all(|id| talk.asks(REALM_A, id).passes()));
    assert_eq!((talk.open(A), talk.shared().dialogues.refused()), ((20, 0), 0));
}

#[test]
fn a_peer_has_its_own_limit_and_time() {
    let mut policy = limited(1);
    policy.peers[0].transactions = Some(PeerTransactions { limit: 3, timeout_s: 10 });
    let mut talk = Talk::new(&policy);
    assert_eq!([0, 1, 2, 3].map(|id| talk.asks(REALM_A, id).passes()), [true, true, true, false]);
    assert_eq!([0, 1].map(|id| talk.asks(REALM_B, id).passes()), [true, false]);
    talk.pass(11);
    assert_eq!((talk.open(A), talk.open(B)), ((0, 0), (1, 0)));
}

#[test]
fn those_whom_nobody_knows_share_one_limit() {
    let mut talk = Talk::new(&limited(2));
    // Destinations that are no peer's.
    let reasons = [7, 8, 9].map(|whom| talk.we_ask(whom, u32::from(whom)).passes());
    assert_eq!((reasons, talk.open(0)), ([true, true, false], (0, 2)));
}

#[test]
fn a_flood_of_one_peer_takes_nothing_from_another() {
    // First with a limit, then with none to speak of, so that the flood overruns the whole table forty times. Victims are few: a
    // bucket of eight with more of one than of the flood would give the flood its share.
    for per_peer in [256, 1024] {
        let mut talk = Talk::new(&limited(per_peer));
        let victims: Vec<u32> = (0..8).collect();
        for &id in &victims {
            assert_eq!(talk.we_ask(REALM_B, id), Reason::OkUnsignedAllowed);
            assert_eq!(talk.asks(REALM_B, id), Reason::OkUnsignedAllowed);
            assert_eq!(talk.we_ask(REALM_A, 100 + id), Reason::OkUnsignedAllowed);
        }
        let passed = (1000..41_000).filter(|id| talk.asks(REALM_A, *id).passes()).count();
        // Where a bucket is full, the flood loses one of its own, and has room for one.
        let evicted = talk.shared().dialogues.counters().evicted;
        assert!(per_peer > 256 || passed as u64 == 256 + evicted, "{passed}, {evicted}");
        assert!(talk.open(A).0 <= per_peer);
        for &id in &victims {
            assert_eq!(talk.answers(REALM_B, id), Reason::OkUnsignedAllowed, "{per_peer} {id}");
            assert_eq!(talk.answers(REALM_A, 100 + id), Reason::OkUnsignedAllowed, "whoever spoke in A's name");
        }
        assert_eq!((talk.open(B), evicted > 30_000), ((8, 0), per_peer == 1024), "{evicted}");
        // And B goes on as if nothing were.
        assert!((200..264).all(|id| talk.asks(REALM_B, id).passes() && talk.we_ask(REALM_B, id).passes()));
    }
}

#[test]
fn a_reload_keeps_counts_and_takes_new_limits() {
    let mut talk = Talk::new(&limited(3));
    assert!((0..3).all(|id| talk.asks(REALM_A, id).passes() && talk.asks(REALM_B, id).passes()));
    // Another peer stands before both, and A is not named for a while.
    let mut other = limited(4);
    let mut first = other.peers[2].clone();
    first.name = "Z".to_owned();
    first.gt = vec!["99909".parse().expect("digits")];
    first.realms = vec!["epc.mnc009.mcc001.3gppnetwork.org".to_owned()];
    other.peers.insert(0, first);
    let mut without = other.clone();
    without.peers.retain(|peer| peer.name != "A");
    talk.reload(&without);
    assert_eq!(talk.asks(REALM_A, 8), Reason::PolPeerUnknown);
    talk.reload(&other);
    assert_eq!((talk.open(A), talk.open(B)), ((3, 0), (3, 0)));
    for realm in [REALM_A, REALM_B] {
        assert_eq!([4, 5].map(|id| talk.asks(realm, id).passes()), [true, false], "four, of which three were there");
    }
    // Fewer than there are: none is lost, and none comes until one place is free.
    talk.reload(&limited(2));
    for answered in 0..2 {
        assert_eq!(talk.asks(REALM_A, 9), Reason::ResTableFull, "{answered}");
        assert_eq!(talk.we_answer(REALM_A, answered), Reason::OkUnsignedAllowed);
    }
    assert_eq!((talk.asks(REALM_A, 9), talk.open(A)), (Reason::ResTableFull, (2, 0)));
    assert_eq!(talk.we_answer(REALM_A, 2), Reason::OkUnsignedAllowed);
    assert_eq!((talk.asks(REALM_A, 9), talk.open(A)), (Reason::OkUnsignedAllowed, (2, 0)));
    // A new time holds for what comes from now on.
    let mut brief = limited(3);
    brief.defaults.transactions.timeout_s = 20;
    talk.reload(&brief);
    assert_eq!(talk.asks(REALM_A, 10), Reason::OkUnsignedAllowed);
    talk.pass(21);
    assert_eq!(talk.open(A), (2, 0));
    talk.pass(280);
    assert_eq!(talk.open(A), (0, 0));
}

#[test]
fn after_a_hundred_thousand_messages_the_counts_are_those_of_a_plain_map() {
    let mut policy = limited(64);
    policy.defaults.transactions.limit = 1 << 14;
    let mut talk = Talk::new(&policy);
    let mut open = HashMap::new();
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut refused = 0;
    for turn in 0..100_000 {
        // Marsaglia 2003: xorshift.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        talk.now_ms += state >> 57;
        let (realm, peer) = if state & 1 == 0 { (REALM_A, A) } else { (REALM_B, B) };
        let (number, ours, opens) = ((state >> 8) as u32 % 256, state & 2 == 0, state >> 2 & 7 < 5);
        let second = talk.now_ms / 1000;
        let place = (peer, ours, number);
        if opens {
            let reason = if ours { talk.we_ask(realm, number) } else { talk.asks(realm, number) };
            if reason.passes() {
                open.insert(place, second + 300);
            } else {
                assert_eq!(reason, Reason::ResTableFull);
                assert!(open.keys().filter(|(p, o, _)| (*p, *o) == (peer, ours)).count() >= 64, "turn {turn}");
                refused += 1;
            }
        } else {
            let reason = if ours { talk.answers(realm, number) } else { talk.we_answer(realm, number) };
            let known = open.get(&place).is_some_and(|until| second <= *until);
            assert_eq!(reason.passes(), known || !ours, "turn {turn}: {reason:?}");
            if reason.passes() {
                open.remove(&place);
            }
        }
        if turn % 10_000 == 9999 {
            talk.now_ms += 60_000;
            // All at once, or one could expire behind the broom.
            talk.shared().dialogues.sweep(1 << 14 >> 3, talk.now_ms);
            let second = talk.now_ms / 1000;
            open.retain(|_, until| *until >= second);
            for peer in [A, B] {
                let of = |ours| open.keys().filter(|(p, o, _)| (*p, *o) == (peer, ours)).count() as u32;
                assert_eq!(talk.open(peer), (of(false), of(true)), "turn {turn}");
            }
        }
    }
    assert!(refused > 1000, "{refused}");
    assert_eq!(talk.shared().dialogues.counters().evicted, 0);
}
