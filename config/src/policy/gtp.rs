//! GTP: what links and peers say of it.

use std::collections::HashMap;

use sealgate_wire::gtp::{Kind, Version, message_name};

use super::parties::{LinkPlaces, PeerPlaces};
use crate::model::*;
use crate::units;
use crate::walk::{Item, Section, once};
use crate::words::TUNNEL_CHECK;

/// The longest times of tunnels, seconds: 40 days.
const LONGEST_S: u32 = 3_456_000;

/// Networks with the places where they stand.
pub(super) type Places<'a> = Vec<(Network, Item<'a>)>;

pub(super) fn networks<'a>(item: &Item<'a>) -> Places<'a> {
    item.list("192.0.2.0/28").into_iter().filter_map(|item| Some((units::network(&item)?, item))).collect()
}

/// The memory of tunnels.
pub(super) fn tunnels(item: &Item<'_>) -> Tunnels {
    let other = Tunnels::default();
    let mut section = Section::open(item);
    let check = section.get("check").and_then(|item| item.word("a rule for tunnels", TUNNEL_CHECK));
    let limit = section.get("limit").and_then(|item| item.number(1024..=16_777_216, "tunnels"));
    let idle = section.get("idle").and_then(|item| units::duration_s(&item, 60..=LONGEST_S));
    let adopt = section.get("adopt").and_then(|item| units::duration_s(&item, 0..=LONGEST_S));
    section.close();
    Tunnels {
        check: check.unwrap_or(other.check),
        limit: limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(other.limit),
        idle_s: idle.unwrap_or(other.idle_s),
        adopt_s: adopt.unwrap_or(other.adopt_s),
    }
}

/// What a link says of GTP; `remote`: its neighbours; `check`: what it does with tunnels if it says nothing of them.
pub(super) fn link(section: &mut Section<'_>, remote: &Places<'_>, check: TunnelCheck) -> Gtp {
    let usual = GtpMessages::default();
    let v1 = section.get("messages_v1").map(|item| messages(&item, Version::V1));
    let v2 = section.get("messages_v2").map(|item| messages(&item, Version::V2));
    let user_plane = section.get("user_plane").and_then(|item| item.flag());
    let tunnels = section.get("tunnels").and_then(|item| item.word("a rule for tunnels", TUNNEL_CHECK));
    Gtp {
        remote: once(remote.clone()),
        messages: GtpMessages { v1: v1.unwrap_or(usual.v1), v2: v2.unwrap_or(usual.v2) },
        user_plane: user_plane.unwrap_or(false),
        tunnels: tunnels.unwrap_or(check),
    }
}

pub(super) fn peer<'a>(item: &Item<'a>) -> (PeerGtp, Places<'a>) {
    let mut section = Section::open(item);
    let from = section.need("from", "[192.0.2.0/28]").map(|item| networks(&item)).unwrap_or_default();
    let messages_v1 = section.get("messages_v1").map(|item| messages(&item, Version::V1));
    let messages_v2 = section.get("messages_v2").map(|item| messages(&item, Version::V2));
    section.close();
    (PeerGtp { from: once(from.clone()), messages_v1, messages_v2 }, from)
}

/// Message types of one version; an empty list says that it is not spoken.
fn messages(item: &Item<'_>, version: Version) -> Vec<u8> {
    let (number, standard) = match version {
        Version::V1 => (1, "TS 29.060 table 1"),
        Version::V2 => (2, "TS 29.274 table 6.1-1"),
    };
    let read = |item: &Item<'_>| {
        let kind = units::octet(item, 1..=254, "(a message type)")?;
        if message_name(version, Kind(kind)).is_none() {
            item.fault(format!("{kind} is no control message of version {number}"), format!("see {standard}"));
            return None;
        }
        Some(kind)
    };
    once(item.list_or_none("32").into_iter().filter_map(|item| Some((read(&item)?, item))).collect())
}

/// A packet of GTP belongs to one link and a node to one peer.
pub(super) fn check(links: &[(Link, LinkPlaces<'_>)], peers: &[(Peer, PeerPlaces<'_>)]) {
    for (i, (link, places)) in links.iter().enumerate() {
        for (network, item) in &places.networks {
            let shares = |other: &Link| other.local.iter().any(|local| link.local.contains(local));
            let same = |(at, (other, _)): &(usize, &(Link, LinkPlaces<'_>))| {
                let taken = other.remote.iter().any(|address| network.contains(*address));
                shares(other) && (taken || *at < i && other.gtp.remote.iter().any(|theirs| theirs.overlaps(network)))
            };
            if let Some((_, (other, _))) = links.iter().enumerate().find(same) {
                let message =
                    format!("addresses of {network} to the same local address are in link {} too", other.name);
                item.fault(message, "a packet belongs to one link: keep the addresses in one");
            }
        }
    }
    let mut owners: HashMap<Network, (&str, usize)> = HashMap::new();
    for (peer, places) in peers {
        for (network, item) in &places.networks {
            match owners.get(network) {
                Some((owner, line)) if *owner != peer.name => {
                    let message = format!("{network} is peer {owner}'s too (line {line})");
                    item.fault(message, "keep it with one of them, or make one of the two narrower");
                }
                Some(_) => {}
                None => {
                    owners.insert(*network, (&peer.name, item.line()));
                }
            }
            // From where no link comes nothing comes.
            let reached = |(link, places): &(Link, LinkPlaces<'_>)| {
                places.unread || link.gtp.remote.iter().any(|remote| remote.overlaps(network))
            };
            if !links.iter().any(reached) {
                item.fault(
                    format!("no link of type gtp has an address of {network} in remote"),
                    "add it there, or take it out here",
                );
            }
        }
        if let Some((_, item)) = places.networks.first().filter(|_| peer.plmns.is_empty()) {
            item.fault(
                "no network of subscribers: none of its messages could pass",
                "give the peer plmns, as [\"00102\"]",
            );
        }
    }
}
