//! Ports of libdpdk on this machine: no card, no huge pages and, but for one case, no privilege.
//!
//! EAL starts once in a process, so all cases are in this file and share it. Each has a pool of its own, and ends with
//! no buffer out.
#![cfg(feature = "dpdk")]

use sealgate_config::model::{Device, Hugepages, Port as Model};
use sealgate_dataplane::io::dpdk::{Eal, EalError, Mempool, Port, PortError, Queue};
use sealgate_dataplane::io::eal_args::{Facts, Request, plan};
use sealgate_dataplane::io::pcap::{Reader, Resolution, Writer};
use sealgate_dataplane::io::sizing::{Memory, Sizing};
use sealgate_dataplane::io::{Frame, FrameIo, NoRoom};
use std::collections::{HashMap, VecDeque};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// EAL, started by whoever comes first.
fn eal() -> Eal {
    static EAL: OnceLock<Eal> = OnceLock::new();
    *EAL.get_or_init(|| {
        let request = Request {
            main: None,
            hugepages: Hugepages::Auto,
            pci: vec![],
            memory: Memory { huge_mb: 256, small_mb: 256 },
        };
        let plan = plan(&request, &Facts::read()).unwrap();
        eprintln!("EAL with {}", plan.args.join(" "));
        Eal::init(&plan.args).unwrap()
    })
}

/// One case at a time: two cores do not poll for eight.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn pool(count: u32) -> Mempool {
    Mempool::create(eal(), Sizing { count, room: 2048 }, None).unwrap()
}

fn model(device: Device) -> Model {
    Model { device, mtu: 1500, rx_ring: 256, tx_ring: 256 }
}

fn open(device: Device, queues: u16, pool: &Mempool) -> (Port, Vec<Queue>) {
    Port::open(eal(), &model(device), queues, pool).unwrap_or_else(|error| panic!("{error}"))
}

fn one(device: Device, pool: &Mempool) -> (Port, Queue) {
    let (port, mut queues) = open(device, 1, pool);
    (port, queues.pop().unwrap())
}

/// A directory that goes with the test.
struct Dir(PathBuf);

