//! SMS home routing (3GPP TR 23.840): where a subscriber of ours is to get a short message is the router's to say. Ways to ask another.

use sealgate_wire::Reason;
use sealgate_wire::addr::{GlobalTitle, Plan, Ssn};
use sealgate_wire::diameter::{self, AvpId, FLAG_MANDATORY, Flags, Header};
use sealgate_wire::sccp::{self, Segmentation};

use super::kit::*;
use crate::common::diameter::{S6A, realm};

const SETTING: &str = "sms-router";
/// sendRoutingInfoForSM, and what else its context has.
const SRI_SM: i32 = 45;
const REPORT: i32 = 47;
const ROUTER: &str = "99901000077";
/// A number that leads to the router, and one that does not.
const SUBSCRIBER: &str = "999015550001";
const OTHER_NUMBER: &str = "999016550001";

/// Send-Routing-Info-for-SM and Report-SM-Delivery-Status of S6c.
const SRR: u32 = 8_388_647;
const RDR: u32 = 8_388_649;
const S6C: u32 = 16_777_312;

pub fn cases() -> Vec<Case> {
    let mut all = over_ss7();
    all.extend(over_diameter());
    all
}

/// Asks for a subscriber.
fn asks(id: u8) -> Vec<u8> {
    let argument = of(0x30, &[&number(0x80, SUBSCRIBER), &[0x81, 1, 0xff], &number(0x82, THEIRS)]);
    invoke(id, SRI_SM, &argument)
}

/// Says that a message could not be delivered.
fn reports(id: u8) -> Vec<u8> {
    invoke(id, REPORT, &of(0x30, &[&number(4, SUBSCRIBER), &number(4, THEIRS), &[0x0a, 1, 1]]))
}

/// To a title of ours, and a subsystem.
fn to(title: &str, ssn: u8, tcap: &[u8]) -> Carried {
    Carried::In(inward(&udt(&address(title, ssn), &address(THEIRS, 8), tcap)))
}

