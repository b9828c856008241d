//! Runs of octets put in order by their octets, for signatures over AVPs that agents may reorder.

/// Runs of octets to be sorted. Keeps its memory from message to message, so that a warm worker allocates nothing.
#[derive(Clone, Debug, Default)]
pub struct Sorter {
    octets: Vec<u8>,
    runs: Vec<Run>,
    /// A group's inside, while the runs around it are collected.
    pub(super) group: Vec<u8>,
}

/// One run of `octets`.
#[derive(Clone, Copy, Debug)]
struct Run {
    /// Its first eight octets: mostly they decide.
    key: u64,
    start: usize,
    end: usize,
}

impl Sorter {
    /// With no memory yet.
    pub const fn new() -> Self {
        Self { octets: Vec::new(), runs: Vec::new(), group: Vec::new() }
    }

    /// Forgets all runs.
    pub(super) fn clear(&mut self) {
        self.octets.clear();
        self.runs.clear();
    }

    /// Adds the run that `write` appends.
    #[inline]
    pub(super) fn add(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        let start = self.octets.len();
        write(&mut self.octets);
        let run = self.octets.get(start..).unwrap_or_default();
        let key = match run.first_chunk() {
            Some(front) => u64::from_be_bytes(*front),
            // Zeros behind a short one: it sorts before every longer one, or the key does not decide.
            None => run.iter().fold(0, |key, octet| key << 8 | u64::from(*octet)) << (64 - 8 * run.len().max(1)),
        };
        self.runs.push(Run { key, start, end: start + run.len() });
    }

    /// Appends the runs in ascending order, each behind `before`.
    pub(super) fn write(&mut self, before: &[u8], out: &mut Vec<u8>) {
        let Self { octets, runs, .. } = self;
        let of = |run: &Run| octets.get(run.start..run.end).unwrap_or_default();
        runs.sort_unstable_by(|a, b| a.key.cmp(&b.key).then_with(|| of(a).cmp(of(b))));
        for run in runs {
            out.extend_from_slice(before);
            out.extend_from_slice(of(run));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn runs_come_out_in_the_order_of_slices(mut runs in vec(vec(0_u8..3, 0..12), 0..40)) {
            let mut sorter = Sorter::new();
            for _ in 0..2 {
                sorter.clear();
                runs.iter().for_each(|run| sorter.add(|out| out.extend_from_slice(run)));
                let mut out = Vec::new();
                sorter.write(b"|", &mut out);
                runs.sort();
                let want: Vec<u8> = runs.iter().flat_map(|run| [b"|", run.as_slice()].concat()).collect();
                prop_assert_eq!(out, want);
                runs.reverse();
            }
        }
    }
}
