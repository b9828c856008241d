//! The reassembly tables of each link and direction, made with its first segment: a link that a new policy brings costs a worker
//! nothing until it is used.

use sealgate_config::model::Defaults;

use crate::policy::snapshot::LinkId;
use crate::state::Direction;
use crate::state::keyed::Key;
use crate::state::segments::{self, Segments};

/// The tables of one worker.
pub(crate) struct Reassembly {
    key: Key,
    links: Vec<[Option<Box<Segments>>; 2]>,
}

impl Reassembly {
    /// No table yet. `key` spreads each over its buckets.
    pub(crate) fn new(key: Key) -> Self {
        Self { key, links: Vec::new() }
    }

    /// The table of a link and direction, made now if need be with the limits of now.
    pub(crate) fn table(&mut self, link: LinkId, way: Direction, defaults: &Defaults) -> Option<&mut Segments> {
        let at = usize::from(link);
        if self.links.len() <= at {
            self.links.resize_with(at + 1, Default::default);
        }
        let limits = &defaults.reassembly;
        let table = self.links.get_mut(at)?.get_mut(way as usize)?;
        Some(table.get_or_insert_with(|| {
            let config = segments::Config {
                timeout_ms: limits.timeout_ms.into(),
                segments: limits.segments,
                contexts: limits.contexts as usize,
                ..segments::Config::default()
            };
            Box::new(Segments::new(config, self.key))
        }))
    }

    /// All tables.
    pub(crate) fn tables(&mut self) -> impl Iterator<Item = &mut Segments> {
        self.links.iter_mut().flatten().flatten().map(Box::as_mut)
    }
}