fn over_ss7() -> Vec<Case> {
    let mut all = Vec::new();
    let mut add = |name: &str, last: Carried, want| all.push(case(name, last, want).under(SETTING));
    let context = map(20, 3);
    let plain = || begin(&context, &[&asks(1)]);
    for (name, title) in [
        ("the HLR", OURS),
        ("a subscriber whose number leads elsewhere", OTHER_NUMBER),
        ("a digit more than the router", "999010000771"),
        ("a zero more than the router", "999010000770"),
        ("a digit less than the router", "9990100007"),
        ("a prefix of the subscribers' alone", "99901"),
    ] {
        add(&format!("SRI-SM to {name}"), to(title, 6, &plain()), Reason::PolHomeRouting);
    }
    add("SRI-SM to the router", to(ROUTER, 6, &plain()), Reason::OkUnsignedAllowed);
    add("SRI-SM to a subscriber's number", to(SUBSCRIBER, 6, &plain()), Reason::OkUnsignedAllowed);
    // The router's digits in another plan name somebody else.
    let mut e214 = Vec::new();
    sccp::emit_address(
        &GlobalTitle { plan: Plan::E214, digits: ROUTER.parse().expect("digits") },
        Ssn(6),
        0,
        &mut e214,
    );
    let mobile = Carried::In(inward(&udt(&e214, &address(THEIRS, 8), &plain())));
    add("SRI-SM to the router's digits in E.214", mobile, Reason::PolHomeRouting);
    for ssn in [7, 8, 9, 146, 147, 149] {
        add(&format!("SRI-SM to subsystem {ssn} of the HLR"), to(OURS, ssn, &plain()), Reason::PolHomeRouting);
    }
    for version in [1, 2] {
        let tcap = begin(&map(20, version), &[&asks(1)]);
        add(&format!("SRI-SM of version {version} to the HLR"), to(OURS, 6, &tcap), Reason::PolHomeRouting);
    }
    let nameless = || begin_with(&[], &[&asks(1)]);
    add("SRI-SM without a context to the HLR", to(OURS, 6, &nameless()), Reason::PolHomeRouting);
    add("SRI-SM without a context to the router", to(ROUTER, 6, &nameless()), Reason::OkUnsignedAllowed);
    // Several operations, of which another one is looked at first, or last.
    for count in [1, 2, 7, 15] {
        let others: Vec<Vec<u8>> = (10..10 + count).map(reports).collect();
        let (behind, before) = (asks(100), asks(101));
        let mut list: Vec<&[u8]> = others.iter().map(Vec::as_slice).collect();
        add(&format!("{count} reports"), to(OURS, 6, &begin(&context, &list)), Reason::OkUnsignedAllowed);
        list.push(&behind);
        add(&format!("SRI-SM behind {count} reports"), to(OURS, 6, &begin(&context, &list)), Reason::PolHomeRouting);
        let to_router = to(ROUTER, 6, &begin(&context, &list));
        add(&format!("SRI-SM behind {count} reports to the router"), to_router, Reason::OkUnsignedAllowed);
        list.insert(0, &before);
        list.pop();
        add(&format!("SRI-SM before {count} reports"), to(OURS, 6, &begin(&context, &list)), Reason::PolHomeRouting);
    }
    // Later in a dialogue, whoever opened it.
    let (here, there) = (fresh(), fresh());
    let later = go_on(&there, &here, &[], &[&asks(1)]);
    add("SRI-SM in CONTINUE to the HLR", to(OURS, 6, &later), Reason::PolHomeRouting);
    add("SRI-SM in CONTINUE to the router", to(ROUTER, 6, &later), Reason::OkUnsignedAllowed);
    add("SRI-SM in END to the HLR", to(OURS, 6, &end(&here, &[], &[&asks(1)])), Reason::PolHomeRouting);
    add(
        "SRI-SM behind a result in END",
        to(OURS, 6, &end(&here, &[], &[&result(1, 56, &[]), &asks(2)])),
        Reason::PolHomeRouting,
    );
    // In segments, of which no one alone asks anything.
    let tcap = plain();
    for (name, title, want) in
        [("the HLR", OURS, Reason::PolHomeRouting), ("the router", ROUTER, Reason::OkUnsignedAllowed)]
    {
        let [_, a, b, c] = fresh();
        let mut parts = tcap.chunks(tcap.len().div_ceil(3)).enumerate().map(|(i, data)| {
            let segment =
                Segmentation { first: i == 0, in_sequence: true, remaining: 2 - i as u8, local_ref: [a, b, c] };
            let mut out = Vec::new();
            let (called, calling) = (address(title, 6), address(THEIRS, 8));
            sccp::emit(sccp::Kind::Xudt, 1, None, &called, &calling, data, Some(segment), None, &mut out)
                .expect("fits");
            Carried::In(inward(&out))
        });
        let before: Vec<_> = parts.by_ref().take(2).collect();
        let mut whole = Vec::new();
        sccp::emit(sccp::Kind::Xudt, 1, None, &address(title, 6), &address(THEIRS, 8), &tcap, None, None, &mut whole)
            .expect("fits");
        let one = case(format!("SRI-SM in three segments to {name}"), parts.next().expect("a third"), want);
        all.push(one.after(before).leaving(inward(&whole)).under(SETTING));
    }
    // What does not ask that goes where it went.
    let mut add = |name: &str, last: Carried| all.push(benign(name, last).under(SETTING));
    add("a report to the HLR", to(OURS, 6, &begin(&context, &[&reports(1)])));
    add("a location update to the HLR", ss7(&begin(&LOCATION, &[&invoke(1, 2, &update_location(B, THEIRS))])));
    add("a result of SRI-SM to the HLR", to(OURS, 6, &end(&here, &[], &[&result(1, SRI_SM, &[])])));
    all.push(benign("SRI-SM to the HLR where there is no router", to(OURS, 6, &plain())));
    all
}

