//! `sgperf attack`: what an attacker takes from others.

use clap::Args;
use sealgate_perf::attack;
use serde_json::json;
use std::error::Error;
use std::time::Duration;

#[derive(Args)]
pub struct Attack {
    /// Honest peers, beside one attacker.
    #[arg(long, value_delimiter = ',', default_value = "1,8")]
    honest: Vec<usize>,
    /// Rounds, each of all attacks in turn; shown are medians of speeds, and the least of delays.
    #[arg(long, default_value_t = 9)]
    rounds: usize,
    /// Milliseconds of each measurement.
    #[arg(long, default_value_t = 100)]
    ms: u64,
    /// Honest jobs per second while delays are measured.
    #[arg(long, default_value_t = 10_000)]
    offered: u32,
    /// Core of the worker.
    #[arg(long, default_value_t = 0)]
    worker: usize,
    /// Core of the crypto thread.
    #[arg(long, default_value_t = 1)]
    crypto: usize,
    /// Print JSON: `attack_equal_x_h8_kept` and so on.
    #[arg(long)]
    json: bool,
}

pub fn run(args: &Attack) -> Result<(), Box<dyn Error>> {
    let mut object = serde_json::Map::new();
    for &honest in &args.honest {
        let plan = attack::Plan {
            honest: honest.max(1),
            cores: [args.worker, args.crypto],
            rounds: args.rounds.max(1),
            slice: Duration::from_millis(args.ms),
            offered_per_s: args.offered.max(1).into(),
        };
        let effects =
            attack::measure(&plan, |round| eprint!("\r{honest} honest: round {} of {}", round + 1, args.rounds))?;
        eprintln!();
        let fair = plan.honest as f64 / (plan.honest + 1) as f64;
        if !args.json {
            println!(
                "{honest} honest and one attacker; a fair part is {:.0} % of what there is without him",
                100.0 * fair
            );
            println!(
                "{:>14} {:>10} {:>6} {:>11} {:>9}  delay, us: {:>5} {:>7} {:>7}",
                "attack", "honest /s", "kept", "attacker /s", "refused", "p50", "p90", "p99"
            );
        }
        for effect in &effects {
            let kept = effect.kept;
            let [p50, p90, p99] = effect.delay_us;
            let name = |what: &str| format!("attack_{}_h{honest}_{what}", effect.attack.name());
            for (what, value) in [
                ("honest_per_s", effect.honest_per_s),
                ("kept", kept),
                ("attacker_per_s", effect.attacker_per_s),
                ("refused", effect.refused),
                ("delay_p50_us", p50),
                ("delay_p99_us", p99),
            ] {
                object.insert(name(what), json!(value));
            }
            if !args.json {
                println!(
                    "{:>14} {:>10.0} {:>4.0} % {:>11.0} {:>7.2} %             {:>5.0} {:>7.0} {:>7.0}",
                    effect.attack.name(),
                    effect.honest_per_s,
                    100.0 * kept,
                    effect.attacker_per_s,
                    100.0 * effect.refused,
                    p50,
                    p90,
                    p99
                );
            }
        }
    }
    if args.json {
        println!("{}", serde_json::to_string_pretty(&object)?);
    }
    Ok(())
}
