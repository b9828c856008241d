//! Several components of which the first is harmless, and what may hide in one.

use sealgate_wire::Reason;

use super::kit::*;

pub fn cases() -> Vec<Case> {
    let mut all = Vec::new();
    let good = |id| invoke(id, 2, &update_location(B, THEIRS));
    let mut add = |name: String, tcap: Vec<u8>, want| all.push(case(name, ss7(&tcap), want));
    let goods: Vec<Vec<u8>> = (0..17).map(good).collect();
    let many = |count: usize, last: &[u8]| {
        let mut list: Vec<&[u8]> = goods.iter().take(count).map(Vec::as_slice).collect();
        list.push(last);
        begin(&LOCATION, &list)
    };
    for before in [1, 2, 7, 15] {
        let forbidden = invoke(100, 71, &interrogation(HOME));
        let tcap = many(before, &forbidden);
        add(format!("{before} before a category 1 operation"), tcap, Reason::PolCat1);
        add(
            format!("{before} before an operation of another context"),
            many(before, &invoke(100, 57, &[0x30, 0])),
            Reason::MapParam,
        );
        add(format!("{before} before cancelLocation"), many(before, &invoke(100, 3, &[0x30, 0])), Reason::TcapAcOpcode);
        let foreign = invoke(100, 2, &update_location(B, "999020000011"));
        add(format!("{before} before a node of another's"), many(before, &foreign), Reason::PolXlayerAddr);
        add(format!("{before} before an invoke id used before"), many(before, &good(0)), Reason::TcapInvokeIdDup);
        let data: Vec<Vec<u8>> = (0..before as u8).map(|id| invoke(id, 7, &insert_data(B))).collect();
        let mut list: Vec<&[u8]> = data.iter().map(Vec::as_slice).collect();
        for (who, want) in [(HOME, Reason::PolHomeImsi), (A, Reason::PolImsiGt), (B, Reason::OkUnsignedAllowed)] {
            let last = invoke(100, 7, &insert_data(who));
            let mut list = list.clone();
            list.push(&last);
            add(format!("{before} before one of {who}"), begin(&SUBSCRIBER_DATA, &list), want);
        }
        list.clear();
    }
    add("sixteen".into(), many(15, &good(100)), Reason::OkUnsignedAllowed);
    add("seventeen".into(), many(16, &good(100)), Reason::TcapComponentCount);
    let asks = invoke(9, 71, &interrogation(HOME));
    let (ok, error) = (result(1, 7, &[0x30, 0]), of(0xa3, &[&[2, 1, 2], &code(34)]));
    let reject = of(0xa4, &[&[2, 1, 3], &[0x80, 1, 0]]);
    let part = of(0xa7, &[&[2, 1, 4], &of(0x30, &[&code(7), &[0x30, 0]])]);
    for (name, first) in [("a result", &ok), ("an error", &error), ("a reject", &reject), ("a part of a result", &part)]
    {
        add(format!("{name} before it"), go_on(&fresh(), &fresh(), &[], &[first, &asks]), Reason::PolCat1);
        add(format!("{name} before it, at the end"), end(&fresh(), &[], &[first, &asks]), Reason::PolCat1);
        add(format!("{name} alone"), end(&fresh(), &[], &[first]), Reason::OkUnsignedAllowed);
    }
    add("it without a dialogue".into(), of(0x61, &[&portion_of(&[&good(1), &asks])]), Reason::PolCat1);
    let linked = |op: i32, argument: &[u8]| of(0xa1, &[&[2, 1, 9], &[0x80, 1, 1], &code(op), argument]);
    add("it with a linked id".into(), begin(&INTERROGATION, &[&linked(71, &interrogation(HOME))]), Reason::PolCat1);
    add("a linked id".into(), begin(&LOCATION, &[&linked(2, &update_location(B, THEIRS))]), Reason::OkUnsignedAllowed);
    // In one component: whatever stands behind what was read is read by somebody else.
    let inside = |parts: &[&[u8]]| of(0xa1, &[&[&[2_u8, 1, 1][..]], parts].concat());
    let (argument, op) = (update_location(B, THEIRS), code(2));
    for (name, component, want) in [
        ("a second parameter", inside(&[&op, &argument, &interrogation(HOME)]), Reason::TcapComponent),
        ("a second operation", inside(&[&op, &code(71), &argument]), Reason::TcapComponent),
        ("a second linked id", inside(&[&[0x80, 1, 1], &[0x80, 1, 2], &op, &argument]), Reason::TcapComponent),
        ("no operation", inside(&[]), Reason::TcapComponent),
        ("no invoke id", of(0xa1, &[&op, &argument]), Reason::TcapComponent),
        ("an invoke id of two octets", of(0xa1, &[&[2, 2, 0, 1], &op, &argument]), Reason::TcapComponent),
        ("an invoke id that is null", of(0xa1, &[&[5, 0], &op, &argument]), Reason::TcapComponent),
        (
            "a result with two operations",
            of(0xa2, &[&[2, 1, 1], &of(0x30, &[&op, &[0x30, 0], &asks])]),
            Reason::TcapComponent,
        ),
        (
            "a result behind a result",
            of(0xa2, &[&[2, 1, 1], &of(0x30, &[&op]), &of(0x30, &[&op])]),
            Reason::TcapComponent,
        ),
        ("a reject with something behind", of(0xa4, &[&[2, 1, 1], &[0x80, 1, 0], &asks]), Reason::TcapComponent),
        ("a component that there is not", of(0xa5, &[&[2, 1, 1], &op, &argument]), Reason::TcapComponent),
        ("a primitive one", tlv(0x81, &[2, 1, 1]), Reason::TcapComponent),
        ("a universal one", of(0x30, &[&[2, 1, 1], &op, &argument]), Reason::TcapComponent),
    ] {
        add(name.into(), begin(&LOCATION, &[&component]), want);
    }
    // Components that look like a signature: they are refused as one, and whatever stands beside them is screened.
    for (name, list, want) in [
        ("a signature without its shape", [&good(1), &invoke(127, 81, &[0x30, 0])], Reason::SecSyntax),
        ("a signature that is not last", [&invoke(127, 81, &[0x30, 0]), &good(1)], Reason::SecPosition),
        ("two signatures", [&invoke(127, 81, &[0x30, 0]), &invoke(126, 81, &[0x30, 0])], Reason::SecDup),
        ("signatures of both kinds", [&invoke(1, 100, &[0x24, 0]), &invoke(126, 81, &[0x30, 0])], Reason::SecDup),
    ] {
        add(name.into(), begin(&LOCATION, &[list[0], list[1]]), want);
    }
    // D's signatures are not looked at, and taken off.
    let of_d = |tcap: &[u8]| Carried::In(inward(&udt(&address(OURS, 6), &address("999050000011", 7), tcap)));
    let signature = invoke(127, 81, &[0x30, 0]);
    let hidden = begin(&INTERROGATION, &[&asks, &signature, &invoke(126, 100, &[0x24, 0])]);
    all.push(case("between signatures of a peer that is ignored", of_d(&hidden), Reason::PolCat1));
    let (location, other) = (invoke(1, 2, &update_location("001050000000001", "999050000011")), fresh());
    let with = |components: &[&[u8]]| of(0x62, &[&tlv(0x48, &other), &request(&LOCATION), &portion_of(components)]);
    let Carried::In(plain) = of_d(&with(&[&location])) else { unreachable!("it is one to us") };
    all.push(case("the same, harmless", of_d(&with(&[&location, &signature])), Reason::OkIgnored).leaving(plain));
    all
}
