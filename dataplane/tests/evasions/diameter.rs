//! Diameter: encodings (formats 11.3), AVPs twice, nested or unknown, who a message says it is from, and commands.

use sealgate_wire::Reason;
use sealgate_wire::diameter::{self, AvpId, FLAG_MANDATORY, Flags, Header};

use super::kit::*;
use crate::common::diameter::{INSERT_DATA, S6A, UPDATE_LOCATION, realm};
use crate::common::gtp::plmn;

const REQUEST: u8 = 0xc0;

/// One AVP, its length and padding as they should be.
fn avp(code: u32, vendor: u32, data: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    assert!(diameter::emit_avp(AvpId::new(vendor, code), FLAG_MANDATORY, data, &mut out));
    out
}

fn group(code: u32, vendor: u32, inside: &[&[u8]]) -> Vec<u8> {
    avp(code, vendor, &inside.concat())
}

fn tgpp(code: u32, data: &[u8]) -> Vec<u8> {
    avp(code, AvpId::TGPP, data)
}

/// What a message says before anything else: session, host and realm.
fn from(host: &str, of: &str) -> Vec<u8> {
    [avp(263, 0, b"s;1;2"), avp(264, 0, host.as_bytes()), avp(296, 0, of.as_bytes())].concat()
}

/// B's node and realm.
fn theirs() -> Vec<u8> {
    from(&format!("node.{}", realm(3)), &realm(3))
}

fn to_us() -> Vec<u8> {
    avp(283, 0, realm(1).as_bytes())
}

fn header(flags: u8, command: u32, application: u32) -> Header {
    let id = u32::from_be_bytes(fresh());
    Header { flags: Flags(flags), command, application, hop_by_hop: id, end_to_end: id ^ 0x55 }
}

fn message_of(header: &Header, avps: &[&[u8]]) -> Vec<u8> {
    let mut out = Vec::new();
    let start = diameter::begin(header, &mut out);
    out.extend(avps.concat());
    assert!(diameter::finish(start, &mut out));
    out
}

/// A request of B's to us.
fn request(command: u32, application: u32, avps: &[&[u8]]) -> Vec<u8> {
    let (theirs, to_us) = (theirs(), to_us());
    message_of(&header(REQUEST, command, application), &[&[&theirs[..], &to_us], avps].concat())
}

fn user(who: &str) -> Vec<u8> {
    avp(1, 0, who.as_bytes())
}

/// The same without the bit that says it must be understood.
fn optional(mut avp: Vec<u8>) -> Vec<u8> {
    avp[4] &= !FLAG_MANDATORY;
    avp
}

/// Visited-PLMN-Id.
fn visited(plmn: &[u8]) -> Vec<u8> {
    tgpp(1407, plmn)
}

/// An Update-Location of B's, for its own network.
fn update(avps: &[&[u8]]) -> Vec<u8> {
    request(UPDATE_LOCATION, S6A, &[&[&visited(&plmn(3))[..]], avps].concat())
}

fn carried(octets: Vec<u8>) -> Carried {
    Carried::DiameterIn(octets)
}

