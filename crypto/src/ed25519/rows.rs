//! Rows of a table, four side by side in AVX2 vectors: multiples by repeated addition, made affine with one inversion
//! for many.

use super::avx2::{Entry, add_line, join, lane_of, load, points_of, splat};
use super::curve::{D, invert_all};
use super::field::Fe;
use super::limbs::Four;
use super::line::{HALF, Line, OFFSET};
use super::product::multiply;
use super::sum::{LANES, Pick};

/// Multiples that share an inversion: 64 times 800 octets stay in the first two caches.
const SHARED: usize = 64;

/// Calls `out` with lane, j and the line j P for j = 1 .. `count` of each of `firsts`, the lines P.
#[target_feature(enable = "avx2,fma")]
pub(super) fn rows(firsts: &[Line; LANES], count: usize, out: &mut dyn FnMut(usize, usize, Line)) {
    let tables = firsts.each_ref().map(|first| [core::slice::from_ref(first); 2]);
    let mut step = Entry::ZERO;
    load(&tables, &[Pick::NEUTRAL; LANES], &mut step);
    let mut sum = points_of(&step);
    let (half, minus_4d) = (splat(HALF), splat(D.add(D).add(D).add(D).neg()));
    let mut multiples = [sum; SHARED];
    let mut before = [Four::ZERO; SHARED];
    let mut done = 0;
    while done < count {
        let now = SHARED.min(count - done);
        // Montgomery's trick, a chain a lane: products of all Z before each, with 1 / 2 in front.
        let mut product = half;
        for (at, (multiple, before)) in multiples.iter_mut().zip(&mut before).take(now).enumerate() {
            if done + at > 0 {
                add_line(&mut sum, &step);
            }
            (*multiple, *before) = (sum, product);
            multiply(before, &sum.z, &mut product);
        }
        // 1 / (Z_1 .. Z_n), without the 1 / 2.
        let mut inverses = core::array::from_fn::<_, LANES, _>(|lane| lane_of(&product, lane));
        invert_all(&mut inverses, &mut [Fe::ZERO; LANES]);
        let mut inverse = join(&inverses.map(|inverse| inverse.mul(HALF)));
        for (at, (multiple, before)) in multiples.iter().zip(&before).take(now).enumerate().rev() {
            let (mut halved, mut next) = (Four::ZERO, Four::ZERO);
            multiply(&inverse, before, &mut halved);
            multiply(&inverse, &multiple.z, &mut next);
            inverse = next;
            // x / 2 and y / 2; their sum and difference are what a line has, and -d x y is -4 d times their product.
            let (mut x, mut y, mut xy, mut product) = (Four::ZERO, Four::ZERO, Four::ZERO, Four::ZERO);
            multiply(&multiple.x, &halved, &mut x);
            multiply(&multiple.y, &halved, &mut y);
            multiply(&x, &y, &mut xy);
            multiply(&xy, &minus_4d, &mut product);
            for lane in 0..LANES {
                let (x, y, product) = (lane_of(&x, lane), lane_of(&y, lane), lane_of(&product, lane));
                let [plus, minus, product] = [y.add(x), y.sub(x), product].map(|number| number.add(OFFSET).to_words());
                out(lane, done + at + 1, Line { plus, minus, product });
            }
        }
        done += now;
    }
}
