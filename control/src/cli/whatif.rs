//! `sealgate whatif`: what becomes of the messages of a capture under another policy.

use super::table::Table;
use super::{CliError, diff, door, print};
use crate::gather::{Gathered, Ready, mtu};
use crate::offline::{self, How};
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
Each message of the capture (pcap or pcapng, both directions) is judged twice, with the times of the capture as clock: under the \
policy in force in the running gateway, or that of --against, and under the new one. Certificates and keys are those that \
--config names. Messages whose verdict differs are counted by operator, and the first ones of each row are named by frame; \
sealgate explain says why, step by step.";

/// Arguments of `sealgate whatif`.
#[derive(Debug, clap::Args)]
#[command(after_help = MANUAL)]
pub struct Args {
    /// The new policy file.
    #[arg(value_name = "POLICY.yaml")]
    policy: PathBuf,
    /// Capture to judge.
    #[arg(value_name = "FILE.pcap")]
    pcap: PathBuf,
    /// The appliance file: it names certificates and keys, and the gateway's socket.
    #[arg(long, value_name = "SEALGATE.yaml")]
    config: PathBuf,
    /// The policy file to compare with, instead of what is in force.
    #[arg(long, value_name = "OLD.yaml")]
    against: Option<PathBuf>,
    /// The gateway's admin socket [default: the one of --config].
    #[arg(long, value_name = "PATH")]
    socket: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
/// # Errors
/// A policy with faults (status 2), no gateway that answers, or a capture that cannot be read.
pub fn run(args: Args) -> Result<ExitCode, CliError> {
    let new = diff::load(&args.policy)?;
    let old = match &args.against {
        Some(old) => diff::load(old)?,
        None => diff::in_force(&door::socket(args.socket.as_deref(), Some(&args.config))?)?,
    };
    let verdicts = Verdicts::of(&args.pcap, &args.config, &old, &new)?;
    print(&if args.json { format!("{:#}\n", verdicts.to_json()) } else { verdicts.to_string() });
    Ok(ExitCode::SUCCESS)
}

/// Frames of a row that are named.
const NAMED: usize = 5;

/// What a policy makes of a message.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Said {
    reason: Reason,
    /// The operator rule that counted; empty: none.
    rule: String,
    /// What it would be refused for, were its peer screened actively.
    would: Option<Reason>,
}

impl Said {
    fn of(record: &Record, rules: &sealgate_dataplane::policy::rules::Rules) -> Self {
        let rule = rules.name_of(record.rule).unwrap_or_default().to_owned();
        Self { reason: record.reason, rule, would: record.would }
    }

    /// Whether a message is judged otherwise. That another rule lets it pass is no other verdict.
    fn differs(&self, other: &Self) -> bool {
        let refuses = self.reason.refuses() && self.rule != other.rule;
        self.reason != other.reason || self.would != other.would || refuses
    }

    /// What people read.
    fn words(&self) -> String {
        let mut words = self.reason.name().to_owned();
        if !self.rule.is_empty() {
            words += &format!(" by {}", self.rule);
        }
        match self.would {
            Some(would) => format!("{words}, would be {}", would.name()),
            None => words,
        }
    }

    fn to_json(&self) -> Value {
        let rule = (!self.rule.is_empty()).then_some(&self.rule);
        json!({ "reason": self.reason.name(), "passes": self.reason.passes(), "rule": rule,
            "would": self.would.map(Reason::name) })
    }
}

/// Messages with the same change of verdict.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Change {
    peer: String,
    way: &'static str,
    before: Said,
    after: Said,
}

/// How many there are.
#[derive(Clone, Default, Debug)]
struct Count {
    messages: usize,
    /// The first frames, as people and tshark count them: from 1.
    frames: Vec<u64>,
}

/// Messages of a capture that two policies judge differently.
pub(super) struct Verdicts {
    messages: usize,
    moved: BTreeMap<Change, Count>,
}