/// Header and AVPs that end, count or nest otherwise than they should.
pub fn encoding() -> Vec<Case> {
    let mut all = Vec::new();
    let good = update(&[&user(HOME)]);
    let with = |at: usize, octet: u8| {
        let mut changed = update(&[&user(HOME)]);
        changed[at] = octet;
        changed
    };
    let mut add = |name: &str, octets: Vec<u8>, want| all.push(case(name, carried(octets), want));
    let length = good.len() as u8;
    add("version 0", with(0, 0), Reason::DiaVersion);
    add("version 2", with(0, 2), Reason::DiaVersion);
    add("a length below its own", with(3, length - 4), Reason::DiaLength);
    add("a length beyond it", with(3, length + 4), Reason::DiaLength);
    add("a length that is no multiple of four", with(3, length - 1), Reason::DiaLength);
    add("a length of nothing", with(3, 0), Reason::DiaLength);
    add("a length with a higher octet", with(1, 1), Reason::DiaLength);
    add("a second message behind it", [&good[..], &good].concat(), Reason::DiaLength);
    for flag in [1, 2, 4, 8] {
        add(&format!("reserved flag {flag}"), with(4, REQUEST | flag), Reason::DiaFlags);
    }
    add("a request that is an error", with(4, 0xe0), Reason::DiaFlags);
    let first = 20; // Session-Id
    add("an AVP shorter than its header", with(first + 7, 7), Reason::DiaAvpLength);
    add("an AVP of no length", with(first + 7, 0), Reason::DiaAvpLength);
    add("an AVP beyond the message", with(first + 5, 1), Reason::DiaAvpLength);
    add("an AVP with a vendor that has no room for it", with(first + 4, 0xc0), Reason::DiaAvpUnknown);
    let mut cut = update(&[]);
    cut.extend([0, 0, 0, 1]);
    let whole = cut.len() as u8;
    cut[3] = whole;
    add("half an AVP at the end", cut, Reason::DiaAvpLength);
    // Groups: what is inside is inside, to the last of padding.
    let inside = |octets: &[u8]| update(&[&user(HOME), &tgpp(1400, octets)]);
    add("a child beyond its group", inside(&[0, 0, 0, 1, 0x40, 0, 0, 20, 49, 50, 51, 52]), Reason::DiaAvpLength);
    add("a child without its padding", inside(&[0, 0, 0, 1, 0x40, 0, 0, 9, 49]), Reason::DiaAvpLength);
    add("half a child", inside(&[0, 0, 0, 1]), Reason::DiaAvpLength);
    add("a child shorter than its header", inside(&[0, 0, 0, 1, 0x40, 0, 0, 4]), Reason::DiaAvpLength);
    let nest = |depth: usize| (0..depth).fold(user(HOME), |inside, _| tgpp(1400, &inside));
    add("nine groups in each other", update(&[&nest(9)]), Reason::DiaAvpDepth);
    add("twenty groups in each other", update(&[&nest(20)]), Reason::DiaAvpDepth);
    add("eight groups in each other", update(&[&nest(8)]), Reason::OkUnsignedAllowed);
    add("a group that is whole", inside(&user(HOME)), Reason::OkUnsignedAllowed);
    add("as it should be", good.clone(), Reason::OkUnsignedAllowed);
    // Padding that is not zero is another message to who signs or compares, and the same to a host.
    let odd = update(&[&user("001010000000001"), &avp(25, 0, b"x")]);
    let mut padded = odd.clone();
    let end = padded.len();
    padded[end - 1] = 7;
    all.push(benign("padding of zeros", carried(odd.clone())).under("canonicalise"));
    all.push(benign("padding with something in it", carried(padded)).under("canonicalise").leaving(odd));
    all
}

