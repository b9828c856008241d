//! Reads the appliance file out of its tree.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::cores::{Conflict, CoreMap};
use crate::model::*;
use crate::names;
use crate::units;
use crate::walk::{Item, Section, twice};
use crate::words::{CRL_STALE, CRYPTO_ENGINE, HUGEPAGES, MEMORY_LOCK, NUMA};
use crate::{enrolment, repository};

/// What the file says; wherever it says it wrongly, a fault is reported and a stand-in returned.
pub(crate) fn read(root: &Item<'_>, present: Option<&[usize]>) -> Appliance {
    let mut top = Section::open(root);
    let cores = top.need("cores", "{workers: [2]}").map(|item| cores(&item, present)).unwrap_or_default();
    let ports = top.need("ports", "{interconnect: {device: ...}, home: {device: ...}}").map(|item| ports(&item));
    let memory = top.get("memory").map(|item| memory(&item)).unwrap_or_default();
    let crypto = top.get("crypto").map(|item| crypto(&item, ports.as_ref())).unwrap_or_default();
    let trust = top.need("trust", "{anchors: [root.pem], ...}").map(|item| trust(&item, &cores));
    let policy = top.need("policy", "policy.yaml").and_then(|item| units::path(&item)).unwrap_or_default();
    let state = top.get("state").and_then(|item| units::path(&item));
    let admin = top.get("admin").map(|item| admin(&item)).unwrap_or_default();
    let service = top.get("service").and_then(|item| service(&item));
    top.close();
    Appliance {
        cores,
        ports: ports.unwrap_or_else(|| Ports { interconnect: stand_in(), home: stand_in() }),
        memory,
        crypto,
        trust: trust.unwrap_or_else(|| TrustFiles {
            anchors: Vec::new(),
            certificates: None,
            crls: None,
            keys: PathBuf::new(),
            token_keys: Vec::new(),
            crl_grace_s: TrustFiles::CRL_GRACE_S,
            crl_stale: CrlStale::default(),
            repository: None,
            enrolment: None,
            x5u: None,
        }),
        policy,
        state,
        admin,
        service,
    }
}

/// Makes each relative path one from `base`, the directory of the file: it means the same wherever we are started.
pub(crate) fn resolve(appliance: &mut Appliance, base: &Path) {
    let trust = &mut appliance.trust;
    let mut paths: Vec<&mut PathBuf> = trust.anchors.iter_mut().collect();
    paths.extend(trust.certificates.iter_mut().chain(&mut trust.crls).chain([&mut trust.keys]));
    paths.extend(trust.repository.iter_mut().flat_map(repository::paths));
    paths.extend(trust.enrolment.iter_mut().flat_map(enrolment::paths));
    paths.extend(trust.x5u.iter_mut().flat_map(|x5u| x5u.roots.iter_mut()));
    paths.extend([&mut appliance.policy, &mut appliance.admin.socket]);
    paths.extend(appliance.state.iter_mut());
    for port in [&mut appliance.ports.interconnect, &mut appliance.ports.home] {
        if let Device::Pcap { rx, tx } = &mut port.device {
            paths.extend(rx.iter_mut().chain(tx.iter_mut()));
        }
    }
    for path in paths {
        *path = base.join(&*path);
    }
}

/// Cores with the places where they are named.
type Placed<'a> = Vec<(usize, Item<'a>)>;

fn placed(item: Item<'_>) -> Option<(usize, Item<'_>)> {
    let core = usize::try_from(item.number(0..=1023, "")?).ok()?;
    Some((core, item))
}