impl Dir {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("sealgate-dpdk-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A frame that no other is like: length and every octet depend on its number.
fn frame(number: u32) -> Vec<u8> {
    let len = 60 + (number as usize * 37) % 1400;
    (0..len).map(|at| (number as usize * 31 + at * 7) as u8).collect()
}

fn write_capture(path: &Path, frames: impl Iterator<Item = Vec<u8>>) {
    let mut writer = Writer::create(path, Resolution::Micro).unwrap();
    for octets in frames {
        writer.write(Duration::from_secs(1), &octets).unwrap();
    }
    writer.finish().unwrap();
}

fn read_capture(path: &Path) -> Vec<Vec<u8>> {
    let (mut reader, mut octets, mut frames) = (Reader::open(path).unwrap(), Vec::new(), Vec::new());
    while reader.read(&mut octets).unwrap().is_some() {
        frames.push(octets.clone());
    }
    frames
}

#[test]
fn eal_starts_once() {
    let _alone = alone();
    let eal = eal();
    assert_eq!(Eal::init(&[]).unwrap_err(), EalError::Again);
    assert_eq!(Eal::init(&["a\0b".into()]).unwrap_err(), EalError::Argument("a\0b".into()));
    assert!(eal.tsc_hz() > 100_000_000 && eal.tsc() > 0);
}

#[test]
fn threads_register_and_ports_come_and_go_after_that() {
    let _alone = alone();
    let eal = eal();
    let pool = pool(2048);
    for round in 0..3 {
        let (port, mut queue) = one(Device::Null, &pool);
        // Far more threads in all than EAL has numbers at a time.
        let got = thread::spawn(move || {
            for _ in 0..100 {
                drop(eal.register_thread().unwrap());
            }
            let _registered = eal.register_thread().unwrap();
            let _again = eal.register_thread().unwrap();
            let mut burst = Vec::with_capacity(64);
            queue.rx(&mut burst, 64)
        });
        assert_eq!((got.join().unwrap(), round < 3), (64, true));
        drop(port);
        assert_eq!(pool.in_use(), 0);
    }
}

#[test]
fn a_frame_owns_its_buffer() {
    let _alone = alone();
    let pool = pool(64);
    assert!(u64::from(pool.element()) <= pool.sizing().element(), "{} octets a buffer", pool.element());
    let mut held: Vec<_> = std::iter::from_fn(|| pool.frame()).collect();
    assert_eq!((held.len(), pool.in_use()), (64, 64));
    let one = &mut held[0];
    assert!(one.octets().is_empty() && one.rss().is_none());
    one.set(&[7; 2048]).unwrap();
    assert_eq!(one.set(&[8; 2049]), Err(NoRoom { need: 2049, room: 2048 }));
    assert_eq!(one.octets(), [7; 2048]);
    one.set(&[]).unwrap();
    one.set(&[1, 2, 3]).unwrap();
    assert_eq!(one.octets(), [1, 2, 3]);
    thread::spawn(move || drop(held)).join().unwrap();
    assert_eq!(pool.in_use(), 0);
}

#[test]
fn null_gives_and_takes_without_end() {
    let _alone = alone();
    let pool = pool(2048);
    let (port, mut queue) = one(Device::Null, &pool);
    assert_eq!((port.driver(), port.device()), ("net_null", "null"));
    assert!(port.wait_link(Duration::from_secs(1)).unwrap());
    let (mut burst, mut out) = (Vec::with_capacity(200), VecDeque::new());
    for max in [1, 63, 64, 65, 200] {
        let got = queue.rx(&mut burst, max);
        assert_eq!(got, max);
        out.extend(burst.drain(..));
        assert_eq!((queue.tx(&mut out), out.len()), (max, 0));
    }
    assert!(!queue.exhausted());
    let stats = port.stats().unwrap();
    assert_eq!((stats.rx_frames, stats.tx_frames, stats.no_buffer), (393, 393, 0));
    drop((port, queue));
    assert_eq!(pool.in_use(), 0);
}

#[test]
fn a_ring_brings_back_what_was_sent_and_says_when_it_is_full() {
    let _alone = alone();
    let pool = pool(4096);
    let (port, mut queue) = one(Device::Ring, &pool);
    let mut out: VecDeque<_> = (0..2000)
        .map(|n| {
            let mut made = queue.alloc().unwrap();
            made.set(&frame(n)).unwrap();
            made
        })
        .collect();
    let sent = queue.tx(&mut out);
    assert!((1000..2000).contains(&sent) && out.len() == 2000 - sent, "{sent} sent");
    assert_eq!(out[0].octets(), frame(sent as u32), "what the queue did not take stays, in order");
    let mut got = Vec::with_capacity(2000);
    assert_eq!(queue.rx(&mut got, 2000), sent);
    assert_eq!((queue.tx(&mut out), queue.rx(&mut got, 2000)), (2000 - sent, 2000 - sent));
    for (number, received) in got.iter().enumerate() {
        assert_eq!(received.octets(), frame(number as u32));
    }
    drop((got, port, queue));
    assert_eq!(pool.in_use(), 0);
}

#[test]
fn frames_go_in_order_from_a_queue_that_wraps_and_behind_what_a_burst_holds() {
    let _alone = alone();
    let pool = pool(4096);
    let (port, mut queue) = one(Device::Ring, &pool);
    let mut made = |number: u32| {
        let mut made = queue.alloc().unwrap();
        made.set(&frame(number)).unwrap();
        made
    };
    // Every place at which the deque can begin again, with less than a burst on either side and with more.
    let mut bursts = Vec::new();
    for (len, turn) in [(8, 3), (8, 7), (100, 1), (100, 64), (100, 65), (100, 99), (200, 70)] {
        let mut out = VecDeque::with_capacity(len);
        let len = out.capacity();
        (0..turn).for_each(|_| out.push_back(made(0)));
        for number in 0..len as u32 {
            if out.len() == len {
                out.pop_front();
            }
            out.push_back(made(number));
        }
        assert_eq!(out.as_slices().0.len(), len - turn, "it wraps");
        bursts.push(out);
    }
    for mut out in bursts {
        let len = out.len();
        assert_eq!((queue.tx(&mut out), out.len(), pool.in_use() >= len), (len, 0, true));
        // Without room for one more, and with a frame that was there before.
        let mut got = vec![queue.alloc().unwrap()];
        got[0].set(&[9; 9]).unwrap();
        got.shrink_to_fit();
        assert_eq!((queue.rx(&mut got, len), queue.rx(&mut got, 1)), (len, 0));
        assert_eq!(got[0].octets(), [9; 9]);
        assert!(got[1..].iter().enumerate().all(|(number, got)| got.octets() == frame(number as u32)), "{len}");
    }
    drop((port, queue));
    assert_eq!(pool.in_use(), 0);
}

#[test]
fn ten_thousand_frames_go_from_file_to_file_unchanged_five_times() {
    let _alone = alone();
    let (dir, pool) = (Dir::new("pcap"), pool(2048));
    let input = dir.file("in.pcap");
    write_capture(&input, (0..10_000).map(frame));
    for round in 0..5 {
        let output = dir.file(&format!("out{round}.pcap"));
        let (from, mut rx) = one(Device::Pcap { rx: Some(input.clone()), tx: None }, &pool);
        let (to, mut tx) = one(Device::Pcap { rx: None, tx: Some(output.clone()) }, &pool);
        let (mut burst, mut queue) = (Vec::with_capacity(32), VecDeque::with_capacity(32));
        while !rx.exhausted() {
            rx.rx(&mut burst, 32);
            queue.extend(burst.drain(..));
            tx.tx(&mut queue);
            assert!(queue.is_empty());
        }
        assert_eq!((tx.rx(&mut burst, 32), tx.exhausted()), (0, true));
        assert_eq!((from.stats().unwrap().rx_frames, to.stats().unwrap().tx_frames), (10_000, 10_000));
        drop((from, rx, to, tx));
        assert_eq!(pool.in_use(), 0);
        let got = read_capture(&output);
        assert_eq!(got.len(), 10_000);
        assert!(got.iter().enumerate().all(|(number, octets)| *octets == frame(number as u32)), "round {round}");
    }
}

#[test]
fn a_dry_pool_is_not_the_end_of_a_file() {
    let _alone = alone();
    let (dir, pool) = (Dir::new("dry"), pool(64));
    let input = dir.file("in.pcap");
    write_capture(&input, (0..100).map(frame));
    let (port, mut queue) = one(Device::Pcap { rx: Some(input), tx: None }, &pool);
    let mut burst = Vec::with_capacity(200);
    assert_eq!((queue.rx(&mut burst, 200), queue.rx(&mut burst, 200), queue.exhausted()), (64, 0, false));
    burst.clear();
    let rest = queue.rx(&mut burst, 200);
    let lost = port.stats().unwrap().no_buffer as usize;
    assert!(lost > 0 && 64 + rest + lost == 100, "{rest} more, {lost} lost and counted");
    assert_eq!((queue.rx(&mut burst, 200), queue.exhausted()), (0, true));
}

#[test]
fn a_frame_that_fits_no_buffer_is_dropped_and_counted() {
    let _alone = alone();
    let (dir, pool) = (Dir::new("jumbo"), pool(64));
    let input = dir.file("in.pcap");
    write_capture(&input, [vec![1; 60], vec![2; 9000], vec![3; 2048], vec![4; 2049], vec![5; 60]].into_iter());
    let (port, mut queue) = one(Device::Pcap { rx: Some(input), tx: None }, &pool);
    let mut burst = Vec::with_capacity(64);
    while !queue.exhausted() {
        queue.rx(&mut burst, 64);
    }
    let firsts: Vec<_> = burst.iter().map(|frame| (frame.octets()[0], frame.octets().len())).collect();
    assert_eq!((firsts, queue.refused()), (vec![(1, 60), (3, 2048), (5, 60)], 2));
    drop((burst, queue, port));
    assert_eq!(pool.in_use(), 0);
}

#[test]
fn memif_carries_both_ways_with_equal_queues() {
    let _alone = alone();
    let (dir, pool) = (Dir::new("memif"), pool(8192));
    let socket = dir.file("memif.sock");
    let end = |role: &str| Device::Memif(format!("role={role},id=0,socket={},socket-abstract=no", socket.display()));
    let (server, mut server_queues) = open(end("server"), 2, &pool);
    let (client, mut client_queues) = open(end("client"), 2, &pool);
    for port in [&server, &client] {
        assert!(port.wait_link(Duration::from_secs(5)).unwrap(), "no link");
        assert!(port.notes()[0].contains("2 queues"), "{:?}", port.notes());
    }
    for number in [0, 1] {
        let frames: Vec<_> = (0..1000).map(|n| datagram(number, n, false, false)).collect();
        let number = usize::from(number);
        let there = carry(&mut client_queues[number], &mut server_queues, &frames);
        let back = carry(&mut server_queues[number], &mut client_queues, &frames);
        for got in [there, back] {
            assert!(got.iter().map(|(_, octets)| octets).eq(&frames), "{} of 1000 arrived unchanged", got.len());
            assert!(got.iter().all(|(queue, _)| usize::from(*queue) == number));
        }
    }
    drop((server, server_queues, client, client_queues));
    assert_eq!(pool.in_use(), 0);
}

#[test]
fn two_queues_serve_two_threads() {
    let _alone = alone();
    let (eal, pool) = (eal(), pool(4096));
    let (port, queues) = open(Device::Ring, 2, &pool);
    let threads: Vec<_> = queues
        .into_iter()
        .map(|mut queue| {
            thread::spawn(move || {
                let _registered = eal.register_thread().unwrap();
                let (mut out, mut back) = (VecDeque::new(), Vec::with_capacity(64));
                for number in 0..20_000u32 {
                    let mut made = queue.alloc().unwrap();
                    made.set(&[&[queue.number() as u8][..], &number.to_be_bytes()].concat()).unwrap();
                    out.push_back(made);
                    assert_eq!(queue.tx(&mut out), 1);
                    assert_eq!(queue.rx(&mut back, 64), 1);
                    let got = back.pop().unwrap();
                    assert_eq!(got.octets()[0], queue.number() as u8);
                    assert_eq!(got.octets()[1..], number.to_be_bytes());
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    assert_eq!(port.stats().unwrap().rx_frames, 40_000);
    drop(port);
    assert_eq!(pool.in_use(), 0);
}

#[test]
fn a_queue_keeps_its_port_open() {
    let _alone = alone();
    let pool = pool(2048);
    let (port, mut queue) = one(Device::Null, &pool);
    drop(port);
    let mut burst = Vec::with_capacity(8);
    assert_eq!(queue.rx(&mut burst, 8), 8);
    drop(queue);
    assert_eq!((burst[0].octets().len(), pool.in_use()), (64, 8), "frames outlive their port");
}

#[test]
fn what_cannot_be_opened_says_why() {
    let _alone = alone();
    let (dir, pool) = (Dir::new("errors"), pool(512));
    let error = |port: Model, queues| match Port::open(eal(), &port, queues, &pool) {
        Ok(_) => panic!("{port:?} opened"),
        Err(error) => error,
    };
    let missing = error(model(Device::AfPacket("sg-missing".into())), 1);
    assert_eq!(
        missing.to_string(),
        "af_packet:sg-missing: there is no interface sg-missing here; `ip link` lists those that are"
    );
    let file = error(model(Device::Pcap { rx: Some("/nonexistent.pcap".into()), tx: None }), 1);
    assert!(file.to_string().contains("/nonexistent.pcap: octet 0: No such file"), "{file}");
    let junk = dir.file("junk.pcap");
    std::fs::write(&junk, b"not a capture").unwrap();
    let file = error(model(Device::Pcap { rx: Some(junk), tx: None }), 1);
    assert!(file.to_string().contains("not a pcap or pcapng file"), "{file}");
    let good = dir.file("good.pcap");
    write_capture(&good, std::iter::once(frame(1)));
    let queues = error(model(Device::Pcap { rx: Some(good), tx: None }), 2);
    assert!(matches!(queues, PortError::Queues { wanted: 2, most: 1, .. }), "{queues}");
    assert!(matches!(error(model(Device::Null), 0), PortError::Queues { .. }));
    let room = error(Model { mtu: 9000, ..model(Device::Null) }, 1);
    assert_eq!(room.to_string(), "null: frames of mtu 9000 do not fit the pool's buffers of 2048 octets");
    let memif = error(model(Device::Memif("role=nonsense".into())), 1);
    assert!(matches!(memif, PortError::Step { step: "plugging in", .. }), "{memif}");
    let card = error(model(Device::Pci("00ff:ff:1f.7".parse().unwrap())), 1);
    assert!(matches!(card, PortError::Step { step: "plugging in", .. }), "{card}");
    let poor = Mempool::create(eal(), Sizing { count: 10_000_000, room: 2048 }, None).unwrap_err();
    assert!(poor.to_string().starts_with("no pool of 10000000 buffers for frames of 2048 octets"), "{poor}");
    assert_eq!(pool.in_use(), 0);
}

/// A network namespace that goes with the test, and with it every interface made in it.
struct Namespace(String);

impl Namespace {
    fn new() -> Self {
        let namespace = Self(format!("sealgate-{}", std::process::id()));
        ip(&["netns", "add", &namespace.0]);
        namespace
    }
    fn ip(&self, args: &[&str]) {
        ip(&[&["-n", &self.0], args].concat());
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let _ = Command::new("ip").args(["netns", "del", &self.0]).status();
    }
}

fn ip(args: &[&str]) {
    assert!(Command::new("ip").args(args).status().unwrap().success(), "ip {}", args.join(" "));
}

/// Runs [`veth_pair`] in a namespace of its own, in a process of its own: this one stays where it is.
#[test]
fn af_packet_over_a_veth_pair() {
    let _alone = alone();
    if !Facts::read().is_root {
        eprintln!("skipped: not root (a veth pair needs a network namespace)");
        return;
    }
    let namespace = Namespace::new();
    namespace.ip(&["link", "add", "sgv0", "type", "veth", "peer", "name", "sgv1"]);
    for side in ["sgv0", "sgv1"] {
        namespace.ip(&["link", "set", side, "up"]);
    }
    let me = std::env::current_exe().unwrap();
    let mut child = Command::new("ip")
        .args(["netns", "exec", &namespace.0])
        .arg(me)
        .args(["--ignored", "--exact", "--nocapture", "veth_pair"])
        .spawn()
        .unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    let status = loop {
        match child.try_wait().unwrap() {
            Some(status) => break status,
            None if Instant::now() > deadline => {
                let _ = child.kill();
                let _ = child.wait();
                panic!("the case in the namespace did not end within a minute");
            }
            None => thread::sleep(Duration::from_millis(20)),
        }
    };
    assert!(status.success(), "the case in the namespace failed");
}

/// UDP over IPv4 in Ethernet that is addressed to neither end, with `number` as its payload. `back` swaps the direction.
fn datagram(flow: u16, number: u32, back: bool, vlan: bool) -> Vec<u8> {
    let (mut from, mut to) = (([10, 0, 0, 1], 1000 + flow), ([10, 0, 0, 2], 2905));
    if back {
        std::mem::swap(&mut from, &mut to);
    }
    let mut frame = vec![2, 0, 0, 0, 0, 9, 2, 0, 0, 0, 0, 8];
    if vlan {
        frame.extend([0x81, 0, 0, 42]);
    }
    frame.extend([8, 0, 0x45, 0, 0, 32, 0, 0, 0, 0, 64, 17, 0, 0]);
    frame.extend(from.0.iter().chain(&to.0));
    frame.extend([from.1, to.1, 12, 0].iter().flat_map(|word| word.to_be_bytes()));
    frame.extend(number.to_be_bytes());
    frame.resize(frame.len().max(60), 0x55);
    frame
}

/// Sends frames on one queue and gathers what arrives on the others, with the queue, until all are there or time is up.
fn carry(from: &mut Queue, to: &mut [Queue], frames: &[Vec<u8>]) -> Vec<(u16, Vec<u8>)> {
    let (mut out, mut burst, mut got) = (VecDeque::new(), Vec::with_capacity(64), Vec::new());
    let (mut left, deadline) = (frames.iter(), Instant::now() + Duration::from_secs(10));
    while got.len() < frames.len() && Instant::now() < deadline {
        // A few at a time, so that no ring runs over.
        for octets in left.by_ref().take(16) {
            let mut made = from.alloc().unwrap();
            made.set(octets).unwrap();
            out.push_back(made);
        }
        from.tx(&mut out);
        for queue in to.iter_mut() {
            queue.rx(&mut burst, 64);
            // The kernel speaks on these wires too (IPv6); ours begin with our address.
            let ours = burst.drain(..).filter(|frame| frame.octets().starts_with(&[2, 0, 0, 0, 0, 9]));
            got.extend(ours.map(|frame| (queue.number(), frame.octets().to_vec())));
        }
    }
    got
}

#[test]
#[ignore = "af_packet_over_a_veth_pair runs it in a namespace"]
fn veth_pair() {
    if Command::new("ip").args(["link", "show", "sgv0"]).output().is_ok_and(|output| !output.status.success()) {
        eprintln!("skipped: no veth pair here; af_packet_over_a_veth_pair makes one");
        return;
    }
    let pool = pool(4096);
    for round in 0..3 {
        let (left, mut left_queues) = open(Device::AfPacket("sgv0".into()), 2, &pool);
        let (right, mut right_queues) = open(Device::AfPacket("sgv1".into()), 2, &pool);
        assert!(left.wait_link(Duration::from_secs(2)).unwrap() && right.wait_link(Duration::from_secs(2)).unwrap());
        assert!(left.notes().iter().any(|note| note.contains("ethtool")), "{:?}", left.notes());

        let there: Vec<_> = (0..2000).map(|n| datagram(n as u16 % 16, n, false, n % 10 == 0)).collect();
        let back: Vec<_> = (0..2000).map(|n| datagram(n as u16 % 16, n, true, n % 10 == 0)).collect();
        let arrived = carry(&mut left_queues[0], &mut right_queues, &there);
        let returned = carry(&mut right_queues[1], &mut left_queues, &back);
        for (sent, got) in [(&there, &arrived), (&back, &returned)] {
            let (mut sent, mut octets): (Vec<_>, Vec<_>) =
                (sent.clone(), got.iter().map(|(_, octets)| octets.clone()).collect());
            sent.sort();
            octets.sort();
            assert!(sent == octets, "round {round}: {} of {} frames arrived unchanged", octets.len(), sent.len());
        }
        // A flow keeps to one queue and to its order, and both its directions to the same queue.
        let flow = |octets: &[u8], back: bool| {
            let at = if octets[12] == 0x81 { 38 } else { 34 } + if back { 2 } else { 0 };
            (octets[12] == 0x81, u16::from_be_bytes([octets[at], octets[at + 1]]))
        };
        let mut homes = HashMap::new();
        let mut last = HashMap::new();
        for (got, back) in [(&arrived, false), (&returned, true)] {
            for (queue, octets) in got {
                let flow = flow(octets, back);
                assert_eq!(*homes.entry(flow).or_insert(*queue), *queue, "round {round}: flow {flow:?} moved");
                let at = if flow.0 { 46 } else { 42 };
                let number = u32::from_be_bytes(octets[at..at + 4].try_into().unwrap());
                let before = last.insert((flow, back), number);
                assert!(before.is_none_or(|before| before < number), "round {round}: flow {flow:?} out of order");
            }
        }
        let mut used: Vec<_> = homes.into_values().collect();
        used.sort_unstable();
        used.dedup();
        assert_eq!(used, [0, 1], "round {round}: the flows share the queues");
        drop((left, right, left_queues, right_queues));
        assert_eq!(pool.in_use(), 0);
    }
    // Other drivers against AF_PACKET: what the one sends the other receives, and back.
    for (device, interface) in [(Device::AfXdp("sgv0".into()), "sgv1"), (Device::Tap("sgt0".into()), "sgt0")] {
        let frames: Vec<_> = (0..200).map(|n| datagram(n as u16 % 16, n, false, n % 10 == 0)).collect();
        // DPDK 22.11 leaves the buffers of an AF_XDP fill ring with the kernel when the port closes.
        let (pool, kept) =
            if device == Device::AfXdp("sgv0".into()) { (self::pool(8192), 2048 + 64) } else { (pool, 0) };
        let (near, mut near_queue) = one(device, &pool);
        let (far, mut far_queue) = one(Device::AfPacket(interface.into()), &pool);
        let there = carry(&mut near_queue, std::slice::from_mut(&mut far_queue), &frames);
        let back = carry(&mut far_queue, std::slice::from_mut(&mut near_queue), &frames);
        for got in [there, back] {
            let same = got.iter().map(|(_, octets)| octets).eq(&frames);
            assert!(same, "{} and {}: {} of 200 arrived unchanged", near.device(), far.device(), got.len());
        }
        drop((near, near_queue, far, far_queue));
        assert!(pool.in_use() <= kept, "{} buffers out", pool.in_use());
    }
    let error = Port::open(eal(), &model(Device::AfXdp("sgv0".into())), 2, &pool).err().unwrap().to_string();
    assert!(error.contains("combined channels"), "{error}");
}
