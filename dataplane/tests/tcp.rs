//! Diameter and SIP over TCP through a whole gateway: between two honest hosts over a bad network, byte for byte, and what
//! attackers try.

mod common;
mod tcp_model;

use common::cuts::cut;
use common::diameter::{Said, UPDATE_LOCATION, realm};
use common::{Gateway, NOW_MS, key, policy};
use sealgate_config::model::{IpFragments, LinkKind, Policy, Transports, X5uMiss};
use sealgate_crypto::pki::Caller;
use sealgate_crypto::pool::PoolConfig;
use sealgate_dataplane::io::Frame;
use sealgate_dataplane::pipeline::WorkerConfig;
use sealgate_dataplane::pipeline::tap::Tap;
use sealgate_dataplane::state::Direction;
use sealgate_dataplane::state::stream::Ticket;
use sealgate_wire::sec::dess::Group;
use sealgate_wire::sec::{Sorter, dia1};
use sealgate_wire::tcp::{self, Flags, Header, Options, Segment};
use sealgate_wire::{Reason, diameter, eth, ip, sip, udp};
use tcp_model::{LOCAL, Middle, Out, REMOTE, Verdict, Weather, World, filler, head};

/// The vectors' policy, its Diameter link over TCP between the hosts of the model.
fn over_tcp() -> Policy {
    let mut policy = policy();
    policy.defaults.transactions.check = true;
    policy.defaults.transactions.grace_s = 0;
    policy.defaults.window.past_ms = 60_000;
    policy.defaults.window.future_ms = 60_000;
    policy.defaults.tcp.hold_ms = 30_000;
    let link = policy.links.iter_mut().find(|link| link.name == "dia-1").expect("there");
    (link.remote, link.local, link.transports) =
        (vec![REMOTE], vec![LOCAL], Transports { tcp: true, ..Transports::default() });
    policy
}

impl Middle for Gateway {
    fn give(&mut self, way: Direction, frame: &[u8], now: u64, out: &mut Out) {
        let port = if way == Direction::In { 0 } else { 1 };
        assert!(self.worker.port_mut(port).expect("two ports").inject(frame).expect("frame fits"));
        self.tick(now, out);
    }

    fn settle(&mut self, _: Ticket, _: &[u8], _: &Verdict, _: u64, _: &mut Out) {
        unreachable!("it judges on its own");
    }

    fn tick(&mut self, now: u64, out: &mut Out) {
        self.worker.turn(now);
        for (port, way) in [(0, Direction::Out), (1, Direction::In)] {
            while let Some(frame) = self.worker.port_mut(port).expect("two ports").take_sent() {
                out.frames.push((way, frame.octets().to_vec()));
            }
        }
    }
}

/// A gateway behind a way that cuts packets into fragments, the last of which arrives first.
struct Narrow {
    gateway: Gateway,
    mtu: usize,
    /// Identification of the last packet.
    id: u32,
}

impl Middle for Narrow {
    fn give(&mut self, way: Direction, frame: &[u8], now: u64, out: &mut Out) {
        let port = if way == Direction::In { 0 } else { 1 };
        self.id += 1;
        for piece in cut(frame, self.mtu, self.id).iter().rev() {
            assert!(self.gateway.worker.port_mut(port).expect("two ports").inject(piece).expect("fragment fits"));
        }
        self.tick(now, out);
    }

    fn settle(&mut self, _: Ticket, _: &[u8], _: &Verdict, _: u64, _: &mut Out) {
        unreachable!("it judges on its own");
    }

    fn tick(&mut self, now: u64, out: &mut Out) {
        self.gateway.tick(now, out);
    }
}

impl AsMut<Gateway> for Narrow {
    fn as_mut(&mut self) -> &mut Gateway {
        &mut self.gateway
    }
}

impl AsMut<Gateway> for Gateway {
    fn as_mut(&mut self) -> &mut Gateway {
        self
    }
}

/// The messages of a stream.
fn messages(mut octets: &[u8]) -> Vec<&[u8]> {
    let mut out = Vec::new();
    while let Ok(Some(len)) = diameter::stream_len(octets) {
        let (message, rest) = octets.split_at(len);
        out.push(message);
        octets = rest;
    }
    assert!(octets.is_empty(), "{} octets are half a message", octets.len());
    out
}

