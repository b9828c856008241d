//! The objects of a repository at one serial number, and the steps from one to the next.

use super::format::{Class, Delta, Digest, Entry, MAX_OBJECTS, MAX_TOTAL, Malformed, Snapshot, Uri};
use sealgate_crypto::pki::Object;
use std::collections::BTreeMap;
use std::sync::Arc;

/// One object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// Its digest.
    pub sha256: Digest,
    /// Its octets.
    pub der: Arc<[u8]>,
}

/// All objects by name. A copy shares their octets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Objects(BTreeMap<Uri, Held>);

impl From<Entry> for Held {
    fn from(entry: Entry) -> Self {
        Self { sha256: entry.sha256, der: entry.der.into() }
    }
}

impl From<Snapshot> for Objects {
    fn from(snapshot: Snapshot) -> Self {
        Self(snapshot.0.into_iter().map(|entry| (entry.uri.clone(), entry.into())).collect())
    }
}

impl Objects {
    /// Takes a step. `self` is of no use after an error.
    /// # Errors
    /// The delta does not start from what is held, or leads to more than [`MAX_OBJECTS`] or [`MAX_TOTAL`] octets: each step
    /// is small, but there is no end of steps.
    pub fn apply(&mut self, delta: Delta) -> Result<(), Malformed> {
        for (uri, sha256) in delta.withdraw {
            match self.0.remove(&uri) {
                Some(held) if held.sha256 == sha256 => {}
                _ => return Err(Malformed(format!("delta: it withdraws a {uri} that is not held"))),
            }
        }
        for entry in delta.publish {
            if self.0.get(&entry.uri).map(|held| held.sha256) != entry.replaces {
                return Err(Malformed(format!("delta: the {} that it replaces is not held", entry.uri)));
            }
            self.0.insert(entry.uri.clone(), entry.into());
        }
        if self.0.len() > MAX_OBJECTS {
            return Err(Malformed(format!("delta: it leads to more than {MAX_OBJECTS} objects")));
        }
        if self.0.values().map(|held| held.der.len()).sum::<usize>() > MAX_TOTAL {
            return Err(Malformed("delta: it leads to more than 64 MiB of objects".to_owned()));
        }
        Ok(())
    }

    /// Every object with its name.
    pub fn iter(&self) -> impl Iterator<Item = (&Uri, &Held)> {
        self.0.iter()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// True without any.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Certificates, those of authorities first.
    pub fn certificates(&self) -> Vec<Object> {
        let mut all = self.of(Class::Authority);
        all.extend(self.of(Class::Entity));
        all
    }

    /// The objects of one class, named after the last part of their names.
    pub fn of(&self, class: Class) -> Vec<Object> {
        let wanted = self.0.iter().filter(|(uri, _)| uri.class() == Some(class));
        wanted.map(|(uri, held)| Object { name: uri.stem().to_owned(), der: held.der.to_vec() }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delta(from: usize, count: usize, octets: usize) -> Delta {
        let entry = |i: usize| {
            let uri = Uri::new(&format!("csp/{i}.cer")).expect("a name");
            Entry { uri, sha256: [0; 32], der: vec![0; octets], replaces: None }
        };
        Delta { publish: (from..from + count).map(entry).collect(), withdraw: Vec::new() }
    }

    #[test]
    fn many_small_steps_lead_no_further_than_one_large_one() {
        let mut objects = Objects::default();
        let half = MAX_TOTAL / 2 / (1 << 16);
        assert_eq!(objects.apply(delta(0, half, 1 << 16)), Ok(()));
        assert_eq!(objects.apply(delta(half, half, 1 << 16)), Ok(()));
        assert!(objects.clone().apply(delta(2 * half, 1, 1)).is_err_and(|fault| fault.0.contains("64 MiB")));
        let mut objects = Objects::default();
        assert_eq!(objects.apply(delta(0, MAX_OBJECTS, 1)), Ok(()));
        assert!(objects.apply(delta(MAX_OBJECTS, 1, 1)).is_err_and(|fault| fault.0.contains("100000")));
    }
}
