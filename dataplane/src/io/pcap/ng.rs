//! The pcapng format (draft-ietf-opsawg-pcapng): sections, interfaces and the three kinds of packet blocks.

use super::reader::{Order, Record, Source};
use super::{Fault, MAX_FRAME};
use std::io::Read;
use std::time::Duration;

/// Type of a Section Header Block (section 4.1); the same in both byte orders.
pub(super) const SECTION: [u8; 4] = [0x0a, 0x0d, 0x0d, 0x0a];

/// The longest block that is read, octets: a frame of [`MAX_FRAME`] with room for options.
const MAX_BLOCK: u32 = 1 << 20;

/// Interfaces that are kept of a section.
const MAX_INTERFACES: usize = 4096;

/// An interface of the section (section 4.2).
struct Interface {
    link: u32,
    /// Octets that are kept of a frame, 0 for all.
    snap: u32,
    /// Units of time in a second.
    units: u64,
    /// Seconds to add to each time.
    offset: i64,
}

/// A section and what was learned in it.
pub(super) struct Section {
    order: Order,
    interfaces: Vec<Interface>,
    /// Time of the frame before: that of a Simple Packet Block.
    last: Duration,
    block: Vec<u8>,
}

impl Section {
    /// Reads a Section Header Block whose type was read.
    pub(super) fn begin<R: Read>(source: &mut Source<R>) -> Result<Self, Fault> {
        let length: [u8; 4] = source.array()?;
        let order = match source.array()? {
            [0x4d, 0x3c, 0x2b, 0x1a] => Order::Little,
            [0x1a, 0x2b, 0x3c, 0x4d] => Order::Big,
            other => return Err(Fault::Magic(other)),
        };
        let (major, minor) = (order.u16(source.array()?), order.u16(source.array()?));
        if major != 1 {
            return Err(Fault::Version(major, minor));
        }
        let length = order.u32(length);
        // Type, two lengths, magic, version and section length.
        let rest = checked(length, 28)?;
        let _section_length: [u8; 8] = source.array()?;
        let mut section = Self { order, interfaces: Vec::new(), last: Duration::ZERO, block: Vec::new() };
        section.body(source, rest, length)?;
        Ok(section)
    }

    /// Reads on to the next frame; `start` is left at the block that was read last, so that a fault can name it.
    pub(super) fn read<R: Read>(
        &mut self,
        source: &mut Source<R>,
        start: &mut u64,
        octets: &mut Vec<u8>,
    ) -> Result<Option<Record>, (u64, Fault)> {
        loop {
            *start = source.offset;
            match self.next(source, octets) {
                Ok(Step::Frame(time, original, link)) => {
                    self.last = time;
                    return Ok(Some(Record { time, original, link, offset: *start }));
                }
                Ok(Step::Other) => {}
                Ok(Step::End) => return Ok(None),
                Err(fault) => return Err((*start, fault)),
            }
        }
    }

    /// One block, whatever it is.
    fn next<R: Read>(&mut self, source: &mut Source<R>, octets: &mut Vec<u8>) -> Result<Step, Fault> {
        let Some(kind) = source.array_or_end::<4>()? else { return Ok(Step::End) };
        if kind == SECTION {
            let last = self.last;
            *self = Self { last, ..Self::begin(source)? };
            return Ok(Step::Other);
        }
        let length = self.order.u32(source.array()?);
        let rest = checked(length, 12)?;
        self.body(source, rest, length)?;
        let order = self.order;
        let mut body = Body { order, octets: &self.block };
        let wrong = Fault::BlockLength(length);
        match order.u32(kind) {
            // Interface Description Block, section 4.2.
            1 => {
                let (Some(link), Some(_), Some(snap)) = (body.u16(), body.u16(), body.u32()) else { return Err(wrong) };
                let (units, offset) = body.time_options()?;
                if self.interfaces.len() == MAX_INTERFACES {
                    return Err(Fault::Interfaces(MAX_INTERFACES));
                }
                self.interfaces.push(Interface { link: link.into(), snap, units, offset });
                Ok(Step::Other)
            }
            // Packet Block (obsolete, appendix A) and Enhanced Packet Block (section 4.3).
            kind @ (2 | 6) => {
                let interface = if kind == 6 { body.u32() } else { body.u32().map(|word| first_half(order, word)) };
                let (Some(id), Some(high), Some(low)) = (interface, body.u32(), body.u32()) else { return Err(wrong) };
                let (Some(kept), Some(original)) = (body.u32(), body.u32()) else { return Err(wrong) };
                let interface = self.interface(id)?;
                let time = interface.time(u64::from(high) << 32 | u64::from(low))?;
                if kept > MAX_FRAME {
                    return Err(Fault::FrameLength(kept.into()));
                }
                octets.extend_from_slice(body.octets.get(..kept as usize).ok_or(wrong)?);
                Ok(Step::Frame(time, original, interface.link))
            }
            // Simple Packet Block, section 4.4: of the first interface, no time, length from that interface.
            3 => {
                let Some(original) = body.u32() else { return Err(wrong) };
                let interface = self.interface(0)?;
                let kept = if interface.snap == 0 { original } else { original.min(interface.snap) };
                if kept > MAX_FRAME {
                    return Err(Fault::FrameLength(kept.into()));
                }
                octets.extend_from_slice(body.octets.get(..kept as usize).ok_or(wrong)?);
                Ok(Step::Frame(self.last, original, interface.link))
            }
            // Names, statistics, secrets, comments and what is yet to be invented.
            _ => Ok(Step::Other),
        }
    }

