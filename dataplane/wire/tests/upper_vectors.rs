//! Every SS7 frame of the shared vectors through SCCP, TCAP and MAP: refused here exactly where the vector names a reason
//! of these codecs, and the TCAP message that the vectors expect back is made by `tcap::rebuild`.

mod vectors;

use sealgate_wire::ber::Rules;
use sealgate_wire::reason::{Reason, Refusal};
use sealgate_wire::sccp::{Address, Unitdata};
use sealgate_wire::tcap::{self, ComponentKind, Message};
use sealgate_wire::{cap, map};
use vectors::hex;

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

/// The SCCP message of the first DATA chunk.
fn sccp_of(frame: &[u8]) -> Option<Vec<u8>> {
    vectors::service_of(frame, 3)
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
    let (mut refused, mut rebuilt) = (0, 0);
    for name in ["tcap_native", "tcap_policy", "tcap_sigfw"] {
        for (vector, frame) in vectors::frames(&vectors::file(name)) {
            let id = vector["id"].as_str().unwrap_or_default();
            let rules = if vector["override"]["ber"] == "canonicalise" { Rules::Lenient } else { Rules::Strict };
            let octets = hex(frame["frame_hex"].as_str().unwrap_or_default());
            let reason = vectors::reason(frame);
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
