//! Tree, plan and tables by themselves.

use super::super::choice::{Kernels, Table};
use super::super::field::{Curve, Field, Lanes, Signs};
use super::super::numbers::{octets, order, small, zero};
use super::super::plan::{Job, Plan};
use super::super::point::{Affine, Point};
use super::super::table;
use super::super::tree::Tree;
use super::{Dice, Subject, by, generator, key_of, multiple};

/// Sums of random points with random signs against complete additions: groups of one point and of many, of equal and of
/// different length, and chunk after chunk in the same memory.
fn trees<C: Curve, L: Lanes<Fe = C::Fe>>() {
    if !L::supported() {
        return;
    }
    let (base, mut dice) = (table::Table::<C, L>::generator(6).expect("memory"), Dice(6));
    let mut tree = Tree::<L>::new();
    let shapes = [
        vec![1],
        vec![2],
        vec![3],
        vec![23],
        vec![24],
        vec![25],
        vec![49],
        vec![1, 2, 3],
        vec![31, 32, 33],
        vec![64; 3],
    ];
    for counts in shapes {
        tree.clear();
        let mut wanted = Vec::new();
        for count in &counts {
            tree.begin();
            let mut sums = [Point::INFINITY; 4];
            for _ in 0..*count {
                let at: [usize; 4] = std::array::from_fn(|_| dice.below(base.windows() << 5));
                let mut signs = Signs::default();
                for (lane, sum) in sums.iter_mut().enumerate() {
                    let negative = dice.below(2) == 1;
                    signs.turn(lane, negative);
                    *sum = sum.add(&Point::from_affine(&base.point_at(at[lane]).negated_if(negative)));
                }
                tree.push(at.map(|at| base.at(at)), signs);
            }
            wanted.push(sums);
        }
        let mut calls = 0;
        tree.reduce(&mut || calls += 1);
        let pairs: usize = counts.iter().map(|count| count / 2).sum();
        assert_eq!(calls >= 2 * pairs && calls > 0, pairs >= 12, "{counts:?}: {calls}");
        assert_eq!(tree.sums().count(), counts.len());
        for (sums, wanted) in tree.sums().zip(&wanted) {
            for (lane, wanted) in wanted.iter().enumerate() {
                let sum = sums.lane(lane);
                let equal =
                    sum.x.mul(&wanted.zz) == wanted.x.mul(&sum.zz) && sum.y.mul(&wanted.zzz) == wanted.y.mul(&sum.zzz);
                // Two random points of 1,400 are sometimes the same: then the lane says so.
                assert!(sums.failed[lane] || (equal && !wanted.is_infinity()), "{counts:?}, lane {lane}");
            }
        }
        let failed = tree.sums().flat_map(|sums| sums.failed).filter(|&failed| failed).count();
        assert!(failed <= counts.len(), "{counts:?}: {failed}");
    }
}

pub(crate) fn trees_of_odd_and_even_counts<C: Subject>() {
    trees::<C, C::Twin>();
    trees::<C, C::Vector>();
}

/// What [`Job`] needs, by octets.
fn some<C: Subject>(count: usize, dice: &mut Dice) -> Vec<super::Asked> {
    let key = key_of::<C>(&generator::<C>());
    (0..count).map(|_| by::<C>(&key, &dice.scalar::<C>(), &dice.scalar::<C>(), &dice.scalar::<C>())).collect()
}

/// One signature in four lanes, in two, in one; two in two lanes each; and teams that share one window.
pub(crate) fn teams_of_each_number_of_ways<C: Subject>() {
    type Tables<C> = table::Table<C, <C as Curve>::Twin>;
    let asked = some::<C>(9, &mut Dice(9));
    // The windows of all four bits, and others: what matters is how many points they make together.
    let bases = [4, 5, 6, 7].map(|window| Tables::<C>::generator(window).expect("memory"));
    let keys = [4, 5, 6, 7].map(|window| Tables::<C>::build(&asked[0].key, window).expect("a point"));
    let mut seen = [0; 5];
    for (base, key) in bases.iter().flat_map(|base| keys.iter().map(move |key| (base, key))) {
        let points = base.windows() + key.windows();
        for len in 1..=9 {
            let mut plan = Plan::<C, C::Twin>::new();
            for (number, super::Asked { digest, signature, .. }) in asked[..len].iter().enumerate() {
                plan.claim(number, &Job { table: key, digest, signature });
            }
            plan.complete(base, &mut Vec::new(), false);
            assert_eq!(plan.teams.iter().map(|team| team.len).sum::<usize>(), len);
            let mut first = 0;
            for team in &plan.teams {
                let ways = [4, 2, 1, 1][team.len - 1];
                assert_eq!((team.first, team.ways, team.points), (first, ways, points / ways), "{len} of {points}");
                seen[team.ways] += 1;
                first += team.len;
            }
            assert_eq!(plan.lines.len(), plan.teams.iter().map(|team| team.points).sum::<usize>());
            assert_eq!(plan.signs.len(), plan.lines.len());
        }
    }
    assert!([1, 2, 4].into_iter().all(|ways| seen[ways] > 0), "{seen:?}");
    // Keys of two windows, mixed: no team has both.
    let mut plan = Plan::<C, C::Twin>::new();
    for (number, super::Asked { digest, signature, .. }) in asked.iter().enumerate() {
        plan.claim(number, &Job { table: &keys[number % 2], digest, signature });
    }
    plan.complete(&bases[0], &mut Vec::new(), false);
    let shared = |team: &super::super::plan::Team| {
        let claims = &plan.claims[team.first..][..team.len];
        claims.iter().all(|claim| claim.table.window() == claims[0].table.window())
    };
    assert!(plan.teams.iter().all(shared));
    let mut jobs: Vec<_> = plan.claims.iter().map(|claim| claim.job).collect();
    jobs.sort_unstable();
    assert_eq!(jobs, (0..9).collect::<Vec<_>>());
}

