//! Reads the policy file out of its tree.

mod check;
mod defaults;
mod detection;
pub(crate) mod examples;
mod gtp;
mod parties;
mod router;
mod rules;
mod stir;

use std::path::Path;

use sealgate_wire::addr::Digits;

use crate::model::*;
use crate::tables;
use crate::units;
use crate::walk::{Item, Section, twice};
use crate::words::PLAN;

/// The version of the file's form.
pub(crate) const VERSION: u64 = 1;

/// What the file says; wherever it says it wrongly, a fault is reported and a stand-in returned.
///
/// * `workers`: how many workers take node numbers from `home.signing.node_base` on
/// * `base`: what relative paths are taken from
pub(crate) fn read(root: &Item<'_>, workers: usize, base: &Path) -> Policy {
    let mut top = Section::open(root);
    if let Some(item) = top.need("version", "1") {
        item.number(VERSION..=VERSION, "");
    }
    let home = top.need("home", "{gt_prefixes: [{plan: e164, digits: \"99901\"}], plmns: [\"00101\"]}");
    let (home, home_places) = home.map(|item| read_home(&item, workers)).unwrap_or_default();
    let defaults = top.get("defaults").map(|item| defaults::read(&item)).unwrap_or_default();
    let tables = tables::read(top.get("tables").as_ref(), root, base);
    let links = top.need("links", "{ss7-1: {type: m3ua, ...}}").map(|item| item.named("link")).unwrap_or_default();
    let links: Vec<_> = links.into_iter().map(|(name, item)| parties::link(name, &item, &defaults, &tables)).collect();
    let peers = top.get("peers").map(|item| item.named("peer")).unwrap_or_default();
    let peers: Vec<_> = peers.into_iter().map(|(name, item)| parties::peer(name, &item, &defaults)).collect();
    let categories = Categories::of(&tables);
    let categories = match top.get("categories") {
        Some(item) => read_categories(&item, categories),
        None => categories,
    };
    let keys = top.get("sigfw_keys").map(|item| item.list_or_none("{prefix: \"99904*\", cert: c-rsa}"));
    let keys: Vec<_> = keys.unwrap_or_default().iter().filter_map(read_key).collect();
    let dess_keys = top.get("dess_keys").map(|item| item.list_or_none(KEY)).unwrap_or_default();
    let dess_keys: Vec<_> = dess_keys.iter().filter_map(read_dess_key).collect();
    let stir = top.get("stir").map(|item| stir::read(&item)).unwrap_or_default();
    let rules = top.get("rules").map(|item| rules::read(&item)).unwrap_or_default();
    let detection = top.get("detection").map(|item| detection::read(&item)).unwrap_or_default();
    let examples = top.get("examples").map(|item| examples::read(&item)).unwrap_or_default();
    top.close();

    for (_, link) in &examples {
        check::example_link(link.as_ref(), &links);
    }
    check::addresses(&links);
    gtp::check(&links, &peers);
    rules::check(&rules, &peers);
    check::prefixes(&home_places, &peers);
    check::references(&links, &peers, home_places.signs, &home);
    check::realms(&home.realms, &peers);
    check::keys(&keys, &peers);
    check::dess_keys(&dess_keys, &peers);
    Policy {
        home,
        defaults,
        links: links.into_iter().map(|(link, _)| link).collect(),
        peers: peers.into_iter().map(|(peer, _)| peer).collect(),
        tables,
        categories,
        sigfw_keys: keys.into_iter().map(|(key, _)| key).collect(),
        dess_keys: dess_keys.into_iter().map(|(key, _)| key).collect(),
        stir,
        rules: rules.into_iter().map(|(rule, _)| rule).collect(),
        detection,
        examples: examples.into_iter().map(|(example, _)| example).collect(),
    }
}

/// The places of what is compared with the peers'.
#[derive(Default)]
pub(crate) struct HomePlaces<'a> {
    pub(crate) gt: Vec<(GtPrefix, Item<'a>)>,
    pub(crate) plmns: Vec<Digits>,
    /// Whether `signing` is there, right or wrong.
    pub(crate) signs: bool,
}

fn read_home<'a>(item: &Item<'a>, workers: usize) -> (Home, HomePlaces<'a>) {
    let mut section = Section::open(item);
    let gt = section.need("gt_prefixes", "[{plan: e164, digits: \"99901\"}]");
    let gt = gt.map(|item| item.list("{plan: e164, digits: \"99901\"}")).unwrap_or_default();
    let gt: Vec<_> = gt.into_iter().filter_map(|item| Some((gt_prefix(&item)?, item))).collect();
    let plmns = section.need("plmns", "[\"00101\"]").map(|item| item.set("\"00101\"", units::plmn));
    let realms = section.get("realms").map(|item| item.set(parties::REALM, units::realm));
    let tn_prefixes = section.get("tn_prefixes").map(|item| item.set("\"99901\"", units::prefix));
    let signing_item = section.get("signing");
    let signing = signing_item.as_ref().and_then(|item| signing(item, workers));
    let router = section.get("sms_router");
    section.close();

    let mut first: Vec<(GtPrefix, usize)> = Vec::new();
    for (prefix, item) in &gt {
        match first.iter().find(|(other, _)| other == prefix) {
            Some((_, line)) => item.fault(format!("the prefix {} stands here twice", prefix.digits), twice(line)),
            None => first.push((*prefix, item.line())),
        }
    }
    let mut home = Home {
        gt_prefixes: first.into_iter().map(|(prefix, _)| prefix).collect(),
        plmns: plmns.unwrap_or_default(),
        realms: realms.unwrap_or_default(),
        tn_prefixes: tn_prefixes.unwrap_or_default(),
        signing,
        sms_router: None,
    };
    home.sms_router = router.map(|item| router::read(&item, &home));
    let places = HomePlaces { gt, plmns: home.plmns.clone(), signs: signing_item.is_some() };
    (home, places)
}

