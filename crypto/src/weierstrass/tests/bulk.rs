//! Many signatures through the tables alone, as a pool asks them.
//!
//! A signature that aws-lc-rs has just made holds by its own word, so only the tables are asked about it: that makes 10^8 of
//! them a matter of an hour. One in 64 is damaged, and of that one aws-lc-rs is asked too.

use super::made::{WAYS, damage};
use super::{Asked, Dice, Rig, Subject, reference};
use crate::weierstrass::choice::{Job, Kernels, Verifier};
use aws_lc_rs::digest::digest;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{EcdsaKeyPair, KeyPair};
use std::env;
use std::time::Instant;

/// Signatures. `SEALGATE_BULK` says another number.
const SIGNATURES: usize = 4_096;
/// Of one batch, the last of which is damaged.
const BATCH: usize = 64;
/// Batches with the same keys.
const STAY: usize = 20_000;
/// Windows of the keys' tables: those of the tiers.
const WINDOWS: [u32; 5] = [5, 8, 8, 8, 10];

pub(crate) fn signatures_in_bulk<C: Subject>() {
    let wanted = env::var("SEALGATE_BULK").map_or(SIGNATURES, |number| number.parse().expect("a number of signatures"));
    let kernels = Kernels::best::<C>();
    let window = if wanted > SIGNATURES { 16 } else { 8 };
    let mut rig = Rig::<C>::all(window).into_iter().find(|rig| rig.kernels == kernels).expect("kernels");
    let (rng, began) = (SystemRandom::new(), Instant::now());
    // Other chances in each run: what is signed is in the counts, not in the seed.
    let mut seed = [0; 8];
    aws_lc_rs::rand::fill(&mut seed).expect("chance");
    let mut dice = Dice(u64::from_le_bytes(seed));
    let mut verifier = Verifier::new(&rig.base);
    let (mut whole, mut damaged, mut held) = (0, 0, 0);
    while whole < wanted {
        let keys = WINDOWS.map(|window| (EcdsaKeyPair::generate(C::SIGNING).expect("a key"), window));
        let public = keys.each_ref().map(|(key, window)| (key.public_key().as_ref().to_vec(), *window));
        rig.tables.clear();
        let unsigned = |(key, window): &(Vec<u8>, u32)| Asked {
            key: key.clone(),
            window: *window,
            digest: vec![],
            signature: vec![],
        };
        rig.learn(&public.each_ref().map(unsigned));
        for _ in 0..STAY {
            let mut asked: Vec<_> = (0..BATCH)
                .map(|_| {
                    let at = dice.below(keys.len());
                    let message = dice.next().to_be_bytes();
                    let signature = keys[at].0.sign(&rng, &message).expect("a signature").as_ref().to_vec();
                    (at, digest(C::DIGEST, &message).as_ref().to_vec(), signature)
                })
                .collect();
            let of = |(at, digest, signature): &(usize, Vec<u8>, Vec<u8>)| Asked {
                key: public[*at].0.clone(),
                window: public[*at].1,
                digest: digest.clone(),
                signature: signature.clone(),
            };
            let mut last = of(&asked[BATCH - 1]);
            let way = dice.below(WAYS);
            damage::<C>(&mut last, way, &of(&asked[0]), &mut dice);
            let want = reference::<C>(&last);
            let at = public.iter().position(|(key, _)| *key == last.key).expect("one of the keys");
            asked[BATCH - 1] = (at, last.digest.clone(), last.signature.clone());
            let jobs: Vec<_> = asked
                .iter()
                .map(|(at, digest, signature)| Job { table: &rig.tables[&public[*at]], digest, signature })
                .collect();
            let mut granted = [0_u32; BATCH];
            verifier.verify(&jobs, &mut |at| granted[at] += 1);
            assert!(granted[..BATCH - 1].iter().all(|&times| times == 1), "{granted:?} of {asked:x?} with {public:x?}");
            assert_eq!(granted[BATCH - 1], u32::from(want), "{last:x?}");
            (whole, damaged, held) = (whole + BATCH - 1, damaged + 1, held + usize::from(want));
            if whole / 1_000_000 > (whole + 1 - BATCH) / 1_000_000 {
                println!("{}: {whole} whole, {damaged} damaged, {:.0} s", C::NAME, began.elapsed().as_secs_f64());
            }
            if whole >= wanted {
                break;
            }
        }
    }
    println!("{}: {whole} whole signatures hold; of {damaged} damaged ones {held} hold, as aws-lc-rs says", C::NAME);
    assert!(held * 4 < damaged, "{held} of {damaged}");
}
