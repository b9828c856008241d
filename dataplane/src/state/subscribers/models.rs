use super::*;
use loom::{sync::Arc, thread};

const CONFIG: Config = Config { subscribers: 2, idle_ms: 36_000_000 };
const NOW: u64 = 1_795_000_000_000;

#[test]
fn an_answer_and_the_next_update_leave_the_subscriber_at_one_of_both() {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(2);
    model.check(|| {
        let table = Arc::new(Subscribers::new(CONFIG, Key::new(7, 8)));
        let update = |peer| Update { key: 1 << 30, domain: Domain::Circuit, location: Location { peer, place: 1 } };
        table.arrives(&update(1), NOW);
        let shared = Arc::clone(&table);
        let answer = thread::spawn(move || shared.accepted(&update(1), NOW + 100));
        table.arrives(&update(2), NOW + 100);
        answer.join().unwrap();
        table.accepted(&update(2), NOW + 200);
        let seen = table.last(1 << 30, Domain::Circuit, NOW + 200).map(|seen| seen.location.peer);
        assert_eq!(seen, Some(2), "what was accepted last");
        assert_eq!(table.known(1 << 30, NOW + 200).coming, [None; 3]);
    });
}

#[test]
fn a_refusal_takes_nothing_from_another_subscriber() {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(2);
    model.check(|| {
        let table = Arc::new(Subscribers::new(CONFIG, Key::new(7, 8)));
        let update =
            |key: u64| Update { key: key << 40, domain: Domain::Lte, location: Location { peer: 1, place: 1 } };
        table.accepted(&update(5), NOW);
        table.arrives(&update(6), NOW);
        let shared = Arc::clone(&table);
        let answer = thread::spawn(move || shared.refused(&update(6), NOW));
        table.accepted(&update(7), NOW);
        answer.join().unwrap();
        for (key, want) in [(5, true), (6, false), (7, true)] {
            let key = key << 40;
            assert_eq!(table.last(key, Domain::Lte, NOW).is_some(), want, "{key}");
            assert_eq!(table.known(key, NOW).coming, [None; 3]);
        }
    });
}
