//! Signing in the SigFW form (formats 5): BEGIN only, RSA, and no UDT is long enough for it.

mod common;

use std::sync::Arc;

use common::traffic::{Call, chunks_of, frame, outbound, title};
use common::{NOW_MS, key, policy, trust};
use sealgate_config::model::Profile;
use sealgate_crypto::keyring::KeyRing;
use sealgate_crypto::pool::{Pool, PoolConfig};
use sealgate_dataplane::io::Frame;
use sealgate_dataplane::io::mem::{MemPool, MemPort};
use sealgate_dataplane::pipeline::worker::Shared;
use sealgate_dataplane::pipeline::{Worker, WorkerConfig};
use sealgate_dataplane::policy::{PolicyCell, Snapshot};
use sealgate_wire::ber::Rules;
use sealgate_wire::sec::tcap0;
use sealgate_wire::{Reason, m3ua, sccp, tcap};

/// What leaves for one unsigned BEGIN of HOME towards operator A, and under which reason.
fn sent(ludt: bool) -> (Vec<u8>, Reason) {
    let mut policy = policy();
    let signing = policy.home.signing.as_mut().expect("signing");
    signing.cert = "c-rsa".into();
    (policy.peers[0].sign_profile, policy.peers[0].ludt) = (Profile::SgTcap0, ludt);
    let keys = [("c-rsa".to_string(), key("c-rsa"))].into();
    let snapshot = Snapshot::compile(&policy, &trust(), &keys, 1500, &KeyRing::new())
        .unwrap_or_else(|faults| panic!("{faults:?}"));
    let shared = Arc::new(Shared::new(&snapshot));
    let cell = Arc::new(PolicyCell::new(snapshot));
    let (crypto, mut clients) = Pool::start(PoolConfig::default(), 1, &cell.current().ring).expect("crypto");
    let pool = MemPool::default();
    let ports = [MemPort::new(&pool), MemPort::new(&pool)];
    let config = WorkerConfig { journal: true, ..WorkerConfig::default() };
    let client = clients.pop().expect("one client a worker");
    let mut worker = Worker::new(config, ports, cell.reader(), client, shared, Vec::new());
    let plain = frame(&outbound(), 5, &Call::outbound(1).unsigned());
    assert!(worker.port_mut(1).expect("home").inject(&plain).expect("fits"));
    worker.turn(NOW_MS);
    let left = worker.port_mut(0).expect("interconnect").take_sent().expect("a frame").octets().to_vec();
    let reason = worker.take_journal().first().expect("a verdict").reason;
    crypto.stop();
    (chunks_of(&left).remove(0).3, reason)
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
