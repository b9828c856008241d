use super::*;

const NOW: u64 = 1_795_000_000_000;
/// A tick of a second.
const CONFIG: Config = Config { subscribers: 1024, idle_ms: 36_000_000 };
const HERE: Location = Location { peer: 3, place: 17 };
const THERE: Location = Location { peer: 8191, place: 2047 };

fn table() -> Subscribers {
    Subscribers::new(CONFIG, Key::new(7, 8))
}

fn key(table: &Subscribers, n: u64) -> u64 {
    table.key(&format!("00101{n:010}").parse().unwrap_or_default())
}

fn at(table: &Subscribers, key: u64, domain: Domain, now_ms: u64) -> Option<Location> {
    table.last(key, domain, now_ms).map(|seen| seen.location)
}

fn coming(table: &Subscribers, key: u64, now_ms: u64) -> Option<Location> {
    table.known(key, now_ms).coming[Domain::Circuit as usize]
}

#[test]
fn a_subscriber_is_where_its_register_accepted_it() {
    let table = table();
    let key = key(&table, 1);
    let to = |location| Update { key, domain: Domain::Circuit, location };
    table.arrives(&to(HERE), NOW);
    assert_eq!((at(&table, key, Domain::Circuit, NOW), coming(&table, key, NOW)), (None, Some(HERE)));
    table.accepted(&to(HERE), NOW + 500);
    assert_eq!((at(&table, key, Domain::Circuit, NOW + 500), coming(&table, key, NOW)), (Some(HERE), None));
    assert_eq!(at(&table, key, Domain::Lte, NOW + 500), None, "domains are apart");
    // Refused elsewhere: it stays.
    table.arrives(&to(THERE), NOW + 10_000);
    table.refused(&to(THERE), NOW + 10_100);
    assert_eq!((at(&table, key, Domain::Circuit, NOW + 60_000), coming(&table, key, NOW + 60_000)), (Some(HERE), None));
    // Two at once, and the answers cross: only what was accepted counts.
    table.arrives(&to(THERE), NOW + 70_000);
    table.arrives(&to(Location { peer: 5, place: 5 }), NOW + 70_010);
    table.refused(&to(THERE), NOW + 70_020);
    assert_eq!(coming(&table, key, NOW + 70_020), Some(Location { peer: 5, place: 5 }));
    table.refused(&to(Location { peer: 5, place: 5 }), NOW + 70_030);
    assert_eq!(at(&table, key, Domain::Circuit, NOW + 200_000), Some(HERE));
    table.accepted(&to(THERE), NOW + 200_000);
    assert_eq!(at(&table, key, Domain::Circuit, NOW + 200_000), Some(THERE), "of the largest peer and place");
}

#[test]
fn an_update_that_nobody_answers_counts_after_a_while_and_as_old_as_it_is() {
    let table = table();
    let key = key(&table, 2);
    let to = |location| Update { key, domain: Domain::Lte, location };
    table.arrives(&to(HERE), NOW);
    assert_eq!(table.last(key, Domain::Lte, NOW + 30_000), None, "perhaps 29 s and a bit");
    let seen = table.last(key, Domain::Lte, NOW + 31_000).expect("by now");
    assert_eq!((seen.location, seen.least_ms, seen.most_ms), (HERE, 30_000, 32_000));
    // The next one makes it a place where the subscriber was, and does not make it younger.
    table.arrives(&to(THERE), NOW + 100_000);
    let seen = table.last(key, Domain::Lte, NOW + 100_000).expect("known");
    assert_eq!((seen.location, seen.least_ms), (HERE, 99_000));
    table.refused(&to(THERE), NOW + 100_500);
    assert_eq!(at(&table, key, Domain::Lte, NOW + 200_000), Some(HERE));
}

#[test]
fn what_a_subscriber_does_where_it_is_keeps_it_from_being_forgotten() {
    let table = table();
    let key = key(&table, 3);
    table.accepted(&Update { key, domain: Domain::Circuit, location: HERE }, NOW);
    let hours = |n: u64| NOW + n * 3_600_000;
    table.acts(key, Some(Domain::Circuit), 4, hours(9));
    table.acts(key, Some(Domain::Packet), 3, hours(9));
    table.acts(key, Some(Domain::Circuit), 3, hours(5));
    assert_eq!(table.last(key, Domain::Circuit, hours(9)).map(|seen| seen.least_ms / 3_600_000), Some(3));
    assert_eq!(at(&table, key, Domain::Circuit, hours(15)), Some(HERE));
    assert_eq!(at(&table, key, Domain::Circuit, hours(15) + 1000), None);
    assert_eq!(table.counters().opened, 1);
}