/// AVPs twice, nested, unknown, and identities where they might be overlooked.
pub fn avps() -> Vec<Case> {
    let mut all = Vec::new();
    let mut add = |name: String, octets: Vec<u8>, want| all.push(case(name, carried(octets), want));
    let host = format!("node.{}", realm(3));
    for (name, twice) in [
        ("Session-Id", avp(263, 0, b"s;1;3")),
        ("Origin-Host", avp(264, 0, host.as_bytes())),
        ("Origin-Host of A", avp(264, 0, format!("node.{}", realm(2)).as_bytes())),
        ("Origin-Realm", avp(296, 0, realm(3).as_bytes())),
        ("Origin-Realm of A", avp(296, 0, realm(2).as_bytes())),
        ("Destination-Realm", avp(283, 0, realm(1).as_bytes())),
    ] {
        add(format!("{name} twice"), update(&[&user(HOME), &twice]), Reason::DiaAvpDup);
    }
    for (name, one) in [
        ("User-Name", user(HOME)),
        ("Destination-Host", avp(293, 0, b"hss.home.example")),
        ("Auth-Session-State", avp(277, 0, &[0, 0, 0, 1])),
        ("Result-Code", avp(268, 0, &[0, 0, 7, 0xd1])),
    ] {
        add(format!("{name} twice"), update(&[&one, &one]), Reason::DiaAvpDup);
        add(format!("{name} once"), update(&[&one]), Reason::OkUnsignedAllowed);
    }
    // A vendor of 0 is no vendor: the same AVP, however it is written.
    let vendored = [&[0, 0, 0, 1, 0xc0, 0, 0, 27, 0, 0, 0, 0][..], HOME.as_bytes(), &[0]].concat();
    add("User-Name with vendor 0 beside it".into(), update(&[&user(B), &vendored]), Reason::DiaAvpDup);
    let other = optional(avp(1, 9999, HOME.as_bytes()));
    let data = |avps: &[&[u8]]| request(INSERT_DATA, S6A, avps);
    add("another vendor's AVP 1".into(), data(&[&user(B), &other]), Reason::OkUnsignedAllowed);
    add("another vendor's AVP 1 alone".into(), data(&[&optional(avp(1, 9999, B.as_bytes()))]), Reason::PolCat2);
    // Category 2: every subscriber in the message counts, wherever an application puts it.
    let subscription =
        |kind: u8, who: &str| group(443, 0, &[&avp(450, 0, &[0, 0, 0, kind]), &avp(444, 0, who.as_bytes())]);
    let backwards = |who: &str| group(443, 0, &[&avp(444, 0, who.as_bytes()), &avp(450, 0, &[0, 0, 0, 1])]);
    let nai = |who: &str| subscription(3, &format!("0{who}@nai.epc.mnc003.mcc001.3gppnetwork.org"));
    let deep = |who: &str| tgpp(1400, &tgpp(3102, &user(who)));
    type Make<'m> = (&'m str, &'m dyn Fn(&str) -> Vec<u8>);
    let makes: [Make<'_>; 8] = [
        ("User-Name in User-Identifier", &|who| tgpp(3102, &user(who))),
        ("User-Name in Subscription-Data", &|who| tgpp(1400, &user(who))),
        ("User-Name two groups down", &deep),
        ("Subscription-Id", &|who| subscription(1, who)),
        ("Subscription-Id backwards", &backwards),
        ("Subscription-Id as a NAI", &nai),
        ("Subscription-Id-Extension", &|who| group(659, 0, &[&avp(661, 0, who.as_bytes())])),
        ("3GPP-IMSI", &|who| tgpp(1, who.as_bytes())),
    ];
    for (name, make) in makes {
        for (who, want) in [(HOME, Reason::PolHomeImsi), (A, Reason::PolRealmImsi), (B, Reason::OkUnsignedAllowed)] {
            add(format!("{name} of {who} beside B's own"), data(&[&user(B), &make(who)]), want);
        }
        add(format!("{name} of B's alone"), data(&[&make(B)]), Reason::OkUnsignedAllowed);
    }
    for (name, who) in [
        ("nobody", None),
        ("a name without digits", Some("anybody")),
        ("an IMSI of sixteen digits", Some("0010300000000012")),
        ("an IMSI with a space", Some("00103000000000 1")),
        ("an empty name", Some("")),
        ("a name with a NUL in front", Some("\x00001030000000001")),
    ] {
        let avps: Vec<Vec<u8>> = who.iter().map(|who| user(who)).collect();
        let avps: Vec<&[u8]> = avps.iter().map(Vec::as_slice).collect();
        add(format!("category 2 of {name}"), data(&avps), Reason::PolCat2);
    }
    let many: Vec<u8> = (0..5).flat_map(|n| subscription(1, &format!("00103000000001{n}"))).collect();
    add("category 2 of more subscribers than are looked at".into(), data(&[&many]), Reason::PolCat2);
    // An AVP that must be understood and is not: what it says was not checked (RFC 6733 §4.1).
    for (name, unknown) in [
        ("of the IETF", avp(60_000, 0, b"x")),
        ("of 3GPP", tgpp(60_000, b"x")),
        ("of nobody", avp(7, 4_000_000, b"x")),
        ("with AVPs inside", avp(60_000, 0, &user(HOME))),
    ] {
        for (what, message) in
            [("category 2", data(&[&user(B), &unknown])), ("category 3", update(&[&user(HOME), &unknown]))]
        {
            add(format!("an unknown mandatory AVP {name}, {what}"), message, Reason::DiaAvpUnknown);
        }
        let harmless = update(&[&user(HOME), &optional(unknown)]);
        add(format!("an unknown AVP {name}"), harmless, Reason::OkUnsignedAllowed);
    }
    let nested = tgpp(1400, &avp(60_000, 0, b"x"));
    add("an unknown mandatory AVP in a group".into(), data(&[&user(B), &nested]), Reason::DiaAvpUnknown);
    all
}

