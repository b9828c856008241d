//! Identities in private extensions: what stands there is nobody's identity, and never stands in for one that is.

use sealgate_wire::Reason;

use super::kit::*;

/// An ExtensionContainer under this tag: a private extension of an enterprise with these octets (TS 29.002 §17.7.11).
fn container(tag: u8, inside: &[u8]) -> Vec<u8> {
    let name = [6, 8, 0x2b, 6, 1, 4, 1, 0x81, 0xfd, 0x59];
    of(tag, &[&of(0xa0, &[&of(0x30, &[&name, inside])])])
}

pub fn cases() -> Vec<Case> {
    let mut all = Vec::new();
    let shapes = |who: &str| {
        [
            ("as it is", imsi(0x80, who)),
            ("as a string", imsi(4, who)),
            ("deeper", of(0xa0, &[&of(0x30, &[&imsi(0x80, who)])])),
        ]
    };
    // The tag of the extension differs from operation to operation.
    type Make = fn(&[u8], &[u8]) -> Vec<u8>;
    let operations: &[(&str, [u8; 7], i32, Make)] = &[
        ("insertSubscriberData", SUBSCRIBER_DATA, 7, |who, more| of(0x30, &[who, more])),
        ("deleteSubscriberData", SUBSCRIBER_DATA, 8, |who, more| of(0x30, &[who, more])),
        ("provideSubscriberInfo", map(28, 3), 70, |who, more| of(0x30, &[who, &[0xa2, 2, 0x80, 0], more])),
        ("provideRoamingNumber", map(3, 3), 4, |who, more| of(0x30, &[who, &number(0x81, OURS), more])),
    ];
    for (name, context, op, make) in operations {
        let tcap = |who: &str, hidden: &[u8]| {
            let tag = if *op == 7 {
                0xae
            } else if *op == 8 {
                0xa6
            } else {
                0xab
            };
            begin(context, &[&invoke(1, *op, &make(&imsi(0x80, who), &container(tag, hidden)))])
        };
        for (how, hidden) in shapes(B) {
            all.push(case(format!("{name} of ours, B's {how}"), ss7(&tcap(HOME, &hidden)), Reason::PolHomeImsi));
            all.push(case(format!("{name} of A's, B's {how}"), ss7(&tcap(A, &hidden)), Reason::PolImsiGt));
        }
        for (how, hidden) in shapes(HOME) {
            all.push(benign(format!("{name} of B's, ours {how} where nobody reads it"), ss7(&tcap(B, &hidden))));
        }
    }
    for (how, hidden) in shapes(B) {
        let nobody = begin(&SUBSCRIBER_DATA, &[&invoke(1, 7, &of(0x30, &[&container(0xae, &hidden)]))]);
        all.push(case(format!("B's {how} in an extension alone"), ss7(&nobody), Reason::PolCat2));
        let info = of(0x30, &[&[0xa2, 2, 0x80, 0], &container(0xab, &hidden)]);
        let nobody = begin(&map(28, 3), &[&invoke(1, 70, &info)]);
        all.push(case(format!("B's {how} in an extension alone, where one must be"), ss7(&nobody), Reason::MapParam));
    }
    // Nodes: the one that speaks is the one at its place.
    let update = |node: &str, hidden: &str| {
        let places = [&imsi(4, B)[..], &number(0x81, node), &number(4, node)].concat();
        begin(&LOCATION, &[&invoke(1, 2, &of(0x30, &[&places, &container(0xae, &number(4, hidden))]))])
    };
    all.push(case("A's node, B's in an extension", ss7(&update("999020000011", THEIRS)), Reason::PolXlayerAddr));
    all.push(case("our node, B's in an extension", ss7(&update("999010000011", THEIRS)), Reason::PolXlayerAddr));
    all.push(benign("B's node, A's in an extension", ss7(&update(THEIRS, "999020000011"))));
    // Category 1 has no identity that would allow it.
    let asks =
        of(0x30, &[&of(0xa0, &[&imsi(0x80, B)]), &[0xa1, 0], &number(0x83, THEIRS), &container(0xa2, &imsi(0x80, B))]);
    all.push(case(
        "anyTimeInterrogation of B's own",
        ss7(&begin(&INTERROGATION, &[&invoke(1, 71, &asks)])),
        Reason::PolCat1,
    ));
    all
}
