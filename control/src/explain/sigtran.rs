//! Reading what a link carries for display, down to what [`super::walk`] goes on with: M3UA, M2PA and SUA.

use sealgate_config::model::LinkKind;
use sealgate_dataplane::state::Direction;
use sealgate_wire::addr::{GlobalTitle, Ssn};
use sealgate_wire::sccp::{self, Segmentation, Unitdata};
use sealgate_wire::{Refusal, m2pa, m3ua, sua};

use super::walk::{Scene, Walk, place, ssn_name};

/// What is behind the layer of the link.
#[expect(clippy::large_enum_variant, reason = "one message at a time, for people")]
pub(super) enum Behind<'f> {
    /// Nothing that can be read.
    Nothing,
    /// A user part of MTP level 3.
    Mtp3 {
        /// Service indicator.
        si: u8,
        /// The user part.
        user: &'f [u8],
    },
    /// What SCCP would say.
    Users {
        /// In its words.
        unitdata: Unitdata<'f>,
        /// What it is called.
        name: &'static str,
        /// Who shall get it, and as it is shown.
        called: (Option<(GlobalTitle, Ssn)>, String),
        /// Who sends it.
        calling: (Option<(GlobalTitle, Ssn)>, String),
    },
}

/// Reads the message of a link.
pub(super) fn message<'f>(scene: &Scene<'_>, walk: &mut Walk, frame: &[u8], user: &'f [u8]) -> Behind<'f> {
    match walk.kind {
        LinkKind::M2pa => in_m2pa(scene, walk, frame, user),
        LinkKind::Sua => in_sua(scene, walk, user),
        _ => in_m3ua(scene, walk, frame, user),
    }
}

fn unread<'f>(walk: &mut Walk, layer: &'static str, refusal: Refusal) -> Behind<'f> {
    walk.line(layer, format!("cannot be read: {}", refusal.reason.text()));
    walk.look(layer, "version and length");
    Behind::Nothing
}

/// What the label of a message is compared with.
fn screened(scene: &Scene<'_>, walk: &mut Walk, what: &str) {
    if scene.way == Direction::In {
        let link = scene.snapshot.links.get(usize::from(scene.link)).map_or("", |link| link.name.as_str());
        walk.look("MTP3", format!("{what} against links.{link}"));
    }
}

fn in_m3ua<'f>(scene: &Scene<'_>, walk: &mut Walk, frame: &[u8], user: &'f [u8]) -> Behind<'f> {
    let view = match m3ua::View::new(user) {
        Ok(view) => view,
        Err(refusal) => return unread(walk, "M3UA", refusal),
    };
    if !view.is_data() {
        let (class, kind) = view.kind();
        walk.line("M3UA", format!("class {class}, type {kind}: management, not a message of a user"));
        walk.look("M3UA", format!("class {class} is control, which always passes; no MTP3, SCCP or TCAP in it"));
        return Behind::Nothing;
    }
    let Ok(data) = m3ua::Data::parse(view) else {
        walk.line("M3UA", "DATA whose parameters cannot be read".into());
        walk.look("M3UA", "parameters");
        return Behind::Nothing;
    };
    walk.places.sccp = place(frame, data.user);
    walk.places.label = walk.places.sccp.clone().map(|sccp| sccp.start.saturating_sub(12)..sccp.start);
    let rc = data.routing_context.map(|rc| format!(", routing context {rc}")).unwrap_or_default();
    walk.line(
        "M3UA",
        format!(
            "DATA, point code {} to {}, SI {}, NI {}, SLS {}{rc}",
            data.opc.0, data.dpc.0, data.si, data.ni, data.sls
        ),
    );
    walk.look("M3UA", "version, length and parameters");
    screened(scene, walk, &format!("routing context, SI, OPC {}, DPC {}, NI", data.opc.0, data.dpc.0));
    Behind::Mtp3 { si: data.si, user: data.user }
}