fn cores(item: &Item<'_>, present: Option<&[usize]>) -> Cores {
    let mut section = Section::open(item);
    let main: Placed<'_> = section.get("main").and_then(placed).into_iter().collect();
    let workers = section.need("workers", "[2]").map(|item| item.list("2")).unwrap_or_default();
    let workers: Placed<'_> = workers.into_iter().filter_map(placed).collect();
    let crypto = section.get("crypto").map(|item| item.list_or_none("4")).unwrap_or_default();
    let crypto: Placed<'_> = crypto.into_iter().filter_map(placed).collect();
    let numa = section.get("numa").and_then(|item| item.word("a rule for NUMA nodes", NUMA)).unwrap_or_default();
    section.close();

    let numbers = |placed: &Placed<'_>| placed.iter().map(|(core, _)| *core).collect::<Vec<usize>>();
    let cores =
        Cores { main: main.first().map(|(core, _)| *core), workers: numbers(&workers), crypto: numbers(&crypto), numa };
    let map = CoreMap::new(&cores, present);
    if !map.is_possible() {
        explain(&map, present, &main, workers.iter().chain(&crypto));
        item.report().refuse_cores(map.to_string());
    }
    cores
}

/// Reports each place that makes `map` impossible.
fn explain<'a, 'b: 'a>(
    map: &CoreMap,
    present: Option<&[usize]>,
    main: &'a Placed<'b>,
    polling: impl Iterator<Item = &'a (usize, Item<'b>)> + Clone,
) {
    for (core, item) in main.iter().chain(polling.clone()) {
        if map.conflict(*core) == Some(Conflict::Absent) {
            let cores: Vec<String> = present.unwrap_or_default().iter().map(usize::to_string).collect();
            item.fault(format!("core {core} is not on this machine"), format!("use a core of {}", cores.join(", ")));
        }
    }
    let mut first = HashMap::new();
    for (core, item) in polling {
        match first.get(core) {
            Some(line) if map.conflict(*core) == Some(Conflict::Shared) => {
                let message = format!("core {core} has another worker or crypto thread (line {line})");
                item.fault(message, "give each of them a core of its own");
            }
            Some(_) => {}
            None => {
                first.insert(*core, item.line());
            }
        }
    }
}

fn ports(item: &Item<'_>) -> Ports {
    let mut section = Section::open(item);
    let mut side = |key| {
        let item = section.need(key, "{device: \"0000:3b:00.0\"}")?;
        let port = port(&item);
        Some((port, item))
    };
    let (interconnect, home) = (side("interconnect"), side("home"));
    section.close();
    if let (Some((one, first)), Some((other, second))) = (&interconnect, &home) {
        let shareable = matches!(one.device, Device::Null | Device::Ring | Device::Pcap { .. });
        if one.device == other.device && !shareable {
            second.fault(format!("{} is the device of both ports", one.device), twice(first.line()));
        }
    }
    Ports {
        interconnect: interconnect.map_or_else(stand_in, |(port, _)| port),
        home: home.map_or_else(stand_in, |(port, _)| port),
    }
}

/// A port that stands in for one with a fault.
fn stand_in() -> Port {
    Port { device: Device::Null, mtu: Port::MTU, rx_ring: Port::RING, tx_ring: Port::RING }
}

fn port(item: &Item<'_>) -> Port {
    let mut section = Section::open(item);
    // The device `null` reads as "nothing" in YAML, so a value that is nothing may be one.
    let device = match section.get_or_null("device") {
        Some(item) => device(&item),
        None => {
            section.missing("device", "\"0000:3b:00.0\"");
            None
        }
    };
    let mtu = section.get("mtu").and_then(|item| units::mtu(&item)).unwrap_or(Port::MTU);
    let mut ring = |key| {
        let number = section.get(key)?.power_of_two(64..=32768, "descriptors")?;
        u16::try_from(number).ok()
    };
    let (rx_ring, tx_ring) = (ring("rx_ring").unwrap_or(Port::RING), ring("tx_ring").unwrap_or(Port::RING));
    section.close();
    Port { device: device.unwrap_or(Device::Null), mtu, rx_ring, tx_ring }
}

