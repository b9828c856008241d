//! A port: plugged in, configured and started when it is opened; stopped, closed and unplugged with its last handle.

use super::super::pcap::Reader;
use super::super::sizing::LINK;
use super::device::{self, Plug};
use super::pool::Mempool;
use super::queue::Queue;
use super::{Eal, control, errno_text};
use dpdk_sys::{sg_info, sg_link, sg_stats};
use sealgate_config::model::{self, Device};
use std::ffi::{CStr, CString};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// The longest hash key that a device can want, octets.
const KEY: usize = 64;

/// A key of equal 16-bit words gives both directions of an association the same hash, and so the same queue.
const fn symmetric_key() -> [u8; KEY] {
    let mut key = [0; KEY];
    let mut at = 0;
    while at < KEY {
        key[at] = if at.is_multiple_of(2) { 0x6d } else { 0x5a };
        at += 1;
    }
    key
}

/// Octets of the key where the device does not tell.
const KEY_DEFAULT: u8 = 40;

/// What a queue is chosen by: addresses, and ports where the device knows the protocol.
const HASH: u64 = dpdk_sys::SG_RSS_IP | dpdk_sys::SG_RSS_SCTP | dpdk_sys::SG_RSS_TCP | dpdk_sys::SG_RSS_UDP;

/// Between two looks at a link that is not up.
const LINK_POLL: Duration = Duration::from_millis(10);

/// A port did not open, or does not answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PortError {
    /// A name or path that cannot be told to DPDK.
    #[error("{0}: empty, or with a character that DPDK's arguments cannot hold (, = [ ] ( ) \" or a space)")]
    Name(String),
    /// No such kernel interface in this network namespace.
    #[error("{device}: there is no interface {name} here; `ip link` lists those that are")]
    Interface {
        /// The device as configured.
        device: String,
        /// The interface.
        name: String,
    },
    /// The file to receive from cannot be read.
    #[error("{device}: {text}")]
    File {
        /// The device as configured.
        device: String,
        /// What the system or the file says.
        text: String,
    },
    /// Fewer queues than workers.
    #[error("{device}: {wanted} queues are wanted, one for each worker, and it has {most}")]
    Queues {
        /// The device as configured.
        device: String,
        /// Queues wanted.
        wanted: u16,
        /// Queues that it has.
        most: u16,
    },
    /// An MTU that the device cannot do.
    #[error("{device}: mtu {mtu} is not within {least} to {most}")]
    Mtu {
        /// The device as configured.
        device: String,
        /// MTU wanted.
        mtu: u16,
        /// Least MTU.
        least: u16,
        /// Most MTU.
        most: u16,
    },
    /// The pool's buffers are too small for the MTU.
    #[error("{device}: frames of mtu {mtu} do not fit the pool's buffers of {room} octets")]
    Room {
        /// The device as configured.
        device: String,
        /// MTU wanted.
        mtu: u16,
        /// Octets of a buffer.
        room: u16,
    },
    /// DPDK refused a step. Its own messages are on standard error.
    #[error("{device}: {step} failed: {text} ({code}); {hint}")]
    Step {
        /// The device as configured.
        device: String,
        /// What was tried.
        step: &'static str,
        /// What the error number means.
        text: String,
        /// The error number.
        code: i32,
        /// Where to look.
        hint: &'static str,
    },
}

/// Counters of a port since it was opened, as the device keeps them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Frames received.
    pub rx_frames: u64,
    /// Frames sent.
    pub tx_frames: u64,
    /// Octets received.
    pub rx_octets: u64,
    /// Octets sent.
    pub tx_octets: u64,
    /// Frames lost because a receive ring was full: the worker was too slow.
    pub missed: u64,
    /// Frames received damaged.
    pub rx_errors: u64,
    /// Frames that the device could not send.
    pub tx_errors: u64,
    /// Receptions that failed for want of a buffer: the pool is too small.
    pub no_buffer: u64,
}

/// State of a link.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Link {
    /// Whether frames can pass.
    pub up: bool,
    /// Speed, Mbit/s, where known.
    pub mbps: Option<u32>,
}

/// A device that EAL has, and the duty to give it back.
pub(super) struct Plugged {
    id: u16,
    bus: CString,
    name: CString,
    /// As configured, for people.
    device: String,
    started: AtomicBool,
}

impl Plugged {
    /// DPDK's number of the port.
    pub(super) fn id(&self) -> u16 {
        self.id
    }
}

impl fmt::Debug for Plugged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.device)
    }
}