/// Who a message says it is from, and which way it came.
pub fn origin() -> Vec<Case> {
    let mut all = Vec::new();
    let said = |host: &str, of: &str| {
        let avps = [from(host, of), to_us(), visited(&plmn(3)), user(HOME)];
        message_of(&header(REQUEST, UPDATE_LOCATION, S6A), &[&avps.concat()])
    };
    let b = realm(3);
    let mut add = |name: &str, octets: Vec<u8>, want| all.push(case(name, carried(octets), want));
    add("a host of A in B's realm", said(&format!("node.{}", realm(2)), &b), Reason::PolHostRealm);
    add("a host of ours in B's realm", said(&format!("hss.{}", realm(1)), &b), Reason::PolHostRealm);
    add("a host whose name only ends like the realm", said(&format!("evil{b}"), &b), Reason::PolHostRealm);
    add("a host with the realm in the middle", said(&format!("{b}.evil.example"), &b), Reason::PolHostRealm);
    add("a host that is a part of the realm", said("3gppnetwork.org", &b), Reason::PolHostRealm);
    add("a host with a NUL", said(&format!("node\0.evil.{}", realm(2)), &b), Reason::PolHostRealm);
    add("an empty host", said("", &b), Reason::PolHostRealm);
    add("our realm", said(&format!("node.{}", realm(1)), &realm(1)), Reason::PolPeerUnknown);
    add(
        "a realm under ours",
        said(&format!("node.x.{}", realm(1)), &format!("x.{}", realm(1))),
        Reason::PolPeerUnknown,
    );
    add("a realm that only ends like B's", said(&format!("node.evil{b}"), &format!("evil{b}")), Reason::PolPeerUnknown);
    add("a realm above B's", said(&format!("node.{b}"), "mcc001.3gppnetwork.org"), Reason::PolPeerUnknown);
    add("an empty realm", said(&format!("node.{b}"), ""), Reason::PolPeerUnknown);
    add("a host in its realm", said(&format!("node.{b}"), &b), Reason::OkUnsignedAllowed);
    add("capital letters", said(&format!("NODE.{}", b.to_uppercase()), &b), Reason::OkUnsignedAllowed);
    add("a realm under B's", said(&format!("node.x.{b}"), &format!("x.{b}")), Reason::OkUnsignedAllowed);
    for (name, avps, want) in [
        ("no Origin-Host", vec![avp(296, 0, b.as_bytes())], Reason::DiaOriginMissing),
        ("no Origin-Realm", vec![avp(264, 0, format!("node.{b}").as_bytes())], Reason::DiaOriginMissing),
        ("an origin in a group alone", vec![tgpp(1400, &theirs())], Reason::DiaOriginMissing),
        ("another vendor's origin", vec![avp(264, 9, b"x"), avp(296, 9, b"x")], Reason::DiaOriginMissing),
    ] {
        add(name, message_of(&header(REQUEST, UPDATE_LOCATION, S6A), &[&avps.concat(), &to_us()]), want);
    }
    // The way that a request says it came.
    let route = |hosts: &[&str]| {
        let records: Vec<u8> = hosts.iter().flat_map(|host| avp(282, 0, host.as_bytes())).collect();
        update(&[&user(HOME), &records])
    };
    let ours = format!("dra.{}", realm(1));
    add("a way through us", route(&[&ours]), Reason::DiaRouteRecord);
    add("a way through us, in capitals", route(&[&ours.to_uppercase()]), Reason::DiaRouteRecord);
    add("a way through our realm itself", route(&[&realm(1)]), Reason::DiaRouteRecord);
    add("a way through us behind others", route(&["dra.ipx.example", "dra.b.example", &ours]), Reason::DiaRouteRecord);
    add("a way in a circle", route(&["dra.ipx.example", "dra.b.example", "DRA.ipx.example"]), Reason::DiaRouteRecord);
    let long: Vec<String> = (0..33).map(|n| format!("dra{n}.ipx.example")).collect();
    let long: Vec<&str> = long.iter().map(String::as_str).collect();
    add("a way of thirty-three", route(&long), Reason::DiaRouteRecord);
    add("a way of thirty-two", route(&long[1..]), Reason::OkUnsignedAllowed);
    add("a way through an agent", route(&["dra.ipx.example"]), Reason::OkUnsignedAllowed);
    // Both commands have to say where the subscriber is; what does not say it has nothing that could be compared.
    let (of_another, hidden) = (avp(1407, 9999, &plmn(3)), tgpp(1400, &visited(&plmn(3))));
    for (name, avps, want) in [
        ("A's network visited", visited(&plmn(2)), Reason::PolVplmnRealm),
        ("our network visited", visited(&plmn(1)), Reason::PolVplmnRealm),
        ("a network of no octets", visited(&[]), Reason::PolVplmnRealm),
        ("a network of four octets", visited(&[0x00, 0xf1, 0x30, 0]), Reason::PolVplmnRealm),
        ("a network with a letter", visited(&[0x00, 0xfa, 0x30]), Reason::PolVplmnRealm),
        ("no network visited", Vec::new(), Reason::PolVplmnRealm),
        ("another vendor's word for the network", optional(of_another), Reason::PolVplmnRealm),
        ("the network in a group alone", hidden, Reason::PolVplmnRealm),
        ("A's network behind B's", [visited(&plmn(3)), visited(&plmn(2))].concat(), Reason::DiaAvpDup),
        ("B's network visited", visited(&plmn(3)), Reason::OkUnsignedAllowed),
    ] {
        for (command, of) in [("Update-Location", UPDATE_LOCATION), ("Authentication-Information", 318)] {
            add(&format!("{name}: {command}"), request(of, S6A, &[&user(HOME), &avps]), want);
        }
    }
    // Others of the application have no such AVP.
    for (name, command) in [("Purge-UE", 321), ("Notify", 323)] {
        add(&format!("{name} without a network"), request(command, S6A, &[&user(HOME)]), Reason::OkUnsignedAllowed);
    }
    all
}

