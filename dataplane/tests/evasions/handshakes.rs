//! What is forbidden in the first message of a dialogue, in a later one: an empty BEGIN, an answer of ours, and then the operation.

use sealgate_wire::Reason;

use super::kit::*;

/// An operation of a later message: its name, the context of the dialogue, code, argument, and what becomes of it.
type Later = (&'static str, [u8; 7], i32, Vec<u8>, Reason);

/// B begins with nothing but this context, and we answer with it.
fn begun(context: &[u8], ours_id: &[u8], theirs_id: &[u8]) -> Vec<Carried> {
    let first = of(0x62, &[&tlv(0x48, theirs_id), &request(context)]);
    vec![ss7(&first), ours(&go_on(ours_id, theirs_id, &accept(context), &[]))]
}

/// We begin with this operation.
fn asked(context: &[u8], id: &[u8], op: i32) -> Vec<Carried> {
    let invoke = invoke(1, op, &of(0x30, &[]));
    vec![ours(&of(0x62, &[&tlv(0x48, id), &request(context), &portion_of(&[&invoke])]))]
}

pub fn cases() -> Vec<Case> {
    let mut all = Vec::new();
    let (string, inside) = (imsi(4, B), of(0x30, &[&imsi(0x80, B), &[2, 1, 1]]));
    // They begin; the operation comes with their second message. Context, operation, argument.
    let after: Vec<Later> = vec![
        ("category 1 of its own context", INTERROGATION, 71, interrogation(HOME), Reason::PolCat1),
        ("category 1 of another context", LOCATION, 71, interrogation(HOME), Reason::PolCat1),
        ("sendRoutingInfo", map(5, 3), 22, of(0x30, &[&number(0x80, OURS)]), Reason::PolCat1),
        ("data of ours", SUBSCRIBER_DATA, 7, insert_data(HOME), Reason::PolHomeImsi),
        ("data of A's", SUBSCRIBER_DATA, 7, insert_data(A), Reason::PolImsiGt),
        ("data of nobody", SUBSCRIBER_DATA, 7, of(0x30, &[]), Reason::PolCat2),
        ("a cancelled location of ours", map(2, 3), 3, of(0xa3, &[&imsi(4, HOME)]), Reason::PolHomeImsi),
        ("where ours is", map(28, 3), 70, of(0x30, &[&imsi(0x80, HOME), &[0xa2, 0]]), Reason::PolHomeImsi),
        ("an operation of another context", LOCATION, 56, inside.clone(), Reason::TcapAcOpcode),
        ("category 2 of another context", LOCATION, 3, of(0xa3, &[&imsi(4, B)]), Reason::TcapAcOpcode),
        ("what only our side invokes", LOCATION, 7, insert_data(B), Reason::TcapAcOpcode),
        ("a node of A's", LOCATION, 2, update_location(B, "999020000011"), Reason::PolXlayerAddr),
        ("an argument of version 2", map(14, 3), 56, string.clone(), Reason::MapParam),
        ("an argument of version 3", map(14, 2), 56, inside.clone(), Reason::MapParam),
        ("an operation beyond an octet", LOCATION, 256 + 71, interrogation(HOME), Reason::TcapAcOpcode),
        ("data of B's own", SUBSCRIBER_DATA, 7, insert_data(B), Reason::OkUnsignedAllowed),
        ("an update of B's", LOCATION, 2, update_location(B, THEIRS), Reason::OkUnsignedAllowed),
        ("vectors in version 3", map(14, 3), 56, inside.clone(), Reason::OkUnsignedAllowed),
        ("vectors in version 2", map(14, 2), 56, string.clone(), Reason::OkUnsignedAllowed),
    ];
    for setting in ["strict", "open"] {
        for (name, context, op, argument, want) in &after {
            let (mine, theirs) = (fresh(), fresh());
            let later = go_on(&theirs, &mine, &[], &[&invoke(1, *op, argument)]);
            let before = begun(context, &mine, &theirs);
            all.push(case(format!("then {name}"), ss7(&later), *want).after(before).under(setting));
            // The end of a dialogue is a message of it, and another subsystem is no other dialogue.
            let (mine, theirs) = (fresh(), fresh());
            let last = end(&mine, &[], &[&invoke(1, *op, argument)]);
            let before = begun(context, &mine, &theirs);
            all.push(case(format!("at the end {name}"), ss7(&last), *want).after(before).under(setting));
            let (mine, theirs) = (fresh(), fresh());
            let later = go_on(&theirs, &mine, &[], &[&invoke(1, *op, argument)]);
            let before = begun(context, &mine, &theirs);
            all.push(
                case(format!("to CAP's subsystem {name}"), to_ssn(146, &later), *want).after(before).under(setting),
            );
        }
    }
    // We begin: only the answering side's operations come back, and only the context that was asked for.
    for (name, context, ask, op, argument, want) in [
        ("vectors asked of us", LOCATION, 2, 56, inside.clone(), Reason::TcapAcOpcode),
        ("a location update", LOCATION, 2, 2, update_location(B, THEIRS), Reason::TcapAcOpcode),
        ("category 1", LOCATION, 2, 71, interrogation(HOME), Reason::PolCat1),
        ("an operation where there is none", map(14, 3), 56, 7, insert_data(B), Reason::TcapAcOpcode),
        ("data of ours", LOCATION, 2, 7, insert_data(HOME), Reason::PolHomeImsi),
        ("data of A's", LOCATION, 2, 7, insert_data(A), Reason::PolImsiGt),
        ("data of B's own", LOCATION, 2, 7, insert_data(B), Reason::OkUnsignedAllowed),
        ("data of whom we asked for", LOCATION, 2, 7, of(0x30, &[]), Reason::OkUnsignedAllowed),
        ("a trace", LOCATION, 2, 50, of(0x30, &[&imsi(0x80, B)]), Reason::OkUnsignedAllowed),
    ] {
        for ends in [false, true] {
            let id = fresh();
            let components: &[&[u8]] = &[&invoke(1, op, &argument)];
            let back = if ends {
                end(&id, &accept(&context), components)
            } else {
                go_on(&fresh(), &id, &accept(&context), components)
            };
            let how = if ends { "at the end" } else { "in an answer" };
            all.push(case(format!("{how}, {name}"), ss7(&back), want).after(asked(&context, &id, ask)).under("open"));
        }
    }
    for (name, context, want) in [
        ("another context", map(14, 3), Reason::TcapAcOpcode),
        ("another version", map(1, 2), Reason::TcapAcOpcode),
        ("an unknown context", map(1, 9), Reason::TcapAcOpcode),
        ("its own context", LOCATION, Reason::OkUnsignedAllowed),
    ] {
        let id = fresh();
        let back = go_on(&fresh(), &id, &accept(&context), &[]);
        all.push(
            case(format!("an answer under {name}"), ss7(&back), want).after(asked(&LOCATION, &id, 2)).under("open"),
        );
        let id = fresh();
        let back = end(&id, &accept(&context), &[]);
        all.push(case(format!("an end under {name}"), ss7(&back), want).after(asked(&LOCATION, &id, 2)).under("open"));
    }
    let id = fresh();
    let more = [&LOCATION[..], &[1]].concat();
    let back = go_on(&fresh(), &id, &accept(&more), &[]);
    all.push(
        case("an answer under its context and an arc", ss7(&back), Reason::TcapAcOpcode)
            .after(asked(&LOCATION, &id, 2))
            .under("open"),
    );
    // A refusal names what the other side can do instead (TS 29.002 §12.1): that is no answer under it.
    let id = fresh();
    let refuses = unit(0x61, &map(1, 2), &[0xa2, 3, 2, 1, 1, 0xa3, 5, 0xa1, 3, 2, 1, 2]);
    let back = of(0x67, &[&tlv(0x49, &id), &refuses]);
    all.push(benign("a refusal that names another version", ss7(&back)).after(asked(&LOCATION, &id, 2)).under("open"));
    // An id of ours that had a context before: a dialogue without one is not held to it.
    for (setting, want) in [("version-1", Reason::OkUnsignedAllowed), ("strict", Reason::TcapAcOpcode)] {
        let (mine, theirs) = (fresh(), fresh());
        let mut before = asked(&map(14, 3), &mine, 56);
        before.push(ours(&go_on(&mine, &theirs, &[], &[])));
        let later = go_on(&theirs, &mine, &[], &[&invoke(1, 2, &update_location(B, THEIRS))]);
        all.push(case("an id that had another context", ss7(&later), want).after(before).under(setting));
    }
    // A dialogue of CAP: what the gsmSCF may do to a call is not what the gsmSSF may.
    for (name, theirs_first, op, want) in [
        ("the gsmSSF connects", true, 20, Reason::TcapAcOpcode),
        ("the gsmSSF releases", true, 22, Reason::TcapAcOpcode),
        ("the gsmSSF reports", true, 24, Reason::OkUnsignedAllowed),
        ("the gsmSCF reports", false, 24, Reason::TcapAcOpcode),
        ("the gsmSCF begins", false, 0, Reason::TcapAcOpcode),
        ("the gsmSCF interrogates", false, 71, Reason::TcapAcOpcode),
        ("the gsmSCF connects", false, 20, Reason::OkUnsignedAllowed),
    ] {
        let (mine, theirs) = (fresh(), fresh());
        let before = if theirs_first { begun(&CAP_2, &mine, &theirs) } else { asked(&CAP_2, &mine, 0) };
        let later = go_on(&theirs, &mine, &[], &[&invoke(1, op, &of(0x30, &[]))]);
        all.push(case(name, to_ssn(146, &later), want).after(before).under("open"));
    }
    all
}