/// The message without its signature, if HOME signed it and the signature holds.
fn signed_by_home(octets: &[u8]) -> Option<Vec<u8>> {
    let message = diameter::Message::parse(octets).expect("sound");
    let group = Group::read(&message.dess?).expect("a group");
    let found = dia1::parse(&group).expect("native");
    assert_eq!(found.claim.identity, realm(1).as_bytes());
    let (mut tbs, mut without) = (Vec::new(), Vec::new());
    dia1::write_tbs(&message.view, found.covered, group.parts(), &mut Sorter::new(), &mut tbs).expect("sound");
    assert!(diameter::rebuild(&message.view, |avp| Some(*avp) == message.dess, &[], &mut without));
    assert!(key("home-ec").public().verify(&tbs, found.claim.signature));
    Some(without)
}

/// Requests of A towards HOME: signed, not signed, and changed after signing. What home gets of them.
fn from_a(count: u32, signed_at: u64) -> (Vec<u8>, Vec<u8>) {
    let own = key("a-ec");
    let (mut sent, mut wanted) = (Vec::new(), Vec::new());
    for i in 0..count {
        let more = vec![(25, vec![i as u8; (i as usize * 37) % 900])];
        let said = Said { more, ..Said::request(UPDATE_LOCATION, 2, 1, i) };
        let (came, leaves) = match i % 5 {
            0 => (said.plain(), None),
            1 => {
                let mut changed = said.signed(&own, u64::from(i), signed_at);
                let at = changed.windows(6).position(|six| six == b"node.e").expect("a host");
                changed[at] ^= 1;
                (changed, None)
            }
            _ => (said.signed(&own, u64::from(i), signed_at), Some(said.plain())),
        };
        wanted.extend(leaves.unwrap_or_else(|| filler(came.len())));
        sent.extend(came);
    }
    (sent, wanted)
}

/// Requests of HOME towards A, which leave signed, and towards B, which do not.
fn from_home(count: u32) -> Vec<Vec<u8>> {
    let said = |i| Said {
        more: vec![(25, vec![i as u8; (i as usize * 53) % 700])],
        ..Said::request(UPDATE_LOCATION, 1, if i % 4 == 3 { 3 } else { 2 }, i)
    };
    (0..count).map(|i| said(i).plain()).collect()
}

fn conversation(seed: u64, count: u32, weather: Weather) -> World<Gateway> {
    conversation_by(Gateway::running(&over_tcp()), seed, count, weather)
}

fn conversation_by<M: Middle + AsMut<Gateway>>(middle: M, seed: u64, count: u32, weather: Weather) -> World<M> {
    let (to_home, wanted) = from_a(count, NOW_MS + 50_000);
    let plain = from_home(count);
    let isns = [u32::MAX - (to_home.len() / 2) as u32, 77];
    let mut world = World::around(middle, NOW_MS, seed, weather, [to_home, plain.concat()], isns);
    world.connect();
    let done = world.run(10_000_000);
    let worker = &mut world.streams.as_mut().worker;
    worker.publish(); // else what waits is counted as it was some turns ago
    let [remote, home] = &world.ends;
    println!(
        "seed {seed}: {} ms, retransmitted {} and {}, {:?}",
        world.now - NOW_MS,
        remote.retransmissions,
        home.retransmissions,
        worker.connections()
    );
    assert!(done && !remote.reset && !home.reset, "both senders finish");
    assert!(home.got == wanted, "{} octets of {} at home", home.got.len(), wanted.len());
    let left = messages(&remote.got);
    assert_eq!(left.len(), plain.len());
    for (i, (left, plain)) in left.iter().zip(&plain).enumerate() {
        let without = signed_by_home(left);
        assert_eq!(without.is_some(), i % 4 != 3, "{i}: who is signed towards");
        assert!(without.as_deref().unwrap_or(left) == plain, "{i}");
    }
    let stats = worker.stats();
    let count = u64::from(count);
    for (reason, want) in [
        (Reason::OkVerified, count * 3 / 5),
        (Reason::SecMissing, count / 5),
        (Reason::SecSigInvalid, count / 5),
        (Reason::OkSignedEgress, count * 3 / 4),
        (Reason::OkUnsignedAllowed, count / 4),
    ] {
        assert_eq!(stats.total(reason), want, "{reason:?}");
    }
    let (came, went) = stats.frame_balance();
    assert_eq!(came, went, "frames");
    assert_eq!(stats.message_balance(), (2 * count, 2 * count));
    world
}

