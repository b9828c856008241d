//! Putting a changed TCAP message back into SCCP (formats 3, 4.4, 4.5).

use sealgate_wire::sccp::{self, Kind, Unitdata};
use sealgate_wire::{Reason, Refusal};

/// Octets of a signalling information field left for SCCP on a narrowband link: 272 less the label (Q.704).
const NARROWBAND: usize = 268;
/// The most data octets that a one-octet length can say.
const SHORT: usize = 255;

/// Which message type may carry the result.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    /// Restore a UDT.
    pub udt: bool,
    /// The message came in segments.
    pub segmented: bool,
    /// LUDT may be used for what is too long otherwise.
    pub ludt: bool,
}

/// Appends the SCCP message that carries `data` in place of what `original` carried.
///
/// # Errors
/// [`Reason::ResSignFailed`] if no allowed message type can carry it.
pub(super) fn rebuild(original: &Unitdata<'_>, data: &[u8], shape: Shape, out: &mut Vec<u8>) -> Result<(), Refusal> {
    let mut kind = if shape.udt { Kind::Udt } else { original.kind };
    if data.len() > SHORT && matches!(kind, Kind::Udt | Kind::Xudt) {
        if !shape.ludt {
            return Err(Reason::ResSignFailed.at(0));
        }
        kind = Kind::Ludt;
    }
    let class = match (kind, original.segmentation) {
        // A UDT made of something longer keeps the return option only; its class was 0 before it grew.
        (Kind::Udt, _) if original.kind != Kind::Udt => original.class & 0xf0,
        // Segments travel in class 1; bit C says what the message had (Q.713 §3.17).
        (_, Some(segmentation)) if shape.segmented => original.class & 0xf0 | u8::from(segmentation.in_sequence),
        _ => original.class,
    };
    let hop = original.hop;
    sccp::emit(kind, class, hop, original.called, original.calling, data, None, original.importance, out)
        .map_err(|_| Reason::ResSignFailed.at(0))
}

/// Whether a signed TCAP message of `len` octets fits the message type of `kind` (formats 4.4, step 5).
pub(super) fn fits(kind: Kind, called: usize, calling: usize, len: usize, m3ua_only: bool) -> bool {
    let fixed = match kind {
        Kind::Udt | Kind::Udts => 5,
        Kind::Xudt | Kind::Xudts => 7,
        Kind::Ludt | Kind::Ludts => return len <= 0xffff,
    };
    let room = NARROWBAND.saturating_sub(fixed + 1 + called + 1 + calling + 1);
    len <= if m3ua_only { SHORT } else { room.min(SHORT) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_narrowband_limit_counts_addresses() {
        // 268 - 5 - 12 - 12 - 1 = 238 for two addresses of 11 octets.
        assert!(fits(Kind::Udt, 11, 11, 238, false));
        assert!(!fits(Kind::Udt, 11, 11, 239, false));
        assert!(fits(Kind::Udt, 11, 11, 255, true));
        assert!(!fits(Kind::Udt, 11, 11, 256, true));
        assert!(fits(Kind::Xudt, 11, 11, 236, false));
        assert!(!fits(Kind::Xudt, 11, 11, 237, false));
        assert!(fits(Kind::Ludt, 11, 11, 3952, false));
    }
}
