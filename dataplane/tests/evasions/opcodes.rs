//! Operation codes that a filter reads otherwise than the host: global ones, padded, wrapped around, in other shapes.

use sealgate_wire::Reason;

use super::kit::*;

/// An invoke with this element as its operation code.
fn odd(id: u8, operation: &[u8], argument: &[u8]) -> Vec<u8> {
    of(0xa1, &[&[2, 1, id], operation, argument])
}

pub fn cases() -> Vec<Case> {
    let mut all = Vec::new();
    let asks = interrogation(HOME);
    let good = invoke(1, 2, &update_location(B, THEIRS));
    // {0 4 0 0 1 0 5 71}, its last arc alone, one of an enterprise, an empty one.
    let names: [&[u8]; 4] = [&[4, 0, 0, 1, 0, 5, 71], &[71], &[0x2b, 6, 1, 4, 1, 0x81, 0xfd, 0x59, 71], &[]];
    for name in names {
        let global = odd(9, &tlv(6, name), &asks);
        let at = |tcap: &[u8]| place(tcap, &global) + global.len() - asks.len();
        let alone = begin(&INTERROGATION, &[&global]);
        let place = at(&alone);
        all.push(case(format!("global {name:02x?}"), ss7(&alone), Reason::TcapGlobalOpcode).at(place));
        let second = begin(&LOCATION, &[&good, &global]);
        let place = at(&second);
        all.push(case(format!("global {name:02x?} behind"), ss7(&second), Reason::TcapGlobalOpcode).at(place));
        let later = go_on(&fresh(), &fresh(), &[], &[&global]);
        all.push(case(format!("global {name:02x?} later"), ss7(&later), Reason::TcapGlobalOpcode));
        let last = end(&fresh(), &[], &[&global]);
        all.push(case(format!("global {name:02x?} at the end"), ss7(&last), Reason::TcapGlobalOpcode));
        let alone = of(0x61, &[&portion_of(&[&global])]);
        all.push(case(format!("global {name:02x?} without dialogue"), ss7(&alone), Reason::TcapGlobalOpcode));
        let answer = of(0xa2, &[&[2, 1, 9], &of(0x30, &[&tlv(6, name), &asks])]);
        all.push(case(
            format!("global {name:02x?} in a result"),
            ss7(&end(&fresh(), &[], &[&answer])),
            Reason::TcapGlobalOpcode,
        ));
        let error = of(0xa3, &[&[2, 1, 9], &tlv(6, name)]);
        all.push(case(
            format!("global {name:02x?} as an error"),
            ss7(&end(&fresh(), &[], &[&error])),
            Reason::TcapGlobalOpcode,
        ));
    }
    let shapes: [(&str, &[u8], Reason); 12] = [
        ("71 in two octets", &[2, 2, 0, 71], Reason::BerNonMinimal),
        ("71 in four octets", &[2, 4, 0, 0, 0, 71], Reason::BerNonMinimal),
        ("71 in five octets", &[2, 5, 0, 0, 0, 0, 71], Reason::BerNonMinimal),
        ("-1 in two octets", &[2, 2, 0xff, 0xff], Reason::BerNonMinimal),
        ("no octet", &[2, 0], Reason::TcapComponent),
        ("71 and 256", &[2, 2, 1, 71], Reason::TcapAcOpcode),
        ("71 and 65536", &[2, 3, 1, 0, 71], Reason::TcapAcOpcode),
        ("71 less 256", &[2, 2, 0xff, 71], Reason::TcapAcOpcode),
        ("as an enumerated", &[10, 1, 71], Reason::TcapComponent),
        ("as an octet string", &[4, 1, 71], Reason::TcapComponent),
        ("as a null", &[5, 0], Reason::TcapComponent),
        ("as a tagged one", &[0x81, 1, 71], Reason::TcapComponent),
    ];
    for (name, operation, want) in shapes {
        let bad = odd(1, operation, &asks);
        all.push(case(name, ss7(&begin(&INTERROGATION, &[&bad])), want));
        // Where no context says which operations there are, none is beyond an octet either.
        all.push(case(format!("{name}, later"), ss7(&go_on(&fresh(), &fresh(), &[], &[&bad])), want));
    }
    all.push(case("plain 71", ss7(&begin(&INTERROGATION, &[&odd(1, &[2, 1, 71], &asks)])), Reason::PolCat1));
    all.push(case("plain 71, later", ss7(&go_on(&fresh(), &fresh(), &[], &[&invoke(1, 71, &asks)])), Reason::PolCat1));
    all.push(benign("plain 2", ss7(&begin(&LOCATION, &[&good]))));
    all.push(benign("plain 2, later", ss7(&go_on(&fresh(), &fresh(), &[], &[&good]))));
    all.push(benign("a result", ss7(&end(&fresh(), &[], &[&result(1, 7, &[0x30, 0])]))));
    all.push(benign("an error", ss7(&end(&fresh(), &[], &[&of(0xa3, &[&[2, 1, 1], &code(34)])]))));
    all
}
