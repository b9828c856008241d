//! The sections `links` and `peers`: who speaks, and over what.

use std::net::IpAddr;

use sealgate_wire::addr::Digits;

use super::defaults::peer_window;
use crate::model::*;
use crate::units;
use crate::walk::{Item, Section, once};
use crate::words::*;

/// Where a link says what other links are compared with.
pub(super) struct LinkPlaces<'a> {
    pub(super) link: Item<'a>,
    pub(super) remote: Vec<(IpAddr, Item<'a>)>,
}

pub(super) fn link<'a>(name: String, item: &Item<'a>) -> (Link, LinkPlaces<'a>) {
    let mut section = Section::open(item);
    let kind = section.need("type", "m3ua").and_then(|item| item.word("a type of link", LINK_KIND));
    let remote = section.need("remote", "[192.0.2.10]").map(|item| addresses(&item)).unwrap_or_default();
    let local = section.need("local", "[198.51.100.10]").map(|item| addresses(&item)).unwrap_or_default();
    let ports = section.get("ports").and_then(|item| ports(&item));
    let vtag_in = section.get("vtag_in").and_then(|item| units::number(&item, 1..=u32::MAX, ""));
    let mut point_codes = |key| {
        let codes = section.need(key, "[4128]")?.set("4128", |item| units::number(item, 0..=16_383, "(14 bits)"));
        Some(codes)
    };
    let (opcs, dpcs) = (point_codes("opcs"), point_codes("dpcs"));
    let ni = section.get("ni").map(|item| item.set("international", |item| item.word("a network indicator", NI)));
    let routing_contexts =
        section.get("routing_contexts").map(|item| item.set("1", |item| units::number(item, 0..=u32::MAX, "")));
    let si = section.get("si").map(|item| item.set("sccp", |item| item.word("a service indicator", SI)));
    let mtu = section.get("mtu").and_then(|item| units::mtu(&item));
    section.close();

    for (address, item) in &local {
        if remote.iter().any(|(other, _)| other == address) {
            item.fault(format!("{address} is at both ends"), "give the neighbour's in remote, our host's in local");
        } else if !remote.is_empty() && !remote.iter().any(|(other, _)| other.is_ipv4() == address.is_ipv4()) {
            item.fault(format!("no remote address is of the family of {address}"), "give addresses of one family");
        }
    }
    let link = Link {
        name,
        kind: kind.unwrap_or_default(),
        remote: once(remote.clone()),
        local: once(local),
        ports,
        vtag_in,
        opcs: opcs.unwrap_or_default(),
        dpcs: dpcs.unwrap_or_default(),
        ni: ni.unwrap_or_else(|| vec![0]),
        routing_contexts: routing_contexts.unwrap_or_default(),
        si: si.unwrap_or_else(|| vec![3]),
        mtu,
    };
    (link, LinkPlaces { link: item.clone(), remote })
}

fn addresses<'a>(item: &Item<'a>) -> Vec<(IpAddr, Item<'a>)> {
    item.list("192.0.2.10").into_iter().filter_map(|item| Some((units::address(&item)?, item))).collect()
}

fn ports(item: &Item<'_>) -> Option<LinkPorts> {
    let mut section = Section::open(item);
    let mut port = |key| {
        let number = section.need(key, "2905")?.number(1..=65_535, "")?;
        u16::try_from(number).ok()
    };
    let (remote, local) = (port("remote"), port("local"));
    section.close();
    Some(LinkPorts { remote: remote?, local: local? })
}

