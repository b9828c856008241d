//! What is right in each place and wrong together.

use std::collections::HashMap;
use std::net::IpAddr;

use sealgate_wire::addr::Digits;

use super::HomePlaces;
use super::parties::{LinkPlaces, PeerPlaces};
use crate::model::*;
use crate::names;
use crate::walk::{Item, twice};

/// No two links have an address pair in common: a packet belongs to one link.
pub(super) fn addresses(links: &[(Link, LinkPlaces<'_>)]) {
    let mut pairs: HashMap<(IpAddr, IpAddr), &str> = HashMap::new();
    for (link, places) in links {
        let mut reported = false;
        for (remote, item) in &places.remote {
            for local in &link.local {
                match pairs.get(&(*remote, *local)) {
                    Some(other) if *other != link.name && !reported => {
                        let message = format!("{remote} to {local} is in link {other} too");
                        item.fault(message, "an association belongs to one link: keep the pair in one");
                        reported = true;
                    }
                    Some(_) => {}
                    None => {
                        pairs.insert((*remote, *local), &link.name);
                    }
                }
            }
        }
        let shared: Vec<String> =
            link.opcs.iter().filter(|code| link.dpcs.contains(code)).map(u32::to_string).collect();
        if !shared.is_empty() {
            let message = format!("point code {} is in opcs and in dpcs", shared.join(", "));
            places.link.fault(message, "opcs are the neighbour's side, dpcs are ours");
        }
    }
}

/// A Global Title belongs to one peer, and none of ours to any.
pub(super) fn prefixes(home: &HomePlaces<'_>, peers: &[(Peer, PeerPlaces<'_>)]) {
    let mut owners: HashMap<Digits, (&str, usize)> = HashMap::new();
    for (peer, places) in peers {
        for (digits, item) in &places.gt {
            match owners.get(digits) {
                Some((owner, line)) if *owner != peer.name => {
                    let message = format!("the prefix {digits} is peer {owner}'s too (line {line})");
                    item.fault(message, "keep it with one of them, or make one of the two longer");
                }
                Some(_) => {}
                None => {
                    owners.insert(*digits, (&peer.name, item.line()));
                }
            }
            if let Some((ours, _)) = home.gt.iter().find(|(ours, _)| digits.starts_with(&ours.digits)) {
                let message = format!("{digits} lies in our own prefix {}", ours.digits);
                item.fault(message, "nobody else may claim our titles: take it out, or make home.gt_prefixes longer");
            } else if let Some((ours, at)) = home.gt.iter().find(|(ours, _)| ours.digits.starts_with(digits)) {
                let message = format!("{digits} has our own prefix {} in it (line {})", ours.digits, at.line());
                item.fault(message, "make it longer, so that it has nothing of ours");
            }
        }
        for (plmn, item) in places.plmns.iter().filter(|(plmn, _)| home.plmns.contains(plmn)) {
            item.fault(format!("{plmn} is in home.plmns too"), "a network is ours or the peer's: keep it in one place");
        }
    }
}

