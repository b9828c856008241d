//! Reading, checking, signing and writing again a Diameter message allocates nothing once its buffers are warm.

#[path = "counting/allocator.rs"]
mod allocator;

use sealgate_wire::diameter::{self, AvpId, FLAG_MANDATORY, Flags, Header, Message};
use sealgate_wire::sec::dess::{Group, Signer, SystemTime};
use sealgate_wire::sec::{Sorter, dia0, dia1};

/// Buffers of a worker.
#[derive(Default)]
struct Warm {
    sorter: Sorter,
    tbs: Vec<u8>,
    added: Vec<u8>,
    signed: Vec<u8>,
    stripped: Vec<u8>,
    filler: Vec<u8>,
}

/// A request signed by us, checked as a neighbour would, and stripped again.
fn there_and_back(plain: &[u8], covered: Option<&[u8]>, warm: &mut Warm) {
    let message = Message::parse(plain).expect("sound");
    let signer = Signer::new(b"epc.mnc001.mcc001.3gppnetwork.org", SystemTime(1), 1, covered);
    warm.added.clear();
    warm.signed.clear();
    warm.stripped.clear();
    warm.filler.clear();
    assert!(signer.emit(&[0x55; 64], &mut warm.added));
    assert!(diameter::rebuild(&message.view, |_| false, &warm.added, &mut warm.signed));
    let signed = Message::parse(&warm.signed).expect("sound");
    let dess = signed.dess.expect("signed");
    let group = Group::read(&dess).expect("sound");
    let done = if group.is_native() {
        let found = dia1::parse(&group).expect("sound");
        dia1::write_tbs(&signed.view, found.covered, group.parts(), &mut warm.sorter, &mut warm.tbs)
    } else {
        dia0::write_tbs(&signed.view, group.parts(), &mut warm.sorter, &mut warm.tbs)
    };
    assert_eq!(done, Ok(()));
    assert!(!diameter::identities(&signed).imsi.is_empty());
    assert!(diameter::rebuild(&signed.view, |avp| avp.at == dess.at, &[], &mut warm.stripped));
    diameter::clear_padding(&mut warm.stripped);
    assert_eq!(warm.stripped, plain);
    assert!(diameter::emit_watchdog_answer(warm.signed.len(), &mut warm.filler));
}

#[test]
fn a_warm_worker_allocates_nothing() {
    let header = Header { flags: Flags(0xc0), command: 316, application: 16_777_251, hop_by_hop: 1, end_to_end: 2 };
    let mut plain = Vec::new();
    let start = diameter::begin(&header, &mut plain);
    for (id, data) in [
        (AvpId::ORIGIN_HOST, &b"mme1.epc.mnc001.mcc001.3gppnetwork.org"[..]),
        (AvpId::ORIGIN_REALM, b"epc.mnc001.mcc001.3gppnetwork.org"),
        (AvpId::USER_NAME, b"001010123456789"),
        (AvpId::VISITED_PLMN_ID, &[0, 0xf1, 0x10]),
    ] {
        assert!(diameter::emit_avp(id, FLAG_MANDATORY, data, &mut plain));
    }
    // More than the sorting of a handful.
    for code in 0..40 {
        assert!(diameter::emit_avp(AvpId::new(9, code), 0, b"x", &mut plain));
    }
    assert!(diameter::finish(start, &mut plain));
    let mut covered = [1; 24];
    covered[2] = 0;
    let mut warm = Warm::default();
    let mut turns = || [Some(&covered[..]), None].into_iter().for_each(|form| there_and_back(&plain, form, &mut warm));
    turns();
    let before = allocator::so_far();
    (0..10).for_each(|_| turns());
    assert_eq!(allocator::so_far() - before, 0);
    assert!(before > 0, "the counter counts");
}
