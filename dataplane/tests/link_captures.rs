//! What stands under the transport layer, against tshark 4.0.17: tags, labels, addresses, fragments and what they are when put
//! together, over the captures of such traffic; and the same captures through the pipeline.
//!
//! `SEALGATE_CAPTURES` names the folder; without it `shared/captures` beside the repository is taken, and where that is
//! missing nothing is compared.

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::path::Path;

use common::captures::{folder, frames, rows};
use common::{Gateway, NOW_MS, policy};
use sealgate_config::model::{IpFragments, LinkKind, Mode, Policy};
use sealgate_dataplane::pipeline::{Sides, WorkerConfig};
use sealgate_dataplane::state::Direction;
use sealgate_dataplane::state::ip_fragments::{Config, IpFragments as Table, Key, Piece, Progress};
use sealgate_wire::ip::fragment::{self, Fragment};
use sealgate_wire::sip::Message;
use sealgate_wire::{eth, ip, udp};

/// Captures, and how many of their frames we refuse or read otherwise, each with its cause.
const CAPTURES: &[(&str, &[(&str, usize)])] = &[
    ("l2_vlan_qinq", &[]),
    // Written with wrong checksums, which tshark does not look at; Router Alert in RSVP; labels without a last one.
    ("l2_mpls", &[("R_IP_CHECKSUM", 3), ("R_IP_OPTIONS", 1), ("R_L2_RUNT", 2)]),
    // Teardrop: a first fragment of 18 octets, and one over it.
    ("l3_ipv4_fragments", &[("R_IP_FRAGMENT", 2)]),
    // A fragment again with other octets, and what belongs to the same packet (RFC 5722).
    ("l3_ipv6_fragments", &[("R_IP_FRAGMENT", 2)]),
    // Options are refused (formats 14); one of a header that is cut.
    ("l3_ipv4_options", &[("R_IP_OPTIONS", 3), ("R_IP_HEADER", 1)]),
    // To has two tags.
    ("sip_udp_ipv6_fragments", &[("SIP refused", 2)]),
    // Three tags; options; an overlap and what follows it; tunnels of GRE and IP; lengths and a checksum that are wrong.
    (
        "synthetic/syn_l2l3_encaps_ss7",
        &[
            ("R_VLAN", 1),
            ("R_IP_OPTIONS", 2),
            ("R_IP_FRAGMENT", 2),
            ("inside a tunnel", 2),
            ("R_IP_HEADER", 2),
            ("R_IP_CHECKSUM", 1),
        ],
    ),
];

/// What becomes of the frames of each, where every two hosts have a link of calls that reassembles and asks for nothing.
const THROUGH: &[(&str, &[(&str, usize)])] = &[
    // TCP, ARP, and datagrams that are no calls.
    ("l2_vlan_qinq", &[("R_L4_PEER_UNKNOWN", 9), ("R_OK_NOT_SUBJECT", 3), ("R_SIP_SYNTAX", 5), ("frames left", 3)]),
    // Besides: loop-back frames and CDP.
    (
        "l2_mpls",
        &[
            ("R_IP_CHECKSUM", 3),
            ("R_IP_OPTIONS", 1),
            ("R_L2_ETHERTYPE", 6),
            ("R_L2_RUNT", 2),
            ("R_L4_PEER_UNKNOWN", 31),
            ("R_OK_NOT_SUBJECT", 10),
            ("R_SIP_SYNTAX", 12),
            ("frames left", 10),
        ],
    ),
    // Six datagrams of NFS, longer than a buffer; Teardrop.
    ("l3_ipv4_fragments", &[("R_IP_FRAGMENT", 8), ("R_OK_HELD", 50), ("R_OK_NOT_SUBJECT", 3), ("frames left", 3)]),
    // One of TCP in three fragments; overlaps.
    (
        "l3_ipv6_fragments",
        &[
            ("R_IP_FRAGMENT", 2),
            ("R_L4_PEER_UNKNOWN", 3),
            ("R_OK_HELD", 2),
            ("R_OK_NOT_SUBJECT", 9),
            ("frames left", 9),
        ],
    ),
    ("l3_ipv4_options", &[("R_IP_HEADER", 1), ("R_IP_OPTIONS", 3), ("frames left", 0)]),
    // One host left its checksums to its card.
    (
        "sip_udp_ipv6_fragments",
        &[("R_L4_CHECKSUM", 15), ("R_OK_HELD", 2), ("R_OK_NOT_SUBJECT", 15), ("R_SIP_TN_FORM", 2), ("frames left", 15)],
    ),
];

fn octets(path: &Path) -> Vec<Vec<u8>> {
    frames(path).into_iter().map(|(_, octets)| octets).collect()
}

