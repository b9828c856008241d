//! Signatures made by aws-lc-rs, whole and damaged, in batches of all sizes with keys of all windows.

use super::super::numbers::{difference, octets, ones, order, plain_sum, signature, small, zero};
use super::{Asked, Dice, Rig, Subject, reference};
use aws_lc_rs::digest::digest;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{EcdsaKeyPair, KeyPair};
use std::env;

/// Signatures, each asked whole and damaged. `SEALGATE_TRIALS` says another number: no other test is so long.
const TRIALS: usize = 700;
const LENS: [usize; 13] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 31, 32, 33, 64];
/// Ways to damage a signature, see [`damage`].
pub(super) const WAYS: usize = 11;

/// A signature that is damaged: what becomes of it, and whether it holds still.
pub(super) fn damage<C: Subject>(asked: &mut Asked, way: usize, other: &Asked, dice: &mut Dice) -> bool {
    let half = C::OCTETS;
    let (r, s) = asked.signature.split_at(half);
    let (r, s) = (C::integer(r).expect("r"), C::integer(s).expect("s"));
    let bit = dice.below(8 * half);
    let (octet, mask) = (bit / 8, 1 << (bit % 8));
    let n = order::<C>();
    let special = [
        zero::<C>(),
        small::<C>(1),
        n,
        difference::<C>(&n, &small::<C>(1)),
        plain_sum::<C>(&n, &small::<C>(1)).0,
        ones::<C>(8 * half),
        ones::<C>(dice.below(8 * half)),
        // Not below n, or wrapped.
        plain_sum::<C>(&n, &r).0,
        plain_sum::<C>(&n, &s).0,
    ];
    match way {
        0 => asked.signature[octet] ^= mask,
        1 => asked.signature[half + octet] ^= mask,
        2 => asked.digest[octet] ^= mask,
        3 => (asked.key, asked.window) = (other.key.clone(), other.window),
        // (r, n - s) holds where (r, s) does: x is that of the negative point too.
        4 => asked.signature = signature::<C>(&r, &C::order_minus(&s)),
        5 => asked.signature = signature::<C>(&C::order_minus(&r), &s),
        6 => asked.signature = signature::<C>(&s, &r),
        7 => asked.signature = signature::<C>(&dice.pick(&special), &s),
        8 => asked.signature = signature::<C>(&r, &dice.pick(&special)),
        9 => asked.digest = octets::<C>(&dice.pick(&special)),
        _ => asked.signature = signature::<C>(&dice.pick(&special), &dice.pick(&special)),
    }
    way == 4
}

pub(crate) fn signatures_made_and_damaged<C: Subject>() {
    let trials = env::var("SEALGATE_TRIALS").map_or(TRIALS, |number| number.parse().expect("a number of signatures"));
    let (rng, mut dice) = (SystemRandom::new(), Dice(C::BITS as u64));
    let mut rigs: Vec<_> = [2, 5, 8, 12].map(Rig::<C>::all).into_iter().collect();
    let (mut made, mut compared, mut held) = (0, 0, 0);
    while made < trials {
        // Some keys for some batches; one key has two tables.
        let windows = [dice.pick(&[2, 3, 4]), dice.pick(&[5, 6, 7]), dice.pick(&[8, 9, 10])];
        let keys: Vec<_> = (0..3).map(|_| EcdsaKeyPair::generate(C::SIGNING).expect("a key")).collect();
        rigs.iter_mut().flatten().for_each(|rig| rig.tables.clear());
        for _ in 0..30 {
            let sign = |key: usize, window: usize, dice: &mut Dice| {
                let message = dice.next().to_be_bytes();
                Asked {
                    key: keys[key].public_key().as_ref().to_vec(),
                    window: windows[window],
                    digest: digest(C::DIGEST, &message).as_ref().to_vec(),
                    signature: keys[key].sign(&rng, &message).expect("a signature").as_ref().to_vec(),
                }
            };
            let len = dice.pick(&LENS);
            let (mut asked, mut want) = (Vec::new(), Vec::new());
            while asked.len() < len {
                let key = dice.below(3);
                let whole = sign(key, if key == 0 { dice.below(2) } else { key }, &mut dice);
                let other = sign((key + 1) % 3, (key + 1) % 3, &mut dice);
                let mut damaged = whole.clone();
                let way = dice.below(WAYS);
                want.extend([true, damage::<C>(&mut damaged, way, &other, &mut dice)]);
                asked.extend([whole, damaged]);
                made += 1;
            }
            let answers: Vec<_> = asked.iter().map(reference::<C>).collect();
            assert_eq!(answers, want, "{asked:x?}");
            let at = dice.below(rigs.len());
            for rig in &mut rigs[at] {
                rig.check(&asked, &want, &[len]);
                compared += want.len();
            }
            held += want.iter().filter(|&&held| held).count();
            if made >= trials {
                break;
            }
        }
    }
    println!("{}: {made} signatures, {held} of {} hold, {compared} verdicts of the tables agree", C::NAME, 2 * made);
    assert!(held > made && held < made + made / 3, "{held} of {made}");
}
