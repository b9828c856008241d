//! A queue pair over capture files: what it receives is read from one, what it sends is written to another.

use super::super::mem::{MemFrame, MemPool};
use super::super::{Frame, FrameIo};
use super::{ETHERNET, Fault, PcapError, Reader, Record, Resolution, Writer};
use std::collections::VecDeque;
use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::Path;
use std::time::Duration;

/// A port over files.
pub type OpenPcap = PcapPort<BufReader<File>, BufWriter<File>>;

/// A queue pair over captures; see [`OpenPcap`] for the usual one.
///
/// The clock of a replay is the file's: [`next_time`](Self::next_time) says when the next frame is due,
/// [`release`](Self::release) lets frames up to a time through, [`set_time`](Self::set_time) dates what is sent.
pub struct PcapPort<R, W> {
    pool: MemPool,
    input: Option<Reader<R>>,
    output: Option<Writer<W>>,
    /// The next frame, already read; its octets are in `octets`.
    ahead: Option<Record>,
    octets: Vec<u8>,
    until: Option<Duration>,
    last: Option<Duration>,
    now: Duration,
    oversized: u64,
    fault: Option<PcapError>,
}

impl OpenPcap {
    /// A port over these files; the first is read, the second made or replaced.
    /// # Errors
    /// [`PcapError`] if one cannot be opened, or the first is no capture of Ethernet frames.
    pub fn open(
        pool: &MemPool,
        rx: Option<&Path>,
        tx: Option<&Path>,
        resolution: Resolution,
    ) -> Result<Self, PcapError> {
        // The input first: if it is not there, no output is touched.
        let input = rx.map(Reader::open).transpose()?;
        let output = tx.map(|path| Writer::create(path, resolution)).transpose()?;
        Self::new(pool, input, output)
    }
}

impl<R: Read, W: Write> PcapPort<R, W> {
    /// A port over a reader and a writer. Without the one it receives nothing, without the other what it sends is gone.
    /// # Errors
    /// [`PcapError`] if the first frame cannot be read or is not Ethernet.
    pub fn new(pool: &MemPool, input: Option<Reader<R>>, output: Option<Writer<W>>) -> Result<Self, PcapError> {
        let mut port = Self {
            pool: pool.clone(),
            input,
            output,
            ahead: None,
            octets: Vec::new(),
            until: None,
            last: None,
            now: Duration::ZERO,
            oversized: 0,
            fault: None,
        };
        port.look_ahead();
        match port.fault.take() {
            Some(fault) => Err(fault),
            None => Ok(port),
        }
    }

    /// When the next frame is due: its time in the file. `None` after the last.
    pub fn next_time(&self) -> Option<Duration> {
        self.ahead.map(|record| record.time)
    }

    /// Time in the file of the frame received last.
    pub fn last_time(&self) -> Option<Duration> {
        self.last
    }

    /// From now on only frames up to this time are received; at first, all are.
    pub fn release(&mut self, until: Duration) {
        self.until = Some(until);
    }

    /// Frames sent from now on carry this time.
    pub fn set_time(&mut self, now: Duration) {
        self.now = now;
    }

    /// Frames of the file that were passed over since they do not fit the pool's buffers.
    pub fn oversized(&self) -> u64 {
        self.oversized
    }

    /// What ended reading or writing before its time. Frames that could not be written stay with the sender.
    pub fn fault(&self) -> Option<&PcapError> {
        self.fault.as_ref()
    }

    /// Writes out what is buffered, and tells what went wrong on the way if anything did.
    /// # Errors
    /// The first fault of reading or writing.
    pub fn finish(mut self) -> Result<(), PcapError> {
        let written = self.output.take().map(Writer::finish).transpose();
        match self.fault.take() {
            Some(fault) => Err(fault),
            None => written.map(|_| ()),
        }
    }

    /// Reads the next frame that fits a buffer, if there is one.
    fn look_ahead(&mut self) {
        self.ahead = None;
        while let Some(input) = &mut self.input {
            match input.read(&mut self.octets) {
                Ok(Some(record)) if record.link != ETHERNET => {
                    self.fault = Some(input.error(record.offset, Fault::LinkType(record.link)));
                    self.input = None;
                }
                Ok(Some(_)) if self.octets.len() > self.pool.room() => self.oversized += 1,
                Ok(Some(record)) => {
                    self.ahead = Some(record);
                    return;
                }
                Ok(None) => self.input = None,
                Err(error) => {
                    self.fault = Some(error);
                    self.input = None;
                }
            }
        }
    }
}

impl<R: Read, W: Write> FrameIo for PcapPort<R, W> {
    type Frame = MemFrame;

    fn rx(&mut self, out: &mut Vec<MemFrame>, max: usize) -> usize {
        let mut count = 0;
        while count < max {
            let Some(record) = self.ahead else { break };
            if self.until.is_some_and(|until| record.time > until) {
                break;
            }
            // A frame that fits was promised, so `Err` cannot be; a dry pool keeps the frame for the next call.
            let Ok(Some(frame)) = self.pool.filled(&self.octets) else { break };
            out.push(frame);
            count += 1;
            self.last = Some(record.time);
            self.look_ahead();
        }
        count
    }

    fn tx(&mut self, frames: &mut VecDeque<MemFrame>) -> usize {
        let mut count = 0;
        while let Some(frame) = frames.front() {
            if let Some(output) = &mut self.output
                && let Err(error) = output.write(self.now, frame.octets())
            {
                self.fault.get_or_insert(error);
                break;
            }
            frames.pop_front();
            count += 1;
        }
        count
    }

