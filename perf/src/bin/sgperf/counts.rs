//! `sgperf icount`: instructions per message against a baseline.

use clap::{Args, ValueEnum};
use sealgate_dataplane::pipeline::worker::Stage;
use sealgate_perf::icount::{self, Change, Counts, Work, cases};
use std::error::Error;
use std::path::PathBuf;

#[derive(Args)]
pub struct Icount {
    /// The counts to compare with.
    #[arg(long, default_value = "perf/icount/baseline.tsv")]
    baseline: PathBuf,
    /// Write the baseline instead of comparing with it; with --only, one that has no other cases.
    #[arg(long)]
    accept: bool,
    #[command(flatten)]
    load: Burden,
}

/// What is run.
#[derive(Args)]
pub struct Burden {
    /// Only cases whose name begins so: "decode/", "signed/verify".
    #[arg(long, default_value = "")]
    only: String,
    /// Hold each message up for some 300 instructions in this stage.
    #[arg(long, hide = true)]
    burn: Option<Place>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Place {
    Claims,
    Verify,
    Verdict,
    Rewrite,
    Transmit,
}

impl Place {
    fn stage(self) -> Stage {
        match self {
            Self::Claims => Stage::Claims,
            Self::Verify => Stage::Verify,
            Self::Verdict => Stage::Verdict,
            Self::Rewrite => Stage::Rewrite,
            Self::Transmit => Stage::Transmit,
        }
    }
}

/// What callgrind runs: works, and says what it did.
pub fn work(args: &Burden) -> Result<(), Box<dyn Error>> {
    let phases = cases::run(&args.only, args.burn.map(Place::stage))?;
    println!("{}", serde_json::to_string(&Work { processor: icount::processor(), phases })?);
    Ok(())
}

pub fn run(args: &Icount) -> Result<(), Box<dyn Error>> {
    let burn = args.load.burn.and_then(|place| place.to_possible_value());
    let only = args.load.only.as_str();
    let mut arguments = vec!["icount-work", "--only", only];
    if let Some(stage) = &burn {
        arguments.extend(["--burn", stage.get_name()]);
    }
    let now = icount::take(&std::env::current_exe()?, &arguments)?;
    if args.accept {
        std::fs::write(&args.baseline, now.write()).map_err(|error| format!("{}: {error}", args.baseline.display()))?;
        println!("{} cases accepted: {}", now.cases.len(), args.baseline.display());
        return Ok(());
    }
    let mut before = Counts::read(&args.baseline)?;
    before.cases.retain(|case, _| case.starts_with(only));
    let findings = icount::compare(&before, &now);
    println!("{:<22} {:>10} {:>10} {:>10}", "instructions", "baseline", "now", "change");
    findings.iter().for_each(|finding| println!("{finding}"));
    let failed = findings.iter().filter(|finding| finding.change.fails()).count();
    let passed = findings.len() - failed;
    if before.with != now.with {
        println!("counted with {}; the baseline was with {}", now.with.join(", "), before.with.join(", "));
        println!("the two cannot be compared; make a new baseline where the gate runs: scripts/icount --accept");
        println!("test result: ok. 0 passed; 0 failed; {} ignored", findings.len());
        return Ok(());
    }
    if findings.iter().any(|finding| finding.change == Change::Better) {
        println!("some cases became better: scripts/icount --accept keeps it so");
    }
    let result = if failed == 0 { "ok" } else { "FAILED" };
    println!("test result: {result}. {passed} passed; {failed} failed; 0 ignored");
    if failed == 0 {
        return Ok(());
    }
    let percent = 100.0 * icount::TOLERANCE;
    Err(format!(
        "{failed} of {} cases cost over {percent} % more than the baseline, or have none; make them cheaper, or if it \
         is worth it: scripts/icount --accept, and say why in the commit",
        findings.len()
    )
    .into())
}
