//! The four lanes against the scalar twin, also with limbs and values at the top of their ranges.

use super::super::words::naive;
use super::*;
use proptest::prelude::*;

const LARGE: u64 = (1 << 30) + (1 << 6);

/// All limbs as large as may be, but for the top one.
fn large(top: u64) -> Avx2 {
    let mut limbs = [[LARGE; 4]; LIMBS];
    limbs[12] = [top; 4];
    Avx2(Limbs(limbs))
}

/// The largest product (just below 2 p) and the largest difference (just below 11 p).
fn largest() -> [Avx2; 2] {
    [large((1 << 25) - 2), large(11 << 24)]
}

/// Asserts the bound on limbs, and that the value is at most `times` 2^384, and a little.
fn within(v: &Avx2, times: u64) {
    for lane in 0..4 {
        assert!(v.0.0.iter().all(|limb| limb[lane] <= LARGE), "{v:x?}");
        assert!(v.0.0[12][lane] < (times << 24) + 8, "{v:x?}");
    }
}

fn all(v: &Avx2) -> [Fe; 4] {
    std::array::from_fn(|lane| v.get(lane))
}

fn each<const N: usize>(of: [&Avx2; N], result: impl Fn([Fe; N]) -> Fe) -> [Fe; 4] {
    std::array::from_fn(|lane| result(of.map(|v| v.get(lane))))
}

fn load(values: &[Fe; 4]) -> Avx2 {
    let lines = values.map(|value| Avx2::line(&value, &value.neg()));
    let [mut x, mut y] = [Avx2::splat(&Fe::ZERO); 2];
    Avx2::gather(lines.each_ref(), &mut x, &mut y);
    assert_eq!((all(&x), all(&y)), (*values, values.map(|value| value.neg())));
    x
}

fn signs(negative: [bool; 4]) -> Signs {
    let mut signs = Signs::default();
    negative.iter().enumerate().for_each(|(lane, &negative)| signs.turn(lane, negative));
    signs
}

fn made(make: impl FnOnce(&mut Avx2)) -> Avx2 {
    let mut out = large(77);
    make(&mut out);
    out
}

/// Every operation against the scalar one, and the bounds of its result. `a`, `b`, `c`: products; `d`: a difference.
fn check(a: &Avx2, b: &Avx2, c: &Avx2, d: &Avx2, signs: Signs) {
    let product = made(|out| out.mul(a, d));
    assert_eq!(all(&product), each([a, d], |[a, d]| a.mul(&d)));
    within(&product, 2);
    let square = made(|out| out.sqr(a));
    assert_eq!(square.0, made(|out| out.mul(a, a)).0);
    let less = made(|out| out.mul_sub(a, d, c));
    assert_eq!(all(&less), each([a, d, c], |[a, d, c]| a.mul(&d).sub(&c)));
    within(&less, 1);
    let mut by = *a;
    by.mul_by(d);
    assert_eq!(by.0, product.0);
    let mut less = *c;
    less.sqr_sub(a, b);
    assert_eq!(all(&less), each([a, b, c], |[a, b, c]| a.sqr().sub(&b).sub(&c)));
    within(&less, 1);
    let (mut less, twice) = (*c, made(|out| out.twice(b)));
    less.sqr_sub(a, &twice);
    assert_eq!(all(&less), each([a, b, c], |[a, b, c]| a.sqr().sub(&b.add(&b)).sub(&c)));
    within(&less, 1);
    let less = made(|out| out.difference(a, b));
    assert_eq!(all(&less), each([a, b], |[a, b]| a.sub(&b)));
    within(&less, 7);
    let less = made(|out| out.signed_difference(a, signs, b));
    let turned = |lane: usize| if signs.is_negative(lane) { a.get(lane).neg() } else { a.get(lane) };
    assert_eq!(all(&less), std::array::from_fn(|lane| turned(lane).sub(&b.get(lane))));
    within(&less, 11);
    assert_eq!(a.zeros(), all(a).map(|a| a.is_zero()));
}

