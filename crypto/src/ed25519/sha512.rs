//! SHA-512 in AVX2 vectors, a message in each lane.
//! # Source
//! FIPS 180-4, 4.1.3, 4.2.3, 5.3.5 and 6.4.
#![allow(unsafe_code, reason = "vector loads and stores")]

use super::challenge::{BLOCK, Input};
use super::sum::LANES;
use core::arch::x86_64::*;

/// Fractional parts of the cube roots of the first eighty primes (FIPS 180-4, 4.2.3).
const K: [u64; 80] = [
    0x428a_2f98_d728_ae22,
    0x7137_4491_23ef_65cd,
    0xb5c0_fbcf_ec4d_3b2f,
    0xe9b5_dba5_8189_dbbc,
    0x3956_c25b_f348_b538,
    0x59f1_11f1_b605_d019,
    0x923f_82a4_af19_4f9b,
    0xab1c_5ed5_da6d_8118,
    0xd807_aa98_a303_0242,
    0x1283_5b01_4570_6fbe,
    0x2431_85be_4ee4_b28c,
    0x550c_7dc3_d5ff_b4e2,
    0x72be_5d74_f27b_896f,
    0x80de_b1fe_3b16_96b1,
    0x9bdc_06a7_25c7_1235,
    0xc19b_f174_cf69_2694,
    0xe49b_69c1_9ef1_4ad2,
    0xefbe_4786_384f_25e3,
    0x0fc1_9dc6_8b8c_d5b5,
    0x240c_a1cc_77ac_9c65,
    0x2de9_2c6f_592b_0275,
    0x4a74_84aa_6ea6_e483,
    0x5cb0_a9dc_bd41_fbd4,
    0x76f9_88da_8311_53b5,
    0x983e_5152_ee66_dfab,
    0xa831_c66d_2db4_3210,
    0xb003_27c8_98fb_213f,
    0xbf59_7fc7_beef_0ee4,
    0xc6e0_0bf3_3da8_8fc2,
    0xd5a7_9147_930a_a725,
    0x06ca_6351_e003_826f,
    0x1429_2967_0a0e_6e70,
    0x27b7_0a85_46d2_2ffc,
    0x2e1b_2138_5c26_c926,
    0x4d2c_6dfc_5ac4_2aed,
    0x5338_0d13_9d95_b3df,
    0x650a_7354_8baf_63de,
    0x766a_0abb_3c77_b2a8,
    0x81c2_c92e_47ed_aee6,
    0x9272_2c85_1482_353b,
    0xa2bf_e8a1_4cf1_0364,
    0xa81a_664b_bc42_3001,
    0xc24b_8b70_d0f8_9791,
    0xc76c_51a3_0654_be30,
    0xd192_e819_d6ef_5218,
    0xd699_0624_5565_a910,
    0xf40e_3585_5771_202a,
    0x106a_a070_32bb_d1b8,
    0x19a4_c116_b8d2_d0c8,
    0x1e37_6c08_5141_ab53,
    0x2748_774c_df8e_eb99,
    0x34b0_bcb5_e19b_48a8,
    0x391c_0cb3_c5c9_5a63,
    0x4ed8_aa4a_e341_8acb,
    0x5b9c_ca4f_7763_e373,
    0x682e_6ff3_d6b2_b8a3,
    0x748f_82ee_5def_b2fc,
    0x78a5_636f_4317_2f60,
    0x84c8_7814_a1f0_ab72,
    0x8cc7_0208_1a64_39ec,
    0x90be_fffa_2363_1e28,
    0xa450_6ceb_de82_bde9,
    0xbef9_a3f7_b2c6_7915,
    0xc671_78f2_e372_532b,
    0xca27_3ece_ea26_619c,
    0xd186_b8c7_21c0_c207,
    0xeada_7dd6_cde0_eb1e,
    0xf57d_4f7f_ee6e_d178,
    0x06f0_67aa_7217_6fba,
    0x0a63_7dc5_a2c8_98a6,
    0x113f_9804_bef9_0dae,
    0x1b71_0b35_131c_471b,
    0x28db_77f5_2304_7d84,
    0x32ca_ab7b_40c7_2493,
    0x3c9e_be0a_15c9_bebc,
    0x431d_67c4_9c10_0d4c,
    0x4cc5_d4be_cb3e_42b6,
    0x597f_299c_fc65_7e2a,
    0x5fcb_6fab_3ad6_faec,
    0x6c44_198c_4a47_5817,
];

/// Fractional parts of the square roots of the first eight primes (FIPS 180-4, 5.3.5).
const START: [u64; 8] = [
    0x6a09_e667_f3bc_c908,
    0xbb67_ae85_84ca_a73b,
    0x3c6e_f372_fe94_f82b,
    0xa54f_f53a_5f1d_36f1,
    0x510e_527f_ade6_82d1,
    0x9b05_688c_2b3e_6c1f,
    0x1f83_d9ab_fb41_bd6b,
    0x5be0_cd19_137e_2179,
];