fn device(item: &Item<'_>) -> Option<Device> {
    let text = item.written("a device")?;
    let (kind, rest) = text.split_once(':').unwrap_or((text, ""));
    let interface = |make: fn(String) -> Device| {
        let good = (1..=15).contains(&rest.len())
            && rest.bytes().all(|b| b.is_ascii_graphic() && b != b'/' && b != b':' && b != b',');
        if !good {
            item.fault(
                format!("{rest:?} is not the name of an interface"),
                format!("give 1 to 15 letters, as {kind}:eth0"),
            );
        }
        good.then(|| make(rest.to_owned()))
    };
    match kind {
        "af_packet" => interface(Device::AfPacket),
        "af_xdp" => interface(Device::AfXdp),
        "tap" => interface(Device::Tap),
        "null" if text == kind => Some(Device::Null),
        "ring" if text == kind => Some(Device::Ring),
        "memif" => {
            let pair = |pair: &str| match pair.split_once('=') {
                Some(("role", role)) => role == "server" || role == "client",
                Some((key, value)) => ["id", "socket", "bsize", "rsize"].contains(&key) && !value.is_empty(),
                None => false,
            };
            let good = rest.split(',').all(pair) && !rest.contains(char::is_whitespace);
            if !good {
                let remedy = "give role=server or role=client, id=, socket=, bsize=, rsize= with commas between";
                item.fault(format!("{rest:?} does not describe a memif"), remedy);
            }
            good.then(|| Device::Memif(rest.to_owned()))
        }
        "pcap" => {
            let (rx, tx) = rest.split_once(',').unwrap_or((rest, ""));
            let path = |text: &str| (!text.is_empty()).then(|| PathBuf::from(text));
            if tx.contains(',') || (rx.is_empty() && tx.is_empty()) {
                item.fault(format!("{rest:?} does not name capture files"), "give pcap:IN,OUT; either may be left out");
                return None;
            }
            Some(Device::Pcap { rx: path(rx), tx: path(tx) })
        }
        _ => match text.parse() {
            Ok(address) => Some(Device::Pci(address)),
            Err(_) => {
                let hint = names::hint(kind, ["af_packet", "af_xdp", "tap", "memif", "pcap", "null", "ring"]);
                let remedy = "use a PCI address as \"0000:3b:00.0\", af_packet:IF, af_xdp:IF, tap:NAME, memif:..., \
                              pcap:IN,OUT, null or ring";
                item.fault(format!("{text:?} is not a device{hint}"), remedy);
                None
            }
        },
    }
}

fn memory(item: &Item<'_>) -> Memory {
    let mut section = Section::open(item);
    let hugepages = section.get("hugepages").and_then(|item| item.word("a use of huge pages", HUGEPAGES));
    let mbufs = section.get("mbufs").and_then(|item| match item.written("auto or a number of buffers")? {
        "auto" => None,
        _ => item.number(1024..=16_777_216, "buffers, or auto").and_then(|number| u32::try_from(number).ok()),
    });
    let buffer = section.get("buffer").and_then(|item| match item.written("auto or a number of octets")? {
        "auto" => None,
        _ => item.number(2048..=16_384, "octets, or auto").and_then(|number| u16::try_from(number).ok()),
    });
    let lock = section.get("lock").and_then(|item| item.word("a use of locked memory", MEMORY_LOCK));
    section.close();
    Memory { hugepages: hugepages.unwrap_or_default(), mbufs, buffer, lock: lock.unwrap_or_default() }
}

