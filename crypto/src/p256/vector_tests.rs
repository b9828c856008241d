//! The four lanes against the scalar twin, also with limbs and values at the top of their ranges.

use super::*;
use proptest::prelude::*;

/// Limbs 0 to 7 as given, the last so that the value is just below `tenths` of 0.1 p: p is 2^24 (1 - 2^-32) of it.
fn large(limb: u64, tenths: u64) -> Avx2 {
    let mut limbs = [[limb; 4]; 9];
    // What lies above bit 29 of each limb counts in the one above it.
    limbs[8] = [(tenths << 24) / 10 - 2 - (limb >> 29); 4];
    Avx2(Limbs(limbs))
}

/// The largest product: limbs of 29 bits, just below 4.2 p.
fn product() -> Avx2 {
    large(LIMB, 42)
}

/// The largest difference: limbs just below 2^31 + 2^29, just below 20.2 p.
fn difference() -> Avx2 {
    large((1 << 31) + (1 << 29) - 1, 202)
}

/// Asserts the bounds of a kernel's result, and that its value is below `tenths` of 0.1 p.
fn within(v: &Avx2, tenths: u64) {
    for lane in 0..4 {
        assert!(v.0.0[..8].iter().all(|limb| limb[lane] <= LIMB), "{v:x?}");
        assert!(v.0.0[8][lane] < (tenths << 24) / 10 && v.0.0[8][lane] < 1 << 27, "{v:x?}");
    }
}

