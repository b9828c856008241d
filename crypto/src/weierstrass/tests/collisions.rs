//! Keys chosen so that two points with equal x meet at a given place of the sum.
//!
//! Each point of a sum is a G + b Q with known a and b. Two of them, or their sums so far, are equal or opposite where
//! (a -+ a') + (b -+ b') d = 0: that is the d of the key. The shape of the sum is told here a second time, and that the
//! engine sums in just this shape is seen from the lanes that it gives up.

use super::super::digits::{each, windows};
use super::super::field::{Curve, Lanes};
use super::super::numbers::{linear, negative, power, product, quotient, small, sum, zero};
use super::super::plan::{self, Plan};
use super::super::table;
use super::super::tree::Tree;
use super::{Asked, Dice, Rig, Subject, agree, by, key_of, multiple, r_of, reference};
use std::collections::{BTreeMap, BTreeSet};

/// a and b of a G + b Q.
type Term<C> = (<C as Curve>::Words, <C as Curve>::Words);

/// How the points of a signature lie in a chunk of signatures with one window.
struct Shape {
    /// Windows of the generator and of the keys.
    windows: [u32; 2],
    /// Signatures in the chunk.
    len: usize,
}

/// Where two points meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    /// Pair of a level.
    Level(usize),
    /// What the levels left, one by one.
    Rest,
    /// The sums of the lanes of one signature, and the points that are in none: they are added completely.
    Lanes,
}

/// The multiples that the digits of u stand for.
fn digits_of<C: Curve>(u: &C::Words, window: u32) -> Vec<C::Words> {
    let even = u.as_ref()[0] & 1 == 0;
    let odd = if even { C::order_minus(u) } else { *u };
    let mut multiples = Vec::new();
    each(odd.as_ref(), windows(C::BITS, window), window, even, |entry, minus| {
        // 2^bit modulo n, also for what the last window has beyond n.
        let bit = multiples.len() * window as usize;
        let half = power::<C>(bit / 2);
        let multiple =
            product::<C>(&small::<C>(2 * entry as u64 + 1), &product::<C>(&half, &power::<C>(bit - bit / 2)));
        multiples.push(if minus { negative::<C>(&multiple) } else { multiple });
    });
    multiples
}

fn plus<C: Curve>(a: &Term<C>, b: &Term<C>) -> Term<C> {
    (sum::<C>(&a.0, &b.0), sum::<C>(&a.1, &b.1))
}

/// Every two terms that meet while u1 G + u2 Q is summed.
fn meetings<C: Curve>(shape: &Shape, u1: &C::Words, u2: &C::Words) -> Vec<(Place, Term<C>, Term<C>)> {
    let mut terms: Vec<Term<C>> = digits_of::<C>(u1, shape.windows[0]).into_iter().map(|a| (a, zero::<C>())).collect();
    terms.extend(digits_of::<C>(u2, shape.windows[1]).into_iter().map(|b| (zero::<C>(), b)));
    let team = shape.len.min(4);
    let ways = [4, 2, 1].into_iter().find(|ways| ways * team <= 4).unwrap_or(1);
    // What cannot be dealt out evenly is in no lane.
    let over = terms.split_off(terms.len() / ways * ways);
    let groups = shape.len.div_ceil(4);
    let mut meetings = Vec::new();
    let mut sums: Vec<Term<C>> = Vec::new();
    for lane in 0..ways {
        let mut left: Vec<_> = terms.iter().copied().skip(lane).step_by(ways).collect();
        // As many pairs as the tree holds worth an inversion.
        for level in 0.. {
            if groups * (left.len() / 2) < 12 {
                break;
            }
            let (alone, pairs) = left.split_at(left.len() % 2);
            meetings.extend(pairs.chunks_exact(2).map(|pair| (Place::Level(level), pair[0], pair[1])));
            left = [alone.to_vec(), pairs.chunks_exact(2).map(|pair| plus::<C>(&pair[0], &pair[1])).collect()].concat();
        }
        let mut so_far = left[0];
        for next in &left[1..] {
            meetings.push((Place::Rest, so_far, *next));
            so_far = plus::<C>(&so_far, next);
        }
        if let Some(before) = sums.last().copied() {
            meetings.push((Place::Lanes, before, so_far));
            so_far = plus::<C>(&before, &so_far);
        }
        sums.push(so_far);
    }
    let mut so_far = sums.last().cloned();
    for next in over {
        if let Some(before) = so_far {
            meetings.push((Place::Lanes, before, next));
            so_far = Some(plus::<C>(&before, &next));
        }
    }
    meetings
}

/// Signatures that hold, each with two equal or opposite points on its way: up to `most` of them for each place; and all
/// levels that there are.
///
/// Multiples of G alone, or of Q alone, do not meet, whatever the key is: at some levels no pair of a shape has both.
fn exceptions<C: Subject>(shape: &Shape, most: usize, dice: &mut Dice) -> (Vec<(Place, Asked)>, BTreeSet<Place>) {
    let (u1, u2) = (dice.scalar::<C>(), dice.scalar::<C>());
    let mut keys = BTreeMap::<Place, Vec<C::Words>>::new();
    for (place, a, b) in meetings::<C>(shape, &u1, &u2) {
        let keys = keys.entry(place).or_default();
        for b in [(negative::<C>(&b.0), negative::<C>(&b.1)), b] {
            let (constant, factor) = plus::<C>(&a, &b);
            if C::in_range(&constant) && C::in_range(&factor) {
                keys.push(negative::<C>(&quotient::<C>(&constant, &factor)));
            }
        }
    }
    let mut asked = Vec::new();
    for (place, keys) in &keys {
        // The first, the last, and what lies evenly between.
        for number in 0..most.min(keys.len()) {
            let d = keys[number * (keys.len() - 1) / (most - 1).max(1)];
            let all = linear::<C>(&u1, &u2, &d);
            if C::in_range(&all) {
                let key = key_of::<C>(&multiple::<C>(&d));
                let one = by::<C>(&key, &r_of::<C>(&multiple::<C>(&all)), &u1, &u2);
                asked.push((*place, Asked { window: shape.windows[1], ..one }));
            }
        }
    }
    (asked, keys.into_keys().collect())
}

