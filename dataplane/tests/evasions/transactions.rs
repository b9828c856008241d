//! Transaction ids: long, missing, of a message that has none, in another order, and elements that are not of the message.

use sealgate_wire::Reason;

use super::kit::*;

pub fn cases() -> Vec<Case> {
    let mut all = Vec::new();
    let good = invoke(1, 2, &update_location(B, THEIRS));
    let parts = portion_of(&[&good]);
    let dialogue = request(&LOCATION);
    let long = [0x55; 130];
    for len in [0, 5, 6, 8, 16, 130] {
        let id = &long[..len];
        let tcap = of(0x62, &[&tlv(0x48, id), &dialogue, &parts]);
        let at = place(&tcap, &tlv(0x48, id));
        all.push(case(format!("an id of {len} octets"), ss7(&tcap), Reason::TcapTid).at(at));
        let tcap = of(0x64, &[&tlv(0x49, id), &parts]);
        all.push(case(format!("an answer to an id of {len} octets"), ss7(&tcap), Reason::TcapTid));
        let tcap = of(0x65, &[&tlv(0x48, &fresh()), &tlv(0x49, id), &parts]);
        all.push(case(format!("further to an id of {len} octets"), ss7(&tcap), Reason::TcapTid));
    }
    for len in 1..5 {
        let id = &fresh()[4 - len..];
        all.push(benign(format!("an id of {len} octets"), ss7(&of(0x62, &[&tlv(0x48, id), &dialogue, &parts]))));
    }
    let (from, to) = (tlv(0x48, &fresh()), tlv(0x49, &fresh()));
    let mut add = |name: &str, tcap: Vec<u8>, want| all.push(case(name, ss7(&tcap), want));
    add("BEGIN without an id", of(0x62, &[&dialogue, &parts]), Reason::TcapTid);
    add("END without an id", of(0x64, &[&parts]), Reason::TcapTid);
    add("CONTINUE without an own id", of(0x65, &[&to, &parts]), Reason::TcapTid);
    add("CONTINUE without the other's id", of(0x65, &[&from, &parts]), Reason::TcapTid);
    add("ABORT without an id", of(0x67, &[&[0x4a, 1, 0]]), Reason::TcapTid);
    add("an empty BEGIN", of(0x62, &[]), Reason::TcapTid);
    add("an empty END", of(0x64, &[]), Reason::TcapTid);
    add("an empty CONTINUE with an own id alone", of(0x65, &[&from]), Reason::TcapTid);
    add("BEGIN with the other's id", of(0x62, &[&from, &to, &dialogue, &parts]), Reason::TcapElement);
    add("BEGIN with the other's id alone", of(0x62, &[&to, &dialogue, &parts]), Reason::TcapElement);
    add("END with an own id", of(0x64, &[&from, &to, &parts]), Reason::TcapElement);
    add("ABORT with components", of(0x67, &[&to, &parts]), Reason::TcapElement);
    add("a message without dialogue with an id", of(0x61, &[&from, &parts]), Reason::TcapElement);
    add("CONTINUE in another order", of(0x65, &[&to, &from, &parts]), Reason::TcapElement);
    add("an own id twice", of(0x62, &[&from, &tlv(0x48, &fresh()), &dialogue, &parts]), Reason::TcapElement);
    add("the other's id twice", of(0x64, &[&to, &to, &parts]), Reason::TcapElement);
    add("an id behind the components", of(0x62, &[&from, &dialogue, &parts, &from]), Reason::TcapElement);
    add("dialogue behind the components", of(0x62, &[&from, &parts, &dialogue]), Reason::TcapElement);
    add("dialogue before the id", of(0x62, &[&dialogue, &from, &parts]), Reason::TcapTid);
    add("an element that there is not", of(0x62, &[&from, &[0x4b, 0], &dialogue, &parts]), Reason::TcapElement);
    add("a constructed id", of(0x62, &[&of(0x68, &[&tlv(0x48, &[1])]), &dialogue, &parts]), Reason::TcapElement);
    add("a message that there is not", of(0x66, &[&from, &dialogue, &parts]), Reason::TcapTag);
    add("a context-specific message", of(0xa2, &[&from, &dialogue, &parts]), Reason::TcapTag);
    add("no message", Vec::new(), Reason::TcapTag);
    add("CONTINUE in order", of(0x65, &[&from, &to, &parts]), Reason::OkUnsignedAllowed);
    add("END in order", of(0x64, &[&to]), Reason::OkUnsignedAllowed);
    add("ABORT in order", of(0x67, &[&to, &[0x4a, 1, 0]]), Reason::OkUnsignedAllowed);
    // Where answers need their question.
    for (name, tcap, want) in [
        ("an END to nothing", end(&fresh(), &[], &[]), Reason::TcapState),
        ("a CONTINUE to nothing", go_on(&fresh(), &fresh(), &[], &[&good]), Reason::TcapState),
        ("an ABORT of nothing", of(0x67, &[&tlv(0x49, &fresh()), &[0x4a, 1, 0]]), Reason::TcapState),
    ] {
        all.push(case(name, ss7(&tcap), want).under("open"));
    }
    let asked = fresh();
    let ask = ours(&of(0x62, &[&tlv(0x48, &asked), &request(&map(14, 3)), &portion_of(&[])]));
    let shorter = &asked[1..];
    for (name, id, want) in [
        ("an END to an id that is a part of one", shorter, Reason::TcapState),
        ("an END to what was asked", &asked[..], Reason::OkUnsignedAllowed),
    ] {
        all.push(case(name, ss7(&end(id, &[], &[])), want).under("open").after(vec![ask.clone()]));
    }
    let again = fresh();
    let ask = ours(&of(0x62, &[&tlv(0x48, &again), &request(&map(14, 3)), &portion_of(&[])]));
    let spoofed = inward(&udt(&address(OURS, 6), &address("999050000011", 7), &end(&again, &[], &[])));
    all.push(
        case("an END of whom nobody asked", Carried::In(spoofed), Reason::DetResponseSpoof)
            .under("open")
            .after(vec![ask]),
    );
    all
}
