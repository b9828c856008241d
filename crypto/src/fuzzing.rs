//! Bodies of the fuzz targets over signatures, replayed over their corpus by a plain test.

use crate::p256::P256;
use crate::p384::P384;
use crate::weierstrass::choice::{Base, Job, Kernels, Table, Verifier};
use crate::weierstrass::field::Curve;
use crate::weierstrass::numbers::{by, linear, octets, order, plain_sum, reduced, signature};
use aws_lc_rs::agreement::{self, ECDH_P256, ECDH_P384, PrivateKey};
use aws_lc_rs::digest::{self, Digest, SHA256, SHA384};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, EcdsaVerificationAlgorithm, ParsedPublicKey,
};
use std::sync::LazyLock;

/// Two chunks, and one signature of a third.
const MOST: usize = 65;

/// A curve's tables of the generator, some windows with each kind of kernels, and what aws-lc-rs calls it.
struct Held<C: Curve> {
    bases: Vec<[Option<Base<C>>; 2]>,
    verifying: &'static EcdsaVerificationAlgorithm,
    digest: &'static digest::Algorithm,
    agreement: &'static agreement::Algorithm,
}

impl<C: Curve> Held<C> {
    fn new(
        verifying: &'static EcdsaVerificationAlgorithm,
        digest: &'static digest::Algorithm,
        agreement: &'static agreement::Algorithm,
    ) -> Self {
        let both = |window| [Kernels::Twin, Kernels::Vector].map(|kernels| Base::build(kernels, window));
        Self { bases: [2, 4, 5, 7].map(both).into(), verifying, digest, agreement }
    }
}

static ON_P256: LazyLock<Held<P256>> = LazyLock::new(|| Held::new(&ECDSA_P256_SHA256_FIXED, &SHA256, &ECDH_P256));
static ON_P384: LazyLock<Held<P384>> = LazyLock::new(|| Held::new(&ECDSA_P384_SHA384_FIXED, &SHA384, &ECDH_P384));

/// The tables say of keys and signatures what aws-lc-rs says, with the vector kernels and with their twin, in a batch and
/// each alone.
///
/// * first octet: the curve (bit 0), windows of the generator (bits 1 and 2) and of the key (3 and 4), and whether the key
///   is given by its octets or by the number it is a multiple of G by (5)
/// * the key; then signatures, each behind an octet that says whether digest, r and s follow (bit 0), or u1 and u2, of
///   which a signature that holds is made and then perhaps changed (bits 1 to 3)
pub fn ecdsa(octets: &[u8]) {
    match octets.split_first() {
        Some((&options, rest)) if options & 1 == 0 => ask(&ON_P256, options, rest),
        Some((&options, rest)) => ask(&ON_P384, options, rest),
        None => {}
    }
}

/// The same of Ed25519: raw octets, made signatures, and keys and R among points of small order and their other encodings.
pub fn ed25519(octets: &[u8]) {
    crate::ed25519::fuzzing::ed25519(octets);
}

/// A question, and its answer where there is but one.
struct Asked {
    digest: Vec<u8>,
    signature: Vec<u8>,
    known: Option<bool>,
}

