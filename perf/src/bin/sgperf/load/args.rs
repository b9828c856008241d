//! What `sgperf load` is told.

use clap::{Args, ValueEnum};
use sealgate_perf::load::cable;
use sealgate_perf::load::search::Goal;
use sealgate_perf::mix::Profile;
use serde::{Deserialize, Serialize};
use std::error::Error;
use std::path::PathBuf;

#[derive(Args, Clone, Serialize, Deserialize)]
pub struct Load {
    /// Traffic: default, unsigned, signed-10, signed-50, signed-100, attack, diameter, isup, sip, interconnect, or profiles in files.
    #[arg(default_values = ["unsigned", "signed-10", "signed-50", "signed-100"])]
    pub mixes: Vec<String>,
    /// What connects tester and gateway.
    #[arg(long, value_enum, default_value_t = if cfg!(feature = "dpdk") { Over::Memif } else { Over::Ring })]
    pub over: Over,
    /// Devices of this tester that lead to a gateway elsewhere: to its interconnect and to its home port (needs DPDK).
    /// `sgperf mix PROFILE --write DIR` writes that gateway's configuration. Reloads are not measured then.
    #[arg(long, num_args = 2, value_names = ["INTERCONNECT", "HOME"])]
    pub ports: Vec<String>,
    /// Frames that wait in each ring or queue: a power of two, 64 to 16384. What comes while nobody polls must fit.
    #[arg(long, default_value_t = cable::DEPTH as u16, value_parser = depth)]
    pub depth: u16,
    /// Cores of the gateway's workers.
    #[arg(long, value_delimiter = ',', default_value = "0")]
    pub worker_cores: Vec<usize>,
    /// Cores of its crypto threads; none: workers verify for themselves.
    #[arg(long, value_delimiter = ',')]
    pub crypto_cores: Vec<usize>,
    /// Core of the tester.
    #[arg(long, default_value_t = 1)]
    pub tester_core: usize,
    /// What to measure.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [
        Measure::Floor, Measure::Ndr, Measure::Pdr, Measure::Latency, Measure::Reload, Measure::BackToBack])]
    pub measure: Vec<Measure>,
    /// Seconds of a trial that counts; no back-to-back burst is longer.
    #[arg(long, default_value_t = Goal::NDR.seconds)]
    pub seconds: f64,
    /// Such trials of a load that holds.
    #[arg(long, default_value_t = Goal::NDR.trials)]
    pub trials: u32,
    /// Share of them that may lose something.
    #[arg(long, default_value_t = Goal::NDR.exceed)]
    pub exceed: f64,
    /// How close the search comes, as a share of the load.
    #[arg(long, default_value_t = Goal::NDR.width)]
    pub width: f64,
    /// Highest load tried, and that of back-to-back bursts, messages a second.
    #[arg(long, default_value_t = Goal::NDR.range.1)]
    pub max_rate: f64,
    /// Load of the soak, of latencies and of overload, instead of the NDR found: messages a second.
    #[arg(long)]
    pub rate: Option<f64>,
    /// Seconds of the soak.
    #[arg(long, default_value_t = 600)]
    pub soak_seconds: u64,
    /// Something that goes wrong in the gateway on purpose: burn:STEPS, lose:N, stall:MICROSECONDS/MILLISECONDS.
    #[arg(long, default_value = "")]
    pub fault: String,
    /// Directory for the document and for whole histograms.
    #[arg(short, long)]
    pub out: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum, Serialize, Deserialize)]
pub enum Over {
    /// Rings in memory, one process.
    Ring,
    /// Shared memory interfaces of DPDK, two processes.
    Memif,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum, Serialize, Deserialize)]
pub enum Measure {
    /// The tester alone, and through a forwarder: what it can do, and the latency that is its own.
    Floor,
    /// The highest load of which nothing is lost.
    Ndr,
    /// The highest load of which at most 0.5 % are lost.
    Pdr,
    /// Latency at 10, 50 and 90 % of the NDR.
    Latency,
    /// Reloads at 90 % of the NDR.
    Reload,
    /// The longest burst of which nothing is lost.
    BackToBack,
    /// Twice and ten times the NDR, of the same traffic; with the one named attack nine of ten messages are bad.
    Overload,
    /// 90 % of the NDR for a long time.
    Soak,
}

pub fn depth(text: &str) -> Result<u16, String> {
    let depth = text.parse().ok().filter(|depth: &u16| depth.is_power_of_two() && (64..=16384).contains(depth));
    depth.ok_or_else(|| "a power of two, 64 to 16384".to_owned())
}

impl Load {
    /// What cannot be measured as it is asked for.
    pub fn check(&self) -> Result<(), Box<dyn Error>> {
        for mix in &self.mixes {
            if Measure::from_str(mix, true).is_ok() {
                return Err(
                    format!("{mix} is no traffic but a measurement: --measure takes them as in ndr,{mix}").into()
                );
            }
            Profile::find(mix)?;
        }
        let needs_load = [Measure::Latency, Measure::Reload, Measure::Overload, Measure::Soak];
        let asked = needs_load.iter().find(|measure| self.measure.contains(measure));
        if let Some(measure) = asked
            && self.rate.is_none()
            && !self.measure.contains(&Measure::Ndr)
        {
            let measure = measure.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned());
            return Err(format!("{measure} needs a load: measure ndr too, or give one with --rate").into());
        }
        if self.rate.is_some() && self.measure == [Measure::Ndr] {
            return Err("--rate takes the place of the search for the NDR: leave it out, or measure more".into());
        }
        Ok(())
    }

    /// What is measured with what, for a reader of the document.
    pub fn setting(&self) -> String {
        let cores = |cores: &[usize]| cores.iter().map(usize::to_string).collect::<Vec<_>>().join(", ");
        let Self { depth, tester_core, .. } = self;
        if let [one, two] = self.ports.as_slice() {
            return format!("tester on core {tester_core}, ports {one} and {two} of {depth} frames, gateway elsewhere");
        }
        let over = match self.over {
            Over::Ring => "rings in memory",
            Over::Memif => "memif",
        };
        let verifier = match self.crypto_cores.as_slice() {
            [] => "which verifies for itself".to_owned(),
            crypto => format!("crypto threads on {}", cores(crypto)),
        };
        format!(
            "tester on core {tester_core}, gateway's worker on {}, {verifier}; {over} of {depth} frames",
            cores(&self.worker_cores)
        )
    }

    /// Short trials over rings in memory: unsigned traffic and signed.
    pub fn quick(core: usize) -> Self {
        Self {
            mixes: ["unsigned", "signed-100"].map(str::to_owned).to_vec(),
            over: Over::Ring,
            ports: Vec::new(),
            depth: cable::DEPTH as u16,
            worker_cores: vec![core],
            crypto_cores: Vec::new(),
            tester_core: core + 1,
            measure: vec![Measure::Floor, Measure::Ndr, Measure::Latency],
            seconds: 0.2,
            trials: 5,
            exceed: 0.0,
            width: 0.02,
            max_rate: Goal::NDR.range.1,
            rate: None,
            soak_seconds: 0,
            fault: String::new(),
            out: None,
            json: true,
        }
    }
}
