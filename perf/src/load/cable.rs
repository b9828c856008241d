//! Cables in memory: tester and gateway in one process, each on a core of its own.

use sealgate_dataplane::io::mem::{MemPool, MemPort, ROOM};

/// Frames in flight in each direction of a cable, as in the ring of a network card.
pub const DEPTH: usize = 1024;

/// The tester's two ends and the gateway's: interconnect and home of both.
///
/// * `depth`: frames in flight in each direction of each cable
pub fn pair(depth: usize) -> ([MemPort; 2], [MemPort; 2]) {
    // Two full cables each way, and what the gateway may hold.
    let pool = MemPool::new(4 * depth + 8192, ROOM);
    let (one, two) = (MemPort::cable(&pool, depth), MemPort::cable(&pool, depth));
    ([one.0, two.0], [one.1, two.1])
}

/// The two ends of one cable: what a tester sends by one of its ports, it receives by the other.
pub fn short() -> [MemPort; 2] {
    let pool = MemPool::new(4 * DEPTH, ROOM);
    let (one, two) = MemPort::cable(&pool, DEPTH);
    [one, two]
}