impl Drop for Plugged {
    fn drop(&mut self) {
        let _control = control();
        // SAFETY: no queue is left, so nobody is in a burst on this port. A port is stopped before it is closed; closing
        // frees its rings with the buffers in them. After that only unplugging is allowed, and the name is ours. A
        // refusal leaves nothing that could be done better: the process goes on without the port.
        unsafe {
            if *self.started.get_mut() {
                dpdk_sys::sg_port_stop(self.id);
            }
            dpdk_sys::sg_port_close(self.id);
            dpdk_sys::sg_unplug(self.bus.as_ptr(), self.name.as_ptr());
        }
    }
}

/// A port, for whoever watches it. Its frames go through its [`Queue`]s.
#[derive(Debug)]
pub struct Port {
    plugged: Arc<Plugged>,
    driver: String,
    node: Option<u32>,
    notes: Vec<String>,
}

impl Port {
    /// Plugs in a device, sets it up and starts it: promiscuous, since a bump in the wire is nobody's addressee; with
    /// symmetric receive side scaling where there are several queues and the device can; with buffers of `pool`.
    ///
    /// * `queues`: receive and transmit queues, one pair for each worker.
    ///
    /// All buffers come back when the port closes; only DPDK 22.11's AF_XDP driver leaves those of its fill ring, about
    /// 2048 a queue, with the kernel.
    /// # Errors
    /// [`PortError`]; the device is then unplugged again.
    pub fn open(_eal: Eal, port: &model::Port, queues: u16, pool: &Mempool) -> Result<(Self, Vec<Queue>), PortError> {
        let plug = device::plug(port, queues)?;
        check_source(&port.device)?;
        check_room(port, pool)?;
        let plugged = Arc::new(plug_in(port, queues, plug)?);
        let mut notes = device::notes(port, queues);
        let info = {
            // Held to the end of the set-up, and let go before an error drops `plugged`, which takes it again.
            let _control = control();
            set_up(&plugged, port, queues, pool, &mut notes)
        }?;
        let ends = matches!(port.device, Device::Pcap { .. });
        let queues = (0..queues).map(|queue| Queue::new(Arc::clone(&plugged), queue, *pool, ends)).collect();
        // SAFETY: the shim leaves the last octet of `driver` zero.
        let driver = unsafe { CStr::from_ptr(info.driver.as_ptr()) }.to_string_lossy().into_owned();
        Ok((Self { plugged, driver, node: u32::try_from(info.socket).ok(), notes }, queues))
    }

    /// The device as configured.
    pub fn device(&self) -> &str {
        &self.plugged.device
    }

    /// DPDK's name of the driver.
    pub fn driver(&self) -> &str {
        &self.driver
    }

    /// NUMA node of the device, where it has one.
    pub fn node(&self) -> Option<u32> {
        self.node
    }

    /// What the operator should know of this port, a sentence each.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Counters of the port.
    /// # Errors
    /// [`PortError::Step`] if the driver has none.
    pub fn stats(&self) -> Result<Stats, PortError> {
        let mut raw = sg_stats::default();
        let _control = control();
        // SAFETY: the port is open as long as this handle lives; counters may be read while others are in a burst.
        self.step("reading counters", unsafe { dpdk_sys::sg_port_stats(self.plugged.id, &mut raw) })?;
        Ok(Stats {
            rx_frames: raw.ipackets,
            tx_frames: raw.opackets,
            rx_octets: raw.ibytes,
            tx_octets: raw.obytes,
            missed: raw.imissed,
            rx_errors: raw.ierrors,
            tx_errors: raw.oerrors,
            no_buffer: raw.rx_nombuf,
        })
    }

    /// State of the link, at once.
    /// # Errors
    /// [`PortError::Step`] if the driver does not tell.
    pub fn link(&self) -> Result<Link, PortError> {
        let mut raw = sg_link::default();
        let _control = control();
        // SAFETY: the port is open as long as this handle lives.
        self.step("reading the link", unsafe { dpdk_sys::sg_port_link(self.plugged.id, &mut raw) })?;
        Ok(Link { up: raw.up == 1, mbps: Some(raw.mbps).filter(|mbps| *mbps != 0 && *mbps != u32::MAX) })
    }

    /// Waits for the link, at most so long; returns whether it is up. For control, never for a worker.
    /// # Errors
    /// [`PortError::Step`] if the driver does not tell.
    pub fn wait_link(&self, at_most: Duration) -> Result<bool, PortError> {
        let start = Instant::now();
        loop {
            if self.link()?.up {
                return Ok(true);
            }
            let left = at_most.saturating_sub(start.elapsed());
            if left.is_zero() {
                return Ok(false);
            }
            thread::sleep(left.min(LINK_POLL));
        }
    }

