//! Detection after Q.3066 (formats 13.4): each detector both ways, in simulated time.

mod common;
#[path = "detection/limits.rs"]
mod limits;
#[path = "detection/roaming.rs"]
mod roaming;
#[path = "detection/world.rs"]
mod world;

use common::{NOW_MS, diameter, gtp};
use sealgate_config::model::{DetectMode, Flood, Scan, Switch, Windowed};
use sealgate_wire::Reason;
use world::{DROP, Said, World, node, s6a, s6a_answer};

const IMSI: &str = "001010000000077";
const OTHER: &str = "001010000000078";
const MSISDN: &str = "999010000077";
const PASSES: Reason = Reason::OkUnsignedAllowed;
const A: u8 = 2;
const B: u8 = 3;
const C: u8 = 4;
const D: u8 = 5;

/// A location update, and what becomes of it; accepted by our register if it passes.
fn moves(world: &mut World, operator: u8, imsi: &str) -> Reason {
    let update = Said::update(operator, world.id(), imsi);
    let reason = world.from(&update.begin());
    if reason == PASSES {
        assert_eq!(world.home(&update.accepted()), PASSES);
    }
    reason
}

/// The same in S6a.
fn attaches(world: &mut World, operator: u8, imsi: &str) -> Reason {
    let request = s6a(diameter::UPDATE_LOCATION, operator, world.id(), imsi);
    let reason = world.lte(&request);
    if reason == PASSES {
        assert_eq!(world.lte_home(&s6a_answer(&request, 2001)), PASSES);
    }
    reason
}

#[test]
fn nobody_looks_unless_asked_to() {
    let mut world = World::with(|_| ());
    assert_eq!((moves(&mut world, B, IMSI), moves(&mut world, A, IMSI)), (PASSES, PASSES));
    let memories = &world.gateway.shared.detection;
    assert_eq!((memories.subscribers.counters().opened, memories.steps.counters().opened), (0, 0));
    assert!(sealgate_wire::reason::ALL.iter().all(|reason| world.events(*reason) == 0));
}

#[test]
fn nobody_is_faster_than_a_plane() {
    let mut world = World::with(|detection| detection.velocity.switch = DROP);
    assert_eq!(moves(&mut world, B, IMSI), PASSES);
    for (operator, minutes, want) in [
        (A, 3, Reason::DetVelocity),
        (C, 1, PASSES),                   // beside B
        (A, 8 * 60, Reason::DetVelocity), // of nine hours
        (A, 59, PASSES),                  // 9000 km, less the 100 km that C reaches, at 1000 km/h
        (D, 0, PASSES),                   // beside A
        (B, 500, Reason::DetVelocity),
        (B, 40, PASSES),
    ] {
        assert_eq!(moves(world.after(minutes * 60), operator, IMSI), want, "operator {operator} after {minutes} min");
    }
    // Nobody else has anything to do with it, nor somebody else's subscriber.
    assert_eq!((moves(&mut world, A, OTHER), moves(&mut world, B, "001020000000077")), (PASSES, PASSES));
    assert_eq!(moves(&mut world, A, "001020000000077"), PASSES);
    assert_eq!(world.events(Reason::DetVelocity), 0, "refused, not counted as events");
}

#[test]
fn a_subscriber_is_the_same_in_each_domain_and_protocol() {
    let mut world = World::with(|detection| detection.velocity.switch = DROP);
    assert_eq!(attaches(&mut world, B, IMSI), PASSES);
    let gprs = Said::update_gprs(A, world.id(), IMSI);
    assert_eq!(world.after(60).from(&gprs.begin()), Reason::DetVelocity);
    assert_eq!(moves(&mut world, A, IMSI), Reason::DetVelocity);
    assert_eq!(moves(&mut world, B, IMSI), PASSES);
    let gprs = Said::update_gprs(B, world.id(), OTHER);
    assert_eq!((world.from(&gprs.begin()), world.home(&gprs.accepted())), (PASSES, PASSES));
    assert_eq!(attaches(world.after(60), A, OTHER), Reason::DetVelocity);
}

