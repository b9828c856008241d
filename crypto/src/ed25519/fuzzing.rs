//! The body of the fuzz target over Ed25519, and how signatures with chosen parts are made; tests use these too.

use super::curve::{self, BASE, Extended};
use super::scalar;
use super::sum::Lanes;
use super::{BaseTable, Job, KeyTable, Signed, Verifier};
use aws_lc_rs::digest::{SHA512, digest};
use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use std::sync::{Arc, LazyLock};

/// A chunk, and one signature of the next.
const MOST: usize = 33;

/// A generator of the eight points whose order divides 8 (RFC 8032 5.1: the cofactor).
const EIGHTH: [u8; 32] = [
    0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5, 0xdf, 0xac,
    0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05,
];

static BASES: LazyLock<Vec<Option<Arc<BaseTable>>>> = LazyLock::new(|| [3, 4, 6, 9].map(BaseTable::build).into());

/// A question to tables and to aws-lc-rs.
struct Asked {
    public: [u8; 32],
    signature: [u8; 64],
    message: Vec<u8>,
}

/// The tables say of keys and signatures what aws-lc-rs says, with the vector kernels and without, in a batch and each alone.
///
/// * first octet: windows of the base point (bits 0 and 1) and of keys (2 and 3)
/// * then questions, each behind an octet whose bits 0 and 1 say what it is of: key and signature as they are (0); a
///   signature that is made, of a key and an R with parts of small order (1); a key (2) or an R (3) chosen among points of
///   small order and their other encodings. Bits 2 to 4 change it: S + L, the sign of R, a bit of S. Then come the length
///   of a message, and the message
pub(crate) fn ed25519(octets: &[u8]) {
    let Some((&options, mut rest)) = octets.split_first() else { return };
    let (Some(Some(base)), window) = (BASES.get(usize::from(options & 3)), 3 + u32::from(options >> 2 & 3)) else {
        return;
    };
    let asked: Vec<_> = std::iter::from_fn(|| question(&mut rest)).take(MOST).collect();
    let want: Vec<_> = asked
        .iter()
        .map(|one| UnparsedPublicKey::new(&ED25519, one.public).verify(&one.message, &one.signature).is_ok())
        .collect();
    let tables: Vec<_> = asked.iter().map(|one| KeyTable::build(&one.public, window)).collect();
    for ((table, want), one) in tables.iter().zip(&want).zip(&asked) {
        assert!(table.is_some() || !want, "only aws-lc-rs takes the key {:x?}", one.public);
    }
    let digests: Vec<_> = asked.iter().map(|one| challenge(&one.signature[..32], &one.public, &one.message)).collect();
    let job = |hashed: bool, at: usize| {
        let Asked { public, signature, message } = &asked[at];
        let signed = if hashed { Signed::Digest(&digests[at]) } else { Signed::Message(message) };
        tables[at].as_ref().map(|table| (at, Job { table, public, signed, signature }))
    };
    for lanes in [Lanes::best(), Lanes::Scalar] {
        let mut verifier = Verifier::with_lanes(Arc::clone(base), lanes);
        for (hashed, most) in [(false, MOST), (true, MOST), (true, 1)] {
            let all: Vec<_> = (0..asked.len()).filter_map(|at| job(hashed, at)).collect();
            let mut granted = vec![false; asked.len()];
            for part in all.chunks(most) {
                let jobs: Vec<_> = part.iter().map(|(_, job)| *job).collect();
                verifier.verify(&jobs, &mut |index| granted[part[index].0] = true);
            }
            assert_eq!(granted, want, "{lanes:?}, hashed {hashed}, by {most}");
        }
    }
}

