//! Positions of one direction on both sides of the gateway: what changed its length, and where.
//!
//! A position is a sequence number that does not wrap: 64 bits, the lower 32 as on the wire.

use std::collections::VecDeque;

/// A message whose length changed: where it lies as it came in, and where it lies as it left. Neither is empty.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    pub(super) input: (u64, u64),
    pub(super) output: (u64, u64),
}

/// The steps that are not acknowledged yet, in order, and what went before.
#[derive(Debug, Default)]
pub(super) struct Map {
    /// A position before all steps, as it came in and as it left.
    anchor: (u64, u64),
    steps: VecDeque<Step>,
}

impl Map {
    /// Forgets all; `position` is the same on both sides.
    pub(super) fn reset(&mut self, position: u64) {
        self.anchor = (position, position);
        self.steps.clear();
    }

    /// How many steps.
    pub(super) fn len(&self) -> usize {
        self.steps.len()
    }

    /// Adds a step behind all others.
    pub(super) fn push(&mut self, step: Step) {
        self.steps.push_back(step);
    }

    /// Where an input position left. Inside a step: its start, or its end if `up`.
    pub(super) fn to_output(&self, at: u64, up: bool) -> u64 {
        translate(&self.steps, at, up, self.anchor, |step| (step.input, step.output))
    }

    /// From which input position an output position came. Inside a step: its start, or its end if `up`.
    pub(super) fn to_input(&self, at: u64, up: bool) -> u64 {
        let (input, output) = self.anchor;
        translate(&self.steps, at, up, (output, input), |step| (step.output, step.input))
    }

    /// The step that an input position lies in, its start included.
    pub(super) fn at_input(&self, at: u64) -> Option<&Step> {
        let i = self.steps.partition_point(|step| step.input.0 <= at);
        self.steps.get(i.checked_sub(1)?).filter(|step| at < step.input.1)
    }

    /// Forgets the steps that end at or before an output position.
    pub(super) fn prune(&mut self, acknowledged: u64) {
        while let Some(step) = self.steps.front().filter(|step| step.output.1 <= acknowledged) {
            self.anchor = (step.input.1, step.output.1);
            self.steps.pop_front();
        }
    }
}

fn translate(
    steps: &VecDeque<Step>,
    at: u64,
    up: bool,
    anchor: (u64, u64),
    sides: impl Fn(&Step) -> ((u64, u64), (u64, u64)),
) -> u64 {
    let i = steps.partition_point(|step| sides(step).0.0 <= at);
    let Some(step) = i.checked_sub(1).and_then(|i| steps.get(i)) else {
        return at.wrapping_sub(anchor.0).wrapping_add(anchor.1);
    };
    let (from, to) = sides(step);
    if at >= from.1 {
        at - from.1 + to.1
    } else if up && at > from.0 {
        to.1
    } else {
        to.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_translate_both_ways() {
        let mut map = Map::default();
        map.reset(1000);
        map.push(Step { input: (1010, 1020), output: (1010, 1015) });
        map.push(Step { input: (1030, 1040), output: (1025, 1055) });
        for (input, output) in [(999, 999), (1010, 1010), (1020, 1015), (1029, 1024), (1030, 1025), (1041, 1056)] {
            assert_eq!((map.to_output(input, false), map.to_output(input, true)), (output, output), "{input}");
            assert_eq!((map.to_input(output, false), map.to_input(output, true)), (input, input), "{output}");
        }
        assert_eq!((map.to_output(1035, false), map.to_output(1035, true)), (1025, 1055));
        assert_eq!((map.to_input(1011, false), map.to_input(1054, true)), (1010, 1040));
        assert!(map.at_input(1039).is_some() && map.at_input(1040).is_none() && map.at_input(1009).is_none());
        map.prune(1054);
        assert_eq!((map.len(), map.to_input(1014, false), map.to_input(1020, false)), (1, 1019, 1025));
        map.prune(1055);
        assert_eq!((map.len(), map.to_output(1039, false), map.to_output(1041, false)), (0, 1054, 1056));
    }
}
