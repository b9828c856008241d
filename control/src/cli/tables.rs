//! `sealgate tables`: the tables of the built-in checks, as files that an operator can keep, change and name in the policy.

use super::{CliError, print};
use std::path::PathBuf;
use std::process::ExitCode;

use sealgate_config::tables::{CAP, DIAMETER, MAP};

/// Arguments of `sealgate tables`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Which one.
    table: Table,
    /// Print what holds with this appliance file: what its policy's `tables` make of Sealgate's own.
    #[arg(long)]
    config: Option<PathBuf>,
}

/// A table by its key in the policy.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Table {
    /// Operations and application contexts of MAP.
    Map,
    /// The same of CAP.
    Cap,
    /// Diameter applications and commands.
    Diameter,
}

/// Runs the command.
/// # Errors
/// All that is wrong with the configuration.
pub fn run(args: Args) -> Result<ExitCode, CliError> {
    let Some(config) = args.config else {
        print(match args.table {
            Table::Map => MAP,
            Table::Cap => CAP,
            Table::Diameter => DIAMETER,
        });
        return Ok(ExitCode::SUCCESS);
    };
    let (_, policy) = sealgate_config::load(&config, None).map_err(|faults| CliError {
        message: faults.to_string(),
        remedy: None,
        code: CliError::CONFIGURATION,
    })?;
    print(&match args.table {
        Table::Map => policy.tables.map.to_yaml(),
        Table::Cap => policy.tables.cap.to_yaml(),
        Table::Diameter => policy.tables.diameter_to_yaml(),
    });
    Ok(ExitCode::SUCCESS)
}
