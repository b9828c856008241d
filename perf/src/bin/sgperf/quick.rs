//! `sgperf quick`: a little of everything, and a report of it.

use super::{cost, load, sweeps};
use clap::Args;
use sealgate_perf::record::Document;
use sealgate_perf::report;
use std::error::Error;
use std::path::PathBuf;

#[derive(Args)]
pub struct Quick {
    /// Folder of the report, made if need be; an earlier report in it is replaced.
    #[arg(short, long, value_name = "DIR", default_value = "sgperf-quick")]
    output: PathBuf,
    /// Core of the worker; the tester has the next one.
    #[arg(long, default_value_t = 0)]
    core: usize,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Cost, load and growth into one document; less than five minutes.
pub fn run(args: &Quick) -> Result<(), Box<dyn Error>> {
    let mut document = Document::begin("quick");
    let costs = cost::Loop { rounds: 41, ms: 20, port_rounds: 15, core: args.core, json: true };
    step("1 of 3: what a message costs", || cost::measure(&costs, &mut document))?;
    let loads = load::Load::quick(args.core);
    step("2 of 3: what a gateway carries, and how long it takes", || load::measure(&loads, &mut document))?;
    ratios(&mut document);
    step("3 of 3: how cost grows", || sweeps::measure(&sweeps::Sweep::quick(), &mut document))?;
    document.run.end();
    let folder = std::env::temp_dir().join(format!("sgperf-quick-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let path = folder.join("quick.json");
    std::fs::write(&path, serde_json::to_string_pretty(&document)?)?;
    let written = report::write(&[path], &args.output, false, |_, _| {});
    // What is not removed is a file in the system's own folder for such files.
    let _ = std::fs::remove_dir_all(&folder);
    let written = written?;
    document.print(args.json)?;
    eprintln!("report: {}", written.page.display());
    Ok(())
}

/// On a thread of its own, since a step pins the one that it runs on to a core.
fn step(what: &str, measure: impl FnOnce() -> Result<(), Box<dyn Error>> + Send) -> Result<(), Box<dyn Error>> {
    eprintln!("{what}");
    let done = std::thread::scope(|scope| scope.spawn(|| measure().map_err(|error| error.to_string())).join());
    Ok(done.map_err(|_| "a measurement panicked; see above")??)
}

/// What does not depend on the minute: loads against each other.
fn ratios(document: &mut Document) {
    let unsigned = document.median("unsigned.ndr_msgs_per_s");
    let alone = document.median("unsigned_msgs_per_s_per_core");
    let signed = document.median("signed-100.ndr_msgs_per_s");
    if let (Some(unsigned), Some(signed)) = (unsigned, signed) {
        document.add("ndr_ratio_signed_to_unsigned", "", signed / unsigned);
    }
    if let (Some(unsigned), Some(alone)) = (unsigned, alone) {
        document.add("ndr_ratio_to_loop", "", unsigned / alone);
    }
}
