//! `sealgate check`: all that is wrong with a configuration, before it runs.

use super::{CliError, print};
use crate::gather::{Gathered, Problems};
use crate::ports;
use sealgate_config::cores::CoreMap;
use sealgate_config::model::Policy;
use sealgate_dataplane::engine::now_ms;
use sealgate_dataplane::io::eal_args::Facts;
use sealgate_dataplane::policy::rules::Rules;
use sealgate_dataplane::policy::snapshot::PeerId;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::path::PathBuf;
use std::process::ExitCode;

/// Arguments of `sealgate check`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The appliance file; policy and trust directories are those that it names.
    config: PathBuf,
    /// Print what holds, every key given, those left out with their defaults.
    #[arg(long)]
    effective: bool,
    /// Take any core for present: for a file that is meant for another machine.
    #[arg(long)]
    elsewhere: bool,
    /// Print faults and warnings as JSON.
    #[arg(long)]
    json: bool,
}

/// Runs the command: status 0, or 2 with faults.
/// # Errors
/// None; faults are what it prints.
pub fn run(args: Args) -> Result<ExitCode, CliError> {
    let cpus = (!args.elsewhere).then(|| Facts::read().cpus);
    let now = i64::try_from(now_ms() / 1000).unwrap_or(i64::MAX);
    let read = Gathered::read(&args.config, cpus.as_deref(), now);
    let (text, json, code) = match &read {
        Ok(gathered) => good(&args, gathered, cpus.as_deref()),
        Err(problems) => bad(problems),
    };
    print(&if args.json { format!("{json:#}\n") } else { text });
    Ok(ExitCode::from(code))
}

fn good(args: &Args, gathered: &Gathered, cpus: Option<&[usize]>) -> (String, Value, u8) {
    let Gathered { appliance, policy, trust, .. } = gathered;
    let mut warnings = gathered.warnings.clone();
    warnings.extend(CoreMap::new(&appliance.cores, cpus).warnings());
    // Another build on the machine that it is meant for may have what this one lacks.
    warnings.extend(ports::check_build(appliance).err().map(|error| error.message));
    let effective = args.effective.then(|| {
        format!(
            "# {}\n{}\n# {}\n{}",
            args.config.display(),
            appliance.to_yaml(),
            appliance.policy.display(),
            policy.to_yaml()
        )
    });
    let mut text = String::new();
    for warning in &warnings {
        text.push_str(&format!("warning: {warning}\n"));
    }
    match &effective {
        // Comments, so that the output is still YAML.
        Some(yaml) => text = text.lines().map(|line| format!("# {line}\n")).collect::<String>() + yaml,
        None => text.push_str(&format!(
            "{}: good: {} link(s), {} peer(s), {} signer(s), {} worker(s){}\n",
            args.config.display(),
            policy.links.len(),
            policy.peers.len(),
            trust.signers.len(),
            appliance.cores.workers.len(),
            compiled(policy)
        )),
    }
    let json = json!({ "ok": true, "faults": [], "warnings": warnings, "effective": effective });
    (text, json, 0)
}

/// What rules come to, if there are any.
fn compiled(policy: &Policy) -> String {
    if policy.rules.is_empty() {
        return String::new();
    }
    let places: HashMap<&str, PeerId> = policy.peers.iter().map(|peer| peer.name.as_str()).zip(1..).collect();
    let report = Rules::new(&policy.rules, policy.defaults.unmatched, |name| places.get(name).copied()).report();
    format!(
        "\n{} rule(s) with {} value(s) take {} KiB and were compiled in {:.1} ms",
        report.rules,
        report.values,
        report.octets.div_ceil(1024),
        report.took.as_secs_f64() * 1e3
    )
}

fn bad(problems: &Problems) -> (String, Value, u8) {
    let mut text = format!("{problems}\n");
    for warning in &problems.warnings {
        text.push_str(&format!("warning: {warning}\n"));
    }
    let count = problems.faults.len();
    text.push_str(&format!("{count} fault{}\n", if count == 1 { "" } else { "s" }));
    let faults = problems.to_json();
    let json = json!({ "ok": false, "faults": faults, "core_map": problems.core_map, "warnings": problems.warnings });
    (text, json, CliError::CONFIGURATION)
}
