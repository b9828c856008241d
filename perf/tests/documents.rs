//! The measurements of parts: what each prints is a document that `report` and `compare` read.

use std::error::Error;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::{Mutex, MutexGuard, PoisonError};

use sealgate_perf::record::Document;

type Result<T = ()> = std::result::Result<T, Box<dyn Error>>;

/// The cores are for one test at a time.
fn alone() -> MutexGuard<'static, ()> {
    static CORES: Mutex<()> = Mutex::new(());
    CORES.lock().unwrap_or_else(PoisonError::into_inner)
}

fn sgperf(arguments: &[&str]) -> Result<Output> {
    Ok(Command::new(env!("CARGO_BIN_EXE_sgperf")).args(arguments).output()?)
}

/// Each of these figures has so many samples; and the document goes through `compare` and `report`.
fn measures(arguments: &[&str], rounds: usize, names: &[&str]) -> Result<Document> {
    let _alone = alone();
    let output = sgperf(&[arguments, &["--json"]].concat())?;
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    let verb = arguments.first().ok_or("no verb")?;
    let folder = Folder::make(verb)?;
    let path = folder.0.join("it.json");
    fs::write(&path, &output.stdout)?;
    let document = Document::read(&path)?;
    assert_eq!(document.run.command, *verb);
    for name in names {
        let figure = document.figures.get(*name).ok_or_else(|| format!("no {name}: {:?}", document.figures.keys()))?;
        assert_eq!(figure.samples.len(), rounds, "{name}");
        assert!(figure.low <= figure.median && figure.median <= figure.high, "{name}: {figure:?}");
    }
    let path = path.to_str().ok_or("a path")?;
    let compared = sgperf(&["compare", path, path])?;
    assert!(compared.status.success(), "{}", String::from_utf8_lossy(&compared.stderr));
    let report = folder.0.join("report");
    let reported = sgperf(&["report", path, "-o", report.to_str().ok_or("a path")?])?;
    assert!(reported.status.success(), "{}", String::from_utf8_lossy(&reported.stderr));
    let pages = fs::read_dir(&report)?.filter_map(std::result::Result::ok);
    let page = pages.map(|file| file.path()).find(|file| file.extension().is_some_and(|kind| kind == "html"));
    let page = fs::read_to_string(page.ok_or("no page")?)?;
    assert!(names.iter().all(|name| page.contains(name)), "the page has each of {names:?}");
    Ok(document)
}

#[test]
fn rules() -> Result {
    let names = ["rules_10_ns", "rules_500_senders_ns", "rules_500_ratio_to_first", "rules_10_found"];
    let document = measures(&["rules", "--rules", "10,500", "--rounds", "3"], 3, &names)?;
    assert!(document.median("rules_500_octets_per_prefix").is_some_and(|octets| octets > 16.0));
    assert!(document.median("rules_500_compile_ms").is_some_and(|ms| ms > 0.0));
    Ok(())
}

#[test]
fn engines() -> Result {
    let arguments = ["--algs", "p256", "--keys", "1,4", "--batches", "1,32", "--requests", "200", "--rounds", "3"];
    let names = ["p256_ratio_b1_k1", "p256_ratio_b32_k4", "p256_us_b32_k4", "p256_reference_us_b32_k4"];
    let document = measures(&[&["crypto", "--no-pool"][..], &arguments].concat(), 3, &names)?;
    assert!(document.median("p256_k4_table_octets").is_some_and(|octets| octets > 10_000.0));
    assert!(document.median("core_least").is_some_and(|share| share > 0.0 && share <= 1.0));
    Ok(())
}

#[test]
fn the_pool() -> Result {
    let names = ["reference_p256_per_s", "pool_p256_per_s", "inline_p256_per_s", "pool_to_bare", "bare_to_reference"];
    let document = measures(&["pool", "--keys", "3", "--rounds", "2", "--ms", "20"], 2, &names)?;
    assert_eq!(document.median("keys"), Some(3.0));
    Ok(())
}

#[test]
fn an_attack() -> Result {
    let names = ["attack_none_h1_honest_per_s", "attack_garbage_h1_kept", "attack_equal_x_h1_refused"];
    measures(&["attack", "--honest", "1", "--rounds", "2", "--ms", "20"], 2, &names).map(drop)
}

#[test]
fn a_sync() -> Result {
    let names = ["quiet_cpu_p50_us", "sync_cpu_p999_us", "published_s", "tables_s", "sync_interrupted"];
    measures(&["sync", "--operators", "20", "--rounds", "2", "--ms", "100"], 2, &names).map(drop)
}

#[test]
fn reloads() -> Result {
    let names = ["swaps_cpu_p99_us", "compile_p50_ms", "moved_on_longest_ms", "messages", "lost"];
    let document = measures(&["reload", "--swaps", "20", "--rounds", "2", "--ms", "100"], 2, &names)?;
    assert_eq!(document.median("lost"), Some(0.0));
    Ok(())
}

/// A directory, gone with this.
struct Folder(PathBuf);

impl Folder {
    fn make(verb: &str) -> Result<Self> {
        let folder = std::env::temp_dir().join(format!("sgperf-documents-{verb}-{}", std::process::id()));
        fs::create_dir(&folder)?;
        Ok(Self(folder))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // The next run has another name.
        let _ = fs::remove_dir_all(&self.0);
    }
}