    /// Reads `rest` octets of a block's body, and the second length, which must agree.
    fn body<R: Read>(&mut self, source: &mut Source<R>, rest: usize, length: u32) -> Result<(), Fault> {
        self.block.clear();
        source.append(rest, &mut self.block)?;
        let trailer = self.order.u32(source.array()?);
        if trailer == length { Ok(()) } else { Err(Fault::BlockTrailer(length, trailer)) }
    }

    fn interface(&self, id: u32) -> Result<&Interface, Fault> {
        usize::try_from(id).ok().and_then(|id| self.interfaces.get(id)).ok_or(Fault::Interface(id))
    }
}

/// What a block was.
enum Step {
    /// A frame: its time, length on the wire and link type.
    Frame(Duration, u32, u32),
    /// Something else.
    Other,
    /// The end of the file.
    End,
}

/// Octets of a block beyond its `fixed` ones, if the whole length can be.
fn checked(length: u32, fixed: u32) -> Result<usize, Fault> {
    if length > MAX_BLOCK || !length.is_multiple_of(4) {
        return Err(Fault::BlockLength(length));
    }
    length.checked_sub(fixed).map(|rest| rest as usize).ok_or(Fault::BlockLength(length))
}

/// The 16-bit field that comes first in a word: a Packet Block has its interface number there, and a drop count after.
fn first_half(order: Order, word: u32) -> u32 {
    match order {
        Order::Little => word & 0xffff,
        Order::Big => word >> 16,
    }
}

impl Interface {
    /// A time in this interface's units, as one since 1970.
    fn time(&self, units: u64) -> Result<Duration, Fault> {
        let whole = i128::from(units / self.units) + i128::from(self.offset);
        // Below 10^9 for certain: the remainder is below the number of units.
        let nanos = u128::from(units % self.units) * 1_000_000_000 / u128::from(self.units);
        match (u64::try_from(whole), u32::try_from(nanos)) {
            (Ok(seconds), Ok(nanos)) => Ok(Duration::new(seconds, nanos)),
            _ => Err(Fault::Time),
        }
    }
}

/// What is left of a block's body.
struct Body<'a> {
    order: Order,
    octets: &'a [u8],
}

impl Body<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (first, rest) = self.octets.split_first_chunk::<N>()?;
        self.octets = rest;
        Some(*first)
    }

    fn u16(&mut self) -> Option<u16> {
        self.take().map(|octets| self.order.u16(octets))
    }

    fn u32(&mut self) -> Option<u32> {
        self.take().map(|octets| self.order.u32(octets))
    }

    /// Units per second and offset in seconds from the options of an interface (sections 3.5 and 4.2).
    fn time_options(&mut self) -> Result<(u64, i64), Fault> {
        let (mut units, mut offset) = (1_000_000, 0);
        while !self.octets.is_empty() {
            let (Some(code), Some(len)) = (self.u16(), self.u16()) else { return Err(Fault::Options) };
            let padded = usize::from(len).next_multiple_of(4);
            let (Some(value), Some(rest)) = (self.octets.get(..usize::from(len)), self.octets.get(padded..)) else {
                return Err(Fault::Options);
            };
            match (code, value) {
                (0, _) => break,
                // if_tsresol: a negative power of ten, or of two with the highest bit set.
                (9, [unit]) => {
                    let power = u32::from(unit & 0x7f);
                    let base: u64 = if unit & 0x80 == 0 { 10 } else { 2 };
                    units = base.checked_pow(power).ok_or(Fault::TimeUnit(*unit))?;
                }
                (9, _) => return Err(Fault::Options),
                (14, value) => {
                    let value: [u8; 8] = value.try_into().map_err(|_| Fault::Options)?;
                    offset = match self.order {
                        Order::Little => i64::from_le_bytes(value),
                        Order::Big => i64::from_be_bytes(value),
                    };
                }
                _ => {}
            }
            self.octets = rest;
        }
        Ok((units, offset))
    }
}

#[cfg(test)]
mod tests {
    use super::super::reader::tests::all;
    use super::super::{ETHERNET, PcapError};
    use super::*;

    /// A file under construction in one byte order.
    struct File(Order, Vec<u8>);