#[test]
fn the_visited_network_says_where_or_else_the_realm() {
    let mut policy = world::watching(|detection| detection.velocity.switch = DROP);
    // A's other network is where B is; of the third one of each nobody knows where it is.
    for (peer, more) in [(0, "00112"), (0, "00122"), (1, "00123")] {
        policy.peers[peer].plmns.push(more.parse().expect("digits"));
    }
    let mut world = World::new(&policy);
    let visits = |world: &mut World, operator, mnc| {
        let mut request = s6a(diameter::UPDATE_LOCATION, operator, world.id(), IMSI);
        request.visited = Some(gtp::plmn(mnc).to_vec());
        let reason = world.lte(&request);
        if reason == PASSES {
            assert_eq!(world.lte_home(&s6a_answer(&request, 2001)), PASSES);
        }
        reason
    };
    assert_eq!(visits(&mut world, A, 2), PASSES);
    assert_eq!(visits(world.after(60), B, 23), Reason::DetVelocity, "by its realm");
    assert_eq!(visits(&mut world, B, 3), Reason::DetVelocity);
    assert_eq!(visits(&mut world, A, 12), Reason::DetVelocity, "A's, where B is");
    assert_eq!(visits(&mut world, A, 22), PASSES);
    assert_eq!(visits(world.after(10 * 3600), A, 12), PASSES);
    assert_eq!((visits(&mut world, B, 23), visits(&mut world, A, 22)), (PASSES, Reason::DetVelocity));
}

#[test]
fn what_is_refused_moves_nobody() {
    let mut world = World::with(|detection| detection.velocity.switch = DROP);
    assert_eq!(moves(&mut world, B, IMSI), PASSES);
    // Refused by another check: the addresses inside are another's.
    let mut forged = Said::update(A, world.id(), IMSI);
    forged.calling = node(D);
    assert_eq!(world.after(12 * 3600).from(&forged.begin()), Reason::PolXlayerAddr);
    assert_eq!(moves(world.after(60), B, IMSI), PASSES);
    // Refused by this one: however often.
    for _ in 0..5 {
        assert_eq!(moves(world.after(60), A, IMSI), Reason::DetVelocity);
    }
    assert_eq!(moves(world.after(60), B, IMSI), PASSES);
    // Passed on, and refused by our register.
    world.after(12 * 3600);
    for refusal in [Said::answer_none as fn(&Said) -> Vec<u8>, Said::abort] {
        let update = Said::update(A, world.id(), IMSI);
        assert_eq!((world.from(&update.begin()), world.home(&refusal(&update))), (PASSES, PASSES));
        assert_eq!(moves(world.after(90), B, IMSI), PASSES, "where it has been all the time");
        world.after(12 * 3600);
    }
    let request = s6a(diameter::UPDATE_LOCATION, A, world.id(), IMSI);
    assert_eq!((world.lte(&request), world.lte_home(&s6a_answer(&request, 5004))), (PASSES, PASSES));
    assert_eq!(moves(world.after(90), B, IMSI), PASSES);
}

#[test]
fn an_update_counts_after_a_while_if_its_answer_goes_elsewhere() {
    let mut world = World::with(|detection| detection.velocity.switch = DROP);
    let update = Said::update(B, world.id(), IMSI);
    assert_eq!(world.from(&update.begin()), PASSES);
    let mut known = |seconds| {
        let update = Said::update(A, world.id(), IMSI);
        world.after(seconds).from(&update.begin())
    };
    assert_eq!(known(120), Reason::DetVelocity);
}