/// Cut, lengthened, or with r or s out of range, wherever in the chunk.
pub(crate) fn malformed_signatures_are_left_out<C: Subject>() {
    let asked = some::<C>(8, &mut Dice(8));
    let base = table::Table::<C, C::Twin>::generator(4).expect("memory");
    let (zeros, n) = (octets::<C>(&zero::<C>()), octets::<C>(&order::<C>()));
    let mut signatures: Vec<_> = asked.iter().map(|one| one.signature.clone()).collect();
    let last = 2 * C::OCTETS - 1;
    signatures[0].truncate(last);
    signatures[1].push(0);
    signatures[2].clear();
    signatures[3][..C::OCTETS].copy_from_slice(&zeros);
    signatures[4][C::OCTETS..].copy_from_slice(&zeros);
    signatures[5][..C::OCTETS].copy_from_slice(&n);
    let mut plan = Plan::<C, C::Twin>::new();
    for (number, (one, signature)) in asked.iter().zip(&signatures).enumerate() {
        // The last one's digest is too short.
        let digest = if number == 7 { &one.digest[1..] } else { &one.digest };
        plan.claim(number, &Job { table: &base, digest, signature });
    }
    plan.complete(&base, &mut Vec::new(), false);
    assert_eq!(plan.claims.iter().map(|claim| claim.job).collect::<Vec<_>>(), [6]);
    // With none left there is nothing to do.
    plan.clear();
    plan.claim(0, &Job { table: &base, digest: &asked[0].digest, signature: &signatures[0] });
    plan.complete(&base, &mut Vec::new(), false);
    assert!(plan.claims.is_empty() && plan.teams.is_empty() && plan.lines.is_empty());
}

/// Every line of a table, for each window and both kernels.
pub(crate) fn tables_hold_what_double_and_add_says<C: Subject>() {
    fn every_line<C: Curve, L: Lanes<Fe = C::Fe>>(key: &[u8]) {
        for window in if L::supported() { 2..=6 } else { 0..=0 } {
            let Some(table) = table::Table::<C, L>::build(key, window) else { continue };
            // 2^(wi) P, then its odd multiples.
            let mut first = Point::from_affine(table.point());
            for number in 0..table.windows() {
                let (mut multiple, double) = (first, first.double());
                for entry in 0..1 << (window - 1) {
                    let at = (number << (window - 1)) + entry;
                    assert!(multiple.equals(&table.point_at(at)), "line {at} of window {window}");
                    multiple = multiple.add(&double);
                }
                (0..window).for_each(|_| first = first.double());
            }
            assert!((0..7).all(|pick| table.holds(pick * 1009)));
        }
    }
    let key = key_of::<C>(&multiple::<C>(&Dice(1).scalar::<C>()));
    every_line::<C, C::Twin>(&key);
    every_line::<C, C::Vector>(&key);
    // Of a point and its negative, the lines differ in sign alone.
    let [one, other] = [small::<C>(1), C::order_minus(&small::<C>(1))].map(|d| key_of::<C>(&multiple::<C>(&d)));
    let tables = [one, other].map(|key| table::Table::<C, C::Twin>::build(&key, 3).expect("a point"));
    for at in 0..4 * tables[0].windows() {
        let Affine { x, y } = tables[0].point_at(at);
        assert_eq!(tables[1].point_at(at).negated_if(true), Affine { x, y });
    }
}

/// Points that are none, and windows that there are not.
pub(crate) fn tables_refuse_what_is_no_point<C: Subject>() {
    let key = key_of::<C>(&multiple::<C>(&small::<C>(5)));
    let built = |key: &[u8], window| Table::<C>::build(Kernels::Twin, key, window).is_some();
    assert!(built(&key, 2) && !built(&key, 1) && !built(&key, 0) && !built(&key, 17));
    assert!(!built(&key[..key.len() - 1], 4) && !built(&[&key[..], &[0]].concat(), 4) && !built(&[], 4));
    for (at, bit) in [(0, 1), (0, 4), (1, 0x80), (key.len() / 2, 1), (key.len() - 1, 1)] {
        let mut bent = key.clone();
        bent[at] ^= bit;
        assert!(!built(&bent, 4), "octet {at}");
    }
    // Coordinates that are not below p, though equal to some that are: (x, y + p) for the y of a point, where it fits.
    assert!(!built(&[vec![4], vec![0xff; 2 * C::OCTETS]].concat(), 4));
    assert!(!built(&vec![0; key.len()], 4));
}
