//! `sgperf crypto`: engines against aws-lc-rs.

use clap::Args;
use sealgate_crypto::alg::Alg;
use sealgate_crypto::tables::Tier;
use sealgate_perf::crypto::{self, Case};
use sealgate_perf::pool::{self, Load};
use sealgate_perf::record::{Document, Figure};
use std::error::Error;
use std::time::Duration;

#[derive(Args)]
pub struct Crypto {
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

pub fn run(args: &Crypto) -> Result<(), Box<dyn Error>> {
    // Before this thread stays on one core: a document says how many there are.
    let mut document = Document::begin("crypto");
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
    if !args.json {
        println!(
            "{:>8} {:>6} {:>10} {:>9}  ratio to aws-lc-rs (microseconds) by batch, medians",
            "", "keys", "KiB a key", "us a key"
        );
    }
    for case in &cases {
        let line = tell(case, &mut document);
        if !args.json {
            println!("{line}");
        }
    }
    let rows = || cases.iter().flat_map(|case| &case.rows);
    let core = rows().map(|row| Figure::new("", row.core.clone()).median).fold(f64::INFINITY, f64::min);
    document.add("core_least", "", core);
    if !args.json {
        println!("the core ran at {:.0} % of its best or more around these slices", 100.0 * core);
    }
    if !args.no_pool {
        let load = Load::new(100)?;
        pool::measure(&load, args.core, 1 - args.core.min(1), args.rounds.clamp(1, 15), 100)?.tell(&mut document);
        let median = |name| document.median(name).unwrap_or(f64::NAN);
        if !args.json {
            println!(
                "pool of one thread, 100 keys: {:.0} /s, {:.0} % of the engine alone",
                median("pool_p256_per_s"),
                100.0 * median("pool_to_bare")
            );
        }
    }
    if args.json { document.print(true) } else { Ok(()) }
}

/// Adds a case to the document; returns its line for people.
fn tell(case: &Case, document: &mut Document) -> String {
    let Case { alg, keys, table_octets, build_us, rows } = case;
    document.add(&format!("{alg}_k{keys}_table_octets"), "octets", *table_octets as f64);
    document.add(&format!("{alg}_k{keys}_build_us"), "us", *build_us);
    let mut line = format!("{:>8} {keys:>6} {:>10} {build_us:>9.0} ", alg.name(), table_octets / 1024);
    for row in rows {
        let mut add = |what: &str, unit: &str, samples: &[f64]| {
            let name = format!("{alg}_{what}_b{}_k{keys}", row.batch);
            samples.iter().for_each(|sample| document.add(&name, unit, *sample));
            document.median(&name).unwrap_or(f64::NAN)
        };
        let (ratio, us) = (add("ratio", "", &row.ratio), add("us", "us", &row.us));
        add("reference_us", "us", &row.reference_us);
        add("core", "", &row.core);
        line += &format!(" {}: {ratio:.1} ({us:.1})", row.batch);
    }
    line
}