#[test]
fn a_move_is_seen_behind_harmless_operations_and_without_a_first_one() {
    let mut world = World::with(|detection| detection.velocity.switch = DROP);
    assert_eq!(moves(&mut world, B, IMSI), PASSES);
    let mut both = Said::restore(A, world.after(60).id(), IMSI);
    both.invokes.extend(Said::update(A, 0, IMSI).invokes);
    assert_eq!(world.from(&both.begin()), Reason::DetVelocity);
    let mut two = Said::update(A, world.id(), OTHER);
    two.invokes.extend(Said::update(A, 0, IMSI).invokes);
    assert_eq!(world.from(&two.begin()), Reason::PolCat3, "two subscribers in one message");
    // Opened without an operation, which comes when the dialogue runs.
    let proceeding =
        |world: &mut World, operator, context: Option<&[u8]>| Said::update(operator, world.id(), IMSI).proceed(context);
    // As it should be, and as if it were one of CAP.
    for context in [None, Some(&[4, 0, 0, 1, 0, 50, 1][..])] {
        let from_a = proceeding(&mut world, A, context);
        assert_eq!(world.from(&from_a), Reason::DetVelocity, "{context:?}");
    }
    let from_b = proceeding(&mut world, B, None);
    assert_eq!(world.from(&from_b), PASSES);
}

#[test]
fn alert_and_learning_count_and_pass() {
    let mut world = World::with(|detection| detection.velocity.switch.mode = DetectMode::Alert);
    assert_eq!(moves(&mut world, B, IMSI), PASSES);
    assert_eq!((moves(world.after(60), A, IMSI), world.events(Reason::DetVelocity)), (PASSES, 1));
    assert_eq!((moves(world.after(60), A, IMSI), world.events(Reason::DetVelocity)), (PASSES, 1), "it is there by now");

    let learning = Switch { mode: DetectMode::Drop, learn_s: 3600 };
    let mut world = World::with(|detection| detection.velocity.switch = learning);
    assert_eq!(moves(&mut world, B, IMSI), PASSES);
    assert_eq!((moves(world.after(3599), A, IMSI), world.events(Reason::DetVelocity)), (PASSES, 1));
    assert_eq!((moves(world.after(1), B, IMSI), world.events(Reason::DetVelocity)), (Reason::DetVelocity, 1));
}

#[test]
fn learning_begins_when_a_detector_is_switched_on() {
    let mut world = World::with(|detection| detection.velocity.switch.mode = DetectMode::Alert);
    assert_eq!(moves(&mut world, B, IMSI), PASSES);
    let publish = |world: &World, mode, learn_s| {
        let policy = world::watching(|detection| detection.velocity.switch = Switch { mode, learn_s });
        let next = world.gateway.cell.current().next(&policy, &common::trust(), &common::keys(), 1500);
        world.gateway.cell.publish(next.map(std::sync::Arc::new).unwrap_or_else(|faults| panic!("{faults:?}")));
    };
    // It looked on for two hours: that is what an hour of learning asks for.
    world.after(7200);
    publish(&world, DetectMode::Drop, 3600);
    assert_eq!(moves(&mut world, A, IMSI), Reason::DetVelocity);
    publish(&world, DetectMode::Off, 3600);
    assert_eq!(moves(world.after(60), A, IMSI), PASSES);
    publish(&world, DetectMode::Drop, 3600);
    assert_eq!(moves(world.after(60), A, IMSI), PASSES, "learning: counted");
    assert_eq!(world.events(Reason::DetVelocity), 1);
}

#[test]
fn what_only_happens_where_a_subscriber_is_comes_from_there() {
    let mut world = World::with(|detection| detection.previous_location = DROP);
    type Message = fn(u8, u32, &str) -> Said;
    let all: [Message; 4] = [Said::purge, Said::restore, Said::ussd, Said::short_message];
    let says = |world: &mut World, message: Message, operator| {
        let said = message(operator, world.id(), IMSI);
        world.from(&said.begin())
    };
    for message in all {
        assert_eq!(says(&mut world, message, A), PASSES, "nothing is known yet");
    }
    assert_eq!(moves(world.after(1), B, IMSI), PASSES);
    for message in all {
        assert_eq!(says(world.after(1), message, A), Reason::DetPrevLocation);
        assert_eq!(says(&mut world, message, B), PASSES);
    }
    // Nor does it help to say in the middle of a dialogue that it is of another version.
    let purge = Said::purge(A, world.id(), IMSI).proceed(Some(&[4, 0, 0, 1, 0, 27, 2]));
    assert_eq!(world.from(&purge), Reason::DetPrevLocation);
    // Vectors are fetched before a subscriber moves, and moving says where it is.
    assert_eq!(says(&mut world, Said::vectors, A), PASSES);
    assert_eq!(moves(world.after(3600), A, IMSI), PASSES);
    for message in all {
        assert_eq!(says(world.after(1), message, B), Reason::DetPrevLocation);
        assert_eq!(says(&mut world, message, A), PASSES);
    }
    // On its way to the register both may speak, and then only one.
    let update = Said::update(B, world.id(), IMSI);
    assert_eq!(world.after(60).from(&update.begin()), PASSES);
    assert_eq!((says(&mut world, Said::ussd, A), says(&mut world, Said::ussd, B)), (PASSES, PASSES));
    assert_eq!(world.home(&update.answer(None)), PASSES);
    assert_eq!((says(&mut world, Said::ussd, A), says(&mut world, Said::ussd, B)), (PASSES, Reason::DetPrevLocation));
}

