//! `sealgate trace`: verdicts of a running gateway as they happen.

use super::door::Door;
use super::show::more::verdict;
use super::{CliError, print};
use crate::admin::{self, Request, Words};
use clap::ValueEnum;
use std::process::ExitCode;

const MANUAL: &str = "\
A line a verdict: time, reason, the rule of the policy that decided it, direction, link, peer, TSN, calling > called Global Title with subsystem, TCAP type and operation \
codes. A frame that is dropped for its packet has no peer and no titles. Verdicts that come faster than they are read are left \
out and counted. Workers never wait for a trace; four can run at a time.

  sealgate trace --peer op-a --refused --count 10
  sealgate trace --direction in --calling 99902 --operation 2";

/// Arguments of `sealgate trace`.
#[derive(Debug, clap::Args)]
#[command(after_help = MANUAL)]
pub struct Args {
    /// End after so many verdicts [default: at Ctrl-C].
    #[arg(long, value_name = "N")]
    count: Option<u64>,
    /// Only messages from or for this peer.
    #[arg(long)]
    peer: Option<String>,
    /// Only this way.
    #[arg(long)]
    direction: Option<Way>,
    /// Only on this link.
    #[arg(long)]
    link: Option<String>,
    /// Only under this reason, as R_SEC_MISSING; may be given again.
    #[arg(long)]
    reason: Vec<String>,
    /// Only what is refused.
    #[arg(long, conflicts_with = "reason")]
    refused: bool,
    /// Only from Global Titles that begin so.
    #[arg(long, value_name = "DIGITS")]
    calling: Option<String>,
    /// Only to Global Titles that begin so.
    #[arg(long, value_name = "DIGITS")]
    called: Option<String>,
    /// Only with this operation code (of the first four components).
    #[arg(long, value_name = "CODE", allow_negative_numbers = true)]
    operation: Option<i32>,
    /// Only what this rule of the policy decided.
    #[arg(long, value_name = "NAME")]
    rule: Option<String>,
    /// Print JSON, a document a line.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    door: Door,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Way {
    /// From other operators.
    In,
    /// To other operators.
    Out,
}

/// Runs the command.
/// # Errors
/// No gateway answers, a name that it does not know, or too many traces.
pub fn run(args: Args) -> Result<ExitCode, CliError> {
    let socket = args.door.socket()?;
    let direction = args.direction.map(|way| match way {
        Way::In => "in".to_owned(),
        Way::Out => "out".to_owned(),
    });
    let filter = Words {
        peer: args.peer,
        direction,
        link: args.link,
        reasons: args.reason,
        refused: args.refused,
        calling: args.calling,
        called: args.called,
        operation: args.operation,
        rule: args.rule,
    };
    let request = Request { count: args.count, filter: Some(filter), ..Request::new("trace", "") };
    admin::stream(&socket, &request, |what, data| {
        if args.json {
            print(&format!("{data}\n"));
        } else if what == "verdict" {
            print(&format!("{}\n", verdict(data)));
        }
        let missed = data.get("missed").and_then(serde_json::Value::as_u64).unwrap_or(0);
        if missed > 0 && !args.json {
            print(&format!("{missed} more were not shown: they came too fast\n"));
        }
        what == "verdict"
    })?;
    Ok(ExitCode::SUCCESS)
}
