//! The engine of a thread with a queue of the device: the device first, and software for all else.

use super::board::{Count, Hardware};
use super::queue::Queue;
use super::round::{Places, Round};
use crate::engine::{CHECKS, Check, Choice, Engine, Reference, Verdicts};
use crate::sample::Evidence;

/// A device in front of an engine.
pub(crate) struct Assisted {
    behind: Box<dyn Engine>,
    board: Hardware,
    queue: Option<Queue>,
}

impl Assisted {
    /// For the calling thread. Without a queue, or with a device that fails its known answers, it is the engine behind.
    pub(crate) fn new(behind: Box<dyn Engine>, board: &Hardware) -> Self {
        Self { behind, board: board.clone(), queue: Queue::open(board) }
    }
}

impl Engine for Assisted {
    fn verify(&mut self, checks: &[Check<'_>], verdicts: &mut Verdicts) {
        if self.board.is_distrusted() {
            self.queue = None;
        }
        let queue = self.queue.as_mut().and_then(|queue| queue.is_ready().then_some(queue));
        let Some(queue) = queue else { return self.behind.verify(checks, verdicts) };
        let all = Places::first(checks.len());
        let mut round = Round::default();
        queue.send(checks, &mut round);
        // What the device does not do is done while it works. On probation software does everything.
        let probation = queue.is_on_probation();
        let own = if probation { all } else { all.less(round.sent).less(round.refused) };
        let mut held = ask(self.behind.as_mut(), checks, own, verdicts);
        queue.receive(&mut round);
        let counted = round.verdicts().less(own);
        let left = round.sent.less(own).less(counted);
        held = held.or(ask(self.behind.as_mut(), checks, left, verdicts));
        // An error is the device's fault where the signature holds: a forged one may come back with nothing else.
        let errors = round.unanswered.or(round.unsure.and(held)).count();
        queue.judge(errors, !round.yes.is_empty());
        if probation {
            held = compare(queue, &self.board, checks, &round, held);
        }
        self.board.add(Count::Answered, counted.count());
        self.board.add(Count::Full, round.wanted.less(round.sent).count());
        held.or(round.yes.and(counted)).iter().for_each(|place| verdicts.grant(place));
        counted.iter().for_each(|place| verdicts.attribute(place));
    }

    fn choices(&self) -> Vec<Choice> {
        self.behind.choices()
    }
}

/// Which of the checks at `places` the engine grants. Those that it had to work out a second time are marked in `marks`.
fn ask(engine: &mut dyn Engine, checks: &[Check<'_>], places: Places, marks: &mut Verdicts) -> Places {
    let Some(first) = checks.first().filter(|_| !places.is_empty()) else { return Places::default() };
    let (mut dense, mut from, mut count) = ([*first; CHECKS], [0; CHECKS], 0);
    let mine = places.iter().filter_map(|place| Some((place, checks.get(place)?)));
    for ((place, check), (to, at)) in mine.zip(dense.iter_mut().zip(&mut from)) {
        (*to, *at) = (*check, place);
        count += 1;
    }
    let mut verdicts = Verdicts::default();
    engine.verify(dense.get(..count).unwrap_or_default(), &mut verdicts);
    from.iter().take(count).enumerate().filter(|(index, _)| verdicts.again(*index)).for_each(|(_, place)| {
        marks.mark_again(*place);
    });
    let granted = from.iter().take(count).enumerate().filter(|(index, _)| verdicts.held(*index));
    granted.fold(Places::default(), |held, (_, place)| held.with(*place))
}

/// Compares what both said. Where they differ, the reference decides who is wrong, and what counts.
fn compare(queue: &mut Queue, board: &Hardware, checks: &[Check<'_>], round: &Round, held: Places) -> Places {
    let mut held = held;
    queue.proven(round.verdicts().count());
    for (place, check) in round.verdicts().iter().filter_map(|place| Some((place, checks.get(place)?))) {
        let (device, software) = (round.yes.has(place), held.has(place));
        if device == software {
            continue;
        }
        let reference = Reference::holds(check);
        if device == reference {
            board.accuse(Evidence::of(check, software, reference, false));
        } else {
            queue.condemn("it gave a wrong verdict", Evidence::of(check, device, reference, true));
        }
        held = if reference { held.with(place) } else { held.less(Places::default().with(place)) };
    }
    held
}
