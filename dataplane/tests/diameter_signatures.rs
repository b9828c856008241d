//! Every signature in the Diameter vectors under the keys of the vectors, over the octets that our codec says it covers:
//! it holds unless the vector says that it does not.

mod common;

use common::{key, vectors};
use sealgate_crypto::sign::MAX_OWN_SIGNATURE;
use sealgate_wire::diameter::{self, Message};
use sealgate_wire::sec::dess::{Group, Signer};
use sealgate_wire::sec::{Sorter, dia0, dia1, ecdsa};
use sealgate_wire::{Reason, eth, ip, sctp};
use serde_json::Value;

/// The messages of a file: identifier, octets, the reason that the vector gives.
fn messages(file: &str) -> Vec<(String, Vec<u8>, Reason)> {
    let text = std::fs::read_to_string(vectors().join(file).with_extension("json")).expect("a vector file");
    let file: Value = serde_json::from_str(&text).expect("JSON");
    let mut found = Vec::new();
    for vector in file["vectors"].as_array().expect("a list") {
        for frame in vector["frames"].as_array().expect("a list") {
            let octets = common::hex(frame["frame_hex"].as_str().expect("a frame"));
            let ethernet = eth::Frame::parse(&octets).expect("Ethernet");
            let packet = ip::Packet::parse(ethernet.ethertype, ethernet.payload).expect("IP").expect("IP");
            let packet = sctp::Packet::parse(packet.payload).expect("SCTP");
            let chunk = packet.chunks().next().expect("a chunk");
            let data = sctp::Data::parse(&chunk).expect("DATA");
            let reason = frame["reason"].as_str().and_then(Reason::from_name).expect("a reason");
            found.push((vector["id"].as_str().expect("an id").to_owned(), data.user.to_vec(), reason));
        }
    }
    found
}

/// Whether the signature of a message holds under this key; `None` if it has none that can be read.
fn holds(octets: &[u8], signer: &str) -> Option<bool> {
    let message = Message::parse(octets).ok()?;
    let group = Group::read(&message.dess?).expect("sound");
    let claim = group.claim().ok()?;
    let (mut sorter, mut tbs) = (Sorter::new(), Vec::new());
    let public = key(signer).public();
    if group.is_native() {
        let found = dia1::parse(&group).expect("sound");
        assert_eq!((found.header.sai, found.header.alg), (public.sai(), public.alg().wire()), "another key");
        dia1::write_tbs(&message.view, found.covered, group.parts(), &mut sorter, &mut tbs).expect("sound");
        return Some(public.verify(&tbs, claim.signature));
    }
    dia0::write_tbs(&message.view, group.parts(), &mut sorter, &mut tbs).expect("sound");
    Some(match public.alg().wire() {
        3 => public.verify(&tbs, claim.signature),
        _ => public.verify(&tbs, &ecdsa::from_der(claim.signature)?),
    })
}

#[test]
fn signatures_hold_where_the_vectors_say_so() {
    let (mut held, mut broken) = (0, 0);
    for (file, signer) in [("diameter_native", "a-ec"), ("diameter_dess", "c-rsa")] {
        for (id, octets, reason) in messages(file) {
            // One of A in the DESS form, to be refused for it.
            let signer = if reason == Reason::SecProfile { "a-ec" } else { signer };
            let Some(holds) = holds(&octets, signer) else { continue };
            // Proxy-Info, a User-Name or a command that is not what was signed.
            assert_eq!(holds, reason != Reason::SecSigInvalid, "{id} {reason:?}");
            held += usize::from(holds);
            broken += usize::from(!holds);
        }
    }
    assert_eq!((held, broken), (21, 4), "signatures that hold, and that do not");
}

/// The same message signed by us with the key's own nonce verifies like one that came.
#[test]
fn what_we_sign_holds() {
    let mut signed = 0;
    for (file, name) in [("diameter_native", "a-ec"), ("diameter_dess", "c-rsa"), ("diameter_dess", "a-ec")] {
        for (id, octets, _) in messages(file) {
            let Ok(message) = Message::parse(&octets) else { continue };
            let Some(group) = message.dess.and_then(|dess| Group::read(&dess).ok()) else { continue };
            let Ok(claim) = group.claim() else { continue };
            let key = key(name);
            let (mut sorter, mut tbs, mut added, mut out) = (Sorter::new(), Vec::new(), Vec::new(), Vec::new());
            let native = group.is_native().then(|| dia1::parse(&group).expect("sound"));
            let covered = native.map(|found| found.covered);
            let signer = Signer::new(claim.identity, claim.time, key.alg().wire(), covered);
            match covered {
                Some(covered) => dia1::write_tbs(&message.view, covered, signer.parts(), &mut sorter, &mut tbs),
                None => dia0::write_tbs(&message.view, signer.parts(), &mut sorter, &mut tbs),
            }
            .expect("sound");
            let mut raw = [0; MAX_OWN_SIGNATURE];
            let len = key.sign(&tbs, &mut raw).expect("a key that signs");
            let mut signature = raw[..len].to_vec();
            if native.is_none() && name == "a-ec" {
                signature.clear();
                ecdsa::put_der(&raw[..len].try_into().expect("64 octets"), &mut signature);
            }
            assert!(signer.emit(&signature, &mut added));
            assert!(diameter::rebuild(&message.view, |avp| Some(*avp) == message.dess, &added, &mut out));
            assert_eq!(holds(&out, name), Some(true), "{id} by {name}");
            signed += 1;
        }
    }
    assert!(signed > 30, "only {signed}");
}
