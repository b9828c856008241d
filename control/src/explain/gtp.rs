//! Reading one datagram of GTP for display.

use sealgate_config::model::{LinkKind, TunnelCheck};
use sealgate_wire::gtp::{Datagram, Message, PORT_USER, Version, user_plane};

use super::walk::{Scene, Walk, place};

/// Reads a datagram as far as it can be read.
///
/// * `frame`: the frame that `user` is a piece of; `ports`: from where, to where; `peer`: whose it is
pub(super) fn message(scene: &Scene<'_>, frame: &[u8], user: &[u8], ports: (u16, u16), peer: u16) -> Walk {
    let mut walk = Walk { kind: LinkKind::Gtp, peer, ..Walk::default() };
    walk.places.user = place(frame, user);
    walk.look("PORT", format!("{} to {}", ports.0, ports.1));
    let row = scene.snapshot.peers.get(usize::from(peer)).filter(|_| peer != 0);
    if let Some(row) = row {
        walk.look("PEER", format!("peers.{}", row.name));
    }
    if ports.1 == PORT_USER {
        let text = match user_plane::judge(user) {
            Ok(()) => "user plane".to_owned(),
            Err(refusal) => format!("user plane: {}", refusal.reason.text()),
        };
        walk.line("GTP-U", text);
        walk.look("GTP", "header, and no GTP inside");
        return walk;
    }
    match Datagram::parse(user) {
        Ok(read) => {
            read.messages().for_each(|message| say(&mut walk, message));
            walk.look("GTP", "header, length, each element to its end");
            walk.look("TYPE", "link and peer may use it");
            walk.look("IMSI", "ours where a visited network speaks of it, or the peer's");
            walk.look("WHERE", "serving network and addresses are the peer's");
            let link = scene.snapshot.links.get(usize::from(scene.link));
            match link.map(|link| link.config.gtp.tunnels) {
                Some(TunnelCheck::Enforce) => walk.look("TUNNEL", "given to the peer, or asked of it"),
                Some(TunnelCheck::Learn) => walk.look("TUNNEL", "the link learns: what it would refuse is counted"),
                Some(TunnelCheck::Ignore) | None => {}
            }
        }
        Err(refusal) => {
            walk.line("GTP-C", format!("refused in decoding: {}", refusal.reason.text()));
            walk.look("GTP", "header, length, each element to its end");
        }
    }
    walk
}

fn say(walk: &mut Walk, message: &Message<'_>) {
    let view = &message.view;
    let version = if view.version == Version::V1 { 1 } else { 2 };
    let teid = view.teid.map_or(String::new(), |teid| format!(", tunnel 0x{teid:08x}"));
    let name = view.name().unwrap_or("unknown");
    walk.line("GTP-C", format!("version {version}, {name}, sequence {}{teid}", view.sequence));
    let apn = message.apn.map(|apn| {
        let mut out = Vec::new();
        apn.write(&mut out);
        String::from_utf8_lossy(&out).into_owned()
    });
    let said = [
        ("IMSI", message.imsi.map(|digits| digits.to_string())),
        ("MSISDN", message.msisdn.map(|digits| digits.to_string())),
        ("APN", apn),
        ("network", message.network().map(|digits| digits.to_string())),
        ("cause", message.cause.map(|cause| cause.to_string())),
        ("private extension", message.extension.map(|number| number.to_string())),
    ];
    let said: Vec<_> = said.into_iter().filter_map(|(what, text)| Some(format!("{what} {}", text?))).collect();
    if !said.is_empty() {
        walk.line("GTP-C", said.join(", "));
    }
}
