//! The sections `links` and `peers`: who speaks, and over what.

use std::net::IpAddr;

use sealgate_wire::addr::Digits;

use super::defaults::{peer_transactions, peer_window};
use super::gtp;
use crate::model::*;
use crate::units;
use crate::walk::{Item, Section, once};
use crate::words::*;

/// A realm for remedies.
pub(super) const REALM: &str = "epc.mnc002.mcc001.3gppnetwork.org";

/// Where a link says what other links are compared with.
pub(super) struct LinkPlaces<'a> {
    pub(super) link: Item<'a>,
    pub(super) remote: Vec<(IpAddr, Item<'a>)>,
    /// Neighbours over GTP.
    pub(super) networks: gtp::Places<'a>,
    /// There are more of them, which could not be read.
    pub(super) unread: bool,
    /// Where the link asks for signed calls.
    pub(super) isup_sign: Option<Item<'a>>,
}

pub(super) fn link<'a>(name: String, item: &Item<'a>, defaults: &Defaults, tables: &Tables) -> (Link, LinkPlaces<'a>) {
    let mut section = Section::open(item);
    let kind = section.need("type", "m3ua").and_then(|item| item.word("a type of link", LINK_KIND));
    let kind = kind.unwrap_or_default();
    let remote = section.need("remote", "[192.0.2.10]");
    let given = remote.as_ref().map_or(0, |item| item.len());
    let (remote, networks) = match kind {
        LinkKind::Gtp => (Vec::new(), remote.map(|item| gtp::networks(&item)).unwrap_or_default()),
        _ => (remote.map(|item| addresses(&item)).unwrap_or_default(), Vec::new()),
    };
    let unread = kind == LinkKind::Gtp && networks.len() < given.max(1);
    let local = section.need("local", "[198.51.100.10]").map(|item| addresses(&item)).unwrap_or_default();
    let ports = match kind {
        LinkKind::Gtp => None, // they are the standard's
        _ => section.get("ports").and_then(|item| ports(&item)),
    };
    let transports = match kind {
        LinkKind::M3ua | LinkKind::M2pa | LinkKind::Sua => Transports { sctp: true, ..Transports::default() },
        LinkKind::Diameter => transports(&mut section, "sctp", TRANSPORT_DIAMETER),
        LinkKind::Sip => transports(&mut section, "udp", TRANSPORT_SIP),
        LinkKind::Gtp => Transports { udp: true, ..Transports::default() },
    };
    let vtag_in = match kind {
        LinkKind::M3ua | LinkKind::M2pa | LinkKind::Sua | LinkKind::Diameter => section.get("vtag_in"),
        LinkKind::Sip | LinkKind::Gtp => None,
    };
    let vtag_in = vtag_in.and_then(|item| units::number(&item, 1..=u32::MAX, ""));
    let routing = match kind {
        LinkKind::M3ua => Routing { contexts: contexts(&mut section), ..mtp3(&mut section, defaults.mode) },
        LinkKind::M2pa => mtp3(&mut section, defaults.mode),
        LinkKind::Sua => sua(&mut section),
        LinkKind::Diameter => diameter(&mut section, tables),
        LinkKind::Sip => sip(&mut section),
        LinkKind::Gtp => {
            Routing { gtp: gtp::link(&mut section, &networks, defaults.tunnels.check), ..Routing::default() }
        }
    };
    let mtu = section.get("mtu").and_then(|item| units::mtu(&item));
    let ip_fragments = section.get("ip_fragments").and_then(|item| item.word("a rule for IP fragments", IP_FRAGMENTS));
    section.close();

    for (address, item) in &local {
        let listed = networks.iter().any(|(network, _)| network.contains(*address));
        if listed || remote.iter().any(|(other, _)| other == address) {
            item.fault(format!("{address} is at both ends"), "give the neighbour's in remote, our host's in local");
        } else if !remote.is_empty() && !remote.iter().any(|(other, _)| other.is_ipv4() == address.is_ipv4()) {
            item.fault(format!("no remote address is of the family of {address}"), "give addresses of one family");
        }
    }
    let link = Link {
        name,
        kind,
        transports,
        remote: once(remote.clone()),
        local: once(local),
        ports,
        vtag_in,
        opcs: routing.opcs,
        dpcs: routing.dpcs,
        ni: routing.ni,
        routing_contexts: routing.contexts,
        si: routing.si,
        isup: routing.isup,
        sip: routing.sip,
        gtp: routing.gtp,
        applications: routing.applications,
        mtu,
        ip_fragments: ip_fragments.unwrap_or_default(),
    };
    (link, LinkPlaces { link: item.clone(), remote, networks, unread, isup_sign: routing.isup_sign })
}

/// What a link says of its own protocol.
#[derive(Default)]
struct Routing<'a> {
    opcs: Vec<u32>,
    dpcs: Vec<u32>,
    ni: Vec<u8>,
    contexts: Vec<u32>,
    si: Vec<u8>,
    isup: Isup,
    isup_sign: Option<Item<'a>>,
    applications: Vec<u32>,
    sip: Sip,
    gtp: Gtp,
}

