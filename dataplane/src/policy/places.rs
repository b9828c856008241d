//! Places in a table by name: a name keeps its place from one snapshot to the next, and no place ever gets another name.

use std::collections::HashMap;

/// Which name has which place.
pub(super) struct Places(HashMap<String, usize>);

impl Places {
    /// The places of a table's names, in their order.
    pub(super) fn of<'n>(names: impl Iterator<Item = &'n str>) -> Self {
        Self(names.enumerate().map(|(place, name)| (name.to_owned(), place)).collect())
    }

    /// The place of a name.
    pub(super) fn get(&self, name: &str) -> Option<usize> {
        self.0.get(name).copied()
    }

    /// Puts a row in its name's place, which is at the end of the table if the name is new. Returns the place.
    pub(super) fn place<T>(&mut self, name: &str, table: &mut Vec<T>, row: T) -> usize {
        match self.get(name) {
            Some(place) => {
                if let Some(old) = table.get_mut(place) {
                    *old = row;
                }
                place
            }
            None => {
                self.0.insert(name.to_owned(), table.len());
                table.push(row);
                table.len() - 1
            }
        }
    }
}
