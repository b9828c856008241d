//! What must hold of Diameter messages that leave, found out without the pipeline.

use sealgate_config::model::Mode;
use sealgate_wire::ber::Rules;
use sealgate_wire::diameter::{Header, Message, View, watchdog_answer_len};
use sealgate_wire::sec::dess::Group;
use sealgate_wire::sec::{Sorter, dia0, dia1, ecdsa};

use crate::policy::Snapshot;

/// A Device-Watchdog-Answer to no request.
pub(super) fn is_filler(user: &[u8]) -> bool {
    let header = View::new(user).map(|view| view.header());
    header == Ok(Header { command: 280, ..Header::default() }) && watchdog_answer_len(user.len()) == user.len()
}

/// Whether a message that came may leave towards home in another form: it is signed, or its padding is not zero.
pub(super) fn may_change(snapshot: &Snapshot, came: &[u8]) -> bool {
    let read = Message::parse(came);
    read.is_ok_and(|read| read.dess.is_some() || snapshot.rules == Rules::Lenient && !read.canonical)
}

/// Whether a message carries a signature.
pub(super) fn is_signed(user: &[u8]) -> bool {
    Message::parse(user).is_ok_and(|message| message.dess.is_some())
}

/// No message that leaves towards home carries a signature, or cannot be read.
pub(super) fn clean(user: &[u8]) {
    match Message::parse(user) {
        Ok(message) if message.header.is_hop_local() => {}
        Ok(message) => assert_eq!(message.dess, None, "a signature left towards home: {user:02x?}"),
        Err(refusal) => panic!("{refusal:?} was granted: {user:02x?}"),
    }
}

/// What leaves towards home as a message of a peer that must sign came with a signature that holds.
pub(super) fn proven(snapshot: &Snapshot, came: &[Vec<u8>], user: &[u8]) {
    let Ok(message) = Message::parse(user) else { return };
    if message.header.is_hop_local() {
        return;
    }
    let peer = message.origin_realm.and_then(|realm| snapshot.peer_of_realm(realm));
    let Some(peer) = peer.and_then(|peer| snapshot.peers.get(usize::from(peer))) else {
        panic!("a message of nobody we know left towards home: {user:02x?}");
    };
    let holds = |came: &Vec<u8>| holds(snapshot, came) == Some(true);
    assert!(
        peer.mode != Mode::Require || came.iter().any(holds),
        "a message of a peer that must sign left unproven: {user:02x?}"
    );
}

/// Whether a signature holds under the key that it names; `None` if it has none that can be read, or an unknown one.
fn holds(snapshot: &Snapshot, octets: &[u8]) -> Option<bool> {
    let message = Message::parse(octets).ok()?;
    let group = Group::read(&message.dess?).ok()?;
    let claim = group.claim().ok()?;
    let (mut sorter, mut tbs) = (Sorter::new(), Vec::new());
    if group.is_native() {
        let found = dia1::parse(&group).ok()?;
        dia1::write_tbs(&message.view, found.covered, group.parts(), &mut sorter, &mut tbs).ok()?;
        let signer = snapshot.signers_of(found.header.sai).first()?;
        let key = &snapshot.signers.get(*signer as usize)?.trust.certificate.key;
        return Some(key.verify(&tbs, claim.signature));
    }
    dia0::write_tbs(&message.view, group.parts(), &mut sorter, &mut tbs).ok()?;
    let key = snapshot.dess_key(message.origin_realm?, claim.identity)?.key.key();
    Some(match key.alg() as u8 {
        3 => key.verify(&tbs, claim.signature),
        _ => key.verify(&tbs, &ecdsa::from_der(claim.signature)?),
    })
}
