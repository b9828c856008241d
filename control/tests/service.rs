//! A gateway under a service manager: what that hears of it, and what is left of root's rights.

mod common;

use common::{HOME, Lab, OTHER, frame, message, write_capture};
use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

/// Longer than anything here takes, also on a loaded machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A gateway whose input is a pipe: its worker waits in the kernel until we write a frame or close the pipe.
struct Gateway {
    child: Child,
    log: Receiver<String>,
    /// All that was said until it was ready.
    said: String,
    /// The pipe, and the capture that is written to it.
    pipe: Option<File>,
    capture: Vec<u8>,
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn path(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

/// Whether ports are DPDK's: they begin when they are told to, and no pipe can hold one up.
const DPDK: bool = cfg!(feature = "dpdk");

/// A configuration that reads the pipe `in.pcap`, or has DPDK's own ports, with more lines at its end.
fn configuration(lab: &Lab, more: &str) -> PathBuf {
    let (wire, host) = if DPDK { ("null", "null") } else { ("pcap:,out/wire.pcap", "pcap:in.pcap") };
    let config = lab.gateway(&HOME, &OTHER, wire, host);
    fs::create_dir_all(lab.file("out")).expect("made");
    let text = fs::read_to_string(&config).expect("the file").replace("home.sock", "run/admin.sock") + more;
    fs::write(&config, text).expect("written");
    config
}

impl Gateway {
    /// Starts it, and waits until it says that it is ready.
    fn start(lab: &Lab, config: &Path, variables: &[(&str, &str)]) -> Self {
        let frames: Vec<Vec<u8>> = (0..3).map(|number| frame(number, &message())).collect();
        write_capture(&lab.file("whole.pcap"), &frames);
        let capture = fs::read(lab.file("whole.pcap")).expect("read");
        let pipe = lab.file("in.pcap");
        let _ = fs::remove_file(&pipe);
        assert!(Command::new("mkfifo").arg(&pipe).status().expect("mkfifo").success());
        let mut child = Command::new(env!("CARGO_BIN_EXE_sealgate"))
            .args(["run", path(config)])
            .envs(variables.iter().copied())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        // Both ends at once: opening a pipe for one waits for the other, which never comes if the gateway fails.
        let mut pipe = OpenOptions::new().read(true).write(true).open(pipe).expect("a pipe");
        // A port looks for its first frame when it is opened.
        pipe.write_all(&capture[..24 + (capture.len() - 24) / 3]).expect("a header and a frame");
        let stderr = child.stderr.take().expect("piped");
        let (line, log) = mpsc::channel();
        std::thread::spawn(move || BufReader::new(stderr).lines().try_for_each(|text| line.send(text.expect("text"))));
        let mut gateway = Self { child, log, said: String::new(), pipe: Some(pipe), capture };
        while !gateway.said.contains("sealgate ready") {
            let more = gateway.log.recv_timeout(PATIENCE);
            gateway.said += &more.unwrap_or_else(|fault| panic!("{fault}: {}", gateway.said));
            gateway.said.push('\n');
        }
        gateway
    }

    /// Sends more frames than a worker takes in a turn.
    fn feed(&mut self) {
        if DPDK {
            return;
        }
        let length = (self.capture.len() - 24) / 3;
        let octets = self.capture.get(24..24 + length).expect("a frame").repeat(100);
        self.pipe.as_mut().expect("open").write_all(&octets).expect("written");
    }

    /// Has it end: there is no more input, or, where there always is, the manager says so.
    fn finish(&mut self) {
        self.pipe = None;
        if DPDK {
            let pid = self.child.id().to_string();
            assert!(Command::new("kill").args(["-TERM", &pid]).status().expect("kill").success());
        }
    }

    /// Its status, once it has ended, and what else it said.
    fn end(&mut self) -> (Option<i32>, String) {
        let mut rest = String::new();
        loop {
            match self.log.recv_timeout(PATIENCE) {
                Ok(line) => rest.extend([line.as_str(), "\n"]),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => panic!("it does not end: {rest}"),
            }
        }
        (self.child.wait().expect("it ends").code(), rest)
    }
}

/// What the manager hears next, within the time.
fn hear(socket: &UnixDatagram, time: Duration) -> Option<String> {
    let mut octets = [0; 512];
    socket.set_read_timeout(Some(time)).expect("a time");
    match socket.recv(&mut octets) {
        Ok(length) => Some(String::from_utf8_lossy(&octets[..length]).trim_end().to_owned()),
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => None,
        Err(error) => panic!("{error}"),
    }
}

/// Reads until the manager hears this.
fn until(socket: &UnixDatagram, wanted: &str) -> Vec<String> {
    let start = Instant::now();
    let mut heard = Vec::new();
    while start.elapsed() < PATIENCE {
        let Some(word) = hear(socket, PATIENCE) else { break };
        let found = word.contains(wanted);
        heard.push(word);
        if found {
            return heard;
        }
    }
    panic!("{wanted} was not heard, but {heard:?}");
}

#[test]
fn the_manager_hears_of_start_and_stop_and_no_beat_of_a_worker_that_hangs() {
    let lab = Lab::new("notify");
    let config = configuration(&lab, "");
    let socket = UnixDatagram::bind(lab.file("notify")).expect("a socket");
    let notify = lab.file("notify");
    // A beat is due each 200 ms.
    let variables = [("NOTIFY_SOCKET", path(&notify)), ("WATCHDOG_USEC", "600000")];
    let mut gateway = Gateway::start(&lab, &config, &variables);
    assert_eq!(until(&socket, "READY=1"), ["READY=1"], "not before frames are forwarded");
    assert_eq!(until(&socket, "STATUS="), ["STATUS=forwarding, 1 worker(s)"]);
    assert_eq!(until(&socket, "WATCHDOG=1"), ["WATCHDOG=1"], "the first beat");
    // The worker waits in its port, as one does that hangs.
    let quiet = Instant::now();
    while !DPDK && quiet.elapsed() < Duration::from_secs(2) {
        assert_eq!(hear(&socket, Duration::from_millis(100)), None, "it beats although its worker stands still");
    }
    // It turns again, and is seen to once it has published its counters: a tenth of a second after the last time.
    for _ in 0..3 {
        let beat = (0..300).find_map(|_| {
            gateway.feed();
            hear(&socket, Duration::from_millis(200))
        });
        assert_eq!(beat.as_deref(), Some("WATCHDOG=1"));
    }
    gateway.finish();
    until(&socket, "STOPPING=1");
    let (code, rest) = gateway.end();
    assert_eq!(code, Some(0), "{rest}");
    assert_eq!(rest.contains("worker 0 stands still"), !DPDK, "{rest}");
}

/// User and group of a process that has no rights, on Debian.
const NOBODY: (u32, u32) = (65534, 65534);

/// False where the person who runs the tests said that this machine cannot have root.
fn is_root() -> bool {
    if fs::metadata("/proc/self").expect("proc").uid() == 0 {
        return true;
    }
    let waived = std::env::var("SEALGATE_UNPRIVILEGED").is_ok_and(|value| value == "1");
    assert!(waived, "this test needs root: run it as root, or set SEALGATE_UNPRIVILEGED=1 to go without its proof");
    eprintln!("NOT TESTED: dropping of privileges, since SEALGATE_UNPRIVILEGED=1 and this is not root");
    false
}

#[test]
fn started_as_root_it_is_another_user_on_every_thread_for_good() {
    if !is_root() {
        return;
    }
    let lab = Lab::new("user");
    let more = "service: {user: nobody, group: nogroup}\nstate: var/state\n";
    let config = configuration(&lab, more);
    std::os::unix::fs::chown(lab.file("out"), Some(NOBODY.0), Some(NOBODY.1)).expect("chown");
    let mut gateway = Gateway::start(&lab, &config, &[]);
    let tasks = PathBuf::from(format!("/proc/{}/task", gateway.child.id()));
    // A thread names itself when it begins.
    let named = |wanted: &str| {
        let names =
            fs::read_dir(&tasks).expect("tasks").map(|task| fs::read_to_string(task.expect("one").path().join("comm")));
        names.flatten().any(|name| name.trim_end() == wanted)
    };
    let start = Instant::now();
    while !named("admin") && start.elapsed() < PATIENCE {
        std::thread::sleep(Duration::from_millis(10));
    }
    let mut names = Vec::new();
    for task in fs::read_dir(&tasks).expect("tasks") {
        let status = fs::read_to_string(task.expect("a task").path().join("status")).expect("status");
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_else(|| panic!("{name}"));
            line.split_ascii_whitespace().map(str::to_owned).collect::<Vec<_>>()
        };
        names.extend(field("Name:"));
        assert_eq!((field("Uid:"), field("Gid:")), (vec!["65534".to_owned(); 4], vec!["65534".to_owned(); 4]));
        assert_eq!(field("Groups:"), ["65534"]);
        for set in ["CapInh:", "CapPrm:", "CapEff:", "CapAmb:"] {
            assert_eq!(field(set), ["0000000000000000"], "{set} of {names:?}");
        }
        assert_eq!(field("NoNewPrivs:"), ["1"]);
    }
    assert!(names.contains(&"worker-0".to_owned()) && names.contains(&"admin".to_owned()), "{names:?}");
    let owner = |name: &str| {
        let about = fs::metadata(lab.file(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        (about.uid(), about.gid(), about.permissions().mode() & 0o777)
    };
    assert_eq!(owner("var/state"), (NOBODY.0, NOBODY.1, 0o700));
    assert_eq!(owner("run/admin.sock"), (NOBODY.0, NOBODY.1, 0o660));
    // Said once, for each file that only root can read.
    assert!(gateway.said.contains("home.key.pem cannot be read by nobody: a reload will fail"), "{}", gateway.said);
    gateway.feed();
    gateway.finish();
    let (code, rest) = gateway.end();
    assert_eq!(code, Some(0), "{rest}");
    assert_eq!(owner("var/state/replay-memory"), (NOBODY.0, NOBODY.1, 0o600));
    // The next start reads what it left, and not as root.
    let mut gateway = Gateway::start(&lab, &config, &[]);
    assert!(gateway.said.contains("warm start"), "{}", gateway.said);
    gateway.finish();
    assert_eq!(gateway.end().0, Some(0));
}

#[test]
fn a_user_that_cannot_be_is_a_fault_of_the_configuration() {
    let lab = Lab::new("nouser");
    let faults =
        [("no-such-user", "there is no user no-such-user"), ("root", "root and its group are what this takes away")];
    for (user, why) in faults {
        let config = configuration(&lab, &format!("service: {{user: {user}}}\n"));
        let done = Command::new(env!("CARGO_BIN_EXE_sealgate")).args(["run", path(&config)]).output().expect("it runs");
        let said = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.code() == Some(2) && said.contains(&format!("service.user: {why}")), "{said}");
    }
}

#[test]
fn a_directory_of_another_user_is_refused_and_not_taken_over() {
    if !is_root() {
        return;
    }
    let lab = Lab::new("links");
    // As somebody who has the service's rights would do it: a link to what is root's, in a place of its own.
    let (own, treasure) = (lab.file("own"), lab.file("treasure"));
    fs::create_dir_all(&own).expect("made");
    fs::create_dir_all(&treasure).expect("made");
    std::os::unix::fs::chown(&own, Some(NOBODY.0), Some(NOBODY.1)).expect("chown");
    std::os::unix::fs::symlink(&treasure, own.join("state")).expect("linked");
    for dir in ["own/state", "own/state/deeper", "treasure"] {
        let config = configuration(&lab, &format!("service: {{user: nobody, group: nogroup}}\nstate: {dir}\n"));
        let done = Command::new(env!("CARGO_BIN_EXE_sealgate")).args(["run", path(&config)]).output().expect("it runs");
        let said = String::from_utf8_lossy(&done.stderr);
        assert!(
            done.status.code() == Some(1) && said.contains("state: ") && said.contains("chown it to nobody"),
            "{said}"
        );
        assert_eq!(fs::metadata(&treasure).expect("there").uid(), 0, "{dir}");
        assert_eq!(fs::read_dir(&treasure).expect("there").count(), 0, "{dir}");
    }
}
