//! Keys by number: control installs them and holds handles, a job names its key by slot and generation, and engines read
//! one immutable table of all keys.
//!
//! A slot is a key's as long as a handle of it lives. When the last one goes the slot's generation rises, so that a job
//! which still names the old key is refused and never checked against the next key of that slot.
//!
//! Every change is published before [`KeyRing::install`] returns. A handle reaches a worker, and its job a crypto thread,
//! by a release and an acquire; so the thread that refreshes its view after it took the job either has the key in it, or
//! knows that it has not (control is at the cell in that very moment) and looks again.

use crate::cell::{Published, Reader};
use crate::cost::Class;
use crate::sign::SigningKey;
use crate::tables::Table;
use crate::verify::PublicKey;
use core::fmt;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Slots of a ring; operators number in the thousands.
pub const MAX_KEYS: usize = 1 << 20;

/// All slots are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("more than {MAX_KEYS} keys")]
pub struct RingFull;

/// How a job names its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct KeyId {
    pub(crate) slot: u32,
    pub(crate) generation: u32,
}

/// A key as engines see it.
pub(crate) struct Entry {
    pub(crate) key: PublicKey,
    /// The private half, where the slot is one to sign with.
    pub(crate) signer: Option<SigningKey>,
    pub(crate) table: Option<Arc<Table>>,
    /// Whether a first verdict from `table` has been handed on to be checked again.
    pub(crate) proven: AtomicBool,
    pub(crate) class: Arc<Class>,
}

impl Entry {
    fn new(key: PublicKey, signer: Option<SigningKey>, table: Option<Arc<Table>>, class: Arc<Class>) -> Arc<Self> {
        class.set_table(table.is_some());
        Arc::new(Self { key, signer, table, proven: AtomicBool::new(false), class })
    }
}

#[derive(Clone)]
struct Seat {
    generation: u32,
    entry: Option<Arc<Entry>>,
}

/// All keys at one moment.
pub(crate) struct Keys(Box<[Seat]>);

/// What a table of keys knows of a number.
pub(crate) enum Found<'a> {
    Key(&'a Arc<Entry>),
    /// The slot has gone on to a later generation: the key was withdrawn.
    Stale,
    /// The number is newer than this table.
    Unknown,
}

impl Keys {
    pub(crate) fn find(&self, id: KeyId) -> Found<'_> {
        match self.0.get(id.slot as usize) {
            Some(seat) if seat.generation > id.generation => Found::Stale,
            Some(Seat { generation, entry: Some(entry) }) if *generation == id.generation => Found::Key(entry),
            _ => Found::Unknown,
        }
    }

    /// Every key with its number.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (KeyId, &Arc<Entry>)> {
        (0..).zip(&self.0).filter_map(|(slot, seat)| {
            seat.entry.as_ref().map(|entry| (KeyId { slot, generation: seat.generation }, entry))
        })
    }

    /// Slots, with those that are free.
    pub(crate) fn slots(&self) -> usize {
        self.0.len()
    }
}

struct Slot {
    seat: Seat,
    handles: usize,
}

/// Which slot a key belongs to: to sign or not, the algorithm, and the octets of the public key.
type Identity = (bool, u8, Box<[u8]>);

#[derive(Default)]
struct State {
    slots: Vec<Slot>,
    free: Vec<u32>,
    by_key: HashMap<Identity, u32>,
    /// Tables of keys that some engine may still read.
    retired: Vec<Arc<Keys>>,
    changed: bool,
}

struct Inner {
    state: Mutex<State>,
    cell: Arc<Published<Keys>>,
    tended: AtomicBool,
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Shows engines the slots as they are now, and frees old tables that nobody reads any more.
    fn publish(&self, state: &mut State) {
        if std::mem::take(&mut state.changed) {
            let seats = state.slots.iter().map(|slot| slot.seat.clone()).collect();
            state.retired.push(self.cell.publish(Arc::new(Keys(seats))));
        }
        state.retired.retain(|old| Arc::strong_count(old) > 1);
    }