#[test]
fn limbs_at_the_top_of_their_ranges() {
    if !Avx2::supported() {
        return;
    }
    let [product, difference] = largest();
    let zero = Avx2::splat(&Fe::ZERO);
    let products = [product, zero, Avx2::splat(&Fe::ONE.neg())];
    for a in &products {
        for (b, c) in products.iter().flat_map(|b| products.iter().map(move |c| (b, c))) {
            for d in [&difference, a, &zero] {
                check(a, b, c, d, signs([true, false, false, true]));
            }
        }
    }
    // Both factors as large as the kernels' own bound allows, which is more than the lanes make use of.
    let most = large((1 << 27) - 1);
    assert_eq!(all(&made(|out| out.mul(&most, &most))), each([&most], |[a]| a.sqr()));
    assert_eq!(all(&made(|out| out.sqr(&most))), each([&most], |[a]| a.sqr()));
}

#[test]
fn zero_is_zero_in_every_form() {
    if !Avx2::supported() {
        return;
    }
    let [product, _] = largest();
    let mut zero = Avx2::splat(&Fe::ONE);
    zero.difference(&product, &product);
    assert_eq!(all(&zero), [Fe::ZERO; 4]);
    zero.signed_difference(&product, Signs::default(), &product);
    assert_eq!(all(&zero), [Fe::ZERO; 4]);
    zero.mul(&product, &zero.clone());
    assert_eq!((zero.zeros(), zero.invert()), ([true; 4], [true; 4]));
    let mut multiple = MULTIPLES.map(|limbs| Avx2(Limbs(limbs.map(|limb| [limb; 4]))));
    assert_eq!(multiple.map(|v| (v.reduced(3), v.zeros())), [([0; 6], [true; 4]); 3]);
    // 2 p with a limb that has not been carried, and neighbours of the multiples.
    multiple[2].0.0[7][1] += 1 << 30;
    multiple[2].0.0[8][1] -= 1;
    assert_eq!((multiple[2].reduced(1), multiple[2].zeros()), ([0; 6], [true; 4]));
    for v in &mut multiple {
        (v.0.0[0][0], v.0.0[12][2]) = (v.0.0[0][0] ^ 1, v.0.0[12][2] ^ 1);
        assert_eq!(v.zeros(), [false, true, false, true]);
    }
    assert_eq!(all(&zero), [Fe::ZERO; 4]);
}

#[test]
fn constants_are_what_they_say() {
    assert_eq!(TO_LANES.mul(&FROM_LANES), Fe::ONE);
    assert_eq!(split(&[u64::MAX; 6]).map(|limb| limb == MASK), std::array::from_fn(|i| i < 12));
    for (times, least) in [(4, 1 << 30), (2, 1 << 30), (4, LEAST)] {
        let limbs = multiple(times, least);
        assert_eq!(Avx2(Limbs(limbs.map(|limb| [limb; 4]))).reduced(0), [0; 6]);
        assert!(limbs[..12].iter().all(|&limb| (least..=(1 << 31) + LEAST).contains(&limb)), "{limbs:x?}");
        assert_eq!(limbs[12] >> 23, times * 2 - 1);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]
    #[test]
    fn agrees_with_one_at_a_time(
        forms in proptest::collection::vec(naive::below(P), 16), masks in any::<[bool; 4]>(), lane in 0usize..4,
    ) {
        if !Avx2::supported() {
            return Ok(());
        }
        let value = |at: usize| Fe::from_form(&forms[at]).expect("below p");
        let [a, b, c, mut d] = std::array::from_fn(|i| load(&std::array::from_fn(|lane| value(4 * i + lane))));
        let signs = signs(masks);
        check(&a, &b, &c, &d, signs);
        check(&made(|out| out.mul(&a, &d)), &b, &a, &made(|out| out.signed_difference(&c, signs, &d)), signs);
        let mut inverse = d;
        let zeros = inverse.invert();
        prop_assert_eq!(zeros, all(&d).map(|d| d.is_zero()));
        prop_assert_eq!(all(&inverse), all(&d).map(|d| d.inv()));
        d.set(lane, &value(0));
        prop_assert_eq!(d.get(lane), value(0));
    }
}
