//! Reading one ISUP message for display, as [`super::walk`] does for SCCP.

use sealgate_config::model::Mode;
use sealgate_crypto::alg::Alg;
use sealgate_dataplane::state::Direction;
use sealgate_wire::isup::{self, Iam, Number, View};
use sealgate_wire::sec::isup1;

use super::walk::{Profile, Scene, Walk, age_text, mode_name, place, stamp, state_text};
use super::{clock, hex};

/// Reads a message as far as it can be read.
///
/// * `frame`: what places are counted in; `octets`: from the circuit on
pub(super) fn message(scene: &Scene<'_>, walk: &mut Walk, frame: &[u8], octets: &[u8]) {
    walk.profile = Some(Profile::Isup);
    walk.places.tcap = place(frame, octets); // what octets of a reason are counted in
    let Ok(view) = View::new(octets) else {
        walk.line("ISUP", "cut before its type".to_owned());
        walk.look("ISUP", "circuit and type");
        return;
    };
    walk.line("ISUP", format!("{}, circuit {}", kind_name(view.kind()), view.cic()));
    if view.kind() != isup::IAM {
        return;
    }
    let iam = match Iam::parse(view) {
        Ok(iam) => iam,
        Err(refusal) => {
            walk.line("ISUP", format!("refused in decoding: {}", refusal.reason.text()));
            walk.look("ISUP", "pointers and parameters");
            return;
        }
    };
    let calling = iam.calling.as_ref().map_or("nobody".to_owned(), shown_calling);
    walk.line("ISUP", format!("{calling} calls {}, category {}", shown(&iam.called), iam.cpc));
    if scene.way == Direction::Out {
        return;
    }
    walk.look("ISUP", "pointers and parameters, none twice that counts");
    let Some(link) = scene.snapshot.links.get(usize::from(scene.link)) else { return };
    let mode = link.config.isup.mode;
    let peer =
        |number: Number<'_>| number.digits().and_then(|digits| scene.snapshot.peer_by_digits(&digits)).unwrap_or(0);
    let carries = if iam.app.is_some() { "signed" } else { "not signed" };
    let asked = format!("links.{}.isup_mode: {}; the call is {carries}", link.name, mode_name(mode));
    if mode == Mode::Ignore || mode == Mode::Prefer && iam.app.is_none() {
        // Nobody has to vouch for the calling number: the gateway does not ask for it, so no step says that it was fine.
        walk.peer = iam.calling.map_or(0, peer);
        walk.look("MODE", asked);
        let found = if iam.app.is_some() { "a signature, not looked at: mode ignore" } else { UNSIGNED };
        return walk.line("security", found.to_owned());
    }
    walk.look("CGPN", format!("{calling}, which must be an international number"));
    let Some(number) = iam.calling.filter(|number| number.is_international() && number.digits().is_some()) else {
        return;
    };
    walk.peer = peer(number);
    walk.look("MODE", asked);
    match &iam.app {
        None => walk.line("security", UNSIGNED.to_owned()),
        Some(app) => security(scene, walk, frame, app, &iam),
    }
}

/// What the line of security says of a call without our parameter.
const UNSIGNED: &str = "none: the call is not signed";

