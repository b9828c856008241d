//! `sgperf sweep` and `sgperf predict`: how cost grows, and what a server does by that.

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use sealgate_perf::model::{ASSUMPTIONS, Model, Prediction, Range, Server, Setting};
use sealgate_perf::record::{Document, Figure};
use sealgate_perf::sweep::{self, Plan, Step};
use std::error::Error;
use std::path::PathBuf;
use std::time::Duration;

#[derive(Args)]
pub struct Sweep {
    /// Only these sweeps: signed, burst, signed-burst, octets, peers, prefixes, keys, offload, crypto, workers. The model
    /// needs all.
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    only: Vec<String>,
    /// Rounds, in each of which every point has one slice.
    #[arg(long, default_value_t = 9)]
    rounds: usize,
    /// Milliseconds of a slice.
    #[arg(long, default_value_t = 30)]
    ms: u64,
    /// Most keys, up to 10000. Their tables take 256 KiB each and some 3 ms to make, as far as --table-memory-mb goes;
    /// 10000 take 2600 MB of it.
    #[arg(long, default_value_t = 1000)]
    keys: u32,
    /// Megabytes of the tables of keys, as crypto.table_memory_mb of a gateway.
    #[arg(long, default_value_t = 256)]
    table_memory_mb: usize,
    /// Three rounds of 10 ms, up to 1,000 peers, 100,000 prefixes and 100 keys.
    #[arg(long)]
    quick: bool,
    /// Cores, the first for the worker; all that there are by default.
    #[arg(long, value_delimiter = ',')]
    cores: Vec<usize>,
    /// Clock of the cores, if the system does not say the truth.
    #[arg(long)]
    ghz: Option<f64>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

impl Sweep {
    /// What `--quick --json` gives.
    pub fn quick() -> Self {
        Self {
            only: Vec::new(),
            rounds: 3,
            ms: 10,
            keys: 100,
            table_memory_mb: 256,
            quick: true,
            cores: Vec::new(),
            ghz: None,
            json: true,
        }
    }
}

pub fn run(args: &Sweep) -> Result<(), Box<dyn Error>> {
    let mut document = Document::begin("sweep");
    measure(args, &mut document)?;
    if !args.json {
        show(&document);
    }
    document.print(args.json)
}

/// All of it, into a document.
pub fn measure(args: &Sweep, document: &mut Document) -> Result<(), Box<dyn Error>> {
    let cores = || core_affinity::get_core_ids().unwrap_or_default().into_iter().map(|core| core.id).collect();
    let plan = Plan {
        only: args.only.clone(),
        rounds: if args.quick { 3 } else { args.rounds },
        slice: Duration::from_millis(if args.quick { 10 } else { args.ms }),
        keys: if args.quick { args.keys.min(100) } else { args.keys },
        quick: args.quick,
        table_memory: args.table_memory_mb << 20,
        cores: if args.cores.is_empty() { cores() } else { args.cores.clone() },
        ghz: args.ghz,
    };
    let bar = if args.json { ProgressBar::hidden() } else { ProgressBar::new(0) };
    bar.set_style(ProgressStyle::with_template("{msg:>10} {wide_bar} {pos}/{len} {eta}")?);
    let done = sweep::measure(&plan, document, |step| {
        let (what, at, of) = match step {
            Step::Ready(at, of) => ("setting up", at, of),
            Step::Measured(at, of) => ("measuring", at, of),
        };
        bar.set_message(what);
        bar.set_length(of as u64);
        bar.set_position(at as u64);
    });
    bar.finish_and_clear();
    done
}

fn show(document: &Document) {
    for series in &document.series {
        println!("{}", series.title);
        println!("{:>16} {:>12} {:>12} {:>12} {:>12}", series.x.label, series.y.unit, "lowest", "highest", "model");
        for (place, point) in series.points.iter().enumerate() {
            let model = series.model.get(place).map_or_else(|| "-".to_owned(), |(_, y)| format!("{y:.0}"));
            println!("{:>16} {:>12.0} {:>12.0} {:>12.0} {model:>12}", point.x.round(), point.y, point.low, point.high);
        }
        println!();
    }
    if let Some(model) = &document.model {
        for (what, fit) in [
            ("a worker's time for a message", Some(&model.worker)),
            ("a crypto thread's for a signature", model.crypto.as_ref()),
        ] {
            let Some(fit) = fit else { continue };
            println!(
                "{what}, ns, at {:.2} GHz: {} points, scatter {:.1} %",
                model.ghz,
                fit.points,
                fit.scatter * 100.0
            );
            for coefficient in &fit.coefficients {
                let (name, meaning) = (&coefficient.name, &coefficient.meaning);
                println!("{name:>20} {:>10.2} ± {:<8.2} {meaning}", coefficient.ns, coefficient.error);
            }
            println!(
                "{:>20} each point from the equation of all others: {:.1} %, at worst {:.1} %\n",
                "left out",
                fit.left_out * 100.0,
                fit.left_out_worst * 100.0
            );
        }
    }
}

#[derive(Args)]
pub struct Predict {
    /// Document that `sgperf sweep --json` printed.
    #[arg(long, value_name = "SWEEP.json")]
    model: PathBuf,
    /// Cores of workers.
    #[arg(long)]
    cores: usize,
    /// Cores of crypto threads; none: workers verify for themselves.
    #[arg(long, default_value_t = 0)]
    crypto_cores: usize,
    /// Clock of the server under load; as the measured machine's if it is not given.
    #[arg(long)]
    ghz: Option<f64>,
    /// Share of messages that are signed, 0 to 1.
    #[arg(long)]
    signed: f64,
    /// Octets of a frame without its signature. This and what follows are as usual in the sweep if they are not given.
    #[arg(long)]
    octets: Option<f64>,
    /// Share of messages that are short messages to a mobile, 0 to 1.
    #[arg(long)]
    sms: Option<f64>,
    /// Other operators.
    #[arg(long)]
    peers: Option<u32>,
    /// Their keys.
    #[arg(long)]
    keys: Option<u32>,
    /// Prefixes in the policy.
    #[arg(long)]
    prefixes: Option<u32>,
    /// Frames that a turn finds: 32 under full load.
    #[arg(long)]
    burst: Option<u32>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub fn predict(args: &Predict) -> Result<(), Box<dyn Error>> {
    let path = args.model.display();
    let swept = Document::read(&args.model)?;
    let model = swept.model.ok_or_else(|| {
        format!("{path}: no model in it; make one with sgperf sweep --json, without --only, and see its notes")
    })?;
    let setting = setting(args, &model.usual)?;
    let server = Server { workers: args.cores, crypto: args.crypto_cores, ghz: args.ghz.unwrap_or(model.ghz) };
    let prediction = model.predict(&server, &setting)?;
    if args.json {
        return document(&prediction, &model).print(true);
    }
    let machine = &swept.run.machine;
    println!(
        "{} workers, {} crypto threads, {:.2} GHz; {:.0} % signed",
        server.workers,
        server.crypto,
        server.ghz,
        setting.signed * 100.0
    );
    println!(
        "{:.0} octets, {:.0} % short messages, {} peers, {} keys, {} prefixes, bursts of {}",
        setting.octets,
        setting.sms * 100.0,
        setting.peers,
        setting.keys,
        setting.prefixes,
        setting.burst
    );
    println!("by {path}: {}, {:.2} GHz, commit {}\n", machine.processor, model.ghz, machine.commit);
    let line = |name: &str, range: &Range, unit: &str| {
        println!("{name:<34} {:>12.0} {:>12.0} {:>12.0} {unit}", range.middle, range.low, range.high);
    };
    println!("{:<34} {:>12} {:>12} {:>12}", "", "", "95 % from", "to");
    line("messages a second", &prediction.per_second, "/s");
    line("a worker's time for a message", &prediction.worker_ns, "ns");
    if let Some(crypto) = &prediction.crypto_ns {
        line("a crypto thread's for a signature", crypto, "ns");
    }
    if setting.signed > 0.0 && server.crypto > 0 {
        println!(
            "what there is too little of: {}",
            if prediction.bound_by_crypto { "crypto threads" } else { "workers" }
        );
    }
    println!();
    for beyond in &prediction.beyond {
        println!("warning: beyond what was measured, so the interval does not hold: {beyond}");
    }
    if let Some((workers, pace)) = model.side_by_side {
        println!(
            "measured: {workers} workers beside each other have {:.1} % of the pace of one alone each",
            pace * 100.0
        );
    }
    for assumption in ASSUMPTIONS {
        println!("assumed: {assumption}");
    }
    Ok(())
}

fn setting(args: &Predict, usual: &Setting) -> Result<Setting, Box<dyn Error>> {
    let count = |given: Option<u32>, usual: f64| given.map_or(usual, f64::from);
    let setting = Setting {
        signed: args.signed,
        offload: args.crypto_cores > 0,
        burst: count(args.burst, usual.burst),
        octets: args.octets.unwrap_or(usual.octets),
        sms: args.sms.unwrap_or(usual.sms),
        peers: count(args.peers, usual.peers),
        keys: count(args.keys, usual.keys),
        prefixes: count(args.prefixes, usual.prefixes),
    };
    for (name, share) in [("--signed", setting.signed), ("--sms", setting.sms)] {
        if !(0.0..=1.0).contains(&share) {
            return Err(format!("{name} {share}: a share is 0 to 1").into());
        }
    }
    for (name, count) in [("--peers", setting.peers), ("--keys", setting.keys), ("--prefixes", setting.prefixes)] {
        if count < 1.0 {
            return Err(format!("{name} {count}: give 1 or more").into());
        }
    }
    if !(1.0..=32.0).contains(&setting.burst) {
        return Err(format!("--burst {}: a turn takes 1 to 32 frames of a port", setting.burst).into());
    }
    if !(setting.octets.is_finite() && setting.octets > 0.0) {
        return Err(format!("--octets {}: give the length of a frame", setting.octets).into());
    }
    Ok(setting)
}

fn document(prediction: &Prediction, model: &Model) -> Document {
    let mut document = Document::begin("predict");
    // No samples: lowest and highest are the ends of an interval.
    let figure = |range: &Range, unit: &str| Figure {
        median: range.middle,
        low: range.low,
        high: range.high,
        spread: 0.0,
        unit: unit.to_owned(),
        samples: Vec::new(),
    };
    document.figures.insert("predicted_msgs_per_s".to_owned(), figure(&prediction.per_second, "/s"));
    document.figures.insert("predicted_worker_ns".to_owned(), figure(&prediction.worker_ns, "ns"));
    if let Some(crypto) = &prediction.crypto_ns {
        document.figures.insert("predicted_crypto_ns".to_owned(), figure(crypto, "ns"));
    }
    document
        .notes
        .push("predicted by a model, not measured; low and high are the ends of the 95 % interval".to_owned());
    let beyond = prediction.beyond.iter();
    document
        .notes
        .extend(beyond.map(|beyond| format!("beyond what was measured, so the interval does not hold: {beyond}")));
    document.notes.extend(ASSUMPTIONS.iter().map(|assumption| format!("assumed: {assumption}")));
    document.notes.push(format!("clock of the machine that was measured: {} GHz", model.ghz));
    document
}
