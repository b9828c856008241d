//! The appliance file: what the machine is (DESIGN.md section 8). Read once, at start.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

use super::enrolment::Enrolment;
use super::repository::Repository;
use super::token::TokenUri;

/// The appliance file, checked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Appliance {
    /// Which core does what.
    pub cores: Cores,
    /// The two sides of the gateway.
    pub ports: Ports,
    /// Packet memory, and what is kept out of swap.
    pub memory: Memory,
    /// Batches and queues between workers and crypto threads.
    pub crypto: Crypto,
    /// Where certificates, revocation lists and private keys are.
    pub trust: TrustFiles,
    /// The policy file.
    pub policy: PathBuf,
    /// Directory in which an orderly stop leaves the replay memory to the next start; `None`: each start is a cold one.
    pub state: Option<PathBuf>,
    /// The door for the operator's commands.
    pub admin: Admin,
    /// Who the process is once its ports are open; `None`: whoever started it.
    pub service: Option<Service>,
}

/// Which core does what. Numbers are those of the operating system.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Cores {
    /// Control threads; `None`: wherever the scheduler puts them.
    pub main: Option<usize>,
    /// One poll-mode worker each; never empty.
    pub workers: Vec<usize>,
    /// One crypto thread each; empty: workers verify inline.
    pub crypto: Vec<usize>,
    /// What to do when a worker and its port are on different NUMA nodes.
    pub numa: Numa,
}

/// What to do when a worker and its port are on different NUMA nodes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Numa {
    /// Start, and say so.
    #[default]
    Warn,
    /// Do not start.
    Strict,
}

/// The two sides of the gateway.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ports {
    /// Towards other operators: messages are verified and policed.
    pub interconnect: Port,
    /// Towards the own network: messages are signed.
    pub home: Port,
}

/// One port.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Port {
    /// What carries the frames.
    pub device: Device,
    /// Largest IP packet, octets: 576 to 9600.
    pub mtu: u16,
    /// Descriptors of each receive queue: a power of two, 64 to 32768.
    pub rx_ring: u16,
    /// Descriptors of each transmit queue: a power of two, 64 to 32768.
    pub tx_ring: u16,
}

impl Port {
    /// MTU where none is given, octets.
    pub const MTU: u16 = 1500;
    /// Ring size where none is given, descriptors.
    pub const RING: u16 = 1024;
}

/// What carries the frames of a port.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Device {
    /// A network card bound to a DPDK driver.
    Pci(PciAddr),
    /// A kernel interface through AF_PACKET.
    AfPacket(String),
    /// A kernel interface through AF_XDP.
    AfXdp(String),
    /// A TAP interface that is made under this name.
    Tap(String),
    /// Shared memory; the text after `memif:` as given, `key=value` pairs with commas.
    Memif(String),
    /// Capture files.
    Pcap {
        /// Frames come from here; `None`: no frame ever comes.
        rx: Option<PathBuf>,
        /// Frames go there; `None`: frames sent are thrown away.
        tx: Option<PathBuf>,
    },
    /// Neither end: a measure of the loop alone.
    Null,
    /// What is sent comes back.
    Ring,
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Device::Pci(address) => address.fmt(f),
            Device::AfPacket(name) => write!(f, "af_packet:{name}"),
            Device::AfXdp(name) => write!(f, "af_xdp:{name}"),
            Device::Tap(name) => write!(f, "tap:{name}"),
            Device::Memif(arguments) => write!(f, "memif:{arguments}"),
            Device::Pcap { rx, tx } => {
                let text = |path: &Option<PathBuf>| path.as_ref().map(|p| p.display().to_string()).unwrap_or_default();
                write!(f, "pcap:{},{}", text(rx), text(tx))
            }
            Device::Null => f.write_str("null"),
            Device::Ring => f.write_str("ring"),
        }
    }
}