/// Applications, commands, and answers to nothing.
pub fn commands() -> Vec<Case> {
    let mut all = Vec::new();
    let mut add = |name: String, setting: &'static str, octets: Vec<u8>, want| {
        all.push(case(name, carried(octets), want).under(setting));
    };
    for application in [1, 3, 4, 5, 16_777_216, 16_777_217, 16_777_252, 16_777_312, 0x0200_0023, u32::MAX] {
        let octets = request(UPDATE_LOCATION, application, &[&user(HOME)]);
        add(format!("application {application}"), "strict", octets, Reason::DiaApp);
    }
    for (command, application) in
        [(272, S6A), (306, S6A), (324, S6A), (1, S6A), (UPDATE_LOCATION, 0), (300, 16_777_217), (8_388_647, 16_777_313)]
    {
        let octets = request(command, application, &[&user(HOME)]);
        add(format!("command {command} in application {application}"), "applications", octets, Reason::DiaCmdApp);
    }
    // The application says again what it is, in the message: a host that goes by that must read the same.
    let named = |id: u32| avp(258, 0, &id.to_be_bytes());
    let vendor = |inside: &[&[u8]]| group(260, 0, &[&[&avp(266, 0, &10415_u32.to_be_bytes())[..]], inside].concat());
    for (name, avps, want) in [
        ("Auth-Application-Id of Sh", named(16_777_217), Reason::DiaApp),
        ("Auth-Application-Id of the base", named(0), Reason::DiaApp),
        ("Acct-Application-Id of Rf", avp(259, 0, &[0, 0, 0, 3]), Reason::DiaApp),
        ("a vendor's application of Sh", vendor(&[&named(16_777_217)]), Reason::DiaApp),
        ("a vendor's application of both", vendor(&[&named(S6A), &named(16_777_217)]), Reason::DiaApp),
        ("its own Auth-Application-Id", named(S6A), Reason::OkUnsignedAllowed),
        ("its own application of the vendor's", vendor(&[&named(S6A)]), Reason::OkUnsignedAllowed),
    ] {
        add(name.into(), "strict", update(&[&user(HOME), &avps]), want);
    }
    // Categories, by the tables: what never comes from outside, and what only a home network says of its own.
    for (name, command, application) in [
        ("User-Authorization", 300, 16_777_216),
        ("Server-Assignment", 301, 16_777_216),
        ("Location-Info", 302, 16_777_216),
        ("Multimedia-Auth", 303, 16_777_216),
        ("Push-Profile", 305, 16_777_216),
        ("User-Data", 306, 16_777_217),
        ("Profile-Update", 307, 16_777_217),
        ("Subscribe-Notifications", 308, 16_777_217),
        ("ME-Identity-Check", 324, 16_777_252),
        ("LCS-Routing-Info", 8_388_622, 16_777_291),
    ] {
        add(
            format!("{name} of category 1"),
            "table-categories",
            request(command, application, &[&user(B)]),
            Reason::PolCat1,
        );
        // Only a request asks.
        add(
            format!("{name}, an answer"),
            "table-categories",
            message_of(&header(0x40, command, application), &[&theirs(), &avp(268, 0, &[0, 0, 7, 0xd1])]),
            Reason::OkUnsignedAllowed,
        );
    }
    for (name, command, application) in [
        ("Cancel-Location", 317, S6A),
        ("Insert-Subscriber-Data", 319, S6A),
        ("Delete-Subscriber-Data", 320, S6A),
        ("Provide-Location", 8_388_620, 16_777_255),
    ] {
        for (who, want) in [(HOME, Reason::PolHomeImsi), (A, Reason::PolRealmImsi), (B, Reason::OkUnsignedAllowed)] {
            add(format!("{name} of {who}"), "table-categories", request(command, application, &[&user(who)]), want);
        }
    }
    // Answers: with their request and from whom it went to.
    let ask = |id: u32| {
        let head = Header { hop_by_hop: id, end_to_end: id + 1, ..header(REQUEST, UPDATE_LOCATION, S6A) };
        let mine = from(&format!("hss.{}", realm(1)), &realm(1));
        Carried::DiameterOut(message_of(&head, &[&mine, &avp(283, 0, realm(3).as_bytes()), &user(B)]))
    };
    let answer = |flags: u8, hop: u32, end: u32, origin: &[u8]| {
        let head = Header { hop_by_hop: hop, end_to_end: end, ..header(flags, UPDATE_LOCATION, S6A) };
        message_of(&head, &[origin, &avp(268, 0, &[0, 0, 7, 0xd1])])
    };
    let d = from(&format!("node.{}", realm(5)), &realm(5));
    for (name, flags, hop, end, from, want) in [
        ("another hop-by-hop id", 0x40, 8, 1, theirs(), Reason::DiaState),
        ("another end-to-end id", 0x40, 0, 9, theirs(), Reason::DiaState),
        ("both ids changed over", 0x40, 1, 0, theirs(), Reason::DiaState),
        ("another operator", 0x40, 0, 1, d, Reason::DetResponseSpoof),
        ("an error with other ids", 0x60, 8, 9, theirs(), Reason::DiaState),
        ("a host of A", 0x40, 0, 1, from(&format!("node.{}", realm(2)), &realm(3)), Reason::PolHostRealm),
        ("its own", 0x40, 0, 1, theirs(), Reason::OkUnsignedAllowed),
    ] {
        let id = u32::from_be_bytes(fresh()) ^ 0x0800_0000;
        let octets = answer(flags, id + hop, id + end, &from);
        all.push(case(format!("an answer of {name}"), carried(octets), want).under("open").after(vec![ask(id)]));
    }
    all.push(case("an answer to nothing", carried(answer(0x40, 1, 2, &theirs())), Reason::DiaState).under("open"));
    all
}