#[test]
fn ten_thousand_messages_each_way_arrive_as_they_were_judged() {
    let world = conversation(1, 10_000, Weather { loss: 0, delay: 6, verdict: 0 });
    assert!(world.streams.worker.connections().1.offered >= 20_000);
}

#[test]
fn segments_that_are_lost_and_overtake_each_other_change_nothing() {
    for seed in 2..12 {
        let weather = Weather { loss: 1 + seed % 4, delay: 1 + seed, verdict: 0 };
        let world = conversation(seed, 400, weather);
        assert!(world.ends.iter().all(|end| end.retransmissions > 0));
    }
}

#[test]
fn segments_in_ip_fragments_arrive_as_they_were_judged() {
    let mut policy = over_tcp();
    policy.links.iter_mut().for_each(|link| link.ip_fragments = IpFragments::Reassemble);
    for (seed, weather) in
        [(21, Weather { loss: 0, delay: 6, verdict: 0 }), (22, Weather { loss: 2, delay: 12, verdict: 0 })]
    {
        let middle = Narrow { gateway: Gateway::running(&policy), mtu: 396, id: 0 };
        let world = conversation_by(middle, seed, 200, weather);
        let stats = world.streams.gateway.worker.stats();
        assert!(stats.joined > 300, "only {} of its fragments went into others", stats.joined);
        assert_eq!(stats.frames_dropped[Reason::IpFragment.index()], 0);
    }
}

#[test]
fn a_segment_that_lacks_a_fragment_is_sent_again_and_judged_once() {
    let mut policy = over_tcp();
    policy.links.iter_mut().for_each(|link| link.ip_fragments = IpFragments::Reassemble);
    let mut line = Line::open(&policy);
    let signed = Said::request(UPDATE_LOCATION, 2, 1, 1).signed(&key("a-ec"), 1, NOW_MS);
    let whole = line.frame(Direction::In, Flags::ACK.with(Flags::PSH), 1001, &signed);
    let pieces = cut(&whole, 300, 7);
    assert!(pieces.len() > 1);
    for piece in &pieces[1..] {
        line.give(Direction::In, piece);
    }
    assert_eq!((line.reasons.len(), line.got[1].len()), (0, 0), "what is not whole says nothing");
    line.say(Direction::In, &signed, 4000);
    line.give(Direction::In, &pieces[0]);
    assert_eq!(line.reasons, [Reason::OkVerified], "what was judged is no message again");
    assert_eq!(line.got[1], Said::request(UPDATE_LOCATION, 2, 1, 1).plain());
}

/// A connection in the hands of a test, which sends what it likes.
struct Line {
    gateway: Gateway,
    now_ms: u64,
    /// What each end sends next: [neighbour, host]; what it has is what left towards it.
    next: [u32; 2],
    /// What arrived at each end, in order and in any segments.
    got: [Vec<u8>; 2],
    begins: [u32; 2],
    resets: [usize; 2],
    /// Verdicts since the last look.
    reasons: Vec<Reason>,
}

impl Line {
    /// Its handshake is done.
    fn open(policy: &Policy) -> Self {
        let mut line = Self::in_midstream(policy);
        line.segment(Direction::In, Flags::SYN, 1000, b"");
        line.segment(Direction::Out, Flags::SYN.with(Flags::ACK), 5000, b"");
        (line.next, line.begins) = ([1001, 5001], [5001, 1001]);
        line.segment(Direction::In, Flags::ACK, 1001, b"");
        line
    }