/// A PCI address, `domain:bus:device.function`, all of it hexadecimal: `0000:3b:00.0`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct PciAddr {
    /// Domain (segment).
    pub domain: u16,
    /// Bus.
    pub bus: u8,
    /// Device on the bus, 0 to 31.
    pub device: u8,
    /// Function of the device, 0 to 7.
    pub function: u8,
}

/// Text is not a PCI address.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("not a PCI address of the form 0000:3b:00.0")]
pub struct NotPciAddr;

impl FromStr for PciAddr {
    type Err = NotPciAddr;

    fn from_str(text: &str) -> Result<Self, NotPciAddr> {
        let hex = |part: Option<&str>, digits: usize| {
            let part = part.filter(|p| p.len() == digits && p.bytes().all(|b| b.is_ascii_hexdigit()))?;
            u16::from_str_radix(part, 16).ok()
        };
        let read = || {
            let mut parts = text.split(':');
            let domain = hex(parts.next(), 4)?;
            let bus = u8::try_from(hex(parts.next(), 2)?).ok()?;
            let (device, function) = parts.next()?.split_once('.')?;
            let device = u8::try_from(hex(Some(device), 2)?).ok().filter(|d| *d < 32)?;
            let function = u8::try_from(hex(Some(function), 1)?).ok().filter(|f| *f < 8)?;
            parts.next().is_none().then_some(PciAddr { domain, bus, device, function })
        };
        read().ok_or(NotPciAddr)
    }
}

impl fmt::Display for PciAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04x}:{:02x}:{:02x}.{:x}", self.domain, self.bus, self.device, self.function)
    }
}

/// Packet memory, and what is kept out of swap.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Memory {
    /// Whether packet memory comes from huge pages.
    pub hugepages: Hugepages,
    /// Packet buffers of both ports together; `None`: enough for the rings and queues configured.
    pub mbufs: Option<u32>,
    /// Octets of the largest frame that a buffer holds, 2048 to 16384: one put together from IP fragments may be longer than any
    /// that a port carries. `None`: those of the ports.
    pub buffer: Option<u16>,
    /// Whether all memory of the process stays out of swap, private keys with it.
    pub lock: MemoryLock,
}

/// Whether all memory of the process stays out of swap.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum MemoryLock {
    /// Where the system lets us, without a limit that could be met later.
    #[default]
    Auto,
    /// Always; if the system does not let us: do not start.
    On,
    /// Never.
    Off,
}

/// Whether packet memory comes from huge pages.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Hugepages {
    /// Where the machine has enough of them.
    #[default]
    Auto,
    /// Always; too few of them: do not start.
    On,
    /// Never.
    Off,
}

/// How signatures are verified and made, and the queues between workers and crypto threads.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Crypto {
    /// Which engines may answer.
    pub engine: CryptoEngine,
    /// A crypto device that verifies what it can.
    pub device: Option<CryptoName>,
    /// Jobs that a crypto thread does together, at most: a power of two, 1 to 256.
    pub batch: usize,
    /// Age at which a batch is begun although more jobs keep coming, microseconds: 1 to 1000.
    pub batch_us: u32,
    /// Jobs of one worker in flight, by what they cost: a power of two, 64 to 65536.
    pub queue: usize,
    /// The most of a queue that one peer alone may hold, percent: 1 to 100. Jobs count by what they cost, in P-256
    /// verifications from a table: RSA 7, P-256 without a table 20.
    pub share_percent: u8,
    /// Memory for tables of keys, MiB: 0 to 65536.
    pub table_memory_mb: u32,
}

impl Default for Crypto {
    fn default() -> Self {
        Self {
            engine: CryptoEngine::Auto,
            device: None,
            batch: 64,
            batch_us: 20,
            queue: 4096,
            share_percent: 50,
            table_memory_mb: 256,
        }
    }
}

/// How a crypto device is named.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum CryptoName {
    /// A card, or a virtual function of one, bound to a DPDK driver.
    Pci(PciAddr),
    /// A device of DPDK's own, `crypto_` and so on, for laboratories.
    Virtual(String),
}

