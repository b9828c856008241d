//! Reading: the format is found out from the first octets.

use super::{Fault, MAX_FRAME, PcapError, ng};
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What a capture says of a frame beside its octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    /// Since 1970-01-01 UTC. A pcapng Simple Packet Block has no time: then that of the frame before.
    pub time: Duration,
    /// Octets that the frame had on the wire; more than were kept if the capture cut it.
    pub original: u32,
    /// Link type (tcpdump.org).
    pub link: u32,
    /// Octets from the start of the file to the record or block of this frame.
    pub offset: u64,
}

/// Byte order of a file or section.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Little,
    Big,
}

impl Order {
    pub(super) fn u16(self, octets: [u8; 2]) -> u16 {
        match self {
            Order::Little => u16::from_le_bytes(octets),
            Order::Big => u16::from_be_bytes(octets),
        }
    }

    pub(super) fn u32(self, octets: [u8; 4]) -> u32 {
        match self {
            Order::Little => u32::from_le_bytes(octets),
            Order::Big => u32::from_be_bytes(octets),
        }
    }
}

/// The octets of the file, and how far they were read.
pub(super) struct Source<R> {
    input: R,
    pub(super) offset: u64,
}

impl<R: Read> Source<R> {
    /// Fills `buffer`. `Ok(false)` if the input ended just before it; [`Fault::Cut`] if within.
    pub(super) fn fill(&mut self, buffer: &mut [u8]) -> Result<bool, Fault> {
        let mut at = 0;
        while let Some(rest) = buffer.get_mut(at..).filter(|rest| !rest.is_empty()) {
            match self.input.read(rest) {
                Ok(0) if at == 0 => return Ok(false),
                Ok(0) => return Err(Fault::Cut),
                Ok(count) => {
                    at += count;
                    self.offset += count as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(true)
    }

    /// The next `N` octets, which must be there.
    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], Fault> {
        let mut octets = [0; N];
        if self.fill(&mut octets)? { Ok(octets) } else { Err(Fault::Cut) }
    }

    /// The next `N` octets, or `None` if the input ends just before them.
    pub(super) fn array_or_end<const N: usize>(&mut self) -> Result<Option<[u8; N]>, Fault> {
        let mut octets = [0; N];
        Ok(self.fill(&mut octets)?.then_some(octets))
    }

    /// Appends the next `len` octets, which must be there, to `out`.
    pub(super) fn append(&mut self, len: usize, out: &mut Vec<u8>) -> Result<(), Fault> {
        let start = out.len();
        out.resize(start + len, 0);
        match out.get_mut(start..) {
            Some(room) if !room.is_empty() => {
                if self.fill(room)? {
                    Ok(())
                } else {
                    Err(Fault::Cut)
                }
            }
            _ => Ok(()),
        }
    }
}

/// Which format the file has, with what must be known to read on.
enum Format {
    Classic { order: Order, nano: bool, link: u32 },
    Ng(ng::Section),
}

/// Reads a capture, frame by frame. Nothing but the longest frame is ever held.
pub struct Reader<R> {
    file: PathBuf,
    source: Source<R>,
    format: Format,
    /// Where the record or block that is being read begins.
    start: u64,
}

impl Reader<BufReader<File>> {
    /// Opens a file and reads its header.
    /// # Errors
    /// [`PcapError`] if it cannot be opened or is no capture.
    pub fn open(path: &Path) -> Result<Self, PcapError> {
        let input = File::open(path).map_err(|error| PcapError {
            file: path.to_owned(),
            offset: 0,
            fault: Fault::Io(error),
        })?;
        Self::new(path, BufReader::with_capacity(1 << 16, input))
    }
}

impl<R: Read> Reader<R> {
    /// Reads the header of a capture.
    ///
    /// * `name`: what errors call it.
    /// # Errors
    /// [`PcapError`] if it is no capture.
    pub fn new(name: &Path, input: R) -> Result<Self, PcapError> {
        let mut source = Source { input, offset: 0 };
        match begin(&mut source) {
            Ok(format) => Ok(Self { file: name.to_owned(), source, format, start: 0 }),
            Err(fault) => Err(PcapError { file: name.to_owned(), offset: 0, fault }),
        }
    }

    /// Reads the next frame into `octets`, replacing what was there. `None` at the end of the file.
    /// # Errors
    /// [`PcapError`] if the file is malformed or cannot be read. Do not read on: the place in the file is lost.
    pub fn read(&mut self, octets: &mut Vec<u8>) -> Result<Option<Record>, PcapError> {
        octets.clear();
        self.start = self.source.offset;
        let record = match &mut self.format {
            Format::Classic { order, nano, link } => {
                record(&mut self.source, *order, *nano, *link, octets).map_err(|fault| (self.start, fault))
            }
            Format::Ng(section) => section.read(&mut self.source, &mut self.start, octets),
        };
        record.map_err(|(offset, fault)| self.error(offset, fault))
    }

    /// An error at `offset` of this file.
    pub(super) fn error(&self, offset: u64, fault: Fault) -> PcapError {
        PcapError { file: self.file.clone(), offset, fault }
    }
}

/// Reads the magic, and for classic pcap the rest of the header (draft-ietf-opsawg-pcap section 4).
fn begin<R: Read>(source: &mut Source<R>) -> Result<Format, Fault> {
    let magic: [u8; 4] = source.array()?;
    let (order, nano) = match magic {
        [0xd4, 0xc3, 0xb2, 0xa1] => (Order::Little, false),
        [0x4d, 0x3c, 0xb2, 0xa1] => (Order::Little, true),
        [0xa1, 0xb2, 0xc3, 0xd4] => (Order::Big, false),
        [0xa1, 0xb2, 0x3c, 0x4d] => (Order::Big, true),
        ng::SECTION => return Ok(Format::Ng(ng::Section::begin(source)?)),
        other => return Err(Fault::Magic(other)),
    };
    let (major, minor) = (order.u16(source.array()?), order.u16(source.array()?));
    if major != 2 {
        return Err(Fault::Version(major, minor));
    }
    // Time zone, accuracy and snap length tell nothing that the records do not.
    let _: [u8; 12] = source.array()?;
    // The upper half tells of frame check sequences only.
    let link = order.u32(source.array()?) & 0xffff;
    Ok(Format::Classic { order, nano, link })
}

/// One record of classic pcap (draft-ietf-opsawg-pcap section 5).
fn record<R: Read>(
    source: &mut Source<R>,
    order: Order,
    nano: bool,
    link: u32,
    octets: &mut Vec<u8>,
) -> Result<Option<Record>, Fault> {
    let offset = source.offset;
    let Some(seconds) = source.array_or_end()? else { return Ok(None) };
    let seconds = Duration::from_secs(u64::from(order.u32(seconds)));
    let fraction = u64::from(order.u32(source.array()?));
    let fraction = if nano { Duration::from_nanos(fraction) } else { Duration::from_micros(fraction) };
    let (kept, original) = (order.u32(source.array()?), order.u32(source.array()?));
    if kept > MAX_FRAME {
        return Err(Fault::FrameLength(kept.into()));
    }
    source.append(kept as usize, octets)?;
    Ok(Some(Record { time: seconds + fraction, original, link, offset }))
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::{ETHERNET, Resolution, Writer};
    use super::*;
    use proptest::prelude::*;

    /// Every frame of a capture in memory.
    pub(in super::super) fn all(octets: &[u8]) -> Result<Vec<(Record, Vec<u8>)>, PcapError> {
        let mut reader = Reader::new(Path::new("test"), octets)?;
        let (mut frames, mut frame) = (Vec::new(), Vec::new());
        while let Some(record) = reader.read(&mut frame)? {
            frames.push((record, frame.clone()));
        }
        Ok(frames)
    }

    /// A capture of one frame, written by hand.
    fn classic(order: Order, nano: bool) -> Vec<u8> {
        let u16 = |n: u16| if order == Order::Big { n.to_be_bytes() } else { n.to_le_bytes() };
        let u32 = |n: u32| if order == Order::Big { n.to_be_bytes() } else { n.to_le_bytes() };
        let mut file = Vec::new();
        file.extend(u32(if nano { 0xa1b2_3c4d } else { 0xa1b2_c3d4 }));
        file.extend([u16(2), u16(4)].concat());
        file.extend([u32(0), u32(0), u32(65535), u32(1)].concat());
        file.extend([u32(1_700_000_000), u32(250_000), u32(3), u32(60)].concat());
        file.extend([1, 2, 3]);
        file
    }

    #[test]
    fn both_orders_and_both_units_are_read() {
        for order in [Order::Little, Order::Big] {
            for nano in [false, true] {
                let fraction = Duration::from_nanos(if nano { 250_000 } else { 250_000_000 });
                let time = Duration::from_secs(1_700_000_000) + fraction;
                let want = Record { time, original: 60, link: ETHERNET, offset: 24 };
                assert_eq!(all(&classic(order, nano)).unwrap(), [(want, vec![1, 2, 3])], "{order:?} {nano}");
            }
        }
    }

    #[test]
    fn each_fault_names_file_and_octet() {
        let good = classic(Order::Little, false);
        let with = |at: usize, octet: u8| {
            let mut bad = good.clone();
            bad[at] = octet;
            all(&bad).unwrap_err().to_string()
        };
        assert_eq!(with(0, 0), "test: octet 0: not a pcap or pcapng file (begins 00 c3 b2 a1)");
        assert_eq!(with(4, 3), "test: octet 0: format version 3.4 is not known");
        assert_eq!(with(35, 1), "test: octet 24: a frame of 16777219 octets; at most 262144 are read");
        assert_eq!(with(32, 4), "test: octet 24: the file ends in the middle of a record");
        for cut in 1..good.len() {
            match all(&good[..cut]) {
                Ok(frames) => assert_eq!((cut, frames.len()), (24, 0)),
                Err(error) => assert!(matches!(error.fault, Fault::Cut), "cut at {cut}: {error}"),
            }
        }
        let missing = Reader::open(Path::new("/nonexistent.pcap")).err().unwrap().to_string();
        assert!(missing.starts_with("/nonexistent.pcap: octet 0: No such file"), "{missing}");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            frames in prop::collection::vec((0u64..u64::from(u32::MAX), 0u32..1_000_000_000, prop::collection::vec(any::<u8>(), 0..200)), 0..20),
            nano in any::<bool>(),
        ) {
            let resolution = if nano { Resolution::Nano } else { Resolution::Micro };
            let mut writer = Writer::new(Path::new("test"), Vec::new(), resolution).unwrap();
            for (seconds, nanos, octets) in &frames {
                writer.write(Duration::new(*seconds, *nanos), octets).unwrap();
            }
            let read = all(&writer.finish().unwrap()).unwrap();
            prop_assert_eq!(read.len(), frames.len());
            for ((record, got), (seconds, nanos, octets)) in read.iter().zip(&frames) {
                let nanos = if nano { *nanos } else { nanos / 1000 * 1000 };
                prop_assert_eq!((record.time, got), (Duration::new(*seconds, nanos), octets));
            }
        }

        #[test]
        fn no_octets_panic(magic in 0usize..6, octets in prop::collection::vec(any::<u8>(), 0..300)) {
            let magic: &[u8] = match magic {
                0 => &[0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0],
                1 => &[0xa1, 0xb2, 0x3c, 0x4d, 0, 2, 0, 4],
                2 => &[0x0a, 0x0d, 0x0d, 0x0a, 28, 0, 0, 0, 0x4d, 0x3c, 0x2b, 0x1a, 1, 0, 0, 0],
                3 => &[0x0a, 0x0d, 0x0d, 0x0a, 0, 0, 0, 28, 0x1a, 0x2b, 0x3c, 0x4d, 0, 1, 0, 0],
                _ => &[],
            };
            let _ = all(&[magic, &octets].concat());
        }
    }
}
