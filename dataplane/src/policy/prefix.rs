//! Prefixes of digit strings: which is the longest that covers a number, and which all do.

use sealgate_wire::addr::Digits;

/// Digits that a search begins with at once: the longest country code (E.164 §6.2.1), and that of E.214 numbers.
const JUMP: usize = 3;

/// A tree with one level a digit, and a table over the first three. Built once by control, read by workers: at most as many
/// steps as the number has digits.
///
/// Digits above 9 are in no prefix and end every search.
#[derive(Clone, Debug)]
pub struct PrefixTree<T> {
    nodes: Vec<Node<T>>,
    /// By three digits, four bits each.
    jumps: Box<[Jump; 1 << (4 * JUMP)]>,
}

#[derive(Clone, Debug)]
struct Node<T> {
    /// Index of the node for each digit; 0, the root, stands for none.
    next: [u32; 10],
    value: Option<T>,
}

/// Where three digits lead.
#[derive(Clone, Copy, Default, Debug)]
struct Jump {
    /// Index of the node behind them; 0 stands for none.
    node: u32,
    /// Index of the last node before that has a value, plus one; 0 stands for none.
    best: u32,
}

impl<T> Default for Node<T> {
    fn default() -> Self {
        Self { next: [0; 10], value: None }
    }
}

impl<T> Default for PrefixTree<T> {
    fn default() -> Self {
        Self { nodes: vec![Node::default()], jumps: Box::new([Jump::default(); 1 << (4 * JUMP)]) }
    }
}

impl<T> PrefixTree<T> {
    /// The value at exactly this prefix, made if it is new; `None` if the prefix has a digit above 9.
    pub fn entry(&mut self, prefix: &Digits, make: impl FnOnce() -> T) -> Option<&mut T> {
        let mut at = 0;
        for digit in prefix.iter() {
            let next = *self.nodes.get(at)?.next.get(usize::from(digit))?;
            at = if next == 0 {
                let fresh = self.nodes.len();
                self.nodes.push(Node::default());
                *self.nodes.get_mut(at)?.next.get_mut(usize::from(digit))? = u32::try_from(fresh).ok()?;
                fresh
            } else {
                next as usize
            };
        }
        self.nodes.get_mut(at)?.value.get_or_insert_with(make);
        // All numbers of three digits that this prefix covers, or the one that it begins with.
        let fixed = prefix.len().min(JUMP);
        let first = word(prefix) as usize & ((1 << (4 * fixed)) - 1);
        (0..1 << (4 * (JUMP - fixed))).for_each(|rest: usize| self.look_up(first | rest << (4 * fixed)));
        self.nodes.get_mut(at)?.value.as_mut()
    }

    /// Finds out anew where three digits lead.
    fn look_up(&mut self, digits: usize) {
        let mut jump = Jump::default();
        let mut node = 0;
        for i in 0..JUMP {
            let Some(here) = self.nodes.get(node as usize) else { return };
            if here.value.is_some() {
                jump.best = node + 1;
            }
            node = here.next.get(digits >> (4 * i) & 0x0f).copied().unwrap_or(0);
            if node == 0 {
                break;
            }
        }
        jump.node = node;
        if let Some(place) = self.jumps.get_mut(digits) {
            *place = jump;
        }
    }

    /// Calls `each` with the values of all prefixes of `number`, shortest first.
    pub fn visit<'t>(&'t self, number: &Digits, each: impl FnMut(&'t T)) {
        self.visit_from(Some(0), number, 0, each);
    }

    /// The same from a node on, which has `taken` digits.
    #[inline(always)]
    fn visit_from<'t>(&'t self, node: Option<u32>, number: &Digits, taken: usize, mut each: impl FnMut(&'t T)) {
        let mut node = node.and_then(|node| self.nodes.get(node as usize));
        let (mut left, mut word) = (number.len().saturating_sub(taken), word(number) >> (4 * taken));
        while let Some(here) = node {
            if let Some(value) = &here.value {
                each(value);
            }
            if left == 0 {
                return;
            }
            node = match here.next.get(word as usize & 0x0f) {
                None | Some(0) => None,
                Some(&next) => self.nodes.get(next as usize),
            };
            (left, word) = (left - 1, word >> 4);
        }
    }

    /// Whether `test` holds for the value of any prefix of `number`.
    pub fn any(&self, number: &Digits, test: impl Fn(&T) -> bool) -> bool {
        let mut any = false;
        self.visit(number, |value| any |= test(value));
        any
    }

    /// The value of the longest prefix of `number`.
    #[inline]
    pub fn longest(&self, number: &Digits) -> Option<&T> {
        let (mut node, mut taken, mut best) = (Some(0), 0, None);
        if number.len() >= JUMP {
            let jump = self.jumps[word(number) as usize & (self.jumps.len() - 1)];
            best = jump.best.checked_sub(1).and_then(|node| self.nodes.get(node as usize)?.value.as_ref());
            (node, taken) = ((jump.node != 0).then_some(jump.node), JUMP);
        }
        self.visit_from(node, number, taken, |value| best = Some(value));
        best
    }

    /// Octets of memory, for reports.
    pub fn memory(&self) -> usize {
        self.nodes.capacity() * size_of::<Node<T>>() + size_of_val(&*self.jumps)
    }
}

/// The digits, four bits each, the first lowest; zero behind the last.
#[inline(always)]
fn word(number: &Digits) -> u128 {
    u128::from_le_bytes(number.packed())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{collection::vec, prelude::*};

    fn digits(text: &str) -> Digits {
        text.parse().unwrap_or_default()
    }

    #[test]
    fn the_longest_prefix_wins_and_all_are_seen() {
        let mut tree = PrefixTree::default();
        for prefix in ["999", "99902", "9990211", "1"] {
            assert!(tree.entry(&digits(prefix), || prefix.to_string()).is_some());
        }
        let mut all = Vec::new();
        tree.visit(&digits("999021199"), |prefix| all.push(prefix.clone()));
        assert_eq!(all, ["999", "99902", "9990211"]);
        assert_eq!(tree.longest(&digits("99903")).map(String::as_str), Some("999"));
        assert_eq!(tree.longest(&digits("998")), None);
        assert_eq!(tree.longest(&digits("9990b")).map(String::as_str), Some("999"));
    }

    #[test]
    fn a_prefix_covers_itself_and_the_empty_one_covers_all() {
        let mut tree = PrefixTree::default();
        assert!(tree.entry(&digits("5"), || 1).is_some());
        assert_eq!(tree.longest(&digits("5")), Some(&1));
        assert!(tree.entry(&digits(""), || 0).is_some());
        assert_eq!(tree.longest(&digits("7")), Some(&0));
        assert!(tree.entry(&digits("a"), || 2).is_none());
    }

    proptest! {
        #[test]
        fn the_longest_is_the_last_of_all(
            prefixes in vec("[0-9]{0,6}", 0..40), numbers in vec("[0-9a-c]{0,9}", 1..40), order: bool,
        ) {
            let mut tree = PrefixTree::default();
            let mut prefixes = prefixes;
            if order {
                prefixes.sort_by_key(|prefix| std::cmp::Reverse(prefix.len()));
            }
            for prefix in &prefixes {
                tree.entry(&digits(prefix), || prefix.clone());
            }
            for number in numbers.iter().chain(&prefixes) {
                let want = prefixes.iter().filter(|prefix| number.starts_with(*prefix)).max_by_key(|prefix| prefix.len());
                prop_assert_eq!(tree.longest(&digits(number)), want, "{}", number);
                prop_assert_eq!(tree.any(&digits(number), |_| true), want.is_some());
            }
        }
    }
}
