//! Walking a tree of elements to its leaves.

use super::head::{Cut, Form, Head, head, short};
use super::{MAX_DEPTH, Rules, Tlv, is_constructed, slice};
use crate::reason::{Reason, Refusal};

/// Walks a run of elements down to the leaves.
///
/// Returns true if every length is definite and minimal; under [`Rules::Strict`] it always is.
/// # Errors
/// [`Reason::BerLength`], [`Reason::BerIndefinite`], [`Reason::BerNonMinimal`], [`Reason::BerTagLong`],
/// [`Reason::BerDepth`]; `at` counts from the first octet of `octets`.
pub fn walk(octets: &[u8], rules: Rules, depth: u8) -> Result<bool, Refusal> {
    walk_at(octets, 0, rules, depth)
}

/// Walks everything inside an element, whose children are at level `depth`; true if every length is definite and minimal.
#[inline(always)]
pub(crate) fn walk_inside(element: &Tlv<'_>, rules: Rules, depth: u8) -> Result<bool, Refusal> {
    if !is_constructed(element.tag) || walk_common(element.value, depth) {
        return Ok(true);
    }
    walk_at(element.value, element.body, rules, depth)
}

/// Walks octets whose first one is number `at` of those that offsets count from.
#[inline(never)]
fn walk_at(octets: &[u8], at: usize, rules: Rules, depth: u8) -> Result<bool, Refusal> {
    if walk_common(octets, depth) {
        return Ok(true);
    }
    let mut canonical = true;
    let walked = walk_any(octets, 0, false, rules, depth, &mut canonical);
    walked.map(|_| canonical).map_err(|refusal| refusal.later(at))
}

/// Octets that an element of indefinite length has behind its head, end-of-contents octets included.
pub(super) fn indefinite(octets: &[u8], rules: Rules, depth: u8) -> Result<usize, Refusal> {
    walk_any(octets, 0, true, rules, depth, &mut false)
}

/// Walks elements of any form to the end of `octets` (`open`: to end-of-contents octets); returns where they end.
///
/// `canonical` is cleared at the first length that is not definite and minimal. Recursion is bounded by [`MAX_DEPTH`].
fn walk_any(
    octets: &[u8],
    mut at: usize,
    open: bool,
    rules: Rules,
    depth: u8,
    canonical: &mut bool,
) -> Result<usize, Refusal> {
    loop {
        if open {
            if octets.get(at..at + 2) == Some(&[0, 0]) {
                return Ok(at + 2);
            }
        } else if at >= octets.len() {
            return Ok(at);
        }
        if depth > MAX_DEPTH {
            return Err(Reason::BerDepth.at(at));
        }
        let Head { tag, size, len, minimal, .. } =
            head(slice(octets, at, octets.len()), rules).map_err(|refusal| refusal.later(at))?;
        *canonical &= minimal;
        let body = at + size;
        at = match len {
            Some(len) if is_constructed(tag) => {
                walk_any(slice(octets, 0, body + len), body, false, rules, depth + 1, canonical)?
            }
            Some(len) => body + len,
            None => walk_any(octets, body, true, rules, depth + 1, canonical)?,
        };
    }
}

/// Walks elements to the end of `octets` as long as all have short tags and definite lengths in the fewest octets, which
/// is what nearly every message is made of; false at the first thing that is not so, be it well formed or not.
///
/// What it walks, [`walk_any`] walks too, and finds canonical. Recursion is bounded by [`MAX_DEPTH`].
fn walk_common(mut octets: &[u8], depth: u8) -> bool {
    while !octets.is_empty() {
        let Some(Cut { form, value, behind, .. }) = short(octets).or_else(|| long(octets)) else { return false };
        if depth > MAX_DEPTH || (form == Form::Constructed && !walk_common(value, depth + 1)) {
            return false;
        }
        octets = behind;
    }
    true
}

/// An element whose tag or length takes more than one octet, and needs to.
#[inline(never)]
fn long(octets: &[u8]) -> Option<Cut<'_>> {
    let Head { tag, size, len, .. } = head(octets, Rules::Strict).ok()?;
    let form = if is_constructed(tag) { Form::Constructed } else { Form::Primitive };
    let (raw, behind) = octets.split_at_checked(size + len?)?;
    Some(Cut { form, raw, value: raw.get(size..)?, behind })
}
