//! Reading one datagram of SIP for display.

use sealgate_config::model::{LinkKind, Mode};
use sealgate_dataplane::state::Direction;
use sealgate_wire::sec::passport::{self, Compact, Scratch};
use sealgate_wire::sip::{self, Message, Start};

use super::walk::{Profile, Scene, Walk, mode_name, place, state_text};

/// Reads a message as far as it can be read.
///
/// * `frame`: the frame that `user` is a piece of
pub(super) fn message(scene: &Scene<'_>, frame: &[u8], user: &[u8]) -> Walk {
    let mut walk = Walk { kind: LinkKind::Sip, profile: Some(Profile::Stir), ..Walk::default() };
    walk.places.tcap = place(frame, user); // what octets of a reason are counted in
    if sip::is_keepalive(user) {
        walk.line("SIP", "nothing but line ends: keeps the path open".to_owned());
        return walk;
    }
    let parsed = match Message::datagram(user) {
        Ok(parsed) => parsed,
        Err(refusal) => {
            walk.line("SIP", format!("refused in decoding: {}", refusal.reason.text()));
            walk.look("SIP", "start line, headers, those that must be there once");
            return walk;
        }
    };
    match parsed.view.start() {
        Start::Request { .. } => walk.line("SIP", text(parsed.view.start_line())),
        Start::Response { status, .. } => walk.line("SIP", format!("response {status}")),
    }
    walk.line(
        "SIP",
        format!("{} to {}, Call-ID {}", text(parsed.from.uri.raw), text(parsed.to.uri.raw), text(parsed.call_id)),
    );
    walk.look("SIP", "start line, headers, those that must be there once");
    if !parsed.is_initial_invite() || scene.way == Direction::Out {
        return walk;
    }
    call(scene, &mut walk, frame, &parsed);
    walk
}

fn call(scene: &Scene<'_>, walk: &mut Walk, frame: &[u8], parsed: &Message<'_>) {
    let snapshot = scene.snapshot;
    let Some(link) = snapshot.links.get(usize::from(scene.link)) else { return };
    let rules = &link.config.sip;
    walk.look("TN", "the caller's and the called number can be read");
    let number = |tn: Result<sip::Tn, _>| tn.ok().and_then(|tn: sip::Tn| tn.canonical(rules.default_cc.as_ref()));
    let (Some(calling), Some(called)) = (number(parsed.calling(rules.use_pai)), number(parsed.called())) else {
        return;
    };
    walk.line("SIP", format!("+{calling} calls +{called}"));
    let known = snapshot.peer_of_number(&calling);
    walk.peer = known.unwrap_or(0);
    let peer = known.and_then(|id| snapshot.peers.get(usize::from(id)));
    let named = peer.map_or("no peer".to_owned(), |peer| format!("peers.{}", peer.name));
    walk.look("PEER", format!("{calling} is {named}"));
    let Some(peer) = peer else { return };
    walk.look("S1", format!("{named}.mode: {}; {} Identity headers", mode_name(peer.mode), parsed.identity_count));
    let identity = match passport::select(parsed, |_| false) {
        Ok(identity) => identity,
        Err(refusal) => return walk.line("security", refusal.reason.text().to_owned()),
    };
    if peer.mode == Mode::Ignore {
        return walk.line("security", "a PASSporT, not looked at: mode ignore".to_owned());
    }
    walk.places.signature = place(frame, identity.signature_text());
    let ppt = identity.ppt.map_or("none".to_owned(), text);
    walk.line("security", format!("PASSporT, ppt {ppt}, certificate at {}", text(identity.info)));
    walk.look("S2", "token of three parts, both of the first JSON, no key twice, or the compact form with a Date");
    walk.look("S4", "ES256; what the token says is what the header says");
    let mut scratch = Scratch::default();
    let date = parsed.date().ok().flatten();
    let Ok(read) = identity.read(&Compact { orig: &calling, dest: &called, date }, &mut scratch) else { return };
    walk.look("S5", "host in stir.hosts");
    walk.look("S6", "URL in stir.certificates, or fetched");
    let Some(signer) = snapshot.stir.signer(identity.info).and_then(|id| snapshot.signers.get(id as usize)) else {
        return;
    };
    let name = signer.trust.certificate.name.as_str();
    let now_s = scene.now_ms / 1000;
    walk.look("S7", format!("{name}: {}", state_text(signer.trust.state(now_s as i64), &signer.trust)));
    let age = i64::try_from(now_s).unwrap_or(i64::MAX).saturating_sub_unsigned(read.claims.iat);
    walk.look("S8", format!("{age} s old; window {} s past and ahead", snapshot.stir.window_s));
    if snapshot.stir.div && parsed.identity_count > 1 {
        for div in passport::diversions(parsed).flatten() {
            walk.line("security", format!("PASSporT of a diversion, certificate at {}", text(div.info)));
        }
        walk.look(
            "S9",
            "the PASSporTs lead from the number called first to this one, each by whose certificate covers it",
        );
    } else {
        walk.look("S9", "the PASSporT's numbers are those of the call");
    }
    walk.look("S10", format!("{name} covers {calling}"));
    walk.look("S12", "not used in another transaction");
    walk.look("S13", format!("at least {}", peer.min_attest.text()));
    walk.look("ROOM2", "the crypto queue has room");
    walk.look("S11", format!("ES256, by {name}"));
}

/// Octets from the network: they cannot write on a terminal what they are not.
fn text(octets: &[u8]) -> String {
    String::from_utf8_lossy(octets).trim_end().escape_debug().to_string()
}