    /// Nobody saw its handshake.
    fn in_midstream(policy: &Policy) -> Self {
        Self {
            gateway: Gateway::with_memory(
                policy,
                WorkerConfig { journal: true, ..WorkerConfig::default() },
                PoolConfig::default(),
                |shared| shared.tap = Tap::new(1, 4),
            ),
            now_ms: NOW_MS,
            next: [1001, 5001],
            got: [Vec::new(), Vec::new()],
            begins: [5001, 1001],
            resets: [0; 2],
            reasons: Vec::new(),
        }
    }

    fn frame(&self, way: Direction, flags: Flags, seq: u32, payload: &[u8]) -> Vec<u8> {
        let end = way as usize;
        let ack = self.begins[end].wrapping_add(self.got[end].len() as u32);
        let (source_port, destination_port) = if way == Direction::In { (40_000, 3868) } else { (3868, 40_000) };
        let ack = if flags.has(Flags::ACK) { ack } else { 0 };
        let header = Header { source_port, destination_port, seq, ack, flags, window: 60_000, urgent: 0 };
        let mut out = head(way);
        tcp::emit(&header, &Options::default(), payload, &mut out);
        let (from, to) = if way == Direction::In { (REMOTE, LOCAL) } else { (LOCAL, REMOTE) };
        assert!(tcp::seal(from, to, &mut out[34..]));
        let len = out.len() - 34;
        assert!(ip::set_lengths(&mut out[14..], len));
        out
    }

    fn segment(&mut self, way: Direction, flags: Flags, seq: u32, payload: &[u8]) {
        let frame = self.frame(way, flags, seq, payload);
        self.give(way, &frame);
    }

    fn give(&mut self, way: Direction, frame: &[u8]) {
        let port = usize::from(way == Direction::Out);
        let step = self.gateway.frame(port, frame, self.now_ms);
        self.take(step);
    }

    /// Octets in order, in segments of this size, each acknowledged.
    fn say(&mut self, way: Direction, octets: &[u8], size: usize) {
        for piece in octets.chunks(size) {
            let seq = self.next[way as usize];
            self.segment(way, Flags::ACK.with(Flags::PSH), seq, piece);
            self.next[way as usize] = seq.wrapping_add(piece.len() as u32);
            self.acknowledge(way.opposite());
        }
    }

    /// The end that sends this way acknowledges all that it has.
    fn acknowledge(&mut self, way: Direction) {
        let seq = self.next[way as usize];
        self.segment(way, Flags::ACK, seq, b"");
    }

    fn wait(&mut self, ms: u64) {
        for _ in 0..ms.div_ceil(10) {
            self.now_ms += 10;
            let step = self.gateway.turn(self.now_ms);
            self.take(step);
        }
    }

    fn take(&mut self, step: common::Step) {
        self.reasons.extend(step.records.iter().filter(|record| record.tsn.is_some()).map(|record| record.reason));
        for (port, frames) in step.sent.iter().enumerate() {
            // Port 0 leads to the neighbour, who is the first end.
            let end = port;
            for frame in frames {
                let ethernet = eth::Frame::parse(frame).expect("Ethernet");
                let packet = ip::Packet::parse(ethernet.ethertype, ethernet.payload).expect("IP").expect("IP");
                assert_eq!(tcp::checksum(packet.source, packet.destination, packet.payload), Some(0));
                let segment = Segment::parse(packet.payload).expect("TCP");
                self.resets[end] += usize::from(segment.header.flags.has(Flags::RST));
                let at = self.begins[end].wrapping_add(self.got[end].len() as u32);
                let skip = at.wrapping_sub(segment.header.seq) as usize;
                if let Some(fresh) = segment.payload.get(skip..) {
                    self.got[end].extend_from_slice(fresh);
                }
            }
        }
    }

    /// Verdicts since the last look.
    fn judged(&mut self) -> Vec<Reason> {
        std::mem::take(&mut self.reasons)
    }

    /// What arrived at an end since the last look.
    fn arrived(&mut self, end: usize) -> Vec<u8> {
        let got = std::mem::take(&mut self.got[end]);
        self.begins[end] = self.begins[end].wrapping_add(got.len() as u32);
        got
    }
}

const NEIGHBOUR: usize = 0;
const HOST: usize = 1;