fn gt_prefix(item: &Item<'_>) -> Option<GtPrefix> {
    let mut section = Section::open(item);
    let plan = section.need("plan", "e164").and_then(|item| item.word("a numbering plan", PLAN));
    let digits = section.need("digits", "\"99901\"").and_then(|item| units::prefix(&item));
    section.close();
    Some(GtPrefix { plan: plan?, digits: digits? })
}

fn signing(item: &Item<'_>, workers: usize) -> Option<Signing> {
    let mut section = Section::open(item);
    let cert = section.need("cert", "home-ec").and_then(|item| units::certificate_name(&item));
    let node_base = section.need("node_base", "1").and_then(|item| {
        let node_base = units::octet(&item, 0..=254, "")?;
        if usize::from(node_base) + workers > 255 {
            let message = format!("node numbers from {node_base} on do not last for {workers} workers");
            item.fault(message, format!("give at most {}", 255usize.saturating_sub(workers)));
        }
        Some(node_base)
    });
    section.close();
    Some(Signing { cert: cert?, node_base: node_base? })
}

/// * `tables`: what the tables say, which holds where the file says nothing else
fn read_categories(item: &Item<'_>, tables: Categories) -> Categories {
    let mut section = Section::open(item);
    let Categories { mut map, mut diameter } = tables;
    if let Some(item) = section.get("map") {
        let code = |item: &Item<'_>| units::octet(item, 0..=127, "(an operation code)").map(i32::from);
        let stand_ins = [map.cat1, map.cat2, map.cat3];
        let [cat1, cat2, cat3] = three_categories(&item, ("22", "operation"), stand_ins, code);
        map = MapCategories { cat1, cat2, cat3 };
    }
    if let Some(item) = section.get("diameter") {
        let code = |item: &Item<'_>| units::number(item, 1..=0xff_ffff, "(a command code)");
        let stand_ins = [diameter.cat1, diameter.cat2, diameter.cat3];
        let [cat1, cat2, cat3] = three_categories(&item, ("317", "command"), stand_ins, code);
        diameter = DiameterCategories { cat1, cat2, cat3 };
    }
    section.close();
    Categories { map, diameter }
}

/// The categories of one protocol, whose codes `read` reads; no code is in two of them.
fn three_categories<T: Copy + Eq + std::hash::Hash + std::fmt::Display>(
    item: &Item<'_>,
    (example, what): (&str, &str),
    stand_ins: [Vec<T>; 3],
    read: impl Fn(&Item<'_>) -> Option<T>,
) -> [Vec<T>; 3] {
    let mut section = Section::open(item);
    let mut seen = std::collections::HashMap::new();
    let [one, two, three] = stand_ins;
    let given = [("cat1", one), ("cat2", two), ("cat3", three)].map(|(key, stand_in)| {
        // A category that is not given keeps its codes, except those that the file puts elsewhere.
        let Some(item) = section.get(key) else { return (false, stand_in) };
        let mut codes = Vec::new();
        for item in item.list_or_none(example) {
            let Some(code) = read(&item) else { continue };
            match seen.insert(code, item.line()) {
                Some(first) => item.fault(format!("{what} {code} is in a category already"), twice(first)),
                None => codes.push(code),
            }
        }
        (true, codes)
    });
    section.close();
    given.map(|(given, mut codes)| {
        codes.retain(|code| given || !seen.contains_key(code));
        codes
    })
}

fn read_key<'a>(item: &Item<'a>) -> Option<(SigfwKey, Item<'a>)> {
    let mut section = Section::open(item);
    let prefix = section.need("prefix", "\"99904*\"").and_then(|item| {
        let text = item.quoted("a prefix of 1 to 15 digits, then *")?;
        let prefix = units::read_digits(text.strip_suffix('*').unwrap_or(text), 1..=15);
        if prefix.is_none() {
            item.fault(format!("{text:?} is not a prefix"), "give 1 to 15 digits and then *, in quotes");
        }
        prefix
    });
    let key = key_ref(item, section);
    Some((SigfwKey { prefix: prefix?, key: key? }, item.clone()))
}

/// A DESS key for remedies.
const KEY: &str = "{realm: epc.mnc004.mcc001.3gppnetwork.org, cert: c-rsa}";

fn read_dess_key<'a>(item: &Item<'a>) -> Option<(DessKey, Item<'a>)> {
    let mut section = Section::open(item);
    let realm = section.need("realm", parties::REALM).and_then(|item| units::realm(&item));
    let identity = section.get("identity").map(|item| units::realm(&item));
    let key = key_ref(item, section);
    let realm = realm?;
    // Most sign as the realm that they speak for.
    let identity = identity.unwrap_or_else(|| Some(realm.clone()))?;
    Some((DessKey { realm, identity, key: key? }, item.clone()))
}

/// The key of an entry whose other keys were asked for.
fn key_ref(item: &Item<'_>, mut section: Section<'_>) -> Option<KeyRef> {
    let (cert, spki) = (section.get("cert"), section.get("spki"));
    section.close();
    match (cert, spki) {
        (Some(cert), None) => units::certificate_name(&cert).map(KeyRef::Certificate),
        (None, Some(spki)) => units::spki(&spki).map(KeyRef::Spki),
        (Some(_), Some(spki)) => {
            spki.fault("the key is given twice", "keep cert or spki");
            None
        }
        (None, None) => {
            item.fault("no key", "give cert: NAME, or spki: BASE64");
            None
        }
    }
}
