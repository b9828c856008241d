//! `sealgate log-level`, `drain` and `stop`: orders to a running gateway.

use super::door::Door;
use super::{CliError, print};
use crate::admin;
use std::process::ExitCode;

/// Where it is.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    door: Door,
}

/// Has it receive nothing more, and waits until what was in hand has left.
/// # Errors
/// No gateway answers.
pub fn drain(args: Args) -> Result<ExitCode, CliError> {
    let socket = args.door.socket()?;
    let how = admin::request(&socket, "drain", "")?;
    let late = how.get("late").and_then(serde_json::Value::as_u64).unwrap_or(0);
    if late > 0 {
        print(&format!("drained; {late} worker(s) still held frames at the deadline, which were dropped\n"));
    } else {
        print("drained; it forwards nothing more until it is started again\n");
    }
    Ok(ExitCode::SUCCESS)
}

/// Has it stop.
/// # Errors
/// No gateway answers.
pub fn stop(args: Args) -> Result<ExitCode, CliError> {
    let socket = args.door.socket()?;
    admin::request(&socket, "stop", "")?;
    print("it stops; its log says how that went\n");
    Ok(ExitCode::SUCCESS)
}

/// Arguments of `sealgate log-level`.
#[derive(Debug, clap::Args)]
pub struct Level {
    /// A level, and levels by module after commas, as info or warn,sealgate_control::tsca=debug; left out: says which is in
    /// force.
    level: Option<String>,
    #[command(flatten)]
    at: Args,
}

/// Changes what it logs, until its next start.
/// # Errors
/// No gateway answers, or the level is none.
pub fn level(args: Level) -> Result<ExitCode, CliError> {
    let socket = args.at.door.socket()?;
    let said = admin::request(&socket, "log-level", args.level.as_deref().unwrap_or_default())?;
    print(&format!("{}\n", said.get("level").and_then(serde_json::Value::as_str).unwrap_or_default()));
    Ok(ExitCode::SUCCESS)
}
