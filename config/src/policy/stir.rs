//! The section `stir`: certificates of callers in SIP, and what our own calls are signed with.

use sealgate_wire::addr::Digits;

use crate::model::*;
use crate::units;
use crate::walk::{Item, Section, twice};
use crate::words::{ATTEST, X5U_MISS};

pub(super) fn read(item: &Item<'_>) -> Stir {
    let mut section = Section::open(item);
    let hosts = section.get("hosts").map(|item| item.set("certs.example", units::realm));
    let listed = section.get("certificates").map(|item| item.list_or_none(CERTIFICATE)).unwrap_or_default();
    let window = section.get("window").and_then(|item| units::duration_s(&item, 1..=60));
    let x5u_miss =
        section.get("x5u_miss").and_then(|item| item.word("a rule for certificates not known yet", X5U_MISS));
    let hold_max = section.get("hold_max").and_then(|item| item.number(1..=4096, "calls"));
    let div = section.get("div").and_then(|item| item.flag());
    let sign = section.get("sign").and_then(|item| sign(&item));
    section.close();
    let other = Stir::default();

    let hosts = hosts.unwrap_or_default();
    let mut certificates: Vec<(StirCertificate, usize)> = Vec::new();
    for item in &listed {
        let Some(certificate) = certificate(item) else { continue };
        let host = sealgate_wire::sec::passport::x5u_host(certificate.x5u.as_bytes()).unwrap_or_default();
        if let Some((_, line)) = certificates.iter().find(|(other, _)| other.x5u == certificate.x5u) {
            item.fault("this URL stands here already", twice(line));
        } else if !hosts.iter().any(|known| known.as_bytes().eq_ignore_ascii_case(host)) {
            let host = String::from_utf8_lossy(host);
            item.fault(format!("host {host} is not in stir.hosts"), "add it there: others are refused");
        } else {
            certificates.push((certificate, item.line()));
        }
    }
    Stir {
        hosts,
        certificates: certificates.into_iter().map(|(certificate, _)| certificate).collect(),
        window_s: window.unwrap_or(other.window_s),
        x5u_miss: x5u_miss.unwrap_or(other.x5u_miss),
        hold_max: hold_max.map_or(other.hold_max, |most| most as u32),
        div: div.unwrap_or(other.div),
        sign,
    }
}

/// A certificate for remedies.
const CERTIFICATE: &str = "{x5u: \"https://certs.example/a.pem\", cert: a}";

fn certificate(item: &Item<'_>) -> Option<StirCertificate> {
    let mut section = Section::open(item);
    let x5u = section.need("x5u", "\"https://certs.example/a.pem\"").and_then(|item| units::https_url(&item));
    let cert = section.need("cert", "a").and_then(|item| units::certificate_name(&item));
    section.close();
    Some(StirCertificate { x5u: x5u?, cert: cert? })
}

fn sign(item: &Item<'_>) -> Option<StirSign> {
    let mut section = Section::open(item);
    let x5u = section.need("x5u", "\"https://certs.example/home.pem\"").and_then(|item| units::https_url(&item));
    let attest = section.need("attest", "A").and_then(|item| item.word("an attestation", ATTEST));
    let levels = section.get("levels").map(|item| item.list_or_none(LEVEL)).unwrap_or_default();
    let origid = section.need("origid", "a UUID").and_then(|item| units::uuid(&item));
    section.close();
    let mut known: Vec<((Digits, Attest), usize)> = Vec::new();
    for item in &levels {
        let Some(one) = level(item) else { continue };
        match known.iter().find(|((digits, _), _)| *digits == one.0) {
            Some((_, line)) => item.fault("these numbers stand here already", twice(line)),
            None => known.push((one, item.line())),
        }
    }
    let levels = known.into_iter().map(|(level, _)| level).collect();
    Some(StirSign { x5u: x5u?, attest: attest?, levels, origid: origid? })
}

/// A level for remedies.
const LEVEL: &str = "{numbers: \"999015\", attest: B}";

fn level(item: &Item<'_>) -> Option<(Digits, Attest)> {
    let mut section = Section::open(item);
    let numbers = section.need("numbers", "\"999015\"");
    let numbers = numbers.and_then(|item| units::digits(&item, 1..=15, "1 to 15 digits"));
    let attest = section.need("attest", "B").and_then(|item| item.word("an attestation", ATTEST));
    section.close();
    Some((numbers?, attest?))
}