/// One packet as both see it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct Seen {
    vlans: String,
    labels: String,
    source: String,
    destination: String,
    /// Offset of a fragment; empty: none.
    offset: String,
    /// Ports of what is whole now.
    ports: String,
    /// Of SIP in it.
    call_id: String,
}

fn theirs(row: &BTreeMap<String, String>) -> Seen {
    let get = |name: &str| row.get(name).cloned().unwrap_or_default();
    // Headers quoted or tunnelled stand behind the first.
    let first = |name: &str| get(name).split(';').next().unwrap_or_default().to_owned();
    let either = |one: &str, other: &str| if get(one).is_empty() { first(other) } else { first(one) };
    let fragment =
        matches!(first("ip.flags.mf").as_str(), "1" | "True") || !matches!(first("ip.frag_offset").as_str(), "" | "0");
    let port = |way: &str| ["udp", "tcp", "sctp"].map(|of| first(&format!("{of}.{way}port"))).concat();
    let ports = format!("{} {}", port("src"), port("dst"));
    Seen {
        vlans: get("vlan.id"),
        labels: get("mpls.label"),
        source: either("ip.src", "ipv6.src"),
        destination: either("ip.dst", "ipv6.dst"),
        offset: if fragment { first("ip.frag_offset") } else { first("ipv6.fraghdr.offset") },
        call_id: get("sip.Call-ID"),
        ports: if ports == " " { String::new() } else { ports },
    }
}

