//! The values in a repository's files, each with one way to write it: names, digests, times, sessions, lists with an end.

use serde::de::{self, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use time::PrimitiveDateTime;
use time::macros::format_description;

/// Most octets of a name.
const MAX_URI: usize = 255;

/// SHA-256.
pub type Digest = [u8; 32];

/// A file that does not say what it should.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Malformed(pub String);

pub(super) fn malformed<T>(why: impl Into<String>) -> Result<T, Malformed> {
    Err(Malformed(why.into()))
}

/// A run of serial numbers of one repository, a UUID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Session(pub u128);

impl fmt::Display for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hex = format!("{:032x}", self.0);
        let part = |from, to| hex.get(from..to).unwrap_or_default();
        write!(f, "{}-{}-{}-{}-{}", part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32))
    }
}

impl<'de> Deserialize<'de> for Session {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = Cow::<'_, str>::deserialize(from)?;
        let digits: String = text.chars().filter(|c| *c != '-').collect();
        let session = Self(u128::from_str_radix(&digits, 16).unwrap_or_default());
        // One way to write it: what is read is what would be written.
        if session.to_string() == *text { Ok(session) } else { Err(de::Error::custom("session is not a UUID")) }
    }
}

/// A name below the base of the repository.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Uri(String);

impl Uri {
    /// A name that stays below its base: letters, digits, `-`, `_` and `.` in parts with `/` between, no part of which
    /// starts with a dot. So it has no scheme, no host, no `..`, no escape and no query.
    /// # Errors
    /// [`Malformed`]
    pub fn new(text: &str) -> Result<Self, Malformed> {
        let letter = |octet: u8| octet.is_ascii_alphanumeric() || b"-_.".contains(&octet);
        let part = |part: &str| !part.is_empty() && !part.starts_with('.') && part.bytes().all(letter);
        if text.len() > MAX_URI || !text.split('/').all(part) {
            let shown: String = text.chars().take(40).collect();
            return malformed(format!("{shown:?} is not a name below the repository"));
        }
        Ok(Self(text.to_owned()))
    }

    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The last part up to its first dot: what to call the object.
    pub fn stem(&self) -> &str {
        let last = self.0.rsplit('/').next().unwrap_or_default();
        last.split('.').next().unwrap_or_default()
    }

    /// What the object is, by the first part; `None` for a part that is not known.
    pub fn class(&self) -> Option<Class> {
        match self.0.split_once('/')?.0 {
            "ca" => Some(Class::Authority),
            "csp" => Some(Class::Entity),
            "crl" => Some(Class::Crl),
            _ => None,
        }
    }
}

impl fmt::Display for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Uri {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Self::new(&Cow::<'_, str>::deserialize(from)?).map_err(de::Error::custom)
    }
}

/// What an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// The certificate of an authority, `ca/`.
    Authority,
    /// The certificate of an operator, `csp/`.
    Entity,
    /// A revocation list, `crl/`.
    Crl,
}

/// Reads the 64 digits of a digest, small letters.
pub fn parse_digest(text: &str) -> Option<Digest> {
    let digit = |octet: u8| match octet {
        b'0'..=b'9' => Some(octet - b'0'),
        b'a'..=b'f' => Some(octet - b'a' + 10),
        _ => None,
    };
    let mut digest = [0; 32];
    let pairs = text.as_bytes().as_chunks::<2>().0;
    if text.len() != 64 {
        return None;
    }
    for (octet, [high, low]) in digest.iter_mut().zip(pairs) {
        *octet = digit(*high)? << 4 | digit(*low)?;
    }
    Some(digest)
}

pub(super) fn digest<'de, D: Deserializer<'de>>(from: D) -> Result<Digest, D::Error> {
    let text = Cow::<'_, str>::deserialize(from)?;
    parse_digest(&text).ok_or_else(|| de::Error::custom("a digest is not 64 small hexadecimal digits"))
}

pub(super) fn some_digest<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Digest>, D::Error> {
    digest(from).map(Some)
}

/// Seconds since 1970 from `2026-11-18T10:00:00Z`, in no other form.
pub(super) fn moment<'de, D: Deserializer<'de>>(from: D) -> Result<i64, D::Error> {
    let text = Cow::<'_, str>::deserialize(from)?;
    let form = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");
    let time = PrimitiveDateTime::parse(&text, form);
    time.map(|time| time.assume_utc().unix_timestamp())
        .map_err(|_| de::Error::custom("a time is not as 2026-11-18T10:00:00Z"))
}

/// A list that ends by itself, or is refused.
pub(super) struct Bounded<T, const MAX: usize>(pub Vec<T>);

impl<'de, T: Deserialize<'de>, const MAX: usize> Deserialize<'de> for Bounded<T, MAX> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct List<T, const MAX: usize>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>, const MAX: usize> Visitor<'de> for List<T, MAX> {
            type Value = Vec<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "a list of at most {MAX}")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<T>, A::Error> {
                let mut all = Vec::new();
                while let Some(one) = list.next_element()? {
                    if all.len() == MAX {
                        return Err(de::Error::custom(format!("a list has more than {MAX}")));
                    }
                    all.push(one);
                }
                Ok(all)
            }
        }
        from.deserialize_seq(List::<T, MAX>(PhantomData)).map(Self)
    }
}
