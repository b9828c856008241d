//! The races of [`ReplayMemory`], explored by loom.

use super::*;
use loom::{sync::Arc, thread};

const SAI: [u8; 8] = *b"signer-1";

/// One window of two words: numbers 0..32 and 32..64, then 64..96 over the first again.
fn memory(idle_ms: u64) -> Arc<ReplayMemory> {
    let config = Config { windows: 1, w: 32, nodes_per_signer: 4, idle_ms };
    Arc::new(ReplayMemory::build(config, 32, Key::new(3, 4)))
}

fn both<T: Send + 'static>(
    memory: &Arc<ReplayMemory>,
    other: impl FnOnce(&ReplayMemory) -> T + 'static,
    own: impl FnOnce(&ReplayMemory) -> T,
) -> (T, T) {
    let shared = Arc::clone(memory);
    let thread = thread::spawn(move || other(&shared));
    let own = own(memory);
    (thread.join().unwrap(), own)
}

#[test]
fn of_two_marks_of_one_number_one_wins() {
    loom::model(|| {
        let memory = memory(1000);
        memory.mark(SAI, 0, 3, 0).unwrap();
        let mark = |memory: &ReplayMemory| memory.mark(SAI, 0, 5, 0);
        let outcome = both(&memory, mark, mark);
        assert!(matches!(outcome, (Ok(()), Err(Reason::SecReplay)) | (Err(Reason::SecReplay), Ok(()))));
    });
}

#[test]
fn of_two_first_contacts_with_one_number_one_wins() {
    // Waiting for the flag has very many interleavings; three preemptions still cover each order of the steps.
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(3);
    model.check(|| {
        let memory = memory(1000);
        let mark = |memory: &ReplayMemory| memory.mark(SAI, 0, 5, 0);
        let outcome = both(&memory, mark, mark);
        assert!(matches!(outcome, (Ok(()), Err(Reason::SecReplay)) | (Err(Reason::SecReplay), Ok(()))));
        assert_eq!(memory.counters().opened, 1);
    });
}

#[test]
fn a_window_that_moves_on_never_accepts_an_old_mark_again() {
    loom::model(|| {
        let memory = memory(1000);
        memory.mark(SAI, 0, 5, 0).unwrap();
        // 69 takes the word of 5 for the next lap while 5 comes again and 6 for the first time.
        let (moved, (again, fresh)) = both(
            &memory,
            |memory| (memory.mark(SAI, 0, 69, 0), Ok(())),
            |memory| (memory.mark(SAI, 0, 5, 0), memory.mark(SAI, 0, 6, 0)),
        );
        assert_eq!(moved, (Ok(()), Ok(())));
        assert!(again.is_err());
        assert!(matches!(fresh, Ok(()) | Err(Reason::SecSeqOld)));
        assert_eq!(memory.mark(SAI, 0, 6, 0), Err(Reason::SecSeqOld));
        assert_eq!(memory.mark(SAI, 0, 69, 0), Err(Reason::SecReplay));
    });
}

#[test]
fn a_window_given_away_takes_no_mark_of_its_old_owner() {
    loom::model(|| {
        let memory = memory(10);
        memory.mark(SAI, 0, 3, 0).unwrap();
        // By the clock of one worker the window is idle, by that of the other it is not.
        let (other, own) = both(&memory, |memory| memory.mark(SAI, 1, 7, 11), |memory| memory.mark(SAI, 0, 5, 10));
        assert!(matches!(own, Ok(()) | Err(Reason::ResTableFull)));
        match other {
            // Nothing of node 0 lies in the window of node 1, whose own mark holds.
            Ok(()) => {
                assert_eq!(memory.check(SAI, 1, 5, 11), Ok(()));
                assert_eq!(memory.mark(SAI, 1, 7, 11), Err(Reason::SecReplay));
            }
            Err(reason) => {
                assert_eq!((reason, own), (Reason::ResTableFull, Ok(())));
                assert_eq!(memory.mark(SAI, 0, 5, 11), Err(Reason::SecReplay));
            }
        }
    });
}

#[test]
fn a_check_beside_a_change_of_owner_refuses_nothing_of_its_own_that_is_new() {
    loom::model(|| {
        let memory = memory(10);
        memory.mark(SAI, 0, 3, 0).unwrap();
        let (opened, seen) = both(&memory, |memory| memory.mark(SAI, 1, 7, 11), |memory| memory.check(SAI, 0, 7, 10));
        assert_eq!((opened, seen), (Ok(()), Ok(())));
    });
}
