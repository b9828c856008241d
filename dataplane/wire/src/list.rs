//! A short list with its storage inside: what a decoder collects without an allocator.

use core::fmt;

/// At most `N` values in the order they were pushed.
///
/// An empty place costs one mark and not a whole value, so a list for the worst case is cheap to begin.
#[derive(Clone, Copy)]
pub struct List<T, const N: usize> {
    items: [Option<T>; N],
    len: usize,
}

impl<T, const N: usize> List<T, N> {
    /// An empty list.
    #[inline(always)]
    pub fn new() -> Self {
        Self { items: core::array::from_fn(|_| None), len: 0 }
    }

    /// Appends a value; `false` if the list is full and nothing changed.
    #[inline(always)]
    pub fn push(&mut self, item: T) -> bool {
        let Some(place) = self.items.get_mut(self.len) else { return false };
        *place = Some(item);
        self.len += 1;
        true
    }

    /// How many values.
    #[inline]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// True if there are none.
    #[inline]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Value number `i`.
    #[inline]
    pub fn get(&self, i: usize) -> Option<&T> {
        self.items.get(i)?.as_ref()
    }

    /// The last value.
    #[inline]
    pub fn last(&self) -> Option<&T> {
        self.get(self.len.checked_sub(1)?)
    }

    /// The values in their order.
    #[inline]
    pub fn iter(&self) -> Iter<'_, T> {
        Iter(self.items.get(..self.len).unwrap_or(&[]).iter())
    }
}

/// Iterator over the values of a [`List`].
#[derive(Clone, Debug)]
pub struct Iter<'a, T>(core::slice::Iter<'a, Option<T>>);

impl<'a, T> Iterator for Iter<'a, T> {
    type Item = &'a T;

    #[inline]
    fn next(&mut self) -> Option<&'a T> {
        self.0.next()?.as_ref()
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl<T> ExactSizeIterator for Iter<'_, T> {}

impl<T, const N: usize> Default for List<T, N> {
    #[inline(always)]
    fn default() -> Self {
        Self::new()
    }
}

impl<T: PartialEq, const N: usize> PartialEq for List<T, N> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl<T: Eq, const N: usize> Eq for List<T, N> {}

impl<T: fmt::Debug, const N: usize> fmt::Debug for List<T, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl<'a, T, const N: usize> IntoIterator for &'a List<T, N> {
    type Item = &'a T;
    type IntoIter = Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_list_refuses_and_keeps_what_it_has() {
        let mut list = List::<u8, 2>::default();
        assert_eq!((list.last(), list.get(0), list.is_empty()), (None, None, true));
        assert_eq!((list.push(1), list.push(2), list.push(3)), (true, true, false));
        assert!(list.iter().eq(&[1, 2]));
        assert_eq!(
            (list.len(), list.iter().len(), list.get(1), list.get(2), list.last()),
            (2, 2, Some(&2), None, Some(&2))
        );
    }
}
