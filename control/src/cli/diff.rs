//! `sealgate diff`: what a new policy would change.

use super::table::Table;
use super::{CliError, door, print};
use crate::admin;
use crate::diff::{Change, changes};
use crate::gather::{Gathered, Ready, mtu};
use crate::offline::{self, How};
use crate::report::What;
use sealgate_config::model::Policy;
use sealgate_crypto::keyring::KeyRing;
use sealgate_dataplane::io::pcap::Reader;
use sealgate_dataplane::pipeline::Record;
use sealgate_dataplane::policy::Snapshot;
use sealgate_dataplane::state::Direction;
use sealgate_wire::Reason;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufReader;
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

fn load(path: &Path) -> Result<Policy, CliError> {
    sealgate_config::load_policy(path).map_err(faults)
}

/// The policy that a running gateway has.
fn in_force(socket: &Path) -> Result<Policy, CliError> {
    let document = admin::ask(socket, What::Policy)?;
    let yaml = document.get("yaml").and_then(Value::as_str).unwrap_or_default();
    sealgate_config::parse_policy(yaml, "the policy in force")
        .map_err(|faults| CliError::new(faults.to_string(), "are both of one version?"))
}

/// Messages of a capture that the two policies judge differently.
struct Verdicts {
    messages: usize,
    /// By peer, direction, reason before and after: how many, and the first frame.
    moved: BTreeMap<(String, &'static str, Reason, Reason), (usize, u64)>,
}

impl Verdicts {
    fn of(pcap: &Path, config: &Path, old: &Policy, new: &Policy) -> Result<Self, CliError> {
        let first = offline::millis(offline::first_time(pcap)?.unwrap_or_default());
        let gathered = Gathered::read(config, None, i64::try_from(first / 1000).unwrap_or(i64::MAX))?;
        let judge = |policy: &Policy| -> Result<(Vec<Record>, Vec<String>), CliError> {
            let ready = Ready::new(policy, &gathered.keys, &gathered.trust);
            let mtu = mtu(&gathered.appliance);
            let snapshot = Snapshot::compile(&ready.policy, &gathered.trust, &ready.own, mtu, &KeyRing::new());
            let snapshot = snapshot.map_err(|errors| {
                let errors = errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
                CliError::new(errors, "certificates and keys are those that --config names")
            })?;
            let names = snapshot.peers.iter().map(|peer| peer.name.clone()).collect();
            let file = File::open(pcap)
                .map_err(|fault| CliError::new(format!("{}: {fault}", pcap.display()), "check the path"))?;
            let input = Reader::new(pcap, BufReader::with_capacity(1 << 20, file))?;
            let how = How { cold: false, journal: true };
            Ok((offline::replay::<_, File>(snapshot, input, None, how)?.records, names))
        };
        let ((before, _), (after, names)) = (judge(old)?, judge(new)?);
        let key = |record: &Record| (record.frame, record.tsn);
        let before: BTreeMap<_, _> = before.iter().map(|record| (key(record), record)).collect();
        let mut moved = BTreeMap::new();
        for record in &after {
            let Some(was) = before.get(&key(record)).filter(|was| was.reason != record.reason) else { continue };
            let peer = names.get(usize::from(record.peer)).cloned().unwrap_or_default();
            let way = match record.way {
                Some(Direction::In) => "in",
                Some(Direction::Out) => "out",
                None => "",
            };
            let row = moved.entry((peer, way, was.reason, record.reason)).or_insert((0, record.frame));
            row.0 += 1;
        }
        Ok(Self { messages: after.len(), moved })
    }

    fn count(&self) -> usize {
        self.moved.values().map(|(count, _)| count).sum()
    }

    fn to_json(&self) -> Value {
        let row = |((peer, way, before, after), (count, frame)): (&(String, &str, Reason, Reason), &(usize, u64))| {
            json!({ "peer": peer, "direction": way, "before": before.name(), "after": after.name(), "messages": count,
                "first_frame": frame })
        };
        json!({ "messages": self.messages, "otherwise": self.count(), "rows": self.moved.iter().map(row).collect::<Vec<_>>() })
    }
}

impl std::fmt::Display for Verdicts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{} of {} messages of the capture are judged otherwise", self.count(), self.messages)?;
        if self.moved.is_empty() {
            return Ok(());
        }
        let mut table = Table::new(&["peer", "direction", "before", "after", "#messages", "#first frame"]);
        for ((peer, way, before, after), (count, frame)) in &self.moved {
            let cells = [peer.as_str(), way, before.name(), after.name(), &count.to_string(), &frame.to_string()];
            table.row(cells.map(str::to_owned));
        }
        write!(f, "\n{}", table.show())
    }
}
