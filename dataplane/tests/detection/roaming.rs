//! A day of a hundred thousand subscribers abroad: nobody who travels, calls and reads messages is ever refused.

use std::collections::HashMap;

use sealgate_config::model::{Detection, Geo, Policy, Scan};
use sealgate_wire::Reason;
use sealgate_wire::diameter::plmn_octets;

use super::world::{DROP, Said, World, s6a, s6a_answer, watching};
use super::{PASSES, common::diameter};

const SUBSCRIBERS: u32 = 100_000;
const DAY_S: u64 = 86_400;

/// Operators by country code, with the network that stands for it, and who has a border with whom, by place in this list.
const COUNTRIES: [(&str, &str, &[usize]); 24] = [
    ("49", "26201", &[1, 2, 3, 4]),
    ("43", "23201", &[0, 4, 5]),
    ("33", "20801", &[0, 6, 4]),
    ("48", "26001", &[0]),
    ("41", "22801", &[0, 1, 2, 5]),
    ("39", "22201", &[1, 4]),
    ("34", "21401", &[2]),
    ("44", "23410", &[]),
    ("46", "24001", &[9]),
    ("47", "24201", &[8]),
    ("1", "31026", &[11]),
    ("52", "33402", &[10]),
    ("55", "72405", &[13]),
    ("54", "72207", &[12]),
    ("81", "44010", &[]),
    ("86", "46000", &[17]),
    ("91", "40410", &[]),
    ("852", "45400", &[15]),
    ("65", "52501", &[19]),
    ("60", "50212", &[18]),
    ("61", "50501", &[]),
    ("27", "65501", &[]),
    ("20", "60201", &[]),
    ("966", "42001", &[]),
];

/// The operators as peers.
fn policy() -> Policy {
    let mut policy = watching(all);
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../config/examples/geo.csv");
    let places = sealgate_config::load_geo(path.as_ref()).unwrap_or_else(|faults| panic!("{faults}"));
    policy.detection.velocity.geo = Some(Geo { file: path.into(), places });
    let one = policy.peers[1].clone();
    policy.peers = COUNTRIES
        .iter()
        .map(|(code, plmn, _)| {
            let mut peer = one.clone();
            peer.name = format!("op{code}");
            peer.gt = vec![code.parse().expect("digits")];
            peer.plmns = vec![plmn.parse().expect("digits")];
            peer.realms = vec![realm(plmn)];
            peer.gtp = Default::default();
            peer
        })
        .collect();
    policy.sigfw_keys.clear();
    policy.dess_keys.clear();
    policy
}

fn realm(plmn: &str) -> String {
    format!("epc.mnc0{}.mcc{}.3gppnetwork.org", &plmn[3..], &plmn[..3])
}

fn all(detection: &mut Detection) {
    detection.subscribers.limit = 4 * SUBSCRIBERS as usize;
    detection.steps.limit = 4 * SUBSCRIBERS as usize;
    detection.velocity.switch = DROP;
    detection.previous_location = DROP;
    detection.multi_request.switch = DROP;
    detection.scan = Scan { switch: DROP, window_s: 600, subscribers: 20_000 };
    detection.flood.switch = DROP;
    detection.multi_protocol.switch = DROP;
    detection.cross_generation.switch = DROP;
}

/// Numbers that are the same in each run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % n
    }
}

/// What one subscriber does next.
#[derive(Clone, Copy)]
enum Does {
    /// Arrives at a country; lte: in S6a too.
    Arrives {
        country: usize,
        lte: bool,
    },
    Dials,
    Reads,
}

/// Great circles between the middles of countries, kilometres.
fn distance(places: &HashMap<String, (f64, f64)>, a: usize, b: usize) -> f64 {
    let at = |i: usize| {
        let (latitude, longitude) = places[COUNTRIES[i].0];
        (latitude.to_radians(), longitude.to_radians())
    };
    let ((a, b), (c, d)) = (at(a), at(b));
    let half = |x: f64| (x / 2.0).sin().powi(2);
    2.0 * 6371.0 * (half(c - a) + a.cos() * c.cos() * half(d - b)).sqrt().min(1.0).asin()
}

