//! Every SS7 frame of the shared vectors through SCCP, TCAP and MAP: refused here exactly where the vector names a reason
//! of these codecs, and the TCAP message that the vectors expect back is made by `tcap::rebuild`.

use std::fs;
use std::path::PathBuf;

use sealgate_wire::ber::Rules;
use sealgate_wire::reason::{Reason, Refusal};
use sealgate_wire::sccp::{Address, Unitdata};
use sealgate_wire::tcap::{self, ComponentKind, Message};
use sealgate_wire::{cap, eth, ip, m3ua, map, sctp};
use serde_json::Value;

/// What the decoders of these layers can say; everything else in the vectors is state, policy or signature.
const CODEC: &[Reason] = &[
    Reason::SccpType,
    Reason::SccpTruncated,
    Reason::SccpPointer,
    Reason::SccpGtForm,
    Reason::SccpGti,
    Reason::SccpHopCounter,
    Reason::SccpOptParam,
    Reason::TcapTag,
    Reason::BerLength,
    Reason::BerIndefinite,
    Reason::BerNonMinimal,
    Reason::BerDepth,
    Reason::BerTagLong,
    Reason::TcapTid,
    Reason::TcapElement,
    Reason::TcapDialogue,
    Reason::TcapComponent,
    Reason::TcapComponentCount,
    Reason::TcapTrailing,
    Reason::MapParam,
    Reason::MapDupParam,
];

fn hex(text: &str) -> Vec<u8> {
    let digit = |octet: u8| char::from(octet).to_digit(16).expect("hexadecimal") as u8;
    text.as_bytes().chunks(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
}

/// The SCCP message of the first DATA chunk.
fn sccp_of(frame: &[u8]) -> Option<Vec<u8>> {
    let frame = eth::Frame::parse(frame).ok()?;
    let packet = ip::Packet::parse(frame.ethertype, frame.payload).ok()??;
    let packet = sctp::Packet::parse(packet.payload).ok()?;
    let chunk = packet.chunks().find(|chunk| chunk.kind == sctp::ChunkKind::DATA)?;
    let data = sctp::Data::parse(&chunk).ok()?;
    let message = m3ua::Data::parse(m3ua::View::new(data.user).ok()?).ok()?;
    (message.si == 3).then(|| message.user.to_vec())
}

/// Every check of these layers, in the order of formats 2.
fn check(octets: &[u8], rules: Rules) -> Result<(), Refusal> {
    let unitdata = Unitdata::parse(octets)?;
    let mut camel = false;
    for address in [unitdata.called, unitdata.calling] {
        let address = Address::parse(address)?;
        address.title()?;
        camel |= address.ssn.is_some_and(|ssn| ssn.0 == 146);
    }
    if unitdata.segmentation.is_some_and(|segment| !segment.first || segment.remaining > 0) {
        return Ok(());
    }
    let message = Message::parse(unitdata.data, rules)?;
    let context = message.application_context()?;
    let version = context.and_then(|oid| map::context(oid.0)).map_or(0, |context| context.version);
    for component in &message.components {
        let Some(op) = component.local() else { continue };
        if camel {
            cap::identities(op, component.kind, component.parameter, rules)?;
        } else {
            map::identities(op, component.kind, version, component.parameter, rules)?;
        }
    }
    Ok(())
}

#[test]
fn the_codecs_refuse_what_the_vectors_name() {
    let folder = std::env::var_os("SEALGATE_VECTORS")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../vectors")), PathBuf::from);
    let (mut refused, mut rebuilt) = (0, 0);
    for name in ["tcap_native", "tcap_policy", "tcap_sigfw"] {
        let text = fs::read_to_string(folder.join(name).with_extension("json")).expect("a vector file");
        let file: Value = serde_json::from_str(&text).expect("JSON");
        for vector in file["vectors"].as_array().expect("a list") {
            let id = vector["id"].as_str().unwrap_or_default();
            let rules = if vector["override"]["ber"] == "canonicalise" { Rules::Lenient } else { Rules::Strict };
            for frame in vector["frames"].as_array().into_iter().flatten() {
                let octets = hex(frame["frame_hex"].as_str().unwrap_or_default());
                let reason = frame["reason"].as_str().and_then(Reason::from_name).expect("a reason");
                let want = CODEC.contains(&reason).then_some(reason);
                let sccp = sccp_of(&octets).unwrap_or_else(|| panic!("{id}: no SCCP message"));
                let got = check(&sccp, rules).err();
                assert_eq!(got.map(|refusal| refusal.reason), want, "{id} {got:?}");
                refused += usize::from(want.is_some());
                let out = frame["out_frame_hex"].as_str().map(hex).and_then(|frame| sccp_of(&frame));
                let added = vector["component"].as_str().filter(|_| reason == Reason::OkSignedEgress).map(hex);
                if let Some(out) = out {
                    rebuilt += usize::from(rebuilds(&sccp, &out, added.as_deref(), rules, id));
                }
            }
        }
    }
    assert!(refused >= 14 && rebuilt >= 29, "{refused} refused, {rebuilt} rebuilt");
}

/// Takes the security component out, if there is one, or puts `added` in, and compares with what the vector expects.
fn rebuilds(sccp: &[u8], out: &[u8], added: Option<&[u8]>, rules: Rules, id: &str) -> bool {
    let (Ok(before), Ok(after)) = (Unitdata::parse(sccp), Unitdata::parse(out)) else { return false };
    if before.segmentation.is_some() || before.kind.is_service() {
        return false;
    }
    let Ok(message) = Message::parse(before.data, rules) else { panic!("{id}") };
    let signed = |i: &usize| {
        message.components.get(*i).is_some_and(|component| {
            component.kind == ComponentKind::Invoke && matches!(component.local(), Some(81 | 100 | 106))
        })
    };
    let skip = message.components.len().checked_sub(1).filter(signed);
    let mut made = Vec::new();
    tcap::rebuild(&message, skip, added, rules == Rules::Lenient, &mut made);
    assert_eq!(made, after.data, "{id}");
    true
}