fn ask<C: Curve>(held: &Held<C>, options: u8, mut rest: &[u8]) {
    let (bases, window) = (&held.bases[usize::from(options >> 1 & 3)], 2 + u32::from(options >> 3 & 3));
    let (d, key) = if options & 32 == 0 {
        let Some((key, after)) = rest.split_at_checked(2 * C::OCTETS + 1) else { return };
        rest = after;
        (None, key.to_vec())
    } else {
        let Some(d) = take::<C>(&mut rest) else { return };
        let Some(key) = public(held, &d) else { return };
        (Some(d), key)
    };
    let parsed = ParsedPublicKey::new(held.verifying, &key);
    let mut asked = Vec::new();
    while asked.len() < MOST
        && let Some((&how, after)) = rest.split_first()
    {
        rest = after;
        let one = if how & 1 == 0 { raw::<C>(&mut rest) } else { made(held, d.as_ref(), how, &mut rest) };
        let Some(one) = one else { break };
        asked.push(one);
    }
    let want: Vec<_> = asked
        .iter()
        .map(|Asked { digest, signature, known }| {
            let Ok(key) = &parsed else { return false };
            let digest = Digest::import_less_safe(digest, held.digest);
            let holds = digest.is_ok_and(|digest| key.verify_digest_sig(&digest, signature).is_ok());
            assert!(known.is_none_or(|known| known == holds), "aws-lc-rs: {holds}, for {signature:x?}");
            holds
        })
        .collect();
    for (kernels, base) in [Kernels::Twin, Kernels::Vector].into_iter().zip(bases) {
        let Some(base) = base else { continue };
        let table = Table::build(kernels, &key, window);
        assert_eq!(table.is_some(), parsed.is_ok(), "{key:x?}");
        let Some(table) = table else { continue };
        let jobs: Vec<_> =
            asked.iter().map(|Asked { digest, signature, .. }| Job { table: &table, digest, signature }).collect();
        let mut verifier = Verifier::new(base);
        for len in [1, jobs.len().max(1)] {
            let mut granted = vec![false; jobs.len()];
            for (number, jobs) in jobs.chunks(len).enumerate() {
                verifier.verify(jobs, &mut |at| granted[number * len + at] = true);
            }
            assert_eq!(granted, want, "{kernels:?}, by {len}");
        }
    }
}

/// The next number.
fn take<C: Curve>(rest: &mut &[u8]) -> Option<C::Words> {
    C::integer(rest.split_off(..C::OCTETS)?)
}

/// Digest, r and s as they are; where less is left than that, a signature that is cut.
fn raw<C: Curve>(rest: &mut &[u8]) -> Option<Asked> {
    let digest = rest.split_off(..C::OCTETS)?.to_vec();
    let signature = rest.split_off(..rest.len().min(2 * C::OCTETS))?.to_vec();
    Some(Asked { digest, signature, known: None })
}

/// A signature for which the verifier meets the next two numbers as u1 and u2.
///
/// * `d`: of the key
/// * `how`: changes nothing (0), s into n - s (2) or s and r into each other (4), bits of s (6); digest z into z + n (8)
fn made<C: Curve>(held: &Held<C>, d: Option<&C::Words>, how: u8, rest: &mut &[u8]) -> Option<Asked> {
    let (u1, u2) = (take::<C>(rest)?, take::<C>(rest)?);
    let (u1, u2) = (reduced::<C>(&u1), reduced::<C>(&u2));
    if !C::in_range(&u2) {
        return None;
    }
    let point = public(held, &linear::<C>(&u1, &u2, d?))?;
    let r = reduced::<C>(&C::integer(&point[1..=C::OCTETS])?);
    let (mut digest, mut all) = by::<C>(&r, &u1, &u2);
    let s = C::integer(&all[C::OCTETS..])?;
    let mut known = Some(true);
    match how & 6 {
        0 => {}
        2 => all = signature::<C>(&r, &C::order_minus(&s)),
        4 => (all, known) = (signature::<C>(&s, &r), None),
        _ => {
            let at = C::OCTETS + usize::from(how >> 4);
            all[at] ^= how;
            known = None;
        }
    }
    if how & 8 != 0
        && let (more, false) = plain_sum::<C>(&C::integer(&digest)?, &order::<C>())
    {
        digest = octets::<C>(&more);
    }
    Some(Asked { digest, signature: all, known })
}

/// d G by aws-lc-rs, for d in range.
fn public<C: Curve>(held: &Held<C>, d: &C::Words) -> Option<Vec<u8>> {
    let key = PrivateKey::from_private_key(held.agreement, &octets::<C>(d)).ok()?;
    Some(key.compute_public_key().ok()?.as_ref().to_vec())
}
