//! `sgperf loop`: what a message costs on one core, over ports in memory.

use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use sealgate_config::model::Mode;
use sealgate_crypto::alg::Alg;
use sealgate_crypto::keyring::KeyRing;
use sealgate_crypto::pool::PoolConfig;
use sealgate_crypto::tables::Tier;
use sealgate_dataplane::pipeline::worker::Stage;
use sealgate_perf::attack;
use sealgate_perf::crypto;
use sealgate_perf::gateway::{Gateway, operator_key};
use sealgate_perf::measure::{self, Outcome};
use sealgate_perf::pool::{self, Load};
use sealgate_perf::sync::{self, Turns};
use sealgate_perf::traffic;
use serde_json::json;

/// Measures what Sealgate costs.
#[derive(Parser)]
#[command(version, about)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Nanoseconds per message by stage, and messages per second of the whole turn, on one core.
    ///
    /// Frames come from memory and go nowhere: the same worker turn as in the product, without a port's cost. Each
    /// figure is the median of the rounds; the spread is the lowest and the highest.
    Loop(Loop),
    /// Verification engines against aws-lc-rs, by algorithm, keys and batch, then the pool; all in one process, in turns.
    Crypto(Crypto),
    /// Verifications per second through the crypto pool, against the bare engine and aws-lc-rs, all in one run.
    Pool(Pool),
    /// What an attacker takes from honest peers at one crypto thread: garbage, forced exceptions, dear algorithms.
    Attack(Attack),
    /// Whether a sync of thousands of operators makes any turn of a worker longer.
    Sync(Sync),
    /// Judges unsigned messages and prints nothing else: for callgrind and profilers.
    Once {
        /// Turns of up to 32 messages.
        #[arg(long, default_value_t = 1000)]
        turns: u32,
    },
}

#[derive(Args)]
struct Loop {
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

#[derive(Args)]
struct Crypto {
    /// Algorithms: p256, ed25519, p384.
    #[arg(long, value_delimiter = ',', default_value = "p256,ed25519,p384")]
    algs: Vec<Alg>,
    /// Numbers of keys, drawn uniformly. 10000 of P-256 take 2.5 GiB of tables.
    #[arg(long, value_delimiter = ',', default_value = "1,100,1000")]
    keys: Vec<usize>,
    /// Signatures asked at a time.
    #[arg(long, value_delimiter = ',', default_value = "1,8,32,64,256")]
    batches: Vec<usize>,
    /// Distinct signatures.
    #[arg(long, default_value_t = 40_000)]
    requests: usize,
    /// Width of the keys' tables: small, base or wide.
    #[arg(long, default_value = "base", value_parser = tier)]
    tier: Tier,
    /// Window of the generators' tables, 4 to 16 bits.
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u32).range(4..=16))]
    base_window: u32,
    /// Pairs of slices of each figure.
    #[arg(long, default_value_t = 31)]
    rounds: usize,
    /// Milliseconds of a slice.
    #[arg(long, default_value_t = 2)]
    ms: u64,
    /// Core to stay on; the pool's thread takes the other one of 0 and 1.
    #[arg(long, default_value_t = 1)]
    core: usize,
    /// Leave the pool out.
    #[arg(long)]
    no_pool: bool,
    /// Print JSON: `p256_ratio_b32_k1000` and so on, `pool_p256_per_s`.
    #[arg(long)]
    json: bool,
}

fn tier(name: &str) -> Result<Tier, String> {
    let tiers = Tier::ALL.into_iter().filter(|tier| *tier != Tier::None);
    tiers.into_iter().find(|tier| tier.name() == name).ok_or_else(|| "small, base or wide".to_owned())
}