/// The digests of one to four inputs.
#[target_feature(enable = "avx2")]
pub(super) fn digests(inputs: &[Input<'_>], out: &mut [[u8; 64]]) {
    let mut state = START.map(|word| _mm256_set1_epi64x(word as i64));
    let mut blocks = [[0; BLOCK]; LANES];
    let most = inputs.iter().map(Input::blocks).max().unwrap_or(0);
    for index in 0..most {
        for (input, block) in inputs.iter().zip(&mut blocks) {
            input.block(index, block);
        }
        compress(&mut state, &blocks);
        for (lane, (input, out)) in inputs.iter().zip(&mut *out).enumerate() {
            // What a lane hashes after its own end is of no use to anybody.
            if index + 1 == input.blocks() {
                for (to, word) in out.as_chunks_mut::<8>().0.iter_mut().zip(&state) {
                    *to = lanes(*word)[lane].to_be_bytes();
                }
            }
        }
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn lanes(vector: __m256i) -> [u64; LANES] {
    let mut out = [0; LANES];
    // SAFETY: `out` has the 32 octets that are written; no alignment is asked for.
    unsafe { _mm256_storeu_si256(out.as_mut_ptr().cast(), vector) };
    out
}

/// Rotation to the right by `$by`.
macro_rules! rotate {
    ($x:expr, $by:literal) => {
        _mm256_or_si256(_mm256_srli_epi64::<$by>($x), _mm256_slli_epi64::<{ 64 - $by }>($x))
    };
}

macro_rules! xor3 {
    ($a:expr, $b:expr, $c:expr) => {
        _mm256_xor_si256(_mm256_xor_si256($a, $b), $c)
    };
}

/// One block a lane.
#[target_feature(enable = "avx2")]
fn compress(state: &mut [__m256i; 8], blocks: &[[u8; BLOCK]; LANES]) {
    let mut w = [_mm256_setzero_si256(); 16];
    let swap =
        _mm256_set_epi64x(0x0809_0a0b_0c0d_0e0f, 0x0001_0203_0405_0607, 0x0809_0a0b_0c0d_0e0f, 0x0001_0203_0405_0607);
    for four in 0..4 {
        let load = |lane: usize| {
            let from = blocks[lane].as_ptr().wrapping_add(32 * four).cast::<__m256i>();
            // SAFETY: `four` is below 4: 32 of the 128 octets are read; no alignment is asked for.
            _mm256_shuffle_epi8(unsafe { _mm256_loadu_si256(from) }, swap)
        };
        let (a, b, c, d) = (load(0), load(1), load(2), load(3));
        let (ab0, ab1) = (_mm256_unpacklo_epi64(a, b), _mm256_unpackhi_epi64(a, b));
        let (cd0, cd1) = (_mm256_unpacklo_epi64(c, d), _mm256_unpackhi_epi64(c, d));
        w[4 * four] = _mm256_permute2x128_si256::<0x20>(ab0, cd0);
        w[4 * four + 1] = _mm256_permute2x128_si256::<0x20>(ab1, cd1);
        w[4 * four + 2] = _mm256_permute2x128_si256::<0x31>(ab0, cd0);
        w[4 * four + 3] = _mm256_permute2x128_si256::<0x31>(ab1, cd1);
    }
    let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = *state;
    for (turn, k) in K.as_chunks::<16>().0.iter().enumerate() {
        for at in 0..16 {
            if turn > 0 {
                let (early, late) = (w[(at + 1) % 16], w[(at + 14) % 16]);
                let sigma0 = xor3!(rotate!(early, 1), rotate!(early, 8), _mm256_srli_epi64::<7>(early));
                let sigma1 = xor3!(rotate!(late, 19), rotate!(late, 61), _mm256_srli_epi64::<6>(late));
                let sum = _mm256_add_epi64(_mm256_add_epi64(w[at], w[(at + 9) % 16]), sigma0);
                w[at] = _mm256_add_epi64(sum, sigma1);
            }
            let input = _mm256_add_epi64(w[at], _mm256_set1_epi64x(k[at] as i64));
            let sum1 = xor3!(rotate!(e, 14), rotate!(e, 18), rotate!(e, 41));
            let choice = _mm256_xor_si256(g, _mm256_and_si256(e, _mm256_xor_si256(f, g)));
            let t1 = _mm256_add_epi64(_mm256_add_epi64(_mm256_add_epi64(h, input), choice), sum1);
            let sum0 = xor3!(rotate!(a, 28), rotate!(a, 34), rotate!(a, 39));
            let majority = _mm256_or_si256(_mm256_and_si256(a, b), _mm256_and_si256(c, _mm256_or_si256(a, b)));
            let t2 = _mm256_add_epi64(sum0, majority);
            (h, g, f, e) = (g, f, e, _mm256_add_epi64(d, t1));
            (d, c, b, a) = (c, b, a, _mm256_add_epi64(t1, t2));
        }
    }
    for (word, add) in state.iter_mut().zip([a, b, c, d, e, f, g, h]) {
        *word = _mm256_add_epi64(*word, add);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ed25519::avx2::Avx2;
    use aws_lc_rs::digest::{SHA512, digest};

    #[test]
    fn digests_are_those_of_aws_lc() {
        let Some(avx2) = Avx2::detect() else { return };
        let octets: Vec<_> = (0..1_200_u32).map(|at| ((at * at) >> 3) as u8).collect();
        // Every length up to three blocks, so each place of the padding; beside it shorter and longer lanes.
        for length in 0..=320 {
            let lengths = [length, length * 3, 1_000 - length, length / 2];
            for lanes in 1..=LANES {
                let message = |lane: usize| &octets[lane..lane + lengths[lane]];
                let (r, a) = ([length as u8; 32], [0xa5; 32]);
                let inputs: Vec<_> = (0..lanes).map(|lane| Input { r: &r, a: &a, message: message(lane) }).collect();
                let mut out = vec![[0; 64]; lanes];
                avx2.digests(&inputs, &mut out);
                for (lane, out) in out.iter().enumerate() {
                    let want = digest(&SHA512, &[&r, &a, message(lane)].concat());
                    assert_eq!(out, want.as_ref(), "length {length}, lane {lane} of {lanes}");
                }
            }
        }
    }
}
