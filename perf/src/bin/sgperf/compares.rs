//! `sgperf compare`: two documents side by side.

use clap::Args;
use indexmap::IndexMap;
use sealgate_perf::compare::Comparison;
use sealgate_perf::record::Document;
use std::error::Error;
use std::path::PathBuf;

#[derive(Args)]
pub struct Compare {
    /// What `--json` of a measurement printed.
    first: PathBuf,
    /// What it printed another time, or of another build.
    second: PathBuf,
    /// Ratios may differ by so many per cent.
    #[arg(long, default_value_t = 10.0)]
    percent: f64,
}

pub fn run(args: &Compare) -> Result<(), Box<dyn Error>> {
    let (first, second) = (Document::read(&args.first)?, Document::read(&args.second)?);
    let (one, two) = (&first.run.machine, &second.run.machine);
    println!("{:<40} {:>14} {:>14} {:>9}", "", one.commit, two.commit, "change");
    let comparison = Comparison::of(&first, &second);
    for figure in &comparison.both {
        let (name, unit) = (&figure.name, &figure.unit);
        let mark = if figure.is_apart(args.percent / 100.0) { " <-" } else { "" };
        println!(
            "{name:<40} {:>14.4} {:>14.4} {:>+8.1} % {unit}{mark}",
            figure.first,
            figure.second,
            figure.change * 100.0
        );
    }
    for name in &comparison.alone {
        println!("{name:<40} in one of the two only");
    }
    let mut disturbed: IndexMap<&str, (usize, &str)> = IndexMap::new();
    for (phase, why) in &comparison.spoiled {
        disturbed.entry(phase).or_insert((0, why)).0 += 1;
    }
    for (phase, (trials, why)) in disturbed {
        println!("disturbed: {phase}: {trials} trials; the first: {why}");
    }
    if one.processor != two.processor || one.cores != two.cores {
        println!(
            "note: two machines: {} with {} cores, {} with {}",
            one.processor, one.cores, two.processor, two.cores
        );
    }
    match comparison.apart(args.percent / 100.0).count() {
        0 => Ok(()),
        apart => Err(format!("{apart} ratios differ by more than {} %", args.percent).into()),
    }
}