    fn step(&self, step: &'static str, code: i32) -> Result<(), PortError> {
        refused(&self.plugged.device, "DPDK's own message on standard error says more", step, code)
    }
}

/// An error, if DPDK's answer is one.
fn refused(device: &str, hint: &'static str, step: &'static str, code: i32) -> Result<(), PortError> {
    match code {
        0.. => Ok(()),
        _ => Err(PortError::Step { device: device.to_owned(), step, text: errno_text(code), code, hint }),
    }
}

/// Whether the port's frames fit the pool's buffers in one piece.
fn check_room(port: &model::Port, pool: &Mempool) -> Result<(), PortError> {
    let (mtu, room) = (port.mtu, pool.sizing().room);
    if mtu.saturating_add(LINK) <= room {
        Ok(())
    } else {
        Err(PortError::Room { device: port.device.to_string(), mtu, room })
    }
}

/// Looks for what DPDK would only complain of in its log: a missing interface, an input that is no capture.
fn check_source(device: &Device) -> Result<(), PortError> {
    if let Some(name) = device::interface(device) {
        let missing = || PortError::Interface { device: device.to_string(), name: name.to_owned() };
        let text = CString::new(name).map_err(|_| missing())?;
        // SAFETY: a string that ends in a zero; if_nametoindex looks at nothing else and is safe on any thread.
        if unsafe { dpdk_sys::if_nametoindex(text.as_ptr()) } == 0 {
            return Err(missing());
        }
    }
    if let Device::Pcap { rx: Some(path), .. } = device {
        Reader::open(path).map_err(|error| PortError::File { device: device.to_string(), text: error.to_string() })?;
    }
    Ok(())
}

/// Makes EAL take the device, and finds its port.
fn plug_in(port: &model::Port, queues: u16, plug: Plug) -> Result<Plugged, PortError> {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let device = port.device.to_string();
    let name = match plug.bus {
        "pci" => plug.name,
        // Never the same twice: some drivers leave a name behind.
        _ => format!("{}{}", plug.name, NUMBER.fetch_add(1, Ordering::Relaxed)),
    };
    let text = |text: &str| CString::new(text).map_err(|_| PortError::Name(device.clone()));
    let (bus, name, args) = (text(plug.bus)?, text(&name)?, text(&plug.args)?);
    let hint = device::hint(&port.device, queues);
    let _control = control();
    let mut id = 0;
    // A card that was allowed at the start is there already, and a second probe of it would be refused.
    // SAFETY: EAL runs, since `open` was given the proof; the name ends in a zero; `id` is written on success only.
    let code = unsafe { dpdk_sys::sg_port_by_name(name.as_ptr(), &mut id) };
    let known = plug.bus == "pci" && code == 0;
    if !known {
        // SAFETY: as above; the strings are copied.
        refused(&device, hint, "plugging in", unsafe {
            dpdk_sys::sg_hotplug(bus.as_ptr(), name.as_ptr(), args.as_ptr())
        })?;
        // SAFETY: as above.
        let code = unsafe { dpdk_sys::sg_port_by_name(name.as_ptr(), &mut id) };
        if let Err(error) = refused(&device, hint, "finding the port", code) {
            // SAFETY: as above; what was plugged in and has no port is of no use.
            unsafe { dpdk_sys::sg_unplug(bus.as_ptr(), name.as_ptr()) };
            return Err(error);
        }
    }
    Ok(Plugged { id, bus, name, device, started: AtomicBool::new(false) })
}

