//! Several certificates of one key: one that is in force, covers the calling title and has a role that the peer accepts is
//! enough, wherever it stands among the others.

mod common;

use std::sync::Arc;

use common::traffic::{Call, frame, inbound};
use common::{Gateway, NOW_MS, key, policy, trust};
use sealgate_crypto::pki::{Certificate, Identifiers, Role, Signer};
use sealgate_crypto::pool::PoolConfig;
use sealgate_dataplane::pipeline::WorkerConfig;
use sealgate_wire::Reason;

/// The verdict of a message of A where A's certificate is replaced by these of the same key.
fn verdict(certificates: &[&dyn Fn(&mut Signer)]) -> Reason {
    let mut trust = trust();
    let a = trust.signers.iter().position(|signer| signer.certificate.name.contains("a-ec")).expect("A's certificate");
    let a = trust.signers.remove(a);
    for change in certificates {
        let mut one = a.clone();
        change(&mut one);
        trust.signers.push(one);
    }
    let config = WorkerConfig { journal: true, ..WorkerConfig::default() };
    let mut gateway = Gateway::with_trust(&policy(), &trust, config, PoolConfig::default(), |_| ());
    let message = Call::inbound(1).signed(&key("a-ec"), 1, NOW_MS);
    let step = gateway.frame(0, &frame(&inbound(), 1000, &message), NOW_MS);
    let [record] = step.records.as_slice() else { panic!("{} verdicts", step.records.len()) };
    record.reason
}

fn of(one: &mut Signer) -> &mut Certificate {
    Arc::make_mut(&mut one.certificate)
}

#[test]
fn one_that_may_is_enough_wherever_it_stands() {
    let good = |_: &mut Signer| ();
    let hub = |one: &mut Signer| of(one).role = Some(Role::Hub);
    let late = |one: &mut Signer| one.valid_to = 0;
    let elsewhere = |one: &mut Signer| of(one).identifiers.gt_prefixes.clear();
    let anywhere = |one: &mut Signer| of(one).identifiers = Identifiers { any: true, ..Identifiers::default() };
    let longer = |one: &mut Signer| {
        of(one).identifiers.gt_prefixes.iter_mut().for_each(|(_, prefix)| prefix.push_str("00"));
    };
    for certificates in [
        &[&good as &dyn Fn(&mut Signer)][..],
        &[&hub, &good],
        &[&good, &hub],
        &[&elsewhere, &late, &hub, &good],
        &[&elsewhere, &anywhere],
        &[&anywhere, &elsewhere],
        &[&longer],
        &[&hub, &longer],
    ] {
        assert_eq!(verdict(certificates), Reason::OkVerified);
    }
    for (certificates, want) in [
        (&[&elsewhere as &dyn Fn(&mut Signer)][..], Reason::CrtResource),
        (&[&elsewhere, &elsewhere], Reason::CrtResource),
        (&[&hub], Reason::CrtRole),
        (&[&hub, &elsewhere], Reason::CrtRole),
        (&[&elsewhere, &hub], Reason::CrtRole),
        (&[&hub, &hub], Reason::CrtRole),
        (&[&late], Reason::CrtExpired),
        (&[&late, &elsewhere], Reason::CrtResource),
        (&[&late, &hub], Reason::CrtRole),
    ] {
        assert_eq!(verdict(certificates), want);
    }
}
