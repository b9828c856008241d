//! What in a document answers which question of a reader. Names are those that the verbs of sgperf give.

use super::bars::Bar;
use super::text::{number, words};
use crate::record::{Document, Figure, Latency};

/// Percentiles that a table shows.
pub(super) const SHARES: [f64; 6] = [50.0, 90.0, 99.0, 99.9, 99.99, 100.0];

/// A rate without loss, of one mix of traffic.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Rate {
    pub(super) mix: String,
    /// Share signed, percent, if the mix's name tells.
    pub(super) signed: Option<f64>,
    /// The highest rate that held, a second, and the lowest and highest of all searches.
    pub(super) holds: f64,
    pub(super) low: f64,
    /// The lowest rate that did not hold, where one was found.
    pub(super) fails: f64,
}

/// Rates without loss, from the least signed: figures named `MIX.ndr_msgs_per_s`.
pub(super) fn rates(document: &Document) -> Vec<Rate> {
    let rate = |(name, figure): (&String, &Figure)| {
        let mix = name.strip_suffix(".ndr_msgs_per_s")?;
        let upper = document.figures.get(&format!("{mix}.ndr_upper_msgs_per_s"));
        Some(Rate {
            mix: mix.to_owned(),
            signed: share_signed(mix),
            holds: figure.median,
            low: figure.low,
            fails: upper.map_or(figure.high, |upper| upper.high.max(figure.high)),
        })
    };
    let mut rates: Vec<_> = document.figures.iter().filter_map(rate).collect();
    rates.sort_by(|a, b| a.signed.unwrap_or(f64::INFINITY).total_cmp(&b.signed.unwrap_or(f64::INFINITY)));
    rates
}

/// The share signed that a mix's name tells, percent: "unsigned", "signed-50".
fn share_signed(mix: &str) -> Option<f64> {
    match mix {
        "unsigned" => Some(0.0),
        "signed" => Some(100.0),
        _ => mix.strip_prefix("signed-")?.parse().ok().filter(|share| (0.0..=100.0).contains(share)),
    }
}

/// The mix of a distribution, and at which load: "unsigned" and "50 % of NDR".
pub(super) fn mix_and_load(latency: &Latency) -> (&str, &str) {
    latency.name.split_once(", ").unwrap_or(("", &latency.name))
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

/// What a ratio is of, what it is against, and how to read it.
pub(super) type Meaning = [String; 3];

const FASTER: &str = "how many times as fast ours is";
const DEARER: &str = "how many times as dear ours is";
const KNOWN: [(&str, [&str; 3]); 9] = [
    (
        "decode_ratio_to_crates",
        ["decoders from M3UA to the subscriber", "the crates m3ua, sccp, tcap and gsm_map on the same octets", FASTER],
    ),
    (
        "decode_anew_ratio_to_crates",
        ["the same decoders, no message like one before", "the crates m3ua, sccp, tcap and gsm_map", FASTER],
    ),
    ("verify_ratio_to_aws_lc", ["verification in the worker, with hash and queue", "aws-lc-rs, one by one", FASTER]),
    ("testpmd_io_ratio", ["a judged message", "a frame through testpmd io on the same ports", DEARER]),
    ("testpmd_csum_ratio", ["a judged message", "a frame through testpmd csum on the same ports", DEARER]),
    ("pool_to_bare", ["a crypto thread, with queues and look-up of keys", "the engine alone, 64 at a time", FASTER]),
    ("inline_to_bare", ["a worker that verifies, with hash and queue", "the engine alone, 64 at a time", FASTER]),
    ("bare_to_reference", ["the engine alone, 64 at a time", "aws-lc-rs", FASTER]),
    ("io_forward_ratio", ["our loop over ports that give and take", "testpmd io over the same", DEARER]),
];

/// As far as its name tells.
pub(super) fn meaning(name: &str) -> Meaning {
    if let Some((_, known)) = KNOWN.iter().find(|(known, _)| *known == name) {
        return known.map(str::to_owned);
    }
    if let Some(engine) = engine(name) {
        return [engine, "aws-lc-rs".to_owned(), FASTER.to_owned()];
    }
    let split = name.split_once("_ratio_to_").or_else(|| name.split_once("_to_"));
    let reading = "the first over the second".to_owned();
    match split.or_else(|| Some(("", name.strip_suffix("_ratio")?))) {
        Some((what, against)) if !what.is_empty() => [words(what), words(against), reading],
        Some((_, against)) => [words(name), words(against), "–".to_owned()],
        None => [words(name), "not said".to_owned(), "–".to_owned()],
    }
}

/// A ratio of `sgperf crypto`: `p256_ratio_b32_k1000`.
fn engine(name: &str) -> Option<String> {
    let (alg, case) = name.split_once("_ratio_b")?;
    let (batch, keys) = case.split_once("_k")?;
    let (batch, keys): (u32, u32) = (batch.parse().ok()?, keys.parse().ok()?);
    Some(format!("signatures of {alg}, {batch} at a time, keys: {}", number(keys.into())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_shares_stages_and_rivals() {
        for (mix, share) in [
            ("unsigned", Some(0.0)),
            ("signed-50", Some(50.0)),
            ("signed", Some(100.0)),
            ("default", None),
            ("signed-500", None),
        ] {
            assert_eq!(share_signed(mix), share, "{mix}");
        }
        assert_eq!(stage("unsigned_stage_policy_ns"), Some(("unsigned".to_owned(), "policy")));
        assert_eq!(stage("decode_ns"), None);
        assert_eq!(meaning("this_to_that"), ["this", "that", "the first over the second"]);
        assert_eq!(
            meaning("p256_ratio_b32_k1000"),
            ["signatures of p256, 32 at a time, keys: 1,000", "aws-lc-rs", "how many times as fast ours is"]
        );
        assert!(meaning("testpmd_io_ratio")[1].contains("testpmd io"));
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
