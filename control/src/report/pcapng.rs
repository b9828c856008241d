//! Refused messages as a capture file (pcapng, draft-ietf-opsawg-pcapng), the verdict of each as its comment.

use std::io::{self, Write};

/// The largest frame, octets.
const SNAP: u32 = 2048;
/// Block types: section header, interface description, enhanced packet (sections 4.1 to 4.3).
const SECTION: u32 = 0x0a0d_0d0a;
const INTERFACE: u32 = 1;
const PACKET: u32 = 6;
/// Options: end, comment, application; name and time resolution of an interface.
const END: u16 = 0;
const COMMENT: u16 = 1;
const APPLICATION: u16 = 4;
const NAME: u16 = 2;
const RESOLUTION: u16 = 9;
/// Ethernet (LINKTYPE_ETHERNET).
const ETHERNET: u16 = 1;

/// Where a frame came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// By the port towards other operators.
    Interconnect,
    /// By the port towards the own network.
    Home,
    /// Refused before that was looked at.
    Unknown,
}

impl Side {
    /// The interfaces of a file, in their order.
    const ALL: [(Self, &'static str); 3] =
        [(Self::Interconnect, "interconnect"), (Self::Home, "home"), (Self::Unknown, "not classified")];
}

/// Writes a file, packet by packet. Little-endian, times in nanoseconds.
pub struct Writer<W>(W);

impl<W: Write> Writer<W> {
    /// Begins a file with a section and its interfaces.
    /// # Errors
    /// What the system says.
    pub fn new(output: W) -> io::Result<Self> {
        let mut writer = Self(output);
        let mut body = Vec::new();
        body.extend(0x1a2b_3c4d_u32.to_le_bytes());
        body.extend([1, 0, 0, 0]); // version 1.0
        body.extend(u64::MAX.to_le_bytes()); // length not given
        option(&mut body, APPLICATION, concat!("sealgate ", env!("CARGO_PKG_VERSION")).as_bytes());
        option(&mut body, END, &[]);
        writer.block(SECTION, &body)?;
        for (_, name) in Side::ALL {
            body.clear();
            body.extend(ETHERNET.to_le_bytes());
            body.extend([0, 0]);
            body.extend(SNAP.to_le_bytes());
            option(&mut body, NAME, name.as_bytes());
            option(&mut body, RESOLUTION, &[9]);
            option(&mut body, END, &[]);
            writer.block(INTERFACE, &body)?;
        }
        Ok(writer)
    }

    /// Writes a packet.
    ///
    /// * `time_ns`: since 1970; `len`: octets that it had before it was cut
    /// # Errors
    /// What the system says.
    pub fn packet(&mut self, side: Side, time_ns: u64, octets: &[u8], len: usize, comment: &str) -> io::Result<()> {
        let interface = Side::ALL.iter().position(|(one, _)| *one == side).unwrap_or(0);
        let word = |number: usize| u32::try_from(number).unwrap_or(u32::MAX).to_le_bytes();
        let mut body = Vec::with_capacity(octets.len() + comment.len() + 40);
        body.extend(word(interface));
        body.extend(((time_ns >> 32) as u32).to_le_bytes());
        body.extend((time_ns as u32).to_le_bytes());
        body.extend(word(octets.len()));
        body.extend(word(len.max(octets.len())));
        body.extend(octets);
        pad(&mut body);
        option(&mut body, COMMENT, comment.as_bytes());
        option(&mut body, END, &[]);
        self.block(PACKET, &body)
    }

    /// Ends the file.
    /// # Errors
    /// What the system says.
    pub fn finish(mut self) -> io::Result<W> {
        self.0.flush()?;
        Ok(self.0)
    }

    fn block(&mut self, kind: u32, body: &[u8]) -> io::Result<()> {
        let len = u32::try_from(body.len() + 12).map_err(io::Error::other)?.to_le_bytes();
        for part in [&kind.to_le_bytes()[..], &len, body, &len] {
            self.0.write_all(part)?;
        }
        Ok(())
    }
}

/// An option: code, length, value, filled up to four octets.
fn option(out: &mut Vec<u8>, code: u16, value: &[u8]) {
    let value = value.get(..usize::from(u16::MAX)).unwrap_or(value);
    out.extend(code.to_le_bytes());
    out.extend((value.len() as u16).to_le_bytes());
    out.extend(value);
    pad(out);
}

/// Everything before it has whole words, so that `out` is as long as its last part is off.
fn pad(out: &mut Vec<u8>) {
    out.resize(out.len().next_multiple_of(4), 0);
}

#[cfg(test)]
mod tests {
    use super::*;
    use sealgate_dataplane::io::pcap::Reader;
    use std::time::Duration;

    #[test]
    fn our_own_reader_gets_back_what_was_written() {
        let file = std::env::temp_dir().join(format!("sealgate-pcapng-{}", std::process::id()));
        let mut writer = Writer::new(std::fs::File::create(&file).expect("made")).expect("written");
        let time = 1_795_000_000_123_000_000;
        for (side, octets) in [(Side::Interconnect, &[1; 61][..]), (Side::Home, &[2; 64]), (Side::Unknown, &[3; 9])] {
            writer.packet(side, time, octets, 99, "R_SEC_MISSING").expect("written");
        }
        writer.finish().expect("written");
        let (mut reader, mut octets, mut seen) = (Reader::open(&file).expect("a capture"), Vec::new(), Vec::new());
        while let Some(at) = reader.read(&mut octets).expect("a frame") {
            seen.push((at.time, at.original, octets.clone()));
        }
        let at = Duration::from_nanos(time);
        assert_eq!(seen, [(at, 99, vec![1; 61]), (at, 99, vec![2; 64]), (at, 99, vec![3; 9])]);
        std::fs::remove_file(&file).expect("removed");
    }
}