fn in_m2pa<'f>(scene: &Scene<'_>, walk: &mut Walk, frame: &[u8], user: &'f [u8]) -> Behind<'f> {
    let message = match m2pa::Message::parse(user) {
        Ok(message) => message,
        Err(refusal) => return unread(walk, "M2PA", refusal),
    };
    let numbers = format!("number {}, has {} of the other end", message.fsn, message.bsn);
    let always = "between the two ends of the link, which always passes; no SCCP or TCAP in it";
    let msu = match message.body {
        m2pa::Body::Data { msu, .. } => msu,
        m2pa::Body::Empty => {
            walk.line("M2PA", format!("acknowledgement, {numbers}"));
            walk.look("M2PA", always);
            return Behind::Nothing;
        }
        m2pa::Body::Status(status) => {
            walk.line("M2PA", format!("link status {status:?}, {numbers}"));
            walk.look("M2PA", always);
            return Behind::Nothing;
        }
    };
    let Ok(label) = m2pa::Msu::parse(msu) else {
        walk.line("M2PA", format!("user data of {} octets, too short for a label, {numbers}", msu.len()));
        walk.look("M2PA", "label");
        return Behind::Nothing;
    };
    walk.line(
        "M2PA",
        format!(
            "user data, {numbers}; point code {} to {}, SI {}, NI {}, SLS {}",
            label.opc.0, label.dpc.0, label.si, label.ni, label.sls
        ),
    );
    walk.places.sccp = place(frame, label.user);
    walk.places.label = place(frame, msu);
    if label.si <= 2 {
        walk.line("user", format!("service indicator {} is management of the signalling network", label.si));
        walk.look("M2PA", format!("service indicator {}: {always}", label.si));
        return Behind::Nothing;
    }
    walk.look("M2PA", "version, class, length, numbers and label");
    screened(scene, walk, &format!("SI, OPC {}, DPC {}, NI", label.opc.0, label.dpc.0));
    Behind::Mtp3 { si: label.si, user: label.user }
}

fn in_sua<'f>(scene: &Scene<'_>, walk: &mut Walk, user: &'f [u8]) -> Behind<'f> {
    let view = match sua::View::new(user) {
        Ok(view) => view,
        Err(refusal) => return unread(walk, "SUA", refusal),
    };
    let (class, kind) = view.kind();
    if class != sua::CONNECTIONLESS {
        walk.line("SUA", format!("class {class}, type {kind}: not a connectionless message"));
        match class {
            sua::CONNECTION => walk.look("SCCP", "no connection"),
            0 | 2 | 3 | 4 | 9 => {
                walk.look("SUA", format!("class {class} is control, which always passes; no TCAP in it"));
            }
            _ => walk.look("SUA", "class"),
        }
        return Behind::Nothing;
    }
    let said = match sua::Connectionless::parse(view) {
        Ok(said) => said,
        Err(refusal) => {
            walk.line("SUA", format!("cannot be read: {}", refusal.reason.text()));
            walk.look("SUA", "parameters");
            return Behind::Nothing;
        }
    };
    let (name, kind, class) = match said.kind {
        sua::Kind::Data { class, .. } => ("CLDT", sccp::Kind::Ludt, class),
        sua::Kind::Response { cause } => ("CLDR", sccp::Kind::Ludts, cause as u8),
    };
    walk.line("SUA", format!("{name}, routing context {}", said.routing_context));
    walk.look("SUA", "version, length, parameters and addresses");
    screened(scene, walk, "routing context and point codes");
    let segmentation = said.segment.map(|segment| {
        let [_, local_ref @ ..] = segment.reference.to_be_bytes();
        Segmentation { first: segment.first, in_sequence: class & 1 == 1, remaining: segment.remaining, local_ref }
    });
    let (calling, called) = sua::addresses(view);
    let party = |address: &sua::Address| {
        let party = address.party().ok().and_then(|(title, ssn)| Some((title?, ssn.unwrap_or(Ssn(0)))));
        (party, shown(address))
    };
    Behind::Users {
        unitdata: Unitdata {
            kind,
            class,
            hop: said.hops,
            called,
            calling,
            data: said.data.unwrap_or(&[]),
            segmentation,
            importance: said.importance,
            options: &[],
        },
        name,
        called: party(&said.destination),
        calling: party(&said.source),
    }
}

/// An address as far as it can be read.
fn shown(address: &sua::Address) -> String {
    let title = match address.title {
        Some(title) if title.plan == 7 => format!("E.214 {}", title.digits),
        Some(title) => title.digits.to_string(),
        None => address.point_code.map_or("no title".to_owned(), |code| format!("point code {}", code.0)),
    };
    match address.ssn {
        Some(ssn) => format!("{title} ({})", ssn_name(ssn)),
        None => title,
    }
}
