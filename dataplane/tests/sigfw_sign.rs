//! Signing in the SigFW form (formats 5): BEGIN only, RSA, and no UDT is long enough for it.

mod common;

use common::traffic::{Call, chunks_of, frame, outbound, title};
use common::{Gateway, NOW_MS, key, policy};
use sealgate_config::model::Profile;
use sealgate_wire::ber::Rules;
use sealgate_wire::sec::tcap0;
use sealgate_wire::{Reason, m3ua, sccp, tcap};

/// What leaves for one unsigned BEGIN of HOME towards operator A, and under which reason.
fn sent(ludt: bool) -> (Vec<u8>, Reason) {
    let mut policy = policy();
    (policy.peers[0].sign_profile, policy.peers[0].ludt) = (Profile::SgTcap0, ludt);
    let mut gateway = Gateway::signing_as(&policy, "c-rsa");
    let plain = frame(&outbound(), 5, &Call::outbound(1).unsigned());
    let step = gateway.frame(1, &plain, NOW_MS);
    (chunks_of(&step.sent[0][0]).remove(0).3, step.records[0].reason)
}

#[test]
fn a_begin_leaves_with_opcode_100_and_a_signature_that_holds() {
    let (user, reason) = sent(true);
    assert_eq!(reason, Reason::OkSignedEgress);
    let data = m3ua::Data::parse(m3ua::View::new(&user).expect("M3UA")).expect("DATA");
    let unitdata = sccp::Unitdata::parse(data.user).expect("SCCP");
    assert_eq!(unitdata.kind, sccp::Kind::Ludt);
    let message = tcap::Message::parse(unitdata.data, Rules::Strict).expect("TCAP");
    let [user, security] = message.components.iter().collect::<Vec<_>>()[..] else { panic!("two components") };
    assert_eq!((security.invoke_id, security.local()), (Some(1), Some(tcap0::OPCODE)));
    let protection = tcap0::parse(security.parameter).expect("security");
    let mut tbs = Vec::new();
    let (calling, called) = (title("999010000001"), title("999020000011"));
    tcap0::write_tbs(&calling, &called, protection.tvp, [user.raw].into_iter(), &mut tbs);
    assert!(key("c-rsa").public().verify(&tbs, protection.signature));
}

#[test]
fn without_ludt_it_leaves_unsigned() {
    let (user, reason) = sent(false);
    assert_eq!(reason, Reason::OkUnsignedAllowed);
    assert_eq!(user, Call::outbound(1).unsigned());
}