#[test]
fn registrations_are_apart() {
    let mut world = World::with(|detection| detection.previous_location = DROP);
    let gprs = Said::update_gprs(B, world.id(), IMSI);
    assert_eq!((world.from(&gprs.begin()), world.home(&gprs.accepted())), (PASSES, PASSES));
    assert_eq!(moves(world.after(1), A, IMSI), PASSES);
    assert_eq!(attaches(world.after(1), D, IMSI), PASSES);
    let purge = |world: &mut World, operator, sgsn: bool| {
        let mut said = Said::purge(operator, world.id(), IMSI);
        if sgsn {
            said.ssn = sealgate_wire::addr::Ssn(149);
        }
        world.from(&said.begin())
    };
    assert_eq!((purge(&mut world, B, true), purge(&mut world, B, false)), (PASSES, Reason::DetPrevLocation));
    assert_eq!((purge(&mut world, A, true), purge(&mut world, A, false)), (Reason::DetPrevLocation, PASSES));
    let lte = |world: &mut World, command, operator| {
        let said = s6a(command, operator, world.id(), IMSI);
        world.lte(&said)
    };
    for command in [321, 323] {
        assert_eq!(
            (lte(&mut world, command, D), lte(&mut world, command, B)),
            (PASSES, Reason::DetPrevLocation),
            "{command}"
        );
    }
    // What says nothing of a domain may come from each.
    for (operator, want) in [(A, PASSES), (B, PASSES), (D, PASSES), (C, Reason::DetPrevLocation)] {
        let said = Said::ussd(operator, world.id(), IMSI);
        assert_eq!(world.from(&said.begin()), want, "operator {operator}");
    }
}

#[test]
fn a_call_begins_where_the_subscriber_is() {
    let mut world = World::with(|detection| detection.previous_location = DROP);
    assert_eq!(moves(&mut world, B, IMSI), PASSES);
    for (operator, want) in [(A, Reason::DetPrevLocation), (B, PASSES)] {
        let call = Said::call(operator, world.id(), IMSI);
        assert_eq!(world.from(&call.begin()), want, "operator {operator}");
    }
}

#[test]
fn who_was_told_where_a_subscriber_is_delivers() {
    let switch = |detection: &mut sealgate_config::model::Detection| detection.multi_request.switch = DROP;
    let mut world = World::with(switch);
    let told = |world: &mut World, operator| {
        let question = Said::route(operator, world.id(), MSISDN);
        assert_eq!((world.from(&question.begin()), world.home(&question.routed(IMSI))), (PASSES, PASSES));
    };
    let delivers = |world: &mut World, operator| {
        let said = Said::deliver(operator, world.id(), IMSI);
        world.from(&said.begin())
    };
    assert_eq!(delivers(&mut world, B), PASSES, "nobody was told anything");
    told(&mut world, A);
    assert_eq!((delivers(world.after(5), A), delivers(&mut world, B)), (PASSES, Reason::DetMultiRequest));
    told(&mut world, C);
    assert_eq!((delivers(world.after(5), A), delivers(&mut world, C)), (PASSES, PASSES), "both were told");
    assert_eq!(delivers(&mut world, B), Reason::DetMultiRequest);
    assert_eq!(delivers(world.after(60), B), PASSES, "too long ago");
    // A question that is not answered tells nobody.
    let question = Said::route(A, world.id(), MSISDN);
    assert_eq!((world.after(3600).from(&question.begin()), world.home(&question.answer(None))), (PASSES, PASSES));
    assert_eq!(delivers(world.after(5), B), PASSES);
}

