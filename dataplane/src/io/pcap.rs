//! Capture files: reading classic pcap and pcapng, writing classic pcap, and a port over both.
//!
//! Plain Rust, no library, no privilege. A file is somebody else's input: every length in it is bounded before anything
//! is allocated, and every fault names the file and the octet where it shows.

mod ng;
mod port;
mod reader;
mod writer;

pub use port::{OpenPcap, PcapPort};
pub use reader::{Reader, Record};
pub use writer::Writer;

use std::io;
use std::path::PathBuf;

/// The longest frame that is read or written, octets: libpcap's own bound (`MAXIMUM_SNAPLEN`).
pub const MAX_FRAME: u32 = 262_144;

/// Link type of Ethernet (tcpdump.org, LINKTYPE_ETHERNET).
pub const ETHERNET: u32 = 1;

/// How fine the times of a written file are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Resolution {
    /// Microseconds, which every tool reads; finer parts are cut off.
    #[default]
    Micro,
    /// Nanoseconds.
    Nano,
}

/// A capture file that cannot be read or written on.
#[derive(Debug, thiserror::Error)]
#[error("{}: octet {offset}: {fault}", file.display())]
pub struct PcapError {
    /// The file as it was named.
    pub file: PathBuf,
    /// Octets from the start of the file to the header, block or field at fault.
    pub offset: u64,
    /// What is wrong.
    pub fault: Fault,
}

/// What is wrong with a capture file.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The system refused.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// Neither pcap nor pcapng begins so.
    #[error("not a pcap or pcapng file (begins {:02x} {:02x} {:02x} {:02x})", .0[0], .0[1], .0[2], .0[3])]
    Magic([u8; 4]),
    /// Another major version of the format.
    #[error("format version {0}.{1} is not known")]
    Version(u16, u16),
    /// The file ends in the middle of a header or a frame.
    #[error("the file ends in the middle of a record")]
    Cut,
    /// A frame longer than [`MAX_FRAME`].
    #[error("a frame of {0} octets; at most {MAX_FRAME} are read")]
    FrameLength(u64),
    /// A pcapng block whose length is impossible for its type.
    #[error("a pcapng block of {0} octets cannot be")]
    BlockLength(u32),
    /// The two lengths of a pcapng block differ.
    #[error("a pcapng block says {0} octets at its head and {1} at its end")]
    BlockTrailer(u32, u32),
    /// A pcapng frame of an interface that was not described before.
    #[error("a frame of interface {0}, which the file does not describe")]
    Interface(u32),
    /// More pcapng interfaces than are kept.
    #[error("more than {0} interfaces")]
    Interfaces(usize),
    /// A pcapng option that runs over the end of its block, or of a wrong length.
    #[error("a pcapng interface option is malformed")]
    Options,
    /// A pcapng unit of time finer than 64 bits can count.
    #[error("a pcapng time unit of {0:#04x} cannot be")]
    TimeUnit(u8),
    /// A time before 1970, or one that the format cannot say.
    #[error("a time out of range")]
    Time,
    /// Frames of another kind than Ethernet, where only that will do.
    #[error("frames of link type {0}; only Ethernet (1) will do")]
    LinkType(u32),
}