/// Configures and starts a port that is plugged in. The caller holds the lock.
fn set_up(
    plugged: &Plugged,
    port: &model::Port,
    queues: u16,
    pool: &Mempool,
    notes: &mut Vec<String>,
) -> Result<sg_info, PortError> {
    let (id, device) = (plugged.id, &plugged.device);
    let hint = device::hint(&port.device, queues);
    let step = |what, code| refused(device, hint, what, code);

    let mut info = std::mem::MaybeUninit::<sg_info>::uninit();
    // SAFETY: the port is there; the shim fills `info` in if it returns 0.
    let info = unsafe {
        step("asking for its abilities", dpdk_sys::sg_port_info(id, info.as_mut_ptr()))?;
        info.assume_init()
    };
    let most = info.max_rx_queues.min(info.max_tx_queues);
    if queues == 0 || queues > most {
        return Err(PortError::Queues { device: device.clone(), wanted: queues, most });
    }
    if port.mtu < info.min_mtu || port.mtu > info.max_mtu {
        return Err(PortError::Mtu { device: device.clone(), mtu: port.mtu, least: info.min_mtu, most: info.max_mtu });
    }
    configure(id, port, queues, &info, notes).map_err(|code| match step("configuring", code) {
        Err(error) => error,
        Ok(()) => PortError::Queues { device: device.clone(), wanted: queues, most },
    })?;

    let (mut rx_ring, mut tx_ring) = (port.rx_ring, port.tx_ring);
    // SAFETY: the port is configured and not started. The pool has buffers of packets and is never freed.
    unsafe {
        step("choosing ring sizes", dpdk_sys::sg_port_adjust_rings(id, &mut rx_ring, &mut tx_ring))?;
        for queue in 0..queues {
            step("setting up a receive queue", dpdk_sys::sg_port_rx_queue(id, queue, rx_ring, pool.raw()))?;
            step("setting up a transmit queue", dpdk_sys::sg_port_tx_queue(id, queue, tx_ring))?;
        }
    }
    if (rx_ring, tx_ring) != (port.rx_ring, port.tx_ring) {
        notes.push(format!(
            "{device} takes rings of {rx_ring} and {tx_ring}, not {} and {}",
            port.rx_ring, port.tx_ring
        ));
    }
    // SAFETY: all queues are set up.
    step("starting", unsafe { dpdk_sys::sg_port_start(id) })?;
    plugged.started.store(true, Ordering::Relaxed);
    // SAFETY: the port is started.
    let promiscuous = unsafe { dpdk_sys::sg_port_promiscuous(id) };
    // Where no addresses are looked at, there is nothing to switch.
    let filters = matches!(port.device, Device::Pci(_) | Device::AfPacket(_) | Device::AfXdp(_));
    if filters || promiscuous != -ENOTSUP {
        step("becoming promiscuous", promiscuous)?;
    }
    Ok(info)
}

/// `ENOTSUP` on Linux.
const ENOTSUP: i32 = 95;

/// Configures queues, MTU and, where it is of use and the device can, hashing with the symmetric key. The error is an
/// errno.
fn configure(id: u16, port: &model::Port, queues: u16, info: &sg_info, notes: &mut Vec<String>) -> Result<(), i32> {
    let hash = info.rss & HASH;
    if queues > 1 && hash != 0 {
        let mut key = symmetric_key();
        let size = if info.key_size == 0 { KEY_DEFAULT } else { info.key_size };
        if usize::from(size) <= KEY {
            // SAFETY: the port is not started; the key has at least `size` octets.
            let code = unsafe { dpdk_sys::sg_port_configure(id, queues, port.mtu, hash, key.as_mut_ptr(), size) };
            if code == 0 {
                return Ok(());
            }
        }
    }
    // The kernel's fanout hashes both directions alike, and the others have one stream or a queue each.
    if queues > 1 && matches!(port.device, Device::Pci(_)) {
        notes.push(format!(
            "{} has no receive side scaling with a key of ours: all its frames come to one worker first",
            port.device
        ));
    }
    // SAFETY: the port is not started; without hashing there is no key.
    match unsafe { dpdk_sys::sg_port_configure(id, queues, port.mtu, 0, std::ptr::null_mut(), 0) } {
        0 => Ok(()),
        code => Err(code),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_gives_both_directions_the_same_hash() {
        let key = symmetric_key();
        // 192.0.2.1:2905 and 198.51.100.7:40000, as one direction and the other see them.
        let (a, b, p, q) = (0xc000_0201_u32, 0xc633_6407_u32, 2905_u32, 40_000_u32);
        let hash = |mut tuple: [u32; 3]| {
            // SAFETY: rte_softrss reads three words and a key of 40 octets, and needs no EAL.
            unsafe { dpdk_sys::sg_softrss(tuple.as_mut_ptr(), 3, key.as_ptr()) }
        };
        let there = hash([a, b, p << 16 | q]);
        assert_eq!(there, hash([b, a, q << 16 | p]));
        assert_ne!(there, hash([a, b, p << 16 | (q + 1)]));
    }

    #[test]
    fn errors_say_what_to_do() {
        let error = refused("af_packet:x", device::hint(&Device::AfPacket("x".into()), 1), "plugging in", -1);
        assert_eq!(
            error.unwrap_err().to_string(),
            "af_packet:x: plugging in failed: Operation not permitted (-1); this needs root, or CAP_NET_RAW and CAP_NET_ADMIN"
        );
    }
}
