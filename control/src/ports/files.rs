//! Ports over capture files, in plain Rust: what `run` has without DPDK.

use crate::cli::CliError;
use crate::ports::PortView;
use sealgate_config::model::{Device, Port};
use sealgate_dataplane::engine::now_ms;
use sealgate_dataplane::io::FrameIo;
use sealgate_dataplane::io::mem::{MemFrame, MemPool};
use sealgate_dataplane::io::pcap::{OpenPcap, PcapError, Resolution};
use serde_json::Value;
use std::collections::VecDeque;
use std::sync::mpsc::Sender;
use std::time::Duration;

/// A capture file port that dates what it sends by the clock, and tells control what went wrong.
pub struct FilePort {
    /// `None` only while it is dropped.
    port: Option<OpenPcap>,
    faults: Sender<String>,
    told: bool,
}

impl FilePort {
    /// Opens the files of a port. The output is made or replaced.
    ///
    /// * `faults`: hears at most one sentence, while frames move or when the file is closed
    /// # Errors
    /// A file that cannot be opened or is no capture of Ethernet frames.
    pub fn open(pool: &MemPool, port: &Port, faults: Sender<String>) -> Result<(Self, PortView), CliError> {
        let Device::Pcap { rx, tx } = &port.device else {
            return Err(CliError::new(format!("{} is no capture file", port.device), "give pcap:IN,OUT"));
        };
        let opened = OpenPcap::open(pool, rx.as_deref(), tx.as_deref(), Resolution::Micro).map_err(|error| {
            CliError::new(error.to_string(), "pcap:IN,OUT: IN is read, OUT is made; either may be left out")
        })?;
        let view =
            PortView { device: port.device.to_string(), driver: "file".to_owned(), counters: Box::new(|| Value::Null) };
        Ok((Self { port: Some(opened), faults, told: false }, view))
    }

    fn tell(&mut self, fault: &PcapError) {
        if !self.told {
            self.told = true;
            // Control that has gone away does not listen; then the file's fault is its smallest worry.
            let _ = self.faults.send(fault.to_string());
        }
    }
}

impl FrameIo for FilePort {
    type Frame = MemFrame;

    fn rx(&mut self, out: &mut Vec<MemFrame>, max: usize) -> usize {
        self.port.as_mut().map_or(0, |port| port.rx(out, max))
    }

    fn tx(&mut self, frames: &mut VecDeque<MemFrame>) -> usize {
        let Some(port) = &mut self.port else { return 0 };
        port.set_time(Duration::from_millis(now_ms()));
        let sent = port.tx(frames);
        if !frames.is_empty() && !self.told {
            // A file takes everything or is at fault.
            let fault = port.fault().map(PcapError::to_string);
            if let Some(fault) = fault {
                self.told = true;
                let _ = self.faults.send(fault);
            }
        }
        sent
    }

    fn alloc(&mut self) -> Option<MemFrame> {
        self.port.as_mut().and_then(FrameIo::alloc)
    }

    fn exhausted(&self) -> bool {
        self.port.as_ref().is_none_or(FrameIo::exhausted)
    }
}

impl Drop for FilePort {
    fn drop(&mut self) {
        if let Some(port) = self.port.take()
            && let Err(fault) = port.finish()
        {
            self.tell(&fault);
        }
    }
}
