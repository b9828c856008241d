//! `sealgate demo`: the gateway at work, on a machine that has nothing prepared.

use super::CliError;
use super::table::Table;
use crate::demo::drive::{self, Ran};
use crate::demo::judge::{self, Judged};
use crate::demo::kind::Kind;
use crate::demo::world::{self, Files};
use crate::demo::{end_ms, prepare};
use crate::gather::Gathered;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::json;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use time::OffsetDateTime;

/// Arguments of `sealgate demo`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Directory for everything the demo makes; an earlier demo in it is replaced.
    #[arg(long, default_value = "target/demo")]
    dir: PathBuf,
    /// Messages to send.
    #[arg(long, default_value_t = 5000, value_parser = clap::value_parser!(u32).range(100..=1_000_000))]
    messages: u32,
    /// Keep an earlier demo: this one goes to DIR-2, DIR-3 and so on.
    #[arg(long)]
    keep: bool,
    /// Do without DPDK's ports.
    #[arg(long)]
    no_dpdk: bool,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

/// Runs the demo.
/// # Errors
/// What stands in its way, and a gateway that did not judge as it must.
pub fn run(args: Args) -> Result<(), CliError> {
    let files = Files { dir: place(&args.dir, args.keep)? };
    let began = Instant::now();
    let steps = Steps::new(args.json);
    let now = OffsetDateTime::now_utc();
    let wallet = steps.show("two authorities, three operators, their certificates", || world::build(&files, now))?;
    let start_ms = u64::try_from(now.unix_timestamp()).unwrap_or(0) * 1000;
    let traffic = steps
        .show(&format!("{} messages, some of them forged", thousands(args.messages as usize)), || {
            prepare(&files, &wallet, args.messages as usize, start_ms)
        })?;
    let (ran, note) =
        steps.show("the gateway between them and HOME", || gateway(&files, end_ms(&traffic), args.no_dpdk))?;
    let judged = steps.show("each verdict held against what was sent", || {
        let gathered = Gathered::read(&files.config(), None, now.unix_timestamp())?;
        judge::judge(&traffic, &ran, &gathered.snapshot)
    })?;
    let shown = if args.json {
        format!("{:#}\n", as_json(&files, &ran, &judged))
    } else {
        summary(&files, &ran, &judged, note.as_deref(), began.elapsed())
    };
    super::print(&shown);
    if judged.wrong.is_empty() {
        return Ok(());
    }
    let first: Vec<&str> = judged.wrong.iter().take(10).map(String::as_str).collect();
    Err(CliError::new(
        format!("{} not as expected:\n  {}", judged.wrong.len(), first.join("\n  ")),
        "this is a fault of Sealgate",
    ))
}

/// An empty directory for the demo. Only what an earlier demo made is removed.
fn place(dir: &Path, keep: bool) -> Result<PathBuf, CliError> {
    let fault = |error: std::io::Error, path: &Path| {
        CliError::new(format!("{}: {error}", path.display()), "give another directory with --dir")
    };
    let mut path = dir.to_owned();
    let mut number = 1;
    while keep && path.exists() {
        number += 1;
        let mut name = dir.as_os_str().to_owned();
        name.push(format!("-{number}"));
        path = PathBuf::from(name);
    }
    let used = std::fs::read_dir(&path).is_ok_and(|mut entries| entries.next().is_some());
    if used && !path.join(MARK).is_file() {
        let message = format!("{} is not empty, and no earlier demo", path.display());
        return Err(CliError::new(message, "give another directory with --dir"));
    }
    if used {
        std::fs::remove_dir_all(&path).map_err(|error| fault(error, &path))?;
    }
    std::fs::create_dir_all(&path).map_err(|error| fault(error, &path))?;
    world::write(&path.join(MARK), "Made by `sealgate demo`, which replaces this directory when it runs again.\n")?;
    Ok(path)
}

/// Tells a demo's directory from any other.
const MARK: &str = "README";

/// Runs the gateway over DPDK's ports, or over plain files where those are not to be had; then says why.
#[cfg(feature = "dpdk")]
fn gateway(files: &Files, now_ms: u64, no_dpdk: bool) -> Result<(Ran, Option<String>), CliError> {
    if no_dpdk {
        return drive::files(files, now_ms).map(|ran| (ran, None));
    }
    match drive::dpdk(files, now_ms) {
        Ok(ran) => Ok((ran, None)),
        Err(error) => drive::files(files, now_ms).map(|ran| (ran, Some(format!("DPDK's ports: {}", error.message)))),
    }
}

#[cfg(not(feature = "dpdk"))]
fn gateway(files: &Files, now_ms: u64, _no_dpdk: bool) -> Result<(Ran, Option<String>), CliError> {
    let note = "this build is without DPDK; scripts/demo makes one with it".to_owned();
    drive::files(files, now_ms).map(|ran| (ran, Some(note)))
}

