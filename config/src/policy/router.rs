//! The section `home.sms_router`: who answers where our subscribers are to get a short message.

use sealgate_wire::addr::Plan;
use sealgate_wire::diameter::is_within;

use crate::model::*;
use crate::units;
use crate::walk::{Item, Section};

/// A router for remedies.
const ROUTER: &str = "gt: [\"99901000077\"]";

/// What the section says; `home` has the titles and realms that are ours.
pub(super) fn read(item: &Item<'_>, home: &Home) -> SmsRouter {
    let mut section = Section::open(item);
    let (gt, hosts) = (section.get("gt"), section.get("hosts"));
    section.close();
    if gt.is_none() && hosts.is_none() {
        item.fault("it names no router", format!("give {ROUTER}, or hosts, or both"));
    }
    let gt = gt.map(|item| item.set("\"99901000077\"", |item| title(item, home))).unwrap_or_default();
    let hosts = hosts.map(|item| item.set("smsr.epc.mnc001.mcc001.3gppnetwork.org", |item| host(item, home)));
    SmsRouter { gt, hosts: hosts.unwrap_or_default() }
}

fn title(item: &Item<'_>, home: &Home) -> Option<RouterTitle> {
    let text = item.quoted("a Global Title of 1 to 15 digits")?;
    let (digits, prefix) = text.strip_suffix('*').map_or((text, false), |digits| (digits, true));
    let Some(digits) = units::read_digits(digits, 1..=15) else {
        let remedy = "give 1 to 15 digits in quotes, and * behind them for all that begin so";
        item.fault(format!("{text:?} is not a Global Title"), remedy);
        return None;
    };
    let ours = |one: &GtPrefix| one.plan == Plan::E164 && digits.starts_with(&one.digits);
    if !home.gt_prefixes.iter().any(ours) {
        item.fault(
            format!("{text} does not lie in home.gt_prefixes of e164"),
            "give a title of yours, or add its prefix",
        );
    }
    Some(RouterTitle { digits, prefix })
}

fn host(item: &Item<'_>, home: &Home) -> Option<String> {
    let host = units::realm(item)?;
    if !home.realms.iter().any(|realm| is_within(host.as_bytes(), realm.as_bytes())) {
        item.fault(format!("{host} does not lie under home.realms"), "give a host of yours, or add its realm");
    }
    Some(host)
}