fn crypto(item: &Item<'_>, ports: Option<&Ports>) -> Crypto {
    let stand_in = Crypto::default();
    let mut section = Section::open(item);
    let engine = section.get("engine").and_then(|item| item.word("a choice of engines", CRYPTO_ENGINE));
    let device_item = section.get("device");
    let device = device_item.as_ref().and_then(|item| crypto_name(item, ports));
    let batch_item = section.get("batch");
    let batch = batch_item.as_ref().and_then(|item| item.power_of_two(1..=256, "jobs"));
    let batch_us = section.get("batch_us").and_then(|item| item.number(1..=1000, "microseconds"));
    let queue = section.get("queue").and_then(|item| item.power_of_two(64..=65536, "jobs"));
    let share = section.get("share_percent").and_then(|item| item.number(1..=100, "percent"));
    let tables = section.get("table_memory_mb").and_then(|item| item.number(0..=65536, "MiB"));
    section.close();
    let size = |number: Option<u64>, other| number.and_then(|n| usize::try_from(n).ok()).unwrap_or(other);
    let crypto = Crypto {
        engine: engine.unwrap_or_default(),
        device,
        batch: size(batch, stand_in.batch),
        batch_us: batch_us.and_then(|n| u32::try_from(n).ok()).unwrap_or(stand_in.batch_us),
        queue: size(queue, stand_in.queue),
        share_percent: share.and_then(|n| u8::try_from(n).ok()).unwrap_or(stand_in.share_percent),
        table_memory_mb: tables.and_then(|n| u32::try_from(n).ok()).unwrap_or(stand_in.table_memory_mb),
    };
    if let (Some(at), Some(_), CryptoEngine::Reference) = (&device_item, &crypto.device, crypto.engine) {
        at.fault("with engine: reference a device is never asked".to_owned(), "leave one of the two out");
    }
    if crypto.batch > crypto.queue {
        let at = batch_item.as_ref().unwrap_or(item);
        at.fault(
            format!("a batch of {} never fits a queue of {}", crypto.batch, crypto.queue),
            "make the queue larger",
        );
    }
    crypto
}

fn crypto_name(item: &Item<'_>, ports: Option<&Ports>) -> Option<CryptoName> {
    let text = item.written("a crypto device")?;
    let remedy = "give the PCI address of a crypto card bound to a DPDK driver, as \"0000:3d:01.0\"";
    let name = text.parse().ok();
    match &name {
        None => item.fault(format!("{text:?} is not a crypto device"), remedy),
        Some(CryptoName::Pci(address)) => {
            let mut cards = ports.into_iter().flat_map(|ports| [&ports.interconnect.device, &ports.home.device]);
            if cards.any(|card| *card == Device::Pci(*address)) {
                item.fault(format!("{address} is a port"), remedy);
            }
        }
        Some(CryptoName::Virtual(_)) => {}
    }
    name
}

fn trust(item: &Item<'_>, cores: &Cores) -> TrustFiles {
    let mut section = Section::open(item);
    let anchors = section.need("anchors", "[root.pem]").map(|item| item.set("root.pem", units::path));
    let repository = section.get("repository").map(|item| repository::read(&item));
    let enrolment = section.get("enrolment").map(|item| enrolment::read(&item));
    let x5u = section.get("x5u").map(|item| x5u(&item));
    let mut directory = |key, example, needed: bool| {
        let item = if needed { section.need(key, example) } else { section.get(key) };
        item.and_then(|item| units::path(&item))
    };
    // A renewed certificate is put there.
    let certificates = directory("certificates", "trust/certificates", repository.is_none() || enrolment.is_some());
    let crls = directory("crls", "trust/crls", repository.is_none());
    let keys = directory("keys", "trust/keys", true).unwrap_or_default();
    let token_keys = section.get("token_keys").map(|item| token_keys(&item, cores)).unwrap_or_default();
    let grace = section.get("crl_grace").and_then(|item| units::duration_s(&item, 0..=7 * 24 * 3600));
    let crl_stale = section.get("crl_stale").and_then(|item| item.word("a rule for old revocation lists", CRL_STALE));
    section.close();
    TrustFiles {
        anchors: anchors.unwrap_or_default(),
        certificates,
        crls,
        keys,
        token_keys,
        crl_grace_s: grace.unwrap_or(TrustFiles::CRL_GRACE_S),
        crl_stale: crl_stale.unwrap_or_default(),
        repository,
        enrolment,
        x5u,
    }
}