fn avp(code: u32, vendor: u32, data: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    assert!(diameter::emit_avp(AvpId::new(vendor, code), if vendor == 0 { FLAG_MANDATORY } else { 0 }, data, &mut out));
    out
}

/// A request of B's to us with these AVPs besides.
fn request(command: u32, application: u32, more: &[Vec<u8>]) -> Carried {
    let id = u32::from_be_bytes(fresh());
    let flags = Flags(Flags::REQUEST.0 | Flags::PROXIABLE.0);
    let header = Header { flags, command, application, hop_by_hop: id, end_to_end: id ^ 0x55 };
    let mut out = Vec::new();
    let start = diameter::begin(&header, &mut out);
    for (code, data) in
        [(263, "s;1;2".to_owned()), (264, format!("gmsc.{}", realm(3))), (296, realm(3)), (283, realm(1))]
    {
        out.extend(avp(code, 0, data.as_bytes()));
    }
    out.extend(avp(701, AvpId::TGPP, &[0x99, 0x09, 0x51, 0x55, 0x00, 0x10]));
    out.extend(more.concat());
    assert!(diameter::finish(start, &mut out));
    Carried::DiameterIn(out)
}

/// Destination-Host.
fn host(name: &str) -> Vec<u8> {
    avp(293, 0, name.as_bytes())
}

fn over_diameter() -> Vec<Case> {
    let mut all = Vec::new();
    let ours = realm(1);
    let router = format!("smsr.{ours}");
    let mut add = |name: &str, last: Carried, want| all.push(case(name, last, want).under(SETTING));
    for (name, to, want) in [
        ("the HSS", format!("hss.{ours}"), Reason::PolHomeRouting),
        ("a host whose name only ends like the router's", format!("evil{router}"), Reason::PolHomeRouting),
        ("the router of another realm", format!("smsr.{}", realm(2)), Reason::PolHomeRouting),
        ("the router's name with more behind it", format!("{router}.evil.example"), Reason::PolHomeRouting),
        ("the router's name with a NUL behind it", format!("{router}\0"), Reason::PolHomeRouting),
        ("the router's name with a dot behind it", format!("{router}."), Reason::PolHomeRouting),
        ("the router's name with a space before it", format!(" {router}"), Reason::PolHomeRouting),
        ("the realm", ours.clone(), Reason::PolHomeRouting),
        ("an empty name", String::new(), Reason::PolHomeRouting),
        ("the router", router.clone(), Reason::OkUnsignedAllowed),
        ("the router in capitals", router.to_ascii_uppercase(), Reason::OkUnsignedAllowed),
        ("a part of the router", format!("b.{router}"), Reason::OkUnsignedAllowed),
    ] {
        add(&format!("SRR to {name}"), request(SRR, S6C, &[host(&to)]), want);
    }
    let hss = format!("hss.{ours}");
    add("SRR to nobody, which our agents route", request(SRR, S6C, &[]), Reason::OkUnsignedAllowed);
    for (name, first, second) in
        [("the router and then the HSS", &router, &hss), ("the HSS and then the router", &hss, &router)]
    {
        add(&format!("SRR to {name}"), request(SRR, S6C, &[host(first), host(second)]), Reason::DiaAvpDup);
    }
    let vendors = |name: &str| avp(293, 9999, name.as_bytes());
    add(
        "SRR to the HSS, and another vendor's host",
        request(SRR, S6C, &[vendors(&router), host(&hss)]),
        Reason::PolHomeRouting,
    );
    add(
        "SRR to the router, and another vendor's host",
        request(SRR, S6C, &[vendors(&hss), host(&router)]),
        Reason::OkUnsignedAllowed,
    );
    add("SRR to the HSS in another application", request(SRR, S6A, &[host(&hss)]), Reason::DiaCmdApp);
    add("a report to the HSS", request(RDR, S6C, &[host(&hss)]), Reason::OkUnsignedAllowed);
    all.push(benign("SRR to the HSS where there is no router", request(SRR, S6C, &[host(&hss)])).under("applications"));
    all
}