/// Says what is being done while it is done.
struct Steps {
    quiet: bool,
    terminal: bool,
}

impl Steps {
    fn new(quiet: bool) -> Self {
        Self { quiet, terminal: std::io::stderr().is_terminal() }
    }

    fn show<T>(&self, what: &str, work: impl FnOnce() -> Result<T, CliError>) -> Result<T, CliError> {
        let began = Instant::now();
        let target =
            if self.terminal && !self.quiet { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(None, target).with_message(what.to_owned());
        bar.set_style(
            ProgressStyle::with_template("  {spinner} {msg}").unwrap_or_else(|_| ProgressStyle::default_spinner()),
        );
        bar.enable_steady_tick(Duration::from_millis(100));
        let done = work();
        bar.finish_and_clear();
        if done.is_ok() && !self.quiet {
            eprintln!("  done  {what:54} {:5.2} s", began.elapsed().as_secs_f64());
        }
        done
    }
}

fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

const ABOUT: &str = "
Phone networks believe whoever speaks to them: that is how calls are tapped, and how text messages with
bank codes are stolen. This gateway stands at the border of one network, HOME, and lets in only what its
sender can prove to have said; what leaves is signed, so that others can check it.
";

fn summary(files: &Files, ran: &Ran, judged: &Judged, note: Option<&str>, all: Duration) -> String {
    let mut table = Table::new(&["from", "what arrived", "#sent", "#passed", "#stopped", "why"]);
    let number = |count: usize| if count == 0 { "-".to_owned() } else { thousands(count) };
    let (mut passed, mut before) = (0, "");
    for row in &judged.rows {
        passed += row.passed;
        let from = if row.from == before { "" } else { row.from };
        before = row.from;
        table.row([
            from.to_owned(),
            row.kind.words().to_owned(),
            number(row.sent),
            number(row.passed),
            number(row.sent - row.passed),
            row.kind.outcome().to_owned(),
        ]);
    }
    let (right, total) = (judged.right(), judged.total);
    let seconds = ran.took.as_secs_f64();
    let rate = if seconds > 0.0 { total as f64 / seconds } else { 0.0 };
    let (program, dir) = (program(), files.dir.display());
    let example = judged.rows.iter().find(|row| row.kind == Kind::ChangedSubscriber).map_or(1, |row| row.frame);
    let outputs: Vec<String> = ran.outputs.iter().map(|path| path.display().to_string()).collect();
    let mut text = format!("{ABOUT}\n{}\n", table.show());
    text += &format!(
        "{} of {} messages judged as expected: {} passed, {} stopped.\n",
        thousands(right),
        thousands(total),
        thousands(passed),
        thousands(total - passed)
    );
    text += &format!(
        "It took {seconds:.2} s through {}: {} messages/s on one core, signatures included.\n",
        ran.ports,
        thousands(rate as usize)
    );
    if let Some(note) = note {
        text += &format!("note: {note}\n");
    }
    let files = format!("{dir}/traffic.pcap --config {dir}/sealgate.yaml");
    text += &format!(
        "What left is in {}; all that was made is in {dir} ({:.1} s in all).\n\n\
         next\n\
         \x20 why a message with a changed subscriber was stopped, step by step:\n\
         \x20   {program} explain {files} --frame {example}\n\
         \x20 the same traffic again, by operator and reason:\n\
         \x20   {program} replay {files}\n\
         \x20 who may do what: {dir}/policy.yaml; what each message is: {dir}/traffic.json\n\
         \x20 two gateways and real associations, as root: scripts/lab\n",
        outputs.join(" and "),
        all.as_secs_f64()
    );
    text
}

/// This program as it was called, short where it lies below the working directory.
fn program() -> String {
    let called = std::env::args().next().unwrap_or_else(|| "sealgate".to_owned());
    let here = std::env::current_dir().ok();
    let below = here.and_then(|here| Some(Path::new(&called).strip_prefix(here).ok()?.display().to_string()));
    below.unwrap_or(called)
}

fn as_json(files: &Files, ran: &Ran, judged: &Judged) -> serde_json::Value {
    let rows: Vec<_> = judged
        .rows
        .iter()
        .map(|row| {
            let expected = row.kind.expected();
            json!({ "from": row.from, "kind": row.kind, "sent": row.sent, "passed": row.passed,
                "stopped": row.sent - row.passed, "reason": expected.name(), "code": expected.code() })
        })
        .collect();
    json!({ "dir": files.dir, "outputs": ran.outputs, "ports": ran.ports, "took_seconds": ran.took.as_secs_f64(),
        "messages": judged.total, "as_expected": judged.right(), "wrong": judged.wrong, "rows": rows })
}