fn x5u(item: &Item<'_>) -> X5u {
    let mut section = Section::open(item);
    let roots = section.get("roots").map(|item| item.set("tls-root.pem", units::path));
    let limit = section.get("limit").and_then(|item| item.number(16..=65_536, "certificates"));
    section.close();
    X5u { roots: roots.unwrap_or_default(), limit: limit.map_or(X5u::LIMIT, |limit| limit as u32) }
}

fn token_keys(item: &Item<'_>, cores: &Cores) -> Vec<(String, TokenUri)> {
    let keys = item.named("certificate");
    if !keys.is_empty() && cores.crypto.is_empty() {
        let message = "a token takes its time, and would hold up a worker that signs inline";
        item.fault(message, "give cores.crypto at least one core");
    }
    let uri = |(cert, item): (String, Item<'_>)| match item.text("a PKCS#11 URI")?.parse() {
        Ok(uri) => Some((cert, uri)),
        Err(TokenUriError { message, remedy }) => {
            item.fault(message, remedy);
            None
        }
    };
    keys.into_iter().filter_map(uri).collect()
}

fn admin(item: &Item<'_>) -> Admin {
    let mut section = Section::open(item);
    let socket = section.get("socket").and_then(|item| {
        let path = units::path(&item)?;
        if path.as_os_str().len() > 107 {
            item.fault("too long for a socket", "a socket's path has at most 107 octets");
        }
        Some(path)
    });
    let group = section.get("group").and_then(|item| group(&item));
    let http = section.get("http").and_then(|item| loopback(&item));
    let refused = section.get("refused").and_then(|item| units::number(&item, 0..=32, "messages"));
    section.close();
    let default = Admin::default();
    Admin {
        socket: socket.unwrap_or(default.socket),
        group,
        http: http.or(default.http),
        refused: refused.unwrap_or(default.refused),
    }
}

/// A group by name or number; that it exists is checked where it is used.
fn group(item: &Item<'_>) -> Option<String> {
    let text = item.written("the name of a group")?;
    let good = text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)) && !text.starts_with('-');
    if text.is_empty() || text.len() > 32 || !good {
        item.fault(format!("{text:?} is not the name of a group"), "give one by name or number");
        return None;
    }
    Some(text.to_owned())
}

/// An address and port that only this host can reach.
fn loopback(item: &Item<'_>) -> Option<SocketAddr> {
    let text = item.written("an address with a port")?;
    let Ok(address) = text.parse::<SocketAddr>() else {
        item.fault(format!("{text:?} is not an address with a port"), "give one as 127.0.0.1:9617 or [::1]:9617");
        return None;
    };
    if !address.ip().is_loopback() {
        let remedy = "give an address of this host alone, as 127.0.0.1:9617; for others put a server with TLS and \
                      passwords in front of it";
        item.fault(
            format!("{address} can be reached by other hosts, and what is served there asks nobody who he is"),
            remedy,
        );
        return None;
    }
    Some(address)
}

fn service(item: &Item<'_>) -> Option<Service> {
    let mut section = Section::open(item);
    let name = |item: Item<'_>| {
        let name = item.text("a name of /etc/passwd or /etc/group")?;
        let plain = |octet: u8| octet.is_ascii_alphanumeric() || matches!(octet, b'_' | b'-' | b'.');
        if name.is_empty() || name.len() > 32 || !name.bytes().all(plain) || name.starts_with('-') {
            item.fault("not a user or group", "1 to 32 letters, digits, _, - and . as in \"sealgate\"");
        }
        Some(name.to_owned())
    };
    let user = section.need("user", "sealgate").and_then(name);
    let group = section.get("group").and_then(name);
    section.close();
    user.map(|user| Service { user, group })
}
