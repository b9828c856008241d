//! The command line: a verb a file.

pub mod tsca;

use std::fmt;

/// Why a command failed, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CliError {
    /// What is wrong, without a full stop.
    pub message: String,
    /// What to do, if there is something to say.
    pub remedy: Option<String>,
}

impl CliError {
    /// An error with its remedy.
    pub fn new(message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { message: message.into(), remedy: Some(remedy.into()) }
    }
}

impl fmt::Display for CliError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", self.message)?;
        self.remedy.as_ref().map_or(Ok(()), |remedy| write!(f, "\n  {remedy}"))
    }
}

impl std::error::Error for CliError {}
