//! The core map: which core does what, and why a map cannot be.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::model::Cores;

/// What a core does.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Duty {
    /// Control threads.
    Main,
    /// Worker of this number.
    Worker(usize),
    /// Crypto thread of this number.
    Crypto(usize),
}

impl fmt::Display for Duty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Duty::Main => f.write_str("main"),
            Duty::Worker(number) => write!(f, "worker {number}"),
            Duty::Crypto(number) => write!(f, "crypto {number}"),
        }
    }
}

/// Why a core cannot have the duties it was given.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Conflict {
    /// The machine has no such core, or does not give it to us.
    Absent,
    /// Two poll-mode threads: each would run half of the time, and frames would be lost.
    Shared,
}

/// Which core does what, with the cores of the machine where they are known. Displays as a table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CoreMap {
    duties: BTreeMap<usize, Vec<Duty>>,
    present: Option<BTreeSet<usize>>,
}

impl CoreMap {
    /// Lays out `cores`; `present` are the cores this process may run on, `None` where that is not known.
    pub fn new(cores: &Cores, present: Option<&[usize]>) -> Self {
        let mut duties: BTreeMap<usize, Vec<Duty>> = BTreeMap::new();
        let main = cores.main.iter().map(|core| (*core, Duty::Main));
        let workers = cores.workers.iter().enumerate().map(|(i, core)| (*core, Duty::Worker(i)));
        let crypto = cores.crypto.iter().enumerate().map(|(i, core)| (*core, Duty::Crypto(i)));
        for (core, duty) in main.chain(workers).chain(crypto) {
            duties.entry(core).or_default().push(duty);
        }
        Self { duties, present: present.map(|cores| cores.iter().copied().collect()) }
    }

    /// What `core` does.
    pub fn duties(&self, core: usize) -> &[Duty] {
        self.duties.get(&core).map(Vec::as_slice).unwrap_or_default()
    }

    /// Why `core` cannot do that; `None`: it can.
    pub fn conflict(&self, core: usize) -> Option<Conflict> {
        let polling = self.duties(core).iter().filter(|duty| **duty != Duty::Main).count();
        if self.present.as_ref().is_some_and(|present| !present.contains(&core)) {
            Some(Conflict::Absent)
        } else if polling > 1 {
            Some(Conflict::Shared)
        } else {
            None
        }
    }

    /// True if every core can do what it shall.
    pub fn is_possible(&self) -> bool {
        self.duties.keys().all(|core| self.conflict(*core).is_none())
    }

    /// What is possible but slow, a sentence each.
    pub fn warnings(&self) -> Vec<String> {
        let crowded = |duties: &[Duty]| duties.len() > 1 && duties.contains(&Duty::Main);
        self.duties
            .iter()
            .filter(|(core, duties)| crowded(duties) && self.conflict(**core).is_none())
            .map(|(core, _)| {
                format!("core {core}: control threads interrupt a poll-mode thread; give cores.main another core")
            })
            .collect()
    }
}

impl fmt::Display for CoreMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let used = self.duties.keys().copied();
        let all: BTreeSet<usize> = used.chain(self.present.iter().flatten().copied()).collect();
        for (i, core) in all.into_iter().enumerate() {
            let duties: Vec<String> = self.duties(core).iter().map(Duty::to_string).collect();
            let duties = if duties.is_empty() { "-".to_owned() } else { duties.join(" + ") };
            let verdict = match self.conflict(core) {
                Some(Conflict::Absent) => "  <- not on this machine",
                Some(Conflict::Shared) => "  <- more than one poll-mode thread",
                None => "",
            };
            let end = if i == 0 { "" } else { "\n" };
            write!(f, "{end}  core {core:<3} {duties}{verdict}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_shows_every_core_and_what_is_wrong_with_it() {
        let cores = Cores { main: Some(0), workers: vec![0, 2, 9], crypto: vec![2], ..Cores::default() };
        let map = CoreMap::new(&cores, Some(&[0, 1, 2]));
        assert!(!map.is_possible());
        assert_eq!(
            map.to_string(),
            "  core 0   main + worker 0\n  core 1   -\n  core 2   worker 1 + crypto 0  <- more than one poll-mode thread\n  \
             core 9   worker 2  <- not on this machine"
        );
        assert_eq!(map.warnings().len(), 1);
        assert!(CoreMap::new(&Cores { main: Some(0), workers: vec![1], ..Cores::default() }, None).is_possible());
    }
}
