//! Verdicts by peer: rows that one worker counts in, anybody reads, and control makes longer while they are in use.
//!
//! A row is written by its worker alone, so a count is a load and a store. Copying the rows of thousands of peers ten times a
//! second would hold a worker up for longer than its messages take; they are shared instead and read where they lie.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use sealgate_wire::Reason;
use sealgate_wire::reason::COUNT;

use crate::state::Direction;

/// Peers in a block: memory comes in blocks, which never move.
const PEERS: usize = 16;

type Row = [AtomicU64; COUNT];

/// A block of rows, two a peer.
#[derive(Debug)]
struct Block([[Row; 2]; PEERS]);

impl Default for Block {
    fn default() -> Self {
        Self(std::array::from_fn(|_| std::array::from_fn(|_| std::array::from_fn(|_| AtomicU64::new(0)))))
    }
}

/// The verdicts of one worker, or of several added up: a row for each peer and direction, a column for each reason.
///
/// A clone is a copy of the counts; [`Rows::share`] is another view of the same.
#[derive(Debug)]
pub(crate) struct Rows {
    blocks: Arc<[Arc<Block>]>,
    peers: usize,
}

impl Rows {
    /// Rows for this many peers, all zero.
    pub(crate) fn new(peers: usize) -> Self {
        Self { blocks: (0..peers.div_ceil(PEERS)).map(|_| Arc::default()).collect(), peers }
    }

    /// The same rows.
    pub(crate) fn share(&self) -> Self {
        Self { blocks: Arc::clone(&self.blocks), peers: self.peers }
    }

    /// The same rows, and zeros for as many peers as there are more.
    pub(crate) fn grown(&self, peers: usize) -> Self {
        let more = peers.div_ceil(PEERS).saturating_sub(self.blocks.len());
        let fresh = (0..more).map(|_| Arc::default());
        Self { blocks: self.blocks.iter().cloned().chain(fresh).collect(), peers: peers.max(self.peers) }
    }

    /// How many peers have a row.
    pub(crate) fn peers(&self) -> usize {
        self.peers
    }

    fn row(&self, peer: usize, way: Direction) -> Option<&Row> {
        let block = self.blocks.get(peer / PEERS).filter(|_| peer < self.peers)?;
        block.0.get(peer % PEERS)?.get(way as usize)
    }

    /// Counts a verdict; a peer without a row counts as the first. Only the worker to whom the rows belong may.
    pub(crate) fn count(&self, peer: u16, way: Direction, reason: Reason) {
        let row = self.row(peer.into(), way).or_else(|| self.row(0, way));
        if let Some(cell) = row.and_then(|row| row.get(reason.index())) {
            cell.store(cell.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        }
    }

    /// The counts of a row now.
    pub(crate) fn read(&self, peer: u16, way: Direction) -> Option<[u64; COUNT]> {
        let row = self.row(peer.into(), way)?;
        Some(std::array::from_fn(|at| row.get(at).map_or(0, |cell| cell.load(Ordering::Relaxed))))
    }

    /// All cells of the rows in use.
    fn cells(&self) -> impl Iterator<Item = &AtomicU64> {
        self.blocks.iter().flat_map(|block| &block.0).take(self.peers).flatten().flatten()
    }

    /// The sum of one column.
    pub(crate) fn total(&self, reason: Reason) -> u64 {
        let rows = self.blocks.iter().flat_map(|block| &block.0).take(self.peers).flatten();
        rows.filter_map(|row| row.get(reason.index())).map(|cell| cell.load(Ordering::Relaxed)).sum()
    }

    /// Adds another's counts; where it has more rows, so have we then. Only on a copy.
    pub(crate) fn add(&mut self, other: &Self) {
        if other.peers > self.peers {
            *self = self.grown(other.peers);
        }
        for (mine, theirs) in self.cells().zip(other.cells()) {
            mine.store(mine.load(Ordering::Relaxed) + theirs.load(Ordering::Relaxed), Ordering::Relaxed);
        }
    }
}

impl Clone for Rows {
    fn clone(&self) -> Self {
        let copy = Self::new(self.peers);
        for (mine, theirs) in copy.cells().zip(self.cells()) {
            mine.store(theirs.load(Ordering::Relaxed), Ordering::Relaxed);
        }
        copy
    }
}

impl PartialEq for Rows {
    fn eq(&self, other: &Self) -> bool {
        let values = |rows: &'_ Self| rows.cells().map(|cell| cell.load(Ordering::Relaxed)).collect::<Vec<_>>();
        self.peers == other.peers && values(self) == values(other)
    }
}

impl Eq for Rows {}
