//! `sgperf report`: one page of what was measured.

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use sealgate_perf::report;
use std::error::Error;
use std::path::PathBuf;

#[derive(Args)]
pub struct Report {
    /// Documents that `sgperf VERB --json` printed.
    #[arg(required = true, value_name = "IN.json")]
    documents: Vec<PathBuf>,
    /// Folder of the report: index.html, plots/ and raw/. An earlier report in it is replaced.
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
    /// Write also where other files are. None is removed, but one of the same name is overwritten.
    #[arg(long)]
    force: bool,
}

pub fn run(args: &Report) -> Result<(), Box<dyn Error>> {
    let bar = ProgressBar::new(0).with_style(ProgressStyle::with_template("{wide_bar} {pos}/{len} plots")?);
    let written = report::write(&args.documents, &args.output, args.force, |done, all| {
        bar.set_length(all as u64);
        bar.set_position(done as u64);
    });
    bar.finish_and_clear();
    let written = written?;
    for warning in &written.warnings {
        eprintln!("warning: {warning}");
    }
    println!("{}: {} plots, {} files", written.page.display(), written.plots, written.files);
    Ok(())
}
