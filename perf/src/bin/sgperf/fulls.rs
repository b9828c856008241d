//! `sgperf full`: what full memories cost.

use clap::Args;
use sealgate_crypto::keyring::KeyRing;
use sealgate_perf::full::{Block, Side};
use sealgate_perf::record::Document;
use std::error::Error;

#[derive(Args)]
pub struct Full {
    /// Limit of the memory of where subscribers are.
    #[arg(long, default_value_t = 1 << 20)]
    subscribers: usize,
    /// The most messages that the attacker sends before the comparison begins.
    #[arg(long, default_value_t = 20_000_000)]
    most: u32,
    /// Rounds; in each, both gateways have their turn.
    #[arg(long, default_value_t = 9)]
    rounds: usize,
    /// Blocks of 512 valid messages in a round.
    #[arg(long, default_value_t = 100)]
    blocks: usize,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Rounds of both gateways. Returns how many valid messages were refused by each.
fn rounds(args: &Full, sides: &mut [Side; 2], name: &str, document: &mut Document) -> Result<[u64; 2], Box<dyn Error>> {
    let mut refused = [0; 2];
    for round in 0..args.rounds.max(1) {
        let mut ns = [0.0; 2];
        for turn in 0..2 {
            // Each is the first one in every other round.
            let which = (turn + round) % 2;
            let mut all = Block::default();
            for _ in 0..args.blocks.max(1) {
                let block = sides[which].take()?;
                all.messages += block.messages;
                all.took += block.took;
                all.refused += block.refused;
            }
            ns[which] = all.took.as_secs_f64() * 1e9 / all.messages.max(1) as f64;
            refused[which] += all.refused;
        }
        document.add(&format!("full_{name}_other_ns"), "ns", ns[0]);
        document.add(&format!("full_{name}_ns"), "ns", ns[1]);
        document.add(&format!("full_{name}_ratio"), "", ns[1] / ns[0]);
    }
    Ok(refused)
}

pub fn run(args: &Full) -> Result<(), Box<dyn Error>> {
    let mut document = Document::begin("full");
    let keys = KeyRing::new();
    let mut sides = [Side::new(args.subscribers, &keys)?, Side::new(args.subscribers, &keys)?];
    let before = sides[1].filled().octets;
    rounds(args, &mut sides, "calm", &mut document)?;
    eprintln!("filling the memories...");
    let filled = sides[1].fill(args.most)?;
    if !filled.is_full(args.subscribers) {
        return Err(format!("{} messages did not fill all memories, give --most more: {filled:?}", args.most).into());
    }
    let refused = rounds(args, &mut sides, "attacked", &mut document)?;
    let [_, attacked] = &sides;
    let median = |name: &str| document.median(name).unwrap_or(f64::NAN);
    let slowdown = median("full_attacked_ratio") / median("full_calm_ratio");
    document.add("full_slowdown", "", slowdown);
    let after = attacked.filled();
    for (name, count) in [
        ("subscribers", after.subscribers),
        ("pending", after.pending),
        ("steps", after.steps),
        ("sources", after.sources),
        ("transactions", after.transactions),
        ("buckets", after.buckets),
        ("segments", after.segments),
    ] {
        document.add(&format!("full_forgotten_{name}"), "entries", count as f64);
    }
    document.add("full_valid_refused", "messages", refused[1] as f64);
    document.add("full_octets_before", "octets", before as f64);
    document.add("full_octets_after", "octets", after.octets as f64);
    if args.json {
        return document.print(true);
    }
    println!(
        "a valid message's turn, CPU time of one core, medians of {} rounds (lowest to highest)",
        args.rounds.max(1)
    );
    for (name, what) in [("calm", "nobody attacks"), ("attacked", "one is full and attacked")] {
        let figure = |what: &str| document.figures.get(&format!("full_{name}{what}"));
        let (Some(other), Some(ns), Some(ratio)) = (figure("_other_ns"), figure("_ns"), figure("_ratio")) else {
            continue;
        };
        println!(
            "  {what:<26} {:>7.1} ns {:>7.1} ns  ratio {:.2} ({:.2} to {:.2})",
            other.median, ns.median, ratio.median, ratio.low, ratio.high
        );
    }
    println!("  slower by the attack: {slowdown:.2} times");
    println!("valid messages refused: {} of the calm one, {} of the attacked one", refused[0], refused[1]);
    println!("memory of detection and rates: {before} octets before, {} after", after.octets);
    println!(
        "forgotten or refused for want of room: {} subscribers, {} updates that wait, {} steps, {} sources, {} transactions, {} token \
         buckets; {} messages in segments given up",
        after.subscribers, after.pending, after.steps, after.sources, after.transactions, after.buckets, after.segments
    );
    Ok(())
}
