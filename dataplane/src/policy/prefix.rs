//! Prefixes of digit strings: which is the longest that covers a number, and which all do.

use sealgate_wire::addr::Digits;

/// A tree with one level a digit. Built once by control, read by workers: at most as many steps as the number has digits.
///
/// Digits above 9 are in no prefix and end every search.
#[derive(Clone, Debug)]
pub struct PrefixTree<T> {
    nodes: Vec<Node<T>>,
}

#[derive(Clone, Debug)]
struct Node<T> {
    /// Index of the node for each digit; 0, the root, stands for none.
    next: [u32; 10],
    value: Option<T>,
}

impl<T> Default for Node<T> {
    fn default() -> Self {
        Self { next: [0; 10], value: None }
    }
}

impl<T> Default for PrefixTree<T> {
    fn default() -> Self {
        Self { nodes: vec![Node::default()] }
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
        Some(self.nodes.get_mut(at)?.value.get_or_insert_with(make))
    }

    /// Calls `each` with the values of all prefixes of `number`, shortest first.
    fn visit<'t>(&'t self, number: &Digits, mut each: impl FnMut(&'t T)) {
        let mut node = self.nodes.first();
        let mut digits = number.iter();
        while let Some(here) = node {
            if let Some(value) = &here.value {
                each(value);
            }
            node = digits.next().and_then(|digit| match here.next.get(usize::from(digit)) {
                None | Some(0) => None,
                Some(&next) => self.nodes.get(next as usize),
            });
        }
    }

    /// Whether `test` holds for the value of any prefix of `number`.
    pub fn any(&self, number: &Digits, test: impl Fn(&T) -> bool) -> bool {
        let mut any = false;
        self.visit(number, |value| any |= test(value));
        any
    }

    /// The value of the longest prefix of `number`.
    pub fn longest(&self, number: &Digits) -> Option<&T> {
        let mut best = None;
        self.visit(number, |value| best = Some(value));
        best
    }

    /// Octets of memory, for reports.
    pub fn memory(&self) -> usize {
        self.nodes.capacity() * size_of::<Node<T>>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