/// Text names no crypto device.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("neither a PCI address of the form 0000:3d:01.0 nor a name as crypto_null")]
pub struct NotCryptoName;

impl FromStr for CryptoName {
    type Err = NotCryptoName;

    fn from_str(text: &str) -> Result<Self, NotCryptoName> {
        let plain = |rest: &str| {
            (1..=40).contains(&rest.len()) && rest.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_'))
        };
        match text.strip_prefix("crypto_") {
            Some(rest) if plain(rest) => Ok(Self::Virtual(text.to_owned())),
            Some(_) => Err(NotCryptoName),
            None => text.parse().map(Self::Pci).map_err(|_| NotCryptoName),
        }
    }
}

impl fmt::Display for CryptoName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pci(address) => address.fmt(f),
            Self::Virtual(name) => f.write_str(name),
        }
    }
}

/// Which engines may answer whether a signature holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum CryptoEngine {
    /// The fastest one that this machine has for an algorithm.
    #[default]
    Auto,
    /// aws-lc-rs for everything.
    Reference,
}

/// Where certificates, revocation lists and private keys are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TrustFiles {
    /// Root certificates, PEM or DER; never empty.
    pub anchors: Vec<PathBuf>,
    /// Directory of CA and signer certificates; may be left out with a repository.
    pub certificates: Option<PathBuf>,
    /// Directory of certificate revocation lists; may be left out with a repository.
    pub crls: Option<PathBuf>,
    /// Directory of the private keys that this gateway signs with.
    pub keys: PathBuf,
    /// Private keys on tokens, by the name of their certificate.
    pub token_keys: Vec<(String, TokenUri)>,
    /// How long a revocation list stays good beyond its nextUpdate, seconds (formats 12.3).
    pub crl_grace_s: u32,
    /// What becomes of a signer whose revocation list is older than that.
    pub crl_stale: CrlStale,
    /// The repository that is followed; certificates and lists of it come to those of the directories.
    pub repository: Option<Repository>,
    /// The authority that renews our own certificate.
    pub enrolment: Option<Enrolment>,
    /// How certificates of callers are fetched; `None`: they are not.
    pub x5u: Option<X5u>,
}

/// Fetching certificates of callers in SIP from where their PASSporTs say (formats 8). Which hosts are asked says the policy.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct X5u {
    /// Certificates that servers are checked against, PEM; none: those of the system.
    pub roots: Vec<PathBuf>,
    /// Certificates that are kept at a time.
    pub limit: u32,
}

impl X5u {
    /// `limit` where none is given.
    pub const LIMIT: u32 = 1024;
}

impl TrustFiles {
    /// `crl_grace_s` where none is given (formats 12.3).
    pub const CRL_GRACE_S: u32 = 24 * 3600;
}

/// What becomes of a signer whose revocation list is too old (formats 12.3).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum CrlStale {
    /// Its messages are refused in mode require.
    #[default]
    Fail,
    /// Its messages pass, and an alarm stands.
    Keep,
}

/// The doors for the operator's questions and commands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Admin {
    /// Unix socket.
    pub socket: PathBuf,
    /// Whose members may use the socket, a name or a number; `None`: those of the process's own group.
    pub group: Option<String>,
    /// Where metrics and documents are served over HTTP, an address of this host alone; `None`: nowhere.
    pub http: Option<SocketAddr>,
    /// Refused messages of each reason that are kept with their frames; 0: none.
    pub refused: u32,
}

impl Admin {
    /// Refused messages of each reason that are kept unless the file says otherwise.
    pub const REFUSED: u32 = 16;
}

impl Default for Admin {
    fn default() -> Self {
        Self { socket: PathBuf::from("/run/sealgate/admin.sock"), group: None, http: None, refused: Self::REFUSED }
    }
}

/// Who the process is once its ports are open.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Service {
    /// Name of the user.
    pub user: String,
    /// Name of the group; `None`: the user's own.
    pub group: Option<String>,
}