/// The next question; `None` where the octets do not make one any more.
fn question(rest: &mut &[u8]) -> Option<Asked> {
    let how = take::<1>(rest)?[0];
    let (public, mut signature, secret) = match how & 3 {
        0 => (take(rest)?, take(rest)?, None),
        1 => {
            let (secret, nonce, parts) = (number(rest)?, number(rest)?, take::<1>(rest)?[0]);
            let public = octets_of(&base().times(&secret).add(&small(parts & 7)));
            let r = octets_of(&base().times(&nonce).add(&small(parts >> 4 & 7)));
            (public, joined(r, nonce), Some(secret))
        }
        2 => (chosen(take::<1>(rest)?[0]), take(rest)?, None),
        _ => {
            let (public, r) = (take(rest)?, chosen(take::<1>(rest)?[0]));
            (public, joined(r, number(rest)?), None)
        }
    };
    let length = take::<1>(rest)?[0];
    let message = rest.split_off(..usize::from(length).min(rest.len()))?.to_vec();
    if how & 8 != 0 {
        // Before it is signed: then S goes with it.
        signature[31] ^= 0x80;
    }
    if let Some(secret) = secret {
        let k = scalar::reduce(&challenge(&signature[..32], &public, &message));
        let nonce = scalar::words(signature[32..].try_into().ok()?);
        signature[32..].copy_from_slice(&words_to_octets(muladd(k, secret, nonce)));
    }
    if how & 4 != 0 {
        let mut carry = 0;
        for (octet, more) in signature[32..].iter_mut().zip(words_to_octets(scalar::L)) {
            let sum = u16::from(*octet) + u16::from(more) + carry;
            let [low, high] = sum.to_le_bytes();
            (*octet, carry) = (low, high.into());
        }
    }
    if how & 16 != 0 {
        signature[32 + usize::from(how >> 5)] ^= how;
    }
    Some(Asked { public, signature, message })
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    rest.split_off(..N)?.try_into().ok()
}

/// The next 32 octets modulo L.
fn number(rest: &mut &[u8]) -> Option<[u64; 4]> {
    Some(scalar::reduce(&joined(take(rest)?, [0; 4])))
}

/// An encoding of y = 0, 1, -1 or of one of order 8, also with y + p and with the other sign.
fn chosen(choice: u8) -> [u8; 32] {
    let mut octets = octets_of(&small(choice & 7));
    if choice & 8 != 0 {
        octets[31] ^= 0x80;
    }
    if choice & 16 != 0 {
        // y + p for y = 0 and 1: the others have no second encoding below 2^255.
        let sign = octets[31] & 0x80;
        octets = [0xff; 32];
        (octets[0], octets[31]) = (0xed + (choice & 1), 0x7f | sign);
    }
    octets
}

fn small(times: u8) -> Extended {
    let eighth = Extended::decode(&EIGHTH).unwrap_or(Extended::NEUTRAL);
    (0..times).fold(Extended::NEUTRAL, |sum, _| sum.add(&eighth))
}

fn challenge(r: &[u8], public: &[u8; 32], message: &[u8]) -> [u8; 64] {
    let mut out = [0; 64];
    out.copy_from_slice(digest(&SHA512, &[r, public, message].concat()).as_ref());
    out
}

pub(super) fn base() -> Extended {
    // It decodes: a test says so.
    Extended::decode(&BASE).unwrap_or(Extended::NEUTRAL)
}

pub(super) fn octets_of(point: &Extended) -> [u8; 32] {
    let (x, y) = point.affine(point.z.invert());
    curve::encode(x, y)
}

pub(super) fn words_to_octets(words: [u64; 4]) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(words.map(u64::to_le_bytes).as_flattened());
    out
}

/// R and S.
pub(super) fn joined(r: [u8; 32], s: [u64; 4]) -> [u8; 64] {
    let mut out = [0; 64];
    out.copy_from_slice([r, words_to_octets(s)].as_flattened());
    out
}

/// a b + c modulo L.
pub(super) fn muladd(a: [u64; 4], b: [u64; 4], c: [u64; 4]) -> [u64; 4] {
    let mut out = [0_u64; 8];
    out[..4].copy_from_slice(&c);
    for (i, &a) in a.iter().enumerate() {
        let mut carry = 0;
        for (j, at) in (i..8).enumerate() {
            let b = b.get(j).copied().unwrap_or(0);
            let sum = u128::from(a) * u128::from(b) + u128::from(out[at]) + carry;
            (out[at], carry) = (sum as u64, sum >> 64);
        }
    }
    let mut octets = [0; 64];
    octets.copy_from_slice(out.map(u64::to_le_bytes).as_flattened());
    scalar::reduce(&octets)
}