    fn alloc(&mut self) -> Option<MemFrame> {
        self.pool.frame()
    }

    fn exhausted(&self) -> bool {
        self.ahead.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::super::reader::tests::all;
    use super::*;

    fn capture(frames: &[(u64, &[u8])]) -> Vec<u8> {
        let mut writer = Writer::new(Path::new("in"), Vec::new(), Resolution::Micro).unwrap();
        for (seconds, octets) in frames {
            writer.write(Duration::from_secs(*seconds), octets).unwrap();
        }
        writer.finish().unwrap()
    }

    fn port<'a>(pool: &MemPool, file: &'a [u8], out: Option<&'a mut Vec<u8>>) -> PcapPort<&'a [u8], &'a mut Vec<u8>> {
        let reader = Reader::new(Path::new("in"), file).unwrap();
        let writer = out.map(|out| Writer::new(Path::new("out"), out, Resolution::Micro).unwrap());
        PcapPort::new(pool, Some(reader), writer).unwrap()
    }

    #[test]
    fn a_file_goes_through_unchanged_with_its_times() {
        let frames: Vec<(u64, Vec<u8>)> = (0..500u64).map(|n| (n, vec![n as u8; 60 + n as usize])).collect();
        let borrowed: Vec<_> = frames.iter().map(|(time, octets)| (*time, &octets[..])).collect();
        let (file, mut out, pool) = (capture(&borrowed), Vec::new(), MemPool::default());
        let mut port = port(&pool, &file, Some(&mut out));
        let (mut burst, mut queue) = (Vec::with_capacity(32), VecDeque::new());
        while let Some(time) = port.next_time() {
            port.release(time);
            port.set_time(time);
            assert_eq!((port.rx(&mut burst, 32), port.last_time()), (1, Some(time)));
            queue.extend(burst.drain(..));
            assert_eq!(port.tx(&mut queue), 1);
        }
        assert!(port.exhausted() && pool.in_use() == 0);
        port.finish().unwrap();
        assert_eq!(out, file);
    }

    #[test]
    fn a_dry_pool_delays_and_loses_nothing_and_long_frames_are_counted() {
        let file = capture(&[(0, &[1; 4]), (0, &[2; 9]), (5, &[3; 8]), (1, &[4; 4])]);
        let pool = MemPool::new(2, 8);
        let mut port = port(&pool, &file, None);
        let mut got = Vec::new();
        assert_eq!((port.rx(&mut got, 8), port.oversized(), port.exhausted()), (2, 1, false));
        let mut queue: VecDeque<_> = got.drain(..).collect();
        assert_eq!(port.tx(&mut queue), 2, "without a file, what is sent is gone");
        assert_eq!((port.rx(&mut got, 8), port.exhausted(), got[0].octets()), (1, true, &[4; 4][..]));
    }

    #[test]
    fn a_damaged_file_ends_the_input_and_is_told() {
        let mut file = capture(&[(0, &[1; 4]), (0, &[2; 4])]);
        file.pop();
        let pool = MemPool::default();
        let mut port = port(&pool, &file, None);
        let mut got = Vec::new();
        assert_eq!((port.rx(&mut got, 8), port.exhausted()), (1, true));
        assert!(matches!(port.fault().map(|error| &error.fault), Some(Fault::Cut)));
        assert_eq!(port.finish().unwrap_err().to_string(), "in: octet 44: the file ends in the middle of a record");
    }

    #[test]
    fn frames_of_another_link_are_refused_at_once() {
        let mut file = capture(&[(0, &[1; 4])]);
        file[20] = 113;
        let reader = Reader::new(Path::new("in"), &file[..]).unwrap();
        let error = PcapPort::<_, Vec<u8>>::new(&MemPool::default(), Some(reader), None).err().unwrap();
        assert_eq!(error.to_string(), "in: octet 24: frames of link type 113; only Ethernet (1) will do");
    }

    #[test]
    fn what_cannot_be_written_stays_with_the_sender() {
        let (pool, file) = (MemPool::default(), capture(&[(0, &[1; 4])]));
        let (mut port, mut got) = (port(&pool, &file, None), Vec::new());
        port.rx(&mut got, 1);
        let mut room = [0; 24 + 10];
        let writer = Writer::new(Path::new("out"), &mut room[..], Resolution::Micro).unwrap();
        let mut full = PcapPort::<&[u8], _>::new(&pool, None, Some(writer)).unwrap();
        let mut queue: VecDeque<_> = got.drain(..).collect();
        assert_eq!((full.tx(&mut queue), queue.len(), full.exhausted()), (0, 1, true));
        assert!(full.finish().unwrap_err().to_string().starts_with("out: octet 24: "));
    }

    #[test]
    fn files_are_opened_and_written() {
        let dir = std::env::temp_dir().join(format!("sealgate-pcap-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let (from, to) = (dir.join("in.pcap"), dir.join("out.pcap"));
        std::fs::write(&from, capture(&[(3, &[9; 60])])).unwrap();
        let mut port = PcapPort::open(&MemPool::default(), Some(&from), Some(&to), Resolution::Nano).unwrap();
        let mut got = Vec::new();
        port.rx(&mut got, 9);
        port.tx(&mut got.drain(..).collect());
        port.finish().unwrap();
        let read = all(&std::fs::read(&to).unwrap()).unwrap();
        std::fs::remove_dir_all(&dir).unwrap();
        assert_eq!((read.len(), read[0].0.time, &read[0].1[..]), (1, Duration::ZERO, &[9; 60][..]));
    }
}
