//! From a configured device to the name and arguments that DPDK knows it by. Pure but for a look at `/sys`.
#![forbid(unsafe_code)]

use super::port::PortError;
use sealgate_config::model::{Device, Port};
use std::path::{Path, PathBuf};

/// How a device is plugged in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Plug {
    /// `vdev` or `pci`.
    pub(super) bus: &'static str,
    /// Driver name, to which a number is added; for PCI the address.
    pub(super) name: String,
    /// `key=value` pairs with commas.
    pub(super) args: String,
}

/// Least frame size of the AF_PACKET ring, octets: the driver's own.
const PACKET_FRAME: u32 = 2048;

/// What stands before a frame in the AF_PACKET ring (`TPACKET2_HDRLEN`, aligned), and the longest link header, octets.
const PACKET_HEADER: u32 = 80 + 22;

/// Least block of the AF_PACKET ring, octets: a page.
const PACKET_BLOCK: u32 = 4096;

/// How this port is plugged in with so many queues.
pub(super) fn plug(port: &Port, queues: u16) -> Result<Plug, PortError> {
    let device = &port.device;
    let vdev = |name: &str, args: String| Ok(Plug { bus: "vdev", name: name.to_owned(), args });
    match device {
        Device::Pci(address) => Ok(Plug { bus: "pci", name: address.to_string(), args: String::new() }),
        Device::AfPacket(name) => {
            let frame = (u32::from(port.mtu) + PACKET_HEADER).next_power_of_two().max(PACKET_FRAME);
            let (block, count) = (frame.max(PACKET_BLOCK), port.rx_ring.max(port.tx_ring));
            let name = plain(device, name)?;
            vdev(
                "net_af_packet",
                format!("iface={name},qpairs={queues},blocksz={block},framesz={frame},framecnt={count}"),
            )
        }
        // A queue count that is not one needs "combined channels" of the interface, even where it is the default.
        Device::AfXdp(name) if queues == 1 => vdev("net_af_xdp", format!("iface={}", plain(device, name)?)),
        Device::AfXdp(name) => {
            vdev("net_af_xdp", format!("iface={},start_queue=0,queue_count={queues}", plain(device, name)?))
        }
        Device::Tap(name) => vdev("net_tap", format!("iface={}", plain(device, name)?)),
        Device::Memif(args) => vdev("net_memif", args.clone()),
        Device::Pcap { rx, tx } => {
            let file = |key: &str, path: &Option<PathBuf>| match path {
                Some(path) => {
                    let text = path.to_str().ok_or_else(|| PortError::Name(path.display().to_string()))?;
                    Ok(Some(format!("{key}={}", plain(device, text)?)))
                }
                None => Ok(None),
            };
            let pairs: Vec<_> = [file("rx_pcap", rx)?, file("tx_pcap", tx)?].into_iter().flatten().collect();
            vdev("net_pcap", pairs.join(","))
        }
        Device::Null => vdev("net_null", String::new()),
        Device::Ring => vdev("net_ring", String::new()),
    }
}

/// DPDK's arguments have no way to write a comma, an equals sign or a bracket within a value.
fn plain<'a>(device: &Device, value: &'a str) -> Result<&'a str, PortError> {
    let bad = |c: char| matches!(c, ',' | '=' | '[' | ']' | '(' | ')' | '"') || c.is_whitespace() || c.is_control();
    if value.is_empty() || value.contains(bad) { Err(PortError::Name(device.to_string())) } else { Ok(value) }
}

/// The kernel interface that a device needs to be there.
pub(super) fn interface(device: &Device) -> Option<&str> {
    match device {
        Device::AfPacket(name) | Device::AfXdp(name) => Some(name),
        _ => None,
    }
}

/// Where to look when DPDK cannot plug in or set up this device.
pub(super) fn hint(device: &Device, queues: u16) -> &'static str {
    match device {
        Device::Pci(_) => "is the card bound to vfio-pci (dpdk-devbind.py), or its own driver one that DPDK can share?",
        Device::AfXdp(_) if queues > 1 => {
            "does the interface have that many combined channels (ethtool -l)? veth has none: use one worker or af_packet"
        }
        Device::AfPacket(_) | Device::AfXdp(_) | Device::Tap(_) => "this needs root, or CAP_NET_RAW and CAP_NET_ADMIN",
        Device::Pcap { .. } => "can the input be read, is it a capture of Ethernet frames, can the output be written?",
        Device::Memif(_) => "arguments are role=server|client,id=N,socket=PATH and others of net_memif",
        Device::Null | Device::Ring => "DPDK's own message on standard error says more",
    }
}

/// What the operator should know of this port.
pub(super) fn notes(port: &Port, queues: u16) -> Vec<String> {
    let mut notes = match &port.device {
        Device::Memif(_) => vec![format!(
            "memif is for benchmarks: with other than {queues} queues at its other end frames arrive twice, and the \
             driver crashes when that end dies"
        )],
        _ => Vec::new(),
    };
    if let Some(name) = interface(&port.device) {
        notes.extend(interface_notes(name, port.mtu, &Path::new("/sys/class/net").join(name)));
    }
    notes
}

