//! The same ports for DPDK's own forwarder and for ours: a capture that is read once and an end that throws away, or null.
//!
//! Both run in processes of their own, one after the other on the same core, with EAL started by the same arguments. Both
//! count cycles of the time stamp counter from the look for frames to their handing over, and only where there were frames:
//! what testpmd calls "core cycles".

use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sealgate_config::model::Hugepages;
use sealgate_dataplane::io::eal_args::{Facts, Request, plan};
use sealgate_dataplane::io::pcap::{Resolution, Writer};
use sealgate_dataplane::io::sizing::Memory;
use serde::{Deserialize, Serialize};

use crate::scratch::Folder;

/// How often the corpus stands in the file.
const TIMES: usize = 16;
/// Packet buffers of either.
pub const BUFFERS: u32 = 8192;

/// What frames took.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cost {
    /// Frames that count.
    pub frames: u64,
    /// Cycles of the time stamp counter.
    pub cycles: f64,
}

impl Cost {
    /// Cycles per frame.
    pub fn per_frame(&self) -> f64 {
        self.cycles / self.frames.max(1) as f64
    }
}

/// Capture files for two ports, in a folder that goes with this.
#[derive(Debug)]
pub struct Captures {
    folder: Folder,
    /// Frames in the file of the first port.
    pub frames: u64,
    /// Frames of it that the worker does not count: with the first of them it touches memory for the first time, which the
    /// system hands out page by page.
    pub lead: u64,
}

impl Captures {
    /// * `corpus`: frames of the first port
    ///
    /// # Errors
    /// The folder for temporary files takes no more.
    pub fn new(corpus: &[Vec<u8>]) -> Result<Self, Box<dyn Error>> {
        let folder = Folder::new("vdev")?;
        let captures = Self { folder, frames: (corpus.len() * TIMES) as u64, lead: corpus.len() as u64 };
        Writer::create(&captures.quiet(), Resolution::Micro)?.finish()?;
        let mut writer = Writer::create(&captures.full(), Resolution::Micro)?;
        for frame in (0..TIMES).flat_map(|_| corpus) {
            writer.write(Duration::from_secs(1), frame)?;
        }
        writer.finish()?;
        Ok(captures)
    }

    /// What the first port receives.
    pub fn full(&self) -> PathBuf {
        self.folder.path().join("corpus.pcap")
    }

    /// What the second port receives: nothing.
    pub fn quiet(&self) -> PathBuf {
        self.folder.path().join("empty.pcap")
    }
}

/// Arguments for EAL without those that place its threads: huge pages where enough are free, else ordinary ones.
///
/// # Errors
/// A machine on which EAL does not start.
pub fn eal_arguments() -> Result<Vec<String>, Box<dyn Error>> {
    let memory = Memory { huge_mb: 256, small_mb: 256 };
    let request = Request { main: None, hugepages: Hugepages::Auto, pci: Vec::new(), memory };
    let plan = plan(&request, &Facts::read())?;
    Ok(plan.args.into_iter().filter(|argument| !argument.starts_with("--lcores")).collect())
}

/// A path that EAL's device arguments can hold.
///
/// # Errors
/// A folder for temporary files with a comma in its name, and the like.
pub fn plain(path: &Path) -> Result<&str, String> {
    let text = path.to_str().filter(|text| !text.contains([',', '=', '[', ']', ' ']));
    text.ok_or_else(|| format!("{}: DPDK cannot be told this path; set TMPDIR to another folder", path.display()))
}