/// A realm belongs to one peer, and none of ours to any.
pub(super) fn realms(home: &[String], peers: &[(Peer, PeerPlaces<'_>)]) {
    let under = |name: &str, realm: &str| sealgate_wire::diameter::is_within(name.as_bytes(), realm.as_bytes());
    let mut owners: HashMap<&str, (&str, usize)> = HashMap::new();
    for (peer, places) in peers {
        for (realm, item) in &places.realms {
            match owners.get(realm.as_str()) {
                Some((owner, line)) if *owner != peer.name => {
                    let message = format!("the realm {realm} is peer {owner}'s too (line {line})");
                    item.fault(message, "keep it with one of them");
                }
                Some(_) => {}
                None => {
                    owners.insert(realm, (&peer.name, item.line()));
                }
            }
            if let Some(ours) = home.iter().find(|ours| under(realm, ours) || under(ours, realm)) {
                let message = format!("{realm} and our own realm {ours} lie one in the other");
                item.fault(message, "nobody else may claim our realms: take it out, or name realms apart from ours");
            }
        }
    }
}

/// Each DESS key is of a peer that may use it, and the only one of its realm and identity.
pub(super) fn dess_keys(keys: &[(DessKey, Item<'_>)], peers: &[(Peer, PeerPlaces<'_>)]) {
    let under = |name: &str, realm: &str| sealgate_wire::diameter::is_within(name.as_bytes(), realm.as_bytes());
    let mut first: HashMap<(&str, &str), usize> = HashMap::new();
    for (key, item) in keys {
        if let Some(line) = first.get(&(key.realm.as_str(), key.identity.as_str())) {
            let message = format!("realm {} has a key of {} already", key.realm, key.identity);
            item.fault(message, twice(line));
            continue;
        }
        first.insert((&key.realm, &key.identity), item.line());
        // No profiles: they are at fault, and that is reported where they stand.
        let may = |peer: &Peer| peer.profiles.is_empty() || peer.profiles.contains(&Profile::SgDia0);
        if !peers.iter().any(|(peer, _)| may(peer) && peer.realms.iter().any(|realm| under(&key.realm, realm))) {
            let message = format!("no peer with realm {} may use SG-DIA-0", key.realm);
            item.fault(message, "add SG-DIA-0 to the peer's profiles, or take the key out");
        }
    }
}

/// What to say where signing is asked for without a key.
const NO_KEY: (&str, &str) = ("nothing to sign with", "give home.signing: {cert: NAME, node_base: 1}");

/// Names refer to what there is.
pub(super) fn references(
    links: &[(Link, LinkPlaces<'_>)],
    peers: &[(Peer, PeerPlaces<'_>)],
    can_sign: bool,
    home: &Home,
) {
    for (_, places) in links {
        let Some(item) = &places.isup_sign else { continue };
        if !can_sign {
            item.fault(NO_KEY.0, NO_KEY.1);
        } else if home.tn_prefixes.is_empty() {
            item.fault("no number is ours to sign for", "give home.tn_prefixes, as [\"99901\"]");
        }
    }
    for (peer, places) in peers {
        for (_, item) in &places.links {
            link(Some(item), links);
        }
        if let Some(item) = places.sign.as_ref().filter(|_| peer.sign && !can_sign) {
            item.fault(NO_KEY.0, NO_KEY.1);
        }
        let nameless = peer.sign && !peer.realms.is_empty() && home.realms.is_empty();
        if let Some(item) = places.sign.as_ref().filter(|_| nameless) {
            item.fault("no realm to sign Diameter as", "give home.realms, as [epc.mnc001.mcc001.3gppnetwork.org]");
        }
    }
}

/// The link of an example is there, and carries what examples are.
pub(super) fn example_link(item: Option<&Item<'_>>, links: &[(Link, LinkPlaces<'_>)]) {
    link(item, links);
    let name = item.and_then(|item| Some((item, item.written("the name of a link")?)));
    let Some((item, name)) = name else { return };
    if links.iter().any(|(link, _)| link.name == name && link.kind != LinkKind::M3ua) {
        item.fault(format!("link {name:?} does not carry M3UA"), "examples are MAP messages: name a link of type m3ua");
    }
}

/// A link of this name is there.
fn link(item: Option<&Item<'_>>, links: &[(Link, LinkPlaces<'_>)]) {
    let Some(item) = item else { return };
    let Some(name) = item.written("the name of a link") else { return };
    if !links.iter().any(|(link, _)| link.name == name) {
        let known: Vec<&str> = links.iter().map(|(link, _)| link.name.as_str()).collect();
        let hint = names::hint(name, known.iter().copied());
        item.fault(format!("there is no link {name:?}{hint}"), format!("known: {}", known.join(", ")));
    }
}

/// Each SigFW key has its own prefix and a peer that may use it.
pub(super) fn keys(keys: &[(SigfwKey, Item<'_>)], peers: &[(Peer, PeerPlaces<'_>)]) {
    let mut first: HashMap<Digits, usize> = HashMap::new();
    for (key, item) in keys {
        if let Some(line) = first.get(&key.prefix) {
            item.fault(format!("the prefix {} has a key already", key.prefix), twice(line));
            continue;
        }
        first.insert(key.prefix, item.line());
        let touches = |gt: &Digits| gt.starts_with(&key.prefix) || key.prefix.starts_with(gt);
        // No profiles: they are at fault, and that is reported where they stand.
        let may = |peer: &Peer| peer.profiles.is_empty() || peer.profiles.contains(&Profile::SgTcap0);
        let used = |peer: &Peer| may(peer) && peer.gt.iter().any(touches);
        if !peers.iter().any(|(peer, _)| used(peer)) {
            let message = format!("no peer with a prefix at {} may use SG-TCAP-0", key.prefix);
            item.fault(message, "add SG-TCAP-0 to the peer's profiles, or take the key out");
        }
    }
}
