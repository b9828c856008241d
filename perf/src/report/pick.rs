//! What in a document answers which question of a reader. Names are those that the verbs of sgperf give.

use super::bars::Bar;
use super::text::words;
use crate::record::{Axis, Document, Figure, Latency, Point, Series};

/// Percentiles that a table shows.
pub(super) const SHARES: [f64; 6] = [50.0, 90.0, 99.0, 99.9, 99.99, 100.0];

/// Whether a curve shows rates without loss.
pub(super) fn is_rate(series: &Series) -> bool {
    series.name.starts_with("ndr")
}

/// Rates without loss against the share signed: curves as they are, or one made of figures named `ndr_...`.
pub(super) fn rates(document: &Document) -> Vec<Series> {
    let curves: Vec<_> = document.series.iter().filter(|series| is_rate(series)).cloned().collect();
    if !curves.is_empty() {
        return curves;
    }
    let mut points: Vec<_> = document
        .figures
        .iter()
        .filter(|(name, figure)| name.starts_with("ndr") && figure.unit == "/s")
        .filter_map(|(name, figure)| Some((share_signed(name)?, figure)))
        .map(|(x, figure)| Point { x, y: figure.median, low: figure.low, high: figure.high })
        .collect();
    if points.is_empty() {
        return Vec::new();
    }
    points.sort_by(|a, b| a.x.total_cmp(&b.x));
    let axis = |label: &str, unit: &str| Axis { label: label.to_owned(), unit: unit.to_owned(), log: false };
    vec![Series {
        name: "ndr".to_owned(),
        title: "rate without loss".to_owned(),
        x: axis("signed", "%"),
        y: axis("messages/s", ""),
        points,
        model: Vec::new(),
    }]
}

/// The share signed that a name tells, percent: "unsigned", "signed_50" or "signed".
fn share_signed(name: &str) -> Option<f64> {
    let parts: Vec<_> = name.split('_').collect();
    if parts.contains(&"unsigned") {
        return Some(0.0);
    }
    let share = parts.iter().filter_map(|part| part.parse::<f64>().ok()).find(|share| (0.0..=100.0).contains(share));
    share.or_else(|| parts.contains(&"signed").then_some(100.0))
}

/// Whether it is what the tester itself adds, measured without a gateway.
pub(super) fn is_floor(latency: &Latency) -> bool {
    latency.name.to_lowercase().contains("floor")
}

/// Microseconds within which this share of the messages, percent, was through: the next percentile that is known.
pub(super) fn percentile(latency: &Latency, share: f64) -> Option<f64> {
    let known = latency.percentiles.iter().filter(|(known, _)| *known >= share - 1e-9);
    known.min_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, us)| *us)
}

/// The distribution that a headline shows: at half of the rate without loss, else the one of the least load.
pub(super) fn typical(document: &Document) -> Option<&Latency> {
    let gateway = || document.latencies.iter().filter(|latency| !is_floor(latency));
    let half = gateway().find(|latency| latency.name.contains("50 % of"));
    half.or_else(|| gateway().min_by(|a, b| a.offered_per_s.total_cmp(&b.offered_per_s)))
}

/// Parts of the cost of an unsigned message, and of one that the worker verifies, as `sgperf loop` names them. A part
/// that is measured within another is taken from it.
const UNSIGNED: [(&str, &str, &str); 6] = [
    ("receive", "receive_ns", ""),
    ("decode", "decode_ns", ""),
    ("claims", "claims_ns", ""),
    ("policy", "policy_ns", ""),
    ("rewrite", "rewrite_ns", ""),
    ("transmit", "transmit_ns", ""),
];
const SIGNED: [(&str, &str, &str); 3] = [
    ("verify", "verify_ns", ""),
    ("rewrite", "strip_rewrite_ns", ""),
    ("all other stages", "signed_without_crypto_ns", "strip_rewrite_ns"),
];