impl Verdicts {
    /// Judges a capture under both.
    pub(super) fn of(pcap: &Path, config: &Path, old: &Policy, new: &Policy) -> Result<Self, CliError> {
        let first = offline::millis(offline::first_time(pcap)?.unwrap_or_default());
        let gathered = Gathered::read(config, None, i64::try_from(first / 1000).unwrap_or(i64::MAX))?;
        let judge = |policy: &Policy| -> Result<Vec<(Record, Said, String)>, CliError> {
            let ready = Ready::new(policy, &gathered.keys, &gathered.trust);
            let mtu = mtu(&gathered.appliance);
            let snapshot = Snapshot::compile(&ready.policy, &gathered.trust, &ready.own, mtu, &KeyRing::new());
            let snapshot = snapshot.map_err(|errors| {
                let errors = errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
                CliError::new(errors, "certificates and keys are those that --config names")
            })?;
            let names: Vec<String> = snapshot.peers.iter().map(|peer| peer.name.clone()).collect();
            let rules = std::sync::Arc::clone(&snapshot.ruleset);
            let file = File::open(pcap)
                .map_err(|fault| CliError::new(format!("{}: {fault}", pcap.display()), "check the path"))?;
            let input = Reader::new(pcap, BufReader::with_capacity(1 << 20, file))?;
            let how = How { cold: false, journal: true };
            let records = offline::replay::<_, File>(snapshot, input, None, how)?.records;
            let name = |record: &Record| names.get(usize::from(record.peer)).cloned().unwrap_or_default();
            Ok(records.into_iter().map(|record| (record, Said::of(&record, &rules), name(&record))).collect())
        };
        let (before, after) = (judge(old)?, judge(new)?);
        let key = |record: &Record| (record.frame, record.tsn);
        let before: BTreeMap<_, _> = before.iter().map(|(record, said, _)| (key(record), said)).collect();
        let mut moved: BTreeMap<Change, Count> = BTreeMap::new();
        for (record, said, peer) in &after {
            let Some(was) = before.get(&key(record)).filter(|was| was.differs(said)) else { continue };
            let way = match record.way {
                Some(Direction::In) => "in",
                Some(Direction::Out) => "out",
                None => "",
            };
            let change = Change { peer: peer.clone(), way, before: (*was).clone(), after: said.clone() };
            let count = moved.entry(change).or_default();
            count.messages += 1;
            let frame = record.frame + 1;
            // A frame may have several of them.
            if count.frames.len() <= NAMED && count.frames.last() != Some(&frame) {
                count.frames.push(frame);
            }
        }
        Ok(Self { messages: after.len(), moved })
    }

    fn count(&self, of: impl Fn(&Said, &Said) -> bool) -> usize {
        let rows = self.moved.iter().filter(|(change, _)| of(&change.before, &change.after));
        rows.map(|(_, count)| count.messages).sum()
    }

    /// As a document.
    pub(super) fn to_json(&self) -> Value {
        let row = |(change, count): (&Change, &Count)| {
            json!({ "peer": change.peer, "direction": change.way, "before": change.before.to_json(),
                "after": change.after.to_json(), "messages": count.messages,
                "frames": count.frames.iter().take(NAMED).collect::<Vec<_>>() })
        };
        json!({ "messages": self.messages, "otherwise": self.count(|_, _| true),
            "newly_refused": self.count(newly_refused), "newly_passed": self.count(newly_passed),
            "rows": self.moved.iter().map(row).collect::<Vec<_>>() })
    }
}

fn newly_refused(before: &Said, after: &Said) -> bool {
    before.reason.passes() && after.reason.refuses()
}

fn newly_passed(before: &Said, after: &Said) -> bool {
    before.reason.refuses() && after.reason.passes()
}

impl std::fmt::Display for Verdicts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(
            f,
            "{} of {} messages of the capture are judged otherwise: {} would be refused that passed, {} would pass that were \
             refused",
            self.count(|_, _| true),
            self.messages,
            self.count(newly_refused),
            self.count(newly_passed),
        )?;
        if self.moved.is_empty() {
            return Ok(());
        }
        let mut table = Table::new(&["peer", "direction", "before", "after", "#messages", "frames"]);
        for (Change { peer, way, before, after }, Count { messages, frames }) in &self.moved {
            let more = if frames.len() > NAMED { ", ..." } else { "" };
            let frames = frames.iter().take(NAMED).map(u64::to_string).collect::<Vec<_>>().join(", ");
            table.row([
                peer.clone(),
                (*way).to_owned(),
                before.words(),
                after.words(),
                messages.to_string(),
                format!("{frames}{more}"),
            ]);
        }
        write!(f, "\n{}", table.show())
    }
}
