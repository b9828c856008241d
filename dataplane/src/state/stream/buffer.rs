//! Octets of one direction in one piece, out of a pool that all flows share.

/// Octets of the smallest buffer; each class has twice those of the one before.
const LEAST: usize = 2048;
const CLASSES: usize = 11;

/// Buffers that nobody uses now, by class, and how many octets there are in all.
pub(super) struct Pool {
    free: [Vec<Vec<u8>>; CLASSES],
    octets: usize,
    limit: usize,
}

impl Pool {
    /// * `limit`: most octets of all buffers, in use or not
    pub(super) fn new(limit: usize) -> Self {
        Self { free: [const { Vec::new() }; CLASSES], octets: 0, limit }
    }

    /// Octets of all buffers, in use or not.
    pub(super) fn octets(&self) -> usize {
        self.octets
    }

    /// A buffer of at least `octets`, or none because the limit is reached.
    fn take(&mut self, octets: usize) -> Option<Vec<u8>> {
        let class = (0..CLASSES).find(|class| LEAST << class >= octets)?;
        if let Some(buffer) = self.free.iter_mut().skip(class).take(2).find_map(Vec::pop) {
            return Some(buffer);
        }
        let want = LEAST << class;
        // Idle buffers of other classes make room.
        while self.octets + want > self.limit {
            let idle = self.free.iter_mut().rev().find_map(Vec::pop)?;
            self.octets -= idle.len();
        }
        self.octets += want;
        Some(vec![0; want])
    }

    fn give(&mut self, buffer: Vec<u8>) {
        let class = (0..CLASSES).find(|class| LEAST << class == buffer.len());
        if let Some(free) = class.and_then(|class| self.free.get_mut(class)) {
            free.push(buffer);
        }
    }
}

/// A window over a stream: octets come in at any place of it and go out at its front. Empty, it has no buffer.
#[derive(Default)]
pub(super) struct Window {
    data: Vec<u8>,
    start: usize,
    len: usize,
}

impl Window {
    /// Octets from the front to the last one there is.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// All of them.
    pub(super) fn octets(&self) -> &[u8] {
        self.data.get(self.start..self.start + self.len).unwrap_or_default()
    }

    /// Those from `at` on, to write to.
    pub(super) fn octets_mut(&mut self, at: usize) -> &mut [u8] {
        self.data.get_mut(self.start + at..self.start + self.len).unwrap_or_default()
    }

    /// Makes the window at least `len` octets long; `false` if the pool has no buffer for that.
    pub(super) fn reach(&mut self, len: usize, pool: &mut Pool) -> bool {
        if len <= self.len {
            return true;
        }
        if self.start + len > self.data.len() {
            // Twice the room: what stays is moved once for as many octets that went through.
            if 2 * len <= self.data.len() {
                self.data.copy_within(self.start..self.start + self.len, 0);
            } else {
                let Some(mut data) = pool.take(2 * len) else { return false };
                if let Some(room) = data.get_mut(..self.len) {
                    room.copy_from_slice(self.octets());
                }
                pool.give(core::mem::replace(&mut self.data, data));
            }
            self.start = 0;
        }
        self.len = len;
        true
    }

    /// Takes octets away at the front.
    pub(super) fn consume(&mut self, octets: usize, pool: &mut Pool) {
        let octets = octets.min(self.len);
        self.start += octets;
        self.len -= octets;
        if self.len == 0 {
            pool.give(core::mem::take(&mut self.data));
            self.start = 0;
        }
    }

    /// Adds octets at the end; `false`, and nothing added, if the pool has no buffer for that.
    pub(super) fn append(&mut self, octets: &[u8], pool: &mut Pool) -> bool {
        let at = self.len;
        let reached = self.reach(at + octets.len(), pool);
        if reached && let Some(room) = self.octets_mut(at).get_mut(..octets.len()) {
            room.copy_from_slice(octets);
        }
        reached
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_slides_and_the_pool_is_bounded() {
        let mut pool = Pool::new(16 * LEAST);
        let mut window = Window::default();
        let octets: Vec<u8> = (0..100_000_u32).map(|n| (n % 251) as u8).collect();
        let mut read = 0;
        for piece in octets.chunks(700) {
            assert!(window.append(piece, &mut pool));
            while window.len() > 1000 {
                assert_eq!(window.octets()[..333], octets[read..read + 333]);
                window.consume(333, &mut pool);
                read += 333;
            }
        }
        assert_eq!(window.octets(), &octets[read..]);
        assert!(!window.reach(8 * LEAST + 1, &mut pool), "more than the limit");
        let mut other = Window::default();
        assert!(other.reach(4 * LEAST, &mut pool) && !Window::default().reach(8 * LEAST, &mut pool));
        other.consume(usize::MAX, &mut pool);
        window.consume(usize::MAX, &mut pool);
        assert!(window.reach(8 * LEAST, &mut pool), "idle buffers made room");
        assert_eq!(pool.octets(), 16 * LEAST);
    }
}