/// Routing contexts, which M3UA and SUA have.
fn contexts(section: &mut Section<'_>) -> Vec<u32> {
    let contexts = section.get("routing_contexts");
    contexts.map(|item| item.set("1", |item| units::number(item, 0..=u32::MAX, ""))).unwrap_or_default()
}

fn point_codes(item: &Item<'_>) -> Vec<u32> {
    item.set("4128", |item| units::number(item, 0..=16_383, "(14 bits)"))
}

/// An address of SUA may have a point code, and mostly has none: only what has one is compared.
fn sua<'a>(section: &mut Section<'a>) -> Routing<'a> {
    let contexts = contexts(section);
    let mut codes = |key| section.get(key).map(|item| point_codes(&item)).unwrap_or_default();
    Routing { contexts, opcs: codes("opcs"), dpcs: codes("dpcs"), ..Routing::default() }
}

/// Point codes, indicators and ISUP, which M3UA and M2PA have.
fn mtp3<'a>(section: &mut Section<'a>, mode: Mode) -> Routing<'a> {
    let mut point_codes = |key| Some(point_codes(&section.need(key, "[4128]")?));
    let (opcs, dpcs) = (point_codes("opcs"), point_codes("dpcs"));
    let ni = section.get("ni").map(|item| item.set("international", |item| item.word("a network indicator", NI)));
    let si = section.get("si").map(|item| item.set("sccp", |item| item.word("a service indicator", SI)));
    let isup_mode = section.get("isup_mode").and_then(|item| item.word("a mode", MODE));
    let mut flags = ["isup_sign", "isup_mark", "isup_copy_called"].map(|key| section.get(key)).into_iter();
    let mut flag = || flags.next().flatten().map(|item| (item.flag().unwrap_or(false), item));
    let (sign, mark, copy_called) = (flag(), flag(), flag());
    let isup = Isup {
        mode: isup_mode.unwrap_or(mode),
        sign: sign.as_ref().is_some_and(|(flag, _)| *flag),
        mark: mark.is_some_and(|(flag, _)| flag),
        copy_called: copy_called.is_some_and(|(flag, _)| flag),
    };
    Routing {
        opcs: opcs.unwrap_or_default(),
        dpcs: dpcs.unwrap_or_default(),
        ni: ni.unwrap_or_else(|| vec![0]),
        si: si.unwrap_or_else(|| vec![3]),
        isup,
        isup_sign: sign.filter(|(flag, _)| *flag).map(|(_, item)| item),
        ..Routing::default()
    }
}

fn sip<'a>(section: &mut Section<'a>) -> Routing<'a> {
    let other = Sip::default();
    let use_pai = section.get("use_pai").and_then(|item| item.flag());
    let cc = section.get("default_cc");
    let default_cc = cc.and_then(|item| units::digits(&item, 1..=3, "a country code of 1 to 3 digits"));
    let on_fail = section.get("on_fail").and_then(|item| item.word("a rule for refused calls", ON_FAIL));
    let sip = Sip { use_pai: use_pai.unwrap_or(other.use_pai), default_cc, on_fail: on_fail.unwrap_or(other.on_fail) };
    Routing { sip, ..Routing::default() }
}

fn diameter<'a>(section: &mut Section<'a>, tables: &Tables) -> Routing<'a> {
    let applications = section.get("applications");
    let known: Vec<_> = tables.diameter.iter().map(|known| (known.key.as_str(), known.id)).collect();
    let applications = applications.map(|item| item.set("s6a", |item| item.word("an application", &known)));
    // What roaming needs, and nothing of what only the inside of a network speaks.
    Routing { applications: applications.unwrap_or_else(|| vec![16_777_251]), ..Routing::default() }
}