/// SG-ISUP-1 (formats 9).
fn security(scene: &Scene<'_>, walk: &mut Walk, frame: &[u8], app: &isup::App<'_>, iam: &Iam<'_>) {
    walk.places.component = place(frame, app.content);
    walk.look("V4", "exactly that of the profile");
    walk.look("V5", "version 1, no other flag, algorithm known");
    walk.look("V7", "signature length of the algorithm");
    let found = match isup1::parse(app) {
        Ok(found) => found,
        Err(refusal) => {
            return walk.line("security", format!("SG-ISUP-1 that cannot be read: {}", refusal.reason.text()));
        }
    };
    let header = &found.header;
    walk.places.signature = place(frame, found.signature);
    if let Some(start) = place(frame, found.covered).map(|range| range.start) {
        walk.places.sai = Some(start + 4..start + 12);
        walk.places.tvp = Some(start + 12..start + 16);
        walk.places.seq = Some(start + 16..start + 24);
    }
    let signers = scene.snapshot.signers_of(header.sai);
    let certificate = signers.first().and_then(|&id| scene.snapshot.signers.get(id as usize));
    let name = certificate.map_or("not known", |signer| signer.trust.certificate.name.as_str());
    let (sai, stamp) = (hex(&header.sai), stamp(header, scene.now_ms));
    let alg = Alg::from_wire(header.alg).map_or("?", |alg| alg.name());
    walk.line(
        "security",
        format!(
            "SG-ISUP-1, {alg}, SAI {sai} (certificate {name}), signed {}, number {} of counter {}",
            clock(stamp.0),
            header.seq,
            header.node
        ),
    );
    walk.look("V10", format!("SAI {sai}: certificate {name}"));
    let Some(signer) = certificate else { return };
    let state = signer.trust.state((scene.now_ms / 1000) as i64);
    walk.look("V11", format!("{name}: {}", state_text(state, &signer.trust)));
    let window = &scene.snapshot.defaults.window;
    let (past, future) = (window.past_ms / 1000, window.future_ms / 1000);
    walk.look("V12", format!("{}; window {past} s past, {future} s ahead", age_text(stamp.1)));
    walk.look("V13", format!("number {} must not have been used before", header.seq));
    walk.look(
        "V14",
        match found.copy {
            Some(copy) => format!("{} must end in {}", text(copy.get(2..).unwrap_or_default()), shown(&iam.called)),
            None => format!("{} must be international", shown(&iam.called)),
        },
    );
    let own = &signer.trust.certificate.identifiers;
    let ranges: Vec<_> = own.tn_ranges.iter().map(|(start, count)| format!("{start} and {} more", count - 1)).collect();
    let list = if own.any { "every number".to_owned() } else { ranges.join(", ") };
    walk.look("V15", format!("{name} covers {list}"));
    walk.look("ROOM2", "the crypto queue has room");
    walk.look("V17", format!("{alg}, by {name}, over header, both numbers, category and presentation"));
    walk.look("V18", format!("number {} marked as used", header.seq));
}

/// A calling number, with what Q.763 §3.10 says about showing it.
fn shown_calling(number: &Number<'_>) -> String {
    let presentation = match number.presentation() {
        0 => "",
        1 => " (restricted)",
        2 => " (not available)",
        _ => " (presentation 3, reserved)",
    };
    format!("{}{presentation}", shown(number))
}

/// A number as far as it can be read.
fn shown(number: &Number<'_>) -> String {
    let Some(digits) = number.digits() else { return "a number that cannot be read".to_owned() };
    let nature = if number.is_international() { "+" } else { "not international: " };
    format!("{nature}{digits}")
}

fn text(octets: &[u8]) -> String {
    String::from_utf8_lossy(octets).escape_debug().to_string()
}

/// Message types of a call (Q.763 table 4).
fn kind_name(kind: u8) -> String {
    let name = match kind {
        0x01 => "IAM, initial address",
        0x02 => "SAM, subsequent address",
        0x04 => "INR, information request",
        0x05 => "INF, information",
        0x06 => "ACM, address complete",
        0x07 => "CON, connect",
        0x09 => "ANM, answer",
        0x0c => "REL, release",
        0x0d => "SUS, suspend",
        0x0e => "RES, resume",
        0x10 => "RLC, release complete",
        0x12 => "RSC, reset circuit",
        0x13 => "BLO, blocking",
        0x14 => "UBL, unblocking",
        0x15 => "BLA, blocking acknowledgement",
        0x16 => "UBA, unblocking acknowledgement",
        0x17 => "GRS, circuit group reset",
        0x29 => "GRA, circuit group reset acknowledgement",
        0x2c => "CPG, call progress",
        other => return format!("type {other:#04x}"),
    };
    name.to_owned()
}
