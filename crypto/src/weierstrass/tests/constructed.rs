//! u1, u2 and keys chosen for the ends of the group and of the field.

use super::super::field::Field;
use super::super::numbers::{
    difference, negative, octets, order, plain_sum, power, product, quotient, signature, small, sum, words, zero,
};
use super::{Asked, Dice, Rig, Subject, agree, by, generator, in_turn, key_of, multiple, r_of};
use crate::weierstrass::point::{Affine, Point};

pub(crate) fn the_generator_has_order_n<C: Subject>() {
    let n = order::<C>();
    assert!(generator::<C>().times(n.as_ref()).is_infinity());
    let before = difference::<C>(&n, &small::<C>(1));
    let opposite = generator::<C>().times(before.as_ref()).add(&generator::<C>());
    assert!(opposite.is_infinity());
}

/// u1 G + u2 d G for every pair of small, large and round scalars: equal points, opposite points and infinity on the way
/// and at the end.
pub(crate) fn sums_at_the_ends_of_the_group<C: Subject>() {
    let both = |numbers: Vec<C::Words>| -> Vec<C::Words> {
        numbers.iter().flat_map(|number| [*number, negative::<C>(number)]).collect()
    };
    let mut first = both([1, 2, 3, 5, u64::MAX].map(small::<C>).to_vec());
    first.extend(both([5, 8, 64, C::BITS / 2, C::BITS - 1].map(power::<C>).to_vec()));
    let second = both([small::<C>(1), small::<C>(2), small::<C>(3), power::<C>(8), power::<C>(64)].to_vec());
    let of_generator: Vec<_> = first.iter().map(|u1| (*u1, multiple::<C>(u1))).collect();
    let of_generator = [vec![(zero::<C>(), Point::INFINITY)], of_generator].concat();
    let small_keys = [1, 2, 3].map(small::<C>);
    let large_keys = [1, 2].map(|d| negative::<C>(&small::<C>(d)));
    let round_keys = [8, 64, 128, 192].map(power::<C>);
    let mut asked = Vec::new();
    let (mut infinite, mut damaged) = (0, 0);
    for d in [&small_keys[..], &large_keys, &round_keys].concat() {
        let key = multiple::<C>(&d);
        let octets = key_of::<C>(&key);
        for u2 in &second {
            let of_key = key.times(u2.as_ref());
            for (u1, of_generator) in &of_generator {
                let sum = of_generator.add(&of_key);
                if sum.is_infinity() {
                    // Nothing can be its x coordinate.
                    infinite += 1;
                    asked.push(by::<C>(&octets, &small::<C>(77), u1, u2));
                    continue;
                }
                let good = by::<C>(&octets, &r_of::<C>(&sum), u1, u2);
                asked.push(good.clone());
                if asked.len() % 4 == 0 {
                    let mut bad = good;
                    *bad.signature.last_mut().expect("an octet") ^= 1;
                    asked.push(bad);
                    damaged += 1;
                }
            }
        }
    }
    in_turn(&mut asked, &[4, 5, 7, 3, 2]);
    let held = agree::<C>(&asked, 5, &[1, 33]);
    assert!(infinite >= 20, "{infinite}");
    assert_eq!(held, asked.len() - damaged - infinite);
}

/// The square root, where there is one: p is 3 modulo 4.
fn root<C: Subject>(square: &C::Fe) -> Option<C::Fe> {
    // (p + 1) / 4, from p - 1 = 2 modulo 4.
    let less_one = C::integer_of(&C::Fe::ZERO.sub(&C::Fe::ONE));
    let half = less_one.as_ref();
    let quarter: Vec<_> =
        (0..half.len()).map(|at| half[at] >> 2 | half.get(at + 1).map_or(0, |next| next << 62)).collect();
    let exponent = plain_sum::<C>(&words::<C>(&quarter), &small::<C>(1)).0;
    let mut root = C::Fe::ONE;
    for bit in (0..C::BITS).rev() {
        root = root.sqr();
        if exponent.as_ref()[bit / 64] >> (bit % 64) & 1 == 1 {
            root = root.mul(square);
        }
    }
    (root.sqr() == *square).then_some(root)
}

