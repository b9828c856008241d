//! `sealgate diff`: what a new policy would change.

use super::whatif::Verdicts;
use super::{CliError, door, print};
use crate::admin;
use crate::diff::{Change, changes};
use crate::report::What;
use sealgate_config::model::Policy;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const MANUAL: &str = "\
Without --against the new policy is compared with the one in force in the running gateway. With a capture (pcap or pcapng, both \
directions) each of its messages is judged under both policies, with the certificates and keys that --config names, and those \
whose verdict differs are counted.";

/// Arguments of `sealgate diff`.
#[derive(Debug, clap::Args)]
#[command(after_help = MANUAL)]
pub struct Args {
    /// The new policy file [default: the one that --config names].
    #[arg(value_name = "NEW.yaml", required_unless_present = "config")]
    new: Option<PathBuf>,
    /// The policy file to compare it with, instead of what is in force.
    #[arg(long, value_name = "OLD.yaml")]
    against: Option<PathBuf>,
    /// The appliance file: it names the socket, the policy, and the certificates for a capture.
    #[arg(long, value_name = "SEALGATE.yaml")]
    config: Option<PathBuf>,
    /// The gateway's admin socket [default: the one of --config, or /run/sealgate/admin.sock].
    #[arg(long, value_name = "PATH")]
    socket: Option<PathBuf>,
    /// Judge this capture under both.
    #[arg(long, value_name = "IN.pcap", requires = "config")]
    pcap: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
/// # Errors
/// A policy with faults (status 2), no gateway that answers, or a capture that cannot be read.
pub fn run(args: Args) -> Result<ExitCode, CliError> {
    let new = match (&args.new, &args.config) {
        (Some(new), _) => load(new)?,
        (None, Some(config)) => load(&sealgate_config::load_appliance(config).map_err(faults)?.policy)?,
        (None, None) => return Err(CliError::new("no policy", "give NEW.yaml or --config SEALGATE.yaml")),
    };
    let old = match &args.against {
        Some(old) => load(old)?,
        None => in_force(&door::socket(args.socket.as_deref(), args.config.as_deref())?)?,
    };
    let found = changes(&old, &new);
    let verdicts = match (&args.pcap, &args.config) {
        (Some(pcap), Some(config)) => Some(Verdicts::of(pcap, config, &old, &new)?),
        _ => None,
    };
    let text = if args.json {
        let changes: Vec<_> = found.iter().map(Change::to_json).collect();
        format!("{:#}\n", json!({ "changes": changes, "verdicts": verdicts.as_ref().map(Verdicts::to_json) }))
    } else {
        let mut text = found.iter().map(|change| format!("{change}\n")).collect::<String>();
        text.push_str(&match found.len() {
            0 => "the policies say the same\n".to_owned(),
            1 => "1 change\n".to_owned(),
            count => format!("{count} changes\n"),
        });
        text + &verdicts.as_ref().map(|verdicts| format!("\n{verdicts}")).unwrap_or_default()
    };
    print(&text);
    Ok(ExitCode::SUCCESS)
}

fn faults(faults: sealgate_config::Faults) -> CliError {
    CliError::new(
        faults.to_string().trim_end().to_owned(),
        "sealgate check shows all that is wrong with a configuration",
    )
    .with_code(CliError::CONFIGURATION)
}

pub(super) fn load(path: &Path) -> Result<Policy, CliError> {
    sealgate_config::load_policy(path).map_err(faults)
}

/// The policy that a running gateway has.
pub(super) fn in_force(socket: &Path) -> Result<Policy, CliError> {
    let document = admin::ask(socket, What::Policy)?;
    let yaml = document.get("yaml").and_then(Value::as_str).unwrap_or_default();
    sealgate_config::parse_policy(yaml, "the policy in force")
        .map_err(|faults| CliError::new(faults.to_string(), "are both of one version?"))
}
