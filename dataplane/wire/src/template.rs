//! Templates: most messages differ from one before them only in values. What decides how such a message is read are its tags,
//! lengths and codes; where those are equal, octet for octet, to those of a message that was read before, so is all that was
//! found, and only the values have to be taken from their places.
//!
//! A template never says that a message is good: it says which places of it are what, exactly as the reader itself would.

use crate::ber::{Elements, is_constructed};

/// The longest message that has a template, in octets: places in it are octets.
pub(crate) const LONGEST: usize = 255;
/// The shortest: compared are words.
const SHORTEST: usize = 8;
const WORDS: usize = LONGEST.div_ceil(8);
/// Templates for messages of one length.
const WAYS: usize = 8;
/// One of so many messages without a template makes one: whoever sends no two alike shall not make us write all day.
const LEARN: u32 = 8;

/// Which octets of a message decide how it is read.
pub(crate) struct Decides([u8; LONGEST + 1]);

impl Decides {
    /// All of them.
    pub fn all() -> Self {
        Self([0xff; LONGEST + 1])
    }

    /// Not these: whatever they are, the message is read in the same way.
    pub fn leave_out(&mut self, from: usize, to: usize) {
        if let Some(octets) = self.0.get_mut(from..to) {
            octets.fill(0);
        }
    }

    /// Not what the primitive elements of a run hold; it begins at octet `base`. `None` if it cannot be walked.
    pub fn leave_out_values(&mut self, mut run: Elements<'_>, base: usize) -> Option<()> {
        while let Some(element) = run.pull().ok()? {
            if is_constructed(element.tag) {
                self.leave_out_values(run.inside(&element), base)?;
            } else {
                self.leave_out(base + element.body, base + element.end());
            }
        }
        Some(())
    }
}

/// The octets of one message that decide, and what was found in it.
#[derive(Debug)]
struct Template<P> {
    /// What decides besides the octets.
    key: u32,
    /// Uses since another message wanted its place, halved each time.
    heat: u8,
    /// The octets as words, those that do not decide zero; and ones where they decide.
    words: [[u64; 2]; WORDS],
    plan: P,
}

impl<P> Template<P> {
    fn fits(&self, octets: &[u8]) -> bool {
        let mut differ = 0;
        each_word(octets, |i, word| {
            let [value, mask] = self.words.get(i).copied().unwrap_or([1, 0]);
            differ |= word & mask ^ value;
        });
        differ == 0
    }
}

/// All words of at least eight octets; the last one begins where it must to be whole.
#[inline(always)]
fn each_word(octets: &[u8], mut each: impl FnMut(usize, u64)) {
    let (words, rest) = octets.as_chunks();
    words.iter().enumerate().for_each(|(i, word)| each(i, u64::from_le_bytes(*word)));
    if let (Some(last), false) = (octets.last_chunk(), rest.is_empty()) {
        each(words.len(), u64::from_le_bytes(*last));
    }
}

/// The templates of one reader. Takes memory with the first message of each length, [`Templates::MEMORY`] at most.
#[derive(Debug)]
pub(crate) struct Templates<P> {
    /// By length of the message.
    rows: Vec<Vec<Template<P>>>,
    missed: u32,
}

impl<P> Templates<P> {
    /// The most that all templates take, in octets.
    pub const MEMORY: usize = LONGEST * WAYS * size_of::<Template<P>>();

    pub fn new() -> Self {
        Self { rows: (0..=LONGEST).map(|_| Vec::new()).collect(), missed: 0 }
    }

    /// What was found in a message that was read under the same key and differs only in octets that do not decide.
    #[inline]
    pub fn find(&mut self, key: u32, octets: &[u8]) -> Option<&P> {
        let row = self.rows.get_mut(octets.len())?;
        let template = row.iter_mut().find(|template| template.key == key && template.fits(octets))?;
        template.heat = template.heat.saturating_add(1);
        Some(&template.plan)
    }

