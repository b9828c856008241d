//! What a tester sends and how it knows it again.

use std::error::Error;

pub use crate::mix::{Fate, Sent, Side};
use crate::mix::{Profile, Reader, Source, World};

/// Endless traffic, and the reader of what came out.
pub trait Feed {
    /// Associations in use, numbered from 0.
    fn associations(&self) -> usize;

    /// The number of the first chunk that an association sends from this side; each further one is greater by one.
    fn first_tsn(&self, association: u16, side: Side) -> u32;

    /// Frames that open the associations, before all others.
    fn handshake(&self) -> Vec<(Side, Vec<u8>)>;

    /// Writes the next frame into `out`, which is cleared first.
    ///
    /// * `now_ms`: milliseconds since 1970, for signatures
    /// * `passed`: whether a chunk that entered by this side, of this association and with this number, passed: what was
    ///   lost on the way, or refused, was never accepted, and its copy is no replay
    fn next(&mut self, now_ms: u64, out: &mut Vec<u8>, passed: impl Fn(Side, u16, u32) -> bool) -> Sent;

    /// Tells of each chunk of a frame that came out: the side by which it had gone in, its association, its number, and
    /// what became of it. False for a frame that is none of this feed's.
    fn read(&self, frame: &[u8], seen: &mut impl FnMut(Side, u16, u32, Fate)) -> bool;
}

/// A profile's traffic.
pub struct Traffic {
    source: Source,
    reader: Reader,
}

impl Traffic {
    /// The traffic of a profile, and of the world that was made for it.
    ///
    /// # Errors
    /// A profile and a world that do not fit each other.
    pub fn new(profile: &Profile, world: &World) -> Result<Self, Box<dyn Error>> {
        Ok(Self { source: Source::new(profile, world)?, reader: Reader::new(world) })
    }
}

impl Feed for Traffic {
    fn associations(&self) -> usize {
        self.source.associations()
    }

    fn first_tsn(&self, association: u16, side: Side) -> u32 {
        self.source.first_tsn(association, side)
    }

    fn handshake(&self) -> Vec<(Side, Vec<u8>)> {
        self.source.handshake()
    }

    fn next(&mut self, now_ms: u64, out: &mut Vec<u8>, passed: impl Fn(Side, u16, u32) -> bool) -> Sent {
        self.source.next_after(now_ms, out, passed)
    }

    fn read(&self, frame: &[u8], seen: &mut impl FnMut(Side, u16, u32, Fate)) -> bool {
        self.reader.read(frame, seen)
    }
}