    impl File {
        fn u32(&self, n: u32) -> [u8; 4] {
            if self.0 == Order::Big { n.to_be_bytes() } else { n.to_le_bytes() }
        }
        fn u16(&self, n: u16) -> [u8; 2] {
            if self.0 == Order::Big { n.to_be_bytes() } else { n.to_le_bytes() }
        }
        fn block(mut self, kind: u32, body: &[u8]) -> Self {
            let padding = vec![0; body.len().next_multiple_of(4) - body.len()];
            let length = self.u32((12 + body.len() + padding.len()) as u32);
            let block = [&self.u32(kind)[..], &length, body, &padding, &length].concat();
            self.1.extend(block);
            self
        }
        fn section(self) -> Self {
            let body = [&self.u32(0x1a2b_3c4d)[..], &self.u16(1), &self.u16(0), &[0xff; 8]].concat();
            self.block(0x0a0d_0d0a, &body)
        }
        fn interface(self, snap: u32, options: &[(u16, &[u8])]) -> Self {
            let mut body = [&self.u16(1)[..], &self.u16(0), &self.u32(snap)].concat();
            for (code, value) in options {
                body.extend([self.u16(*code), self.u16(value.len() as u16)].concat());
                body.extend_from_slice(value);
                body.resize(body.len().next_multiple_of(4), 0);
            }
            self.block(1, &body)
        }
        fn enhanced(self, interface: u32, units: u64, frame: &[u8]) -> Self {
            let len = frame.len() as u32;
            let words = [interface, (units >> 32) as u32, units as u32, len, len + 5];
            let head: Vec<u8> = words.iter().flat_map(|n| self.u32(*n)).collect();
            self.block(6, &[&head[..], frame].concat())
        }
        fn read(&self) -> Result<Vec<(Record, Vec<u8>)>, PcapError> {
            all(&self.1)
        }
    }

    fn file(order: Order) -> File {
        File(order, Vec::new()).section()
    }

    #[test]
    fn packet_blocks_of_all_kinds_are_read_in_both_orders() {
        for order in [Order::Little, Order::Big] {
            let mut file = file(order)
                .interface(2, &[(2, b"eth0")])
                .interface(0, &[(9, &[9])])
                .block(5, &[0; 12])
                .enhanced(1, 1_700_000_000_123_456_789, &[1, 2, 3])
                .enhanced(0, 1_700_000_000_123_456, &[4; 8]);
            let simple = [&file.u32(9)[..], &[7, 8]].concat();
            file = file.block(3, &simple);
            let old: Vec<u8> =
                [&file.u16(1)[..], &file.u16(77), &file.u32(0), &file.u32(5), &file.u32(1), &file.u32(1), &[9]]
                    .concat();
            let frames = file.block(2, &old).section().interface(0, &[(9, &[0x80 | 10])]).enhanced(0, 1536, &[]).read();
            let got: Vec<_> =
                frames.unwrap().into_iter().map(|(r, f)| (r.time.as_nanos(), r.original, r.link, f)).collect();
            assert_eq!(
                got,
                [
                    (1_700_000_000_123_456_789, 8, ETHERNET, vec![1, 2, 3]),
                    (1_700_000_000_123_456_000, 13, ETHERNET, vec![4; 8]),
                    (1_700_000_000_123_456_000, 9, ETHERNET, vec![7, 8]),
                    (5, 1, ETHERNET, vec![9]),
                    (1_500_000_000, 5, ETHERNET, vec![]),
                ],
                "{order:?}"
            );
        }
    }

    #[test]
    fn each_fault_is_named() {
        use Order::Little;
        let fault = |file: File| file.read().unwrap_err().to_string();
        assert_eq!(
            fault(file(Little).enhanced(0, 0, &[])),
            "test: octet 28: a frame of interface 0, which the file does not describe"
        );
        assert_eq!(
            fault(file(Little).interface(0, &[(9, &[20])])),
            "test: octet 28: a pcapng time unit of 0x14 cannot be"
        );
        assert_eq!(
            fault(file(Little).interface(0, &[(9, &[1, 1])])),
            "test: octet 28: a pcapng interface option is malformed"
        );
        let early = (-5i64).to_le_bytes();
        assert_eq!(
            fault(file(Little).interface(0, &[(14, &early)]).enhanced(0, 0, &[])),
            "test: octet 60: a time out of range"
        );
        assert_eq!(fault(file(Little).block(6, &[0; 8])), "test: octet 28: a pcapng block of 20 octets cannot be");
        let mut bad = file(Little).interface(0, &[]);
        bad.1[44] = 24;
        assert_eq!(fault(bad), "test: octet 28: a pcapng block says 20 octets at its head and 24 at its end");
        let mut bad = file(Little).interface(0, &[]);
        bad.1[32] = 22;
        assert_eq!(fault(bad), "test: octet 28: a pcapng block of 22 octets cannot be");
        let mut bad = file(Little).interface(0, &[]);
        bad.1[35] = 0x7f;
        assert!(fault(bad).contains("cannot be"));
        let mut bad = file(Little);
        bad.1[12] = 2;
        assert_eq!(fault(bad), "test: octet 0: format version 2.0 is not known");
        let good = file(Little).interface(0, &[]).enhanced(0, 1, &[1]);
        for cut in 1..good.1.len() {
            match all(&good.1[..cut]) {
                Ok(frames) => assert!(frames.is_empty() && [28, 48].contains(&cut), "cut at {cut}"),
                Err(error) => assert!(matches!(error.fault, Fault::Cut), "cut at {cut}: {error}"),
            }
        }
    }
}
