//! One message in several DATA chunks: it is held until it is whole, and judged once.

use sealgate_wire::Reason;

use super::kit::*;

fn pieces(user: &[u8], cuts: &[usize]) -> Carried {
    let mut at = 0;
    let mut parts = Vec::new();
    for &cut in cuts.iter().chain([&user.len()]) {
        parts.push((at == 0, cut == user.len(), user[at..cut].to_vec()));
        at = cut;
    }
    Carried::Pieces(parts)
}

fn user(tcap: &[u8]) -> Vec<u8> {
    let Carried::In(user) = ss7(tcap) else { unreachable!("it is one to us") };
    user
}

pub fn cases() -> Vec<Case> {
    let mut all = Vec::new();
    let asks = user(&begin(&INTERROGATION, &[&invoke(1, 71, &interrogation(HOME))]));
    let hidden = [&invoke(1, 2, &update_location(B, THEIRS))[..], &invoke(2, 71, &interrogation(HOME))].concat();
    let hidden = user(&begin(&LOCATION, &[&hidden]));
    let length = asks.len();
    // Through the middle of what a filter looks for: header, addresses, context, operation code, identity.
    let code = place(&asks, &[2, 1, 71]);
    let places: [(&str, Vec<usize>); 9] = [
        ("in the first octet", vec![1]),
        ("in the header of M3UA", vec![6]),
        ("in the addresses", vec![place(&asks, &address(THEIRS, 7)) + 5]),
        ("in the context", vec![place(&asks, &INTERROGATION) + 3]),
        ("in the operation code", vec![code + 2]),
        ("before the operation code", vec![code]),
        ("before the last octet", vec![length - 1]),
        ("in three", vec![20, code + 1]),
        ("in six", vec![8, 30, 50, code + 2, length - 8]),
    ];
    for (name, cuts) in &places {
        all.push(case(format!("category 1 cut {name}"), pieces(&asks, cuts), Reason::PolCat1));
        let data = user(&begin(&SUBSCRIBER_DATA, &[&invoke(1, 7, &insert_data(HOME))]));
        let cuts: Vec<usize> = cuts.iter().map(|cut| *cut.min(&(data.len() - 1))).collect();
        let mut rising = cuts.clone();
        rising.dedup();
        all.push(case(format!("a subscriber of ours cut {name}"), pieces(&data, &rising), Reason::PolHomeImsi));
        let mine = user(&begin(&SUBSCRIBER_DATA, &[&invoke(1, 7, &insert_data(B))]));
        all.push(benign(format!("B's own cut {name}"), pieces(&mine, &rising)));
    }
    all.push(case(
        "the second component in a chunk of its own",
        pieces(&hidden, &[hidden.len() - 40]),
        Reason::PolCat1,
    ));
    let every: Vec<usize> = (1..asks.len()).step_by(5).collect();
    all.push(case("five octets a chunk", pieces(&asks, &every), Reason::PolCat1));
    all
}