#[test]
fn a_request_and_its_answer_in_single_octets_both_ways() {
    for size in [1, 7, 1460] {
        let mut line = Line::open(&over_tcp());
        let ask = Said::request(UPDATE_LOCATION, 2, 1, 100);
        line.say(Direction::In, &ask.signed(&key("a-ec"), 1, NOW_MS), size);
        assert_eq!((line.judged(), line.arrived(HOST)), (vec![Reason::OkVerified], ask.plain()));
        line.say(Direction::Out, &ask.answer().plain(), size);
        assert_eq!(line.judged(), [Reason::OkSignedEgress]);
        assert_eq!(signed_by_home(&line.arrived(NEIGHBOUR)), Some(ask.answer().plain()));
        // And a request of ours, whose answer passes once.
        let ask = Said::request(UPDATE_LOCATION, 1, 2, 200);
        line.say(Direction::Out, &ask.plain(), size);
        assert_eq!(signed_by_home(&line.arrived(NEIGHBOUR)), Some(ask.plain()));
        assert_eq!(line.judged(), [Reason::OkSignedEgress]);
        for (seq, want) in [(2, Reason::OkVerified), (3, Reason::DiaState)] {
            line.say(Direction::In, &ask.answer().signed(&key("a-ec"), seq, NOW_MS), size);
            assert_eq!(line.judged(), [want]);
        }
        line.gateway.worker.publish();
        let (came, went) = line.gateway.worker.stats().frame_balance();
        assert_eq!(came, went);
    }
}

#[test]
fn the_same_octets_again_are_no_replay_and_the_same_message_again_is() {
    let mut line = Line::open(&over_tcp());
    let ask = Said::request(UPDATE_LOCATION, 2, 1, 100);
    let signed = ask.signed(&key("a-ec"), 1, NOW_MS);
    line.say(Direction::In, &signed, 1460);
    line.segment(Direction::In, Flags::ACK, 1001, &signed);
    assert_eq!((line.judged(), line.arrived(HOST)), (vec![Reason::OkVerified], ask.plain()));
    line.say(Direction::In, &signed, 1460);
    assert_eq!((line.judged(), line.arrived(HOST)), (vec![Reason::SecReplay], filler(signed.len())));
}

#[test]
fn what_begins_no_message_ends_the_connection_at_both_ends() {
    let tls = [22, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9];
    let mut line = Line::open(&over_tcp());
    line.say(Direction::In, &tls, 1460);
    assert!(line.arrived(HOST).is_empty() && line.resets.iter().all(|&resets| resets > 0));
    let stats = line.gateway.worker.stats();
    assert!(stats.frames_dropped[Reason::TcpStream.index()] > 0);
    // What follows goes nowhere.
    let said = Said::request(UPDATE_LOCATION, 3, 1, 1).plain();
    line.say(Direction::In, &said, 1460);
    assert!(line.arrived(HOST).is_empty() && line.judged().is_empty());
}

#[test]
fn half_a_message_is_refused_after_its_time_and_the_next_is_judged() {
    let mut policy = over_tcp();
    policy.defaults.tcp.hold_ms = 500;
    let mut line = Line::open(&policy);
    let (first, second) = (Said::request(UPDATE_LOCATION, 2, 1, 1), Said::request(UPDATE_LOCATION, 2, 1, 2));
    let (first, second) =
        (first.signed(&key("a-ec"), 1, NOW_MS), (second.signed(&key("a-ec"), 2, NOW_MS), second.plain()));
    line.say(Direction::In, &first[..100], 1460);
    line.wait(400);
    assert!(line.arrived(HOST).is_empty());
    line.wait(300);
    assert_eq!(line.arrived(HOST), filler(first.len())[..100]);
    line.say(Direction::In, &first[100..], 1460);
    line.say(Direction::In, &second.0, 1460);
    assert_eq!(line.arrived(HOST), [&filler(first.len())[100..], &second.1].concat());
    assert_eq!(line.judged(), [Reason::OkVerified], "the first was never judged");
    assert_eq!(line.gateway.worker.connections().1.refused_late, 1);
}

