//! Known ways around a signalling firewall, a family a file: each frame with the reason for which it is refused, and benign
//! ones beside them, one octet or one fact away, that pass. All through the whole gateway, inline.
//!
//! `cargo test -p sealgate-dataplane --test evasions -- --nocapture` says how many of each family do as they should.

mod common;

#[path = "evasions/addresses.rs"]
mod addresses;
#[path = "evasions/ber.rs"]
mod ber;
#[path = "evasions/components.rs"]
mod components;
#[path = "evasions/contexts.rs"]
mod contexts;
#[path = "evasions/diameter.rs"]
mod diameter;
#[path = "evasions/duplicates.rs"]
mod duplicates;
#[path = "evasions/extensions.rs"]
mod extensions;
#[path = "evasions/fragments.rs"]
mod fragments;
#[path = "evasions/handshakes.rs"]
mod handshakes;
#[path = "evasions/home_routing.rs"]
mod home_routing;
#[path = "evasions/kit.rs"]
mod kit;
#[path = "evasions/opcodes.rs"]
mod opcodes;
#[path = "evasions/segments.rs"]
mod segments;
#[path = "evasions/sip.rs"]
mod sip;
#[path = "evasions/tags.rs"]
mod tags;
#[path = "evasions/transactions.rs"]
mod transactions;
#[path = "evasions/versions.rs"]
mod versions;

use kit::{Case, Score};

/// A name, and what makes the frames.
type Family = (&'static str, fn() -> Vec<Case>);

/// Every family by its name.
const FAMILIES: &[Family] = &[
    ("global-opcodes", opcodes::cases),
    ("application-contexts", contexts::cases),
    ("transaction-ids", transactions::cases),
    ("addresses", addresses::cases),
    ("components", components::cases),
    ("ber", ber::cases),
    ("long-tags", tags::cases),
    ("duplicates", duplicates::cases),
    ("private-extensions", extensions::cases),
    ("map-versions", versions::cases),
    ("xudt-segments", segments::cases),
    ("sctp-fragments", fragments::cases),
    ("handshakes", handshakes::cases),
    ("diameter-encoding", diameter::encoding),
    ("diameter-avps", diameter::avps),
    ("diameter-origin", diameter::origin),
    ("diameter-commands", diameter::commands),
    ("sms-home-routing", home_routing::cases),
    ("sip", sip::cases),
];

#[test]
fn every_family_is_refused_and_its_twins_pass() {
    let (mut total, mut faults) = (0, Vec::new());
    for (family, cases) in FAMILIES {
        let cases = cases();
        let passing = cases.iter().filter(|case| case.want.passes()).count();
        assert!(passing > 0 && passing < cases.len(), "{family}: {passing} of {} are benign", cases.len());
        let Score { passed, faults: found } = kit::run(&cases);
        println!("evasions {family} {passed}/{}", cases.len());
        total += cases.len();
        faults.extend(found.into_iter().map(|fault| format!("{family}: {fault}")));
    }
    println!("evasions all {}/{total}", total - faults.len());
    assert!(faults.is_empty(), "{} of {total} failed\n{}", faults.len(), faults.join("\n"));
    assert!(total >= 300, "{total} frames");
}
