//! From the ports of a configuration to queues that workers can take.

use crate::cli::CliError;
use sealgate_config::model::Appliance;
#[cfg(not(feature = "dpdk"))]
use sealgate_config::model::{Device, Port};
use sealgate_dataplane::engine::Idle;
use serde_json::Value;

#[cfg(feature = "dpdk")]
pub mod dpdk;
pub mod files;

/// How an open port is watched while it moves frames.
pub struct PortView {
    /// The device as configured.
    pub device: String,
    /// What drives it.
    pub driver: String,
    /// Asks the device for its own counters; null where it has none.
    pub counters: Box<dyn Fn() -> Value + Send + Sync>,
}

/// How workers should pass the time on these ports: a core at a network card belongs to its worker alone; any other
/// device is served by the kernel or by another process, which need the core too.
pub fn idle(appliance: &Appliance) -> Idle {
    use sealgate_config::model::Device;
    let ports = [&appliance.ports.interconnect, &appliance.ports.home];
    if ports.iter().any(|port| matches!(port.device, Device::Pci(_))) { Idle::POLL } else { Idle::POLITE }
}

/// Refuses devices that this build cannot open.
/// # Errors
/// One that names the port, and what a build with DPDK would add.
#[cfg(not(feature = "dpdk"))]
pub fn check_build(appliance: &Appliance) -> Result<(), CliError> {
    check_crypto(appliance)?;
    let refuse = |side: &str, port: &Port| {
        CliError::new(
            format!("ports.{side}.device: {} needs DPDK, and this build is without it", port.device),
            "build with: cargo build --release --features dpdk (it adds PCI network cards, af_packet, af_xdp, tap, memif, \
             ring and null; it needs libdpdk-dev). This build runs on pcap:IN,OUT with one worker",
        )
        .with_code(CliError::CONFIGURATION)
    };
    for (side, port) in [("interconnect", &appliance.ports.interconnect), ("home", &appliance.ports.home)] {
        if !matches!(port.device, Device::Pcap { .. }) {
            return Err(refuse(side, port));
        }
    }
    if appliance.cores.workers.len() != 1 {
        let message = format!("cores.workers: {} workers on capture files", appliance.cores.workers.len());
        return Err(
            CliError::new(message, "a capture file is one queue: give one worker").with_code(CliError::CONFIGURATION)
        );
    }
    Ok(())
}

/// Refuses devices that this build cannot open: with DPDK that is a crypto device at most.
/// # Errors
/// One that names what another build would add.
#[cfg(feature = "dpdk")]
pub fn check_build(appliance: &Appliance) -> Result<(), CliError> {
    check_crypto(appliance)
}

/// Refuses a crypto device where this build has no way to ask it.
fn check_crypto(appliance: &Appliance) -> Result<(), CliError> {
    match &appliance.crypto.device {
        Some(device) if cfg!(not(feature = "cryptodev")) => Err(CliError::new(
            format!("crypto.device: {device} needs DPDK's cryptodev, and this build is without it"),
            "build with: cargo build --release --features cryptodev (it needs libdpdk-dev), or leave crypto.device out: \
             signatures are then verified by the processor",
        )
        .with_code(CliError::CONFIGURATION)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An appliance on capture files, with this in its section on crypto.
    fn appliance(crypto: &str) -> Appliance {
        let text = format!(
            "cores: {{workers: [0]}}\nports: {{interconnect: {{device: \"pcap:a,b\"}}, home: {{device: \"pcap:c,d\"}}}}\n\
             crypto: {{{crypto}}}\ntrust: {{anchors: [r], certificates: c, crls: l, keys: k}}\npolicy: p.yaml\n"
        );
        sealgate_config::parse_appliance(&text, "a.yaml").unwrap()
    }

    #[test]
    fn a_crypto_device_needs_a_build_that_can_ask_it() {
        assert!(check_build(&appliance("")).is_ok());
        let with = check_build(&appliance("device: \"0000:3d:01.0\""));
        #[cfg(feature = "cryptodev")]
        assert!(with.is_ok());
        #[cfg(not(feature = "cryptodev"))]
        assert!(with.unwrap_err().message.starts_with("crypto.device: 0000:3d:01.0 needs"));
    }
}
