//! The command line: a verb a file.

pub mod check;
pub mod demo;
pub mod diff;
mod door;
pub mod enrol;
pub mod explain;
pub mod order;
pub mod reload;
pub mod replay;
pub mod repository;
pub mod run;
pub mod show;
mod table;
pub mod tables;
pub mod trace;
pub mod tsca;
pub mod whatif;

use clap::{Parser, Subcommand};
use std::fmt;
use std::process::ExitCode;

/// A Signalling Security Gateway: verifies, polices and signs SS7 signalling between operators (ITU-T Q.3057).
///
/// It stands between an interconnect port and a home port. What comes in must carry a signature by the operator that it
/// claims to come from; what is refused is overwritten in place, so that no association breaks. What goes out is signed.
#[derive(Debug, Parser)]
#[command(name = "sealgate", version, propagate_version = true, max_term_width = 100, after_help = EXAMPLES)]
struct Top {
    #[command(subcommand)]
    verb: Verb,
}

const EXAMPLES: &str = "\
First steps:
  sealgate tsca init /tmp/lab                  an authority for a laboratory
  sealgate tsca issue /tmp/lab op-a --gt 99902 an operator's key and certificate
  sealgate check sealgate.yaml                 all that is wrong with a configuration
  sealgate run sealgate.yaml                   forward; stop with Ctrl-C
  sealgate show --config sealgate.yaml         what it does
  sealgate trace --config sealgate.yaml        verdicts as they happen
  sealgate tsca publish /tmp/lab               a repository that gateways follow (trust.repository)

Exit status: 0 done, 1 failed, 2 wrong usage or configuration.
Logs go to standard error; SEALGATE_LOG=debug shows more, SEALGATE_LOG=warn less.";

#[derive(Debug, Subcommand)]
enum Verb {
    /// Run a gateway until it is stopped, or until its capture files end.
    Run(run::Args),
    /// Say all that is wrong with a configuration, its policy and its trust directories.
    Check(check::Args),
    /// Show what a running gateway does.
    Show(show::Args),
    /// Show verdicts of a running gateway as they happen.
    Trace(trace::Args),
    /// Say or change what a running gateway logs.
    LogLevel(order::Level),
    /// Have a running gateway receive nothing more and let go of what it holds; questions are still answered.
    Drain(order::Args),
    /// Have a running gateway stop, as SIGTERM does.
    Stop(order::Args),
    /// Tell a running gateway to look at its repository now, or to take what it holds back.
    Repository(repository::Args),
    /// Have a running gateway read policy, keys, certificates and revocation lists again.
    Reload(reload::Args),
    /// Show what a new policy would change: keys, and verdicts on a capture.
    Diff(diff::Args),
    /// Judge a capture under another policy, and say whose verdict would be another one.
    Whatif(whatif::Args),
    /// Get this gateway's certificate from an authority, or renew it: the key is made here and never leaves.
    Enrol(enrol::Args),
    /// Judge a capture file as a gateway would have, and write what would have left.
    Replay(replay::Args),
    /// Say why each message of a capture file passes or not, step by step.
    Explain(explain::Args),
    /// Print the tables of operations, application contexts and commands, to read them or to put yours in their place.
    Tables(tables::Args),
    /// See it work: three operators, a forger, and a gateway between them and HOME. Needs nothing prepared.
    Demo(demo::Args),
    /// Make and use an authority for a laboratory: keys, certificates, revocation lists.
    Tsca(tsca::Args),
}

/// Reads the command line and does what it says.
pub fn main() -> ExitCode {
    crate::fate::settle();
    let top = Top::parse();
    let done = match top.verb {
        Verb::Run(args) => run::run(args),
        Verb::Check(args) => check::run(args),
        Verb::Show(args) => show::run(args),
        Verb::Trace(args) => trace::run(args),
        Verb::LogLevel(args) => order::level(args),
        Verb::Drain(args) => order::drain(args),
        Verb::Stop(args) => order::stop(args),
        Verb::Repository(args) => repository::run(args),
        Verb::Reload(args) => reload::run(args),
        Verb::Diff(args) => diff::run(args),
        Verb::Whatif(args) => whatif::run(args),
        Verb::Enrol(args) => enrol::run(args).map(|()| ExitCode::SUCCESS),
        Verb::Replay(args) => replay::run(args).map(|()| ExitCode::SUCCESS),
        Verb::Explain(args) => explain::run(args).map(|()| ExitCode::SUCCESS),
        Verb::Tables(args) => tables::run(args),
        Verb::Demo(args) => demo::run(args).map(|()| ExitCode::SUCCESS),
        Verb::Tsca(args) => tsca::run(args).map(|()| ExitCode::SUCCESS),
    };
    done.unwrap_or_else(|error| {
        eprintln!("{error}");
        ExitCode::from(error.code)
    })
}

/// Why a command failed, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CliError {
    /// What is wrong, without a full stop.
    pub message: String,
    /// What to do, if there is something to say.
    pub remedy: Option<String>,
    /// Exit status: 1, or [`CliError::CONFIGURATION`].
    pub code: u8,
}

impl CliError {
    /// Exit status of wrong usage and of a configuration with faults.
    pub const CONFIGURATION: u8 = 2;

    /// An error with its remedy.
    pub fn new(message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { message: message.into(), remedy: Some(remedy.into()), code: 1 }
    }

    /// The same with this exit status.
    #[must_use]
    pub fn with_code(self, code: u8) -> Self {
        Self { code, ..self }
    }
}

impl fmt::Display for CliError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", self.message)?;
        self.remedy.as_ref().map_or(Ok(()), |remedy| write!(f, "\n  {remedy}"))
    }
}

impl std::error::Error for CliError {}

/// Writes to standard output. A reader that went away (`| head`) is no fault of ours.
fn print(text: &str) {
    use std::io::Write;
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent_and_each_verb_has_help() {
        let mut top = Top::command();
        top.build();
        top.clone().debug_assert();
        for verb in top.get_subcommands() {
            assert!(verb.get_about().is_some(), "{} has no help", verb.get_name());
        }
    }
}
