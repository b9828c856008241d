//! DPDK's test forwarder, `dpdk-testpmd`, of the Debian package dpdk-dev.

use std::error::Error;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::vdev::{BUFFERS, Captures, Cost, eal_arguments, plain};

/// How long testpmd is given to start and to forward all frames, at first; doubled until that was enough.
const PATIENCE: (Duration, Duration) = (Duration::from_millis(1000), Duration::from_secs(16));

/// What testpmd does with a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forward {
    /// Nothing: it does not look at it.
    Io,
    /// Reads Ethernet, IP and SCTP headers and makes the IPv4 checksum anew. Of SCTP's it knows only the offload of a card:
    /// without one it writes zeros.
    Csum,
}

impl Forward {
    fn name(self) -> &'static str {
        match self {
            Self::Io => "io",
            Self::Csum => "csum",
        }
    }
}

/// Whether testpmd is there; what to install, if not.
///
/// # Errors
/// It is not.
pub fn present() -> Result<(), String> {
    let found = Command::new("dpdk-testpmd").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    found.map(drop).map_err(|error| format!("dpdk-testpmd: {error}; install it: sudo apt-get install -y dpdk-dev"))
}

/// Forwards all frames of two captures once, or those of two null devices for a while.
///
/// * `captures`: `None` for null devices, which give empty frames without end
/// * `core`: where it polls
///
/// # Errors
/// It does not start, or loses frames.
pub fn run(captures: Option<&Captures>, forward: Forward, core: usize) -> Result<Cost, Box<dyn Error>> {
    let devices = match captures {
        Some(captures) => {
            let (full, quiet) = (captures.full(), captures.quiet());
            [format!("net_pcap0,rx_pcap={}", plain(&full)?), format!("net_pcap1,rx_pcap={}", plain(&quiet)?)]
        }
        None => ["net_null0".to_owned(), "net_null1".to_owned()],
    };
    let enough = |cost: Cost| captures.map_or(cost.frames > 0, |captures| cost.frames == captures.frames);
    let mut patience = PATIENCE.0;
    loop {
        let mut child = Command::new("dpdk-testpmd")
            .arg(format!("--lcores=0@{core},1@{core}"))
            .args(eal_arguments()?)
            .args(devices.each_ref().map(|device| format!("--vdev={device}")))
            // It would throw away what the capture holds before it begins.
            .args(["--", "--no-flush-rx", "--nb-cores=1", "--record-core-cycles", "--no-lsc-interrupt"])
            .arg(format!("--forward-mode={}", forward.name()))
            .arg(format!("--total-num-mbufs={BUFFERS}"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        std::thread::sleep(patience);
        if let Some(mut input) = child.stdin.take() {
            // It stops at a key; one that has ended already says why below.
            let _ = input.write_all(b"\n");
        }
        let output = child.wait_with_output()?;
        match report(&String::from_utf8_lossy(&output.stdout)) {
            Some(cost) if enough(cost) => return Ok(cost),
            _ if output.status.success() && patience < PATIENCE.1 => patience *= 2,
            cost => {
                let said = String::from_utf8_lossy(&output.stderr);
                let last: Vec<_> = said.lines().rev().take(3).collect();
                return Err(format!("dpdk-testpmd: {}, forwarded {cost:?}: {last:?}", output.status).into());
            }
        }
    }
}

/// Reads `CPU cycles/packet=72.47 (total cycles=2307049794 / total io packets=31835584) at 2600 MHz Clock`.
fn report(text: &str) -> Option<Cost> {
    let line = text.lines().find(|line| line.contains("CPU cycles/packet="))?;
    let number = |name: &str| {
        let rest = line.split_once(name)?.1;
        rest.split(|letter: char| !letter.is_ascii_digit()).next()?.parse::<u64>().ok()
    };
    Some(Cost { cycles: number("total cycles=")? as f64, frames: number("packets=")? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_report_is_read() {
        let text =
            "x\n  CPU cycles/packet=72.47 (total cycles=2307049794 / total io packets=31835584) at 2600 MHz Clock\n\n";
        let cost = report(text).expect("it is testpmd's own");
        assert_eq!(cost, Cost { frames: 31_835_584, cycles: 2_307_049_794.0 });
        assert!((cost.per_frame() - 72.47).abs() < 0.01);
        assert_eq!(report("Done.\n"), None);
    }
}
