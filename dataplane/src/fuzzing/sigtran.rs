//! What M3UA, M2PA and SUA carry, found out without the pipeline, and what must hold of the numbers of M2PA.

use sealgate_wire::addr::{GlobalTitle, Ssn};
use sealgate_wire::m2pa::{self, Body};
use sealgate_wire::sccp::{Address, Unitdata};
use sealgate_wire::{m3ua, sua};

/// Who is one end of a message.
pub(super) type Party = (Option<GlobalTitle>, Option<Ssn>);

/// What a user of SCCP gets.
pub(super) struct Carried<'a> {
    pub called: Party,
    pub calling: Party,
    /// It brings back one that was not delivered.
    pub service: bool,
    pub segment: bool,
    pub data: &'a [u8],
}

/// Service indicator and user part of a message of MTP level 3.
pub(super) fn part(ppid: u32, user: &[u8]) -> Option<(u8, &[u8])> {
    if ppid == m2pa::PPID {
        let Body::Data { msu, .. } = m2pa::Message::parse(user).ok()?.body else { return None };
        return m2pa::Msu::parse(msu).ok().map(|msu| (msu.si, msu.user));
    }
    let data = m3ua::Data::parse(m3ua::View::new(user).ok()?).ok()?;
    Some((data.si, data.user))
}

/// Whether the host would take it for a message to a user of SCCP.
pub(super) fn is_for_sccp(ppid: u32, user: &[u8]) -> bool {
    match ppid {
        sua::PPID => {
            sua::View::new(user).is_ok_and(|view| matches!(view.kind().0, sua::CONNECTIONLESS | sua::CONNECTION))
        }
        _ => part(ppid, user).is_some_and(|(si, _)| si == 3),
    }
}

/// What SCCP's user gets; `None`: nothing, or nothing that can be read.
pub(super) fn carried(ppid: u32, user: &[u8]) -> Option<Carried<'_>> {
    if ppid == sua::PPID {
        let said = sua::Connectionless::parse(sua::View::new(user).ok()?).ok()?;
        return Some(Carried {
            called: said.destination.party().unwrap_or((None, said.destination.ssn)),
            calling: said.source.party().unwrap_or((None, said.source.ssn)),
            service: matches!(said.kind, sua::Kind::Response { .. }),
            segment: said.segment.is_some(),
            data: said.data.unwrap_or(&[]),
        });
    }
    let (_, part) = part(ppid, user).filter(|(si, _)| *si == 3)?;
    let unitdata = Unitdata::parse(part).ok()?;
    let party = |octets| {
        let address = Address::parse(octets).ok();
        (address.and_then(|address| address.title().ok().flatten()), address.and_then(|address| address.ssn))
    };
    Some(Carried {
        called: party(unitdata.called),
        calling: party(unitdata.calling),
        service: unitdata.kind.is_service(),
        segment: unitdata.segmentation.is_some(),
        data: unitdata.data,
    })
}

/// An MSU of network management with nothing in it, however long what it replaced was.
pub(super) fn is_filler(user: &[u8]) -> bool {
    let (Some(_), Some((head, part))) = (numbers(user), user.split_first_chunk::<22>()) else { return false };
    let len = u32::from_be_bytes([head[4], head[5], head[6], head[7]]);
    let whole = usize::try_from(len) == Ok(user.len());
    whole && head[17] & 15 == 0 && !part.is_empty() && part.iter().all(|octet| *octet == 0)
}

/// Numbers of a message that a receiver could take for one with an MSU.
fn numbers(user: &[u8]) -> Option<[u8; 8]> {
    let (&[1, _, 11, 1, _, _, _, _, n0, n1, n2, n3, n4, n5, n6, n7], rest) = user.split_first_chunk()? else {
        return None;
    };
    (!rest.is_empty() && n0 == 0 && n4 == 0).then_some([n0, n1, n2, n3, n4, n5, n6, n7])
}

/// What leaves has the numbers of one that came, and is an MSU where that was one.
pub(super) fn numbered(came: &[Vec<u8>], user: &[u8]) {
    let kept = came.iter().any(|came| numbers(came) == numbers(user));
    assert!(kept, "numbers of M2PA changed: {user:02x?}");
}