    fn take(
        &self,
        state: &mut State,
        key: &PublicKey,
        signer: Option<&SigningKey>,
    ) -> Result<(KeyId, Arc<Class>), RingFull> {
        let identity = (signer.is_some(), key.alg().wire(), key.bits().into());
        if let Some(&slot) = state.by_key.get(&identity)
            && let Some(found) = state.slots.get_mut(slot as usize)
            && let Some(entry) = &found.seat.entry
        {
            found.handles += 1;
            return Ok((KeyId { slot, generation: found.seat.generation }, Arc::clone(&entry.class)));
        }
        let slot = match state.free.pop() {
            Some(slot) => slot,
            None if state.slots.len() >= MAX_KEYS => return Err(RingFull),
            None => {
                state.slots.push(Slot { seat: Seat { generation: 1, entry: None }, handles: 0 });
                u32::try_from(state.slots.len() - 1).map_err(|_| RingFull)?
            }
        };
        let found = state.slots.get_mut(slot as usize).ok_or(RingFull)?;
        found.handles = 1;
        let class = Arc::<Class>::default();
        found.seat.entry = Some(Entry::new(key.clone(), signer.cloned(), None, Arc::clone(&class)));
        let id = KeyId { slot, generation: found.seat.generation };
        state.by_key.insert(identity, slot);
        state.changed = true;
        Ok((id, class))
    }

    fn drop_handle(&self, id: KeyId) {
        let mut state = self.lock();
        let Some(slot) = state.slots.get_mut(id.slot as usize) else { return };
        if slot.seat.generation != id.generation || slot.handles == 0 {
            return;
        }
        slot.handles -= 1;
        if slot.handles > 0 {
            return;
        }
        let gone = slot.seat.entry.take();
        slot.seat.generation += 1;
        // A slot whose generations are used up is never given out again.
        let again = slot.seat.generation < u32::MAX;
        if let Some(entry) = &gone {
            state.by_key.remove(&(entry.signer.is_some(), entry.key.alg().wire(), entry.key.bits().into()));
        }
        if again {
            state.free.push(id.slot);
        }
        // Shown with the next change, or by the keeper: a policy lets go of thousands of handles one by one.
        state.changed = true;
    }
}

/// The keys that a pool's engines know. A clone is the same ring.
///
/// Only control touches it: installing and letting go of handles lock it. Policy and pool share one ring; a key of another
/// ring is refused as withdrawn.
#[derive(Clone)]
pub struct KeyRing(Arc<Inner>);

impl Default for KeyRing {
    fn default() -> Self {
        Self::new()
    }
}

impl KeyRing {
    /// A ring without keys.
    #[must_use]
    pub fn new() -> Self {
        let cell = Arc::new(Published::new(Keys(Box::default())));
        Self(Arc::new(Inner { state: Mutex::default(), cell, tended: AtomicBool::new(false) }))
    }

    /// Installs a key to verify with. Installed again while a handle lives, it is the same slot with the same table.
    /// # Errors
    /// [`RingFull`]
    pub fn install(&self, key: &PublicKey) -> Result<KeyHandle, RingFull> {
        self.install_all(std::iter::once(key)).map(|mut all| all.pop())?.ok_or(RingFull)
    }