fn crypto(args: &Crypto) -> Result<(), Box<dyn Error>> {
    if !core_affinity::set_for_current(core_affinity::CoreId { id: args.core }) {
        return Err(format!("core {} is not available; choose another with --core", args.core).into());
    }
    let plan = crypto::Plan {
        algs: args.algs.clone(),
        keys: args.keys.clone(),
        batches: args.batches.iter().map(|batch| (*batch).max(1)).collect(),
        requests: args.requests.max(1),
        rounds: args.rounds.max(1),
        slice: Duration::from_millis(args.ms),
        tier: args.tier,
        base_window: args.base_window,
    };
    let cases = crypto::measure(&plan, |alg, keys| eprintln!("measuring {alg} with {keys} keys"))?;
    let mut object = serde_json::Map::new();
    if !args.json {
        println!(
            "{:>8} {:>6} {:>10} {:>9}  ratio to aws-lc-rs (microseconds) by batch",
            "", "keys", "KiB a key", "us a key"
        );
    }
    for case in &cases {
        let prefix = format!("{}_k{}", case.alg, case.keys);
        object.insert(format!("{prefix}_table_octets"), json!(case.table_octets));
        object.insert(format!("{prefix}_build_us"), json!(case.build_us));
        let mut line =
            format!("{:>8} {:>6} {:>10} {:>9.0} ", case.alg.name(), case.keys, case.table_octets / 1024, case.build_us);
        for row in &case.rows {
            let name = |what: &str| format!("{}_{what}_b{}_k{}", case.alg, row.batch, case.keys);
            object.insert(name("ratio"), json!(row.ratio));
            object.insert(name("ratio_median"), json!(row.ratio_median));
            object.insert(name("us"), json!(row.us));
            object.insert(name("reference_us"), json!(row.reference_us));
            object.insert(name("core"), json!(row.core));
            line += &format!(" {}: {:.1} ({:.1})", row.batch, row.ratio, row.us);
        }
        if !args.json {
            println!("{line}");
        }
    }
    let core = cases.iter().flat_map(|case| &case.rows).map(|row| row.core).fold(f64::INFINITY, f64::min);
    object.insert("core_least".to_owned(), json!(core));
    if !args.json {
        println!("the core ran at {:.0} % of its best or more around these slices", 100.0 * core);
    }
    if !args.no_pool {
        let load = Load::new(100)?;
        let speeds = pool::measure(&load, args.core, 1 - args.core.min(1), args.rounds.min(15), 100)?;
        object.insert("bare_p256_per_s".to_owned(), json!(speeds.bare));
        object.insert("pool_p256_per_s".to_owned(), json!(speeds.pool));
        object.insert("pool_p256_per_s_wall".to_owned(), json!(speeds.pool_wall));
        object.insert("pool_to_bare".to_owned(), json!(speeds.pool / speeds.bare));
        object.insert("inline_p256_per_s".to_owned(), json!(speeds.inline));
        if !args.json {
            println!(
                "pool of one thread, 100 keys: {:.0} /s, {:.0} % of the engine alone",
                speeds.pool,
                100.0 * speeds.pool / speeds.bare
            );
        }
    }
    if args.json {
        println!("{}", serde_json::to_string_pretty(&object)?);
    }
    Ok(())
}

