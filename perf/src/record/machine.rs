//! Where and with what a measurement was made.

use std::fs;
use std::process::Command;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// What ran, when, and where.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Run {
    /// The verb of sgperf.
    pub command: String,
    /// Its arguments as given.
    pub arguments: Vec<String>,
    /// When it began, seconds since 1970.
    pub began_unix_s: u64,
    /// How long it took, seconds.
    pub took_s: f64,
    /// The machine.
    pub machine: Machine,
    #[serde(skip)]
    start: Option<Instant>,
}

impl Run {
    /// A run that begins now.
    pub fn begin(command: &str) -> Self {
        let began = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self {
            command: command.to_owned(),
            arguments: std::env::args().skip(1).collect(),
            began_unix_s: began.as_secs(),
            took_s: 0.0,
            machine: Machine::read(),
            start: Some(Instant::now()),
        }
    }

    /// It ends now.
    pub fn end(&mut self) {
        if let Some(start) = self.start {
            self.took_s = start.elapsed().as_secs_f64();
        }
    }
}

/// The machine, and the program on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// Model of the processor.
    pub processor: String,
    /// Cores that this process may use.
    pub cores: usize,
    /// Whether it is a virtual machine, as the processor says.
    pub virtual_machine: bool,
    /// Version of the kernel.
    pub kernel: String,
    /// Memory, GiB.
    pub memory_gib: u64,
    /// Commit of the sources, with "+" if they were changed since; "unknown" outside a clone.
    pub commit: String,
    /// "release" or "debug".
    pub build: String,
}

impl Machine {
    /// This machine.
    pub fn read() -> Self {
        let processors = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
        let kib = field(&memory, "MemTotal").and_then(|text| text.split(' ').next()?.parse::<u64>().ok());
        Self {
            processor: field(&processors, "model name").unwrap_or("unknown").to_owned(),
            cores: std::thread::available_parallelism().map_or(0, usize::from),
            virtual_machine: field(&processors, "flags")
                .is_some_and(|flags| flags.split(' ').any(|flag| flag == "hypervisor")),
            kernel: fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default().trim().to_owned(),
            memory_gib: kib.unwrap_or(0).div_ceil(1 << 20),
            commit: commit().unwrap_or_else(|| "unknown".to_owned()),
            build: if cfg!(debug_assertions) { "debug" } else { "release" }.to_owned(),
        }
    }
}

/// The first value under this name, in a file of "name : value".
fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim())
}

/// Of the clone in which this was built.
fn commit() -> Option<String> {
    let git = |arguments: &[&str]| {
        let output = Command::new("git").arg("-C").arg(env!("CARGO_MANIFEST_DIR")).args(arguments).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let changed = git(&["status", "--porcelain", "--untracked-files=no"]).is_some_and(|files| !files.is_empty());
    Some(git(&["rev-parse", "--short=10", "HEAD"])? + if changed { "+" } else { "" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_is_read() {
        let machine = Machine::read();
        assert!(machine.cores > 0 && machine.memory_gib > 0, "{machine:?}");
        assert!(!machine.kernel.is_empty() && machine.processor != "unknown", "{machine:?}");
    }
}
