//! Octets of unfinished messages in chained blocks: exactly bounded, and without allocation once it is warm.

/// Octets in a block. A TCAP segment of 200 octets takes two.
const BLOCK: usize = 128;
const NONE: u32 = u32::MAX;

/// Octets kept in [`Blocks`]. Whoever holds it gives it back with [`Blocks::free`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Chain {
    first: u32,
    last: u32,
    len: u32,
}

impl Chain {
    /// No octets.
    pub(super) const EMPTY: Self = Self { first: NONE, last: NONE, len: 0 };

    /// How many octets.
    pub(super) fn len(&self) -> usize {
        self.len as usize
    }
}

/// A pool of blocks that grows by doubling up to its limit and never beyond.
pub(super) struct Blocks {
    octets: Vec<u8>,
    /// The block after each block, in its chain or in the list of free ones.
    next: Vec<u32>,
    free: u32,
    limit: usize,
}

impl Blocks {
    /// A pool for at most `octets` octets, rounded up to whole blocks.
    pub(super) fn new(octets: usize) -> Self {
        let limit = octets.div_ceil(BLOCK).min(NONE as usize);
        Self { octets: Vec::new(), next: Vec::new(), free: NONE, limit }
    }

    /// Appends `data` whole and says true, or changes nothing and says false because the pool is at its limit.
    pub(super) fn append(&mut self, chain: &mut Chain, data: &[u8]) -> bool {
        let Some(total) = (chain.len as usize).checked_add(data.len()).and_then(|n| u32::try_from(n).ok()) else {
            return false;
        };
        let before = *chain;
        let mut rest = data;
        while !rest.is_empty() {
            let used = chain.len as usize % BLOCK;
            // A chain whose length is a multiple of BLOCK has a full last block, or none.
            if used == 0 && !self.extend(chain) {
                self.cut(chain, before);
                return false;
            }
            let (now, later) = rest.split_at(rest.len().min(BLOCK - used));
            let start = chain.last as usize * BLOCK + used;
            if let Some(room) = self.octets.get_mut(start..start + now.len()) {
                room.copy_from_slice(now);
            }
            chain.len += now.len() as u32;
            rest = later;
        }
        debug_assert_eq!(chain.len, total);
        true
    }

    /// Gives all blocks of `chain` back.
    pub(super) fn free(&mut self, chain: Chain) {
        if let Some(link) = self.next.get_mut(chain.last as usize) {
            *link = self.free;
            self.free = chain.first;
        }
    }

    /// The octets in pieces, in order.
    pub(super) fn pieces(&self, chain: Chain) -> impl Iterator<Item = &[u8]> {
        let mut block = chain.first;
        let mut left = chain.len as usize;
        core::iter::from_fn(move || {
            if left == 0 {
                return None;
            }
            let start = block as usize * BLOCK;
            let piece = self.octets.get(start..start + left.min(BLOCK))?;
            left -= piece.len();
            block = self.next.get(block as usize).copied().unwrap_or(NONE);
            Some(piece)
        })
    }

    /// Appends all but the first `skip` octets to `out`.
    pub(super) fn copy(&self, chain: Chain, mut skip: usize, out: &mut Vec<u8>) {
        for piece in self.pieces(chain) {
            let from = skip.min(piece.len());
            skip -= from;
            out.extend_from_slice(piece.get(from..).unwrap_or_default());
        }
    }

    /// True if the chain starts with `parts`, one after the other.
    pub(super) fn starts_with(&self, chain: Chain, parts: &[&[u8]]) -> bool {
        let mut have = self.pieces(chain).flatten();
        parts.iter().flat_map(|part| part.iter()).all(|octet| have.next() == Some(octet))
    }

    /// Blocks in use and free, for tests.
    #[cfg(test)]
    pub(super) fn in_use(&self) -> usize {
        let mut free = 0;
        let mut at = self.free;
        while let Some(&next) = self.next.get(at as usize) {
            free += 1;
            at = next;
        }
        self.next.len() - free
    }

    /// Hangs one free block at the end of `chain`.
    fn extend(&mut self, chain: &mut Chain) -> bool {
        if self.free == NONE && !self.grow() {
            return false;
        }
        let block = self.free;
        let Some(link) = self.next.get_mut(block as usize) else { return false };
        self.free = core::mem::replace(link, NONE);
        match self.next.get_mut(chain.last as usize) {
            Some(link) => *link = block,
            None => chain.first = block,
        }
        chain.last = block;
        true
    }

    /// Takes back what a failed append hung on.
    fn cut(&mut self, chain: &mut Chain, before: Chain) {
        let added = match self.next.get_mut(before.last as usize) {
            Some(link) => core::mem::replace(link, NONE),
            None => chain.first,
        };
        if added != NONE {
            self.free(Chain { first: added, last: chain.last, len: 0 });
        }
        *chain = before;
    }

    fn grow(&mut self) -> bool {
        let have = self.next.len();
        let want = (have * 2).max(32).min(self.limit);
        if want <= have {
            return false;
        }
        self.octets.reserve_exact((want - have) * BLOCK);
        self.octets.resize(want * BLOCK, 0);
        self.next.reserve_exact(want - have);
        self.next.extend((have..want).map(|block| if block + 1 < want { block as u32 + 1 } else { NONE }));
        self.free = have as u32;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_full_pool_refuses_whole_and_recovers() {
        let mut blocks = Blocks::new(4 * BLOCK);
        let (mut a, mut b) = (Chain::EMPTY, Chain::EMPTY);
        assert!(blocks.append(&mut a, &[1; 3 * BLOCK - 1]));
        assert!(!blocks.append(&mut b, &[2; BLOCK + 1]), "two blocks where one is left");
        assert!(!blocks.append(&mut a, &[3; BLOCK + 2]), "cut behind a chain that goes on");
        assert_eq!((a.len(), b.len(), blocks.in_use()), (3 * BLOCK - 1, 0, 3));
        assert!(blocks.append(&mut a, &[4]) && blocks.append(&mut b, &[5; BLOCK]));
        let mut out = Vec::new();
        blocks.copy(a, 3 * BLOCK - 2, &mut out);
        assert_eq!(out, [1, 4]);
        blocks.free(a);
        blocks.free(b);
        blocks.free(Chain::EMPTY);
        assert_eq!(blocks.in_use(), 0);
    }

    proptest! {
        #[test]
        fn chains_keep_what_they_were_given(parts in proptest::collection::vec((0..3_usize, 0..400_usize), 0..24)) {
            let mut blocks = Blocks::new(3000);
            let mut chains = [Chain::EMPTY; 3];
            let mut model = [const { Vec::new() }; 3];
            for (i, (which, len)) in parts.into_iter().enumerate() {
                let data: Vec<u8> = (0..len).map(|n| (n + i) as u8).collect();
                if blocks.append(&mut chains[which], &data) {
                    model[which].extend(data);
                } else {
                    blocks.free(chains[which]);
                    chains[which] = Chain::EMPTY;
                    model[which].clear();
                }
                for (chain, octets) in chains.iter().zip(&model) {
                    let mut out = Vec::new();
                    blocks.copy(*chain, 0, &mut out);
                    prop_assert_eq!(&out, octets);
                    prop_assert!(blocks.starts_with(*chain, &[octets]));
                }
            }
            let used: usize = model.iter().map(|octets| octets.len().div_ceil(BLOCK)).sum();
            prop_assert_eq!(blocks.in_use(), used);
        }
    }
}