/// What `/sys` says of an interface. It may show another network namespace: then it says nothing.
fn interface_notes(name: &str, mtu: u16, sys: &Path) -> Vec<String> {
    let read = |file: &str| std::fs::read_to_string(sys.join(file)).ok().map(|text| text.trim().to_owned());
    let mut notes = Vec::new();
    let flags = read("flags").and_then(|text| u32::from_str_radix(text.trim_start_matches("0x"), 16).ok());
    // IFF_UP
    if flags.is_some_and(|flags| flags & 1 == 0) {
        notes.push(format!("{name} is down and moves no frames: ip link set {name} up"));
    }
    if let Some(theirs) = read("mtu").and_then(|text| text.parse::<u32>().ok()).filter(|theirs| *theirs < mtu.into()) {
        notes.push(format!("{name} has MTU {theirs}, so frames of the configured {mtu} cannot leave"));
    }
    // A device of its own has a bus behind it; a veth has not, and names its peer as the link below.
    if !sys.join("device").exists()
        && let (Some(own), Some(link)) = (read("ifindex"), read("iflink"))
        && own != link
    {
        notes.push(format!(
            "{name} looks like a veth: hosts behind it must not leave checksums to a card that is not there; \
             at their ends: ethtool -K IF tx off tso off gso off gro off"
        ));
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn port(text: Device) -> Port {
        Port { device: text, mtu: 1500, rx_ring: 1024, tx_ring: 512 }
    }

    fn shown(device: Device, queues: u16) -> String {
        let Plug { bus, name, args } = plug(&port(device), queues).unwrap();
        format!("{bus} {name} {args}")
    }

    #[test]
    fn each_device_has_its_driver_and_arguments() {
        let pci = Device::Pci("0000:3b:00.0".parse().unwrap());
        let pcap = |rx: Option<&str>, tx: Option<&str>| Device::Pcap { rx: rx.map(Into::into), tx: tx.map(Into::into) };
        for (device, queues, want) in [
            (pci, 4, "pci 0000:3b:00.0 "),
            (
                Device::AfPacket("eth1".into()),
                2,
                "vdev net_af_packet iface=eth1,qpairs=2,blocksz=4096,framesz=2048,framecnt=1024",
            ),
            (Device::AfXdp("eth1".into()), 1, "vdev net_af_xdp iface=eth1"),
            (Device::AfXdp("eth1".into()), 2, "vdev net_af_xdp iface=eth1,start_queue=0,queue_count=2"),
            (Device::Tap("sg0".into()), 2, "vdev net_tap iface=sg0"),
            (Device::Memif("role=client,id=1".into()), 1, "vdev net_memif role=client,id=1"),
            (pcap(Some("b.pcap"), Some("/o.pcap")), 1, "vdev net_pcap rx_pcap=b.pcap,tx_pcap=/o.pcap"),
            (pcap(None, Some("o")), 1, "vdev net_pcap tx_pcap=o"),
            (Device::Null, 1, "vdev net_null "),
            (Device::Ring, 1, "vdev net_ring "),
        ] {
            assert_eq!(shown(device, queues), want);
        }
    }

    #[test]
    fn a_jumbo_frame_fits_the_packet_ring() {
        for (mtu, want) in [(1946, 2048), (1947, 4096), (9000, 16384), (9600, 16384)] {
            let plug = plug(&Port { mtu, ..port(Device::AfPacket("e".into())) }, 1).unwrap();
            assert!(plug.args.contains(&format!("framesz={want},")), "{}", plug.args);
            assert!(plug.args.contains(&format!("blocksz={},", want.max(4096))), "{}", plug.args);
        }
    }

    #[test]
    fn names_that_would_become_other_arguments_are_refused() {
        for name in ["", "eth0,qpairs=9", "a=b", "a b", "a\n", "[x]"] {
            let error = plug(&port(Device::AfPacket(name.into())), 1).unwrap_err();
            assert!(matches!(error, PortError::Name(_)), "{name:?}: {error}");
        }
        let pcap = Device::Pcap { rx: Some("in,infinite_rx=1".into()), tx: None };
        assert!(matches!(plug(&port(pcap), 1), Err(PortError::Name(_))));
    }

    #[test]
    fn notes_come_from_what_the_kernel_shows() {
        let sys = std::env::temp_dir().join(format!("sealgate-sys-{}", std::process::id()));
        std::fs::create_dir_all(&sys).unwrap();
        let put = |file: &str, text: &str| std::fs::write(sys.join(file), text).unwrap();
        assert!(interface_notes("v0", 1500, &sys).is_empty());
        put("flags", "0x1002\n");
        put("mtu", "1400\n");
        put("ifindex", "5\n");
        put("iflink", "6\n");
        let all = interface_notes("v0", 1500, &sys);
        put("flags", "0x1003\n");
        put("mtu", "1500\n");
        put("device", "");
        let none = interface_notes("v0", 1500, &sys);
        std::fs::remove_dir_all(&sys).unwrap();
        assert!(all[0].contains("is down") && all[1].contains("MTU 1400") && all[2].contains("ethtool"), "{all:?}");
        assert!(none.is_empty(), "{none:?}");
    }
}