#[test]
fn a_peer_or_place_without_a_number_is_not_remembered() {
    let table = table();
    let key = key(&table, 4);
    let to = |peer, place| Update { key, domain: Domain::Circuit, location: Location { peer, place } };
    table.arrives(&to(8192, 1), NOW);
    table.accepted(&to(8192, 1), NOW);
    assert_eq!((coming(&table, key, NOW), at(&table, key, Domain::Circuit, NOW)), (None, None));
    table.accepted(&to(1, 2048), NOW);
    assert_eq!(at(&table, key, Domain::Circuit, NOW), Some(Location { peer: 1, place: 0 }));
}

#[test]
fn who_makes_up_subscribers_pushes_out_his_own() {
    let table = table();
    let good: Vec<_> = (0..1500).map(|n| key(&table, n)).collect();
    for (i, &key) in good.iter().enumerate() {
        let peer = 10 + (i % 100) as u16;
        table.accepted(&Update { key, domain: Domain::Circuit, location: Location { peer, place: 1 } }, NOW);
    }
    let there = || good.iter().filter(|key| at(&table, **key, Domain::Circuit, NOW + 90_000).is_some()).count();
    let before = there();
    assert!(before > 1480, "{before} of {} fit", good.len());
    let memory = table.memory();
    for n in 0..200_000 {
        let key = key(&table, 1_000_000 + n);
        let update = Update { key, domain: Domain::Circuit, location: Location { peer: 2, place: 9 } };
        table.arrives(&update, NOW + 1000);
        table.accepted(&update, NOW + 1000);
    }
    let after = there();
    println!("of {before} subscribers {after} are left after 200000 made up by one operator");
    // A bucket has eight places: with one entry of everybody in it, the attacker gets the oldest one's.
    assert!(after * 10 > before * 9, "{after} of {before}");
    assert_eq!(table.memory(), memory);
    assert!(table.counters().evicted > 190_000, "{:?}", table.counters());
}

/// What fifty million take: a sample with as many to a bucket. Prints octets a subscriber.
#[test]
fn memory_per_subscriber() {
    let whole = Subscribers::new(Config { subscribers: 1024, ..CONFIG }, Key::new(1, 1));
    assert_eq!(whole.memory(), 512 * 64);
    // As 50 million in 2^25 buckets: 1.49 to a bucket; and as many where the limit is twice that.
    let share = [97_656, 48_829].map(|subscribers| fill(subscribers, 97_656));
    assert!(share[0] > 0.95 && share[1] > 0.99, "{share:?}");
}

/// Fills a table and returns the share of subscribers that stay known in both domains.
fn fill(subscribers: usize, asked: usize) -> f64 {
    let table = Subscribers::new(Config { subscribers: asked, idle_ms: 604_800_000 }, Key::new(3, 4));
    let buckets = table.memory() / 64;
    assert_eq!(buckets, 65_536);
    for n in 0..subscribers {
        let key = key(&table, n as u64);
        for domain in [Domain::Circuit, Domain::Lte] {
            let location = Location { peer: 1 + (n % 700) as u16, place: 1 };
            table.accepted(&Update { key, domain, location }, NOW + n as u64);
        }
    }
    let known = (0..subscribers).filter(|n| {
        let key = key(&table, *n as u64);
        [Domain::Circuit, Domain::Lte].iter().all(|domain| at(&table, key, *domain, NOW + 100_000).is_some())
    });
    let known = known.count();
    let octets = table.memory() as f64 / subscribers as f64;
    let share = known as f64 / subscribers as f64;
    println!(
        "{octets:.1} octets a subscriber with two registrations; {:.2} % of them known in both; evicted {}",
        share * 100.0,
        table.counters().evicted
    );
    println!("50,000,000 subscribers: {:.2} GiB", octets * 5e7 / f64::from(1 << 30));
    assert!(octets * 5e7 <= 4.0 * f64::from(1 << 30), "more than 4 GiB for 50 million");
    share
}
