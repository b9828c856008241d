//! Who sends without a signature that holds, though it passes: these would be refused if the peer's mode were require. Found in
//! samples of what passes; the most frequent of each peer are kept.

use serde_json::{Value, json};
use std::collections::HashMap;

/// Titles of one peer that are kept.
const MAX_TITLES: usize = 32;
/// Peers that have any.
const MAX_PEERS: usize = 1024;
/// Seconds after which a title that was not seen again is forgotten.
const KEEP_S: i64 = 7 * 24 * 3600;

#[derive(Clone, Debug)]
struct Source {
    title: String,
    samples: u64,
    seen: i64,
}

/// Titles by peer.
#[derive(Debug, Default)]
pub struct Sources(HashMap<String, Vec<Source>>);

impl Sources {
    /// One sample: this title of this peer sent such a message at `now`, seconds since 1970.
    pub fn put(&mut self, peer: &str, title: &str, now: i64) {
        if !self.0.contains_key(peer) && self.0.len() >= MAX_PEERS {
            return;
        }
        let sources = self.0.entry(peer.to_owned()).or_default();
        if let Some(source) = sources.iter_mut().find(|source| source.title == title) {
            (source.samples, source.seen) = (source.samples + 1, now);
            return;
        }
        sources.retain(|source| now - source.seen < KEEP_S);
        let mut samples = 1;
        if sources.len() >= MAX_TITLES {
            // The rarest makes room and leaves its count, so that whoever is frequent stays (Metwally's space saving).
            let rarest = sources.iter().enumerate().min_by_key(|(_, source)| source.samples);
            if let Some((place, gone)) = rarest.map(|(place, source)| (place, source.samples)) {
                sources.swap_remove(place);
                samples += gone;
            }
        }
        sources.push(Source { title: title.to_owned(), samples, seen: now });
    }

    /// Those of one peer, the most frequent first.
    pub fn document(&self, peer: &str, now: i64) -> Value {
        let mut sources: Vec<_> =
            self.0.get(peer).into_iter().flatten().filter(|source| now - source.seen < KEEP_S).collect();
        sources.sort_by(|a, b| b.samples.cmp(&a.samples).then(a.title.cmp(&b.title)));
        sources
            .into_iter()
            .map(|source| json!({ "title": source.title, "samples": source.samples, "seen": source.seen }))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_frequent_stay_and_nothing_grows_without_end() {
        let mut sources = Sources::default();
        for i in 0..10_000 {
            sources.put("a", &format!("1{i}"), i);
            sources.put("a", "99901", i);
            sources.put(&format!("peer {i}"), "1", i);
        }
        let list = sources.document("a", 10_000);
        assert_eq!((list.as_array().map(Vec::len), &list[0]["title"]), (Some(MAX_TITLES), &json!("99901")));
        assert!(sources.0.len() <= MAX_PEERS);
        assert_eq!(sources.document("a", 10_000 + KEEP_S), json!([]));
        assert_eq!(sources.document("nobody", 0), json!([]));
    }
}