#[test]
fn nobody_is_purged_here_and_appears_there() {
    let mut world = World::with(|detection| detection.multi_request.switch = DROP);
    let purge = |world: &mut World, operator| {
        let said = Said::purge(operator, world.id(), IMSI);
        assert_eq!(world.from(&said.begin()), PASSES);
    };
    assert_eq!(moves(&mut world, B, IMSI), PASSES);
    purge(world.after(60), B);
    assert_eq!((moves(world.after(10), A, IMSI), moves(&mut world, B, IMSI)), (Reason::DetMultiRequest, PASSES));
    purge(world.after(600), B);
    assert_eq!(moves(world.after(61), A, IMSI), PASSES);
}

#[test]
fn one_source_does_not_ask_for_everybody() {
    let scan = Scan { switch: DROP, window_s: 600, subscribers: 20 };
    let mut world = World::with(|detection| detection.scan = scan);
    let ask = |world: &mut World, node: &str, n: u64| {
        let mut question = Said::route(A, world.id(), &format!("99901{n:07}"));
        question.calling = node.into();
        world.from(&question.begin())
    };
    // At most so many, as often as they like, and in the next window others.
    for window in 0..3 {
        for n in 0..60 {
            assert_eq!(ask(&mut world, "999020000011", window * 20 + n % 20), PASSES, "{n}");
        }
        world.after(600);
    }
    let found = (0..60).find(|n| ask(&mut world, "999020000011", 1000 + n) == Reason::DetScan);
    assert!(found.is_some_and(|n| (20..40).contains(&n)), "{found:?}");
    assert_eq!(ask(&mut world, "999020000012", 1059), PASSES, "another node");
    assert_eq!(ask(world.after(600), "999020000011", 1059), PASSES, "another window");
}

#[test]
fn subscribers_are_counted_by_imsi_too_and_hosts_however_they_are_written() {
    let scan = Scan { switch: DROP, window_s: 600, subscribers: 20 };
    let mut world = World::with(|detection| detection.scan = scan);
    let found = (0..60).find(|n| {
        let said = Said::vectors(B, world.id(), &format!("00101{n:010}"));
        world.from(&said.begin()) == Reason::DetScan
    });
    assert!(found.is_some_and(|n| (20..40).contains(&n)), "{found:?}");
    let found = (0..60).find(|n| {
        let mut said = s6a(318, C, world.id(), &format!("00101{n:010}"));
        said.upper = n % 2 == 1;
        world.lte(&said) == Reason::DetScan
    });
    assert!(found.is_some_and(|n| (20..40).contains(&n)), "{found:?}");
}

#[test]
fn one_source_sends_no_flood() {
    let flood = Flood { switch: DROP, per_second: 10, burst: 20 };
    let mut world = World::with(|detection| detection.flood = flood);
    let passed = |world: &mut World, operator, tries: usize| {
        let mut one = || {
            let said = Said::vectors(operator, world.id(), IMSI);
            world.from(&said.begin())
        };
        let reasons: Vec<_> = (0..tries).map(|_| one()).collect();
        assert!(reasons.iter().all(|reason| [PASSES, Reason::DetFlood].contains(reason)), "{reasons:?}");
        reasons.iter().filter(|reason| **reason == PASSES).count()
    };
    assert_eq!((passed(&mut world, A, 50), passed(&mut world, B, 15)), (20, 15));
    assert_eq!((passed(world.after(1), A, 50), passed(world.after(60), A, 50)), (10, 20));
    let lte: Vec<_> = (0..30)
        .map(|_| {
            let said = s6a(318, A, world.id(), IMSI);
            world.lte(&said)
        })
        .collect();
    assert_eq!(lte.iter().filter(|reason| **reason == PASSES).count(), 20, "an Origin-Host is a source of its own");
}