/// Parts of the cost of a message, by message: as `sgperf loop` names them, and all `MESSAGE_stage_PART_ns`.
pub(super) fn stages(document: &Document) -> Vec<Bar> {
    let mut bars: Vec<Bar> = Vec::new();
    for (message, parts) in [("unsigned", UNSIGNED.as_slice()), ("signed", SIGNED.as_slice())] {
        let found = parts.iter().filter_map(|(part, name, but)| {
            let whole = document.median(name)?;
            Some(((*part).to_owned(), (whole - document.median(but).unwrap_or(0.0)).max(0.0)))
        });
        let found: Vec<_> = found.collect();
        // Some parts alone would look like a whole.
        if found.len() == parts.len() {
            bars.push(Bar { name: message.to_owned(), parts: found });
        }
    }
    for (name, figure) in document.figures.iter().filter(|(_, figure)| figure.unit == "ns") {
        let Some((message, part)) = stage(name) else { continue };
        let part = (words(part), figure.median);
        match bars.iter_mut().find(|bar| bar.name == message) {
            Some(bar) => bar.parts.push(part),
            None => bars.push(Bar { name: message, parts: vec![part] }),
        }
    }
    bars
}

fn stage(name: &str) -> Option<(String, &str)> {
    let whole = name.strip_suffix("_ns")?;
    let (message, part) = whole.split_once("_stage_")?;
    Some((words(message), part))
}

/// Whether a figure compares two things of one run.
pub(super) fn is_ratio(name: &str, figure: &Figure) -> bool {
    figure.unit.is_empty() && (name.contains("ratio") || name.contains("_to_"))
}

/// What a ratio is of and against what, as far as its name tells.
pub(super) fn against(name: &str) -> (String, String) {
    const KNOWN: [(&str, &str, &str); 4] = [
        (
            "decode_ratio_to_crates",
            "decoders from M3UA to the subscriber",
            "the crates m3ua, sccp, tcap and gsm_map on the same octets",
        ),
        ("verify_ratio_to_aws_lc", "verification in the worker, with hash and queue", "aws-lc-rs, one by one"),
        ("testpmd_io_ratio", "frames through one core", "testpmd io on the same ports"),
        ("testpmd_csum_ratio", "frames through one core", "testpmd csum on the same ports"),
    ];
    if let Some((_, what, against)) = KNOWN.iter().find(|(known, _, _)| *known == name) {
        return ((*what).to_owned(), (*against).to_owned());
    }
    let split = name.split_once("_ratio_to_").or_else(|| name.split_once("_to_"));
    match split.or_else(|| Some(("", name.strip_suffix("_ratio")?))) {
        Some((what, against)) if !what.is_empty() => (words(what), words(against)),
        Some((_, against)) => (words(name), words(against)),
        None => (words(name), "not said".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_shares_stages_and_rivals() {
        for (name, share) in [
            ("ndr_unsigned_msgs_per_s", Some(0.0)),
            ("ndr_signed_50_msgs_per_s", Some(50.0)),
            ("ndr_signed_msgs_per_s", Some(100.0)),
            ("ndr_msgs_per_s", None),
        ] {
            assert_eq!(share_signed(name), share, "{name}");
        }
        assert_eq!(stage("unsigned_stage_policy_ns"), Some(("unsigned".to_owned(), "policy")));
        assert_eq!(stage("decode_ns"), None);
        assert_eq!(against("pool_to_bare"), ("pool".to_owned(), "bare".to_owned()));
        assert!(against("testpmd_io_ratio").1.starts_with("testpmd io"));
    }

    #[test]
    fn a_percentile_that_is_not_known_is_never_told_too_low() {
        let latency = Latency {
            name: "x".to_owned(),
            offered_per_s: 1.0,
            count: 10,
            percentiles: vec![(50.0, 5.0), (99.5, 9.0), (100.0, 20.0)],
            file: None,
        };
        assert_eq!(percentile(&latency, 99.0), Some(9.0));
        assert_eq!(percentile(&latency, 50.0), Some(5.0));
        assert_eq!(percentile(&latency, 99.9), Some(20.0));
    }
}
