//! `sgperf attack`: what an attacker takes from others.

use clap::Args;
use sealgate_perf::attack::{self, Effect};
use sealgate_perf::record::Document;
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
    let mut document = Document::begin("attack");
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
        for rounds in &effects {
            let line = tell(honest, rounds, &mut document);
            if !args.json {
                println!("{line}");
            }
        }
    }
    if args.json { document.print(true) } else { Ok(()) }
}

/// Adds an attack to the document; returns its line for people: medians, and of delays the least, for in that round others
/// wanted the two cores least.
fn tell(honest: usize, rounds: &[Effect], document: &mut Document) -> String {
    let name = rounds.first().map_or("", |effect| effect.attack.name());
    let mut add = |what: &str, unit: &str, figure: fn(&Effect) -> f64| {
        let name = format!("attack_{name}_h{honest}_{what}");
        rounds.iter().for_each(|effect| document.add_or_note(&name, unit, figure(effect)));
        document.figures.get(&name).map_or((f64::NAN, f64::NAN), |figure| (figure.median, figure.low))
    };
    let (honest_per_s, _) = add("honest_per_s", "/s", |effect| effect.honest_per_s);
    let (kept, _) = add("kept", "", |effect| effect.kept);
    let (attacker_per_s, _) = add("attacker_per_s", "/s", |effect| effect.attacker_per_s);
    let (refused, _) = add("refused", "", |effect| effect.refused);
    let (_, p50) = add("delay_p50_us", "us", |effect| effect.delay_us[0]);
    let (_, p90) = add("delay_p90_us", "us", |effect| effect.delay_us[1]);
    let (_, p99) = add("delay_p99_us", "us", |effect| effect.delay_us[2]);
    format!(
        "{name:>14} {honest_per_s:>10.0} {:>4.0} % {attacker_per_s:>11.0} {:>7.2} %             {p50:>5.0} {p90:>7.0} \
         {p99:>7.0}",
        100.0 * kept,
        100.0 * refused
    )
}
