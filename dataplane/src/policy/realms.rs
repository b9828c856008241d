//! Diameter realms and whom they belong to: a name belongs to the longest realm that it lies under, by whole labels.

use std::collections::HashMap;

use super::fast::Fast;

/// The longest name (RFC 1035 §2.3.4), which a Diameter identity is too.
const MAX_NAME: usize = 255;

/// Values by realm.
#[derive(Clone, Debug)]
pub struct Realms<T> {
    by_name: HashMap<Box<[u8]>, T, Fast>,
}

impl<T> Default for Realms<T> {
    fn default() -> Self {
        Self { by_name: HashMap::default() }
    }
}

impl<T> Realms<T> {
    /// Puts a value at a realm that has none.
    ///
    /// * `realm`: in lower case
    pub fn insert(&mut self, realm: &str, value: T) {
        self.insert_octets(realm.as_bytes(), value);
    }

    /// The same of a realm in octets.
    pub(super) fn insert_octets(&mut self, realm: &[u8], value: T) {
        self.by_name.entry(realm.into()).or_insert(value);
    }

    /// Octets of memory, for reports.
    pub(super) fn memory(&self) -> usize {
        let names: usize = self.by_name.keys().map(|name| name.len()).sum();
        self.by_name.capacity() * size_of::<(Box<[u8]>, T)>() + names
    }

    /// The value at a realm, which it gets if it has none.
    ///
    /// * `realm`: in lower case
    pub fn entry(&mut self, realm: &str) -> &mut T
    where
        T: Default,
    {
        self.by_name.entry(realm.as_bytes().into()).or_default()
    }

    /// The value of the longest realm that `name` is, or lies under, whatever its case. A name longer than any belongs to
    /// nobody.
    pub fn longest(&self, name: &[u8]) -> Option<&T> {
        let mut found = None;
        self.walk(name, |value| {
            found = Some(value);
            false
        });
        found
    }

    /// Calls `each` with the values of all realms that `name` is, or lies under.
    pub fn visit(&self, name: &[u8], mut each: impl FnMut(&T)) {
        self.walk(name, |value| {
            each(value);
            true
        });
    }

    /// Values from the longest realm to the shortest, as long as `each` wants more.
    fn walk<'t>(&'t self, name: &[u8], mut each: impl FnMut(&'t T) -> bool) {
        if self.by_name.is_empty() {
            return;
        }
        let mut lower = [0; MAX_NAME];
        let mut left: Option<&[u8]> = lowered(name, &mut lower);
        while let Some(rest) = left {
            if self.by_name.get(rest).is_some_and(|value| !each(value)) {
                return;
            }
            left = rest.iter().position(|&octet| octet == b'.').and_then(|dot| rest.get(dot + 1..));
        }
    }

    /// The value at exactly this name, whatever its case.
    pub fn at(&self, name: &[u8]) -> Option<&T> {
        let mut lower = [0; MAX_NAME];
        self.by_name.get(lowered(name, &mut lower)?)
    }
}

/// The name in lower case; `None` if it is longer than any.
fn lowered<'b>(name: &[u8], buffer: &'b mut [u8; MAX_NAME]) -> Option<&'b [u8]> {
    let place = buffer.get_mut(..name.len())?;
    place.copy_from_slice(name);
    place.make_ascii_lowercase();
    Some(place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_belongs_to_the_longest_realm_above_it() {
        let mut realms = Realms::default();
        for (i, realm) in ["example", "epc.example", "a.epc.example"].iter().enumerate() {
            realms.insert(realm, i);
        }
        let long = [b"a.".repeat(200).as_slice(), b"example"].concat();
        for (name, want) in [
            (&b"example"[..], Some(0)),
            (b"EPC.Example", Some(1)),
            (b"hss.a.EPC.example", Some(2)),
            (b"b.epc.example", Some(1)),
            (b"xepc.example", Some(0)),
            (b"example.", None),
            (b"xample", None),
            (b".example", Some(0)),
            (b"", None),
            (&long, None),
        ] {
            assert_eq!(realms.longest(name).copied(), want, "{}", String::from_utf8_lossy(name));
        }
        assert_eq!(Realms::<u8>::default().longest(b"example"), None);
        assert_eq!((realms.at(b"Example"), realms.at(b"x.example")), (Some(&0), None));
    }
}
