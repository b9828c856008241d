//! Reading octets in order, with bounds, and the parameter walker that M3UA and SCTP share.
//!
//! Nothing here refuses: a codec knows which reason fits, and [`Reader::at`] tells it where.

/// Reads a slice from its front. A read that does not fit gives `None` and moves nothing.
///
/// Copies are cheap and independent: a copy is how a codec looks ahead.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reader<'a> {
    octets: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// Starts at the front of `octets`, which is octet 0 of its layer.
    #[inline]
    pub const fn new(octets: &'a [u8]) -> Self {
        Self { octets, at: 0 }
    }

    /// Starts at the front of `octets`, which is octet `at` of its layer.
    #[inline]
    pub const fn new_at(octets: &'a [u8], at: usize) -> Self {
        Self { octets, at }
    }

    /// Octet of the layer that the next read begins with.
    #[inline]
    pub const fn at(&self) -> usize {
        self.at
    }

    /// Octets left to read.
    #[inline]
    pub const fn len(&self) -> usize {
        self.octets.len()
    }

    /// True if nothing is left.
    #[inline]
    pub const fn is_empty(&self) -> bool {
        self.octets.is_empty()
    }

    /// What is left, without moving.
    #[inline]
    pub const fn peek(&self) -> &'a [u8] {
        self.octets
    }

    /// The next `n` octets.
    #[inline]
    pub fn take(&mut self, n: usize) -> Option<&'a [u8]> {
        let (head, tail) = self.octets.split_at_checked(n)?;
        self.octets = tail;
        self.at += n;
        Some(head)
    }

    /// The next `N` octets, as an array that needs no further bounds check.
    #[inline]
    pub fn array<const N: usize>(&mut self) -> Option<&'a [u8; N]> {
        let (head, tail) = self.octets.split_first_chunk()?;
        self.octets = tail;
        self.at += N;
        Some(head)
    }

    /// A reader over the next `n` octets that goes on counting in the same layer.
    #[inline]
    pub fn sub(&mut self, n: usize) -> Option<Reader<'a>> {
        let at = self.at;
        Some(Reader { octets: self.take(n)?, at })
    }

    /// Moves over `n` octets.
    #[inline]
    pub fn skip(&mut self, n: usize) -> Option<()> {
        self.take(n).map(drop)
    }

    /// All that is left; the reader is empty after.
    #[inline]
    pub fn rest(&mut self) -> &'a [u8] {
        let (head, tail) = self.octets.split_at(self.octets.len());
        self.octets = tail;
        self.at += head.len();
        head
    }

    /// One octet.
    #[inline]
    pub fn u8(&mut self) -> Option<u8> {
        self.array().map(|&[octet]| octet)
    }

    /// Two octets, big-endian.
    #[inline]
    pub fn be16(&mut self) -> Option<u16> {
        self.array().copied().map(u16::from_be_bytes)
    }

    /// Two octets, little-endian: SCCP writes point codes and LUDT pointers so.
    #[inline]
    pub fn le16(&mut self) -> Option<u16> {
        self.array().copied().map(u16::from_le_bytes)
    }

    /// Four octets, big-endian.
    #[inline]
    pub fn be32(&mut self) -> Option<u32> {
        self.array().copied().map(u32::from_be_bytes)
    }
}

/// Length with the zero octets that fill it up to a multiple of four (RFC 9260 §3.2, RFC 4666 §3.2).
#[inline]
pub const fn padded(len: usize) -> usize {
    len.next_multiple_of(4)
}

/// Appends the zero octets that follow something of `len` octets.
#[inline]
pub fn pad(len: usize, out: &mut Vec<u8>) {
    let zeros = [0; 3];
    out.extend_from_slice(zeros.get(..padded(len) - len).unwrap_or_default());
}

/// One parameter: tag and length of 16 bits each, a value, and padding.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Param<'a> {
    /// What it is.
    pub tag: u16,
    /// Octet of the layer where the tag begins.
    pub at: usize,
    /// Without header and padding.
    pub value: &'a [u8],
}

impl Param<'_> {
    /// Octet of the layer where the length field stands: what a refusal of the length points at.
    #[inline]
    pub const fn length_at(&self) -> usize {
        self.at + 2
    }
}

/// A parameter is cut short, or its length is below its own header. Holds the octet of the layer where that shows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cut(pub usize);