#[test]
fn a_connection_met_in_midstream_is_judged_from_its_next_message_or_ended() {
    let ask = Said::request(UPDATE_LOCATION, 2, 1, 100);
    for adopt in [true, false] {
        let mut policy = over_tcp();
        policy.defaults.adopt = adopt;
        let mut line = Line::in_midstream(&policy);
        line.acknowledge(Direction::Out);
        line.acknowledge(Direction::In);
        line.say(Direction::In, &ask.plain(), 1460);
        line.say(Direction::In, &ask.signed(&key("a-ec"), 1, NOW_MS), 1460);
        let (want, octets) = match adopt {
            true => (vec![Reason::SecMissing, Reason::OkVerified], [filler(ask.plain().len()), ask.plain()].concat()),
            false => (vec![], vec![]),
        };
        assert_eq!((line.judged(), line.arrived(HOST)), (want, octets), "adopt: {adopt}");
        assert_eq!(line.resets.iter().any(|&resets| resets > 0), !adopt);
        assert_eq!(line.gateway.worker.connections().1.adopted, 1);
    }
}

#[test]
fn only_what_the_link_names_comes_in() {
    let mut line = Line::open(&over_tcp());
    let said = Said::request(UPDATE_LOCATION, 3, 1, 1).plain();
    let good = line.frame(Direction::In, Flags::ACK, 1001, &said);
    let mut bad = good.clone();
    *bad.last_mut().expect("octets") ^= 1;
    let drops = |line: &Line, reason: Reason| line.gateway.worker.stats().frames_dropped[reason.index()];
    line.give(Direction::In, &bad);
    assert_eq!((line.arrived(HOST), drops(&line, Reason::L4Checksum)), (Vec::new(), 1));
    line.give(Direction::In, &good);
    assert_eq!(line.arrived(HOST), said);
    // A link over SCTP alone, and one whose ports are others.
    for change in [
        (|link| link.transports = Transports { sctp: true, ..Transports::default() })
            as fn(&mut sealgate_config::model::Link),
        |link| link.ports = Some(sealgate_config::model::LinkPorts { remote: 3868, local: 3869 }),
    ] {
        let mut policy = over_tcp();
        policy.links.iter_mut().filter(|link| link.kind == LinkKind::Diameter).for_each(change);
        let mut line = Line::in_midstream(&policy);
        line.give(Direction::In, &good);
        assert_eq!((line.got.concat(), drops(&line, Reason::L4PeerUnknown)), (Vec::new(), 1));
    }
}

#[test]
fn who_looks_on_sees_a_refused_message_as_one_frame() {
    let mut line = Line::open(&over_tcp());
    let said = Said::request(UPDATE_LOCATION, 2, 1, 100).plain();
    line.say(Direction::In, &said, 50);
    assert_eq!(line.judged(), [Reason::SecMissing]);
    let mut seen = Vec::new();
    line.gateway.shared.tap.refused().drain(|capture| seen.push((capture.seen.record, capture.octets.clone())));
    let [(record, frame)] = &seen[..] else { panic!("{} frames", seen.len()) };
    assert_eq!((record.reason, record.tsn), (Reason::SecMissing, Some(1001)));
    let ethernet = eth::Frame::parse(frame).expect("Ethernet");
    let packet = ip::Packet::parse(ethernet.ethertype, ethernet.payload).expect("IP").expect("IP");
    let segment = Segment::parse(packet.payload).expect("TCP");
    assert_eq!((segment.header.seq, segment.payload), (1001, &said[..]));
}

/// The policy, its SIP link over TCP between the hosts of the model.
fn calls() -> Policy {
    let mut policy = policy();
    let link = policy.links.iter_mut().find(|link| link.name == "sip-1").expect("there");
    (link.remote, link.local, link.transports) =
        (vec![REMOTE], vec![LOCAL], Transports { tcp: true, ..Transports::default() });
    policy
}