/// Where a peer says what is compared with others.
pub(super) struct PeerPlaces<'a> {
    pub(super) gt: Vec<(Digits, Item<'a>)>,
    pub(super) plmns: Vec<(Digits, Item<'a>)>,
    pub(super) links: Vec<(String, Item<'a>)>,
    pub(super) sign: Option<Item<'a>>,
}

pub(super) fn peer<'a>(name: String, item: &Item<'a>, defaults: &Defaults) -> (Peer, PeerPlaces<'a>) {
    let mut section = Section::open(item);
    let gt = section.need("gt", "[\"99902\"]").map(|item| item.list("\"99902\"")).unwrap_or_default();
    let gt: Vec<_> = gt.into_iter().filter_map(|item| Some((units::prefix(&item)?, item))).collect();
    let plmns = section.get("plmns").map(|item| item.list("\"00102\"")).unwrap_or_default();
    let plmns: Vec<_> = plmns.into_iter().filter_map(|item| Some((units::plmn(&item)?, item))).collect();
    let mode = section.get("mode").and_then(|item| item.word("a mode", MODE));
    let profiles = section.get("profiles").map(|item| item.set("SG-TCAP-1", |item| item.word("a profile", PROFILE)));
    let algs = section.get("algs").map(|item| item.set("p256", |item| item.word("an algorithm", ALG)));
    let roles = section.get("signer_roles").map(|item| item.set("csp", |item| item.word("a role", ROLE)));
    let sign_item = section.get("sign");
    let sign = sign_item.as_ref().and_then(|item| item.flag()).unwrap_or(false);
    let sign_profile = section.get("sign_profile").and_then(|item| item.word("a profile", PROFILE));
    let links = section.get("links").map(|item| item.list("ss7-1")).unwrap_or_default();
    let links: Vec<_> =
        links.into_iter().filter_map(|item| Some((item.text("the name of a link")?.to_owned(), item))).collect();
    let window = section.get("window").map(|item| peer_window(&item, defaults.window));
    let oversize = section.get("oversize").and_then(|item| item.word("a rule for oversize", OVERSIZE));
    let copy_called = section.get("copy_called").and_then(|item| item.word("a rule for copies", COPY_CALLED));
    let cdpa_rewrite = section.get("cdpa_rewrite").and_then(|item| item.word("a rule for copies", CDPA_REWRITE));
    let mut opcode = |key, other| section.get(key).and_then(|item| opcode(&item)).unwrap_or(other);
    let (sec_opcode_map, sec_opcode_other) = (opcode("sec_opcode_map", 81), opcode("sec_opcode_other", 106));
    let mut flag = |key, other| section.get(key).and_then(|item| item.flag()).unwrap_or(other);
    let (ludt, m3ua_only) = (flag("ludt", defaults.ludt), flag("m3ua_only", defaults.m3ua_only));
    let (allow_no_ac, allow_legacy_rsa) = (flag("allow_no_ac", false), flag("allow_legacy_rsa", false));
    section.close();

    let profiles = profiles.unwrap_or_else(|| vec![Profile::SgTcap1]);
    let only_compatible = profiles.contains(&Profile::SgTcap0) && !profiles.contains(&Profile::SgTcap1);
    let peer = Peer {
        name,
        gt: once(gt.clone()),
        plmns: once(plmns.clone()),
        mode: mode.unwrap_or(defaults.mode),
        sign_profile: sign_profile.unwrap_or(if only_compatible { Profile::SgTcap0 } else { Profile::SgTcap1 }),
        profiles,
        algs: algs.unwrap_or_else(|| vec![AlgName::P256, AlgName::Ed25519, AlgName::P384]),
        signer_roles: roles.unwrap_or_else(|| vec![RoleName::Csp]),
        sign,
        links: once(links.clone()),
        window,
        oversize: oversize.unwrap_or_default(),
        ludt,
        m3ua_only,
        copy_called: copy_called.unwrap_or_default(),
        cdpa_rewrite: cdpa_rewrite.unwrap_or_default(),
        sec_opcode_map,
        sec_opcode_other,
        allow_no_ac,
        allow_legacy_rsa,
    };
    (peer, PeerPlaces { gt, plmns, links, sign: sign_item })
}

/// The operation code of a security component: one octet, and not that of SigFW, which has another shape.
fn opcode(item: &Item<'_>) -> Option<i32> {
    let code = units::octet(item, 0..=127, "(an operation code)")?;
    if code == 100 {
        item.fault("100 is SigFW's own operation code", "use another; 81 and 106 are the usual ones");
    }
    Some(i32::from(code))
}
