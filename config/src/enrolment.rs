//! Reads `trust.enrolment` of the appliance file.

use std::path::PathBuf;

use crate::model::*;
use crate::units;
use crate::walk::{Item, Section};

const HOUR_S: u32 = 3600;

/// What the section says; wherever it says it wrongly, a fault is reported and a stand-in returned.
pub(crate) fn read(item: &Item<'_>) -> Enrolment {
    let mut section = Section::open(item);
    let url = section.need("url", "\"https://tsca.example/\"").and_then(|item| url(&item));
    let roots = section.get("roots").map(|item| item.set("tls-root.pem", units::path));
    let renew = section.get("renew_before").and_then(|item| units::duration_s(&item, HOUR_S..=30 * 24 * HOUR_S));
    section.close();
    Enrolment {
        url: url.unwrap_or_else(|| RepoUrl::Https(String::new())),
        roots: roots.unwrap_or_default(),
        renew_before_s: renew.unwrap_or(Enrolment::RENEW_BEFORE_S),
    }
}

/// The paths in it.
pub(crate) fn paths(enrolment: &mut Enrolment) -> impl Iterator<Item = &mut PathBuf> {
    enrolment.roots.iter_mut()
}

fn url(item: &Item<'_>) -> Option<RepoUrl> {
    let text = item.text("the address of an authority")?;
    match text.parse() {
        Ok(url @ RepoUrl::Https(_)) => Some(url),
        _ => {
            item.fault(format!("{text:?} is not https://host/path/"), "give https://host/path/, without user or query");
            None
        }
    }
}
