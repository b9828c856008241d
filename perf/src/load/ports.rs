//! The tester's or the gateway's two ports over libdpdk: memif, network cards, kernel interfaces.

use sealgate_config::model::Appliance;
use sealgate_dataplane::io::dpdk::{Eal, Port, Queue, open};
use std::path::Path;
use std::time::{Duration, Instant};

/// How long the other end may take to bring the link up.
const LINK: Duration = Duration::from_secs(10);
/// How often links are looked at.
const LOOK: Duration = Duration::from_millis(20);
/// Frames that a gateway's worker may hold back.
const PARKED: usize = 4096;

/// Two ports with a queue for each worker, and EAL, with which threads register.
pub struct Opened {
    /// EAL.
    pub eal: Eal,
    /// A pair for each worker.
    pub queues: Vec<[Queue; 2]>,
    /// They close when these and the queues are gone.
    pub ports: [Port; 2],
}

/// Opens both devices. EAL's own thread, which is this one, stays on the core `main`.
///
/// * `devices`: interconnect and home, as in a configuration; `depth`: descriptors of each queue, a power of two
/// * `workers`: cores of those who poll
/// # Errors
/// A device that is none, or does not open.
pub fn two(devices: &[String; 2], depth: u16, main: Option<usize>, workers: &[usize]) -> Result<Opened, String> {
    let opened =
        open(&appliance(devices, depth, main, workers)?, PARKED * workers.len()).map_err(|error| error.to_string())?;
    Ok(Opened { eal: opened.eal, queues: opened.queues, ports: opened.ports })
}

impl Opened {
    /// Waits until both ports have a link.
    /// # Errors
    /// One that gets none in ten seconds.
    pub fn wait(&self) -> Result<(), String> {
        for port in &self.ports {
            if !port.wait_link(LINK).map_err(|error| error.to_string())? {
                return Err(format!("{} gets no link in {} s", port.device(), LINK.as_secs()));
            }
        }
        Ok(())
    }
}

/// Waits until no port has a link any more; false if one still has after this time.
/// # Errors
/// A port that does not tell.
pub fn wait_gone(ports: &[Port; 2], time: Duration) -> Result<bool, String> {
    let until = Instant::now() + time;
    loop {
        let links = ports.iter().map(Port::link).collect::<Result<Vec<_>, _>>().map_err(|error| error.to_string())?;
        if links.iter().all(|link| !link.up) {
            return Ok(true);
        }
        if Instant::now() >= until {
            return Ok(false);
        }
        std::thread::sleep(LOOK);
    }
}

/// The two ends of a shared memory interface: the gateway's devices, which listen, and the tester's.
///
/// * `folder`: where their socket is; `depth`: frames in a ring, a power of two
pub fn memif(folder: &Path, depth: u16) -> [[String; 2]; 2] {
    let rsize = depth.ilog2();
    ["server", "client"].map(|role| {
        [0, 1].map(|id| format!("memif:role={role},id={id},socket={}/memif.sock,rsize={rsize}", folder.display()))
    })
}

/// A configuration that has nothing but ports and cores.
fn appliance(devices: &[String; 2], depth: u16, main: Option<usize>, workers: &[usize]) -> Result<Appliance, String> {
    let [interconnect, home] = devices;
    let main = main.map_or_else(String::new, |core| format!("main: {core}, "));
    let port = |device| format!("{{device: \"{device}\", rx_ring: {depth}, tx_ring: {depth}}}");
    let text = format!(
        "cores: {{{main}workers: {workers:?}}}\nports:\n  interconnect: {}\n  home: {}\n\
         trust: {{anchors: [none], certificates: none, crls: none, keys: none}}\npolicy: none\n",
        port(interconnect),
        port(home)
    );
    sealgate_config::parse_appliance(&text, "ports").map_err(|faults| faults.to_string())
}
