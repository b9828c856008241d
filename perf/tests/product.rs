//! A tester towards the product: `sgperf mix` writes the configuration, `sealgate run` carries what `sgperf load` sends.
//!
//! The product's command belongs to another package, whose file no test of this one can name. So this program is both:
//! started as `product run ...` it is that command, by its own entry point. That is why it has a harness of its own.

use std::env;
use std::error::Error;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use libtest_mimic::{Arguments, Trial};
use rustix::process::{Pid, Signal, kill_process};
use sealgate_perf::record::Document;

type Result<T = ()> = std::result::Result<T, Box<dyn Error>>;

/// Longer than a gateway needs to start, or the tester to measure.
const PATIENCE: Duration = Duration::from_secs(120);

fn main() -> ExitCode {
    if env::args().nth(1).is_some_and(|verb| verb == "run") {
        return sealgate_control::cli::main();
    }
    let test = Trial::test("a_tester_measures_the_product_in_a_process_of_its_own", || {
        Ok(a_tester_measures_the_product().map_err(|error| error.to_string())?)
    });
    libtest_mimic::run(&Arguments::from_args(), vec![test]).exit_code()
}

fn a_tester_measures_the_product() -> Result {
    let folder = Folder::make()?;
    let socket = folder.0.join("memif.sock");
    // Rings that hold more than is offered while others have the cores.
    let device = |role, id| format!("memif:role={role},id={id},socket={},rsize=12", socket.display());
    let [interconnect, home] = [0, 1].map(|id| device("server", id));
    let written = Command::new(env!("CARGO_BIN_EXE_sgperf"))
        .args(["mix", "default", "--depth", "4096", "--interconnect", &interconnect, "--home", &home, "--write"])
        .arg(&folder.0)
        .output()?;
    let steps = String::from_utf8(written.stderr)?;
    let [interconnect, home] = [0, 1].map(|id| device("client", id));
    assert!(written.status.success() && steps.contains(&format!("--ports '{interconnect}' '{home}'")), "{steps}");

    let mut gateway = Program::start(Command::new(env::current_exe()?).args(["run", "--json"]).arg(folder.config()))?;
    gateway.hear("sealgate ready")?;
    let mut tester = Program::start(
        Command::new(env!("CARGO_BIN_EXE_sgperf"))
            .args(["load", "default", "--json", "--measure", "floor,ndr,latency,reload,back-to-back"])
            .args(["--depth", "4096", "--ports", &interconnect, &home])
            // Little, and one trial of three may lose something: a gateway elsewhere does not say when it was disturbed.
            .args(["--max-rate", "5000", "--seconds", "0.1", "--trials", "3", "--exceed", "0.4", "--width", "0.1"]),
    )?;
    // Its driver does not outlive the other end: it goes first, and in order.
    tester.hear("stop the gateway now")?;
    gateway.ask_to_stop()?;
    let (status, counted) = gateway.end()?;
    assert!(status.success(), "{status}");
    let (status, measured) = tester.end()?;
    assert!(status.success(), "{status}");

    let measured: Document = serde_json::from_str(&measured)?;
    for name in ["tester.frames_per_s_per_core", "default.ndr_msgs_per_s", "default.back_to_back_msgs"] {
        assert!(measured.median(name).is_some_and(|median| median >= 1.0), "{name}: {:?}", measured.notes);
    }
    for share in [10, 50, 90] {
        let name = format!("default.latency_{share}_p50_us");
        assert!(measured.median(&name).is_some_and(|us| us > 0.0), "{name}");
    }
    let noted = |words: &str| measured.notes.iter().any(|note| note.contains(words));
    assert!(noted("reload: not measured") && !noted("not stopped in time"), "{:?}", measured.notes);
    judged_as_meant(&measured, &serde_json::from_str(&counted)?)
}

/// Whether the product counts what the tester does.
fn judged_as_meant(measured: &Document, counted: &serde_json::Value) -> Result {
    let (mut sent, mut received) = (0, 0);
    for trial in measured.trials.iter().filter(|trial| trial.phase.starts_with("default: ")) {
        assert_eq!((trial.let_through, trial.duplicates, trial.misordered), (0, 0, 0), "{trial:?}");
        // A gateway that has no room refuses good messages too; one that loses none had room.
        assert!(trial.misjudged == 0 || trial.lost > 0, "{trial:?}");
        (sent, received) = (sent + trial.sent, received + trial.received);
    }
    // What came back was counted there, and nothing was counted that was not sent.
    let messages = counted["status"]["messages"]["received"].as_u64().ok_or("no messages were counted")?;
    assert!((received..=sent).contains(&messages), "{messages} of {sent}, of which {received} came back");
    let reasons = counted["reasons"].as_array().ok_or("no reasons")?;
    for name in ["R_OK_VERIFIED", "R_OK_UNSIGNED_ALLOWED", "R_OK_SIGNED_EGRESS", "R_SEC_SIG_INVALID", "R_SEC_REPLAY"] {
        assert!(reasons.iter().any(|reason| reason["name"] == name), "{name}: {reasons:?}");
    }
    Ok(())
}

/// A program that was started here, and does not outlive this.
struct Program {
    child: Child,
    said: Receiver<String>,
    printed: Receiver<std::io::Result<String>>,
    name: String,
    log: String,
}

impl Program {
    fn start(command: &mut Command) -> Result<Self> {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let (stdout, stderr) = child.stdout.take().zip(child.stderr.take()).ok_or("no pipes")?;
        let ((say, said), (print, printed)) = (mpsc::channel(), mpsc::channel());
        std::thread::spawn(move || {
            // Ends with the program, or once nobody listens.
            BufReader::new(stderr).lines().map_while(std::io::Result::ok).try_for_each(|line| say.send(line))
        });
        std::thread::spawn(move || {
            let (mut stdout, mut text) = (stdout, String::new());
            let whole = stdout.read_to_string(&mut text).map(|_| text);
            // A test that has failed no longer listens.
            let _ = print.send(whole);
        });
        let name = format!("{:?}", command.get_args().next().unwrap_or_default());
        Ok(Self { child, said, printed, name, log: String::new() })
    }

    /// Waits until it says this.
    fn hear(&mut self, words: &str) -> Result {
        let until = Instant::now() + PATIENCE;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let line = self.said.recv_timeout(left);
            let line = line.map_err(|error| format!("{}: {error} before {words:?}: {}", self.name, self.log))?;
            self.log.extend([line.as_str(), "\n"]);
            if line.contains(words) {
                return Ok(());
            }
        }
    }

    fn ask_to_stop(&self) -> Result {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).ok_or("no process")?;
        Ok(kill_process(pid, Signal::TERM)?)
    }

    /// How it ended, and what it printed.
    fn end(&mut self) -> Result<(ExitStatus, String)> {
        let printed = self.printed.recv_timeout(PATIENCE);
        let printed = printed.map_err(|error| format!("{}: {error} before its end: {}", self.name, self.log))??;
        Ok((self.child.wait()?, printed))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Most have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A directory for a configuration and its sockets, gone with this.
struct Folder(PathBuf);

impl Folder {
    fn make() -> Result<Self> {
        // Not below the target directory: the name of a socket may have 107 octets.
        let folder = env::temp_dir().join(format!("sgperf-product-{}", std::process::id()));
        fs::create_dir(&folder)?;
        Ok(Self(folder))
    }

    fn config(&self) -> PathBuf {
        self.0.join("sealgate.yaml")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // The next run has another name.
        let _ = fs::remove_dir_all(&self.0);
    }
}