/// Points with x from n on, where r is x - n; no signer ever meets one.
pub(crate) fn x_between_n_and_p<C: Subject>() {
    let n = order::<C>();
    let from = |start: C::Words| {
        (1..).map(move |by| plain_sum::<C>(&start, &small::<C>(by)).0).filter_map(|x| {
            let fe = C::element(&x)?;
            let three = fe.add(&fe).add(&fe);
            let y = root::<C>(&fe.sqr().mul(&fe).sub(&three).add(&C::b()))?;
            Some((x, Point::from_affine(&Affine { x: fe, y })))
        })
    };
    let mut dice = Dice(7);
    let (u1, u2) = (dice.scalar::<C>(), dice.scalar::<C>());
    // Q = (R - u1 G) / u2
    let key = |sum: &Point<C::Fe>| {
        let rest = sum.add(&multiple::<C>(&negative::<C>(&u1)));
        key_of::<C>(&rest.times(quotient::<C>(&small::<C>(1), &u2).as_ref()))
    };
    let next = |r: &C::Words| plain_sum::<C>(r, &small::<C>(1)).0;
    let mut asked = Vec::new();
    for (x, sum) in from(n).take(4) {
        let r = difference::<C>(&x, &n);
        // Also the same key for an r that is not there, and x itself as r, which is not below n.
        asked.push(by::<C>(&key(&sum), &r, &u1, &u2));
        let mut whole = by::<C>(&key(&sum), &r, &u1, &u2);
        whole.signature[..C::OCTETS].copy_from_slice(&octets::<C>(&x));
        asked.push(whole);
        asked.push(by::<C>(&key(&sum), &next(&r), &u1, &u2));
    }
    // Small x: r is x, and r + n another candidate that is not meant.
    for (x, sum) in from(zero::<C>()).take(4) {
        asked.push(by::<C>(&key(&sum), &x, &u1, &u2));
        asked.push(by::<C>(&key(&sum), &next(&x), &u1, &u2));
    }
    // The last r that has a second candidate, and the first that has none: r + n is p - 1 and p.
    let last = difference::<C>(&C::integer_of(&C::Fe::ZERO.sub(&C::Fe::ONE)), &n);
    assert!(C::plus_order(&last).is_some() && C::plus_order(&next(&last)).is_none());
    for r in [last, next(&last)] {
        asked.push(by::<C>(&asked[0].key.clone(), &r, &u1, &u2));
    }
    in_turn(&mut asked, &[4, 5]);
    assert_eq!(agree::<C>(&asked, 5, &[1, 3, 4, 32]), 8);
}

/// Random scalars, keys and digests under several windows, so that the digits of all windows are met; and digests from n
/// on, which count modulo n.
pub(crate) fn random_sums<C: Subject>() {
    let mut dice = Dice(C::BITS as u64);
    let mut asked = Vec::new();
    for _ in 0..6 {
        let d = dice.scalar::<C>();
        let key = key_of::<C>(&multiple::<C>(&d));
        for _ in 0..24 {
            let (u1, u2) = (dice.scalar::<C>(), dice.scalar::<C>());
            let all = sum::<C>(&u1, &product::<C>(&u2, &d));
            if C::in_range(&all) {
                asked.push(by::<C>(&key, &r_of::<C>(&multiple::<C>(&all)), &u1, &u2));
            }
        }
    }
    for z in 0..4 {
        // s = (z + r d) / k, solved for d.
        let (k, s, z) = (dice.scalar::<C>(), dice.scalar::<C>(), small::<C>(z));
        let r = r_of::<C>(&multiple::<C>(&k));
        let d = quotient::<C>(&sum::<C>(&product::<C>(&s, &k), &negative::<C>(&z)), &r);
        let (digest, over) = plain_sum::<C>(&z, &order::<C>());
        assert!(!over);
        let (key, digest) = (key_of::<C>(&multiple::<C>(&d)), octets::<C>(&digest));
        asked.push(Asked { key, window: 4, digest, signature: signature::<C>(&r, &s) });
    }
    for (base, windows) in [(6, [7, 3, 8]), (2, [2, 4, 6]), (12, [10, 9, 5])] {
        in_turn(&mut asked, &windows);
        let want = vec![true; asked.len()];
        Rig::<C>::all(base).iter_mut().for_each(|rig| rig.check(&asked, &want, &[5, 200]));
    }
    assert_eq!(agree::<C>(&asked, 4, &[33]), asked.len());
}