/// What we read, with a reason where we go no further.
fn ours(frame: &[u8], table: &mut Table) -> (Seen, Option<&'static str>) {
    let mut seen = Seen::default();
    let ethernet = match eth::Frame::parse(frame) {
        Ok(ethernet) => ethernet,
        Err(refusal) => return (seen, Some(refusal.reason.name())),
    };
    let (tags, labels) = (usize::from(ethernet.vlans), usize::from(ethernet.labels));
    // tshark has another name for the identifier of a service tag.
    let tag = |i: usize| {
        let at = 12 + 4 * i;
        let service = frame[at..at + 2] == eth::DOT1AD.to_be_bytes();
        (!service).then(|| (u16::from_be_bytes([frame[at + 2], frame[at + 3]]) & 0xfff).to_string())
    };
    seen.vlans = (0..tags).filter_map(tag).collect::<Vec<_>>().join(";");
    let label = |i: usize| {
        let at = 14 + 4 * tags + 4 * i;
        (u32::from_be_bytes([frame[at], frame[at + 1], frame[at + 2], frame[at + 3]]) >> 12).to_string()
    };
    seen.labels = (0..labels).map(label).collect::<Vec<_>>().join(";");
    let mut whole = ethernet.payload.to_vec();
    match Fragment::parse(ethernet.ethertype, ethernet.payload) {
        Ok(Some(read)) => {
            (seen.source, seen.destination) = (read.source.to_string(), read.destination.to_string());
            seen.offset = (read.offset / 8).to_string(); // tshark counts in units of eight octets
            let (source, destination, id) = (read.source, read.destination, read.id);
            let key = Key { link: 0, way: Direction::In, source, destination, id };
            let piece = Piece { offset: read.offset, more: read.more, front: read.headers, payload: read.payload };
            let (front, body) = match table.push(&key, &piece, 0) {
                Ok(Progress::Whole { front, body }) => (front, body),
                Ok(_) => return (seen, None),
                Err(reason) => return (seen, Some(reason.name())),
            };
            whole.clear();
            assert!(fragment::emit_whole(front, body.len(), &mut whole));
            whole.extend_from_slice(body);
        }
        Ok(None) => {}
        Err(refusal) => return (seen, Some(refusal.reason.name())),
    }
    match ip::Packet::parse(ethernet.ethertype, &whole) {
        Ok(Some(packet)) => {
            (seen.source, seen.destination) = (packet.source.to_string(), packet.destination.to_string());
            if let (6 | 17 | 132, Some(&[a, b, c, d])) = (packet.protocol, packet.payload.first_chunk()) {
                seen.ports = format!("{} {}", u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
            } else if matches!(packet.protocol, 4 | 47) {
                return (seen, Some("inside a tunnel"));
            }
            let user = packet.payload.get(udp::HEADER_LEN..).filter(|_| packet.protocol == udp::PROTOCOL);
            if let Some(message) = user.and_then(|user| Message::datagram(user).ok()) {
                seen.call_id = String::from_utf8_lossy(message.call_id).into_owned();
            }
            (seen, None)
        }
        Ok(None) => (seen, None),
        Err(refusal) => (seen, Some(refusal.reason.name())),
    }
}

#[test]
fn tshark_reads_the_same_under_the_transport() {
    let Some(folder) = folder() else { return };
    let mut red = Vec::new();
    for (name, known) in CAPTURES {
        let path = folder.join(name).with_extension("pcap");
        let mut table = Table::new(Config { octets: 65_535, ..Config::default() });
        let mut differ: BTreeMap<String, usize> = BTreeMap::new();
        let (all, rows) = (octets(&path), rows(&path));
        assert_eq!(all.len(), rows.len());
        for (i, (frame, row)) in all.iter().zip(&rows).enumerate() {
            let ((ours, reason), theirs) = (ours(frame, &mut table), theirs(row));
            let cause = match reason {
                Some(reason) => reason.to_owned(),
                None if ours == theirs => continue,
                None if ours.call_id.is_empty() && !theirs.call_id.is_empty() => "SIP refused".to_owned(),
                None => format!("frame {}: {ours:?} {theirs:?}", i + 1),
            };
            println!("{name} frame {}: {cause} {}", i + 1, row["frame.protocols"]);
            *differ.entry(cause).or_default() += 1;
        }
        let listed: BTreeMap<_, _> = known.iter().map(|(cause, count)| ((*cause).to_owned(), *count)).collect();
        println!("link captures {name} {}/{}", all.len() - differ.values().sum::<usize>(), all.len());
        if differ != listed {
            red.push(format!("{name}: {differ:?}, listed {listed:?}"));
        }
    }
    assert!(red.is_empty(), "{}", red.join("\n"));
}

/// A link of calls for every two hosts that speak in a capture, with nothing asked of anybody.
fn of_all(frames: &[Vec<u8>]) -> Policy {
    let mut policy = policy();
    policy.peers.iter_mut().for_each(|peer| peer.mode = Mode::Ignore);
    policy.defaults.mode = Mode::Ignore;
    let link = policy.links.iter().find(|link| link.kind == LinkKind::Sip).expect("a link").clone();
    let mut pairs = BTreeSet::new();
    for frame in frames {
        let Ok(ethernet) = eth::Frame::parse(frame) else { continue };
        let of_packet = ip::Packet::parse(ethernet.ethertype, ethernet.payload).ok().flatten();
        let of_fragment = Fragment::parse(ethernet.ethertype, ethernet.payload).ok().flatten();
        let pair = of_packet.map(|packet| (packet.source, packet.destination));
        let Some((one, other)) = pair.or(of_fragment.map(|read| (read.source, read.destination))) else { continue };
        if one != other && !pairs.contains(&(other, one)) {
            pairs.insert((one, other));
        }
    }
    let link = |(i, (one, other)): (usize, (IpAddr, IpAddr))| {
        let (remote, local, name) = (vec![one], vec![other], format!("link-{i}"));
        let ip_fragments = IpFragments::Reassemble;
        sealgate_config::model::Link { name, remote, local, ip_fragments, ..link.clone() }
    };
    policy.links = pairs.into_iter().enumerate().map(link).collect();
    policy
}

#[test]
fn captures_pass_through_the_gateway_with_every_frame_accounted_for() {
    let Some(folder) = folder() else { return };
    let mut red = Vec::new();
    for (name, want) in THROUGH {
        let frames = octets(&folder.join(name).with_extension("pcap"));
        let config = WorkerConfig { journal: true, sides: Sides::ByAddress, ..WorkerConfig::default() };
        let mut gateway = Gateway::new(&of_all(&frames), config);
        let mut verdicts: BTreeMap<String, usize> = BTreeMap::new();
        let mut left = 0;
        for (i, frame) in frames.iter().enumerate() {
            let Some(port) = gateway.worker.port_mut(0) else { continue };
            if port.inject(frame).is_err() {
                *verdicts.entry("longer than a buffer".to_owned()).or_default() += 1;
                continue;
            }
            let step = gateway.turn(NOW_MS + i as u64);
            left += step.sent[1].len();
            for record in step.records {
                *verdicts.entry(record.reason.name().to_owned()).or_default() += 1;
            }
        }
        gateway.worker.publish();
        let balance = gateway.worker.stats().frame_balance();
        assert_eq!(balance.0, balance.1, "{name}");
        verdicts.insert("frames left".to_owned(), left);
        let want: BTreeMap<_, _> = want.iter().map(|(what, count)| ((*what).to_owned(), *count)).collect();
        if verdicts != want {
            red.push(format!("{name}: {verdicts:?}, listed {want:?}"));
        }
    }
    assert!(red.is_empty(), "{}", red.join("\n"));
}
