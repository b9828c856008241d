//! `sgperf crypto`: engines against aws-lc-rs.

use clap::Args;
use sealgate_crypto::alg::Alg;
use sealgate_crypto::tables::Tier;
use sealgate_perf::crypto;
use sealgate_perf::pool::{self, Load};
use serde_json::json;
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