/// The day of one subscriber: when it does what.
fn day(dice: &mut Dice, places: &HashMap<String, (f64, f64)>, out: &mut Vec<(u64, u32, Does)>, n: u32) {
    let mut country = dice.below(COUNTRIES.len() as u64) as usize;
    let mut at = dice.below(DAY_S / 2);
    let lte = dice.below(2) == 0;
    out.push((at, n, Does::Arrives { country, lte }));
    for _ in 0..3 {
        at += 60 + dice.below(7200);
        match dice.below(10) {
            0..=3 => out.push((at, n, Does::Dials)),
            4..=6 => out.push((at, n, Does::Reads)),
            7 => {
                // Over a border, minutes after something was done here.
                let neighbours = COUNTRIES[country].2;
                let Some(next) = neighbours.get(dice.below(neighbours.len().max(1) as u64) as usize) else { continue };
                out.push((at, n, Does::Dials));
                at += 360 + dice.below(600);
                out.push((at, n, Does::Arrives { country: *next, lte }));
                country = *next;
            }
            _ => {
                // A flight at 900 km an hour, switched on again at the gate.
                let next = dice.below(COUNTRIES.len() as u64) as usize;
                at += 1800 + (distance(places, country, next) / 900.0 * 3600.0) as u64;
                out.push((at, n, Does::Arrives { country: next, lte }));
                country = next;
            }
        }
    }
}

#[test]
fn nobody_who_travels_is_refused() {
    let policy = policy();
    let said = &policy.detection.velocity.geo.as_ref().expect("a geography").places;
    let mut places = HashMap::new();
    for place in said {
        if let sealgate_config::model::GeoCode::Number(digits) = &place.code {
            places.insert(digits.to_string(), (f64::from(place.latitude) / 1e6, f64::from(place.longitude) / 1e6));
        }
    }
    let mut dice = Dice(0x5ea1_6a7e);
    let mut events = Vec::new();
    (0..SUBSCRIBERS).for_each(|n| day(&mut dice, &places, &mut events, n));
    events.retain(|(at, _, _)| *at < DAY_S);
    events.sort_by_key(|(at, n, _)| (*at, *n));
    let mut world = World::new(&policy);
    let began = world.now_ms;
    let mut at_country = vec![usize::MAX; SUBSCRIBERS as usize];
    let (mut messages, mut journeys) = (0_u64, 0_u64);
    let mut refused: HashMap<Reason, u64> = HashMap::new();
    let mut count = |reason: Reason| {
        messages += 1;
        if reason != PASSES {
            *refused.entry(reason).or_default() += 1;
        }
    };
    for (at, n, does) in events {
        world.now_ms = began + at * 1000;
        let imsi = format!("00101{n:010}");
        let here = at_country[n as usize];
        // A VLR for each region of an operator.
        let of = |mut said: Said, country: usize| {
            let node = format!("{}17{:05}", COUNTRIES[country].0, n % 8);
            said.calling = node;
            said
        };
        match does {
            Does::Arrives { country, lte } => {
                journeys += u64::from(here != usize::MAX && here != country);
                let node = format!("{}17{:05}", COUNTRIES[country].0, n % 8);
                let vectors = of(Said::vectors(2, world.id(), &imsi), country);
                count(world.from(&vectors.begin()));
                if lte {
                    let mut request = s6a(diameter::UPDATE_LOCATION, 2, world.id(), &imsi);
                    let plmn = COUNTRIES[country].1;
                    request.realm = Some(realm(plmn));
                    request.visited = plmn_octets(&plmn.parse().expect("digits")).map(Vec::from);
                    count(world.lte(&request));
                    count(world.lte_home(&s6a_answer(&request, 2001)));
                }
                let mut update = of(Said::update_at(&node, world.id(), &imsi), country);
                update.calling = node;
                count(world.from(&update.begin()));
                count(world.home(&update.accepted()));
                at_country[n as usize] = country;
            }
            Does::Dials => {
                let code = of(Said::ussd(2, world.id(), &imsi), here);
                count(world.from(&code.begin()));
            }
            Does::Reads => {
                // A short message from anywhere: routing, then delivery by whom was told.
                let centre = format!("{}17000", COUNTRIES[(n % 24) as usize].0);
                let question = Said::route_from(&centre, world.id(), &format!("99901{n:07}"));
                count(world.from(&question.begin()));
                count(world.home(&question.routed(&imsi)));
                let delivery = Said::deliver_from(&centre, world.id(), &imsi);
                count(world.from(&delivery.begin()));
            }
        }
    }
    println!("{messages} messages of a day, {journeys} journeys between countries: {refused:?} refused");
    assert!(messages > 600_000 && journeys > 50_000);
    assert_eq!(refused, HashMap::new());
    let counters = world.gateway.shared.detection.subscribers.counters();
    println!("{counters:?}");
    // And the same day's end is no blank: whoever appears far away at once is found.
    let mut found = 0;
    for n in 0..1000_u32 {
        let here = at_country[n as usize];
        let far = (0..COUNTRIES.len()).find(|i| here != usize::MAX && distance(&places, here, *i) > 14_000.0);
        let Some(far) = far else { continue };
        let node = format!("{}1700000", COUNTRIES[far].0);
        let update = Said::update_at(&node, world.id(), &format!("00101{n:010}"));
        found += u32::from(world.from(&update.begin()) == Reason::DetVelocity);
    }
    println!("of a thousand, {found} found that far away");
    assert!(found > 100, "{found}");
}