#[derive(Args)]
struct Pool {
    /// Keys, drawn at random; each has a table of the middle width.
    #[arg(long, default_value_t = 100)]
    keys: usize,
    /// Rounds, each of all measurements in turn.
    #[arg(long, default_value_t = 15)]
    rounds: usize,
    /// Milliseconds of each measurement.
    #[arg(long, default_value_t = 100)]
    ms: u64,
    /// Core of the worker.
    #[arg(long, default_value_t = 0)]
    worker: usize,
    /// Core of the crypto thread.
    #[arg(long, default_value_t = 1)]
    crypto: usize,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

fn pool(args: &Pool) -> Result<(), Box<dyn Error>> {
    let load = Load::new(args.keys)?;
    let speeds = pool::measure(&load, args.worker, args.crypto, args.rounds, args.ms)?;
    let to_bare = |speed: f64| speed / speeds.bare;
    if args.json {
        println!(
            "{}",
            json!({ "keys": args.keys, "reference_p256_per_s": speeds.reference, "bare_p256_per_s": speeds.bare,
                "pool_p256_per_s": speeds.pool, "pool_p256_per_s_wall": speeds.pool_wall, "inline_p256_per_s": speeds.inline,
                "pool_to_bare": to_bare(speeds.pool), "inline_to_bare": to_bare(speeds.inline),
                "bare_to_reference": speeds.bare / speeds.reference })
        );
    } else {
        println!("P-256, {} keys, per second of one core:", args.keys);
        for (name, speed) in [
            ("aws-lc-rs", speeds.reference),
            ("engine alone", speeds.bare),
            ("pool, crypto thread", speeds.pool),
            ("the same by the clock", speeds.pool_wall),
            ("inline, with hash", speeds.inline),
        ] {
            println!("{name:>22} {speed:>10.0} /s  {:>5.1} %", 100.0 * to_bare(speed));
        }
    }
    Ok(())
}

#[derive(Args)]
struct Attack {
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

fn attack(args: &Attack) -> Result<(), Box<dyn Error>> {
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

#[derive(Args)]
struct Sync {
    /// Operators, with a certificate and a key each.
    #[arg(long, default_value_t = 10_000)]
    operators: usize,
    /// Rounds: quiet, then a sync.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Milliseconds of a quiet phase.
    #[arg(long, default_value_t = 3000)]
    ms: u64,
    /// Core of the worker.
    #[arg(long, default_value_t = 0)]
    core: usize,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

fn sync(args: &Sync) -> Result<(), Box<dyn Error>> {
    let operators = sync::operators(args.operators)?;
    let mut rounds = Vec::new();
    if !args.json {
        println!(
            "{} operators; microseconds of a worker's turn{:>13} {:>9} {:>9} {:>9} {:>9} {:>10}",
            args.operators, "p50", "p99", "p99.9", "longest", "turns", "interrupted"
        );
    }
    for _ in 0..args.rounds.max(1) {
        let outcome = sync::measure(&operators, args.core, Duration::from_millis(args.ms))?;
        let mut round = serde_json::Map::new();
        for (phase, turns) in [("quiet", &outcome.quiet), ("sync", &outcome.sync)] {
            for (by, sorted) in [("cpu", &turns.cpu_ns), ("clock", &turns.clock_ns)] {
                let [p50, p99, p999, longest] = [500, 990, 999, 1000].map(|of| Turns::at(sorted, of));
                for (name, value) in [("p50", p50), ("p99", p99), ("p999", p999), ("longest", longest)] {
                    round.insert(format!("{phase}_{by}_{name}_us"), json!(value));
                }
                if !args.json {
                    println!(
                        "{phase:>20}, {by:<28} {p50:>9.1} {p99:>9.1} {p999:>9.1} {longest:>9.1} {:>9} {:>10}",
                        sorted.len(),
                        turns.taken_away
                    );
                }
            }
            round.insert(format!("{phase}_interrupted"), json!(turns.taken_away));
        }
        let (published, whole) = (outcome.published.as_secs_f64(), outcome.sync.elapsed.as_secs_f64());
        round.insert("published_s".to_owned(), json!(published));
        round.insert("tables_s".to_owned(), json!(whole));
        if !args.json {
            println!("{:>20}  published after {published:.1} s, {} tables after {whole:.1} s", "", outcome.tables);
        }
        rounds.push(round);
    }
    if args.json {
        println!("{}", serde_json::to_string_pretty(&rounds)?);
    }
    Ok(())
}

fn main() -> ExitCode {
    let done = match Cli::parse().verb {
        Verb::Loop(args) => run(&args),
        Verb::Crypto(args) => crypto(&args),
        Verb::Pool(args) => pool(&args),
        Verb::Attack(args) => attack(&args),
        Verb::Sync(args) => sync(&args),
        Verb::Once { turns } => once(turns),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("error: {fault}");
            ExitCode::FAILURE
        }
    }
}

fn once(turns: u32) -> Result<(), Box<dyn Error>> {
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

fn run(args: &Loop) -> Result<(), Box<dyn Error>> {
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
