//! The walk over information elements: type and value, or type, length and value.

use super::Version;
use crate::cursor::Reader;
use crate::{Reason, Refusal};

/// Elements of one message or group that are read.
pub const MAX_IES: usize = 256;

/// An information element.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ie<'a> {
    /// Which protocol's numbers `kind` is one of.
    pub version: Version,
    /// What it is.
    pub kind: u8,
    /// Which of several of one type; 0 in version 1.
    pub instance: u8,
    /// Octet of the datagram where its type stands.
    pub at: usize,
    /// Octet of the datagram where its value begins.
    pub value_at: usize,
    /// Without type, length and instance.
    pub value: &'a [u8],
}

impl<'a> Ie<'a> {
    /// True if its value is a run of elements (TS 29.274 table 8.1-1).
    pub const fn is_group(&self) -> bool {
        // Bearer Context, PDN Connection, Overload Control Information, Load Control Information, Remote UE Context,
        // SCEF PDN Connection.
        matches!((self.version, self.kind), (Version::V2, 93 | 109 | 180 | 181 | 191 | 195))
    }

    /// The elements of a group; of any other element none.
    pub fn children(&self) -> Ies<'a> {
        Ies::new(self.version, if self.is_group() { self.value } else { &[] }, self.value_at)
    }
}

/// Octets of the value of a version 1 element without a length (TS 29.060 table 37); `None` for a type that has none there:
/// where such an element ends, nobody can tell.
const fn fixed_len(kind: u8) -> Option<usize> {
    Some(match kind {
        1 | 8 | 11 | 13 | 14 | 15 | 19 | 20 | 21 | 23 | 24 | 29 => 1,
        25..=28 => 2,
        12 => 3,
        4 | 5 | 16 | 17 | 127 => 4,
        18 => 5,
        3 => 6,
        2 => 8,
        22 => 9,
        9 => 28,
        _ => return None,
    })
}

/// Walks information elements. After an error the walk is over.
#[derive(Clone, Copy, Debug)]
pub struct Ies<'a> {
    version: Version,
    reader: Reader<'a>,
    count: usize,
    last: u8,
}

impl<'a> Ies<'a> {
    /// Walks `octets`, whose first one is octet `at` of the datagram.
    pub const fn new(version: Version, octets: &'a [u8], at: usize) -> Self {
        Self { version, reader: Reader::new_at(octets, at), count: 0, last: 0 }
    }

    fn read(&mut self) -> Result<Ie<'a>, Refusal> {
        let at = self.reader.at();
        let bad = Reason::GtpIe.at(at);
        self.count += 1;
        if self.count > MAX_IES {
            return Err(bad);
        }
        let kind = self.reader.u8().ok_or(bad)?;
        let (instance, len) = match self.version {
            Version::V1 => {
                // Some take the elements as they come, some look for each in its place (TS 29.060 §7.7).
                if kind < self.last {
                    return Err(bad);
                }
                self.last = kind;
                let len = match kind {
                    ..0x80 => fixed_len(kind),
                    141 => self.reader.u8().map(usize::from), // Extension Header Type List (TS 29.060 §7.7.40)
                    _ => self.reader.be16().map(usize::from),
                };
                (0, len.ok_or(bad)?)
            }
            Version::V2 => {
                let len = self.reader.be16().ok_or(bad)?;
                let instance = self.reader.u8().ok_or(bad)?;
                // Four spare bits: who reads the whole octet as instance would see another element.
                if kind == 0 || instance > 0x0f {
                    return Err(bad);
                }
                (instance, usize::from(len))
            }
        };
        let value_at = self.reader.at();
        let value = self.reader.take(len).ok_or(bad)?;
        Ok(Ie { version: self.version, kind, instance, at, value_at, value })
    }
}

impl<'a> Iterator for Ies<'a> {
    type Item = Result<Ie<'a>, Refusal>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.reader.is_empty() {
            return None;
        }
        let read = self.read();
        if read.is_err() {
            self.reader.rest();
        }
        Some(read)
    }
}