/// What a link's messages come in; the first of `words` if the file says nothing.
fn transports(section: &mut Section<'_>, first: &str, words: &Words<Transport>) -> Transports {
    let item = section.get("transports");
    let named = item.map(|item| item.set(first, |item| item.word("a transport of this type", words)));
    let named = named.unwrap_or_else(|| words.iter().take(1).map(|(_, transport)| *transport).collect());
    let has = |transport| named.contains(&transport);
    Transports { sctp: has(Transport::Sctp), udp: has(Transport::Udp), tcp: has(Transport::Tcp) }
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
    pub(super) realms: Vec<(String, Item<'a>)>,
    pub(super) networks: gtp::Places<'a>,
    pub(super) plmns: Vec<(Digits, Item<'a>)>,
    pub(super) links: Vec<(String, Item<'a>)>,
    pub(super) sign: Option<Item<'a>>,
}

pub(super) fn peer<'a>(name: String, item: &Item<'a>, defaults: &Defaults) -> (Peer, PeerPlaces<'a>) {
    let mut section = Section::open(item);
    let realms = section.get("realms");
    let (gtp, networks) = section.get("gtp").map(|item| gtp::peer(&item)).unwrap_or_default();
    let gt = match realms {
        Some(_) => section.get("gt"),
        None if !networks.is_empty() => section.get("gt"),
        None => section.need("gt", "[\"99902\"], or give realms"),
    };
    let gt = gt.map(|item| item.list("\"99902\"")).unwrap_or_default();
    let realms = realms.map(|item| item.list(REALM)).unwrap_or_default();
    let realms: Vec<_> = realms.into_iter().filter_map(|item| Some((units::realm(&item)?, item))).collect();
    let gt: Vec<_> = gt.into_iter().filter_map(|item| Some((units::prefix(&item)?, item))).collect();
    let plmns = section.get("plmns").map(|item| item.list("\"00102\"")).unwrap_or_default();
    let plmns: Vec<_> = plmns.into_iter().filter_map(|item| Some((units::plmn(&item)?, item))).collect();
    let mode = section.get("mode").and_then(|item| item.word("a mode", MODE));
    let screening = section.get("screening").and_then(|item| item.word("a mode of screening", SCREENING));
    let profiles = section.get("profiles").map(|item| item.set("SG-TCAP-1", |item| item.word("a profile", PROFILE)));
    let algs = section.get("algs").map(|item| item.set("p256", |item| item.word("an algorithm", ALG)));
    let roles = section.get("signer_roles").map(|item| item.set("csp", |item| item.word("a role", ROLE)));
    let sign_item = section.get("sign");
    let sign = sign_item.as_ref().and_then(|item| item.flag()).unwrap_or(false);
    let mut own_profile = |key, words| section.get(key).and_then(|item| item.word("a profile for it", words));
    let sign_profile = own_profile("sign_profile", PROFILE_TCAP);
    let sign_profile_diameter = own_profile("sign_profile_diameter", PROFILE_DIAMETER);
    let links = section.get("links").map(|item| item.list("ss7-1")).unwrap_or_default();
    let links: Vec<_> =
        links.into_iter().filter_map(|item| Some((item.text("the name of a link")?.to_owned(), item))).collect();
    let min_attest = section.get("min_attest").and_then(|item| item.word("an attestation", ATTEST));
    let window = section.get("window").map(|item| peer_window(&item, defaults.window));
    let transactions = section.get("transactions").map(|item| peer_transactions(&item, &defaults.transactions));
    let oversize = section.get("oversize").and_then(|item| item.word("a rule for oversize", OVERSIZE));
    let copy_called = section.get("copy_called").and_then(|item| item.word("a rule for copies", COPY_CALLED));
    let cdpa_rewrite = section.get("cdpa_rewrite").and_then(|item| item.word("a rule for copies", CDPA_REWRITE));
    let mut opcode = |key, other| section.get(key).and_then(|item| opcode(&item)).unwrap_or(other);
    let (sec_opcode_map, sec_opcode_other) = (opcode("sec_opcode_map", 81), opcode("sec_opcode_other", 106));
    let mut flag = |key, other| section.get(key).and_then(|item| item.flag()).unwrap_or(other);
    let (ludt, m3ua_only) = (flag("ludt", defaults.ludt), flag("m3ua_only", defaults.m3ua_only));
    let (allow_no_ac, allow_legacy_rsa) = (flag("allow_no_ac", false), flag("allow_legacy_rsa", false));
    section.close();

    let profiles = profiles.unwrap_or_else(|| vec![Profile::SgTcap1, Profile::SgDia1]);
    // We sign as the peer does, and in the native way where it says neither.
    let ours = |compatible, native| match profiles.contains(&compatible) && !profiles.contains(&native) {
        true => compatible,
        false => native,
    };
    let peer = Peer {
        name,
        gt: once(gt.clone()),
        realms: once(realms.clone()),
        gtp,
        plmns: once(plmns.clone()),
        mode: mode.unwrap_or(defaults.mode),
        screening: screening.unwrap_or(defaults.screening),
        sign_profile: sign_profile.unwrap_or(ours(Profile::SgTcap0, Profile::SgTcap1)),
        sign_profile_diameter: sign_profile_diameter.unwrap_or(ours(Profile::SgDia0, Profile::SgDia1)),
        profiles,
        algs: algs.unwrap_or_else(|| vec![AlgName::P256, AlgName::Ed25519, AlgName::P384]),
        signer_roles: roles.unwrap_or_else(|| vec![RoleName::Csp]),
        sign,
        links: once(links.clone()),
        min_attest: min_attest.unwrap_or(Attest::C),
        window,
        transactions,
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
    (peer, PeerPlaces { gt, realms, networks, plmns, links, sign: sign_item })
}

/// The operation code of a security component: one octet, and not that of SigFW, which has another shape.
fn opcode(item: &Item<'_>) -> Option<i32> {
    let code = units::octet(item, 0..=127, "(an operation code)")?;
    if code == 100 {
        item.fault("100 is SigFW's own operation code", "use another; 81 and 106 are the usual ones");
    }
    Some(i32::from(code))
}
