//! `sealgate reload`: a running gateway reads its files again.

use super::door::Door;
use super::{CliError, print};
use crate::admin::{self, Request};
use serde_json::Value;
use std::fmt::Write;
use std::process::ExitCode;
use std::time::Duration;

/// How long a reload may take: a policy of a million prefixes is read in seconds.
const PATIENCE: Duration = Duration::from_secs(300);

const MANUAL: &str = "\
Policy, private keys, certificates, revocation lists and trust anchors are read again, compiled, checked against the policy's \
examples and put into force in one step; no message is lost or judged by a mixture of both. If anything is wrong, nothing \
changes and the status is 2. Cores, ports, memory, crypto, admin and the repository's section take effect at the next start; so do \
the keys that it names. SIGHUP does the same; the log says how it went.";

/// Arguments of `sealgate reload`.
#[derive(Debug, clap::Args)]
#[command(after_help = MANUAL)]
pub struct Args {
    #[command(flatten)]
    door: Door,
    /// Print what happened as JSON.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
/// # Errors
/// No gateway answers (status 1), or what it read has faults (status 2).
pub fn run(args: Args) -> Result<ExitCode, CliError> {
    // The socket alone is asked for: a policy with faults is the gateway's to report.
    let socket = args.door.socket()?;
    let reply = admin::whole(&socket, &Request::new("reload", ""), PATIENCE)?;
    let refused = reply.get("ok").and_then(Value::as_bool) != Some(true);
    let text = match (args.json, reply.get("error").and_then(Value::as_str)) {
        (true, _) => format!("{reply:#}\n"),
        (false, Some(error)) => {
            let message = format!("{error}\nnothing has changed");
            return Err(CliError::new(
                message,
                "mend the files and reload again; sealgate check shows the same faults",
            )
            .with_code(CliError::CONFIGURATION));
        }
        (false, None) => words(reply.get("data").unwrap_or(&Value::Null)),
    };
    print(&text);
    Ok(if refused { ExitCode::from(CliError::CONFIGURATION) } else { ExitCode::SUCCESS })
}

fn words(data: &Value) -> String {
    let list = |key: &str| data.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
    let number = |key: &str| data.get(key).and_then(Value::as_u64).unwrap_or_default();
    let mut out = String::new();
    for warning in list("warnings") {
        let _ = writeln!(out, "warning: {}", warning.as_str().unwrap_or_default());
    }
    for change in list("changes") {
        let _ = writeln!(out, "{}", crate::diff::Change::from_json(&change));
    }
    for key in list("next_start") {
        let _ = writeln!(out, "takes effect at the next start: {}", key.as_str().unwrap_or_default());
    }
    let workers = data.get("workers_us").and_then(Value::as_u64);
    let _ = writeln!(
        out,
        "generation {} in force: {} change(s), {} example(s) as expected, read and compiled in {} ms{}",
        number("generation"),
        list("changes").len(),
        number("examples"),
        number("took_us") / 1000,
        workers.map_or(String::new(), |us| format!(", all workers moved on within {us} us"))
    );
    out
}