/// Which signatures of one chunk are given up by the tree.
fn given_up<C: Curve, L: Lanes<Fe = C::Fe>>(window: u32, asked: &[Asked]) -> Option<Vec<bool>> {
    if !L::supported() {
        return None;
    }
    let base = table::Table::<C, L>::generator(window)?;
    let tables: Vec<_> = asked.iter().map(|one| table::Table::build(&one.key, one.window).expect("a point")).collect();
    let mut plan = Plan::<C, L>::new();
    for (number, (Asked { digest, signature, .. }, table)) in asked.iter().zip(&tables).enumerate() {
        plan.claim(number, &plan::Job { table, digest, signature });
    }
    plan.complete(&base, &mut Vec::new(), false);
    let mut tree = Tree::<L>::new();
    let mut points = plan.lines.iter().zip(&plan.signs);
    for team in &plan.teams {
        tree.begin();
        points.by_ref().take(team.points).for_each(|(lines, signs)| tree.push(*lines, *signs));
    }
    tree.reduce(&mut || {});
    let mut given_up = vec![false; asked.len()];
    for (team, sums) in plan.teams.iter().zip(tree.sums()) {
        for (number, claim) in plan.claims[team.first..][..team.len].iter().enumerate() {
            given_up[claim.job] = sums.failed[number * team.ways..][..team.ways].contains(&true);
        }
    }
    Some(given_up)
}

/// Alone, by two, by three and in whole chunks, of whose lanes none is plain.
pub(crate) fn equal_x_at_each_place_of_the_sum<C: Subject>() {
    let mut dice = Dice(C::BITS as u64);
    for (len, shapes) in [
        (1, [[5, 4], [4, 5], [4, 7]]),
        (2, [[6, 5], [4, 6], [6, 9]]),
        (3, [[5, 9], [4, 7], [3, 5]]),
        (32, [[5, 7], [6, 9], [5, 5]]),
    ] {
        let (mut met, mut all) = (BTreeSet::new(), BTreeSet::new());
        for windows in shapes {
            let (found, places) = exceptions::<C>(&Shape { windows, len }, 4, &mut dice);
            let (places_found, mut asked): (Vec<_>, Vec<_>) = found.into_iter().unzip();
            all.extend(places);
            met.extend(places_found.iter().copied());
            // What is missing to a whole chunk is filled up.
            let found = asked.len();
            for at in found..found.next_multiple_of(len) {
                asked.push(asked[at % found].clone());
            }
            for (chunk, places) in asked.chunks(len).zip(places_found.chunks(len)) {
                let want: Vec<_> = places.iter().map(|place| *place != Place::Lanes).collect();
                for given_up in [given_up::<C, C::Twin>, given_up::<C, C::Vector>] {
                    let given_up = given_up(windows[0], chunk);
                    assert!(
                        given_up.is_none_or(|given_up| given_up[..want.len()] == want),
                        "{windows:?}, {len}: {places:?}"
                    );
                }
            }
            assert_eq!(agree::<C>(&asked, windows[0], &[len]), asked.len());
        }
        assert_eq!(met, all, "{len}");
    }
}

/// One exception at every place of a chunk, good and bad ones around it, keys of several windows: each verdict as alone.
pub(crate) fn neighbours_of_an_exception<C: Subject>() {
    let mut dice = Dice(3 * C::BITS as u64);
    let shape = Shape { windows: [5, 4], len: 32 };
    let exceptions: Vec<_> = exceptions::<C>(&shape, 2, &mut dice).0.into_iter().map(|(_, one)| one).collect();
    let mut plain = Vec::new();
    for window in [4, 4, 4, 5, 6] {
        let (u2, d) = (dice.scalar::<C>(), dice.scalar::<C>());
        let key = key_of::<C>(&multiple::<C>(&d));
        for _ in 0..4 {
            let u1 = dice.scalar::<C>();
            let r = r_of::<C>(&multiple::<C>(&linear::<C>(&u1, &u2, &d)));
            let good = Asked { window, ..by::<C>(&key, &r, &u1, &u2) };
            let mut bad = good.clone();
            bad.digest[dice.below(C::OCTETS)] ^= 1;
            plain.extend([good, bad]);
        }
    }
    let known: Vec<_> = plain.iter().chain(&exceptions).map(reference::<C>).collect();
    let (want_plain, want_exceptions) = known.split_at(plain.len());
    assert!(want_exceptions.iter().all(|&held| held));
    let (mut asked, mut want) = (Vec::new(), Vec::new());
    for place in 0..32 {
        for at in 0..32 {
            if at == place {
                // Every other one does not hold, for all that meets on its way.
                let mut one = exceptions[place % exceptions.len()].clone();
                if place % 2 == 1 {
                    one.signature[0] ^= 1;
                }
                asked.push(one);
                want.push(place % 2 == 0);
            } else {
                let chosen = dice.below(plain.len());
                asked.push(plain[chosen].clone());
                want.push(want_plain[chosen]);
            }
        }
    }
    Rig::<C>::all(5).iter_mut().for_each(|rig| rig.check(&asked, &want, &[32]));
}
