//! What a link carries its messages in, where stages behind the claims need to know: how a message is marked in SCTP, and
//! what takes the place of a refused one.

use sealgate_config::model::LinkKind;
use sealgate_wire::{diameter, m3ua};

/// The SCTP payload protocol identifier of a link's messages. No other is let in: what runs in DTLS (Diameter's 47) nobody
/// could judge here.
pub(super) const fn ppid(kind: LinkKind) -> u32 {
    match kind {
        LinkKind::M3ua => m3ua::PPID,
        LinkKind::Diameter => diameter::PPID,
        LinkKind::Sip | LinkKind::Gtp => 0, // none of it is let in over SCTP
    }
}

/// Appends the no-op of a link's protocol (formats 3).
///
/// * `total`: octets that it shall have, at least; 0: its usual form
pub(super) fn emit_filler(kind: LinkKind, total: usize, out: &mut Vec<u8>) {
    match kind {
        LinkKind::M3ua => m3ua::emit_beat_ack(total, out),
        LinkKind::Sip | LinkKind::Gtp => {} // its datagrams go nowhere
        LinkKind::Diameter if total == 0 => out.extend_from_slice(&diameter::WATCHDOG_ANSWER),
        LinkKind::Diameter => {
            if !diameter::emit_watchdog_answer(total, out) {
                out.extend_from_slice(&diameter::WATCHDOG_ANSWER); // longer than any message: never held either
            }
        }
    }
}
