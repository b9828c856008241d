//! Ports over libdpdk: from EAL's arguments to queues.

use crate::cli::CliError;
use crate::ports::PortView;
use sealgate_config::model::{Appliance, Device, Numa};
use sealgate_dataplane::io::dpdk::{self, Eal, OpenError, Port, Queue};
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;

/// How long a network card may take to bring its link up before the gateway goes on without.
const LINK: Duration = Duration::from_secs(5);

/// What EAL and its ports gave.
pub struct Opened {
    /// Proof that EAL runs; workers register with it.
    pub eal: Eal,
    /// For each worker its queue of the interconnect and of the home port.
    pub queues: Vec<[Queue; 2]>,
    /// The ports, interconnect first. They close when these and all queues are gone.
    pub views: Vec<PortView>,
}

/// Starts EAL on this thread, makes the pool of packet buffers and opens both ports with a queue for each worker.
///
/// * `parked`: frames that all workers together may hold back
/// # Errors
/// What the machine lacks or the device refuses, with its remedy.
pub fn open(appliance: &Appliance, parked: usize) -> Result<Opened, CliError> {
    let opened = dpdk::open(appliance, parked).map_err(|error| {
        let remedy = match error {
            OpenError::Workers => "give fewer",
            OpenError::Plan(_) => "see memory and cores in the configuration",
            OpenError::Eal(_) => "see DPDK's own messages above",
            OpenError::Pool(_) => "lower memory.mbufs or the rings, or reserve more memory",
            OpenError::Port { .. } => "sealgate check --effective shows what is configured",
        };
        CliError::new(error.to_string(), remedy)
    })?;
    for warning in &opened.plan.warnings {
        tracing::warn!("{warning}");
    }
    tracing::debug!("EAL arguments: {}", opened.plan.args.join(" "));
    let mut views = Vec::new();
    let sides = [("interconnect", &appliance.ports.interconnect), ("home", &appliance.ports.home)];
    for ((side, port), open) in sides.into_iter().zip(opened.ports) {
        for note in open.notes() {
            tracing::warn!("ports.{side}: {note}");
        }
        near(appliance, side, &open)?;
        if matches!(port.device, Device::Pci(_) | Device::Memif(_)) && !open.wait_link(LINK).unwrap_or(true) {
            tracing::warn!("ports.{side}: {} has no link yet", port.device);
        }
        tracing::info!("ports.{side}: {} by {}, {} queue(s)", port.device, open.driver(), opened.queues.len());
        views.push(view(open));
    }
    Ok(Opened { eal: opened.eal, queues: opened.queues, views })
}

/// Opens the configured crypto device, if there is one. One that cannot be used does not keep the gateway from starting: the
/// processor verifies, and an alarm says why.
#[cfg(feature = "cryptodev")]
pub fn crypto(appliance: &Appliance, eal: Eal) -> Option<sealgate_crypto::engine::hardware::Hardware> {
    use sealgate_crypto::engine::hardware::Hardware;
    use sealgate_dataplane::io::dpdk::crypto::CryptoDevice;
    let name = appliance.crypto.device.as_ref()?;
    // A queue for each thread that verifies.
    let threads = match appliance.cores.crypto.len() {
        0 => appliance.cores.workers.len(),
        threads => threads,
    };
    Some(match CryptoDevice::open(eal, name, threads) {
        Ok(device) => Hardware::new(Box::new(device)),
        Err(refused) => Hardware::refused(name.to_string(), refused.to_string()),
    })
}

fn view(port: Port) -> PortView {
    let (device, driver) = (port.device().to_owned(), port.driver().to_owned());
    let counters = move || match port.stats() {
        Ok(stats) => json!({
            "link": port.link().map(|link| if link.up { "up" } else { "down" }).unwrap_or("unknown"),
            "rx_frames": stats.rx_frames, "tx_frames": stats.tx_frames,
            "rx_octets": stats.rx_octets, "tx_octets": stats.tx_octets,
            "missed": stats.missed, "rx_errors": stats.rx_errors, "tx_errors": stats.tx_errors,
            "no_buffer": stats.no_buffer,
        }),
        Err(_) => Value::Null,
    };
    PortView { device, driver, counters: Box::new(counters) }
}

/// Says, or refuses, where a worker is on another NUMA node than a port.
fn near(appliance: &Appliance, side: &str, port: &Port) -> Result<(), CliError> {
    let Some(node) = port.node() else { return Ok(()) };
    let far = |core: &&usize| node_of(Path::new("/sys"), **core).is_some_and(|other| other != node);
    let cores: Vec<usize> = appliance.cores.workers.iter().filter(far).copied().collect();
    if cores.is_empty() {
        return Ok(());
    }
    let message =
        format!("ports.{side}: {} is on NUMA node {node}, the workers on cores {cores:?} are not", port.device());
    match appliance.cores.numa {
        Numa::Warn => {
            tracing::warn!("{message}: each frame crosses the link between the nodes");
            Ok(())
        }
        Numa::Strict => {
            Err(CliError::new(message, "give cores of that node to cores.workers, or set cores.numa to warn"))
        }
    }
}

/// The NUMA node of a core, where the kernel tells.
fn node_of(sys: &Path, core: usize) -> Option<u32> {
    let folder = sys.join(format!("devices/system/cpu/cpu{core}"));
    let names = std::fs::read_dir(folder).ok()?.flatten().map(|entry| entry.file_name());
    names.filter_map(|name| name.to_str()?.strip_prefix("node")?.parse().ok()).next()
}
