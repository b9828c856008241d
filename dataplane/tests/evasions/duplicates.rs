//! Parameters twice, both alternatives of a choice, and numbers in a form that only some decoders read.

use sealgate_wire::Reason;

use super::kit::*;

pub fn cases() -> Vec<Case> {
    let mut all = Vec::new();
    let both = [imsi(0x80, B), imsi(0x80, HOME)].concat();
    let (one, two) = (imsi(4, B), imsi(4, HOME));
    let mut add = |name: &str, context: [u8; 7], op: i32, argument: Vec<u8>, want| {
        all.push(case(name, ss7(&begin(&context, &[&invoke(1, op, &argument)])), want));
    };
    let node = number(4, THEIRS);
    let again = |tag: u8, parts: &[&[u8]]| of(tag, parts);
    add("two IMSIs for insertSubscriberData", SUBSCRIBER_DATA, 7, again(0x30, &[&both]), Reason::MapDupParam);
    add("two IMSIs for deleteSubscriberData", SUBSCRIBER_DATA, 8, again(0x30, &[&both]), Reason::MapDupParam);
    add("two IMSIs for provideRoamingNumber", map(3, 3), 4, again(0x30, &[&both]), Reason::MapDupParam);
    add("two IMSIs for provideSubscriberInfo", map(28, 3), 70, again(0x30, &[&both]), Reason::MapDupParam);
    add("two IMSIs for sendAuthenticationInfo", map(14, 3), 56, again(0x30, &[&both, &[2, 1, 1]]), Reason::MapDupParam);
    add(
        "two IMSIs for updateLocation",
        LOCATION,
        2,
        again(0x30, &[&one, &number(0x81, THEIRS), &node, &two]),
        Reason::MapDupParam,
    );
    add(
        "two IMSIs for purgeMS",
        map(27, 3),
        67,
        again(0xa3, &[&one, &two, &number(0x80, THEIRS)]),
        Reason::MapDupParam,
    );
    add(
        "two IMSIs for cancelLocation",
        map(2, 3),
        3,
        again(0xa3, &[&of(0x30, &[&one, &[4, 4, 1, 2, 3, 4]]), &two]),
        Reason::MapDupParam,
    );
    add(
        "two VLR numbers",
        LOCATION,
        2,
        again(0x30, &[&one, &number(0x81, THEIRS), &node, &number(4, "999020000011"), &[0x82, 1, 0]]),
        Reason::MapDupParam,
    );
    add(
        "two MSC numbers",
        LOCATION,
        2,
        again(0x30, &[&one, &number(0x81, THEIRS), &number(0x81, "999020000011"), &node]),
        Reason::MapDupParam,
    );
    add(
        "two service centres",
        map(20, 3),
        45,
        again(0x30, &[&number(0x80, OURS), &[0x81, 1, 0xff], &number(0x82, THEIRS), &number(0x82, OURS)]),
        Reason::MapDupParam,
    );
    add(
        "two subscriber numbers",
        map(20, 3),
        45,
        again(0x30, &[&number(0x80, OURS), &number(0x80, THEIRS), &number(0x82, THEIRS)]),
        Reason::MapDupParam,
    );
    add(
        "two numbers for insertSubscriberData",
        SUBSCRIBER_DATA,
        7,
        again(0x30, &[&imsi(0x80, B), &number(0x81, OURS), &number(0x81, THEIRS)]),
        Reason::MapDupParam,
    );
    let identity = of(0xa1, &[&imsi(0x80, B), &number(0x81, OURS)]);
    add(
        "both alternatives of an identity",
        map(37, 3),
        85,
        again(0x30, &[&number(0x80, THEIRS), &identity]),
        Reason::MapDupParam,
    );
    // A string in parts is legal BER, and none to who looks for the tag alone (X.690 §8.7.3).
    let parts = |tag: u8, who: &str| {
        let whole = &imsi(4, who)[2..];
        of(tag, &[&tlv(4, &whole[..3]), &tlv(4, &whole[3..])])
    };
    for (name, context, op, argument) in [
        ("IMSI in parts for insertSubscriberData", SUBSCRIBER_DATA, 7, of(0x30, &[&parts(0xa0, HOME)])),
        ("IMSI in parts and whole", SUBSCRIBER_DATA, 7, of(0x30, &[&imsi(0x80, B), &parts(0xa0, HOME)])),
        ("IMSI in parts for deleteSubscriberData", SUBSCRIBER_DATA, 8, of(0x30, &[&parts(0xa0, HOME)])),
        ("IMSI in parts for provideSubscriberInfo", map(28, 3), 70, of(0x30, &[&parts(0xa0, HOME), &[0xa2, 0]])),
        ("IMSI in parts for updateLocation", LOCATION, 2, of(0x30, &[&parts(0x24, B), &number(0x81, THEIRS), &node])),
        ("IMSI in parts for purgeMS", map(27, 3), 67, of(0xa3, &[&parts(0x24, B), &number(0x80, THEIRS)])),
        ("MSC number in parts", LOCATION, 2, of(0x30, &[&one, &of(0xa1, &[&tlv(4, &[0x91, 0x99, 0x09, 2])]), &node])),
        (
            "SGSN number in parts for purgeMS",
            map(27, 3),
            67,
            of(0xa3, &[&one, &of(0xa1, &[&tlv(4, &[0x91, 0x99, 0x09, 2])])]),
        ),
    ] {
        add(name, context, op, argument, Reason::MapParam);
    }
    add("the argument as an octet string", SUBSCRIBER_DATA, 7, tlv(4, &imsi(0x80, HOME)), Reason::MapParam);
    add("the argument as a set", SUBSCRIBER_DATA, 7, of(0x31, &[&imsi(0x80, HOME)]), Reason::MapParam);
    add("the argument in another", SUBSCRIBER_DATA, 7, of(0x30, &[&of(0x30, &[&imsi(0x80, HOME)])]), Reason::PolCat2);
    add("no argument", SUBSCRIBER_DATA, 7, Vec::new(), Reason::MapParam);
    add("nobody", SUBSCRIBER_DATA, 7, of(0x30, &[]), Reason::PolCat2);
    add("an IMSI under another tag", SUBSCRIBER_DATA, 7, of(0x30, &[&imsi(0x82, HOME)]), Reason::PolCat2);
    // Badly coded identities, which a host may read in part.
    for (name, value) in [
        ("an IMSI of four digits", &[0x00, 0x11][..]),
        ("an IMSI of sixteen digits", &[0x00, 0x01, 0x01, 0, 0, 0, 0, 0x01]),
        ("an IMSI with a filler inside", &[0x00, 0xf1, 0x01, 0, 0, 0, 0, 0xf1]),
        ("an IMSI with a letter", &[0x00, 0xa1, 0x01, 0, 0, 0, 0, 0xf1]),
        ("an IMSI of nine octets", &[0x00, 0x01, 0x01, 0, 0, 0, 0, 0, 0xf1]),
        ("an empty IMSI", &[]),
    ] {
        add(name, SUBSCRIBER_DATA, 7, of(0x30, &[&tlv(0x80, value)]), Reason::MapParam);
    }
    for (name, context, op, argument) in [
        ("one IMSI", SUBSCRIBER_DATA, 7, insert_data(B)),
        ("an IMSI of six digits", SUBSCRIBER_DATA, 7, insert_data("001030")),
        ("one with an LMSI", map(2, 3), 3, of(0xa3, &[&of(0x30, &[&one, &[4, 4, 1, 2, 3, 4]])])),
        ("one of each node", LOCATION, 2, update_location(B, THEIRS)),
        ("one centre", map(20, 3), 45, of(0x30, &[&number(0x80, OURS), &[0x81, 1, 0xff], &number(0x82, THEIRS)])),
    ] {
        add(name, context, op, argument, Reason::OkUnsignedAllowed);
    }
    all
}
