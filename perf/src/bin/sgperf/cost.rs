//! `sgperf loop` and `sgperf once`: what a message costs on one core, over ports in memory.

use clap::Args;
use sealgate_config::model::Mode;
use sealgate_crypto::keyring::KeyRing;
use sealgate_crypto::pool::PoolConfig;
use sealgate_dataplane::pipeline::worker::Stage;
use sealgate_perf::gateway::{Gateway, operator_key};
use sealgate_perf::measure::{self, Outcome};
use sealgate_perf::traffic;
use serde_json::json;
use std::error::Error;
use std::time::Duration;

#[derive(Args)]
pub struct Loop {
    /// Rounds, each of all measurements in turn.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Milliseconds of each measurement.
    #[arg(long, default_value_t = 300)]
    ms: u64,
    /// Core to stay on.
    #[arg(long, default_value_t = 0)]
    core: usize,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub fn once(turns: u32) -> Result<(), Box<dyn Error>> {
    let frames = traffic::unsigned(false);
    let mut gateway =
        Gateway::new(Mode::Prefer, false, frames, Vec::new(), None, PoolConfig::default(), &KeyRing::new())?;
    measure::turns(&mut gateway, turns);
    println!("{} messages", gateway.worker.stats().messages);
    Ok(())
}

/// All samples of one figure.
#[derive(Default)]
struct Figure {
    name: &'static str,
    unit: &'static str,
    samples: Vec<f64>,
}

impl Figure {
    fn median(&self) -> f64 {
        let mut sorted = self.samples.clone();
        sorted.sort_by(f64::total_cmp);
        sorted.get(sorted.len() / 2).copied().unwrap_or(0.0)
    }

    fn spread(&self) -> (f64, f64) {
        let low = self.samples.iter().copied().fold(f64::INFINITY, f64::min);
        let high = self.samples.iter().copied().fold(0.0, f64::max);
        (low, high)
    }
}

pub fn run(args: &Loop) -> Result<(), Box<dyn Error>> {
    if !core_affinity::set_for_current(core_affinity::CoreId { id: args.core }) {
        return Err(format!("core {} is not available; choose another with --core", args.core).into());
    }
    let time = Duration::from_millis(args.ms);
    let unsigned = traffic::unsigned(false);
    let outbound = traffic::unsigned(true);
    let signed_count = (args.ms as u32 * 200).max(2000);
    let signed = traffic::signed(&operator_key()?, signed_count);
    // Keys have the tables that they have after a while of traffic.
    let keys = KeyRing::new();
    let mut warm =
        Gateway::new(Mode::Require, false, signed.clone(), Vec::new(), Some(1), PoolConfig::default(), &keys)?;
    measure::warm(&mut warm);
    let mut figures: Vec<Figure> = Vec::new();
    let mut add = |name, unit, value| match figures.iter_mut().find(|figure| figure.name == name) {
        Some(figure) => figure.samples.push(value),
        None => figures.push(Figure { name, unit, samples: vec![value] }),
    };
    for round in 0..args.rounds {
        if !args.json {
            eprint!("\rround {} of {}", round + 1, args.rounds);
        }
        let pool = PoolConfig::default;
        let mut idle = Gateway::new(Mode::Prefer, false, Vec::new(), Vec::new(), None, pool(), &keys)?;
        add("turn_empty_ns", "ns", measure::empty_turn(&mut idle, time / 4));
        add("decode_ns", "ns", measure::decode(&unsigned, time / 4));
        let mut plain = Gateway::new(Mode::Prefer, false, unsigned.clone(), Vec::new(), None, pool(), &keys)?;
        measure::run(&mut plain, time / 4, false);
        let whole = measure::run(&mut plain, time, false);
        add("unsigned_ns", "ns", whole.ns());
        add("unsigned_msgs_per_s_per_core", "/s", whole.per_second());
        let stages = measure::run(&mut plain, time, true);
        stage_figures(&stages, &mut add);
        let mut refused = Gateway::new(Mode::Require, false, unsigned.clone(), Vec::new(), None, pool(), &keys)?;
        measure::run(&mut refused, time / 4, false);
        add("refused_ns", "ns", measure::run(&mut refused, time, false).ns());
        let mut checked = Gateway::new(Mode::Require, false, signed.clone(), Vec::new(), Some(1), pool(), &keys)?;
        let verified = measure::run(&mut checked, time * 20, true);
        add("signed_ns", "ns", verified.ns());
        add("signed_msgs_per_s_per_core", "/s", verified.per_second());
        let without = verified.elapsed.saturating_sub(verified.stages.get(&Stage::Verify).copied().unwrap_or_default());
        add("signed_without_crypto_ns", "ns", without.as_secs_f64() * 1e9 / verified.messages.max(1) as f64);
        add("strip_rewrite_ns", "ns", verified.stage_ns(Stage::Rewrite));
        let mut signing = Gateway::new(Mode::Require, true, Vec::new(), outbound.clone(), Some(1), pool(), &keys)?;
        let made = measure::run(&mut signing, time * 20, true);
        add("signing_msgs_per_s_per_core", "/s", made.per_second());
        let without = made.elapsed.saturating_sub(made.stages.get(&Stage::Verify).copied().unwrap_or_default());
        add("signing_without_crypto_ns", "ns", without.as_secs_f64() * 1e9 / made.messages.max(1) as f64);
    }
    if args.json {
        let object: serde_json::Map<_, _> = figures
            .iter()
            .map(|figure| {
                let (low, high) = figure.spread();
                (
                    figure.name.to_string(),
                    json!({"median": figure.median(), "low": low, "high": high, "unit": figure.unit}),
                )
            })
            .collect();
        println!("{}", serde_json::to_string_pretty(&object)?);
    } else {
        eprintln!();
        println!("{:<32} {:>12} {:>12} {:>12}", "one core, ports in memory", "median", "lowest", "highest");
        for figure in &figures {
            let (low, high) = figure.spread();
            println!("{:<32} {:>12.0} {:>12.0} {:>12.0} {}", figure.name, figure.median(), low, high, figure.unit);
        }
    }
    Ok(())
}

fn stage_figures(outcome: &Outcome, add: &mut impl FnMut(&'static str, &'static str, f64)) {
    for (name, stage) in [
        ("decode_and_claims_ns", Stage::Claims),
        ("policy_ns", Stage::Verdict),
        ("rewrite_ns", Stage::Rewrite),
        ("transmit_ns", Stage::Transmit),
    ] {
        add(name, "ns", outcome.stage_ns(stage));
    }
}
