//! Which gateway a command is for.

use super::CliError;
use sealgate_config::Admin;
use std::path::{Path, PathBuf};

/// The gateway that is meant.
#[derive(Clone, Debug, clap::Args)]
pub struct Door {
    /// The gateway's admin socket [default: the one of --config, or /run/sealgate/admin.sock].
    #[arg(long, global = true, value_name = "PATH", conflicts_with = "config")]
    socket: Option<PathBuf>,
    /// The gateway's appliance file, which names its socket.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl Door {
    /// Its admin socket.
    /// # Errors
    /// The configuration cannot be read.
    pub fn socket(&self) -> Result<PathBuf, CliError> {
        socket(self.socket.as_deref(), self.config.as_deref())
    }
}

/// The admin socket that is meant.
/// # Errors
/// The configuration cannot be read.
pub(super) fn socket(socket: Option<&Path>, config: Option<&Path>) -> Result<PathBuf, CliError> {
    match (socket, config) {
        (Some(socket), _) => Ok(socket.to_owned()),
        (None, Some(file)) => {
            let faults = |faults: sealgate_config::Faults| {
                CliError::new(faults.to_string(), "or name the socket with --socket").with_code(CliError::CONFIGURATION)
            };
            Ok(sealgate_config::load_appliance(file).map_err(faults)?.admin.socket)
        }
        (None, None) => Ok(Admin::default().socket),
    }
}