    /// As [`KeyRing::install`], for all keys of a policy at once: engines see them together.
    /// # Errors
    /// [`RingFull`]; then none stays installed because of this call.
    pub fn install_all<'k>(&self, keys: impl IntoIterator<Item = &'k PublicKey>) -> Result<Vec<KeyHandle>, RingFull> {
        let mut handles = Vec::new();
        let mut state = self.0.lock();
        let mut full = false;
        for key in keys {
            match self.0.take(&mut state, key, None) {
                Ok((id, class)) => {
                    handles.push(KeyHandle { ring: Arc::clone(&self.0), id, key: key.clone(), class });
                }
                Err(RingFull) => {
                    full = true;
                    break;
                }
            }
        }
        self.0.publish(&mut state);
        // Before handles are dropped: that locks too.
        drop(state);
        if full { Err(RingFull) } else { Ok(handles) }
    }

    /// Installs a key to sign with.
    /// # Errors
    /// [`RingFull`]
    pub fn install_signer(&self, key: &SigningKey) -> Result<SignHandle, RingFull> {
        let public = key.public();
        let mut state = self.0.lock();
        let (id, class) = self.0.take(&mut state, &public, Some(key))?;
        self.0.publish(&mut state);
        Ok(SignHandle(KeyHandle { ring: Arc::clone(&self.0), id, key: public, class }))
    }

    /// An engine's view.
    pub(crate) fn reader(&self) -> Reader<Keys> {
        self.0.cell.reader()
    }

    /// The keys as they are now; for control.
    pub(crate) fn current(&self) -> Arc<Keys> {
        self.0.cell.current()
    }

    /// Whether `other` is the same ring.
    pub(crate) fn is(&self, other: &KeyHandle) -> bool {
        Arc::ptr_eq(&self.0, &other.ring)
    }

    /// Takes the tables of a ring into one's care; false if somebody has them.
    pub(crate) fn tend(&self) -> bool {
        !self.0.tended.swap(true, Ordering::AcqRel)
    }

    /// Leaves the care of the tables to somebody else.
    pub(crate) fn untend(&self) {
        self.0.tended.store(false, Ordering::Release);
    }

    /// Gives keys their tables, or takes them away, all in one step. Keys withdrawn meanwhile are passed over.
    pub(crate) fn attach(&self, tables: impl IntoIterator<Item = (KeyId, Option<Arc<Table>>)>) {
        let mut state = self.0.lock();
        for (id, table) in tables {
            let seat = state.slots.get_mut(id.slot as usize).map(|slot| &mut slot.seat);
            let Some(seat) = seat.filter(|seat| seat.generation == id.generation) else { continue };
            if let Some(entry) = &seat.entry {
                let class = Arc::clone(&entry.class);
                seat.entry = Some(Entry::new(entry.key.clone(), entry.signer.clone(), table, class));
                state.changed = true;
            }
        }
        self.0.publish(&mut state);
    }

    /// Shows engines what was withdrawn, and frees what nobody reads any more. Called every now and then by control.
    pub(crate) fn sweep(&self) {
        self.0.publish(&mut self.0.lock());
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyRing").field("keys", &self.0.lock().by_key.len()).finish()
    }
}

/// A key that is installed. The slot is the key's as long as a handle of it lives.
pub struct KeyHandle {
    ring: Arc<Inner>,
    id: KeyId,
    key: PublicKey,
    class: Arc<Class>,
}

impl KeyHandle {
    /// The key.
    #[must_use]
    pub fn key(&self) -> &PublicKey {
        &self.key
    }

    pub(crate) fn id(&self) -> KeyId {
        self.id
    }

    pub(crate) fn class(&self) -> &Class {
        &self.class
    }
}

impl Clone for KeyHandle {
    fn clone(&self) -> Self {
        if let Some(slot) = self.ring.lock().slots.get_mut(self.id.slot as usize) {
            slot.handles += 1;
        }
        Self { ring: Arc::clone(&self.ring), id: self.id, key: self.key.clone(), class: Arc::clone(&self.class) }
    }
}

impl Drop for KeyHandle {
    fn drop(&mut self) {
        self.ring.drop_handle(self.id);
    }
}

impl fmt::Debug for KeyHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyHandle({}.{} {:?})", self.id.slot, self.id.generation, self.key)
    }
}

/// A private key that is installed to sign with.
#[derive(Clone, Debug)]
pub struct SignHandle(KeyHandle);

impl SignHandle {
    /// The public half.
    #[must_use]
    pub fn public(&self) -> &PublicKey {
        self.0.key()
    }

