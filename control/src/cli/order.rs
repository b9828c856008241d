//! `sealgate drain` and `sealgate stop`: orders to a running gateway.

use super::{CliError, print, show};
use crate::admin;
use std::path::PathBuf;
use std::process::ExitCode;

/// Arguments of both.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The gateway's admin socket [default: the one of --config, or /run/sealgate/admin.sock].
    #[arg(long, value_name = "PATH", conflicts_with = "config")]
    socket: Option<PathBuf>,
    /// The gateway's appliance file, which names its socket.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Has it receive nothing more, and waits until what was in hand has left.
/// # Errors
/// No gateway answers.
pub fn drain(args: Args) -> Result<ExitCode, CliError> {
    let socket = show::socket(args.socket.as_deref(), args.config.as_deref())?;
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
    let socket = show::socket(args.socket.as_deref(), args.config.as_deref())?;
    admin::request(&socket, "stop", "")?;
    print("it stops; its log says how that went\n");
    Ok(ExitCode::SUCCESS)
}