/// The message of a vector, which came over UDP; over TCP its header must say how long the body is.
fn call(id: &str) -> Vec<u8> {
    let text = std::fs::read_to_string(common::vectors().join("sip_identity.json")).expect("vectors");
    let file: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let found = file["vectors"].as_array().expect("a list").iter().find(|vector| vector["id"] == id).expect("an id");
    let frame = common::hex(found["frames"][0]["frame_hex"].as_str().expect("a frame"));
    let ethernet = eth::Frame::parse(&frame).expect("Ethernet");
    let packet = ip::Packet::parse(ethernet.ethertype, ethernet.payload).expect("IP").expect("IP");
    udp::Datagram::parse(packet.source, packet.destination, packet.payload).expect("UDP").payload.to_vec()
}

#[test]
fn calls_over_tcp_pass_with_a_passport_that_holds_and_others_become_line_ends() {
    for size in [1, 33, 1460] {
        let mut line = Line::open(&calls());
        let (good, forged, missing) = (call("si-001"), call("si-010"), call("si-008"));
        line.say(Direction::In, &[&good[..], b"\r\n\r\n", &forged, &missing].concat(), size);
        let fill = |octets: &[u8]| {
            let mut out = octets.to_vec();
            sip::fill(out.len(), 0, &mut out);
            out
        };
        let mut judged = line.judged();
        // Line ends come in any pieces, and what needs no signature is judged before what does.
        judged.retain(|reason| *reason != Reason::OkNotSubject);
        judged.sort();
        assert_eq!(judged, [Reason::OkVerified, Reason::StirMissing, Reason::StirSig]);
        let want = [&good[..], b"\r\n\r\n", &fill(&forged), &fill(&missing)].concat();
        assert_eq!(line.arrived(HOST), want, "segments of {size}");
        // One of ours leaves signed.
        let plain = String::from_utf8(good.clone()).expect("text").replace("99902", "99900");
        let plain = plain.replace("99901", "99902").replace("99900", "99901");
        let plain: String = plain.split_inclusive("\r\n").filter(|header| !header.starts_with("Identity:")).collect();
        line.say(Direction::Out, plain.as_bytes(), size);
        assert_eq!(line.judged(), [Reason::OkSignedEgress]);
        let left = line.arrived(NEIGHBOUR);
        let message = sip::Message::stream(&left).expect("sound");
        let header = message.identities().next().expect("signed");
        let mut without = Vec::new();
        assert!(sip::rebuild(&message.view, false, |other| other.at == header.at, b"", &mut without));
        assert_eq!(String::from_utf8(without).expect("text"), plain);
    }
}

#[test]
fn a_call_over_tcp_waits_for_its_certificate_and_what_follows_behind_it() {
    let mut policy = calls();
    policy.stir.certificates.retain(|one| one.cert != "a-ec");
    policy.stir.x5u_miss = X5uMiss::Hold;
    let mut trust = common::trust();
    let signer = trust.signers.iter().find(|signer| signer.certificate.name.contains("a-ec")).expect("loaded").clone();
    trust.callers = vec![Caller { x5u: "https://certs.tsca.example/a-ec.pem".into(), signer }];
    let (good, missing) = (call("si-001"), call("si-008"));
    let both = [&good[..], &missing].concat();
    for comes in [true, false] {
        let mut line = Line::open(&policy);
        line.gateway.shared.misses.follow(true);
        line.say(Direction::In, &both, 1460);
        line.wait(300);
        assert_eq!(
            (line.judged(), line.arrived(HOST)),
            (vec![Reason::StirMissing], Vec::new()),
            "in order, or not at all"
        );
        assert_eq!(line.gateway.shared.misses.next().as_deref(), Some(&b"https://certs.tsca.example/a-ec.pem"[..]));
        assert_eq!(
            line.gateway.shared.misses.next(),
            None,
            "it is judged again when something changed, and not before"
        );
        if comes {
            let next =
                line.gateway.cell.current().next_trust(&policy, &trust, &common::keys(), 1500).expect("compiles");
            drop(line.gateway.cell.publish(std::sync::Arc::new(next)));
        }
        line.wait(if comes { 20 } else { 250 });
        let want = if comes { Reason::OkVerified } else { Reason::StirX5uUnavailable };
        assert_eq!((line.judged(), line.arrived(HOST).len()), (vec![want], both.len()), "{comes}");
    }
}