#[test]
fn nobody_moves_to_two_operators_at_once() {
    let windowed = Windowed { switch: DROP, window_s: 300 };
    let mut world = World::with(|detection| detection.multi_protocol = windowed);
    assert_eq!(attaches(&mut world, B, IMSI), PASSES);
    assert_eq!((moves(world.after(10), A, IMSI), moves(&mut world, B, IMSI)), (Reason::DetMultiProtocol, PASSES));
    assert_eq!(moves(world.after(300), A, IMSI), PASSES, "five minutes later");
    assert_eq!((attaches(world.after(1), B, IMSI), attaches(&mut world, A, IMSI)), (Reason::DetMultiProtocol, PASSES));
    // What our register refused was no move.
    let request = s6a(diameter::UPDATE_LOCATION, C, world.id(), OTHER);
    assert_eq!((world.lte(&request), world.lte_home(&s6a_answer(&request, 5004))), (PASSES, PASSES));
    assert_eq!(moves(&mut world, A, OTHER), PASSES);
}

#[test]
fn who_is_on_s6a_needs_no_vectors_elsewhere() {
    let windowed = Windowed { switch: DROP, window_s: 300 };
    let mut world = World::with(|detection| detection.cross_generation = windowed);
    let fetches = |world: &mut World, operator| {
        let said = Said::vectors(operator, world.id(), IMSI);
        world.from(&said.begin())
    };
    assert_eq!(fetches(&mut world, A), PASSES, "nothing is known");
    assert_eq!(attaches(&mut world, B, IMSI), PASSES);
    assert_eq!((fetches(world.after(60), A), fetches(&mut world, B)), (Reason::DetCrossGeneration, PASSES));
    let lte = |world: &mut World, operator| {
        let said = s6a(318, operator, world.id(), IMSI);
        world.lte(&said)
    };
    assert_eq!(lte(world.after(200), B), PASSES, "seen there again");
    assert_eq!(fetches(world.after(200), A), Reason::DetCrossGeneration);
    assert_eq!((lte(&mut world, A), fetches(world.after(100), A)), (PASSES, PASSES), "not seen there for five minutes");
}

#[test]
fn a_start_goes_on_where_the_run_before_ended() {
    let policy = world::watching(|detection| {
        detection.velocity.switch = Switch { mode: DetectMode::Drop, learn_s: 3600 };
        detection.previous_location = Switch { mode: DetectMode::Drop, learn_s: 3600 };
    });
    let mut world = World::new(&policy);
    assert_eq!(moves(&mut world, B, IMSI), PASSES);
    world.after(3600);
    let left = {
        let snapshot = world.gateway.cell.current();
        world.gateway.shared.export_seen(&snapshot, world.now_ms)
    };
    // Peers and places have other numbers after the restart.
    let mut other = policy.clone();
    other.peers.reverse();
    other.detection.velocity.geo.as_mut().expect("a geography").places.reverse();
    let mut next = World::new(&other);
    next.gateway = common::Gateway::with_memory(
        &other,
        sealgate_dataplane::pipeline::WorkerConfig { journal: true, ..Default::default() },
        Default::default(),
        |shared| {
            let snapshot = next.gateway.cell.current();
            assert_eq!(
                shared.import_seen(&left, &snapshot, NOW_MS + 3_660_000).map(|left_ms| left_ms - NOW_MS),
                Ok(3_600_000)
            );
        },
    );
    next.now_ms = NOW_MS + 3_660_000;
    for (operator, want) in [(B, PASSES), (A, Reason::DetPrevLocation), (C, Reason::DetPrevLocation)] {
        let said = Said::ussd(operator, next.id(), IMSI);
        assert_eq!(next.from(&said.begin()), want, "operator {operator}");
    }
    assert_eq!(moves(&mut next, A, IMSI), Reason::DetVelocity, "known, and it has learned");
    assert_eq!(moves(&mut next, C, IMSI), PASSES);
}
