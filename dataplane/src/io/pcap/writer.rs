//! Writing classic pcap, little-endian, Ethernet.

use super::{ETHERNET, Fault, MAX_FRAME, PcapError, Resolution};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Writes a capture, frame by frame. Same frames and times, same file.
pub struct Writer<W> {
    file: PathBuf,
    output: W,
    resolution: Resolution,
    offset: u64,
}

impl Writer<BufWriter<File>> {
    /// Makes the file, replacing one that is there, and writes its header.
    /// # Errors
    /// [`PcapError`] if the system refuses.
    pub fn create(path: &Path, resolution: Resolution) -> Result<Self, PcapError> {
        let output = File::create(path).map_err(|error| PcapError {
            file: path.to_owned(),
            offset: 0,
            fault: Fault::Io(error),
        })?;
        Self::new(path, BufWriter::with_capacity(1 << 16, output), resolution)
    }
}

impl<W: Write> Writer<W> {
    /// Writes the header of a capture.
    ///
    /// * `name`: what errors call it.
    /// # Errors
    /// [`PcapError`] if the system refuses.
    pub fn new(name: &Path, output: W, resolution: Resolution) -> Result<Self, PcapError> {
        let mut writer = Self { file: name.to_owned(), output, resolution, offset: 0 };
        let magic: u32 = match resolution {
            Resolution::Micro => 0xa1b2_c3d4,
            Resolution::Nano => 0xa1b2_3c4d,
        };
        let mut header = [0; 24];
        // Version 2.4; time zone and accuracy are zero (draft-ietf-opsawg-pcap section 4).
        let words = [magic, 2 | 4 << 16, 0, 0, MAX_FRAME, ETHERNET];
        for (room, word) in header.chunks_exact_mut(4).zip(words) {
            room.copy_from_slice(&word.to_le_bytes());
        }
        writer.put(&header)?;
        Ok(writer)
    }

    /// Writes a frame.
    ///
    /// * `time`: since 1970-01-01 UTC.
    /// # Errors
    /// [`Fault::Time`] after 2106, [`Fault::FrameLength`] beyond [`MAX_FRAME`] (nothing was written), [`Fault::Io`].
    pub fn write(&mut self, time: Duration, octets: &[u8]) -> Result<(), PcapError> {
        let Ok(seconds) = u32::try_from(time.as_secs()) else { return Err(self.error(Fault::Time)) };
        let len = match u32::try_from(octets.len()) {
            Ok(len) if len <= MAX_FRAME => len,
            _ => return Err(self.error(Fault::FrameLength(octets.len() as u64))),
        };
        let fraction = match self.resolution {
            Resolution::Micro => time.subsec_micros(),
            Resolution::Nano => time.subsec_nanos(),
        };
        let mut header = [0; 16];
        for (room, word) in header.chunks_exact_mut(4).zip([seconds, fraction, len, len]) {
            room.copy_from_slice(&word.to_le_bytes());
        }
        self.put(&header)?;
        self.put(octets)
    }

    /// Writes out what is buffered.
    /// # Errors
    /// [`Fault::Io`].
    pub fn flush(&mut self) -> Result<(), PcapError> {
        self.output.flush().map_err(|error| self.error(Fault::Io(error)))
    }

    /// Writes out what is buffered and gives the output back.
    /// # Errors
    /// [`Fault::Io`].
    pub fn finish(mut self) -> Result<W, PcapError> {
        self.flush()?;
        Ok(self.output)
    }

    fn put(&mut self, octets: &[u8]) -> Result<(), PcapError> {
        self.output.write_all(octets).map_err(|error| self.error(Fault::Io(error)))?;
        self.offset += octets.len() as u64;
        Ok(())
    }

    fn error(&self, fault: Fault) -> PcapError {
        PcapError { file: self.file.clone(), offset: self.offset, fault }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_written_octet_by_octet() {
        let mut writer = Writer::new(Path::new("test"), Vec::new(), Resolution::Micro).unwrap();
        writer.write(Duration::new(1, 2_999), &[0xaa, 0xbb]).unwrap();
        let want = [
            &[0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 1, 0, 0, 0][..],
            &[1, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 0xaa, 0xbb],
        ]
        .concat();
        assert_eq!(writer.finish().unwrap(), want);
    }

    #[test]
    fn what_the_format_cannot_say_is_refused_before_anything_is_written() {
        let mut writer = Writer::new(Path::new("test"), Vec::new(), Resolution::Nano).unwrap();
        let late = writer.write(Duration::from_secs(1 << 32), &[]).unwrap_err();
        assert_eq!(late.to_string(), "test: octet 24: a time out of range");
        let long = writer.write(Duration::ZERO, &vec![0; MAX_FRAME as usize + 1]).unwrap_err();
        assert!(matches!(long.fault, Fault::FrameLength(262_145)));
        assert_eq!(writer.finish().unwrap().len(), 24);
    }

    #[test]
    fn a_full_disk_is_told() {
        let mut room = [0; 30];
        let mut writer = Writer::new(Path::new("test"), &mut room[..], Resolution::Nano).unwrap();
        assert!(matches!(writer.write(Duration::ZERO, &[0; 8]).unwrap_err().fault, Fault::Io(_)));
    }
}