/// Walks the parameters of SCTP INIT chunks (RFC 9260 §3.2.1) and of M3UA messages (RFC 4666 §3.2).
///
/// The length of a parameter counts its header and not its padding. Padding may be missing at the very end. After a
/// [`Cut`] the walk is over.
#[derive(Clone, Copy, Debug)]
pub struct Params<'a>(Reader<'a>);

impl<'a> Params<'a> {
    /// Walks `octets`, whose first one is octet `at` of its layer.
    #[inline]
    pub const fn new(octets: &'a [u8], at: usize) -> Self {
        Self(Reader::new_at(octets, at))
    }

    #[inline]
    fn read(&mut self) -> Result<Param<'a>, Cut> {
        let at = self.0.at();
        let &[t0, t1, l0, l1] = self.0.array().ok_or(Cut(at))?;
        let len = usize::from(u16::from_be_bytes([l0, l1]));
        let value = len.checked_sub(4).and_then(|n| self.0.take(n)).ok_or(Cut(at + 2))?;
        let padding = (padded(len) - len).min(self.0.len());
        self.0.skip(padding).ok_or(Cut(at + 2))?;
        Ok(Param { tag: u16::from_be_bytes([t0, t1]), at, value })
    }
}

impl<'a> Iterator for Params<'a> {
    type Item = Result<Param<'a>, Cut>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let param = self.read();
        if param.is_err() {
            self.0.rest();
        }
        Some(param)
    }
}

/// Appends one parameter with its padding.
///
/// `false`, and nothing appended, if the value is longer than 65531 octets.
#[inline]
pub fn emit_param(tag: u16, value: &[u8], out: &mut Vec<u8>) -> bool {
    let Ok(len) = u16::try_from(value.len() + 4) else { return false };
    out.extend_from_slice(&tag.to_be_bytes());
    out.extend_from_slice(&len.to_be_bytes());
    out.extend_from_slice(value);
    pad(value.len(), out);
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    #[test]
    fn a_read_that_does_not_fit_moves_nothing() {
        let mut reader = Reader::new(&[1, 2, 3]);
        assert_eq!((reader.be32(), reader.take(4), reader.at(), reader.len()), (None, None, 0, 3));
        assert_eq!((reader.be16(), reader.at()), (Some(0x0102), 2));
        assert_eq!((reader.le16(), reader.u8(), reader.u8()), (None, Some(3), None));
        assert!(reader.is_empty());
    }

    #[test]
    fn a_sub_reader_counts_in_the_same_layer() {
        let mut reader = Reader::new_at(&[1, 2, 3, 4], 10);
        assert_eq!(reader.skip(1), Some(()));
        let mut sub = reader.sub(2).unwrap();
        assert_eq!((sub.at(), sub.le16(), sub.at()), (11, Some(0x0302), 13));
        assert_eq!((reader.at(), reader.peek(), reader.rest(), reader.at()), (13, &[4][..], &[4][..], 14));
    }

    #[test]
    fn parameters_are_bounded_both_ways() {
        let octets = [0, 6, 0, 5, 7, 0, 0, 0, 2, 0, 0, 6, 8, 9];
        let read: Vec<_> = Params::new(&octets, 8).collect();
        assert_eq!(
            read,
            [Ok(Param { tag: 6, at: 8, value: &[7] }), Ok(Param { tag: 0x200, at: 16, value: &[8, 9] })],
            "padding may be missing at the end"
        );
        for (at, octet, want) in [(3, 3, 10), (3, 15, 10), (11, 7, 18), (11, 0, 18)] {
            let mut bad = octets;
            bad[at] = octet;
            assert_eq!(Params::new(&bad, 8).last(), Some(Err(Cut(want))), "octet {at} set to {octet}");
        }
        assert_eq!(Params::new(&octets[..11], 8).last(), Some(Err(Cut(16))), "header cut");
    }

    proptest! {
        #[test]
        fn a_walk_ends_and_what_it_read_reads_again(octets in vec(any::<u8>(), 0..64)) {
            let read: Vec<_> = Params::new(&octets, 0).filter_map(Result::ok).collect();
            let mut out = Vec::new();
            for param in &read {
                prop_assert!(emit_param(param.tag, param.value, &mut out));
            }
            let again: Vec<_> = Params::new(&out, 0).filter_map(Result::ok).collect();
            prop_assert_eq!(again, read);
        }
    }
}