    pub(crate) fn handle(&self) -> &KeyHandle {
        &self.0
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::selftest::test_keys;

    #[test]
    fn a_key_keeps_its_slot_while_a_handle_lives_and_no_longer() {
        let (ring, keys) = (KeyRing::new(), test_keys(3));
        let (a, b) = (ring.install(&keys[0]).unwrap(), ring.install(&keys[1]).unwrap());
        let again = ring.install(&keys[0]).unwrap();
        assert_eq!(a.id(), again.id());
        assert_ne!(a.id().slot, b.id().slot);
        let copy = a.clone();
        drop((a, again));
        assert!(matches!(ring.current().find(copy.id()), Found::Key(entry) if entry.key == keys[0]));
        let old = copy.id();
        drop(copy);
        ring.sweep();
        assert!(matches!(ring.current().find(old), Found::Stale));
        let next = ring.install(&keys[2]).unwrap();
        assert_eq!(next.id(), KeyId { slot: old.slot, generation: old.generation + 1 });
        assert!(matches!(ring.current().find(old), Found::Stale), "never the next key of the slot");
        assert!(matches!(ring.current().find(next.id()), Found::Key(entry) if entry.key == keys[2]));
    }

    #[test]
    fn a_view_from_before_knows_that_it_does_not_know() {
        let (ring, keys) = (KeyRing::new(), test_keys(2));
        let first = ring.install(&keys[0]).unwrap();
        let mut reader = ring.reader();
        let second = ring.install(&keys[1]).unwrap();
        assert!(matches!(reader.held().find(second.id()), Found::Unknown));
        // The slot was empty in the view: not stale, since its generation is the key's.
        let slot = first.id().slot;
        drop(first);
        ring.sweep();
        reader.refresh();
        let later = ring.install(&keys[0]).unwrap();
        assert_eq!(later.id().slot, slot);
        assert!(matches!(reader.held().find(later.id()), Found::Unknown));
        assert!(!reader.is_current());
        reader.refresh();
        assert!(matches!(reader.held().find(later.id()), Found::Key(_)) && reader.is_current());
    }

    #[test]
    fn tables_go_to_the_key_they_were_made_for_and_are_freed_when_nobody_reads() {
        let (ring, keys) = (KeyRing::new(), test_keys(2));
        let handle = ring.install(&keys[0]).unwrap();
        let mut reader = ring.reader();
        let table = Arc::new(Table::stand_in(1));
        let old = handle.id();
        ring.attach([(old, Some(Arc::clone(&table)))]);
        assert_eq!(Arc::strong_count(&table), 2, "here and in the one entry that all tables of keys share");
        reader.refresh();
        let reload = ring.install(&keys[0]).unwrap();
        drop(handle);
        assert!(
            matches!(ring.current().find(reload.id()), Found::Key(entry) if entry.table.is_some()),
            "a reload keeps the table"
        );
        drop(reload);
        let other = ring.install(&keys[1]).unwrap();
        assert_eq!(other.id().slot, old.slot);
        ring.attach([(old, Some(Arc::clone(&table)))]);
        assert!(matches!(ring.current().find(other.id()), Found::Key(entry) if entry.table.is_none()));
        assert!(Arc::strong_count(&table) > 1, "the reader still has it");
        reader.refresh();
        ring.sweep();
        assert_eq!(Arc::strong_count(&table), 1);
    }

    #[test]
    fn to_sign_and_to_verify_are_two_slots() {
        let (ring, own) = (KeyRing::new(), crate::selftest::test_signer());
        let (sign, verify) = (ring.install_signer(&own).unwrap(), ring.install(&own.public()).unwrap());
        assert_ne!(sign.handle().id().slot, verify.id().slot);
        assert!(matches!(ring.current().find(verify.id()), Found::Key(entry) if entry.signer.is_none()));
        assert!(matches!(ring.current().find(sign.handle().id()), Found::Key(entry) if entry.signer.is_some()));
    }
}