    /// Remembers what was found in a message that has no template, if it is its turn.
    ///
    /// * `plan`: which octets decide, and what was found; `None` if the message cannot have a template
    #[inline]
    pub fn learn(&mut self, key: u32, octets: &[u8], plan: impl FnOnce() -> Option<(Decides, P)>) {
        self.missed = self.missed.wrapping_add(1);
        if self.missed.is_multiple_of(LEARN) && octets.len() >= SHORTEST && octets.len() <= LONGEST {
            self.take(key, octets, plan);
        }
    }

    #[cold]
    fn take(&mut self, key: u32, octets: &[u8], plan: impl FnOnce() -> Option<(Decides, P)>) {
        let Some(row) = self.rows.get_mut(octets.len()) else { return };
        if row.len() >= WAYS {
            // Halved for all, so that a template that nobody uses any more goes, and one in use stays.
            row.iter_mut().for_each(|template| template.heat /= 2);
            let Some(cold) = row.iter().position(|template| template.heat == 0) else { return };
            row.swap_remove(cold);
        }
        let Some((decides, plan)) = plan() else { return };
        let mut words = [[0; 2]; WORDS];
        let mut at = |i: usize, part: usize, word| {
            if let Some(place) = words.get_mut(i).and_then(|pair: &mut [u64; 2]| pair.get_mut(part)) {
                *place = word;
            }
        };
        each_word(decides.0.get(..octets.len()).unwrap_or(&[]), |i, word| at(i, 1, word));
        each_word(octets, |i, word| at(i, 0, word));
        words.iter_mut().for_each(|[value, mask]| *value &= *mask);
        row.reserve_exact(WAYS - row.len());
        row.push(Template { key, heat: 1, words, plan });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Makes a template whatever was missed before.
    fn learn(templates: &mut Templates<u32>, key: u32, octets: &[u8], open: &[(usize, usize)], plan: u32) {
        for _ in 0..LEARN {
            templates.learn(key, octets, || {
                let mut decides = Decides::all();
                open.iter().for_each(|&(from, to)| decides.leave_out(from, to));
                Some((decides, plan))
            });
        }
    }

    #[test]
    fn every_octet_that_decides_is_compared_and_no_other() {
        for len in SHORTEST..=LONGEST {
            let octets: Vec<u8> = (0..len).map(|i| i as u8 ^ 0x5a).collect();
            let mut templates = Templates::new();
            learn(&mut templates, 3, &octets, &[(2, 4), (len - 3, len - 1)], 7);
            assert_eq!(templates.find(3, &octets), Some(&7), "{len}");
            assert_eq!(templates.find(4, &octets), None, "another key");
            assert_eq!(templates.find(3, &octets[1..]), None, "another length");
            for at in 0..len {
                let mut changed = octets.clone();
                changed[at] ^= 1;
                let open = (2..4).contains(&at) || (len - 3..len - 1).contains(&at);
                assert_eq!(templates.find(3, &changed).is_some(), open, "octet {at} of {len}");
            }
        }
    }

    #[test]
    fn what_is_used_stays_and_the_rest_makes_room() {
        let mut templates = Templates::new();
        learn(&mut templates, 0, &[0xaa; 16], &[], 100);
        for i in 0..200_u8 {
            for _ in 0..4 {
                assert_eq!(templates.find(0, &[0xaa; 16]), Some(&100), "after {i} others");
            }
            learn(&mut templates, 0, &[i.wrapping_mul(7); 16], &[], u32::from(i));
        }
        assert_eq!(templates.rows[16].len(), WAYS);
        assert!(templates.rows.iter().flatten().count() * size_of::<Template<u32>>() <= Templates::<u32>::MEMORY);
        for octets in [&[1; SHORTEST - 1][..], &[1; LONGEST + 1]] {
            learn(&mut templates, 0, octets, &[], 1);
            assert_eq!(templates.find(0, octets), None, "{} octets", octets.len());
        }
    }

    #[test]
    fn few_of_those_that_are_never_alike_are_learnt() {
        let mut templates = Templates::new();
        let mut made = 0;
        for i in 0..800_u32 {
            let octets = [i.to_be_bytes(); 4].concat();
            templates.learn(0, &octets, || {
                made += 1;
                Some((Decides::all(), i))
            });
        }
        assert_eq!(made, 800 / LEARN);
    }
}