/// Asserts the bounds of a difference.
fn within_difference(v: &Avx2) {
    for lane in 0..4 {
        assert!(v.0.0[..8].iter().all(|limb| limb[lane] < (1 << 31) + (1 << 29)), "{v:x?}");
        assert!(v.0.0[8][lane] < 1 << 29, "{v:x?}");
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
    let mut out = large(77, 7);
    make(&mut out);
    out
}

/// Every operation against the scalar one, and the bounds of its result. `a`, `b`, `c`: products; `d`: a difference.
///
/// 4.2 20.2 / 32 + 1 is 3.66, 4.2 4.2 / 32 + 1 is 1.56, and what is subtracted leaves 1.01 more: 4.67 at most, which has
/// zeros in no other forms than those up to 4 p.
fn check(a: &Avx2, b: &Avx2, c: &Avx2, d: &Avx2, signs: Signs) {
    let product = made(|out| out.mul(a, d));
    assert_eq!(all(&product), each([a, d], |[a, d]| a.mul(&d)));
    within(&product, 37);
    let square = made(|out| out.sqr(a));
    assert_eq!(square.0, made(|out| out.mul(a, a)).0);
    within(&square, 16);
    let less = made(|out| out.mul_sub(a, d, c));
    assert_eq!(all(&less), each([a, d, c], |[a, d, c]| a.mul(&d).sub(&c)));
    within(&less, 47);
    let mut by = *a;
    by.mul_by(d);
    assert_eq!(by.0, product.0);
    let mut less = *c;
    less.sqr_sub(a, b);
    assert_eq!(all(&less), each([a, b, c], |[a, b, c]| a.sqr().sub(&b).sub(&c)));
    within(&less, 26);
    let (mut less, twice) = (*c, made(|out| out.twice(b)));
    less.sqr_sub(a, &twice);
    assert_eq!(all(&less), each([a, b, c], |[a, b, c]| a.sqr().sub(&b.add(&b)).sub(&c)));
    within(&less, 26);
    let less = made(|out| out.difference(a, b));
    assert_eq!(all(&less), each([a, b], |[a, b]| a.sub(&b)));
    within_difference(&less);
    let less = made(|out| out.signed_difference(a, signs, b));
    let turned = |lane: usize| if signs.is_negative(lane) { a.get(lane).neg() } else { a.get(lane) };
    assert_eq!(all(&less), std::array::from_fn(|lane| turned(lane).sub(&b.get(lane))));
    within_difference(&less);
    assert_eq!(a.zeros(), all(a).map(|a| a.is_zero()));
}

#[test]
fn limbs_at_the_top_of_their_ranges() {
    if !Avx2::supported() {
        return;
    }
    let zero = Avx2::splat(&Fe::ZERO);
    // Multiples of p are zero in another form.
    let multiples = MULTIPLES.map(|limbs| Avx2(Limbs(limbs.map(|limb| [limb; 4]))));
    let products = [product(), zero, Avx2::splat(&Fe::ONE.neg()), multiples[1], multiples[4]];
    for a in &products {
        for (b, c) in products.iter().flat_map(|b| products.iter().map(move |c| (b, c))) {
            for d in [&difference(), a, &zero] {
                check(a, b, c, d, signs([true, false, false, true]));
            }
        }
    }
}

/// Each lane of its own, so that none leaks into another, and the form of the scalar twin is the integer itself.
#[test]
fn lanes_keep_apart() {
    if !Avx2::supported() {
        return;
    }
    for lane in 0..4 {
        let mut limbs = [[0; 4]; 9];
        let (top, wide) = (product().0.0, difference().0.0);
        for at in 0..9 {
            limbs[at][lane] = top[at][lane];
        }
        let (alone, zero) = (Avx2(Limbs(limbs)), Avx2::splat(&Fe::ZERO));
        let mut other = Avx2(Limbs(wide));
        for at in 0..9 {
            for quiet in (0..4).filter(|&at| at != lane) {
                other.0.0[at][quiet] = 0;
            }
        }
        check(&alone, &zero, &zero, &other, signs([false; 4]));
        check(&zero, &alone, &zero, &other, signs([true; 4]));
        check(&product(), &zero, &alone, &other, signs(std::array::from_fn(|at| at == lane)));
        assert_eq!(alone.zeros(), std::array::from_fn(|at| at != lane));
    }
}

#[test]
fn zero_is_zero_in_every_form() {
    if !Avx2::supported() {
        return;
    }
    let top = product();
    let mut zero = Avx2::splat(&Fe::ONE);
    zero.difference(&top, &top);
    assert_eq!(all(&zero), [Fe::ZERO; 4]);
    zero.signed_difference(&top, Signs::default(), &top);
    assert_eq!(all(&zero), [Fe::ZERO; 4]);
    zero.mul(&top, &zero.clone());
    assert_eq!((zero.zeros(), zero.invert()), ([true; 4], [true; 4]));
    assert_eq!(all(&zero), [Fe::ZERO; 4]);
    for mut v in MULTIPLES.map(|limbs| Avx2(Limbs(limbs.map(|limb| [limb; 4])))) {
        assert_eq!((all(&v), v.zeros()), ([Fe::ZERO; 4], [true; 4]));
        (v.0.0[0][0], v.0.0[8][2]) = (v.0.0[0][0] ^ 1, v.0.0[8][2] ^ 1);
        assert_eq!(v.zeros(), [false, true, false, true]);
    }
}

#[test]
fn constants_are_what_they_say() {
    assert_eq!(INTO.mul(&BACK), Fe::ONE);
    assert_eq!(Fe::from_words([32, 0, 0, 0]), INTO);
    assert_eq!(limbs(&[u64::MAX; 4]).map(|limb| limb == LIMB), std::array::from_fn(|at| at < 8));
    // A multiple of p from which any two products can be taken.
    assert!(BIAS[..8].iter().all(|limb| (2 * LIMB..(1 << 30) + (1 << 29)).contains(limb)), "{BIAS:x?}");
    assert!(BIAS[8] >> 27 == 1, "{BIAS:x?}");
    if Avx2::supported() {
        let bias = Avx2(Limbs(BIAS.map(|limb| [limb; 4])));
        assert_eq!(all(&bias), [Fe::ZERO; 4]);
    }
}

/// Words of zeros, ones, a few bits or many, below p.
fn words() -> impl Strategy<Value = Fe> {
    let word = prop_oneof![Just(0), Just(u64::MAX), any::<u64>(), any::<u32>().prop_map(u64::from)];
    let ends = (0_u64..4, any::<bool>()).prop_map(|(near, top)| match top {
        true => sub(&P, &[near + 1, 0, 0, 0]).0,
        false => [near, 0, 0, 0],
    });
    let below = |words: [u64; 4]| if sub(&words, &P).1 { words } else { sub(&words, &P).0 };
    prop_oneof![1 => ends, 6 => proptest::array::uniform4(word).prop_map(below)].prop_map(from_words)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]
    #[test]
    fn agrees_with_one_at_a_time(
        values in proptest::array::uniform16(words()), masks in any::<[bool; 4]>(), lane in 0_usize..4,
    ) {
        if !Avx2::supported() {
            return Ok(());
        }
        let [a, b, c, mut d] = std::array::from_fn(|i| load(&std::array::from_fn(|lane| values[4 * i + lane])));
        let signs = signs(masks);
        check(&a, &b, &c, &d, signs);
        check(&made(|out| out.mul(&a, &d)), &b, &a, &made(|out| out.signed_difference(&c, signs, &d)), signs);
        let mut inverse = d;
        let zeros = inverse.invert();
        prop_assert_eq!(zeros, all(&d).map(|d| d.is_zero()));
        prop_assert_eq!(all(&inverse), all(&d).map(|d| d.inv()));
        d.set(lane, &values[0]);
        prop_assert_eq!(d.get(lane), values[0]);
    }
}
