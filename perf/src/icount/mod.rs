//! Instructions per message, counted by callgrind: the same on a busy machine as on a quiet one.
//!
//! [`take`] runs this very program again under valgrind and reads what it counted; [`compare()`] holds that against
//! [`Counts`] on file. What is counted is the thread of the worker: the one that makes tables of keys is left out.

mod baseline;
pub mod cases;
mod compare;
mod profile;

use std::error::Error;
use std::path::Path;
use std::process::Command;

use serde::{Deserialize, Serialize};

pub use self::baseline::{Count, Counts};
use self::cases::Phase;
pub use self::compare::{Change, Finding, TOLERANCE, compare};
use crate::scratch::Folder;

/// Where callgrind ends one profile and begins the next: the path of [`cases::mark`].
const MARK: &str = "--dump-before=sealgate_perf::icount::cases::mark*";

/// What the program that was counted says of itself.
#[derive(Debug, Serialize, Deserialize)]
pub struct Work {
    /// Extensions of the processor that valgrind shows it.
    pub processor: String,
    /// What it did, in order.
    pub phases: Vec<Phase>,
}

/// Extensions of the processor for which code here has variants.
#[cfg(target_arch = "x86_64")]
pub fn processor() -> String {
    let found = [
        ("sse4.2", std::is_x86_feature_detected!("sse4.2")),
        ("pclmulqdq", std::is_x86_feature_detected!("pclmulqdq")),
        ("avx", std::is_x86_feature_detected!("avx")),
        ("avx2", std::is_x86_feature_detected!("avx2")),
        ("bmi2", std::is_x86_feature_detected!("bmi2")),
        ("adx", std::is_x86_feature_detected!("adx")),
        ("sha", std::is_x86_feature_detected!("sha")),
        ("avx512f", std::is_x86_feature_detected!("avx512f")),
    ];
    let names = found.iter().filter(|(_, there)| *there).map(|(name, _)| *name);
    format!("x86_64 with {}", names.collect::<Vec<_>>().join(" "))
}

/// Extensions of the processor for which code here has variants.
#[cfg(not(target_arch = "x86_64"))]
pub fn processor() -> String {
    std::env::consts::ARCH.to_owned()
}

/// Counts all cases.
///
/// * `program`, `arguments`: what runs [`cases::run`] and prints [`Work`] as JSON
///
/// # Errors
/// Valgrind is missing or fails, or its profiles cannot be read.
pub fn take(program: &Path, arguments: &[&str]) -> Result<Counts, Box<dyn Error>> {
    let version = Command::new("valgrind").arg("--version").output();
    let version =
        version.map_err(|error| format!("valgrind: {error}; install it: sudo apt-get install -y valgrind"))?;
    let version = String::from_utf8_lossy(&version.stdout).trim().to_owned();
    let folder = Folder::new("icount")?;
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--separate-threads=yes", "--cache-sim=no", "--branch-sim=no", MARK])
        .arg(format!("--callgrind-out-file={}", folder.path().join("out").display()))
        .arg(program)
        .args(arguments)
        .output()?;
    if !output.status.success() {
        return Err(format!("valgrind: {}: {}", output.status, String::from_utf8_lossy(&output.stderr)).into());
    }
    let work: Work = serde_json::from_slice(&output.stdout)?;
    let mut counts = Counts { with: vec![compiler(), version, work.processor], ..Counts::default() };
    let mut units = indexmap::IndexMap::<&str, u64>::new();
    for (number, phase) in work.phases.iter().enumerate() {
        let Some(case) = &phase.case else { continue };
        // Thread 1 is the one that started: the worker.
        let path = folder.path().join(format!("out.{}-01", number + 1));
        let text = std::fs::read_to_string(&path).map_err(|error| {
            format!("{}: {error}; callgrind did not see {MARK}: was the program stripped?", path.display())
        })?;
        let count = counts.cases.entry(case.clone()).or_default();
        *units.entry(case).or_default() += phase.units;
        for (function, cost) in profile::read(&text)? {
            count.whole += cost as f64;
            *count.functions.entry(function).or_default() += cost as f64;
        }
    }
    for (case, count) in &mut counts.cases {
        let units = units.get(case.as_str()).copied().unwrap_or(1).max(1) as f64;
        count.whole /= units;
        count.functions.values_mut().for_each(|own| *own /= units);
    }
    Ok(counts)
}

/// The compiler as it names itself.
fn compiler() -> String {
    let output = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into())).arg("--version").output();
    output.map_or_else(|_| "rustc unknown".to_owned(), |out| String::from_utf8_lossy(&out.stdout).trim().to_owned())
}
