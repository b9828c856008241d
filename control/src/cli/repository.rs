//! `sealgate repository`: tells a running gateway to look at its repository, or to take what it holds back.

use super::door::Door;
use super::{CliError, print};
use crate::admin;
use clap::Subcommand;
use std::process::ExitCode;

/// Arguments of `sealgate repository`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
    #[command(flatten)]
    door: Door,
}

#[derive(Clone, Copy, Debug, Subcommand)]
enum Verb {
    /// Look now, instead of at the next poll.
    Look,
    /// Agree that more operators go at once than trust.repository.max_shrink_percent allows.
    Confirm,
}

/// Runs the command.
/// # Errors
/// No gateway answers, it follows no repository, or nothing is held back.
pub fn run(args: Args) -> Result<ExitCode, CliError> {
    let socket = args.door.socket()?;
    let what = match args.verb {
        Verb::Look => "look",
        Verb::Confirm => "confirm",
    };
    admin::request(&socket, "repository", what)?;
    print("done; sealgate show repository says what came of it\n");
    Ok(ExitCode::SUCCESS)
}
