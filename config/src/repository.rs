//! Reads `trust.repository` of the appliance file.

use std::path::PathBuf;

use crate::model::*;
use crate::units;
use crate::walk::{Item, Section};
use crate::words::REPO_STALE;

const DAY_S: u32 = 24 * 3600;

/// What the section says; wherever it says it wrongly, a fault is reported and a stand-in returned.
pub(crate) fn read(item: &Item<'_>) -> Repository {
    let mut section = Section::open(item);
    let example = "\"https://tsca.example/repo/\"";
    let urls = section.need("urls", &format!("[{example}]")).map(|item| item.set(example, url));
    let store = section.need("store", "/var/lib/sealgate/trust").and_then(|item| units::path(&item));
    let roots = section.get("roots").map(|item| item.set("tls-root.pem", units::path));
    let mut duration = |key, range| section.get(key).and_then(|item| units::duration_s(&item, range));
    let poll_s = duration("poll", 1..=DAY_S);
    let shrink_hold_s = duration("shrink_hold", 0..=30 * DAY_S);
    let max_stale_s = duration("max_stale", 60..=30 * DAY_S);
    let shrink = section.get("max_shrink_percent").and_then(|item| units::octet(&item, 0..=100, "percent"));
    let repo_stale = section.get("repo_stale").and_then(|item| item.word("a rule for an old repository", REPO_STALE));
    section.close();
    Repository {
        urls: urls.unwrap_or_default(),
        store: store.unwrap_or_default(),
        roots: roots.unwrap_or_default(),
        poll_s: poll_s.unwrap_or(Repository::POLL_S),
        max_shrink_percent: shrink.unwrap_or(Repository::MAX_SHRINK_PERCENT),
        shrink_hold_s: shrink_hold_s.unwrap_or(Repository::SHRINK_HOLD_S),
        max_stale_s: max_stale_s.unwrap_or(Repository::MAX_STALE_S),
        repo_stale: repo_stale.unwrap_or_default(),
    }
}

/// The paths in it.
pub(crate) fn paths(repository: &mut Repository) -> impl Iterator<Item = &mut PathBuf> {
    repository.roots.iter_mut().chain([&mut repository.store])
}

fn url(item: &Item<'_>) -> Option<RepoUrl> {
    let text = item.text("the address of a repository")?;
    let url = text.parse();
    if let Err(fault) = &url {
        item.fault(
            format!("{text:?} is {fault}"),
            "give https://host/path/, without user or query, or file:///directory",
        );
    }
    url.ok()
}
